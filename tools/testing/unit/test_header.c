// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the header shows: ids, the interrupt pin, the list bit; and the lists'
 * hidden members, as far as the other tests do not cover them.
 */
#include "unit.h"
#include "view.h"

static void vf_has_the_ids_it_was_given(void **state)
{
	struct bench *b = unit_bench();

	bench_init(b, 256);
	bench_set(b, PCI_VENDOR_ID, 4, ~0U);
	b->cfg.facts.is_vf = true;
	b->cfg.facts.mem_always_on = true;
	b->cfg.facts.vendor = 0x8086;
	b->cfg.facts.device = 0x10ca;
	assert_int_equal(bench_scan(b), 0);
	assert_int_equal(bench_read(b, PCI_VENDOR_ID, 2), 0x8086);
	assert_int_equal(bench_read(b, PCI_DEVICE_ID, 2), 0x10ca);
	assert_int_equal(bench_read(b, PCI_VENDOR_ID, 4), 0x10ca8086);
	assert_int_equal(bench_read(b, PCI_DEVICE_ID + 1, 1), 0x10);
}

static void check_pin(bool is_vf, bool no_pin, unsigned int want)
{
	struct bench *b = unit_bench();

	bench_init(b, 256);
	b->cfg.facts.is_vf = is_vf;
	b->cfg.facts.mem_always_on = is_vf;
	b->cfg.facts.no_pin = no_pin;
	bench_set(b, PCI_INTERRUPT_LINE, 4, 0x0a0b020c);
	assert_int_equal(bench_scan(b), 0);
	assert_int_equal(bench_read(b, PCI_INTERRUPT_PIN, 1), want);
	assert_int_equal(bench_read(b, PCI_INTERRUPT_LINE, 2), want << 8 | 0x0c);
	assert_int_equal(bench_read(b, PCI_INTERRUPT_LINE, 4),
			 0x0a0b000c | want << 8);
	bench_write(b, PCI_INTERRUPT_PIN, 1, 4);
	assert_int_equal(bench_read(b, PCI_INTERRUPT_PIN, 1), want);
}

static void pin_is_shown_or_hidden(void **state)
{
	check_pin(false, false, 2);
	check_pin(false, true, 0);
	check_pin(true, true, 0);
	check_pin(true, false, 0);
}

static void line_is_the_users_own(void **state)
{
	struct bench *b = unit_bench();

	bench_init(b, 256);
	bench_set(b, PCI_INTERRUPT_LINE, 1, 0x0b);
	assert_int_equal(bench_scan(b), 0);
	assert_int_equal(bench_read(b, PCI_INTERRUPT_LINE, 1), 0x0b);
	bench_write(b, PCI_INTERRUPT_LINE, 1, 0x17);
	assert_int_equal(bench_read(b, PCI_INTERRUPT_LINE, 1), 0x17);
	assert_int_equal(b->hw[PCI_INTERRUPT_LINE], 0x0b);
	assert_int_equal(b->count[BENCH_WRITE], 0);
}

/* An empty list, whether the device has none or nothing of it is shown */
static void no_capabilities_no_list_bit(void **state)
{
	struct bench *b = unit_bench();

	bench_init(b, 256);
	bench_set(b, PCI_STATUS, 2, 0x0280);
	assert_int_equal(bench_scan(b), 0);
	assert_int_equal(bench_read(b, PCI_STATUS, 2), 0x0280);

	bench_add_std(b, 0x50, PCI_CAP_ID_SSVID);
	assert_int_equal(bench_scan(b), 0);
	assert_int_equal(bench_read(b, PCI_STATUS, 2), 0x0280);
	assert_int_equal(bench_read(b, PCI_CAPABILITY_LIST, 1), 0);
}

static const u8 hidden_std[] = {
	0x00, 0x04, 0x06, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x14, 0x15, 0x16,
	0x40, 0x7f, 0x80, 0xfe, 0xff,
};

/* In the middle of a list, and their bytes belong to nobody */
static void hidden_std_caps_are_unlinked(void **state)
{
	struct bench_cap caps[BENCH_MAX_CAPS];
	struct bench *b = unit_bench();

	for (unsigned int i = 0; i < ARRAY_SIZE(hidden_std); i++) {
		bench_init(b, 256);
		bench_add_std(b, 0x40, PCI_CAP_ID_PM);
		bench_add_std(b, 0x50, hidden_std[i]);
		bench_add_std(b, 0x60, PCI_CAP_ID_MSIX);
		assert_row(i, !vfio_cfg_std_cap(hidden_std[i]));
		assert_int_equal(bench_scan(b), 0);
		assert_row(i, bench_std_chain(b, caps) == 2);
		assert_row(i, caps[0].pos == 0x40 && caps[1].pos == 0x60);
		bench_all_writable(b);
		bench_write(b, 0x54, 4, 0x12345678);
		assert_row(i, bench_get(b, 0x54, 4) == 0x12345678);
	}
}

static const u16 hidden_ext[] = {
	0x05, 0x06, 0x07, 0x0a, 0x0c, 0x11, 0x14, 0x19, 0x1a, 0x1b, 0x1c, 0x1d,
	0x1e, 0x1f, 0x20, 0x21, 0x22, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a,
	0x2b, 0x2c, 0x2d, 0x2e, 0x2f, 0x30, 0x31, 0x32, 0x101, 0x110, 0x8003,
	0xfffe,
};

static void hidden_ext_caps_are_unlinked(void **state)
{
	struct bench_cap caps[BENCH_MAX_CAPS];
	struct bench *b = unit_bench();

	for (unsigned int i = 0; i < ARRAY_SIZE(hidden_ext); i++) {
		bench_init(b, 4096);
		bench_add_exp(b, 0x40, 2);
		bench_add_ext(b, 0x100, PCI_EXT_CAP_ID_DSN);
		bench_add_ext(b, 0x140, hidden_ext[i]);
		bench_add_ext(b, 0x180, PCI_EXT_CAP_ID_ARI);
		assert_row(i, !vfio_cfg_ext_cap(hidden_ext[i]));
		assert_int_equal(bench_scan(b), 0);
		assert_row(i, bench_ext_chain(b, caps) == 2);
		assert_row(i, caps[0].pos == 0x100 && caps[1].pos == 0x180);
	}
}

/* 0x100 cannot be skipped: what stands there shows neither id nor version */
static void cve_2024_53214_first_ext_cap_hidden(void **state)
{
	struct bench_cap caps[BENCH_MAX_CAPS];
	struct bench *b = unit_bench();

	for (unsigned int i = 0; i < ARRAY_SIZE(hidden_ext); i++) {
		bench_init(b, 4096);
		bench_add_exp(b, 0x40, 2);
		bench_add_ext(b, 0x100, hidden_ext[i]);
		bench_add_ext(b, 0x180, PCI_EXT_CAP_ID_DSN);
		assert_int_equal(bench_scan(b), 0);
		bench_all_writable(b);
		assert_row(i, bench_read(b, 0x100, 4) == 0x180 << 20);
		assert_row(i, bench_read(b, 0x100, 2) == 0);
		assert_row(i, bench_read(b, 0x102, 2) == 0x1800);
		assert_row(i, bench_read(b, 0x100, 1) == 0);
		bench_write(b, 0x100, 4, ~0U);
		bench_write(b, 0x100, 1, 0x03);
		assert_row(i, bench_read(b, 0x100, 4) == 0x180 << 20);
		assert_row(i, bench_get(b, 0x100, 2) == hidden_ext[i]);
		assert_row(i, bench_ext_chain(b, caps) == 1);
		assert_row(i, caps[0].pos == 0x180);
	}
}

static void cve_2024_53214_nothing_but_a_hidden_ext_cap(void **state)
{
	struct bench_cap caps[BENCH_MAX_CAPS];
	struct bench *b = unit_bench();

	bench_init(b, 4096);
	bench_add_exp(b, 0x40, 2);
	bench_add_ext(b, 0x100, PCI_EXT_CAP_ID_PASID);
	assert_int_equal(bench_scan(b), 0);
	assert_int_equal(bench_read(b, 0x100, 4), 0);
	assert_int_equal(bench_ext_chain(b, caps), 0);
}

/* 0x0101 & 0xff is AER, whose masks would then be applied to the unknown */
static void bug_6A7_hidden_first_ext_cap_is_no_alias(void **state)
{
	struct bench *b = unit_bench();
	const struct vfio_cfg_window *win;

	bench_init(b, 4096);
	bench_add_exp(b, 0x40, 2);
	bench_add_ext(b, 0x100, 0x0101);
	bench_add_ext(b, 0x180, PCI_EXT_CAP_ID_DSN);
	assert_int_equal(bench_scan(b), 0);
	for (unsigned int pos = 0x100; pos < 0x130; pos += 4) {
		win = &b->cfg.windows[b->cfg.map[pos / 4]];
		assert_row(pos, win->cap != vfio_cfg_ext_cap(PCI_EXT_CAP_ID_ERR));
	}
}

/* The second of two neighbours is as long as it says, counted from its start */
static void bug_6A7_abutting_caps_of_one_id_stay_apart(void **state)
{
	struct bench *b = unit_bench();

	bench_init(b, 4096);
	bench_add_std(b, 0x40, PCI_CAP_ID_VNDR);
	bench_add_std(b, 0x48, PCI_CAP_ID_VNDR);
	bench_set(b, 0x42, 1, 8);
	bench_set(b, 0x4a, 1, 8);
	bench_add_exp(b, 0x80, 2);
	bench_add_ext(b, 0x100, PCI_EXT_CAP_ID_ERR);
	bench_add_ext(b, 0x12c, PCI_EXT_CAP_ID_ERR);
	assert_int_equal(bench_scan(b), 0);
	bench_all_writable(b);

	bench_write(b, 0x48, 2, 0xffff);
	assert_int_equal(bench_read(b, 0x48, 2), 0x8009);
	assert_int_equal(bench_get(b, 0x48, 2), 0x8009);
	bench_write(b, 0x4c, 4, 0x12345678);
	assert_int_equal(bench_get(b, 0x4c, 4), 0x12345678);

	bench_write(b, 0x12c, 4, ~0U);
	assert_int_equal(bench_read(b, 0x12c, 2), PCI_EXT_CAP_ID_ERR);
	bench_write(b, 0x12c + PCI_ERR_UNCOR_MASK, 4, ~0U);
	assert_int_equal(bench_get(b, 0x12c + PCI_ERR_UNCOR_MASK, 4), 0x03fff031);
	bench_write(b, 0x12c + PCI_ERR_HEADER_LOG, 4, ~0U);
	assert_int_equal(bench_get(b, 0x12c + PCI_ERR_HEADER_LOG, 4), 0);
}

/* A length is a claim, a start is a fact: PM is there, whoever reaches over it */
static void bug_6A6_a_length_takes_no_ones_start(void **state)
{
	struct bench_cap caps[BENCH_MAX_CAPS];
	struct bench *b = unit_bench();

	bench_init(b, 256);
	bench_add_std(b, 0x60, PCI_CAP_ID_PM);
	bench_add_std(b, 0x70, PCI_CAP_ID_MSIX);
	bench_add_std(b, 0x40, PCI_CAP_ID_VNDR);
	bench_set(b, 0x42, 1, 0x80);
	assert_int_equal(bench_scan(b), 0);
	bench_all_writable(b);
	assert_int_equal(bench_std_chain(b, caps), 3);
	bench_write(b, 0x60 + PCI_PM_CTRL, 2, 3);
	assert_int_equal(b->count[BENCH_POWER], 1);
	assert_int_equal(bench_get(b, 0x60 + PCI_PM_CTRL, 2), 0);
	bench_write(b, 0x70, 4, ~0U);
	assert_int_equal(bench_get(b, 0x70, 1), PCI_CAP_ID_MSIX);
	bench_write(b, 0x5c, 4, 0x12345678);
	assert_int_equal(bench_get(b, 0x5c, 4), 0x12345678);
}

/* Nothing beyond 256 bytes is asked for: the bench would say so */
static void bug_ext_caps_with_256_byte_config(void **state)
{
	struct bench_cap caps[BENCH_MAX_CAPS];
	struct bench *b = unit_bench();

	bench_init(b, 256);
	bench_add_exp(b, 0xcc, 2);
	memset(b->hw + 0x100, 0xff, sizeof(b->hw) - 0x100);
	assert_int_equal(bench_scan(b), 0);
	assert_null(view_check(b));
	assert_int_equal(bench_std_chain(b, caps), 1);
	for (unsigned int i = 0x100; i < VFIO_CFG_SIZE; i++)
		assert_row(i, !b->cfg.image[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vf_has_the_ids_it_was_given),
		cmocka_unit_test(pin_is_shown_or_hidden),
		cmocka_unit_test(line_is_the_users_own),
		cmocka_unit_test(no_capabilities_no_list_bit),
		cmocka_unit_test(hidden_std_caps_are_unlinked),
		cmocka_unit_test(hidden_ext_caps_are_unlinked),
		cmocka_unit_test(cve_2024_53214_first_ext_cap_hidden),
		cmocka_unit_test(cve_2024_53214_nothing_but_a_hidden_ext_cap),
		cmocka_unit_test(bug_6A7_hidden_first_ext_cap_is_no_alias),
		cmocka_unit_test(bug_6A7_abutting_caps_of_one_id_stay_apart),
		cmocka_unit_test(bug_6A6_a_length_takes_no_ones_start),
		cmocka_unit_test(bug_ext_caps_with_256_byte_config),
	};

	return unit_run("header", tests, ARRAY_SIZE(tests));
}
