// SPDX-License-Identifier: GPL-2.0-only
/*
 * The migration stream of mlx5_vfio_pci: what the parser takes, in whatever pieces,
 * and what it refuses.
 */
#include "program.h"

#include <asm/byteorder.h>

#include "record.h"

struct stream {
	u8	byte[512];
	size_t	len;
};

static void add(struct stream *s, const void *from, size_t len)
{
	assert_true(s->len + len <= sizeof(s->byte));
	memcpy(s->byte + s->len, from, len);
	s->len += len;
}

static void add_header(struct stream *s, u64 size, u32 flags, u32 tag)
{
	struct mlx5vf_record r = {
		.size = cpu_to_le64(size),
		.flags = cpu_to_le32(flags),
		.tag = cpu_to_le32(tag),
	};

	add(s, &r, sizeof(r));
}

static void add_payload(struct stream *s, size_t len, u8 what)
{
	u8 payload[128];

	memset(payload, what, sizeof(payload));
	add(s, payload, len);
}

static void add_image(struct stream *s, size_t len, u8 what)
{
	add_header(s, len, 0, MLX5VF_TAG_IMAGE);
	add_payload(s, len, what);
}

/* A reader like the kernel's: images go one after the other into @image */
struct reader {
	struct mlx5vf_parser	p;
	u8			image[512];
	size_t			len;
	unsigned int		begun;
	unsigned int		ended;
	unsigned int		sizes;
};

static int push(struct reader *r, const u8 *from, size_t len)
{
	while (len) {
		u64 left = mlx5vf_parser_left(&r->p);
		size_t n = left < len ? left : len;
		int event;

		assert_true(n > 0);
		if (r->p.want == MLX5VF_WANT_IMAGE)
			memcpy(r->image + r->len, from, n);
		else if (r->p.want != MLX5VF_WANT_SKIP)
			memcpy(mlx5vf_parser_room(&r->p), from, n);
		r->len += r->p.want == MLX5VF_WANT_IMAGE ? n : 0;
		event = mlx5vf_parser_took(&r->p, n);
		if (event < 0)
			return event;
		r->begun += event == MLX5VF_EVENT_BEGIN;
		r->ended += event == MLX5VF_EVENT_END;
		r->sizes += event == MLX5VF_EVENT_SIZE;
		from += n;
		len -= n;
	}
	return 0;
}

static int read_all(struct reader *r, const struct stream *s, size_t piece)
{
	memset(r, 0, sizeof(*r));
	mlx5vf_parser_init(&r->p, false);
	for (size_t pos = 0; pos < s->len; pos += piece) {
		size_t n = s->len - pos < piece ? s->len - pos : piece;
		int ret = push(r, s->byte + pos, n);

		if (ret)
			return ret;
	}
	return mlx5vf_parser_finish(&r->p);
}

/* What a source with precopy sends */
static void typical(struct stream *s)
{
	s->len = mlx5vf_record_final_size(s->byte, 1000);
	add_image(s, 100, 1);
	add_image(s, 7, 2);
	add_image(s, 33, 3);
}

static void stream_in_pieces_of_any_size(void **state)
{
	struct stream s = {};
	struct reader r;

	typical(&s);
	for (size_t piece = 1; piece <= s.len; piece++) {
		assert_row(piece, read_all(&r, &s, piece) == 0);
		assert_row(piece, r.begun == 3 && r.ended == 3 && r.sizes == 1);
		assert_row(piece, r.p.images == 3 && r.p.final_size == 1000);
		assert_row(piece, r.len == 140);
		assert_row(piece, r.image[0] == 1 && r.image[99] == 1);
		assert_row(piece, r.image[100] == 2 && r.image[106] == 2);
		assert_row(piece, r.image[107] == 3 && r.image[139] == 3);
	}
}

/* Between two records is the only place where a stream can end */
static void truncated_stream(void **state)
{
	static const size_t ends[] = { 24 + 116, 24 + 116 + 23, 24 + 116 + 23 + 49 };
	struct stream s = {};
	struct reader r;

	typical(&s);
	for (size_t len = s.len; len--; ) {
		bool complete = len == ends[0] || len == ends[1];

		s.len = len;
		assert_row(len, read_all(&r, &s, 5) == (complete ? 0 : -EINVAL));
	}
	typical(&s);
	assert_int_equal(s.len, ends[2]);
}

static const struct {
	u64 size;
	u32 flags;
	u32 tag;
	int ret;
} headers[] = {
	{ 1,			0,		0,	MLX5VF_EVENT_BEGIN },
	{ 0xffffffff,		0,		0,	MLX5VF_EVENT_BEGIN },
	{ 1,			1,		0,	MLX5VF_EVENT_BEGIN },
	{ 0,			0,		0,	-EINVAL },
	{ 0x100000000,		0,		0,	-EINVAL },
	{ UINT64_MAX,		0,		0,	-EINVAL },
	{ 1,			2,		0,	-EOPNOTSUPP },
	{ 1,			0x80000000,	0,	-EOPNOTSUPP },
	{ 8,			1,		1,	MLX5VF_EVENT_NONE },
	{ 8,			0,		1,	MLX5VF_EVENT_NONE },
	{ 0,			1,		1,	-EINVAL },
	{ 7,			1,		1,	-EINVAL },
	{ 9,			1,		1,	-EINVAL },
	{ UINT64_MAX,		1,		1,	-EINVAL },
	{ 0,			1,		2,	MLX5VF_EVENT_NONE },
	{ MLX5VF_SKIP_MAX,	1,		2,	MLX5VF_EVENT_NONE },
	{ MLX5VF_SKIP_MAX + 1,	1,		2,	-EINVAL },
	{ UINT64_MAX,		1,		0xffffffff, -EINVAL },
	{ 0,			0,		2,	-EOPNOTSUPP },
	{ 4,			0,		0xffffffff, -EOPNOTSUPP },
	{ 4,			3,		2,	-EOPNOTSUPP },
};

static void header_is_taken_or_refused(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(headers); i++) {
		struct stream s = {};
		struct mlx5vf_parser p;

		add_header(&s, headers[i].size, headers[i].flags, headers[i].tag);
		mlx5vf_parser_init(&p, false);
		memcpy(mlx5vf_parser_room(&p), s.byte, s.len);
		assert_row(i, mlx5vf_parser_took(&p, s.len) == headers[i].ret);
	}
}

static void unknown_optional_record_is_skipped(void **state)
{
	struct stream s = {};
	struct reader r;

	add_header(&s, 0, MLX5VF_FLAG_OPTIONAL, 7);
	add_header(&s, 100, MLX5VF_FLAG_OPTIONAL, 8);
	add_payload(&s, 100, 0xff);
	add_image(&s, 9, 4);
	add_header(&s, 3, MLX5VF_FLAG_OPTIONAL, 9);
	add_payload(&s, 3, 0xff);
	for (size_t piece = 1; piece <= s.len; piece++) {
		assert_row(piece, read_all(&r, &s, piece) == 0);
		assert_row(piece, r.ended == 1 && r.len == 9);
	}
}

static void no_image_is_no_stream(void **state)
{
	struct stream s = {};
	struct reader r;

	assert_int_equal(read_all(&r, &s, 1), -EINVAL);
	s.len = mlx5vf_record_final_size(s.byte, 1);
	assert_int_equal(read_all(&r, &s, 1), -EINVAL);
}

static void more_than_was_wanted(void **state)
{
	struct mlx5vf_parser p;

	mlx5vf_parser_init(&p, false);
	assert_int_equal(mlx5vf_parser_took(&p, 17), -EINVAL);
	mlx5vf_parser_init(&p, true);
	assert_int_equal(mlx5vf_parser_took(&p, MLX5VF_IMAGE_MAX + 1), -EINVAL);
}

static void raw_stream_is_one_image(void **state)
{
	struct mlx5vf_parser p;

	mlx5vf_parser_init(&p, true);
	assert_int_equal(mlx5vf_parser_finish(&p), -EINVAL);
	assert_int_equal(p.want, MLX5VF_WANT_IMAGE);
	assert_int_equal(mlx5vf_parser_took(&p, 16), MLX5VF_EVENT_NONE);
	assert_int_equal(p.want, MLX5VF_WANT_IMAGE);
	assert_int_equal(mlx5vf_parser_took(&p, MLX5VF_IMAGE_MAX - 16),
			 MLX5VF_EVENT_NONE);
	assert_int_equal(mlx5vf_parser_left(&p), 0);
	assert_int_equal(mlx5vf_parser_took(&p, 1), -EINVAL);
	assert_int_equal(mlx5vf_parser_finish(&p), MLX5VF_EVENT_END);
	assert_int_equal(p.images, 1);
	assert_int_equal(mlx5vf_parser_finish(&p), -EINVAL);
}

/* Other kernels read these bytes */
static void written_bytes(void **state)
{
	static const u8 image[] = { 0x78, 0x56, 0x34, 0x12, 0, 0, 0, 0,
				    0, 0, 0, 0, 0, 0, 0, 0 };
	static const u8 size[] = { 8, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0,
				   8, 7, 6, 5, 4, 3, 2, 1 };
	struct mlx5vf_record r;
	u8 buf[24];

	mlx5vf_record_image(&r, 0x12345678);
	assert_memory_equal(&r, image, sizeof(image));
	assert_int_equal(mlx5vf_record_final_size(buf, 0x0102030405060708), 24);
	assert_memory_equal(buf, size, sizeof(size));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stream_in_pieces_of_any_size),
		cmocka_unit_test(truncated_stream),
		cmocka_unit_test(header_is_taken_or_refused),
		cmocka_unit_test(unknown_optional_record_is_skipped),
		cmocka_unit_test(no_image_is_no_stream),
		cmocka_unit_test(more_than_was_wanted),
		cmocka_unit_test(raw_stream_is_one_image),
		cmocka_unit_test(written_bytes),
	};

	return program_run("mlx5_record", tests, ARRAY_SIZE(tests));
}
