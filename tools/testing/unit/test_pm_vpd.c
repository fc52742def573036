// SPDX-License-Identifier: GPL-2.0-only
/*
 * Power management: the state is asked for, PME is the host's. Vital product
 * data: the flag that starts a transfer and tells that it is over.
 */
#include "unit.h"

#define PM		0x40
#define PMCSR		(PM + PCI_PM_CTRL)
#define VPD		0x50
#define VPD_ADDR	(VPD + PCI_VPD_ADDR)
#define VPD_DATA	(VPD + PCI_VPD_DATA)
#define F		PCI_VPD_ADDR_F

static struct bench *opened(void)
{
	struct bench *b = unit_bench();

	bench_init(b, 256);
	bench_add_std(b, PM, PCI_CAP_ID_PM);
	bench_set(b, PM + PCI_PM_PMC, 2, 0xf803);
	bench_add_std(b, VPD, PCI_CAP_ID_VPD);
	for (unsigned int i = 0; i < BENCH_VPD_SIZE; i++)
		b->vpd[i] = i ^ 0x5a;
	assert_int_equal(bench_scan(b), 0);
	bench_all_writable(b);
	bench_forget(b);
	return b;
}

static void power_state_is_trapped(void **state)
{
	static const unsigned int lens[] = { 1, 2, 4 };

	for (unsigned int i = 0; i < 3 * 4; i++) {
		unsigned int want = i % 4;
		struct bench *b = opened();
		const struct bench_event *power;

		bench_write(b, PMCSR, lens[i / 4], want);
		power = bench_find(b, BENCH_POWER);
		assert_row(i, power && power->val == want);
		assert_row(i, b->count[BENCH_POWER] == 1);
		assert_row(i, !(b->hw[PMCSR] & PCI_PM_CTRL_STATE_MASK));
	}
}

/* What the user reads is what the function does, not what was asked for */
static void power_state_is_the_hardwares(void **state)
{
	struct bench *b = opened();

	b->pm_pos = PM;
	bench_write(b, PMCSR, 2, 3);
	assert_int_equal(bench_read(b, PMCSR, 2) & PCI_PM_CTRL_STATE_MASK, 3);
	bench_write(b, PMCSR, 2, 0);
	assert_int_equal(bench_read(b, PMCSR, 2) & PCI_PM_CTRL_STATE_MASK, 0);
}

static void other_bytes_change_no_power_state(void **state)
{
	struct bench *b = opened();

	bench_write(b, PMCSR + 1, 1, 0x03);
	bench_write(b, PMCSR + 2, 2, 0x0303);
	bench_write(b, PM, 4, 0x03030303);
	assert_int_equal(b->count[BENCH_POWER], 0);
}

/* The state did not change: the user can see it, and a person is told */
static void bug_6A17_power_state_refused(void **state)
{
	struct bench *b = opened();
	int ret;

	b->pm_pos = PM;
	b->ret[BENCH_POWER] = -EBUSY;
	ret = vfio_cfg_write(&b->cfg, PMCSR, 2, 3);
	assert_true(ret < 0 || b->count[BENCH_NOTE]);
	assert_int_equal(bench_read(b, PMCSR, 2) & PCI_PM_CTRL_STATE_MASK, 0);
}

static void pme_is_hidden(void **state)
{
	struct bench *b = opened();

	assert_int_equal(bench_read(b, PM + PCI_PM_PMC, 2), 0x0003);
	bench_set(b, PMCSR, 2, PCI_PM_CTRL_PME_STATUS | PCI_PM_CTRL_PME_ENABLE);
	assert_int_equal(bench_read(b, PMCSR, 2), 0);
	bench_write(b, PMCSR, 2, 0);
	assert_int_equal(bench_get(b, PMCSR, 2) & PCI_PM_CTRL_PME_ENABLE,
			 PCI_PM_CTRL_PME_ENABLE);
	bench_set(b, PMCSR, 2, 0);
	bench_write(b, PMCSR, 2, 0xffff);
	assert_int_equal(bench_get(b, PMCSR, 2) &
			 (PCI_PM_CTRL_PME_STATUS | PCI_PM_CTRL_PME_ENABLE), 0);
	assert_int_equal(bench_read(b, PMCSR, 2) &
			 (PCI_PM_CTRL_PME_STATUS | PCI_PM_CTRL_PME_ENABLE), 0);
}

/* PME status is cleared by writing a one: writing back what was read clears it */
static void pme_status_survives_a_write(void **state)
{
	struct bench *b = opened();

	b->w1c[PMCSR + 1] = PCI_PM_CTRL_PME_STATUS >> 8;
	bench_set(b, PMCSR, 2, PCI_PM_CTRL_PME_STATUS);
	bench_write(b, PMCSR, 2, PCI_PM_CTRL_NO_SOFT_RESET);
	bench_write(b, PMCSR + 1, 1, 0);
	bench_write(b, PMCSR, 4, 0);
	assert_int_equal(bench_get(b, PMCSR, 2) & PCI_PM_CTRL_PME_STATUS,
			 PCI_PM_CTRL_PME_STATUS);
}

static u32 vpd_at(const struct bench *b, unsigned int addr)
{
	return b->vpd[addr] | b->vpd[addr + 1] << 8 | b->vpd[addr + 2] << 16 |
	       (u32)b->vpd[addr + 3] << 24;
}

static void vpd_read_sets_the_flag(void **state)
{
	struct bench *b = opened();

	for (unsigned int addr = 0; addr < BENCH_VPD_SIZE; addr += 4) {
		bench_write(b, VPD_ADDR, 2, addr);
		assert_row(addr, bench_read(b, VPD_ADDR, 2) == (addr | F));
		assert_row(addr, bench_read(b, VPD_DATA, 4) == vpd_at(b, addr));
	}
	assert_int_equal(b->count[BENCH_VPD], BENCH_VPD_SIZE / 4);
	assert_int_equal(b->accesses, 0);
}

static void vpd_write_clears_the_flag(void **state)
{
	struct bench *b = opened();
	const struct bench_event *vpd;

	bench_write(b, VPD_DATA, 4, 0xcafe1234);
	assert_int_equal(b->count[BENCH_VPD], 0);
	bench_write(b, VPD_ADDR, 2, 0x24 | F);
	vpd = bench_find(b, BENCH_VPD);
	assert_non_null(vpd);
	assert_int_equal(vpd->pos, 0x24);
	assert_int_equal(vpd->len, true);
	assert_int_equal(vpd->val, 0xcafe1234);
	assert_int_equal(bench_read(b, VPD_ADDR, 2), 0x24);
	assert_int_equal(vpd_at(b, 0x24), 0xcafe1234);
}

static void vpd_address_may_come_in_bytes(void **state)
{
	struct bench *b = opened();

	bench_write(b, VPD_ADDR, 1, 0x30);
	assert_int_equal(b->count[BENCH_VPD], 0);
	bench_write(b, VPD_ADDR + 1, 1, 0x00);
	assert_int_equal(b->count[BENCH_VPD], 1);
	assert_int_equal(bench_read(b, VPD_ADDR, 2), 0x30 | F);
	assert_int_equal(bench_read(b, VPD_DATA, 4), vpd_at(b, 0x30));

	bench_write(b, VPD, 4, 0x40 << 16 | 0xffff);
	assert_int_equal(b->count[BENCH_VPD], 2);
	assert_int_equal(bench_read(b, VPD, 4), (u32)(0x40 | F) << 16 | PCI_CAP_ID_VPD);
	assert_int_equal(bench_read(b, VPD_DATA, 4), vpd_at(b, 0x40));
}

static void vpd_error_leaves_the_flag(void **state)
{
	struct bench *b = opened();
	u32 before;

	b->ret[BENCH_VPD] = -EIO;
	before = bench_read(b, VPD_DATA, 4);
	vfio_cfg_write(&b->cfg, VPD_ADDR, 2, 0x10);
	assert_int_equal(b->count[BENCH_VPD], 1);
	assert_int_equal(bench_read(b, VPD_ADDR, 2), 0x10);
	assert_int_equal(bench_read(b, VPD_DATA, 4), before);
	vfio_cfg_write(&b->cfg, VPD_ADDR, 2, 0x10 | F);
	assert_int_equal(b->count[BENCH_VPD], 2);
	assert_int_equal(bench_read(b, VPD_ADDR, 2), 0x10 | F);
}

/* The transfer is of a dword, at an address of a dword (PCI 3.0, appendix I) */
static void vpd_address_not_aligned_starts_nothing(void **state)
{
	for (unsigned int addr = 0x11; addr < 0x14; addr++) {
		struct bench *b = opened();

		bench_write(b, VPD_ADDR, 2, addr);
		bench_write(b, VPD_ADDR, 2, addr | F);
		assert_row(addr, b->count[BENCH_VPD] == 0);
	}
}

/* The last address there is; the one past it has no bits */
static void vpd_address_is_15_bits(void **state)
{
	struct bench *b = opened();

	bench_write(b, VPD_ADDR, 2, 0x7ffc);
	assert_int_equal(bench_find(b, BENCH_VPD)->pos, 0x7ffc);
	bench_forget(b);
	bench_write(b, VPD_ADDR, 2, 0xfffc);
	assert_int_equal(bench_find(b, BENCH_VPD)->pos, 0x7ffc);
	assert_int_equal(bench_find(b, BENCH_VPD)->len, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(power_state_is_trapped),
		cmocka_unit_test(power_state_is_the_hardwares),
		cmocka_unit_test(other_bytes_change_no_power_state),
		cmocka_unit_test(bug_6A17_power_state_refused),
		cmocka_unit_test(pme_is_hidden),
		cmocka_unit_test(pme_status_survives_a_write),
		cmocka_unit_test(vpd_read_sets_the_flag),
		cmocka_unit_test(vpd_write_clears_the_flag),
		cmocka_unit_test(vpd_address_may_come_in_bytes),
		cmocka_unit_test(vpd_error_leaves_the_flag),
		cmocka_unit_test(vpd_address_not_aligned_starts_nothing),
		cmocka_unit_test(vpd_address_is_15_bits),
	};

	return unit_run("pm_vpd", tests, ARRAY_SIZE(tests));
}
