// SPDX-License-Identifier: GPL-2.0-only
/*
 * A virtual function of the 82576: mailbox, rings and vectors.
 */
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "igb.h"
#include "tap.h"

/* 8.27: what a VF sees of the registers. */
#define CTRL		0x0000
#define   CTRL_RST	(1u << 26)
#define MEMORY		0x0800
#define MAILBOX		0x0c40
#define   MAILBOX_REQ	0x01u
#define   MAILBOX_ACK	0x02u
#define   MAILBOX_VFU	0x04u	/* the memory is the VF's for now */
#define   MAILBOX_PFSTS	0x10u	/* cleared by reading, as the next ones */
#define   MAILBOX_PFACK	0x20u
#define   MAILBOX_RSTI	0x40u
#define EICS		0x1520
#define EIMS		0x1524
#define EIAC		0x152c
#define IVAR0		0x1700
#define IVAR_MISC	0x1740
#define   IVAR_VALID	0x80u
#define RX		0x2800	/* these two and what is in them */
#define TX		0x3800
#define   RING_BASE	0x00
#define   RING_LEN	0x08
#define   RING_SRRCTL	0x0c
#define     SRRCTL_ADVANCED	0x02000000u
#define     SRRCTL_2K		2u
#define   RING_TAIL	0x18
#define   RING_CTL	0x28
#define     RING_ENABLE	(1u << 25)

#define ALL_VECTORS	((1u << IGB_VECTORS) - 1)

/* 7.1.5 and 7.2.2.3: advanced descriptors. */
#define DESC_DONE	1u
#define TX_DATA		0x00300000u
#define TX_EOP		0x01000000u
#define TX_FCS		0x02000000u
#define TX_REPORT	0x08000000u
#define TX_ADVANCED	0x20000000u
#define TX_PAYLOAD	14

#define ENTRIES		16	/* 7.1.6: 128 bytes of them at least */
#define BUFFER		2048
#define IOVA		0x100000u

/**
 * struct desc - descriptor of either ring
 * @buffer:	where the packet is or goes to
 * @status:	of a received packet, after it was
 * @len:	its length
 * @command:	what to do, and how long the packet to send is
 * @info:	total length; afterwards, the status
 */
struct desc {
	uint64_t buffer;
	union {
		struct {
			uint32_t status;
			uint16_t len;
			uint16_t vlan;
		} rx;
		struct {
			uint32_t command;
			uint32_t info;
		} tx;
	};
};

struct igb_rings {
	struct desc rx[ENTRIES];
	struct desc tx[ENTRIES];
	uint8_t rx_data[ENTRIES][BUFFER];
	uint8_t tx_data[ENTRIES][BUFFER];
};

#define RINGS_IOVA(member)	(IOVA + offsetof(struct igb_rings, member))
#define RINGS_SIZE	((sizeof(struct igb_rings) + 4095) & ~4095ul)

static uint32_t get(struct igb_vf *vf, unsigned int reg)
{
	return region_get(&vf->dev, VFIO_PCI_BAR0_REGION_INDEX, reg, 4);
}

static void put(struct igb_vf *vf, unsigned int reg, uint32_t val)
{
	region_put(&vf->dev, VFIO_PCI_BAR0_REGION_INDEX, reg, 4, val);
}

static void nap(unsigned int ms)
{
	const struct timespec time = { .tv_nsec = ms * 1000000 };

	nanosleep(&time, NULL);
}

static void mailbox_wait(struct igb_vf *vf, uint32_t want)
{
	unsigned int tries = test_patience(5000);
	uint32_t seen = 0;

	while ((seen & want) != want) {
		if (!tries--)
			FAIL("the mailbox of %s says %#x only", vf->dev.bdf, seen);
		nap(1);
		seen |= get(vf, MAILBOX);
	}
}

/* Say @mail to the PF and have its answer in place of it. */
static void mailbox_ask(struct igb_vf *vf, uint32_t mail[IGB_MAIL_WORDS])
{
	unsigned int i;

	put(vf, MAILBOX, MAILBOX_VFU);
	ASSERT(get(vf, MAILBOX) & MAILBOX_VFU);
	for (i = 0; i < IGB_MAIL_WORDS; i++)
		put(vf, MEMORY + 4 * i, mail[i]);
	put(vf, MAILBOX, MAILBOX_REQ);
	mailbox_wait(vf, MAILBOX_PFSTS | MAILBOX_PFACK);
	for (i = 0; i < IGB_MAIL_WORDS; i++)
		mail[i] = get(vf, MEMORY + 4 * i);
	put(vf, MAILBOX, MAILBOX_ACK);
}

/* Whatever address the PF would propose, this one is asked for. */
static void join(struct igb_vf *vf)
{
	static const uint8_t mac[ETH_ALEN] = { 0x52, 0x54, 0, 0, 0x03, 0x77 };
	uint32_t mail[IGB_MAIL_WORDS] = { IGB_MAIL_RESET };

	put(vf, CTRL, CTRL_RST);
	while (get(vf, MAILBOX) & MAILBOX_RSTI)
		nap(1);
	mailbox_ask(vf, mail);
	ASSERT_EQ(mail[0] & IGB_MAIL_KIND, IGB_MAIL_RESET);

	memcpy(vf->mac, mac, sizeof(mac));
	mail[0] = IGB_MAIL_SET_MAC;
	memcpy(&mail[1], mac, sizeof(mac));
	mailbox_ask(vf, mail);
	ASSERT_EQ(mail[0] & IGB_MAIL_KIND, IGB_MAIL_SET_MAC);
	ASSERT(mail[0] & IGB_MAIL_ACK);
}

static void enable_vectors(struct igb_vf *vf)
{
	unsigned int i;

	for (i = 0; i < IGB_VECTORS; i++)
		vf->events[i] = event_new();
	irq_enable(&vf->dev, VFIO_PCI_MSIX_IRQ_INDEX, 0, IGB_VECTORS, vf->events);
	put(vf, IVAR0, (IVAR_VALID | IGB_RX) | (IVAR_VALID | IGB_TX) << 8);
	put(vf, IVAR_MISC, IVAR_VALID | IGB_MAIL);
	put(vf, EIAC, ALL_VECTORS);
	put(vf, EIMS, ALL_VECTORS);
}

static void start_ring(struct igb_vf *vf, unsigned int ring, uint32_t base)
{
	put(vf, ring + RING_BASE, base);
	put(vf, ring + RING_BASE + 4, 0);
	put(vf, ring + RING_LEN, ENTRIES * sizeof(struct desc));
	put(vf, ring + RING_CTL, RING_ENABLE);
}

static void offer(struct igb_vf *vf, unsigned int entry)
{
	vf->rings->rx[entry] = (struct desc){
		.buffer = RINGS_IOVA(rx_data[entry]),
	};
}

static void start_rings(struct igb_vf *vf)
{
	unsigned int i;

	vf->rings = dma_alloc(RINGS_SIZE);
	dma_map(&vf->dev.group, vf->rings, IOVA, RINGS_SIZE);
	for (i = 0; i < ENTRIES; i++)
		offer(vf, i);
	put(vf, RX + RING_SRRCTL, SRRCTL_ADVANCED | SRRCTL_2K);
	start_ring(vf, RX, RINGS_IOVA(rx[0]));
	start_ring(vf, TX, RINGS_IOVA(tx[0]));
	put(vf, RX + RING_TAIL, ENTRIES - 1);
}

void igb_vf_open(struct igb_vf *vf, const char *bdf, const char *token)
{
	memset(vf, 0, sizeof(*vf));
	vfio_open_token(&vf->dev, bdf, token);
	cfg_command(&vf->dev, PCI_COMMAND_MASTER, 0);
	join(vf);
	enable_vectors(vf);
	start_rings(vf);
}

void igb_vf_close(struct igb_vf *vf)
{
	put(vf, RX + RING_CTL, 0);
	put(vf, TX + RING_CTL, 0);
	vfio_close(&vf->dev);
}

void igb_vf_send(struct igb_vf *vf, const void *frame, size_t len)
{
	unsigned int entry = vf->sent % ENTRIES;
	volatile struct desc *desc = &vf->rings->tx[entry];

	ASSERT_LE(len, BUFFER);
	memcpy(vf->rings->tx_data[entry], frame, len);
	vf->rings->tx[entry] = (struct desc){
		.buffer = RINGS_IOVA(tx_data[entry]),
		.tx.command = TX_ADVANCED | TX_DATA | TX_EOP | TX_FCS |
			      TX_REPORT | len,
		.tx.info = len << TX_PAYLOAD,
	};
	vf->sent++;
	put(vf, TX + RING_TAIL, vf->sent % ENTRIES);
	ASSERT_GE(event_wait(vf->events[IGB_TX], 5000), 1);
	ASSERT(desc->tx.info & DESC_DONE);
}

static bool arrived(struct igb_vf *vf)
{
	volatile struct desc *desc = &vf->rings->rx[vf->received % ENTRIES];

	return desc->rx.status & DESC_DONE;
}

size_t igb_vf_receive(struct igb_vf *vf, void *frame, size_t size,
		      unsigned int ms)
{
	unsigned int entry = vf->received % ENTRIES;
	size_t len;

	/* One that came along with the last needs no interrupt of its own. */
	while (!arrived(vf)) {
		if (event_wait(vf->events[IGB_RX], ms))
			continue;
		if (arrived(vf))
			FAIL("a packet came without an interrupt");
		return 0;
	}
	len = vf->rings->rx[entry].rx.len;
	ASSERT_LE(len, size);
	memcpy(frame, vf->rings->rx_data[entry], len);
	offer(vf, entry);
	vf->received++;
	put(vf, RX + RING_TAIL, entry);
	return len;
}

void igb_vf_raise_all(struct igb_vf *vf)
{
	put(vf, EICS, ALL_VECTORS);
}
