/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a model of a device, compiled outside of QEMU and preloaded into it, needs
 * besides QEMU's own headers. Include it first.
 */
#ifndef LAB_MODEL_H
#define LAB_MODEL_H

#include "qemu/osdep.h"
#include "hw/pci/pci_device.h"
#include "hw/qdev-properties.h"
#include "qemu/error-report.h"
#include "qemu/module.h"
#include "qom/object.h"

/* Where these headers believe that properties of a PCI device are kept. */
static const struct {
	const char *name;
	ptrdiff_t offset;
} model_offsets[] = {
	{ "addr", offsetof(PCIDevice, devfn) },
	{ "rombar", offsetof(PCIDevice, rom_bar) },
	{ "failover_pair_id", offsetof(PCIDevice, failover_pair_id) },
	{ "acpi-index", offsetof(PCIDevice, acpi_index) },
	{ "x-max-bounce-buffer-size", offsetof(PCIDevice, max_bounce_buffer_size) },
};

static ptrdiff_t model_offset_in_qemu(const DeviceClass *parent, const char *name)
{
	int i;

	for (i = 0; i < parent->props_count_; i++) {
		if (!strcmp(parent->props_[i].name, name))
			return parent->props_[i].offset;
	}
	return -1;
}

/*
 * Nothing but this tells headers of another version or configuration: they are
 * apart throughout struct PCIDevice. To be called by the class's initialiser.
 */
static void model_check(ObjectClass *class)
{
	const DeviceClass *parent = DEVICE_CLASS(object_class_get_parent(class));
	size_t i;

	for (i = 0; i < ARRAY_SIZE(model_offsets); i++) {
		if (model_offset_in_qemu(parent, model_offsets[i].name) ==
		    model_offsets[i].offset)
			continue;
		error_report("model: the headers are not this QEMU's ('%s' is elsewhere)",
			     model_offsets[i].name);
		exit(1);
	}
}

/* type_init() would wait for QEMU to ask for modules by name. */
#define MODEL_TYPE(info)						\
	static void info##_add(void)					\
	{								\
		type_register_static(&(info));				\
	}								\
	__attribute__((constructor)) static void info##_load(void)	\
	{								\
		register_module_init(info##_add, MODULE_INIT_QOM);	\
	}

#endif
