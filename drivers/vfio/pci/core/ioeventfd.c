// SPDX-License-Identifier: GPL-2.0-only
/*
 * Eventfds that write to the device: a virtual machine's doorbell goes there
 * without waking up its monitor.
 *
 * A kick arrives in the wakeup of the eventfd, with interrupts off, and in nearly
 * all cases does the write right there. Only if somebody holds memory_lock for
 * writing is it left to the thread of the virqfd, which can wait for the lock.
 */
#include <linux/hashtable.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/jhash.h>
#include <linux/nospec.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/vfio.h>

#include "priv.h"

/* Each holds kernel memory and an eventfd; guests use one per queue */
#define IOEVENTFD_MAX	1000
#define IOEVENTFD_BITS	8

/**
 * struct ioeventfd_key - what identifies an ioeventfd to the user
 * @pos: position in the BAR
 * @data: value to write
 * @bar: number of the BAR
 * @width: 1, 2, 4 or 8 bytes
 */
struct ioeventfd_key {
	u64	pos;
	u64	data;
	u32	bar;
	u32	width;
};

/**
 * struct vfio_pci_ioeventfd - an eventfd and the write it stands for
 * @node: in the device's table
 * @vdev: device
 * @virqfd: the waiter; goes away by itself when the eventfd is closed
 * @addr: where to write
 * @key: what to write
 * @is_mem: the BAR is memory, which may be disabled
 */
struct vfio_pci_ioeventfd {
	struct hlist_node		node;
	struct vfio_pci_core_device	*vdev;
	struct virqfd			*virqfd;
	void __iomem			*addr;
	struct ioeventfd_key		key;
	bool				is_mem;
};

/**
 * struct vfio_pci_ioeventfds - all of a device's, under ioeventfds_lock
 * @count: how many
 * @table: by hash of the key
 */
struct vfio_pci_ioeventfds {
	unsigned int	count;
	DECLARE_HASHTABLE(table, IOEVENTFD_BITS);
};

/* @locked: the caller holds memory_lock and knows that memory is enabled */
static void ioeventfd_write(struct vfio_pci_ioeventfd *io, bool locked)
{
	struct vfio_pci_core_device *vdev = io->vdev;
	bool test_mem = io->is_mem && !locked;

	switch (io->key.width) {
	case 1:
		vfio_pci_core_iowrite8(vdev, test_mem, io->key.data, io->addr);
		break;
	case 2:
		vfio_pci_core_iowrite16(vdev, test_mem, io->key.data, io->addr);
		break;
	case 4:
		vfio_pci_core_iowrite32(vdev, test_mem, io->key.data, io->addr);
		break;
	case 8:
		vfio_pci_core_iowrite64(vdev, test_mem, io->key.data, io->addr);
		break;
	}
}

/* A kick of a device whose memory is off is lost, as it would be on a bus */
static int ioeventfd_wakeup(void *opaque, void *unused)
{
	struct vfio_pci_ioeventfd *io = opaque;
	struct vfio_pci_core_device *vdev = io->vdev;

	if (io->is_mem && !down_read_trylock(&vdev->memory_lock))
		return 1;
	if (!io->is_mem || __vfio_pci_memory_enabled(vdev))
		ioeventfd_write(io, true);
	if (io->is_mem)
		up_read(&vdev->memory_lock);
	return 0;
}

static void ioeventfd_thread(void *opaque, void *unused)
{
	ioeventfd_write(opaque, false);
}

static int ioeventfd_check(struct vfio_pci_core_device *vdev,
			   const struct ioeventfd_key *key)
{
	struct vfio_pci_core_priv *priv = vdev->priv;
	u64 table_end = (u64)priv->msix_offset + priv->msix_size;
	u64 len = pci_resource_len(vdev->pdev, key->bar);

	if (key->pos >= len || key->width > len - key->pos)
		return vfio_pci_malformed(vdev, "ioeventfd: %#llx+%u is outside BAR %u",
					  key->pos, key->width, key->bar);
	/* Some CPUs raise a fault on it, and it would be the host's */
	if (!IS_ALIGNED(key->pos, key->width))
		return vfio_pci_malformed(vdev, "ioeventfd: %#llx is not aligned to %u bytes",
					  key->pos, key->width);
	if (key->bar == priv->msix_bar && key->pos < table_end &&
	    key->pos + key->width > priv->msix_offset)
		return vfio_pci_malformed(vdev, "ioeventfd: %#llx is in the MSI-X table",
					  key->pos);
	return 0;
}

static u32 ioeventfd_hash(const struct ioeventfd_key *key)
{
	BUILD_BUG_ON(sizeof(*key) % sizeof(u32));
	return jhash2((const u32 *)key, sizeof(*key) / sizeof(u32), 0);
}

static struct vfio_pci_ioeventfd *ioeventfd_find(struct vfio_pci_ioeventfds *all,
						 const struct ioeventfd_key *key)
{
	struct vfio_pci_ioeventfd *io;

	hash_for_each_possible(all->table, io, node, ioeventfd_hash(key))
		if (!memcmp(&io->key, key, sizeof(*key)))
			return io;
	return NULL;
}

/* A write that is on its way has reached the device when this returns */
static void ioeventfd_del(struct vfio_pci_ioeventfds *all,
			  struct vfio_pci_ioeventfd *io)
{
	vfio_virqfd_disable(&io->virqfd);
	hash_del(&io->node);
	all->count--;
	kfree(io);
}

static int ioeventfd_add(struct vfio_pci_core_device *vdev,
			 const struct ioeventfd_key *key, int fd)
{
	struct vfio_pci_ioeventfds *all = vdev->priv->ioeventfds;
	struct vfio_pci_ioeventfd *io;
	int ret;

	if (all->count >= IOEVENTFD_MAX)
		return vfio_pci_refuse(vdev, -ENOSPC,
				       "more than %u ioeventfds", IOEVENTFD_MAX);

	io = kzalloc(sizeof(*io), GFP_KERNEL_ACCOUNT);
	if (!io)
		return -ENOMEM;
	io->vdev = vdev;
	io->addr = vdev->barmap[key->bar] + key->pos;
	io->key = *key;
	io->is_mem = pci_resource_flags(vdev->pdev, key->bar) & IORESOURCE_MEM;

	ret = vfio_virqfd_enable(io, ioeventfd_wakeup, ioeventfd_thread, NULL,
				 &io->virqfd, fd);
	if (ret) {
		kfree(io);
		return ret;
	}
	hash_add(all->table, &io->node, ioeventfd_hash(key));
	all->count++;
	return 0;
}

static int ioeventfds_alloc(struct vfio_pci_core_priv *priv)
{
	if (priv->ioeventfds)
		return 0;
	priv->ioeventfds = kzalloc(sizeof(*priv->ioeventfds), GFP_KERNEL_ACCOUNT);
	return priv->ioeventfds ? 0 : -ENOMEM;
}

/* Adds @key, or removes it if @fd is negative */
static int ioeventfd_change(struct vfio_pci_core_device *vdev,
			    const struct ioeventfd_key *key, int fd)
{
	struct vfio_pci_core_priv *priv = vdev->priv;
	struct vfio_pci_ioeventfd *io;
	int ret;

	guard(mutex)(&priv->ioeventfds_lock);

	ret = ioeventfds_alloc(priv);
	if (ret)
		return ret;

	io = ioeventfd_find(priv->ioeventfds, key);
	if (io && fd >= 0)
		return -EEXIST;
	if (io) {
		ioeventfd_del(priv->ioeventfds, io);
		return 0;
	}
	return fd < 0 ? -ENODEV : ioeventfd_add(vdev, key, fd);
}

/**
 * vfio_pci_ioeventfd_set() - VFIO_DEVICE_IOEVENTFD
 * @vdev: device
 * @offset: in the device's file, in one of BAR 0-5
 * @data: value to write there
 * @width: bytes of it: 1, 2, 4 or 8
 * @fd: eventfd that triggers the write; negative to remove it
 *
 * Context: process context; takes bar_lock and ioeventfds_lock.
 * Return: 0; -EINVAL for another region, a place outside the BAR, unaligned or
 * in the MSI-X table, or if @fd is no eventfd; -EEXIST if it is set already;
 * -ENODEV if there is none to remove; -ENOSPC for too many; -EBADF; -EBUSY if
 * the BAR belongs to somebody else; -ENOMEM.
 */
int vfio_pci_ioeventfd_set(struct vfio_pci_core_device *vdev, u64 offset,
			   u64 data, unsigned int width, int fd)
{
	struct ioeventfd_key key = {
		.pos = offset & VFIO_PCI_OFFSET_MASK,
		.data = data,
		.width = width,
	};
	u64 index = VFIO_PCI_OFFSET_TO_INDEX(offset);
	int ret;

	if (index >= PCI_STD_NUM_BARS)
		return vfio_pci_malformed(vdev, "ioeventfd: region %llu is no BAR",
					  index);
	key.bar = index;
	key.bar = array_index_nospec(key.bar, PCI_STD_NUM_BARS);

	ret = ioeventfd_check(vdev, &key);
	if (ret)
		return ret;
	if (fd >= 0)
		ret = vfio_pci_core_setup_barmap(vdev, key.bar);
	return ret ?: ioeventfd_change(vdev, &key, fd);
}

void vfio_pci_ioeventfds_close(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_core_priv *priv = vdev->priv;
	struct vfio_pci_ioeventfd *io;
	struct hlist_node *next;
	unsigned int bucket;

	guard(mutex)(&priv->ioeventfds_lock);

	if (!priv->ioeventfds)
		return;
	hash_for_each_safe(priv->ioeventfds->table, bucket, next, io, node)
		ioeventfd_del(priv->ioeventfds, io);
	kfree(priv->ioeventfds);
	priv->ioeventfds = NULL;
}
