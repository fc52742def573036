/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The records of a stream that are saved and not yet read, in order.
 *
 * Also compiled in user space, for unit tests.
 */
#ifndef MLX5VF_QUEUE_H
#define MLX5VF_QUEUE_H

#include <linux/types.h>

/* While one image is read the next is being saved, or waits */
#define MLX5VF_QUEUE_IMAGES	2
/* One more, for the guess at the final size */
#define MLX5VF_QUEUE_SIZE	(MLX5VF_QUEUE_IMAGES + 1)

#define MLX5VF_HEAD_MAX		24

struct mlx5vf_image;

/**
 * struct mlx5vf_segment - a record
 * @image: its payload, or NULL if @head is all there is
 * @len: bytes of @image
 * @pos: bytes read, of @head and of @image
 * @initial: of the first image of a precopy
 * @head_len: bytes of @head; 0 in a raw stream
 * @head: its header
 */
struct mlx5vf_segment {
	struct mlx5vf_image	*image;
	u64			len;
	u64			pos;
	bool			initial;
	unsigned int		head_len;
	u8			head[MLX5VF_HEAD_MAX];
};

/**
 * struct mlx5vf_queue - records, the oldest first
 * @first: index of the oldest
 * @nr: number of records
 * @seg: the records, as a ring
 */
struct mlx5vf_queue {
	unsigned int		first;
	unsigned int		nr;
	struct mlx5vf_segment	seg[MLX5VF_QUEUE_SIZE];
};

/**
 * struct mlx5vf_piece - bytes that lie together
 * @head: where they are, if they belong to a header
 * @image: whose they are otherwise
 * @pos: where in @image
 * @len: how many
 */
struct mlx5vf_piece {
	const u8		*head;
	struct mlx5vf_image	*image;
	u64			pos;
	u64			len;
};

int mlx5vf_queue_image(struct mlx5vf_queue *q, struct mlx5vf_image *image,
		       u64 len, bool initial, bool raw);
int mlx5vf_queue_final_size(struct mlx5vf_queue *q, u64 size);
bool mlx5vf_queue_next(struct mlx5vf_queue *q, struct mlx5vf_piece *piece);
struct mlx5vf_image *mlx5vf_queue_took(struct mlx5vf_queue *q, u64 n);
struct mlx5vf_image *mlx5vf_queue_drop(struct mlx5vf_queue *q);
unsigned int mlx5vf_queue_images(const struct mlx5vf_queue *q);
u64 mlx5vf_queue_left(const struct mlx5vf_queue *q, bool initial);

#endif /* MLX5VF_QUEUE_H */
