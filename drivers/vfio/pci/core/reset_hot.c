// SPDX-License-Identifier: GPL-2.0-only
/*
 * The user's hot reset: which devices it would reset, and doing it for who can
 * prove to own them all.
 */
#include <linux/file.h>
#include <linux/iommu.h>
#include <linux/string.h>

#include "priv.h"

static int count_one(struct pci_dev *pdev, void *data)
{
	unsigned int *count = data;

	++*count;
	return 0;
}

/* ---- GET_PCI_HOT_RESET_INFO ---------------------------------------------- */

struct affected_list {
	struct vfio_pci_core_device		*vdev;
	struct vfio_pci_dependent_device	*devices;
	unsigned int				max;
	unsigned int				count;
	u32					flags;
};

/* The caller holds dev_set->lock */
static int devid_of(struct vfio_pci_core_device *vdev, struct pci_dev *pdev)
{
	struct iommufd_ctx *ictx = vfio_iommufd_device_ictx(&vdev->vdev);
	struct vfio_device *member;
	int id;

	member = vfio_find_device_in_devset(vdev->vdev.dev_set, &pdev->dev);
	if (!member || !ictx)
		return VFIO_PCI_DEVID_NOT_OWNED;

	id = vfio_iommufd_get_dev_id(member, ictx);
	if (id > 0)
		return id;
	/* Not in the user's iommufd, but its IOMMU group is */
	return id == -ENOENT ? VFIO_PCI_DEVID_OWNED : VFIO_PCI_DEVID_NOT_OWNED;
}

static int group_of(struct pci_dev *pdev)
{
	struct iommu_group *group = iommu_group_get(&pdev->dev);
	int id;

	if (!group)
		return -EPERM;
	id = iommu_group_id(group);
	iommu_group_put(group);
	return id;
}

static int list_one(struct pci_dev *pdev, void *data)
{
	struct affected_list *list = data;
	struct vfio_pci_dependent_device *dep;
	int id;

	if (list->count == list->max)
		return -EAGAIN;

	dep = &list->devices[list->count];
	dep->segment = pci_domain_nr(pdev->bus);
	dep->bus = pdev->bus->number;
	dep->devfn = pdev->devfn;

	if (list->flags & VFIO_PCI_HOT_RESET_FLAG_DEV_ID) {
		id = devid_of(list->vdev, pdev);
		dep->devid = id;
		if (id == VFIO_PCI_DEVID_NOT_OWNED)
			list->flags &= ~VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED;
	} else {
		id = group_of(pdev);
		if (id < 0)
			return id;
		dep->group_id = id;
	}
	list->count++;
	return 0;
}

static int affected_list_fill(struct affected_list *list)
{
	guard(mutex)(&list->vdev->vdev.dev_set->lock);
	if (vfio_device_cdev_opened(&list->vdev->vdev))
		list->flags = VFIO_PCI_HOT_RESET_FLAG_DEV_ID |
			      VFIO_PCI_HOT_RESET_FLAG_DEV_ID_OWNED;
	return vfio_pci_reset_visit(list->vdev, list_one, list);
}

static int hot_info_copy(struct affected_list *list,
			 struct vfio_pci_hot_reset_info *hdr,
			 struct vfio_pci_hot_reset_info __user *arg)
{
	int ret = affected_list_fill(list);

	if (ret)
		return ret;

	hdr->flags = list->flags;
	hdr->count = list->count;
	if (copy_to_user(arg->devices, list->devices,
			 array_size(list->count, sizeof(*list->devices))) ||
	    copy_to_user(arg, hdr, sizeof(*hdr)))
		return -EFAULT;
	return 0;
}

int vfio_pci_reset_hot_info(struct vfio_pci_core_device *vdev,
			    struct vfio_pci_hot_reset_info __user *arg)
{
	struct affected_list list = { .vdev = vdev };
	struct vfio_pci_hot_reset_info hdr;
	int ret;

	if (copy_from_user(&hdr, arg, sizeof(hdr)))
		return -EFAULT;
	if (hdr.argsz < sizeof(hdr))
		return -EINVAL;

	ret = vfio_pci_reset_visit(vdev, count_one, &list.max);
	if (ret)
		return ret;

	/* What fits decides, before the size is used for anything */
	if ((hdr.argsz - sizeof(hdr)) / sizeof(*list.devices) < list.max) {
		hdr.flags = 0;
		hdr.count = list.max;
		if (copy_to_user(arg, &hdr, sizeof(hdr)))
			return -EFAULT;
		return -ENOSPC;
	}

	list.devices = kvcalloc(list.max, sizeof(*list.devices), GFP_KERNEL);
	if (!list.devices)
		return -ENOMEM;
	ret = hot_info_copy(&list, &hdr, arg);
	kvfree(list.devices);
	return ret;
}

/* ---- PCI_HOT_RESET -------------------------------------------------------- */

/* The user's proof: groups, or, without any, the iommufd of the device */
struct owner {
	struct file	**groups;
	unsigned int	nr_groups;
};

static bool owns(struct owner *owner, struct iommufd_ctx *ictx,
		 struct vfio_pci_core_device *vdev)
{
	unsigned int i;
	int id;

	for (i = 0; i < owner->nr_groups; i++)
		if (vfio_file_has_dev(owner->groups[i], &vdev->vdev))
			return true;
	if (owner->nr_groups || !ictx)
		return false;

	id = vfio_iommufd_get_dev_id(&vdev->vdev, ictx);
	return id > 0 || id == -ENOENT;
}

/* Members that nobody opened count too: somebody else may open them next */
static int must_own_set(struct vfio_pci_core_device *vdev, struct owner *owner)
{
	struct iommufd_ctx *ictx = vfio_iommufd_device_ictx(&vdev->vdev);
	struct vfio_pci_core_device *cur;

	vfio_pci_for_each_in_set(cur, vdev->vdev.dev_set)
		if (!owns(owner, ictx, cur))
			return vfio_pci_refuse(vdev, -EINVAL,
					       "hot reset: its user did not prove to own %s, which is reset with it",
					       pci_name(cur->pdev));
	return 0;
}

static int must_be_in_set(struct pci_dev *pdev, void *data)
{
	struct vfio_pci_core_device *vdev = data;

	if (vfio_find_device_in_devset(vdev->vdev.dev_set, &pdev->dev))
		return 0;
	return vfio_pci_refuse(vdev, -EINVAL,
			       "hot reset: %s is reset with it; bind that to a vfio driver first",
			       pci_name(pdev));
}

static int hot_reset(struct vfio_pci_core_device *vdev, struct owner *owner)
{
	int ret;

	guard(mutex)(&vdev->vdev.dev_set->lock);

	ret = vfio_pci_reset_visit(vdev, must_be_in_set, vdev);
	if (!ret)
		ret = must_own_set(vdev, owner);
	if (ret)
		return ret;
	return vfio_pci_reset_set(vdev, "hot");
}

static int group_get(struct owner *owner, int fd)
{
	struct file *file = fget(fd);

	if (!file)
		return -EBADF;
	if (!vfio_file_is_group(file)) {
		fput(file);
		return -EINVAL;
	}
	owner->groups[owner->nr_groups++] = file;
	return 0;
}

static void groups_put(struct owner *owner)
{
	while (owner->nr_groups)
		fput(owner->groups[--owner->nr_groups]);
	kfree(owner->groups);
}

static int hot_reset_by_groups(struct vfio_pci_core_device *vdev,
			       const s32 *fds, unsigned int count)
{
	struct owner owner = {};
	unsigned int i;
	int ret = 0;

	owner.groups = kcalloc(count, sizeof(*owner.groups), GFP_KERNEL);
	if (!owner.groups)
		return -ENOMEM;

	for (i = 0; i < count && !ret; i++)
		ret = group_get(&owner, fds[i]);
	if (!ret)
		ret = hot_reset(vdev, &owner);

	groups_put(&owner);
	return ret;
}

int vfio_pci_reset_hot(struct vfio_pci_core_device *vdev,
		       struct vfio_pci_hot_reset __user *arg)
{
	struct vfio_pci_hot_reset hdr;
	struct owner owner = {};
	unsigned int max = 0;
	s32 *fds;
	int ret;

	if (copy_from_user(&hdr, arg, sizeof(hdr)))
		return -EFAULT;
	if (hdr.argsz < sizeof(hdr) || hdr.flags)
		return -EINVAL;
	if (!hdr.count != vfio_device_cdev_opened(&vdev->vdev))
		return vfio_pci_malformed(vdev,
					  "%u groups for a device opened by %s",
					  hdr.count,
					  hdr.count ? "itself" : "its group");

	ret = vfio_pci_reset_visit(vdev, count_one, &max);
	if (ret)
		return ret;
	if (!hdr.count)
		return hot_reset(vdev, &owner);
	if (hdr.count > max)
		return vfio_pci_malformed(vdev, "%u groups for %u devices",
					  hdr.count, max);

	fds = memdup_array_user(arg->group_fds, hdr.count, sizeof(*fds));
	if (IS_ERR(fds))
		return PTR_ERR(fds);
	ret = hot_reset_by_groups(vdev, fds, hdr.count);
	kfree(fds);
	return ret;
}
