// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Bringing the HCA up and down, and the memory that it is given.
 */
#include "hca.h"

#define ISSI_1		2	/* bit 1: the current interface */

/* --- life -------------------------------------------------------------------- */

uint32_t hca_query_issi(struct hca_cmd *cmd)
{
	ifc_set(query_issi_out, cmd->out, supported_issi_dw0, ISSI_1);
	return 0;
}

uint32_t hca_set_issi(struct hca_cmd *cmd)
{
	if (ifc_get(set_issi_in, cmd->in, current_issi) != 1)
		return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_VALUE);
	return 0;
}

/* The function that a command is about: the PF may name a VF. */
static struct hca_fn *subject(struct hca_cmd *cmd, unsigned int nr)
{
	if (!nr)
		return cmd->fn;
	return hca_is_pf(cmd->fn) && nr < HCA_FNS ? &cmd->fn->hca->fn[nr] : NULL;
}

static uint32_t enable_vf(struct hca_fn *pf, struct hca_fn *vf)
{
	if (!pf->enabled)
		return HCA_FAIL(HCA_BAD_SYS_STATE, HCA_WHY_NOT_ENABLED);
	if (vf->enabled)
		return HCA_FAIL(HCA_BAD_SYS_STATE, HCA_WHY_IN_USE);
	vf->enabled = true;
	hca_fn_reset(vf);
	hca_want_pages(vf, pf->hca->setting[HCA_SET_PAGES_OF_VF]);
	return 0;
}

/* A VF that was not enabled by the PF cannot do so itself. */
uint32_t hca_enable(struct hca_cmd *cmd)
{
	struct hca_fn *fn = subject(cmd, ifc_get(enable_hca_in, cmd->in, function_id));

	if (!fn)
		return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_FUNCTION);
	if (fn != cmd->fn)
		return enable_vf(cmd->fn, fn);
	if (hca_is_pf(fn))
		fn->enabled = true;
	return fn->enabled ? 0 : HCA_FAIL(HCA_BAD_SYS_STATE, HCA_WHY_NOT_ENABLED);
}

/* What the driver forgot is gone now, and was counted. */
static void retire(struct hca_fn *fn)
{
	fn->counter[HCA_LEAKED] += hca_fn_clear(fn);
	fn->iface.ready = false;
}

uint32_t hca_disable(struct hca_cmd *cmd)
{
	struct hca_fn *fn = subject(cmd, ifc_get(disable_hca_in, cmd->in, function_id));

	if (!fn)
		return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_FUNCTION);
	if (fn == cmd->fn) {
		retire(fn);
		fn->enabled = !hca_is_pf(fn);
		return 0;
	}
	if (!fn->enabled)
		return HCA_FAIL(HCA_BAD_SYS_STATE, HCA_WHY_NOT_ENABLED);
	hca_fn_reset(fn);
	hca_tracker_lost(fn);
	fn->enabled = false;
	hca_want_pages(fn, -(int32_t)fn->pages->len);
	return 0;
}

uint32_t hca_init_hca(struct hca_cmd *cmd)
{
	if (cmd->fn->iface.ready)
		return HCA_FAIL(HCA_BAD_SYS_STATE, HCA_WHY_IN_USE);
	cmd->fn->iface.ready = true;
	return 0;
}

uint32_t hca_teardown(struct hca_cmd *cmd)
{
	retire(cmd->fn);
	return 0;
}

/* --- pages --------------------------------------------------------------------- */

void hca_want_pages(struct hca_fn *fn, int32_t count)
{
	uint8_t event[28] = { 0 };

	if (!count)
		return;
	stw_be_p(event + 2, fn->nr);
	stl_be_p(event + 4, count);
	hca_event(&fn->hca->fn[0], HCA_EVENT_PAGES, event);
}

/* A VF needs none of its own: the PF gave them. */
uint32_t hca_query_pages(struct hca_cmd *cmd)
{
	const uint32_t *setting = cmd->fn->hca->setting;
	uint32_t want = 0;

	if (hca_is_pf(cmd->fn) && cmd->op_mod == MLX5_QUERY_PAGES_IN_OP_MOD_BOOT_PAGES)
		want = setting[HCA_SET_BOOT_PAGES];
	else if (hca_is_pf(cmd->fn) && cmd->op_mod == MLX5_QUERY_PAGES_IN_OP_MOD_INIT_PAGES)
		want = setting[HCA_SET_INIT_PAGES];
	ifc_set(query_pages_out, cmd->out, num_pages, want);
	return 0;
}

static uint32_t give(struct hca_cmd *cmd, struct hca_fn *fn, unsigned int count)
{
	const uint8_t *pas = ifc_at(manage_pages_in, cmd->in, pas);
	unsigned int i;

	if (!fn->enabled)
		return HCA_FAIL(HCA_BAD_RES_STATE, HCA_WHY_NOT_ENABLED);
	if (cmd->in_len < ifc_bytes(manage_pages_in) + count * 8ull)
		return HCA_FAIL(HCA_BAD_INP_LEN, HCA_WHY_LENGTH);
	for (i = 0; i < count; i++) {
		uint64_t addr = ldq_be_p(pas + 8 * i);

		if (!addr || addr % HCA_PAGE)
			return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_VALUE);
	}
	for (i = 0; i < count; i++) {
		uint64_t addr = ldq_be_p(pas + 8 * i);

		g_array_append_val(fn->pages, addr);
	}
	fn->counter[HCA_LIVE_PAGES] = fn->pages->len;
	return 0;
}

static uint32_t take(struct hca_cmd *cmd, struct hca_fn *fn, unsigned int count)
{
	uint8_t *pas = ifc_at(manage_pages_out, cmd->out, pas);
	unsigned int i;

	count = MIN(count, fn->pages->len);
	if (cmd->out_len < ifc_bytes(manage_pages_out) + count * 8ull)
		return HCA_FAIL(HCA_BAD_OUTP_LEN, HCA_WHY_LENGTH);
	for (i = 0; i < count; i++)
		stq_be_p(pas + 8 * i, g_array_index(fn->pages, uint64_t, fn->pages->len - 1 - i));
	g_array_set_size(fn->pages, fn->pages->len - count);
	fn->counter[HCA_LIVE_PAGES] = fn->pages->len;
	ifc_set(manage_pages_out, cmd->out, output_num_entries, count);
	return 0;
}

uint32_t hca_manage_pages(struct hca_cmd *cmd)
{
	struct hca_fn *fn = subject(cmd, ifc_get(manage_pages_in, cmd->in, function_id));
	unsigned int count = ifc_get(manage_pages_in, cmd->in, input_num_entries);

	if (!fn)
		return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_FUNCTION);
	switch (cmd->op_mod) {
	case MLX5_MANAGE_PAGES_IN_OP_MOD_ALLOCATION_FAIL:
		return 0;
	case MLX5_MANAGE_PAGES_IN_OP_MOD_ALLOCATION_SUCCESS:
		return give(cmd, fn, count);
	case MLX5_MANAGE_PAGES_IN_OP_MOD_HCA_RETURN_PAGES:
		return take(cmd, fn, count);
	}
	return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_VALUE);
}

/* --- information --------------------------------------------------------------- */

uint32_t hca_query_adapter(struct hca_cmd *cmd)
{
	uint8_t *block = ifc_at(query_adapter_out, cmd->out, query_adapter_struct);

	memcpy(block + ifc_bit(query_adapter_param_block, vsd_contd_psid) / 8,
	       "LAB0000000001", 13);
	return 0;
}

#define REG_HOST_ENDIANNESS	0x7004
#define REG_DTOR		0xc00e

/* Registers that mlx5_core cannot do without. Of the timeouts, none: zero. */
uint32_t hca_access_register(struct hca_cmd *cmd)
{
	switch (ifc_get(access_register_in, cmd->in, register_id)) {
	case REG_HOST_ENDIANNESS:
	case REG_DTOR:
		return 0;
	}
	return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_VALUE);
}
