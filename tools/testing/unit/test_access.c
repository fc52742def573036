// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses as such: bounds, pieces, widths, bytes that belong to nobody, and
 * registers that are virtual because somebody asked for it.
 */
#include "unit.h"
#include "rich.h"
#include "view.h"

static struct bench *opened(void)
{
	struct bench *b = unit_bench();

	rich_init(b);
	assert_int_equal(bench_scan(b), 0);
	bench_all_writable(b);
	bench_forget(b);
	return b;
}

static void outside_is_efault(void **state)
{
	static const unsigned int bad[][2] = {
		{ 4096, 1 }, { 4096, 4 }, { 4096, 0 }, { 4097, 2 }, { 5000, 1 },
		{ 0xffffffff, 1 }, { 0xfffffffc, 4 }, { 0xffffffff, 2 },
	};
	struct bench *b = opened();
	u32 val = 0x77;

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_row(i, vfio_cfg_read(&b->cfg, bad[i][0], bad[i][1], &val) == -EFAULT);
		assert_row(i, vfio_cfg_write(&b->cfg, bad[i][0], bad[i][1], 0) == -EFAULT);
	}
	assert_int_equal(val, 0x77);
	assert_int_equal(vfio_cfg_chunk(&b->cfg, 4096, 4), 0);
	assert_int_equal(vfio_cfg_chunk(&b->cfg, 0xfffffffe, 4), 0);
	assert_int_equal(vfio_cfg_chunk(&b->cfg, 0, 0), 0);
	assert_int_equal(b->accesses, 0);
}

static void a_256_byte_function_ends_at_256(void **state)
{
	struct bench *b = unit_bench();
	u32 val;

	bench_init(b, 256);
	assert_int_equal(bench_scan(b), 0);
	assert_int_equal(vfio_cfg_read(&b->cfg, 256, 4, &val), -EFAULT);
	assert_int_equal(vfio_cfg_write(&b->cfg, 256, 4, 0), -EFAULT);
	assert_int_equal(vfio_cfg_chunk(&b->cfg, 252, 100), 4);
	assert_int_equal(vfio_cfg_chunk(&b->cfg, 256, 100), 0);
}

static void nothing_is_done_for_nothing(void **state)
{
	struct bench *b = opened();
	u32 val = 0x77;

	assert_int_equal(vfio_cfg_read(&b->cfg, 0, 0, &val), 0);
	assert_int_equal(vfio_cfg_write(&b->cfg, 0, 0, 0), 0);
	assert_int_equal(val, 0x77);
	assert_int_equal(b->accesses, 0);
}

/* One access, as wide as place and request allow; the rest is for another call */
static void odd_accesses_are_done_in_part(void **state)
{
	static const unsigned int odd[][3] = {
		{ 0, 3, 2 }, { 1, 2, 1 }, { 2, 4, 2 }, { 1, 4, 1 }, { 0, 8, 4 },
		{ 0x3c, 5, 4 }, { 0xffd, 2, 1 }, { 0xffe, 9, 2 }, { 0xfff, 4, 1 },
		{ 4, 64, 4 },
	};
	struct bench *b = opened();

	for (unsigned int i = 0; i < ARRAY_SIZE(odd); i++) {
		unsigned int pos = odd[i][0], count = odd[i][1], len = odd[i][2];
		u32 val = ~0U, same = bench_read(b, pos, len);

		assert_row(i, vfio_cfg_read(&b->cfg, pos, count, &val) == (int)len);
		assert_row(i, val == same);
		assert_row(i, vfio_cfg_write(&b->cfg, pos, count, val) == (int)len);
	}
}

static void impossible_sizes_are_refused(void **state)
{
	static const unsigned int sizes[] = { 0, 64, 255, 4097, 8192, 65535 };
	struct bench *b = unit_bench();

	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		bench_init(b, sizes[i]);
		assert_row(i, bench_scan(b) == -EINVAL);
		assert_row(i, b->accesses == 0);
	}
}

/* A long access, taken apart, covers each byte once and leaves no window */
static void chunks_cover_everything(void **state)
{
	struct bench *b = opened();

	assert_null(view_check(b));
	for (unsigned int pos = 0; pos < 4096;) {
		unsigned int len = vfio_cfg_chunk(&b->cfg, pos, 4096 - pos);
		u32 val;

		assert_row(pos, len == 1 || len == 2 || len == 4);
		assert_row(pos, vfio_cfg_read(&b->cfg, pos, len, &val) == (int)len);
		pos += len;
	}
}

/* Write one value in three ways; the device and the user see no difference */
static void all_widths_write_alike(void **state)
{
	static struct bench from, by4, by2, by1;
	u32 seed = 12345;

	from = *opened();
	from.msi_active = true;
	from.msi_qmax = 3;
	for (unsigned int pos = 0; pos < 4096; pos += 4) {
		if (vfio_cfg_chunk(&from.cfg, pos, 4) != 4)
			continue;
		for (unsigned int i = 0; i < 8; i++) {
			u32 val;

			seed = seed * 1664525 + 1013904223;
			val = seed ^ seed >> 16;
			by4 = from;
			by2 = from;
			by1 = from;
			bench_write(&by4, pos, 4, val);
			bench_write(&by2, pos, 2, val & 0xffff);
			bench_write(&by2, pos + 2, 2, val >> 16);
			for (unsigned int k = 0; k < 4; k++)
				bench_write(&by1, pos + k, 1, val >> 8 * k & 0xff);
			assert_row(pos, !memcmp(by4.hw, by2.hw, sizeof(by4.hw)));
			assert_row(pos, !memcmp(by4.hw, by1.hw, sizeof(by4.hw)));
			assert_row(pos, bench_read(&by4, pos, 4) == bench_read(&by2, pos, 4));
			assert_row(pos, bench_read(&by4, pos, 4) == bench_read(&by1, pos, 4));
			assert_row(pos, !memcmp(by4.cfg.image, by1.cfg.image,
						sizeof(by4.cfg.image)));
		}
	}
}

/* Gaps between capabilities, and what follows the last */
static void unassigned_bytes_pass_through(void **state)
{
	static const u16 gaps[] = { 0xf2, 0xfc, 0x104, 0x12c, 0x200, 0x804, 0xffc };
	struct bench *b = opened();

	for (unsigned int i = 0; i < ARRAY_SIZE(gaps); i++) {
		unsigned int len = vfio_cfg_chunk(&b->cfg, gaps[i], 4);

		bench_forget(b);
		bench_write(b, gaps[i], len, 0xa1b2c3d4 >> (32 - 8 * len));
		assert_row(i, bench_get(b, gaps[i], len) == 0xa1b2c3d4 >> (32 - 8 * len));
		assert_row(i, bench_read(b, gaps[i], len) == bench_get(b, gaps[i], len));
		assert_row(i, b->count[BENCH_WRITE] == 1 && b->count[BENCH_READ] == 1);
	}
}

/* A register that is all the user's, or all virtual, needs no reading first */
static void accesses_are_not_wasted(void **state)
{
	struct bench *b = opened();

	bench_write(b, 0x804, 4, 1);
	assert_int_equal(b->accesses, 1);
	bench_write(b, PCI_CACHE_LINE_SIZE, 1, 8);
	assert_int_equal(b->accesses, 2);
	bench_forget(b);
	bench_read(b, PCI_VENDOR_ID, 4);
	bench_read(b, PCI_BASE_ADDRESS_0, 4);
	bench_write(b, PCI_BASE_ADDRESS_0, 4, 0x1000);
	bench_write(b, PCI_CLASS_REVISION, 4, ~0U);
	bench_read(b, PCI_INTERRUPT_LINE, 2);
	assert_int_equal(b->accesses, 0);
	bench_read(b, PCI_CLASS_REVISION, 4);
	assert_int_equal(b->accesses, 1);
}

static void virtualized_registers_leave_the_hardware(void **state)
{
	struct bench *b = opened();

	bench_set(b, 0xfc, 4, 0x7f001234);
	assert_int_equal(vfio_cfg_virtualize(&b->cfg, 0xfc, 4), 0);
	assert_int_equal(bench_read(b, 0xfc, 4), 0x7f001234);
	bench_forget(b);
	bench_write(b, 0xfc, 4, 0xdeadbeef);
	assert_int_equal(bench_read(b, 0xfc, 4), 0xdeadbeef);
	bench_write(b, 0xfe, 1, 0x11);
	assert_int_equal(bench_read(b, 0xfc, 4), 0xde11beef);
	assert_int_equal(bench_get(b, 0xfc, 4), 0x7f001234);
	assert_int_equal(b->accesses, 0);
	assert_null(view_windows(&b->cfg));
}

static void virtualize_stays_inside(void **state)
{
	static const unsigned int bad[][2] = {
		{ 4096, 4 }, { 4092, 8 }, { 0xfffffffc, 8 }, { 0xfd, 4 },
		{ 0xfc, 0 }, { 0xfc, 3 }, { 0xfc, 0xfffffffc },
	};
	struct bench *b = opened();

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
		assert_row(i, vfio_cfg_virtualize(&b->cfg, bad[i][0], bad[i][1]) < 0);
	assert_null(view_windows(&b->cfg));
	for (unsigned int i = 0; i < 2 * VFIO_CFG_MAX_WINDOWS; i++)
		vfio_cfg_virtualize(&b->cfg, 0x800 + 4 * i, 4);
	assert_null(view_windows(&b->cfg));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outside_is_efault),
		cmocka_unit_test(a_256_byte_function_ends_at_256),
		cmocka_unit_test(nothing_is_done_for_nothing),
		cmocka_unit_test(odd_accesses_are_done_in_part),
		cmocka_unit_test(impossible_sizes_are_refused),
		cmocka_unit_test(chunks_cover_everything),
		cmocka_unit_test(all_widths_write_alike),
		cmocka_unit_test(unassigned_bytes_pass_through),
		cmocka_unit_test(accesses_are_not_wasted),
		cmocka_unit_test(virtualized_registers_leave_the_hardware),
		cmocka_unit_test(virtualize_stays_inside),
	};

	return unit_run("access", tests, ARRAY_SIZE(tests));
}
