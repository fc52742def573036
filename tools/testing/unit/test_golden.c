// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every byte of every capability against the golden tables: by what the engine
 * does, bit for bit, and by what the descriptors say.
 */
#include "unit.h"
#include "golden.h"

#define fail_byte(cap, off, what, have, want) \
	fail_msg("%s byte %x: %s: %02x, golden %02x", (cap)->name, \
		 (unsigned int)(off), what, (unsigned int)(have), \
		 (unsigned int)(want))

/* A bit is virtual if the user does not see the hardware change it */
static u8 find_virtual(struct bench *b, unsigned int pos)
{
	u8 virt = 0;

	for (unsigned int bit = 0; bit < 8; bit++) {
		u8 before = bench_read(b, pos, 1);

		b->hw[pos] ^= 1 << bit;
		if (!((bench_read(b, pos, 1) ^ before) & 1 << bit))
			virt |= 1 << bit;
		b->hw[pos] ^= 1 << bit;
	}
	return virt;
}

struct landing {
	u8	hw;		/* bits that reached the hardware */
	u8	image;		/* bits that did not, but read back as written */
	bool	elsewhere;	/* another byte of the hardware changed */
	bool	touched;	/* the hardware was written at all */
};

/* Flip one bit after the other, as the user, each time from the same state */
static struct landing find_landing(const struct bench *from, unsigned int pos)
{
	static struct bench b;
	struct landing land = {};

	for (unsigned int bit = 0; bit < 8; bit++) {
		u8 hw = from->hw[pos], seen;

		b = *from;
		seen = bench_read(&b, pos, 1);
		bench_forget(&b);
		bench_write(&b, pos, 1, seen ^ 1 << bit);
		land.touched |= b.count[BENCH_WRITE];
		if ((b.hw[pos] ^ hw) & 1 << bit)
			land.hw |= 1 << bit;
		else if ((bench_read(&b, pos, 1) ^ seen) & 1 << bit)
			land.image |= 1 << bit;
		b.hw[pos] = hw;
		land.elsewhere |= memcmp(b.hw, from->hw, sizeof(b.hw));
	}
	return land;
}

static void golden_behaviour(void **state)
{
	const struct golden_cap *cap = *state;
	struct bench *b = unit_bench();
	unsigned int pos = golden_pos(cap);

	golden_bench(b, cap);
	assert_int_equal(bench_scan(b), 0);
	bench_all_writable(b);
	for (unsigned int off = 0; off < cap->len; off++) {
		const struct golden_byte *want = &cap->byte[off];
		u8 virt = find_virtual(b, pos + off);
		struct landing land = find_landing(b, pos + off);
		u8 hw = (want->write & ~want->virt) | want->mirror;
		u8 image = want->write & want->virt & ~want->trap & ~want->mirror;

		if (want->any_virt)
			virt = 0;
		if (virt != want->virt)
			fail_byte(cap, off, "virtual", virt, want->virt);
		if (land.hw != hw)
			fail_byte(cap, off, "reached hardware", land.hw, hw);
		if (land.image != image)
			fail_byte(cap, off, "kept in the image", land.image, image);
		if (land.elsewhere)
			fail_msg("%s byte %x: a neighbour changed", cap->name, off);
		if (land.touched && !hw)
			fail_msg("%s byte %x: hardware written for nothing", cap->name, off);
	}
}

/* MSI has four layouts, told apart by its flags */
static const struct vfio_cfg_cap *msi_descriptor(const struct golden_cap *cap)
{
	unsigned int wide = !!(cap->set[PCI_MSI_FLAGS] & PCI_MSI_FLAGS_64BIT);
	unsigned int mask = cap->set[PCI_MSI_FLAGS + 1] & 1;

	return &vfio_cfg_msi[wide | mask << 1];
}

static const struct vfio_cfg_cap *descriptor(const struct golden_cap *cap)
{
	switch (cap->kind) {
	case GOLDEN_STD:
		if (cap->id == PCI_CAP_ID_MSI)
			return msi_descriptor(cap);
		return vfio_cfg_std_cap(cap->id);
	case GOLDEN_EXT:
		return vfio_cfg_ext_cap(cap->id);
	default:
		return &vfio_cfg_header;
	}
}

static void golden_table(void **state)
{
	const struct golden_cap *cap = *state;
	const struct vfio_cfg_cap *desc = descriptor(cap);

	assert_non_null(desc);
	assert_non_null(desc->name);
	for (unsigned int off = 0; off < cap->len; off++) {
		struct vfio_cfg_masks bits = vfio_cfg_masks_at(desc, off, 1);
		const struct golden_byte *want = &cap->byte[off];

		if (!want->any_virt && bits.virt != want->virt)
			fail_byte(cap, off, "table, virtual", bits.virt, want->virt);
		if (bits.write != want->write)
			fail_byte(cap, off, "table, writable", bits.write, want->write);
	}
}

/* The bytes after the end belong to nobody: straight to the hardware */
static void golden_length(void **state)
{
	const struct golden_cap *cap = *state;
	struct bench *b = unit_bench();
	unsigned int pos = golden_pos(cap) + cap->len;
	struct landing land;

	golden_bench(b, cap);
	assert_int_equal(bench_scan(b), 0);
	bench_all_writable(b);
	assert_int_equal(find_virtual(b, pos), 0);
	land = find_landing(b, pos);
	assert_int_equal(land.hw, 0xff);
	assert_false(land.elsewhere);
}

static struct CMUnitTest tests[3 * GOLDEN_MAX_CAPS];
static char names[ARRAY_SIZE(tests)][64];
static size_t nr_tests;

static void add(const char *what, CMUnitTestFunction func,
		struct golden_cap *cap)
{
	static const char * const kinds[] = { "hdr", "std", "ext" };

	snprintf(names[nr_tests], sizeof(names[0]), "golden_%s_%s_%02x_%s", what,
		 kinds[cap->kind], cap->id, cap->name);
	tests[nr_tests].name = names[nr_tests];
	tests[nr_tests].test_func = func;
	tests[nr_tests++].initial_state = cap;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (golden_load(argv[i]))
			return 1;
	for (unsigned int i = 0; i < golden_nr; i++) {
		struct golden_cap *cap = &golden_caps[i];

		add("behaviour", golden_behaviour, cap);
		add("table", golden_table, cap);
		if (cap->kind != GOLDEN_HDR)
			add("length", golden_length, cap);
	}
	return unit_run("golden", tests, nr_tests);
}
