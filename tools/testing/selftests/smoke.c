// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every device of the lab: bind, open, look at it, close, give it back.
 */
#include <stdio.h>
#include <string.h>

#include "lib/lab.h"
#include "lib/tap.h"
#include "lib/vfio.h"

struct card {
	const char *name;
	uint16_t vendor;
	uint16_t device;
};

static const struct card cards[] = {
	{ "edu", 0x1234, 0x11e8 },
	{ "e1000e", 0x8086, 0x10d3 },
	{ "igb", 0x8086, 0x10c9 },
	{ "nvme", 0x1b36, 0x0010 },
	{ "testdev", 0x1b36, 0x0005 },
	{ "ivshmem", 0x1af4, 0x1110 },
	{ "vga", 0x1234, 0x1111 },
	{ "multi", 0x8086, 0x10d3 },
	{ "bridge", 0x1234, 0x11e8 },
};

static void show_regions(struct vfio_dev *dev)
{
	struct vfio_region region;
	uint32_t i;

	for (i = 0; i < VFIO_PCI_VGA_REGION_INDEX; i++) {
		region = vfio_region(dev, i);
		EXPECT_EQ(region.info.index, i);
		if (region.info.size)
			test_note("%s region %u: %#llx bytes, flags %#x",
				  dev->bdf, i, region.info.size,
				  region.info.flags);
	}
}

static void show_irqs(struct vfio_dev *dev)
{
	struct vfio_irq_info irq;
	uint32_t i;

	for (i = 0; i <= VFIO_PCI_MSIX_IRQ_INDEX; i++) {
		irq = vfio_irq(dev, i);
		if (irq.count)
			test_note("%s irq %u: %u, flags %#x", dev->bdf, i,
				  irq.count, irq.flags);
	}
}

/* The size that user space is told must be that of the kernel's resource. */
static void check_bars(struct vfio_dev *dev)
{
	uint32_t i;

	for (i = VFIO_PCI_BAR0_REGION_INDEX; i <= VFIO_PCI_BAR5_REGION_INDEX; i++)
		EXPECT_EQ(vfio_region(dev, i).info.size,
			  pci_resource(dev->bdf, i).size);
}

TEST_EACH(opens, cards)
{
	struct vfio_dev dev;

	vfio_open(&dev, lab_bdf(it->name));
	EXPECT(dev.info.flags & VFIO_DEVICE_FLAGS_PCI);
	EXPECT_GE(dev.info.num_regions, VFIO_PCI_NUM_REGIONS);
	EXPECT_EQ(dev.info.num_irqs, VFIO_PCI_NUM_IRQS);
	show_regions(&dev);
	show_irqs(&dev);
	check_bars(&dev);
	EXPECT_EQ(cfg_get16(&dev, PCI_VENDOR_ID), it->vendor);
	EXPECT_EQ(cfg_get16(&dev, PCI_DEVICE_ID), it->device);
	vfio_close(&dev);
}

TEST_EACH(opens_again, cards)
{
	struct vfio_dev dev;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		vfio_open(&dev, lab_bdf(it->name));
		EXPECT_EQ(cfg_get16(&dev, PCI_VENDOR_ID), it->vendor);
		vfio_close(&dev);
	}
}

TEST_EACH(lets_go, cards)
{
	const char *bdf = lab_bdf(it->name);

	pci_bind(bdf, "vfio-pci");
	ASSERT(pci_driver_is(bdf, "vfio-pci"));
	pci_unbind(bdf);
	EXPECT(pci_driver_is(bdf, ""));
	EXPECT_EQ(pci_config_read(bdf, PCI_VENDOR_ID, 2), it->vendor);
}

TEST(monitor_answers)
{
	const char *answer = lab_monitor("info version");

	EXPECT(strstr(answer, "(qemu)"));
	EXPECT(strchr(answer, '.'));
}
