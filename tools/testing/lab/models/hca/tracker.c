// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Page trackers: which pages a VF has written. Each watches the DMA of one VHCA in
 * some ranges and reports, when told to, through messages to a queue pair.
 */
#include "hca.h"

#define ENTRY		8	/* bytes of a reported address */
#define STATE_SHIFT	28	/* of the immediate: the state after the message */
#define RETRY_MS	1	/* to look for receive buffers again */

/* --- trackers ---------------------------------------------------------------------- */

static struct hca_tracker *tracker_find(struct hca *hca, unsigned int id)
{
	unsigned int i = id - HCA_TRACKER_BASE;

	return i < HCA_TRACKERS && hca->tracker[i].used ? &hca->tracker[i] : NULL;
}

static struct hca_tracker *tracker_new(struct hca *hca)
{
	unsigned int i;

	for (i = 0; i < 1u << HCA_TRACKERS_LOG; i++) {
		if (!hca->tracker[i].used)
			return &hca->tracker[i];
	}
	return NULL;
}

static unsigned int tracker_id(const struct hca_tracker *tracker)
{
	return HCA_TRACKER_BASE + (tracker - tracker->hca->tracker);
}

static void tracker_free(struct hca_tracker *tracker)
{
	struct hca_qp *qp = hca_qp_find(&tracker->hca->fn[0], tracker->qpn);

	if (qp)
		qp->trackers--;
	timer_del(tracker->timer);
	g_hash_table_remove_all(tracker->dirty);
	g_array_set_size(tracker->report, 0);
	tracker->used = false;
}

static void tracker_fail(struct hca_tracker *tracker)
{
	uint8_t event[28] = { 0 };

	tracker->state = MLX5_PAGE_TRACK_STATE_ERROR;
	timer_del(tracker->timer);
	stw_be_p(event + 2, MLX5_OBJ_TYPE_PAGE_TRACK);
	stl_be_p(event + 4, tracker_id(tracker));
	hca_event(&tracker->hca->fn[0], HCA_EVENT_OBJECT, event);
}

/* --- watching ----------------------------------------------------------------------- */

static bool watches(const struct hca_tracker *tracker, uint64_t page)
{
	uint64_t size = 1ull << tracker->log_page;
	unsigned int i;

	for (i = 0; i < tracker->ranges; i++) {
		const struct hca_range *range = &tracker->range[i];

		if (range->start - page < size || page - range->start < range->len)
			return true;
	}
	return false;
}

static void mark(struct hca_tracker *tracker, uint64_t addr, size_t len)
{
	uint64_t size = 1ull << tracker->log_page, page;

	for (page = addr & -size; page < addr + len; page += size) {
		if (!watches(tracker, page))
			continue;
		g_hash_table_add(tracker->dirty, g_memdup2(&page, sizeof(page)));
	}
}

void hca_tracker_dma(struct hca_fn *fn, uint64_t addr, size_t len)
{
	unsigned int i;

	for (i = 0; i < HCA_TRACKERS; i++) {
		struct hca_tracker *tracker = &fn->hca->tracker[i];

		if (tracker->used && tracker->nr == fn->nr)
			mark(tracker, addr, len);
	}
}

/* --- reports ------------------------------------------------------------------------ */

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* What is reported is clean from then on. */
static void collect(struct hca_tracker *tracker, uint64_t start, uint64_t len)
{
	GHashTableIter iter;
	void *key;

	g_array_set_size(tracker->report, 0);
	g_hash_table_iter_init(&iter, tracker->dirty);
	while (g_hash_table_iter_next(&iter, &key, NULL)) {
		if (*(uint64_t *)key - start >= len)
			continue;
		g_array_append_vals(tracker->report, key, 1);
		g_hash_table_iter_remove(&iter);
	}
	g_array_sort(tracker->report, compare);
	tracker->sent = 0;
}

/* One message; its immediate says whether it is the last. */
static enum hca_receive send_one(struct hca_tracker *tracker)
{
	struct hca_fn *pf = &tracker->hca->fn[0];
	struct hca_qp *qp = hca_qp_find(pf, tracker->qpn);
	struct hca_qp *to = qp ? hca_qp_find(pf, qp->remote) : NULL;
	unsigned int left = tracker->report->len - tracker->sent;
	unsigned int count = MIN(left, (1u << tracker->log_msg) / ENTRY), i;
	uint32_t state = MLX5_PAGE_TRACK_STATE_TRACKING;
	enum hca_receive ret;
	uint64_t *data;

	if (!to || qp->state != HCA_QP_RTS)
		return HCA_BROKEN;
	if (count < left)
		state = MLX5_PAGE_TRACK_STATE_REPORTING;
	data = g_new(uint64_t, MAX(count, 1));
	for (i = 0; i < count; i++)
		data[i] = cpu_to_be64(g_array_index(tracker->report, uint64_t, tracker->sent + i));
	ret = hca_qp_receive(pf, to, data, count * ENTRY, state << STATE_SHIFT);
	g_free(data);
	if (ret != HCA_RECEIVED)
		return ret;
	tracker->sent += count;
	tracker->state = state;
	return ret;
}

static void send_after(struct hca_tracker *tracker, uint32_t ms)
{
	timer_mod(tracker->timer, qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) + ms);
}

/* As many as there are receive buffers for. */
static void send_on(void *opaque)
{
	struct hca_tracker *tracker = opaque;
	enum hca_receive ret;

	do {
		ret = send_one(tracker);
	} while (ret == HCA_RECEIVED && tracker->state == MLX5_PAGE_TRACK_STATE_REPORTING);
	if (ret == HCA_NO_BUFFER)
		send_after(tracker, RETRY_MS);
	else if (ret == HCA_BROKEN)
		tracker_fail(tracker);
}

/* --- commands ------------------------------------------------------------------------ */

static uint32_t take_ranges(struct hca_tracker *tracker, const struct hca_cmd *cmd,
			    const uint8_t *object)
{
	const uint8_t *range = object + ifc_bytes(page_track);
	unsigned int count = ifc_get(page_track, object, num_ranges), i;

	if (!count || count > MIN(tracker->hca->setting[HCA_SET_TRACKER_RANGES], HCA_TRACK_RANGES))
		return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_VALUE);
	if (cmd->in_len < range - cmd->in + count * ifc_bytes(page_track_range))
		return HCA_FAIL(HCA_BAD_INP_LEN, HCA_WHY_LENGTH);
	for (i = 0; i < count; i++, range += ifc_bytes(page_track_range)) {
		tracker->range[i].start = ifc_get(page_track_range, range, start_address);
		tracker->range[i].len = ifc_get(page_track_range, range, length);
		if (!tracker->range[i].len)
			return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_VALUE);
	}
	tracker->ranges = count;
	return 0;
}

static bool fits(const struct hca *hca, const uint8_t *object)
{
	unsigned int page = ifc_get(page_track, object, log_page_size);
	unsigned int msg = ifc_get(page_track, object, log_msg_size);
	unsigned int space = ifc_get(page_track, object, log_addr_space_size);

	return page >= HCA_TRACK_MIN_PAGE && page <= HCA_TRACK_MAX_PAGE &&
	       msg >= HCA_TRACK_MIN_MSG && msg <= hca->setting[HCA_SET_TRACKER_LOG_MSG] &&
	       space >= page && space <= hca->setting[HCA_SET_TRACKER_LOG_SPACE];
}

static uint32_t create(struct hca_cmd *cmd, const uint8_t *object, struct hca_qp **qp)
{
	struct hca *hca = cmd->fn->hca;
	struct hca_fn *fn = hca_vhca_find(hca, ifc_get(page_track, object, vhca_id));
	struct hca_tracker *tracker = tracker_new(hca);
	uint32_t ret;

	if (!fn)
		return HCA_FAIL(HCA_BAD_RES, HCA_WHY_FUNCTION);
	if (!tracker)
		return HCA_FAIL(HCA_NO_RES, HCA_WHY_FULL);
	if (!fits(hca, object))
		return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_VALUE);
	ret = take_ranges(tracker, cmd, object);
	if (ret)
		return ret;
	tracker->qpn = ifc_get(page_track, object, reporting_qpn);
	*qp = hca_qp_find(cmd->fn, tracker->qpn);
	if (!*qp)
		return HCA_FAIL(HCA_BAD_RES, HCA_WHY_OBJECT);
	if ((*qp)->state != HCA_QP_RTS)
		return HCA_FAIL(HCA_BAD_QP_STATE, HCA_WHY_QP_STATE);
	tracker->nr = fn->nr;
	tracker->log_page = ifc_get(page_track, object, log_page_size);
	tracker->log_msg = ifc_get(page_track, object, log_msg_size);
	tracker->state = MLX5_PAGE_TRACK_STATE_TRACKING;
	tracker->used = true;
	ifc_set(general_obj_out_cmd_hdr, cmd->out, obj_id, tracker_id(tracker));
	return 0;
}

static uint32_t check_type(const struct hca_cmd *cmd)
{
	if (!cmd->fn->hca->setting[HCA_SET_TRACKER] ||
	    ifc_get(general_obj_in_cmd_hdr, cmd->in, obj_type) != MLX5_OBJ_TYPE_PAGE_TRACK)
		return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_CAPABILITY);
	return 0;
}

uint32_t hca_create_object(struct hca_cmd *cmd)
{
	uint32_t ret = check_type(cmd);
	struct hca_qp *qp;

	if (ret)
		return ret;
	if (cmd->in_len < ifc_bytes(create_page_track_obj_in))
		return HCA_FAIL(HCA_BAD_INP_LEN, HCA_WHY_LENGTH);
	ret = create(cmd, ifc_at(create_page_track_obj_in, cmd->in, obj_context), &qp);
	if (ret)
		return ret;
	qp->trackers++;
	cmd->fn->counter[HCA_LIVE_TRACKER]++;
	return 0;
}

/* The tracker that a command is about, or why there is none. */
static uint32_t subject(const struct hca_cmd *cmd, struct hca_tracker **tracker)
{
	uint32_t ret = check_type(cmd);

	*tracker = tracker_find(cmd->fn->hca, ifc_get(general_obj_in_cmd_hdr, cmd->in, obj_id));
	if (!ret && !*tracker)
		ret = HCA_FAIL(HCA_BAD_RES, HCA_WHY_OBJECT);
	return ret;
}

/* The one thing that can be modified: it is to report a range. */
uint32_t hca_modify_object(struct hca_cmd *cmd)
{
	const uint8_t *object = ifc_at(modify_page_track_obj_in, cmd->in, obj_context);
	struct hca_tracker *tracker;
	uint32_t ret = subject(cmd, &tracker);

	if (ret)
		return ret;
	if (cmd->in_len < ifc_bytes(modify_page_track_obj_in))
		return HCA_FAIL(HCA_BAD_INP_LEN, HCA_WHY_LENGTH);
	if (ifc_get(page_track, object, state) != MLX5_PAGE_TRACK_STATE_REPORTING)
		return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_VALUE);
	if (tracker->state != MLX5_PAGE_TRACK_STATE_TRACKING)
		return HCA_FAIL(HCA_BAD_RES_STATE, HCA_WHY_TRACKER_STATE);
	collect(tracker, ifc_get(page_track, object, range_start_address),
		ifc_get(page_track, object, length));
	tracker->state = MLX5_PAGE_TRACK_STATE_REPORTING;
	send_after(tracker, tracker->hca->setting[HCA_SET_REPORT_MS]);
	return 0;
}

uint32_t hca_query_object(struct hca_cmd *cmd)
{
	uint8_t *object = ifc_at(query_page_track_obj_out, cmd->out, obj_context);
	struct hca_tracker *tracker;
	uint32_t ret = subject(cmd, &tracker);

	if (ret)
		return ret;
	if (cmd->out_len < ifc_bytes(query_page_track_obj_out))
		return HCA_FAIL(HCA_BAD_OUTP_LEN, HCA_WHY_LENGTH);
	ifc_set(page_track, object, vhca_id, HCA_VHCA_BASE + tracker->nr);
	ifc_set(page_track, object, state, tracker->state);
	ifc_set(page_track, object, log_page_size, tracker->log_page);
	ifc_set(page_track, object, log_msg_size, tracker->log_msg);
	ifc_set(page_track, object, reporting_qpn, tracker->qpn);
	ifc_set(page_track, object, num_ranges, tracker->ranges);
	return 0;
}

uint32_t hca_destroy_object(struct hca_cmd *cmd)
{
	struct hca_tracker *tracker;
	uint32_t ret = subject(cmd, &tracker);

	if (ret)
		return ret;
	tracker_free(tracker);
	cmd->fn->counter[HCA_LIVE_TRACKER]--;
	return 0;
}

/* --- from outside --------------------------------------------------------------------- */

void hca_tracker_init(struct hca *hca)
{
	unsigned int i;

	for (i = 0; i < HCA_TRACKERS; i++) {
		struct hca_tracker *tracker = &hca->tracker[i];

		tracker->hca = hca;
		tracker->dirty = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
		tracker->report = g_array_new(false, false, sizeof(uint64_t));
		tracker->timer = timer_new_ms(QEMU_CLOCK_VIRTUAL, send_on, tracker);
	}
}

void hca_tracker_clear(struct hca *hca)
{
	unsigned int i;

	for (i = 0; i < HCA_TRACKERS; i++) {
		if (hca->tracker[i].used)
			tracker_free(&hca->tracker[i]);
	}
}

/* Nobody is left to be watched. */
void hca_tracker_lost(struct hca_fn *fn)
{
	unsigned int i;

	for (i = 0; i < HCA_TRACKERS; i++) {
		struct hca_tracker *tracker = &fn->hca->tracker[i];

		if (tracker->used && tracker->nr == fn->nr)
			tracker_fail(tracker);
	}
}

void hca_tracker_fail(struct hca *hca, unsigned int id)
{
	unsigned int i;

	for (i = HCA_TRACKERS; !id && i--;) {
		if (hca->tracker[i].used)
			id = tracker_id(&hca->tracker[i]);
	}
	if (tracker_find(hca, id))
		tracker_fail(tracker_find(hca, id));
}
