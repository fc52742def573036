/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The arcs of the migration state machine, and what they are made of.
 *
 * Also compiled in user space, for unit tests: there the test stands in for the
 * firmware and for the data files.
 */
#ifndef MLX5VF_ARC_H
#define MLX5VF_ARC_H

#include <linux/types.h>
#include <linux/vfio.h>

struct file;
struct mlx5vf_mig;

/**
 * enum mlx5vf_half - what of a VF can be suspended
 * @MLX5VF_INITIATOR: what it starts itself: DMA to memory and to its peers
 * @MLX5VF_RESPONDER: what it answers: writes of its peers and of the processor
 */
enum mlx5vf_half {
	MLX5VF_INITIATOR,
	MLX5VF_RESPONDER,
};

/* arc.c */
struct file *mlx5vf_arc(struct mlx5vf_mig *mig, enum vfio_device_mig_state from,
			enum vfio_device_mig_state to);

/*
 * What arcs do. Each returns 0 or -errno, in the latter case with everything as it
 * was before. Whoever cannot keep that promise calls mlx5vf_mig_fail().
 */
int mlx5vf_cmd_suspend(struct mlx5vf_mig *mig, enum mlx5vf_half half);
int mlx5vf_cmd_resume(struct mlx5vf_mig *mig, enum mlx5vf_half half);
struct file *mlx5vf_save_start(struct mlx5vf_mig *mig, bool precopy);
int mlx5vf_save_settle(struct mlx5vf_mig *mig);
int mlx5vf_save_final(struct mlx5vf_mig *mig);
void mlx5vf_save_end(struct mlx5vf_mig *mig);
struct file *mlx5vf_load_start(struct mlx5vf_mig *mig);
int mlx5vf_load_finish(struct mlx5vf_mig *mig);
void mlx5vf_load_end(struct mlx5vf_mig *mig);
void mlx5vf_mig_fail(struct mlx5vf_mig *mig);

#endif /* MLX5VF_ARC_H */
