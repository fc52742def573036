/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Functions of Intel's 82576 (QEMU's igb) driven by a program: a virtual function
 * with a ring of descriptors each way, and as much of a physical function as its
 * virtual ones need. Numbers are sections of the 82576 datasheet.
 */
#ifndef SELFTEST_IGB_H
#define SELFTEST_IGB_H

#include <net/ethernet.h>
#include <stddef.h>
#include <stdint.h>

#include "vfio.h"

/* Mailbox, 8.14: shared memory, and a register on either side. */
#define IGB_MAIL_WORDS		3
#define IGB_MAIL_RESET		0x01u
#define IGB_MAIL_SET_MAC	0x02u
#define IGB_MAIL_KIND		0x0000ffffu
#define IGB_MAIL_CTS		0x20000000u	/* the PF hears this VF */
#define IGB_MAIL_ACK		0x80000000u

/* MSI-X vectors of a VF, as igb_vf_open() assigns them. */
enum {
	IGB_RX,
	IGB_TX,
	IGB_MAIL,
	IGB_VECTORS,
};

struct igb_rings;

/**
 * struct igb_vf - a virtual function
 * @dev:	the open device
 * @mac:	its address
 * @events:	signalled by its vectors
 * @rings:	memory that it reads and writes
 * @sent:	packets given to it
 * @received:	packets taken from it
 */
struct igb_vf {
	struct vfio_dev dev;
	uint8_t mac[ETH_ALEN];
	int32_t events[IGB_VECTORS];
	struct igb_rings *rings;
	unsigned int sent;
	unsigned int received;
};

/* Open, with a VF token or NULL; be heard by the PF; start both rings. */
void igb_vf_open(struct igb_vf *vf, const char *bdf, const char *token);
void igb_vf_close(struct igb_vf *vf);
/* Send, and see the interrupt that says so. */
void igb_vf_send(struct igb_vf *vf, const void *frame, size_t len);
/* The next packet, which an interrupt announced: its length, or 0 after @ms. */
size_t igb_vf_receive(struct igb_vf *vf, void *frame, size_t size,
		      unsigned int ms);

/* Have the device's software raise every vector. */
void igb_vf_raise_all(struct igb_vf *vf);

/* Open a physical function with a VF token and be ready for its VFs. */
void igb_pf_open(struct vfio_dev *pf, const char *bdf, const char *token);
/* Answer what the first @vfs of them said meanwhile. */
void igb_pf_serve(struct vfio_dev *pf, unsigned int vfs);

#endif
