// SPDX-License-Identifier: GPL-2.0-only
/*
 * The records of a stream that are saved and not yet read. A ring of fixed size:
 * how far saving may run ahead of reading is bounded, so pushing is safe in the
 * interrupt that ends a save.
 */
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/string.h>

#include "queue.h"
#include "record.h"

static_assert(sizeof(struct mlx5vf_record) + sizeof(__le64) <= MLX5VF_HEAD_MAX);

static struct mlx5vf_segment *segment(struct mlx5vf_queue *q, unsigned int i)
{
	return &q->seg[(q->first + i) % MLX5VF_QUEUE_SIZE];
}

static u64 left(const struct mlx5vf_segment *seg)
{
	return seg->head_len + seg->len - seg->pos;
}

static struct mlx5vf_segment *push(struct mlx5vf_queue *q)
{
	struct mlx5vf_segment *seg;

	if (q->nr == MLX5VF_QUEUE_SIZE)
		return NULL;
	seg = segment(q, q->nr++);
	memset(seg, 0, sizeof(*seg));
	return seg;
}

/**
 * mlx5vf_queue_image() - an image was saved
 * @q: the queue
 * @image: the image; it is the queue's until mlx5vf_queue_took() gives it back
 * @len: bytes of it, not 0
 * @initial: it belongs to the first image of a precopy
 * @raw: no header goes before it
 *
 * Return: 0, or -ENOSPC if MLX5VF_QUEUE_SIZE records wait already.
 */
int mlx5vf_queue_image(struct mlx5vf_queue *q, struct mlx5vf_image *image,
		       u64 len, bool initial, bool raw)
{
	struct mlx5vf_segment *seg = push(q);

	if (!seg)
		return -ENOSPC;
	seg->image = image;
	seg->len = len;
	seg->initial = initial;
	if (!raw) {
		mlx5vf_record_image((struct mlx5vf_record *)seg->head, len);
		seg->head_len = sizeof(struct mlx5vf_record);
	}
	return 0;
}

/**
 * mlx5vf_queue_final_size() - tell the other side what is coming
 * @q: the queue
 * @size: a guess at the size of the final image
 *
 * Return: 0, or -ENOSPC if MLX5VF_QUEUE_SIZE records wait already.
 */
int mlx5vf_queue_final_size(struct mlx5vf_queue *q, u64 size)
{
	struct mlx5vf_segment *seg = push(q);

	if (!seg)
		return -ENOSPC;
	seg->head_len = mlx5vf_record_final_size(seg->head, size);
	seg->initial = true;
	return 0;
}

/**
 * mlx5vf_queue_next() - what is to be read next
 * @q: the queue
 * @piece: says where it lies
 *
 * Return: false if there is nothing.
 */
bool mlx5vf_queue_next(struct mlx5vf_queue *q, struct mlx5vf_piece *piece)
{
	struct mlx5vf_segment *seg = segment(q, 0);

	if (!q->nr)
		return false;

	memset(piece, 0, sizeof(*piece));
	if (seg->pos < seg->head_len) {
		piece->head = seg->head + seg->pos;
		piece->len = seg->head_len - seg->pos;
	} else {
		piece->image = seg->image;
		piece->pos = seg->pos - seg->head_len;
		piece->len = left(seg);
	}
	return true;
}

/**
 * mlx5vf_queue_took() - bytes were read
 * @q: the queue
 * @n: how many, up to the length of the piece
 *
 * Return: the image whose last byte that was, or NULL.
 */
struct mlx5vf_image *mlx5vf_queue_took(struct mlx5vf_queue *q, u64 n)
{
	struct mlx5vf_segment *seg = segment(q, 0);

	seg->pos += n;
	return left(seg) ? NULL : mlx5vf_queue_drop(q);
}

/**
 * mlx5vf_queue_drop() - forget the oldest record
 * @q: the queue, not empty
 *
 * Return: its image, or NULL if it has none.
 */
struct mlx5vf_image *mlx5vf_queue_drop(struct mlx5vf_queue *q)
{
	struct mlx5vf_image *image = segment(q, 0)->image;

	q->first = (q->first + 1) % MLX5VF_QUEUE_SIZE;
	q->nr--;
	return image;
}

/**
 * mlx5vf_queue_images() - how far saving is ahead of reading
 * @q: the queue
 *
 * Return: the number of images that wait.
 */
unsigned int mlx5vf_queue_images(const struct mlx5vf_queue *q)
{
	unsigned int images = 0;

	for (unsigned int i = 0; i < q->nr; i++)
		images += !!segment((struct mlx5vf_queue *)q, i)->image;
	return images;
}

/**
 * mlx5vf_queue_left() - bytes that wait to be read
 * @q: the queue
 * @initial: those of the first image of a precopy, or the others
 *
 * Return: that number.
 */
u64 mlx5vf_queue_left(const struct mlx5vf_queue *q, bool initial)
{
	u64 sum = 0;

	for (unsigned int i = 0; i < q->nr; i++) {
		const struct mlx5vf_segment *seg =
			segment((struct mlx5vf_queue *)q, i);

		if (seg->initial == initial)
			sum += left(seg);
	}
	return sum;
}
