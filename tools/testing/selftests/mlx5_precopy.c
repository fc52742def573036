// SPDX-License-Identifier: GPL-2.0-only
/*
 * mlx5_vfio_pci: saving a VF while it runs: rounds, what is told of them, and what
 * happens if firmware loses track.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/kmsg.h"
#include "lib/lab.h"
#include "lib/mig.h"
#include "lib/tap.h"

#define SRC	1
#define DST	2
#define SEED	0xc0de
#define PAGES	128

static const struct mig_setting chunks[] = { { HCA_SET_CHUNKS, 1 } };

static void pair_open(struct mig *src, struct mig *dst)
{
	hca_set(HCA_SET_VF_PAGES, PAGES);
	mig_open(src, SRC);
	mig_open(dst, DST);
	mig_fill(src, SEED);
}

/* The source stops, the rest comes over, and the other side is what it was. */
static void finish(struct mig *src, struct mig *dst, struct mig_stream *stream)
{
	mig_set(src, MIG_STOP_COPY);
	mig_drain(src, stream);
	ASSERT_EQ(mig_load_all(dst, stream), 0);
	mig_expect(dst, MIG_RUNNING);
	mig_stream_free(stream);
}

static void pair_close(struct mig *src, struct mig *dst)
{
	mig_close(src);
	mig_close(dst);
	EXPECT_EQ(hca_counter(SRC, HCA_MISUSED), 0u);
	EXPECT_EQ(hca_counter(DST, HCA_MISUSED), 0u);
}

/* One word in each of the first @pages: less than that is the page's own mark. */
static void touch(struct mig *m, unsigned int pages, uint32_t val)
{
	unsigned int page;

	hca_work_put(&m->vf, HCA_W_WINDOW, 0);
	for (page = 0; page < pages; page++)
		region_put(&m->vf, VFIO_PCI_BAR0_REGION_INDEX,
			   HCA_WINDOW + page * HCA_PAGE + 64, 4, val + page);
}

static void expect_touched(struct mig *m, unsigned int page, uint32_t val)
{
	hca_work_put(&m->vf, HCA_W_WINDOW, 0);
	ASSERT_EQ(region_get(&m->vf, VFIO_PCI_BAR0_REGION_INDEX,
			     HCA_WINDOW + page * HCA_PAGE + 64, 4), val + page);
}

/* --- rounds ------------------------------------------------------------------------- */

TEST(rounds_get_smaller_as_less_changes)
{
	struct mig_stream stream = { 0 };
	unsigned int changed, page;
	uint64_t dirty, last = ~0ull;
	struct mig_live before;
	struct mig src, dst;
	size_t len;

	mig_up(2);
	pair_open(&src, &dst);
	before = mig_live();
	mig_set(&src, MIG_PRE_COPY);
	mig_drain(&src, &stream);
	for (changed = PAGES; changed; changed /= 2) {
		touch(&src, changed, changed << 16);
		dirty = mig_precopy(&src).dirty_bytes;
		EXPECT_LE(dirty, last - 1);
		EXPECT_GE(dirty, changed * HCA_PAGE);
		last = dirty;
		len = stream.len;
		mig_drain(&src, &stream);
		EXPECT_EQ(stream.len - len, dirty);
	}
	finish(&src, &dst, &stream);
	mig_expect_filled(&dst, SEED);
	for (changed = PAGES; changed; changed /= 2) {
		for (page = changed / 2; page < changed; page++)
			expect_touched(&dst, page, changed << 16);
	}
	mig_set(&src, MIG_RUNNING);
	mig_expect_no_leak(&before);
	pair_close(&src, &dst);
}

TEST(precopy_info_tells_what_is_left)
{
	struct mig_stream stream = { 0 };
	struct mig_precopy_info info;
	struct mig src, dst;
	uint8_t some[24];

	mig_up(2);
	pair_open(&src, &dst);
	mig_set(&src, MIG_PRE_COPY);
	mig_wait(&src, POLLIN);
	info = mig_precopy(&src);
	EXPECT_GE(info.initial_bytes, PAGES * HCA_PAGE);
	EXPECT_EQ(read(src.data, some, sizeof(some)), (ssize_t)sizeof(some));
	EXPECT_EQ(mig_precopy(&src).initial_bytes, info.initial_bytes - sizeof(some));
	mig_drain(&src, &stream);
	EXPECT_EQ(stream.len, info.initial_bytes - sizeof(some));
	info = mig_precopy(&src);
	EXPECT_EQ(info.initial_bytes, 0u);
	EXPECT_NE(info.dirty_bytes, 0u);
	mig_stream_free(&stream);
	pair_close(&src, &dst);
}

/* Not there yet, but not nothing either: who believed that would stop too early. */
TEST(initial_bytes_while_the_first_save_is_going_on)
{
	struct mig src, dst;
	char byte;

	mig_up(2);
	pair_open(&src, &dst);
	hca_fail(HCA_FAULT_HOLD, HCA_SAVE_VHCA, 0);
	mig_set(&src, MIG_PRE_COPY);
	mig_await_commands(1);
	EXPECT_GE(mig_precopy(&src).initial_bytes, PAGES * HCA_PAGE);
	ASSERT_OK(fcntl(src.data, F_SETFL, O_NONBLOCK));
	/* The guess at the final size is there, then there is a gap. */
	while (read(src.data, &byte, 1) == 1)
		;
	EXPECT_EQ(errno, EAGAIN);
	EXPECT_EQ(mig_poll(&src), 0);
	hca_release();
	mig_wait(&src, POLLIN);
	pair_close(&src, &dst);
}

TEST(nothing_more_to_read_is_no_end)
{
	struct mig_stream stream = { 0 };
	struct mig src, dst;
	char byte;

	mig_up(2);
	pair_open(&src, &dst);
	mig_set(&src, MIG_PRE_COPY);
	mig_drain(&src, &stream);
	EXPECT_ERRNO(read(src.data, &byte, 1), ENOMSG);
	EXPECT_EQ(mig_poll(&src), 0);
	mig_set(&src, MIG_PRE_COPY_P2P);
	EXPECT_ERRNO(read(src.data, &byte, 1), ENOMSG);
	finish(&src, &dst, &stream);
	EXPECT_EQ(read(src.data, &byte, 1), 0);
	EXPECT_EQ(mig_poll(&src), POLLIN);
	mig_expect_filled(&dst, SEED);
	pair_close(&src, &dst);
}

TEST(precopy_info_is_for_precopy)
{
	struct mig_precopy_info info = { .argsz = sizeof(info) - 1 };
	struct mig src, dst;

	mig_up(2);
	pair_open(&src, &dst);
	mig_set(&src, MIG_PRE_COPY);
	EXPECT_ERRNO(ioctl(src.data, MIG_GET_PRECOPY_INFO, &info), EINVAL);
	EXPECT_ERRNO(ioctl(src.data, MIG_GET_PRECOPY_INFO, NULL), EFAULT);
	info.argsz = sizeof(info);
	mig_set(&src, MIG_STOP_COPY);
	EXPECT_ERRNO(ioctl(src.data, MIG_GET_PRECOPY_INFO, &info), EINVAL);
	mig_set(&src, MIG_RUNNING);
	EXPECT_ERRNO(ioctl(src.data, MIG_GET_PRECOPY_INFO, &info), ENODEV);
	pair_close(&src, &dst);
}

/* --- leaving PRE_COPY ----------------------------------------------------------------- */

struct leave {
	const char *name;
	bool chunked;
	size_t read;
};

static const struct leave leaves[] = {
	{ "unread", false, 0 },
	{ "in-a-header", false, 30 },
	{ "in-an-image", false, 5000 },
	{ "chunks-unread", true, 0 },
	{ "in-the-first-chunk", true, 5000 },
	{ "in-the-second-chunk", true, 150000 },
};

/* Whatever was not read by then comes later, in the same order. */
TEST_EACH(stop_before_everything_was_read, leaves)
{
	struct mig_stream stream = { 0 };
	struct mig_live before;
	struct mig src, dst;

	mig_up_with(2, chunks, it->chunked);
	hca_set(HCA_SET_CHUNK_SIZE, 128 << 10);
	pair_open(&src, &dst);
	before = mig_live();
	mig_set(&src, MIG_PRE_COPY);
	stream.data = malloc(it->read + 1);
	while (stream.len < it->read) {
		ssize_t n = read(src.data, stream.data + stream.len, it->read - stream.len);

		ASSERT(n > 0);
		stream.len += n;
	}
	touch(&src, 10, 77);
	finish(&src, &dst, &stream);
	mig_expect_filled(&dst, SEED);
	expect_touched(&dst, 9, 77);
	mig_set(&src, MIG_RUNNING);
	mig_expect_no_leak(&before);
	pair_close(&src, &dst);
}

TEST(precopy_can_be_given_up_and_begun_again)
{
	struct mig_stream stream = { 0 };
	struct mig src, dst;

	mig_up(2);
	pair_open(&src, &dst);
	mig_set(&src, MIG_PRE_COPY);
	mig_drain(&src, &stream);
	mig_set(&src, MIG_RUNNING);
	mig_stream_free(&stream);
	touch(&src, 5, 99);
	mig_set(&src, MIG_PRE_COPY);
	mig_drain(&src, &stream);
	finish(&src, &dst, &stream);
	mig_expect_filled(&dst, SEED);
	expect_touched(&dst, 4, 99);
	pair_close(&src, &dst);
}

/* --- firmware loses track ----------------------------------------------------------- */

struct lost {
	const char *name;
	enum hca_opcode opcode;
	unsigned int skip;
	unsigned int rounds;
};

static const struct lost losses[] = {
	{ "first-save", HCA_SAVE_VHCA, 0, 0 },
	{ "increment", HCA_SAVE_VHCA, 1, 1 },
	{ "query", HCA_QUERY_MIGRATION, 1, 1 },
	{ "last-query", HCA_QUERY_MIGRATION, 1, 0 },
};

/* BAD_RES_STATE in PRE_COPY costs the work so far: all of it is saved at the end. */
TEST_EACH(losing_track_is_no_failure, losses)
{
	struct mig_stream stream = { 0 };
	struct mig_live before;
	struct mig src, dst;
	unsigned int slot, i;

	mig_up(2);
	pair_open(&src, &dst);
	before = mig_live();
	slot = hca_fail(HCA_FAULT_STATUS, it->opcode, 9, .skip = it->skip);
	mig_set(&src, MIG_PRE_COPY);
	mig_drain(&src, &stream);
	for (i = 0; i < it->rounds; i++) {
		touch(&src, 20, 5);
		mig_precopy(&src);
		mig_drain(&src, &stream);
	}
	mig_expect(&src, MIG_PRE_COPY);
	touch(&src, 20, 6);
	finish(&src, &dst, &stream);
	EXPECT_EQ(hca_fault_hits(slot), 1u);
	EXPECT(kmsg_has("status 0x9"));
	mig_expect_filled(&dst, SEED);
	expect_touched(&dst, 19, 6);
	mig_set(&src, MIG_RUNNING);
	mig_expect_no_leak(&before);
	pair_close(&src, &dst);
}

/* Any other failure of a save is one. */
TEST(failing_save_is_told_to_the_reader)
{
	struct mig_stream stream = { 0 };
	struct mig_live before;
	struct mig src, dst;

	mig_up(2);
	pair_open(&src, &dst);
	before = mig_live();
	hca_fail(HCA_FAULT_STATUS, HCA_SAVE_VHCA, 1, .syndrome = 0xabcde);
	mig_set(&src, MIG_PRE_COPY);
	EXPECT_EQ(mig_read(&src, &stream, 100), EIO);
	EXPECT(mig_poll(&src) & POLLERR);
	EXPECT(kmsg_has("opcode 0x118 op_mod 0x0 status 0x1 syndrome 0xabcde"));
	EXPECT_ERRNO(mig_set_try(&src, MIG_STOP_COPY), EIO);
	mig_set(&src, MIG_RUNNING);
	mig_expect_no_leak(&before);
	mig_stream_free(&stream);
	pair_close(&src, &dst);
}
