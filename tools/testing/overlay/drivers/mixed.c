// SPDX-License-Identifier: GPL-2.0-only
/*
 * The same device by several entries, of which only the last is an ordinary one.
 */
#include "driver.h"

static const struct pci_device_id table[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(0x1b36, 0x0005), .driver_data = 1 },
	{ PCI_DEVICE_DRIVER_OVERRIDE(0x1b36, 0x0005, 7), .driver_data = 2 },
	{ PCI_DEVICE(0x1b36, 0x0005), .driver_data = 3 },
	{ }
};
MODULE_DEVICE_TABLE(pci, table);

LAB_DRIVER("lab-mixed");
