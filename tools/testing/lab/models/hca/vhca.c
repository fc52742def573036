// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands that migrate a VHCA, and the states that they are allowed in.
 *
 * A VHCA is running, passive (its initiator is suspended: it starts nothing) or
 * stopped (its responder is as well: it accepts nothing).
 */
#include "hca.h"
#include "image.h"

struct hca_fn *hca_vhca_find(struct hca *hca, unsigned int id)
{
	unsigned int nr = id - HCA_VHCA_BASE;

	return nr && nr < HCA_FNS && hca->fn[nr].enabled ? &hca->fn[nr] : NULL;
}

void hca_vhca_reset(struct hca_fn *fn)
{
	struct hca_vhca *vhca = &fn->vhca;
	unsigned int epoch = vhca->epoch + 1;

	hca_image_drop(vhca);
	memset(vhca, 0, sizeof(*vhca));
	vhca->epoch = epoch;
}

/* All of these commands name the VHCA in the same place. */
static struct hca_fn *subject(const struct hca_cmd *cmd)
{
	return hca_vhca_find(cmd->fn->hca, ifc_get(save_vhca_state_in, cmd->in, vhca_id));
}

static uint32_t migration_check(const struct hca_cmd *cmd)
{
	struct hca_fn *fn = subject(cmd);

	if (!cmd->fn->hca->setting[HCA_SET_MIGRATION])
		return HCA_FAIL(HCA_BAD_OP, HCA_WHY_CAPABILITY);
	if (!fn)
		return HCA_FAIL(HCA_BAD_RES, HCA_WHY_FUNCTION);
	if (!(cmd->fn->hca->setting[HCA_SET_MIGRATABLE] >> fn->nr & 1))
		return HCA_FAIL(HCA_BAD_OP, HCA_WHY_CAPABILITY);
	return 0;
}

/* --- suspend and resume ------------------------------------------------------------- */

static uint32_t suspend_initiator(struct hca_fn *fn)
{
	if (fn->vhca.passive)
		return HCA_FAIL(HCA_BAD_RES_STATE, HCA_WHY_ORDER);
	hca_work_pause(fn);
	fn->vhca.passive = true;
	return 0;
}

static uint32_t suspend_responder(struct hca_fn *fn)
{
	if (!fn->vhca.passive || fn->vhca.stopped)
		return HCA_FAIL(HCA_BAD_RES_STATE, HCA_WHY_ORDER);
	fn->vhca.stopped = true;
	return 0;
}

static uint32_t resume_responder(struct hca_fn *fn)
{
	if (!fn->vhca.stopped)
		return HCA_FAIL(HCA_BAD_RES_STATE, HCA_WHY_ORDER);
	if (hca_image_is_partial(&fn->vhca))
		return HCA_FAIL(HCA_BAD_RES_STATE, HCA_WHY_INCOMPLETE);
	hca_image_drop(&fn->vhca);
	fn->vhca.stopped = false;
	fn->vhca.loads = 0;
	return 0;
}

static uint32_t resume_initiator(struct hca_fn *fn)
{
	uint32_t waiting = fn->iface.waiting;

	if (!fn->vhca.passive || fn->vhca.stopped)
		return HCA_FAIL(HCA_BAD_RES_STATE, HCA_WHY_ORDER);
	fn->vhca.passive = false;
	fn->iface.waiting = 0;
	hca_work_resume(fn);
	hca_eq_resume(fn);
	hca_cmd_doorbell(fn, waiting);
	return 0;
}

/* Suspending numbers the two halves the other way round than resuming. */
uint32_t hca_suspend_vhca(struct hca_cmd *cmd)
{
	uint32_t ret = migration_check(cmd);

	if (ret)
		return ret;
	switch (cmd->op_mod) {
	case MLX5_SUSPEND_VHCA_IN_OP_MOD_SUSPEND_INITIATOR:
		return suspend_initiator(subject(cmd));
	case MLX5_SUSPEND_VHCA_IN_OP_MOD_SUSPEND_RESPONDER:
		return suspend_responder(subject(cmd));
	}
	return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_VALUE);
}

uint32_t hca_resume_vhca(struct hca_cmd *cmd)
{
	uint32_t ret = migration_check(cmd);

	if (ret)
		return ret;
	switch (cmd->op_mod) {
	case MLX5_RESUME_VHCA_IN_OP_MOD_RESUME_RESPONDER:
		return resume_responder(subject(cmd));
	case MLX5_RESUME_VHCA_IN_OP_MOD_RESUME_INITIATOR:
		return resume_initiator(subject(cmd));
	}
	return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_VALUE);
}

/* --- save ---------------------------------------------------------------------------- */

/* From the doorbell on, a save keeps its VHCA to itself. */
void hca_vhca_begin(struct hca_cmd *cmd)
{
	struct hca_fn *fn;

	cmd->saves = false;
	if (cmd->opcode != MLX5_CMD_OP_SAVE_VHCA_STATE)
		return;
	fn = subject(cmd);
	if (!fn)
		return;
	cmd->epoch = fn->vhca.epoch;
	cmd->saves = !fn->vhca.saving;
	fn->vhca.saving = true;
}

void hca_vhca_end(struct hca_cmd *cmd)
{
	struct hca_fn *fn = cmd->saves ? subject(cmd) : NULL;

	cmd->saves = false;
	if (fn && fn->vhca.epoch == cmd->epoch)
		fn->vhca.saving = false;
}

static uint32_t increment_check(const struct hca_fn *fn, bool incremental)
{
	if (!incremental || hca_image_continues(fn, incremental))
		return 0;
	if (!fn->hca->setting[HCA_SET_TRACKED])
		return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_CAPABILITY);
	return fn->vhca.tracked ? 0 : HCA_FAIL(HCA_BAD_RES_STATE, HCA_WHY_UNTRACKED);
}

uint32_t hca_query_migration(struct hca_cmd *cmd)
{
	bool incremental = ifc_get(query_vhca_migration_state_in, cmd->in, incremental);
	bool chunk = ifc_get(query_vhca_migration_state_in, cmd->in, chunk);
	uint32_t ret = migration_check(cmd);
	struct hca_fn *fn = subject(cmd);

	ret = ret ? ret : increment_check(fn, incremental);
	if (ret)
		return ret;
	if (chunk && !fn->hca->setting[HCA_SET_CHUNKS])
		return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_CAPABILITY);
	if (fn->vhca.saving)
		return HCA_FAIL(HCA_RES_BUSY, HCA_WHY_BUSY);
	fn->vhca.chunked = chunk;
	ifc_set(query_vhca_migration_state_out, cmd->out, required_umem_size,
		hca_image_next_size(fn, incremental));
	if (chunk)
		ifc_set(query_vhca_migration_state_out, cmd->out, remaining_total_size,
			hca_image_total(fn, incremental));
	return 0;
}

/*
 * An image of a VHCA that is not stopped is worth something only if what changes
 * later is tracked, and a stopped one cannot start to be.
 */
static uint32_t save_check(const struct hca_cmd *cmd, const struct hca_fn *fn, bool track)
{
	if (!cmd->saves)
		return HCA_FAIL(HCA_RES_BUSY, HCA_WHY_BUSY);
	if (cmd->epoch != fn->vhca.epoch)
		return HCA_FAIL(HCA_BAD_RES_STATE, HCA_WHY_WAS_RESET);
	if (track && !fn->hca->setting[HCA_SET_TRACKED])
		return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_CAPABILITY);
	if (track && fn->vhca.stopped)
		return HCA_FAIL(HCA_BAD_RES_STATE, HCA_WHY_STOPPED);
	if (!track && !fn->vhca.stopped)
		return HCA_FAIL(HCA_BAD_RES_STATE, HCA_WHY_RUNNING);
	return 0;
}

uint32_t hca_save_vhca(struct hca_cmd *cmd)
{
	uint32_t ret = migration_check(cmd);
	struct hca_fn *fn = subject(cmd);
	struct hca_save save = {
		.pf = cmd->fn,
		.fn = fn,
		.incremental = ifc_get(save_vhca_state_in, cmd->in, incremental),
		.track = ifc_get(save_vhca_state_in, cmd->in, set_track),
		.va = ifc_get(save_vhca_state_in, cmd->in, va),
		.mkey = ifc_get(save_vhca_state_in, cmd->in, mkey),
		.size = ifc_get(save_vhca_state_in, cmd->in, size),
	};

	ret = ret ? ret : save_check(cmd, fn, save.track);
	if (!ret)
		ret = increment_check(fn, save.incremental);
	if (!ret)
		ret = hca_image_save(&save);
	if (ret)
		return ret;
	ifc_set(save_vhca_state_out, cmd->out, actual_image_size, save.actual);
	ifc_set(save_vhca_state_out, cmd->out, next_required_umem_size, save.next);
	return 0;
}

/* --- load ------------------------------------------------------------------------------ */

uint32_t hca_load_vhca(struct hca_cmd *cmd)
{
	uint32_t size = ifc_get(load_vhca_state_in, cmd->in, size);
	uint32_t ret = migration_check(cmd);
	struct hca_fn *fn = subject(cmd);
	uint8_t *data;

	if (ret)
		return ret;
	if (!fn->vhca.stopped)
		return HCA_FAIL(HCA_BAD_RES_STATE, HCA_WHY_RUNNING);
	if (fn->vhca.saving)
		return HCA_FAIL(HCA_RES_BUSY, HCA_WHY_BUSY);
	data = g_malloc(MAX(size, 1));
	if (!hca_mkey_read(cmd->fn, ifc_get(load_vhca_state_in, cmd->in, mkey),
			   ifc_get(load_vhca_state_in, cmd->in, va), data, size))
		ret = HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_DMA);
	else
		ret = hca_image_load(fn, data, size);
	g_free(data);
	return ret;
}
