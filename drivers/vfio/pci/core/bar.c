// SPDX-License-Identifier: GPL-2.0-only
/*
 * Claiming, mapping and accessing BARs and the expansion ROM.
 *
 * A BAR is claimed and mapped when it is first touched, by whatever touches it:
 * read, write, mmap, ioeventfd or a thin driver. bar_lock makes one of them do
 * it; barmap[] is published when all of it has worked and is then read without
 * a lock until the device closes.
 *
 * The ROM stays mapped once its image was found, but decodes only while
 * somebody reads it: a device may share one address decoder between its ROM and
 * its BARs (PCI 3.0, 6.2.5.2), and would hide a BAR from its user.
 */
#include <linux/io.h>
#include <linux/log2.h>
#include <linux/nospec.h>
#include <linux/slab.h>

#include "priv.h"

/* Shown in /proc/iomem; administrators and scripts look for it */
#define CLAIM_NAME	"vfio"

static bool bar_present(struct pci_dev *pdev, unsigned int bar)
{
	return pci_resource_len(pdev, bar) && pci_resource_start(pdev, bar) &&
	       !(pci_resource_flags(pdev, bar) & IORESOURCE_UNSET);
}

static int bar_claim(struct vfio_pci_core_device *vdev, unsigned int bar)
{
	struct pci_dev *pdev = vdev->pdev;
	void __iomem *io;
	int ret;

	lockdep_assert_held(&vdev->priv->bar_lock);

	if (vdev->barmap[bar])
		return 0;

	ret = pci_request_selected_regions(pdev, BIT(bar), CLAIM_NAME);
	if (ret)
		return vfio_pci_refuse(vdev, -EBUSY,
				       "BAR%u is in use by somebody else, a framebuffer perhaps: see /proc/iomem",
				       bar);

	io = pci_iomap(pdev, bar, 0);
	if (!io) {
		pci_release_selected_regions(pdev, BIT(bar));
		return vfio_pci_refuse(vdev, -ENOMEM, "BAR%u cannot be mapped",
				       bar);
	}

	/* Pairs with setup_barmap(): who sees the mapping may use it */
	smp_store_release(&vdev->barmap[bar], io);
	return 0;
}

/**
 * vfio_pci_core_setup_barmap() - claim a BAR and map it for the kernel
 * @vdev: device, open
 * @bar: BAR number, 0 to 5
 *
 * Does nothing if that was done since the device was opened. Any number of
 * callers may race. A failure leaves nothing behind and may be retried.
 *
 * Context: process context, no memory_lock held; sleeps.
 * Return: 0; -EINVAL if the device has no such BAR or it has no address; -EBUSY
 * if another driver holds the addresses; -ENOMEM if they cannot be mapped.
 */
int vfio_pci_core_setup_barmap(struct vfio_pci_core_device *vdev, int bar)
{
	unsigned int index = bar;

	if (index >= PCI_STD_NUM_BARS)
		return -EINVAL;
	index = array_index_nospec(index, PCI_STD_NUM_BARS);

	/* Pairs with bar_claim() */
	if (smp_load_acquire(&vdev->barmap[index]))
		return 0;
	if (!bar_present(vdev->pdev, index))
		return -EINVAL;

	guard(mutex)(&vdev->priv->bar_lock);
	return bar_claim(vdev, index);
}
EXPORT_SYMBOL_GPL(vfio_pci_core_setup_barmap);

/**
 * vfio_pci_core_get_iomap() - the kernel's mapping of a BAR
 * @vdev: device, open
 * @bar: BAR number, 0 to 5
 *
 * Claims and maps the BAR if nobody did yet. The mapping is valid until the
 * device closes. Access through it needs vfio_pci_core_ioread32() and the like
 * or memory_lock, as the user may turn memory off.
 *
 * Context: process context, no memory_lock held; sleeps.
 * Return: the mapping, or an ERR_PTR of what vfio_pci_core_setup_barmap()
 * failed with: -EINVAL, -EBUSY or -ENOMEM.
 */
void __iomem *vfio_pci_core_get_iomap(struct vfio_pci_core_device *vdev,
				      unsigned int bar)
{
	int ret = vfio_pci_core_setup_barmap(vdev, bar);

	if (ret)
		return IOMEM_ERR_PTR(ret);
	return vdev->barmap[array_index_nospec(bar, PCI_STD_NUM_BARS)];
}
EXPORT_SYMBOL_GPL(vfio_pci_core_get_iomap);

/*
 * A BAR smaller than a page can be mapped if it has the page for itself: what
 * follows it on the page is reserved, so that no hot-plugged device gets it.
 */
static bool page_reserve(struct vfio_pci_core_device *vdev, unsigned int bar)
{
	struct resource *res = &vdev->pdev->resource[bar];
	struct resource *rest;

	if (!PAGE_ALIGNED(res->start) || !res->parent)
		return false;

	rest = kzalloc(sizeof(*rest), GFP_KERNEL_ACCOUNT);
	if (!rest)
		return false;

	rest->name = "vfio sub-page remainder";
	rest->start = res->end + 1;
	rest->end = res->start + PAGE_SIZE - 1;
	rest->flags = res->flags;
	if (request_resource(res->parent, rest)) {
		kfree(rest);
		return false;
	}

	vdev->priv->bar_dummy[bar] = rest;
	return true;
}

static bool bar_mappable(struct vfio_pci_core_device *vdev, unsigned int bar)
{
	struct pci_dev *pdev = vdev->pdev;

	if (!bar_present(pdev, bar) ||
	    !(pci_resource_flags(pdev, bar) & IORESOURCE_MEM))
		return false;
	if (pci_resource_len(pdev, bar) >= PAGE_SIZE)
		return true;
	return page_reserve(vdev, bar);
}

/* The last thing before user space may look: what it sees is settled now */
void vfio_pci_bars_probe_mmap(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_core_priv *priv = vdev->priv;
	unsigned int bar;

	if (!vfio_pci_mmap_allowed(vdev->pdev))
		return;
	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++)
		priv->bar_mmap[bar] = bar_mappable(vdev, bar);
}

static void bar_close(struct vfio_pci_core_device *vdev, unsigned int bar)
{
	struct vfio_pci_core_priv *priv = vdev->priv;

	priv->bar_mmap[bar] = false;
	if (priv->bar_dummy[bar]) {
		release_resource(priv->bar_dummy[bar]);
		kfree(priv->bar_dummy[bar]);
		priv->bar_dummy[bar] = NULL;
	}
	if (vdev->barmap[bar]) {
		pci_iounmap(vdev->pdev, vdev->barmap[bar]);
		pci_release_selected_regions(vdev->pdev, BIT(bar));
		vdev->barmap[bar] = NULL;
	}
}

static void rom_close(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_core_priv *priv = vdev->priv;

	if (!priv->rom)
		return;
	if (priv->rom_is_bar)
		pci_unmap_rom(vdev->pdev, priv->rom);
	else
		iounmap(priv->rom);
	priv->rom = NULL;
}

/* Nobody uses the device any more: there is no one to lock out */
void vfio_pci_bars_close(struct vfio_pci_core_device *vdev)
{
	unsigned int bar;

	rom_close(vdev);
	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++)
		bar_close(vdev, bar);
}

ssize_t vfio_pci_bar_rw(struct vfio_pci_core_device *vdev, char __user *buf,
			size_t count, loff_t *ppos, bool iswrite)
{
	unsigned int bar = VFIO_PCI_OFFSET_TO_INDEX(*ppos);
	struct vfio_pci_core_priv *priv = vdev->priv;
	u64 pos = *ppos & VFIO_PCI_OFFSET_MASK;
	size_t hole = 0, hole_end = 0;
	resource_size_t size;
	ssize_t ret;

	bar = array_index_nospec(bar, PCI_STD_NUM_BARS);
	size = pci_resource_len(vdev->pdev, bar);

	if (pos >= size)
		return vfio_pci_malformed(vdev, "access past the end of BAR%u",
					  bar);
	ret = vfio_pci_core_setup_barmap(vdev, bar);
	if (ret)
		return ret;

	/* The kernel programs the vectors; the pending bits stay readable */
	if (bar == priv->msix_bar) {
		hole = priv->msix_offset;
		hole_end = hole + priv->msix_size;
	}

	ret = vfio_pci_core_do_io_rw(vdev,
				     pci_resource_flags(vdev->pdev, bar) & IORESOURCE_MEM,
				     vdev->barmap[bar], buf, pos,
				     min_t(u64, count, size - pos), hole,
				     hole_end, iswrite, VFIO_PCI_IO_WIDTH_8);
	if (ret > 0)
		*ppos += ret;
	return ret;
}

/* A failure is not remembered: the device may not have woken up */
static void rom_map(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_core_priv *priv = vdev->priv;
	struct pci_dev *pdev = vdev->pdev;

	lockdep_assert_held(&priv->bar_lock);

	if (priv->rom)
		return;

	priv->rom_is_bar = pci_resource_len(pdev, PCI_ROM_RESOURCE);
	priv->rom_toggles = priv->rom_is_bar &&
			    !(pci_resource_flags(pdev, PCI_ROM_RESOURCE) &
			      (IORESOURCE_ROM_ENABLE | IORESOURCE_ROM_SHADOW));
	if (priv->rom_is_bar) {
		/* Reads the image's headers, to tell its size */
		guard(vfio_pci_decode)(vdev);
		if (!vfio_pci_answers(pdev))
			return;
		priv->rom = pci_map_rom(pdev, &priv->rom_image);
		if (priv->rom && priv->rom_toggles)
			pci_disable_rom(pdev);
	} else if (pdev->rom && pdev->romlen) {
		priv->rom = ioremap(pdev->rom, pdev->romlen);
		priv->rom_image = pdev->romlen;
	}
}

/* Size of the ROM's region, 0 if there is no image in it */
size_t vfio_pci_rom_size(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_core_priv *priv = vdev->priv;

	guard(mutex)(&priv->bar_lock);
	rom_map(vdev);
	if (!priv->rom)
		return 0;
	if (priv->rom_is_bar)
		return pci_resource_len(vdev->pdev, PCI_ROM_RESOURCE);
	return roundup_pow_of_two(priv->rom_image);
}

/* memory_lock keeps a reset from saving or restoring half of it */
static void rom_get(struct vfio_pci_core_device *vdev)
{
	guard(mutex)(&vdev->priv->bar_lock);
	guard(rwsem_read)(&vdev->memory_lock);
	if (!vdev->priv->rom_users++ && vdev->priv->rom_toggles)
		pci_enable_rom(vdev->pdev);
}

static void rom_put(struct vfio_pci_core_device *vdev)
{
	guard(mutex)(&vdev->priv->bar_lock);
	guard(rwsem_read)(&vdev->memory_lock);
	if (!--vdev->priv->rom_users && vdev->priv->rom_toggles)
		pci_disable_rom(vdev->pdev);
}

ssize_t vfio_pci_rom_rw(struct vfio_pci_core_device *vdev, char __user *buf,
			size_t count, loff_t *ppos, bool iswrite)
{
	struct vfio_pci_core_priv *priv = vdev->priv;
	u64 pos = *ppos & VFIO_PCI_OFFSET_MASK;
	size_t size;
	ssize_t ret;

	if (iswrite)
		return vfio_pci_refuse(vdev, -EINVAL, "the ROM is read-only");
	size = vfio_pci_rom_size(vdev);
	if (pos >= size)
		return vfio_pci_malformed(vdev, size ?
					  "access past the end of the ROM" :
					  "there is no image in the ROM");

	/* Not 8 bytes: there are devices whose ROM answers those wrongly */
	rom_get(vdev);
	ret = vfio_pci_core_do_io_rw(vdev, priv->rom_is_bar, priv->rom, buf,
				     pos, min_t(u64, count, size - pos),
				     priv->rom_image, size, false,
				     VFIO_PCI_IO_WIDTH_4);
	rom_put(vdev);
	if (ret > 0)
		*ppos += ret;
	return ret;
}
