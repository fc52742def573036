// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes QEMU's NVMe controller deliver the interrupts of its admin queue.
 *
 * The model notes that a queue uses an MSI-X vector when the queue is created,
 * and only if MSI-X is on by then; what is raised on a vector not in use is
 * dropped. qemu-img and qemu-io enable the controller first and MSI-X second,
 * so their admin commands would complete only as long as polling happens to be
 * quick enough. A controller enabled with MSI-X on and disabled with MSI-X off
 * leaves the vector in use once more than before; a program that does it the
 * other way round takes one back.
 */
#include <time.h>

#include "lib/lab.h"
#include "lib/tap.h"
#include "lib/vfio.h"

#define NVME_CC		0x14
#define NVME_CC_ENABLE	0x00460001	/* 16 byte completions, 64 byte commands */
#define NVME_CSTS	0x1c
#define NVME_CSTS_READY	1
#define NVME_AQA	0x24
#define NVME_ASQ	0x28
#define NVME_ACQ	0x30

#define QUEUES_IOVA	0x100000
#define PAGE		4096

/* More than the programs that follow. */
#define ROUNDS		20

static void wait_ready(struct vfio_dev *dev, uint32_t want)
{
	const struct timespec nap = { .tv_nsec = 10000000 };

	while ((region_get(dev, 0, NVME_CSTS, 4) & NVME_CSTS_READY) != want)
		nanosleep(&nap, NULL);
}

static void enable(struct vfio_dev *dev)
{
	region_put(dev, 0, NVME_AQA, 4, 0x000f000f);
	region_put(dev, 0, NVME_ASQ, 8, QUEUES_IOVA);
	region_put(dev, 0, NVME_ACQ, 8, QUEUES_IOVA + PAGE);
	region_put(dev, 0, NVME_CC, 4, NVME_CC_ENABLE);
	wait_ready(dev, NVME_CSTS_READY);
}

static void disable(struct vfio_dev *dev)
{
	region_put(dev, 0, NVME_CC, 4, 0);
	wait_ready(dev, 0);
}

TEST(vector_is_in_use)
{
	int32_t event = event_new();
	struct vfio_dev dev;
	unsigned int i;

	vfio_open(&dev, lab_bdf("nvme"));
	dma_map(&dev.group, dma_alloc(2 * PAGE), QUEUES_IOVA, 2 * PAGE);
	cfg_command(&dev, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0);
	for (i = 0; i < ROUNDS; i++) {
		irq_enable(&dev, VFIO_PCI_MSIX_IRQ_INDEX, 0, 1, &event);
		enable(&dev);
		irq_disable(&dev, VFIO_PCI_MSIX_IRQ_INDEX);
		disable(&dev);
	}
	vfio_close(&dev);
}
