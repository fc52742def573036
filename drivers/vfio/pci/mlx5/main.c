// SPDX-License-Identifier: GPL-2.0-only
/*
 * mlx5_vfio_pci: gives ConnectX virtual functions to user space, and lets them
 * migrate. As a PCI function a VF is the library's; migration goes through the PF,
 * which mlx5_core drives.
 */
#include <linux/mlx5/driver.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/pci.h>
#include <linux/vfio.h>
#include <linux/vfio_pci_core.h>

#include <compat/vfio_pci.h>

#include "mig.h"

/**
 * struct mlx5vf_device - a VF
 * @core: the library's part; first, as the library wants drvdata to point to it
 * @mig: its migration, or NULL if it cannot be migrated
 */
struct mlx5vf_device {
	struct vfio_pci_core_device	core;
	struct mlx5vf_mig		*mig;
};

static struct mlx5vf_device *from_vdev(struct vfio_device *vdev)
{
	return container_of(vdev, struct mlx5vf_device, core.vdev);
}

static struct mlx5vf_device *from_pdev(struct pci_dev *pdev)
{
	return container_of((struct vfio_pci_core_device *)pci_get_drvdata(pdev),
			    struct mlx5vf_device, core);
}

/* ---- migration --------------------------------------------------------- */

static struct file *set_state(struct vfio_device *vdev,
			      enum vfio_device_mig_state state)
{
	return mlx5vf_mig_set_state(from_vdev(vdev)->mig, state);
}

static int get_state(struct vfio_device *vdev,
		     enum vfio_device_mig_state *state)
{
	return mlx5vf_mig_get_state(from_vdev(vdev)->mig, state);
}

static int get_data_size(struct vfio_device *vdev, unsigned long *length)
{
	return mlx5vf_mig_data_size(from_vdev(vdev)->mig, length);
}

static const struct vfio_migration_ops mig_ops = {
	.migration_set_state		= set_state,
	.migration_get_state		= get_state,
	.migration_get_data_size	= get_data_size,
};

static int log_start(struct vfio_device *vdev, struct rb_root_cached *ranges,
		     u32 nr, u64 *page_size)
{
	return mlx5vf_track_start(from_vdev(vdev)->mig, ranges, nr, page_size);
}

static int log_stop(struct vfio_device *vdev)
{
	return mlx5vf_track_stop(from_vdev(vdev)->mig);
}

static int log_report(struct vfio_device *vdev, unsigned long iova,
		      unsigned long length, struct iova_bitmap *dirty)
{
	return mlx5vf_track_report(from_vdev(vdev)->mig, iova, length, dirty);
}

static const struct vfio_log_ops log_ops = {
	.log_start		= log_start,
	.log_stop		= log_stop,
	.log_read_and_clear	= log_report,
};

static int pf_event(struct notifier_block *nb, unsigned long event, void *data)
{
	struct mlx5vf_mig *mig = container_of(nb, struct mlx5vf_mig, nb);

	switch (event) {
	case MLX5_PF_NOTIFY_ENABLE_VF:
		mlx5vf_mig_attach(mig);
		break;
	case MLX5_PF_NOTIFY_DISABLE_VF:
		mlx5vf_mig_detach(mig);
		break;
	}
	return NOTIFY_DONE;
}

/* A VF that cannot be migrated is as good as any other PCI function */
static int offer_migration(struct mlx5vf_device *dev)
{
	struct vfio_device *vdev = &dev->core.vdev;
	struct mlx5vf_mig *mig;

	mig = mlx5vf_mig_create(vdev, dev->core.pdev);
	if (!mig)
		return -ENOMEM;
	mig->nb.notifier_call = pf_event;
	if (mlx5vf_probe_migration(mig)) {
		mlx5vf_mig_put(mig);
		return 0;
	}

	dev->mig = mig;
	vdev->mig_ops = &mig_ops;
	vdev->migration_flags = VFIO_MIGRATION_STOP_COPY | VFIO_MIGRATION_P2P;
	if (mig->precopy)
		vdev->migration_flags |= VFIO_MIGRATION_PRE_COPY;
	if (mig->can_track)
		vdev->log_ops = &log_ops;
	return 0;
}

/*
 * mlx5_core keeps the chain for as long as its PF has VFs, whether it is up or in
 * the middle of a reload. Events that run already are waited for.
 */
static void withdraw_migration(struct mlx5vf_device *dev)
{
	struct mlx5vf_mig *mig = dev->mig;

	if (!mig)
		return;
	mlx5_sriov_blocking_notifier_unregister(mig->pf, mig->vf_id, &mig->nb);
	mlx5vf_mig_detach(mig);
}

/* ---- vfio device ------------------------------------------------------- */

static void release_dev(struct vfio_device *vdev)
{
	struct mlx5vf_device *dev = from_vdev(vdev);

	if (dev->mig)
		mlx5vf_mig_put(dev->mig);
	vfio_pci_core_release_dev(vdev);
}

static int open_device(struct vfio_device *vdev)
{
	struct mlx5vf_device *dev = from_vdev(vdev);
	int ret;

	ret = vfio_pci_core_enable(&dev->core);
	if (ret)
		return ret;
	if (dev->mig)
		mlx5vf_mig_open(dev->mig);
	vfio_pci_core_finish_enable(&dev->core);
	return 0;
}

static void close_device(struct vfio_device *vdev)
{
	struct mlx5vf_device *dev = from_vdev(vdev);

	if (dev->mig)
		mlx5vf_mig_close(dev->mig);
	vfio_pci_core_close_device(vdev);
}

static const struct vfio_device_ops mlx5vf_ops = {
	.name		= "mlx5-vfio-pci",
	.init		= vfio_pci_core_init_dev,
	.release	= release_dev,
	.open_device	= open_device,
	.close_device	= close_device,
	VFIO_PCI_CORE_OPS
};

/* ---- PCI driver -------------------------------------------------------- */

static int probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct mlx5vf_device *dev;
	int ret;

	dev = vfio_alloc_device(mlx5vf_device, core.vdev, &pdev->dev,
				&mlx5vf_ops);
	if (IS_ERR(dev))
		return PTR_ERR(dev);

	pci_set_drvdata(pdev, &dev->core);
	ret = offer_migration(dev);
	if (ret)
		goto err_device;
	ret = vfio_pci_core_register_device(&dev->core);
	if (ret)
		goto err_migration;
	return 0;

err_migration:
	withdraw_migration(dev);
err_device:
	vfio_put_device(&dev->core.vdev);
	return ret;
}

static void remove(struct pci_dev *pdev)
{
	struct mlx5vf_device *dev = from_pdev(pdev);

	vfio_pci_core_unregister_device(&dev->core);
	withdraw_migration(dev);
	vfio_put_device(&dev->core.vdev);
}

static void reset_done(struct pci_dev *pdev)
{
	struct mlx5vf_device *dev = from_pdev(pdev);

	if (dev->mig)
		mlx5vf_mig_was_reset(dev->mig);
}

static const struct pci_error_handlers err_handlers = {
	.reset_done	= reset_done,
	.error_detected	= vfio_pci_core_aer_err_detected,
};

static const struct pci_device_id ids[] = {
	/* Virtual functions of every ConnectX since the sixth */
	{ PCI_DRIVER_OVERRIDE_DEVICE_VFIO(PCI_VENDOR_ID_MELLANOX, 0x101e) },
	{ }
};
MODULE_DEVICE_TABLE(pci, ids);

static struct pci_driver mlx5vf_driver = {
	.name			= KBUILD_MODNAME,
	.id_table		= ids,
	.probe			= probe,
	.remove			= remove,
	.err_handler		= &err_handlers,
	.driver_managed_dma	= true,
	.driver.pm		= &vfio_pci_core_pm_ops,
};
module_pci_driver(mlx5vf_driver);

MODULE_DESCRIPTION("VFIO PCI driver of ConnectX virtual functions, with live migration");
MODULE_LICENSE("GPL");
MODULE_VERSION(VFIO_PCI_VERSION);
COMPAT_IMPORT_NS(IOMMUFD);
