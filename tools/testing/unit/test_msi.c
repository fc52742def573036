// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSI: address and data are only remembered, enable and the number of messages
 * follow what SET_IRQS did, the rest of the flags is the device's.
 */
#include "unit.h"

#define MSI	0x50
#define FLAGS	(MSI + PCI_MSI_FLAGS)
#define ENABLE	PCI_MSI_FLAGS_ENABLE
#define MMC_32	0x0a

static const u16 layouts[] = { 0, 0x80, 0x100, 0x180 };

static struct bench *opened(u16 layout)
{
	struct bench *b = unit_bench();

	bench_init(b, 256);
	bench_add_std(b, MSI, PCI_CAP_ID_MSI);
	bench_set(b, FLAGS, 2, layout | MMC_32);
	bench_add_std(b, 0x80, PCI_CAP_ID_PM);
	assert_int_equal(bench_scan(b), 0);
	bench_all_writable(b);
	bench_forget(b);
	return b;
}

static u16 qsize(unsigned int log2)
{
	return log2 << 4;
}

static void enable_needs_msi_to_be_active(void **state)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(layouts); i++) {
		struct bench *b = opened(layouts[i]);

		bench_write(b, FLAGS, 2, ENABLE);
		assert_row(i, !(bench_read(b, FLAGS, 2) & ENABLE));
		assert_row(i, !(b->hw[FLAGS] & ENABLE));
		b->msi_active = true;
		bench_write(b, FLAGS, 2, ENABLE);
		assert_row(i, bench_read(b, FLAGS, 2) & ENABLE);
		assert_row(i, b->hw[FLAGS] & ENABLE);
		bench_write(b, FLAGS, 2, 0);
		assert_row(i, !(bench_read(b, FLAGS, 2) & ENABLE));
		assert_row(i, !(b->hw[FLAGS] & ENABLE));
		assert_row(i, !b->msi_held);
	}
}

/* As many messages as there are eventfds behind them, and no more */
static void messages_are_clamped(void **state)
{
	for (unsigned int qmax = 0; qmax <= 5; qmax++) {
		for (unsigned int want = 0; want <= 7; want++) {
			struct bench *b = opened(0x80);
			unsigned int have = want < qmax ? want : qmax;

			b->msi_active = qmax;
			b->msi_qmax = qmax;
			bench_write(b, FLAGS, 2, qsize(want));
			assert_row(want, (bench_read(b, FLAGS, 1) &
					  PCI_MSI_FLAGS_QSIZE) == qsize(have));
			assert_row(want, (b->hw[FLAGS] & PCI_MSI_FLAGS_QSIZE) ==
					 qsize(have));
		}
	}
}

/* The capability's id and link are not where the flags are */
static void bug_6A8_id_and_link_stay(void **state)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(layouts); i++) {
		struct bench *b = opened(layouts[i]);

		b->msi_active = true;
		b->msi_qmax = 3;
		for (unsigned int pos = MSI; pos < MSI + 0x18; pos++)
			bench_read(b, pos, 1);
		bench_write(b, FLAGS, 2, ENABLE | qsize(3));
		bench_write(b, MSI, 4, 0xffffffff);
		assert_row(i, bench_read(b, MSI, 2) == (PCI_CAP_ID_MSI | 0x8000));
		assert_row(i, bench_read(b, MSI, 1) == PCI_CAP_ID_MSI);
		assert_row(i, bench_get(b, MSI, 2) == (PCI_CAP_ID_MSI | 0x8000));
	}
}

static void bug_6A8_capable_bits_are_not_the_users(void **state)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(layouts); i++) {
		struct bench *b = opened(layouts[i]);
		u16 fixed = layouts[i] | MMC_32;

		b->msi_active = true;
		b->msi_qmax = 5;
		bench_write(b, FLAGS, 2, 0xffff & ~PCI_MSI_FLAGS_QMASK);
		assert_row(i, (bench_read(b, FLAGS, 2) & 0xff8e) == fixed);
		bench_write(b, FLAGS, 2, 0);
		assert_row(i, bench_read(b, FLAGS, 2) == fixed);
		assert_row(i, bench_get(b, FLAGS, 2) == fixed);
		bench_write(b, FLAGS, 1, 0xff);
		assert_row(i, (bench_read(b, FLAGS, 2) & 0xff8e) == fixed);
		bench_write(b, FLAGS + 1, 1, 0xff);
		assert_row(i, (bench_read(b, FLAGS, 2) & 0xff8e) == fixed);
		assert_row(i, (bench_get(b, FLAGS, 2) & 0xff8e) == fixed);
	}
}

/* Bytes next to the flags: written together with them, or on their own */
static void bug_6A8_only_the_flags_are_patched(void **state)
{
	struct bench *b = opened(0x80);
	u8 before[256];

	b->msi_active = true;
	b->msi_qmax = 2;
	memcpy(before, b->hw, sizeof(before));
	bench_write(b, FLAGS, 2, ENABLE | qsize(5));
	for (unsigned int pos = 0; pos < 256; pos++)
		assert_row(pos, pos == FLAGS || b->hw[pos] == before[pos]);
	bench_write(b, MSI + PCI_MSI_ADDRESS_LO, 4, 0xfee00000);
	bench_write(b, MSI + PCI_MSI_ADDRESS_HI, 4, 0x12345678);
	bench_write(b, MSI + PCI_MSI_DATA_64, 2, 0x4041);
	assert_int_equal(bench_read(b, MSI + PCI_MSI_ADDRESS_LO, 4), 0xfee00000);
	assert_int_equal(bench_read(b, MSI + PCI_MSI_ADDRESS_HI, 4), 0x12345678);
	assert_int_equal(bench_read(b, MSI + PCI_MSI_DATA_64, 2), 0x4041);
	for (unsigned int pos = 0; pos < 256; pos++)
		assert_row(pos, pos == FLAGS || b->hw[pos] == before[pos]);
	assert_int_equal(bench_read(b, FLAGS, 1), ENABLE | qsize(2) | 0x80 | MMC_32);
}

static void flags_by_any_width(void **state)
{
	static const struct {
		unsigned int pos, len, shift;
	} rows[] = {
		{ FLAGS, 1, 0 },
		{ FLAGS, 2, 0 },
		{ MSI, 4, 16 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *b = opened(0x180);

		b->msi_active = true;
		b->msi_qmax = 1;
		bench_write(b, rows[i].pos, rows[i].len,
			    (u32)(ENABLE | qsize(4)) << rows[i].shift);
		assert_row(i, bench_read(b, FLAGS, 2) ==
			      (0x180 | MMC_32 | ENABLE | qsize(1)));
		assert_row(i, bench_get(b, FLAGS, 2) ==
			      (0x180 | MMC_32 | ENABLE | qsize(1)));
	}
}

/* Other bytes of the capability start nothing */
static void addresses_do_not_write_the_flags(void **state)
{
	struct bench *b = opened(0x180);

	b->msi_active = true;
	bench_write(b, MSI + PCI_MSI_ADDRESS_LO, 4, 0xfee00000);
	bench_write(b, MSI + PCI_MSI_DATA_64, 2, 0x4041);
	bench_write(b, FLAGS + 1, 1, 0xff);
	assert_int_equal(b->count[BENCH_WRITE], 0);
	bench_write(b, MSI + PCI_MSI_MASK_64, 4, 0x55);
	assert_int_equal(b->count[BENCH_WRITE], 1);
	assert_int_equal(bench_get(b, MSI + PCI_MSI_MASK_64, 4), 0x55);
}

static void a_failing_write_releases(void **state)
{
	struct bench *b = opened(0x80);

	b->msi_active = true;
	b->fail_at = 1;
	b->fail_on = true;
	assert_true(vfio_cfg_write(&b->cfg, FLAGS, 2, ENABLE) < 0);
	assert_false(b->msi_held);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(enable_needs_msi_to_be_active),
		cmocka_unit_test(messages_are_clamped),
		cmocka_unit_test(bug_6A8_id_and_link_stay),
		cmocka_unit_test(bug_6A8_capable_bits_are_not_the_users),
		cmocka_unit_test(bug_6A8_only_the_flags_are_patched),
		cmocka_unit_test(flags_by_any_width),
		cmocka_unit_test(addresses_do_not_write_the_flags),
		cmocka_unit_test(a_failing_write_releases),
	};

	return unit_run("msi", tests, ARRAY_SIZE(tests));
}
