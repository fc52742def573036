// SPDX-License-Identifier: GPL-2.0-only
/*
 * Records of mlx5_vfio_pci that wait to be read: what comes out, in which order, and
 * what the counts say in between.
 */
#include "program.h"

#include "queue.h"
#include "record.h"

/* The queue does not look at images, they just have to differ */
static struct mlx5vf_image *image(unsigned int i)
{
	static char images[16];

	return (struct mlx5vf_image *)&images[i];
}

static void nothing_in_an_empty_queue(void **state)
{
	struct mlx5vf_queue q = {};
	struct mlx5vf_piece piece;

	assert_false(mlx5vf_queue_next(&q, &piece));
	assert_int_equal(mlx5vf_queue_left(&q, false), 0);
	assert_int_equal(mlx5vf_queue_left(&q, true), 0);
	assert_int_equal(mlx5vf_queue_images(&q), 0);
}

/* @step bytes at a time: first the header, then the image, to its end */
static void read_one(struct mlx5vf_queue *q, unsigned int i, u64 len, u64 step)
{
	u64 todo = sizeof(struct mlx5vf_record) + len;
	struct mlx5vf_record want, got;
	u64 pos = 0;

	mlx5vf_record_image(&want, len);
	while (pos < todo) {
		struct mlx5vf_image *done;
		struct mlx5vf_piece piece;
		u64 n;

		assert_true(mlx5vf_queue_next(q, &piece));
		n = piece.len < step ? piece.len : step;
		assert_true(n > 0);
		if (pos < sizeof(got)) {
			assert_null(piece.image);
			memcpy((u8 *)&got + pos, piece.head, n);
		} else {
			assert_ptr_equal(piece.image, image(i));
			assert_int_equal(piece.pos, pos - sizeof(got));
			assert_int_equal(piece.len, todo - pos);
		}
		done = mlx5vf_queue_took(q, n);
		pos += n;
		assert_ptr_equal(done, pos == todo ? image(i) : NULL);
	}
	assert_memory_equal(&got, &want, sizeof(got));
}

static void records_come_out_as_they_went_in(void **state)
{
	for (u64 step = 1; step < 40; step++) {
		struct mlx5vf_queue q = {};

		/* Around the ring, several times */
		assert_int_equal(mlx5vf_queue_image(&q, image(0), 20, true, false), 0);
		for (unsigned int i = 1; i < 10; i++) {
			assert_int_equal(mlx5vf_queue_image(&q, image(i), 20 + i,
							    false, false), 0);
			assert_int_equal(mlx5vf_queue_images(&q), 2);
			read_one(&q, i - 1, 20 + i - 1, step);
		}
		read_one(&q, 9, 29, step);
		assert_int_equal(q.nr, 0);
	}
}

static void final_size_is_a_record_without_image(void **state)
{
	struct mlx5vf_queue q = {};
	struct mlx5vf_piece piece;
	u8 want[24];

	mlx5vf_record_final_size(want, 0x1234);
	assert_int_equal(mlx5vf_queue_final_size(&q, 0x1234), 0);
	assert_int_equal(mlx5vf_queue_images(&q), 0);
	assert_true(mlx5vf_queue_next(&q, &piece));
	assert_int_equal(piece.len, 24);
	assert_null(piece.image);
	assert_memory_equal(piece.head, want, 24);
	assert_null(mlx5vf_queue_took(&q, 24));
	assert_int_equal(q.nr, 0);
}

static void raw_image_has_no_header(void **state)
{
	struct mlx5vf_queue q = {};
	struct mlx5vf_piece piece;

	assert_int_equal(mlx5vf_queue_image(&q, image(0), 10, false, true), 0);
	assert_int_equal(mlx5vf_queue_left(&q, false), 10);
	assert_true(mlx5vf_queue_next(&q, &piece));
	assert_ptr_equal(piece.image, image(0));
	assert_int_equal(piece.pos, 0);
	assert_int_equal(piece.len, 10);
	assert_ptr_equal(mlx5vf_queue_took(&q, 10), image(0));
}

/* VFIO_MIG_GET_PRECOPY_INFO tells the two apart */
static void bytes_left_initial_and_other(void **state)
{
	struct mlx5vf_queue q = {};

	mlx5vf_queue_final_size(&q, 1);
	mlx5vf_queue_image(&q, image(0), 100, true, false);
	assert_int_equal(mlx5vf_queue_left(&q, true), 24 + 116);
	mlx5vf_queue_image(&q, image(1), 10, false, false);
	assert_int_equal(mlx5vf_queue_left(&q, true), 24 + 116);
	assert_int_equal(mlx5vf_queue_left(&q, false), 26);
	mlx5vf_queue_took(&q, 20);
	assert_int_equal(mlx5vf_queue_left(&q, true), 4 + 116);
	mlx5vf_queue_took(&q, 4);
	mlx5vf_queue_took(&q, 16);
	mlx5vf_queue_took(&q, 99);
	assert_int_equal(mlx5vf_queue_left(&q, true), 1);
	assert_int_equal(mlx5vf_queue_left(&q, false), 26);
	assert_ptr_equal(mlx5vf_queue_took(&q, 1), image(0));
	assert_int_equal(mlx5vf_queue_left(&q, true), 0);
	assert_int_equal(mlx5vf_queue_left(&q, false), 26);
}

static void full_queue_refuses(void **state)
{
	struct mlx5vf_queue q = {};

	for (unsigned int i = 0; i < MLX5VF_QUEUE_SIZE; i++)
		assert_int_equal(mlx5vf_queue_image(&q, image(i), 1, false, false), 0);
	assert_int_equal(mlx5vf_queue_image(&q, image(9), 1, false, false), -ENOSPC);
	assert_int_equal(mlx5vf_queue_final_size(&q, 1), -ENOSPC);
	assert_int_equal(q.nr, MLX5VF_QUEUE_SIZE);
	assert_ptr_equal(mlx5vf_queue_drop(&q), image(0));
	assert_int_equal(mlx5vf_queue_image(&q, image(9), 1, false, false), 0);
}

static void dropping_gives_every_image_back(void **state)
{
	struct mlx5vf_queue q = {};

	mlx5vf_queue_final_size(&q, 1);
	mlx5vf_queue_image(&q, image(0), 5, true, false);
	mlx5vf_queue_image(&q, image(1), 5, false, false);
	assert_null(mlx5vf_queue_drop(&q));
	mlx5vf_queue_took(&q, 3);
	assert_ptr_equal(mlx5vf_queue_drop(&q), image(0));
	assert_ptr_equal(mlx5vf_queue_drop(&q), image(1));
	assert_int_equal(q.nr, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_in_an_empty_queue),
		cmocka_unit_test(records_come_out_as_they_went_in),
		cmocka_unit_test(final_size_is_a_record_without_image),
		cmocka_unit_test(raw_image_has_no_header),
		cmocka_unit_test(bytes_left_initial_and_other),
		cmocka_unit_test(full_queue_refuses),
		cmocka_unit_test(dropping_gives_every_image_back),
	};

	return program_run("mlx5_queue", tests, ARRAY_SIZE(tests));
}
