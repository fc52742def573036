// SPDX-License-Identifier: GPL-2.0-only
/*
 * Arcs of mlx5_vfio_pci's state machine: what each does, in which order, and what is
 * left when a step of it fails. The test stands in for firmware and data files.
 */
#include "program.h"

#include <linux/err.h>

#include "arc.h"

struct mlx5vf_mig {
	char		log[16];
	unsigned int	steps;
	unsigned int	fail_at;	/* this step, counted from 1 */
	unsigned int	fail_too;	/* and this one */
	bool		failed;
};

static struct file *const a_file = (struct file *)0x1000;

/* A step is a letter; in lower case if it fails */
static int step(struct mlx5vf_mig *mig, char name)
{
	bool fail = ++mig->steps == mig->fail_at || mig->steps == mig->fail_too;

	assert_true(mig->steps < sizeof(mig->log));
	mig->log[mig->steps - 1] = fail ? name + 'a' - 'A' : name;
	return fail ? -EBUSY : 0;
}

int mlx5vf_cmd_suspend(struct mlx5vf_mig *mig, enum mlx5vf_half half)
{
	return step(mig, half == MLX5VF_INITIATOR ? 'I' : 'R');
}

int mlx5vf_cmd_resume(struct mlx5vf_mig *mig, enum mlx5vf_half half)
{
	return step(mig, half == MLX5VF_INITIATOR ? 'J' : 'S');
}

struct file *mlx5vf_save_start(struct mlx5vf_mig *mig, bool precopy)
{
	int ret = step(mig, precopy ? 'P' : 'C');

	return ret ? ERR_PTR(ret) : a_file;
}

int mlx5vf_save_settle(struct mlx5vf_mig *mig)
{
	return step(mig, 'W');
}

int mlx5vf_save_final(struct mlx5vf_mig *mig)
{
	return step(mig, 'F');
}

void mlx5vf_save_end(struct mlx5vf_mig *mig)
{
	step(mig, 'E');
}

struct file *mlx5vf_load_start(struct mlx5vf_mig *mig)
{
	int ret = step(mig, 'L');

	return ret ? ERR_PTR(ret) : a_file;
}

int mlx5vf_load_finish(struct mlx5vf_mig *mig)
{
	return step(mig, 'M');
}

void mlx5vf_load_end(struct mlx5vf_mig *mig)
{
	step(mig, 'N');
}

void mlx5vf_mig_fail(struct mlx5vf_mig *mig)
{
	mig->failed = true;
}

#define S(state)	VFIO_DEVICE_STATE_##state

static const struct {
	enum vfio_device_mig_state from;
	enum vfio_device_mig_state to;
	const char *log;
	bool file;
} arcs[] = {
	{ S(RUNNING),		S(RUNNING_P2P),		"I" },
	{ S(RUNNING_P2P),	S(RUNNING),		"J" },
	{ S(RUNNING_P2P),	S(STOP),		"R" },
	{ S(STOP),		S(RUNNING_P2P),		"S" },
	{ S(STOP),		S(STOP_COPY),		"C", true },
	{ S(STOP_COPY),		S(STOP),		"WE" },
	{ S(STOP),		S(RESUMING),		"L", true },
	{ S(RESUMING),		S(STOP),		"MN" },
	{ S(RUNNING),		S(PRE_COPY),		"P", true },
	{ S(RUNNING_P2P),	S(PRE_COPY_P2P),	"P", true },
	{ S(PRE_COPY),		S(RUNNING),		"WE" },
	{ S(PRE_COPY_P2P),	S(RUNNING_P2P),		"WE" },
	{ S(PRE_COPY),		S(PRE_COPY_P2P),	"I" },
	{ S(PRE_COPY_P2P),	S(PRE_COPY),		"J" },
	{ S(PRE_COPY_P2P),	S(STOP_COPY),		"WRF" },
};

static int find(unsigned int from, unsigned int to)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(arcs); i++)
		if (arcs[i].from == from && arcs[i].to == to)
			return i;
	return -1;
}

/* Out of range as well: the numbers come from user space */
static void arc_exists_or_is_refused(void **state)
{
	for (unsigned int row = 0; row < 16 * 16; row++) {
		struct mlx5vf_mig mig = {};
		int i = find(row / 16, row % 16);
		struct file *file = mlx5vf_arc(&mig, row / 16, row % 16);

		if (i < 0) {
			assert_row(row, PTR_ERR(file) == -EINVAL);
			assert_row(row, !mig.steps);
			continue;
		}
		assert_row(row, !strcmp(mig.log, arcs[i].log));
		assert_row(row, file == (arcs[i].file ? a_file : NULL));
		assert_row(row, !mig.failed);
	}
}

/* The first step that fails is the last, but for those that undo */
static const struct {
	enum vfio_device_mig_state from;
	enum vfio_device_mig_state to;
	unsigned int fail_at;
	unsigned int fail_too;
	const char *log;
	bool failed;
} failures[] = {
	{ S(RUNNING),		S(RUNNING_P2P),		1, 0, "i" },
	{ S(RUNNING_P2P),	S(RUNNING),		1, 0, "j" },
	{ S(RUNNING_P2P),	S(STOP),		1, 0, "r" },
	{ S(STOP),		S(RUNNING_P2P),		1, 0, "s" },
	{ S(STOP),		S(STOP_COPY),		1, 0, "c" },
	{ S(STOP_COPY),		S(STOP),		1, 0, "w" },
	{ S(STOP),		S(RESUMING),		1, 0, "l" },
	{ S(RESUMING),		S(STOP),		1, 0, "mN", true },
	{ S(RUNNING),		S(PRE_COPY),		1, 0, "p" },
	{ S(RUNNING_P2P),	S(PRE_COPY_P2P),	1, 0, "p" },
	{ S(PRE_COPY),		S(RUNNING),		1, 0, "w" },
	{ S(PRE_COPY_P2P),	S(RUNNING_P2P),		1, 0, "w" },
	{ S(PRE_COPY),		S(PRE_COPY_P2P),	1, 0, "i" },
	{ S(PRE_COPY_P2P),	S(PRE_COPY),		1, 0, "j" },
	{ S(PRE_COPY_P2P),	S(STOP_COPY),		1, 0, "w" },
	{ S(PRE_COPY_P2P),	S(STOP_COPY),		2, 0, "Wr" },
	{ S(PRE_COPY_P2P),	S(STOP_COPY),		3, 0, "WRfS" },
	{ S(PRE_COPY_P2P),	S(STOP_COPY),		3, 4, "WRfs", true },
};

static void failing_arc_is_undone(void **state)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(failures); i++) {
		struct mlx5vf_mig mig = {
			.fail_at = failures[i].fail_at,
			.fail_too = failures[i].fail_too,
		};
		struct file *file;

		file = mlx5vf_arc(&mig, failures[i].from, failures[i].to);
		assert_row(i, PTR_ERR(file) == -EBUSY);
		assert_row(i, !strcmp(mig.log, failures[i].log));
		assert_row(i, mig.failed == failures[i].failed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arc_exists_or_is_refused),
		cmocka_unit_test(failing_arc_is_undone),
	};

	return program_run("mlx5_arc", tests, ARRAY_SIZE(tests));
}
