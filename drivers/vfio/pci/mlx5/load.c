// SPDX-License-Identifier: GPL-2.0-only
/*
 * The session that loads a VF, and its data file. The stream comes from user space
 * and is trusted in nothing: memory is allocated as bytes arrive, not as a header
 * announces them, and firmware judges the images.
 *
 * Once something was wrong nothing is accepted any more, and the arc out of
 * RESUMING fails.
 */
#include <linux/anon_inodes.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/lockdep.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/uio.h>
#include <linux/wait.h>

#include "mig.h"
#include "record.h"

/* Memory at a time, while an image arrives */
#define STEP		SZ_1M

/* Memory in advance, if the other side announces how large its final image will be */
#define ADVANCE_MAX	SZ_32M

/**
 * struct mlx5vf_load - a session that loads
 * @refs: one of the migration while the session lasts, one of the data file
 * @mig: the migration; the session owns a reference
 * @wait: woken when anything below changes
 * @lock: guards @err, @dead and @writing
 * @err: why nothing is accepted any more
 * @dead: the session is over
 * @writing: somebody writes, and owns what follows
 * @parser: how far the stream has come
 * @image: the image that arrives
 * @pdn: protection domain; mig->lock
 */
struct mlx5vf_load {
	refcount_t		refs;
	struct mlx5vf_mig	*mig;
	wait_queue_head_t	wait;

	spinlock_t		lock;	/* guards the next three */
	int			err;
	bool			dead;
	bool			writing;

	struct mlx5vf_parser	parser;
	struct mlx5vf_image	*image;
	u32			pdn;
};

static void load_put(struct mlx5vf_load *l)
{
	if (!refcount_dec_and_test(&l->refs))
		return;
	mlx5vf_image_put(l->image);
	mlx5vf_mig_put(l->mig);
	kfree(l);
}

/* ---- turns ------------------------------------------------------------- */

static int __state(struct mlx5vf_load *l)
{
	return l->dead ? -ENODEV : l->err;
}

/* 1 if it is the caller's turn, 0 if it is not, -errno if it will never be */
static int try_turn(struct mlx5vf_load *l)
{
	int ret;

	spin_lock(&l->lock);
	ret = __state(l);
	if (!ret) {
		ret = !l->writing;
		l->writing = true;
	}
	spin_unlock(&l->lock);
	return ret;
}

static int take_turn(struct mlx5vf_load *l, bool may_wait)
{
	int turn;
	int ret;

	turn = try_turn(l);
	if (!turn && !may_wait)
		return -EAGAIN;
	if (!turn) {
		ret = wait_event_interruptible(l->wait, ({
			turn = try_turn(l);
			turn;
		}));
		if (ret)
			return ret;
	}
	return min(turn, 0);
}

static void end_turn(struct mlx5vf_load *l, int err)
{
	spin_lock(&l->lock);
	l->writing = false;
	if (err)
		l->err = err;
	spin_unlock(&l->lock);
	wake_up_all(&l->wait);
}

/* ---- images ------------------------------------------------------------ */

static int load_image(struct mlx5vf_load *l, u64 size)
{
	struct mlx5vf_mig *mig = l->mig;
	int ret;

	lockdep_assert_held(&mig->lock);

	ret = mlx5vf_image_map(mig, l->image, l->pdn, size, DMA_TO_DEVICE);
	return ret ? ret : mlx5vf_cmd_load(mig, l->image->mkey, size);
}

/* The writer has no lock, thus the session may have ended */
static int load_unless_dead(struct mlx5vf_load *l, u64 size)
{
	int ret;

	ret = mlx5vf_lock(l->mig);
	if (ret)
		return ret;
	ret = l->dead ? -ENODEV : load_image(l, size);
	mlx5vf_unlock(l->mig);
	return ret;
}

/* No more than a favour: if there is no memory now there may be later */
static int advance(struct mlx5vf_load *l)
{
	mlx5vf_image_grow(l->image, min_t(u64, l->parser.final_size,
					  ADVANCE_MAX));
	return 0;
}

static int act(struct mlx5vf_load *l, int event, u64 size)
{
	switch (event) {
	case MLX5VF_EVENT_END:
		return load_unless_dead(l, size);
	case MLX5VF_EVENT_SIZE:
		return advance(l);
	default:
		return event < 0 ? event : 0;
	}
}

/* ---- write ------------------------------------------------------------- */

static ssize_t take_small(struct mlx5vf_load *l, struct iov_iter *from)
{
	size_t len = min_t(u64, mlx5vf_parser_left(&l->parser),
			   iov_iter_count(from));

	return copy_from_iter(mlx5vf_parser_room(&l->parser), len, from);
}

static ssize_t skip(struct mlx5vf_load *l, struct iov_iter *from)
{
	size_t len = min_t(u64, mlx5vf_parser_left(&l->parser),
			   iov_iter_count(from));

	iov_iter_advance(from, len);
	return len;
}

static ssize_t take_image(struct mlx5vf_load *l, struct iov_iter *from)
{
	u64 pos = l->parser.done;
	size_t len = min3(mlx5vf_parser_left(&l->parser),
			  (u64)iov_iter_count(from), (u64)STEP);
	int ret;

	if (!len)
		return -EFBIG;
	ret = mlx5vf_image_grow(l->image, pos + len);
	if (ret)
		return ret;
	return mlx5vf_image_from_iter(l->image, pos, len, from);
}

static ssize_t take(struct mlx5vf_load *l, struct iov_iter *from)
{
	switch (l->parser.want) {
	case MLX5VF_WANT_IMAGE:
		return take_image(l, from);
	case MLX5VF_WANT_SKIP:
		return skip(l, from);
	default:
		return take_small(l, from);
	}
}

/* What is not taken, for want of memory here or there, can be written again */
static ssize_t write_some(struct mlx5vf_load *l, struct iov_iter *from,
			  int *damage)
{
	u64 size;
	ssize_t n;
	int event;

	n = take(l, from);
	if (n <= 0) {
		*damage = n == -EFBIG ? n : 0;
		return n ? n : -EFAULT;
	}
	size = l->parser.total;
	event = mlx5vf_parser_took(&l->parser, n);
	*damage = act(l, event, size);
	return *damage ? *damage : n;
}

static ssize_t load_write(struct kiocb *iocb, struct iov_iter *from)
{
	struct mlx5vf_load *l = iocb->ki_filp->private_data;
	ssize_t done = 0;
	int damage = 0;
	ssize_t ret;

	ret = take_turn(l, !(iocb->ki_filp->f_flags & O_NONBLOCK));
	if (ret)
		return ret;
	while (iov_iter_count(from)) {
		ret = write_some(l, from, &damage);
		if (ret < 0)
			break;
		done += ret;
	}
	end_turn(l, damage);
	return damage || !done ? ret : done;
}

/* ---- the file ---------------------------------------------------------- */

static __poll_t load_poll(struct file *file, struct poll_table_struct *table)
{
	struct mlx5vf_load *l = file->private_data;
	__poll_t mask = EPOLLOUT | EPOLLWRNORM;

	poll_wait(file, &l->wait, table);
	spin_lock(&l->lock);
	if (__state(l))
		mask |= EPOLLERR;
	else if (l->writing)
		mask = 0;
	spin_unlock(&l->lock);
	return mask;
}

static int load_release(struct inode *inode, struct file *file)
{
	load_put(file->private_data);
	return 0;
}

static const struct file_operations load_fops = {
	.owner		= THIS_MODULE,
	.write_iter	= load_write,
	.poll		= load_poll,
	.release	= load_release,
};

/* ---- arcs -------------------------------------------------------------- */

static struct mlx5vf_load *session_create(struct mlx5vf_mig *mig)
{
	struct mlx5vf_load *l;
	int ret = -ENOMEM;

	l = kzalloc(sizeof(*l), GFP_KERNEL_ACCOUNT);
	if (!l)
		return ERR_PTR(-ENOMEM);
	l->image = mlx5vf_image_create();
	if (!l->image)
		goto err_session;
	ret = mlx5_core_alloc_pd(mig->pf, &l->pdn);
	if (ret)
		goto err_image;

	refcount_set(&l->refs, 1);
	init_waitqueue_head(&l->wait);
	spin_lock_init(&l->lock);
	mlx5vf_parser_init(&l->parser, !mig->precopy);
	l->mig = mig;
	mlx5vf_mig_get(mig);
	return l;

err_image:
	mlx5vf_image_put(l->image);
err_session:
	kfree(l);
	return ERR_PTR(ret);
}

/**
 * mlx5vf_load_start() - open a session that loads
 * @mig: the migration of the VF, locked and attached
 *
 * Return: the data file, or what went wrong.
 */
struct file *mlx5vf_load_start(struct mlx5vf_mig *mig)
{
	struct mlx5vf_load *l;
	struct file *file;

	l = session_create(mig);
	if (IS_ERR(l))
		return ERR_CAST(l);

	mig->load = l;
	file = anon_inode_getfile("mlx5vf_load", &load_fops, l, O_WRONLY);
	if (IS_ERR(file)) {
		mlx5vf_load_end(mig);
		return file;
	}
	refcount_inc(&l->refs);
	stream_open(file->f_inode, file);
	return file;
}

/**
 * mlx5vf_load_finish() - see whether the whole stream was loaded
 * @mig: the migration of the VF, locked and attached, with a session that loads
 *
 * Return: 0, or what is wrong with the stream: -EINVAL if it is not complete.
 */
int mlx5vf_load_finish(struct mlx5vf_mig *mig)
{
	struct mlx5vf_load *l = mig->load;
	int ret;

	ret = try_turn(l);
	if (ret >= 0) {
		/* In the middle of a write it is not the end of the stream */
		ret = ret ? mlx5vf_parser_finish(&l->parser) : -EINVAL;
		if (ret == MLX5VF_EVENT_END)
			ret = load_image(l, l->parser.done);
	}
	if (ret)
		mlx5vf_warn(mig, "the migration stream is damaged, or not complete (%d): reset the VF\n",
			    ret);
	return ret;
}

/**
 * mlx5vf_load_end() - close the session that loads, if there is one
 * @mig: the migration of the VF, locked; attached if there is one
 *
 * A writer may be in the middle of a copy: the memory is freed with the last
 * reference to the session.
 */
void mlx5vf_load_end(struct mlx5vf_mig *mig)
{
	struct mlx5vf_load *l = mig->load;

	if (!l)
		return;

	mig->load = NULL;
	spin_lock(&l->lock);
	l->dead = true;
	spin_unlock(&l->lock);
	wake_up_all(&l->wait);

	mlx5vf_image_get(l->image);
	mlx5vf_image_destroy(mig, l->image);
	mlx5vf_cmd_dealloc_pd(mig, l->pdn);
	load_put(l);
}
