// SPDX-License-Identifier: GPL-2.0-only
/*
 * The data file of a session that saves: read, poll and VFIO_MIG_GET_PRECOPY_INFO.
 *
 * Readers take turns, since the bytes of a stream have an order. The one whose turn
 * it is holds no lock while it copies, just a reference to the image.
 */
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <linux/vfio.h>
#include <linux/wait.h>

#include "record.h"
#include "save.h"

/* ---- what there is to be read ------------------------------------------ */

/*
 * 1 and a piece; 0 at the end; -EAGAIN if it is worth waiting; -ENOMSG if there is
 * nothing before the VF changes; another -errno if there never will be
 */
static int __next(struct mlx5vf_save *s, struct mlx5vf_piece *piece)
{
	if (s->dead)
		return -ENODEV;
	if (mlx5vf_queue_next(&s->queue, piece))
		return 1;
	if (s->err)
		return s->err;
	if (s->filling || s->next_size || s->final_due)
		return -EAGAIN;
	return s->live_copy ? -ENOMSG : 0;
}

static int next_piece(struct mlx5vf_save *s, struct mlx5vf_piece *piece)
{
	int ret;

	spin_lock_irq(&s->lock);
	ret = __next(s, piece);
	if (ret > 0 && piece->image)
		mlx5vf_image_get(piece->image);
	spin_unlock_irq(&s->lock);
	return ret;
}

static int state_of(struct mlx5vf_save *s)
{
	struct mlx5vf_piece piece;
	int ret;

	spin_lock_irq(&s->lock);
	ret = __next(s, &piece);
	spin_unlock_irq(&s->lock);
	return ret;
}

/* ---- read -------------------------------------------------------------- */

static bool try_turn(struct mlx5vf_save *s)
{
	bool mine;

	spin_lock_irq(&s->lock);
	mine = !s->reading;
	s->reading = true;
	spin_unlock_irq(&s->lock);
	return mine;
}

static int take_turn(struct mlx5vf_save *s, bool may_wait)
{
	if (try_turn(s))
		return 0;
	if (!may_wait)
		return -EAGAIN;
	return wait_event_interruptible(s->wait, try_turn(s));
}

static void end_turn(struct mlx5vf_save *s)
{
	spin_lock_irq(&s->lock);
	s->reading = false;
	spin_unlock_irq(&s->lock);
	wake_up_all(&s->wait);
}

static int await(struct mlx5vf_save *s, struct mlx5vf_piece *piece,
		 bool may_wait)
{
	int ret;

	for (;;) {
		/* The next image is saved while this one is read */
		ret = mlx5vf_save_run(s);
		if (ret)
			return ret;
		ret = next_piece(s, piece);
		if (ret != -EAGAIN || !may_wait)
			return ret;
		ret = wait_event_interruptible(s->wait,
					       state_of(s) != -EAGAIN ||
					       mlx5vf_save_due(s));
		if (ret)
			return ret;
	}
}

/*
 * Only whoever's turn it is removes a record, so what next_piece() found stays
 * where it is, in a dead session too.
 */
static void took(struct mlx5vf_save *s, size_t n)
{
	struct mlx5vf_image *image;

	spin_lock_irq(&s->lock);
	if (!s->dead) {
		image = mlx5vf_queue_took(&s->queue, n);
		if (image)
			mlx5vf_save_spare(s, image);
	}
	spin_unlock_irq(&s->lock);
}

static ssize_t copy_piece(const struct mlx5vf_piece *piece, struct iov_iter *to)
{
	size_t len = min_t(u64, piece->len, iov_iter_count(to));
	size_t n;

	if (piece->image) {
		n = mlx5vf_image_to_iter(piece->image, piece->pos, len, to);
		mlx5vf_image_put(piece->image);
	} else {
		n = copy_to_iter(piece->head, len, to);
	}
	return n ? n : -EFAULT;
}

static ssize_t read_some(struct mlx5vf_save *s, struct iov_iter *to,
			 bool may_wait)
{
	struct mlx5vf_piece piece;
	ssize_t n;

	n = await(s, &piece, may_wait);
	if (n <= 0)
		return n;
	n = copy_piece(&piece, to);
	if (n > 0)
		took(s, n);
	return n;
}

static ssize_t save_read(struct kiocb *iocb, struct iov_iter *to)
{
	struct mlx5vf_save *s = iocb->ki_filp->private_data;
	bool may_wait = !(iocb->ki_filp->f_flags & O_NONBLOCK);
	ssize_t done = 0;
	ssize_t ret;

	ret = take_turn(s, may_wait);
	if (ret)
		return ret;
	while (iov_iter_count(to)) {
		/* What has been read is not held back for what is to come */
		ret = read_some(s, to, may_wait && !done);
		if (ret <= 0)
			break;
		done += ret;
	}
	end_turn(s);
	return done ? done : ret;
}

/* ---- poll -------------------------------------------------------------- */

static __poll_t save_poll(struct file *file, struct poll_table_struct *table)
{
	struct mlx5vf_save *s = file->private_data;
	int state;

	poll_wait(file, &s->wait, table);
	/* A read would begin with the next image, thus has something to do */
	if (mlx5vf_save_due(s))
		return EPOLLIN | EPOLLRDNORM;
	state = state_of(s);
	if (state == -EAGAIN || state == -ENOMSG)
		return 0;
	if (state < 0)
		return EPOLLIN | EPOLLRDNORM | EPOLLERR;
	return EPOLLIN | EPOLLRDNORM;
}

/* ---- VFIO_MIG_GET_PRECOPY_INFO ----------------------------------------- */

static int measure(struct mlx5vf_save *s, struct vfio_precopy_info *info)
{
	u64 filling, dirty;
	bool live;
	int ret;

	spin_lock_irq(&s->lock);
	live = s->live_copy && !s->dead;
	info->initial_bytes = mlx5vf_queue_left(&s->queue, true);
	info->dirty_bytes = mlx5vf_queue_left(&s->queue, false);
	filling = s->filling ? mlx5vf_record_size(s->on.size, false) : 0;
	if (s->on.how.initial)
		info->initial_bytes += filling;
	else
		info->dirty_bytes += filling;
	spin_unlock_irq(&s->lock);
	if (!live)
		return s->dead ? -ENODEV : -EINVAL;

	ret = mlx5vf_save_increment(s, &dirty);
	info->dirty_bytes += dirty;
	return ret;
}

static long precopy_info(struct mlx5vf_save *s, void __user *arg)
{
	size_t size = offsetofend(struct vfio_precopy_info, dirty_bytes);
	struct vfio_precopy_info info = {};
	int ret;

	if (copy_from_user(&info, arg, size))
		return -EFAULT;
	if (info.argsz < size)
		return -EINVAL;
	info.flags = 0;

	ret = mlx5vf_lock(s->mig);
	if (ret)
		return ret;
	ret = measure(s, &info);
	mlx5vf_unlock(s->mig);
	if (ret)
		return ret;
	return copy_to_user(arg, &info, size) ? -EFAULT : 0;
}

static long save_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	if (cmd != VFIO_MIG_GET_PRECOPY_INFO)
		return -ENOTTY;
	return precopy_info(file->private_data, (void __user *)arg);
}

/* ---- the file ---------------------------------------------------------- */

static int save_release(struct inode *inode, struct file *file)
{
	mlx5vf_save_put(file->private_data);
	return 0;
}

static const struct file_operations save_fops = {
	.owner		= THIS_MODULE,
	.read_iter	= save_read,
	.poll		= save_poll,
	.unlocked_ioctl	= save_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.release	= save_release,
};

/**
 * mlx5vf_save_open() - a data file for a session that saves
 * @s: the session
 *
 * Return: the file, which owns a reference to @s, or what went wrong.
 */
struct file *mlx5vf_save_open(struct mlx5vf_save *s)
{
	struct file *file;

	file = anon_inode_getfile("mlx5vf_save", &save_fops, s, O_RDONLY);
	if (IS_ERR(file))
		return file;
	refcount_inc(&s->refs);
	stream_open(file->f_inode, file);
	return file;
}
