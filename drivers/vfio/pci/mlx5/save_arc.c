// SPDX-License-Identifier: GPL-2.0-only
/*
 * The session that saves a VF: how arcs of the state machine begin and end it.
 */
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/file.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "save.h"

/**
 * mlx5vf_save_put() - drop a reference to a session
 * @s: the session
 */
void mlx5vf_save_put(struct mlx5vf_save *s)
{
	if (!refcount_dec_and_test(&s->refs))
		return;
	mlx5vf_mig_put(s->mig);
	kfree(s);
}

static struct mlx5vf_save *session_create(struct mlx5vf_mig *mig, bool precopy)
{
	struct mlx5vf_save *s;
	int ret;

	s = kzalloc(sizeof(*s), GFP_KERNEL_ACCOUNT);
	if (!s)
		return ERR_PTR(-ENOMEM);

	ret = mlx5_core_alloc_pd(mig->pf, &s->pdn);
	if (ret) {
		kfree(s);
		return ERR_PTR(ret);
	}
	refcount_set(&s->refs, 1);
	init_waitqueue_head(&s->wait);
	spin_lock_init(&s->lock);
	mlx5_cmd_init_async_ctx(mig->pf, &s->on.ctx);
	s->tracked = precopy;
	s->live_copy = precopy;
	s->mig = mig;
	mlx5vf_mig_get(mig);
	return s;
}

/**
 * mlx5vf_save_start() - open a session that saves
 * @mig: the migration of the VF, locked and attached
 * @precopy: the VF runs on
 *
 * Return: the data file, or what went wrong.
 */
struct file *mlx5vf_save_start(struct mlx5vf_mig *mig, bool precopy)
{
	struct mlx5vf_save *s;
	struct file *file;
	int ret;

	s = session_create(mig, precopy);
	if (IS_ERR(s))
		return ERR_CAST(s);

	mig->save = s;
	file = mlx5vf_save_open(s);
	if (IS_ERR(file))
		goto err_session;
	ret = mlx5vf_save_first(s);
	if (ret)
		goto err_file;
	return file;

err_file:
	fput(file);
	file = ERR_PTR(ret);
err_session:
	mlx5vf_save_end(mig);
	return file;
}

static bool settled(struct mlx5vf_save *s)
{
	return !READ_ONCE(s->filling);
}

/**
 * mlx5vf_save_settle() - wait until no save is going on
 * @mig: the migration of the VF, locked, with a session that saves
 *
 * Return: 0, or -EINTR on a fatal signal.
 */
int mlx5vf_save_settle(struct mlx5vf_mig *mig)
{
	struct mlx5vf_save *s = mig->save;

	return wait_event_killable(s->wait, settled(s)) ? -EINTR : 0;
}

/* Readers learn that the end is near, or, if that failed, that it is not */
static void set_final(struct mlx5vf_save *s, bool final)
{
	spin_lock_irq(&s->lock);
	s->live_copy = !final;
	s->final_due = final;
	spin_unlock_irq(&s->lock);
	wake_up_all(&s->wait);
}

/**
 * mlx5vf_save_final() - save what is left, the VF is stopped
 * @mig: the migration of the VF, locked and attached, with a session that saves and
 *	no save going on
 *
 * If user space has not read what there is, a reader will begin with it.
 *
 * Return: 0, or what went wrong; then the session is as it was before.
 */
int mlx5vf_save_final(struct mlx5vf_mig *mig)
{
	struct mlx5vf_save *s = mig->save;
	int ret = s->err;

	if (ret)
		return ret;
	set_final(s, true);
	ret = mlx5vf_save_next(s);
	if (ret)
		set_final(s, false);
	return ret;
}

/* Nobody else gets at a dead session's images */
static void destroy_images(struct mlx5vf_save *s)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(s->spare); i++)
		mlx5vf_image_destroy(s->mig, s->spare[i]);
	while (s->queue.nr)
		mlx5vf_image_destroy(s->mig, mlx5vf_queue_drop(&s->queue));
}

/**
 * mlx5vf_save_end() - close the session that saves, if there is one
 * @mig: the migration of the VF, locked; attached if there is one
 *
 * A save that is going on is waited for, as firmware writes to memory that is
 * about to be freed.
 */
void mlx5vf_save_end(struct mlx5vf_mig *mig)
{
	struct mlx5vf_save *s = mig->save;

	if (!s)
		return;

	mig->save = NULL;
	mlx5_cmd_cleanup_async_ctx(&s->on.ctx);
	spin_lock_irq(&s->lock);
	s->dead = true;
	spin_unlock_irq(&s->lock);
	wake_up_all(&s->wait);

	destroy_images(s);
	mlx5vf_cmd_dealloc_pd(mig, s->pdn);
	mlx5vf_save_put(s);
}
