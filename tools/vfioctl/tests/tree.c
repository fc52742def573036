// SPDX-License-Identifier: GPL-2.0-only
/*
 * A machine made of files.
 */
#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tree.h"

static char top[64];

const char *tree_path(const char *path)
{
	static char whole[4][PATH_MAX];
	static unsigned int turn;

	turn = (turn + 1) % ARRAY_SIZE(whole);
	print_to(whole[turn], PATH_MAX, "%s%s", top, path);
	return whole[turn];
}

void tree_open(void)
{
	copy_text(top, sizeof(top), "/tmp/vfioctl-test.XXXXXX");
	assert_non_null(mkdtemp(top));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st;
	(void)type;
	(void)at;
	return remove(path);
}

void tree_remove(const char *path)
{
	nftw(tree_path(path), remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void tree_close(void)
{
	tree_remove("");
}

void tree_folder(const char *path)
{
	char whole[PATH_MAX];
	char *slash = whole + strlen(top);

	copy_text(whole, sizeof(whole), tree_path(path));
	while ((slash = strchr(slash + 1, '/'))) {
		*slash = '\0';
		assert_true(!mkdir(whole, 0755) || errno == EEXIST);
		*slash = '/';
	}
	assert_true(!mkdir(whole, 0755) || errno == EEXIST);
}

static void folder_of(const char *path)
{
	char folder[PATH_MAX];

	copy_text(folder, sizeof(folder), path);
	*strrchr(folder, '/') = '\0';
	tree_folder(folder);
}

void tree_file(const char *path, const char *format, ...)
{
	va_list args;
	FILE *file;

	folder_of(path);
	file = fopen(tree_path(path), "w");
	assert_non_null(file);
	va_start(args, format);
	vfprintf(file, format, args);
	va_end(args);
	fclose(file);
}

void tree_append(const char *path, const char *text)
{
	FILE *file = fopen(tree_path(path), "a");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

/* Targets that begin with a slash are made relative, as sysfs has them. */
void tree_link(const char *path, const char *target)
{
	char relative[PATH_MAX] = "";
	const char *at;

	folder_of(path);
	if (*target == '/') {
		for (at = strchr(path + 1, '/'); at; at = strchr(at + 1, '/'))
			append_to(relative, sizeof(relative), "../");
		target++;
	}
	append_to(relative, sizeof(relative), "%s", target);
	unlink(tree_path(path));
	assert_int_equal(symlink(relative, tree_path(path)), 0);
}

const char *tree_text(const char *path)
{
	static char text[16384];
	FILE *file = fopen(tree_path(path), "r");
	size_t len = 0;

	if (file) {
		len = fread(text, 1, sizeof(text) - 1, file);
		fclose(file);
	}
	text[len] = '\0';
	return text;
}

static void device_path(char path[PATH_MAX], const char *bdf, const char *name)
{
	print_to(path, PATH_MAX, "/sys/devices/pci0000:00/%s%s%s", bdf, *name ? "/" : "", name);
}

static void attribute(const char *bdf, const char *name, const char *format, ...) PRINTF(3, 4);

static void attribute(const char *bdf, const char *name, const char *format, ...)
{
	char path[PATH_MAX], text[TEXT_LEN];
	va_list args;

	device_path(path, bdf, name);
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	tree_file(path, "%s\n", text);
}

static void config(const struct spec *spec)
{
	uint8_t bytes[64] = { spec->vendor & 0xff, spec->vendor >> 8 };
	char path[PATH_MAX];
	FILE *file;

	if (spec->virtual)
		memset(bytes, 0xff, 4);
	bytes[14] = spec->header;
	device_path(path, spec->bdf, "config");
	file = fopen(tree_path(path), "w");
	assert_non_null(file);
	fwrite(bytes, sizeof(bytes), 1, file);
	fclose(file);
}

static void group(const struct spec *spec)
{
	char path[PATH_MAX], folder[PATH_MAX], link[PATH_MAX];

	device_path(path, spec->bdf, "");
	print_to(folder, sizeof(folder), "/sys/kernel/iommu_groups/%d", spec->group);
	print_to(link, sizeof(link), "%s/devices/%s", folder, spec->bdf);
	tree_link(link, path);
	device_path(link, spec->bdf, "iommu_group");
	tree_link(link, folder);
	print_to(link, sizeof(link), "%s/reserved_regions", folder);
	tree_file(link, "0x00000000fee00000 0x00000000feefffff msi\n");
}

void tree_device(const struct spec *spec)
{
	char path[PATH_MAX], link[PATH_MAX];

	attribute(spec->bdf, "vendor", "0x%04x", spec->vendor);
	attribute(spec->bdf, "device", "0x%04x", spec->device);
	attribute(spec->bdf, "subsystem_vendor", "0x1af4");
	attribute(spec->bdf, "subsystem_device", "0x1100");
	attribute(spec->bdf, "class", "0x%06x", spec->class);
	attribute(spec->bdf, "modalias", "pci:v%08Xd%08Xsv00001AF4sd00001100bc%02Xsc%02Xi%02X",
		  spec->vendor, spec->device, spec->class >> 16, spec->class >> 8 & 0xff,
		  spec->class & 0xff);
	attribute(spec->bdf, "driver_override", "(null)");
	attribute(spec->bdf, "power_state", "D0");
	attribute(spec->bdf, "reset_method", "flr bus");
	if (spec->max_vfs) {
		attribute(spec->bdf, "sriov_totalvfs", "%u", spec->max_vfs);
		attribute(spec->bdf, "sriov_numvfs", "0");
		attribute(spec->bdf, "sriov_drivers_autoprobe", "1");
	}
	config(spec);
	if (spec->group >= 0)
		group(spec);
	device_path(path, spec->bdf, "");
	print_to(link, sizeof(link), "/sys/bus/pci/devices/%s", spec->bdf);
	tree_link(link, path);
	if (spec->bound)
		tree_bind(spec->bdf, spec->bound);
}

void tree_driver(const char *name, const char *module)
{
	char path[PATH_MAX], link[PATH_MAX];

	print_to(path, sizeof(path), PCI_DRIVERS "/%s/bind", name);
	tree_file(path, "%s", "");
	print_to(path, sizeof(path), PCI_DRIVERS "/%s/unbind", name);
	tree_file(path, "%s", "");
	if (!module)
		return;
	print_to(path, sizeof(path), PCI_DRIVERS "/%s", name);
	print_to(link, sizeof(link), "/sys/module/%s/drivers/pci:%s", module, name);
	tree_link(link, path);
	print_to(link, sizeof(link), "%s/module", path);
	print_to(path, sizeof(path), "/sys/module/%s", module);
	tree_link(link, path);
}

void tree_bind(const char *bdf, const char *driver)
{
	char path[PATH_MAX], link[PATH_MAX];

	device_path(link, bdf, "driver");
	print_to(path, sizeof(path), PCI_DRIVERS "/%s", driver);
	tree_link(link, path);
	if (strstr(driver, "vfio")) {
		device_path(path, bdf, "vfio-dev/vfio0");
		tree_folder(path);
	}
}

void tree_unbind(const char *bdf)
{
	char path[PATH_MAX];

	device_path(path, bdf, "driver");
	unlink(tree_path(path));
	device_path(path, bdf, "vfio-dev");
	tree_remove(path);
}

void tree_class(const char *bdf, const char *class, const char *name)
{
	char path[PATH_MAX], link[PATH_MAX], below[PATH_MAX];

	print_to(below, sizeof(below), "%s/%s", class, name);
	device_path(path, bdf, below);
	tree_folder(path);
	print_to(link, sizeof(link), "/sys/class/%s/%s", class, strrchr(name, '/') ?
		 strrchr(name, '/') + 1 : name);
	tree_link(link, path);
}

void tree_open_file(int pid, const char *comm, const char *node, const char *target)
{
	char path[PATH_MAX];
	static int number = 3;

	print_to(path, sizeof(path), "/proc/%d/comm", pid);
	tree_file(path, "%s\n", comm);
	print_to(path, sizeof(path), "/proc/%d/fd/%d", pid, number++);
	folder_of(path);
	assert_int_equal(symlink(node, tree_path(path)), 0);
	if (target)
		tree_link("/sys/dev/char/1:3", target);
}
