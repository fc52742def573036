// SPDX-License-Identifier: GPL-2.0-only
/*
 * The migration commands of the lab's HCA, without a driver for VFs: which states
 * allow which command, and that images carry what they should.
 */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "lib/hca_fw.h"
#include "lib/lab.h"
#include "lib/tap.h"

#define SRC	1
#define DST	2
#define MIB	(1u << 20)

static struct fw_buf buf;

static void put(struct vfio_dev *vf, uint64_t page, uint32_t val)
{
	hca_work_put(vf, HCA_W_WINDOW, page);
	region_put(vf, VFIO_PCI_BAR0_REGION_INDEX, HCA_WINDOW, 4, val);
}

static uint32_t get(struct vfio_dev *vf, uint64_t page)
{
	hca_work_put(vf, HCA_W_WINDOW, page);
	return region_get(vf, VFIO_PCI_BAR0_REGION_INDEX, HCA_WINDOW, 4);
}

/* Both VFs open, so that their memory can be seen; a buffer of @size. */
static void set_up(struct vfio_dev vf[3], size_t size)
{
	hca_up(2);
	hca_set(HCA_SET_SAVE_MS, 0);
	hca_vf_open(&vf[SRC], SRC);
	hca_vf_open(&vf[DST], DST);
	fw_buf_alloc(&buf, size);
}

static void tear_down(struct vfio_dev vf[3])
{
	fw_buf_free(&buf);
	vfio_close(&vf[SRC]);
	vfio_close(&vf[DST]);
}

/* --- states ----------------------------------------------------------------------- */

TEST(suspend_and_resume_have_an_order)
{
	hca_up(1);
	EXPECT_EQ(fw_resume(1, FW_INITIATOR), FW_BAD_RES_STATE);
	EXPECT_EQ(fw_why(), HCA_WHY_ORDER);
	EXPECT_EQ(fw_resume(1, FW_RESPONDER), FW_BAD_RES_STATE);
	EXPECT_EQ(fw_suspend(1, FW_RESPONDER), FW_BAD_RES_STATE);
	EXPECT_EQ(fw_suspend(1, FW_INITIATOR), FW_OK);
	EXPECT_EQ(hca_counter(1, HCA_STATE), (uint32_t)(HCA_IS_ENABLED | HCA_IS_PASSIVE));
	EXPECT_EQ(fw_suspend(1, FW_INITIATOR), FW_BAD_RES_STATE);
	EXPECT_EQ(fw_suspend(1, FW_RESPONDER), FW_OK);
	EXPECT_EQ(fw_resume(1, FW_INITIATOR), FW_BAD_RES_STATE);
	EXPECT_EQ(fw_resume(1, FW_RESPONDER), FW_OK);
	EXPECT_EQ(fw_resume(1, FW_INITIATOR), FW_OK);
	EXPECT_EQ(hca_counter(1, HCA_STATE), (uint32_t)HCA_IS_ENABLED);
}

TEST(who_cannot_be_migrated)
{
	struct fw_size size;

	hca_up(1);
	EXPECT_EQ(fw_suspend(0, FW_INITIATOR), FW_BAD_RES);
	EXPECT_EQ(fw_suspend(2, FW_INITIATOR), FW_BAD_RES);
	EXPECT_EQ(fw_why(), HCA_WHY_FUNCTION);
	EXPECT_EQ(fw_query(1, FW_INCREMENTAL, &size), FW_BAD_RES_STATE);
	EXPECT_EQ(fw_why(), HCA_WHY_UNTRACKED);
	EXPECT_EQ(fw_query(1, FW_CHUNK, &size), FW_BAD_PARAM);
	EXPECT_EQ(fw_why(), HCA_WHY_CAPABILITY);
	hca_set(HCA_SET_MIGRATABLE, 0);
	EXPECT_EQ(fw_query(1, 0, &size), FW_BAD_OP);
	hca_set(HCA_SET_MIGRATABLE, ~0u);
	hca_set(HCA_SET_MIGRATION, 0);
	EXPECT_EQ(fw_query(1, 0, &size), FW_BAD_OP);
}

TEST(save_depends_on_the_state)
{
	struct fw_saved saved;

	hca_up(1);
	fw_buf_alloc(&buf, 2 * MIB);
	EXPECT_EQ(fw_save(1, 0, &buf, &saved), FW_BAD_RES_STATE);
	EXPECT_EQ(fw_why(), HCA_WHY_RUNNING);
	EXPECT_EQ(fw_load(1, &buf, 4096), FW_BAD_RES_STATE);
	fw_stop(1);
	EXPECT_EQ(fw_save(1, FW_TRACK, &buf, &saved), FW_BAD_RES_STATE);
	EXPECT_EQ(fw_why(), HCA_WHY_STOPPED);
	EXPECT_EQ(fw_save(1, FW_INCREMENTAL, &buf, &saved), FW_BAD_RES_STATE);
	EXPECT_EQ(fw_why(), HCA_WHY_UNTRACKED);
	EXPECT_EQ(fw_save(1, 0, &buf, &saved), FW_OK);
	EXPECT_EQ(saved.next, 0u);
	fw_start(1);
	fw_buf_free(&buf);
}

/* --- what an image carries ------------------------------------------------------------ */

TEST(image_carries_registers_and_memory)
{
	struct fw_size size;
	struct fw_saved saved;
	struct vfio_dev vf[3];
	uint64_t ticks, now;
	unsigned int page;

	set_up(vf, 2 * MIB);
	for (page = 0; page < 256; page += 5)
		put(&vf[SRC], page, 0xa0000 + page);
	hca_work_put(&vf[SRC], HCA_W_SCRATCH + 7, 0x123456789abcdefull);
	fw_stop(SRC);
	ticks = hca_work_get(&vf[SRC], HCA_W_TICKS);
	ASSERT_EQ(fw_query(SRC, 0, &size), FW_OK);
	ASSERT_EQ(fw_save(SRC, 0, &buf, &saved), FW_OK);
	EXPECT_EQ(saved.len, size.next);

	fw_stop(DST);
	ASSERT_EQ(fw_load(DST, &buf, saved.len), FW_OK);
	EXPECT_EQ(hca_work_get(&vf[DST], HCA_W_TICKS), ticks);
	fw_start(DST);
	EXPECT_EQ(hca_work_get(&vf[DST], HCA_W_SCRATCH + 7), 0x123456789abcdefull);
	for (page = 0; page < 256; page++)
		EXPECT_EQ(get(&vf[DST], page), page % 5 ? 0 : 0xa0000 + page);
	now = hca_work_get(&vf[DST], HCA_W_TICKS);
	EXPECT_GE(now, ticks);
	tear_down(vf);
}

TEST(increments_carry_what_changed)
{
	struct fw_saved base, one, last;
	struct fw_size size;
	struct vfio_dev vf[3];
	static uint8_t copy[3][2 * MIB];

	set_up(vf, 2 * MIB);
	put(&vf[SRC], 3, 30);
	ASSERT_EQ(fw_save(SRC, FW_TRACK, &buf, &base), FW_OK);
	EXPECT_EQ(hca_counter(SRC, HCA_STATE), (uint32_t)(HCA_IS_ENABLED | HCA_IS_TRACKED));
	memcpy(copy[0], buf.addr, base.len);
	put(&vf[SRC], 4, 40);
	put(&vf[SRC], 9, 90);
	ASSERT_EQ(fw_query(SRC, FW_INCREMENTAL, &size), FW_OK);
	ASSERT_EQ(fw_save(SRC, FW_INCREMENTAL | FW_TRACK, &buf, &one), FW_OK);
	EXPECT_EQ(one.len, size.next);
	EXPECT_EQ((base.len - one.len) / 4096, 254u);
	memcpy(copy[1], buf.addr, one.len);
	put(&vf[SRC], 4, 41);
	fw_stop(SRC);
	ASSERT_EQ(fw_save(SRC, FW_INCREMENTAL, &buf, &last), FW_OK);
	EXPECT_EQ((one.len - last.len) / 4096, 1u);
	memcpy(copy[2], buf.addr, last.len);

	fw_stop(DST);
	memcpy(buf.addr, copy[0], base.len);
	EXPECT_EQ(fw_load(DST, &buf, base.len), FW_OK);
	/* Not the second increment before the first. */
	memcpy(buf.addr, copy[2], last.len);
	EXPECT_EQ(fw_load(DST, &buf, last.len), FW_BAD_RES_STATE);
	EXPECT_EQ(fw_why(), HCA_WHY_SEQUENCE);
	memcpy(buf.addr, copy[1], one.len);
	EXPECT_EQ(fw_load(DST, &buf, one.len), FW_OK);
	memcpy(buf.addr, copy[2], last.len);
	EXPECT_EQ(fw_load(DST, &buf, last.len), FW_OK);
	fw_start(DST);
	EXPECT_EQ(get(&vf[DST], 3), 30u);
	EXPECT_EQ(get(&vf[DST], 4), 41u);
	EXPECT_EQ(get(&vf[DST], 9), 90u);
	tear_down(vf);
}

TEST(without_multi_load_one_image_is_all)
{
	struct fw_saved saved;

	hca_up(1);
	hca_set(HCA_SET_SAVE_MS, 0);
	hca_set(HCA_SET_MULTI_LOAD, 0);
	fw_buf_alloc(&buf, 2 * MIB);
	fw_stop(1);
	ASSERT_EQ(fw_save(1, 0, &buf, &saved), FW_OK);
	EXPECT_EQ(fw_load(1, &buf, saved.len), FW_OK);
	EXPECT_EQ(fw_load(1, &buf, saved.len), FW_BAD_RES_STATE);
	EXPECT_EQ(fw_why(), HCA_WHY_SECOND);
	fw_start(1);
	fw_buf_free(&buf);
}

/* --- chunks ------------------------------------------------------------------------------ */

TEST(image_of_twelve_mib_goes_in_chunks)
{
	uint64_t total = 0, announced;
	struct fw_size size, left;
	struct fw_saved saved;
	struct vfio_dev vf[3];
	unsigned int page, pieces = 0;
	static uint8_t copy[4][5 * MIB];
	struct fw_buf part;
	uint32_t len[4];

	hca_up(2);
	hca_set(HCA_SET_SAVE_MS, 0);
	hca_set(HCA_SET_CHUNKS, 1);
	hca_set(HCA_SET_VF_PAGES, 3072);
	hca_vf_open(&vf[SRC], SRC);
	hca_vf_open(&vf[DST], DST);
	fw_buf_alloc(&buf, 6 * MIB);
	for (page = 0; page < 3072; page += 100)
		put(&vf[SRC], page, page + 1);
	fw_stop(SRC);
	ASSERT_EQ(fw_query(SRC, FW_CHUNK, &size), FW_OK);
	EXPECT_EQ(size.next, 4u * MIB);
	announced = size.total;
	part = buf;
	part.size = size.next;
	ASSERT_EQ(fw_save(SRC, 0, &part, &saved), FW_OK);
	while (1) {
		memcpy(copy[pieces], buf.addr, saved.len);
		len[pieces++] = saved.len;
		total += saved.len;
		if (!saved.next || pieces == 4)
			break;
		ASSERT_EQ(fw_query(SRC, FW_INCREMENTAL | FW_CHUNK, &left), FW_OK);
		EXPECT_EQ(left.next, saved.next);
		part.size = saved.next;
		ASSERT_EQ(fw_save(SRC, FW_INCREMENTAL, &part, &saved), FW_OK);
	}
	EXPECT_EQ(saved.next, 0u);
	EXPECT_GE(pieces, 3u);
	EXPECT_EQ(total, announced);

	fw_stop(DST);
	memcpy(buf.addr, copy[1], len[1]);
	EXPECT_EQ(fw_load(DST, &buf, len[1]), FW_BAD_RES_STATE);
	memcpy(buf.addr, copy[0], len[0]);
	EXPECT_EQ(fw_load(DST, &buf, len[0]), FW_OK);
	EXPECT_EQ(fw_resume(DST, FW_RESPONDER), FW_BAD_RES_STATE);
	EXPECT_EQ(fw_why(), HCA_WHY_INCOMPLETE);
	for (page = 1; page < pieces; page++) {
		memcpy(buf.addr, copy[page], len[page]);
		EXPECT_EQ(fw_load(DST, &buf, len[page]), FW_OK);
	}
	fw_start(DST);
	for (page = 0; page < 3072; page += 100)
		EXPECT_EQ(get(&vf[DST], page), page + 1);
	tear_down(vf);
}

/* --- what goes wrong ----------------------------------------------------------------------- */

struct damage {
	const char *name;
	unsigned int at;
	int shorter;
	enum hca_reason why;
};

static const struct damage damages[] = {
	{ "magic", 0, 0, HCA_WHY_IMAGE },
	{ "version", 4, 0, HCA_WHY_IMAGE },
	{ "geometry", 8, 0, HCA_WHY_OTHER_DEVICE },
	{ "checksum", 12, 0, HCA_WHY_IMAGE },
	{ "data", 100000, 0, HCA_WHY_IMAGE },
	{ "truncated", 0, 1, HCA_WHY_IMAGE },
	{ "no-header", 0, 2, HCA_WHY_IMAGE },
};

TEST_EACH(damaged_image_is_refused, damages)
{
	struct fw_saved saved;
	uint32_t len;

	hca_up(1);
	hca_set(HCA_SET_SAVE_MS, 0);
	fw_buf_alloc(&buf, 2 * MIB);
	fw_stop(1);
	ASSERT_EQ(fw_save(1, 0, &buf, &saved), FW_OK);
	len = it->shorter == 2 ? 8 : saved.len - it->shorter;
	if (!it->shorter)
		buf.addr[it->at] ^= 1;
	EXPECT_EQ(fw_load(1, &buf, len), FW_BAD_PARAM);
	EXPECT_EQ(fw_why(), it->why);
	fw_start(1);
	fw_buf_free(&buf);
}

TEST(image_needs_room_and_a_key)
{
	struct fw_saved saved;
	struct fw_buf small;

	hca_up(1);
	hca_set(HCA_SET_SAVE_MS, 0);
	fw_buf_alloc(&buf, 2 * MIB);
	fw_stop(1);
	small = buf;
	small.size = 64 * 1024;
	EXPECT_EQ(fw_save(1, 0, &small, &saved), FW_BAD_PARAM);
	EXPECT_EQ(fw_why(), HCA_WHY_SMALL);
	small = buf;
	small.mkey ^= 1;
	EXPECT_EQ(fw_save(1, 0, &small, &saved), FW_BAD_PARAM);
	EXPECT_EQ(fw_why(), HCA_WHY_DMA);
	EXPECT_EQ(fw_load(1, &small, 4096), FW_BAD_PARAM);
	EXPECT_EQ(fw_save(1, 0, &buf, &saved), FW_OK);
	fw_start(1);
	fw_buf_free(&buf);
}

static void *save_thread(void *fn)
{
	struct fw_saved saved;

	return (void *)(uintptr_t)fw_save((uintptr_t)fn, FW_TRACK, &buf, &saved);
}

/* Start a save that is held, and come back when the firmware has it. */
static pthread_t save_held(unsigned int fn)
{
	unsigned int tries = test_patience(2000);
	pthread_t thread;

	hca_fail(HCA_FAULT_HOLD, HCA_SAVE_VHCA, 0);
	ASSERT_EQ(pthread_create(&thread, NULL, save_thread, (void *)(uintptr_t)fn), 0);
	while (!hca_counter(0, HCA_LIVE_CMD) && tries--)
		usleep(1000);
	EXPECT_EQ(hca_counter(0, HCA_LIVE_CMD), 1u);
	return thread;
}

static unsigned int save_outcome(pthread_t thread)
{
	void *ret;

	hca_release();
	ASSERT_EQ(pthread_join(thread, &ret), 0);
	return (uintptr_t)ret;
}

TEST(reset_spoils_a_save)
{
	pthread_t thread;

	hca_up(1);
	fw_buf_alloc(&buf, 2 * MIB);
	thread = save_held(1);
	ASSERT_EQ(pci_attr_write(hca_bdf(1), "reset", "1"), 0);
	EXPECT_EQ(save_outcome(thread), FW_BAD_RES_STATE);
	EXPECT_EQ(fw_why(), HCA_WHY_WAS_RESET);
	EXPECT_EQ(hca_counter(1, HCA_STATE), (uint32_t)HCA_IS_ENABLED);
	fw_buf_free(&buf);
}

TEST(reset_ends_everything)
{
	struct fw_saved saved;

	hca_up(1);
	hca_set(HCA_SET_SAVE_MS, 0);
	fw_buf_alloc(&buf, 2 * MIB);
	ASSERT_EQ(fw_save(1, FW_TRACK, &buf, &saved), FW_OK);
	fw_stop(1);
	ASSERT_EQ(pci_attr_write(hca_bdf(1), "reset", "1"), 0);
	EXPECT_EQ(hca_counter(1, HCA_STATE), (uint32_t)HCA_IS_ENABLED);
	fw_stop(1);
	EXPECT_EQ(fw_save(1, FW_INCREMENTAL, &buf, &saved), FW_BAD_RES_STATE);
	fw_start(1);
	fw_buf_free(&buf);
}
