/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Test harness: TAP 13 on stdout, each test in a process of its own.
 *
 *	TEST(adds_up)
 *	{
 *		EXPECT_EQ(1 + 1, 2);
 *	}
 *
 *	static const struct card cards[] = { { "ace", 11 }, ... };
 *	TEST_EACH(is_worth_something, cards)
 *	{
 *		ASSERT(it->value > 0);
 *	}
 *
 * ASSERT... ends the test at the first failure, EXPECT... lets it go on. main()
 * is in the library. Arguments select tests by shell pattern, -l lists them.
 */
#ifndef SELFTEST_TAP_H
#define SELFTEST_TAP_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* Seconds after which a test that says nothing else counts as hung. */
#define TEST_TIMEOUT	30

/**
 * struct test - one TEST() or TEST_EACH()
 * @name:	the function's name
 * @run:	the function, given its case or NULL
 * @cases:	array of structures whose first member is a const char *name
 * @size:	size of one of them
 * @count:	how many
 * @timeout:	seconds
 */
struct test {
	const char *name;
	void (*run)(const void *it);
	const void *cases;
	size_t size;
	unsigned int count;
	unsigned int timeout;
};

#define TEST_REGISTER(fn)						\
	static const struct test *const fn##_entry			\
	__attribute__((used, section("selftests"))) = &fn##_test

#define TEST_LIMIT(fn, seconds)						\
	static void fn(void);						\
	static void fn##_call(const void *it) { (void)it; fn(); }	\
	static const struct test fn##_test = {				\
		.name = #fn,						\
		.run = fn##_call,					\
		.count = 1,						\
		.timeout = (seconds),					\
	};								\
	TEST_REGISTER(fn);						\
	static void fn(void)

#define TEST_EACH_LIMIT(fn, array, seconds)				\
	static void fn(const __typeof__((array)[0]) *it);		\
	static void fn##_call(const void *it) { fn(it); }		\
	static const struct test fn##_test = {				\
		.name = #fn,						\
		.run = fn##_call,					\
		.cases = (array),					\
		.size = sizeof((array)[0]),				\
		.count = ARRAY_SIZE(array),				\
		.timeout = (seconds),					\
	};								\
	TEST_REGISTER(fn);						\
	static void fn(const __typeof__((array)[0]) *it)

#define TEST(fn)		TEST_LIMIT(fn, TEST_TIMEOUT)
#define TEST_EACH(fn, array)	TEST_EACH_LIMIT(fn, array, TEST_TIMEOUT)

/**
 * struct test_at - where a check stands in the source, and what it says
 * @file:	source file
 * @line:	line in it
 * @text:	the check as written
 * @fatal:	whether a failure ends the test
 */
struct test_at {
	const char *file;
	int line;
	const char *text;
	bool fatal;
};

#define TEST_AT(what, stop)						\
	(&(const struct test_at){ __FILE__, __LINE__, what, stop })

bool test_compare(const struct test_at *at, long long a, long long b,
		  bool good);
bool test_strings(const struct test_at *at, const char *a, const char *b);
bool test_memory(const struct test_at *at, const void *a, const void *b,
		 size_t len);
bool test_result(const struct test_at *at, long long ret, int want);
bool test_true(const struct test_at *at, bool good);
void test_fail(const struct test_at *at, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void test_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void test_skip(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

/* How long to wait on this kernel for what an ordinary one does in @time. */
unsigned int test_patience(unsigned int time);

/* Time for something to happen that should not; a slow kernel gets more. */
void test_pause(unsigned int ms);

/* How many times as long as usual a race is to go on: make check-long. */
unsigned int test_soak(void);

/* Wide enough to compare any two integers by value, whatever their signs. */
#define TEST_COMPARE(a, op, b, stop)					\
	__extension__ ({						\
		__int128 test_a = (a), test_b = (b);			\
									\
		test_compare(TEST_AT(#a " " #op " " #b, stop),		\
			     (long long)test_a, (long long)test_b,	\
			     test_a op test_b);				\
	})

#define ASSERT(cond)		test_true(TEST_AT(#cond, true), cond)
#define EXPECT(cond)		test_true(TEST_AT(#cond, false), cond)
#define ASSERT_EQ(a, b)		TEST_COMPARE(a, ==, b, true)
#define EXPECT_EQ(a, b)		TEST_COMPARE(a, ==, b, false)
#define ASSERT_NE(a, b)		TEST_COMPARE(a, !=, b, true)
#define EXPECT_NE(a, b)		TEST_COMPARE(a, !=, b, false)
#define ASSERT_GE(a, b)		TEST_COMPARE(a, >=, b, true)
#define EXPECT_GE(a, b)		TEST_COMPARE(a, >=, b, false)
#define ASSERT_LE(a, b)		TEST_COMPARE(a, <=, b, true)
#define EXPECT_LE(a, b)		TEST_COMPARE(a, <=, b, false)
#define ASSERT_STREQ(a, b)	test_strings(TEST_AT(#a " is " #b, true), a, b)
#define EXPECT_STREQ(a, b)	test_strings(TEST_AT(#a " is " #b, false), a, b)
#define ASSERT_MEMEQ(a, b, n)	test_memory(TEST_AT(#a " is " #b, true), a, b, n)
#define EXPECT_MEMEQ(a, b, n)	test_memory(TEST_AT(#a " is " #b, false), a, b, n)

/* A call that answers -1 and sets errno, as system calls do. */
#define ASSERT_OK(call)		test_result(TEST_AT(#call, true), call, 0)
#define EXPECT_OK(call)		test_result(TEST_AT(#call, false), call, 0)
#define ASSERT_ERRNO(call, e)	test_result(TEST_AT(#call, true), call, e)
#define EXPECT_ERRNO(call, e)	test_result(TEST_AT(#call, false), call, e)

#define FAIL(...)		test_fail(TEST_AT("", true), __VA_ARGS__)
#define SKIP(...)		test_skip(__VA_ARGS__)

#endif
