// SPDX-License-Identifier: GPL-2.0-only
/*
 * Migration as a virtual machine's monitor does it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lab.h"
#include "mig.h"
#include "tap.h"

#define WINDOW_PAGES	(HCA_WINDOW_SIZE / HCA_PAGE)

/* --- the VF -------------------------------------------------------------------- */

/* Of what an earlier test had set mlx5_core knows until it probes again. */
void mig_up_with(unsigned int vfs, const struct mig_setting *with, unsigned int count)
{
	hca_up(0);
	ASSERT_EQ(hca_unbind(), 0);
	while (count--)
		hca_set(with[count].setting, with[count].val);
	ASSERT_EQ(hca_bind(), 0);
	ASSERT_EQ(hca_set_vfs(vfs), 0);
	ASSERT_EQ(module_load(MIG_DRIVER, NULL), 0);
}

void mig_up(unsigned int vfs)
{
	mig_up_with(vfs, NULL, 0);
}

void mig_open(struct mig *m, unsigned int fn)
{
	vfio_open_with(&m->vf, hca_bdf(fn), MIG_DRIVER);
	cfg_command(&m->vf, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0);
	m->fn = fn;
	m->data = -1;
}

void mig_close_data(struct mig *m)
{
	if (m->data >= 0)
		close(m->data);
	m->data = -1;
}

void mig_close(struct mig *m)
{
	mig_close_data(m);
	vfio_close(&m->vf);
}

/* --- states -------------------------------------------------------------------- */

const char *mig_name(enum mig_state state)
{
	static const char *const names[] = {
		[MIG_ERROR] = "ERROR",
		[MIG_STOP] = "STOP",
		[MIG_RUNNING] = "RUNNING",
		[MIG_STOP_COPY] = "STOP_COPY",
		[MIG_RESUMING] = "RESUMING",
		[MIG_RUNNING_P2P] = "RUNNING_P2P",
		[MIG_PRE_COPY] = "PRE_COPY",
		[MIG_PRE_COPY_P2P] = "PRE_COPY_P2P",
	};

	return state < MIG_STATES ? names[state] : "?";
}

struct state_arg {
	uint32_t state;
	int32_t fd;
};

int mig_set_try(struct mig *m, enum mig_state state)
{
	struct state_arg arg = { .state = state, .fd = -1 };
	int ret;

	ret = vfio_feature_try(&m->vf, VFIO_DEVICE_FEATURE_SET | MIG_FEATURE_STATE,
			       &arg, sizeof(arg));
	if (!ret && arg.fd >= 0) {
		mig_close_data(m);
		m->data = arg.fd;
	}
	return ret;
}

void mig_set(struct mig *m, enum mig_state state)
{
	if (mig_set_try(m, state))
		FAIL("%s to %s: %s", mig_name(mig_get(m)), mig_name(state), strerror(errno));
}

bool mig_saves(enum mig_state state)
{
	return state == MIG_STOP_COPY || state == MIG_PRE_COPY || state == MIG_PRE_COPY_P2P;
}

/* Out of RESUMING only a whole stream leads. */
void mig_reach(struct mig *m, enum mig_state state)
{
	struct mig_stream stream = { 0 };

	if (state == MIG_RESUMING)
		mig_save_all(m, &stream);
	if (state == MIG_ERROR) {
		mig_set(m, MIG_RESUMING);
		ASSERT_ERRNO(mig_set_try(m, MIG_STOP), EINVAL);
		mig_close_data(m);
	} else {
		mig_set(m, state);
	}
	if (state == MIG_RESUMING)
		mig_feed(m, &stream);
	mig_stream_free(&stream);
	mig_expect(m, state);
}

enum mig_state mig_get(struct mig *m)
{
	struct state_arg arg = { .state = MIG_STATES, .fd = 0 };

	ASSERT_OK(vfio_feature_try(&m->vf, VFIO_DEVICE_FEATURE_GET | MIG_FEATURE_STATE,
				   &arg, sizeof(arg)));
	ASSERT_EQ(arg.fd, -1);
	return arg.state;
}

static uint64_t get_u64(struct mig *m, uint32_t feature)
{
	uint64_t val = 0;

	ASSERT_OK(vfio_feature_try(&m->vf, VFIO_DEVICE_FEATURE_GET | feature, &val,
				   sizeof(val)));
	return val;
}

uint64_t mig_flags(struct mig *m)
{
	return get_u64(m, MIG_FEATURE_FLAGS);
}

uint64_t mig_data_size(struct mig *m)
{
	return get_u64(m, MIG_FEATURE_DATA_SIZE);
}

unsigned int mig_halves(struct mig *m)
{
	return hca_counter(m->fn, HCA_STATE) & (HCA_IS_PASSIVE | HCA_IS_STOPPED);
}

void mig_expect(struct mig *m, enum mig_state state)
{
	static const unsigned int halves[] = {
		[MIG_STOP] = HCA_IS_PASSIVE | HCA_IS_STOPPED,
		[MIG_STOP_COPY] = HCA_IS_PASSIVE | HCA_IS_STOPPED,
		[MIG_RESUMING] = HCA_IS_PASSIVE | HCA_IS_STOPPED,
		[MIG_RUNNING_P2P] = HCA_IS_PASSIVE,
		[MIG_PRE_COPY_P2P] = HCA_IS_PASSIVE,
		[MIG_RUNNING] = 0,
		[MIG_PRE_COPY] = 0,
	};

	ASSERT_STREQ(mig_name(mig_get(m)), mig_name(state));
	if (state != MIG_ERROR)
		ASSERT_EQ(mig_halves(m), halves[state]);
}

/* --- data files ---------------------------------------------------------------- */

int mig_read(struct mig *m, struct mig_stream *stream, size_t piece)
{
	ssize_t n;

	do {
		stream->data = realloc(stream->data, stream->len + piece);
		ASSERT(stream->data);
		n = read(m->data, stream->data + stream->len, piece);
		if (n > 0)
			stream->len += n;
	} while (n > 0);
	return n ? errno : 0;
}

int mig_write(struct mig *m, const uint8_t *from, size_t len, size_t piece)
{
	while (len) {
		ssize_t n = write(m->data, from, len < piece ? len : piece);

		if (n < 0)
			return errno;
		ASSERT(n > 0);
		from += n;
		len -= n;
	}
	return 0;
}

void mig_drain(struct mig *m, struct mig_stream *stream)
{
	int ret = mig_read(m, stream, 1 << 20);

	ASSERT_EQ(ret, mig_get(m) == MIG_STOP_COPY ? 0 : ENOMSG);
}

void mig_feed(struct mig *m, const struct mig_stream *stream)
{
	ASSERT_EQ(mig_write(m, stream->data, stream->len, 1 << 20), 0);
}

void mig_save_all(struct mig *m, struct mig_stream *stream)
{
	mig_set(m, MIG_STOP_COPY);
	mig_drain(m, stream);
	mig_set(m, MIG_RUNNING);
	mig_close_data(m);
}

int mig_load_all(struct mig *m, const struct mig_stream *stream)
{
	int ret;

	mig_set(m, MIG_RESUMING);
	ret = mig_write(m, stream->data, stream->len, 1 << 20);
	if (mig_set_try(m, MIG_RUNNING) && !ret)
		ret = errno;
	mig_close_data(m);
	return ret;
}

void mig_stream_free(struct mig_stream *stream)
{
	free(stream->data);
	memset(stream, 0, sizeof(*stream));
}

size_t mig_record(const struct mig_stream *stream, unsigned int nr)
{
	uint64_t size;
	size_t pos = 0;

	while (nr--) {
		ASSERT_LE(pos + 16, stream->len);
		memcpy(&size, stream->data + pos, sizeof(size));
		pos += 16 + size;
	}
	ASSERT_LE(pos, stream->len);
	return pos;
}

unsigned int mig_records(const struct mig_stream *stream)
{
	unsigned int nr = 0;

	while (mig_record(stream, nr) < stream->len)
		nr++;
	return nr;
}

struct mig_precopy_info mig_precopy(struct mig *m)
{
	struct mig_precopy_info info = { .argsz = sizeof(info) };

	ASSERT_OK(ioctl(m->data, MIG_GET_PRECOPY_INFO, &info));
	return info;
}

static short poll_for(struct mig *m, short events, int ms)
{
	struct pollfd wait = { .fd = m->data, .events = events };

	ASSERT_OK(poll(&wait, 1, ms));
	return wait.revents;
}

short mig_poll(struct mig *m)
{
	return poll_for(m, POLLIN | POLLOUT, 0);
}

void mig_wait(struct mig *m, short events)
{
	ASSERT(poll_for(m, events, test_patience(10000)) & events);
}

/* --- contents ------------------------------------------------------------------ */

static void window(struct mig *m, uint64_t page)
{
	hca_work_put(&m->vf, HCA_W_WINDOW, page);
}

static void mark(unsigned int seed, uint64_t page, uint32_t words[4])
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		words[i] = seed * 0x01000193 + page * 16 + i;
}

/* The first words of each page; the driver copies all of it in any case. */
static void each_page(struct mig *m, unsigned int seed, bool look)
{
	uint64_t page, pages = hca_work_get(&m->vf, HCA_W_PAGES);
	uint32_t want[4], got[4];

	for (page = 0; page < pages; page++) {
		uint64_t pos = HCA_WINDOW + page % WINDOW_PAGES * HCA_PAGE;

		if (page % WINDOW_PAGES == 0)
			window(m, page);
		mark(seed, page, want);
		if (look) {
			ASSERT_EQ(region_read_try(&m->vf, VFIO_PCI_BAR0_REGION_INDEX, pos,
						  got, sizeof(got)), 16);
			ASSERT_MEMEQ(got, want, sizeof(want));
		} else {
			ASSERT_EQ(region_write_try(&m->vf, VFIO_PCI_BAR0_REGION_INDEX, pos,
						   want, sizeof(want)), 16);
		}
	}
}

void mig_fill(struct mig *m, unsigned int seed)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		hca_work_put(&m->vf, HCA_W_SCRATCH + i, seed * 1000000007ull + i);
	each_page(m, seed, false);
}

void mig_expect_filled(struct mig *m, unsigned int seed)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		ASSERT_EQ(hca_work_get(&m->vf, HCA_W_SCRATCH + i), seed * 1000000007ull + i);
	each_page(m, seed, true);
}

/* --- firmware -------------------------------------------------------------------- */

void mig_await_commands(unsigned int count)
{
	unsigned int i, tries = test_patience(500);

	for (i = 0; i < tries && hca_counter(0, HCA_LIVE_CMD) != count; i++)
		usleep(10000);
	ASSERT_EQ(hca_counter(0, HCA_LIVE_CMD), count);
}

/* --- leaks --------------------------------------------------------------------- */

struct mig_live mig_live(void)
{
	struct mig_live live;
	unsigned int i;

	for (i = 0; i < HCA_LIVE; i++)
		live.count[i] = hca_counter(0, i);
	return live;
}

/* Event queues stay: mlx5_core makes them once, and keeps them. */
void mig_expect_no_leak(const struct mig_live *before)
{
	struct mig_live now = mig_live();
	unsigned int i;

	for (i = 0; i < HCA_LIVE; i++) {
		if (i != HCA_LIVE_EQ && i != HCA_LIVE_PAGES && now.count[i] != before->count[i])
			FAIL("firmware had %u objects of kind %u, now %u", before->count[i], i,
			     now.count[i]);
	}
}
