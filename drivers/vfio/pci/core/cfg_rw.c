// SPDX-License-Identifier: GPL-2.0-only
/*
 * The config region: carries the user's requests to the engine, an access at a
 * time. User memory is copied through a small buffer while cfg_lock is not held:
 * a page fault must not wait for config space, nor config space for it.
 */
#include <linux/nospec.h>
#include <linux/uaccess.h>
#include <linux/unaligned.h>

#include <trace/events/vfio_pci.h>

#include "priv.h"

/* Most requests are one register; this serves dumps of the whole space */
#define BATCH	64

/* An access moves four bytes, of which it uses as many as it is wide */
#define SLACK	3

/* One access, from or to @buf: the bytes done or an errno */
static int access_one(struct vfio_pci_core_device *vdev, u8 *buf, size_t count,
		      u64 at, bool iswrite)
{
	struct vfio_cfg *cfg = &vdev->priv->cfg;
	unsigned int pos;
	u32 val = 0;
	int ret;

	if (at >= cfg->facts.size)
		return -EFAULT;
	pos = array_index_nospec((unsigned int)at, cfg->facts.size);

	if (iswrite) {
		val = get_unaligned_le32(buf);
		ret = vfio_cfg_write(cfg, pos, count, val);
	} else {
		ret = vfio_cfg_read(cfg, pos, count, &val);
		put_unaligned_le32(val, buf);
	}
	trace_vfio_pci_cfg_access(vdev->pdev, iswrite, pos,
				  ret > 0 ? ret : count, val, min(ret, 0));
	return ret;
}

/* As many accesses as it takes: the bytes done, or an errno if there are none */
static ssize_t access_all(struct vfio_pci_core_device *vdev, u8 *buf,
			  size_t count, u64 pos, bool iswrite)
{
	size_t done = 0;
	int ret = 0;

	guard(mutex)(&vdev->priv->cfg_lock);
	while (done < count) {
		ret = access_one(vdev, buf + done, count - done, pos + done,
				 iswrite);
		if (ret < 0)
			break;
		done += ret;
	}
	return done ? done : ret;
}

/*
 * The usual widths as constants: hardening looks up the object behind any other
 * number of bytes, which costs as much as the access.
 */
static unsigned long from_user(u8 *to, const char __user *from, size_t len)
{
	switch (len) {
	case 1:
		return copy_from_user(to, from, 1);
	case 2:
		return copy_from_user(to, from, 2);
	case 4:
		return copy_from_user(to, from, 4);
	default:
		return copy_from_user(to, from, len);
	}
}

static unsigned long to_user(char __user *to, const u8 *from, size_t len)
{
	switch (len) {
	case 1:
		return copy_to_user(to, from, 1);
	case 2:
		return copy_to_user(to, from, 2);
	case 4:
		return copy_to_user(to, from, 4);
	default:
		return copy_to_user(to, from, len);
	}
}

static ssize_t batch_rw(struct vfio_pci_core_device *vdev, char __user *buf,
			size_t count, u64 pos, bool iswrite)
{
	u8 bounce[BATCH + SLACK];
	ssize_t done;

	count = min_t(size_t, count, BATCH);
	if (iswrite && from_user(bounce, buf, count))
		return -EFAULT;

	done = access_all(vdev, bounce, count, pos, iswrite);
	if (!iswrite && done > 0 && to_user(buf, bounce, done))
		return -EFAULT;

	return done;
}

/**
 * vfio_pci_cfg_rw() - read or write the config region
 * @vdev: device
 * @buf: the user's buffer
 * @count: its bytes
 * @ppos: offset in the device file; advanced by the bytes done
 * @iswrite: write
 *
 * A request that runs over the end is refused as a whole, before anything is
 * done. What was done before something else went wrong stays done and is counted.
 *
 * Context: Process context; takes cfg_lock and whatever the registers need.
 * Return: the bytes done; -EFAULT for a request that is not all in the config
 * space; or, if nothing was done, -EFAULT outside the user's memory or the errno
 * of the config access.
 */
ssize_t vfio_pci_cfg_rw(struct vfio_pci_core_device *vdev, char __user *buf,
			size_t count, loff_t *ppos, bool iswrite)
{
	u64 pos = *ppos & VFIO_PCI_OFFSET_MASK;
	size_t size = vdev->priv->cfg.facts.size;
	ssize_t ret = 0;
	size_t done = 0;

	if (pos >= size || count > size - pos)
		return count ? -EFAULT : 0;

	while (done < count) {
		ret = batch_rw(vdev, buf + done, count - done, pos + done,
			       iswrite);
		if (ret <= 0)
			break;
		done += ret;
	}
	*ppos += done;

	return done ? done : ret;
}

/**
 * vfio_pci_config_rw_single() - one access to the config region
 * @vdev: device
 * @buf: the user's buffer
 * @count: its bytes
 * @ppos: offset in the device file; not advanced
 * @iswrite: write
 *
 * For drivers that handle some registers themselves and hand on the others:
 * does the widest aligned access, of 4 bytes at most, that the request starts
 * with and that stays inside one capability.
 *
 * Context: Process context, device open; takes cfg_lock and whatever the
 * register needs.
 * Return: the bytes done, 0 if @count is 0, -EFAULT outside the config space or
 * the user's memory, or the errno of the config access.
 */
ssize_t vfio_pci_config_rw_single(struct vfio_pci_core_device *vdev,
				  char __user *buf, size_t count, loff_t *ppos,
				  bool iswrite)
{
	u64 pos = *ppos & VFIO_PCI_OFFSET_MASK;
	struct vfio_cfg *cfg = &vdev->priv->cfg;
	unsigned int len = 0;

	scoped_guard(mutex, &vdev->priv->cfg_lock) {
		if (pos < cfg->facts.size) {
			pos = array_index_nospec(pos, cfg->facts.size);
			len = vfio_cfg_chunk(cfg, pos, count);
		}
	}

	if (!len)
		return count ? -EFAULT : 0;

	return batch_rw(vdev, buf, len, pos, iswrite);
}
EXPORT_SYMBOL_GPL(vfio_pci_config_rw_single);
