// SPDX-License-Identifier: GPL-2.0-only
/*
 * INTx: one level-triggered line, to be masked before the handler returns and
 * until the user, who alone can make the device stop asserting it, says so.
 *
 * The line is masked in one of two ways, chosen when INTx is enabled:
 *
 *   shared     DisINTx works (PCI 2.3: PCI_COMMAND_INTX_DISABLE and
 *              PCI_STATUS_INTERRUPT). The device is masked, other devices on
 *              the line are not affected.
 *   exclusive  It does not, or nointxmask says not to rely on it. The line
 *              itself is disabled, so nobody else may be on it.
 *
 * State, all of it under irqlock:
 *
 *   active         there is a handler, and eventfds may be signalled
 *   masked         this is what hardware was told; the line of an inactive
 *                  device counts as masked
 *   virq_disabled  the user set DisINTx in the virtual COMMAND register
 *   suspended      runtime PM has the device, which cannot be talked to
 *
 *   event                               effect
 *   ---------------------------------   ------------------------------------
 *   enable                              active; then as "unmask"
 *   interrupt, !masked                  masked, signal
 *   interrupt, masked                   not ours
 *   mask: ioctl, DisINTx set            masked
 *   unmask: ioctl, irqfd, DisINTx       if active && masked && !virq_disabled:
 *     cleared                           !masked; but if the device (shared)
 *                                       still asserts, masked and signal
 *   suspend                             suspended, masked
 *   unmask (irqfd) while suspended      remembered
 *   unmask (irqfd) by an interrupt      as "unmask", but by the irqfd's thread
 *                                       and not if "mask: ioctl" comes first
 *   resume                              !suspended; as "unmask" if that was
 *                                       remembered or suspend did the masking
 *   loopback                            signal, if active && !virq_disabled
 *   new trigger                         none on the mask
 *   disable                             !active, masked, for good
 *
 * Hence virq_disabled or suspended implies masked while active, an exclusive
 * line has been disabled exactly as often as it has been enabled, and nothing is
 * lost: the line is a level, and unmasking samples it.
 *
 * irqlock, not igate, guards the state because it is changed from interrupts,
 * from eventfd wakeups (the unmask irqfd), and by suspend, resume and config
 * writes, whose locks don't go together with igate. igate serialises enabling,
 * disabling and setting eventfds against each other.
 *
 * No eventfd is signalled under irqlock: its waiters are called on the spot, and
 * one of them may be our own unmask irqfd. Nor from a wakeup, since eventfds do
 * not nest: the irqfd leaves that to its thread. The trigger is RCU protected,
 * and this state is part of the device and so never goes away: whoever is late
 * finds an inactive INTx or no trigger, not freed memory.
 *
 * Hardware can stray from "masked" when the device is reset: behind our back by
 * something the user did to it, or because an interrupt came while its state
 * was saved. A handler that finds the bit clear although masked sets it; for the
 * other direction there is vfio_pci_intx_resync().
 */
#include <linux/eventfd.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/pci.h>
#include <linux/vfio.h>

#include "priv.h"

static void intx_mask_hw(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_intx *intx = &vdev->priv->intx;

	if (intx->shared)
		pci_intx(vdev->pdev, 0);
	else
		disable_irq_nosync(intx->irq);
	intx->masked = true;
}

/* Returns true if the device still asserts its line: then it stays masked */
static bool intx_unmask_hw(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_intx *intx = &vdev->priv->intx;

	if (intx->shared) {
		if (!pci_check_and_unmask_intx(vdev->pdev))
			return true;
	} else {
		enable_irq(intx->irq);
	}
	intx->masked = false;
	return false;
}

/* Returns true if the caller has to signal the user, once irqlock is dropped */
static bool __intx_unmask(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_core_priv *priv = vdev->priv;
	struct vfio_pci_intx *intx = &priv->intx;

	lockdep_assert_held(&priv->irqlock);

	if (!intx->active || !intx->masked || priv->virq_disabled)
		return false;
	if (intx->suspended) {
		intx->resume_unmask = true;
		return false;
	}
	return intx_unmask_hw(vdev);
}

/* Returns whether this call masked it */
static bool __intx_mask(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_intx *intx = &vdev->priv->intx;

	lockdep_assert_held(&vdev->priv->irqlock);

	if (!intx->active || intx->masked)
		return false;
	intx_mask_hw(vdev);
	return true;
}

/* A masked device whose DisINTx got lost is told again, if it can answer */
static bool intx_remask(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_intx *intx = &vdev->priv->intx;
	struct pci_dev *pdev = vdev->pdev;
	u16 cmd;

	if (!intx->shared || intx->suspended || pdev->current_state != PCI_D0)
		return false;
	pci_read_config_word(pdev, PCI_COMMAND, &cmd);
	if (cmd & PCI_COMMAND_INTX_DISABLE)
		return false;
	return pci_check_and_mask_intx(pdev);
}

static irqreturn_t intx_handler(int irq, void *dev_id)
{
	struct vfio_pci_core_device *vdev = dev_id;
	struct vfio_pci_core_priv *priv = vdev->priv;
	struct vfio_pci_intx *intx = &priv->intx;

	scoped_guard(spinlock_irqsave, &priv->irqlock) {
		if (!intx->active)
			return IRQ_NONE;
		if (intx->masked)
			return IRQ_RETVAL(intx_remask(vdev));
		if (!intx->shared)
			disable_irq_nosync(intx->irq);
		else if (!pci_check_and_mask_intx(vdev->pdev))
			return IRQ_NONE;
		intx->masked = true;
	}

	vfio_pci_event_signal(&intx->trigger);
	return IRQ_HANDLED;
}

/*
 * Safe to call late, after INTx went away or its trigger was exchanged. While
 * DisINTx is set the virtual line is silent.
 */
void vfio_pci_intx_loopback(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_core_priv *priv = vdev->priv;

	scoped_guard(spinlock_irqsave, &priv->irqlock) {
		if (!priv->intx.active || priv->virq_disabled)
			return;
	}

	vfio_pci_event_signal(&priv->intx.trigger);
}

/*
 * pci_intx() reads COMMAND and writes it back; unlike the checks of the PCI core
 * it would undo what the user writes to it in between, memory decode included.
 * So those who may race with such a write keep it out by memory_lock.
 */
void vfio_pci_intx_user_mask(struct vfio_pci_core_device *vdev)
{
	guard(rwsem_read)(&vdev->memory_lock);
	scoped_guard(spinlock_irqsave, &vdev->priv->irqlock) {
		vdev->priv->intx.unmask_late = false;
		__intx_mask(vdev);
	}
}

void vfio_pci_intx_user_unmask(struct vfio_pci_core_device *vdev)
{
	bool pending;

	scoped_guard(spinlock_irqsave, &vdev->priv->irqlock)
		pending = __intx_unmask(vdev);

	if (pending)
		vfio_pci_intx_loopback(vdev);
}

/*
 * For suspend: other devices' interrupts on the line must not make the handler
 * ask ours, nor an unmask irqfd write to it. Returns whether resume has to call
 * vfio_pci_intx_unmask().
 */
bool vfio_pci_intx_mask(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_intx *intx = &vdev->priv->intx;
	bool active;

	scoped_guard(spinlock_irqsave, &vdev->priv->irqlock) {
		active = intx->active;
		if (active) {
			intx->suspended = true;
			intx->resume_unmask = __intx_mask(vdev);
		}
	}
	return active;
}

/* For resume, once the device is in D0 and its config space restored */
void vfio_pci_intx_unmask(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_intx *intx = &vdev->priv->intx;
	bool pending = false;

	scoped_guard(spinlock_irqsave, &vdev->priv->irqlock) {
		intx->suspended = false;
		if (intx->resume_unmask)
			pending = __intx_unmask(vdev);
		intx->resume_unmask = false;
	}

	if (pending)
		vfio_pci_intx_loopback(vdev);
}

/* The user's view of COMMAND.INTX_DISABLE; remembered whatever is enabled */
void vfio_pci_intx_user_disable(struct vfio_pci_core_device *vdev, bool disable)
{
	struct vfio_pci_core_priv *priv = vdev->priv;

	scoped_guard(spinlock_irqsave, &priv->irqlock) {
		if (priv->virq_disabled == disable)
			return;
		priv->virq_disabled = disable;
		if (disable)
			__intx_mask(vdev);
	}

	if (!disable)
		vfio_pci_intx_user_unmask(vdev);
}

/* There are devices whose MSI does not work with DisINTx set */
static bool msi_hates_disintx(struct pci_dev *pdev)
{
	return (pdev->msi_enabled || pdev->msix_enabled) &&
	       pdev->dev_flags & PCI_DEV_FLAGS_MSI_INTX_DISABLE_BUG;
}

/*
 * For whoever has opened or reset the function, or written a COMMAND register
 * that was read some time before: DisINTx as it ought to be. Without a handler
 * the device must not assert a line that it may share with the host's; a closed
 * device is left alone.
 */
void vfio_pci_intx_resync(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_core_priv *priv = vdev->priv;
	struct vfio_pci_intx *intx = &priv->intx;

	lockdep_assert_held_write(&vdev->memory_lock);

	scoped_guard(spinlock_irqsave, &priv->irqlock) {
		if (intx->active && intx->shared)
			pci_intx(vdev->pdev, !intx->masked);
		else if (!intx->active && priv->saved_state &&
			 (priv->pci_2_3 || priv->nointx))
			pci_intx(vdev->pdev, msi_hates_disintx(vdev->pdev));
	}
}

/*
 * In the wakeup of the user's eventfd, interrupts off. The user may have made it
 * the eventfd of an interrupt, even of this one: a line that is still asserted
 * and gets unmasked in its own handler would never let the processor go.
 */
static int unmask_wakeup(void *opaque, void *unused)
{
	struct vfio_pci_core_device *vdev = opaque;
	struct vfio_pci_core_priv *priv = vdev->priv;
	bool thread = in_hardirq();

	scoped_guard(spinlock_irqsave, &priv->irqlock) {
		if (thread)
			priv->intx.unmask_late = true;
		else
			thread = __intx_unmask(vdev);
	}

	return thread;
}

/* The wakeup left it to us, or found the line still asserted */
static void unmask_thread(void *opaque, void *unused)
{
	struct vfio_pci_core_device *vdev = opaque;
	struct vfio_pci_core_priv *priv = vdev->priv;
	bool late;

	scoped_guard(spinlock_irqsave, &priv->irqlock) {
		late = priv->intx.unmask_late;
		priv->intx.unmask_late = false;
	}

	if (late)
		vfio_pci_intx_user_unmask(vdev);
	else
		vfio_pci_intx_loopback(vdev);
}

/* A negative @fd removes the unmask irqfd */
int vfio_pci_intx_set_unmask_fd(struct vfio_pci_core_device *vdev, int fd)
{
	struct vfio_pci_core_priv *priv = vdev->priv;

	lockdep_assert_held(&priv->igate);

	if (fd < 0) {
		vfio_virqfd_disable(&priv->intx.unmask);
		return 0;
	}
	return vfio_virqfd_enable(vdev, unmask_wakeup, unmask_thread, NULL,
				  &priv->intx.unmask, fd);
}

/* By DisINTx, whatever the state says */
static void intx_let(struct vfio_pci_core_device *vdev, bool assert)
{
	guard(rwsem_read)(&vdev->memory_lock);
	pci_intx(vdev->pdev, assert);
}

/*
 * Silent until intx_activate(): a shared device by DisINTx, an exclusive line by
 * not being enabled with its handler, which would count as an enable too many;
 * DisINTx, which somebody may have left set, would then be in the way.
 */
static int intx_request(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_intx *intx = &vdev->priv->intx;
	unsigned long flags;
	int ret;

	if (!intx->irq || intx->irq == IRQ_NOTCONNECTED)
		return vfio_pci_refuse(vdev, -ENODEV,
				       "INTx is not routed on this machine: use MSI or MSI-X");

	/* That the line may be taken is no surprise: who asked for it is told */
	flags = IRQF_PROBE_SHARED | (intx->shared ? IRQF_SHARED : IRQF_NO_AUTOEN);
	if (intx->shared)
		intx_let(vdev, false);

	ret = request_irq(intx->irq, intx_handler, flags, intx->name, vdev);
	if (ret)
		return vfio_pci_refuse(vdev, ret,
				       "interrupt line %u cannot be had%s: see /proc/interrupts",
				       intx->irq, intx->shared ? "" :
				       " exclusively, which a device without DisINTx needs");

	/* A lazily disabled level would fire once more before it is off */
	if (!intx->shared) {
		irq_set_status_flags(intx->irq, IRQ_DISABLE_UNLAZY);
		intx_let(vdev, true);
	}
	return 0;
}

static void intx_activate(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_core_priv *priv = vdev->priv;

	WRITE_ONCE(vdev->irq_type, VFIO_PCI_INTX_IRQ_INDEX);
	scoped_guard(spinlock_irqsave, &priv->irqlock)
		priv->intx.active = true;
	vfio_pci_intx_user_unmask(vdev);
}

static int intx_enable(struct vfio_pci_core_device *vdev,
		       struct eventfd_ctx *trigger)
{
	struct vfio_pci_intx *intx = &vdev->priv->intx;
	struct pci_dev *pdev = vdev->pdev;
	int ret;

	/* Nothing but this function writes these while INTx is inactive */
	intx->irq = pdev->irq;
	intx->shared = vdev->priv->pci_2_3;
	intx->masked = true;
	intx->unmask_late = false;
	snprintf(intx->name, sizeof(intx->name), "vfio-intx(%s)",
		 pci_name(pdev));

	ret = vfio_pci_event_set(vdev, &intx->trigger, trigger);
	if (ret)
		return ret;

	ret = intx_request(vdev);
	if (ret) {
		vfio_pci_event_set(vdev, &intx->trigger, NULL);
		return ret;
	}

	intx_activate(vdev);
	return 0;
}

/*
 * The eventfd of a line that is enabled, or enables it. NULL is a line without
 * listener, not the end of it. Consumes @trigger, whatever it returns.
 */
int vfio_pci_intx_set_trigger(struct vfio_pci_core_device *vdev,
			      struct eventfd_ctx *trigger)
{
	struct vfio_pci_intx *intx = &vdev->priv->intx;

	lockdep_assert_held(&vdev->priv->igate);

	return intx->active ?
		vfio_pci_event_set(vdev, &intx->trigger, trigger) :
		intx_enable(vdev, trigger);
}

static void intx_deactivate(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_core_priv *priv = vdev->priv;

	guard(rwsem_read)(&vdev->memory_lock);
	scoped_guard(spinlock_irqsave, &priv->irqlock) {
		__intx_mask(vdev);
		priv->intx.active = false;
	}
}

/*
 * Whatever unmasks has to stop first, then the line has to be silent: a shared
 * one goes on without us, and nobody would quiet this device.
 */
void vfio_pci_intx_disable(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_core_priv *priv = vdev->priv;
	struct vfio_pci_intx *intx = &priv->intx;

	lockdep_assert_held(&priv->igate);

	vfio_virqfd_disable(&intx->unmask);
	intx_deactivate(vdev);

	if (!intx->shared)
		irq_clear_status_flags(intx->irq, IRQ_DISABLE_UNLAZY);
	free_irq(intx->irq, vdev);

	vfio_pci_event_set(vdev, &intx->trigger, NULL);
	WRITE_ONCE(vdev->irq_type, VFIO_PCI_NUM_IRQS);
}
