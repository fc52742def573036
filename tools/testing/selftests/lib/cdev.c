// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices opened by themselves, with an iommufd.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cdev.h"
#include "lab.h"
#include "tap.h"

#define IOMMUFD_TYPE	';'
#define SPACE_ALLOC	_IO(IOMMUFD_TYPE, 0x81)
#define SPACE_MAP	_IO(IOMMUFD_TYPE, 0x85)

struct space_alloc {
	uint32_t size;
	uint32_t flags;
	uint32_t id;
};

struct space_map {
	uint32_t size;
	uint32_t flags;
#define MAP_FIXED_IOVA	1u
#define MAP_WRITEABLE	2u
#define MAP_READABLE	4u
	uint32_t id;
	uint32_t reserved;
	uint64_t addr;
	uint64_t len;
	uint64_t iova;
};

int iommufd_open(void)
{
	int fd;

	if (access("/dev/iommu", F_OK))
		SKIP("this kernel has no iommufd (CONFIG_IOMMUFD, CONFIG_VFIO_DEVICE_CDEV)");
	fd = open("/dev/iommu", O_RDWR | O_CLOEXEC);
	ASSERT_OK(fd);
	return fd;
}

uint32_t iommufd_space(int iommufd)
{
	struct space_alloc alloc = { .size = sizeof(alloc) };

	ASSERT_OK(ioctl(iommufd, SPACE_ALLOC, &alloc));
	return alloc.id;
}

void iommufd_map(int iommufd, uint32_t space, void *addr, uint64_t iova,
		 uint64_t len)
{
	struct space_map map = {
		.size = sizeof(map),
		.flags = MAP_FIXED_IOVA | MAP_WRITEABLE | MAP_READABLE,
		.id = space,
		.addr = (uintptr_t)addr,
		.len = len,
		.iova = iova,
	};

	ASSERT_OK(ioctl(iommufd, SPACE_MAP, &map));
}

/* The device's folder vfio-dev holds one entry, named like its file. */
static void cdev_path(const char *bdf, char *path, size_t size)
{
	struct dirent *entry;
	char folder[128];
	DIR *dir;

	snprintf(folder, sizeof(folder), "/sys/bus/pci/devices/%s/vfio-dev", bdf);
	dir = opendir(folder);
	ASSERT(dir);
	do {
		entry = readdir(dir);
		ASSERT(entry);
	} while (strncmp(entry->d_name, "vfio", 4));
	snprintf(path, size, "/dev/vfio/devices/%.32s", entry->d_name);
	closedir(dir);
}

void cdev_open(struct vfio_dev *dev, const char *bdf)
{
	char path[64];

	memset(dev, 0, sizeof(*dev));
	dev->bdf = bdf;
	dev->group.fd = -1;
	dev->group.container = -1;
	pci_bind(bdf, "vfio-pci");
	cdev_path(bdf, path, sizeof(path));
	dev->fd = open(path, O_RDWR | O_CLOEXEC);
	if (dev->fd < 0)
		FAIL("%s for %s: %s", path, bdf, strerror(errno));
}

static int bind_call(struct vfio_dev *dev, int iommufd, uint32_t *devid)
{
	struct cdev_bind bind = { .argsz = sizeof(bind), .iommufd = iommufd };
	int ret;

	ret = ioctl(dev->fd, CDEV_BIND, &bind);
	*devid = bind.devid;
	return ret;
}

int cdev_bind_try(struct vfio_dev *dev, int iommufd)
{
	uint32_t devid;

	return bind_call(dev, iommufd, &devid);
}

uint32_t cdev_bind(struct vfio_dev *dev, int iommufd)
{
	uint32_t devid = 0;

	ASSERT_OK(bind_call(dev, iommufd, &devid));
	dev->info.argsz = sizeof(dev->info);
	ASSERT_OK(ioctl(dev->fd, VFIO_DEVICE_GET_INFO, &dev->info));
	return devid;
}

int cdev_attach_try(struct vfio_dev *dev, uint32_t space)
{
	struct cdev_attach attach = { .argsz = sizeof(attach), .pt_id = space };

	return ioctl(dev->fd, CDEV_ATTACH, &attach);
}

void cdev_detach(struct vfio_dev *dev)
{
	uint32_t args[2] = { sizeof(args), 0 };

	ASSERT_OK(ioctl(dev->fd, CDEV_DETACH, args));
}
