// SPDX-License-Identifier: GPL-2.0-only
/*
 * Whole families of devices: every capability id near the end of config space,
 * more capabilities than there are windows, and hardware that fails at each
 * access in turn.
 */
#include "unit.h"
#include "rich.h"
#include "view.h"

static const u8 fills[] = { 0x00, 0xff, 0x55, 0xaa, 0x3c, 0xc3 };

static void check_scan(struct bench *b, const char *what, unsigned int id,
		       unsigned int pos, u8 fill)
{
	unsigned int size = b->cfg.facts.size;
	unsigned int end = pos + 0x80 < size ? pos + 0x80 : size;
	const char *wrong;

	if (bench_scan(b))
		fail_msg("%s %02x at %03x of %02x: scan failed", what, id, pos, fill);
	wrong = view_range(b, pos & ~0x3fU, end);
	if (wrong)
		fail_msg("%s %02x at %03x of %02x: %s", what, id, pos, fill, wrong);
}

static void sweep_std(unsigned int size)
{
	struct bench *b = unit_bench();

	for (unsigned int id = 0; id <= 0x20; id++)
		for (unsigned int pos = 0xc8; pos < 0x100; pos += 4)
			for (unsigned int i = 0; i < ARRAY_SIZE(fills); i++) {
				bench_init(b, size);
				memset(b->hw + pos, fills[i], size - pos);
				bench_add_std(b, pos, id);
				check_scan(b, "capability", id, pos, fills[i]);
			}
}

static void bug_6A6_std_length_past_end_stays_inside(void **state)
{
	sweep_std(256);
}

static void bug_6A6_std_length_does_not_reach_extended_space(void **state)
{
	sweep_std(4096);
}

static void bug_6A6_ext_length_past_end_stays_inside(void **state)
{
	struct bench *b = unit_bench();

	for (unsigned int id = 0; id <= 0x32; id++)
		for (unsigned int pos = 0xfc0; pos < 0x1000; pos += 4)
			for (unsigned int i = 0; i < ARRAY_SIZE(fills); i++) {
				bench_init(b, 4096);
				memset(b->hw + pos, fills[i], 4096 - pos);
				bench_add_exp(b, 0x40, 2);
				bench_add_ext(b, 0x100, PCI_EXT_CAP_ID_DSN);
				bench_add_ext(b, pos, id);
				check_scan(b, "extended capability", id, pos, fills[i]);
			}
}

/* What is cut off is still there up to the end: it is not thrown away */
static void length_past_end_keeps_the_capability(void **state)
{
	struct bench_cap caps[BENCH_MAX_CAPS];
	struct bench *b = unit_bench();

	bench_init(b, 4096);
	bench_add_std(b, 0xf0, PCI_CAP_ID_VNDR);
	b->hw[0xf2] = 0x40;
	bench_add_ext(b, 0x100, PCI_EXT_CAP_ID_DSN);
	bench_add_ext(b, 0xff0, PCI_EXT_CAP_ID_VNDR);
	bench_set(b, 0xff4, 4, 0x10000001);
	assert_int_equal(bench_scan(b), 0);
	assert_int_equal(bench_std_chain(b, caps), 1);
	assert_int_equal(caps[0].id, PCI_CAP_ID_VNDR);
	assert_int_equal(bench_ext_chain(b, caps), 2);
	assert_int_equal(caps[1].id, PCI_EXT_CAP_ID_VNDR);
}

static void more_ext_caps_than_windows(void **state)
{
	struct bench_cap caps[BENCH_MAX_CAPS];
	struct bench *b = unit_bench();
	int nr;

	bench_init(b, 4096);
	bench_add_exp(b, 0x40, 2);
	for (unsigned int pos = 0x100; pos < 0x1000; pos += 8)
		bench_add_ext(b, pos, PCI_EXT_CAP_ID_LTR);
	check_scan(b, "many", PCI_EXT_CAP_ID_LTR, 0, 0);
	assert_null(view_check(b));
	nr = bench_ext_chain(b, caps);
	assert_in_range(nr, 1, VFIO_CFG_MAX_WINDOWS);
}

static void more_hidden_ext_caps_than_windows(void **state)
{
	struct bench *b = unit_bench();

	bench_init(b, 4096);
	bench_add_exp(b, 0x40, 2);
	for (unsigned int pos = 0x100; pos < 0x1000; pos += 4)
		bench_add_ext(b, pos, PCI_EXT_CAP_ID_PASID);
	check_scan(b, "many hidden", PCI_EXT_CAP_ID_PASID, 0, 0);
}

static void as_many_std_caps_as_fit(void **state)
{
	struct bench_cap caps[BENCH_MAX_CAPS];
	struct bench *b = unit_bench();

	bench_init(b, 256);
	for (unsigned int pos = 0x40; pos < 0x100; pos += 4) {
		bench_add_std(b, pos, PCI_CAP_ID_VNDR);
		b->hw[pos + 2] = 4;
	}
	check_scan(b, "48", PCI_CAP_ID_VNDR, 0, 0);
	assert_int_equal(bench_std_chain(b, caps), 48);
}

/*
 * Whichever read fails, the scan says so, leaves no lock behind, and the next
 * one finds what it would have found.
 */
static void scan_reports_a_failing_read(void **state)
{
	static struct vfio_cfg good;
	struct bench *b = unit_bench();
	unsigned int reads;

	rich_init(b);
	assert_int_equal(bench_scan(b), 0);
	good = b->cfg;
	reads = b->accesses;
	assert_true(reads > 20);
	for (unsigned int n = 1; n <= reads; n++) {
		rich_init(b);
		b->fail_at = n;
		if (bench_scan(b) >= 0)
			fail_msg("read %u failed and the scan did not", n);
		assert_false(b->locked);
		b->fail_at = 0;
		assert_int_equal(bench_scan(b), 0);
		assert_memory_equal(b->cfg.image, good.image, sizeof(good.image));
		assert_memory_equal(b->cfg.map, good.map, sizeof(good.map));
		assert_int_equal(b->cfg.nr_windows, good.nr_windows);
	}
}

static void scan_writes_no_hardware(void **state)
{
	struct bench *b = unit_bench();

	rich_init(b);
	assert_int_equal(bench_scan(b), 0);
	assert_int_equal(b->count[BENCH_WRITE], 0);
}

/* A device is opened more than once in its life */
static void scan_forgets_the_last_user(void **state)
{
	static struct vfio_cfg first;
	struct bench *b = unit_bench();

	rich_init(b);
	assert_int_equal(bench_scan(b), 0);
	first = b->cfg;
	for (unsigned int pos = 0; pos < 0x40; pos += 4)
		b->cfg.image[pos] ^= 0xff;
	memset(b->cfg.image + 0x40, 0xee, sizeof(b->cfg.image) - 0x40);
	memset(b->cfg.map, 2, sizeof(b->cfg.map));
	memset(b->cfg.rbar, 0xee, sizeof(b->cfg.rbar));
	assert_int_equal(bench_scan(b), 0);
	assert_memory_equal(&b->cfg, &first, sizeof(first));
}

static void an_access_reports_failing_hardware(void **state)
{
	struct bench *b = unit_bench();
	u32 val = 0;

	rich_init(b);
	assert_int_equal(bench_scan(b), 0);
	for (unsigned int pos = 0; pos < 4096; pos += 4) {
		unsigned int len = vfio_cfg_chunk(&b->cfg, pos, 4);
		u32 old = bench_read(b, pos, len);

		bench_forget(b);
		bench_read(b, pos, len);
		if (!b->accesses)
			continue;
		bench_forget(b);
		b->fail_at = 1;
		assert_row(pos, vfio_cfg_read(&b->cfg, pos, len, &val) < 0);
		bench_forget(b);
		b->fail_on = true;
		vfio_cfg_write(&b->cfg, pos, len, old);
		assert_row(pos, !b->locked && !b->msi_held);
		b->fail_at = 0;
		b->fail_on = false;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bug_6A6_std_length_past_end_stays_inside),
		cmocka_unit_test(bug_6A6_std_length_does_not_reach_extended_space),
		cmocka_unit_test(bug_6A6_ext_length_past_end_stays_inside),
		cmocka_unit_test(length_past_end_keeps_the_capability),
		cmocka_unit_test(more_ext_caps_than_windows),
		cmocka_unit_test(more_hidden_ext_caps_than_windows),
		cmocka_unit_test(as_many_std_caps_as_fit),
		cmocka_unit_test(scan_reports_a_failing_read),
		cmocka_unit_test(scan_writes_no_hardware),
		cmocka_unit_test(scan_forgets_the_last_user),
		cmocka_unit_test(an_access_reports_failing_hardware),
	};

	return unit_run("sweep", tests, ARRAY_SIZE(tests));
}
