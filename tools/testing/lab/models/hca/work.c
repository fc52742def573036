// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a VF does for a living: registers that count, a memory, and an engine that
 * copies between it and the host. It initiates nothing while its initiator is
 * suspended and accepts nothing while its responder is.
 */
#include "hca.h"
#include "hw/pci/msix.h"
#include "qemu/bitmap.h"

#define STREAM_SHORTEST	100	/* microseconds */

static const bool writable[HCA_W_REGS] = {
	[HCA_W_SCRATCH ... HCA_W_SCRATCH + 7] = true,
	[HCA_W_WINDOW] = true,
	[HCA_W_DMA_IOVA] = true,
	[HCA_W_DMA_POS] = true,
	[HCA_W_DMA_LEN] = true,
	[HCA_W_DMA_GO] = true,
	[HCA_W_STREAM_IOVA] = true,
	[HCA_W_STREAM_PAGES] = true,
	[HCA_W_STREAM_US] = true,
	[HCA_W_STREAM_ON] = true,
	[HCA_W_VECTOR] = true,
};

/* --- memory ------------------------------------------------------------------------ */

static uint64_t memory_size(const struct hca_fn *fn)
{
	return (uint64_t)fn->work.pages * HCA_PAGE;
}

static bool inside(const struct hca_fn *fn, uint64_t pos, uint64_t len)
{
	return pos <= memory_size(fn) && len <= memory_size(fn) - pos;
}

void hca_work_store(struct hca_fn *fn, uint64_t pos, const void *data, size_t len)
{
	if (!len)
		return;
	memcpy(fn->work.memory + pos, data, len);
	bitmap_set((unsigned long *)fn->work.dirty, pos / HCA_PAGE,
		   (pos + len - 1) / HCA_PAGE - pos / HCA_PAGE + 1);
}

static void memory_reset(struct hca_fn *fn)
{
	struct hca_work_state *work = &fn->work;

	work->pages = fn->hca->setting[HCA_SET_VF_PAGES];
	g_free(work->memory);
	g_free(work->dirty);
	work->memory = g_malloc0(memory_size(fn));
	work->dirty = g_new0(uint64_t, DIV_ROUND_UP(work->pages, 64));
}

/* --- transfers --------------------------------------------------------------------- */

static void interrupt(struct hca_fn *fn)
{
	uint64_t vector = fn->work.reg[HCA_W_VECTOR];

	if (vector && vector <= HCA_VECTORS)
		msix_notify(fn->pci, vector - 1);
}

static bool from_host(struct hca_fn *fn, uint64_t iova, uint64_t pos, uint64_t len)
{
	g_autofree uint8_t *data = g_malloc(len);

	if (!hca_dma_read(fn, iova, data, len))
		return false;
	hca_work_store(fn, pos, data, len);
	return true;
}

static bool transfer(struct hca_fn *fn)
{
	const uint64_t *reg = fn->work.reg;
	uint64_t pos = reg[HCA_W_DMA_POS], len = reg[HCA_W_DMA_LEN];

	if (!inside(fn, pos, len))
		return false;
	switch (reg[HCA_W_DMA_GO]) {
	case HCA_DMA_TO_HOST:
		return hca_dma_write(fn, reg[HCA_W_DMA_IOVA], fn->work.memory + pos, len);
	case HCA_DMA_FROM_HOST:
		return from_host(fn, reg[HCA_W_DMA_IOVA], pos, len);
	}
	return false;
}

static void dma_go(struct hca_fn *fn)
{
	uint64_t *reg = fn->work.reg;

	reg[HCA_W_DMA_STATUS] = HCA_DMA_IS_PENDING;
	if (fn->vhca.passive)
		return;
	reg[HCA_W_DMA_STATUS] = transfer(fn) ? HCA_DMA_IS_DONE : HCA_DMA_IS_FAILED;
	reg[HCA_W_DMA_DONE]++;
	interrupt(fn);
}

/* --- stream ------------------------------------------------------------------------ */

static void stream_plan(struct hca_fn *fn)
{
	uint64_t period = MAX(fn->work.reg[HCA_W_STREAM_US], STREAM_SHORTEST);

	if (!fn->work.reg[HCA_W_STREAM_ON] || fn->vhca.passive)
		timer_del(fn->work.stream);
	else
		timer_mod(fn->work.stream, qemu_clock_get_us(QEMU_CLOCK_VIRTUAL) + period);
}

static void stream_step(void *opaque)
{
	struct hca_fn *fn = opaque;
	uint64_t *reg = fn->work.reg, count = cpu_to_le64(reg[HCA_W_STREAM_COUNT]);
	uint64_t pages = MAX(reg[HCA_W_STREAM_PAGES], 1);
	uint64_t iova = reg[HCA_W_STREAM_IOVA] + reg[HCA_W_STREAM_COUNT] % pages * HCA_PAGE;

	if (!hca_dma_write(fn, iova, &count, sizeof(count)))
		reg[HCA_W_STREAM_ERRORS]++;
	if (fn->work.pages)
		hca_work_store(fn, reg[HCA_W_STREAM_COUNT] % fn->work.pages * HCA_PAGE, &count,
			       sizeof(count));
	reg[HCA_W_STREAM_COUNT]++;
	interrupt(fn);
	stream_plan(fn);
}

/* --- registers --------------------------------------------------------------------- */

static uint64_t running_ms(const struct hca_fn *fn)
{
	if (fn->vhca.passive)
		return 0;
	return qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) - fn->work.since;
}

static uint64_t reg_read(void *opaque, hwaddr pos, unsigned int len)
{
	struct hca_fn *fn = opaque;
	unsigned int nr = pos / 8;
	uint64_t val;

	if (nr >= HCA_W_REGS)
		return 0;
	val = fn->work.reg[nr];
	if (nr == HCA_W_TICKS)
		val += running_ms(fn);
	return len == 8 ? val : extract64(val, pos % 8 * 8, 32);
}

static void reg_write(void *opaque, hwaddr pos, uint64_t val, unsigned int len)
{
	struct hca_fn *fn = opaque;
	uint64_t *reg = fn->work.reg;
	unsigned int nr = pos / 8;

	if (fn->vhca.stopped) {
		fn->counter[HCA_MISUSED]++;
		return;
	}
	if (nr >= HCA_W_REGS || !writable[nr])
		return;
	reg[nr] = len == 8 ? val : deposit64(reg[nr], pos % 8 * 8, 32, val);
	if (pos % 8)
		return;		/* the upper half, which nothing depends on */
	reg[HCA_W_WRITES]++;
	if (nr == HCA_W_DMA_GO)
		dma_go(fn);
	else if (nr == HCA_W_STREAM_ON)
		stream_plan(fn);
}

static uint64_t window_read(void *opaque, hwaddr pos, unsigned int len)
{
	struct hca_fn *fn = opaque;

	pos += fn->work.reg[HCA_W_WINDOW] * HCA_PAGE;
	return inside(fn, pos, len) ? ldn_le_p(fn->work.memory + pos, len) : 0;
}

static void window_write(void *opaque, hwaddr pos, uint64_t val, unsigned int len)
{
	struct hca_fn *fn = opaque;
	uint8_t data[8];

	pos += fn->work.reg[HCA_W_WINDOW] * HCA_PAGE;
	stn_le_p(data, len, val);
	if (fn->vhca.stopped)
		fn->counter[HCA_MISUSED]++;
	else if (inside(fn, pos, len))
		hca_work_store(fn, pos, data, len);
}

static const MemoryRegionOps reg_ops = {
	.read = reg_read,
	.write = reg_write,
	.endianness = DEVICE_LITTLE_ENDIAN,
	.valid = { .min_access_size = 4, .max_access_size = 8 },
	.impl = { .min_access_size = 4, .max_access_size = 8 },
};

static const MemoryRegionOps window_ops = {
	.read = window_read,
	.write = window_write,
	.endianness = DEVICE_LITTLE_ENDIAN,
	.valid = { .min_access_size = 1, .max_access_size = 8 },
	.impl = { .min_access_size = 1, .max_access_size = 8 },
};

/* --- life -------------------------------------------------------------------------- */

void hca_work_init(struct hca_fn *fn)
{
	fn->work.stream = timer_new_us(QEMU_CLOCK_VIRTUAL, stream_step, fn);
}

void hca_work_realize(struct hca_fn *fn)
{
	memory_region_init_io(&fn->work_mr, OBJECT(fn->pci), &reg_ops, fn, "hca-work",
			      8 * HCA_W_REGS);
	memory_region_add_subregion(&fn->bar, HCA_WORK, &fn->work_mr);
	memory_region_init_io(&fn->window_mr, OBJECT(fn->pci), &window_ops, fn, "hca-window",
			      HCA_WINDOW_SIZE);
	memory_region_add_subregion(&fn->bar, HCA_WINDOW, &fn->window_mr);
}

void hca_work_reset(struct hca_fn *fn)
{
	timer_del(fn->work.stream);
	memset(fn->work.reg, 0, sizeof(fn->work.reg));
	if (hca_is_pf(fn))
		return;
	memory_reset(fn);
	fn->work.reg[HCA_W_MAGIC] = HCA_WORK_MAGIC;
	fn->work.reg[HCA_W_PAGES] = fn->work.pages;
	fn->work.since = qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL);
}

/* Called while the VF is still running, and when it does again. */
void hca_work_pause(struct hca_fn *fn)
{
	fn->work.reg[HCA_W_TICKS] += running_ms(fn);
	timer_del(fn->work.stream);
}

void hca_work_resume(struct hca_fn *fn)
{
	fn->work.since = qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL);
	if (fn->work.reg[HCA_W_DMA_STATUS] == HCA_DMA_IS_PENDING)
		dma_go(fn);
	stream_plan(fn);
}
