// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device that is pulled out while its user has it open. Until the user lets go,
 * whatever the user does meets nothing at all. surprise.lab has the kernel look
 * after the slots itself, once a second.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/lab.h"
#include "lib/tap.h"
#include "lib/vfio.h"

#define CONFIG	VFIO_PCI_CONFIG_REGION_INDEX
#define REQ	VFIO_PCI_REQ_IRQ_INDEX
#define SET	VFIO_DEVICE_FEATURE_SET

/* The port above @bdf. */
static void port_of(char out[BDF_LEN], const char *bdf)
{
	char path[128], *real, *last;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/..", bdf);
	real = realpath(path, NULL);
	ASSERT(real);
	last = strrchr(real, '/');
	snprintf(out, BDF_LEN, "%s", last + 1);
	free(real);
}

static unsigned int express_cap(const char *bdf)
{
	unsigned int pos = pci_config_read(bdf, PCI_CAPABILITY_LIST, 1);

	while (pos && pci_config_read(bdf, pos, 1) != PCI_CAP_ID_EXP)
		pos = pci_config_read(bdf, pos + PCI_CAP_LIST_NEXT, 1);
	ASSERT(pos);
	return pos;
}

/*
 * To QEMU a slot without power is one whose card is taken out, there and then. The
 * kernel did not do that: it finds power on and the card gone.
 */
static void pull(const char *bdf)
{
	char port[BDF_LEN];
	unsigned int reg;
	uint16_t was;

	port_of(port, bdf);
	reg = express_cap(port) + PCI_EXP_SLTCTL;
	was = pci_config_read(port, reg, 2);
	pci_config_write(port, reg, 2, was | PCI_EXP_SLTCTL_PWR_OFF |
			 PCI_EXP_SLTCTL_PWR_IND_OFF);
	pci_config_write(port, reg, 2, was);
}

static void expect_gone(const char *bdf)
{
	unsigned int polls = test_patience(500);

	while (pci_exists(bdf) && polls--)
		usleep(20000);
	EXPECT(!pci_exists(bdf));
}

struct card {
	const char *name;
	uint32_t index;		/* kind of interrupt in use */
	uint32_t region;	/* BAR that can be mapped */
};

/* Reset by themselves or by their port; each kind of interrupt, and none. */
static const struct card cards[] = {
	{ "edu", VFIO_PCI_MSI_IRQ_INDEX, 0 },
	{ "e1000e", VFIO_PCI_INTX_IRQ_INDEX, 0 },
	{ "igb", VFIO_PCI_MSIX_IRQ_INDEX, 0 },
	{ "rng", VFIO_PCI_MSIX_IRQ_INDEX, 4 },
	{ "ivshmem", 0, 2 },
};

/* Everything that a user may do to it ends, one way or the other. */
static void use_what_is_gone(struct vfio_dev *dev, const struct card *card,
			     uint8_t *map)
{
	uint32_t val = 0;

	EXPECT_EQ(cfg_get32(dev, PCI_CLASS_REVISION), 0xffffffffu);
	EXPECT_EQ(region_read_try(dev, card->region, 0, &val, 4), 4);
	region_write_try(dev, card->region, 0, &val, 4);
	load_faults(map, &val);
	store_faults(map, val);
	if (card->index) {
		irq_action_try(dev, card->index, VFIO_IRQ_SET_ACTION_TRIGGER, 0, 0);
		irq_eventfds_try(dev, card->index, 0, 1, &dev->fd);
	}
	cfg_command(dev, 0, PCI_COMMAND_MEMORY);
	cfg_command(dev, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0);
	EXPECT_NE(ioctl(dev->fd, VFIO_DEVICE_RESET), 0);
	EXPECT_NE(vfio_hot_reset_try(dev), 0);
	vfio_feature_try(dev, SET | VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY, NULL, 0);
	EXPECT_OK(vfio_feature_try(dev, SET | VFIO_DEVICE_FEATURE_LOW_POWER_EXIT,
				   NULL, 0));
	EXPECT_EQ(vfio_region(dev, CONFIG).info.index, (uint32_t)CONFIG);
}

/*
 * CVE-2026-43130: the IOMMU waited for ever for a device that had been pulled out,
 * when its user let go of it.
 */
TEST_EACH_LIMIT(cve_2026_43130_surprise_removal_while_open, cards, 60)
{
	const char *bdf = lab_bdf(it->name);
	int32_t req = event_new(), fd = event_new();
	struct vfio_dev dev;
	void *memory;
	uint8_t *map;
	size_t len;

	vfio_open(&dev, bdf);
	cfg_command(&dev, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0);
	map = bar_map(&dev, it->region, &len);
	load_faults(map, NULL);
	memory = dma_alloc(1 << 20);
	dma_map(&dev.group, memory, 0x100000, 1 << 20);
	irq_enable(&dev, REQ, 0, 1, &req);
	if (it->index)
		irq_enable(&dev, it->index, 0, 1, &fd);

	pull(bdf);
	EXPECT_GE(event_wait(req, 10000), 1);
	use_what_is_gone(&dev, it, map);
	dma_unmap(&dev.group, 0x100000, 1 << 20);
	munmap(map, len);
	EXPECT(pci_exists(bdf));
	vfio_close(&dev);
	expect_gone(bdf);
}

/* Nobody has it open: what is left is the driver, and the function that sleeps. */
TEST_LIMIT(surprise_removal_while_bound, 60)
{
	const char *bdf = lab_bdf("testdev");

	pci_bind(bdf, "vfio-pci");
	pull(bdf);
	expect_gone(bdf);
}
