// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Completion queues and queue pairs, as far as messages from the firmware need
 * them: they are received, nothing is sent.
 */
#include "hca.h"

#define CQE_SIZE	64
#define CQE_IMMEDIATE	0x24
#define CQE_LEN		0x2c
#define CQE_QPN		0x38
#define CQE_COUNTER	0x3c
#define CQE_OWN		63
#define CQE_SEND_IMM	3	/* opcode: the responder's side of a send with immediate */

#define WQE_LEN		0x00
#define WQE_KEY		0x04
#define WQE_ADDR	0x08
#define SEGMENT		16
#define COUNTER_MASK	0xffffffu

#define EVENT_QPN	24

/* --- completion queues --------------------------------------------------------------- */

static struct hca_cq *cq_find(struct hca_fn *fn, unsigned int cqn)
{
	unsigned int i = cqn - HCA_CQ_BASE;

	return i < HCA_CQS && fn->cq[i].used ? &fn->cq[i] : NULL;
}

static unsigned int cq_number(struct hca_fn *fn, const struct hca_cq *cq)
{
	return HCA_CQ_BASE + (cq - fn->cq);
}

static struct hca_cq *cq_new(struct hca_fn *fn)
{
	unsigned int i;

	for (i = 0; i < HCA_CQS; i++) {
		if (!fn->cq[i].used)
			return &fn->cq[i];
	}
	return NULL;
}

uint32_t hca_create_cq(struct hca_cmd *cmd)
{
	const uint8_t *cqc = ifc_at(create_cq_in, cmd->in, cq_context);
	struct hca_cq *cq, new = { .used = true };
	struct hca_fn *fn = cmd->fn;
	struct hca_eq *eq;
	uint64_t pages;

	cq = cq_new(fn);
	if (!cq)
		return HCA_FAIL(HCA_NO_RES, HCA_WHY_FULL);
	new.log_size = ifc_get(cqc, cqc, log_cq_size);
	new.eqn = ifc_get(cqc, cqc, c_eqn_or_apu_element);
	new.dbr = ifc_get(cqc, cqc, dbr_addr);
	new.pages.shift = 12 + ifc_get(cqc, cqc, log_page_size);
	eq = hca_eq_find(fn, new.eqn);
	if (!eq)
		return HCA_FAIL(HCA_BAD_RES, HCA_WHY_OBJECT);
	if (new.log_size > 22 || ifc_get(cqc, cqc, cqe_sz))
		return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_VALUE);
	pages = DIV_ROUND_UP((uint64_t)CQE_SIZE << new.log_size, 1ull << new.pages.shift);
	if (!hca_pages_init(&new.pages, cmd, ifc_bytes(create_cq_in), pages))
		return HCA_FAIL(HCA_BAD_INP_LEN, HCA_WHY_LENGTH);
	*cq = new;
	eq->cqs++;
	fn->counter[HCA_LIVE_CQ]++;
	ifc_set(create_cq_out, cmd->out, cqn, cq_number(fn, cq));
	return 0;
}

uint32_t hca_destroy_cq(struct hca_cmd *cmd)
{
	struct hca_fn *fn = cmd->fn;
	struct hca_cq *cq = cq_find(fn, ifc_get(destroy_cq_in, cmd->in, cqn));

	if (!cq)
		return HCA_FAIL(HCA_BAD_RES, HCA_WHY_OBJECT);
	if (cq->qps)
		return HCA_FAIL(HCA_BAD_RES_STATE, HCA_WHY_IN_USE);
	hca_eq_find(fn, cq->eqn)->cqs--;
	hca_pages_free(&cq->pages);
	memset(cq, 0, sizeof(*cq));
	fn->counter[HCA_LIVE_CQ]--;
	return 0;
}

static void cq_notify(struct hca_fn *fn, struct hca_cq *cq)
{
	uint8_t event[28] = { 0 };

	cq->armed = false;
	stl_be_p(event + 24, cq_number(fn, cq));
	hca_eq_post(fn, cq->eqn, HCA_EVENT_COMP, event);
}

/* The upper half arms, for what comes after the completion it counts. */
void hca_cq_doorbell(struct hca_fn *fn, uint64_t val)
{
	struct hca_cq *cq = cq_find(fn, val & COUNTER_MASK);

	if (!cq) {
		fn->counter[HCA_MISUSED]++;
		return;
	}
	cq->armed = true;
	if ((cq->pi ^ val >> 32) & COUNTER_MASK)
		cq_notify(fn, cq);
}

static void cq_event(struct hca_fn *fn, struct hca_cq *cq)
{
	uint8_t event[28] = { 0 };

	cq->failed = true;
	stl_be_p(event, cq_number(fn, cq));
	hca_event(fn, HCA_EVENT_CQ_ERROR, event);
}

/* How far the driver is stands in its memory. */
static bool cq_is_full(struct hca_fn *fn, struct hca_cq *cq)
{
	uint8_t ci[4];

	if (!hca_dma_read(fn, cq->dbr, ci, sizeof(ci)))
		return true;
	return ((cq->pi - ldl_be_p(ci)) & COUNTER_MASK) >= 1u << cq->log_size;
}

static bool cq_post(struct hca_fn *fn, struct hca_cq *cq, uint8_t *cqe)
{
	uint64_t pos = (cq->pi & ((1u << cq->log_size) - 1)) * CQE_SIZE;

	cqe[CQE_OWN] |= cq->pi >> cq->log_size & 1;
	if (cq->failed)
		return false;
	if (cq_is_full(fn, cq) || !hca_pages_write(fn, &cq->pages, pos, cqe, CQE_OWN) ||
	    !hca_pages_write(fn, &cq->pages, pos + CQE_OWN, cqe + CQE_OWN, 1)) {
		cq_event(fn, cq);
		return false;
	}
	cq->pi++;
	if (cq->armed)
		cq_notify(fn, cq);
	return true;
}

/* --- queue pairs --------------------------------------------------------------------- */

struct hca_qp *hca_qp_find(struct hca_fn *fn, unsigned int qpn)
{
	unsigned int i = qpn - HCA_QP_BASE;

	return i < HCA_QPS && fn->qp[i].used ? &fn->qp[i] : NULL;
}

static struct hca_qp *qp_new(struct hca_fn *fn, unsigned int *qpn)
{
	unsigned int i;

	for (i = 0; i < HCA_QPS; i++) {
		if (fn->qp[i].used)
			continue;
		*qpn = HCA_QP_BASE + i;
		return &fn->qp[i];
	}
	return NULL;
}

#define RQ_NONE		3	/* qpc.rq_type: no receive queue */

static uint32_t qp_take_queue(struct hca_qp *qp, const struct hca_cmd *cmd)
{
	const uint8_t *qpc = ifc_at(create_qp_in, cmd->in, qpc);
	uint64_t bytes;

	if (ifc_get(qpc, qpc, rq_type) == RQ_NONE)
		return 0;
	qp->log_rq = ifc_get(qpc, qpc, log_rq_size);
	qp->log_stride = 4 + ifc_get(qpc, qpc, log_rq_stride);
	qp->dbr = ifc_get(qpc, qpc, dbr_addr);
	qp->pages.shift = 12 + ifc_get(qpc, qpc, log_page_size);
	bytes = 1ull << (qp->log_rq + qp->log_stride);
	if (!hca_pages_init(&qp->pages, cmd, ifc_bytes(create_qp_in),
			    DIV_ROUND_UP(bytes, 1ull << qp->pages.shift)))
		return HCA_FAIL(HCA_BAD_INP_LEN, HCA_WHY_LENGTH);
	return 0;
}

uint32_t hca_create_qp(struct hca_cmd *cmd)
{
	const uint8_t *qpc = ifc_at(create_qp_in, cmd->in, qpc);
	struct hca_qp *qp, new = { .used = true };
	struct hca_fn *fn = cmd->fn;
	unsigned int qpn;
	struct hca_cq *cq;
	uint32_t ret;

	qp = qp_new(fn, &qpn);
	if (!qp)
		return HCA_FAIL(HCA_NO_RES, HCA_WHY_FULL);
	new.pd = ifc_get(qpc, qpc, pd);
	new.cqn = ifc_get(qpc, qpc, cqn_rcv);
	cq = cq_find(fn, new.cqn);
	if (!hca_pd_find(fn, new.pd) || (new.cqn && !cq))
		return HCA_FAIL(HCA_BAD_RES, HCA_WHY_OBJECT);
	ret = qp_take_queue(&new, cmd);
	if (ret)
		return ret;
	*qp = new;
	++*hca_pd_find(fn, new.pd);
	if (cq)
		cq->qps++;
	fn->counter[HCA_LIVE_QP]++;
	ifc_set(create_qp_out, cmd->out, qpn, qpn);
	return 0;
}

uint32_t hca_destroy_qp(struct hca_cmd *cmd)
{
	struct hca_fn *fn = cmd->fn;
	struct hca_qp *qp = hca_qp_find(fn, ifc_get(destroy_qp_in, cmd->in, qpn));

	if (!qp)
		return HCA_FAIL(HCA_BAD_RES, HCA_WHY_OBJECT);
	if (qp->trackers)
		return HCA_FAIL(HCA_BAD_RES_STATE, HCA_WHY_IN_USE);
	--*hca_pd_find(fn, qp->pd);
	if (qp->cqn)
		cq_find(fn, qp->cqn)->qps--;
	hca_pages_free(&qp->pages);
	memset(qp, 0, sizeof(*qp));
	fn->counter[HCA_LIVE_QP]--;
	return 0;
}

static const struct {
	uint16_t opcode;
	bool anyhow;
	enum hca_qp_state from, to;
} steps[] = {
	{ MLX5_CMD_OP_RST2INIT_QP, false, HCA_QP_RST, HCA_QP_INIT },
	{ MLX5_CMD_OP_INIT2RTR_QP, false, HCA_QP_INIT, HCA_QP_RTR },
	{ MLX5_CMD_OP_RTR2RTS_QP, false, HCA_QP_RTR, HCA_QP_RTS },
	{ MLX5_CMD_OP_2ERR_QP, true, 0, HCA_QP_ERR },
	{ MLX5_CMD_OP_2RST_QP, true, 0, HCA_QP_RST },
};

/* All of these commands have the number and the context in the same place. */
uint32_t hca_modify_qp(struct hca_cmd *cmd)
{
	struct hca_qp *qp = hca_qp_find(cmd->fn, ifc_get(rst2init_qp_in, cmd->in, qpn));
	size_t i = 0;

	if (!qp)
		return HCA_FAIL(HCA_BAD_RES, HCA_WHY_OBJECT);
	while (steps[i].opcode != cmd->opcode)
		i++;
	if (!steps[i].anyhow && steps[i].from != qp->state)
		return HCA_FAIL(HCA_BAD_QP_STATE, HCA_WHY_QP_STATE);
	if (cmd->opcode == MLX5_CMD_OP_INIT2RTR_QP)
		qp->remote = ifc_get(qpc, ifc_at(init2rtr_qp_in, cmd->in, qpc), remote_qpn);
	qp->state = steps[i].to;
	return 0;
}

/* --- messages ------------------------------------------------------------------------ */

/* The driver's counter of posted buffers stands in its memory. */
static bool rq_is_empty(struct hca_fn *fn, struct hca_qp *qp)
{
	uint8_t dbr[4];

	return !hca_dma_read(fn, qp->dbr, dbr, sizeof(dbr)) ||
	       (uint16_t)ldl_be_p(dbr) == qp->head;
}

static bool rq_fill(struct hca_fn *fn, struct hca_qp *qp, const void *data, unsigned int len)
{
	uint64_t pos = (uint64_t)(qp->head & ((1u << qp->log_rq) - 1)) << qp->log_stride;
	uint8_t wqe[SEGMENT];

	if (!hca_pages_read(fn, &qp->pages, pos, wqe, sizeof(wqe)) || ldl_be_p(wqe + WQE_LEN) < len)
		return false;
	return hca_mkey_write(fn, ldl_be_p(wqe + WQE_KEY), ldq_be_p(wqe + WQE_ADDR), data, len);
}

enum hca_receive hca_qp_receive(struct hca_fn *fn, struct hca_qp *qp, const void *data,
				unsigned int len, uint32_t immediate)
{
	struct hca_cq *cq = cq_find(fn, qp->cqn);
	uint8_t cqe[CQE_SIZE] = { 0 };

	if (qp->state < HCA_QP_RTR || qp->state == HCA_QP_ERR || !cq)
		return HCA_BROKEN;
	if (rq_is_empty(fn, qp))
		return HCA_NO_BUFFER;
	if (!rq_fill(fn, qp, data, len)) {
		hca_qp_fail(fn, HCA_QP_BASE + (qp - fn->qp), HCA_EVENT_WQ_ACCESS);
		return HCA_BROKEN;
	}
	stl_be_p(cqe + CQE_IMMEDIATE, immediate);
	stl_be_p(cqe + CQE_LEN, len);
	stl_be_p(cqe + CQE_QPN, HCA_QP_BASE + (qp - fn->qp));
	stw_be_p(cqe + CQE_COUNTER, qp->head);
	cqe[CQE_OWN] = CQE_SEND_IMM << 4;
	qp->head++;
	return cq_post(fn, cq, cqe) ? HCA_RECEIVED : HCA_BROKEN;
}

/* --- failing on purpose ---------------------------------------------------------------- */

void hca_cq_fail(struct hca_fn *fn, unsigned int cqn)
{
	unsigned int i;

	for (i = HCA_CQS; !cqn && i--;) {
		if (fn->cq[i].used)
			cqn = HCA_CQ_BASE + i;
	}
	if (cq_find(fn, cqn))
		cq_event(fn, cq_find(fn, cqn));
}

void hca_qp_fail(struct hca_fn *fn, unsigned int qpn, unsigned int type)
{
	uint8_t event[28] = { 0 };
	unsigned int i;

	for (i = HCA_QPS; !qpn && i--;) {
		if (fn->qp[i].used)
			qpn = HCA_QP_BASE + i;
	}
	if (!hca_qp_find(fn, qpn))
		return;
	hca_qp_find(fn, qpn)->state = HCA_QP_ERR;
	stl_be_p(event + EVENT_QPN, qpn);
	hca_event(fn, type, event);
}
