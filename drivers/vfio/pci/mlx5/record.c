// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records of the migration stream: a parser that bytes are pushed through in
 * pieces of any size, and the writer's side. No memory is allocated, and nothing
 * that the stream says is used before it was checked.
 */
#include <asm/byteorder.h>
#include <linux/errno.h>
#include <linux/string.h>

#include "record.h"

static void expect(struct mlx5vf_parser *p, enum mlx5vf_want want, u64 total)
{
	p->want = want;
	p->done = 0;
	p->total = total;
}

static void expect_header(struct mlx5vf_parser *p)
{
	expect(p, MLX5VF_WANT_HEADER, sizeof(p->room.header));
}

/**
 * mlx5vf_parser_init() - stand at the beginning of a stream
 * @p: the parser
 * @raw: one image without headers is coming
 */
void mlx5vf_parser_init(struct mlx5vf_parser *p, bool raw)
{
	memset(p, 0, sizeof(*p));
	p->raw = raw;
	if (raw)
		expect(p, MLX5VF_WANT_IMAGE, MLX5VF_IMAGE_MAX);
	else
		expect_header(p);
}

/**
 * mlx5vf_parser_room() - where the next bytes of something small belong
 * @p: the parser, which wants a header or a size
 *
 * Return: room for mlx5vf_parser_left() bytes.
 */
void *mlx5vf_parser_room(struct mlx5vf_parser *p)
{
	return p->room.byte + p->done;
}

/**
 * mlx5vf_parser_left() - how many bytes of what it wants are missing
 * @p: the parser
 *
 * Return: that number; 0 only in a raw stream that is as long as it can be.
 */
u64 mlx5vf_parser_left(const struct mlx5vf_parser *p)
{
	return p->total - p->done;
}

static int begin_image(struct mlx5vf_parser *p, u64 size)
{
	if (!size || size > MLX5VF_IMAGE_MAX)
		return -EINVAL;
	expect(p, MLX5VF_WANT_IMAGE, size);
	return MLX5VF_EVENT_BEGIN;
}

static int begin_size(struct mlx5vf_parser *p, u64 size)
{
	if (size != sizeof(p->room.size))
		return -EINVAL;
	expect(p, MLX5VF_WANT_SIZE, size);
	return MLX5VF_EVENT_NONE;
}

static int begin_skip(struct mlx5vf_parser *p, u64 size, u32 flags)
{
	if (!(flags & MLX5VF_FLAG_OPTIONAL))
		return -EOPNOTSUPP;
	if (size > MLX5VF_SKIP_MAX)
		return -EINVAL;
	if (size)
		expect(p, MLX5VF_WANT_SKIP, size);
	else
		expect_header(p);
	return MLX5VF_EVENT_NONE;
}

static int take_header(struct mlx5vf_parser *p)
{
	u64 size = le64_to_cpu(p->room.header.size);
	u32 flags = le32_to_cpu(p->room.header.flags);

	if (flags & ~MLX5VF_FLAG_OPTIONAL)
		return -EOPNOTSUPP;

	switch (le32_to_cpu(p->room.header.tag)) {
	case MLX5VF_TAG_IMAGE:
		return begin_image(p, size);
	case MLX5VF_TAG_FINAL_SIZE:
		return begin_size(p, size);
	default:
		return begin_skip(p, size, flags);
	}
}

static int complete(struct mlx5vf_parser *p)
{
	enum mlx5vf_want had = p->want;

	if (had == MLX5VF_WANT_HEADER)
		return take_header(p);

	expect_header(p);
	switch (had) {
	case MLX5VF_WANT_IMAGE:
		p->images++;
		return MLX5VF_EVENT_END;
	case MLX5VF_WANT_SIZE:
		p->final_size = le64_to_cpu(p->room.size);
		return MLX5VF_EVENT_SIZE;
	default:
		return MLX5VF_EVENT_NONE;
	}
}

/**
 * mlx5vf_parser_took() - bytes have come
 * @p: the parser
 * @n: how many, up to mlx5vf_parser_left()
 *
 * Return: an event of enum mlx5vf_event, or with the parser of no more use:
 * * -EINVAL - no stream of this kind, a damaged one, or one that is too large
 * * -EOPNOTSUPP - a record that must be understood and is not
 */
int mlx5vf_parser_took(struct mlx5vf_parser *p, u64 n)
{
	if (n > mlx5vf_parser_left(p))
		return -EINVAL;
	p->done += n;
	if (p->raw || mlx5vf_parser_left(p))
		return MLX5VF_EVENT_NONE;
	return complete(p);
}

/**
 * mlx5vf_parser_finish() - the stream is over
 * @p: the parser
 *
 * Return: MLX5VF_EVENT_END if a raw image is now complete, MLX5VF_EVENT_NONE if
 * the stream ended between two records, or -EINVAL if it is cut off, or without
 * any image.
 */
int mlx5vf_parser_finish(struct mlx5vf_parser *p)
{
	if (p->raw) {
		if (!p->done || p->images)
			return -EINVAL;
		p->images++;
		return MLX5VF_EVENT_END;
	}
	if (p->want != MLX5VF_WANT_HEADER || p->done || !p->images)
		return -EINVAL;
	return MLX5VF_EVENT_NONE;
}

/**
 * mlx5vf_record_image() - the header of an image
 * @r: to be filled
 * @size: bytes of the image
 */
void mlx5vf_record_image(struct mlx5vf_record *r, u64 size)
{
	r->size = cpu_to_le64(size);
	r->flags = 0;
	r->tag = cpu_to_le32(MLX5VF_TAG_IMAGE);
}

/**
 * mlx5vf_record_final_size() - a whole MLX5VF_TAG_FINAL_SIZE
 * @to: room for 24 bytes
 * @size: how long the final image will be, perhaps
 *
 * Return: 24.
 */
unsigned int mlx5vf_record_final_size(void *to, u64 size)
{
	struct mlx5vf_record r = {
		.size = cpu_to_le64(sizeof(__le64)),
		.flags = cpu_to_le32(MLX5VF_FLAG_OPTIONAL),
		.tag = cpu_to_le32(MLX5VF_TAG_FINAL_SIZE),
	};
	__le64 payload = cpu_to_le64(size);

	memcpy(to, &r, sizeof(r));
	memcpy((u8 *)to + sizeof(r), &payload, sizeof(payload));
	return sizeof(r) + sizeof(payload);
}
