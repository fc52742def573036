// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Event queues.
 */
#include "hca.h"
#include "hw/pci/msix.h"

#define EQE_SIZE	64
#define EQE_TYPE	1
#define EQE_DATA	0x20
#define EQE_OWNER	63
#define COUNTER_MASK	0xffffffu

struct hca_eq *hca_eq_find(struct hca_fn *fn, unsigned int eqn)
{
	unsigned int i = eqn - HCA_EQ_BASE;

	return i < HCA_EQS && fn->iface.eq[i].used ? &fn->iface.eq[i] : NULL;
}

unsigned int hca_eq_for(struct hca_fn *fn, unsigned int type)
{
	unsigned int i;

	for (i = 0; i < HCA_EQS; i++) {
		struct hca_eq *eq = &fn->iface.eq[i];

		if (eq->used && eq->mask[type / 64] & 1ull << type % 64)
			return HCA_EQ_BASE + i;
	}
	return 0;
}

/* Who has to keep still stays armed. */
static void interrupt(struct hca_fn *fn, struct hca_eq *eq)
{
	if (fn->vhca.passive)
		return;
	eq->armed = false;
	msix_notify(fn->pci, eq->vector);
}

/* The owner changes with every lap; it is written last. */
static bool store(struct hca_fn *fn, struct hca_eq *eq, const uint8_t *eqe)
{
	const struct hca_pages pages = { eq->pas, eq->count, eq->shift };
	uint64_t pos = (eq->pi & ((1u << eq->log_size) - 1)) * EQE_SIZE;

	return hca_pages_write(fn, &pages, pos, eqe, EQE_OWNER) &&
	       hca_pages_write(fn, &pages, pos + EQE_OWNER, eqe + EQE_OWNER, 1);
}

void hca_eq_post(struct hca_fn *fn, unsigned int eqn, unsigned int type, const uint8_t data[28])
{
	struct hca_eq *eq = hca_eq_find(fn, eqn);
	uint8_t eqe[EQE_SIZE] = { 0 };

	if (!eq)
		return;
	eqe[EQE_TYPE] = type;
	memcpy(eqe + EQE_DATA, data, 28);
	eqe[EQE_OWNER] = eq->pi >> eq->log_size & 1;
	if (eq->pi - eq->ci >= 1u << eq->log_size || !store(fn, eq, eqe)) {
		fn->counter[HCA_MISUSED]++;
		return;
	}
	eq->pi++;
	fn->counter[HCA_EVENTS] += type != HCA_EVENT_CMD;
	if (eq->armed)
		interrupt(fn, eq);
}

void hca_event(struct hca_fn *fn, unsigned int type, const uint8_t data[28])
{
	hca_eq_post(fn, hca_eq_for(fn, type), type, data);
}

void hca_eq_doorbell(struct hca_fn *fn, uint32_t val, bool arm)
{
	struct hca_eq *eq = hca_eq_find(fn, val >> 24);

	if (!eq) {
		fn->counter[HCA_MISUSED]++;
		return;
	}
	eq->ci = eq->pi - ((eq->pi - val) & COUNTER_MASK);
	eq->armed = arm;
	if (arm && eq->ci != eq->pi)
		interrupt(fn, eq);
}

void hca_eq_resume(struct hca_fn *fn)
{
	unsigned int i;

	for (i = 0; i < HCA_EQS; i++) {
		struct hca_eq *eq = &fn->iface.eq[i];

		if (eq->used && eq->armed && eq->ci != eq->pi)
			interrupt(fn, eq);
	}
}

/* --- commands -------------------------------------------------------------------- */

static struct hca_eq *eq_new(struct hca_fn *fn, unsigned int *eqn)
{
	unsigned int i;

	for (i = 0; i < HCA_EQS; i++) {
		if (fn->iface.eq[i].used)
			continue;
		*eqn = HCA_EQ_BASE + i;
		return &fn->iface.eq[i];
	}
	return NULL;
}

static bool eq_take_pages(struct hca_eq *eq, const struct hca_cmd *cmd)
{
	const uint8_t *pas = ifc_at(create_eq_in, cmd->in, pas);
	uint64_t bytes = (uint64_t)EQE_SIZE << eq->log_size;
	unsigned int i;

	eq->count = DIV_ROUND_UP(bytes, 1ull << eq->shift);
	if (eq->count > HCA_EQ_PAS || cmd->in_len < ifc_bytes(create_eq_in) + eq->count * 8)
		return false;
	for (i = 0; i < eq->count; i++)
		eq->pas[i] = ldq_be_p(pas + i * 8);
	return true;
}

uint32_t hca_create_eq(struct hca_cmd *cmd)
{
	const uint8_t *eqc = ifc_at(create_eq_in, cmd->in, eq_context_entry);
	struct hca_fn *fn = cmd->fn;
	struct hca_eq *eq, new = { .used = true };
	unsigned int eqn, i;

	eq = eq_new(fn, &eqn);
	if (!eq)
		return HCA_FAIL(HCA_NO_RES, HCA_WHY_FULL);
	new.log_size = ifc_get(eqc, eqc, log_eq_size);
	new.shift = 12 + ifc_get(eqc, eqc, log_page_size);
	new.vector = ifc_get(eqc, eqc, intr);
	if (new.vector >= HCA_VECTORS)
		return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_VALUE);
	if (!eq_take_pages(&new, cmd))
		return HCA_FAIL(HCA_BAD_INP_LEN, HCA_WHY_LENGTH);
	for (i = 0; i < 4; i++)
		new.mask[i] = ldq_be_p(ifc_at(create_eq_in, cmd->in, event_bitmask) + 8 * i);
	*eq = new;
	fn->counter[HCA_LIVE_EQ]++;
	ifc_set(create_eq_out, cmd->out, eq_number, eqn);
	return 0;
}

uint32_t hca_destroy_eq(struct hca_cmd *cmd)
{
	struct hca_eq *eq = hca_eq_find(cmd->fn, ifc_get(destroy_eq_in, cmd->in, eq_number));

	if (!eq)
		return HCA_FAIL(HCA_BAD_RES, HCA_WHY_OBJECT);
	if (eq->cqs)
		return HCA_FAIL(HCA_BAD_RES_STATE, HCA_WHY_IN_USE);
	memset(eq, 0, sizeof(*eq));
	cmd->fn->counter[HCA_LIVE_EQ]--;
	return 0;
}
