// SPDX-License-Identifier: GPL-2.0-only
/*
 * Config dumps of real (that is, QEMU's) functions: the capabilities that a
 * user finds, the sizes of the BARs, and everything else as the hardware has it.
 */
#include "unit.h"
#include "fixture.h"
#include "view.h"

struct fixture {
	const char	*name;
	u16		std[6];		/* ids the user sees, in order */
	u16		ext[6];
	u16		vendor, device;	/* of a VF, whose registers say ffff */
};

static const struct fixture rows[] = {
	{ "ahci",	 { 0x05, 0x12 } },
	{ "e1000e",	 { 0x01, 0x05, 0x10, 0x11 }, { 0x01, 0x03 } },
	{ "edu",	 { 0x05 } },
	{ "hda",	 { 0x05 } },
	{ "igb-pf",	 { 0x01, 0x05, 0x11, 0x10 }, { 0x01, 0x0e, 0x10 } },
	{ "igb-vf",	 { 0x10, 0x11 }, { 0x01, 0x0e }, 0x8086, 0x10ca },
	{ "ivshmem",	 {} },
	{ "nvme",	 { 0x11, 0x10, 0x01 } },
	{ "pci-testdev", {} },
	{ "root-port",	 { 0x10, 0x11 }, { 0x01, 0x0d } },
	{ "vga",	 {} },
	{ "xhci",	 { 0x11, 0x10 } },
};

static const char *dir = "fixtures";

static struct bench *load(const struct fixture *row)
{
	struct bench *b = unit_bench();
	char path[256];

	snprintf(path, sizeof(path), "%s/%s.txt", dir, row->name);
	if (fixture_load(b, path))
		fail_msg("%s cannot be read", path);
	if (row->vendor) {
		b->cfg.facts.is_vf = true;
		b->cfg.facts.mem_always_on = true;
		b->cfg.facts.no_pin = true;
		b->cfg.facts.vendor = row->vendor;
		b->cfg.facts.device = row->device;
	}
	assert_int_equal(bench_scan(b), 0);
	return b;
}

static void expect(const u16 *want, const struct bench_cap *have, int nr)
{
	assert_true(nr >= 0);
	for (int i = 0; i < nr; i++)
		assert_int_equal(have[i].id, want[i]);
	assert_int_equal(want[nr], 0);
}

static void fixture_chain(void **state)
{
	const struct fixture *row = *state;
	struct bench_cap caps[BENCH_MAX_CAPS];
	struct bench *b = load(row);
	const char *wrong = view_check(b);
	int nr;

	if (wrong)
		fail_msg("%s", wrong);
	nr = bench_std_chain(b, caps);
	expect(row->std, caps, nr);
	if (b->cfg.facts.size == 256)
		return;
	nr = bench_ext_chain(b, caps);
	expect(row->ext, caps, nr);
}

static unsigned int bar_pos(unsigned int bar)
{
	return bar == VFIO_CFG_ROM ? PCI_ROM_ADDRESS : PCI_BASE_ADDRESS_0 + 4 * bar;
}

/* The two halves of a 64-bit BAR are one number; an absent BAR is zero */
static void fixture_bars(void **state)
{
	struct bench *b = load(*state);
	u64 size[VFIO_CFG_NUM_BARS] = {};

	bench_forget(b);
	for (unsigned int bar = 0; bar < VFIO_CFG_NUM_BARS; bar++)
		bench_write(b, bar_pos(bar), 4, ~0U);
	for (unsigned int bar = 0; bar < VFIO_CFG_NUM_BARS; bar++) {
		u32 low = bench_read(b, bar_pos(bar), 4);
		u64 mask = 0xffffffff00000000ULL | low;
		unsigned int at = bar;

		if (!low)
			continue;
		if (bar == VFIO_CFG_ROM)
			mask &= ~(u64)PCI_ROM_ADDRESS_ENABLE;
		else if (low & PCI_BASE_ADDRESS_SPACE_IO)
			mask &= ~3ULL;
		else
			mask &= ~0xfULL;
		if (bar < VFIO_CFG_ROM && (low & 7) == PCI_BASE_ADDRESS_MEM_TYPE_64)
			mask &= 0xffffffffULL | (u64)bench_read(b, bar_pos(++bar), 4) << 32;
		size[at] = ~mask + 1;
	}
	for (unsigned int bar = 0; bar < VFIO_CFG_NUM_BARS; bar++)
		assert_row(bar, size[bar] == b->cfg.facts.bar[bar].size);
	assert_int_equal(b->count[BENCH_WRITE], 0);
}

/* Bits of @pos that are the device's own and that the user must see unchanged */
static void see_through(const struct bench *b, u8 *mask)
{
	unsigned int pos;

	memset(mask, 0xff, VFIO_CFG_SIZE);
	for (unsigned int bar = 0; bar < VFIO_CFG_NUM_BARS; bar++)
		memset(mask + bar_pos(bar), 0, 4);
	mask[PCI_CAPABILITY_LIST] = 0;
	for (pos = b->hw[PCI_CAPABILITY_LIST]; pos; pos = b->hw[pos + 1]) {
		mask[pos + PCI_CAP_LIST_NEXT] = 0;
		if (b->hw[pos] != PCI_CAP_ID_PM)
			continue;
		mask[pos + PCI_PM_PMC + 1] = (u8)~(PCI_PM_CAP_PME_MASK >> 8);
		mask[pos + PCI_PM_CTRL + 1] = 0x7e;
	}
	pos = b->cfg.facts.size > 256 ? 0x100 : 0;
	for (; pos; pos = bench_get(b, pos, 4) >> 20)
		memset(mask + pos, 0, 4);
	if (b->cfg.facts.is_vf) {
		memset(mask, 0, 4);
		mask[PCI_COMMAND] = (u8)~PCI_COMMAND_MEMORY;
	}
}

static void fixture_shows_the_rest(void **state)
{
	static u8 mask[VFIO_CFG_SIZE];
	struct bench *b = load(*state);

	see_through(b, mask);
	for (unsigned int pos = 0; pos < b->cfg.facts.size; pos++)
		assert_row(pos, !((bench_read(b, pos, 1) ^ b->hw[pos]) & mask[pos]));
}

static void fixture_ids(void **state)
{
	struct bench *b = load(*state);

	assert_int_equal(bench_read(b, PCI_VENDOR_ID, 2), b->cfg.facts.vendor);
	assert_int_equal(bench_read(b, PCI_DEVICE_ID, 2), b->cfg.facts.device);
	assert_int_not_equal(bench_read(b, PCI_VENDOR_ID, 4), ~0U);
}

static const struct {
	const char		*what;
	CMUnitTestFunction	func;
} kinds[] = {
	{ "capabilities", fixture_chain },
	{ "bars", fixture_bars },
	{ "rest", fixture_shows_the_rest },
	{ "ids", fixture_ids },
};

int main(int argc, char **argv)
{
	static struct CMUnitTest tests[ARRAY_SIZE(rows) * ARRAY_SIZE(kinds)];
	static char names[ARRAY_SIZE(tests)][64];
	size_t nr = 0;

	if (argc > 1)
		dir = argv[1];
	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		for (unsigned int k = 0; k < ARRAY_SIZE(kinds); k++, nr++) {
			snprintf(names[nr], sizeof(names[nr]), "fixture_%s_%s",
				 rows[i].name, kinds[k].what);
			tests[nr].name = names[nr];
			tests[nr].test_func = kinds[k].func;
			tests[nr].initial_state = (void *)&rows[i];
		}
	}
	return unit_run("fixtures", tests, nr);
}
