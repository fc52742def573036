// SPDX-License-Identifier: GPL-2.0-only
/*
 * IBM Z: what user space needs to know of a zPCI function in order to present
 * one to a guest, and the hand-over of the function to KVM, which interprets
 * the guest's PCI instructions.
 */
#include <linux/kvm_host.h>
#include <linux/overflow.h>
#include <linux/vfio_zdev.h>
#include <asm/pci_clp.h>

#include "priv.h"

static int add_base(struct zpci_dev *zdev, struct vfio_info_cap *caps)
{
	struct vfio_device_info_cap_zpci_base cap = {
		.header.id = VFIO_DEVICE_INFO_CAP_ZPCI_BASE,
		.header.version = 2,
		.start_dma = zdev->start_dma,
		.end_dma = zdev->end_dma,
		.pchid = zdev->pchid,
		.vfn = zdev->vfn,
		.fmb_length = zdev->fmb_length,
		.pft = zdev->pft,
		.gid = zdev->pfgid,
		.fh = zdev->fh,
	};

	return vfio_info_add_capability(caps, &cap.header, sizeof(cap));
}

/*
 * The guest must always be told to refresh its translations by instruction
 * (RPCIT), whatever the hardware needs: that is how user space learns of new
 * mappings.
 */
static int add_group(struct zpci_dev *zdev, struct vfio_info_cap *caps)
{
	struct vfio_device_info_cap_zpci_group cap = {
		.header.id = VFIO_DEVICE_INFO_CAP_ZPCI_GROUP,
		.header.version = 2,
		.dasm = zdev->dma_mask,
		.msi_addr = zdev->msi_addr,
		.flags = VFIO_DEVICE_INFO_ZPCI_FLAG_REFRESH,
		.mui = zdev->fmb_update,
		.noi = zdev->max_msi,
		.maxstbl = zdev->maxstbl,
		.version = zdev->version,
		.imaxstbl = zdev->maxstbl,
	};

	return vfio_info_add_capability(caps, &cap.header, sizeof(cap));
}

static int add_util(struct zpci_dev *zdev, struct vfio_info_cap *caps)
{
	DEFINE_RAW_FLEX(struct vfio_device_info_cap_zpci_util, cap, util_str,
			CLP_UTIL_STR_LEN);

	cap->header.id = VFIO_DEVICE_INFO_CAP_ZPCI_UTIL;
	cap->header.version = 1;
	cap->size = sizeof(zdev->util_str);
	memcpy(cap->util_str, zdev->util_str, sizeof(zdev->util_str));
	return vfio_info_add_capability(caps, &cap->header,
					struct_size(cap, util_str, cap->size));
}

static int add_path(struct zpci_dev *zdev, struct vfio_info_cap *caps)
{
	DEFINE_RAW_FLEX(struct vfio_device_info_cap_zpci_pfip, cap, pfip,
			CLP_PFIP_NR_SEGMENTS);

	cap->header.id = VFIO_DEVICE_INFO_CAP_ZPCI_PFIP;
	cap->header.version = 1;
	cap->size = sizeof(zdev->pfip);
	memcpy(cap->pfip, zdev->pfip, sizeof(zdev->pfip));
	return vfio_info_add_capability(caps, &cap->header,
					struct_size(cap, pfip, cap->size));
}

static int (* const adders[])(struct zpci_dev *zdev,
			      struct vfio_info_cap *caps) = {
	add_base,
	add_group,
	add_util,
	add_path,
};

/* On error the caller drops what is in @caps already */
int vfio_pci_info_zdev_add_caps(struct vfio_pci_core_device *vdev,
				struct vfio_info_cap *caps)
{
	struct zpci_dev *zdev = to_zpci(vdev->pdev);
	unsigned int i;
	int ret = 0;

	if (!zdev)
		return -ENODEV;

	for (i = 0; i < ARRAY_SIZE(adders) && !ret; i++)
		ret = adders[i](zdev, caps);
	return ret;
}

/* A device without a virtual machine is driven without KVM's help */
int vfio_pci_zdev_open_device(struct vfio_pci_core_device *vdev)
{
	struct zpci_dev *zdev = to_zpci(vdev->pdev);

	if (!zdev)
		return -ENODEV;
	if (!vdev->vdev.kvm)
		return 0;
	if (!zpci_kvm_hook.kvm_register)
		return vfio_pci_refuse(vdev, -ENOENT,
				       "KVM does not take PCI functions");
	return zpci_kvm_hook.kvm_register(zdev, vdev->vdev.kvm);
}

void vfio_pci_zdev_close_device(struct vfio_pci_core_device *vdev)
{
	struct zpci_dev *zdev = to_zpci(vdev->pdev);

	if (zdev && vdev->vdev.kvm && zpci_kvm_hook.kvm_unregister)
		zpci_kvm_hook.kvm_unregister(zdev);
}
