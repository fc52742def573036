// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VGA controller: taking it over from the firmware's framebuffer, and its
 * place in the VGA arbiter.
 *
 * All VGA controllers of a machine answer to the same legacy addresses; bridges
 * decide who hears of an access. The arbiter asks each driver what its device
 * decodes. A device that offers no legacy ranges to its user stays out of the
 * arbitration if it alone hangs below its bridge: the bridge then keeps the
 * accesses away. If it has a sibling there, it hears what is meant for that.
 */
#include <linux/aperture.h>
#include <linux/vgaarb.h>

#include "priv.h"

#define VGA_DECODES_NORMAL	(VGA_RSRC_NORMAL_IO | VGA_RSRC_NORMAL_MEM)
#define VGA_DECODES_ALL		(VGA_DECODES_NORMAL | VGA_RSRC_LEGACY_MASK)

static bool is_below(const struct pci_dev *pdev, const struct pci_bus *top)
{
	const struct pci_bus *bus;

	for (bus = pdev->bus; bus; bus = bus->parent)
		if (bus == top)
			return true;
	return false;
}

/* In the arbiter's callback, hence under a spinlock */
static bool has_vga_sibling(const struct pci_dev *pdev)
{
	struct pci_dev *other = NULL;

	while ((other = pci_get_base_class(PCI_BASE_CLASS_DISPLAY, other))) {
		if (other == pdev || !vfio_pci_is_vga(other) ||
		    !is_below(other, pdev->bus))
			continue;
		pci_dev_put(other);
		return true;
	}
	return false;
}

/* @sole: there is no other VGA controller in the machine */
static unsigned int vga_decodes(struct pci_dev *pdev, bool sole)
{
	struct vfio_pci_core_device *vdev = pci_get_drvdata(pdev);

	if (sole || vfio_pci_vga_offered(vdev) || has_vga_sibling(pdev))
		return VGA_DECODES_ALL;
	return VGA_DECODES_NORMAL;
}

/*
 * Does nothing for other classes of device. Must be undone: the arbiter keeps a
 * pointer to code of this module, and asks it about the driver data.
 */
int vfio_pci_vga_register(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	int ret;

	if (!vfio_pci_is_vga(pdev))
		return 0;

	ret = aperture_remove_conflicting_pci_devices(pdev, vdev->vdev.ops->name);
	if (ret)
		return vfio_pci_refuse(vdev, ret,
				       "the framebuffer on this device does not go away");

	ret = vga_client_register(pdev, vga_decodes);
	if (ret)
		return vfio_pci_refuse(vdev, ret,
				       "the VGA arbiter does not know this device");

	vga_set_legacy_decoding(pdev, vga_decodes(pdev, false));
	vdev->priv->vga_registered = true;
	return 0;
}

void vfio_pci_vga_unregister(struct vfio_pci_core_device *vdev)
{
	if (!vdev->priv->vga_registered)
		return;

	vdev->priv->vga_registered = false;
	vga_client_unregister(vdev->pdev);
	vga_set_legacy_decoding(vdev->pdev, VGA_DECODES_ALL);
}
