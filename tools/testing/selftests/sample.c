// SPDX-License-Identifier: GPL-2.0-only
/*
 * The sample: a driver that adds nothing serves its device as vfio_pci would.
 */
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/edu.h"
#include "lib/lab.h"
#include "lib/tap.h"
#include "lib/vfio.h"

#define DRIVER	"edu-vfio-pci"
#define MODULE	"edu_vfio_pci"

static void sample_open(struct vfio_dev *dev)
{
	if (lab_stock())
		SKIP("built on this tree's library");
	ASSERT_EQ(module_load(MODULE, NULL), 0);
	vfio_open_with(dev, lab_bdf("edu"), DRIVER);
	cfg_command(dev, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0);
	edu_ack(dev);
}

static void sample_done(struct vfio_dev *dev)
{
	vfio_close(dev);
	EXPECT(pci_driver_is(dev->bdf, DRIVER));
	pci_unbind(dev->bdf);
	EXPECT_EQ(module_unload(MODULE), 0);
}

TEST(device_is_described)
{
	struct vfio_dev dev;
	uint32_t i;

	sample_open(&dev);
	EXPECT(dev.info.flags & VFIO_DEVICE_FLAGS_PCI);
	EXPECT_EQ(dev.info.num_irqs, VFIO_PCI_NUM_IRQS);
	EXPECT_EQ(cfg_get32(&dev, PCI_VENDOR_ID), 0x11e81234u);
	for (i = 0; i <= VFIO_PCI_BAR5_REGION_INDEX; i++)
		EXPECT_EQ(vfio_region(&dev, i).info.size,
			  pci_resource(dev.bdf, i).size);
	sample_done(&dev);
}

TEST(device_computes)
{
	struct vfio_dev dev;
	uint32_t *regs;
	size_t len;

	sample_open(&dev);
	EXPECT_EQ(edu_get(&dev, EDU_ID) & 0xff, 0xedu);
	edu_put(&dev, EDU_FACTORIAL, 6);
	while (edu_get(&dev, EDU_STATUS) & EDU_STATUS_BUSY)
		usleep(1000);
	EXPECT_EQ(edu_get(&dev, EDU_FACTORIAL), 720u);
	regs = bar_map(&dev, VFIO_PCI_BAR0_REGION_INDEX, &len);
	EXPECT_EQ(regs[EDU_FACTORIAL / 4], 720u);
	ASSERT_OK(munmap(regs, len));
	sample_done(&dev);
}

TEST(device_interrupts)
{
	int32_t event = event_new();
	struct vfio_dev dev;

	sample_open(&dev);
	irq_enable(&dev, VFIO_PCI_MSI_IRQ_INDEX, 0, 1, &event);
	edu_raise(&dev);
	EXPECT_EQ(event_wait(event, 5000), 1u);
	edu_ack(&dev);
	irq_disable(&dev, VFIO_PCI_MSI_IRQ_INDEX);
	sample_done(&dev);
}

/* Who is in use stays, library included. */
TEST(modules_stay_while_the_device_is_open)
{
	struct vfio_dev dev;

	sample_open(&dev);
	EXPECT_NE(module_unload(MODULE), 0);
	EXPECT_NE(module_unload("vfio_pci_core"), 0);
	EXPECT_EQ(edu_get(&dev, EDU_ID) & 0xff, 0xedu);
	sample_done(&dev);
}

/* The next user finds the device as new, whichever driver serves it. */
TEST(device_goes_to_vfio_pci_and_back)
{
	struct vfio_dev dev;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		sample_open(&dev);
		cfg_put8(&dev, PCI_INTERRUPT_LINE, 0x77);
		vfio_close(&dev);
		vfio_open(&dev, dev.bdf);
		EXPECT_NE(cfg_get8(&dev, PCI_INTERRUPT_LINE), 0x77);
		vfio_close(&dev);
	}
	pci_unbind(dev.bdf);
	EXPECT_EQ(module_unload(MODULE), 0);
}

/* The sample's calls are the library's, refusals included. */
TEST(nonsense_is_refused)
{
	uint32_t argsz[2] = { 0 };
	struct vfio_dev dev;

	sample_open(&dev);
	EXPECT_ERRNO(ioctl(dev.fd, VFIO_DEVICE_GET_INFO, argsz), EINVAL);
	EXPECT_ERRNO(ioctl(dev.fd, VFIO_DEVICE_RESET + 100, NULL), ENOTTY);
	EXPECT_ERRNO(vfio_feature_try(&dev, VFIO_DEVICE_FEATURE_GET |
				      VFIO_DEVICE_FEATURE_MIGRATION, argsz, 8),
		     ENOTTY);
	sample_done(&dev);
}
