// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * BAR 0 but for a VF's work: the initialisation segment and the doorbells. All of
 * it is big-endian.
 */
#include "hca.h"

#define FW_MAJOR	22
#define FW_MINOR	40
#define FW_SUB		1000u
#define CMD_IF_REV	5u
#define CMD_LAYOUT	0x56	/* 32 slots of 64 bytes */

#define NIC_BITS	0x700
#define SEG_END		0x2010
#define RFR		0x80

#define UAR_SIZE	0x1000
#define UAR_CQ		0x20
#define UAR_EQ_ARM	0x40
#define UAR_EQ		0x48

/* Seconds, for mlx5_core's own timeouts. */
#define TIMEOUT_INIT	(1u << 29 | 30)

/* --- initialisation segment ------------------------------------------------- */

static uint32_t revision(struct hca_fn *fn)
{
	return FW_MINOR << 16 | FW_MAJOR;
}

static uint32_t interface_revision(struct hca_fn *fn)
{
	return CMD_IF_REV << 16 | FW_SUB;
}

static uint32_t queue_high(struct hca_fn *fn)
{
	return fn->iface.queue >> 32;
}

static uint32_t queue_low(struct hca_fn *fn)
{
	return (uint32_t)fn->iface.queue | fn->iface.nic | CMD_LAYOUT;
}

static uint32_t health_revision(struct hca_fn *fn)
{
	return FW_MAJOR << 16 | FW_SUB;
}

static uint32_t health_severity(struct hca_fn *fn)
{
	return fn->hca->health ? (uint32_t)RFR << 24 : 0;
}

static uint32_t health_syndrome(struct hca_fn *fn)
{
	return (uint32_t)fn->hca->health << 16;
}

static uint32_t timeout_command(struct hca_fn *fn)
{
	return fn->hca->setting[HCA_SET_CMD_TIMEOUT_MS];
}

/* Zero tells mlx5_core to use timeouts of its own. */
static uint32_t timeout_init(struct hca_fn *fn)
{
	return fn->hca->setting[HCA_SET_CMD_TIMEOUT_MS] ? TIMEOUT_INIT : 0;
}

static uint32_t timer_high(struct hca_fn *fn)
{
	return qemu_clock_get_us(QEMU_CLOCK_VIRTUAL) >> 32;
}

static uint32_t timer_low(struct hca_fn *fn)
{
	return qemu_clock_get_us(QEMU_CLOCK_VIRTUAL);
}

/* A driver whose firmware is dead sees that it no longer changes. */
static uint32_t health_counter(struct hca_fn *fn)
{
	if (fn->hca->health)
		return 0;
	return (qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) / 10) & 0xffffff;
}

static const struct {
	uint16_t pos;
	uint32_t (*get)(struct hca_fn *fn);
} segment[] = {
	{ 0x000, revision },
	{ 0x004, interface_revision },
	{ 0x010, queue_high },
	{ 0x014, queue_low },
	{ 0x230, health_revision },
	{ 0x238, health_severity },
	{ 0x23c, health_syndrome },
	{ 0xff8, timeout_command },
	{ 0xffc, timeout_init },
	{ 0x1000, timer_high },
	{ 0x1004, timer_low },
	{ 0x1010, health_counter },
};

static uint32_t segment_word(struct hca_fn *fn, hwaddr pos)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(segment); i++) {
		if (segment[i].pos == pos)
			return segment[i].get(fn);
	}
	return 0;
}

static void segment_write(struct hca_fn *fn, hwaddr pos, uint32_t val)
{
	switch (pos) {
	case 0x10:
		fn->iface.queue = deposit64(fn->iface.queue, 32, 32, val);
		break;
	case 0x14:
		fn->iface.queue = deposit64(fn->iface.queue, 0, 32, val & ~0xfffu);
		fn->iface.nic = val & NIC_BITS;
		break;
	case 0x18:
		hca_cmd_doorbell(fn, val);
		break;
	}
}

/* --- doorbells --------------------------------------------------------------- */

static void uar_write(struct hca_fn *fn, hwaddr pos, uint64_t val, unsigned int len)
{
	switch (pos % UAR_SIZE) {
	case UAR_CQ:
		if (len == 8)
			hca_cq_doorbell(fn, val);
		break;
	case UAR_EQ_ARM:
	case UAR_EQ:
		if (len == 4)
			hca_eq_doorbell(fn, val, pos % UAR_SIZE == UAR_EQ_ARM);
		break;
	}
}

/* --- all of it --------------------------------------------------------------- */

static uint64_t bar_read(void *opaque, hwaddr pos, unsigned int len)
{
	unsigned int shift;
	uint32_t word;

	if (pos >= SEG_END)
		return 0;
	word = segment_word(opaque, pos & ~3ull);
	if (len == 8)
		return (uint64_t)word << 32 | segment_word(opaque, pos + 4);
	shift = (4 - len - (pos & 3)) * 8;
	return extract32(word, shift, len * 8);
}

static void bar_write(void *opaque, hwaddr pos, uint64_t val, unsigned int len)
{
	struct hca_fn *fn = opaque;

	if (fn->vhca.stopped) {
		fn->counter[HCA_MISUSED]++;
		return;
	}
	if (pos >= HCA_UAR_FIRST * UAR_SIZE)
		uar_write(fn, pos, val, len);
	else if (pos < SEG_END && len == 4)
		segment_write(fn, pos, val);
}

const MemoryRegionOps hca_bar_ops = {
	.read = bar_read,
	.write = bar_write,
	.endianness = DEVICE_BIG_ENDIAN,
	.valid = { .min_access_size = 1, .max_access_size = 8 },
	.impl = { .min_access_size = 1, .max_access_size = 8 },
};
