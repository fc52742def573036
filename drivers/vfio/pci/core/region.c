// SPDX-License-Identifier: GPL-2.0-only
/*
 * The regions of the device file: one table says what each class of region
 * does. Everything that comes with an offset or an index from user space is
 * looked up here, once, unsigned, and bounded.
 */
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/pm_runtime.h>
#include <linux/slab.h>

#include "priv.h"

#define VGA_REGION_SIZE		0xc0000
#define MAX_DEV_REGIONS		256

/**
 * struct region_class - what a class of region does
 * @info: fill in size and flags, append to the capability chain
 * @rw: read or write, and advance the position
 * @mmap: map; NULL if the class never can
 */
struct region_class {
	int	(*info)(struct vfio_pci_core_device *vdev,
			struct vfio_region_info *info,
			struct vfio_info_cap *caps);
	ssize_t	(*rw)(struct vfio_pci_core_device *vdev, char __user *buf,
		      size_t count, loff_t *ppos, bool iswrite);
	int	(*mmap)(struct vfio_pci_core_device *vdev,
			struct vm_area_struct *vma);
};

static int bar_info(struct vfio_pci_core_device *vdev,
		    struct vfio_region_info *info, struct vfio_info_cap *caps)
{
	struct vfio_info_cap_header mappable = {
		.id = VFIO_REGION_INFO_CAP_MSIX_MAPPABLE,
		.version = 1,
	};
	struct vfio_pci_core_priv *priv = vdev->priv;
	unsigned int bar;

	bar = array_index_nospec(info->index, PCI_STD_NUM_BARS);
	info->size = pci_resource_len(vdev->pdev, bar);
	if (!info->size)
		return 0;

	info->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	if (!priv->bar_mmap[bar])
		return 0;

	info->flags |= VFIO_REGION_INFO_FLAG_MMAP;
	if (bar != priv->msix_bar)
		return 0;
	return vfio_info_add_capability(caps, &mappable, sizeof(mappable));
}

static int rom_info(struct vfio_pci_core_device *vdev,
		    struct vfio_region_info *info, struct vfio_info_cap *caps)
{
	info->size = vfio_pci_rom_size(vdev);
	if (info->size)
		info->flags = VFIO_REGION_INFO_FLAG_READ;
	return 0;
}

static int cfg_info(struct vfio_pci_core_device *vdev,
		    struct vfio_region_info *info, struct vfio_info_cap *caps)
{
	info->size = vdev->pdev->cfg_size;
	info->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	return 0;
}

static int vga_info(struct vfio_pci_core_device *vdev,
		    struct vfio_region_info *info, struct vfio_info_cap *caps)
{
	if (!vdev->priv->has_vga)
		return -EINVAL;

	info->size = VGA_REGION_SIZE;
	info->flags = VFIO_REGION_INFO_FLAG_READ | VFIO_REGION_INFO_FLAG_WRITE;
	return 0;
}

/* @index was checked; the last class is the only one that has any */
struct vfio_pci_region *vfio_pci_region_at(struct vfio_pci_core_device *vdev,
					   u64 index)
{
	unsigned int nr = index - VFIO_PCI_NUM_REGIONS;

	nr = array_index_nospec(nr, vdev->priv->num_regions);
	return &vdev->priv->region[nr];
}

static int special_info(struct vfio_pci_core_device *vdev,
			struct vfio_region_info *info,
			struct vfio_info_cap *caps)
{
	struct vfio_pci_region *region = vfio_pci_region_at(vdev, info->index);
	struct vfio_region_info_cap_type type = {
		.header.id = VFIO_REGION_INFO_CAP_TYPE,
		.header.version = 1,
		.type = region->type,
		.subtype = region->subtype,
	};
	int ret;

	info->size = region->size;
	info->flags = region->flags;

	ret = vfio_info_add_capability(caps, &type.header, sizeof(type));
	if (ret || !region->ops->add_capability)
		return ret;
	return region->ops->add_capability(vdev, region, caps);
}

static ssize_t special_rw(struct vfio_pci_core_device *vdev, char __user *buf,
			  size_t count, loff_t *ppos, bool iswrite)
{
	struct vfio_pci_region *region;

	region = vfio_pci_region_at(vdev, VFIO_PCI_OFFSET_TO_INDEX(*ppos));
	return region->ops->rw(vdev, buf, count, ppos, iswrite);
}

static int special_mmap(struct vfio_pci_core_device *vdev,
			struct vm_area_struct *vma)
{
	u64 index = VFIO_PCI_OFFSET_TO_INDEX((u64)vma->vm_pgoff << PAGE_SHIFT);
	struct vfio_pci_region *region = vfio_pci_region_at(vdev, index);

	if (!region->ops->mmap || !(region->flags & VFIO_REGION_INFO_FLAG_MMAP))
		return vfio_pci_malformed(vdev, "region %llu cannot be mapped",
					  index);
	return region->ops->mmap(vdev, region, vma);
}

/* The last row stands for every index from VFIO_PCI_NUM_REGIONS on */
static const struct region_class region_classes[VFIO_PCI_NUM_REGIONS + 1] = {
	[VFIO_PCI_BAR0_REGION_INDEX ... VFIO_PCI_BAR5_REGION_INDEX] = {
		.info = bar_info,
		.rw = vfio_pci_bar_rw,
		.mmap = vfio_pci_bar_mmap,
	},
	[VFIO_PCI_ROM_REGION_INDEX] = {
		.info = rom_info,
		.rw = vfio_pci_rom_rw,
	},
	[VFIO_PCI_CONFIG_REGION_INDEX] = {
		.info = cfg_info,
		.rw = vfio_pci_cfg_rw,
	},
	[VFIO_PCI_VGA_REGION_INDEX] = {
		.info = vga_info,
		.rw = vfio_pci_vga_rw,
	},
	[VFIO_PCI_NUM_REGIONS] = {
		.info = special_info,
		.rw = special_rw,
		.mmap = special_mmap,
	},
};

static const struct region_class *
region_class(struct vfio_pci_core_device *vdev, u64 index)
{
	unsigned int nr;

	if (index >= VFIO_PCI_NUM_REGIONS + vdev->priv->num_regions) {
		vfio_pci_malformed(vdev, "region %llu does not exist", index);
		return NULL;
	}

	nr = min_t(u64, index, VFIO_PCI_NUM_REGIONS);
	return &region_classes[array_index_nospec(nr, ARRAY_SIZE(region_classes))];
}

/**
 * vfio_pci_ioctl_get_region_info() - body of .get_region_info_caps
 * @core_vdev: device, open
 * @info: in: @info->index; out: size, offset and flags
 * @caps: capability chain to append to; emptied on failure
 *
 * Context: process context, in an ioctl of the device; sleeps.
 * Return: 0; -EINVAL if there is no such region; -ENOMEM; or what the region's
 * own &vfio_pci_regops.add_capability failed with.
 */
int vfio_pci_ioctl_get_region_info(struct vfio_device *core_vdev,
				   struct vfio_region_info *info,
				   struct vfio_info_cap *caps)
{
	struct vfio_pci_core_device *vdev = to_vfio_pci(core_vdev);
	const struct region_class *class = region_class(vdev, info->index);
	int ret;

	if (!class)
		return -EINVAL;

	info->offset = VFIO_PCI_INDEX_TO_OFFSET(info->index);
	info->size = 0;
	info->flags = 0;
	ret = class->info(vdev, info, caps);
	if (ret) {
		/* Not every kernel's caller frees it then */
		kfree(caps->buf);
		caps->buf = NULL;
		caps->size = 0;
	}
	return ret;
}
EXPORT_SYMBOL_GPL(vfio_pci_ioctl_get_region_info);

/* It is awake unless the user put it in low power: ask that first, it is cheap */
static int wake_and_get(struct device *dev)
{
	if (pm_runtime_get_if_active(dev) > 0)
		return 0;
	return pm_runtime_resume_and_get(dev);
}

static ssize_t region_rw(struct vfio_pci_core_device *vdev, char __user *buf,
			 size_t count, loff_t *ppos, bool iswrite)
{
	const struct region_class *class;
	ssize_t ret;

	if (!count)
		return 0;
	class = region_class(vdev, VFIO_PCI_OFFSET_TO_INDEX(*ppos));
	if (!class)
		return -EINVAL;

	ret = wake_and_get(&vdev->pdev->dev);
	if (ret)
		return vfio_pci_refuse(vdev, -EIO,
				       "the device does not wake up: error %zd",
				       ret);

	ret = class->rw(vdev, buf, count, ppos, iswrite);
	pm_runtime_put(&vdev->pdev->dev);
	return ret;
}

/**
 * vfio_pci_core_read() - body of &vfio_device_ops.read
 * @core_vdev: device, open
 * @buf: user memory
 * @count: bytes
 * @ppos: region and position in it; advanced by the bytes read
 *
 * Context: process context; sleeps.
 * Return: bytes read, which may be fewer than @count; -EINVAL if the region or
 * the position does not exist or cannot be read; -EIO if the device does not
 * wake up or its memory is disabled; -EBUSY if another driver holds the BAR;
 * -EFAULT; -ENOMEM; or what a device-specific region fails with.
 */
ssize_t vfio_pci_core_read(struct vfio_device *core_vdev, char __user *buf,
			   size_t count, loff_t *ppos)
{
	return region_rw(to_vfio_pci(core_vdev), buf, count, ppos, false);
}
EXPORT_SYMBOL_GPL(vfio_pci_core_read);

/**
 * vfio_pci_core_write() - body of &vfio_device_ops.write
 * @core_vdev: device, open
 * @buf: user memory
 * @count: bytes
 * @ppos: region and position in it; advanced by the bytes written
 *
 * Context: process context; sleeps.
 * Return: bytes written, which may be fewer than @count; -EINVAL if the region
 * or the position does not exist or cannot be written; -EIO if the device does
 * not wake up or its memory is disabled; -EBUSY if another driver holds the BAR;
 * -EFAULT; -ENOMEM; or what a device-specific region fails with.
 */
ssize_t vfio_pci_core_write(struct vfio_device *core_vdev,
			    const char __user *buf, size_t count, loff_t *ppos)
{
	return region_rw(to_vfio_pci(core_vdev), (char __user *)buf, count,
			 ppos, true);
}
EXPORT_SYMBOL_GPL(vfio_pci_core_write);

/**
 * vfio_pci_core_mmap() - body of &vfio_device_ops.mmap
 * @core_vdev: device, open
 * @vma: the new mapping; its offset names the region and the position in it
 *
 * Context: process context, mmap_lock held for writing; sleeps.
 * Return: 0; -EINVAL if the mapping is private, or the region does not exist,
 * cannot be mapped or ends before the mapping does; -EBUSY if another driver
 * holds the BAR; -ENOMEM; or what a device-specific region fails with.
 */
int vfio_pci_core_mmap(struct vfio_device *core_vdev,
		       struct vm_area_struct *vma)
{
	struct vfio_pci_core_device *vdev = to_vfio_pci(core_vdev);
	const struct region_class *class;
	u64 index;

	/* A private copy of registers would be plain memory */
	if (!(vma->vm_flags & VM_SHARED))
		return vfio_pci_malformed(vdev, "only MAP_SHARED mappings reach the device");

	index = (u64)vma->vm_pgoff >> (VFIO_PCI_OFFSET_SHIFT - PAGE_SHIFT);
	class = region_class(vdev, index);
	if (!class)
		return -EINVAL;
	if (!class->mmap)
		return vfio_pci_malformed(vdev, "region %llu cannot be mapped",
					  index);
	return class->mmap(vdev, vma);
}
EXPORT_SYMBOL_GPL(vfio_pci_core_mmap);

/**
 * vfio_pci_core_register_dev_region() - add a device-specific region
 * @vdev: device, between vfio_pci_core_enable() and
 *	vfio_pci_core_finish_enable()
 * @type: VFIO_REGION_TYPE_*
 * @subtype: meaning depends on @type
 * @ops: behaviour; @ops->rw and @ops->release are mandatory
 * @size: bytes
 * @flags: VFIO_REGION_INFO_FLAG_*
 * @data: for @ops; on success the region owns it and @ops->release frees it
 *
 * Regions appear from index VFIO_PCI_NUM_REGIONS on, in the order in which they
 * were added, and go away when the device closes.
 *
 * Context: process context, dev_set->lock held, as it is in .open_device.
 * Return: 0; -EINVAL if called at another time, @ops is incomplete or @size
 * exceeds what a region's offsets can express; -ENOSPC if there are too many
 * regions; -ENOMEM.
 */
int vfio_pci_core_register_dev_region(struct vfio_pci_core_device *vdev,
				      unsigned int type, unsigned int subtype,
				      const struct vfio_pci_regops *ops,
				      size_t size, u32 flags, void *data)
{
	struct vfio_pci_core_priv *priv = vdev->priv;
	struct vfio_pci_region *regions;

	lockdep_assert_held(&vdev->vdev.dev_set->lock);

	if (!pci_is_enabled(vdev->pdev) || priv->regions_sealed)
		return vfio_pci_refuse(vdev, -EINVAL,
				       "driver adds a region at the wrong time: do so between enable and finish_enable");
	if (!ops || !ops->rw || !ops->release || size > VFIO_PCI_OFFSET_MASK)
		return vfio_pci_refuse(vdev, -EINVAL,
				       "driver adds a region that is incomplete or too large");
	if (priv->num_regions >= MAX_DEV_REGIONS)
		return vfio_pci_refuse(vdev, -ENOSPC,
				       "driver adds too many regions");

	regions = krealloc_array(priv->region, priv->num_regions + 1,
				 sizeof(*regions), GFP_KERNEL_ACCOUNT);
	if (!regions)
		return -ENOMEM;

	priv->region = regions;
	regions[priv->num_regions++] = (struct vfio_pci_region) {
		.type = type,
		.subtype = subtype,
		.ops = ops,
		.data = data,
		.size = size,
		.flags = flags,
	};
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_register_dev_region);

/* User space is about to see the regions: from here on they stay as they are */
void vfio_pci_regions_seal(struct vfio_pci_core_device *vdev)
{
	vdev->priv->regions_sealed = true;
}

/* Takes back what was added last, until @count regions are left */
void vfio_pci_regions_trim(struct vfio_pci_core_device *vdev,
			   unsigned int count)
{
	struct vfio_pci_core_priv *priv = vdev->priv;

	while (priv->num_regions > count) {
		struct vfio_pci_region *region;

		region = &priv->region[--priv->num_regions];
		region->ops->release(vdev, region);
	}
}

void vfio_pci_regions_close(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_core_priv *priv = vdev->priv;

	vfio_pci_regions_trim(vdev, 0);
	kfree(priv->region);
	priv->region = NULL;
	priv->regions_sealed = false;
}
