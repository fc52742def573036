// SPDX-License-Identifier: GPL-2.0-only
/*
 * The smallest legal VFIO driver of a particular device, QEMU's "edu": it adds
 * nothing to what vfio_pci does. Copy it, and put what your device needs where a
 * comment says so.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_core.h>

#include <compat/vfio_pci.h>

/* The library's device comes first; what the driver knows itself follows. */
struct edu_device {
	struct vfio_pci_core_device core;
};

/*
 * Called with the lock of the device set held. Between the two calls the device
 * is enabled and may be touched, but nobody has it yet: here a driver adds
 * regions, or reads what the device is capable of. If that fails it calls
 * vfio_pci_core_disable() and returns the error.
 */
static int open_device(struct vfio_device *core_vdev)
{
	struct edu_device *edu = container_of(core_vdev, struct edu_device, core.vdev);
	int ret;

	ret = vfio_pci_core_enable(&edu->core);
	if (ret)
		return ret;

	vfio_pci_core_finish_enable(&edu->core);
	return 0;
}

/*
 * Each may be a function of the driver's own that ends in the library's, but .name.
 * VFIO_PCI_CORE_OPS stands for those that few drivers change (ioctl, read, write,
 * mmap, ...); <linux/vfio_pci_core.h> lists them, to be written out here instead.
 */
static const struct vfio_device_ops edu_ops = {
	.name		= "edu-vfio-pci",
	.init		= vfio_pci_core_init_dev,
	.release	= vfio_pci_core_release_dev,
	.open_device	= open_device,
	.close_device	= vfio_pci_core_close_device,
	VFIO_PCI_CORE_OPS
};

/* The last reference may be a user's, so edu may outlive remove(). */
static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct edu_device *edu;
	int ret;

	edu = vfio_alloc_device(edu_device, core.vdev, &pdev->dev, &edu_ops);
	if (IS_ERR(edu))
		return PTR_ERR(edu);

	/* The library finds its device there. */
	pci_set_drvdata(pdev, &edu->core);
	ret = vfio_pci_core_register_device(&edu->core);
	if (ret)
		vfio_put_device(&edu->core.vdev);
	return ret;
}

/* Waits until the device is closed, having asked its user to let go. */
static void remove(struct pci_dev *pdev)
{
	struct vfio_pci_core_device *core = pci_get_drvdata(pdev);

	vfio_pci_core_unregister_device(core);
	vfio_put_device(&core->vdev);
}

/*
 * An alias vfio_pci:..., so that whoever wants a VFIO driver for this device finds
 * this one, and no match by itself: Documentation/PCI/override-only.rst.
 */
static const struct pci_device_id edu_table[] = {
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(0x1234, 0x11e8) },
	{ }
};
MODULE_DEVICE_TABLE(pci, edu_table);

static struct pci_driver edu_driver = {
	.name			= "edu-vfio-pci",
	.id_table		= edu_table,
	.probe			= probe,
	.remove			= remove,
	.err_handler		= &vfio_pci_core_err_handlers,
	/* DMA belongs to the user, not to the kernel: */
	.driver_managed_dma	= true,
	.driver.pm		= &vfio_pci_core_pm_ops,
};
module_pci_driver(edu_driver);

MODULE_DESCRIPTION("Sample VFIO driver of QEMU's educational device");
MODULE_LICENSE("GPL");
MODULE_VERSION(VFIO_PCI_VERSION);
