// SPDX-License-Identifier: GPL-2.0-only
/*
 * A stream of random bytes, in pieces of random sizes, read twice: by the parser,
 * and by a few lines that see all of it at once. They must agree on every image,
 * and on whether the stream is sound.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"

struct result {
	u64	hash;
	u64	images;
	u64	final_size;
	bool	sound;
};

static void mix(struct result *r, const u8 *from, u64 len)
{
	while (len--)
		r->hash = r->hash * 31 + *from++;
}

static u64 number(const u8 *from, unsigned int len)
{
	u64 val = 0;

	while (len--)
		val = val << 8 | from[len];
	return val;
}

static void require(bool cond)
{
	if (!cond)
		abort();
}

/* The format as its description has it, without pieces */
static struct result read_at_once(const u8 *s, u64 len)
{
	struct result r = { 0 };

	while (len >= 16) {
		u64 size = number(s, 8);
		u32 flags = number(s + 8, 4);
		u32 tag = number(s + 12, 4);

		s += 16;
		len -= 16;
		if (flags > 1 || (tag == 0 && (!size || size >> 32)) ||
		    (tag == 1 && size != 8) || (tag > 1 && flags != 1) ||
		    (tag > 1 && size > 0x100000) || size > len)
			return r;
		if (tag == 0) {
			mix(&r, s, size);
			r.images++;
		} else if (tag == 1) {
			r.final_size = number(s, 8);
		}
		s += size;
		len -= size;
	}
	r.sound = !len && r.images;
	return r;
}

static int take(struct mlx5vf_parser *p, const u8 *s, u64 n, struct result *r)
{
	if (p->want == MLX5VF_WANT_IMAGE)
		mix(r, s, n);
	else if (p->want != MLX5VF_WANT_SKIP)
		memcpy(mlx5vf_parser_room(p), s, n);
	return mlx5vf_parser_took(p, n);
}

static struct result read_in_pieces(const u8 *s, u64 len, unsigned int seed)
{
	struct result r = { 0 };
	struct mlx5vf_parser p;

	mlx5vf_parser_init(&p, false);
	while (len) {
		u64 left = mlx5vf_parser_left(&p);
		u64 n = 1 + (seed >> 16) % 23;
		int event;

		seed = seed * 1103515245 + 12345;
		n = n < len ? n : len;
		n = n < left ? n : left;
		require(left > 0 && left <= MLX5VF_IMAGE_MAX);
		event = take(&p, s, n, &r);
		require(event <= MLX5VF_EVENT_SIZE);
		require(event >= 0 || event == -EINVAL || event == -EOPNOTSUPP);
		if (event < 0)
			return r;
		r.images = p.images;
		r.final_size = p.final_size;
		s += n;
		len -= n;
	}
	r.sound = !mlx5vf_parser_finish(&p);
	return r;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct result once, pieces;

	if (!size)
		return 0;
	once = read_at_once(data + 1, size - 1);
	pieces = read_in_pieces(data + 1, size - 1, data[0]);
	require(once.sound == pieces.sound);
	if (once.sound) {
		require(once.hash == pieces.hash);
		require(once.images == pieces.images);
		require(once.final_size == pieces.final_size);
	}
	return 0;
}
