// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The commands that this firmware has. What all of them have in common is checked
 * here, once; the rest of the opcodes get "bad opcode".
 */
#include "hca.h"

enum rule {
	LONGER_IN = 1,		/* an array follows the structure */
	PF_ONLY = 2,
	ENABLED = 4,		/* after ENABLE_HCA */
	READY = 8,		/* and after INIT_HCA */
};

struct op {
	uint32_t (*run)(struct hca_cmd *cmd);
	uint16_t in, out;
	unsigned int rules;
};

#define OP(opcode, layout, handler, when)				\
	[MLX5_CMD_OP_##opcode] = {					\
		.run = handler,						\
		.in = ifc_bytes(layout##_in),				\
		.out = ifc_bytes(layout##_out),				\
		.rules = when,						\
	}

/* A header that all objects have, then what the type of the object asks for. */
#define OBJECT_OP(opcode, handler)					\
	[MLX5_CMD_OP_##opcode] = {					\
		.run = handler,						\
		.in = ifc_bytes(general_obj_in_cmd_hdr),		\
		.out = ifc_bytes(general_obj_out_cmd_hdr),		\
		.rules = READY | PF_ONLY | LONGER_IN,			\
	}

static const struct op ops[MLX5_CMD_OP_MAX] = {
	OP(QUERY_ISSI, query_issi, hca_query_issi, ENABLED),
	OP(SET_ISSI, set_issi, hca_set_issi, ENABLED),
	OP(ENABLE_HCA, enable_hca, hca_enable, 0),
	OP(DISABLE_HCA, disable_hca, hca_disable, ENABLED),
	OP(INIT_HCA, init_hca, hca_init_hca, ENABLED),
	OP(TEARDOWN_HCA, teardown_hca, hca_teardown, READY),
	OP(QUERY_PAGES, query_pages, hca_query_pages, ENABLED),
	OP(MANAGE_PAGES, manage_pages, hca_manage_pages, ENABLED | LONGER_IN),
	OP(QUERY_ADAPTER, query_adapter, hca_query_adapter, READY),
	OP(ACCESS_REG, access_register, hca_access_register, ENABLED | LONGER_IN),
	OP(QUERY_HCA_CAP, query_hca_cap, hca_query_cap, ENABLED),
	OP(SET_HCA_CAP, set_hca_cap, hca_set_cap, ENABLED),

	OP(CREATE_EQ, create_eq, hca_create_eq, READY | LONGER_IN),
	OP(DESTROY_EQ, destroy_eq, hca_destroy_eq, READY),
	OP(ALLOC_UAR, alloc_uar, hca_alloc_uar, READY),
	OP(DEALLOC_UAR, dealloc_uar, hca_dealloc_uar, READY),
	OP(ALLOC_PD, alloc_pd, hca_alloc_pd, READY),
	OP(DEALLOC_PD, dealloc_pd, hca_dealloc_pd, READY),
	OP(CREATE_MKEY, create_mkey, hca_create_mkey, READY | LONGER_IN),
	OP(DESTROY_MKEY, destroy_mkey, hca_destroy_mkey, READY),
	OP(CREATE_CQ, create_cq, hca_create_cq, READY | LONGER_IN),
	OP(DESTROY_CQ, destroy_cq, hca_destroy_cq, READY),
	OP(CREATE_QP, create_qp, hca_create_qp, READY | LONGER_IN),
	OP(DESTROY_QP, destroy_qp, hca_destroy_qp, READY),
	OP(RST2INIT_QP, rst2init_qp, hca_modify_qp, READY),
	OP(INIT2RTR_QP, init2rtr_qp, hca_modify_qp, READY),
	OP(RTR2RTS_QP, rtr2rts_qp, hca_modify_qp, READY),
	OP(2ERR_QP, qp_2err, hca_modify_qp, READY),
	OP(2RST_QP, qp_2rst, hca_modify_qp, READY),

	OBJECT_OP(CREATE_GENERAL_OBJECT, hca_create_object),
	OBJECT_OP(MODIFY_GENERAL_OBJECT, hca_modify_object),
	OBJECT_OP(QUERY_GENERAL_OBJECT, hca_query_object),
	OBJECT_OP(DESTROY_GENERAL_OBJECT, hca_destroy_object),

	OP(SUSPEND_VHCA, suspend_vhca, hca_suspend_vhca, READY | PF_ONLY),
	OP(RESUME_VHCA, resume_vhca, hca_resume_vhca, READY | PF_ONLY),
	OP(QUERY_VHCA_MIGRATION_STATE, query_vhca_migration_state, hca_query_migration,
	   READY | PF_ONLY),
	OP(SAVE_VHCA_STATE, save_vhca_state, hca_save_vhca, READY | PF_ONLY),
	OP(LOAD_VHCA_STATE, load_vhca_state, hca_load_vhca, READY | PF_ONLY),
};

static uint32_t check(const struct hca_cmd *cmd, const struct op *op)
{
	const struct hca_fn *fn = cmd->fn;

	if (!op->run || (op->rules & PF_ONLY && !hca_is_pf(fn)))
		return HCA_FAIL(HCA_BAD_OP, HCA_WHY_OPCODE);
	if (cmd->in_len < op->in || (cmd->in_len > op->in && !(op->rules & LONGER_IN)))
		return HCA_FAIL(HCA_BAD_INP_LEN, HCA_WHY_LENGTH);
	if (cmd->out_len < op->out)
		return HCA_FAIL(HCA_BAD_OUTP_LEN, HCA_WHY_LENGTH);
	if (op->rules & (ENABLED | READY) && !fn->enabled)
		return HCA_FAIL(HCA_BAD_SYS_STATE, HCA_WHY_NOT_ENABLED);
	if (op->rules & READY && !fn->iface.ready)
		return HCA_FAIL(HCA_BAD_SYS_STATE, HCA_WHY_NOT_READY);
	return 0;
}

uint32_t hca_op_run(struct hca_cmd *cmd)
{
	static const struct op none;
	const struct op *op = cmd->opcode < ARRAY_SIZE(ops) ? &ops[cmd->opcode] : &none;
	uint32_t ret = check(cmd, op);

	return ret ? ret : op->run(cmd);
}
