// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * User access regions, protection domains and memory keys.
 */
#include "hca.h"

#define ACCESS_PA	0	/* addresses as they are */
#define ACCESS_MTT	1	/* through a table */

/* --- user access regions -------------------------------------------------------- */

uint32_t hca_alloc_uar(struct hca_cmd *cmd)
{
	uint32_t *uars = cmd->fn->iface.uars;
	unsigned int i;

	for (i = 0; i < HCA_UARS; i++) {
		if (uars[i / 32] & 1u << i % 32)
			continue;
		uars[i / 32] |= 1u << i % 32;
		cmd->fn->counter[HCA_LIVE_UAR]++;
		ifc_set(alloc_uar_out, cmd->out, uar, HCA_UAR_FIRST + i);
		return 0;
	}
	return HCA_FAIL(HCA_NO_RES, HCA_WHY_FULL);
}

uint32_t hca_dealloc_uar(struct hca_cmd *cmd)
{
	unsigned int i = ifc_get(dealloc_uar_in, cmd->in, uar) - HCA_UAR_FIRST;
	uint32_t *uars = cmd->fn->iface.uars;

	if (i >= HCA_UARS || !(uars[i / 32] & 1u << i % 32))
		return HCA_FAIL(HCA_BAD_RES, HCA_WHY_OBJECT);
	uars[i / 32] &= ~(1u << i % 32);
	cmd->fn->counter[HCA_LIVE_UAR]--;
	return 0;
}

/* --- protection domains ---------------------------------------------------------- */

/* Its entry: users + 1. */
unsigned int *hca_pd_find(struct hca_fn *fn, unsigned int pdn)
{
	unsigned int i = pdn - HCA_PD_BASE;

	return i < HCA_PDS && fn->pd[i] ? &fn->pd[i] : NULL;
}

uint32_t hca_alloc_pd(struct hca_cmd *cmd)
{
	unsigned int i;

	for (i = 0; i < HCA_PDS; i++) {
		if (cmd->fn->pd[i])
			continue;
		cmd->fn->pd[i] = 1;
		cmd->fn->counter[HCA_LIVE_PD]++;
		ifc_set(alloc_pd_out, cmd->out, pd, HCA_PD_BASE + i);
		return 0;
	}
	return HCA_FAIL(HCA_NO_RES, HCA_WHY_FULL);
}

uint32_t hca_dealloc_pd(struct hca_cmd *cmd)
{
	unsigned int *pd = hca_pd_find(cmd->fn, ifc_get(dealloc_pd_in, cmd->in, pd));

	if (!pd)
		return HCA_FAIL(HCA_BAD_RES, HCA_WHY_OBJECT);
	if (*pd > 1)
		return HCA_FAIL(HCA_BAD_RES_STATE, HCA_WHY_IN_USE);
	*pd = 0;
	cmd->fn->counter[HCA_LIVE_PD]--;
	return 0;
}

/* --- memory keys ------------------------------------------------------------------ */

static struct hca_mkey *mkey_find(struct hca_fn *fn, unsigned int index)
{
	unsigned int i = index - HCA_MKEY_BASE;

	return i < HCA_MKEYS && fn->mkey[i].used ? &fn->mkey[i] : NULL;
}

static struct hca_mkey *mkey_new(struct hca_fn *fn, unsigned int *index)
{
	unsigned int i;

	for (i = 0; i < HCA_MKEYS; i++) {
		if (fn->mkey[i].used)
			continue;
		*index = HCA_MKEY_BASE + i;
		return &fn->mkey[i];
	}
	return NULL;
}

static uint32_t mkey_take_table(struct hca_mkey *key, const struct hca_cmd *cmd)
{
	const uint8_t *mkc = ifc_at(create_mkey_in, cmd->in, memory_key_mkey_entry);
	uint64_t octwords, entries;

	key->pages.shift = ifc_get(mkc, mkc, log_page_size);
	if (key->pages.shift < 12 || key->pages.shift > 30)
		return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_VALUE);
	octwords = ifc_get(create_mkey_in, cmd->in, translations_octword_actual_size);
	entries = DIV_ROUND_UP(key->len, 1ull << key->pages.shift);
	if (octwords > ifc_get(mkc, mkc, translations_octword_size) || entries > octwords * 2)
		return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_SMALL);
	if (!hca_pages_init(&key->pages, cmd, ifc_bytes(create_mkey_in), entries))
		return HCA_FAIL(HCA_BAD_INP_LEN, HCA_WHY_LENGTH);
	return 0;
}

static uint32_t mkey_fill(struct hca_mkey *key, const struct hca_cmd *cmd)
{
	const uint8_t *mkc = ifc_at(create_mkey_in, cmd->in, memory_key_mkey_entry);

	key->pd = ifc_get(mkc, mkc, pd);
	key->variant = ifc_get(mkc, mkc, mkey_7_0);
	key->start = ifc_get(mkc, mkc, start_addr);
	key->len = ifc_get(mkc, mkc, len);
	key->can_write = ifc_get(mkc, mkc, lw);
	key->can_read = ifc_get(mkc, mkc, lr);
	if (!hca_pd_find(cmd->fn, key->pd))
		return HCA_FAIL(HCA_BAD_RES, HCA_WHY_OBJECT);
	switch (ifc_get(mkc, mkc, access_mode_1_0)) {
	case ACCESS_PA:
		key->direct = true;
		return 0;
	case ACCESS_MTT:
		return mkey_take_table(key, cmd);
	}
	return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_VALUE);
}

uint32_t hca_create_mkey(struct hca_cmd *cmd)
{
	struct hca_mkey *key, new = { .used = true };
	struct hca_fn *fn = cmd->fn;
	unsigned int index;
	uint32_t ret;

	key = mkey_new(fn, &index);
	if (!key)
		return HCA_FAIL(HCA_NO_RES, HCA_WHY_FULL);
	ret = mkey_fill(&new, cmd);
	if (ret)
		return ret;
	*key = new;
	++*hca_pd_find(fn, key->pd);
	fn->counter[HCA_LIVE_MKEY]++;
	ifc_set(create_mkey_out, cmd->out, mkey_index, index);
	return 0;
}

uint32_t hca_destroy_mkey(struct hca_cmd *cmd)
{
	struct hca_fn *fn = cmd->fn;
	struct hca_mkey *key = mkey_find(fn, ifc_get(destroy_mkey_in, cmd->in, mkey_index));

	if (!key)
		return HCA_FAIL(HCA_BAD_RES, HCA_WHY_OBJECT);
	--*hca_pd_find(fn, key->pd);
	hca_pages_free(&key->pages);
	memset(key, 0, sizeof(*key));
	fn->counter[HCA_LIVE_MKEY]--;
	return 0;
}

/* --- access by key ------------------------------------------------------------------ */

static struct hca_mkey *mkey_for(struct hca_fn *fn, uint32_t key, uint64_t va, size_t len)
{
	struct hca_mkey *found = mkey_find(fn, key >> 8);

	if (!found || found->variant != (key & 0xff))
		return NULL;
	if (found->direct)
		return found;
	if (va < found->start || va - found->start > found->len)
		return NULL;
	return len <= found->len - (va - found->start) ? found : NULL;
}

bool hca_mkey_read(struct hca_fn *fn, uint32_t key, uint64_t va, void *data, size_t len)
{
	struct hca_mkey *found = mkey_for(fn, key, va, len);

	if (!found || !found->can_read)
		return false;
	if (found->direct)
		return hca_dma_read(fn, va, data, len);
	return hca_pages_read(fn, &found->pages, va - found->start, data, len);
}

bool hca_mkey_write(struct hca_fn *fn, uint32_t key, uint64_t va, const void *data, size_t len)
{
	struct hca_mkey *found = mkey_for(fn, key, va, len);

	if (!found || !found->can_write)
		return false;
	if (found->direct)
		return hca_dma_write(fn, va, data, len);
	return hca_pages_write(fn, &found->pages, va - found->start, data, len);
}
