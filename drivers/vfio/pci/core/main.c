// SPDX-License-Identifier: GPL-2.0-only
/*
 * The life of a device: allocation, registration and, each time that user space
 * opens it, two ladders of stages. Close takes the stages of open in reverse.
 */
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/vfio.h>

#include "eeh.h"
#include "priv.h"

/* ---- allocation -------------------------------------------------------- */

/**
 * vfio_pci_core_init_dev() - .init of a thin driver, or the end of it
 * @core_vdev: the device, just allocated
 *
 * A thin driver with an .init of its own latches the policies (@nointxmask,
 * @disable_vga, @disable_idle_d3) first. If it fails after this call it calls
 * vfio_pci_core_release_dev() itself.
 *
 * Context: Process context; may sleep. Called by vfio_alloc_device().
 * Return: 0, or -ENOMEM.
 */
int vfio_pci_core_init_dev(struct vfio_device *core_vdev)
{
	struct vfio_pci_core_device *vdev = to_vfio_pci(core_vdev);
	struct vfio_pci_core_priv *priv;

	priv = kzalloc(sizeof(*priv), GFP_KERNEL);
	if (!priv)
		return -ENOMEM;

	priv->vdev = vdev;
	INIT_LIST_HEAD(&priv->pfs_item);
	mutex_init(&priv->cfg_lock);
	mutex_init(&priv->igate);
	mutex_init(&priv->bar_lock);
	mutex_init(&priv->ioeventfds_lock);
	spin_lock_init(&priv->irqlock);
	spin_lock_init(&priv->pm_lock);
	xa_init(&priv->irq_ctx);
	priv->msix_bar = 0xff;

	vdev->pdev = to_pci_dev(core_vdev->dev);
	vdev->irq_type = VFIO_PCI_NUM_IRQS;
	init_rwsem(&vdev->memory_lock);
	vdev->priv = priv;
	return 0;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_init_dev);

/**
 * vfio_pci_core_release_dev() - .release of a thin driver, or the end of it
 * @core_vdev: the device, which nobody refers to any more
 *
 * vfio.ko frees the structure itself.
 *
 * Context: Process context; may sleep.
 */
void vfio_pci_core_release_dev(struct vfio_device *core_vdev)
{
	struct vfio_pci_core_device *vdev = to_vfio_pci(core_vdev);
	struct vfio_pci_core_priv *priv = vdev->priv;

	xa_destroy(&priv->irq_ctx);
	mutex_destroy(&priv->ioeventfds_lock);
	mutex_destroy(&priv->bar_lock);
	mutex_destroy(&priv->igate);
	mutex_destroy(&priv->cfg_lock);
	kfree(priv);
	vdev->priv = NULL;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_release_dev);

/* ---- registration ------------------------------------------------------ */

/*
 * Runs before anything but @vdev->vdev, which comes first in every version, is
 * looked at: the rest may lie elsewhere in the driver's idea of the structure.
 */
static int check_abi(struct vfio_pci_core_device *vdev, unsigned int abi,
		     size_t size)
{
	if (abi == VFIO_PCI_CORE_ABI && size == sizeof(*vdev))
		return 0;

	dev_err(vdev->vdev.dev,
		"driver speaks interface %u (%zu bytes), vfio_pci_core %s speaks %u (%zu bytes): install both from one build\n",
		abi, size, VFIO_PCI_VERSION, VFIO_PCI_CORE_ABI, sizeof(*vdev));
	return -EPROTO;
}

/* What a thin driver has to get right; each of these is a bug in it */
static int check_driver(struct vfio_pci_core_device *vdev)
{
	const struct vfio_migration_ops *mig = vdev->vdev.mig_ops;
	const struct vfio_log_ops *log = vdev->vdev.log_ops;

	if (pci_get_drvdata(vdev->pdev) != vdev)
		return vfio_pci_refuse(vdev, -EINVAL,
				       "driver bug: drvdata is not the vfio_pci_core_device");
	if (!vdev->vdev.ops->name)
		return vfio_pci_refuse(vdev, -EINVAL,
				       "driver bug: its vfio_device_ops have no name");
	if (mig && !(mig->migration_set_state && mig->migration_get_state &&
		     mig->migration_get_data_size))
		return vfio_pci_refuse(vdev, -EINVAL,
				       "driver bug: incomplete migration operations");
	if (mig && !(vdev->vdev.migration_flags & VFIO_MIGRATION_STOP_COPY))
		return vfio_pci_refuse(vdev, -EINVAL,
				       "driver bug: migration without STOP_COPY");
	if (log && !(log->log_start && log->log_stop && log->log_read_and_clear))
		return vfio_pci_refuse(vdev, -EINVAL,
				       "driver bug: incomplete DMA logging operations");
	return 0;
}

/* Which functions can be given to user space at all */
static int check_function(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;

	if (pdev->hdr_type != PCI_HEADER_TYPE_NORMAL)
		return vfio_pci_refuse(vdev, -EINVAL,
				       "header type %u: only endpoints can be given to user space",
				       pdev->hdr_type);
	if (pci_num_vf(pdev))
		return vfio_pci_refuse(vdev, -EBUSY,
				       "its %d VFs are in the host's hands: write 0 to sriov_numvfs first",
				       pci_num_vf(pdev));
	return 0;
}

/**
 * __vfio_pci_core_register_device() - offer a device to user space
 * @vdev: the device, initialised; drvdata of its PCI function points to it
 * @abi: VFIO_PCI_CORE_ABI, as the driver was compiled with
 * @size: size of struct vfio_pci_core_device, as the driver was compiled with
 *
 * Drivers call vfio_pci_core_register_device(), a macro that adds @abi and
 * @size. On success user space can open the device at once; until then, and
 * unless the disable_idle_d3 policy is set, it is left to runtime PM. A driver
 * without .driver.pm is given vfio_pci_core_pm_ops.
 *
 * Context: Process context; may sleep. Called from the driver's probe, with the
 *	device lock of the PCI function held.
 * Return:
 * * 0 - registered
 * * -EPROTO - library and driver come from different builds
 * * -EINVAL - not an endpoint, or the driver is incomplete
 * * -EBUSY - VFs of the function are enabled
 * * -ENOMEM - out of memory
 * * other - the errno of vfio.ko, of the VGA arbiter or of the aperture helpers
 */
int __vfio_pci_core_register_device(struct vfio_pci_core_device *vdev,
				    unsigned int abi, size_t size)
{
	int ret;

	ret = check_abi(vdev, abi, size);
	if (ret)
		return ret;
	ret = check_driver(vdev);
	if (ret)
		return ret;
	ret = check_function(vdev);
	if (ret)
		return ret;
	ret = vfio_pci_reset_assign_set(vdev);
	if (ret)
		return ret;

	ret = vfio_pci_sriov_register(vdev);
	if (ret)
		return ret;
	ret = vfio_pci_vga_register(vdev);
	if (ret)
		goto err_sriov;
	vfio_pci_power_register(vdev);
	ret = vfio_register_group_dev(&vdev->vdev);
	if (ret)
		goto err_power;

	vfio_pci_debugfs_register(vdev);
	return 0;

err_power:
	vfio_pci_power_unregister(vdev);
	vfio_pci_vga_unregister(vdev);
err_sriov:
	vfio_pci_sriov_unregister(vdev);
	return ret;
}
EXPORT_SYMBOL_GPL(__vfio_pci_core_register_device);

/* The function behind the macro, for those who were compiled without it */
#undef vfio_pci_core_register_device

/**
 * vfio_pci_core_register_device() - refuse a driver of another build
 * @vdev: what that driver takes for its device
 *
 * A driver compiled with this library's header never calls this function: the
 * header turns its call into one of __vfio_pci_core_register_device().
 *
 * Context: Any.
 * Return: -EPROTO.
 */
int vfio_pci_core_register_device(struct vfio_pci_core_device *vdev)
{
	dev_err(vdev->vdev.dev,
		"driver was compiled with another linux/vfio_pci_core.h than vfio_pci_core %s: rebuild it with this library's\n",
		VFIO_PCI_VERSION);
	return -EPROTO;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_register_device);

/**
 * vfio_pci_core_unregister_device() - take a device back from user space
 * @vdev: the device, registered
 *
 * Removes VFs that user space enabled. Waits until each of them, and the device
 * itself, is closed; whoever has it open is asked through its request eventfd.
 *
 * Context: Process context; may sleep for as long as user space likes. Called
 *	from the driver's remove, with the device lock of the PCI function held.
 */
void vfio_pci_core_unregister_device(struct vfio_pci_core_device *vdev)
{
	vfio_pci_core_sriov_configure(vdev, 0);
	vfio_pci_debugfs_unregister(vdev);
	vfio_unregister_group_dev(&vdev->vdev);
	vfio_pci_reset_at_unregister(vdev);
	vfio_pci_power_unregister(vdev);
	vfio_pci_vga_unregister(vdev);
	vfio_pci_sriov_unregister(vdev);
}
EXPORT_SYMBOL_GPL(vfio_pci_core_unregister_device);

/* ---- stages of open and close ------------------------------------------ */

/* A driver that was here before may have left DMA on */
static int function_open(struct vfio_pci_core_device *vdev)
{
	int ret;

	pci_clear_master(vdev->pdev);
	ret = pci_enable_device(vdev->pdev);
	if (ret)
		return vfio_pci_refuse(vdev, ret, "cannot be enabled (%d)", ret);
	return 0;
}

static void function_close(struct vfio_pci_core_device *vdev)
{
	pci_disable_device(vdev->pdev);
}

/*
 * Intel Ethernet controllers of the 700 and X550 families whose INTx does not
 * obey PCI 2.3: with DisINTx in use interrupts get lost or never end. All have
 * MSI-X. With the nointxmask policy DisINTx is not used, and INTx works.
 */
static const struct pci_device_id broken_intx[] = {
	{ PCI_VDEVICE(INTEL, 0x1563) },
	{ PCI_VDEVICE(INTEL, 0x1572) },
	{ PCI_VDEVICE(INTEL, 0x1574) },
	{ PCI_VDEVICE(INTEL, 0x1580) },
	{ PCI_VDEVICE(INTEL, 0x1581) },
	{ PCI_VDEVICE(INTEL, 0x1583) },
	{ PCI_VDEVICE(INTEL, 0x1584) },
	{ PCI_VDEVICE(INTEL, 0x1585) },
	{ PCI_VDEVICE(INTEL, 0x1586) },
	{ PCI_VDEVICE(INTEL, 0x1587) },
	{ PCI_VDEVICE(INTEL, 0x1588) },
	{ PCI_VDEVICE(INTEL, 0x1589) },
	{ PCI_VDEVICE(INTEL, 0x158a) },
	{ PCI_VDEVICE(INTEL, 0x158b) },
	{ PCI_VDEVICE(INTEL, 0x37d0) },
	{ PCI_VDEVICE(INTEL, 0x37d1) },
	{ PCI_VDEVICE(INTEL, 0x37d2) },
	{ }
};

/* How INTx is to be masked while the device is open, if it has any */
static void intx_open(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_core_priv *priv = vdev->priv;
	struct pci_dev *pdev = vdev->pdev;

	priv->nointx = !vdev->nointxmask && pci_match_id(broken_intx, pdev);
	priv->pci_2_3 = !vdev->nointxmask && !priv->nointx &&
			pci_intx_mask_supported(pdev);
	if (pdev->is_virtfn || !pdev->pin)
		return;

	if (priv->nointx)
		pci_intx(pdev, 0);
	else if (priv->pci_2_3)
		pci_intx(pdev, 1);
}

static void vga_open(struct vfio_pci_core_device *vdev)
{
	vdev->priv->has_vga = vfio_pci_vga_offered(vdev);
}

/* What was opened on behalf of the user since the last rung of the ladder */
static void user_close(struct vfio_pci_core_device *vdev)
{
	vfio_pci_ioeventfds_close(vdev);
	vfio_pci_regions_close(vdev);
	vfio_pci_bars_close(vdev);
}

/* ---- the two ladders --------------------------------------------------- */

/**
 * vfio_pci_core_enable() - first step of .open_device
 * @vdev: the device, registered and closed
 *
 * Wakes and enables the function, resets it if it can be reset, remembers its
 * state and builds its virtual config space. Afterwards the thin driver may add
 * device-specific regions; then it calls vfio_pci_core_finish_enable(), or
 * vfio_pci_core_disable() if it had to give up. A failure leaves the device as it
 * was.
 *
 * Context: Process context; may sleep. Called with dev_set->lock held.
 * Return:
 * * 0 - enabled
 * * -EAGAIN - somebody else holds the lock of the PCI function
 * * -ENOMEM - out of memory
 * * other - the errno of runtime PM, of pci_enable_device(), of the KVM hook on
 *   s390 or of a config access
 */
int vfio_pci_core_enable(struct vfio_pci_core_device *vdev)
{
	int ret;

	lockdep_assert_held(&vdev->vdev.dev_set->lock);

	ret = vfio_pci_power_open(vdev);
	if (ret)
		return ret;
	ret = function_open(vdev);
	if (ret)
		goto err_power;
	ret = vfio_pci_reset_at_open(vdev);
	if (ret)
		goto err_function;
	intx_open(vdev);
	vfio_pci_info_open(vdev);
	ret = vfio_pci_zdev_open_device(vdev);
	if (ret)
		goto err_reset;
	ret = vfio_pci_cfg_open(vdev);
	if (ret)
		goto err_zdev;
	vfio_pci_irqs_open(vdev);
	vga_open(vdev);
	return 0;

err_zdev:
	vfio_pci_zdev_close_device(vdev);
err_reset:
	vfio_pci_reset_at_close(vdev);
err_function:
	function_close(vdev);
err_power:
	vfio_pci_power_close(vdev);
	return ret;
}
EXPORT_SYMBOL_GPL(vfio_pci_core_enable);

/**
 * vfio_pci_core_disable() - undo vfio_pci_core_enable()
 * @vdev: the device, enabled
 *
 * For a thin driver whose .open_device fails after vfio_pci_core_enable().
 * Otherwise vfio_pci_core_close_device() does it.
 *
 * Context: Process context; may sleep. Called with dev_set->lock held.
 */
void vfio_pci_core_disable(struct vfio_pci_core_device *vdev)
{
	lockdep_assert_held(&vdev->vdev.dev_set->lock);

	vfio_pci_power_wake(vdev);
	pci_clear_master(vdev->pdev);

	user_close(vdev);
	vfio_pci_irqs_close(vdev);
	vfio_pci_cfg_close(vdev);
	vfio_pci_zdev_close_device(vdev);
	vfio_pci_reset_at_close(vdev);
	function_close(vdev);
	vfio_pci_reset_dev_set(vdev);
	vfio_pci_power_close(vdev);
}
EXPORT_SYMBOL_GPL(vfio_pci_core_disable);

/**
 * vfio_pci_core_finish_enable() - last step of .open_device
 * @vdev: the device, enabled
 *
 * Finds out which BARs can be mapped. Nothing can fail from here on.
 *
 * Context: Process context; may sleep. Called with dev_set->lock held.
 */
void vfio_pci_core_finish_enable(struct vfio_pci_core_device *vdev)
{
	vfio_pci_regions_seal(vdev);
	vfio_pci_bars_probe_mmap(vdev);
	vfio_pci_eeh_open(vdev->pdev);
	vfio_pci_sriov_vf_opened(vdev);
}
EXPORT_SYMBOL_GPL(vfio_pci_core_finish_enable);

/**
 * vfio_pci_core_close_device() - .close_device of a thin driver, or part of it
 * @core_vdev: the device, which vfio_pci_core_finish_enable() has opened
 *
 * Context: Process context; may sleep. Called with dev_set->lock held.
 */
void vfio_pci_core_close_device(struct vfio_device *core_vdev)
{
	struct vfio_pci_core_device *vdev = to_vfio_pci(core_vdev);

	vfio_pci_sriov_vf_closed(vdev);
	vfio_pci_eeh_close(vdev->pdev);
	vfio_pci_core_disable(vdev);
	vfio_pci_events_close(vdev);
}
EXPORT_SYMBOL_GPL(vfio_pci_core_close_device);

static int __init vfio_pci_core_init(void)
{
	vfio_pci_debugfs_init();
	return 0;
}
module_init(vfio_pci_core_init);

static void __exit vfio_pci_core_exit(void)
{
	/* Eventfds are freed by RCU callbacks, which are this module's code */
	rcu_barrier();
	vfio_pci_debugfs_exit();
}
module_exit(vfio_pci_core_exit);

MODULE_DESCRIPTION("VFIO PCI library: PCI functions for drivers in user space");
MODULE_LICENSE("GPL");
MODULE_VERSION(VFIO_PCI_VERSION);
