// SPDX-License-Identifier: GPL-2.0-only
/*
 * mlx5_vfio_pci: to start and stop tracking the pages that a VF writes to. What it
 * reports is mlx5_report's.
 */
#include "lib/kmsg.h"
#include "lib/tap.h"
#include "lib/track.h"

/* --- start and stop ------------------------------------------------------------- */

TEST(start_and_stop)
{
	struct mig_live before;
	struct mig m;

	track_up(&m, &before);
	track_start(&m);
	EXPECT_EQ(hca_counter(0, HCA_LIVE_TRACKER), 1u);
	EXPECT_EQ(hca_counter(0, HCA_LIVE_QP), before.count[HCA_LIVE_QP] + 2);
	ASSERT_OK(track_stop_try(&m));
	mig_expect_no_leak(&before);
	track_start(&m);
	ASSERT_OK(track_stop_try(&m));
	track_down(&m, &before);
}

TEST(start_twice_is_refused)
{
	struct mig_live before;
	uint64_t page = 4096;
	struct mig m;

	track_up(&m, &before);
	track_start(&m);
	EXPECT_ERRNO(track_start_try(&m, &track_all, 1, &page), EINVAL);
	EXPECT_EQ(hca_counter(0, HCA_LIVE_TRACKER), 1u);
	ASSERT_OK(track_stop_try(&m));
	ASSERT_OK(track_stop_try(&m));
	track_down(&m, &before);
}

TEST(close_stops)
{
	struct mig_live before;
	struct mig m;

	track_up(&m, &before);
	track_start(&m);
	track_down(&m, &before);
}

struct hint {
	const char *name;
	uint64_t asked;
	uint64_t got;
};

static const struct hint hints[] = {
	{ "4k", 4096, 4096 },
	{ "64k", 65536, 65536 },
	{ "finer-than-can-be", 512, 4096 },
	{ "coarser-than-can-be", 4 << 20, 2 << 20 },
};

TEST_EACH(page_size_is_a_hint, hints)
{
	static const struct track_range wide = { TRACK_IOVA, 4 << 20 };
	struct mig_live before;
	uint64_t page = it->asked;
	struct mig m;

	track_up(&m, &before);
	ASSERT_OK(track_start_try(&m, &wide, 1, &page));
	EXPECT_EQ(page, it->got);
	track_down(&m, &before);
}

/* vfio.ko sees to that */
TEST(ranges_are_made_of_pages)
{
	struct mig_live before;
	uint64_t page = 2 * TRACK_SIZE;
	struct mig m;

	track_up(&m, &before);
	ASSERT_ERRNO(track_start_try(&m, &track_all, 1, &page), EINVAL);
	track_down(&m, &before);
}

/* More ranges than firmware takes: neighbours are taken together. */
TEST(many_ranges)
{
	struct track_range ranges[50];
	struct mig_live before;
	uint64_t page = 4096;
	struct mig m;
	unsigned int i;

	track_up(&m, &before);
	for (i = 0; i < 50; i++) {
		ranges[i].iova = TRACK_IOVA + i * 0x10000;
		ranges[i].length = 0x4000;
	}
	ASSERT_OK(track_start_try(&m, ranges, 50, &page));
	track_down(&m, &before);
}

TEST(more_than_firmware_can_track)
{
	static const struct mig_setting small[] = { { HCA_SET_TRACKER_LOG_SPACE, 30 } };
	static const struct track_range large = { 0, 2ull << 30 };
	struct mig_live before;
	uint64_t page = 4096;
	struct mig m;

	track_needed();
	mig_up_with(1, small, 1);
	mig_open(&m, TRACK_FN);
	before = mig_live();
	EXPECT_ERRNO(track_start_try(&m, &large, 1, &page), EOPNOTSUPP);
	mig_expect_no_leak(&before);
	track_start(&m);
	track_down(&m, &before);
}

TEST(without_a_tracker_there_is_no_logging)
{
	static const struct mig_setting none[] = { { HCA_SET_TRACKER, 0 } };
	uint64_t page = 4096;
	struct mig m;

	mig_up_with(1, none, 1);
	mig_open(&m, TRACK_FN);
	EXPECT_ERRNO(track_start_try(&m, &track_all, 1, &page), ENOTTY);
	EXPECT_ERRNO(track_stop_try(&m), ENOTTY);
	mig_close(&m);
}

/* QEMU does not migrate at all if it can start to track, but gets no report. */
TEST(without_reports_there_is_no_logging)
{
	uint64_t page = 4096;
	struct mig m;

	if (track_possible())
		SKIP("vfio.ko of this kernel takes reports");
	mig_up(1);
	mig_open(&m, TRACK_FN);
	EXPECT_ERRNO(track_start_try(&m, &track_all, 1, &page), ENOTTY);
	EXPECT_ERRNO(track_stop_try(&m), ENOTTY);
	mig_close(&m);
}

/* Reset of a guest's device must not lose what it wrote before. */
TEST(tracking_goes_on_over_a_reset)
{
	struct mig_live before;
	struct mig m;

	track_up(&m, &before);
	track_start(&m);
	vfio_reset(&m.vf);
	EXPECT_EQ(hca_counter(0, HCA_LIVE_TRACKER), 1u);
	ASSERT_OK(track_stop_try(&m));
	track_down(&m, &before);
}

/* --- failure ----------------------------------------------------------------------- */

struct failing {
	const char *name;
	enum hca_opcode opcode;
	unsigned int skip;
};

static const struct failing failings[] = {
	{ "alloc-pd", HCA_ALLOC_PD, 0 },
	{ "create-cq", HCA_CREATE_CQ, 0 },
	{ "create-our-qp", HCA_CREATE_QP, 0 },
	{ "create-their-qp", HCA_CREATE_QP, 1 },
	{ "create-mkey", HCA_CREATE_MKEY, 0 },
	{ "our-qp-init", HCA_RST2INIT_QP, 0 },
	{ "our-qp-receives", HCA_INIT2RTR_QP, 0 },
	{ "their-qp-init", HCA_RST2INIT_QP, 1 },
	{ "their-qp-receives", HCA_INIT2RTR_QP, 1 },
	{ "their-qp-sends", HCA_RTR2RTS_QP, 0 },
	{ "create-tracker", HCA_CREATE_OBJECT, 0 },
};

TEST_EACH(start_fails_and_leaves_nothing, failings)
{
	struct mig_live before;
	uint64_t page = 4096;
	struct mig m;

	track_up(&m, &before);
	hca_fail(HCA_FAULT_STATUS, it->opcode, 8, .skip = it->skip, .syndrome = 0x54321, .fn = 1);
	EXPECT_ERRNO(track_start_try(&m, &track_all, 1, &page), ENOMEM);
	EXPECT(kmsg_has("0x54321"));
	mig_expect_no_leak(&before);
	track_start(&m);
	track_down(&m, &before);
}

static const struct failing stubborn[] = {
	{ "tracker", HCA_DESTROY_OBJECT, 0 },
	{ "qp", HCA_DESTROY_QP, 0 },
	{ "mkey", HCA_DESTROY_MKEY, 0 },
	{ "cq", HCA_DESTROY_CQ, 0 },
	{ "pd", HCA_DEALLOC_PD, 0 },
};

TEST_EACH(stop_insists, stubborn)
{
	struct mig_live before;
	struct mig m;

	track_up(&m, &before);
	track_start(&m);
	hca_fail(HCA_FAULT_STATUS, it->opcode, 6, .fn = 1);
	ASSERT_OK(track_stop_try(&m));
	mig_expect_no_leak(&before);
	track_down(&m, &before);
}
