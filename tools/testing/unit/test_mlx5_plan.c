// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sizes for tracking dirty pages, for whatever a device says it can do.
 */
#include "program.h"

#include "plan.h"

#define MIB	0x100000ULL

/* What a real device says, more or less */
static const struct mlx5vf_track_caps usual = {
	.log_min_space = 12,
	.log_max_space = 63,
	.log_min_msg = 12,
	.log_max_msg = 16,
	.log_min_page = 12,
	.log_max_page = 21,
};

/* Of ranges that any page fits into */
static int try(const struct mlx5vf_track_caps *caps, u64 page_size, u64 length,
	       struct mlx5vf_track_plan *plan)
{
	const struct mlx5vf_track_wish wish = {
		.length = length,
		.page_size = page_size,
		.log_align = 63,
	};

	return mlx5vf_track_plan(caps, &wish, plan);
}

static struct mlx5vf_track_plan plan_of(const struct mlx5vf_track_caps *caps,
					u64 page_size, u64 length)
{
	struct mlx5vf_track_plan plan;

	assert_int_equal(try(caps, page_size, length, &plan), 0);
	return plan;
}

static void address_space_covers_what_is_tracked(void **state)
{
	struct mlx5vf_track_plan plan;

	assert_int_equal(plan_of(&usual, 4096, 1).log_space, 12);
	assert_int_equal(plan_of(&usual, 4096, 4096).log_space, 12);
	assert_int_equal(plan_of(&usual, 4096, 4097).log_space, 13);
	assert_int_equal(plan_of(&usual, 4096, 1ULL << 40).log_space, 40);
	assert_int_equal(plan_of(&usual, 4096, (1ULL << 40) + 1).log_space, 41);
	assert_int_equal(plan_of(&usual, 4096, 1ULL << 63).log_space, 63);
	assert_int_equal(try(&usual, 4096, (1ULL << 63) + 1, &plan),
			 -EOPNOTSUPP);
	assert_int_equal(try(&usual, 4096, UINT64_MAX, &plan),
			 -EOPNOTSUPP);
	assert_int_equal(try(&usual, 4096, 0, &plan), -EINVAL);
}

static void page_size_is_the_nearest_there_is(void **state)
{
	for (unsigned int log = 0; log < 64; log++) {
		unsigned int want = log < 12 ? 12 : log > 21 ? 21 : log;

		assert_row(log, plan_of(&usual, 1ULL << log, MIB).log_page == want);
	}
	assert_int_equal(plan_of(&usual, 0, MIB).log_page, 12);
	/* Finer than asked for is right, coarser would be guessing */
	assert_int_equal(plan_of(&usual, 3 * 4096, MIB).log_page, 13);
}

/* A page that is larger than a range would reach beyond it */
static void page_fits_into_the_ranges(void **state)
{
	for (unsigned int align = 0; align < 64; align++) {
		const struct mlx5vf_track_wish wish = {
			.length = MIB,
			.page_size = 1ULL << 40,
			.log_align = align,
		};
		unsigned int want = align < 12 ? 12 : align > 21 ? 21 : align;
		struct mlx5vf_track_plan plan;

		assert_row(align, !mlx5vf_track_plan(&usual, &wish, &plan));
		assert_row(align, plan.log_page == want);
	}
}

static void messages_of_64_kib_and_2_mib_of_them(void **state)
{
	struct mlx5vf_track_caps caps = usual;
	struct mlx5vf_track_plan plan = plan_of(&caps, 4096, MIB);

	assert_int_equal(plan.log_msg, 16);
	assert_int_equal(plan.log_slots, 5);
	caps.log_max_msg = 12;
	plan = plan_of(&caps, 4096, MIB);
	assert_int_equal(plan.log_msg, 12);
	assert_int_equal(plan.log_slots, 9);
	caps.log_min_msg = 20;
	caps.log_max_msg = 20;
	plan = plan_of(&caps, 4096, MIB);
	assert_int_equal(plan.log_msg, 20);
	assert_int_equal(plan.log_slots, 2);
}

/* A shift by what a capability says must not overflow, nor eat the memory */
static void check_messages(unsigned int min, unsigned int max)
{
	struct mlx5vf_track_caps caps = usual;
	struct mlx5vf_track_plan plan;
	unsigned int row = min * 256 + max;
	int ret;

	caps.log_min_msg = min;
	caps.log_max_msg = max;
	ret = try(&caps, 4096, MIB, &plan);
	if (min > max || max < 3 || min > 24) {
		assert_row(row, ret == -EOPNOTSUPP);
		return;
	}
	assert_row(row, !ret);
	assert_row(row, plan.log_msg >= min && plan.log_msg <= max);
	assert_row(row, plan.log_msg >= 3);
	assert_row(row, plan.log_slots >= 2 && plan.log_slots <= 15);
	assert_row(row, plan.log_slots + plan.log_msg <= 26);
}

static void message_capabilities_of_all_values(void **state)
{
	for (unsigned int min = 0; min < 64; min++)
		for (unsigned int max = 0; max < 64; max++)
			check_messages(min, max);
}

static void check_spaces(unsigned int min, unsigned int max)
{
	struct mlx5vf_track_caps caps = usual;
	struct mlx5vf_track_plan plan;
	unsigned int row = min * 256 + max;
	int ret;

	caps.log_min_space = min;
	caps.log_max_space = max;
	ret = try(&caps, 4096, MIB, &plan);
	if (min > max || max < 20) {
		assert_row(row, ret == -EOPNOTSUPP);
		return;
	}
	assert_row(row, !ret && plan.log_space == (min < 20 ? 20 : min));
}

static void space_capabilities_of_all_values(void **state)
{
	for (unsigned int min = 0; min < 256; min++)
		for (unsigned int max = 0; max < 256; max++)
			check_spaces(min, max);
}

static void page_capabilities_of_all_values(void **state)
{
	for (unsigned int row = 0; row < 64 * 64; row++) {
		struct mlx5vf_track_caps caps = usual;
		struct mlx5vf_track_plan plan;
		int ret;

		caps.log_min_page = row / 64;
		caps.log_max_page = row % 64;
		ret = try(&caps, 4096, MIB, &plan);
		assert_row(row, ret == (row / 64 > row % 64 ? -EOPNOTSUPP : 0));
		assert_row(row, ret || (plan.log_page >= row / 64 &&
					plan.log_page <= row % 64));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(address_space_covers_what_is_tracked),
		cmocka_unit_test(page_size_is_the_nearest_there_is),
		cmocka_unit_test(page_fits_into_the_ranges),
		cmocka_unit_test(messages_of_64_kib_and_2_mib_of_them),
		cmocka_unit_test(message_capabilities_of_all_values),
		cmocka_unit_test(space_capabilities_of_all_values),
		cmocka_unit_test(page_capabilities_of_all_values),
	};

	return program_run("mlx5_plan", tests, ARRAY_SIZE(tests));
}
