/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * All of a driver but its table, which comes before LAB_DRIVER().
 */
#ifndef LAB_DRIVER_H
#define LAB_DRIVER_H

#include <linux/module.h>
#include <linux/pci.h>

#define LAB_DRIVER(driver_name)						\
	static struct pci_driver lab_driver = {			\
		.name = driver_name,					\
		.id_table = table,					\
		.probe = probe,						\
	};								\
	module_pci_driver(lab_driver);				\
	MODULE_DESCRIPTION("Takes a device of the lab, does nothing");	\
	MODULE_LICENSE("GPL")

static unsigned long matched;
module_param(matched, ulong, 0444);
MODULE_PARM_DESC(matched, "driver_data of the entry by which the last device came");

static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	matched = id->driver_data;
	return 0;
}

#endif /* LAB_DRIVER_H */
