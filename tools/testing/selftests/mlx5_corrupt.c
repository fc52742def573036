// SPDX-License-Identifier: GPL-2.0-only
/*
 * mlx5_vfio_pci: streams that are not what a source sent. Each ends in ERROR, never in
 * a VF with half a state, and a reset makes up for it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/kmsg.h"
#include "lib/lab.h"
#include "lib/mig.h"
#include "lib/tap.h"

#define SRC	1
#define DST	2
#define SEED	0xbad

/* Records of the good stream: a guess at the size, an image, two increments. */
enum {
	GUESS,
	IMAGE,
	FIRST_INCREMENT,
	LAST_INCREMENT,
	RECORDS,
};

static void record(struct mig *src, struct mig_stream *good)
{
	mig_set(src, MIG_PRE_COPY);
	mig_drain(src, good);
	mig_fill(src, SEED);
	mig_precopy(src);
	mig_drain(src, good);
	mig_set(src, MIG_STOP_COPY);
	mig_drain(src, good);
	mig_set(src, MIG_RUNNING);
	mig_close_data(src);
	ASSERT_EQ(mig_records(good), (unsigned int)RECORDS);
}

static void copy(struct mig_stream *to, const struct mig_stream *from, size_t pos, size_t len)
{
	to->data = realloc(to->data, to->len + len);
	ASSERT(to->data);
	memcpy(to->data + to->len, from->data + pos, len);
	to->len += len;
}

static void copy_record(struct mig_stream *to, const struct mig_stream *from, unsigned int nr)
{
	size_t pos = mig_record(from, nr);

	copy(to, from, pos, mig_record(from, nr + 1) - pos);
}

static void put(struct mig_stream *stream, size_t pos, uint64_t val, size_t len)
{
	ASSERT_LE(pos + len, stream->len);
	memcpy(stream->data + pos, &val, len);
}

/* --- the damage ----------------------------------------------------------------------- */

/**
 * struct damage - what is wrong with a stream
 * @name:	of the case
 * @order:	records to be sent, as digits; NULL: all of them
 * @nr:		record whose header is changed
 * @at:		field of that header, or a byte further on
 * @len:	bytes of the field, 0 for none
 * @val:	what is put there
 * @keep:	bytes to be sent of what came out of that; 0: all; negative: all but
 */
struct damage {
	const char *name;
	const char *order;
	unsigned int nr;
	size_t at;
	size_t len;
	uint64_t val;
	long keep;
};

#define SIZE	.at = 0, .len = 8
#define FLAGS	.at = 8, .len = 4
#define TAG	.at = 12, .len = 4

static const struct damage damages[] = {
	{ "nothing-at-all", .order = "" },
	{ "only-the-guess", .order = "0" },
	{ "cut-in-the-first-header", .keep = 7 },
	{ "cut-after-the-first-header", .keep = 16 },
	{ "cut-in-the-guess", .keep = 20 },
	{ "cut-in-the-image-header", .keep = 24 + 15 },
	{ "cut-in-the-image", .keep = 24 + 16 + 5000 },
	{ "cut-before-the-last-byte", .keep = -1 },
	{ "size-zero", .nr = IMAGE, SIZE, .val = 0 },
	{ "size-too-small", .nr = IMAGE, SIZE, .val = 4096 },
	{ "size-too-large", .nr = LAST_INCREMENT, SIZE, .val = 1 << 20 },
	{ "size-4-gib", .nr = IMAGE, SIZE, .val = 1ull << 32 },
	{ "size-negative", .nr = IMAGE, SIZE, .val = ~0ull },
	{ "guess-of-another-size", .nr = GUESS, SIZE, .val = 16 },
	{ "unknown-flag", .nr = IMAGE, FLAGS, .val = 2 },
	{ "unknown-record", .nr = IMAGE, TAG, .val = 5 },
	{ "image-marked-optional-of-unknown-kind", .nr = FIRST_INCREMENT, TAG, .val = 1 },
	{ "bit-in-the-image", .nr = IMAGE, .at = 16 + 20000, .len = 1, .val = 0x5a },
	{ "firmware-header", .nr = IMAGE, .at = 16, .len = 4, .val = 0xdead },
	{ "increment-before-image", .order = "0213" },
	{ "increments-swapped", .order = "0132" },
	{ "increment-missing", .order = "013" },
	{ "increment-twice", .order = "01223" },
	{ "image-missing", .order = "023" },
};

static void damage(struct mig_stream *bad, const struct mig_stream *good,
		   const struct damage *how)
{
	const char *order = how->order ? how->order : "0123";

	for (; *order; order++)
		copy_record(bad, good, *order - '0');
	if (how->len)
		put(bad, mig_record(good, how->nr) + how->at, how->val, how->len);
	if (how->keep)
		bad->len = how->keep > 0 ? (size_t)how->keep : bad->len + how->keep;
}

/* What the firmware finds wrong, a write tells; what is missing, only the end. */
static void expect_error(struct mig *dst, const struct mig_stream *bad)
{
	char byte = 0;
	int ret;

	mig_set(dst, MIG_RESUMING);
	ret = mig_write(dst, bad->data, bad->len, 1 << 16);
	if (ret)
		EXPECT_ERRNO(write(dst->data, &byte, 1), ret);
	mig_expect(dst, MIG_RESUMING);
	EXPECT(mig_set_try(dst, MIG_STOP) < 0);
	EXPECT_NE(errno, 0);
	if (ret)
		EXPECT_EQ(errno, ret);
	mig_expect(dst, MIG_ERROR);
	EXPECT(kmsg_has("the migration stream is damaged, or not complete"));
	EXPECT_ERRNO(write(dst->data, &byte, 1), ENODEV);
	EXPECT_ERRNO(mig_set_try(dst, MIG_RUNNING), EINVAL);
	mig_close_data(dst);
}

TEST_EACH_LIMIT(damaged_stream_ends_in_error, damages, 60)
{
	struct mig_stream good = { 0 }, bad = { 0 };
	struct mig_live before;
	struct mig src, dst;

	mig_up(2);
	hca_set(HCA_SET_SAVE_MS, 1);
	hca_set(HCA_SET_VF_PAGES, 16);
	mig_open(&src, SRC);
	mig_open(&dst, DST);
	before = mig_live();
	record(&src, &good);
	damage(&bad, &good, it);
	expect_error(&dst, &bad);

	vfio_reset(&dst.vf);
	mig_expect(&dst, MIG_RUNNING);
	ASSERT_EQ(mig_load_all(&dst, &good), 0);
	mig_expect_filled(&dst, SEED);
	mig_expect_no_leak(&before);
	mig_stream_free(&good);
	mig_stream_free(&bad);
	mig_close(&src);
	mig_close(&dst);
}

/* --- what is no damage ------------------------------------------------------------------ */

/* A later driver may have more to say. */
TEST(unknown_record_can_be_optional)
{
	static const uint8_t optional[] = {
		8, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 99, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8,
	};
	struct mig_stream good = { 0 }, odd = { 0 };
	struct mig_stream record_of = { (uint8_t *)optional, sizeof(optional) };
	struct mig src, dst;

	mig_up(2);
	mig_open(&src, SRC);
	mig_open(&dst, DST);
	mig_fill(&src, SEED);
	mig_save_all(&src, &good);
	copy(&odd, &record_of, 0, sizeof(optional));
	copy(&odd, &good, 0, good.len);
	copy(&odd, &record_of, 0, sizeof(optional));
	ASSERT_EQ(mig_load_all(&dst, &odd), 0);
	mig_expect_filled(&dst, SEED);
	mig_close(&src);
	mig_close(&dst);
}

static long available_kib(void)
{
	char text[4096];
	char *at;

	ASSERT_EQ(file_read("/proc/meminfo", text, sizeof(text)), 0);
	at = strstr(text, "MemAvailable:");
	ASSERT(at);
	return strtol(at + strlen("MemAvailable:"), NULL, 10);
}

/* Memory is used for what has come, not for what is said to come. */
TEST(huge_image_is_not_believed)
{
	static const uint8_t header[16] = { 0xff, 0xff, 0xff, 0xff };
	static const uint8_t guess[24] = {
		8, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
	};
	static uint8_t some[65536];
	struct mig dst;
	long before;

	mig_up(1);
	mig_open(&dst, 1);
	mig_set(&dst, MIG_RESUMING);
	before = available_kib();
	ASSERT_EQ(mig_write(&dst, guess, sizeof(guess), 24), 0);
	ASSERT_EQ(mig_write(&dst, header, sizeof(header), 16), 0);
	ASSERT_EQ(mig_write(&dst, some, sizeof(some), sizeof(some)), 0);
	EXPECT_GE(available_kib(), before - (64 << 10));
	EXPECT_ERRNO(mig_set_try(&dst, MIG_STOP), EINVAL);
	mig_close(&dst);
}
