// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resets through PCI Express and advanced features, payload and read request
 * sizes, and status bits that a careless write would clear.
 */
#include "unit.h"

#define EXP	0x60
#define DEVCAP	(EXP + PCI_EXP_DEVCAP)
#define DEVCTL	(EXP + PCI_EXP_DEVCTL)
#define DEVSTA	(EXP + PCI_EXP_DEVSTA)
#define FLR	PCI_EXP_DEVCTL_BCR_FLR
#define AF	0xa0
#define AF_CTRL	(AF + PCI_AF_CTRL)

static struct bench *opened(bool can_flr, u8 af_cap)
{
	struct bench *b = unit_bench();

	bench_init(b, 4096);
	bench_add_exp(b, EXP, 2);
	bench_set(b, DEVCAP, 4, 0x8fe1 | (can_flr ? PCI_EXP_DEVCAP_FLR : 0));
	bench_set(b, DEVCTL, 2, 0x2810);
	bench_add_std(b, AF, PCI_CAP_ID_AF);
	bench_set(b, AF + 2, 2, af_cap << 8 | PCI_CAP_AF_SIZEOF);
	bench_add_ext(b, 0x100, PCI_EXT_CAP_ID_ERR);
	assert_int_equal(bench_scan(b), 0);
	bench_all_writable(b);
	bench_forget(b);
	return b;
}

static void flr_resets_and_reads_zero(void **state)
{
	static const struct {
		unsigned int pos, len, shift;
	} rows[] = {
		{ DEVCTL, 2, 0 },
		{ DEVCTL, 4, 0 },
		{ DEVCTL + 1, 1, 8 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *b = opened(true, 0);

		bench_write(b, rows[i].pos, rows[i].len,
			    (FLR | 0x2810) >> rows[i].shift);
		assert_row(i, b->count[BENCH_FLR] == 1);
		assert_row(i, bench_read(b, DEVCTL, 2) == 0x2810);
		assert_row(i, !(bench_get(b, DEVCTL, 2) & FLR));
		bench_write(b, DEVCTL, 2, 0x2810);
		assert_row(i, b->count[BENCH_FLR] == 1);
	}
}

static void flr_needs_the_capability(void **state)
{
	struct bench *b = opened(false, 0);

	bench_write(b, DEVCTL, 2, FLR | 0x2810);
	assert_int_equal(b->count[BENCH_FLR], 0);
	assert_int_equal(bench_read(b, DEVCTL, 2), 0x2810);
	assert_int_equal(bench_get(b, DEVCTL, 2) & FLR, 0);
}

static void bug_6A17_failed_reset_is_told(void **state)
{
	struct bench *b = opened(true, PCI_AF_CAP_FLR | PCI_AF_CAP_TP);
	int ret;

	b->ret[BENCH_FLR] = -EAGAIN;
	ret = vfio_cfg_write(&b->cfg, DEVCTL, 2, FLR);
	assert_int_equal(b->count[BENCH_FLR], 1);
	assert_true(ret < 0 || b->count[BENCH_NOTE]);
	assert_int_equal(bench_read(b, DEVCTL, 2) & FLR, 0);

	bench_forget(b);
	ret = vfio_cfg_write(&b->cfg, AF_CTRL, 1, PCI_AF_CTRL_FLR);
	assert_int_equal(b->count[BENCH_FLR], 1);
	assert_true(ret < 0 || b->count[BENCH_NOTE]);
	assert_int_equal(bench_read(b, AF_CTRL, 1), 0);
}

static void af_resets_if_it_can(void **state)
{
	for (unsigned int cap = 0; cap < 4; cap++) {
		struct bench *b = opened(false, cap);

		bench_write(b, AF_CTRL, 1, PCI_AF_CTRL_FLR);
		assert_row(cap, b->count[BENCH_FLR] == (cap == 3));
		assert_row(cap, bench_read(b, AF_CTRL, 1) == 0);
		assert_row(cap, b->hw[AF_CTRL] == 0);
		bench_write(b, AF_CTRL, 1, 0);
		bench_write(b, AF_CTRL + 1, 1, 1);
		assert_row(cap, b->count[BENCH_FLR] == (cap == 3));
	}
}

static void payload_size_is_virtual(void **state)
{
	struct bench *b = opened(true, 0);

	bench_write(b, DEVCTL, 2, 0x2870);
	assert_int_equal(bench_read(b, DEVCTL, 2), 0x2870);
	assert_int_equal(bench_get(b, DEVCTL, 2) & PCI_EXP_DEVCTL_PAYLOAD, 0);
	assert_int_equal(b->count[BENCH_READRQ], 0);
}

static void read_request_size_goes_to_the_kernel(void **state)
{
	for (unsigned int n = 0; n <= 5; n++) {
		struct bench *b = opened(true, 0);
		const struct bench_event *rq;

		bench_set(b, DEVCTL, 2, n ? 0x0810 : 0x1810);
		assert_int_equal(bench_scan(b), 0);
		bench_forget(b);
		bench_write(b, DEVCTL, 2, n << 12 | 0x0810);
		rq = bench_find(b, BENCH_READRQ);
		assert_row(n, rq && rq->val == 128U << n);
		assert_row(n, bench_read(b, DEVCTL, 2) == (n << 12 | 0x0810));
		assert_row(n, (bench_get(b, DEVCTL, 2) & PCI_EXP_DEVCTL_READRQ) ==
			      (n ? 0 : 0x1000));
	}
}

static void other_controls_are_the_hardwares(void **state)
{
	struct bench *b = opened(true, 0);

	bench_write(b, DEVCTL, 2, 0x271f);
	assert_int_equal(bench_get(b, DEVCTL, 2) & 0x0f1f, 0x051f);
	assert_int_equal(bench_read(b, DEVCTL, 2), 0x251f);
	assert_int_equal(b->count[BENCH_READRQ], 0);
}

static void device_status_survives_a_dword_write(void **state)
{
	struct bench *b = opened(true, 0);

	b->hw[DEVSTA] = 0x0f;
	b->w1c[DEVSTA] = 0x0f;
	bench_write(b, DEVCTL, 4, 0xffff2810);
	assert_int_equal(b->hw[DEVSTA], 0x0f);
	assert_int_equal(bench_read(b, DEVSTA, 2), 0x0f);
}

static void aer_status_is_cleared_bit_by_bit(void **state)
{
	unsigned int unc = 0x100 + PCI_ERR_UNCOR_STATUS;
	unsigned int cor = 0x100 + PCI_ERR_COR_STATUS;
	struct bench *b = opened(true, 0);

	memset(b->w1c + unc, 0xff, 4);
	memset(b->w1c + cor, 0xff, 4);
	bench_set(b, unc, 4, 0x03fff031);
	bench_set(b, cor, 4, 0x0000f1c1);
	bench_write(b, unc, 4, PCI_ERR_UNC_COMP_TIME);
	bench_write(b, cor, 4, PCI_ERR_COR_BAD_TLP);
	assert_int_equal(bench_get(b, unc, 4), 0x03fff031 & ~PCI_ERR_UNC_COMP_TIME);
	assert_int_equal(bench_get(b, cor, 4), 0xf1c1 & ~PCI_ERR_COR_BAD_TLP);
}

/* Status bits that are not the user's to clear: writing back clears them */
static void aer_status_of_newer_errors_survives(void **state)
{
	unsigned int unc = 0x100 + PCI_ERR_UNCOR_STATUS;
	struct bench *b = opened(true, 0);

	memset(b->w1c + unc, 0xff, 4);
	bench_set(b, unc, 4, 0x07fff031);
	bench_write(b, unc, 4, PCI_ERR_UNC_COMP_TIME);
	assert_int_equal(bench_get(b, unc, 4), 0x07fff031 & ~PCI_ERR_UNC_COMP_TIME);
	bench_write(b, unc + 3, 1, 0);
	assert_int_equal(b->hw[unc + 3], 0x07);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flr_resets_and_reads_zero),
		cmocka_unit_test(flr_needs_the_capability),
		cmocka_unit_test(bug_6A17_failed_reset_is_told),
		cmocka_unit_test(af_resets_if_it_can),
		cmocka_unit_test(payload_size_is_virtual),
		cmocka_unit_test(read_request_size_goes_to_the_kernel),
		cmocka_unit_test(other_controls_are_the_hardwares),
		cmocka_unit_test(device_status_survives_a_dword_write),
		cmocka_unit_test(aer_status_is_cleared_bit_by_bit),
		cmocka_unit_test(aer_status_of_newer_errors_survives),
	};

	return unit_run("exp", tests, ARRAY_SIZE(tests));
}
