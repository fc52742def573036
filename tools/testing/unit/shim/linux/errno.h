/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_ERRNO_H
#define SHIM_LINUX_ERRNO_H

/* The C library's errno.h gets here too, for the numbers */
#include_next <linux/errno.h>

#endif
