/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory that the kernel does not get back.
 */
#ifndef SELFTEST_SLAB_H
#define SELFTEST_SLAB_H

/* Objects in use in the kernel's general caches: what kmalloc() gave out. */
long slab_objects(void);

/*
 * How many more than @before there are. What is freed after a grace period is
 * waited for, some seconds, until the answer is at most @enough.
 */
long slab_growth(long before, long enough);

#endif
