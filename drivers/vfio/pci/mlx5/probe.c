// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the PF's firmware offers for a VF, asked for once, when the VF is bound.
 */
#include <linux/errno.h>
#include <linux/mlx5/device.h>
#include <linux/mlx5/driver.h>
#include <linux/mlx5/vport.h>
#include <linux/slab.h>

#include "mig.h"

/* @ret is -EOPNOTSUPP where nothing is wrong, it is just not to be had */
static int without(struct mlx5vf_mig *mig, int ret, const char *why)
{
	pci_info(mig->pdev, "no live migration: %s (%d)\n", why, ret);
	return ret;
}

static int query_migratable(struct mlx5vf_mig *mig, bool *migratable)
{
	void *out;
	int ret;

	out = kzalloc(MLX5_ST_SZ_BYTES(query_hca_cap_out), GFP_KERNEL);
	if (!out)
		return -ENOMEM;

	ret = mlx5_vport_get_other_func_cap(mig->pf, mig->vf_id + 1, out,
					    MLX5_CAP_GENERAL_2);
	if (!ret)
		*migratable = MLX5_GET(query_hca_cap_out, out,
				       capability.cmd_hca_cap_2.migratable);
	kfree(out);
	return ret;
}

static void probe_flags(struct mlx5vf_mig *mig)
{
	struct mlx5_core_dev *pf = mig->pf;

	/* Whoever began to track would rely on reports, which vfio.ko then refuses */
	mig->can_track = IS_ENABLED(CONFIG_IOMMUFD_DRIVER) &&
			 MLX5_CAP_GEN(pf, adv_virtualization);
	mig->precopy = MLX5_CAP_GEN_2(pf, migration_multi_load) &&
		       MLX5_CAP_GEN_2(pf, migration_tracking_state);
	/* Each piece is a record, and without precopy there are none */
	mig->chunked = mig->precopy && MLX5_CAP_GEN_2(pf, migration_in_chunks);
}

static int probe_locked(struct mlx5vf_mig *mig)
{
	bool migratable = false;
	int ret;

	if (!MLX5_CAP_GEN(mig->pf, migration))
		return without(mig, -EOPNOTSUPP,
			       "the PF's firmware cannot do it");
	ret = query_migratable(mig, &migratable);
	if (ret)
		return without(mig, ret, "firmware does not tell if the VF can");
	if (!migratable)
		return without(mig, -EOPNOTSUPP,
			       "not enabled for this VF: devlink port function set ... migratable enable");

	mutex_lock(&mig->lock);
	mig->attached = true;
	ret = mlx5vf_cmd_query_vhca_id(mig);
	mutex_unlock(&mig->lock);
	if (ret)
		return without(mig, ret, "firmware does not tell the VF's name");

	probe_flags(mig);
	ret = mlx5_sriov_blocking_notifier_register(mig->pf, mig->vf_id,
						    &mig->nb);
	if (ret)
		return without(mig, ret, "the PF was still making its VFs, bind again");
	return 0;
}

/**
 * mlx5vf_probe_migration() - find out whether and how a VF can be migrated
 * @mig: the migration of the VF; its notifier block is set up
 *
 * On success the notifier is registered with the PF, until
 * mlx5_sriov_blocking_notifier_unregister().
 *
 * Context: Called from the driver's probe.
 * Return: 0, or -errno if it cannot be migrated; the log says why.
 */
int mlx5vf_probe_migration(struct mlx5vf_mig *mig)
{
	int ret;

	if (!mig->pdev->is_virtfn)
		return without(mig, -EOPNOTSUPP, "not a virtual function");
	mig->vf_id = pci_iov_vf_id(mig->pdev);
	if (mig->vf_id < 0)
		return without(mig, mig->vf_id, "the VF has no number");
	/* Its PF cannot go away, or be reloaded, until it is put */
	mig->pf = mlx5_vf_get_core_dev(mig->pdev);
	if (!mig->pf)
		return without(mig, -ENODEV, "mlx5_core does not have the PF");

	ret = probe_locked(mig);
	mlx5_vf_put_core_dev(mig->pf);
	return ret;
}
