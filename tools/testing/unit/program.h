/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every test program includes: cmocka with the headers it insists on, and
 * what makes a program of tests.
 */
#ifndef UNIT_PROGRAM_H
#define UNIT_PROGRAM_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(x)	(sizeof(x) / sizeof((x)[0]))
#endif

/* A value in a table-driven test: say which row it was */
#define assert_row(row, cond) \
	do { \
		if (!(cond)) \
			fail_msg("row %u: %s", (unsigned int)(row), #cond); \
	} while (0)

static inline int program_run(const char *name, const struct CMUnitTest *tests,
			      size_t nr)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return !!_cmocka_run_group_tests(name, tests, nr, NULL, NULL);
}

#endif /* UNIT_PROGRAM_H */
