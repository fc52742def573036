// SPDX-License-Identifier: GPL-2.0-only
/*
 * mlx5_vfio_pci: reports of the pages that a VF wrote to by DMA.
 */
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/lab.h"
#include "lib/tap.h"
#include "lib/track.h"

/* --- reports -------------------------------------------------------------------------- */

TEST(report_without_start_is_refused)
{
	uint64_t bitmap[TRACK_PAGES / 64] = { 0 };
	struct mig_live before;
	struct mig m;

	track_up(&m, &before);
	EXPECT_ERRNO(track_report_try(&m, TRACK_IOVA, TRACK_SIZE, bitmap), EINVAL);
	track_down(&m, &before);
}

TEST(report_is_what_was_written_bit_by_bit)
{
	uint64_t bitmap[TRACK_PAGES / 64] = { 0 };
	struct mig_live before;
	struct mig m;

	track_up(&m, &before);
	track_start(&m);
	track_write(&m, 5, 3);
	track_write(&m, 20, 1);
	ASSERT_OK(track_report_try(&m, TRACK_IOVA, TRACK_SIZE, bitmap));
	EXPECT_EQ(bitmap[0], 0xe0ull | 1ull << 20);
	memset(bitmap, 0, sizeof(bitmap));
	ASSERT_OK(track_report_try(&m, TRACK_IOVA, TRACK_SIZE, bitmap));
	EXPECT_EQ(bitmap[0], 0ull);
	track_write(&m, 63, 1);
	ASSERT_OK(track_report_try(&m, TRACK_IOVA, TRACK_SIZE, bitmap));
	EXPECT_EQ(bitmap[0], 1ull << 63);
	track_down(&m, &before);
}

/* One page an entry, 512 entries a message: a long one needs many. */
TEST_LIMIT(report_of_many_messages, 120)
{
	static const struct mig_setting short_messages[] = { { HCA_SET_TRACKER_LOG_MSG, 12 } };
	static uint64_t bitmap[8192 / 64];
	const uint64_t size = 8192 * 4096ull;
	const struct track_range range = { TRACK_IOVA, size };
	struct mig_live before;
	uint64_t page = 4096;
	unsigned int i;
	struct mig m;

	track_needed();
	mig_up_with(1, short_messages, 1);
	mig_open(&m, TRACK_FN);
	dma_map(&m.vf.group, dma_alloc(size), TRACK_IOVA, size);
	before = mig_live();
	ASSERT_OK(track_start_try(&m, &range, 1, &page));
	for (i = 0; i < 8192; i += 128)
		track_write(&m, i, 64);
	ASSERT_OK(track_report_try(&m, TRACK_IOVA, size, bitmap));
	for (i = 0; i < 8192 / 64; i++)
		ASSERT_EQ(bitmap[i], i % 2 ? 0 : ~0ull);
	track_down(&m, &before);
}

/* Each takes a slot of the receive queue, of which there are 32: once more around. */
TEST_LIMIT(more_reports_than_slots, 60)
{
	uint64_t bitmap[TRACK_PAGES / 64];
	struct mig_live before;
	unsigned int i, page;
	struct mig m;

	track_up(&m, &before);
	track_start(&m);
	for (i = 0; i < 150; i++) {
		page = i * 7 % TRACK_PAGES;
		track_write(&m, page, 1);
		memset(bitmap, 0, sizeof(bitmap));
		ASSERT_OK(track_report_try(&m, TRACK_IOVA, TRACK_SIZE, bitmap));
		ASSERT_EQ(bitmap[0], 1ull << page);
	}
	track_down(&m, &before);
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

/* Bits may be lost: whoever is told so can begin again. */
static void expect_good_after_all(struct mig *m)
{
	uint64_t bitmap[TRACK_PAGES / 64] = { 0 };

	ASSERT_OK(track_stop_try(m));
	track_start(m);
	track_write(m, 2, 1);
	ASSERT_OK(track_report_try(m, TRACK_IOVA, TRACK_SIZE, bitmap));
	EXPECT_EQ(bitmap[0], 4ull);
}

TEST_EACH(error_of_a_queue_fails_the_report, broken)
{
	uint64_t bitmap[TRACK_PAGES / 64] = { 0 };
	struct mig_live before;
	struct mig m;

	track_up(&m, &before);
	track_start(&m);
	track_write(&m, 1, 1);
	hca_do(it->action, 0, it->type);
	test_pause(100);
	EXPECT(track_report_try(&m, TRACK_IOVA, TRACK_SIZE, bitmap) < 0);
	expect_good_after_all(&m);
	track_down(&m, &before);
}

/* --- firmware that takes its time ------------------------------------------------------ */

/* A program of its own whose report firmware has begun and does not go on with. */
static pid_t set_up_waiting(struct mig *m, struct mig_live *before)
{
	uint64_t bitmap[TRACK_PAGES / 64] = { 0 };
	uint32_t from;
	pid_t pid;

	track_up(m, before);
	track_start(m);
	from = hca_log_now();
	hca_set(HCA_SET_REPORT_MS, 3600 * 1000);
	pid = fork();
	ASSERT_OK(pid);
	if (!pid)
		_exit(track_report_try(m, TRACK_IOVA, TRACK_SIZE, bitmap) ? errno : 0);
	while (!hca_log_count(from, HCA_MODIFY_OBJECT))
		usleep(1000);
	hca_set(HCA_SET_REPORT_MS, 1);
	return pid;
}

/* How it ends, an errno or a signal. That it does at all is much of the test. */
static int end_of(pid_t pid)
{
	int status;

	ASSERT_EQ(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

TEST_EACH(error_of_a_queue_ends_a_report_that_waits, broken)
{
	struct mig_live before;
	struct mig m;
	pid_t pid;

	pid = set_up_waiting(&m, &before);
	hca_do(it->action, 0, it->type);
	EXPECT_EQ(end_of(pid), EIO);
	expect_good_after_all(&m);
	track_down(&m, &before);
}

TEST(stop_ends_a_report_that_waits)
{
	struct mig_live before;
	struct mig m;
	pid_t pid;

	pid = set_up_waiting(&m, &before);
	ASSERT_OK(track_stop_try(&m));
	EXPECT_EQ(end_of(pid), ENODEV);
	expect_good_after_all(&m);
	track_down(&m, &before);
}

/* Firmware that dies forgets what it tracked. */
TEST_LIMIT(pf_that_recovers_ends_a_report_that_waits, 60)
{
	uint64_t bitmap[TRACK_PAGES / 64] = { 0 };
	struct mig_live before;
	struct mig m;
	pid_t pid;

	pid = set_up_waiting(&m, &before);
	hca_recover();
	EXPECT_EQ(end_of(pid), ENOTCONN);
	EXPECT_ERRNO(track_report_try(&m, TRACK_IOVA, TRACK_SIZE, bitmap), EINVAL);
	before = mig_live();
	expect_good_after_all(&m);
	track_down(&m, &before);
}

TEST(second_report_is_refused_while_one_waits)
{
	uint64_t bitmap[TRACK_PAGES / 64] = { 0 };
	struct mig_live before;
	struct mig m;
	pid_t pid;

	pid = set_up_waiting(&m, &before);
	EXPECT_ERRNO(track_report_try(&m, TRACK_IOVA, TRACK_SIZE, bitmap), EBUSY);
	ASSERT_OK(track_stop_try(&m));
	EXPECT_EQ(end_of(pid), ENODEV);
	track_down(&m, &before);
}

/* What had been read of it is lost, so that the next report would lack pages. */
TEST(report_that_waits_can_be_killed)
{
	uint64_t bitmap[TRACK_PAGES / 64] = { 0 };
	struct mig_live before;
	struct mig m;
	pid_t pid;

	pid = set_up_waiting(&m, &before);
	ASSERT_OK(kill(pid, SIGKILL));
	EXPECT_EQ(end_of(pid), -SIGKILL);
	EXPECT_ERRNO(track_report_try(&m, TRACK_IOVA, TRACK_SIZE, bitmap), EIO);
	expect_good_after_all(&m);
	track_down(&m, &before);
}
