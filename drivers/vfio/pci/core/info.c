// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a device tells about itself: VFIO_DEVICE_GET_INFO with its capability
 * chain, VFIO_DEVICE_GET_IRQ_INFO.
 */
#include <linux/nospec.h>
#include <linux/pci.h>
#include <linux/vfio.h>

#include "priv.h"

/* Widths of AtomicOps, as PCI Express names them and as VFIO does */
static const struct {
	u32	devcap2;
	u32	flag;
} atomic_widths[] = {
	{ PCI_EXP_DEVCAP2_ATOMIC_COMP32,	VFIO_PCI_ATOMIC_COMP32 },
	{ PCI_EXP_DEVCAP2_ATOMIC_COMP64,	VFIO_PCI_ATOMIC_COMP64 },
	{ PCI_EXP_DEVCAP2_ATOMIC_COMP128,	VFIO_PCI_ATOMIC_COMP128 },
};

/*
 * Which AtomicOps of the device does the root complex complete? The PCI core
 * answers that only together with setting AtomicOp Requester Enable, and
 * without that bit there is nothing to tell. So it is set when the device is
 * opened: to ask for information changes nothing, the answer stays the same
 * for as long as the device is open, and close puts the register back with the
 * rest of the saved state.
 *
 * A VF's enable bit is that of its PF (PCIe 6.0, 9.3.5.10), which the PF's
 * driver owns: it stays.
 */
void vfio_pci_info_open(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = pci_physfn(vdev->pdev);
	u32 devcap2 = 0;
	unsigned int i;

	vdev->priv->atomic_comp = 0;
	pcie_capability_read_dword(pdev, PCI_EXP_DEVCAP2, &devcap2);

	for (i = 0; i < ARRAY_SIZE(atomic_widths); i++) {
		if (!(devcap2 & atomic_widths[i].devcap2))
			continue;
		if (!pci_enable_atomic_ops_to_root(pdev, atomic_widths[i].devcap2))
			vdev->priv->atomic_comp |= atomic_widths[i].flag;
	}
}

static int add_atomic_cap(struct vfio_pci_core_device *vdev,
			  struct vfio_info_cap *caps)
{
	struct vfio_device_info_cap_pci_atomic_comp cap = {
		.header.id = VFIO_DEVICE_INFO_CAP_PCI_ATOMIC_COMP,
		.header.version = 1,
		.flags = vdev->priv->atomic_comp,
	};

	if (!cap.flags)
		return 0;
	return vfio_info_add_capability(caps, &cap.header, sizeof(cap));
}

/* The caller frees @caps, whatever is returned */
int vfio_pci_info_device(struct vfio_pci_core_device *vdev,
			 struct vfio_device_info *info,
			 struct vfio_info_cap *caps)
{
	struct vfio_pci_core_priv *priv = vdev->priv;
	int ret;

	info->flags = VFIO_DEVICE_FLAGS_PCI;
	if (priv->reset_works)
		info->flags |= VFIO_DEVICE_FLAGS_RESET;
	info->num_regions = VFIO_PCI_NUM_REGIONS + priv->num_regions;
	info->num_irqs = VFIO_PCI_NUM_IRQS;

	ret = vfio_pci_info_zdev_add_caps(vdev, caps);
	if (ret)
		return ret;
	return add_atomic_cap(vdev, caps);
}

/*
 * Vectors of MSI are taken in one go. Those of MSI-X too, unless the interrupt
 * controller can add to them: has_dyn_msix. ERR and REQ have but one.
 */
static const u32 irq_flags[VFIO_PCI_NUM_IRQS] = {
	[VFIO_PCI_INTX_IRQ_INDEX] = VFIO_IRQ_INFO_EVENTFD |
				    VFIO_IRQ_INFO_MASKABLE |
				    VFIO_IRQ_INFO_AUTOMASKED,
	[VFIO_PCI_MSI_IRQ_INDEX]  = VFIO_IRQ_INFO_EVENTFD |
				    VFIO_IRQ_INFO_NORESIZE,
	[VFIO_PCI_MSIX_IRQ_INDEX] = VFIO_IRQ_INFO_EVENTFD |
				    VFIO_IRQ_INFO_NORESIZE,
	[VFIO_PCI_ERR_IRQ_INDEX]  = VFIO_IRQ_INFO_EVENTFD |
				    VFIO_IRQ_INFO_NORESIZE,
	[VFIO_PCI_REQ_IRQ_INDEX]  = VFIO_IRQ_INFO_EVENTFD |
				    VFIO_IRQ_INFO_NORESIZE,
};

int vfio_pci_info_irq(struct vfio_pci_core_device *vdev,
		      struct vfio_irq_info *info)
{
	unsigned int index = info->index;

	if (index >= VFIO_PCI_NUM_IRQS)
		return vfio_pci_malformed(vdev, "interrupt index %u does not exist",
					  index);
	index = array_index_nospec(index, VFIO_PCI_NUM_IRQS);

	if (index == VFIO_PCI_ERR_IRQ_INDEX && !pci_is_pcie(vdev->pdev))
		return vfio_pci_malformed(vdev, "no error interrupt: not PCI Express");

	info->flags = irq_flags[index];
	if (index == VFIO_PCI_MSIX_IRQ_INDEX && vdev->priv->has_dyn_msix)
		info->flags &= ~VFIO_IRQ_INFO_NORESIZE;
	info->count = vfio_pci_irq_count(vdev, index);
	return 0;
}
