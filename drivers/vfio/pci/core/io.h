/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an access to device memory or an I/O port takes, for io.c and io_rw.c.
 *
 * Bytes keep their order between the user's buffer and the bus whatever the
 * host's: what a user reads is what a little-endian device put there.
 */
#ifndef VFIO_PCI_IO_H
#define VFIO_PCI_IO_H

#include <linux/io.h>
#include <linux/io-64-nonatomic-lo-hi.h>

#include "priv.h"

#ifdef __BIG_ENDIAN
#define io_read16	ioread16be
#define io_read32	ioread32be
#define io_read64	ioread64be
#define io_write16	iowrite16be
#define io_write32	iowrite32be
#define io_write64	iowrite64be
#else
#define io_read16	ioread16
#define io_read32	ioread32
#define io_read64	ioread64
#define io_write16	iowrite16
#define io_write32	iowrite32
#define io_write64	iowrite64
#endif
#define io_read8	ioread8
#define io_write8	iowrite8

static inline int access_begin(struct vfio_pci_core_device *vdev, bool test_mem)
{
	if (!test_mem)
		return 0;

	down_read(&vdev->memory_lock);
	if (likely(__vfio_pci_memory_enabled(vdev)))
		return 0;
	up_read(&vdev->memory_lock);

	return vfio_pci_refuse(vdev, -EIO,
			       "access to device memory while it is off: set COMMAND.MEM and leave D3 first");
}

static inline void access_end(struct vfio_pci_core_device *vdev, bool test_mem)
{
	if (test_mem)
		up_read(&vdev->memory_lock);
}

#endif /* VFIO_PCI_IO_H */
