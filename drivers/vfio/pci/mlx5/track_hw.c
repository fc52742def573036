// SPDX-License-Identifier: GPL-2.0-only
/*
 * The queues through which firmware reports dirty pages: two QPs of the PF that are
 * connected with each other. Firmware sends on one; what the other receives is
 * addresses of pages, 8 bytes each, and in the immediate data whether more follow.
 */
#include <linux/errno.h>
#include <linux/lockdep.h>
#include <linux/log2.h>
#include <linux/mlx5/cq.h>
#include <linux/mlx5/device.h>
#include <linux/mlx5/driver.h>
#include <linux/mlx5/eq.h>
#include <linux/mlx5/qp.h>
#include <linux/slab.h>

#include "track.h"

/* The state in the immediate data */
#define IMM_STATE_SHIFT	28

static u32 msg_size(const struct mlx5vf_track *t)
{
	return 1u << t->plan.log_msg;
}

/* ---- queue pairs ------------------------------------------------------- */

static int qp_alloc(struct mlx5vf_mig *mig, struct mlx5vf_qp *qp, u8 log_slots)
{
	u8 log_stride = ilog2(sizeof(struct mlx5_wqe_data_seg));
	int node = mig->pf->priv.numa_node;
	int ret;

	ret = mlx5_frag_buf_alloc_node(mig->pf, 1 << (log_slots + log_stride),
				       &qp->buf, node);
	if (ret)
		return ret;
	ret = mlx5_db_alloc_node(mig->pf, &qp->db, node);
	if (ret)
		mlx5_frag_buf_free(mig->pf, &qp->buf);
	else
		mlx5_init_fbc(qp->buf.frags, log_stride, log_slots, &qp->fbc);
	return ret;
}

static void qp_free(struct mlx5vf_mig *mig, struct mlx5vf_qp *qp)
{
	mlx5_db_free(mig->pf, &qp->db);
	mlx5_frag_buf_free(mig->pf, &qp->buf);
}

/* Firmware fills its own end; it has no receive queue */
static void fill_qpc(struct mlx5vf_mig *mig, struct mlx5vf_track *t,
		     struct mlx5vf_qp *qp, void *qpc)
{
	MLX5_SET(qpc, qpc, st, MLX5_QP_ST_RC);
	MLX5_SET(qpc, qpc, pm_state, MLX5_QP_PM_MIGRATED);
	MLX5_SET(qpc, qpc, pd, t->pdn);
	MLX5_SET(qpc, qpc, uar_page, t->uar->index);
	MLX5_SET(qpc, qpc, fre, 1);
	MLX5_SET(qpc, qpc, no_sq, 1);
	MLX5_SET(qpc, qpc, cqn_snd, t->cq.core.cqn);
	MLX5_SET(qpc, qpc, cqn_rcv, t->cq.core.cqn);
	MLX5_SET(qpc, qpc, ts_format, mlx5_get_qp_default_ts(mig->pf));
	MLX5_SET64(qpc, qpc, dbr_addr, qp->db.dma);
	MLX5_SET(qpc, qpc, log_page_size,
		 qp->buf.page_shift - MLX5_ADAPTER_PAGE_SHIFT);
	if (MLX5_CAP_GEN(mig->pf, cqe_version) == 1)
		MLX5_SET(qpc, qpc, user_index, 0xffffff);
	if (qp == &t->host)
		MLX5_SET(qpc, qpc, log_rq_size, t->plan.log_slots);
	else
		MLX5_SET(qpc, qpc, rq_type, MLX5_ZERO_LEN_RQ);
}

static int qp_create_hw(struct mlx5vf_mig *mig, struct mlx5vf_track *t,
			struct mlx5vf_qp *qp)
{
	int size = MLX5_ST_SZ_BYTES(create_qp_in) +
		   qp->buf.npages * MLX5_FLD_SZ_BYTES(create_qp_in, pas[0]);
	u32 out[MLX5_ST_SZ_DW(create_qp_out)] = {};
	void *in;
	int ret;

	in = kvzalloc(size, GFP_KERNEL);
	if (!in)
		return -ENOMEM;

	MLX5_SET(create_qp_in, in, opcode, MLX5_CMD_OP_CREATE_QP);
	fill_qpc(mig, t, qp, MLX5_ADDR_OF(create_qp_in, in, qpc));
	mlx5_fill_page_frag_array(&qp->buf, MLX5_ADDR_OF(create_qp_in, in, pas));
	ret = mlx5vf_cmd_exec(mig, in, size, out, sizeof(out));
	if (!ret)
		qp->qpn = MLX5_GET(create_qp_out, out, qpn);
	kvfree(in);
	return ret;
}

static int qp_create(struct mlx5vf_mig *mig, struct mlx5vf_track *t,
		     struct mlx5vf_qp *qp)
{
	int ret;

	ret = qp_alloc(mig, qp, qp == &t->host ? t->plan.log_slots : 0);
	if (ret)
		return ret;
	ret = qp_create_hw(mig, t, qp);
	if (ret)
		qp_free(mig, qp);
	return ret;
}

/* Memory that firmware does not let go of it may write to: leave it alone */
static bool qp_destroy(struct mlx5vf_mig *mig, struct mlx5vf_qp *qp)
{
	u32 in[MLX5_ST_SZ_DW(destroy_qp_in)] = {};
	int ret;

	MLX5_SET(destroy_qp_in, in, opcode, MLX5_CMD_OP_DESTROY_QP);
	MLX5_SET(destroy_qp_in, in, qpn, qp->qpn);
	ret = mlx5vf_cmd_destroy(mig, in, sizeof(in));
	if (ret)
		mlx5vf_warn(mig, "queue pair 0x%x stays in firmware's hands (%d)\n",
			    qp->qpn, ret);
	else
		qp_free(mig, qp);
	return !ret;
}

static int qp_to_init(struct mlx5vf_mig *mig, struct mlx5vf_qp *qp)
{
	u32 out[MLX5_ST_SZ_DW(rst2init_qp_out)] = {};
	u32 in[MLX5_ST_SZ_DW(rst2init_qp_in)] = {};
	void *qpc = MLX5_ADDR_OF(rst2init_qp_in, in, qpc);

	MLX5_SET(rst2init_qp_in, in, opcode, MLX5_CMD_OP_RST2INIT_QP);
	MLX5_SET(rst2init_qp_in, in, qpn, qp->qpn);
	MLX5_SET(qpc, qpc, primary_address_path.vhca_port_num, 1);
	MLX5_SET(qpc, qpc, pm_state, MLX5_QPC_PM_STATE_MIGRATED);
	MLX5_SET(qpc, qpc, rre, 1);
	MLX5_SET(qpc, qpc, rwe, 1);
	return mlx5vf_cmd_exec(mig, in, sizeof(in), out, sizeof(out));
}

/* Both ends are the PF's, so no address is needed, just a loop */
static int qp_to_rtr(struct mlx5vf_mig *mig, struct mlx5vf_qp *qp,
		     struct mlx5vf_qp *peer)
{
	u32 out[MLX5_ST_SZ_DW(init2rtr_qp_out)] = {};
	u32 in[MLX5_ST_SZ_DW(init2rtr_qp_in)] = {};
	void *qpc = MLX5_ADDR_OF(init2rtr_qp_in, in, qpc);

	MLX5_SET(init2rtr_qp_in, in, opcode, MLX5_CMD_OP_INIT2RTR_QP);
	MLX5_SET(init2rtr_qp_in, in, qpn, qp->qpn);
	MLX5_SET(qpc, qpc, mtu, MLX5_QPC_MTU_4K_BYTES);
	MLX5_SET(qpc, qpc, log_msg_max, MLX5_CAP_GEN(mig->pf, log_max_msg));
	MLX5_SET(qpc, qpc, remote_qpn, peer->qpn);
	MLX5_SET(qpc, qpc, primary_address_path.vhca_port_num, 1);
	MLX5_SET(qpc, qpc, primary_address_path.fl, 1);
	MLX5_SET(qpc, qpc, min_rnr_nak, 1);
	return mlx5vf_cmd_exec(mig, in, sizeof(in), out, sizeof(out));
}

/* If we have no room the sender shall wait for ever, not give up */
static int qp_to_rts(struct mlx5vf_mig *mig, struct mlx5vf_qp *qp)
{
	u32 out[MLX5_ST_SZ_DW(rtr2rts_qp_out)] = {};
	u32 in[MLX5_ST_SZ_DW(rtr2rts_qp_in)] = {};
	void *qpc = MLX5_ADDR_OF(rtr2rts_qp_in, in, qpc);

	MLX5_SET(rtr2rts_qp_in, in, opcode, MLX5_CMD_OP_RTR2RTS_QP);
	MLX5_SET(rtr2rts_qp_in, in, qpn, qp->qpn);
	MLX5_SET(qpc, qpc, retry_count, 7);
	MLX5_SET(qpc, qpc, rnr_retry, 7);
	MLX5_SET(qpc, qpc, primary_address_path.ack_timeout, 8);
	return mlx5vf_cmd_exec(mig, in, sizeof(in), out, sizeof(out));
}

static int qp_connect(struct mlx5vf_mig *mig, struct mlx5vf_track *t)
{
	int ret;

	ret = qp_to_init(mig, &t->host);
	if (!ret)
		ret = qp_to_rtr(mig, &t->host, &t->fw);
	if (!ret)
		ret = qp_to_init(mig, &t->fw);
	if (!ret)
		ret = qp_to_rtr(mig, &t->fw, &t->host);
	if (!ret)
		ret = qp_to_rts(mig, &t->fw);
	return ret;
}

/* ---- messages ---------------------------------------------------------- */

static void post(struct mlx5vf_track *t)
{
	u32 slot = t->host.posted & (mlx5vf_track_slots(t) - 1);
	struct mlx5_wqe_data_seg *wqe;

	wqe = mlx5_frag_buf_get_wqe(&t->host.fbc, slot);
	wqe->byte_count = cpu_to_be32(msg_size(t));
	wqe->lkey = cpu_to_be32(t->recv->mkey);
	wqe->addr = cpu_to_be64((u64)slot << t->plan.log_msg);
	t->host.posted++;

	/* The device looks at the entry after the doorbell record says so */
	dma_wmb();
	*t->host.db.db = cpu_to_be32(t->host.posted & 0xffff);
}

static int recv_create(struct mlx5vf_mig *mig, struct mlx5vf_track *t)
{
	int ret;

	t->recv = mlx5vf_image_create();
	if (!t->recv)
		return -ENOMEM;
	ret = mlx5vf_image_map(mig, t->recv, t->pdn,
			       (u64)mlx5vf_track_slots(t) << t->plan.log_msg,
			       DMA_FROM_DEVICE);
	if (ret) {
		mlx5vf_image_put(t->recv);
		return ret;
	}
	for (u32 i = 0; i < mlx5vf_track_slots(t); i++)
		post(t);
	return 0;
}

static int take_message(struct mlx5vf_mig *mig, struct mlx5vf_track *t,
			struct mlx5_cqe64 *cqe, struct mlx5vf_track_msg *msg)
{
	u32 slot = be16_to_cpu(cqe->wqe_counter) & (mlx5vf_track_slots(t) - 1);
	u32 len = be32_to_cpu(cqe->byte_cnt);

	if (cqe->op_own >> 4 != MLX5_CQE_RESP_SEND_IMM || len > msg_size(t) ||
	    len % sizeof(msg->page[0])) {
		mlx5vf_warn(mig, "report of dirty pages failed: completion 0x%x, %u bytes\n",
			    cqe->op_own >> 4, len);
		return -EIO;
	}
	msg->state = be32_to_cpu(cqe->immediate) >> IMM_STATE_SHIFT;
	msg->nr = len / sizeof(msg->page[0]);
	mlx5vf_image_sync(mig, t->recv);
	mlx5vf_image_peek(t->recv, (u64)slot << t->plan.log_msg, msg->page, len);
	return 0;
}

/**
 * mlx5vf_track_hw_receive() - take the next message of a report
 * @mig: the migration of the VF, locked and attached
 * @t: the tracker
 * @msg: the message
 *
 * Return: 0; -EAGAIN if there is none, and @t->wait will be woken when there is;
 * -EIO if firmware failed.
 */
int mlx5vf_track_hw_receive(struct mlx5vf_mig *mig, struct mlx5vf_track *t,
			    struct mlx5vf_track_msg *msg)
{
	struct mlx5_cqe64 *cqe;
	int ret;

	lockdep_assert_held(&mig->lock);

	WRITE_ONCE(t->completed, false);
	cqe = mlx5vf_track_cq_peek(t);
	if (!cqe) {
		mlx5vf_track_cq_arm(t);
		return -EAGAIN;
	}

	ret = take_message(mig, t, cqe, msg);
	mlx5vf_track_cq_consume(t);
	/* There may be more, which no interrupt will tell of */
	WRITE_ONCE(t->completed, true);
	if (!ret)
		post(t);
	return ret;
}

/* ---- errors ------------------------------------------------------------ */

static bool is_ours(struct mlx5vf_track *t, const struct mlx5_eqe *eqe)
{
	u32 qpn = be32_to_cpu(eqe->data.qp_srq.qp_srq_n) & 0xffffff;

	return eqe->data.qp_srq.type == MLX5_EVENT_QUEUE_TYPE_QP &&
	       (qpn == t->host.qpn || qpn == t->fw.qpn);
}

/* In an interrupt; of all events of the PF only few are about us */
static int event(struct notifier_block *nb, unsigned long type, void *data)
{
	struct mlx5vf_track *t = mlx5_nb_cof(nb, struct mlx5vf_track, nb);
	struct mlx5_eqe *eqe = data;

	switch (type) {
	case MLX5_EVENT_TYPE_WQ_CATAS_ERROR:
	case MLX5_EVENT_TYPE_WQ_INVAL_REQ_ERROR:
	case MLX5_EVENT_TYPE_WQ_ACCESS_ERROR:
		if (!is_ours(t, eqe))
			return NOTIFY_DONE;
		WRITE_ONCE(t->broken, true);
		break;
	case MLX5_EVENT_TYPE_OBJECT_CHANGE:
		if (be16_to_cpu(eqe->data.obj_change.obj_type) !=
		    MLX5_OBJ_TYPE_PAGE_TRACK ||
		    be32_to_cpu(eqe->data.obj_change.obj_id) !=
		    READ_ONCE(t->obj_id))
			return NOTIFY_DONE;
		WRITE_ONCE(t->changed, true);
		break;
	default:
		return NOTIFY_DONE;
	}
	wake_up_all(&t->wait);
	return NOTIFY_OK;
}

/* ---- all of it --------------------------------------------------------- */

static int create_qps(struct mlx5vf_mig *mig, struct mlx5vf_track *t)
{
	int ret;

	ret = qp_create(mig, t, &t->host);
	if (ret)
		return ret;
	ret = qp_create(mig, t, &t->fw);
	if (ret)
		goto err_host;
	ret = recv_create(mig, t);
	if (ret)
		goto err_fw;
	ret = qp_connect(mig, t);
	if (ret)
		goto err_recv;
	return 0;

err_recv:
	mlx5vf_image_destroy(mig, t->recv);
err_fw:
	qp_destroy(mig, &t->fw);
err_host:
	qp_destroy(mig, &t->host);
	return ret;
}

/**
 * mlx5vf_track_hw_create() - make the queues of a tracker
 * @mig: the migration of the VF, locked and attached
 * @t: the tracker, with its sizes
 *
 * Return: 0, or what memory or firmware refuses.
 */
int mlx5vf_track_hw_create(struct mlx5vf_mig *mig, struct mlx5vf_track *t)
{
	int ret;

	ret = mlx5_core_alloc_pd(mig->pf, &t->pdn);
	if (ret)
		return ret;
	t->uar = mlx5_get_uars_page(mig->pf);
	if (IS_ERR(t->uar)) {
		ret = PTR_ERR(t->uar);
		goto err_pd;
	}
	ret = mlx5vf_track_cq_create(mig, t);
	if (ret)
		goto err_uar;
	ret = create_qps(mig, t);
	if (ret)
		goto err_cq;

	MLX5_NB_INIT(&t->nb, event, NOTIFY_ANY);
	mlx5_eq_notifier_register(mig->pf, &t->nb);
	return 0;

err_cq:
	mlx5vf_track_cq_destroy(mig, t);
err_uar:
	mlx5_put_uars_page(mig->pf, t->uar);
err_pd:
	mlx5vf_cmd_dealloc_pd(mig, t->pdn);
	return ret;
}

/**
 * mlx5vf_track_hw_destroy() - undo mlx5vf_track_hw_create()
 * @mig: the migration of the VF, locked and attached
 * @t: the tracker
 */
void mlx5vf_track_hw_destroy(struct mlx5vf_mig *mig, struct mlx5vf_track *t)
{
	mlx5_eq_notifier_unregister(mig->pf, &t->nb);
	qp_destroy(mig, &t->fw);
	/* What our end could still receive must stay where it is */
	if (qp_destroy(mig, &t->host))
		mlx5vf_image_destroy(mig, t->recv);
	mlx5vf_track_cq_destroy(mig, t);
	mlx5_put_uars_page(mig->pf, t->uar);
	mlx5vf_cmd_dealloc_pd(mig, t->pdn);
}
