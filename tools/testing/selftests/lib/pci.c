// SPDX-License-Identifier: GPL-2.0-only
/*
 * PCI devices through sysfs: attributes, drivers, configuration space.
 */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lab.h"
#include "tap.h"

#define PCI_DEVICES	"/sys/bus/pci/devices"

static void attr_path(char path[PATH_MAX], const char *bdf, const char *attr)
{
	snprintf(path, PATH_MAX, PCI_DEVICES "/%s/%s", bdf, attr);
}

int pci_attr_write(const char *bdf, const char *attr, const char *text)
{
	char path[PATH_MAX];

	attr_path(path, bdf, attr);
	return file_write(path, text);
}

int pci_attr_read(const char *bdf, const char *attr, char *text, size_t size)
{
	char path[PATH_MAX];

	attr_path(path, bdf, attr);
	return file_read(path, text, size);
}

unsigned long long pci_attr_number(const char *bdf, const char *attr)
{
	char text[64];

	ASSERT_EQ(pci_attr_read(bdf, attr, text, sizeof(text)), 0);
	return strtoull(text, NULL, 0);
}

bool pci_exists(const char *bdf)
{
	char path[PATH_MAX];

	attr_path(path, bdf, "");
	return !access(path, F_OK);
}

struct pci_resource pci_resource(const char *bdf, unsigned int bar)
{
	unsigned long long start = 0, last = 0, flags = 0;
	struct pci_resource res = { 0 };
	char path[PATH_MAX];
	unsigned int i;
	FILE *file;

	attr_path(path, bdf, "resource");
	file = fopen(path, "re");
	ASSERT(file);
	for (i = 0; i <= bar; i++)
		ASSERT_EQ(fscanf(file, "%llx %llx %llx", &start, &last, &flags), 3);
	fclose(file);
	if (!flags)
		return res;
	res.start = start;
	res.size = last - start + 1;
	res.flags = flags;
	return res;
}

/* The last part of what the link @attr points to. */
static void link_name(const char *bdf, const char *attr, char *name, size_t size)
{
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t len;

	attr_path(path, bdf, attr);
	len = readlink(path, target, sizeof(target) - 1);
	target[len < 0 ? 0 : len] = '\0';
	snprintf(name, size, "%s", len < 0 ? "" : basename(target));
}

void pci_driver(const char *bdf, char *name, size_t size)
{
	link_name(bdf, "driver", name, size);
}

bool pci_driver_is(const char *bdf, const char *name)
{
	char now[64];

	pci_driver(bdf, now, sizeof(now));
	return !strcmp(now, name);
}

void pci_vf(char out[BDF_LEN], const char *pf, unsigned int nr)
{
	char attr[32];

	snprintf(attr, sizeof(attr), "virtfn%u", nr);
	link_name(pf, attr, out, BDF_LEN);
	ASSERT(out[0]);
}

unsigned int pci_group(const char *bdf)
{
	char name[64];

	link_name(bdf, "iommu_group", name, sizeof(name));
	ASSERT(name[0]);
	return strtoul(name, NULL, 10);
}

static int driver_release(const char *bdf)
{
	char name[64];

	pci_driver(bdf, name, sizeof(name));
	return name[0] ? pci_attr_write(bdf, "driver/unbind", bdf) : 0;
}

/* A probe that finds no taker is no error to sysfs, so look who has it. */
int pci_try_bind(const char *bdf, const char *driver)
{
	int ret;

	if (pci_driver_is(bdf, driver))
		return 0;
	ret = driver_release(bdf);
	if (ret)
		return ret;
	ret = pci_attr_write(bdf, "driver_override", driver);
	if (ret)
		return ret;
	ret = file_write("/sys/bus/pci/drivers_probe", bdf);
	if (ret)
		return ret;
	return pci_driver_is(bdf, driver) ? 0 : -ENODEV;
}

void pci_bind(const char *bdf, const char *driver)
{
	int ret = pci_try_bind(bdf, driver);

	if (ret)
		FAIL("%s does not bind to %s: %s", bdf, driver, strerror(-ret));
}

void pci_unbind(const char *bdf)
{
	int ret = driver_release(bdf);

	if (!ret)
		ret = pci_attr_write(bdf, "driver_override", "\n");
	if (ret)
		FAIL("%s does not unbind: %s", bdf, strerror(-ret));
}

void pci_expect_status(const char *bdf, const char *want)
{
	unsigned int tries = test_patience(500);
	char status[32];

	do {
		ASSERT_EQ(pci_attr_read(bdf, "power/runtime_status", status,
					sizeof(status)), 0);
		if (!strcmp(status, want))
			return;
		usleep(10000);
	} while (tries--);
	EXPECT_STREQ(status, want);
}

static int config_open(const char *bdf, int flags)
{
	char path[PATH_MAX];
	int fd;

	attr_path(path, bdf, "config");
	fd = open(path, flags | O_CLOEXEC);
	ASSERT_OK(fd);
	return fd;
}

uint32_t pci_config_read(const char *bdf, unsigned int pos, unsigned int len)
{
	int fd = config_open(bdf, O_RDONLY);
	uint32_t val = 0;

	ASSERT_EQ(pread(fd, &val, len, pos), (ssize_t)len);
	close(fd);
	return val;
}

void pci_config_write(const char *bdf, unsigned int pos, unsigned int len,
		      uint32_t val)
{
	int fd = config_open(bdf, O_WRONLY);

	ASSERT_EQ(pwrite(fd, &val, len, pos), (ssize_t)len);
	close(fd);
}
