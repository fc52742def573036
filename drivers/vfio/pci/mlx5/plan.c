// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sizes for tracking dirty pages. Each capability is a number of 5 or 8 bits that
 * a device chose, so nothing is shifted by one before it was compared.
 */
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/minmax.h>

#include "plan.h"

/* Of 8 bytes a page: 8192 pages in a message, 256 Ki pages before one is read */
#define MSG_LOG		16
#define BUFFER_LOG	21

/* What a receive queue has to hold at least */
#define SLOTS_LOG_MIN	2

/* Memory that a device can make us allocate */
#define BUFFER_LOG_MAX	26

/* An entry of a message is an address */
#define ENTRY_LOG	3

static bool sane(const struct mlx5vf_track_caps *caps)
{
	return caps->log_min_space <= caps->log_max_space &&
	       caps->log_min_msg <= caps->log_max_msg &&
	       caps->log_min_page <= caps->log_max_page &&
	       caps->log_max_msg >= ENTRY_LOG && caps->log_min_page < 64;
}

static unsigned int log2_up(u64 n)
{
	return ilog2(n) + !is_power_of_2(n);
}

static int plan_buffer(const struct mlx5vf_track_caps *caps,
		       struct mlx5vf_track_plan *plan)
{
	unsigned int log_min = max_t(unsigned int, caps->log_min_msg, ENTRY_LOG);

	if (log_min > BUFFER_LOG_MAX - SLOTS_LOG_MIN)
		return -EOPNOTSUPP;

	plan->log_msg = clamp_t(unsigned int, MSG_LOG, log_min, caps->log_max_msg);
	plan->log_slots = SLOTS_LOG_MIN;
	if (plan->log_msg + SLOTS_LOG_MIN < BUFFER_LOG)
		plan->log_slots = BUFFER_LOG - plan->log_msg;
	/* The counter of a receive queue has 16 bits, its size must be less */
	plan->log_slots = min_t(unsigned int, plan->log_slots, 15);
	return 0;
}

/* Pages must fit into the ranges, which are not ours to widen */
static unsigned int plan_page(const struct mlx5vf_track_caps *caps,
			      const struct mlx5vf_track_wish *wish)
{
	unsigned int log = wish->page_size ? ilog2(wish->page_size) : 0;

	log = min_t(unsigned int, log, wish->log_align);
	return clamp_t(unsigned int, log, caps->log_min_page,
		       min(caps->log_max_page, 63));
}

/**
 * mlx5vf_track_plan() - choose sizes for tracking
 * @caps: what the firmware can do
 * @wish: what user space would like
 * @plan: the result
 *
 * Return: 0, -EINVAL if there is nothing to track, or -EOPNOTSUPP if the firmware
 * cannot track so much, or makes no sense.
 */
int mlx5vf_track_plan(const struct mlx5vf_track_caps *caps,
		      const struct mlx5vf_track_wish *wish,
		      struct mlx5vf_track_plan *plan)
{
	unsigned int log_space;

	if (!wish->length)
		return -EINVAL;
	if (!sane(caps))
		return -EOPNOTSUPP;

	log_space = max_t(unsigned int, log2_up(wish->length),
			  caps->log_min_space);
	if (log_space > caps->log_max_space)
		return -EOPNOTSUPP;
	plan->log_space = log_space;
	plan->log_page = plan_page(caps, wish);
	return plan_buffer(caps, plan);
}
