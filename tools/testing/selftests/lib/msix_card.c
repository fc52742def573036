// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network cards whose MSI-X vectors can be raised one by one.
 */
#include "lab.h"
#include "msix_card.h"
#include "tap.h"

#define MSIX	VFIO_PCI_MSIX_IRQ_INDEX
#define BAR0	VFIO_PCI_BAR0_REGION_INDEX

/* Intel 82574: 10.2.4 of its data sheet */
#define E1000E_ICR	0xc0
#define E1000E_ICS	0xc8
#define E1000E_IMS	0xd0
#define E1000E_IMC	0xd8
#define E1000E_EIAC	0xdc
#define E1000E_IVAR	0xe4
#define E1000E_CAUSE(n)	(1u << (20 + (n)))	/* RxQ0, RxQ1, TxQ0, TxQ1, other */

/* Intel 82576: 8.8 of its data sheet */
#define IGB_GPIE	0x1514
#define IGB_GPIE_MSIX	0x10
#define IGB_EICS	0x1520
#define IGB_EIMS	0x1524
#define IGB_EIAC	0x152c

/* QEMU's model keeps in mind, over a reset, which causes it has sent. */
static void e1000e_setup(struct vfio_dev *dev)
{
	region_put(dev, BAR0, E1000E_ICS, 4, 0);
	region_put(dev, BAR0, E1000E_IMC, 4, ~0u);
	region_put(dev, BAR0, E1000E_ICR, 4, ~0u);
	region_put(dev, BAR0, E1000E_IVAR, 4, 0xcba98);
	region_put(dev, BAR0, E1000E_EIAC, 4, 0x1f << 20);
}

/* A cause that is sent clears itself and is disabled. */
static void e1000e_raise(struct vfio_dev *dev, unsigned int n)
{
	region_put(dev, BAR0, E1000E_IMS, 4, E1000E_CAUSE(n));
	region_put(dev, BAR0, E1000E_ICS, 4, E1000E_CAUSE(n));
}

static void igb_setup(struct vfio_dev *dev)
{
	region_put(dev, BAR0, IGB_GPIE, 4, IGB_GPIE_MSIX);
	region_put(dev, BAR0, IGB_EIAC, 4, 0x3ff);
	region_put(dev, BAR0, IGB_EIMS, 4, 0x3ff);
}

static void igb_raise(struct vfio_dev *dev, unsigned int n)
{
	region_put(dev, BAR0, IGB_EICS, 4, 1u << n);
}

const struct msix_card msix_cards[] = {
	{ "e1000e", 5, 2, e1000e_setup, e1000e_raise },
	{ "igb", 10, 1, igb_setup, igb_raise },
};

void msix_card_setup(struct vfio_dev *dev, const struct msix_card *card)
{
	cfg_command(dev, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0);
	card->setup(dev);
}

void msix_card_open(struct vfio_dev *dev, const struct msix_card *card,
		    int32_t *fds)
{
	unsigned int i;

	for (i = 0; i < MSIX_CARD_VECTORS; i++)
		fds[i] = event_new();
	vfio_open(dev, lab_bdf(card->name));
	ASSERT_EQ(vfio_irq(dev, MSIX).count, card->vectors);
	msix_card_setup(dev, card);
}

/* QEMU's e1000e sends no more if it is reset while it throttles interrupts. */
void msix_card_pause(void)
{
	test_pause(20);
}

/* A vector that was not in use sends what it has pending when it is unmasked. */
void msix_card_drain(const int32_t *fds)
{
	unsigned int i;

	msix_card_pause();
	for (i = 0; i < MSIX_CARD_VECTORS; i++)
		event_wait(fds[i], 0);
}

void msix_card_fires(struct vfio_dev *dev, const struct msix_card *card,
		     const int32_t *fds, unsigned int first, unsigned int last)
{
	unsigned int i;

	msix_card_drain(fds);
	for (i = 0; i < card->vectors; i++)
		card->raise(dev, i);
	for (i = first; i < last; i++)
		EXPECT_LE(event_wait(fds[i], 500) - 1, card->most - 1);
	msix_card_pause();
	for (i = 0; i < card->vectors; i++)
		EXPECT_LE(event_wait(fds[i], 0),
			  i < first || i >= last ? 0 : card->most - 1);
}
