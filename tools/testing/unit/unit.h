/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every test program includes: cmocka with the headers it insists on, and
 * a main() that speaks TAP.
 */
#ifndef UNIT_H
#define UNIT_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bench.h"

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))
#endif

/* A value in a table-driven test: say which row it was */
#define assert_row(row, cond) \
	do { \
		if (!(cond)) \
			fail_msg("row %u: %s", (unsigned int)(row), #cond); \
	} while (0)

static inline void unit_violation(const char *what)
{
	fail_msg("%s", what);
}

static inline int unit_run(const char *name, const struct CMUnitTest *tests,
			   size_t nr)
{
	bench_violation = unit_violation;
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return !!_cmocka_run_group_tests(name, tests, nr, NULL, NULL);
}

/* The bench is large; one for each program is enough */
static inline struct bench *unit_bench(void)
{
	static struct bench bench;

	return &bench;
}

#endif /* UNIT_H */
