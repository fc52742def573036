// SPDX-License-Identifier: GPL-2.0-only
/*
 * Capability lists that a device should not have. It may lose capabilities by
 * it; what is left must be in order.
 */
#include "unit.h"
#include "view.h"

#define EXT(id, next)	((id) | 1 << 16 | (u32)(next) << 20)
#define ANY		0xffff

struct poke {
	u16	pos;
	u8	len;
	u32	val;
};

/* The pokes go on top of a bare header with the capability list bit set */
struct malformed {
	const char	*name;
	unsigned int	size;
	struct poke	pokes[10];
	u16		std[8];		/* ids the user sees, in order */
	u16		ext[8];
};

static const struct malformed rows[] = {
	{ "std_points_to_itself", 256,
	  { { 0x34, 1, 0x40 }, { 0x40, 2, 0x4001 } }, { 0x01 } },
	{ "std_loop_of_two", 256,
	  { { 0x34, 1, 0x40 }, { 0x40, 2, 0x5001 }, { 0x50, 2, 0x4003 } },
	  { 0x01, 0x03 } },
	{ "std_loop_into_the_middle", 256,
	  { { 0x34, 1, 0x40 }, { 0x40, 2, 0x5001 }, { 0x50, 2, 0x6003 },
	    { 0x60, 2, 0x5011 } }, { 0x01, 0x03, 0x11 } },
	{ "std_loop_of_hidden_ones", 256,
	  { { 0x34, 1, 0x40 }, { 0x40, 2, 0x500d }, { 0x50, 2, 0x400d } }, {} },
	{ "std_pointer_into_header", 256,
	  { { 0x34, 1, 0x20 }, { 0x20, 2, 0x5001 }, { 0x50, 2, 0x0001 } }, {} },
	{ "std_next_into_header", 256,
	  { { 0x34, 1, 0x40 }, { 0x40, 2, 0x3c01 } }, { 0x01 } },
	{ "std_pointer_not_aligned", 256,
	  { { 0x34, 1, 0x43 }, { 0x40, 2, 0x5201 }, { 0x50, 2, 0x0003 } },
	  { 0x01, 0x03 } },
	{ "std_ids_of_a_dead_device", 256,
	  { { 0x34, 1, 0xff }, { 0xfc, 4, 0xffffffff } }, {} },
	{ "std_no_list_bit", 256,
	  { { 0x06, 2, 0 }, { 0x34, 1, 0x40 }, { 0x40, 2, 0x0001 } }, {} },
	{ "std_starts_with_unknown", 256,
	  { { 0x34, 1, 0x40 }, { 0x40, 2, 0x5044 }, { 0x50, 2, 0x0001 } },
	  { 0x01 } },
	{ "std_starts_with_hidden", 256,
	  { { 0x34, 1, 0x40 }, { 0x40, 2, 0x480d }, { 0x48, 2, 0x5014 },
	    { 0x50, 2, 0x0001 } }, { 0x01 } },
	{ "std_ends_with_hidden", 256,
	  { { 0x34, 1, 0x40 }, { 0x40, 2, 0x5001 }, { 0x50, 2, 0x000d } },
	  { 0x01 } },
	{ "std_hidden_between", 256,
	  { { 0x34, 1, 0x40 }, { 0x40, 2, 0x5001 }, { 0x50, 2, 0x600d },
	    { 0x60, 2, 0x0003 } }, { 0x01, 0x03 } },
	{ "std_all_hidden", 256,
	  { { 0x34, 1, 0x40 }, { 0x40, 2, 0x5004 }, { 0x50, 2, 0x000d } }, {} },
	{ "std_vndr_without_length", 256,
	  { { 0x34, 1, 0x40 }, { 0x40, 4, 0x00005009 }, { 0x50, 2, 0x0001 } },
	  { ANY } },
	{ "std_vndr_shorter_than_its_header", 256,
	  { { 0x34, 1, 0x40 }, { 0x40, 4, 0x00025009 }, { 0x50, 2, 0x0001 } },
	  { ANY } },
	{ "std_overlapping", 256,
	  { { 0x34, 1, 0x40 }, { 0x40, 2, 0x4401 }, { 0x44, 2, 0x4803 },
	    { 0x48, 2, 0x0005 } }, { ANY } },
	{ "std_inside_another", 256,
	  { { 0x34, 1, 0x40 }, { 0x40, 4, 0x00804805 }, { 0x48, 4, 0x00006001 },
	    { 0x60, 2, 0x000d } }, { 0x05, 0x01 } },
	{ "std_vndr_over_the_next", 256,
	  { { 0x34, 1, 0x40 }, { 0x40, 4, 0x00305009 }, { 0x50, 2, 0x0001 } },
	  { ANY } },
	{ "std_one_id_abutting", 256,
	  { { 0x34, 1, 0x40 }, { 0x40, 4, 0x00084809 }, { 0x48, 4, 0x00085009 },
	    { 0x50, 4, 0x00080009 } }, { 0x09, 0x09, 0x09 } },
	{ "pcie_with_256_bytes", 256,
	  { { 0x34, 1, 0x40 }, { 0x40, 4, 0x00020010 } }, { 0x10 } },
	{ "ext_none", 4096,
	  { { 0x34, 1, 0x40 }, { 0x40, 4, 0x00020010 } }, { 0x10 }, {} },
	{ "ext_of_a_dead_device", 4096,
	  { { 0x34, 1, 0x40 }, { 0x40, 4, 0x00020010 },
	    { 0x100, 4, 0xffffffff }, { 0xffc, 4, 0xffffffff } }, { 0x10 }, {} },
	{ "ext_points_to_itself", 4096,
	  { { 0x34, 1, 0x40 }, { 0x40, 4, 0x00020010 },
	    { 0x100, 4, EXT(3, 0x100) } }, { 0x10 }, { 3 } },
	{ "ext_loop", 4096,
	  { { 0x34, 1, 0x40 }, { 0x40, 4, 0x00020010 },
	    { 0x100, 4, EXT(3, 0x140) }, { 0x140, 4, EXT(0xe, 0x100) } },
	  { 0x10 }, { 3, 0xe } },
	{ "ext_loop_of_hidden_ones", 4096,
	  { { 0x34, 1, 0x40 }, { 0x40, 4, 0x00020010 },
	    { 0x100, 4, EXT(0x1b, 0x140) }, { 0x140, 4, EXT(0x1e, 0x140) } },
	  { 0x10 }, {} },
	{ "ext_next_into_standard_space", 4096,
	  { { 0x34, 1, 0x40 }, { 0x40, 4, 0x00020010 },
	    { 0x100, 4, EXT(3, 0x0c0) }, { 0x0c0, 4, EXT(0xe, 0) } },
	  { 0x10 }, { 3 } },
	{ "ext_next_not_aligned", 4096,
	  { { 0x34, 1, 0x40 }, { 0x40, 4, 0x00020010 },
	    { 0x100, 4, EXT(3, 0x143) }, { 0x140, 4, EXT(0xe, 0) } },
	  { 0x10 }, { 3, 0xe } },
	{ "ext_starts_hidden", 4096,
	  { { 0x34, 1, 0x40 }, { 0x40, 4, 0x00020010 },
	    { 0x100, 4, EXT(0x1b, 0x140) }, { 0x140, 4, EXT(3, 0) } },
	  { 0x10 }, { 3 } },
	{ "ext_starts_with_two_hidden", 4096,
	  { { 0x34, 1, 0x40 }, { 0x40, 4, 0x00020010 },
	    { 0x100, 4, EXT(0x1b, 0x140) }, { 0x140, 4, EXT(0x1e, 0x160) },
	    { 0x160, 4, EXT(3, 0) } }, { 0x10 }, { 3 } },
	{ "ext_all_hidden", 4096,
	  { { 0x34, 1, 0x40 }, { 0x40, 4, 0x00020010 },
	    { 0x100, 4, EXT(0x1b, 0x140) }, { 0x140, 4, EXT(0x2e, 0) } },
	  { 0x10 }, {} },
	{ "ext_unknown_to_everyone", 4096,
	  { { 0x34, 1, 0x40 }, { 0x40, 4, 0x00020010 },
	    { 0x100, 4, EXT(3, 0x140) }, { 0x140, 4, EXT(0x1234, 0x160) },
	    { 0x160, 4, EXT(0xe, 0) } }, { 0x10 }, { 3, 0xe } },
	{ "ext_one_id_abutting", 4096,
	  { { 0x34, 1, 0x40 }, { 0x40, 4, 0x00020010 },
	    { 0x100, 4, EXT(0xb, 0x110) }, { 0x104, 4, 0x01000001 },
	    { 0x110, 4, EXT(0xb, 0x120) }, { 0x114, 4, 0x01000002 },
	    { 0x120, 4, EXT(0x23, 0x130) }, { 0x124, 4, 0x00c01e98 },
	    { 0x130, 4, EXT(3, 0) } }, { 0x10 }, { 0xb, 0xb, 0x23, 3 } },
	{ "ext_vsec_without_length", 4096,
	  { { 0x34, 1, 0x40 }, { 0x40, 4, 0x00020010 },
	    { 0x100, 4, EXT(3, 0x140) }, { 0x140, 4, EXT(0xb, 0x160) },
	    { 0x160, 4, EXT(3, 0) } }, { 0x10 }, { ANY } },
	{ "ext_overlapping", 4096,
	  { { 0x34, 1, 0x40 }, { 0x40, 4, 0x00020010 },
	    { 0x100, 4, EXT(1, 0x104) }, { 0x104, 4, EXT(3, 0x108) },
	    { 0x108, 4, EXT(0x10, 0) } }, { 0x10 }, { ANY } },
	{ "ext_at_the_very_end", 4096,
	  { { 0x34, 1, 0x40 }, { 0x40, 4, 0x00020010 },
	    { 0x100, 4, EXT(3, 0xffc) }, { 0xffc, 4, EXT(0xb, 0) } },
	  { 0x10 }, { ANY } },
};

static void build(struct bench *b, const struct malformed *row)
{
	bench_init(b, row->size);
	b->hw[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	for (unsigned int i = 0; row->pokes[i].len; i++)
		bench_set(b, row->pokes[i].pos, row->pokes[i].len, row->pokes[i].val);
}

static void expect(const u16 *want, const struct bench_cap *have, int nr)
{
	if (want[0] == ANY)
		return;
	for (int i = 0; i < nr; i++)
		if (have[i].id != want[i])
			fail_msg("entry %d has id %x, not %x", i, have[i].id, want[i]);
	assert_int_equal(want[nr], 0);
}

static void malformed(void **state)
{
	const struct malformed *row = *state;
	struct bench_cap caps[BENCH_MAX_CAPS];
	struct bench *b = unit_bench();
	const char *wrong;
	int nr;

	build(b, row);
	assert_int_equal(bench_scan(b), 0);
	wrong = view_check(b);
	if (wrong)
		fail_msg("%s", wrong);
	nr = bench_std_chain(b, caps);
	expect(row->std, caps, nr);
	if (row->size > PCI_CFG_SPACE_SIZE) {
		nr = bench_ext_chain(b, caps);
		expect(row->ext, caps, nr);
	}
}

int main(void)
{
	static struct CMUnitTest tests[ARRAY_SIZE(rows)];
	static char names[ARRAY_SIZE(rows)][64];

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		snprintf(names[i], sizeof(names[i]), "malformed_%s", rows[i].name);
		tests[i].name = names[i];
		tests[i].test_func = malformed;
		tests[i].initial_state = (void *)&rows[i];
	}
	return unit_run("malformed", tests, ARRAY_SIZE(tests));
}
