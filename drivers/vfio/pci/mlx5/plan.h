/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sizes for tracking dirty pages, from what firmware can do.
 *
 * Also compiled in user space, for unit tests.
 */
#ifndef MLX5VF_PLAN_H
#define MLX5VF_PLAN_H

#include <linux/types.h>

/**
 * struct mlx5vf_track_caps - limits of the firmware; log2 of bytes
 * @log_min_space: smallest address space
 * @log_max_space: largest address space
 * @log_min_msg: shortest message of a report
 * @log_max_msg: longest message of a report
 * @log_min_page: finest granularity
 * @log_max_page: coarsest granularity
 */
struct mlx5vf_track_caps {
	u8	log_min_space;
	u8	log_max_space;
	u8	log_min_msg;
	u8	log_max_msg;
	u8	log_min_page;
	u8	log_max_page;
};

/**
 * struct mlx5vf_track_wish - what user space would like
 * @length: bytes to be tracked altogether
 * @page_size: granularity; 0 if it does not care
 * @log_align: what all ranges begin and end at a multiple of, log2 of bytes
 */
struct mlx5vf_track_wish {
	u64	length;
	u64	page_size;
	u8	log_align;
};

/**
 * struct mlx5vf_track_plan - what to ask for
 * @log_space: address space, log2 of bytes
 * @log_page: granularity, log2 of bytes
 * @log_msg: length of a message, log2 of bytes
 * @log_slots: messages that can be received before one is read, log2
 */
struct mlx5vf_track_plan {
	u8	log_space;
	u8	log_page;
	u8	log_msg;
	u8	log_slots;
};

int mlx5vf_track_plan(const struct mlx5vf_track_caps *caps,
		      const struct mlx5vf_track_wish *wish,
		      struct mlx5vf_track_plan *plan);

#endif /* MLX5VF_PLAN_H */
