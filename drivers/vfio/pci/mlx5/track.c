// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tracking of dirty pages, which user space calls DMA logging. Firmware remembers
 * what pages a VF writes to, and tells us when asked; that clears its memory, so a
 * report that is not delivered whole makes the tracker useless.
 */
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/interval_tree.h>
#include <linux/iova_bitmap.h>
#include <linux/lockdep.h>
#include <linux/mlx5/device.h>
#include <linux/mlx5/driver.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/vfio.h>

#include "track.h"

/* Which fields MODIFY_GENERAL_OBJECT is about: the state, and the range */
#define MODIFY_STATE_AND_RANGE	0x3

static void track_put(struct mlx5vf_track *t)
{
	if (refcount_dec_and_test(&t->refs))
		kfree(t);
}

/* ---- the object -------------------------------------------------------- */

static void fill_header(void *header, u16 opcode, u32 obj_id)
{
	MLX5_SET(general_obj_in_cmd_hdr, header, opcode, opcode);
	MLX5_SET(general_obj_in_cmd_hdr, header, obj_type,
		 MLX5_OBJ_TYPE_PAGE_TRACK);
	MLX5_SET(general_obj_in_cmd_hdr, header, obj_id, obj_id);
}

static void fill_ranges(void *object, struct rb_root_cached *ranges)
{
	void *at = MLX5_ADDR_OF(page_track, object, track_range);
	struct interval_tree_node *node;

	for (node = interval_tree_iter_first(ranges, 0, ULONG_MAX); node;
	     node = interval_tree_iter_next(node, 0, ULONG_MAX)) {
		MLX5_SET64(page_track_range, at, start_address, node->start);
		MLX5_SET64(page_track_range, at, length,
			   (u64)node->last - node->start + 1);
		at += MLX5_ST_SZ_BYTES(page_track_range);
	}
}

static int object_create(struct mlx5vf_mig *mig, struct mlx5vf_track *t,
			 struct rb_root_cached *ranges, u32 nr)
{
	int size = MLX5_ST_SZ_BYTES(create_page_track_obj_in) +
		   nr * MLX5_ST_SZ_BYTES(page_track_range);
	u32 out[MLX5_ST_SZ_DW(general_obj_out_cmd_hdr)] = {};
	void *in, *object;
	int ret;

	in = kzalloc(size, GFP_KERNEL);
	if (!in)
		return -ENOMEM;

	fill_header(in, MLX5_CMD_OP_CREATE_GENERAL_OBJECT, 0);
	object = MLX5_ADDR_OF(create_page_track_obj_in, in, obj_context);
	MLX5_SET(page_track, object, vhca_id, mig->vhca_id);
	MLX5_SET(page_track, object, track_type, 1);
	MLX5_SET(page_track, object, log_addr_space_size, t->plan.log_space);
	MLX5_SET(page_track, object, log_page_size, t->plan.log_page);
	MLX5_SET(page_track, object, log_msg_size, t->plan.log_msg);
	MLX5_SET(page_track, object, reporting_qpn, t->fw.qpn);
	MLX5_SET(page_track, object, num_ranges, nr);
	fill_ranges(object, ranges);
	ret = mlx5vf_cmd_exec(mig, in, size, out, sizeof(out));
	if (!ret)
		WRITE_ONCE(t->obj_id,
			   MLX5_GET(general_obj_out_cmd_hdr, out, obj_id));
	kfree(in);
	return ret;
}

static void object_destroy(struct mlx5vf_mig *mig, struct mlx5vf_track *t)
{
	u32 in[MLX5_ST_SZ_DW(general_obj_in_cmd_hdr)] = {};

	fill_header(in, MLX5_CMD_OP_DESTROY_GENERAL_OBJECT, t->obj_id);
	mlx5vf_cmd_destroy(mig, in, sizeof(in));
}

static int object_report(struct mlx5vf_mig *mig, struct mlx5vf_track *t,
			 u64 start, u64 length)
{
	u32 out[MLX5_ST_SZ_DW(general_obj_out_cmd_hdr)] = {};
	u32 in[MLX5_ST_SZ_DW(modify_page_track_obj_in)] = {};
	void *object = MLX5_ADDR_OF(modify_page_track_obj_in, in, obj_context);

	fill_header(in, MLX5_CMD_OP_MODIFY_GENERAL_OBJECT, t->obj_id);
	MLX5_SET64(page_track, object, modify_field_select,
		   MODIFY_STATE_AND_RANGE);
	MLX5_SET(page_track, object, state, MLX5_PAGE_TRACK_STATE_REPORTING);
	MLX5_SET64(page_track, object, range_start_address, start);
	MLX5_SET64(page_track, object, length, length);
	return mlx5vf_cmd_exec(mig, in, sizeof(in), out, sizeof(out));
}

/* Firmware has changed its state: that is one way to say that it failed */
static int object_check(struct mlx5vf_mig *mig, struct mlx5vf_track *t)
{
	u32 out[MLX5_ST_SZ_DW(query_page_track_obj_out)] = {};
	u32 in[MLX5_ST_SZ_DW(general_obj_in_cmd_hdr)] = {};
	void *object = MLX5_ADDR_OF(query_page_track_obj_out, out, obj_context);
	int ret;

	WRITE_ONCE(t->changed, false);
	fill_header(in, MLX5_CMD_OP_QUERY_GENERAL_OBJECT, t->obj_id);
	ret = mlx5vf_cmd_exec(mig, in, sizeof(in), out, sizeof(out));
	if (ret)
		return ret;
	if (MLX5_GET(page_track, object, state) == MLX5_PAGE_TRACK_STATE_ERROR)
		return -EIO;
	return 0;
}

/* ---- start and stop ---------------------------------------------------- */

static int sum_up(struct rb_root_cached *ranges, struct mlx5vf_track_wish *wish)
{
	struct interval_tree_node *node;
	u64 bits = 0;

	for (node = interval_tree_iter_first(ranges, 0, ULONG_MAX); node;
	     node = interval_tree_iter_next(node, 0, ULONG_MAX)) {
		u64 length = (u64)node->last - node->start + 1;

		if (!length || check_add_overflow(wish->length, length,
						  &wish->length))
			return -EINVAL;
		bits |= node->start | length;
	}
	wish->log_align = bits ? __ffs64(bits) : 0;
	return 0;
}

static int make_plan(struct mlx5vf_mig *mig, struct mlx5vf_track *t,
		     struct rb_root_cached *ranges, u64 page_size)
{
	struct mlx5_core_dev *pf = mig->pf;
	struct mlx5vf_track_caps caps = {
#define CAP(name) MLX5_CAP_ADV_VIRTUALIZATION(pf, pg_track_log_##name)
		.log_min_space	= CAP(min_addr_space),
		.log_max_space	= CAP(max_addr_space),
		.log_min_msg	= CAP(min_msg_size),
		.log_max_msg	= CAP(max_msg_size),
		.log_min_page	= CAP(min_page_size),
		.log_max_page	= CAP(max_page_size),
#undef CAP
	};
	struct mlx5vf_track_wish wish = { .page_size = page_size };
	int ret;

	ret = sum_up(ranges, &wish);
	return ret ? ret : mlx5vf_track_plan(&caps, &wish, &t->plan);
}

/* Ranges that are near each other become one, until there are few enough */
static int fit_ranges(struct mlx5vf_mig *mig, struct rb_root_cached *ranges,
		      u32 nr)
{
	u32 max = MLX5_CAP_ADV_VIRTUALIZATION(mig->pf, pg_track_max_num_range);

	if (!max)
		return -EOPNOTSUPP;
	if (nr <= max)
		return nr;
	vfio_combine_iova_ranges(ranges, nr, max);
	return max;
}

static struct mlx5vf_track *track_create(struct mlx5vf_mig *mig,
					 struct rb_root_cached *ranges, u32 nr,
					 u64 page_size)
{
	struct mlx5vf_track *t;
	int ret;

	t = kzalloc(sizeof(*t), GFP_KERNEL_ACCOUNT);
	if (!t)
		return ERR_PTR(-ENOMEM);
	refcount_set(&t->refs, 1);
	init_waitqueue_head(&t->wait);

	ret = fit_ranges(mig, ranges, nr);
	if (ret < 0)
		goto err_track;
	nr = ret;
	ret = make_plan(mig, t, ranges, page_size);
	if (ret)
		goto err_track;
	ret = mlx5vf_track_hw_create(mig, t);
	if (ret)
		goto err_track;
	ret = object_create(mig, t, ranges, nr);
	if (ret)
		goto err_hw;
	return t;

err_hw:
	mlx5vf_track_hw_destroy(mig, t);
err_track:
	track_put(t);
	return ERR_PTR(ret);
}

static int start(struct mlx5vf_mig *mig, struct rb_root_cached *ranges, u32 nr,
		 u64 *page_size)
{
	struct mlx5vf_track *t;
	int ret;

	ret = mlx5vf_mig_ready(mig);
	if (ret)
		return ret;
	if (mig->track)
		return -EINVAL;
	t = track_create(mig, ranges, nr, *page_size);
	if (IS_ERR(t))
		return PTR_ERR(t);

	*page_size = 1ULL << t->plan.log_page;
	mig->track = t;
	return 0;
}

/**
 * mlx5vf_track_start() - start to track dirty pages
 * @mig: the migration of the VF
 * @ranges: what addresses
 * @nr: number of @ranges
 * @page_size: in what pieces, if firmware can; then in what pieces it does
 *
 * Return: 0, or:
 * * -EINVAL - tracked already, or nothing to be tracked
 * * -EOPNOTSUPP - too much to be tracked
 * * -ENOTCONN - the PF is away
 * * -EINTR - a fatal signal
 * * other - what memory or firmware refuses
 */
int mlx5vf_track_start(struct mlx5vf_mig *mig, struct rb_root_cached *ranges,
		       u32 nr, u64 *page_size)
{
	int ret;

	ret = mlx5vf_lock(mig);
	if (ret)
		return ret;
	ret = start(mig, ranges, nr, page_size);
	mlx5vf_unlock(mig);
	return ret;
}

/**
 * mlx5vf_track_end() - stop to track dirty pages, if they are
 * @mig: the migration of the VF, locked; attached if they are
 *
 * A report that is being made fails.
 */
void mlx5vf_track_end(struct mlx5vf_mig *mig)
{
	struct mlx5vf_track *t = mig->track;

	lockdep_assert_held(&mig->lock);

	if (!t)
		return;

	mig->track = NULL;
	WRITE_ONCE(t->dead, true);
	wake_up_all(&t->wait);
	object_destroy(mig, t);
	mlx5vf_track_hw_destroy(mig, t);
	track_put(t);
}

/**
 * mlx5vf_track_stop() - stop to track dirty pages
 * @mig: the migration of the VF
 *
 * Return: 0, also if they were not tracked, or -EINTR on a fatal signal.
 */
int mlx5vf_track_stop(struct mlx5vf_mig *mig)
{
	int ret;

	ret = mlx5vf_lock(mig);
	if (ret)
		return ret;
	mlx5vf_track_end(mig);
	mlx5vf_unlock(mig);
	return 0;
}

/* ---- report ------------------------------------------------------------ */

/* Refers to the tracker until end_report() */
static int begin_report(struct mlx5vf_mig *mig, u64 start, u64 length,
			struct mlx5vf_track **track)
{
	struct mlx5vf_track *t = mig->track;
	int ret;

	if (!mig->attached)
		return -ENOTCONN;
	if (!t)
		return -EINVAL;
	if (t->reporting)
		return -EBUSY;
	if (READ_ONCE(t->broken))
		return -EIO;

	ret = object_report(mig, t, start, length);
	if (ret)
		return ret;
	t->reporting = true;
	refcount_inc(&t->refs);
	*track = t;
	return 0;
}

static void end_report(struct mlx5vf_mig *mig, struct mlx5vf_track *t, int err)
{
	mutex_lock(&mig->lock);
	t->reporting = false;
	/* The rest of the report would be taken for the next one */
	if (err)
		WRITE_ONCE(t->broken, true);
	mlx5vf_unlock(mig);
	track_put(t);
}

static bool has_news(struct mlx5vf_track *t)
{
	return READ_ONCE(t->completed) || READ_ONCE(t->changed) ||
	       READ_ONCE(t->broken) || READ_ONCE(t->dead);
}

static int receive(struct mlx5vf_mig *mig, struct mlx5vf_track *t,
		   struct mlx5vf_track_msg *msg)
{
	int ret;

	if (t->dead)
		return mig->attached ? -ENODEV : -ENOTCONN;
	if (READ_ONCE(t->changed)) {
		ret = object_check(mig, t);
		if (ret)
			return ret;
	}
	if (READ_ONCE(t->broken))
		return -EIO;
	ret = mlx5vf_track_hw_receive(mig, t, msg);
	if (!ret && msg->state > MLX5_PAGE_TRACK_STATE_REPORTING)
		ret = -EIO;
	return ret;
}

static int receive_locked(struct mlx5vf_mig *mig, struct mlx5vf_track *t,
			  struct mlx5vf_track_msg *msg)
{
	int ret;

	ret = mlx5vf_lock(mig);
	if (ret)
		return ret;
	ret = receive(mig, t, msg);
	mlx5vf_unlock(mig);
	return ret;
}

/* Setting a bit may wait for user space's memory: not under a lock */
static int report(struct mlx5vf_mig *mig, struct mlx5vf_track *t,
		  struct mlx5vf_track_msg *msg, struct iova_bitmap *dirty)
{
	u64 page_size = 1ULL << t->plan.log_page;
	int ret;

	do {
		ret = receive_locked(mig, t, msg);
		if (ret == -EAGAIN)
			ret = wait_event_killable(t->wait, has_news(t));
		else if (!ret)
			for (unsigned int i = 0; i < msg->nr; i++)
				iova_bitmap_set(dirty, be64_to_cpu(msg->page[i]),
						page_size);
	} while (!ret && msg->state != MLX5_PAGE_TRACK_STATE_TRACKING);
	return ret == -ERESTARTSYS ? -EINTR : ret;
}

/**
 * mlx5vf_track_report() - get the pages that were written, and forget them
 * @mig: the migration of the VF
 * @iova: first address
 * @length: bytes
 * @dirty: where to set a bit for each page
 *
 * Return: 0, or with the log in disorder:
 * * -EINVAL - nothing is tracked
 * * -EBUSY - somebody else is at it
 * * -ENOTCONN, -ENODEV - the PF is away, or tracking ended
 * * -EIO - firmware failed, now or before
 * * -EINTR - a fatal signal
 * * other - what memory or firmware refuses
 */
int mlx5vf_track_report(struct mlx5vf_mig *mig, unsigned long iova,
			unsigned long length, struct iova_bitmap *dirty)
{
	struct mlx5vf_track_msg *msg;
	struct mlx5vf_track *t;
	int ret;

	ret = mlx5vf_lock(mig);
	if (ret)
		return ret;
	ret = begin_report(mig, iova, length, &t);
	mlx5vf_unlock(mig);
	if (ret)
		return ret;

	ret = -ENOMEM;
	msg = kvzalloc(sizeof(*msg) + (1UL << t->plan.log_msg),
		       GFP_KERNEL_ACCOUNT);
	if (msg) {
		msg->state = MLX5_PAGE_TRACK_STATE_REPORTING;
		ret = report(mig, t, msg, dirty);
		kvfree(msg);
	}
	end_report(mig, t, ret);
	return ret;
}
