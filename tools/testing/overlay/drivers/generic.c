// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stands in for the VFIO driver of any device.
 */
#include "driver.h"

static const struct pci_device_id table[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(PCI_ANY_ID, PCI_ANY_ID) },
	{ }
};
MODULE_DEVICE_TABLE(pci, table);

LAB_DRIVER("lab-generic");
