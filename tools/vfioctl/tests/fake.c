// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's side: what happens when an attribute is written.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "tree.h"

struct fake fake;

/* What can be loaded, and the driver that it then registers. */
static const struct {
	const char *module;
	const char *driver;
} loadable[] = {
	{ "vfio_pci", "vfio-pci" },
	{ "mlx5_vfio_pci", "mlx5-vfio-pci" },
	{ "nvgrace_gpu_vfio_pci", "grace-vfio" },
	{ "e1000e", "e1000e" },
	{ "empty_vfio_pci", NULL },
};

static const struct spec *spec_of(const char *bdf)
{
	size_t i;

	for (i = 0; i < machine_size; i++) {
		if (!strcmp(machine[i].bdf, bdf))
			return &machine[i];
	}
	return NULL;
}

static void current(char driver[NAME_LEN], char override[NAME_LEN], const char *bdf)
{
	assert_int_equal(device_driver(driver, bdf), 0);
	assert_int_equal(file_text(override, NAME_LEN, PCI_DEVICES "/%s/driver_override", bdf), 0);
}

/* A driver for VFIO takes only what is overridden to it, others what is theirs. */
static bool matches(const char *driver, const char *override, const char *bdf)
{
	const struct spec *spec = spec_of(bdf);

	if (strcmp(override, "(null)"))
		return !strcmp(override, driver);
	return spec && spec->home && !strcmp(spec->home, driver);
}

static int probe(const char *driver, const char *bdf)
{
	char line[TEXT_LEN];

	if (fake.refuses && !strcmp(fake.refuses, driver)) {
		print_to(line, sizeof(line), "4,517,8123456,-;%s %s: refused: on the denylist\n",
			 driver, bdf);
		tree_append("/dev/kmsg", line);
		return -fake.error;
	}
	tree_bind(bdf, driver);
	return 0;
}

static int bind(const char *driver, const char *bdf)
{
	char now[NAME_LEN], override[NAME_LEN];

	if (!path_exists(PCI_DEVICES "/%s", bdf))
		return -ENODEV;
	current(now, override, bdf);
	if (!matches(driver, override, bdf))
		return -ENODEV;
	if (fake.adding) {
		if (--fake.adding)
			return -ENODEV;
		tree_bind(bdf, driver);
		return -EBUSY;
	}
	return now[0] ? -EBUSY : probe(driver, bdf);
}

static int unbind(const char *driver, const char *bdf)
{
	char now[NAME_LEN], override[NAME_LEN];

	if (!path_exists(PCI_DEVICES "/%s", bdf))
		return -ENODEV;
	current(now, override, bdf);
	if (strcmp(now, driver))
		return -ENODEV;
	tree_unbind(bdf);
	return 0;
}

/* As the real one: that a driver refuses is no error. */
static int probe_any(const char *bdf)
{
	char now[NAME_LEN], override[NAME_LEN];
	struct names drivers;
	size_t i;

	if (!path_exists(PCI_DEVICES "/%s", bdf))
		return -ENODEV;
	current(now, override, bdf);
	if (now[0] || dir_names(&drivers, PCI_DRIVERS))
		return 0;
	for (i = 0; i < drivers.nr; i++) {
		if (matches(drivers.v[i], override, bdf))
			probe(drivers.v[i], bdf);
	}
	names_free(&drivers);
	return 0;
}

static int set_override(const char *bdf, const char *text)
{
	char path[PATH_MAX];

	print_to(path, sizeof(path), PCI_DEVICES "/%s/driver_override", bdf);
	tree_file(path, "%s\n", *text && *text != '\n' ? text : "(null)");
	return 0;
}

static void add_function(const char *pf, unsigned int index)
{
	char bdf[BDF_LEN], path[PATH_MAX], target[PATH_MAX];
	struct spec spec = {
		.bdf = bdf,
		.vendor = 0x8086,
		.device = 0x10ca,
		.class = 0x020000,
		.group = 20 + index,
		.virtual = true,
	};

	print_to(bdf, sizeof(bdf), "0000:05:10.%u", index);
	tree_device(&spec);
	print_to(path, sizeof(path), PCI_DEVICES "/%s/virtfn%u", pf, index);
	print_to(target, sizeof(target), "../%s", bdf);
	tree_link(path, target);
	print_to(path, sizeof(path), PCI_DEVICES "/%s/physfn", bdf);
	print_to(target, sizeof(target), "../%s", pf);
	tree_link(path, target);
}

static void remove_function(const char *pf, unsigned int index)
{
	char path[PATH_MAX];

	print_to(path, sizeof(path), PCI_DEVICES "/%s/virtfn%u", pf, index);
	unlink(tree_path(path));
	print_to(path, sizeof(path), "/sys/devices/pci0000:00/0000:05:10.%u", index);
	tree_remove(path);
	print_to(path, sizeof(path), PCI_DEVICES "/0000:05:10.%u", index);
	unlink(tree_path(path));
}

static int set_functions(const char *pf, const char *text)
{
	char now[NAME_LEN], override[NAME_LEN], path[PATH_MAX];
	uint64_t number, before;
	unsigned int i;

	current(now, override, pf);
	assert_int_equal(number_parse(&number, text), 0);
	assert_int_equal(file_number(&before, PCI_DEVICES "/%s/sriov_numvfs", pf), 0);
	if (!now[0])
		return -ENOENT;
	if (before && number)
		return -EBUSY;
	for (i = 0; i < before; i++)
		remove_function(pf, i);
	for (i = 0; i < number; i++)
		add_function(pf, i);
	print_to(path, sizeof(path), PCI_DEVICES "/%s/sriov_numvfs", pf);
	tree_file(path, "%u\n", (unsigned int)number);
	return 0;
}

static int react(const char *path, const char *text)
{
	char name[NAME_LEN], attr[NAME_LEN];

	if (!strcmp(path, "/sys/bus/pci/drivers_probe"))
		return probe_any(text);
	if (access(tree_path(path), F_OK))
		return -ENOENT;
	if (sscanf(path, PCI_DRIVERS "/%127[^/]/%127s", name, attr) == 2)
		return !strcmp(attr, "bind") ? bind(name, text) : unbind(name, text);
	if (sscanf(path, PCI_DEVICES "/%127[^/]/%127s", name, attr) != 2)
		fail_msg("nobody expects a write to %s", path);
	if (!strcmp(attr, "driver_override"))
		return set_override(name, text);
	if (!strcmp(attr, "sriov_numvfs"))
		return set_functions(name, text);
	tree_file(path, "%s\n", text);
	return 0;
}

static void vanish(const char *bdf)
{
	char path[PATH_MAX];

	print_to(path, sizeof(path), PCI_DEVICES "/%s", bdf);
	unlink(tree_path(path));
	print_to(path, sizeof(path), "/sys/devices/pci0000:00/%s", bdf);
	tree_remove(path);
}

/* What is to happen at this call; nonzero: instead of it. */
static int accident(void)
{
	fake.calls++;
	if (fake.calls == fake.vanish_at)
		vanish(fake.victim);
	if (fake.calls == fake.signal_at)
		raise(SIGINT);
	return fake.calls == fake.fail_at ? -EIO : 0;
}

static int fake_write(const char *path, const char *text)
{
	const char *below = path + strlen(tree_path(""));

	append_to(fake.log, sizeof(fake.log), "%s %s\n", below, text);
	return accident() ?: react(below, text);
}

/* A driver that comes is offered what nobody has. */
static void attach(const char *driver)
{
	char now[NAME_LEN], override[NAME_LEN];
	size_t i;

	for (i = 0; i < machine_size; i++) {
		if (!path_exists(PCI_DEVICES "/%s", machine[i].bdf))
			continue;
		current(now, override, machine[i].bdf);
		if (!now[0] && matches(driver, override, machine[i].bdf))
			probe(driver, machine[i].bdf);
	}
}

static int fake_load(const char *module)
{
	char path[PATH_MAX];
	size_t i;
	int ret;

	append_to(fake.log, sizeof(fake.log), "load %s\n", module);
	ret = accident();
	if (ret)
		return ret;
	for (i = 0; i < ARRAY_SIZE(loadable); i++) {
		if (strcmp(loadable[i].module, module))
			continue;
		print_to(path, sizeof(path), "/sys/module/%s/drivers", module);
		tree_folder(path);
		if (loadable[i].driver) {
			tree_driver(loadable[i].driver, module);
			attach(loadable[i].driver);
		}
		print_to(path, sizeof(path), "/sys/module/%s/taint", module);
		tree_file(path, "OE\n");
		if (strstr(module, "vfio"))
			tree_file("/sys/module/vfio_pci_core/taint", "OE\n");
		return 0;
	}
	return -ENOENT;
}

void fake_start(void)
{
	fake = (struct fake){ .error = EINVAL };
	kernel.write = fake_write;
	kernel.load = fake_load;
}
