// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stands in for the VFIO driver of one device.
 */
#include "driver.h"

static const struct pci_device_id table[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(0x1234, 0x11e8) },
	{ }
};
MODULE_DEVICE_TABLE(pci, table);

LAB_DRIVER("lab-vendor");
