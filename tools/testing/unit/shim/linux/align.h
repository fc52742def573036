/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SHIM_ALIGN_H
#define SHIM_ALIGN_H

#define ALIGN(x, a)	(((x) + (a) - 1) & ~((a) - 1))

#endif
