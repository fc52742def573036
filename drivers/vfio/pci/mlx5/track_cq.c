// SPDX-License-Identifier: GPL-2.0-only
/*
 * The completion queue of a tracker: an entry for each message that was received.
 */
#include <linux/errno.h>
#include <linux/log2.h>
#include <linux/mlx5/cq.h>
#include <linux/mlx5/device.h>
#include <linux/mlx5/driver.h>
#include <linux/slab.h>

#include "track.h"

/* ---- interrupts --------------------------------------------------------- */

static void cq_completed(struct mlx5_core_cq *core, struct mlx5_eqe *eqe)
{
	struct mlx5vf_track *t = container_of(core, struct mlx5vf_track,
					      cq.core);

	WRITE_ONCE(t->completed, true);
	wake_up_all(&t->wait);
}

static void cq_failed(struct mlx5_core_cq *core, enum mlx5_event type)
{
	struct mlx5vf_track *t = container_of(core, struct mlx5vf_track,
					      cq.core);

	WRITE_ONCE(t->broken, true);
	wake_up_all(&t->wait);
}

/* ---- life -------------------------------------------------------------- */

static int cq_alloc(struct mlx5vf_mig *mig, struct mlx5vf_cq *cq, u32 entries)
{
	int node = mig->pf->priv.numa_node;
	u8 log = ilog2(entries);
	int ret;

	ret = mlx5_frag_buf_alloc_node(mig->pf, entries *
				       sizeof(struct mlx5_cqe64), &cq->buf,
				       node);
	if (ret)
		return ret;
	ret = mlx5_db_alloc_node(mig->pf, &cq->db, node);
	if (ret) {
		mlx5_frag_buf_free(mig->pf, &cq->buf);
		return ret;
	}

	mlx5_init_fbc(cq->buf.frags, ilog2(sizeof(struct mlx5_cqe64)), log,
		      &cq->fbc);
	for (u32 i = 0; i < entries; i++) {
		struct mlx5_cqe64 *cqe = mlx5_frag_buf_get_wqe(&cq->fbc, i);

		cqe->op_own = MLX5_CQE_INVALID << 4 | MLX5_CQE_OWNER_MASK;
	}
	cq->entries = entries;
	cq->core.cqe_sz = sizeof(struct mlx5_cqe64);
	cq->core.set_ci_db = cq->db.db;
	cq->core.arm_db = cq->db.db + 1;
	cq->core.comp = cq_completed;
	cq->core.event = cq_failed;
	return 0;
}

static void cq_free(struct mlx5vf_mig *mig, struct mlx5vf_cq *cq)
{
	mlx5_db_free(mig->pf, &cq->db);
	mlx5_frag_buf_free(mig->pf, &cq->buf);
}

static int cq_create_hw(struct mlx5vf_mig *mig, struct mlx5vf_track *t)
{
	struct mlx5vf_cq *cq = &t->cq;
	int size = MLX5_ST_SZ_BYTES(create_cq_in) +
		   cq->buf.npages * MLX5_FLD_SZ_BYTES(create_cq_in, pas[0]);
	u32 out[MLX5_ST_SZ_DW(create_cq_out)];
	void *in, *cqc;
	int eqn, ret;

	ret = mlx5_comp_eqn_get(mig->pf, 0, &eqn);
	if (ret)
		return ret;
	in = kvzalloc(size, GFP_KERNEL);
	if (!in)
		return -ENOMEM;

	cqc = MLX5_ADDR_OF(create_cq_in, in, cq_context);
	MLX5_SET(cqc, cqc, log_cq_size, ilog2(cq->entries));
	MLX5_SET(cqc, cqc, c_eqn_or_apu_element, eqn);
	MLX5_SET(cqc, cqc, uar_page, t->uar->index);
	MLX5_SET(cqc, cqc, log_page_size,
		 cq->buf.page_shift - MLX5_ADAPTER_PAGE_SHIFT);
	MLX5_SET64(cqc, cqc, dbr_addr, cq->db.dma);
	mlx5_fill_page_frag_array(&cq->buf, MLX5_ADDR_OF(create_cq_in, in, pas));

	ret = mlx5_core_create_cq(mig->pf, &cq->core, in, size, out,
				  sizeof(out));
	kvfree(in);
	return ret;
}

/**
 * mlx5vf_track_cq_create() - make the completion queue of a tracker
 * @mig: the migration of the VF, locked and attached
 * @t: the tracker, with its sizes and doorbells
 *
 * Return: 0, or what memory or firmware refuses.
 */
int mlx5vf_track_cq_create(struct mlx5vf_mig *mig, struct mlx5vf_track *t)
{
	int ret;

	/* Each slot can complete, and be in error */
	ret = cq_alloc(mig, &t->cq, mlx5vf_track_slots(t) * 2);
	if (ret)
		return ret;
	ret = cq_create_hw(mig, t);
	if (ret)
		cq_free(mig, &t->cq);
	return ret;
}

/**
 * mlx5vf_track_cq_destroy() - undo mlx5vf_track_cq_create()
 * @mig: the migration of the VF, locked and attached
 * @t: the tracker
 *
 * Memory that firmware does not let go of it may write to: that is left alone.
 */
void mlx5vf_track_cq_destroy(struct mlx5vf_mig *mig, struct mlx5vf_track *t)
{
	int ret = -EIO;

	for (unsigned int i = 0; i < MLX5VF_DESTROY_TRIES && ret; i++)
		ret = mlx5_core_destroy_cq(mig->pf, &t->cq.core);
	if (ret)
		mlx5vf_warn(mig, "a completion queue stays in firmware's hands (%d)\n",
			    ret);
	else
		cq_free(mig, &t->cq);
}

/* ---- entries ----------------------------------------------------------- */

/**
 * mlx5vf_track_cq_arm() - ask for an interrupt when there is a new entry
 * @t: the tracker
 *
 * One that came in the meantime counts.
 */
void mlx5vf_track_cq_arm(struct mlx5vf_track *t)
{
	mlx5_cq_arm(&t->cq.core, MLX5_CQ_DB_REQ_NOT, t->uar->map,
		    t->cq.core.cons_index);
}

/**
 * mlx5vf_track_cq_peek() - see the oldest entry
 * @t: the tracker
 *
 * Return: the entry, or NULL.
 */
struct mlx5_cqe64 *mlx5vf_track_cq_peek(struct mlx5vf_track *t)
{
	struct mlx5vf_cq *cq = &t->cq;
	u32 ci = cq->core.cons_index;
	struct mlx5_cqe64 *cqe;
	u8 op_own;

	cqe = mlx5_frag_buf_get_wqe(&cq->fbc, ci & (cq->entries - 1));
	op_own = READ_ONCE(cqe->op_own);
	/* The owner's bit changes its meaning with each lap */
	if (op_own >> 4 == MLX5_CQE_INVALID ||
	    (op_own & MLX5_CQE_OWNER_MASK) != !!(ci & cq->entries))
		return NULL;

	/* The rest of the entry was written before its owner */
	dma_rmb();
	return cqe;
}

/**
 * mlx5vf_track_cq_consume() - give the oldest entry back
 * @t: the tracker
 */
void mlx5vf_track_cq_consume(struct mlx5vf_track *t)
{
	struct mlx5vf_cq *cq = &t->cq;

	cq->core.cons_index++;
	mlx5_cq_set_ci(&cq->core);
}
