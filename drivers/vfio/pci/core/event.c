// SPDX-License-Identifier: GPL-2.0-only
/*
 * Eventfds that are signalled without a lock, and the two notifications that
 * reach the user this way: "the bus reported an error" and "please let go of the
 * device".
 *
 * Whoever signals holds no lock of ours. The PCI core reports errors with
 * pci_bus_sem held, which a hot reset takes below memory_lock, which setting up
 * MSI-X takes below igate: taking igate here would close the circle. So the
 * slots are RCU protected; igate is for those who change them.
 */
#include <linux/pci.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "priv.h"

static void event_free(struct rcu_head *rcu)
{
	struct vfio_pci_eventfd *event;

	event = container_of(rcu, struct vfio_pci_eventfd, rcu);
	eventfd_ctx_put(event->ctx);
	kfree(event);
}

/*
 * Takes @ctx over even if it fails, for want of memory; NULL empties the slot,
 * which cannot fail. Who signals may meet the old eventfd for a grace period.
 */
int vfio_pci_event_set(struct vfio_pci_core_device *vdev,
		       struct vfio_pci_eventfd __rcu **slot,
		       struct eventfd_ctx *ctx)
{
	struct mutex *igate = &vdev->priv->igate;
	struct vfio_pci_eventfd *new = NULL;
	struct vfio_pci_eventfd *old;

	lockdep_assert_held(igate);

	if (ctx) {
		new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);
		if (!new) {
			eventfd_ctx_put(ctx);
			return -ENOMEM;
		}
		new->ctx = ctx;
	}

	old = rcu_replace_pointer(*slot, new, lockdep_is_held(igate));
	if (old)
		call_rcu(&old->rcu, event_free);
	return 0;
}

/* Any context but an eventfd's wakeup. False: nobody listens. */
bool vfio_pci_event_signal(struct vfio_pci_eventfd __rcu **slot)
{
	struct vfio_pci_eventfd *event;

	guard(rcu)();
	event = rcu_dereference(*slot);
	if (event)
		eventfd_signal(event->ctx);
	return event;
}

void vfio_pci_events_close(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_core_priv *priv = vdev->priv;

	guard(mutex)(&priv->igate);
	vfio_pci_event_set(vdev, &priv->err_trigger, NULL);
	vfio_pci_event_set(vdev, &priv->req_trigger, NULL);
}

/**
 * vfio_pci_core_request() - ask the user to release the device
 * @core_vdev: device
 * @count: how often it has been asked before
 *
 * For struct vfio_device_ops.request. vfio repeats it until the last file is
 * closed, because the device is being unbound.
 *
 * Context: process context, no locks of the library held.
 */
void vfio_pci_core_request(struct vfio_device *core_vdev, unsigned int count)
{
	struct vfio_pci_core_device *vdev = to_vfio_pci(core_vdev);

	if (!vfio_pci_event_signal(&vdev->priv->req_trigger)) {
		if (!count)
			pci_warn(vdev->pdev,
				 "cannot be released: its user registered no request eventfd; stop the program that has it open\n");
		return;
	}
	if (!(count % 10))
		pci_notice(vdev->pdev,
			   "its user was asked to release it (request %u)\n",
			   count + 1);
}
EXPORT_SYMBOL_GPL(vfio_pci_core_request);

/**
 * vfio_pci_core_aer_err_detected() - pass a bus error on to the user
 * @pdev: function; its driver data is the struct vfio_pci_core_device
 * @state: what became of the channel to it
 *
 * For struct pci_error_handlers.error_detected. The driver of the device is the
 * user's, so this one can neither diagnose nor reinitialise it. Whatever the
 * state, the user is told through VFIO_PCI_ERR_IRQ_INDEX; the answer to the PCI
 * core (Documentation/PCI/pci-error-recovery.rst) only says what is true of the
 * function itself:
 *
 * - the channel works (a non-fatal error): nothing of it was lost, recovery may
 *   go on without a reset that the user did not ask for;
 * - the channel is frozen: the link is reset whatever is answered here, and the
 *   configuration goes with it. Asking for the reset is what makes the core
 *   call .slot_reset afterwards, where that is put back;
 * - the channel is gone for good: so is the device.
 *
 * Context: process context, pci_bus_sem and the device's lock held.
 * Return: PCI_ERS_RESULT_CAN_RECOVER, PCI_ERS_RESULT_NEED_RESET or
 * PCI_ERS_RESULT_DISCONNECT, in that order.
 */
pci_ers_result_t vfio_pci_core_aer_err_detected(struct pci_dev *pdev,
						pci_channel_state_t state)
{
	struct vfio_pci_core_device *vdev = dev_get_drvdata(&pdev->dev);

	vdev->priv->link_lost = state == pci_channel_io_frozen;
	if (!vfio_pci_event_signal(&vdev->priv->err_trigger))
		pci_dbg(pdev, "bus error, and no error eventfd registered\n");

	switch (state) {
	case pci_channel_io_normal:
		return PCI_ERS_RESULT_CAN_RECOVER;
	case pci_channel_io_frozen:
		return PCI_ERS_RESULT_NEED_RESET;
	default:
		return PCI_ERS_RESULT_DISCONNECT;
	}
}
EXPORT_SYMBOL_GPL(vfio_pci_core_aer_err_detected);
