// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine that most tests begin with.
 */
#include <stdlib.h>
#include <string.h>

#include "tree.h"

#define MODULE(name, ...)	tree_module(name, (const char * const[]){ __VA_ARGS__, NULL })

const struct spec machine[] = {
	{ "0000:00:00.0", 0x8086, 0x29c0, 0x060000, NULL, NULL, 0 },
	{ "0000:00:01.0", 0x8086, 0x3420, 0x060400, "pcieport", "pcieport", 1, .header = 1 },
	{ "0000:01:00.0", 0x8086, 0x10d3, 0x020000, "e1000e", "e1000e", 2 },
	{ "0000:02:00.0", 0x15b3, 0x101e, 0x020000, "mlx5_core", "mlx5_core", 3 },
	{ "0000:03:00.0", 0x1b36, 0x0010, 0x010802, "nvme", "nvme", 4 },
	/* A bridge is in the same group, as without ACS. */
	{ "0000:00:02.0", 0x8086, 0x3421, 0x060400, "pcieport", "pcieport", 5, .header = 1 },
	{ "0000:04:00.0", 0x10de, 0x2342, 0x030000, "nouveau", "nouveau", 5 },
	{ "0000:04:00.1", 0x10de, 0x10f0, 0x040300, "snd_hda_intel", "snd_hda_intel", 5 },
	{ "0000:05:00.0", 0x8086, 0x10c9, 0x020000, "igb", "igb", 6, .max_vfs = 7 },
	{ "0000:06:00.0", 0x1234, 0x11e8, 0x00ff00, NULL, NULL, -1 },
	/* Behind a VMD: the same address but for the domain. */
	{ "10000:01:00.0", 0x8086, 0x10d3, 0x020000, "e1000e", NULL, 7 },
};

const size_t machine_size = ARRAY_SIZE(machine);

static void modules(void)
{
	MODULE("vfio_pci", "name=vfio_pci", "alias=vfio_pci:v*d*sv*sd*bc*sc*i*",
	       "srcversion=AAAA", "version=1.0");
	MODULE("vfio_pci_core", "name=vfio_pci_core", "srcversion=CCCC", "version=1.0");
	MODULE("mlx5_vfio_pci", "name=mlx5_vfio_pci",
	       "alias=vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i*");
	/* Its driver's name has nothing to do with its own. */
	MODULE("nvgrace_gpu_vfio_pci", "name=nvgrace_gpu_vfio_pci",
	       "alias=vfio_pci:v000010DEd00002342sv*sd*bc*sc*i*");
	MODULE("e1000e", "name=e1000e", "alias=pci:v00008086d000010D3sv*sd*bc*sc*i*");
	tree_depmod();
}

static void drivers(void)
{
	static const char * const hosts[] = {
		"e1000e", "mlx5_core", "nvme", "nouveau", "snd_hda_intel", "igb",
	};
	size_t i;

	tree_driver("pcieport", NULL);
	for (i = 0; i < ARRAY_SIZE(hosts); i++)
		tree_driver(hosts[i], hosts[i]);
}

int machine_setup(void **state)
{
	size_t i;

	(void)state;
	tree_open();
	tree_file("/sys/bus/pci/drivers_probe", "%s", "");
	tree_folder("/sys/class/iommu/dmar0");
	tree_folder("/proc");
	tree_file("/dev/kmsg", "4,1,1,-;something else\n");
	tree_file("/proc/self/mountinfo", "%s", "");
	tree_file("/usr/share/misc/pci.ids", "8086  Intel Corporation\n\t10d3  82574L\n");
	drivers();
	for (i = 0; i < machine_size; i++)
		tree_device(&machine[i]);
	modules();
	fake_start();
	return 0;
}

int machine_teardown(void **state)
{
	(void)state;
	tree_close();
	return 0;
}

static void print_state(char *text, size_t size)
{
	struct devices devices;
	size_t i;

	root_set(tree_path(""));
	assert_int_equal(devices_read(&devices), 0);
	text[0] = '\0';
	for (i = 0; i < devices.nr; i++)
		append_to(text, size, "%s %s (%s)\n", devices.v[i].bdf, devices.v[i].driver,
			  devices.v[i].override);
	devices_free(&devices);
}

static char remembered[8192];

void machine_remember(void)
{
	print_state(remembered, sizeof(remembered));
}

void machine_unchanged(void)
{
	char now[sizeof(remembered)];

	print_state(now, sizeof(now));
	assert_string_equal(now, remembered);
}
