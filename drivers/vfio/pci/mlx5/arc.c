// SPDX-License-Identifier: GPL-2.0-only
/*
 * The arcs of the migration state machine, one function each. Which of them lead
 * from one state to another is vfio.ko's knowledge (vfio_mig_get_next_state()).
 *
 * An arc that fails leaves the VF in the state it came from; if that cannot be
 * had, it calls mlx5vf_mig_fail() and only a reset helps.
 */
#include <linux/err.h>
#include <linux/errno.h>

#include "arc.h"

#define STATES	VFIO_DEVICE_STATE_NR

typedef struct file *(*arc_fn)(struct mlx5vf_mig *mig);

static struct file *quiesce(struct mlx5vf_mig *mig)
{
	return ERR_PTR(mlx5vf_cmd_suspend(mig, MLX5VF_INITIATOR));
}

static struct file *unquiesce(struct mlx5vf_mig *mig)
{
	return ERR_PTR(mlx5vf_cmd_resume(mig, MLX5VF_INITIATOR));
}

static struct file *stop(struct mlx5vf_mig *mig)
{
	return ERR_PTR(mlx5vf_cmd_suspend(mig, MLX5VF_RESPONDER));
}

static struct file *start(struct mlx5vf_mig *mig)
{
	return ERR_PTR(mlx5vf_cmd_resume(mig, MLX5VF_RESPONDER));
}

static struct file *precopy(struct mlx5vf_mig *mig)
{
	return mlx5vf_save_start(mig, true);
}

static struct file *save(struct mlx5vf_mig *mig)
{
	return mlx5vf_save_start(mig, false);
}

/* The save that is going on must not meet the end of its buffer */
static struct file *end_save(struct mlx5vf_mig *mig)
{
	int ret = mlx5vf_save_settle(mig);

	if (!ret)
		mlx5vf_save_end(mig);
	return ERR_PTR(ret);
}

static struct file *stop_and_save(struct mlx5vf_mig *mig)
{
	int ret;

	ret = mlx5vf_save_settle(mig);
	if (ret)
		return ERR_PTR(ret);
	ret = mlx5vf_cmd_suspend(mig, MLX5VF_RESPONDER);
	if (ret)
		return ERR_PTR(ret);

	ret = mlx5vf_save_final(mig);
	if (ret && mlx5vf_cmd_resume(mig, MLX5VF_RESPONDER))
		mlx5vf_mig_fail(mig);
	return ERR_PTR(ret);
}

static struct file *load(struct mlx5vf_mig *mig)
{
	return mlx5vf_load_start(mig);
}

/* Half a state is none: a stream that did not arrive whole costs the VF */
static struct file *end_load(struct mlx5vf_mig *mig)
{
	int ret = mlx5vf_load_finish(mig);

	mlx5vf_load_end(mig);
	if (ret)
		mlx5vf_mig_fail(mig);
	return ERR_PTR(ret);
}

#define S(state)	VFIO_DEVICE_STATE_##state

static const arc_fn arcs[STATES][STATES] = {
	[S(RUNNING)] = {
		[S(RUNNING_P2P)]	= quiesce,
		[S(PRE_COPY)]		= precopy,
	},
	[S(RUNNING_P2P)] = {
		[S(RUNNING)]		= unquiesce,
		[S(STOP)]		= stop,
		[S(PRE_COPY_P2P)]	= precopy,
	},
	[S(STOP)] = {
		[S(RUNNING_P2P)]	= start,
		[S(STOP_COPY)]		= save,
		[S(RESUMING)]		= load,
	},
	[S(STOP_COPY)] = {
		[S(STOP)]		= end_save,
	},
	[S(RESUMING)] = {
		[S(STOP)]		= end_load,
	},
	[S(PRE_COPY)] = {
		[S(RUNNING)]		= end_save,
		[S(PRE_COPY_P2P)]	= quiesce,
	},
	[S(PRE_COPY_P2P)] = {
		[S(RUNNING_P2P)]	= end_save,
		[S(PRE_COPY)]		= unquiesce,
		[S(STOP_COPY)]		= stop_and_save,
	},
};

/**
 * mlx5vf_arc() - go from one state to the next
 * @mig: the migration of a VF, locked
 * @from: the state it is in
 * @to: the state it shall be in, one arc away
 *
 * Return: NULL, the data file if the arc opens one, -EINVAL if there is no such
 * arc, or what went wrong on it.
 */
struct file *mlx5vf_arc(struct mlx5vf_mig *mig, enum vfio_device_mig_state from,
			enum vfio_device_mig_state to)
{
	if (from >= STATES || to >= STATES || !arcs[from][to])
		return ERR_PTR(-EINVAL);
	return arcs[from][to](mig);
}
