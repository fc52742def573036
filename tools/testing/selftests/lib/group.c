// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO containers and groups, and devices opened through them.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lab.h"
#include "tap.h"
#include "vfio.h"

#define CONTAINER	"/dev/vfio/vfio"

static void group_fd_open(struct vfio_group *group, const char *bdf)
{
	char path[64];

	group->number = pci_group(bdf);
	snprintf(path, sizeof(path), "/dev/vfio/%u", group->number);
	group->fd = open(path, O_RDWR | O_CLOEXEC);
	if (group->fd < 0)
		FAIL("%s for %s: %s", path, bdf, strerror(errno));
}

bool vfio_group_viable(const struct vfio_group *group)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };

	ASSERT_OK(ioctl(group->fd, VFIO_GROUP_GET_STATUS, &status));
	return status.flags & VFIO_GROUP_FLAGS_VIABLE;
}

void vfio_group_open(struct vfio_group *group, const char *bdf)
{
	group_fd_open(group, bdf);
	group->container = open(CONTAINER, O_RDWR | O_CLOEXEC);
	ASSERT_OK(group->container);
	ASSERT(vfio_group_viable(group));
	ASSERT_OK(ioctl(group->fd, VFIO_GROUP_SET_CONTAINER, &group->container));
	ASSERT_OK(ioctl(group->container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU));
}

void vfio_group_join(struct vfio_group *group, const struct vfio_group *first,
		     const char *bdf)
{
	group_fd_open(group, bdf);
	group->container = fcntl(first->container, F_DUPFD_CLOEXEC, 0);
	ASSERT_OK(group->container);
	ASSERT_OK(ioctl(group->fd, VFIO_GROUP_SET_CONTAINER, &group->container));
}

void vfio_group_close(struct vfio_group *group)
{
	close(group->fd);
	close(group->container);
	group->fd = -1;
	group->container = -1;
}

int vfio_fd_try(const struct vfio_group *group, const char *name)
{
	return ioctl(group->fd, VFIO_GROUP_GET_DEVICE_FD, name);
}

static void open_fd(struct vfio_dev *dev, const struct vfio_group *group,
		    const char *bdf, const char *token)
{
	char name[128];

	snprintf(name, sizeof(name), "%s%s%s", bdf, token ? " vf_token=" : "",
		 token ? token : "");
	dev->bdf = bdf;
	dev->fd = vfio_fd_try(group, name);
	if (dev->fd < 0)
		FAIL("opening %s: %s", name, strerror(errno));
	dev->info.argsz = sizeof(dev->info);
	ASSERT_OK(ioctl(dev->fd, VFIO_DEVICE_GET_INFO, &dev->info));
}

static void open_as(struct vfio_dev *dev, const char *bdf, const char *driver,
		    const char *token)
{
	memset(dev, 0, sizeof(*dev));
	pci_bind(bdf, driver);
	vfio_group_open(&dev->group, bdf);
	open_fd(dev, &dev->group, bdf, token);
}

void vfio_open(struct vfio_dev *dev, const char *bdf)
{
	open_as(dev, bdf, "vfio-pci", NULL);
}

void vfio_open_with(struct vfio_dev *dev, const char *bdf, const char *driver)
{
	open_as(dev, bdf, driver, NULL);
}

void vfio_open_token(struct vfio_dev *dev, const char *bdf, const char *token)
{
	open_as(dev, bdf, "vfio-pci", token);
}

void vfio_open_in(struct vfio_dev *dev, const struct vfio_group *group,
		  const char *bdf)
{
	memset(dev, 0, sizeof(*dev));
	dev->group.fd = -1;
	dev->group.container = -1;
	pci_bind(bdf, "vfio-pci");
	open_fd(dev, group, bdf, NULL);
}

void vfio_close(struct vfio_dev *dev)
{
	close(dev->fd);
	dev->fd = -1;
	if (dev->group.fd >= 0)
		vfio_group_close(&dev->group);
}

void vfio_reset(struct vfio_dev *dev)
{
	ASSERT_OK(ioctl(dev->fd, VFIO_DEVICE_RESET));
}

int vfio_hot_reset_try(struct vfio_dev *dev)
{
	struct {
		struct vfio_pci_hot_reset hdr;
		int32_t fds[1];
	} reset = {
		.hdr.argsz = sizeof(reset),
		.hdr.count = 1,
		.fds = { dev->group.fd },
	};

	return ioctl(dev->fd, VFIO_DEVICE_PCI_HOT_RESET, &reset);
}

int vfio_feature_try(struct vfio_dev *dev, uint32_t flags, void *data,
		     size_t len)
{
	struct vfio_device_feature *feature;
	int ret, saved;

	feature = calloc(1, sizeof(*feature) + len);
	ASSERT(feature);
	feature->argsz = sizeof(*feature) + len;
	feature->flags = flags;
	if (len)
		memcpy(feature->data, data, len);
	ret = ioctl(dev->fd, VFIO_DEVICE_FEATURE, feature);
	saved = errno;
	if (len)
		memcpy(data, feature->data, len);
	free(feature);
	errno = saved;
	return ret;
}
