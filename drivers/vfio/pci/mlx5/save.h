/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The session that saves a VF: firmware's side of it is in save.c, the data file in
 * save_file.c, beginning and end in save_arc.c.
 */
#ifndef MLX5VF_SAVE_H
#define MLX5VF_SAVE_H

#include "mig.h"
#include "queue.h"

/**
 * struct mlx5vf_save - a session that saves
 * @refs: one of the migration while the session lasts, one of the data file
 * @mig: the migration; the session owns a reference
 * @wait: woken when anything below changes
 * @lock: guards what follows; taken in interrupts too
 * @queue: saved and not read
 * @filling: the image that is being saved, or NULL
 * @spare: images that were read, to be saved to again
 * @left: bytes of the final image that are not saved yet, roughly
 * @next_size: memory for the next piece of the image that @on is about, or 0
 * @err: why there will be no more data
 * @live_copy: the VF is in a PRE_COPY state
 * @final_due: the final image is not saved yet, not even its first piece
 * @untracked: firmware gave up tracking: the final image will be a full one
 * @dead: the session is over
 * @reading: somebody reads
 * @tracked: the session began with PRE_COPY; constant
 * @pdn: protection domain; mig->lock, as the rest
 * @on: the save that is going on, or the last one
 */
struct mlx5vf_save {
	refcount_t		refs;
	struct mlx5vf_mig	*mig;
	wait_queue_head_t	wait;

	spinlock_t		lock;	/* guards what follows, up to @tracked */
	struct mlx5vf_queue	queue;
	struct mlx5vf_image	*filling;
	struct mlx5vf_image	*spare[MLX5VF_QUEUE_IMAGES];
	u64			left;
	u32			next_size;
	int			err;
	bool			live_copy;
	bool			final_due;
	bool			untracked;
	bool			dead;
	bool			reading;

	bool			tracked;
	u32			pdn;
	struct mlx5vf_saving	on;
};

/* save.c: what is saved when */
int mlx5vf_save_first(struct mlx5vf_save *s);
int mlx5vf_save_next(struct mlx5vf_save *s);
bool mlx5vf_save_due(struct mlx5vf_save *s);
int mlx5vf_save_run(struct mlx5vf_save *s);
void mlx5vf_save_spare(struct mlx5vf_save *s, struct mlx5vf_image *image);
int mlx5vf_save_increment(struct mlx5vf_save *s, u64 *dirty);

/* save_arc.c: beginning and end */
void mlx5vf_save_put(struct mlx5vf_save *s);

/* save_file.c: the data file */
struct file *mlx5vf_save_open(struct mlx5vf_save *s);

#endif /* MLX5VF_SAVE_H */
