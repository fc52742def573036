// SPDX-License-Identifier: GPL-2.0-only
/*
 * The owner of memory_lock: is device memory there, and who may look.
 *
 * Whoever touches device memory holds the lock for reading and finds memory
 * enabled. Whoever is about to make it vanish (decode off, reset, low power)
 * holds it for writing and has taken every user mapping away: a touch then
 * faults, and the fault handler waits for the lock. Nothing is mapped back by
 * hand when the memory returns; the next touch does that.
 */
#include <linux/mm.h>
#include <linux/unaligned.h>

#include <trace/events/vfio_pci.h>

#include "priv.h"

/* Memory decode as the user believes it to be; memory_lock */
bool vfio_pci_memory_wanted(struct vfio_pci_core_device *vdev)
{
	return get_unaligned_le16(&vdev->priv->cfg.image[PCI_COMMAND]) &
	       PCI_COMMAND_MEMORY;
}

/**
 * __vfio_pci_memory_enabled() - would the device answer a memory access now
 * @vdev: device
 *
 * Goes by the memory enable bit that the user sees and by the power state. A
 * virtual function has no enable bit of its own (SR-IOV 1.1, 3.4.1.3): the PF's
 * VF MSE governs, so only the power state counts there.
 *
 * Context: the caller holds memory_lock, for reading or writing. May be called
 * in atomic context.
 * Return: true if the access would reach the device.
 */
bool __vfio_pci_memory_enabled(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;

	lockdep_assert_held(&vdev->memory_lock);

	if (!vfio_pci_answers(pdev))
		return false;
	return pdev->no_command_memory || vfio_pci_memory_wanted(vdev);
}
EXPORT_SYMBOL_GPL(__vfio_pci_memory_enabled);

/*
 * Works on the inode, not on lists of mappings: it reaches what fork(), mremap()
 * and other processes made of them, and takes no mmap_lock.
 */
void vfio_pci_memory_zap(struct vfio_pci_core_device *vdev)
{
	loff_t first = VFIO_PCI_INDEX_TO_OFFSET(VFIO_PCI_BAR0_REGION_INDEX);
	loff_t end = VFIO_PCI_INDEX_TO_OFFSET(VFIO_PCI_BAR5_REGION_INDEX + 1);

	lockdep_assert_held_write(&vdev->memory_lock);

	unmap_mapping_range(vdev->vdev.inode->i_mapping, first, end - first,
			    true);
	trace_vfio_pci_revoke(vdev->pdev);
}

void vfio_pci_memory_revoke(struct vfio_pci_core_device *vdev)
{
	down_write(&vdev->memory_lock);
	vfio_pci_memory_zap(vdev);
}

void vfio_pci_memory_restore(struct vfio_pci_core_device *vdev)
{
	trace_vfio_pci_restore(vdev->pdev);
	up_write(&vdev->memory_lock);
}
