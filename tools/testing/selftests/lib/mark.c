// SPDX-License-Identifier: GPL-2.0-only
/*
 * A trace in a device that nothing but a reset of it wipes out.
 */
#include "mark.h"
#include "odd.h"
#include "tap.h"

/* NVMe 1.4, 3.1: registers of BAR 0. */
#define NVME_CC			0x14
#define NVME_CC_ENABLE		0x00460001u	/* and the sizes of queue entries */
#define NVME_CSTS		0x1c
#define NVME_CSTS_READY		0x01u
#define NVME_AQA		0x24
#define NVME_ASQ		0x28
#define NVME_ACQ		0x30

/* The controller gets ready without looking at its empty queues. */
static void nvme_leave(struct vfio_dev *dev)
{
	unsigned int polls = 10000;

	region_put(dev, 0, NVME_CC, 4, 0);
	region_put(dev, 0, NVME_AQA, 4, 0x001f001f);
	region_put(dev, 0, NVME_ASQ, 8, 0x100000);
	region_put(dev, 0, NVME_ACQ, 8, 0x101000);
	region_put(dev, 0, NVME_CC, 4, NVME_CC_ENABLE);
	while (polls-- && !(region_get(dev, 0, NVME_CSTS, 4) & NVME_CSTS_READY))
		;
}

static bool nvme_there(struct vfio_dev *dev)
{
	return region_get(dev, 0, NVME_CSTS, 4) & NVME_CSTS_READY;
}

/* Intel 82574 and 82576, VET: Ether type of VLAN frames, 0x8100 from reset. */
#define INTEL_VET		0x38
#define INTEL_VET_MARK		0x1234u

static void intel_leave(struct vfio_dev *dev)
{
	region_put(dev, 0, INTEL_VET, 4, INTEL_VET_MARK);
}

static bool intel_there(struct vfio_dev *dev)
{
	return region_get(dev, 0, INTEL_VET, 4) == INTEL_VET_MARK;
}

/* QEMU's pci-testdev: the name of the test that was chosen, none from reset. */
#define TESTDEV_CHOICE		0
#define TESTDEV_NAME		16

static void testdev_leave(struct vfio_dev *dev)
{
	region_put(dev, 0, TESTDEV_CHOICE, 1, 0);
}

static bool testdev_there(struct vfio_dev *dev)
{
	return region_get(dev, 0, TESTDEV_NAME, 1);
}

/* The lab's odd device has a register for it. */
static void odd_leave(struct vfio_dev *dev)
{
	odd_put(dev, ODD_MARK, 1);
}

static bool odd_there(struct vfio_dev *dev)
{
	return odd_get(dev, ODD_MARK);
}

static const struct mark {
	uint32_t id;		/* as in configuration space */
	void (*leave)(struct vfio_dev *dev);
	bool (*there)(struct vfio_dev *dev);
} marks[] = {
	{ 0x00101b36, nvme_leave, nvme_there },
	{ 0x10d38086, intel_leave, intel_there },
	{ 0x10c98086, intel_leave, intel_there },
	{ 0x00051b36, testdev_leave, testdev_there },
	{ 0x0dd01234, odd_leave, odd_there },
};

static const struct mark *mark_of(struct vfio_dev *dev)
{
	uint32_t id = cfg_get32(dev, PCI_VENDOR_ID);
	unsigned int i;

	cfg_command(dev, PCI_COMMAND_MEMORY, 0);
	for (i = 0; i < ARRAY_SIZE(marks); i++) {
		if (marks[i].id == id)
			return &marks[i];
	}
	FAIL("%s (%#x) has no register to tell a reset by", dev->bdf, id);
	return NULL;
}

void mark_leave(struct vfio_dev *dev)
{
	const struct mark *mark = mark_of(dev);

	mark->leave(dev);
	ASSERT(mark->there(dev));
}

bool mark_there(struct vfio_dev *dev)
{
	return mark_of(dev)->there(dev);
}
