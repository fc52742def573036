// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page trackers of the lab's HCA, without a driver for VFs: a completion queue and
 * two queue pairs made by hand receive what the firmware reports.
 */
#include <arpa/inet.h>
#include <endian.h>
#include <string.h>
#include <unistd.h>

#include "lib/hca_fw.h"
#include "lib/lab.h"
#include "lib/tap.h"

#define IOVA		0x40000000ull
#define AREA		(128 * 4096u)
#define RANGE		(64 * 4096ull)	/* what is tracked */

/* Where things are in the buffer. */
#define AT_CQ		0x0000
#define AT_RQ		0x1000
#define AT_CQ_DBR	0x2000
#define AT_RQ_DBR	0x2040
#define AT_EQ		0x3000
#define AT_DATA		0x10000

#define CQ_LOG		4
#define RQ_LOG		5
#define MSG_LOG		6		/* eight pages */
#define MSG		(1u << MSG_LOG)
#define EQ_OF_MLX5	2		/* its events nobody waits for */

#define QP_WORDS	68
#define NO_RQ		3

enum { TRACKING, REPORTING, ERROR };

static struct fw_buf buf;
static uint32_t cqn, host_qp, fw_qp, tracker, seen;
static uint16_t posted;

static uint32_t *word(unsigned int pos)
{
	return (uint32_t *)(buf.addr + pos);
}

/* --- queues ------------------------------------------------------------------------- */

static void put_addr(uint32_t *in, uint64_t addr)
{
	in[0] = addr >> 32;
	in[1] = addr;
}

static void create_cq(uint32_t eqn)
{
	uint32_t in[70] = { HCA_CREATE_CQ << 16 }, out[4];

	memset(buf.addr + AT_CQ, 0xff, 64 << CQ_LOG);
	in[4 + 3] = CQ_LOG << 24;
	in[4 + 5] = eqn;
	put_addr(in + 4 + 14, buf.phys[0] + AT_CQ_DBR);
	put_addr(in + 68, buf.phys[0] + AT_CQ);
	ASSERT_EQ(fw_exec(in, 70, out, 4), FW_OK);
	cqn = out[2];
	seen = 0;
}

static uint32_t create_qp(bool receives)
{
	uint32_t in[70] = { HCA_CREATE_QP << 16 }, out[4], *qpc = in + 6;

	qpc[1] = buf.pd;
	if (receives) {
		qpc[2] = RQ_LOG << 19;
		qpc[39] = cqn;
		put_addr(qpc + 40, buf.phys[0] + AT_RQ_DBR);
		put_addr(in + 68, buf.phys[0] + AT_RQ);
	} else {
		qpc[43] = NO_RQ << 24;
	}
	ASSERT_EQ(fw_exec(in, receives ? 70 : QP_WORDS, out, 4), FW_OK);
	return out[2];
}

static unsigned int modify_qp(enum hca_opcode opcode, uint32_t qpn, uint32_t remote)
{
	uint32_t in[QP_WORDS] = { opcode << 16, 0, qpn }, out[4];

	in[6 + 5] = remote;
	return fw_exec(in, QP_WORDS, out, 4);
}

static void connect_qp(uint32_t qpn, uint32_t remote)
{
	ASSERT_EQ(modify_qp(HCA_RST2INIT_QP, qpn, 0), FW_OK);
	ASSERT_EQ(modify_qp(HCA_INIT2RTR_QP, qpn, remote), FW_OK);
	ASSERT_EQ(modify_qp(HCA_RTR2RTS_QP, qpn, 0), FW_OK);
}

/* Offer @count receive buffers more. */
static void post(unsigned int count)
{
	for (; count; count--, posted++) {
		unsigned int nr = posted % (1 << RQ_LOG);
		uint32_t *wqe = word(AT_RQ) + nr * 4;

		wqe[0] = htonl(MSG);
		wqe[1] = htonl(buf.mkey);
		wqe[2] = 0;
		wqe[3] = htonl(AT_DATA + nr * MSG);
	}
	*(volatile uint32_t *)word(AT_RQ_DBR) = htonl(posted);
}

/* --- the tracker ---------------------------------------------------------------------- */

static unsigned int create_tracker(unsigned int log_page)
{
	uint32_t in[20] = { HCA_CREATE_OBJECT << 16, 0x46 }, out[4], *object = in + 4;
	unsigned int ret;

	object[2] = hca_vhca_id(1);
	object[4] = 40 << 16 | log_page << 8 | MSG_LOG;
	object[5] = fw_qp;
	object[6] = 1;
	put_addr(object + 12, IOVA);
	put_addr(object + 14, RANGE);
	ret = fw_exec(in, 20, out, 4);
	tracker = out[2];
	return ret;
}

static unsigned int report(uint64_t start, uint64_t len)
{
	uint32_t in[16] = { HCA_MODIFY_OBJECT << 16, 0x46, tracker }, out[4], *object = in + 4;

	object[4] = (uint32_t)REPORTING << 28;
	put_addr(object + 8, start);
	put_addr(object + 10, len);
	return fw_exec(in, 16, out, 4);
}

static unsigned int state(void)
{
	uint32_t in[4] = { HCA_QUERY_OBJECT << 16, 0x46, tracker }, out[16];

	ASSERT_EQ(fw_exec(in, 4, out, 16), FW_OK);
	return out[4 + 4] >> 28;
}

static void expect_broken(void)
{
	unsigned int tries = test_patience(500);

	while (state() != ERROR && tries--)
		usleep(1000);
	EXPECT_EQ(state(), ERROR);
}

/* The next message; its state, or -1 if there is none. */
static int receive(uint64_t *pages, unsigned int *count)
{
	volatile uint32_t *cqe = word(AT_CQ) + seen % (1 << CQ_LOG) * 16;
	unsigned int tries = test_patience(200), nr, i;
	uint32_t own;

	do {
		own = ntohl(cqe[15]);
		if ((own & 1) == (seen >> CQ_LOG & 1) && (own & 0xff) != 0xff)
			break;
		usleep(1000);
	} while (--tries);
	if (!tries)
		return -1;
	EXPECT_EQ((own & 0xff) >> 4, 3u);
	nr = own >> 16;
	*count = ntohl(cqe[11]) / 8;
	for (i = 0; i < *count; i++)
		pages[i] = be64toh(((uint64_t *)(buf.addr + AT_DATA + nr % 32 * MSG))[i]);
	seen++;
	*(volatile uint32_t *)word(AT_CQ_DBR) = htonl(seen);
	return ntohl(cqe[9]) >> 28;
}

static void expect_report(const uint64_t *pages, unsigned int count)
{
	uint64_t got[MSG / 8];
	unsigned int part, sum = 0, i;
	int more;

	ASSERT_EQ(report(IOVA, RANGE), FW_OK);
	do {
		more = receive(got, &part);
		ASSERT_GE(more, 0);
		ASSERT_LE(sum + part, count);
		for (i = 0; i < part; i++)
			EXPECT_EQ(got[i], IOVA + pages[sum + i] * 4096);
		sum += part;
	} while (more == REPORTING);
	EXPECT_EQ(more, TRACKING);
	EXPECT_EQ(sum, count);
	EXPECT_EQ(state(), TRACKING);
}

/* A VF that can write, and queues; no tracker yet. */
static void set_up(struct vfio_dev *vf)
{
	hca_up(1);
	hca_vf_open(vf, 1);
	dma_map(&vf->group, dma_alloc(AREA), IOVA, AREA);
	fw_buf_alloc(&buf, 1 << 20);
	memset(buf.addr, 0, 0x3000);
	create_cq(EQ_OF_MLX5);
	host_qp = create_qp(true);
	fw_qp = create_qp(false);
	connect_qp(host_qp, fw_qp);
	connect_qp(fw_qp, host_qp);
	posted = 0;
	post(16);
}

static void tear_down(struct vfio_dev *vf)
{
	EXPECT_EQ(fw_short(HCA_DESTROY_OBJECT, 0x46, tracker, 0, NULL), FW_OK);
	EXPECT_EQ(fw_short(HCA_DESTROY_QP, 0, host_qp, 0, NULL), FW_OK);
	EXPECT_EQ(fw_short(HCA_DESTROY_QP, 0, fw_qp, 0, NULL), FW_OK);
	EXPECT_EQ(fw_short(HCA_DESTROY_CQ, 0, cqn, 0, NULL), FW_OK);
	fw_buf_free(&buf);
	vfio_close(vf);
	EXPECT_EQ(hca_counter(0, HCA_LIVE_EQ), hca_live(0) - hca_counter(0, HCA_LIVE_UAR));
}

static void write_page(struct vfio_dev *vf, uint64_t page)
{
	EXPECT_EQ(hca_work_dma(vf, HCA_DMA_TO_HOST, IOVA + page * 4096 + 100, 0, 8),
		  HCA_DMA_IS_DONE);
}

/* --- reports ---------------------------------------------------------------------------- */

TEST(report_names_the_pages_written)
{
	static const uint64_t pages[] = { 1, 5, 6, 63 };
	struct vfio_dev vf;

	set_up(&vf);
	write_page(&vf, 3);
	ASSERT_EQ(create_tracker(12), FW_OK);
	write_page(&vf, 63);
	write_page(&vf, 1);
	write_page(&vf, 64);
	EXPECT_EQ(hca_work_dma(&vf, HCA_DMA_TO_HOST, IOVA + 5 * 4096 + 4092, 0, 8),
		  HCA_DMA_IS_DONE);
	EXPECT_EQ(hca_work_dma(&vf, HCA_DMA_FROM_HOST, IOVA + 9 * 4096, 0, 8), HCA_DMA_IS_DONE);
	expect_report(pages, 4);
	expect_report(NULL, 0);
	write_page(&vf, 1);
	expect_report(pages, 1);
	tear_down(&vf);
}

TEST(long_report_takes_several_messages)
{
	unsigned int count, page, sum = 0;
	uint64_t pages[MSG / 8];
	struct vfio_dev vf;

	set_up(&vf);
	ASSERT_EQ(create_tracker(12), FW_OK);
	for (page = 0; page < 20; page++)
		write_page(&vf, page * 3);
	ASSERT_EQ(report(IOVA, RANGE), FW_OK);
	EXPECT_EQ(receive(pages, &count), REPORTING);
	EXPECT_EQ(count, 8u);
	EXPECT_EQ(pages[7], IOVA + 21 * 4096);
	EXPECT_EQ(receive(pages, &count), REPORTING);
	EXPECT_EQ(count, 8u);
	EXPECT_EQ(receive(pages, &count), TRACKING);
	EXPECT_EQ(count, 4u);
	/* And a part of what is tracked, then the rest. */
	for (page = 0; page < 20; page++)
		write_page(&vf, page);
	ASSERT_EQ(report(IOVA + 18 * 4096, 4096), FW_OK);
	EXPECT_EQ(receive(pages, &count), TRACKING);
	EXPECT_EQ(count, 1u);
	ASSERT_EQ(report(IOVA, RANGE), FW_OK);
	while (receive(pages, &count) == REPORTING)
		sum += count;
	EXPECT_EQ(sum + count, 19u);
	tear_down(&vf);
}

TEST(report_waits_for_buffers)
{
	uint64_t pages[MSG / 8];
	unsigned int count, page;
	struct vfio_dev vf;

	set_up(&vf);
	ASSERT_EQ(create_tracker(12), FW_OK);
	/* Use up all but one. */
	for (page = 0; page < 15; page++)
		expect_report(NULL, 0);
	for (page = 0; page < 20; page++)
		write_page(&vf, page);
	ASSERT_EQ(report(IOVA, RANGE), FW_OK);
	EXPECT_EQ(receive(pages, &count), REPORTING);
	test_pause(20);
	EXPECT_EQ(state(), REPORTING);
	EXPECT_EQ(report(IOVA, RANGE), FW_BAD_RES_STATE);
	EXPECT_EQ(fw_why(), HCA_WHY_TRACKER_STATE);
	post(2);
	EXPECT_EQ(receive(pages, &count), REPORTING);
	EXPECT_EQ(receive(pages, &count), TRACKING);
	EXPECT_EQ(count, 4u);
	tear_down(&vf);
}

TEST(pages_can_be_larger)
{
	static const uint64_t pages[] = { 0, 32 };
	struct vfio_dev vf;

	set_up(&vf);
	ASSERT_EQ(create_tracker(16), FW_OK);
	write_page(&vf, 3);
	write_page(&vf, 15);
	write_page(&vf, 40);
	expect_report(pages, 2);
	tear_down(&vf);
}

/* --- errors -------------------------------------------------------------------------------- */

TEST(tracker_error_is_an_event)
{
	struct vfio_dev vf;
	uint32_t events;

	set_up(&vf);
	ASSERT_EQ(create_tracker(12), FW_OK);
	events = hca_counter(0, HCA_EVENTS);
	hca_do(HCA_DO_TRACKER_ERROR, 0, 0);
	EXPECT_EQ(hca_counter(0, HCA_EVENTS), events + 1);
	EXPECT_EQ(state(), ERROR);
	EXPECT_EQ(report(IOVA, RANGE), FW_BAD_RES_STATE);
	tear_down(&vf);
}

TEST(queue_pair_error_breaks_the_tracker)
{
	struct vfio_dev vf;
	uint32_t events;

	set_up(&vf);
	ASSERT_EQ(create_tracker(12), FW_OK);
	events = hca_counter(0, HCA_EVENTS);
	hca_do(HCA_DO_QP_ERROR, host_qp, 5);
	EXPECT_EQ(hca_counter(0, HCA_EVENTS), events + 1);
	ASSERT_EQ(report(IOVA, RANGE), FW_OK);
	expect_broken();
	tear_down(&vf);
}

TEST(full_completion_queue_breaks_the_tracker)
{
	uint64_t pages[MSG / 8];
	struct vfio_dev vf;
	unsigned int i, count;

	set_up(&vf);
	ASSERT_EQ(create_tracker(12), FW_OK);
	post(8);
	/* The driver never says that it has seen any. */
	for (i = 0; i < 16; i++) {
		ASSERT_EQ(report(IOVA, RANGE), FW_OK);
		EXPECT_EQ(receive(pages, &count), TRACKING);
		*word(AT_CQ_DBR) = 0;
	}
	ASSERT_EQ(report(IOVA, RANGE), FW_OK);
	expect_broken();
	tear_down(&vf);
}

TEST(tracker_of_a_vf_that_is_gone)
{
	struct vfio_dev vf;

	set_up(&vf);
	ASSERT_EQ(create_tracker(12), FW_OK);
	vfio_close(&vf);
	ASSERT_EQ(hca_set_vfs(0), 0);
	EXPECT_EQ(state(), ERROR);
	hca_down();
	/* Tracker, two queue pairs, completion queue, its event queue, key, domain. */
	EXPECT_EQ(hca_counter(0, HCA_LEAKED), 7u);
}

TEST(trackers_have_rules)
{
	struct vfio_dev vf;
	uint32_t good;
	unsigned int i;

	set_up(&vf);
	EXPECT_EQ(create_tracker(11), FW_BAD_PARAM);
	good = fw_qp;
	fw_qp = create_qp(false);
	EXPECT_EQ(create_tracker(12), FW_BAD_QP_STATE);
	EXPECT_EQ(fw_short(HCA_DESTROY_QP, 0, fw_qp, 0, NULL), FW_OK);
	EXPECT_EQ(create_tracker(12), FW_BAD_RES);
	fw_qp = good;
	for (i = 0; i < 4; i++)
		EXPECT_EQ(create_tracker(12), FW_OK);
	EXPECT_EQ(fw_short(HCA_DESTROY_QP, 0, fw_qp, 0, NULL), FW_BAD_RES_STATE);
	EXPECT_EQ(fw_short(HCA_DESTROY_CQ, 0, cqn, 0, NULL), FW_BAD_RES_STATE);
	good = tracker;
	EXPECT_EQ(create_tracker(12), 0xfu);
	for (i = 1; i < 4; i++)
		EXPECT_EQ(fw_short(HCA_DESTROY_OBJECT, 0x46, good - i, 0, NULL), FW_OK);
	tracker = good;
	tear_down(&vf);
}
