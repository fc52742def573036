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
#include "lib/tap.h"
#include "lib/vfio.h"

#define MSI	VFIO_PCI_MSI_IRQ_INDEX
#define MSIX	VFIO_PCI_MSIX_IRQ_INDEX
#define TRIGGER	VFIO_IRQ_SET_ACTION_TRIGGER
#define BAR0	VFIO_PCI_BAR0_REGION_INDEX

#define VECTORS	10	/* as many as the largest of the cards has */

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

/**
 * struct card - a network card whose MSI-X vectors can be raised one by one
 * @name:	in the lab
 * @vectors:	how many it has
 * @most:	messages that QEMU's model may send for one cause
 * @setup:	after a reset: let each cause go to a vector of its own
 * @raise:	raise the cause that goes to vector @n
 */
struct card {
	const char *name;
	unsigned int vectors;
	unsigned int most;
	void (*setup)(struct vfio_dev *dev);
	void (*raise)(struct vfio_dev *dev, unsigned int n);
};

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

static const struct card cards[] = {
	{ "e1000e", 5, 2, e1000e_setup, e1000e_raise },
	{ "igb", 10, 1, igb_setup, igb_raise },
};

static void setup(struct vfio_dev *dev, const struct card *card)
{
	cfg_command(dev, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0);
	card->setup(dev);
}

static void open_card(struct vfio_dev *dev, const struct card *card, int32_t *fds)
{
	unsigned int i;

	for (i = 0; i < VECTORS; i++)
		fds[i] = event_new();
	vfio_open(dev, lab_bdf(card->name));
	ASSERT_EQ(vfio_irq(dev, MSIX).count, card->vectors);
	setup(dev, card);
}

/* QEMU's e1000e sends no more if it is reset while it throttles interrupts. */
static void let_throttling_end(void)
{
	usleep(20000);
}

/*
 * Forget what came before: also what a vector had pending from the time when it
 * was not in use, which is sent when it is unmasked.
 */
static void drain(const int32_t *fds)
{
	unsigned int i;

	let_throttling_end();
	for (i = 0; i < VECTORS; i++)
		event_wait(fds[i], 0);
}

/* Raise every cause once; only vectors @first to @last - 1 are listened to. */
static void expect_firing(struct vfio_dev *dev, const struct card *card,
			  const int32_t *fds, unsigned int first,
			  unsigned int last)
{
	unsigned int i;

	drain(fds);
	for (i = 0; i < card->vectors; i++)
		card->raise(dev, i);
	for (i = first; i < last; i++)
		EXPECT_LE(event_wait(fds[i], 500) - 1, card->most - 1);
	let_throttling_end();
	for (i = 0; i < card->vectors; i++)
		EXPECT_LE(event_wait(fds[i], 0),
			  i < first || i >= last ? 0 : card->most - 1);
}

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

TEST_EACH(msix_vectors_fire, cards)
{
	int32_t fds[VECTORS];
	struct vfio_dev dev;
	char name[64];

	open_card(&dev, it, fds);
	irq_enable(&dev, MSIX, 0, it->vectors, fds);
	expect_firing(&dev, it, fds, 0, it->vectors);
	snprintf(name, sizeof(name), "vfio-msix[%u](%s)", it->vectors - 1,
		 dev.bdf);
	EXPECT_EQ(irq_lines(name), 1);
	EXPECT_EQ(handlers(&dev), it->vectors);

	irq_disable(&dev, MSIX);
	EXPECT_EQ(handlers(&dev), 0);
	expect_firing(&dev, it, fds, 0, 0);
	vfio_close(&dev);
}

/* "Consolidate irq cleanup", shrinking: nothing is left behind on any way down. */
TEST_EACH(msix_every_size_after_every_size, cards)
{
	unsigned int from, to;
	int32_t fds[VECTORS];
	struct vfio_dev dev;

	open_card(&dev, it, fds);
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
	expect_firing(&dev, it, fds, 0, it->vectors);
	vfio_close(&dev);
}

/* Where the interrupt domain can do it, vectors come and go one by one. */
TEST_EACH(msix_grows_and_shrinks, cards)
{
	int32_t fds[VECTORS], none[VECTORS];
	unsigned int last = it->vectors - 1;
	struct vfio_dev dev;

	memset(none, 0xff, sizeof(none));
	open_card(&dev, it, fds);
	if (vfio_irq(&dev, MSIX).flags & VFIO_IRQ_INFO_NORESIZE)
		SKIP("vectors cannot be added one by one here");

	irq_enable(&dev, MSIX, 0, 2, fds);
	irq_enable(&dev, MSIX, last, 1, &fds[last]);
	EXPECT_EQ(handlers(&dev), 3);
	irq_trigger(&dev, MSIX, last);
	EXPECT_EQ(event_wait(fds[last], 500), 1);
	irq_enable(&dev, MSIX, 2, last - 2, &fds[2]);
	expect_firing(&dev, it, fds, 0, it->vectors);

	irq_enable(&dev, MSIX, 0, 2, none);
	EXPECT_EQ(handlers(&dev), it->vectors - 2);
	expect_firing(&dev, it, fds, 2, it->vectors);
	irq_enable(&dev, MSIX, 2, it->vectors - 2, none);
	EXPECT_EQ(handlers(&dev), 0);
	expect_firing(&dev, it, fds, 0, 0);

	irq_enable(&dev, MSIX, 0, it->vectors, fds);
	expect_firing(&dev, it, fds, 0, it->vectors);
	vfio_close(&dev);
}

/* Vectors that only got a place: start at the end, the rest follows. */
TEST_EACH(msix_starts_with_the_last, cards)
{
	unsigned int last = it->vectors - 1;
	int32_t fds[VECTORS];
	struct vfio_dev dev;

	open_card(&dev, it, fds);
	irq_enable(&dev, MSIX, last, 1, &fds[last]);
	expect_firing(&dev, it, fds, last, it->vectors);
	irq_enable(&dev, MSIX, 0, last, fds);
	expect_firing(&dev, it, fds, 0, it->vectors);
	vfio_close(&dev);
}

TEST_EACH(msix_eventfds_swapped, cards)
{
	int32_t fds[VECTORS], more[VECTORS];
	struct vfio_dev dev;
	unsigned int i;

	open_card(&dev, it, fds);
	for (i = 0; i < VECTORS; i++)
		more[i] = event_new();
	irq_enable(&dev, MSIX, 0, it->vectors, fds);
	irq_enable(&dev, MSIX, 0, it->vectors, more);
	drain(fds);
	expect_firing(&dev, it, more, 0, it->vectors);
	for (i = 0; i < it->vectors; i++)
		EXPECT_EQ(event_wait(fds[i], 0), 0);
	/* One eventfd for all of them is as good. */
	for (i = 0; i < it->vectors; i++)
		more[i] = more[0];
	irq_enable(&dev, MSIX, 0, it->vectors, more);
	drain(more);
	for (i = 0; i < it->vectors; i++)
		it->raise(&dev, i);
	EXPECT_GE(event_total(more[0]), it->vectors);
	let_throttling_end();
	vfio_close(&dev);
}

TEST_EACH(msix_loopback, cards)
{
	uint8_t odd[VECTORS] = { 0, 1, 0, 1, 0, 1, 0, 1, 0, 1 };
	int32_t fds[VECTORS], none = -1;
	struct vfio_dev dev;
	unsigned int i;

	open_card(&dev, it, fds);
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
TEST_EACH(msix_bad_eventfd_changes_nothing, cards)
{
	int32_t fds[VECTORS], bad[VECTORS];
	int32_t file = dup(STDOUT_FILENO);
	struct vfio_dev dev;
	unsigned int i;

	if (lab_stock())
		SKIP("the distribution's module drops vectors of the block");
	open_card(&dev, it, fds);
	for (i = 0; i < VECTORS; i++)
		bad[i] = event_new();

	bad[2] = 9999;
	EXPECT_ERRNO(irq_eventfds_try(&dev, MSIX, 0, 4, bad), EBADF);
	EXPECT_EQ(handlers(&dev), 0);
	irq_enable(&dev, MSIX, 0, it->vectors, fds);
	EXPECT_ERRNO(irq_eventfds_try(&dev, MSIX, 0, 4, bad), EBADF);
	bad[2] = file;
	EXPECT_ERRNO(irq_eventfds_try(&dev, MSIX, 0, 4, bad), EINVAL);
	expect_firing(&dev, it, fds, 0, it->vectors);
	for (i = 0; i < 2; i++)
		EXPECT_EQ(event_wait(bad[i], 0), 0);
	vfio_close(&dev);
}

/* The table is in a BAR: it has to be written whatever the user's COMMAND says. */
TEST_EACH(msix_enabled_with_memory_disabled, cards)
{
	int32_t fds[VECTORS];
	struct vfio_dev dev;

	open_card(&dev, it, fds);
	cfg_command(&dev, 0, PCI_COMMAND_MEMORY);
	irq_enable(&dev, MSIX, 0, it->vectors, fds);
	EXPECT(!(cfg_get16(&dev, PCI_COMMAND) & PCI_COMMAND_MEMORY));
	EXPECT(!(pci_config_read(dev.bdf, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY));
	setup(&dev, it);
	expect_firing(&dev, it, fds, 0, it->vectors);
	cfg_command(&dev, 0, PCI_COMMAND_MEMORY);
	irq_disable(&dev, MSIX);
	EXPECT(!(pci_config_read(dev.bdf, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY));
	vfio_close(&dev);
}

TEST_EACH(msix_survives_reset, cards)
{
	int32_t fds[VECTORS];
	struct vfio_dev dev;

	open_card(&dev, it, fds);
	irq_enable(&dev, MSIX, 0, it->vectors, fds);
	vfio_reset(&dev);
	setup(&dev, it);
	expect_firing(&dev, it, fds, 0, it->vectors);
	vfio_close(&dev);
}

/* Enable and mask bits of the capability are the host's while MSI-X is on. */
TEST_EACH(msix_not_turned_off_by_config_writes, cards)
{
	int32_t fds[VECTORS];
	struct vfio_dev dev;
	unsigned int cap;

	open_card(&dev, it, fds);
	irq_enable(&dev, MSIX, 0, it->vectors, fds);
	cap = cfg_find_cap(&dev, PCI_CAP_ID_MSIX);
	ASSERT(cap);
	cfg_put16(&dev, cap + PCI_MSIX_FLAGS, PCI_MSIX_FLAGS_MASKALL);
	EXPECT(cfg_get16(&dev, cap + PCI_MSIX_FLAGS) & PCI_MSIX_FLAGS_ENABLE);
	expect_firing(&dev, it, fds, 0, it->vectors);
	vfio_close(&dev);
}

/* Neither the table's messages nor its mask bits are for the user to write. */
TEST_EACH(msix_table_is_out_of_reach, cards)
{
	uint32_t place, bar, pos, ones = ~0u, got = 0;
	int32_t fds[VECTORS];
	struct vfio_dev dev;
	unsigned int cap, i;

	open_card(&dev, it, fds);
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
	expect_firing(&dev, it, fds, 0, it->vectors);
	vfio_close(&dev);
}

TEST_EACH(msix_after_msi_after_msix, cards)
{
	int32_t fds[VECTORS];
	struct vfio_dev dev;
	unsigned int i;

	open_card(&dev, it, fds);
	for (i = 0; i < 3; i++) {
		irq_enable(&dev, MSIX, 0, it->vectors, fds);
		EXPECT_ERRNO(irq_eventfds_try(&dev, MSI, 0, 1, fds), EINVAL);
		expect_firing(&dev, it, fds, 0, it->vectors);
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
TEST_EACH(msix_closed_while_enabled, cards)
{
	int32_t fds[VECTORS];
	struct vfio_dev dev;
	unsigned int i, k;

	for (i = 0; i < 2; i++) {
		open_card(&dev, it, fds);
		irq_enable(&dev, MSIX, 0, it->vectors, fds);
		for (k = 0; k < VECTORS; k++)
			close(fds[k]);
		for (k = 0; k < it->vectors; k++)
			it->raise(&dev, k);
		let_throttling_end();
		vfio_close(&dev);
		EXPECT_EQ(handlers(&dev), 0);
	}
	open_card(&dev, it, fds);
	irq_enable(&dev, MSIX, 0, it->vectors, fds);
	expect_firing(&dev, it, fds, 0, it->vectors);
	vfio_close(&dev);
}
