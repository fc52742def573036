// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * As much of Intel graphics as a driver for any device sees of it: a display
 * controller whose config register 0xfc (ASLS) points to memory that the firmware
 * reserved.
 *
 * What the firmware left there is up to the guest's tests: BAR 0 is that same
 * memory, 1 MiB that lies at "low" and 1 MiB that lies at "high", beyond what
 * 32 bits can address.
 */
#include "model.h"
#include "exec/address-spaces.h"
#include "hw/i386/e820_memory_layout.h"
#include "hw/pci/pci.h"
#include "hw/pci/pcie.h"
#include "qapi/error.h"
#include "qemu/units.h"

#define TYPE_IGD	"lab-igd"
OBJECT_DECLARE_SIMPLE_TYPE(Igd, IGD)

#define ASLS		0xfc
#define EXPRESS_CAP	0x80
#define WINDOW		MiB

struct Igd {
	PCIDevice pci;
	MemoryRegion memory;
	MemoryRegion window[2];
	uint16_t class;
	uint32_t low;
	uint64_t high;
};

/* Part of the guest's memory that its kernel leaves alone. */
static void place(Igd *igd, unsigned int nr, hwaddr addr)
{
	memory_region_init_alias(&igd->window[nr], OBJECT(igd), "igd-window",
				 &igd->memory, nr * WINDOW, WINDOW);
	memory_region_add_subregion_overlap(get_system_memory(), addr,
					    &igd->window[nr], 1);
	e820_add_entry(addr, WINDOW, E820_RESERVED);
}

static void realize(PCIDevice *pci, Error **errp)
{
	Igd *igd = IGD(pci);

	pci_config_set_class(pci->config, igd->class);
	pci_set_long(pci->config + ASLS, igd->low);
	pci_set_long(pci->wmask + ASLS, UINT32_MAX);
	if (pcie_endpoint_cap_init(pci, EXPRESS_CAP) < 0) {
		error_setg(errp, "no room for the PCI Express capability");
		return;
	}
	pcie_cap_flr_init(pci);

	if (!memory_region_init_ram(&igd->memory, OBJECT(igd), "igd-memory",
				    2 * WINDOW, errp))
		return;
	place(igd, 0, igd->low);
	place(igd, 1, igd->high);
	pci_register_bar(pci, 0, PCI_BASE_ADDRESS_MEM_TYPE_64 |
			 PCI_BASE_ADDRESS_MEM_PREFETCH, &igd->memory);
}

static void config_write(PCIDevice *pci, uint32_t pos, uint32_t val, int len)
{
	pci_default_write_config(pci, pos, val, len);
	pcie_cap_flr_write_config(pci, pos, val, len);
}

static const Property properties[] = {
	DEFINE_PROP_UINT16("class", Igd, class, PCI_CLASS_DISPLAY_VGA),
	DEFINE_PROP_UINT32("low", Igd, low, 0),
	DEFINE_PROP_UINT64("high", Igd, high, 0),
};

static void class_init(ObjectClass *class, void *data)
{
	PCIDeviceClass *pci = PCI_DEVICE_CLASS(class);

	model_check(class);
	pci->realize = realize;
	pci->config_write = config_write;
	pci->vendor_id = PCI_VENDOR_ID_INTEL;
	pci->device_id = 0x1912;	/* HD Graphics 530 */
	pci->class_id = PCI_CLASS_DISPLAY_VGA;
	DEVICE_CLASS(class)->hotpluggable = false;
	device_class_set_props(DEVICE_CLASS(class), properties);
}

static const TypeInfo type = {
	.name = TYPE_IGD,
	.parent = TYPE_PCI_DEVICE,
	.instance_size = sizeof(Igd),
	.class_init = class_init,
	.interfaces = (InterfaceInfo[]) {
		{ INTERFACE_PCIE_DEVICE },
		{ }
	},
};

MODEL_TYPE(type)
