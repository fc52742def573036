// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a VF of the lab's HCA does, as the VFIO user who has it sees it: registers
 * that count, memory, DMA through the user's own mapping.
 */
#include <string.h>
#include <unistd.h>

#include "lib/hca_fw.h"
#include "lib/lab.h"
#include "lib/tap.h"

#define IOVA	0x40000000ull
#define AREA	(64 * 4096u)

/* The VF in function @fn, open, with AREA bytes mapped at IOVA. */
static uint8_t *open_mapped(struct vfio_dev *vf, unsigned int fn)
{
	uint8_t *area = dma_alloc(AREA);

	hca_vf_open(vf, fn);
	dma_map(&vf->group, area, IOVA, AREA);
	return area;
}

static void memory_write(struct vfio_dev *vf, uint64_t pos, uint32_t val)
{
	region_put(vf, VFIO_PCI_BAR0_REGION_INDEX, HCA_WINDOW + pos, 4, val);
}

static uint32_t memory_read(struct vfio_dev *vf, uint64_t pos)
{
	return region_get(vf, VFIO_PCI_BAR0_REGION_INDEX, HCA_WINDOW + pos, 4);
}

TEST(registers_count_and_hold)
{
	struct vfio_dev vf;
	uint64_t ticks;
	unsigned int i;

	hca_up(1);
	hca_vf_open(&vf, 1);
	EXPECT_EQ(hca_work_get(&vf, HCA_W_MAGIC), HCA_WORK_MAGIC);
	EXPECT_EQ(hca_work_get(&vf, HCA_W_PAGES), 256u);
	for (i = 0; i < 8; i++)
		hca_work_put(&vf, HCA_W_SCRATCH + i, i * 0x100000001ull);
	for (i = 0; i < 8; i++)
		EXPECT_EQ(hca_work_get(&vf, HCA_W_SCRATCH + i), i * 0x100000001ull);
	EXPECT_EQ(hca_work_get(&vf, HCA_W_WRITES), 8u);
	ticks = hca_work_get(&vf, HCA_W_TICKS);
	usleep(20000);
	EXPECT_GE(hca_work_get(&vf, HCA_W_TICKS), ticks + 20);
	vfio_close(&vf);
}

TEST(window_shows_memory)
{
	struct vfio_dev vf;

	hca_up(1);
	hca_vf_open(&vf, 1);
	memory_write(&vf, 0x1004, 0xfeedface);
	hca_work_put(&vf, HCA_W_WINDOW, 1);
	EXPECT_EQ(memory_read(&vf, 4), 0xfeedfaceu);
	hca_work_put(&vf, HCA_W_WINDOW, 255);
	memory_write(&vf, 4092, 1);
	EXPECT_EQ(memory_read(&vf, 4092), 1u);
	memory_write(&vf, 4096, 1);
	EXPECT_EQ(memory_read(&vf, 4096), 0u);
	vfio_close(&vf);
}

TEST(dma_copies_both_ways)
{
	struct vfio_dev vf;
	uint8_t *area;
	unsigned int i;

	hca_up(2);
	area = open_mapped(&vf, 2);
	for (i = 0; i < 8192; i++)
		area[i] = hca_byte(1, i);
	EXPECT_EQ(hca_work_dma(&vf, HCA_DMA_FROM_HOST, IOVA, 100, 8192), HCA_DMA_IS_DONE);
	EXPECT_EQ(hca_work_dma(&vf, HCA_DMA_TO_HOST, IOVA + 16384 + 5, 100, 8192), HCA_DMA_IS_DONE);
	EXPECT_MEMEQ(area + 16384 + 5, area, 8192);
	EXPECT_EQ(hca_work_get(&vf, HCA_W_DMA_DONE), 2u);
	vfio_close(&vf);
}

/* The IOMMU's fault goes to the kernel's log; nothing was read or written. */
TEST(dma_outside_of_the_mapping_fails)
{
	struct vfio_dev vf;

	hca_up(1);
	open_mapped(&vf, 1);
	EXPECT_EQ(hca_work_dma(&vf, HCA_DMA_TO_HOST, IOVA + AREA, 0, 8), HCA_DMA_IS_FAILED);
	EXPECT_EQ(hca_work_dma(&vf, HCA_DMA_FROM_HOST, 0x1000, 0, 8), HCA_DMA_IS_FAILED);
	EXPECT_EQ(hca_work_dma(&vf, HCA_DMA_FROM_HOST, IOVA, 256 * 4096 - 4, 8),
		  HCA_DMA_IS_FAILED);
	EXPECT_EQ(memory_read(&vf, 0), 0u);
	vfio_close(&vf);
}

static void wait_for_stream(struct vfio_dev *vf, uint64_t count)
{
	unsigned int tries = test_patience(500);

	while (hca_work_get(vf, HCA_W_STREAM_COUNT) < count && tries--)
		usleep(10000);
	EXPECT_GE(hca_work_get(vf, HCA_W_STREAM_COUNT), count);
}

static void stream_start(struct vfio_dev *vf, unsigned int pages)
{
	hca_work_put(vf, HCA_W_STREAM_IOVA, IOVA);
	hca_work_put(vf, HCA_W_STREAM_PAGES, pages);
	hca_work_put(vf, HCA_W_STREAM_US, 1000);
	hca_work_put(vf, HCA_W_STREAM_ON, 1);
}

TEST(stream_writes_page_after_page)
{
	volatile uint64_t *area;
	struct vfio_dev vf;
	unsigned int page;

	hca_up(1);
	area = (void *)open_mapped(&vf, 1);
	stream_start(&vf, 4);
	wait_for_stream(&vf, 20);
	hca_work_put(&vf, HCA_W_STREAM_ON, 0);
	for (page = 0; page < 4; page++) {
		EXPECT_EQ(area[page * 512] % 4, page);
		EXPECT_GE(area[page * 512], 16u);
	}
	EXPECT_EQ(area[4 * 512], 0u);
	EXPECT_EQ(hca_work_get(&vf, HCA_W_STREAM_ERRORS), 0u);
	vfio_close(&vf);
}

TEST(work_raises_interrupts)
{
	struct vfio_dev vf;
	int event;

	hca_up(1);
	open_mapped(&vf, 1);
	event = event_new();
	irq_enable(&vf, VFIO_PCI_MSIX_IRQ_INDEX, 0, 1, &event);
	hca_work_put(&vf, HCA_W_VECTOR, 1);
	EXPECT_EQ(hca_work_dma(&vf, HCA_DMA_TO_HOST, IOVA, 0, 8), HCA_DMA_IS_DONE);
	EXPECT_EQ(event_wait(event, 1000), 1u);
	vfio_close(&vf);
}

TEST(reset_starts_anew)
{
	struct vfio_dev vf;
	uint32_t resets;

	hca_up(1);
	hca_vf_open(&vf, 1);
	resets = hca_counter(1, HCA_RESETS);
	hca_work_put(&vf, HCA_W_SCRATCH, 5);
	memory_write(&vf, 0, 5);
	vfio_reset(&vf);
	EXPECT_EQ(hca_counter(1, HCA_RESETS), resets + 1);
	EXPECT_EQ(hca_work_get(&vf, HCA_W_SCRATCH), 0u);
	EXPECT_EQ(memory_read(&vf, 0), 0u);
	vfio_close(&vf);
}

/* --- suspended ------------------------------------------------------------------ */

/* What a VF was told while passive it does when it goes on. */
TEST(passive_vf_starts_nothing)
{
	struct vfio_dev vf;
	uint64_t ticks, count;
	uint8_t *area;

	hca_up(1);
	area = open_mapped(&vf, 1);
	stream_start(&vf, 1);
	wait_for_stream(&vf, 3);
	ASSERT_EQ(fw_suspend(1, FW_INITIATOR), FW_OK);
	ticks = hca_work_get(&vf, HCA_W_TICKS);
	count = hca_work_get(&vf, HCA_W_STREAM_COUNT);
	memory_write(&vf, 0x1000, 0x11223344);
	EXPECT_EQ(hca_work_dma(&vf, HCA_DMA_TO_HOST, IOVA + 4096, 0x1000, 4), HCA_DMA_IS_PENDING);
	usleep(20000);
	EXPECT_EQ(hca_work_get(&vf, HCA_W_TICKS), ticks);
	EXPECT_EQ(hca_work_get(&vf, HCA_W_STREAM_COUNT), count);
	EXPECT_EQ(area[4096], 0);

	ASSERT_EQ(fw_resume(1, FW_INITIATOR), FW_OK);
	EXPECT_EQ(hca_work_get(&vf, HCA_W_DMA_STATUS), HCA_DMA_IS_DONE);
	EXPECT_EQ(area[4096], 0x44);
	wait_for_stream(&vf, count + 3);
	vfio_close(&vf);
}

TEST(stopped_vf_accepts_nothing)
{
	struct vfio_dev vf;

	hca_up(1);
	hca_vf_open(&vf, 1);
	hca_work_put(&vf, HCA_W_SCRATCH, 1);
	fw_stop(1);
	EXPECT_EQ(hca_counter(1, HCA_MISUSED), 0u);
	hca_work_put(&vf, HCA_W_SCRATCH, 2);
	memory_write(&vf, 0, 2);
	EXPECT_EQ(hca_work_get(&vf, HCA_W_SCRATCH), 1u);
	EXPECT_EQ(memory_read(&vf, 0), 0u);
	EXPECT_GE(hca_counter(1, HCA_MISUSED), 2u);
	fw_start(1);
	hca_work_put(&vf, HCA_W_SCRATCH, 3);
	EXPECT_EQ(hca_work_get(&vf, HCA_W_SCRATCH), 3u);
	vfio_close(&vf);
}
