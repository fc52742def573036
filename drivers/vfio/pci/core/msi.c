// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSI and MSI-X: a handler and an eventfd for each vector that the user wants.
 *
 * A block of vectors is set in three steps. Prepare looks up every eventfd and
 * allocates, so that bad input fails with nothing changed. Commit does all that
 * touches the device: allocating vectors, writing the MSI-X table, masking and
 * unmasking in it; once, with the function awake and its memory decoded around
 * the whole block, since the table is in a BAR. Finish drops what is no longer
 * used and offers vectors to the IRQ bypass manager, whose consumers take locks
 * of KVM and must not meet memory_lock.
 *
 * Vectors stay allocated until MSI is disabled, even if the user wants none of
 * them at the time: other vectors could not be kept alive over a change of their
 * number. The exception is MSI-X on an interrupt domain that can add vectors one
 * by one, where more are allocated when needed, but not given back either.
 *
 * All of it under igate.
 */
#include <linux/eventfd.h>
#include <linux/interrupt.h>
#include <linux/log2.h>
#include <linux/msi.h>
#include <linux/pci.h>
#include <linux/slab.h>
#include <linux/vfio.h>

#include "priv.h"

/**
 * struct msi_ctx - a vector that the user wants
 * @trigger: eventfd that the handler signals
 * @next: what @trigger is to become, and from commit on what it was
 * @producer: IRQ bypass
 * @bypass: @producer is registered
 * @irq: Linux interrupt with our handler on it; 0 only while a block is set
 * @name: in /proc/interrupts
 */
struct msi_ctx {
	struct eventfd_ctx		*trigger;
	struct eventfd_ctx		*next;
	struct irq_bypass_producer	producer;
	bool				bypass;
	unsigned int			irq;
	char				name[48];
};

/**
 * struct msi_block - consecutive vectors that one call sets
 * @vdev: device
 * @index: VFIO_PCI_MSI_IRQ_INDEX or VFIO_PCI_MSIX_IRQ_INDEX
 * @start: first vector
 * @end: vector after the last
 * @enables: the call enabled MSI, and undoes that if it fails
 */
struct msi_block {
	struct vfio_pci_core_device	*vdev;
	unsigned int			index;
	unsigned int			start;
	unsigned int			end;
	bool				enables;
};

static irqreturn_t msi_handler(int irq, void *trigger)
{
	eventfd_signal(trigger);
	return IRQ_HANDLED;
}

static void msi_eventfd_drop(struct eventfd_ctx **ctx)
{
	if (*ctx)
		eventfd_ctx_put(*ctx);
	*ctx = NULL;
}

static struct msi_ctx *msi_ctx_obtain(struct msi_block *blk, unsigned int vector)
{
	struct vfio_pci_core_device *vdev = blk->vdev;
	struct msi_ctx *ctx;
	int ret;

	ctx = xa_load(&vdev->priv->irq_ctx, vector);
	if (ctx)
		return ctx;

	ctx = kzalloc(sizeof(*ctx), GFP_KERNEL_ACCOUNT);
	if (!ctx)
		return ERR_PTR(-ENOMEM);
	snprintf(ctx->name, sizeof(ctx->name), "vfio-msi%s[%u](%s)",
		 blk->index == VFIO_PCI_MSIX_IRQ_INDEX ? "x" : "", vector,
		 pci_name(vdev->pdev));

	ret = xa_insert(&vdev->priv->irq_ctx, vector, ctx, GFP_KERNEL_ACCOUNT);
	if (ret) {
		kfree(ctx);
		return ERR_PTR(ret);
	}
	return ctx;
}

static int msi_prepare_vector(struct msi_block *blk, unsigned int vector, s32 fd)
{
	struct eventfd_ctx *trigger;
	struct msi_ctx *ctx;

	trigger = eventfd_ctx_fdget(fd);
	if (IS_ERR(trigger))
		return PTR_ERR(trigger);

	ctx = msi_ctx_obtain(blk, vector);
	if (IS_ERR(ctx)) {
		eventfd_ctx_put(trigger);
		return PTR_ERR(ctx);
	}
	ctx->next = trigger;
	return 0;
}

static int msi_prepare(struct msi_block *blk, const s32 *fds)
{
	unsigned int vector;
	int ret;

	for (vector = blk->start; vector < blk->end; vector++) {
		s32 fd = fds[vector - blk->start];

		if (fd < 0)
			continue;
		ret = msi_prepare_vector(blk, vector, fd);
		if (ret)
			return ret;
	}
	return 0;
}

static void msi_unbypass(struct msi_ctx *ctx)
{
	if (ctx->bypass)
		irq_bypass_unregister_producer(&ctx->producer);
	ctx->bypass = false;
}

static void msi_bypass(struct vfio_pci_core_device *vdev, struct msi_ctx *ctx)
{
	int ret;

	if (ctx->bypass)
		return;
	ret = compat_irq_bypass_register(&ctx->producer, ctx->trigger, ctx->irq);
	if (ret)
		pci_info_ratelimited(vdev->pdev,
				     "%s: no IRQ bypass (%d), interrupts take the long way\n",
				     ctx->name, ret);
	ctx->bypass = !ret;
}

static void msi_uninstall(struct msi_ctx *ctx)
{
	if (ctx->irq)
		free_irq(ctx->irq, ctx->trigger);
	ctx->irq = 0;
}

static int msi_vector_irq(struct msi_block *blk, unsigned int vector)
{
	struct vfio_pci_core_device *vdev = blk->vdev;
	struct msi_map map;
	int irq;

	irq = pci_irq_vector(vdev->pdev, vector);
	if (irq > 0)
		return irq;
	if (blk->index != VFIO_PCI_MSIX_IRQ_INDEX || !vdev->priv->has_dyn_msix)
		return vfio_pci_refuse(vdev, -EINVAL,
				       "vector %u is beyond those allocated when MSI was enabled: disable it first",
				       vector);

	map = pci_msix_alloc_irq_at(vdev->pdev, vector, NULL);
	return map.index < 0 ? map.index : map.virq;
}

/*
 * A user that resets the device by means of the device's own may have wiped the
 * message of a vector that was allocated before.
 */
static void msi_rewrite_message(unsigned int irq)
{
	struct msi_msg msg;

	get_cached_msi_msg(irq, &msg);
	pci_write_msi_msg(irq, &msg);
}

static int msi_install(struct msi_block *blk, unsigned int vector,
		       struct msi_ctx *ctx)
{
	int irq, ret;

	irq = msi_vector_irq(blk, vector);
	if (irq < 0)
		return irq;

	if (!blk->enables)
		msi_rewrite_message(irq);
	ret = request_irq(irq, msi_handler, 0, ctx->name, ctx->trigger);
	if (!ret)
		ctx->irq = irq;
	return ret;
}

static int msi_switch(struct msi_block *blk)
{
	unsigned int vector;
	struct msi_ctx *ctx;
	int ret;

	for (vector = blk->start; vector < blk->end; vector++) {
		ctx = xa_load(&blk->vdev->priv->irq_ctx, vector);
		if (!ctx)
			continue;
		msi_uninstall(ctx);
		swap(ctx->trigger, ctx->next);
		if (!ctx->trigger)
			continue;
		ret = msi_install(blk, vector, ctx);
		if (ret)
			return ret;
	}
	return 0;
}

/*
 * For the time of MSI the PCI core sets DisINTx, and clears it at the end; on
 * devices whose MSI stops working with DisINTx it touches nothing. Without MSI
 * nobody handles a line of this device, so it has to be silent.
 */
static void msi_intx_silence(struct vfio_pci_core_device *vdev, bool silence)
{
	struct vfio_pci_core_priv *priv = vdev->priv;

	if (!silence && !(vdev->pdev->dev_flags & PCI_DEV_FLAGS_MSI_INTX_DISABLE_BUG))
		return;
	if (priv->pci_2_3 || priv->nointx)
		pci_intx(vdev->pdev, !silence);
}

static void msi_free_vectors(struct vfio_pci_core_device *vdev)
{
	pci_free_irq_vectors(vdev->pdev);
	msi_intx_silence(vdev, true);
	WRITE_ONCE(vdev->irq_type, VFIO_PCI_NUM_IRQS);
}

/* Returns 0, -errno, or how many vectors there are if those are too few */
static int msi_alloc_vectors(struct msi_block *blk)
{
	struct vfio_pci_core_device *vdev = blk->vdev;
	bool msix = blk->index == VFIO_PCI_MSIX_IRQ_INDEX;
	int ret;

	msi_intx_silence(vdev, false);
	ret = pci_alloc_irq_vectors(vdev->pdev, 1, blk->end,
				    msix ? PCI_IRQ_MSIX : PCI_IRQ_MSI);
	if (ret < 0) {
		msi_intx_silence(vdev, true);
		return ret;
	}
	if ((unsigned int)ret < blk->end) {
		msi_free_vectors(vdev);
		return ret;
	}

	WRITE_ONCE(vdev->irq_type, blk->index);
	/* Multiple Message Enable counts in powers of two: PCI 3.0, 6.8.1.3 */
	if (!msix)
		WRITE_ONCE(vdev->priv->msi_qmax, order_base_2(blk->end));
	return 0;
}

static void msi_undo(struct msi_block *blk)
{
	unsigned int vector;
	struct msi_ctx *ctx;

	for (vector = blk->start; vector < blk->end; vector++) {
		ctx = xa_load(&blk->vdev->priv->irq_ctx, vector);
		if (ctx)
			msi_uninstall(ctx);
	}
	if (blk->enables)
		msi_free_vectors(blk->vdev);
}

static int msi_commit(struct msi_block *blk)
{
	int ret;

	guard(vfio_pci_decode)(blk->vdev);

	if (blk->enables) {
		ret = msi_alloc_vectors(blk);
		if (ret)
			return ret;
	}
	ret = msi_switch(blk);
	if (ret)
		msi_undo(blk);
	return ret;
}

static void msi_finish(struct msi_block *blk)
{
	struct vfio_pci_core_device *vdev = blk->vdev;
	struct xarray *ctxs = &vdev->priv->irq_ctx;
	unsigned int vector;
	struct msi_ctx *ctx;

	for (vector = blk->start; vector < blk->end; vector++) {
		ctx = xa_load(ctxs, vector);
		if (!ctx)
			continue;
		msi_eventfd_drop(&ctx->next);
		if (ctx->irq) {
			msi_bypass(vdev, ctx);
			continue;
		}
		msi_eventfd_drop(&ctx->trigger);
		kfree(xa_erase(ctxs, vector));
	}
}

static void msi_unbypass_block(struct msi_block *blk)
{
	unsigned int vector;
	struct msi_ctx *ctx;

	for (vector = blk->start; vector < blk->end; vector++) {
		ctx = xa_load(&blk->vdev->priv->irq_ctx, vector);
		if (ctx)
			msi_unbypass(ctx);
	}
}

/*
 * Enables MSI or MSI-X unless it is. An @fds entry below zero takes the vector's
 * eventfd away. The vectors are within what the capability offers. Returns a
 * positive number, having enabled nothing, if only that many can be had.
 */
int vfio_pci_msi_set_block(struct vfio_pci_core_device *vdev,
			   unsigned int index, unsigned int start,
			   unsigned int count, const s32 *fds)
{
	struct msi_block blk = {
		.vdev = vdev,
		.index = index,
		.start = start,
		.end = start + count,
		.enables = vdev->irq_type != index,
	};
	int ret;

	lockdep_assert_held(&vdev->priv->igate);

	ret = msi_prepare(&blk, fds);
	if (!ret) {
		msi_unbypass_block(&blk);
		ret = msi_commit(&blk);
	}
	msi_finish(&blk);
	return ret;
}

void vfio_pci_msi_disable(struct vfio_pci_core_device *vdev)
{
	struct xarray *ctxs = &vdev->priv->irq_ctx;
	struct msi_ctx *ctx;
	unsigned long vector;

	lockdep_assert_held(&vdev->priv->igate);

	xa_for_each(ctxs, vector, ctx)
		msi_unbypass(ctx);

	scoped_guard(vfio_pci_decode, vdev) {
		xa_for_each(ctxs, vector, ctx)
			msi_uninstall(ctx);
		msi_free_vectors(vdev);
	}

	xa_for_each(ctxs, vector, ctx) {
		msi_eventfd_drop(&ctx->trigger);
		kfree(ctx);
	}
	xa_destroy(ctxs);
}

void vfio_pci_msi_loopback(struct vfio_pci_core_device *vdev, unsigned int vector)
{
	struct msi_ctx *ctx;

	lockdep_assert_held(&vdev->priv->igate);

	ctx = xa_load(&vdev->priv->irq_ctx, vector);
	if (ctx)
		eventfd_signal(ctx->trigger);
}
