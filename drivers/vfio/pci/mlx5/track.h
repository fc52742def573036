/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracking of dirty pages: what user space asks for is in track.c, the queues that
 * firmware answers through in track_hw.c and track_cq.c.
 */
#ifndef MLX5VF_TRACK_H
#define MLX5VF_TRACK_H

#include <linux/mlx5/cq.h>
#include <linux/mlx5/driver.h>
#include <linux/mlx5/eq.h>
#include <linux/wait.h>

#include "mig.h"
#include "plan.h"

/**
 * struct mlx5vf_cq - the completion queue
 * @core: mlx5_core's part
 * @buf: memory of the queue
 * @fbc: finds entries in @buf
 * @db: doorbell record
 * @entries: number of entries, a power of two
 */
struct mlx5vf_cq {
	struct mlx5_core_cq		core;
	struct mlx5_frag_buf		buf;
	struct mlx5_frag_buf_ctrl	fbc;
	struct mlx5_db			db;
	u32				entries;
};

/**
 * struct mlx5vf_qp - one end of the connection; firmware sends, we receive
 * @qpn: its number
 * @buf: memory of the receive queue, which only our end has
 * @fbc: finds entries in @buf
 * @db: doorbell record
 * @posted: receives that were ever posted
 */
struct mlx5vf_qp {
	u32				qpn;
	struct mlx5_frag_buf		buf;
	struct mlx5_frag_buf_ctrl	fbc;
	struct mlx5_db			db;
	u32				posted;
};

/**
 * struct mlx5vf_track - a tracker
 * @refs: one of the migration, one of a report that is being made
 * @wait: woken by an interrupt that sets a flag, and when @dead is set
 * @plan: sizes
 * @obj_id: firmware's name for the tracker
 * @pdn: protection domain
 * @uar: doorbells
 * @cq: completions of what @host receives
 * @host: our end
 * @fw: firmware's end
 * @recv: what messages are received to
 * @nb: errors of all this
 * @reporting: a report is being made; mig->lock, as all above
 * @dead: the tracker is gone; set under mig->lock
 * @completed: @cq has, or had, something new; set in an interrupt, as what follows
 * @changed: firmware has changed the tracker's state by itself
 * @broken: bits were lost, or will be
 */
struct mlx5vf_track {
	refcount_t			refs;
	wait_queue_head_t		wait;
	struct mlx5vf_track_plan	plan;
	u32				obj_id;
	u32				pdn;
	struct mlx5_uars_page		*uar;
	struct mlx5vf_cq		cq;
	struct mlx5vf_qp		host;
	struct mlx5vf_qp		fw;
	struct mlx5vf_image		*recv;
	struct mlx5_nb			nb;
	bool				reporting;
	bool				dead;
	bool				completed;
	bool				changed;
	bool				broken;
};

/**
 * struct mlx5vf_track_msg - a message of a report
 * @state: MLX5_PAGE_TRACK_STATE_*: whether it is the last one
 * @nr: number of pages
 * @page: their addresses; room for as many as a message can have
 */
struct mlx5vf_track_msg {
	unsigned int	state;
	unsigned int	nr;
	__be64		page[];
};

static inline u32 mlx5vf_track_slots(const struct mlx5vf_track *t)
{
	return 1u << t->plan.log_slots;
}

/* track_cq.c: the completion queue */
int mlx5vf_track_cq_create(struct mlx5vf_mig *mig, struct mlx5vf_track *t);
void mlx5vf_track_cq_destroy(struct mlx5vf_mig *mig, struct mlx5vf_track *t);
void mlx5vf_track_cq_arm(struct mlx5vf_track *t);
struct mlx5_cqe64 *mlx5vf_track_cq_peek(struct mlx5vf_track *t);
void mlx5vf_track_cq_consume(struct mlx5vf_track *t);

/* track_hw.c: the connection, and the messages that come over it */
int mlx5vf_track_hw_create(struct mlx5vf_mig *mig, struct mlx5vf_track *t);
void mlx5vf_track_hw_destroy(struct mlx5vf_mig *mig, struct mlx5vf_track *t);
int mlx5vf_track_hw_receive(struct mlx5vf_mig *mig, struct mlx5vf_track *t,
			    struct mlx5vf_track_msg *msg);

#endif /* MLX5VF_TRACK_H */
