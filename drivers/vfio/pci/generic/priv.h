/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of vfio_pci.ko share.
 */
#ifndef VFIO_PCI_GENERIC_PRIV_H
#define VFIO_PCI_GENERIC_PRIV_H

#include <linux/pci.h>

/* ids.c: which functions the driver takes */
extern const struct pci_device_id vfio_pci_table[];
void vfio_pci_ids_add(struct pci_driver *drv);
bool vfio_pci_ids_denied(struct pci_dev *pdev);

#endif /* VFIO_PCI_GENERIC_PRIV_H */
