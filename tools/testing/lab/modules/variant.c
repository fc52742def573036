// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vendor driver for any device, as far as the tests need one: another thin
 * driver next to vfio_pci, with power management and a region of its own. It is
 * bound by driver_override "lab-variant".
 *
 * Compiled with the header and for the library of the modules that it is loaded
 * with, ours or the distribution's; hence nothing here that only ours has.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_core.h>

#define REGION_TYPE	(VFIO_REGION_TYPE_PCI_VENDOR_TYPE | 0x1234)

static bool fail_caps;
module_param(fail_caps, bool, 0644);
MODULE_PARM_DESC(fail_caps, "the region's own capability cannot be added to its description");

static bool hold_vfs;
module_param(hold_vfs, bool, 0644);
MODULE_PARM_DESC(hold_vfs, "do not finish the probe of a virtual function as long as this is set");

static unsigned int held;
module_param(held, uint, 0444);
MODULE_PARM_DESC(held, "probes that have been held up");

static unsigned int suspends;
module_param(suspends, uint, 0444);
MODULE_PARM_DESC(suspends, "how often runtime PM called this driver");

/* ---- a region ------------------------------------------------------------- */

static ssize_t region_rw(struct vfio_pci_core_device *vdev, char __user *buf,
			 size_t count, loff_t *ppos, bool iswrite)
{
	return -EINVAL;
}

static void region_release(struct vfio_pci_core_device *vdev,
			   struct vfio_pci_region *region)
{
}

static int region_add_capability(struct vfio_pci_core_device *vdev,
				 struct vfio_pci_region *region,
				 struct vfio_info_cap *caps)
{
	return READ_ONCE(fail_caps) ? -ENOMEM : 0;
}

static const struct vfio_pci_regops region_ops = {
	.rw = region_rw,
	.release = region_release,
	.add_capability = region_add_capability,
};

/* ---- the driver ----------------------------------------------------------- */

static int open_device(struct vfio_device *core_vdev)
{
	struct vfio_pci_core_device *vdev =
		container_of(core_vdev, struct vfio_pci_core_device, vdev);
	int ret;

	ret = vfio_pci_core_enable(vdev);
	if (ret)
		return ret;

	ret = vfio_pci_core_register_dev_region(vdev, REGION_TYPE, 1, &region_ops,
						PAGE_SIZE,
						VFIO_REGION_INFO_FLAG_READ, NULL);
	if (ret) {
		vfio_pci_core_disable(vdev);
		return ret;
	}
	vfio_pci_core_finish_enable(vdev);
	return 0;
}

static const struct vfio_device_ops variant_ops = {
	.name		= "lab-variant",
	.init		= vfio_pci_core_init_dev,
	.release	= vfio_pci_core_release_dev,
	.open_device	= open_device,
	.close_device	= vfio_pci_core_close_device,
	.ioctl		= vfio_pci_core_ioctl,
	.device_feature	= vfio_pci_core_ioctl_feature,
	.read		= vfio_pci_core_read,
	.write		= vfio_pci_core_write,
	.mmap		= vfio_pci_core_mmap,
	.request	= vfio_pci_core_request,
	.match		= vfio_pci_core_match,
	.bind_iommufd	= vfio_iommufd_physical_bind,
	.unbind_iommufd	= vfio_iommufd_physical_unbind,
	.attach_ioas	= vfio_iommufd_physical_attach_ioas,
	.detach_ioas	= vfio_iommufd_physical_detach_ioas,
};

static void hold(void)
{
	WRITE_ONCE(held, held + 1);
	while (READ_ONCE(hold_vfs))
		msleep(20);
}

static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct vfio_pci_core_device *vdev;
	int ret;

	if (pdev->is_virtfn && READ_ONCE(hold_vfs))
		hold();

	vdev = vfio_alloc_device(vfio_pci_core_device, vdev, &pdev->dev,
				 &variant_ops);
	if (IS_ERR(vdev))
		return PTR_ERR(vdev);

	dev_set_drvdata(&pdev->dev, vdev);
	ret = vfio_pci_core_register_device(vdev);
	if (ret)
		vfio_put_device(&vdev->vdev);
	return ret;
}

static void remove(struct pci_dev *pdev)
{
	struct vfio_pci_core_device *vdev = dev_get_drvdata(&pdev->dev);

	vfio_pci_core_unregister_device(vdev);
	vfio_put_device(&vdev->vdev);
}

static int sriov_configure(struct pci_dev *pdev, int nr_virtfn)
{
	return vfio_pci_core_sriov_configure(dev_get_drvdata(&pdev->dev),
					     nr_virtfn);
}

static int suspend(struct device *dev)
{
	WRITE_ONCE(suspends, suspends + 1);
	return 0;
}

static int resume(struct device *dev)
{
	return 0;
}

static const struct dev_pm_ops variant_pm_ops = {
	SET_RUNTIME_PM_OPS(suspend, resume, NULL)
};

static const struct pci_device_id variant_table[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(PCI_ANY_ID, PCI_ANY_ID) },
	{ }
};
MODULE_DEVICE_TABLE(pci, variant_table);

static struct pci_driver variant_driver = {
	.name			= "lab-variant",
	.id_table		= variant_table,
	.probe			= probe,
	.remove			= remove,
	.sriov_configure	= sriov_configure,
	.err_handler		= &vfio_pci_core_err_handlers,
	.driver_managed_dma	= true,
	.driver.pm		= &variant_pm_ops,
};
module_pci_driver(variant_driver);

MODULE_DESCRIPTION("A vendor driver for the tests");
MODULE_LICENSE("GPL");
