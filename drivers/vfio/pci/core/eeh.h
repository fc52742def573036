/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Extended error handling of IBM Power: while a device is assigned, errors of
 * its partitionable endpoint are for its user to recover from, not for us.
 */
#ifndef VFIO_PCI_EEH_H
#define VFIO_PCI_EEH_H

#include <linux/pci.h>

#ifdef CONFIG_EEH
#include <asm/eeh.h>

/* Without EEH for this function errors stay with the host, as before */
static inline void vfio_pci_eeh_open(struct pci_dev *pdev)
{
	if (eeh_dev_open(pdev))
		pci_dbg(pdev, "errors cannot be handed to the user\n");
}

static inline void vfio_pci_eeh_close(struct pci_dev *pdev)
{
	eeh_dev_release(pdev);
}
#else
static inline void vfio_pci_eeh_open(struct pci_dev *pdev)
{
}

static inline void vfio_pci_eeh_close(struct pci_dev *pdev)
{
}
#endif

#endif /* VFIO_PCI_EEH_H */
