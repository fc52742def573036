/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lab's model of a device of any kind (lab/models/odd.c): "odd" has a port
 * to itself, "oddpci" is on a conventional bus, "oddroot" part of the root complex.
 *
 *	static const struct odd_poke no_disintx[] = {
 *		{ ODD_MASK + PCI_COMMAND, 2, 0x0007 },
 *		{ }
 *	};
 *
 *	vfio_open(&dev, odd_made("odd", no_disintx));
 */
#ifndef SELFTEST_ODD_H
#define SELFTEST_ODD_H

#include <stdint.h>

#include "vfio.h"

/* BAR 0: registers of 32 bits; configuration space; what is writable in it. */
#define ODD_LINE	0x00	/* 1: assert INTx; 0 from reset */
#define ODD_MARK	0x04	/* keeps what is written; 0 from reset */
#define ODD_RESETS	0x08	/* how often it was reset */
#define ODD_MSI		0x0c	/* send this vector */
#define ODD_STUCK	0x10	/* vital product data never comes */
#define ODD_DEAD	0x14	/* configuration space reads as ones */
#define ODD_ROM_WIDTH	0x18	/* bytes of the widest read of the ROM */
#define ODD_VGA_WIDTH	0x1c	/* the same for the memory of VGA */
#define ODD_RESTORE	0x20	/* be as new, but for addresses and COMMAND */
#define ODD_CONFIG	0x1000u
#define ODD_MASK	0x2000u

/* Where its capabilities are before they are moved. */
#define ODD_VPD		0x40u
#define ODD_VENDOR	0x48u
#define ODD_PM		0x50u
#define ODD_AF		0x58u
#define ODD_MSI_CAP	0x60u
#define ODD_EXP		0x80u

#define ODD_ROM_SIZE	0x10000u
#define ODD_ROM_IMAGE	0x8000u

/**
 * struct odd_poke - a change of what it is
 * @pos:	in configuration space; with ODD_MASK added, what is writable there
 * @len:	bytes: 1, 2 or 4; 0 ends a list
 * @val:	new value
 */
struct odd_poke {
	uint16_t pos;
	uint8_t len;
	uint32_t val;
};

/*
 * Have the lab's @name as new but for @pokes, NULL for none, and let the kernel
 * find it again. Returns its address; no driver has it.
 */
const char *odd_made(const char *name, const struct odd_poke *pokes);

/* A register, past any driver: works as well when the device does not answer. */
uint32_t odd_peek(const char *bdf, unsigned int reg);
void odd_poke(const char *bdf, unsigned int reg, uint32_t val);

/* The registers of an open device; memory decoding has to be on. */
static inline uint32_t odd_get(struct vfio_dev *dev, unsigned int reg)
{
	return region_get(dev, VFIO_PCI_BAR0_REGION_INDEX, reg, 4);
}

static inline void odd_put(struct vfio_dev *dev, unsigned int reg, uint32_t val)
{
	region_put(dev, VFIO_PCI_BAR0_REGION_INDEX, reg, 4, val);
}

/* Open what odd_made() made, with memory decoding on. */
static inline void odd_open(struct vfio_dev *dev, const char *bdf)
{
	vfio_open(dev, bdf);
	cfg_command(dev, PCI_COMMAND_MEMORY, 0);
}

#endif
