// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_FEATURE. vfio.ko keeps migration and DMA logging to itself and
 * has checked the frame; what is left are the features of the PCI function.
 */
#include <linux/nospec.h>
#include <linux/uuid.h>
#include <linux/vfio.h>

#include "priv.h"

/**
 * struct feature - a row of the table
 * @ops: VFIO_DEVICE_FEATURE_GET, _SET, or both
 * @minsz: bytes of the user's data that @set needs
 * @present: does this device have the feature; NULL if each does
 * @set: carry it out, the data being at @arg
 */
struct feature {
	u32	ops;
	size_t	minsz;
	bool	(*present)(struct vfio_pci_core_device *vdev);
	int	(*set)(struct vfio_pci_core_device *vdev, void __user *arg,
		       size_t argsz);
};

static bool has_vf_token(struct vfio_pci_core_device *vdev)
{
	return vdev->priv->vf_token;
}

static const struct feature features[] = {
	[VFIO_DEVICE_FEATURE_PCI_VF_TOKEN] = {
		.ops = VFIO_DEVICE_FEATURE_SET,
		.minsz = sizeof(uuid_t),
		.present = has_vf_token,
		.set = vfio_pci_token_feature,
	},
	[VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY] = {
		.ops = VFIO_DEVICE_FEATURE_SET,
		.set = vfio_pci_low_power_entry,
	},
	[VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP] = {
		.ops = VFIO_DEVICE_FEATURE_SET,
		.minsz = sizeof(struct vfio_device_low_power_entry_with_wakeup),
		.set = vfio_pci_low_power_entry_wakeup,
	},
	[VFIO_DEVICE_FEATURE_LOW_POWER_EXIT] = {
		.ops = VFIO_DEVICE_FEATURE_SET,
		.set = vfio_pci_low_power_exit,
	},
};

static const struct feature *feature_find(struct vfio_pci_core_device *vdev,
					  unsigned int id)
{
	const struct feature *feature;

	if (id >= ARRAY_SIZE(features))
		return NULL;

	feature = &features[array_index_nospec(id, ARRAY_SIZE(features))];
	if (!feature->ops)
		return NULL;
	if (feature->present && !feature->present(vdev))
		return NULL;
	return feature;
}

/**
 * vfio_pci_core_ioctl_feature() - .device_feature of a thin driver
 * @device: the device, open
 * @flags: feature id and VFIO_DEVICE_FEATURE_GET, _SET, _PROBE, from the user
 * @arg: the feature's data in user space
 * @argsz: bytes at @arg
 *
 * Context: Process context; may sleep. vfio.ko holds a runtime PM reference.
 * Return:
 * * 0 - done, or supported if that was the question
 * * -ENOTTY - the device has no such feature
 * * -EINVAL - the operation is not supported for it, or @argsz is too small
 * * -EFAULT - @arg cannot be read
 * * other - as the feature says
 */
int vfio_pci_core_ioctl_feature(struct vfio_device *device, u32 flags,
				void __user *arg, size_t argsz)
{
	struct vfio_pci_core_device *vdev = to_vfio_pci(device);
	const struct feature *feature;
	int ret;

	feature = feature_find(vdev, flags & VFIO_DEVICE_FEATURE_MASK);
	if (!feature)
		return -ENOTTY;

	ret = vfio_check_feature(flags, argsz, feature->ops, feature->minsz);
	if (ret != 1)
		return ret;
	return feature->set(vdev, arg, argsz);
}
EXPORT_SYMBOL_GPL(vfio_pci_core_ioctl_feature);
