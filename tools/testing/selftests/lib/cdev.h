/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Devices opened by themselves: /dev/vfio/devices/vfioN and an iommufd, in place
 * of a group and a container.
 *
 * What these need of the kernel's headers stands here again, because those of
 * the machine that compiles the tests may be older than the lab's kernel.
 */
#ifndef SELFTEST_CDEV_H
#define SELFTEST_CDEV_H

#include <linux/vfio.h>
#include <stdint.h>

#include "vfio.h"

struct cdev_bind {
	uint32_t argsz;
	uint32_t flags;
	int32_t iommufd;
	uint32_t devid;
};

struct cdev_attach {
	uint32_t argsz;
	uint32_t flags;
	uint32_t pt_id;
};

#define CDEV_BIND	_IO(VFIO_TYPE, VFIO_BASE + 18)
#define CDEV_ATTACH	_IO(VFIO_TYPE, VFIO_BASE + 19)
#define CDEV_DETACH	_IO(VFIO_TYPE, VFIO_BASE + 20)

/* Flags and identities of VFIO_DEVICE_GET_PCI_HOT_RESET_INFO. */
#define HOT_DEV_ID	1u
#define HOT_OWNED	2u
#define DEVID_OWNED	0u
#define DEVID_NOT_OWNED	UINT32_MAX

/* Open an iommufd; skips the test, and says why, where there is none. */
int iommufd_open(void);
/* A new address space in it. */
uint32_t iommufd_space(int iommufd);
void iommufd_map(int iommufd, uint32_t space, void *addr, uint64_t iova,
		 uint64_t len);

/* Bind @bdf to vfio-pci and open its own file; nothing else works yet. */
void cdev_open(struct vfio_dev *dev, const char *bdf);
int cdev_bind_try(struct vfio_dev *dev, int iommufd);
/* Bind to @iommufd; the identity it has there. */
uint32_t cdev_bind(struct vfio_dev *dev, int iommufd);
int cdev_attach_try(struct vfio_dev *dev, uint32_t space);
void cdev_detach(struct vfio_dev *dev);

#endif
