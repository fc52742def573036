/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * QEMU's educational device, as docs/specs/edu.rst of QEMU describes it: all of
 * it is in BAR 0.
 */
#ifndef SELFTEST_EDU_H
#define SELFTEST_EDU_H

#include "lab.h"
#include "vfio.h"

#define EDU_ID			0x00	/* 0x....00ed */
#define EDU_LIVENESS		0x04	/* reads as the inverse of what was written */
#define EDU_FACTORIAL		0x08
#define EDU_STATUS		0x20
#define   EDU_STATUS_BUSY	0x01
#define   EDU_STATUS_IRQ	0x80	/* raise EDU_IRQ_FACTORIAL when done */
#define EDU_IRQ_STATUS		0x24	/* what asserts the interrupt line */
#define   EDU_IRQ_FACTORIAL	0x001
#define   EDU_IRQ_DMA		0x100
#define EDU_IRQ_RAISE		0x60
#define EDU_IRQ_ACK		0x64
#define EDU_DMA_SRC		0x80	/* the DMA registers have 64 bits */
#define EDU_DMA_DST		0x88
#define EDU_DMA_COUNT		0x90
#define EDU_DMA_CMD		0x98
#define   EDU_DMA_START		0x1
#define   EDU_DMA_TO_RAM	0x2
#define   EDU_DMA_IRQ		0x4
#define EDU_BUFFER		0x40000	/* as seen by the DMA registers */
#define EDU_BUFFER_SIZE		4096

static inline uint32_t edu_get(struct vfio_dev *dev, unsigned int reg)
{
	return region_get(dev, VFIO_PCI_BAR0_REGION_INDEX, reg, 4);
}

static inline void edu_put(struct vfio_dev *dev, unsigned int reg, uint32_t val)
{
	region_put(dev, VFIO_PCI_BAR0_REGION_INDEX, reg, 4, val);
}

static inline void edu_raise(struct vfio_dev *dev)
{
	edu_put(dev, EDU_IRQ_RAISE, 2);
}

static inline void edu_ack(struct vfio_dev *dev)
{
	edu_put(dev, EDU_IRQ_ACK, edu_get(dev, EDU_IRQ_STATUS));
}

/*
 * Open the lab's @name, able to decode and to send MSI and DMA. "edu" has a port
 * to itself and is reset through it at each open and close, which takes seconds;
 * "bridge" shares its bus and is not.
 */
static inline void edu_open(struct vfio_dev *dev, const char *name)
{
	vfio_open(dev, lab_bdf(name));
	cfg_command(dev, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0);
	edu_ack(dev);
}

/*
 * Make enabled INTx quiet: not asserted, not masked, nothing pending. What QEMU's
 * I/O APIC remembers of a level that fell while the pin was not set up goes when
 * it rises and falls again.
 */
void edu_intx_settle(struct vfio_dev *dev, int fd);
/* Then one interrupt is one signal to @fd, and another can follow. */
void edu_intx_expect(struct vfio_dev *dev, int fd);

#endif
