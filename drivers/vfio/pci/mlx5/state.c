// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state machine: who may change the state, and what else changes it: a reset,
 * the last close of the device, a PF that goes away.
 */
#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/errno.h>
#include <linux/file.h>
#include <linux/lockdep.h>
#include <linux/slab.h>

#include "mig.h"
#include "record.h"

/* ---- life -------------------------------------------------------------- */

/**
 * mlx5vf_mig_create() - allocate what migration needs to know of a VF
 * @vdev: its vfio device
 * @pdev: its PCI function
 *
 * Return: it, with one reference and without a PF, or NULL.
 */
struct mlx5vf_mig *mlx5vf_mig_create(struct vfio_device *vdev,
				     struct pci_dev *pdev)
{
	struct mlx5vf_mig *mig;

	mig = kzalloc(sizeof(*mig), GFP_KERNEL);
	if (!mig)
		return NULL;

	refcount_set(&mig->refs, 1);
	mutex_init(&mig->lock);
	mig->vdev = vdev;
	mig->pdev = pdev;
	mig->state = VFIO_DEVICE_STATE_RUNNING;
	return mig;
}

/**
 * mlx5vf_mig_get() - keep it
 * @mig: the migration of a VF
 */
void mlx5vf_mig_get(struct mlx5vf_mig *mig)
{
	refcount_inc(&mig->refs);
}

/**
 * mlx5vf_mig_put() - do not keep it
 * @mig: the migration of a VF
 */
void mlx5vf_mig_put(struct mlx5vf_mig *mig)
{
	if (!refcount_dec_and_test(&mig->refs))
		return;
	mutex_destroy(&mig->lock);
	kfree(mig);
}

static void end_sessions(struct mlx5vf_mig *mig)
{
	mlx5vf_save_end(mig);
	mlx5vf_load_end(mig);
}

/* ---- lock, and resets -------------------------------------------------- */

/*
 * The reset may have come before or after a command of whoever held the lock, which
 * could then have suspended a VF that was just reset.
 */
static void forget(struct mlx5vf_mig *mig)
{
	lockdep_assert_held(&mig->lock);

	end_sessions(mig);
	if (mig->attached && mig->walked)
		mlx5vf_cmd_wake(mig);
	mig->state = VFIO_DEVICE_STATE_RUNNING;
	mig->failed = false;
	mig->lost = false;
}

static void lock(struct mlx5vf_mig *mig)
{
	mutex_lock(&mig->lock);
	mig->walked = false;
}

/**
 * mlx5vf_lock() - lock a migration on behalf of a program
 * @mig: the migration of a VF
 *
 * Return: 0, or -EINTR on a fatal signal.
 */
int mlx5vf_lock(struct mlx5vf_mig *mig)
{
	if (mutex_lock_killable(&mig->lock))
		return -EINTR;
	mig->walked = false;
	return 0;
}

/**
 * mlx5vf_unlock() - unlock it, and act on a reset that came in the meantime
 * @mig: the migration of a VF, locked
 */
void mlx5vf_unlock(struct mlx5vf_mig *mig)
{
	do {
		if (test_and_clear_bit(0, &mig->reset_due))
			forget(mig);
		mutex_unlock(&mig->lock);
		/* Pairs with the barrier in mlx5vf_mig_was_reset() */
		smp_mb();
	} while (test_bit(0, &mig->reset_due) && mutex_trylock(&mig->lock));
}

/**
 * mlx5vf_mig_was_reset() - the VF was reset
 * @mig: the migration of the VF
 *
 * The caller holds memory_lock, under which page faults wait, so it must not wait
 * for firmware in turn. If the lock is taken its holder acts on the reset.
 */
void mlx5vf_mig_was_reset(struct mlx5vf_mig *mig)
{
	set_bit(0, &mig->reset_due);
	/* Either the lock is free, or its holder sees the bit after unlocking */
	smp_mb__after_atomic();
	if (!mutex_trylock(&mig->lock))
		return;
	mig->walked = false;
	mlx5vf_unlock(mig);
}

/* ---- open, close, PF --------------------------------------------------- */

/**
 * mlx5vf_mig_open() - user space opens the device, which was just reset
 * @mig: the migration of the VF
 */
void mlx5vf_mig_open(struct mlx5vf_mig *mig)
{
	lock(mig);
	mig->state = VFIO_DEVICE_STATE_RUNNING;
	mig->failed = false;
	mig->lost = false;
	mlx5vf_unlock(mig);
}

/**
 * mlx5vf_mig_close() - user space closes the device; data files may stay open
 * @mig: the migration of the VF
 */
void mlx5vf_mig_close(struct mlx5vf_mig *mig)
{
	lock(mig);
	end_sessions(mig);
	mlx5vf_track_end(mig);
	mlx5vf_unlock(mig);
}

/**
 * mlx5vf_mig_attach() - the PF is back
 * @mig: the migration of the VF
 */
void mlx5vf_mig_attach(struct mlx5vf_mig *mig)
{
	lock(mig);
	mig->attached = true;
	mig->vhca_stale = true;
	mlx5vf_unlock(mig);
}

/**
 * mlx5vf_mig_detach() - the PF is about to go away
 * @mig: the migration of the VF
 *
 * A state other than RUNNING is lost with it. User space learns of that when it
 * asks for the next one, since a state never changes behind its back.
 */
void mlx5vf_mig_detach(struct mlx5vf_mig *mig)
{
	lock(mig);
	if (mig->attached) {
		end_sessions(mig);
		mlx5vf_track_end(mig);
		mig->attached = false;
		mig->lost |= mig->state != VFIO_DEVICE_STATE_RUNNING;
	}
	mlx5vf_unlock(mig);
}

/**
 * mlx5vf_mig_ready() - see whether the VF's firmware can be talked to
 * @mig: the migration of the VF, locked
 *
 * Return: 0, -ENOTCONN without a PF, or as mlx5vf_cmd_query_vhca_id().
 */
int mlx5vf_mig_ready(struct mlx5vf_mig *mig)
{
	int ret;

	lockdep_assert_held(&mig->lock);

	if (!mig->attached)
		return -ENOTCONN;
	if (!mig->vhca_stale)
		return 0;
	ret = mlx5vf_cmd_query_vhca_id(mig);
	mig->vhca_stale = ret;
	return ret;
}

/**
 * mlx5vf_mig_fail() - the VF is in no state that has a name
 * @mig: the migration of the VF, locked
 */
void mlx5vf_mig_fail(struct mlx5vf_mig *mig)
{
	mig->failed = true;
}

/* ---- states ------------------------------------------------------------ */

static int refuse(struct mlx5vf_mig *mig, const char *why)
{
	mlx5vf_warn(mig, "migration state refused: %s\n", why);
	return -EINVAL;
}

static void enter_error(struct mlx5vf_mig *mig)
{
	end_sessions(mig);
	mig->state = VFIO_DEVICE_STATE_ERROR;
	mig->failed = false;
	mig->lost = false;
}

/*
 * vfio.ko of Linux 6.12 never comes back if it is asked for the way from STOP_COPY
 * to a PRE_COPY state, and warns if it is asked for one that leads out of ERROR.
 */
static int check(struct mlx5vf_mig *mig, enum vfio_device_mig_state to)
{
	if (mig->state == VFIO_DEVICE_STATE_ERROR)
		return refuse(mig, "the VF is in ERROR: reset it");
	if (mig->state == VFIO_DEVICE_STATE_STOP_COPY &&
	    (to == VFIO_DEVICE_STATE_PRE_COPY ||
	     to == VFIO_DEVICE_STATE_PRE_COPY_P2P))
		return refuse(mig, "no way leads from STOP_COPY to PRE_COPY");
	if (mig->lost) {
		enter_error(mig);
		return refuse(mig, "the PF went away in the middle of a migration: reset the VF");
	}
	return mlx5vf_mig_ready(mig);
}

static struct file *walk_one(struct mlx5vf_mig *mig,
			     enum vfio_device_mig_state to)
{
	enum vfio_device_mig_state next;
	struct file *file;
	int ret;

	ret = vfio_mig_get_next_state(mig->vdev, mig->state, to, &next);
	if (ret)
		return ERR_PTR(ret);

	file = mlx5vf_arc(mig, mig->state, next);
	if (!IS_ERR(file))
		mig->state = next;
	else if (mig->failed)
		enter_error(mig);
	return file;
}

/* Only the last arc of a way opens a data file */
static struct file *walk(struct mlx5vf_mig *mig, enum vfio_device_mig_state to)
{
	struct file *file = NULL;
	int ret;

	ret = check(mig, to);
	if (ret)
		return ERR_PTR(ret);
	while (!IS_ERR(file) && mig->state != to)
		file = walk_one(mig, to);
	return file;
}

/**
 * mlx5vf_mig_set_state() - go to a state, over as many arcs as it takes
 * @mig: the migration of the VF
 * @state: the state
 *
 * Return: the data file if that opens one, NULL if not, or:
 * * -EINVAL - there is no way, or only a reset helps
 * * -ENOTCONN - the PF is away
 * * -EINTR - a fatal signal
 * * other - the errno of an arc; the VF is in the state before that arc, or in ERROR
 */
struct file *mlx5vf_mig_set_state(struct mlx5vf_mig *mig,
				  enum vfio_device_mig_state state)
{
	struct file *file;
	int ret;

	ret = mlx5vf_lock(mig);
	if (ret)
		return ERR_PTR(ret);
	file = walk(mig, state);
	mlx5vf_unlock(mig);
	return file;
}

/**
 * mlx5vf_mig_get_state() - the state the VF is in
 * @mig: the migration of the VF
 * @state: the answer
 *
 * Return: 0, or -EINTR on a fatal signal.
 */
int mlx5vf_mig_get_state(struct mlx5vf_mig *mig,
			 enum vfio_device_mig_state *state)
{
	int ret;

	ret = mlx5vf_lock(mig);
	if (ret)
		return ret;
	*state = mig->state;
	mlx5vf_unlock(mig);
	return 0;
}

static int data_size(struct mlx5vf_mig *mig, u64 *length)
{
	struct mlx5vf_size size;
	int ret;

	ret = mlx5vf_mig_ready(mig);
	if (ret)
		return ret;
	if (mig->save)
		return mlx5vf_save_left(mig, length);
	ret = mlx5vf_cmd_query_size(mig, false, &size);
	*length = mlx5vf_record_size(size.total, !mig->precopy);
	return ret;
}

/**
 * mlx5vf_mig_data_size() - how much the VF's state is, roughly
 * @mig: the migration of the VF
 * @length: bytes that STOP_COPY will have to transfer
 *
 * Return: 0, -ENOTCONN without a PF, -EINTR on a fatal signal, or as
 * mlx5vf_cmd_query_size().
 */
int mlx5vf_mig_data_size(struct mlx5vf_mig *mig, unsigned long *length)
{
	u64 size = 0;
	int ret;

	ret = mlx5vf_lock(mig);
	if (ret)
		return ret;
	ret = data_size(mig, &size);
	mlx5vf_unlock(mig);
	*length = min_t(u64, size, ULONG_MAX);
	return ret;
}
