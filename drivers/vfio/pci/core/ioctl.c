// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls of the device file: one table and one way in and out. A handler
 * sees checked arguments in kernel memory and fills in the answer; sizes, the
 * capability chain and all copying are dealt with here.
 */
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vfio.h>

#include "priv.h"

/**
 * union ioctl_arg - the fixed part of an argument
 * @hdr: what all begin with
 * @hdr.argsz: bytes that the user provides
 * @hdr.flags: meaning depends on the ioctl
 * @device: VFIO_DEVICE_GET_INFO
 * @region: VFIO_DEVICE_GET_REGION_INFO
 * @irq: VFIO_DEVICE_GET_IRQ_INFO
 * @irq_set: VFIO_DEVICE_SET_IRQS
 * @ioeventfd: VFIO_DEVICE_IOEVENTFD
 */
union ioctl_arg {
	struct {
		u32	argsz;
		u32	flags;
	} hdr;
	struct vfio_device_info		device;
	struct vfio_region_info		region;
	struct vfio_irq_info		irq;
	struct vfio_irq_set		irq_set;
	struct vfio_device_ioeventfd	ioeventfd;
};

/**
 * struct ioctl_op - a row of the table
 * @cmd: the ioctl
 * @minsz: bytes that are copied in, a multiple of four, and the least argsz; 0 if
 *	@run does that
 * @size: bytes of the structure with all its extensions; 0 if nothing goes out
 * @caps_flag: flag that says that a capability chain exists; 0 if none can
 * @caps_offset: where in the structure its offset is reported
 * @info: fill in @arg and append to @caps, which is freed for it
 * @run: do something; @uarg is the argument in user space
 */
struct ioctl_op {
	unsigned int	cmd;
	u16		minsz;
	u16		size;
	u32		caps_flag;
	u16		caps_offset;
	int		(*info)(struct vfio_pci_core_device *vdev,
				union ioctl_arg *arg,
				struct vfio_info_cap *caps);
	int		(*run)(struct vfio_pci_core_device *vdev,
			       union ioctl_arg *arg, void __user *uarg);
};

static int get_info(struct vfio_pci_core_device *vdev, union ioctl_arg *arg,
		    struct vfio_info_cap *caps)
{
	return vfio_pci_info_device(vdev, &arg->device, caps);
}

static int get_region_info(struct vfio_pci_core_device *vdev,
			   union ioctl_arg *arg, struct vfio_info_cap *caps)
{
	return vfio_pci_ioctl_get_region_info(&vdev->vdev, &arg->region, caps);
}

static int get_irq_info(struct vfio_pci_core_device *vdev,
			union ioctl_arg *arg, struct vfio_info_cap *caps)
{
	return vfio_pci_info_irq(vdev, &arg->irq);
}

static int set_irqs(struct vfio_pci_core_device *vdev, union ioctl_arg *arg,
		    void __user *uarg)
{
	struct vfio_irq_set *set = &arg->irq_set;
	unsigned int index = set->index;
	void *data = NULL;
	size_t size = 0;
	int ret;

	if (index >= VFIO_PCI_NUM_IRQS)
		return vfio_pci_malformed(vdev, "interrupt index %u does not exist",
					  index);
	index = array_index_nospec(index, VFIO_PCI_NUM_IRQS);

	ret = vfio_set_irqs_validate_and_prepare(set,
						 vfio_pci_irq_count(vdev, index),
						 VFIO_PCI_NUM_IRQS, &size);
	if (ret)
		return ret;

	if (size) {
		data = memdup_user(uarg + offsetof(struct vfio_irq_set, data),
				   size);
		if (IS_ERR(data))
			return PTR_ERR(data);
	}

	ret = vfio_pci_irqs_set(vdev, set, data);
	kfree(data);
	return ret;
}

static int reset(struct vfio_pci_core_device *vdev, union ioctl_arg *arg,
		 void __user *uarg)
{
	return vfio_pci_reset_function(vdev);
}

static int hot_reset_info(struct vfio_pci_core_device *vdev,
			  union ioctl_arg *arg, void __user *uarg)
{
	return vfio_pci_reset_hot_info(vdev, uarg);
}

static int hot_reset(struct vfio_pci_core_device *vdev, union ioctl_arg *arg,
		     void __user *uarg)
{
	return vfio_pci_reset_hot(vdev, uarg);
}

/* The flag of each width is that width in bytes */
static int set_ioeventfd(struct vfio_pci_core_device *vdev,
			 union ioctl_arg *arg, void __user *uarg)
{
	const struct vfio_device_ioeventfd *req = &arg->ioeventfd;
	u32 width = req->flags & VFIO_DEVICE_IOEVENTFD_SIZE_MASK;

	if (req->flags != width || hweight32(width) != 1)
		return vfio_pci_malformed(vdev, "ioeventfd: flags %#x are not one width",
					  req->flags);
	if (req->fd < -1)
		return vfio_pci_malformed(vdev, "ioeventfd: no such file descriptor as %d",
					  req->fd);

	return vfio_pci_ioeventfd_set(vdev, req->offset, req->data, width,
				      req->fd);
}

#define NR(cmd)	(_IOC_NR(cmd) - VFIO_BASE)

static const struct ioctl_op ioctl_ops[] = {
	[NR(VFIO_DEVICE_GET_INFO)] = {
		.cmd = VFIO_DEVICE_GET_INFO,
		.minsz = offsetofend(struct vfio_device_info, num_irqs),
		.size = sizeof(struct vfio_device_info),
		.caps_flag = VFIO_DEVICE_FLAGS_CAPS,
		.caps_offset = offsetof(struct vfio_device_info, cap_offset),
		.info = get_info,
	},
	/* Newer vfio.ko asks vfio_pci_ioctl_get_region_info() directly */
	[NR(VFIO_DEVICE_GET_REGION_INFO)] = {
		.cmd = VFIO_DEVICE_GET_REGION_INFO,
		.minsz = offsetofend(struct vfio_region_info, offset),
		.size = sizeof(struct vfio_region_info),
		.caps_flag = VFIO_REGION_INFO_FLAG_CAPS,
		.caps_offset = offsetof(struct vfio_region_info, cap_offset),
		.info = get_region_info,
	},
	[NR(VFIO_DEVICE_GET_IRQ_INFO)] = {
		.cmd = VFIO_DEVICE_GET_IRQ_INFO,
		.minsz = offsetofend(struct vfio_irq_info, count),
		.size = sizeof(struct vfio_irq_info),
		.info = get_irq_info,
	},
	[NR(VFIO_DEVICE_SET_IRQS)] = {
		.cmd = VFIO_DEVICE_SET_IRQS,
		.minsz = offsetofend(struct vfio_irq_set, count),
		.run = set_irqs,
	},
	[NR(VFIO_DEVICE_RESET)] = {
		.cmd = VFIO_DEVICE_RESET,
		.run = reset,
	},
	[NR(VFIO_DEVICE_GET_PCI_HOT_RESET_INFO)] = {
		.cmd = VFIO_DEVICE_GET_PCI_HOT_RESET_INFO,
		.run = hot_reset_info,
	},
	[NR(VFIO_DEVICE_PCI_HOT_RESET)] = {
		.cmd = VFIO_DEVICE_PCI_HOT_RESET,
		.run = hot_reset,
	},
	[NR(VFIO_DEVICE_IOEVENTFD)] = {
		.cmd = VFIO_DEVICE_IOEVENTFD,
		.minsz = offsetofend(struct vfio_device_ioeventfd, fd),
		.run = set_ioeventfd,
	},
};

static const struct ioctl_op *find_op(unsigned int cmd)
{
	const struct ioctl_op *op;
	unsigned int nr = NR(cmd);

	if (nr >= ARRAY_SIZE(ioctl_ops))
		return NULL;

	op = &ioctl_ops[array_index_nospec(nr, ARRAY_SIZE(ioctl_ops))];
	return op->cmd == cmd ? op : NULL;
}

/*
 * Sizes come from the table and are no constants to the compiler. Hardening would
 * look up the object behind each copy by copy_from_user() or copy_to_user(), which
 * takes longer than the rest of the ioctl.
 */
static int words_in(u32 *to, const u32 __user *from, size_t size)
{
	if (!user_read_access_begin(from, size))
		return -EFAULT;
	for (; size; size -= sizeof(*to), to++, from++)
		unsafe_get_user(*to, from, fault);
	user_read_access_end();
	return 0;

fault:
	user_read_access_end();
	return -EFAULT;
}

static int bytes_out(void __user *to, const void *from, size_t size)
{
	if (!user_write_access_begin(to, size))
		return -EFAULT;
	unsafe_copy_to_user(to, from, size, fault);
	user_write_access_end();
	return 0;

fault:
	user_write_access_end();
	return -EFAULT;
}

static int copy_in(struct vfio_pci_core_device *vdev, const struct ioctl_op *op,
		   union ioctl_arg *arg, void __user *uarg)
{
	if (!op->minsz)
		return 0;
	if (words_in((u32 *)arg, uarg, op->minsz))
		return -EFAULT;
	if (arg->hdr.argsz < op->minsz)
		return vfio_pci_malformed(vdev, "ioctl %#x: argsz %u is below %u",
					  op->cmd, arg->hdr.argsz, op->minsz);
	return 0;
}

/*
 * The chain goes right after the structure. If the user left no room for it,
 * argsz says how much is needed, and the offset stays 0.
 */
static int copy_caps(const struct ioctl_op *op, union ioctl_arg *arg,
		     struct vfio_info_cap *caps, void __user *uarg)
{
	u32 *offset = (void *)arg + op->caps_offset;

	arg->hdr.flags |= op->caps_flag;
	*offset = 0;
	if (arg->hdr.argsz < op->size + caps->size) {
		arg->hdr.argsz = op->size + caps->size;
		return 0;
	}

	vfio_info_cap_shift(caps, op->size);
	if (copy_to_user(uarg + op->size, caps->buf, caps->size))
		return -EFAULT;
	*offset = op->size;
	return 0;
}

/* An old program may know only the beginning of the structure */
static int run_info(struct vfio_pci_core_device *vdev, const struct ioctl_op *op,
		    union ioctl_arg *arg, void __user *uarg)
{
	u32 size = min_t(u32, arg->hdr.argsz, op->size);
	struct vfio_info_cap caps = { };
	int ret;

	ret = op->info(vdev, arg, &caps);
	if (ret)
		goto out;

	if (caps.size) {
		ret = copy_caps(op, arg, &caps, uarg);
		if (ret)
			goto out;
	}
	ret = bytes_out(uarg, arg, size);
out:
	kfree(caps.buf);
	return ret;
}

/**
 * vfio_pci_core_ioctl() - .ioctl of a thin driver
 * @core_vdev: the device, open
 * @cmd: VFIO_DEVICE_*
 * @arg: address of the argument in user space
 *
 * Context: Process context; may sleep. vfio.ko holds a runtime PM reference.
 * Return:
 * * 0 - done; VFIO_DEVICE_SET_IRQS may return how many vectors there are to be
 *   had when it was asked for more
 * * -ENOTTY - not an ioctl of a PCI device
 * * -EFAULT - the argument cannot be read or written
 * * -EINVAL - argsz is too small, or a field makes no sense
 * * other - as the ioctl says
 */
long vfio_pci_core_ioctl(struct vfio_device *core_vdev, unsigned int cmd,
			 unsigned long arg)
{
	struct vfio_pci_core_device *vdev = to_vfio_pci(core_vdev);
	void __user *uarg = (void __user *)arg;
	const struct ioctl_op *op = find_op(cmd);
	union ioctl_arg karg = { };
	int ret;

	if (!op)
		return -ENOTTY;

	ret = copy_in(vdev, op, &karg, uarg);
	if (ret)
		return ret;

	if (op->info)
		return run_info(vdev, op, &karg, uarg);
	return op->run(vdev, &karg, uarg);
}
EXPORT_SYMBOL_GPL(vfio_pci_core_ioctl);
