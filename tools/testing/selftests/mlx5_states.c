// SPDX-License-Identifier: GPL-2.0-only
/*
 * mlx5_vfio_pci: states, and every way from one to another. What firmware did is
 * looked up with firmware.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/kmsg.h"
#include "lib/lab.h"
#include "lib/mig.h"
#include "lib/tap.h"

#define FN	1

static const struct mig_setting no_tracking[] = { { HCA_SET_TRACKED, 0 } };
static const struct mig_setting no_multi_load[] = { { HCA_SET_MULTI_LOAD, 0 } };
static const struct mig_setting no_migration[] = { { HCA_SET_MIGRATION, 0 } };
static const struct mig_setting other_vf[] = { { HCA_SET_MIGRATABLE, 1 << (FN + 1) } };

/* --- every pair ------------------------------------------------------------------- */

struct from {
	const char *name;
	enum mig_state state;
};

static const struct from starts[] = {
	{ "ERROR", MIG_ERROR },
	{ "STOP", MIG_STOP },
	{ "RUNNING", MIG_RUNNING },
	{ "STOP_COPY", MIG_STOP_COPY },
	{ "RESUMING", MIG_RESUMING },
	{ "RUNNING_P2P", MIG_RUNNING_P2P },
	{ "PRE_COPY", MIG_PRE_COPY },
	{ "PRE_COPY_P2P", MIG_PRE_COPY_P2P },
};

static bool legal(enum mig_state from, enum mig_state to)
{
	if (from == MIG_ERROR || to == MIG_ERROR || to >= MIG_STATES)
		return false;
	return from != MIG_STOP_COPY || (to != MIG_PRE_COPY && to != MIG_PRE_COPY_P2P);
}

/* Within the saving states the session goes on, and so does its file. */
static void expect_files(struct mig *m, enum mig_state from, enum mig_state to, int old)
{
	bool goes_on = mig_saves(from) && mig_saves(to);
	bool opens = (mig_saves(to) || to == MIG_RESUMING) && !goes_on;
	char byte = 0;

	EXPECT_EQ(m->data >= 0, opens);
	if (old < 0 || goes_on || from == to)
		return;
	if (from == MIG_RESUMING)
		EXPECT_ERRNO(write(old, &byte, 1), ENODEV);
	else
		EXPECT_ERRNO(read(old, &byte, 1), ENODEV);
}

static void go(struct mig *m, enum mig_state from, enum mig_state to)
{
	int old;

	test_note("%s to %s", mig_name(from), mig_name(to));
	mig_reach(m, from);
	old = m->data;
	m->data = -1;
	if (!legal(from, to)) {
		EXPECT_ERRNO(mig_set_try(m, to), EINVAL);
		mig_expect(m, from);
	} else if (from != to) {
		mig_set(m, to);
		mig_expect(m, to);
		expect_files(m, from, to, old);
	} else {
		mig_set(m, to);
		mig_expect(m, to);
		EXPECT_EQ(m->data, -1);
	}
	if (old >= 0)
		close(old);
	mig_close_data(m);
	vfio_reset(&m->vf);
	mig_expect(m, MIG_RUNNING);
}

TEST_EACH_LIMIT(every_way_from, starts, 120)
{
	struct mig_live before;
	struct mig m;
	unsigned int to;

	mig_up(1);
	hca_set(HCA_SET_SAVE_MS, 1);
	hca_set(HCA_SET_VF_PAGES, 4);
	mig_open(&m, FN);
	before = mig_live();
	for (to = 0; to < MIG_STATES + 2; to++)
		go(&m, it->state, to);
	mig_expect_no_leak(&before);
	mig_close(&m);
	EXPECT_EQ(hca_counter(FN, HCA_MISUSED), 0u);
}

/* vfio.ko of Linux 6.12 never comes back from this, if it is asked (CVE-2026-64474). */
TEST(stop_copy_to_pre_copy_is_refused)
{
	struct mig m;

	mig_up(1);
	mig_open(&m, FN);
	mig_set(&m, MIG_STOP_COPY);
	EXPECT_ERRNO(mig_set_try(&m, MIG_PRE_COPY), EINVAL);
	EXPECT_ERRNO(mig_set_try(&m, MIG_PRE_COPY_P2P), EINVAL);
	EXPECT(kmsg_has("no way leads from STOP_COPY to PRE_COPY"));
	mig_set(&m, MIG_RUNNING);
	mig_close(&m);
}

/* Suspending starts with the initiator, resuming with the responder. */
TEST(arcs_come_in_order)
{
	struct hca_entry entry;
	struct mig m;
	uint32_t at;

	mig_up(1);
	mig_open(&m, FN);
	at = hca_log_now();
	mig_set(&m, MIG_STOP);
	mig_set(&m, MIG_RUNNING);
	EXPECT_EQ(hca_log_count(at, HCA_SUSPEND_VHCA), 2u);
	EXPECT_EQ(hca_log_count(at, HCA_RESUME_VHCA), 2u);
	ASSERT(hca_log_next(&at, HCA_SUSPEND_VHCA, &entry));
	EXPECT_EQ(entry.word[HCA_LOG_OP_MOD], 0u);
	EXPECT_EQ(entry.word[HCA_LOG_IN2] & 0xffff, hca_vhca_id(FN));
	ASSERT(hca_log_next(&at, HCA_SUSPEND_VHCA, &entry));
	EXPECT_EQ(entry.word[HCA_LOG_OP_MOD], 1u);
	ASSERT(hca_log_next(&at, HCA_RESUME_VHCA, &entry));
	EXPECT_EQ(entry.word[HCA_LOG_OP_MOD], 0u);
	ASSERT(hca_log_next(&at, HCA_RESUME_VHCA, &entry));
	EXPECT_EQ(entry.word[HCA_LOG_OP_MOD], 1u);
	mig_close(&m);
}

/* --- what is offered ----------------------------------------------------------------- */

struct offer {
	const char *name;
	const struct mig_setting *with;
	unsigned int flags;
};

static const struct offer offers[] = {
	{ "all", NULL, MIG_FLAG_STOP_COPY | MIG_FLAG_P2P | MIG_FLAG_PRE_COPY },
	{ "no-tracking", no_tracking, MIG_FLAG_STOP_COPY | MIG_FLAG_P2P },
	{ "no-multi-load", no_multi_load, MIG_FLAG_STOP_COPY | MIG_FLAG_P2P },
};

TEST_EACH(offered_is_what_firmware_can, offers)
{
	struct mig m;

	mig_up_with(1, it->with, it->with ? 1 : 0);
	mig_open(&m, FN);
	EXPECT_EQ(mig_flags(&m), it->flags);
	if (!(it->flags & MIG_FLAG_PRE_COPY)) {
		EXPECT_ERRNO(mig_set_try(&m, MIG_PRE_COPY), EINVAL);
		EXPECT_ERRNO(mig_set_try(&m, MIG_PRE_COPY_P2P), EINVAL);
	}
	mig_expect(&m, MIG_RUNNING);
	mig_close(&m);
}

struct refusal {
	const char *name;
	const struct mig_setting *with;
	const char *reason;
};

static const struct refusal refusals[] = {
	{ "firmware", no_migration, "the PF's firmware cannot do it" },
	{ "vf", other_vf, "not enabled for this VF" },
};

/* As a device without migration it is as good as any. */
TEST_EACH(vf_without_migration_is_a_plain_device, refusals)
{
	uint64_t flags = 0;
	struct mig m;

	mig_up_with(1, it->with, 1);
	mig_open(&m, FN);
	EXPECT(kmsg_has(it->reason));
	EXPECT_ERRNO(vfio_feature_try(&m.vf, VFIO_DEVICE_FEATURE_GET | MIG_FEATURE_FLAGS,
				      &flags, sizeof(flags)), ENOTTY);
	EXPECT_EQ(hca_work_get(&m.vf, HCA_W_MAGIC), HCA_WORK_MAGIC);
	vfio_reset(&m.vf);
	mig_close(&m);
}

/* Nothing but driver_override gives it a VF, even if the kernel gives VFs to drivers. */
TEST(vf_is_not_taken_without_override)
{
	mig_up(1);
	ASSERT_EQ(pci_attr_write(hca_bdf(0), "sriov_drivers_autoprobe", "1"), 0);
	EXPECT_EQ(file_write("/sys/bus/pci/drivers/" MIG_DRIVER "/bind", hca_bdf(FN)), -ENODEV);
	EXPECT(!pci_driver_is(hca_bdf(FN), MIG_DRIVER));
}
