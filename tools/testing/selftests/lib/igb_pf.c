// SPDX-License-Identifier: GPL-2.0-only
/*
 * A physical function of the 82576, for its virtual ones only: it lets them send
 * and receive and answers their mail. It has no packets of its own.
 */
#include <string.h>

#include "igb.h"
#include "lab.h"
#include "tap.h"

/* 8.1 */
#define CTRL		0x0000
#define   CTRL_SLU	0x40u
#define CTRL_EXT	0x0018
#define   EXT_PFRSTD	0x4000u		/* the PF is done with its reset */
#define MDIC		0x0020
#define   MDIC_WRITE(reg, val)	(1u << 26 | 1u << 21 | (reg) << 16 | (val))
#define   PHY_CONTROL		0
#define   PHY_NEGOTIATE		0x1200u
#define RCTL		0x0100
#define TCTL		0x0400
#define   CTL_ENABLE	0x02u
#define MEMORY(vf)	(0x0800 + 64 * (vf))
#define MAILBOX(vf)	(0x0c00 + 4 * (vf))
#define   MAILBOX_STS	0x01u
#define   MAILBOX_ACK	0x02u
#define   MAILBOX_PFU	0x08u		/* the memory is the PF's for now */
#define MAIL_CAUSE	0x0c80		/* a bit for each VF, as the next ones */
#define RESET_CAUSE	0x0c88
#define RX_ENABLE	0x0c8c
#define TX_ENABLE	0x0c90
#define GPIE		0x1514
#define   GPIE_MSIX	0x10u
#define SWITCH		0x3500
#define   SWITCH_LOOP	0x80000000u
#define ADDRESS(vf)	(0x5400 + 8 * (vf))
#define   ADDRESS_VALID(vf)	(0x80000000u | 0x40000u << (vf))
#define QUEUES		0x5818
#define   QUEUES_VMDQ	3u
#define OFFLOAD(vf)	(0x5ad0 + 4 * (vf))
#define   OFFLOAD_UNTAGGED	0x01000000u
#define   OFFLOAD_BROADCAST	0x08000000u

#define FUNCTIONS	8

static uint32_t get(struct vfio_dev *pf, unsigned int reg)
{
	return region_get(pf, VFIO_PCI_BAR0_REGION_INDEX, reg, 4);
}

static void put(struct vfio_dev *pf, unsigned int reg, uint32_t val)
{
	region_put(pf, VFIO_PCI_BAR0_REGION_INDEX, reg, 4, val);
}

static void set(struct vfio_dev *pf, unsigned int reg, uint32_t bits)
{
	put(pf, reg, get(pf, reg) | bits);
}

void igb_pf_open(struct vfio_dev *pf, const char *bdf, const char *token)
{
	unsigned int vf;

	vfio_open_token(pf, bdf, token);
	cfg_command(pf, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0);
	set(pf, CTRL, CTRL_SLU);
	put(pf, MDIC, MDIC_WRITE(PHY_CONTROL, PHY_NEGOTIATE));
	put(pf, GPIE, GPIE_MSIX);
	put(pf, QUEUES, QUEUES_VMDQ);
	put(pf, SWITCH, SWITCH_LOOP);
	put(pf, RX_ENABLE, 0);
	put(pf, TX_ENABLE, 0);
	for (vf = 0; vf < FUNCTIONS; vf++)
		set(pf, OFFLOAD(vf), OFFLOAD_UNTAGGED | OFFLOAD_BROADCAST);
	set(pf, RCTL, CTL_ENABLE);
	set(pf, TCTL, CTL_ENABLE);
	set(pf, CTRL_EXT, EXT_PFRSTD);
}

static void set_address(struct vfio_dev *pf, unsigned int vf,
			const uint32_t words[2])
{
	put(pf, ADDRESS(vf), words[0]);
	put(pf, ADDRESS(vf) + 4, (words[1] & 0xffff) | ADDRESS_VALID(vf));
}

static void admit(struct vfio_dev *pf, unsigned int vf, uint32_t words[2])
{
	const uint8_t mac[8] = { 0x52, 0x54, 0, 0, 0x03, 0x80 + vf };

	memcpy(words, mac, sizeof(mac));
	set_address(pf, vf, words);
	set(pf, RX_ENABLE, 1u << vf);
	set(pf, TX_ENABLE, 1u << vf);
}

/* Each message is good: these VFs ask for nothing that they may not have. */
static void answer(struct vfio_dev *pf, unsigned int vf)
{
	uint32_t mail[IGB_MAIL_WORDS];
	unsigned int i;

	put(pf, MAILBOX(vf), MAILBOX_PFU);
	for (i = 0; i < IGB_MAIL_WORDS; i++)
		mail[i] = get(pf, MEMORY(vf) + 4 * i);
	if ((mail[0] & IGB_MAIL_KIND) == IGB_MAIL_RESET)
		admit(pf, vf, &mail[1]);
	else
		mail[0] |= IGB_MAIL_CTS;
	if ((mail[0] & IGB_MAIL_KIND) == IGB_MAIL_SET_MAC)
		set_address(pf, vf, &mail[1]);
	mail[0] |= IGB_MAIL_ACK;
	for (i = 0; i < IGB_MAIL_WORDS; i++)
		put(pf, MEMORY(vf) + 4 * i, mail[i]);
	put(pf, MAILBOX(vf), MAILBOX_STS | MAILBOX_ACK);
}

void igb_pf_serve(struct vfio_dev *pf, unsigned int vfs)
{
	uint32_t mail = get(pf, MAIL_CAUSE);
	unsigned int vf;

	put(pf, RESET_CAUSE, get(pf, RESET_CAUSE));
	put(pf, MAIL_CAUSE, mail);
	for (vf = 0; vf < vfs; vf++)
		if (mail & 1u << vf)
			answer(pf, vf);
}
