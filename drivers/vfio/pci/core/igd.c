// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a driver of Intel graphics wants to know besides the device itself: the
 * OpRegion that the firmware prepared for it in memory, and the config spaces of
 * the host bridge and of the LPC bridge, by which it recognises the platform.
 *
 * Layout: Intel, "IGD OpRegion / Software SCI", chapters 3 and 4. The video BIOS
 * tables (VBT) are in the OpRegion if they fit, else elsewhere in memory: at an
 * absolute address in version 2.0, at a distance from the OpRegion since 2.1.
 * A guest has no use for addresses of the host; so they are handed out right
 * behind the OpRegion, and the copy says so in the manner of version 2.1.
 */
#include <linux/fs.h>
#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/sizes.h>
#include <linux/uaccess.h>
#include <linux/unaligned.h>

#include "priv.h"

#define IGD_ASLS		0xfc	/* config: address of the OpRegion */

#define OPREGION_SIGNATURE	"IntelGraphicsMem"
#define OPREGION_SIZE_KIB	0x10	/* u32 */
#define OPREGION_VERSION	0x16	/* u8 minor, u8 major */
#define OPREGION_RVDA		0x3ba	/* u64, where the VBT is, since 2.0 */
#define OPREGION_RVDS		0x3c2	/* u32, its bytes */
#define OPREGION_FIXED		SZ_8K	/* what every version has */

#define VERSION_2_0		0x0200
#define VERSION_2_1		0x0201

/* Far more than any firmware provides: larger is a broken header */
#define SANE_SIZE		SZ_1M

/**
 * struct igd_layout - where the firmware put things
 * @base: physical address of the OpRegion
 * @size: its bytes
 * @version: major in the high byte
 * @vbt: physical address of the VBT that RVDA names, 0 if it names none
 * @vbt_size: its bytes; 0 if it lies within the OpRegion
 */
struct igd_layout {
	u64	base;
	u32	size;
	u16	version;
	u64	vbt;
	u32	vbt_size;
};

/*
 * Whatever the tables say: memory of the kernel's own is not for users to read,
 * and memremap() warns of addresses that do not exist.
 */
static bool firmware_owns(u64 phys, size_t size)
{
	u64 end;

	if (check_add_overflow(phys, size, &end) ||
	    end > BIT_ULL(boot_cpu_data.x86_phys_bits))
		return false;
	return region_intersects(phys, size, IORESOURCE_SYSTEM_RAM,
				 IORES_DESC_NONE) == REGION_DISJOINT;
}

static int phys_copy(void *to, u64 phys, size_t size)
{
	void *from = memremap(phys, size, MEMREMAP_WB);

	if (!from)
		return -ENOMEM;
	memcpy(to, from, size);
	memunmap(from);
	return 0;
}

static int layout_vbt(struct igd_layout *l, const u8 *head)
{
	u64 rvda = get_unaligned_le64(head + OPREGION_RVDA);
	u32 rvds = get_unaligned_le32(head + OPREGION_RVDS);
	u64 end;

	if (l->version < VERSION_2_0 || !rvda || !rvds)
		return 0;
	if (rvds > SANE_SIZE)
		return -EINVAL;

	if (l->version == VERSION_2_0)
		l->vbt = rvda;
	else if (check_add_overflow(l->base, rvda, &l->vbt))
		return -EINVAL;
	if (check_add_overflow(l->vbt, rvds, &end))
		return -EINVAL;
	if (l->vbt >= l->base && end <= l->base + l->size)
		return 0;

	l->vbt_size = rvds;
	return firmware_owns(l->vbt, rvds) ? 0 : -EINVAL;
}

static int layout_parse(struct vfio_pci_core_device *vdev,
			struct igd_layout *l, const u8 *head)
{
	u32 kib = get_unaligned_le32(head + OPREGION_SIZE_KIB);

	if (memcmp(head, OPREGION_SIGNATURE, strlen(OPREGION_SIGNATURE)))
		return vfio_pci_refuse(vdev, -ENODEV,
				       "no OpRegion at the address in ASLS");
	if (kib < OPREGION_FIXED / SZ_1K || kib > SANE_SIZE / SZ_1K ||
	    !firmware_owns(l->base, kib * SZ_1K))
		return vfio_pci_refuse(vdev, -EINVAL,
				       "the OpRegion claims a size of %u KiB",
				       kib);

	l->size = kib * SZ_1K;
	l->version = get_unaligned_le16(head + OPREGION_VERSION);
	if (layout_vbt(l, head))
		return vfio_pci_refuse(vdev, -EINVAL,
				       "the OpRegion claims a VBT of %u bytes, RVDA %#llx",
				       get_unaligned_le32(head + OPREGION_RVDS),
				       get_unaligned_le64(head + OPREGION_RVDA));
	return 0;
}

static int layout_probe(struct vfio_pci_core_device *vdev, u32 asls,
			struct igd_layout *l)
{
	u8 *head;
	int ret;

	if (!firmware_owns(asls, OPREGION_FIXED))
		return vfio_pci_refuse(vdev, -ENODEV,
				       "no OpRegion: ASLS is %#x, not the firmware's memory",
				       asls);

	head = memremap(asls, OPREGION_FIXED, MEMREMAP_WB);
	if (!head)
		return -ENOMEM;

	*l = (struct igd_layout) { .base = asls };
	ret = layout_parse(vdev, l, head);
	memunmap(head);
	return ret;
}

/* Version 2.0 could only express an address of the host */
static void opregion_patch(u8 *copy, const struct igd_layout *l)
{
	u64 rvda = l->vbt_size ? l->size : l->vbt - l->base;

	if (!l->vbt)
		return;
	put_unaligned_le64(rvda, copy + OPREGION_RVDA);
	if (l->version == VERSION_2_0)
		put_unaligned_le16(VERSION_2_1, copy + OPREGION_VERSION);
}

static u8 *opregion_copy(const struct igd_layout *l)
{
	u8 *copy = kvmalloc(l->size + l->vbt_size, GFP_KERNEL_ACCOUNT);
	int ret;

	if (!copy)
		return NULL;

	ret = phys_copy(copy, l->base, l->size);
	if (!ret && l->vbt_size)
		ret = phys_copy(copy + l->size, l->vbt, l->vbt_size);
	if (ret) {
		kvfree(copy);
		return NULL;
	}

	opregion_patch(copy, l);
	return copy;
}

static ssize_t opregion_rw(struct vfio_pci_core_device *vdev, char __user *buf,
			   size_t count, loff_t *ppos, bool iswrite)
{
	struct vfio_pci_region *region;
	loff_t pos = *ppos & VFIO_PCI_OFFSET_MASK;
	ssize_t ret;

	region = vfio_pci_region_at(vdev, VFIO_PCI_OFFSET_TO_INDEX(*ppos));
	if (iswrite || pos >= region->size)
		return vfio_pci_malformed(vdev, "OpRegion: write, or past its end");

	ret = simple_read_from_buffer(buf, count, &pos, region->data,
				      region->size);
	if (ret > 0)
		*ppos += ret;
	return ret;
}

static void opregion_release(struct vfio_pci_core_device *vdev,
			     struct vfio_pci_region *region)
{
	kvfree(region->data);
}

static const struct vfio_pci_regops opregion_ops = {
	.rw = opregion_rw,
	.release = opregion_release,
};

/* One aligned access; returns its bytes or -errno */
static int peer_read(struct pci_dev *peer, unsigned int pos, u8 *to, size_t len)
{
	u32 dword;
	u16 word;
	int ret;

	if (!(pos & 3) && len >= sizeof(dword)) {
		ret = pci_user_read_config_dword(peer, pos, &dword);
		put_unaligned_le32(dword, to);
		return ret ?: (int)sizeof(dword);
	}
	if (!(pos & 1) && len >= sizeof(word)) {
		ret = pci_user_read_config_word(peer, pos, &word);
		put_unaligned_le16(word, to);
		return ret ?: (int)sizeof(word);
	}
	ret = pci_user_read_config_byte(peer, pos, to);
	return ret ?: 1;
}

static ssize_t peer_rw(struct vfio_pci_core_device *vdev, char __user *buf,
		       size_t count, loff_t *ppos, bool iswrite)
{
	u64 pos = *ppos & VFIO_PCI_OFFSET_MASK;
	struct vfio_pci_region *region;
	size_t done = 0;
	int ret = 0;

	region = vfio_pci_region_at(vdev, VFIO_PCI_OFFSET_TO_INDEX(*ppos));
	if (iswrite || pos >= region->size)
		return vfio_pci_malformed(vdev, "bridge: write, or past its end");

	count = min_t(u64, count, region->size - pos);
	while (done < count) {
		u8 bytes[sizeof(u32)];

		ret = peer_read(region->data, pos + done, bytes, count - done);
		if (ret > 0 && copy_to_user(buf + done, bytes, ret))
			ret = -EFAULT;
		if (ret < 0)
			break;
		done += ret;
	}
	*ppos += done;
	return done ?: ret;
}

static void peer_release(struct vfio_pci_core_device *vdev,
			 struct vfio_pci_region *region)
{
	pci_dev_put(region->data);
}

static const struct vfio_pci_regops peer_ops = {
	.rw = peer_rw,
	.release = peer_release,
};

static int opregion_prepare(struct vfio_pci_core_device *vdev, u32 asls,
			    struct vfio_pci_region *region)
{
	struct igd_layout layout;
	int ret;

	ret = layout_probe(vdev, asls, &layout);
	if (ret)
		return ret;

	region->data = opregion_copy(&layout);
	region->size = layout.size + layout.vbt_size;
	return region->data ? 0 : -ENOMEM;
}

static int peer_prepare(struct vfio_pci_core_device *vdev, unsigned int devfn,
			unsigned int class, struct vfio_pci_region *region)
{
	struct pci_dev *peer;

	peer = pci_get_domain_bus_and_slot(pci_domain_nr(vdev->pdev->bus), 0,
					   devfn);
	if (!peer || peer->vendor != PCI_VENDOR_ID_INTEL ||
	    peer->class >> 8 != class) {
		pci_dev_put(peer);
		return vfio_pci_refuse(vdev, -ENODEV,
				       "there is no Intel bridge at 00:%02x.%x",
				       PCI_SLOT(devfn), PCI_FUNC(devfn));
	}

	region->data = peer;
	region->size = peer->cfg_size;
	return 0;
}

/* Hands @regions over; on failure nothing was added and they are released */
static int regions_add(struct vfio_pci_core_device *vdev,
		       struct vfio_pci_region *regions, unsigned int nr)
{
	unsigned int before = vdev->priv->num_regions;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < nr; i++) {
		const struct vfio_pci_region *r = &regions[i];

		ret = vfio_pci_core_register_dev_region(vdev, r->type,
							r->subtype, r->ops,
							r->size, r->flags,
							r->data);
		if (ret)
			break;
	}
	if (!ret)
		return 0;

	vfio_pci_regions_trim(vdev, before);
	for (; i < nr; i++)
		regions[i].ops->release(vdev, &regions[i]);
	return ret;
}

#define IGD_REGION(sub, regops)	{					\
	.type = VFIO_REGION_TYPE_PCI_VENDOR_TYPE | PCI_VENDOR_ID_INTEL,	\
	.subtype = VFIO_REGION_SUBTYPE_INTEL_IGD_##sub,			\
	.flags = VFIO_REGION_INFO_FLAG_READ,				\
	.ops = regops,							\
}

static int igd_regions_add(struct vfio_pci_core_device *vdev, u32 asls)
{
	struct vfio_pci_region regions[] = {
		IGD_REGION(OPREGION, &opregion_ops),
		IGD_REGION(HOST_CFG, &peer_ops),
		IGD_REGION(LPC_CFG, &peer_ops),
	};
	int ret;

	ret = opregion_prepare(vdev, asls, &regions[0]);
	if (ret)
		return ret;
	ret = peer_prepare(vdev, PCI_DEVFN(0, 0), PCI_CLASS_BRIDGE_HOST,
			   &regions[1]);
	if (ret)
		goto err_opregion;
	ret = peer_prepare(vdev, PCI_DEVFN(0x1f, 0), PCI_CLASS_BRIDGE_ISA,
			   &regions[2]);
	if (ret)
		goto err_host;

	return regions_add(vdev, regions, ARRAY_SIZE(regions));

err_host:
	peer_release(vdev, &regions[1]);
err_opregion:
	opregion_release(vdev, &regions[0]);
	return ret;
}

/**
 * vfio_pci_core_igd_enable() - offer what drivers of Intel graphics need
 * @vdev: device, between vfio_pci_core_enable() and
 *	vfio_pci_core_finish_enable()
 *
 * Adds three read-only regions, or none: a copy of the OpRegion, the host
 * bridge's and the LPC bridge's config space.
 *
 * Config register 0xfc, which points to the OpRegion, becomes virtual, so that
 * whoever gives a guest its own copy can write that copy's address there. It
 * does so even if there are no regions: the address in hardware is the
 * firmware's, and the next open copies what it points to.
 *
 * May be called for any device. -ENODEV says that there is nothing to offer,
 * and is no reason to refuse to open the device.
 *
 * Context: process context, dev_set->lock held, as it is in .open_device.
 * Return: 0; -ENODEV if this is no Intel display controller, the firmware left
 * no OpRegion, or the bridges are not there; -EINVAL if the OpRegion is
 * malformed or the call comes at another time; -ENOSPC if there are too many
 * regions; -ENOMEM.
 */
int vfio_pci_core_igd_enable(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	u32 asls = 0;
	int ret;

	if (pdev->vendor != PCI_VENDOR_ID_INTEL || !pci_is_display(pdev))
		return -ENODEV;

	ret = vfio_pci_cfg_virtualize(vdev, IGD_ASLS, sizeof(asls));
	if (ret)
		return ret;
	pci_read_config_dword(pdev, IGD_ASLS, &asls);
	if (!asls || PCI_POSSIBLE_ERROR(asls))
		return -ENODEV;

	return igd_regions_add(vdev, asls);
}
EXPORT_SYMBOL_GPL(vfio_pci_core_igd_enable);
