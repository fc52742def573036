// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSI-X set up while its table is out of reach: the function sleeps, or has lost
 * its addresses.
 */
#include "lib/lab.h"
#include "lib/msix_card.h"
#include "lib/tap.h"
#include "lib/vfio.h"

#define MSIX	VFIO_PCI_MSIX_IRQ_INDEX
#define D3HOT	3

static void set_power(struct vfio_dev *dev, unsigned int state)
{
	cfg_put16(dev, cfg_find_cap(dev, PCI_CAP_ID_PM) + PCI_PM_CTRL, state);
}

static void expect_power(struct vfio_dev *dev, unsigned int state)
{
	unsigned int pm = cfg_find_cap(dev, PCI_CAP_ID_PM) + PCI_PM_CTRL;

	EXPECT_EQ(cfg_get16(dev, pm) & PCI_PM_CTRL_STATE_MASK, state);
	EXPECT_EQ(pci_config_read(dev->bdf, pm, 2) & PCI_PM_CTRL_STATE_MASK,
		  state);
}

/* Awake again, all vectors of the card reach @fds. */
static void expect_awake(struct vfio_dev *dev, const struct msix_card *card,
			 const int32_t *fds)
{
	set_power(dev, 0);
	msix_card_setup(dev, card);
	msix_card_fires(dev, card, fds, 0, card->vectors);
}

/*
 * A function in D3hot answers no memory accesses, and the table is memory. It is
 * woken up for the while, and its user does not notice.
 *
 * Fails on the distribution's 6.12.117: vectors cannot be enabled, and the kernel
 * writes to the table of a function that sleeps to change or to disable them.
 */
TEST_EACH(msix_set_while_asleep, msix_cards)
{
	int32_t fds[MSIX_CARD_VECTORS], more[MSIX_CARD_VECTORS];
	struct vfio_dev dev;
	unsigned int i;
	void *bar;

	if (lab_stock())
		SKIP("the distribution's module does not wake the function up");
	msix_card_open(&dev, it, fds);
	for (i = 0; i < MSIX_CARD_VECTORS; i++)
		more[i] = event_new();
	bar = bar_map(&dev, VFIO_PCI_BAR0_REGION_INDEX, NULL);

	set_power(&dev, D3HOT);
	irq_enable(&dev, MSIX, 0, it->vectors, fds);
	expect_power(&dev, D3HOT);
	EXPECT(load_faults(bar, NULL));
	expect_awake(&dev, it, fds);

	set_power(&dev, D3HOT);
	irq_enable(&dev, MSIX, 0, it->vectors, more);
	expect_power(&dev, D3HOT);
	expect_awake(&dev, it, more);

	set_power(&dev, D3HOT);
	irq_disable(&dev, MSIX);
	expect_power(&dev, D3HOT);
	EXPECT(load_faults(bar, NULL));
	set_power(&dev, 0);
	irq_enable(&dev, MSIX, 0, it->vectors, fds);
	expect_awake(&dev, it, fds);
	vfio_close(&dev);
}

/*
 * As a reset by the device's own means leaves it: no addresses, nothing enabled.
 * The message of a vector goes with it.
 */
static void forget(struct vfio_dev *dev)
{
	unsigned int bar;

	pci_config_write(dev->bdf, PCI_COMMAND, 2, 0);
	for (bar = 0; bar < 6; bar++)
		pci_config_write(dev->bdf, PCI_BASE_ADDRESS_0 + 4 * bar, 4, 0);
}

static void addresses(const char *bdf, uint32_t *bars)
{
	unsigned int bar;

	for (bar = 0; bar < 6; bar++)
		bars[bar] = pci_config_read(bdf, PCI_BASE_ADDRESS_0 + 4 * bar, 4);
}

static const struct decode {
	const char *name;
	uint16_t set;
	uint16_t clear;
} decodes[] = {
	{ "decode believed on", PCI_COMMAND_MEMORY, PCI_COMMAND_INTX_DISABLE },
	{ "decode off on purpose", PCI_COMMAND_INTX_DISABLE, PCI_COMMAND_MEMORY },
};

/*
 * Memory decode is turned on to write the table: not with BARs of 0, where the
 * device would answer for somebody else and the table not be found.
 *
 * Fails on the distribution's 6.12.117.
 */
TEST_EACH(msix_set_after_a_reset_behind_our_back, decodes)
{
	const struct msix_card *card = &msix_cards[0];
	uint32_t before[6], after[6];
	int32_t fds[MSIX_CARD_VECTORS];
	struct vfio_dev dev;

	if (lab_stock())
		SKIP("the distribution's module decodes BARs of 0");
	msix_card_open(&dev, card, fds);
	cfg_command(&dev, it->set, it->clear);
	addresses(dev.bdf, before);
	forget(&dev);

	irq_enable(&dev, MSIX, 0, card->vectors, fds);
	addresses(dev.bdf, after);
	EXPECT_MEMEQ(after, before, sizeof(before));
	EXPECT_EQ(pci_config_read(dev.bdf, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY,
		  0u);
	msix_card_setup(&dev, card);
	msix_card_fires(&dev, card, fds, 0, card->vectors);

	/* The interrupt pin is silent without a handler, as before. */
	irq_disable(&dev, MSIX);
	EXPECT_NE(pci_config_read(dev.bdf, PCI_COMMAND, 2) &
		  PCI_COMMAND_INTX_DISABLE, 0u);
	vfio_close(&dev);
}
