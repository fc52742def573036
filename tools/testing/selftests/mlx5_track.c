// SPDX-License-Identifier: GPL-2.0-only
/*
 * mlx5_vfio_pci: pages that a VF writes to by DMA. That needs a kernel whose vfio.ko
 * takes reports (CONFIG_IOMMUFD_DRIVER), which Debian's does not.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/kmsg.h"
#include "lib/lab.h"
#include "lib/mig.h"
#include "lib/tap.h"

#define FN	1
#define IOVA	0x100000000ull
#define PAGES	64u
#define SIZE	(PAGES * 4096ull)

struct range {
	uint64_t iova;
	uint64_t length;
};

struct start {
	uint64_t page_size;
	uint32_t num_ranges;
	uint32_t reserved;
	uint64_t ranges;
};

struct report {
	uint64_t iova;
	uint64_t length;
	uint64_t page_size;
	uint64_t bitmap;
};

static const struct range all = { IOVA, SIZE };

static int start_try(struct mig *m, const struct range *ranges, uint32_t nr, uint64_t *page)
{
	struct start start = {
		.page_size = *page,
		.num_ranges = nr,
		.ranges = (uintptr_t)ranges,
	};
	int ret;

	ret = vfio_feature_try(&m->vf, VFIO_DEVICE_FEATURE_SET | MIG_FEATURE_LOG_START, &start,
			       sizeof(start));
	*page = start.page_size;
	return ret;
}

static void start(struct mig *m)
{
	uint64_t page = 4096;

	ASSERT_OK(start_try(m, &all, 1, &page));
	ASSERT_EQ(page, 4096u);
}

static int stop_try(struct mig *m)
{
	return vfio_feature_try(&m->vf, VFIO_DEVICE_FEATURE_SET | MIG_FEATURE_LOG_STOP, NULL, 0);
}

static int report_try(struct mig *m, uint64_t iova, uint64_t length, uint64_t *bitmap)
{
	struct report report = {
		.iova = iova,
		.length = length,
		.page_size = 4096,
		.bitmap = (uintptr_t)bitmap,
	};

	return vfio_feature_try(&m->vf, VFIO_DEVICE_FEATURE_GET | MIG_FEATURE_LOG_REPORT,
				&report, sizeof(report));
}

/* If it does, it has what sets the bits. To look through all names takes seconds: once. */
static bool kernel_takes_reports(void)
{
	static const char names[] = "/tmp/iova_bitmap";

	if (access(names, F_OK))
		lab_command("grep ' iova_bitmap_set' /proc/kallsyms >%s", names);
	return !lab_command("[ -s %s ]", names);
}

static void need_reports(void)
{
	if (!kernel_takes_reports())
		SKIP("vfio.ko of this kernel takes no report of dirty pages");
}

static void set_up(struct mig *m, struct mig_live *before)
{
	need_reports();
	mig_up(1);
	mig_open(m, FN);
	dma_map(&m->vf.group, dma_alloc(SIZE), IOVA, SIZE);
	*before = mig_live();
}

static void tear_down(struct mig *m, const struct mig_live *before)
{
	mig_close(m);
	mig_expect_no_leak(before);
}

static void write_pages(struct mig *m, unsigned int first, unsigned int nr)
{
	ASSERT_EQ(hca_work_dma(&m->vf, HCA_DMA_TO_HOST, IOVA + first * 4096, 0, nr * 4096),
		  (unsigned int)HCA_DMA_IS_DONE);
}

/* --- start and stop ------------------------------------------------------------- */

TEST(start_and_stop)
{
	struct mig_live before;
	struct mig m;

	set_up(&m, &before);
	start(&m);
	EXPECT_EQ(hca_counter(0, HCA_LIVE_TRACKER), 1u);
	EXPECT_EQ(hca_counter(0, HCA_LIVE_QP), before.count[HCA_LIVE_QP] + 2);
	ASSERT_OK(stop_try(&m));
	mig_expect_no_leak(&before);
	start(&m);
	ASSERT_OK(stop_try(&m));
	tear_down(&m, &before);
}

TEST(start_twice_is_refused)
{
	struct mig_live before;
	uint64_t page = 4096;
	struct mig m;

	set_up(&m, &before);
	start(&m);
	EXPECT_ERRNO(start_try(&m, &all, 1, &page), EINVAL);
	EXPECT_EQ(hca_counter(0, HCA_LIVE_TRACKER), 1u);
	ASSERT_OK(stop_try(&m));
	ASSERT_OK(stop_try(&m));
	tear_down(&m, &before);
}

TEST(close_stops)
{
	struct mig_live before;
	struct mig m;

	set_up(&m, &before);
	start(&m);
	tear_down(&m, &before);
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
	static const struct range wide = { IOVA, 4 << 20 };
	struct mig_live before;
	uint64_t page = it->asked;
	struct mig m;

	set_up(&m, &before);
	ASSERT_OK(start_try(&m, &wide, 1, &page));
	EXPECT_EQ(page, it->got);
	tear_down(&m, &before);
}

/* vfio.ko sees to that */
TEST(ranges_are_made_of_pages)
{
	struct mig_live before;
	uint64_t page = 2 * SIZE;
	struct mig m;

	set_up(&m, &before);
	ASSERT_ERRNO(start_try(&m, &all, 1, &page), EINVAL);
	tear_down(&m, &before);
}

/* More ranges than firmware takes: neighbours are taken together. */
TEST(many_ranges)
{
	struct range ranges[50];
	struct mig_live before;
	uint64_t page = 4096;
	struct mig m;
	unsigned int i;

	set_up(&m, &before);
	for (i = 0; i < 50; i++) {
		ranges[i].iova = IOVA + i * 0x10000;
		ranges[i].length = 0x4000;
	}
	ASSERT_OK(start_try(&m, ranges, 50, &page));
	tear_down(&m, &before);
}

TEST(more_than_firmware_can_track)
{
	static const struct mig_setting small[] = { { HCA_SET_TRACKER_LOG_SPACE, 30 } };
	static const struct range large = { 0, 2ull << 30 };
	struct mig_live before;
	uint64_t page = 4096;
	struct mig m;

	need_reports();
	mig_up_with(1, small, 1);
	mig_open(&m, FN);
	before = mig_live();
	EXPECT_ERRNO(start_try(&m, &large, 1, &page), EOPNOTSUPP);
	mig_expect_no_leak(&before);
	start(&m);
	tear_down(&m, &before);
}

TEST(without_a_tracker_there_is_no_logging)
{
	static const struct mig_setting none[] = { { HCA_SET_TRACKER, 0 } };
	uint64_t page = 4096;
	struct mig m;

	mig_up_with(1, none, 1);
	mig_open(&m, FN);
	EXPECT_ERRNO(start_try(&m, &all, 1, &page), ENOTTY);
	EXPECT_ERRNO(stop_try(&m), ENOTTY);
	mig_close(&m);
}

/* QEMU does not migrate at all if it can start to track, but gets no report. */
TEST(without_reports_there_is_no_logging)
{
	uint64_t page = 4096;
	struct mig m;

	if (kernel_takes_reports())
		SKIP("vfio.ko of this kernel takes reports");
	mig_up(1);
	mig_open(&m, FN);
	EXPECT_ERRNO(start_try(&m, &all, 1, &page), ENOTTY);
	EXPECT_ERRNO(stop_try(&m), ENOTTY);
	mig_close(&m);
}

/* Reset of a guest's device must not lose what it wrote before. */
TEST(tracking_goes_on_over_a_reset)
{
	struct mig_live before;
	struct mig m;

	set_up(&m, &before);
	start(&m);
	vfio_reset(&m.vf);
	EXPECT_EQ(hca_counter(0, HCA_LIVE_TRACKER), 1u);
	ASSERT_OK(stop_try(&m));
	tear_down(&m, &before);
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

	set_up(&m, &before);
	hca_fail(HCA_FAULT_STATUS, it->opcode, 8, .skip = it->skip, .syndrome = 0x54321, .fn = 1);
	EXPECT_ERRNO(start_try(&m, &all, 1, &page), ENOMEM);
	EXPECT(kmsg_has("0x54321"));
	mig_expect_no_leak(&before);
	start(&m);
	tear_down(&m, &before);
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

	set_up(&m, &before);
	start(&m);
	hca_fail(HCA_FAULT_STATUS, it->opcode, 6, .fn = 1);
	ASSERT_OK(stop_try(&m));
	mig_expect_no_leak(&before);
	tear_down(&m, &before);
}

/* --- reports -------------------------------------------------------------------------- */

TEST(report_without_start_is_refused)
{
	uint64_t bitmap[PAGES / 64] = { 0 };
	struct mig_live before;
	struct mig m;

	set_up(&m, &before);
	EXPECT_ERRNO(report_try(&m, IOVA, SIZE, bitmap), EINVAL);
	tear_down(&m, &before);
}

TEST(report_is_what_was_written_bit_by_bit)
{
	uint64_t bitmap[PAGES / 64] = { 0 };
	struct mig_live before;
	struct mig m;

	set_up(&m, &before);
	start(&m);
	write_pages(&m, 5, 3);
	write_pages(&m, 20, 1);
	ASSERT_OK(report_try(&m, IOVA, SIZE, bitmap));
	EXPECT_EQ(bitmap[0], 0xe0ull | 1ull << 20);
	memset(bitmap, 0, sizeof(bitmap));
	ASSERT_OK(report_try(&m, IOVA, SIZE, bitmap));
	EXPECT_EQ(bitmap[0], 0ull);
	write_pages(&m, 63, 1);
	ASSERT_OK(report_try(&m, IOVA, SIZE, bitmap));
	EXPECT_EQ(bitmap[0], 1ull << 63);
	tear_down(&m, &before);
}

/* One page an entry, 512 entries a message: a long one needs many. */
TEST_LIMIT(report_of_many_messages, 120)
{
	static const struct mig_setting short_messages[] = { { HCA_SET_TRACKER_LOG_MSG, 12 } };
	static uint64_t bitmap[8192 / 64];
	const uint64_t size = 8192 * 4096ull;
	const struct range range = { IOVA, size };
	struct mig_live before;
	uint64_t page = 4096;
	unsigned int i;
	struct mig m;

	need_reports();
	mig_up_with(1, short_messages, 1);
	mig_open(&m, FN);
	dma_map(&m.vf.group, dma_alloc(size), IOVA, size);
	before = mig_live();
	ASSERT_OK(start_try(&m, &range, 1, &page));
	for (i = 0; i < 8192; i += 128)
		write_pages(&m, i, 64);
	ASSERT_OK(report_try(&m, IOVA, size, bitmap));
	for (i = 0; i < 8192 / 64; i++)
		ASSERT_EQ(bitmap[i], i % 2 ? 0 : ~0ull);
	tear_down(&m, &before);
}

struct breaking {
	const char *name;
	enum hca_action action;
	uint32_t type;
};

static const struct breaking broken[] = {
	{ "cq", HCA_DO_CQ_ERROR, 0 },
	{ "qp", HCA_DO_QP_ERROR, 5 },
	{ "tracker", HCA_DO_TRACKER_ERROR, 0 },
};

/* Bits may be lost: whoever asks is told, and can begin again. */
TEST_EACH(error_of_a_queue_fails_the_report, broken)
{
	uint64_t bitmap[PAGES / 64] = { 0 };
	struct mig_live before;
	struct mig m;

	set_up(&m, &before);
	start(&m);
	write_pages(&m, 1, 1);
	hca_do(it->action, 0, it->type);
	usleep(100000);
	EXPECT(report_try(&m, IOVA, SIZE, bitmap) < 0);
	ASSERT_OK(stop_try(&m));
	start(&m);
	write_pages(&m, 2, 1);
	memset(bitmap, 0, sizeof(bitmap));
	ASSERT_OK(report_try(&m, IOVA, SIZE, bitmap));
	EXPECT_EQ(bitmap[0], 4ull);
	tear_down(&m, &before);
}
