// SPDX-License-Identifier: GPL-2.0-only
/*
 * Resets of one function, and of all that share a slot or a bus with it.
 */

/**
 * DOC: waiting for the memory locks of a device set
 *
 * A hot reset takes the memory of many devices out of reach at once. It holds
 * dev_set->lock and then takes every memory_lock of the set for writing, in
 * the order of the set's list, and waits for each as long as it takes. That
 * cannot deadlock:
 *
 * - Only here does anybody hold more than one memory_lock, and dev_set->lock
 *   lets one task in at a time. Other sets have other locks.
 * - Whoever holds a memory_lock, to read or to write, lets go of it without
 *   waiting for dev_set->lock, for another memory_lock or for a runtime PM
 *   transition, and without touching user memory, hence without mmap_lock.
 *   Our runtime PM references are therefore taken before the first lock.
 * - A fault handler holds mmap_lock while it waits for a memory_lock that we
 *   hold; nothing we do until we drop it needs mmap_lock, the zap included.
 *   The same is true of cfg_lock and igate, below which memory_lock is taken:
 *   neither is needed between here and the end of the reset.
 *
 * pci_reset_bus() only tries the locks of the PCI devices below, because the
 * unbinding of a device holds its lock while it waits for our user to close.
 */
#include <linux/pm_runtime.h>

#include <trace/events/vfio_pci.h>

#include "priv.h"

/* ---- what a hot reset takes along --------------------------------------- */

struct walk {
	struct pci_slot	*slot;	/* NULL: everything below the bus */
	int		(*fn)(struct pci_dev *pdev, void *data);
	void		*data;
	int		ret;
};

static bool below_slot(struct pci_dev *pdev, struct pci_slot *slot)
{
	while (pdev && pdev->bus != slot->bus)
		pdev = pdev->bus->self;
	return pdev && pdev->slot == slot;
}

static int visit(struct pci_dev *pdev, void *data)
{
	struct walk *walk = data;

	if (walk->slot && !below_slot(pdev, walk->slot))
		return 0;
	walk->ret = walk->fn(pdev, walk->data);
	return walk->ret;
}

/*
 * Calls @fn for every function that pci_reset_bus() would reset, until one
 * returns an error. The slot comes first, as it does there.
 */
int vfio_pci_reset_visit(struct vfio_pci_core_device *vdev,
			 int (*fn)(struct pci_dev *pdev, void *data),
			 void *data)
{
	struct walk walk = { .fn = fn, .data = data };
	struct pci_dev *pdev = vdev->pdev;

	if (!pci_probe_reset_slot(pdev->slot))
		walk.slot = pdev->slot;
	else if (pci_probe_reset_bus(pdev->bus))
		return -ENODEV;

	pci_walk_bus(pdev->bus, visit, &walk);
	return walk.ret;
}

/* ---- the function alone --------------------------------------------------- */

/*
 * Resets @pdev by @fn. Without an FLR and alone on its bus, that may be a reset of the
 * bridge's secondary bus, for which the PCI core wants the bridge locked. Neighbours
 * get no such reset, nor do virtual functions, and both open at once. Only trying:
 * whoever removes the bridge waits for our user to close.
 */
static int reset_below_bridge(struct pci_dev *pdev, int (*fn)(struct pci_dev *pdev))
{
	struct pci_dev *bridge = NULL;
	int ret;

	if (!pdev->is_virtfn && list_is_singular(&pdev->bus->devices) &&
	    pcie_reset_flr(pdev, PCI_RESET_PROBE))
		bridge = pci_upstream_bridge(pdev);
	if (bridge && !pci_dev_trylock(bridge))
		return -EAGAIN;

	ret = fn(pdev);
	if (bridge)
		pci_dev_unlock(bridge);
	return ret;
}

/*
 * A device that does not answer cannot be brought to D0, and a reset is what
 * may help it. So the result does not matter; the PCI core logs it.
 */
static void wake_for_reset(struct vfio_pci_core_device *vdev)
{
	__vfio_pci_power_set(vdev, PCI_D0);
}

int vfio_pci_reset_function(struct vfio_pci_core_device *vdev)
{
	int ret;

	if (!vdev->priv->reset_works)
		return vfio_pci_malformed(vdev, "no way to reset this function alone");

	guard(vfio_pci_revoked)(vdev);
	wake_for_reset(vdev);
	ret = reset_below_bridge(vdev->pdev, pci_try_reset_function);
	vfio_pci_intx_resync(vdev);
	trace_vfio_pci_reset(vdev->pdev, "function", ret);
	return ret;
}

/*
 * A reset reads the state, resets, and writes it back. What it read is then
 * what the function holds and need not be read again, which would be half the
 * config accesses of an open. It is read here if there is no reset, or if the
 * function did not answer when the reset wanted to.
 *
 * The reset then writes back what it did not read: the mark that tells is in
 * the place of the ids, which cannot be written, and are not 0. With the lock
 * held nobody else saves or restores.
 */
static int reset_and_save(struct pci_dev *pdev)
{
	u32 *id = &pdev->saved_config_space[PCI_VENDOR_ID / 4];
	int ret;

	if (!pci_dev_trylock(pdev))
		return -EAGAIN;

	*id = 0;
	ret = pci_reset_function_locked(pdev);
	if (!ret && *id)
		pdev->state_saved = true;
	else
		pci_save_state(pdev);
	pci_dev_unlock(pdev);
	return ret;
}

/*
 * Forgets the last owner, and remembers the state to come back to, which
 * vfio_pci_reset_at_close() does.
 */
int vfio_pci_reset_at_open(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_core_priv *priv = vdev->priv;
	int ret;

	ret = reset_below_bridge(vdev->pdev, reset_and_save);
	if (ret == -EAGAIN)
		return vfio_pci_refuse(vdev, ret,
				       "somebody else is busy with the function; try again");

	priv->reset_works = !ret;
	priv->saved_state = pci_store_saved_state(vdev->pdev);
	return priv->saved_state ? 0 : -ENOMEM;
}

/*
 * Only trying, because an unbind holds the lock of the device and waits for
 * our user to close.
 */
static int try_reset_only(struct pci_dev *pdev)
{
	int ret;

	if (!pci_dev_trylock(pdev))
		return -EAGAIN;
	ret = __pci_reset_function_locked(pdev);
	pci_dev_unlock(pdev);
	return ret;
}

/* For who holds the device lock, as an unbind does */
static int reset_in_unbind(struct pci_dev *pdev)
{
	int ret;

	pci_cfg_access_lock(pdev);
	ret = pci_reset_function_locked(pdev);
	pci_cfg_access_unlock(pdev);
	return ret;
}

/*
 * The close that an unbind waited for could not reset the function, because
 * the unbind holds its lock. It still does, but nobody uses the function now:
 * whoever drives it next is not to find what the user left in it.
 *
 * Without dev_set->lock: nobody opens it any more, and to reset it once more
 * after the last close of a neighbour did does no harm.
 */
void vfio_pci_reset_at_unregister(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	int ret;

	device_lock_assert(&pdev->dev);

	if (!READ_ONCE(vdev->priv->needs_reset) || !pci_device_is_present(pdev))
		return;
	ret = reset_below_bridge(pdev, reset_in_unbind);
	trace_vfio_pci_reset(pdev, "unbind", ret);
}

/*
 * Puts the function back as the open found it, and resets it on the way, so
 * that nothing of this user's is left for the next. If the reset fails,
 * needs_reset stays for vfio_pci_reset_dev_set() to see.
 */
void vfio_pci_reset_at_close(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_core_priv *priv = vdev->priv;
	struct pci_dev *pdev = vdev->pdev;
	int ret = -ENOTTY;

	lockdep_assert_held(&vdev->vdev.dev_set->lock);

	/* Without a state from before, the present one has to do */
	if (!priv->saved_state ||
	    pci_load_and_free_saved_state(pdev, &priv->saved_state))
		pci_save_state(pdev);

	/* No decoding, no DMA, no interrupt line: quiet, reset or no reset */
	pci_write_config_word(pdev, PCI_COMMAND, PCI_COMMAND_INTX_DISABLE);
	if (priv->reset_works)
		ret = reset_below_bridge(pdev, try_reset_only);
	pci_restore_state(pdev);

	priv->needs_reset = ret;
	trace_vfio_pci_reset(pdev, "close", ret);
}

/* ---- the device set ------------------------------------------------------- */

static void set_power_put(struct vfio_device_set *dev_set)
{
	struct vfio_pci_core_device *cur;

	vfio_pci_for_each_in_set(cur, dev_set)
		pm_runtime_put(&cur->pdev->dev);
}

/* A device that sleeps does not survive the reset of its bus unharmed */
static int set_power_get(struct vfio_device_set *dev_set)
{
	struct vfio_pci_core_device *cur;
	int ret;

	vfio_pci_for_each_in_set(cur, dev_set) {
		ret = pm_runtime_resume_and_get(&cur->pdev->dev);
		if (ret)
			goto err_put;
	}
	return 0;

err_put:
	list_for_each_entry_continue_reverse(cur, &dev_set->device_list,
					     vdev.dev_set_list)
		pm_runtime_put(&cur->pdev->dev);
	return ret;
}

static void set_revoke(struct vfio_device_set *dev_set)
{
	struct vfio_pci_core_device *cur;

	vfio_pci_for_each_in_set(cur, dev_set) {
		down_write_nest_lock(&cur->memory_lock, &dev_set->lock);
		vfio_pci_memory_zap(cur);
	}
}

static void set_restore(struct vfio_device_set *dev_set)
{
	struct vfio_pci_core_device *cur;

	list_for_each_entry_reverse(cur, &dev_set->device_list,
				    vdev.dev_set_list) {
		vfio_pci_intx_resync(cur);
		vfio_pci_memory_restore(cur);
	}
}

/*
 * The caller holds dev_set->lock, and has made sure that the set covers all
 * that is affected. @scope is for the trace.
 */
int vfio_pci_reset_set(struct vfio_pci_core_device *vdev, const char *scope)
{
	struct vfio_device_set *dev_set = vdev->vdev.dev_set;
	struct vfio_pci_core_device *cur;
	int ret;

	lockdep_assert_held(&dev_set->lock);

	ret = set_power_get(dev_set);
	if (ret)
		return ret;

	set_revoke(dev_set);
	vfio_pci_for_each_in_set(cur, dev_set)
		wake_for_reset(cur);
	ret = pci_reset_bus(vdev->pdev);
	set_restore(dev_set);

	set_power_put(dev_set);
	trace_vfio_pci_reset(vdev->pdev, scope, ret);
	return ret;
}

static int must_be_idle_in_set(struct pci_dev *pdev, void *data)
{
	struct vfio_pci_core_device *vdev = data;

	/* The reset of a PF takes its VFs away from their users */
	if (pci_num_vf(pdev))
		return -EBUSY;
	if (!vfio_find_device_in_devset(vdev->vdev.dev_set, &pdev->dev))
		return -EINVAL;
	return 0;
}

static bool set_needs_reset(struct vfio_device_set *dev_set)
{
	struct vfio_pci_core_device *cur;

	vfio_pci_for_each_in_set(cur, dev_set)
		if (cur->priv->needs_reset)
			return true;
	return false;
}

/*
 * On last close: functions that cannot be reset alone are reset together,
 * once nobody uses any. The device being closed still counts as open.
 */
void vfio_pci_reset_dev_set(struct vfio_pci_core_device *vdev)
{
	struct vfio_device_set *dev_set = vdev->vdev.dev_set;
	struct vfio_pci_core_device *cur;

	lockdep_assert_held(&dev_set->lock);

	if (!set_needs_reset(dev_set) ||
	    vfio_device_set_open_count(dev_set) > 1 ||
	    vfio_pci_reset_visit(vdev, must_be_idle_in_set, vdev) ||
	    vfio_pci_reset_set(vdev, "set"))
		return;

	vfio_pci_for_each_in_set(cur, dev_set)
		cur->priv->needs_reset = false;
}

/*
 * Devices that can only be reset together share a set, and with it a lock
 * around open and close. A VF is reset alone, and so is what sits on a root
 * bus, for which there is no bridge to reset: both keep to themselves, and
 * open in parallel.
 */
int vfio_pci_reset_assign_set(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;
	void *id = pdev->bus;

	if (pdev->is_virtfn || pci_is_root_bus(pdev->bus))
		id = vdev;
	else if (!pci_probe_reset_slot(pdev->slot))
		id = pdev->slot;
	return vfio_assign_device_set(&vdev->vdev, id);
}

/* ---- after an error of the bus -------------------------------------------- */

/*
 * What is put back may be as old as the open, and the user has gone on since.
 * The caller holds pci_bus_sem, which a reset takes below memory_lock: so this
 * only tries. If it fails the user is resetting the device, or about to learn
 * that it has to.
 */
static void catch_up(struct vfio_pci_core_device *vdev)
{
	if (!vdev->priv->saved_state || !down_write_trylock(&vdev->memory_lock))
		return;
	vfio_pci_decode_resync(vdev);
	vfio_pci_intx_resync(vdev);
	up_write(&vdev->memory_lock);
}

/*
 * The link went through a reset, so the function has neither addresses nor a
 * payload size, and a payload size that differs from its port's makes malformed
 * packets of good ones. What was saved last, at the latest when the device was
 * opened, is right for both. What the device was doing is lost; the user, who
 * has been told, has to reset it or let go of it.
 *
 * The PCI core calls this as well if it was a neighbour that asked for a reset,
 * and then there was none.
 *
 * Older kernels restore what they saved only once, and a reset since then was
 * that once; newer ones restore zeros if they never saved, which the ids tell.
 */
static pci_ers_result_t slot_reset(struct pci_dev *pdev)
{
	struct vfio_pci_core_device *vdev = dev_get_drvdata(&pdev->dev);

	if (!pci_device_is_present(pdev))
		return PCI_ERS_RESULT_DISCONNECT;

	if (vdev->priv->link_lost &&
	    pdev->saved_config_space[PCI_VENDOR_ID / 4]) {
		pdev->state_saved = true;
		pci_restore_state(pdev);
		catch_up(vdev);
	}
	return PCI_ERS_RESULT_RECOVERED;
}

/*
 * Bus error handling for thin drivers, for struct pci_driver.err_handler. One
 * with handlers of its own calls vfio_pci_core_aer_err_detected() from them.
 */
const struct pci_error_handlers vfio_pci_core_err_handlers = {
	.error_detected	= vfio_pci_core_aer_err_detected,
	.slot_reset	= slot_reset,
};
EXPORT_SYMBOL_GPL(vfio_pci_core_err_handlers);
