// SPDX-License-Identifier: GPL-2.0-only
/*
 * The legacy ranges of a VGA controller as a region of its device file. Offsets
 * in the region are the addresses in memory and I/O space, which do not overlap.
 */
#include <linux/io.h>
#include <linux/vgaarb.h>

#include "priv.h"

/**
 * struct vga_range - one range of legacy addresses
 * @start: first address
 * @end: last address
 * @rsrc: what to hold of the arbiter while accessing it
 */
struct vga_range {
	u32		start;
	u32		end;
	unsigned int	rsrc;
};

static const struct vga_range vga_ranges[] = {
	{ 0x003b0, 0x003bb, VGA_RSRC_LEGACY_IO },
	{ 0x003c0, 0x003df, VGA_RSRC_LEGACY_IO },
	{ 0xa0000, 0xbffff, VGA_RSRC_LEGACY_MEM },
};

static const struct vga_range *vga_range_at(u64 pos)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vga_ranges); i++)
		if (pos >= vga_ranges[i].start && pos <= vga_ranges[i].end)
			return &vga_ranges[i];
	return NULL;
}

static void __iomem *vga_map(const struct vga_range *range)
{
	unsigned int size = range->end - range->start + 1;

	if (range->rsrc == VGA_RSRC_LEGACY_IO)
		return ioport_map(range->start, size);
	return ioremap(range->start, size);
}

static void vga_unmap(const struct vga_range *range, void __iomem *io)
{
	if (range->rsrc == VGA_RSRC_LEGACY_IO)
		ioport_unmap(io);
	else
		iounmap(io);
}

/*
 * memory_lock has no part in this: the arbiter turns on what the access needs,
 * and the addresses belong to the machine, not to a BAR. The arbiter is held for
 * the accesses alone: other drivers wait for it, and must not wait for a page of
 * the user's.
 */
ssize_t vfio_pci_vga_rw(struct vfio_pci_core_device *vdev, char __user *buf,
			size_t count, loff_t *ppos, bool iswrite)
{
	u64 pos = *ppos & VFIO_PCI_OFFSET_MASK;
	struct vfio_pci_io_xfer x = {
		.vdev = vdev,
		.user = buf,
		.width = VFIO_PCI_IO_WIDTH_4,
		.iswrite = iswrite,
	};
	const struct vga_range *range;
	ssize_t ret;

	if (!vdev->priv->has_vga)
		return -EINVAL;
	range = vga_range_at(pos);
	if (!range)
		return vfio_pci_malformed(vdev, "no VGA register at %#llx", pos);

	x.io = vga_map(range);
	if (!x.io)
		return -ENOMEM;

	x.off = pos - range->start;
	x.count = min_t(u64, count, range->end + 1 - pos);
	x.vga_rsrc = range->rsrc;
	ret = vfio_pci_io_xfer(&x);
	vga_unmap(range, x.io);
	if (ret > 0)
		*ppos += ret;
	return ret;
}
