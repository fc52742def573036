// SPDX-License-Identifier: GPL-2.0-only
/*
 * The session that saves a VF, firmware's side. One image, or piece of an image, is
 * saved at a time, asynchronously, and at most two exist: a reader has one while
 * the other is filled.
 *
 * Which image comes next is decided under mig->lock, by the arc that opens the
 * session or stops the VF, by VFIO_MIG_GET_PRECOPY_INFO, which starts increments, and
 * by a reader that made room.
 */
#include <linux/errno.h>
#include <linux/lockdep.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "record.h"
#include "save.h"

static u64 stream_size(const struct mlx5vf_save *s, u64 size)
{
	return mlx5vf_record_size(size, !s->mig->precopy);
}

/* ---- the end of a save, in an interrupt -------------------------------- */

/**
 * mlx5vf_save_spare() - an image has been read
 * @s: the session, locked and not dead
 * @image: the image
 */
void mlx5vf_save_spare(struct mlx5vf_save *s, struct mlx5vf_image *image)
{
	lockdep_assert_held(&s->lock);

	for (unsigned int i = 0; i < ARRAY_SIZE(s->spare); i++) {
		if (!s->spare[i]) {
			s->spare[i] = image;
			return;
		}
	}
	/* There are never more images than there is room for */
	WARN_ON_ONCE(1);
}

static void saved(struct mlx5vf_save *s, struct mlx5vf_image *image,
		  const struct mlx5vf_saved *saved)
{
	const struct mlx5vf_how *how = &s->on.how;

	lockdep_assert_held(&s->lock);

	if (saved->size)
		s->err = mlx5vf_queue_image(&s->queue, image, saved->size,
					    how->initial, !s->mig->precopy);
	else
		mlx5vf_save_spare(s, image);
	s->left -= min(s->left, stream_size(s, saved->size));
	s->next_size = saved->next;
	if (how->final)
		s->final_due = false;
}

/*
 * Firmware may stop tracking a running VF for reasons of its own. That costs the
 * work so far, not the migration.
 */
static void not_saved(struct mlx5vf_save *s, struct mlx5vf_image *image,
		      int err, bool untracked)
{
	lockdep_assert_held(&s->lock);

	mlx5vf_save_spare(s, image);
	s->next_size = 0;
	if (untracked)
		s->untracked = true;
	else
		s->err = err;
}

static void save_done(int status, struct mlx5_async_work *work)
{
	struct mlx5vf_save *s = container_of(work, struct mlx5vf_save, on.work);
	struct mlx5vf_image *image = s->filling;
	struct mlx5vf_saved result;
	unsigned long flags;
	int ret;

	ret = mlx5vf_cmd_saved(s->mig, status, &s->on, &result);
	if (!ret)
		mlx5vf_image_sync(s->mig, image);

	spin_lock_irqsave(&s->lock, flags);
	s->filling = NULL;
	if (ret)
		not_saved(s, image, ret, result.untracked);
	else
		saved(s, image, &result);
	spin_unlock_irqrestore(&s->lock, flags);
	wake_up_all(&s->wait);
}

/*
 * ---- the beginning of a save --------------------------------------------
 *
 * What is due stays due until it is saved. A reader that came in between would
 * take it for the end of the stream.
 */

static struct mlx5vf_image *take_spare(struct mlx5vf_save *s)
{
	struct mlx5vf_image *image = NULL;

	spin_lock_irq(&s->lock);
	for (unsigned int i = 0; i < ARRAY_SIZE(s->spare) && !image; i++)
		swap(image, s->spare[i]);
	spin_unlock_irq(&s->lock);
	return image ? image : mlx5vf_image_create();
}

static void set_filling(struct mlx5vf_save *s, struct mlx5vf_image *image)
{
	spin_lock_irq(&s->lock);
	s->filling = image;
	spin_unlock_irq(&s->lock);
}

static int save_begin(struct mlx5vf_save *s, u32 size, struct mlx5vf_how how)
{
	struct mlx5vf_mig *mig = s->mig;
	struct mlx5vf_image *image;
	int ret = -ENOMEM;

	if (!size) {
		mlx5vf_warn(mig, "firmware says that the VF's state has no size\n");
		return -EIO;
	}
	image = take_spare(s);
	if (image)
		ret = mlx5vf_image_map(mig, image, s->pdn, size,
				       DMA_FROM_DEVICE);
	if (ret)
		goto err_image;

	memset(s->on.out, 0, sizeof(s->on.out));
	s->on.mkey = image->mkey;
	s->on.size = size;
	s->on.how = how;
	set_filling(s, image);
	ret = mlx5vf_cmd_save(mig, &s->on, save_done);
	if (ret)
		goto err_filling;
	return 0;

err_filling:
	set_filling(s, NULL);
err_image:
	mlx5vf_image_destroy(mig, image);
	return ret;
}

/* The size of what changed, or of everything if nobody knows what changed */
static int query_final(struct mlx5vf_save *s, struct mlx5vf_size *size,
		       struct mlx5vf_how *how)
{
	int ret;

	how->incremental = s->tracked && !s->untracked;
	ret = mlx5vf_cmd_query_size(s->mig, how->incremental, size);
	if (ret && size->untracked) {
		how->incremental = false;
		ret = mlx5vf_cmd_query_size(s->mig, false, size);
	}
	return ret;
}

static int save_final_begin(struct mlx5vf_save *s)
{
	struct mlx5vf_how how = { .final = true };
	struct mlx5vf_size size;
	bool nothing;
	int ret;

	ret = query_final(s, &size, &how);
	if (ret)
		return ret;

	nothing = how.incremental && !size.next;
	spin_lock_irq(&s->lock);
	s->left = stream_size(s, size.total);
	s->final_due = !nothing;
	spin_unlock_irq(&s->lock);
	if (!nothing)
		return save_begin(s, size.next, how);
	wake_up_all(&s->wait);
	return 0;
}

/**
 * mlx5vf_save_due() - is there something that could be saved now?
 * @s: the session
 *
 * Return: true if so, and mlx5vf_save_run() would begin with it.
 */
bool mlx5vf_save_due(struct mlx5vf_save *s)
{
	bool due;

	spin_lock_irq(&s->lock);
	due = (s->next_size || s->final_due) && !s->filling && !s->err &&
	      !s->dead &&
	      mlx5vf_queue_images(&s->queue) < MLX5VF_QUEUE_IMAGES;
	spin_unlock_irq(&s->lock);
	return due;
}

/*
 * The rest of an image is to firmware an increment of what it has saved. If the VF
 * was stopped in the middle of an image there is no more to be tracked.
 */
static int save_piece(struct mlx5vf_save *s)
{
	struct mlx5vf_how how = s->on.how;

	how.rest = true;
	how.incremental = true;
	how.track = how.track && s->live_copy;
	return save_begin(s, s->next_size, how);
}

/**
 * mlx5vf_save_next() - begin with what is due
 * @s: the session
 *
 * Context: mig->lock is held.
 * Return: 0, also if nothing is, or what went wrong.
 */
int mlx5vf_save_next(struct mlx5vf_save *s)
{
	lockdep_assert_held(&s->mig->lock);

	if (!mlx5vf_save_due(s))
		return 0;
	return s->next_size ? save_piece(s) : save_final_begin(s);
}

/**
 * mlx5vf_save_run() - begin to save what is due, on behalf of a reader
 * @s: the session
 *
 * Whatever goes wrong the reader will find in the session.
 *
 * Context: Process context, without any lock.
 * Return: 0, or -EINTR on a fatal signal.
 */
int mlx5vf_save_run(struct mlx5vf_save *s)
{
	int ret;

	if (!mlx5vf_save_due(s))
		return 0;
	ret = mlx5vf_lock(s->mig);
	if (ret)
		return ret;

	ret = mlx5vf_save_next(s);
	if (ret) {
		spin_lock_irq(&s->lock);
		s->err = ret;
		spin_unlock_irq(&s->lock);
		wake_up_all(&s->wait);
	}
	mlx5vf_unlock(s->mig);
	return 0;
}

/**
 * mlx5vf_save_increment() - what changed while the VF ran on
 * @s: the session, in a PRE_COPY state
 * @dirty: bytes of it, about
 *
 * With everything read, this begins to save it. With a save going on there is no
 * answer to be had, but then the user has something to read first.
 *
 * Context: mig->lock is held.
 * Return: 0, or as mlx5vf_cmd_query_size().
 */
int mlx5vf_save_increment(struct mlx5vf_save *s, u64 *dirty)
{
	struct mlx5vf_how how = { .incremental = true, .track = true };
	struct mlx5vf_size size;
	bool busy, idle;
	int ret;

	lockdep_assert_held(&s->mig->lock);

	*dirty = 0;
	spin_lock_irq(&s->lock);
	busy = s->filling || s->next_size || s->untracked;
	idle = !s->queue.nr;
	ret = s->err;
	spin_unlock_irq(&s->lock);
	if (busy || ret)
		return ret;

	ret = mlx5vf_cmd_query_size(s->mig, true, &size);
	if (ret && size.untracked) {
		spin_lock_irq(&s->lock);
		s->untracked = true;
		spin_unlock_irq(&s->lock);
		return 0;
	}
	if (ret)
		return ret;
	*dirty = stream_size(s, size.total);
	return idle && size.next ? save_begin(s, size.next, how) : 0;
}

/**
 * mlx5vf_save_first() - begin with the first image of a session
 * @s: the session, new
 *
 * Context: mig->lock is held.
 * Return: 0, or what went wrong.
 */
int mlx5vf_save_first(struct mlx5vf_save *s)
{
	struct mlx5vf_how how = { .track = true, .initial = true };
	struct mlx5vf_size size;
	int ret;

	if (!s->tracked)
		return save_final_begin(s);

	ret = mlx5vf_cmd_query_size(s->mig, false, &size);
	if (ret)
		return ret;
	ret = mlx5vf_queue_final_size(&s->queue, size.total);
	return ret ? ret : save_begin(s, size.next, how);
}

/**
 * mlx5vf_save_left() - bytes to come until the VF's whole state is read
 * @mig: the migration of the VF, locked and attached, with a session that saves
 * @left: that number, roughly
 *
 * Return: 0, or as mlx5vf_cmd_query_size().
 */
int mlx5vf_save_left(struct mlx5vf_mig *mig, u64 *left)
{
	struct mlx5vf_save *s = mig->save;
	struct mlx5vf_size size;
	bool ask;
	int ret;

	spin_lock_irq(&s->lock);
	*left = mlx5vf_queue_left(&s->queue, true) +
		mlx5vf_queue_left(&s->queue, false) + s->left;
	if (s->live_copy && s->filling)
		*left += stream_size(s, s->on.size);
	ask = s->live_copy && !s->filling && !s->next_size;
	spin_unlock_irq(&s->lock);
	if (!ask)
		return 0;

	ret = mlx5vf_cmd_query_size(mig, !s->untracked, &size);
	if (ret && size.untracked)
		ret = mlx5vf_cmd_query_size(mig, false, &size);
	*left += stream_size(s, size.total);
	return ret;
}
