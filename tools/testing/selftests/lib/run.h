/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Between the harness's own files: checks (tap.c), runner (run.c) and kernel
 * log (kmsg.c).
 */
#ifndef SELFTEST_RUN_H
#define SELFTEST_RUN_H

#include "tap.h"

/* Exit status of a test's process; 4 is what kselftest uses to skip. */
enum outcome {
	OUTCOME_PASS = 0,
	OUTCOME_FAIL = 1,
	OUTCOME_SKIP = 4,
};

/**
 * struct test_shared - memory shared by the runner and a test's process
 * @failures:	checks that failed
 * @finished:	the test came to its end, rather than exit halfway
 * @reason:	why the test was skipped
 */
struct test_shared {
	unsigned int failures;
	bool finished;
	char reason[256];
};

extern struct test_shared *test_shared;

#endif
