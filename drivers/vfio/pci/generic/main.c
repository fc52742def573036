// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio_pci: gives any PCI function to a driver in user space. Everything is the
 * library's; what stands here is policy.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_core.h>

#include <compat/vfio_pci.h>

#include "priv.h"

static bool nointxmask;
module_param(nointxmask, bool, 0644);
MODULE_PARM_DESC(nointxmask, "Do not mask INTx by PCI 2.3 DisINTx; the line must then be the function's own. Applies to functions bound after it is set (default: no)");

static bool disable_idle_d3;
module_param(disable_idle_d3, bool, 0644);
MODULE_PARM_DESC(disable_idle_d3, "Leave functions that nobody uses in D0. Applies to functions bound after it is set (default: no)");

#ifdef CONFIG_VFIO_PCI_VGA
static bool disable_vga;
module_param(disable_vga, bool, 0444);
MODULE_PARM_DESC(disable_vga, "Do not offer the legacy VGA ranges of graphics cards (default: no)");
#else
static const bool disable_vga = true;
#endif

#ifdef CONFIG_PCI_IOV
static bool enable_sriov;
module_param(enable_sriov, bool, 0644);
MODULE_PARM_DESC(enable_sriov, "Allow sriov_numvfs of functions bound to vfio_pci to be written: their VFs are then as trustworthy as the program that drives the PF. Applies at once (default: no)");
#else
static const bool enable_sriov;
#endif

static struct vfio_pci_core_device *from_core(struct vfio_device *core_vdev)
{
	return container_of(core_vdev, struct vfio_pci_core_device, vdev);
}

/* The parameters as they are now hold for this device until it is unbound */
static int init_dev(struct vfio_device *core_vdev)
{
	struct vfio_pci_core_device *vdev = from_core(core_vdev);

	vdev->nointxmask = nointxmask;
	vdev->disable_idle_d3 = disable_idle_d3;
	vdev->disable_vga = disable_vga;
	return vfio_pci_core_init_dev(core_vdev);
}

static int open_device(struct vfio_device *core_vdev)
{
	struct vfio_pci_core_device *vdev = from_core(core_vdev);
	int ret;

	ret = vfio_pci_core_enable(vdev);
	if (ret)
		return ret;

	/* -ENODEV: not Intel graphics, or the firmware left no OpRegion */
	ret = vfio_pci_core_igd_enable(vdev);
	if (ret && ret != -ENODEV) {
		pci_warn(vdev->pdev, "regions of Intel graphics cannot be offered (%d)\n",
			 ret);
		vfio_pci_core_disable(vdev);
		return ret;
	}

	vfio_pci_core_finish_enable(vdev);
	return 0;
}

static const struct vfio_device_ops vfio_pci_ops = {
	.name		= "vfio-pci",
	.init		= init_dev,
	.release	= vfio_pci_core_release_dev,
	.open_device	= open_device,
	.close_device	= vfio_pci_core_close_device,
	VFIO_PCI_CORE_OPS
};

static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct vfio_pci_core_device *vdev;
	int ret;

	if (vfio_pci_ids_denied(pdev))
		return -EINVAL;

	vdev = vfio_alloc_device(vfio_pci_core_device, vdev, &pdev->dev,
				 &vfio_pci_ops);
	if (IS_ERR(vdev))
		return PTR_ERR(vdev);

	pci_set_drvdata(pdev, vdev);
	ret = vfio_pci_core_register_device(vdev);
	if (ret)
		vfio_put_device(&vdev->vdev);
	return ret;
}

static void remove(struct pci_dev *pdev)
{
	struct vfio_pci_core_device *vdev = pci_get_drvdata(pdev);

	vfio_pci_core_unregister_device(vdev);
	vfio_put_device(&vdev->vdev);
}

static int sriov_configure(struct pci_dev *pdev, int nr_virtfn)
{
	if (nr_virtfn && !enable_sriov) {
		pci_info(pdev, "VFs refused: set the enable_sriov parameter of vfio_pci to allow them\n");
		return -ENOENT;
	}
	return vfio_pci_core_sriov_configure(pci_get_drvdata(pdev), nr_virtfn);
}

static struct pci_driver vfio_pci_driver = {
	.name			= "vfio-pci",
	.id_table		= vfio_pci_table,
	.probe			= probe,
	.remove			= remove,
	.sriov_configure	= sriov_configure,
	.err_handler		= &vfio_pci_core_err_handlers,
	.driver_managed_dma	= true,
	.driver.pm		= &vfio_pci_core_pm_ops,
};

static int __init vfio_pci_init(void)
{
	int ret;

	ret = pci_register_driver(&vfio_pci_driver);
	if (ret)
		return ret;

	vfio_pci_ids_add(&vfio_pci_driver);
	return 0;
}
module_init(vfio_pci_init);

static void __exit vfio_pci_exit(void)
{
	pci_unregister_driver(&vfio_pci_driver);
}
module_exit(vfio_pci_exit);

MODULE_DESCRIPTION("Generic VFIO PCI driver: gives PCI functions to user space");
MODULE_LICENSE("GPL");
MODULE_VERSION(VFIO_PCI_VERSION);
