// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of classes and devices, from the database of libpci.
 */
#include <pci/pci.h>
#include <stdlib.h>
#include <string.h>

#include "vfioctl.h"

static struct pci_access *access_to_names;

/* libpci wants these even where nothing but names is asked for. */
static void report(char *format, ...)
{
	va_list args;

	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

static _Noreturn void give_up(char *format, ...)
{
	complain("libpci: %s", format);
	exit(EXIT_FAILED);
}

static void ignore(char *format, ...)
{
	(void)format;
}

void names_open(void)
{
	char path[PATH_MAX];

	access_to_names = pci_alloc();
	access_to_names->error = give_up;
	access_to_names->warning = report;
	access_to_names->debug = ignore;
	if (!root()[0])
		return;
	print_to(path, sizeof(path), "%s%s", root(), PCI_PATH_IDS_DIR "/pci.ids");
	pci_set_name_list_path(access_to_names, strdup(path), 1);
	/* udev's database is that of the machine, not of what is below the root. */
	pci_set_param(access_to_names, "hwdb.disable", "1");
}

void names_close(void)
{
	if (access_to_names)
		pci_cleanup(access_to_names);
	access_to_names = NULL;
}

/* In static memory, until somebody asks for another. */
const char *name_of_class(const struct device *dev)
{
	static char name[NAME_LEN];

	return pci_lookup_name(access_to_names, name, sizeof(name), PCI_LOOKUP_CLASS,
			       dev->class >> 8);
}

const char *name_of_device(const struct device *dev)
{
	static char name[NAME_LEN];

	return pci_lookup_name(access_to_names, name, sizeof(name),
			       PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE, dev->vendor, dev->device);
}
