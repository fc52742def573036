// SPDX-License-Identifier: GPL-2.0-only
/*
 * Test harness: the checks a test makes, and what they print.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run.h"

static void note(const char *format, va_list args)
{
	fputs("# ", stdout);
	vprintf(format, args);
	fputc('\n', stdout);
	fflush(stdout);
}

void test_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	note(format, args);
	va_end(args);
}

/* _exit: what the parent had buffered is the parent's to print. */
static _Noreturn void end(enum outcome outcome)
{
	fflush(stdout);
	_exit(outcome);
}

void test_fail(const struct test_at *at, const char *format, ...)
{
	va_list args;

	printf("# %s:%d: ", at->file, at->line);
	if (at->text[0])
		printf("%s: ", at->text);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	test_shared->failures++;
	if (at->fatal)
		end(OUTCOME_FAIL);
}

void test_skip(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(test_shared->reason, sizeof(test_shared->reason), format,
		  args);
	va_end(args);
	end(OUTCOME_SKIP);
}

static unsigned int factor(const char *name)
{
	const char *value = getenv(name);

	return value ? strtoul(value, NULL, 10) : 1;
}

unsigned int test_patience(unsigned int time)
{
	return time * factor("TEST_TIMEOUT_SCALE");
}

void test_pause(unsigned int ms)
{
	usleep(test_patience(ms) * 1000);
}

unsigned int test_soak(void)
{
	return factor("TEST_SOAK");
}

bool test_true(const struct test_at *at, bool good)
{
	if (!good)
		test_fail(at, "false");
	return good;
}

bool test_compare(const struct test_at *at, long long a, long long b, bool good)
{
	if (!good)
		test_fail(at, "%lld (%#llx) against %lld (%#llx)", a, a, b, b);
	return good;
}

bool test_strings(const struct test_at *at, const char *a, const char *b)
{
	bool good = a && b && !strcmp(a, b);

	if (!good)
		test_fail(at, "'%s' against '%s'", a ? a : "(none)",
			  b ? b : "(none)");
	return good;
}

bool test_memory(const struct test_at *at, const void *a, const void *b,
		 size_t len)
{
	const uint8_t *left = a, *right = b;
	size_t i;

	for (i = 0; i < len; i++) {
		if (left[i] == right[i])
			continue;
		test_fail(at, "byte %#zx of %#zx: %#x against %#x", i, len,
			  left[i], right[i]);
		return false;
	}
	return true;
}

bool test_result(const struct test_at *at, long long ret, int want)
{
	int got = ret < 0 ? errno : 0;

	if (got == want)
		return true;
	test_fail(at, "returned %lld (%s), expected %s", ret, strerror(got),
		  want ? strerror(want) : "no error");
	return false;
}
