// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands to the firmware, all through the PF: a VF is just a number in them.
 *
 * Each failure becomes an errno, and one line that names the VF, the command, and
 * what firmware said.
 */
#include <linux/errno.h>
#include <linux/lockdep.h>
#include <linux/mlx5/device.h>
#include <linux/mlx5/driver.h>
#include <linux/mlx5/vport.h>
#include <linux/slab.h>

#include "mig.h"

/*
 * ---- errors -------------------------------------------------------------
 *
 * All commands begin with the fields of NOP, which is nothing else, and so do their
 * answers.
 */

static const char *name_of(u16 opcode)
{
	switch (opcode) {
	case MLX5_CMD_OP_SUSPEND_VHCA:			return "SUSPEND_VHCA";
	case MLX5_CMD_OP_RESUME_VHCA:			return "RESUME_VHCA";
	case MLX5_CMD_OP_QUERY_VHCA_MIGRATION_STATE:	return "QUERY_VHCA_MIGRATION_STATE";
	case MLX5_CMD_OP_SAVE_VHCA_STATE:		return "SAVE_VHCA_STATE";
	case MLX5_CMD_OP_LOAD_VHCA_STATE:		return "LOAD_VHCA_STATE";
	case MLX5_CMD_OP_QUERY_HCA_CAP:			return "QUERY_HCA_CAP";
	case MLX5_CMD_OP_CREATE_QP:			return "CREATE_QP";
	case MLX5_CMD_OP_DESTROY_QP:			return "DESTROY_QP";
	case MLX5_CMD_OP_RST2INIT_QP:			return "RST2INIT_QP";
	case MLX5_CMD_OP_INIT2RTR_QP:			return "INIT2RTR_QP";
	case MLX5_CMD_OP_RTR2RTS_QP:			return "RTR2RTS_QP";
	case MLX5_CMD_OP_CREATE_GENERAL_OBJECT:		return "CREATE_GENERAL_OBJECT";
	case MLX5_CMD_OP_MODIFY_GENERAL_OBJECT:		return "MODIFY_GENERAL_OBJECT";
	case MLX5_CMD_OP_QUERY_GENERAL_OBJECT:		return "QUERY_GENERAL_OBJECT";
	case MLX5_CMD_OP_DESTROY_GENERAL_OBJECT:	return "DESTROY_GENERAL_OBJECT";
	default:					return "command";
	}
}

/* As mlx5_core translates them, which keeps its table to itself */
static int errno_of(u8 status)
{
	switch (status) {
	case MLX5_CMD_STAT_BAD_OP_ERR:
	case MLX5_CMD_STAT_BAD_PARAM_ERR:
	case MLX5_CMD_STAT_BAD_RES_ERR:
	case MLX5_CMD_STAT_BAD_RES_STATE_ERR:
	case MLX5_CMD_STAT_IX_ERR:
	case MLX5_CMD_STAT_BAD_QP_STATE_ERR:
	case MLX5_CMD_STAT_BAD_PKT_ERR:
	case MLX5_CMD_STAT_BAD_SIZE_OUTS_CQES_ERR:
		return -EINVAL;
	case MLX5_CMD_STAT_RES_BUSY:
		return -EBUSY;
	case MLX5_CMD_STAT_NOT_READY:
	case MLX5_CMD_STAT_NO_RES_ERR:
		return -EAGAIN;
	case MLX5_CMD_STAT_LIM_ERR:
		return -ENOMEM;
	default:
		return -EIO;
	}
}

static u8 status_of(int err, void *out)
{
	return err == -EREMOTEIO ? MLX5_GET(nop_out, out, status) :
				   MLX5_CMD_STAT_OK;
}

/* @err is mlx5_cmd_do()'s: -EREMOTEIO if there is an answer in @out */
static int translate(int err, void *out)
{
	if (err == -EREMOTEIO)
		return errno_of(MLX5_GET(nop_out, out, status));
	/* The PF is in trouble, or in the middle of a reload */
	return err == -ENXIO ? -ENOTCONN : err;
}

static int report(struct mlx5vf_mig *mig, u16 opcode, u16 op_mod, int err,
		  void *out)
{
	int ret = translate(err, out);

	if (err == -EREMOTEIO)
		mlx5vf_warn(mig, "firmware refused %s: opcode 0x%x op_mod 0x%x status 0x%x syndrome 0x%x (%d)\n",
			    name_of(opcode), opcode, op_mod,
			    MLX5_GET(nop_out, out, status),
			    MLX5_GET(nop_out, out, syndrome), ret);
	else if (err)
		mlx5vf_warn(mig, "%s got no answer from firmware: opcode 0x%x op_mod 0x%x (%d)\n",
			    name_of(opcode), opcode, op_mod, ret);
	return ret;
}

static int run(struct mlx5vf_mig *mig, void *in, int in_size, void *out,
	       int out_size)
{
	lockdep_assert_held(&mig->lock);

	return mlx5_cmd_do(mig->pf, in, in_size, out, out_size);
}

static int report_in(struct mlx5vf_mig *mig, void *in, int err, void *out)
{
	return report(mig, MLX5_GET(nop_in, in, opcode),
		      MLX5_GET(nop_in, in, op_mod), err, out);
}

/**
 * mlx5vf_cmd_exec() - execute a command, wait for its end
 * @mig: the migration of the VF, locked and attached
 * @in: the command
 * @in_size: bytes of @in
 * @out: room for the answer
 * @out_size: bytes of @out
 *
 * Return: 0, -ENOTCONN if the PF is out of order, what the status of the command
 * means, or the errno of the command interface.
 */
int mlx5vf_cmd_exec(struct mlx5vf_mig *mig, void *in, int in_size, void *out,
		    int out_size)
{
	int err = run(mig, in, in_size, out, out_size);

	return report_in(mig, in, err, out);
}

/**
 * mlx5vf_cmd_destroy() - execute a command that destroys an object
 * @mig: the migration of the VF, locked and attached
 * @in: the command
 * @in_size: bytes of @in
 *
 * Return: 0 if the object is gone, or as mlx5vf_cmd_exec().
 */
int mlx5vf_cmd_destroy(struct mlx5vf_mig *mig, void *in, int in_size)
{
	u32 out[MLX5_ST_SZ_DW(nop_out)] = {};
	int err;

	for (unsigned int i = 0; i < MLX5VF_DESTROY_TRIES; i++) {
		err = run(mig, in, in_size, out, sizeof(out));
		/* With the device out of order its objects are history */
		if (!err || err == -ENXIO)
			return 0;
		err = report_in(mig, in, err, out);
	}
	return err;
}

/* ---- suspend and resume ------------------------------------------------ */

/*
 * Firmware that refuses has done nothing. Without an answer nobody knows what it
 * did, and a VF that may or may not run is no state to be in.
 */
static int change(struct mlx5vf_mig *mig, void *in, int in_size, void *out,
		  int out_size)
{
	int err;

	mig->walked = true;
	err = run(mig, in, in_size, out, out_size);
	if (err && err != -EREMOTEIO)
		mlx5vf_mig_fail(mig);
	return report_in(mig, in, err, out);
}

/**
 * mlx5vf_cmd_suspend() - stop one half of the VF
 * @mig: the migration of the VF, locked and attached
 * @half: which; the initiator comes first
 *
 * Return: as mlx5vf_cmd_exec().
 */
int mlx5vf_cmd_suspend(struct mlx5vf_mig *mig, enum mlx5vf_half half)
{
	u32 out[MLX5_ST_SZ_DW(suspend_vhca_out)] = {};
	u32 in[MLX5_ST_SZ_DW(suspend_vhca_in)] = {};

	MLX5_SET(suspend_vhca_in, in, opcode, MLX5_CMD_OP_SUSPEND_VHCA);
	MLX5_SET(suspend_vhca_in, in, op_mod, half == MLX5VF_INITIATOR ?
		 MLX5_SUSPEND_VHCA_IN_OP_MOD_SUSPEND_INITIATOR :
		 MLX5_SUSPEND_VHCA_IN_OP_MOD_SUSPEND_RESPONDER);
	MLX5_SET(suspend_vhca_in, in, vhca_id, mig->vhca_id);
	return change(mig, in, sizeof(in), out, sizeof(out));
}

static void fill_resume(struct mlx5vf_mig *mig, enum mlx5vf_half half, u32 *in)
{
	MLX5_SET(resume_vhca_in, in, opcode, MLX5_CMD_OP_RESUME_VHCA);
	MLX5_SET(resume_vhca_in, in, op_mod, half == MLX5VF_INITIATOR ?
		 MLX5_RESUME_VHCA_IN_OP_MOD_RESUME_INITIATOR :
		 MLX5_RESUME_VHCA_IN_OP_MOD_RESUME_RESPONDER);
	MLX5_SET(resume_vhca_in, in, vhca_id, mig->vhca_id);
}

/**
 * mlx5vf_cmd_resume() - let one half of the VF run again
 * @mig: the migration of the VF, locked and attached
 * @half: which; the responder comes first
 *
 * Return: as mlx5vf_cmd_exec().
 */
int mlx5vf_cmd_resume(struct mlx5vf_mig *mig, enum mlx5vf_half half)
{
	u32 out[MLX5_ST_SZ_DW(resume_vhca_out)] = {};
	u32 in[MLX5_ST_SZ_DW(resume_vhca_in)] = {};

	fill_resume(mig, half, in);
	return change(mig, in, sizeof(in), out, sizeof(out));
}

/**
 * mlx5vf_cmd_wake() - let the VF run, whatever it did before
 * @mig: the migration of the VF, locked and attached
 *
 * A VF that runs already makes firmware refuse: that is no error here.
 */
void mlx5vf_cmd_wake(struct mlx5vf_mig *mig)
{
	static const enum mlx5vf_half order[] = {
		MLX5VF_RESPONDER, MLX5VF_INITIATOR,
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(order); i++) {
		u32 out[MLX5_ST_SZ_DW(resume_vhca_out)] = {};
		u32 in[MLX5_ST_SZ_DW(resume_vhca_in)] = {};

		fill_resume(mig, order[i], in);
		run(mig, in, sizeof(in), out, sizeof(out));
	}
}

/* ---- images ------------------------------------------------------------ */

/**
 * mlx5vf_cmd_query_vhca_id() - ask for firmware's name of the VF
 * @mig: the migration of the VF, locked and attached
 *
 * Return: as mlx5vf_cmd_exec(), or -ENOMEM.
 */
int mlx5vf_cmd_query_vhca_id(struct mlx5vf_mig *mig)
{
	u32 in[MLX5_ST_SZ_DW(query_hca_cap_in)] = {};
	int size = MLX5_ST_SZ_BYTES(query_hca_cap_out);
	void *out;
	int ret;

	out = kzalloc(size, GFP_KERNEL);
	if (!out)
		return -ENOMEM;

	MLX5_SET(query_hca_cap_in, in, opcode, MLX5_CMD_OP_QUERY_HCA_CAP);
	MLX5_SET(query_hca_cap_in, in, other_function, 1);
	MLX5_SET(query_hca_cap_in, in, function_id, mig->vf_id + 1);
	MLX5_SET(query_hca_cap_in, in, op_mod,
		 MLX5_CAP_GENERAL << 1 | HCA_CAP_OPMOD_GET_CUR);
	ret = mlx5vf_cmd_exec(mig, in, sizeof(in), out, size);
	if (!ret)
		mig->vhca_id = MLX5_GET(query_hca_cap_out, out,
					capability.cmd_hca_cap.vhca_id);
	kfree(out);
	return ret;
}

/**
 * mlx5vf_cmd_query_size() - ask how large an image would be
 * @mig: the migration of the VF, locked and attached; no save is going on
 * @incremental: one of what changed since the last image
 * @size: the answer
 *
 * Return: as mlx5vf_cmd_exec().
 */
int mlx5vf_cmd_query_size(struct mlx5vf_mig *mig, bool incremental,
			  struct mlx5vf_size *size)
{
	u32 out[MLX5_ST_SZ_DW(query_vhca_migration_state_out)] = {};
	u32 in[MLX5_ST_SZ_DW(query_vhca_migration_state_in)] = {};
	int err;

	MLX5_SET(query_vhca_migration_state_in, in, opcode,
		 MLX5_CMD_OP_QUERY_VHCA_MIGRATION_STATE);
	MLX5_SET(query_vhca_migration_state_in, in, vhca_id, mig->vhca_id);
	MLX5_SET(query_vhca_migration_state_in, in, incremental, incremental);
	MLX5_SET(query_vhca_migration_state_in, in, chunk, mig->chunked);
	err = run(mig, in, sizeof(in), out, sizeof(out));

	size->untracked = incremental &&
			  status_of(err, out) == MLX5_CMD_STAT_BAD_RES_STATE_ERR;
	size->next = MLX5_GET(query_vhca_migration_state_out, out,
			      required_umem_size);
	size->total = size->next;
	if (mig->chunked)
		size->total = MLX5_GET64(query_vhca_migration_state_out, out,
					 remaining_total_size);
	return report_in(mig, in, err, out);
}

/**
 * mlx5vf_cmd_save() - begin to save an image
 * @mig: the migration of the VF, locked and attached
 * @on: says where to and how; must stay until mlx5_cmd_cleanup_async_ctx()
 * @done: called in an interrupt when it is over; calls mlx5vf_cmd_saved()
 *
 * Return: 0 if @done will be called, or the errno of the command interface.
 */
int mlx5vf_cmd_save(struct mlx5vf_mig *mig, struct mlx5vf_saving *on,
		    mlx5_async_cbk_t done)
{
	u32 in[MLX5_ST_SZ_DW(save_vhca_state_in)] = {};
	int err;

	lockdep_assert_held(&mig->lock);

	MLX5_SET(save_vhca_state_in, in, opcode, MLX5_CMD_OP_SAVE_VHCA_STATE);
	MLX5_SET(save_vhca_state_in, in, vhca_id, mig->vhca_id);
	MLX5_SET(save_vhca_state_in, in, incremental, on->how.incremental);
	MLX5_SET(save_vhca_state_in, in, set_track, on->how.track);
	MLX5_SET(save_vhca_state_in, in, mkey, on->mkey);
	MLX5_SET(save_vhca_state_in, in, size, on->size);
	err = mlx5_cmd_exec_cb(&on->ctx, in, sizeof(in), on->out,
			       sizeof(on->out), done, &on->work);
	return report_in(mig, in, err, on->out);
}

/**
 * mlx5vf_cmd_saved() - what became of a save
 * @mig: the migration of the VF
 * @status: as the callback got it
 * @on: the save
 * @saved: the answer
 *
 * Context: Any.
 * Return: as mlx5vf_cmd_exec(); -EIO if firmware says that it saved more than
 * there was room for.
 */
int mlx5vf_cmd_saved(struct mlx5vf_mig *mig, int status,
		     struct mlx5vf_saving *on, struct mlx5vf_saved *saved)
{
	int ret = report(mig, MLX5_CMD_OP_SAVE_VHCA_STATE, 0, status, on->out);

	saved->untracked = !on->how.final && !on->how.rest &&
			   status_of(status, on->out) ==
			   MLX5_CMD_STAT_BAD_RES_STATE_ERR;
	saved->size = MLX5_GET(save_vhca_state_out, on->out, actual_image_size);
	saved->next = MLX5_GET(save_vhca_state_out, on->out,
			       next_required_umem_size);
	if (!ret && saved->size > on->size) {
		mlx5vf_warn(mig, "firmware says it saved %u bytes to a buffer of %u\n",
			    saved->size, on->size);
		return -EIO;
	}
	return ret;
}

/**
 * mlx5vf_cmd_load() - load an image, wait for its end
 * @mig: the migration of the VF, locked and attached
 * @mkey: where it is
 * @size: bytes of it
 *
 * Return: as mlx5vf_cmd_exec().
 */
int mlx5vf_cmd_load(struct mlx5vf_mig *mig, u32 mkey, u32 size)
{
	u32 out[MLX5_ST_SZ_DW(load_vhca_state_out)] = {};
	u32 in[MLX5_ST_SZ_DW(load_vhca_state_in)] = {};

	MLX5_SET(load_vhca_state_in, in, opcode, MLX5_CMD_OP_LOAD_VHCA_STATE);
	MLX5_SET(load_vhca_state_in, in, vhca_id, mig->vhca_id);
	MLX5_SET(load_vhca_state_in, in, mkey, mkey);
	MLX5_SET(load_vhca_state_in, in, size, size);
	return mlx5vf_cmd_exec(mig, in, sizeof(in), out, sizeof(out));
}

/* ---- memory ------------------------------------------------------------ */

/**
 * mlx5vf_cmd_create_mkey() - tell firmware of some memory
 * @mig: the migration of the VF, locked and attached
 * @pdn: protection domain
 * @sgt: the memory, mapped for the PF
 * @pages: how many pages it is
 * @mkey: firmware's name for it
 *
 * Return: 0, -ENOMEM, or the errno of mlx5_core, which logs it.
 */
int mlx5vf_cmd_create_mkey(struct mlx5vf_mig *mig, u32 pdn,
			   struct sg_table *sgt, unsigned int pages, u32 *mkey)
{
	/* Addresses come in pairs: an octword */
	size_t size = MLX5_ST_SZ_BYTES(create_mkey_in) +
		      round_up(pages, 2) * sizeof(__be64);
	struct sg_dma_page_iter iter;
	void *in, *mkc;
	__be64 *mtt;
	int ret;

	in = kvzalloc(size, GFP_KERNEL);
	if (!in)
		return -ENOMEM;

	MLX5_SET(create_mkey_in, in, translations_octword_actual_size,
		 DIV_ROUND_UP(pages, 2));
	mkc = MLX5_ADDR_OF(create_mkey_in, in, memory_key_mkey_entry);
	MLX5_SET(mkc, mkc, access_mode_1_0, MLX5_MKC_ACCESS_MODE_MTT);
	MLX5_SET(mkc, mkc, lr, 1);
	MLX5_SET(mkc, mkc, lw, 1);
	MLX5_SET(mkc, mkc, rr, 1);
	MLX5_SET(mkc, mkc, rw, 1);
	MLX5_SET(mkc, mkc, qpn, 0xffffff);
	MLX5_SET(mkc, mkc, pd, pdn);
	MLX5_SET(mkc, mkc, log_page_size, PAGE_SHIFT);
	MLX5_SET(mkc, mkc, translations_octword_size, DIV_ROUND_UP(pages, 2));
	MLX5_SET64(mkc, mkc, len, (u64)pages << PAGE_SHIFT);

	mtt = MLX5_ADDR_OF(create_mkey_in, in, klm_pas_mtt);
	for_each_sgtable_dma_page(sgt, &iter, 0) {
		*mtt = cpu_to_be64(sg_page_iter_dma_address(&iter));
		mtt++;
	}

	ret = mlx5_core_create_mkey(mig->pf, mkey, in, size);
	kvfree(in);
	return ret;
}

/**
 * mlx5vf_cmd_destroy_mkey() - make firmware forget some memory
 * @mig: the migration of the VF, locked and attached
 * @mkey: firmware's name for it
 *
 * Return: 0, or firmware's refusal: it may use the memory still.
 */
int mlx5vf_cmd_destroy_mkey(struct mlx5vf_mig *mig, u32 mkey)
{
	u32 in[MLX5_ST_SZ_DW(destroy_mkey_in)] = {};

	MLX5_SET(destroy_mkey_in, in, opcode, MLX5_CMD_OP_DESTROY_MKEY);
	MLX5_SET(destroy_mkey_in, in, mkey_index, mlx5_mkey_to_idx(mkey));
	return mlx5vf_cmd_destroy(mig, in, sizeof(in));
}

/**
 * mlx5vf_cmd_dealloc_pd() - give back a protection domain
 * @mig: the migration of the VF, locked and attached
 * @pdn: the domain
 */
void mlx5vf_cmd_dealloc_pd(struct mlx5vf_mig *mig, u32 pdn)
{
	u32 in[MLX5_ST_SZ_DW(dealloc_pd_in)] = {};

	MLX5_SET(dealloc_pd_in, in, opcode, MLX5_CMD_OP_DEALLOC_PD);
	MLX5_SET(dealloc_pd_in, in, pd, pdn);
	mlx5vf_cmd_destroy(mig, in, sizeof(in));
}
