// SPDX-License-Identifier: GPL-2.0-only
/*
 * mlx5_vfio_pci: each command of each flow fails once. Whatever that is, a program
 * gets an errno and a person a line, nothing is left behind in firmware, and the VF
 * can be used again.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/kmsg.h"
#include "lib/lab.h"
#include "lib/mig.h"
#include "lib/tap.h"

#define SRC	1
#define DST	2
#define MAX	128

static struct mig src, dst;
static struct mig_stream good;

static const struct mig_setting chunks[] = { { HCA_SET_CHUNKS, 1 } };

/* --- flows: 0 or the errno of the first step that failed --------------------------- */

static int step(struct mig *m, enum mig_state state)
{
	return mig_set_try(m, state) ? errno : 0;
}

static int drain(struct mig *m, int end)
{
	struct mig_stream stream = { 0 };
	int ret = mig_read(m, &stream, 1 << 20);

	mig_stream_free(&stream);
	return ret == end ? 0 : ret ? ret : EPROTO;
}

static int quiesce(void)
{
	int ret;

	ret = step(&src, MIG_STOP);
	return ret ? ret : step(&src, MIG_RUNNING);
}

static int stop_copy(void)
{
	int ret;

	ret = step(&src, MIG_STOP_COPY);
	ret = ret ? ret : drain(&src, 0);
	return ret ? ret : step(&src, MIG_RUNNING);
}

static int precopy(void)
{
	struct mig_precopy_info info = { .argsz = sizeof(info) };
	int ret;

	ret = step(&src, MIG_PRE_COPY);
	ret = ret ? ret : drain(&src, ENOMSG);
	if (!ret && ioctl(src.data, MIG_GET_PRECOPY_INFO, &info))
		ret = errno;
	ret = ret ? ret : drain(&src, ENOMSG);
	ret = ret ? ret : step(&src, MIG_STOP_COPY);
	ret = ret ? ret : drain(&src, 0);
	return ret ? ret : step(&src, MIG_RUNNING);
}

static int resume(void)
{
	int ret;

	ret = step(&dst, MIG_RESUMING);
	ret = ret ? ret : mig_write(&dst, good.data, good.len, 1 << 20);
	return ret ? ret : step(&dst, MIG_RUNNING);
}

static int data_size(void)
{
	uint64_t size;

	return vfio_feature_try(&src.vf, VFIO_DEVICE_FEATURE_GET | MIG_FEATURE_DATA_SIZE,
				&size, sizeof(size)) ? errno : 0;
}

struct flow {
	const char *name;
	int (*run)(void);
	bool chunked;
};

static const struct flow flows[] = {
	{ "stop-and-run", quiesce, false },
	{ "stop-copy", stop_copy, false },
	{ "stop-copy-chunked", stop_copy, true },
	{ "precopy", precopy, false },
	{ "precopy-chunked", precopy, true },
	{ "resume", resume, false },
	{ "data-size", data_size, false },
};

/* --- the sweep --------------------------------------------------------------------- */

static void set_up(const struct flow *flow)
{
	mig_up_with(2, chunks, flow->chunked);
	hca_set(HCA_SET_SAVE_MS, 1);
	hca_set(HCA_SET_VF_PAGES, 16);
	hca_set(HCA_SET_CHUNK_SIZE, 32 << 10);
	mig_open(&src, SRC);
	mig_open(&dst, DST);
	mig_fill(&src, 3);
	mig_set(&src, MIG_PRE_COPY);
	mig_drain(&src, &good);
	mig_set(&src, MIG_STOP_COPY);
	mig_drain(&src, &good);
}

static void recover(struct mig *m)
{
	mig_close_data(m);
	vfio_reset(&m->vf);
	mig_expect(m, MIG_RUNNING);
}

/* A VF is used again as if nothing had been, and firmware has nothing of before. */
static void expect_usable(const struct flow *flow, const struct mig_live *before)
{
	recover(&src);
	recover(&dst);
	mig_expect_no_leak(before);
	ASSERT_EQ(flow->run(), 0);
	recover(&src);
	recover(&dst);
	mig_expect_no_leak(before);
}

/* Commands that the flow makes, in order. */
static unsigned int list(const struct flow *flow, uint32_t ops[MAX])
{
	uint32_t from = hca_log_now(), end;
	unsigned int nr = 0;

	ASSERT_EQ(flow->run(), 0);
	for (end = hca_log_now(); from != end; from++) {
		ASSERT(nr < MAX);
		ops[nr++] = hca_get(HCA_AREA_LOG, (from % HCA_LOG_SIZE << 4) + HCA_LOG_OPCODE);
	}
	return nr;
}

static unsigned int same_before(const uint32_t *ops, unsigned int i)
{
	unsigned int same = 0, j;

	for (j = 0; j < i; j++)
		same += ops[j] == ops[i];
	return same;
}

static bool destroys(uint32_t opcode)
{
	return opcode == HCA_DESTROY_MKEY || opcode == HCA_DEALLOC_PD;
}

/* Destroying is insisted on: nobody needs to know. */
static void expect_told(int ret, uint32_t opcode, unsigned int syndrome)
{
	char text[32];

	snprintf(text, sizeof(text), "0x%x", syndrome);
	EXPECT(kmsg_has(text));
	if (!destroys(opcode))
		EXPECT_NE(ret, 0);
}

/* The kernel's log takes ten lines of a kind in five seconds: fewer than that. */
static void spare_log(unsigned int i)
{
	if (i % 8 == 0)
		sleep(6);
}

static void fail_one(const struct flow *flow, const uint32_t *ops, unsigned int i,
		     enum hca_fault_kind kind)
{
	struct mig_live before = mig_live();
	unsigned int slot;
	int ret;

	if (kind == HCA_FAULT_STATUS)
		spare_log(i);
	slot = hca_fail(kind, ops[i], kind == HCA_FAULT_STATUS ? 5 : 0x10,
			.syndrome = 0x77000 + i, .skip = same_before(ops, i), .fn = 1);
	ret = flow->run();
	test_note("command %u, 0x%x: %s", i, ops[i], strerror(ret));
	EXPECT_EQ(hca_fault_hits(slot), 1u);
	if (kind == HCA_FAULT_STATUS)
		expect_told(ret, ops[i], 0x77000 + i);
	hca_do(HCA_DO_DEFAULTS, 0, 0);
	if (flow->chunked)
		hca_set(HCA_SET_CHUNKS, 1);
	hca_set(HCA_SET_SAVE_MS, 1);
	hca_set(HCA_SET_VF_PAGES, 16);
	hca_set(HCA_SET_CHUNK_SIZE, 32 << 10);
	expect_usable(flow, &before);
}

static void sweep(const struct flow *flow, enum hca_fault_kind kind)
{
	uint32_t ops[MAX];
	unsigned int nr, i;

	set_up(flow);
	recover(&src);
	recover(&dst);
	nr = list(flow, ops);
	recover(&src);
	recover(&dst);
	test_note("%u commands", nr);
	ASSERT(nr > 0);
	for (i = 0; i < nr; i++)
		fail_one(flow, ops, i, kind);
	EXPECT_EQ(hca_counter(SRC, HCA_MISUSED), 0u);
	mig_stream_free(&good);
	mig_close(&src);
	mig_close(&dst);
}

TEST_EACH_LIMIT(each_command_refused_once, flows, 240)
{
	sweep(it, HCA_FAULT_STATUS);
}

/* Not even looked at, which is another way through the kernel. */
TEST_EACH_LIMIT(each_command_undelivered_once, flows, 240)
{
	sweep(it, HCA_FAULT_DELIVER);
}

/* --- errno ------------------------------------------------------------------------- */

struct status {
	const char *name;
	unsigned int status;
	int err;
};

static const struct status statuses[] = {
	{ "internal", 0x1, EIO },
	{ "bad-operation", 0x2, EINVAL },
	{ "bad-parameter", 0x3, EINVAL },
	{ "bad-system-state", 0x4, EIO },
	{ "bad-resource", 0x5, EINVAL },
	{ "busy", 0x6, EBUSY },
	{ "not-ready", 0x7, EAGAIN },
	{ "limit", 0x8, ENOMEM },
	{ "bad-resource-state", 0x9, EINVAL },
	{ "index", 0xa, EINVAL },
	{ "no-resources", 0xf, EAGAIN },
	{ "input-length", 0x50, EIO },
	{ "output-length", 0x51, EIO },
	{ "unknown", 0x7f, EIO },
};

/* And once, in one line: opcode, status, syndrome. */
TEST_EACH(status_becomes_errno_and_a_line, statuses)
{
	char line[128];

	sleep(1);	/* as in spare_log() */
	mig_up(1);
	mig_open(&src, SRC);
	hca_fail(HCA_FAULT_STATUS, HCA_SUSPEND_VHCA, it->status, .syndrome = 0x12345);
	EXPECT_ERRNO(mig_set_try(&src, MIG_RUNNING_P2P), it->err);
	snprintf(line, sizeof(line),
		 "firmware refused SUSPEND_VHCA: opcode 0x115 op_mod 0x0 status 0x%x syndrome 0x12345 (%d)",
		 it->status, -it->err);
	EXPECT(kmsg_has(line));
	mig_expect(&src, MIG_RUNNING);
	mig_set(&src, MIG_RUNNING_P2P);
	mig_close(&src);
}

/* --- what cannot be undone --------------------------------------------------------- */

/* The VF cannot be stopped for good, nor let go: that is no state but ERROR. */
TEST(failure_that_cannot_be_undone)
{
	struct mig_live before;

	mig_up(1);
	mig_open(&src, SRC);
	before = mig_live();
	mig_set(&src, MIG_PRE_COPY_P2P);
	mig_wait(&src, POLLIN);
	hca_fail(HCA_FAULT_STATUS, HCA_QUERY_MIGRATION, 1);
	hca_fail(HCA_FAULT_STATUS, HCA_RESUME_VHCA, 1);
	EXPECT_ERRNO(mig_set_try(&src, MIG_STOP_COPY), EIO);
	mig_expect(&src, MIG_ERROR);
	EXPECT_ERRNO(mig_set_try(&src, MIG_RUNNING), EINVAL);
	vfio_reset(&src.vf);
	mig_expect(&src, MIG_RUNNING);
	mig_expect_no_leak(&before);
	mig_close(&src);
}

/* But if it can, the VF is where it was. */
TEST(failure_that_can_be_undone)
{
	struct mig_stream stream = { 0 };

	mig_up(1);
	mig_open(&src, SRC);
	mig_set(&src, MIG_PRE_COPY_P2P);
	mig_wait(&src, POLLIN);
	hca_fail(HCA_FAULT_STATUS, HCA_QUERY_MIGRATION, 1);
	EXPECT_ERRNO(mig_set_try(&src, MIG_STOP_COPY), EIO);
	mig_expect(&src, MIG_PRE_COPY_P2P);
	mig_set(&src, MIG_STOP_COPY);
	mig_drain(&src, &stream);
	mig_stream_free(&stream);
	mig_close(&src);
}

/* Without an answer nobody knows whether the VF still runs. */
TEST(no_answer_to_suspend_is_an_error)
{
	mig_up(1);
	mig_open(&src, SRC);
	hca_fail(HCA_FAULT_DELIVER, HCA_SUSPEND_VHCA, 0x10);
	EXPECT(mig_set_try(&src, MIG_RUNNING_P2P) < 0);
	mig_expect(&src, MIG_ERROR);
	vfio_reset(&src.vf);
	mig_expect(&src, MIG_RUNNING);
	mig_set(&src, MIG_RUNNING_P2P);
	mig_close(&src);
}
