// SPDX-License-Identifier: GPL-2.0-only
/*
 * Single accesses to device memory and I/O ports.
 */
#include "io.h"

/**
 * vfio_pci_core_iowrite8() - write one byte to the device
 * @vdev: device
 * @test_mem: @io is memory: fail if the user has it disabled
 * @val: value
 * @io: where
 *
 * Context: process context; sleeps on memory_lock if @test_mem.
 * Return: 0, or -EIO if memory is disabled.
 */
int vfio_pci_core_iowrite8(struct vfio_pci_core_device *vdev, bool test_mem,
			   u8 val, void __iomem *io)
{
	int ret = access_begin(vdev, test_mem);

	if (ret)
		return ret;
	io_write8(val, io);
	access_end(vdev, test_mem);
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_iowrite8);

/**
 * vfio_pci_core_iowrite16() - write two bytes to the device in one access
 * @vdev: device
 * @test_mem: @io is memory: fail if the user has it disabled
 * @val: value, its bytes in bus order
 * @io: where, aligned
 *
 * Context: process context; sleeps on memory_lock if @test_mem.
 * Return: 0, or -EIO if memory is disabled.
 */
int vfio_pci_core_iowrite16(struct vfio_pci_core_device *vdev, bool test_mem,
			    u16 val, void __iomem *io)
{
	int ret = access_begin(vdev, test_mem);

	if (ret)
		return ret;
	io_write16(val, io);
	access_end(vdev, test_mem);
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_iowrite16);

/**
 * vfio_pci_core_iowrite32() - write four bytes to the device in one access
 * @vdev: device
 * @test_mem: @io is memory: fail if the user has it disabled
 * @val: value, its bytes in bus order
 * @io: where, aligned
 *
 * Context: process context; sleeps on memory_lock if @test_mem.
 * Return: 0, or -EIO if memory is disabled.
 */
int vfio_pci_core_iowrite32(struct vfio_pci_core_device *vdev, bool test_mem,
			    u32 val, void __iomem *io)
{
	int ret = access_begin(vdev, test_mem);

	if (ret)
		return ret;
	io_write32(val, io);
	access_end(vdev, test_mem);
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_iowrite32);

/**
 * vfio_pci_core_iowrite64() - write eight bytes to the device
 * @vdev: device
 * @test_mem: @io is memory: fail if the user has it disabled
 * @val: value, its bytes in bus order
 * @io: where, aligned
 *
 * One access to memory on 64-bit hosts; otherwise, and to I/O ports, two of
 * four bytes, the lower one first.
 *
 * Context: process context; sleeps on memory_lock if @test_mem.
 * Return: 0, or -EIO if memory is disabled.
 */
int vfio_pci_core_iowrite64(struct vfio_pci_core_device *vdev, bool test_mem,
			    u64 val, void __iomem *io)
{
	int ret = access_begin(vdev, test_mem);

	if (ret)
		return ret;
	io_write64(val, io);
	access_end(vdev, test_mem);
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_iowrite64);

/**
 * vfio_pci_core_ioread8() - read one byte from the device
 * @vdev: device
 * @test_mem: @io is memory: fail if the user has it disabled
 * @val: where the value goes; unchanged on failure
 * @io: where
 *
 * Context: process context; sleeps on memory_lock if @test_mem.
 * Return: 0, or -EIO if memory is disabled.
 */
int vfio_pci_core_ioread8(struct vfio_pci_core_device *vdev, bool test_mem,
			  u8 *val, void __iomem *io)
{
	int ret = access_begin(vdev, test_mem);

	if (ret)
		return ret;
	*val = io_read8(io);
	access_end(vdev, test_mem);
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_ioread8);

/**
 * vfio_pci_core_ioread16() - read two bytes from the device in one access
 * @vdev: device
 * @test_mem: @io is memory: fail if the user has it disabled
 * @val: where the value goes, its bytes in bus order; unchanged on failure
 * @io: where, aligned
 *
 * Context: process context; sleeps on memory_lock if @test_mem.
 * Return: 0, or -EIO if memory is disabled.
 */
int vfio_pci_core_ioread16(struct vfio_pci_core_device *vdev, bool test_mem,
			   u16 *val, void __iomem *io)
{
	int ret = access_begin(vdev, test_mem);

	if (ret)
		return ret;
	*val = io_read16(io);
	access_end(vdev, test_mem);
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_ioread16);

/**
 * vfio_pci_core_ioread32() - read four bytes from the device in one access
 * @vdev: device
 * @test_mem: @io is memory: fail if the user has it disabled
 * @val: where the value goes, its bytes in bus order; unchanged on failure
 * @io: where, aligned
 *
 * Context: process context; sleeps on memory_lock if @test_mem.
 * Return: 0, or -EIO if memory is disabled.
 */
int vfio_pci_core_ioread32(struct vfio_pci_core_device *vdev, bool test_mem,
			   u32 *val, void __iomem *io)
{
	int ret = access_begin(vdev, test_mem);

	if (ret)
		return ret;
	*val = io_read32(io);
	access_end(vdev, test_mem);
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_ioread32);

/**
 * vfio_pci_core_ioread64() - read eight bytes from the device
 * @vdev: device
 * @test_mem: @io is memory: fail if the user has it disabled
 * @val: where the value goes, its bytes in bus order; unchanged on failure
 * @io: where, aligned
 *
 * One access to memory on 64-bit hosts; otherwise, and to I/O ports, two of
 * four bytes, the lower one first.
 *
 * Context: process context; sleeps on memory_lock if @test_mem.
 * Return: 0, or -EIO if memory is disabled.
 */
int vfio_pci_core_ioread64(struct vfio_pci_core_device *vdev, bool test_mem,
			   u64 *val, void __iomem *io)
{
	int ret = access_begin(vdev, test_mem);

	if (ret)
		return ret;
	*val = io_read64(io);
	access_end(vdev, test_mem);
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_ioread64);
