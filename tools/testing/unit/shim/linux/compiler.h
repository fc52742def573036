/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_COMPILER_H
#define SHIM_LINUX_COMPILER_H

#define __printf(a, b)	__attribute__((format(printf, a, b)))
#define __always_unused	__attribute__((unused))
#define __packed		__attribute__((packed))
#define __must_check	__attribute__((warn_unused_result))

#endif
