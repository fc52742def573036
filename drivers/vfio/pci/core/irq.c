// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_SET_IRQS: one table of [index][action]. Everything below runs
 * under igate, and every row checks its arguments before it changes anything.
 *
 * One of INTx, MSI and MSI-X can be enabled at a time, as on the device itself;
 * vdev->irq_type says which. ERR and REQ are notifications that go with any.
 */
#include <linux/bitfield.h>
#include <linux/bitops.h>
#include <linux/eventfd.h>
#include <linux/log2.h>
#include <linux/nospec.h>
#include <linux/pci.h>
#include <linux/vfio.h>

#include <trace/events/vfio_pci.h>

#include "priv.h"

/**
 * struct irq_args - arguments of VFIO_DEVICE_SET_IRQS
 * @index: VFIO_PCI_*_IRQ_INDEX
 * @start: first vector
 * @count: vectors
 * @type: exactly one of VFIO_IRQ_SET_DATA_*
 * @data: @count elements of that type
 */
struct irq_args {
	unsigned int	index;
	unsigned int	start;
	unsigned int	count;
	u32		type;
	const void	*data;
};

typedef int (*irq_action)(struct vfio_pci_core_device *vdev,
			  const struct irq_args *args);

static bool irq_enabled(struct vfio_pci_core_device *vdev, unsigned int index)
{
	return vdev->irq_type == index;
}

static bool irq_available(struct vfio_pci_core_device *vdev, unsigned int index)
{
	return irq_enabled(vdev, index) ||
	       irq_enabled(vdev, VFIO_PCI_NUM_IRQS);
}

/* Of the vectors named, does the @i-th count; all do if there is no data */
static bool irq_selected(const struct irq_args *args, unsigned int i)
{
	const u8 *bools = args->data;

	return args->type == VFIO_IRQ_SET_DATA_NONE || bools[i];
}

static s32 irq_fd(const struct irq_args *args)
{
	const s32 *fds = args->data;

	return fds[0];
}

static struct eventfd_ctx *irq_eventfd(s32 fd)
{
	return fd < 0 ? NULL : eventfd_ctx_fdget(fd);
}

static int intx_check(struct vfio_pci_core_device *vdev,
		      const struct irq_args *args)
{
	if (!irq_enabled(vdev, VFIO_PCI_INTX_IRQ_INDEX))
		return vfio_pci_malformed(vdev, "INTx is not enabled");
	if (args->start || args->count != 1)
		return vfio_pci_malformed(vdev, "INTx has one vector");
	return 0;
}

static int intx_mask(struct vfio_pci_core_device *vdev,
		     const struct irq_args *args)
{
	int ret = intx_check(vdev, args);

	if (ret)
		return ret;
	if (args->type == VFIO_IRQ_SET_DATA_EVENTFD)
		return -ENOTTY;
	if (irq_selected(args, 0))
		vfio_pci_intx_user_mask(vdev);
	return 0;
}

static int intx_unmask(struct vfio_pci_core_device *vdev,
		       const struct irq_args *args)
{
	int ret = intx_check(vdev, args);

	if (ret)
		return ret;
	if (args->type == VFIO_IRQ_SET_DATA_EVENTFD)
		return vfio_pci_intx_set_unmask_fd(vdev, irq_fd(args));
	if (irq_selected(args, 0))
		vfio_pci_intx_user_unmask(vdev);
	return 0;
}

static int intx_set_trigger(struct vfio_pci_core_device *vdev,
			    const struct irq_args *args)
{
	struct eventfd_ctx *trigger;

	if (!irq_available(vdev, VFIO_PCI_INTX_IRQ_INDEX))
		return vfio_pci_malformed(vdev, "INTx while another interrupt type is enabled");
	if (args->start || args->count != 1)
		return vfio_pci_malformed(vdev, "INTx has one vector");

	trigger = irq_eventfd(irq_fd(args));
	if (IS_ERR(trigger))
		return PTR_ERR(trigger);
	return vfio_pci_intx_set_trigger(vdev, trigger);
}

static int intx_trigger(struct vfio_pci_core_device *vdev,
			const struct irq_args *args)
{
	int ret;

	if (args->type == VFIO_IRQ_SET_DATA_EVENTFD)
		return intx_set_trigger(vdev, args);

	if (args->type == VFIO_IRQ_SET_DATA_NONE && !args->count &&
	    irq_enabled(vdev, VFIO_PCI_INTX_IRQ_INDEX)) {
		vfio_pci_intx_disable(vdev);
		return 0;
	}

	ret = intx_check(vdev, args);
	if (ret)
		return ret;
	if (irq_selected(args, 0))
		vfio_pci_intx_loopback(vdev);
	return 0;
}

static int msi_trigger(struct vfio_pci_core_device *vdev,
		       const struct irq_args *args)
{
	unsigned int i;

	if (!irq_available(vdev, args->index))
		return vfio_pci_malformed(vdev, "MSI while another interrupt type is enabled");
	if (args->type == VFIO_IRQ_SET_DATA_EVENTFD)
		return vfio_pci_msi_set_block(vdev, args->index, args->start,
					      args->count, args->data);

	if (!irq_enabled(vdev, args->index))
		return vfio_pci_malformed(vdev, "MSI is not enabled");
	if (args->type == VFIO_IRQ_SET_DATA_NONE && !args->count) {
		vfio_pci_msi_disable(vdev);
		return 0;
	}

	for (i = 0; i < args->count; i++)
		if (irq_selected(args, i))
			vfio_pci_msi_loopback(vdev, args->start + i);
	return 0;
}

static int event_set_fd(struct vfio_pci_core_device *vdev,
			struct vfio_pci_eventfd __rcu **slot, s32 fd)
{
	struct eventfd_ctx *ctx;

	if (fd < -1)
		return vfio_pci_malformed(vdev, "no such file descriptor as %d", fd);

	ctx = irq_eventfd(fd);
	if (IS_ERR(ctx))
		return PTR_ERR(ctx);
	return vfio_pci_event_set(vdev, slot, ctx);
}

/* ERR and REQ: a slot, to be filled, emptied or tried out */
static int event_trigger(struct vfio_pci_core_device *vdev,
			 struct vfio_pci_eventfd __rcu **slot,
			 const struct irq_args *args)
{
	if (args->start || args->count > 1)
		return vfio_pci_malformed(vdev, "ERR and REQ have one vector");

	if (args->type == VFIO_IRQ_SET_DATA_NONE) {
		if (!rcu_access_pointer(*slot))
			return vfio_pci_malformed(vdev, "no eventfd is set");
		if (!args->count)
			return vfio_pci_event_set(vdev, slot, NULL);
		vfio_pci_event_signal(slot);
		return 0;
	}

	if (!args->count)
		return vfio_pci_malformed(vdev, "data of no vector");
	if (args->type == VFIO_IRQ_SET_DATA_EVENTFD)
		return event_set_fd(vdev, slot, irq_fd(args));
	if (irq_selected(args, 0))
		vfio_pci_event_signal(slot);
	return 0;
}

static int err_trigger(struct vfio_pci_core_device *vdev,
		       const struct irq_args *args)
{
	if (!pci_is_pcie(vdev->pdev))
		return -ENOTTY;
	return event_trigger(vdev, &vdev->priv->err_trigger, args);
}

static int req_trigger(struct vfio_pci_core_device *vdev,
		       const struct irq_args *args)
{
	return event_trigger(vdev, &vdev->priv->req_trigger, args);
}

/* Position of an action's bit among the actions */
#define ACTION(name)	(const_ilog2(VFIO_IRQ_SET_ACTION_##name) -	\
			 const_ilog2(VFIO_IRQ_SET_ACTION_MASK))
#define MASK		ACTION(MASK)
#define UNMASK		ACTION(UNMASK)
#define TRIGGER		ACTION(TRIGGER)

static const irq_action irq_actions[VFIO_PCI_NUM_IRQS][TRIGGER + 1] = {
	[VFIO_PCI_INTX_IRQ_INDEX] = {
		[MASK]		= intx_mask,
		[UNMASK]	= intx_unmask,
		[TRIGGER]	= intx_trigger,
	},
	[VFIO_PCI_MSI_IRQ_INDEX] = {
		[TRIGGER]	= msi_trigger,
	},
	[VFIO_PCI_MSIX_IRQ_INDEX] = {
		[TRIGGER]	= msi_trigger,
	},
	[VFIO_PCI_ERR_IRQ_INDEX] = {
		[TRIGGER]	= err_trigger,
	},
	[VFIO_PCI_REQ_IRQ_INDEX] = {
		[TRIGGER]	= req_trigger,
	},
};

static irq_action irq_lookup(unsigned int index, u32 flags)
{
	u32 bit = flags & VFIO_IRQ_SET_ACTION_TYPE_MASK;
	unsigned int action;

	if (hweight32(bit) != 1)
		return NULL;
	action = array_index_nospec(__ffs(bit / VFIO_IRQ_SET_ACTION_MASK),
				    TRIGGER + 1);
	index = array_index_nospec(index, VFIO_PCI_NUM_IRQS);
	return irq_actions[index][action];
}

/**
 * vfio_pci_irq_count() - how many vectors an index has
 * @vdev: device
 * @index: VFIO_PCI_*_IRQ_INDEX; others have none
 *
 * What INTx has is what the virtual config space says: it hides the pin where
 * INTx cannot work.
 *
 * Context: process context, the device is open; igate is not held.
 * Return: the number of vectors.
 */
unsigned int vfio_pci_irq_count(struct vfio_pci_core_device *vdev,
				unsigned int index)
{
	switch (index) {
	case VFIO_PCI_INTX_IRQ_INDEX:
		return !!vfio_pci_cfg_byte(vdev, PCI_INTERRUPT_PIN);
	case VFIO_PCI_MSI_IRQ_INDEX:
		return vdev->priv->msi_count;
	case VFIO_PCI_MSIX_IRQ_INDEX:
		return vdev->priv->msix_count;
	case VFIO_PCI_ERR_IRQ_INDEX:
		return pci_is_pcie(vdev->pdev);
	case VFIO_PCI_REQ_IRQ_INDEX:
		return 1;
	default:
		return 0;
	}
}

/*
 * vfio.ko has compared @args with the number of vectors and the size of the
 * data. What would be an access out of bounds here is checked here as well.
 */
static int irq_args_check(struct vfio_pci_core_device *vdev,
			  const struct irq_args *args)
{
	unsigned int max;

	if (args->index >= VFIO_PCI_NUM_IRQS)
		return vfio_pci_malformed(vdev, "no interrupt index %u",
					  args->index);
	if (hweight32(args->type) != 1)
		return vfio_pci_malformed(vdev, "not one type of interrupt data");

	max = vfio_pci_irq_count(vdev, args->index);
	if (args->start > max || args->count > max - args->start)
		return vfio_pci_malformed(vdev, "vectors %u+%u of %u",
					  args->start, args->count, max);
	if (args->type != VFIO_IRQ_SET_DATA_NONE && args->count && !args->data)
		return vfio_pci_malformed(vdev, "no interrupt data");
	return 0;
}

/**
 * vfio_pci_irqs_set() - VFIO_DEVICE_SET_IRQS
 * @vdev: device
 * @set: copy of what the user passed
 * @data: copy of the data that followed it, @set->count elements
 *
 * Context: process context; takes igate and, for MSI and MSI-X, memory_lock.
 * Return: 0; how many vectors can be had, if more were to be enabled; -EINVAL
 * for arguments out of range or out of order; -ENOTTY for an action that the
 * index does not have; -EBADF for a bad file descriptor, -EINVAL if it is no
 * eventfd; -EBUSY for a second unmask eventfd or an interrupt line in use;
 * -ENODEV if INTx is not connected; -ENOMEM; or what the interrupt core says.
 */
int vfio_pci_irqs_set(struct vfio_pci_core_device *vdev,
		      const struct vfio_irq_set *set, const void *data)
{
	struct irq_args args = {
		.index = set->index,
		.start = set->start,
		.count = set->count,
		.type = set->flags & VFIO_IRQ_SET_DATA_TYPE_MASK,
		.data = data,
	};
	irq_action action;
	int ret;

	ret = irq_args_check(vdev, &args);
	if (ret)
		return ret;

	action = irq_lookup(args.index, set->flags);
	if (!action) {
		vfio_pci_note_refusal(vdev, NULL, -ENOTTY,
				      "interrupt index %u has no action %#x",
				      args.index, set->flags);
		return -ENOTTY;
	}

	scoped_guard(mutex, &vdev->priv->igate)
		ret = action(vdev, &args);

	trace_vfio_pci_irq_set(vdev->pdev, args.index, set->flags, args.start,
			       args.count, ret);
	return ret;
}

static void msi_open(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_core_priv *priv = vdev->priv;
	struct pci_dev *pdev = vdev->pdev;
	u16 flags;

	priv->msi_count = 0;
	if (!pdev->msi_cap)
		return;

	/* Multiple Message Capable; values above 32 vectors are reserved */
	pci_read_config_word(pdev, pdev->msi_cap + PCI_MSI_FLAGS, &flags);
	priv->msi_count = 1 << min(FIELD_GET(PCI_MSI_FLAGS_QMASK, flags), 5);
}

static void msix_open(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_core_priv *priv = vdev->priv;
	struct pci_dev *pdev = vdev->pdev;
	unsigned int bar;
	u32 table;
	u16 flags;

	priv->msix_count = 0;
	priv->msix_bar = 0xff;
	priv->has_dyn_msix = false;
	if (!pdev->msix_cap)
		return;

	pci_read_config_word(pdev, pdev->msix_cap + PCI_MSIX_FLAGS, &flags);
	pci_read_config_dword(pdev, pdev->msix_cap + PCI_MSIX_TABLE, &table);

	bar = FIELD_GET(PCI_MSIX_TABLE_BIR, table);
	if (bar >= PCI_STD_NUM_BARS) {
		pci_warn(pdev, "MSI-X table in BAR %u, which cannot be: no MSI-X\n",
			 bar);
		return;
	}

	priv->msix_bar = bar;
	priv->msix_offset = table & PCI_MSIX_TABLE_OFFSET;
	priv->msix_count = FIELD_GET(PCI_MSIX_FLAGS_QSIZE, flags) + 1;
	priv->msix_size = priv->msix_count * PCI_MSIX_ENTRY_SIZE;
	priv->has_dyn_msix = pci_msix_can_alloc_dyn(pdev);
}

/*
 * Reads once what does not change while the device is open. The virtual config
 * space is there already: it knows the DisINTx that the user starts with.
 */
void vfio_pci_irqs_open(struct vfio_pci_core_device *vdev)
{
	u8 command_hi = vfio_pci_cfg_byte(vdev, PCI_COMMAND + 1);

	msi_open(vdev);
	msix_open(vdev);
	vfio_pci_intx_user_disable(vdev,
				   command_hi & (PCI_COMMAND_INTX_DISABLE >> 8));
	scoped_guard(rwsem_write, &vdev->memory_lock)
		vfio_pci_intx_resync(vdev);
}

void vfio_pci_irqs_close(struct vfio_pci_core_device *vdev)
{
	guard(mutex)(&vdev->priv->igate);

	switch (vdev->irq_type) {
	case VFIO_PCI_INTX_IRQ_INDEX:
		return vfio_pci_intx_disable(vdev);
	case VFIO_PCI_MSI_IRQ_INDEX:
	case VFIO_PCI_MSIX_IRQ_INDEX:
		return vfio_pci_msi_disable(vdev);
	}
}
