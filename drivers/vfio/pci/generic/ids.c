// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which functions vfio_pci takes: any, if driver_override names it; those that
 * the ids= parameter or new_id lists; but none of the denylist.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/string.h>

#include "priv.h"

static char ids[1024] __initdata;
module_param_string(ids, ids, sizeof(ids), 0);
MODULE_PARM_DESC(ids, "Functions to take besides those whose driver_override says so: vendor:device[:subvendor[:subdevice[:class[:class_mask]]]], hexadecimal, several separated by commas");

static bool disable_denylist;
module_param(disable_denylist, bool, 0444);
MODULE_PARM_DESC(disable_denylist, "Take functions that are known to be unsafe in the hands of a program that is not trusted (default: no)");

/* One wildcard, used only through driver_override: nothing is taken by itself */
const struct pci_device_id vfio_pci_table[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(PCI_ANY_ID, PCI_ANY_ID) },
	{ }
};
MODULE_DEVICE_TABLE(pci, vfio_pci_table);

static const struct pci_device_id denylist[] = {
	/*
	 * QuickAssist of these generations, PF and VF, was not built to stand
	 * requests from somebody hostile.
	 */
	{ PCI_VDEVICE(INTEL, PCI_DEVICE_ID_INTEL_QAT_C3XXX) },
	{ PCI_VDEVICE(INTEL, PCI_DEVICE_ID_INTEL_QAT_C3XXX_VF) },
	{ PCI_VDEVICE(INTEL, PCI_DEVICE_ID_INTEL_QAT_C62X) },
	{ PCI_VDEVICE(INTEL, PCI_DEVICE_ID_INTEL_QAT_C62X_VF) },
	{ PCI_VDEVICE(INTEL, PCI_DEVICE_ID_INTEL_QAT_DH895XCC) },
	{ PCI_VDEVICE(INTEL, PCI_DEVICE_ID_INTEL_QAT_DH895XCC_VF) },
	/*
	 * Data Streaming and In-Memory Analytics of Sapphire Rapids,
	 * CVE-2024-21823: safe for trusted submitters only.
	 */
	{ PCI_VDEVICE(INTEL, PCI_DEVICE_ID_INTEL_DSA_SPR0) },
	{ PCI_VDEVICE(INTEL, PCI_DEVICE_ID_INTEL_IAX_SPR0) },
	{ }
};

/* Says so if it is denied, or would have been */
bool vfio_pci_ids_denied(struct pci_dev *pdev)
{
	if (!pci_match_id(denylist, pdev))
		return false;

	if (disable_denylist)
		pci_warn(pdev, "on the denylist, which is disabled: safe only for a program that is trusted\n");
	else
		pci_warn(pdev, "refused: on the denylist, unsafe for a program that is not trusted; load vfio_pci with disable_denylist=1 to take it all the same\n");
	return !disable_denylist;
}

enum {
	ID_VENDOR,
	ID_DEVICE,
	ID_SUBVENDOR,
	ID_SUBDEVICE,
	ID_CLASS,
	ID_CLASS_MASK,
	ID_NR_FIELDS,
};

static int __init parse_id(char *text, unsigned int *field)
{
	unsigned int nr = 0;
	char *word;

	while ((word = strsep(&text, ":"))) {
		if (nr == ID_NR_FIELDS)
			return -EINVAL;
		if (kstrtouint(strim(word), 16, &field[nr++]))
			return -EINVAL;
	}
	return nr > ID_DEVICE ? 0 : -EINVAL;
}

static int __init add_id(struct pci_driver *drv, char *text)
{
	unsigned int field[ID_NR_FIELDS] = {
		[ID_SUBVENDOR] = PCI_ANY_ID,
		[ID_SUBDEVICE] = PCI_ANY_ID,
	};
	int ret;

	ret = parse_id(text, field);
	if (ret)
		return ret;
	return pci_add_dynid(drv, field[ID_VENDOR], field[ID_DEVICE],
			     field[ID_SUBVENDOR], field[ID_SUBDEVICE],
			     field[ID_CLASS], field[ID_CLASS_MASK], 0);
}

/* A bad entry costs that entry only: the machine may boot from the others */
void __init vfio_pci_ids_add(struct pci_driver *drv)
{
	char *rest = ids;
	char name[64];
	char *entry;
	int ret;

	while ((entry = strsep(&rest, ","))) {
		if (!*entry)
			continue;

		strscpy(name, entry);
		ret = add_id(drv, entry);
		if (ret)
			pr_warn("ids: '%s' left out (%d): expected vendor:device[:subvendor[:subdevice[:class[:class_mask]]]]\n",
				name, ret);
		else
			pr_info("ids: '%s' added\n", name);
	}
}
