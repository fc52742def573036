// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSI and MSI-X end to end: the device raises a cause, the eventfd of its vector
 * hears of it, and no other.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/edu.h"
#include "lib/lab.h"
#include "lib/msix_card.h"
#include "lib/tap.h"
#include "lib/vfio.h"

#define MSI	VFIO_PCI_MSI_IRQ_INDEX
#define MSIX	VFIO_PCI_MSIX_IRQ_INDEX
#define TRIGGER	VFIO_IRQ_SET_ACTION_TRIGGER

static unsigned int handlers(struct vfio_dev *dev)
{
	char name[64];

	snprintf(name, sizeof(name), "](%s)", dev->bdf);
	return irq_lines(name);
}

TEST(msi_reaches_eventfd)
{
	int32_t fd = event_new();
	struct vfio_dev dev;
	unsigned int i;

	edu_open(&dev, "bridge");
	irq_enable(&dev, MSI, 0, 1, &fd);
	/* It has no level: one message each time. */
	for (i = 0; i < 3; i++) {
		edu_raise(&dev);
		EXPECT_EQ(event_wait(fd, 500), 1);
	}
	edu_ack(&dev);
	EXPECT_EQ(event_total(fd), 0);
	irq_disable(&dev, MSI);
	edu_raise(&dev);
	EXPECT_EQ(event_total(fd), 0);
	edu_ack(&dev);
	vfio_close(&dev);
}

TEST(msi_needs_bus_master)
{
	int32_t fd = event_new();
	struct vfio_dev dev;

	edu_open(&dev, "bridge");
	irq_enable(&dev, MSI, 0, 1, &fd);
	cfg_command(&dev, 0, PCI_COMMAND_MASTER);
	edu_raise(&dev);
	EXPECT_EQ(event_total(fd), 0);
	cfg_command(&dev, PCI_COMMAND_MASTER, 0);
	edu_raise(&dev);
	EXPECT_EQ(event_wait(fd, 500), 1);
	edu_ack(&dev);
	vfio_close(&dev);
}

TEST(msi_names)
{
	int32_t fd = event_new();
	struct vfio_dev dev;
	char name[64];

	edu_open(&dev, "bridge");
	irq_enable(&dev, MSI, 0, 1, &fd);
	snprintf(name, sizeof(name), "vfio-msi[0](%s)", dev.bdf);
	EXPECT_EQ(irq_lines(name), 1);
	EXPECT_EQ(handlers(&dev), 1);
	vfio_close(&dev);
	EXPECT_EQ(irq_lines(name), 0);
}

TEST_EACH(msix_vectors_fire, msix_cards)
{
	int32_t fds[MSIX_CARD_VECTORS];
	struct vfio_dev dev;
	char name[64];

	msix_card_open(&dev, it, fds);
	irq_enable(&dev, MSIX, 0, it->vectors, fds);
	msix_card_fires(&dev, it, fds, 0, it->vectors);
	snprintf(name, sizeof(name), "vfio-msix[%u](%s)", it->vectors - 1,
		 dev.bdf);
	EXPECT_EQ(irq_lines(name), 1);
	EXPECT_EQ(handlers(&dev), it->vectors);

	irq_disable(&dev, MSIX);
	EXPECT_EQ(handlers(&dev), 0);
	msix_card_fires(&dev, it, fds, 0, 0);
	vfio_close(&dev);
}

/* "Consolidate irq cleanup", shrinking: nothing is left behind on any way down. */
TEST_EACH(msix_every_size_after_every_size, msix_cards)
{
	unsigned int from, to;
	int32_t fds[MSIX_CARD_VECTORS];
	struct vfio_dev dev;

	msix_card_open(&dev, it, fds);
	for (from = 1; from <= it->vectors; from += 2) {
		for (to = 1; to <= it->vectors; to += 3) {
			irq_enable(&dev, MSIX, 0, from, fds);
			EXPECT_EQ(handlers(&dev), from);
			irq_disable(&dev, MSIX);
			irq_enable(&dev, MSIX, 0, to, fds);
			EXPECT_EQ(handlers(&dev), to);
			irq_disable(&dev, MSIX);
			EXPECT_EQ(handlers(&dev), 0);
		}
	}
	irq_enable(&dev, MSIX, 0, it->vectors, fds);
	msix_card_fires(&dev, it, fds, 0, it->vectors);
	vfio_close(&dev);
}

/* Where the interrupt domain can do it, vectors come and go one by one. */
TEST_EACH(msix_grows_and_shrinks, msix_cards)
{
	int32_t fds[MSIX_CARD_VECTORS], none[MSIX_CARD_VECTORS];
	unsigned int last = it->vectors - 1;
	struct vfio_dev dev;

	memset(none, 0xff, sizeof(none));
	msix_card_open(&dev, it, fds);
	if (vfio_irq(&dev, MSIX).flags & VFIO_IRQ_INFO_NORESIZE)
		SKIP("vectors cannot be added one by one here");

	irq_enable(&dev, MSIX, 0, 2, fds);
	irq_enable(&dev, MSIX, last, 1, &fds[last]);
	EXPECT_EQ(handlers(&dev), 3);
	irq_trigger(&dev, MSIX, last);
	EXPECT_EQ(event_wait(fds[last], 500), 1);
	irq_enable(&dev, MSIX, 2, last - 2, &fds[2]);
	msix_card_fires(&dev, it, fds, 0, it->vectors);

	irq_enable(&dev, MSIX, 0, 2, none);
	EXPECT_EQ(handlers(&dev), it->vectors - 2);
	msix_card_fires(&dev, it, fds, 2, it->vectors);
	irq_enable(&dev, MSIX, 2, it->vectors - 2, none);
	EXPECT_EQ(handlers(&dev), 0);
	msix_card_fires(&dev, it, fds, 0, 0);

	irq_enable(&dev, MSIX, 0, it->vectors, fds);
	msix_card_fires(&dev, it, fds, 0, it->vectors);
	vfio_close(&dev);
}

/* Vectors that only got a place: start at the end, the rest follows. */
TEST_EACH(msix_starts_with_the_last, msix_cards)
{
	unsigned int last = it->vectors - 1;
	int32_t fds[MSIX_CARD_VECTORS];
	struct vfio_dev dev;

	msix_card_open(&dev, it, fds);
	irq_enable(&dev, MSIX, last, 1, &fds[last]);
	msix_card_fires(&dev, it, fds, last, it->vectors);
	irq_enable(&dev, MSIX, 0, last, fds);
	msix_card_fires(&dev, it, fds, 0, it->vectors);
	vfio_close(&dev);
}

TEST_EACH(msix_eventfds_swapped, msix_cards)
{
	int32_t fds[MSIX_CARD_VECTORS], more[MSIX_CARD_VECTORS];
	struct vfio_dev dev;
	unsigned int i;

	msix_card_open(&dev, it, fds);
	for (i = 0; i < MSIX_CARD_VECTORS; i++)
		more[i] = event_new();
	irq_enable(&dev, MSIX, 0, it->vectors, fds);
	irq_enable(&dev, MSIX, 0, it->vectors, more);
	msix_card_drain(fds);
	msix_card_fires(&dev, it, more, 0, it->vectors);
	for (i = 0; i < it->vectors; i++)
		EXPECT_EQ(event_wait(fds[i], 0), 0);
	/* One eventfd for all of them is as good. */
	for (i = 0; i < it->vectors; i++)
		more[i] = more[0];
	irq_enable(&dev, MSIX, 0, it->vectors, more);
	msix_card_drain(more);
	for (i = 0; i < it->vectors; i++)
		it->raise(&dev, i);
	EXPECT_GE(event_total(more[0]), it->vectors);
	msix_card_pause();
	vfio_close(&dev);
}

TEST_EACH(msix_loopback, msix_cards)
{
	uint8_t odd[MSIX_CARD_VECTORS] = { 0, 1, 0, 1, 0, 1, 0, 1, 0, 1 };
	int32_t fds[MSIX_CARD_VECTORS], none = -1;
	struct vfio_dev dev;
	unsigned int i;

	msix_card_open(&dev, it, fds);
	EXPECT_ERRNO(irq_action_try(&dev, MSIX, TRIGGER, 0, 1), EINVAL);
	irq_enable(&dev, MSIX, 0, it->vectors, fds);
	irq_enable(&dev, MSIX, 3, 1, &none);
	ASSERT_OK(irq_set_try(&dev, MSIX, VFIO_IRQ_SET_DATA_BOOL | TRIGGER, 0,
			      it->vectors, odd, it->vectors));
	for (i = 0; i < it->vectors; i++)
		EXPECT_EQ(event_wait(fds[i], 0), i % 2 && i != 3);
	ASSERT_OK(irq_action_try(&dev, MSIX, TRIGGER, 1, it->vectors - 1));
	for (i = 0; i < it->vectors; i++)
		EXPECT_EQ(event_wait(fds[i], 0), i && i != 3);
	vfio_close(&dev);
}

/*
 * Fails on the distribution's 6.12.117: it takes away the vectors of the block
 * that it had changed before it met the bad descriptor.
 */
TEST_EACH(msix_bad_eventfd_changes_nothing, msix_cards)
{
	int32_t fds[MSIX_CARD_VECTORS], bad[MSIX_CARD_VECTORS];
	int32_t file = dup(STDOUT_FILENO);
	struct vfio_dev dev;
	unsigned int i;

	if (lab_stock())
		SKIP("the distribution's module drops vectors of the block");
	msix_card_open(&dev, it, fds);
	for (i = 0; i < MSIX_CARD_VECTORS; i++)
		bad[i] = event_new();

	bad[2] = 9999;
	EXPECT_ERRNO(irq_eventfds_try(&dev, MSIX, 0, 4, bad), EBADF);
	EXPECT_EQ(handlers(&dev), 0);
	irq_enable(&dev, MSIX, 0, it->vectors, fds);
	EXPECT_ERRNO(irq_eventfds_try(&dev, MSIX, 0, 4, bad), EBADF);
	bad[2] = file;
	EXPECT_ERRNO(irq_eventfds_try(&dev, MSIX, 0, 4, bad), EINVAL);
	msix_card_fires(&dev, it, fds, 0, it->vectors);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(event_wait(bad[i], 0), 0);
	vfio_close(&dev);
}

/* The table is in a BAR: it has to be written whatever the user's COMMAND says. */
TEST_EACH(msix_enabled_with_memory_disabled, msix_cards)
{
	int32_t fds[MSIX_CARD_VECTORS];
	struct vfio_dev dev;

	msix_card_open(&dev, it, fds);
	cfg_command(&dev, 0, PCI_COMMAND_MEMORY);
	irq_enable(&dev, MSIX, 0, it->vectors, fds);
	EXPECT(!(cfg_get16(&dev, PCI_COMMAND) & PCI_COMMAND_MEMORY));
	EXPECT(!(pci_config_read(dev.bdf, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY));
	msix_card_setup(&dev, it);
	msix_card_fires(&dev, it, fds, 0, it->vectors);
	cfg_command(&dev, 0, PCI_COMMAND_MEMORY);
	irq_disable(&dev, MSIX);
	EXPECT(!(pci_config_read(dev.bdf, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY));
	vfio_close(&dev);
}

TEST_EACH(msix_survives_reset, msix_cards)
{
	int32_t fds[MSIX_CARD_VECTORS];
	struct vfio_dev dev;

	msix_card_open(&dev, it, fds);
	irq_enable(&dev, MSIX, 0, it->vectors, fds);
	vfio_reset(&dev);
	msix_card_setup(&dev, it);
	msix_card_fires(&dev, it, fds, 0, it->vectors);
	vfio_close(&dev);
}

/* Enable and mask bits of the capability are the host's while MSI-X is on. */
TEST_EACH(msix_not_turned_off_by_config_writes, msix_cards)
{
	int32_t fds[MSIX_CARD_VECTORS];
	struct vfio_dev dev;
	unsigned int cap;

	msix_card_open(&dev, it, fds);
	irq_enable(&dev, MSIX, 0, it->vectors, fds);
	cap = cfg_find_cap(&dev, PCI_CAP_ID_MSIX);
	ASSERT(cap);
	cfg_put16(&dev, cap + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_MASKALL);
	EXPECT(cfg_get16(&dev, cap + PCI_MSIX_FLAGS) & PCI_MSIX_FLAGS_ENABLE);
	msix_card_fires(&dev, it, fds, 0, it->vectors);
	vfio_close(&dev);
}

/* Neither the table's messages nor its mask bits are for the user to write. */
TEST_EACH(msix_table_is_out_of_reach, msix_cards)
{
	uint32_t place, bar, pos, ones = ~0u, got = 0;
	int32_t fds[MSIX_CARD_VECTORS];
	struct vfio_dev dev;
	unsigned int cap, i;

	msix_card_open(&dev, it, fds);
	irq_enable(&dev, MSIX, 0, it->vectors, fds);
	cap = cfg_find_cap(&dev, PCI_CAP_ID_MSIX);
	place = cfg_get32(&dev, cap + PCI_MSIX_TABLE);
	bar = place & PCI_MSIX_TABLE_BIR;
	pos = place & PCI_MSIX_TABLE_OFFSET;
	for (i = 0; i < it->vectors * 4; i++) {
		EXPECT_EQ(region_write_try(&dev, bar, pos + i * 4, &ones, 4), 4);
		EXPECT_EQ(region_read_try(&dev, bar, pos + i * 4, &got, 4), 4);
		EXPECT_EQ(got, ones);
	}
	msix_card_fires(&dev, it, fds, 0, it->vectors);
	vfio_close(&dev);
}

TEST_EACH(msix_after_msi_after_msix, msix_cards)
{
	int32_t fds[MSIX_CARD_VECTORS];
	struct vfio_dev dev;
	unsigned int i;

	msix_card_open(&dev, it, fds);
	for (i = 0; i < 3; i++) {
		irq_enable(&dev, MSIX, 0, it->vectors, fds);
		EXPECT_ERRNO(irq_eventfds_try(&dev, MSI, 0, 1, fds), EINVAL);
		msix_card_fires(&dev, it, fds, 0, it->vectors);
		irq_disable(&dev, MSIX);
		irq_enable(&dev, MSI, 0, 1, fds);
		EXPECT_ERRNO(irq_eventfds_try(&dev, MSIX, 0, 1, fds), EINVAL);
		irq_trigger(&dev, MSI, 0);
		EXPECT_EQ(event_wait(fds[0], 500), 1);
		irq_disable(&dev, MSI);
	}
	vfio_close(&dev);
}

/* Closing with vectors enabled, the eventfds first: the next user starts clean. */
TEST_EACH(msix_closed_while_enabled, msix_cards)
{
	int32_t fds[MSIX_CARD_VECTORS];
	struct vfio_dev dev;
	unsigned int i, k;

	for (i = 0; i < 2; i++) {
		msix_card_open(&dev, it, fds);
		irq_enable(&dev, MSIX, 0, it->vectors, fds);
		for (k = 0; k < MSIX_CARD_VECTORS; k++)
			close(fds[k]);
		for (k = 0; k < it->vectors; k++)
			it->raise(&dev, k);
		msix_card_pause();
		vfio_close(&dev);
		EXPECT_EQ(handlers(&dev), 0);
	}
	msix_card_open(&dev, it, fds);
	irq_enable(&dev, MSIX, 0, it->vectors, fds);
	msix_card_fires(&dev, it, fds, 0, it->vectors);
	vfio_close(&dev);
}
