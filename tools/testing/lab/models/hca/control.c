// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The control window of control.h, the log of commands, and faults.
 */
#include "hca.h"

#define FAULT_WORDS	ARRAY_SIZE(((struct hca *)0)->fault[0])

static const uint32_t defaults[HCA_SETTINGS] = {
	[HCA_SET_MIGRATABLE] = 0xfffffffe,
	[HCA_SET_MIGRATION] = 1,
	[HCA_SET_TRACKED] = 1,
	[HCA_SET_MULTI_LOAD] = 1,
	[HCA_SET_CHUNKS] = 0,
	[HCA_SET_CHUNK_SIZE] = 4 * 1024 * 1024,
	[HCA_SET_SAVE_MS] = 20,
	[HCA_SET_VF_PAGES] = 256,
	[HCA_SET_TRACKER] = 1,
	[HCA_SET_TRACKER_LOG_MSG] = 16,
	[HCA_SET_TRACKER_LOG_SPACE] = 63,
	[HCA_SET_TRACKER_RANGES] = 8,
	[HCA_SET_REPORT_MS] = 1,
	[HCA_SET_BOOT_PAGES] = 4,
	[HCA_SET_INIT_PAGES] = 600,
	[HCA_SET_PAGES_OF_VF] = 8,
};

/* --- log ------------------------------------------------------------------------- */

static uint32_t *entry_of(const struct hca_cmd *cmd)
{
	return cmd->fn->hca->log[cmd->entry % HCA_LOG_SIZE];
}

void hca_log_begin(struct hca_cmd *cmd)
{
	unsigned int i;
	uint32_t *word;

	cmd->entry = cmd->fn->hca->logged++;
	word = entry_of(cmd);
	memset(word, 0, sizeof(cmd->fn->hca->log[0]));
	word[HCA_LOG_NUMBER] = cmd->entry;
	word[HCA_LOG_FN] = cmd->fn->nr;
	word[HCA_LOG_OPCODE] = cmd->opcode;
	word[HCA_LOG_OP_MOD] = cmd->op_mod;
	word[HCA_LOG_LENGTHS] = MIN(cmd->in_len, 0xffffu) << 16 | MIN(cmd->out_len, 0xffffu);
	for (i = HCA_LOG_IN2; i < HCA_LOG_WORDS; i++)
		word[i] = ldl_be_p(cmd->in + 8 + 4 * (i - HCA_LOG_IN2));
}

/* An entry may have been overwritten in the meantime. */
void hca_log_end(struct hca_cmd *cmd, enum hca_end end)
{
	uint32_t *word = entry_of(cmd);

	if (word[HCA_LOG_NUMBER] != cmd->entry)
		return;
	word[HCA_LOG_END] = end;
	word[HCA_LOG_DELIVERY] = cmd->delivery;
	if (end != HCA_END_DONE || cmd->delivery)
		return;
	word[HCA_LOG_STATUS] = cmd->verdict >> 24;
	word[HCA_LOG_SYNDROME] = cmd->verdict & 0xffffff;
}

/* --- faults ------------------------------------------------------------------------ */

static bool fault_matches(const uint32_t *fault, const struct hca_cmd *cmd)
{
	return fault[HCA_FAULT_KIND] != HCA_FAULT_OFF && fault[HCA_FAULT_OPCODE] == cmd->opcode &&
	       (fault[HCA_FAULT_FN] == HCA_ANY || fault[HCA_FAULT_FN] == cmd->fn->nr) &&
	       (fault[HCA_FAULT_OP_MOD] == HCA_ANY || fault[HCA_FAULT_OP_MOD] == cmd->op_mod);
}

uint32_t *hca_fault_hit(struct hca_cmd *cmd)
{
	struct hca *hca = cmd->fn->hca;
	unsigned int i;

	for (i = 0; i < HCA_FAULTS; i++) {
		uint32_t *fault = hca->fault[i];

		if (!fault_matches(fault, cmd) || !fault[HCA_FAULT_TIMES])
			continue;
		if (fault[HCA_FAULT_SKIP]) {
			fault[HCA_FAULT_SKIP]--;
			continue;
		}
		fault[HCA_FAULT_TIMES]--;
		fault[HCA_FAULT_HITS]++;
		return fault;
	}
	return NULL;
}

/* --- actions ----------------------------------------------------------------------- */

static void do_defaults(struct hca *hca)
{
	unsigned int nr, i;

	memcpy(hca->setting, defaults, sizeof(defaults));
	memset(hca->fault, 0, sizeof(hca->fault));
	for (nr = 0; nr < HCA_FNS; nr++) {
		for (i = HCA_LEAKED; i < HCA_COUNTERS; i++)
			hca->fn[nr].counter[i] = 0;
	}
}

static void do_release(struct hca *hca)
{
	unsigned int nr;

	for (nr = 0; nr < HCA_FNS; nr++)
		hca_cmd_release(&hca->fn[nr]);
}

/* Firmware that comes back remembers nothing. */
static void do_health(struct hca *hca)
{
	if (hca->health && !hca->action[HCA_ACTION_ARG0])
		hca_reset(hca);
	hca->health = hca->action[HCA_ACTION_ARG0];
}

static void do_cq_error(struct hca *hca)
{
	hca_cq_fail(&hca->fn[0], hca->action[HCA_ACTION_ARG0]);
}

static void do_qp_error(struct hca *hca)
{
	hca_qp_fail(&hca->fn[0], hca->action[HCA_ACTION_ARG0], hca->action[HCA_ACTION_ARG1]);
}

static void do_tracker_error(struct hca *hca)
{
	hca_tracker_fail(hca, hca->action[HCA_ACTION_ARG0]);
}

static void do_pages(struct hca *hca)
{
	unsigned int nr = hca->action[HCA_ACTION_ARG0];

	if (nr < HCA_FNS)
		hca_want_pages(&hca->fn[nr], hca->action[HCA_ACTION_ARG1]);
}

static void (*const actions[])(struct hca *hca) = {
	[HCA_DO_DEFAULTS] = do_defaults,
	[HCA_DO_RELEASE] = do_release,
	[HCA_DO_HEALTH] = do_health,
	[HCA_DO_CQ_ERROR] = do_cq_error,
	[HCA_DO_QP_ERROR] = do_qp_error,
	[HCA_DO_TRACKER_ERROR] = do_tracker_error,
	[HCA_DO_PAGES] = do_pages,
};

static void act(struct hca *hca, uint32_t action)
{
	if (action < ARRAY_SIZE(actions) && actions[action])
		actions[action](hca);
}

/* --- the window --------------------------------------------------------------------- */

static uint32_t state_of(const struct hca_fn *fn)
{
	return (fn->enabled ? HCA_IS_ENABLED : 0) | (fn->iface.ready ? HCA_IS_READY : 0) |
	       (fn->vhca.passive ? HCA_IS_PASSIVE : 0) | (fn->vhca.stopped ? HCA_IS_STOPPED : 0) |
	       (fn->vhca.tracked ? HCA_IS_TRACKED : 0);
}

static uint32_t read_counter(struct hca *hca, uint32_t index)
{
	unsigned int nr = index >> 8, counter = index & 0xff;

	if (nr >= HCA_FNS || counter >= HCA_COUNTERS)
		return 0;
	return counter == HCA_STATE ? state_of(&hca->fn[nr]) : hca->fn[nr].counter[counter];
}

static uint32_t read_info(struct hca *hca, uint32_t index)
{
	return index == HCA_INFO_MAGIC ? HCA_MAGIC : index == HCA_INFO_LOGGED ? hca->logged : 0;
}

uint32_t hca_control_read(struct hca *hca, uint32_t addr)
{
	uint32_t index = addr & 0xffffff;

	switch (addr >> 24) {
	case HCA_AREA_INFO:
		return read_info(hca, index);
	case HCA_AREA_SETTING:
		return index < HCA_SETTINGS ? hca->setting[index] : 0;
	case HCA_AREA_COUNTER:
		return read_counter(hca, index);
	case HCA_AREA_LOG:
		return index / HCA_LOG_WORDS < HCA_LOG_SIZE ?
		       hca->log[index / HCA_LOG_WORDS][index % HCA_LOG_WORDS] : 0;
	case HCA_AREA_FAULT:
		return index / FAULT_WORDS < HCA_FAULTS ?
		       hca->fault[index / FAULT_WORDS][index % FAULT_WORDS] : 0;
	}
	return 0;
}

void hca_control_write(struct hca *hca, uint32_t addr, uint32_t val)
{
	uint32_t index = addr & 0xffffff;

	switch (addr >> 24) {
	case HCA_AREA_SETTING:
		if (index < HCA_SETTINGS)
			hca->setting[index] = val;
		break;
	case HCA_AREA_FAULT:
		if (index / FAULT_WORDS < HCA_FAULTS)
			hca->fault[index / FAULT_WORDS][index % FAULT_WORDS] = val;
		break;
	case HCA_AREA_ACTION:
		if (index < HCA_ACTION_DO)
			hca->action[index] = val;
		else if (index == HCA_ACTION_DO)
			act(hca, val);
		break;
	}
}

void hca_control_init(struct hca *hca)
{
	do_defaults(hca);
}
