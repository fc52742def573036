/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Calls of a kernel function, as its own tracing counts them.
 */
#ifndef SELFTEST_CALLS_H
#define SELFTEST_CALLS_H

/* From now on note calls of @function; skips the test on a kernel that cannot. */
void calls_watch(const char *function);

/**
 * struct calls - what was noted
 * @count:	calls
 * @at_once:	most of them that were under way at the same time
 */
struct calls {
	unsigned int count;
	unsigned int at_once;
};

/* What was noted; no longer watch. */
struct calls calls_seen(void);

#endif
