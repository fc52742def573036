// SPDX-License-Identifier: GPL-2.0-only
/*
 * A physical function in user space and its virtual functions.
 *
 * PF and VFs find each other by PCI function, never by driver: each may be
 * bound to another thin driver.
 */
#include <linux/device.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/pci.h>
#include <linux/pm_runtime.h>

#include "priv.h"

/*
 * PFs that have VFs because user space asked us. A PF is added before its VFs
 * appear and removed after the last is gone, so a VF may keep a pointer to its
 * PF for as long as it is registered.
 */
static LIST_HEAD(pfs);
static DEFINE_MUTEX(pfs_lock);

static struct vfio_pci_core_device *pfs_find(struct pci_dev *physfn)
{
	struct vfio_pci_core_priv *priv;

	guard(mutex)(&pfs_lock);
	list_for_each_entry(priv, &pfs, pfs_item) {
		if (priv->vdev->pdev == physfn)
			return priv->vdev;
	}
	return NULL;
}

static bool pfs_add(struct vfio_pci_core_device *vdev)
{
	guard(mutex)(&pfs_lock);
	if (!list_empty(&vdev->priv->pfs_item))
		return false;

	list_add_tail(&vdev->priv->pfs_item, &pfs);
	return true;
}

static void pfs_del(struct vfio_pci_core_device *vdev)
{
	guard(mutex)(&pfs_lock);
	list_del_init(&vdev->priv->pfs_item);
}

static bool pfs_has(struct vfio_pci_core_device *vdev)
{
	guard(mutex)(&pfs_lock);
	return !list_empty(&vdev->priv->pfs_item);
}

/* A new VF: keep the host's own drivers off it */
static void capture_vf(struct pci_dev *pf, struct pci_dev *vf)
{
	const char *driver = dev_driver_string(&pf->dev);

	if (device_set_driver_override(&vf->dev, driver))
		pci_warn(vf, "no memory to set driver_override to %s: another driver may take this VF\n",
			 driver);
	else
		pci_info(vf, "VF of %s, which is in user space: driver_override set to %s\n",
			 pci_name(pf), driver);
}

/*
 * Somebody changed driver_override. Another thin driver is fine: the VF stays
 * in user space, behind the token. A driver of the host is not.
 */
static void check_vf_driver(struct pci_dev *pf, struct pci_dev *vf)
{
	struct pci_driver *drv = pci_dev_driver(vf);

	if (!drv || drv->driver_managed_dma)
		return;

	pci_warn(vf, "VF bound to %s while its PF %s is in user space: the host now trusts whoever drives the PF\n",
		 drv->name, pci_name(pf));
}

static int vf_capture_event(struct notifier_block *nb, unsigned long action,
			    void *data)
{
	struct vfio_pci_core_priv *priv =
		container_of(nb, struct vfio_pci_core_priv, vf_capture);
	struct pci_dev *pf = priv->vdev->pdev;
	struct pci_dev *pdev = to_pci_dev(data);

	if (!pdev->is_virtfn || pci_physfn(pdev) != pf)
		return NOTIFY_DONE;

	if (action == BUS_NOTIFY_ADD_DEVICE)
		capture_vf(pf, pdev);
	else if (action == BUS_NOTIFY_BOUND_DRIVER)
		check_vf_driver(pf, pdev);
	return NOTIFY_DONE;
}

int vfio_pci_sriov_register(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_core_priv *priv = vdev->priv;
	struct pci_dev *pdev = vdev->pdev;

	if (pdev->is_virtfn)
		priv->pf = pfs_find(pci_physfn(pdev));
	if (!pdev->is_physfn)
		return 0;

	priv->vf_token = vfio_pci_token_alloc();
	return priv->vf_token ? 0 : -ENOMEM;
}

void vfio_pci_sriov_unregister(struct vfio_pci_core_device *vdev)
{
	vdev->priv->pf = NULL;
	vfio_pci_token_free(vdev->priv->vf_token);
	vdev->priv->vf_token = NULL;
}

/* A VF in use holds its PF's token: see match_pf() */
void vfio_pci_sriov_vf_opened(struct vfio_pci_core_device *vdev)
{
	if (vdev->priv->pf)
		vfio_pci_token_get_user(vdev->priv->pf->priv->vf_token);
}

void vfio_pci_sriov_vf_closed(struct vfio_pci_core_device *vdev)
{
	if (vdev->priv->pf)
		vfio_pci_token_put_user(vdev->priv->pf->priv->vf_token);
}

/*
 * VFs go away with their PF's power. From here on whoever wants to lower it
 * sees the flag under the same lock and is refused.
 */
static int pin_power(struct vfio_pci_core_device *vdev)
{
	guard(rwsem_write)(&vdev->memory_lock);
	vdev->priv->sriov_active = true;
	return __vfio_pci_power_set(vdev, PCI_D0);
}

static void unpin_power(struct vfio_pci_core_device *vdev)
{
	guard(rwsem_write)(&vdev->memory_lock);
	vdev->priv->sriov_active = false;
}

/* Whatever must be in place before the first VF appears */
static int vfs_prepare(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_core_priv *priv = vdev->priv;
	struct pci_dev *pdev = vdev->pdev;
	int ret;

	ret = pm_runtime_resume_and_get(&pdev->dev);
	if (ret)
		return ret;

	ret = pin_power(vdev);
	if (ret)
		goto err_power;

	priv->vf_capture.notifier_call = vf_capture_event;
	ret = bus_register_notifier(&pci_bus_type, &priv->vf_capture);
	if (ret)
		goto err_power;
	return 0;

err_power:
	unpin_power(vdev);
	pm_runtime_put(&pdev->dev);
	return ret;
}

static void vfs_unprepare(struct vfio_pci_core_device *vdev)
{
	bus_unregister_notifier(&pci_bus_type, &vdev->priv->vf_capture);
	unpin_power(vdev);
	pm_runtime_put(&vdev->pdev->dev);
}

/*
 * The VFs are created without memory_lock: their drivers probe right here, and
 * may well be this library.
 */
static int vfs_enable(struct vfio_pci_core_device *vdev, int nr_virtfn)
{
	int ret;

	if (!pfs_add(vdev))
		return vfio_pci_refuse(vdev, -EINVAL,
				       "VFs are enabled already: write 0 to sriov_numvfs first");

	ret = vfs_prepare(vdev);
	if (ret)
		goto err_pfs;

	ret = pci_enable_sriov(vdev->pdev, nr_virtfn);
	if (ret)
		goto err_prepare;
	return nr_virtfn;

err_prepare:
	vfs_unprepare(vdev);
err_pfs:
	pfs_del(vdev);
	return ret;
}

static void vfs_disable(struct vfio_pci_core_device *vdev)
{
	if (!pfs_has(vdev))
		return;

	pci_disable_sriov(vdev->pdev);
	vfs_unprepare(vdev);
	pfs_del(vdev);
}

/**
 * vfio_pci_core_sriov_configure() - enable or disable the VFs of a device
 * @vdev: the device, registered; a physical function
 * @nr_virtfn: number of VFs to enable; 0 to remove all
 *
 * VFs appear with driver_override set to the PF's driver, and are opened with
 * the PF's VF token. To disable waits until each is closed.
 *
 * Context: Process context; may sleep. The caller holds the device lock of the
 *	PF, as the .sriov_configure callback of a PCI driver does.
 * Return:
 * * number of VFs enabled, 0 if they were disabled
 * * -EINVAL - VFs are enabled already
 * * other - the errno of runtime PM or of pci_enable_sriov()
 */
int vfio_pci_core_sriov_configure(struct vfio_pci_core_device *vdev,
				  int nr_virtfn)
{
	device_lock_assert(&vdev->pdev->dev);

	if (nr_virtfn)
		return vfs_enable(vdev, nr_virtfn);

	vfs_disable(vdev);
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_sriov_configure);
