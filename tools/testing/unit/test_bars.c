// SPDX-License-Identifier: GPL-2.0-only
/*
 * BARs and the ROM as the user sizes and sets them, without ever touching the
 * hardware's.
 */
#include "unit.h"

#define ROM	VFIO_CFG_ROM
#define M64	PCI_BASE_ADDRESS_MEM_TYPE_64
#define PF	PCI_BASE_ADDRESS_MEM_PREFETCH
#define IO	PCI_BASE_ADDRESS_SPACE_IO

struct sizing {
	unsigned int	bar;
	u64		size;
	u32		type;
	u32		low, high;	/* read after all ones; high if 64 bit */
};

static const struct sizing rows[] = {
	{ 0, 0x10,		0,	  0xfffffff0 },
	{ 0, 0x80,		0,	  0xffffff80 },
	{ 1, 0x1000,		0,	  0xfffff000 },
	{ 5, 0x20000,		PF,	  0xfffe0008 },
	{ 2, 1ULL << 31,	0,	  0x80000000 },
	{ 0, 4,			IO,	  0xfffffffd },
	{ 3, 0x20,		IO,	  0xffffffe1 },
	{ 4, 0x100,		IO,	  0xffffff01 },
	{ 0, 0x1000,		M64,	  0xfffff004, 0xffffffff },
	{ 2, 0x4000,		M64 | PF, 0xffffc00c, 0xffffffff },
	{ 4, 1ULL << 31,	M64 | PF, 0x8000000c, 0xffffffff },
	{ 0, 1ULL << 32,	M64 | PF, 0x0000000c, 0xffffffff },
	{ 2, 1ULL << 33,	M64 | PF, 0x0000000c, 0xfffffffe },
	{ 4, 1ULL << 38,	M64,	  0x00000004, 0xffffffc0 },
	{ ROM, 0x800,		0,	  0xfffff801 },
	{ ROM, 0x20000,		0,	  0xfffe0001 },
	{ ROM, 1 << 24,		0,	  0xff000001 },
};

static unsigned int bar_pos(unsigned int bar)
{
	return bar == ROM ? PCI_ROM_ADDRESS : PCI_BASE_ADDRESS_0 + 4 * bar;
}

static struct bench *opened(const struct sizing *row)
{
	struct bench *b = unit_bench();

	bench_init(b, 256);
	if (row)
		bench_bar(b, row->bar, row->size, row->type);
	assert_int_equal(bench_scan(b), 0);
	bench_forget(b);
	return b;
}

static void write_by(struct bench *b, unsigned int pos, unsigned int len, u32 val)
{
	for (unsigned int i = 0; i < 4; i += len)
		bench_write(b, pos + i, len, (val >> 8 * i) & (~0U >> (32 - 8 * len)));
}

static u32 read_by(struct bench *b, unsigned int pos, unsigned int len)
{
	u32 val = 0;

	for (unsigned int i = 0; i < 4; i += len)
		val |= bench_read(b, pos + i, len) << 8 * i;
	return val;
}

static void sizing_by(unsigned int len)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct sizing *row = &rows[i];
		struct bench *b = opened(row);
		unsigned int pos = bar_pos(row->bar);

		write_by(b, pos, len, ~0U);
		assert_row(i, read_by(b, pos, len) == row->low);
		if (row->type & M64) {
			write_by(b, pos + 4, len, ~0U);
			assert_row(i, read_by(b, pos + 4, len) == row->high);
			assert_row(i, read_by(b, pos, len) == row->low);
		}
		assert_row(i, !b->accesses);
	}
}

static void sizing_by_dwords(void **state)
{
	sizing_by(4);
}

static void sizing_by_words(void **state)
{
	sizing_by(2);
}

static void sizing_by_bytes(void **state)
{
	sizing_by(1);
}

static void type_bits_cannot_be_written(void **state)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *b = opened(&rows[i]);
		u32 fixed = rows[i].bar == ROM ? 0x7fe : 0xf;
		u32 val;

		if (rows[i].type & IO)
			fixed = 3;
		val = bench_read(b, bar_pos(rows[i].bar), 4);
		assert_row(i, (val & fixed) == rows[i].type);
		bench_write(b, bar_pos(rows[i].bar), 4, 0);
		assert_row(i, bench_read(b, bar_pos(rows[i].bar), 4) == rows[i].type);
	}
}

static void an_address_reads_back_aligned(void **state)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *b = opened(&rows[i]);
		unsigned int pos = bar_pos(rows[i].bar);
		u32 mask = rows[i].low & (rows[i].bar == ROM ? ~0U : ~rows[i].type);

		bench_write(b, pos, 4, 0xa5b6c7d9);
		assert_row(i, bench_read(b, pos, 4) ==
			      ((0xa5b6c7d9 & mask) | rows[i].type));
		if (!(rows[i].type & M64))
			continue;
		bench_write(b, pos + 4, 4, 0x12345678);
		assert_row(i, bench_read(b, pos + 4, 4) ==
			      (0x12345678 & rows[i].high));
	}
}

static void an_absent_bar_reads_zero(void **state)
{
	struct bench *b = opened(NULL);

	for (unsigned int bar = 0; bar < VFIO_CFG_NUM_BARS; bar++) {
		assert_row(bar, !bench_read(b, bar_pos(bar), 4));
		bench_write(b, bar_pos(bar), 4, ~0U);
		assert_row(bar, !bench_read(b, bar_pos(bar), 4));
		bench_write(b, bar_pos(bar) + 2, 1, 0x12);
		assert_row(bar, !bench_read(b, bar_pos(bar), 4));
	}
	assert_int_equal(b->count[BENCH_WRITE], 0);
}

/* What the hardware would show through, were it asked */
static void absent_even_if_the_hardware_says_otherwise(void **state)
{
	struct bench *b = unit_bench();

	bench_init(b, 256);
	for (unsigned int bar = 0; bar < VFIO_CFG_NUM_BARS; bar++)
		bench_set(b, bar_pos(bar), 4, 0xdeadbeef);
	assert_int_equal(bench_scan(b), 0);
	for (unsigned int bar = 0; bar < VFIO_CFG_NUM_BARS; bar++)
		assert_row(bar, !bench_read(b, bar_pos(bar), 4));
}

static void the_rom_can_be_switched(void **state)
{
	static const struct sizing rom = { ROM, 0x10000, 0, 0xffff0001 };
	struct bench *b = opened(&rom);

	bench_write(b, PCI_ROM_ADDRESS, 4, PCI_ROM_ADDRESS_MASK);
	assert_int_equal(bench_read(b, PCI_ROM_ADDRESS, 4), 0xffff0000);
	bench_write(b, PCI_ROM_ADDRESS, 4, 0xfe000001);
	assert_int_equal(bench_read(b, PCI_ROM_ADDRESS, 4), 0xfe000001);
	bench_write(b, PCI_ROM_ADDRESS, 1, 0);
	assert_int_equal(bench_read(b, PCI_ROM_ADDRESS, 4), 0xfe000000);
	assert_int_equal(b->accesses, 0);
}

/* Restoring needs what the hardware had, not what the user wrote */
static void the_real_values_are_kept(void **state)
{
	struct bench *b = unit_bench();

	bench_init(b, 256);
	bench_bar(b, 0, 0x1000, 0);
	bench_bar(b, ROM, 0x1000, 0);
	bench_set(b, PCI_BASE_ADDRESS_0, 4, 0xfebf0000);
	bench_set(b, PCI_ROM_ADDRESS, 4, 0xfebe0000);
	assert_int_equal(bench_scan(b), 0);
	bench_write(b, PCI_BASE_ADDRESS_0, 4, 0x11110000);
	bench_write(b, PCI_ROM_ADDRESS, 4, 0x22220000);
	assert_int_equal(b->cfg.rbar[0], 0xfebf0000);
	assert_int_equal(b->cfg.rbar[ROM], 0xfebe0000);
	assert_int_equal(bench_get(b, PCI_BASE_ADDRESS_0, 4), 0xfebf0000);
}

/* Those of a VF are in its PF, and what is in its own registers is noise */
static void a_vf_has_no_bars_of_its_own(void **state)
{
	struct bench *b = unit_bench();

	bench_init(b, 256);
	b->cfg.facts.is_vf = true;
	b->cfg.facts.mem_always_on = true;
	bench_bar(b, 0, 0x4000, M64 | PF);
	bench_set(b, PCI_BASE_ADDRESS_0, 4, 0xfee1dead);
	assert_int_equal(bench_scan(b), 0);
	assert_int_equal(bench_index(b, BENCH_READ, PCI_BASE_ADDRESS_0), -1);
	assert_int_equal(bench_read(b, PCI_BASE_ADDRESS_0, 4), M64 | PF);
	bench_write(b, PCI_BASE_ADDRESS_0, 4, ~0U);
	assert_int_equal(bench_read(b, PCI_BASE_ADDRESS_0, 4), 0xffffc00c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizing_by_dwords),
		cmocka_unit_test(sizing_by_words),
		cmocka_unit_test(sizing_by_bytes),
		cmocka_unit_test(type_bits_cannot_be_written),
		cmocka_unit_test(an_address_reads_back_aligned),
		cmocka_unit_test(an_absent_bar_reads_zero),
		cmocka_unit_test(absent_even_if_the_hardware_says_otherwise),
		cmocka_unit_test(the_rom_can_be_switched),
		cmocka_unit_test(the_real_values_are_kept),
		cmocka_unit_test(a_vf_has_no_bars_of_its_own),
	};

	return unit_run("bars", tests, ARRAY_SIZE(tests));
}
