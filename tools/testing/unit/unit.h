/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the tests of the config space engine include: the bench, and a main() that
 * speaks TAP.
 */
#ifndef UNIT_H
#define UNIT_H

#include "program.h"

#include "bench.h"

static inline void unit_violation(const char *what)
{
	fail_msg("%s", what);
}

static inline int unit_run(const char *name, const struct CMUnitTest *tests,
			   size_t nr)
{
	bench_violation = unit_violation;
	return program_run(name, tests, nr);
}

/* The bench is large; one for each program is enough */
static inline struct bench *unit_bench(void)
{
	static struct bench bench;

	return &bench;
}

#endif /* UNIT_H */
