/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The migration stream: what goes over a data file, byte for byte. The format is
 * that of the kernel's own driver, so a guest can move between the two.
 *
 * Also compiled in user space, for unit tests.
 */
#ifndef MLX5VF_RECORD_H
#define MLX5VF_RECORD_H

#include <linux/compiler.h>
#include <linux/types.h>

/**
 * DOC: stream format
 *
 * A stream is a sequence of records: a header, then as many bytes of payload as
 * the header says. All numbers are little-endian.
 *
 * A VF whose firmware cannot save a running device has no precopy; its stream is
 * one firmware image without any header, which ends where the stream ends.
 */

/* Payload: an image that firmware saved, to be loaded in the order of the stream */
#define MLX5VF_TAG_IMAGE	0
/* Payload: a 64-bit guess at how long the final image will be */
#define MLX5VF_TAG_FINAL_SIZE	1

/* Who does not know the tag may skip the record */
#define MLX5VF_FLAG_OPTIONAL	0x1

/**
 * struct mlx5vf_record - header of a record
 * @size: bytes of payload
 * @flags: MLX5VF_FLAG_*
 * @tag: MLX5VF_TAG_*
 */
struct mlx5vf_record {
	__le64	size;
	__le32	flags;
	__le32	tag;
} __packed;

/* LOAD_VHCA_STATE has 32 bits for the size of an image */
#define MLX5VF_IMAGE_MAX	0xffffffffULL
/* Records to be skipped: nobody knows what for, but not without end */
#define MLX5VF_SKIP_MAX		0x100000ULL

/**
 * enum mlx5vf_want - what the parser takes next
 * @MLX5VF_WANT_HEADER: bytes of a header, into mlx5vf_parser_room()
 * @MLX5VF_WANT_SIZE: bytes of a MLX5VF_TAG_FINAL_SIZE, to the same place
 * @MLX5VF_WANT_IMAGE: bytes of an image, into the caller's memory
 * @MLX5VF_WANT_SKIP: bytes that nobody needs
 */
enum mlx5vf_want {
	MLX5VF_WANT_HEADER,
	MLX5VF_WANT_SIZE,
	MLX5VF_WANT_IMAGE,
	MLX5VF_WANT_SKIP,
};

/**
 * enum mlx5vf_event - what the bytes just taken completed
 * @MLX5VF_EVENT_NONE: nothing
 * @MLX5VF_EVENT_BEGIN: the header of an image of @total bytes
 * @MLX5VF_EVENT_END: an image
 * @MLX5VF_EVENT_SIZE: @final_size
 */
enum mlx5vf_event {
	MLX5VF_EVENT_NONE,
	MLX5VF_EVENT_BEGIN,
	MLX5VF_EVENT_END,
	MLX5VF_EVENT_SIZE,
};

/**
 * struct mlx5vf_parser - where in a stream its reader stands
 * @want: what comes next
 * @done: bytes of it that have come
 * @total: bytes of it altogether
 * @images: images that are complete
 * @final_size: what the last MLX5VF_TAG_FINAL_SIZE said
 * @raw: the stream has no headers
 * @room: where small things are put together
 */
struct mlx5vf_parser {
	enum mlx5vf_want	want;
	u64			done;
	u64			total;
	u64			images;
	u64			final_size;
	bool			raw;
	union {
		struct mlx5vf_record	header;
		__le64			size;
		u8			byte[16];
	} room;
};

/* What an image of @size bytes is in a stream; a stream that is @raw has no headers */
static inline u64 mlx5vf_record_size(u64 size, bool raw)
{
	return size && !raw ? size + sizeof(struct mlx5vf_record) : size;
}

void mlx5vf_parser_init(struct mlx5vf_parser *p, bool raw);
void *mlx5vf_parser_room(struct mlx5vf_parser *p);
u64 mlx5vf_parser_left(const struct mlx5vf_parser *p);
int mlx5vf_parser_took(struct mlx5vf_parser *p, u64 n);
int mlx5vf_parser_finish(struct mlx5vf_parser *p);
void mlx5vf_record_image(struct mlx5vf_record *r, u64 size);
unsigned int mlx5vf_record_final_size(void *to, u64 size);

#endif /* MLX5VF_RECORD_H */
