// SPDX-License-Identifier: GPL-2.0-only
/*
 * Power: the low power features and runtime PM. What it takes to change the
 * state of a function is in state.c.
 */

/**
 * DOC: who holds a runtime PM reference
 *
 * A bound device that nobody uses holds none, so that the PM core may suspend
 * it; a device with the disable_idle_d3 policy keeps the one of its probe
 * instead. An open device holds exactly one. Low power entry drops it and low
 * power exit takes it back; pm_runtime_engaged says which of the two came last,
 * which is why either may be asked for twice.
 */

/**
 * DOC: low power ends without memory_lock
 *
 * Recovery from a bus error resumes devices with pci_bus_sem held, which a reset
 * takes below memory_lock: so runtime resume must not take that. It need not.
 * Fault handlers rely on low power not to begin while they hold memory_lock;
 * when it ends they refuse for a moment what they might grant. So the entry
 * takes memory_lock and pm_lock, the exit and the wake-up only pm_lock.
 */
#include <linux/pm_runtime.h>

#include <trace/events/vfio_pci.h>

#include "priv.h"

/*
 * PCI PM 1.2, 3.2.4: without No_Soft_Reset the way from D3hot to D0 is a reset
 * of the function, and what config space held is for software to put back.
 */
static bool loses_state(struct pci_dev *pdev)
{
	u16 pmcsr;

	if (!pdev->pm_cap)
		return false;
	pci_read_config_word(pdev, pdev->pm_cap + PCI_PM_CTRL, &pmcsr);
	return !(pmcsr & PCI_PM_CTRL_NO_SOFT_RESET);
}

/* ---- low power, the user's -------------------------------------------- */

/* Takes over @wake unless it fails */
static int low_power_begin(struct vfio_pci_core_device *vdev,
			   struct eventfd_ctx *wake)
{
	guard(rwsem_write)(&vdev->memory_lock);
	scoped_guard(spinlock, &vdev->priv->pm_lock) {
		if (vdev->pm_runtime_engaged)
			return vfio_pci_malformed(vdev, "already in low power");

		WRITE_ONCE(vdev->pm_runtime_engaged, true);
		vdev->priv->pm_wake_eventfd = wake;
		pm_runtime_put_noidle(&vdev->pdev->dev);
	}

	/*
	 * The ioctl that brought us here has a reference of its own: the device
	 * sleeps when that one goes. Until the exit a mapping must not come
	 * back; the fault handler looks at the flag.
	 */
	vfio_pci_memory_zap(vdev);
	return 0;
}

/*
 * Returns the eventfd to put, NULL if there is none. @woken: only if there is
 * one, as for an entry without it nothing but the exit ends low power.
 */
static struct eventfd_ctx *low_power_end(struct vfio_pci_core_device *vdev,
					 bool woken)
{
	struct vfio_pci_core_priv *priv = vdev->priv;
	struct eventfd_ctx *wake;

	scoped_guard(spinlock, &priv->pm_lock) {
		wake = priv->pm_wake_eventfd;
		if (!vdev->pm_runtime_engaged || (woken && !wake))
			return NULL;

		WRITE_ONCE(vdev->pm_runtime_engaged, false);
		priv->pm_wake_eventfd = NULL;
		pm_runtime_get_noresume(&vdev->pdev->dev);
	}
	return wake;
}

static void low_power_exit(struct vfio_pci_core_device *vdev)
{
	struct eventfd_ctx *wake = low_power_end(vdev, false);

	if (wake)
		eventfd_ctx_put(wake);
}

/* The first resume after an entry with wake-up ends the low power */
static void low_power_wakeup(struct vfio_pci_core_device *vdev)
{
	struct eventfd_ctx *wake = low_power_end(vdev, true);

	if (!wake)
		return;
	eventfd_signal(wake);
	eventfd_ctx_put(wake);
}

int vfio_pci_low_power_entry(struct vfio_pci_core_device *vdev,
			     void __user *arg, size_t argsz)
{
	return low_power_begin(vdev, NULL);
}

int vfio_pci_low_power_entry_wakeup(struct vfio_pci_core_device *vdev,
				    void __user *arg, size_t argsz)
{
	struct vfio_device_low_power_entry_with_wakeup entry;
	struct eventfd_ctx *wake;
	int ret;

	if (copy_from_user(&entry, arg, sizeof(entry)))
		return -EFAULT;
	if (entry.wakeup_eventfd < 0)
		return vfio_pci_malformed(vdev, "wake-up eventfd is negative");

	wake = eventfd_ctx_fdget(entry.wakeup_eventfd);
	if (IS_ERR(wake))
		return PTR_ERR(wake);

	ret = low_power_begin(vdev, wake);
	if (ret)
		eventfd_ctx_put(wake);
	return ret;
}

int vfio_pci_low_power_exit(struct vfio_pci_core_device *vdev,
			    void __user *arg, size_t argsz)
{
	low_power_exit(vdev);
	return 0;
}

/* ---- runtime PM -------------------------------------------------------- */

/*
 * The PCI core saves config space after this and picks the state to sleep in.
 * It must find the device awake: neither works from a D3 of the user's making.
 */
static int runtime_suspend(struct device *dev)
{
	struct vfio_pci_core_device *vdev = dev_get_drvdata(dev);
	int ret;

	scoped_guard(rwsem_write, &vdev->memory_lock)
		ret = __vfio_pci_power_set(vdev, PCI_D0);
	if (ret)
		return ret;

	/*
	 * A wake-up interrupt of the line may come for another device that
	 * shares it; ours must not be asked while it cannot answer.
	 */
	vdev->priv->pm_intx_masked = vfio_pci_intx_mask(vdev);
	return 0;
}

/* May be called with pci_bus_sem held: see the top */
static int runtime_resume(struct device *dev)
{
	struct vfio_pci_core_device *vdev = dev_get_drvdata(dev);

	low_power_wakeup(vdev);
	if (vdev->priv->pm_intx_masked)
		vfio_pci_intx_unmask(vdev);
	vdev->priv->pm_intx_masked = false;
	return 0;
}

/*
 * For a thin driver's .driver.pm. A driver that leaves that empty is given
 * these when its first device is registered, because without them vfio.ko
 * takes no runtime PM reference around ioctls. Driver data must be the
 * struct vfio_pci_core_device.
 */
const struct dev_pm_ops vfio_pci_core_pm_ops = {
	RUNTIME_PM_OPS(runtime_suspend, runtime_resume, NULL)
};
EXPORT_SYMBOL_GPL(vfio_pci_core_pm_ops);

/* ---- bind, open, close, unbind ----------------------------------------- */

void vfio_pci_power_register(struct vfio_pci_core_device *vdev)
{
	struct device *dev = &vdev->pdev->dev;

	vdev->priv->d3_loses_state = loses_state(vdev->pdev);
	vfio_pci_power_set(vdev, PCI_D0);

	if (!dev->driver->pm)
		dev->driver->pm = &vfio_pci_core_pm_ops;
	pm_runtime_allow(dev);
	if (!vdev->disable_idle_d3)
		pm_runtime_put(dev);
}

void vfio_pci_power_unregister(struct vfio_pci_core_device *vdev)
{
	struct device *dev = &vdev->pdev->dev;

	if (!vdev->disable_idle_d3)
		pm_runtime_get_noresume(dev);
	pm_runtime_forbid(dev);

	kfree(vdev->priv->pm_save);
	vdev->priv->pm_save = NULL;
}

int vfio_pci_power_open(struct vfio_pci_core_device *vdev)
{
	int ret;

	if (vdev->disable_idle_d3)
		return 0;

	ret = pm_runtime_resume_and_get(&vdev->pdev->dev);
	if (ret)
		return vfio_pci_refuse(vdev, ret,
				       "cannot be woken up (%d); see its power/ files in sysfs",
				       ret);
	return 0;
}

/*
 * First thing of a close: whatever the user left the device in, from here on
 * it is awake and answers.
 */
void vfio_pci_power_wake(struct vfio_pci_core_device *vdev)
{
	low_power_exit(vdev);
	pm_runtime_resume(&vdev->pdev->dev);
	vfio_pci_power_set(vdev, PCI_D0);
}

/* Last thing of a close: undoes vfio_pci_power_open() */
void vfio_pci_power_close(struct vfio_pci_core_device *vdev)
{
	if (!vdev->disable_idle_d3)
		pm_runtime_put(&vdev->pdev->dev);
}
