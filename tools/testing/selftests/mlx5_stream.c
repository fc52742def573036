// SPDX-License-Identifier: GPL-2.0-only
/*
 * mlx5_vfio_pci: what goes over a data file: all of a VF's state, in the kernel's own
 * format, however it is read and written.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/lab.h"
#include "lib/mig.h"
#include "lib/tap.h"

#define SRC	1
#define DST	2
#define SEED	0x5eed

static const struct mig_setting no_tracking[] = { { HCA_SET_TRACKED, 0 } };
static const struct mig_setting chunks[] = { { HCA_SET_CHUNKS, 1 } };

/* Two VFs with @pages of memory each, one of them full of SEED. */
static void pair_open(struct mig *src, struct mig *dst, unsigned int pages)
{
	hca_set(HCA_SET_VF_PAGES, pages);
	mig_open(src, SRC);
	mig_open(dst, DST);
	ASSERT_EQ(hca_work_get(&src->vf, HCA_W_PAGES), pages);
	mig_fill(src, SEED);
}

static void pair_close(struct mig *src, struct mig *dst)
{
	mig_close(src);
	mig_close(dst);
	EXPECT_EQ(hca_counter(SRC, HCA_MISUSED), 0u);
	EXPECT_EQ(hca_counter(DST, HCA_MISUSED), 0u);
}

/* --- pieces ----------------------------------------------------------------------- */

struct pieces {
	const char *name;
	size_t read;
	size_t write;
};

static const struct pieces pieces[] = {
	{ "1-1", 1, 1 },
	{ "1-large", 1, 1 << 20 },
	{ "large-1", 1 << 20, 1 },
	{ "13-4095", 13, 4095 },
	{ "4097-17", 4097, 17 },
	{ "large-large", 1 << 20, 1 << 20 },
};

TEST_EACH_LIMIT(move_in_pieces, pieces, 60)
{
	struct mig_stream stream = { 0 };
	struct mig_live before;
	struct mig src, dst;

	mig_up(2);
	pair_open(&src, &dst, 8);
	before = mig_live();
	mig_set(&src, MIG_STOP_COPY);
	ASSERT_EQ(mig_read(&src, &stream, it->read), 0);
	mig_set(&dst, MIG_RESUMING);
	ASSERT_EQ(mig_write(&dst, stream.data, stream.len, it->write), 0);
	mig_set(&dst, MIG_RUNNING);
	mig_expect(&dst, MIG_RUNNING);
	mig_expect_filled(&dst, SEED);
	mig_set(&src, MIG_RUNNING);
	mig_expect_no_leak(&before);
	mig_stream_free(&stream);
	pair_close(&src, &dst);
}

/* --- format ----------------------------------------------------------------------- */

struct header {
	uint64_t size;
	uint32_t flags;
	uint32_t tag;
};

static struct header header_at(const struct mig_stream *stream, unsigned int nr)
{
	struct header header;

	memcpy(&header, stream->data + mig_record(stream, nr), sizeof(header));
	return header;
}

/* Guests move between kernels, thus between drivers. */
TEST(stop_copy_is_one_image_with_a_header)
{
	struct mig_stream stream = { 0 };
	struct header header;
	struct mig src, dst;

	mig_up(2);
	pair_open(&src, &dst, 8);
	mig_save_all(&src, &stream);
	ASSERT_EQ(mig_records(&stream), 1u);
	header = header_at(&stream, 0);
	EXPECT_EQ(header.tag, 0u);
	EXPECT_EQ(header.flags, 0u);
	EXPECT_EQ(header.size, stream.len - 16);
	mig_stream_free(&stream);
	pair_close(&src, &dst);
}

TEST(precopy_begins_with_a_guess_at_the_end)
{
	struct mig_stream stream = { 0 };
	struct header header;
	struct mig src, dst;
	uint64_t size, guess;

	mig_up(2);
	pair_open(&src, &dst, 8);
	size = mig_data_size(&src);
	mig_set(&src, MIG_PRE_COPY);
	mig_drain(&src, &stream);
	ASSERT_EQ(mig_records(&stream), 2u);
	header = header_at(&stream, 0);
	EXPECT_EQ(header.tag, 1u);
	EXPECT_EQ(header.flags, 1u);
	EXPECT_EQ(header.size, 8u);
	memcpy(&guess, stream.data + 16, sizeof(guess));
	EXPECT_EQ(guess, size - 16);
	EXPECT_EQ(header_at(&stream, 1).tag, 0u);
	mig_stream_free(&stream);
	pair_close(&src, &dst);
}

/* Without precopy the kernel's driver writes the image as it is. */
TEST(without_precopy_there_is_no_header)
{
	struct mig_stream stream = { 0 };
	struct mig src, dst;
	uint32_t magic;

	mig_up_with(2, no_tracking, 1);
	pair_open(&src, &dst, 8);
	mig_save_all(&src, &stream);
	memcpy(&magic, stream.data, sizeof(magic));
	EXPECT_EQ(magic, 0x56484341u);
	ASSERT_EQ(mig_load_all(&dst, &stream), 0);
	mig_expect_filled(&dst, SEED);
	mig_stream_free(&stream);
	pair_close(&src, &dst);
}

/* --- size ------------------------------------------------------------------------- */

TEST(data_size_is_what_is_left)
{
	struct mig_stream stream = { 0 };
	struct mig src, dst;
	uint64_t size;
	uint8_t some[1000];

	mig_up(2);
	pair_open(&src, &dst, 16);
	size = mig_data_size(&src);
	mig_set(&src, MIG_STOP_COPY);
	mig_wait(&src, POLLIN);
	EXPECT_EQ(mig_data_size(&src), size);
	ASSERT_EQ(read(src.data, some, sizeof(some)), (ssize_t)sizeof(some));
	EXPECT_EQ(mig_data_size(&src), size - sizeof(some));
	mig_drain(&src, &stream);
	EXPECT_EQ(stream.len + sizeof(some), size);
	EXPECT_EQ(mig_data_size(&src), 0u);
	mig_stream_free(&stream);
	pair_close(&src, &dst);
}

/* Two pieces exist at a time, so what is read has to make room for the next. */
TEST_LIMIT(image_over_8_mib_comes_in_chunks, 120)
{
	struct mig_stream stream = { 0 };
	struct mig_live before;
	struct mig src, dst;

	mig_up_with(2, chunks, 1);
	hca_set(HCA_SET_CHUNK_SIZE, 4 << 20);
	pair_open(&src, &dst, 2560);
	before = mig_live();
	EXPECT_GE(mig_data_size(&src), 10u << 20);
	mig_save_all(&src, &stream);
	EXPECT_EQ(mig_records(&stream), 3u);
	EXPECT_LE(header_at(&stream, 0).size, 4u << 20);
	ASSERT_EQ(mig_load_all(&dst, &stream), 0);
	mig_expect_filled(&dst, SEED);
	mig_expect_no_leak(&before);
	mig_stream_free(&stream);
	pair_close(&src, &dst);
}

/* --- several ------------------------------------------------------------------------ */

TEST(two_vfs_save_at_once)
{
	struct mig_stream one = { 0 }, two = { 0 };
	struct mig src, dst;

	mig_up(2);
	pair_open(&src, &dst, 8);
	mig_fill(&dst, SEED + 1);
	hca_fail(HCA_FAULT_HOLD, HCA_SAVE_VHCA, 0, .times = 2);
	mig_set(&src, MIG_STOP_COPY);
	mig_set(&dst, MIG_STOP_COPY);
	mig_await_commands(2);
	hca_release();
	mig_drain(&src, &one);
	mig_drain(&dst, &two);
	mig_set(&src, MIG_RUNNING);
	mig_set(&dst, MIG_RUNNING);
	ASSERT_EQ(mig_load_all(&src, &two), 0);
	ASSERT_EQ(mig_load_all(&dst, &one), 0);
	mig_expect_filled(&src, SEED + 1);
	mig_expect_filled(&dst, SEED);
	mig_stream_free(&one);
	mig_stream_free(&two);
	pair_close(&src, &dst);
}

/* A VF that failed to get away goes on as if nothing had been. */
TEST(source_runs_on)
{
	struct mig_stream stream = { 0 };
	struct mig src, dst;
	uint64_t ticks;

	mig_up(2);
	pair_open(&src, &dst, 8);
	ticks = hca_work_get(&src.vf, HCA_W_TICKS);
	mig_save_all(&src, &stream);
	EXPECT_GE(hca_work_get(&src.vf, HCA_W_TICKS), ticks);
	mig_expect_filled(&src, SEED);
	mig_fill(&src, SEED + 1);
	mig_expect_filled(&src, SEED + 1);
	mig_stream_free(&stream);
	pair_close(&src, &dst);
}

/* --- files ------------------------------------------------------------------------- */

static void nonblocking(struct mig *m)
{
	ASSERT_OK(fcntl(m->data, F_SETFL, O_NONBLOCK));
}

TEST(reading_waits_unless_it_must_not)
{
	struct mig_stream stream = { 0 };
	struct mig src, dst;
	char byte;

	mig_up(2);
	pair_open(&src, &dst, 8);
	hca_fail(HCA_FAULT_HOLD, HCA_SAVE_VHCA, 0);
	mig_set(&src, MIG_STOP_COPY);
	mig_await_commands(1);
	nonblocking(&src);
	EXPECT_EQ(mig_poll(&src), 0);
	EXPECT_ERRNO(read(src.data, &byte, 1), EAGAIN);
	hca_release();
	mig_wait(&src, POLLIN);
	EXPECT_EQ(read(src.data, &byte, 1), 1);
	ASSERT_EQ(mig_read(&src, &stream, 1 << 20), 0);
	EXPECT_EQ(mig_poll(&src), POLLIN);
	EXPECT_EQ(read(src.data, &byte, 1), 0);
	mig_stream_free(&stream);
	mig_set(&src, MIG_STOP);

	/* And this one waits. */
	hca_set(HCA_SET_SAVE_MS, 500);
	mig_set(&src, MIG_STOP_COPY);
	EXPECT_EQ(read(src.data, &byte, 1), 1);
	pair_close(&src, &dst);
}

TEST(writing_is_always_possible)
{
	struct mig_stream stream = { 0 };
	struct mig src, dst;

	mig_up(2);
	pair_open(&src, &dst, 8);
	mig_save_all(&src, &stream);
	mig_set(&dst, MIG_RESUMING);
	nonblocking(&dst);
	EXPECT_EQ(mig_poll(&dst), POLLOUT);
	ASSERT_EQ(mig_write(&dst, stream.data, stream.len, 1000), 0);
	mig_set(&dst, MIG_RUNNING);
	EXPECT(mig_poll(&dst) & POLLERR);
	mig_stream_free(&stream);
	pair_close(&src, &dst);
}

TEST(files_are_streams)
{
	struct mig src, dst;
	char byte = 0;

	mig_up(2);
	pair_open(&src, &dst, 8);
	mig_set(&src, MIG_STOP_COPY);
	mig_set(&dst, MIG_RESUMING);
	EXPECT_ERRNO(pread(src.data, &byte, 1, 0), ESPIPE);
	EXPECT_ERRNO(pwrite(dst.data, &byte, 1, 1ull << 62), ESPIPE);
	EXPECT_ERRNO(lseek(src.data, 0, SEEK_SET), ESPIPE);
	EXPECT_ERRNO(write(src.data, &byte, 1), EBADF);
	EXPECT_ERRNO(read(dst.data, &byte, 1), EBADF);
	EXPECT_ERRNO(ioctl(src.data, VFIO_DEVICE_GET_INFO, NULL), ENOTTY);
	EXPECT_ERRNO(ioctl(dst.data, MIG_GET_PRECOPY_INFO, NULL), ENOTTY);
	EXPECT_EQ(read(src.data, &byte, 0), 0);
	EXPECT_EQ(write(dst.data, &byte, 0), 0);
	pair_close(&src, &dst);
}

/* A page that can be used, and after it one that cannot. */
static uint8_t *two_pages(void)
{
	uint8_t *addr = mmap(NULL, 8192, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT(addr != MAP_FAILED);
	ASSERT_OK(munmap(addr + 4096, 4096));
	return addr;
}

/* What memory of the program's cannot take, or give, is not lost. */
TEST(bad_memory_costs_no_byte)
{
	struct mig_stream stream = { 0 }, want = { 0 };
	uint8_t *page = two_pages();
	struct mig src, dst;

	mig_up(2);
	pair_open(&src, &dst, 8);
	mig_save_all(&src, &want);
	mig_set(&src, MIG_STOP_COPY);
	EXPECT_ERRNO(read(src.data, page + 4096, 100), EFAULT);
	ASSERT_EQ(read(src.data, page, 8192), 4096);
	stream.data = malloc(4096);
	memcpy(stream.data, page, 4096);
	stream.len = 4096;
	mig_drain(&src, &stream);
	ASSERT_EQ(stream.len, want.len);

	mig_set(&dst, MIG_RESUMING);
	EXPECT_ERRNO(write(dst.data, page + 4096, 100), EFAULT);
	ASSERT_EQ(write(dst.data, page, 8192), 4096);
	ASSERT_EQ(mig_write(&dst, stream.data + 4096, stream.len - 4096, 1 << 20), 0);
	mig_set(&dst, MIG_RUNNING);
	mig_expect_filled(&dst, SEED);
	mig_stream_free(&stream);
	mig_stream_free(&want);
	pair_close(&src, &dst);
}
