// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Life of a function, and its accesses to the host's memory: each through its own
 * IOMMU mapping.
 */
#include "hca.h"
#include "qemu/host-utils.h"

/* --- memory of the host -------------------------------------------------------- */

bool hca_dma_read(struct hca_fn *fn, uint64_t addr, void *data, size_t len)
{
	return pci_dma_read(fn->pci, addr, data, len) == MEMTX_OK;
}

bool hca_dma_write(struct hca_fn *fn, uint64_t addr, const void *data, size_t len)
{
	if (pci_dma_write(fn->pci, addr, data, len) != MEMTX_OK)
		return false;
	hca_tracker_dma(fn, addr, len);
	return true;
}

/* @count addresses at @at of the input, or none of them if it is too short. */
bool hca_pages_init(struct hca_pages *pages, const struct hca_cmd *cmd, size_t at, size_t count)
{
	size_t i;

	if (count > HCA_PAGE * 64 || cmd->in_len < at + count * 8)
		return false;
	pages->pas = g_new(uint64_t, MAX(count, 1));
	pages->count = count;
	for (i = 0; i < count; i++)
		pages->pas[i] = ldq_be_p(cmd->in + at + i * 8) & ~(uint64_t)(HCA_PAGE - 1);
	return true;
}

void hca_pages_free(struct hca_pages *pages)
{
	g_clear_pointer(&pages->pas, g_free);
	pages->count = 0;
}

/* Length of what starts at @pos and ends with the page; 0 beyond the last. */
static size_t piece(const struct hca_pages *pages, uint64_t pos, size_t len, uint64_t *addr)
{
	uint64_t size = 1ull << pages->shift, page = pos >> pages->shift;

	if (page >= pages->count)
		return 0;
	pos &= size - 1;
	*addr = pages->pas[page] + pos;
	return MIN(len, size - pos);
}

bool hca_pages_read(struct hca_fn *fn, const struct hca_pages *pages, uint64_t pos, void *data,
		    size_t len)
{
	uint64_t addr;
	size_t part;

	for (; len; pos += part, data = (char *)data + part, len -= part) {
		part = piece(pages, pos, len, &addr);
		if (!part || !hca_dma_read(fn, addr, data, part))
			return false;
	}
	return true;
}

bool hca_pages_write(struct hca_fn *fn, const struct hca_pages *pages, uint64_t pos,
		     const void *data, size_t len)
{
	uint64_t addr;
	size_t part;

	for (; len; pos += part, data = (const char *)data + part, len -= part) {
		part = piece(pages, pos, len, &addr);
		if (!part || !hca_dma_write(fn, addr, data, part))
			return false;
	}
	return true;
}

/* --- life ------------------------------------------------------------------------ */

void hca_fn_init(struct hca_fn *fn, struct hca *hca, unsigned int nr)
{
	fn->hca = hca;
	fn->nr = nr;
	fn->pages = g_array_new(false, false, sizeof(uint64_t));
	hca_cmd_init(fn);
	hca_work_init(fn);
}

void hca_fn_realize(struct hca_fn *fn, PCIDevice *pci)
{
	fn->pci = pci;
	memory_region_init_io(&fn->bar, OBJECT(pci), &hca_bar_ops, fn, "hca-bar", HCA_BAR_SIZE);
	if (!hca_is_pf(fn))
		hca_work_realize(fn);
}

unsigned int hca_fn_clear(struct hca_fn *fn)
{
	unsigned int i, count = 0;

	for (i = 0; i <= HCA_LIVE_TRACKER; i++) {
		count += fn->counter[i];
		fn->counter[i] = 0;
	}
	if (hca_is_pf(fn))
		hca_tracker_clear(fn->hca);
	for (i = 0; i < HCA_CQS; i++)
		hca_pages_free(&fn->cq[i].pages);
	for (i = 0; i < HCA_QPS; i++)
		hca_pages_free(&fn->qp[i].pages);
	for (i = 0; i < HCA_MKEYS; i++)
		hca_pages_free(&fn->mkey[i].pages);
	memset(fn->cq, 0, sizeof(fn->cq));
	memset(fn->qp, 0, sizeof(fn->qp));
	memset(fn->mkey, 0, sizeof(fn->mkey));
	memset(fn->pd, 0, sizeof(fn->pd));
	memset(fn->iface.eq, 0, sizeof(fn->iface.eq));
	memset(fn->iface.uars, 0, sizeof(fn->iface.uars));
	return count;
}

void hca_fn_recount(struct hca_fn *fn)
{
	unsigned int i;

	fn->counter[HCA_LIVE_EQ] = 0;
	fn->counter[HCA_LIVE_UAR] = 0;
	for (i = 0; i < HCA_EQS; i++)
		fn->counter[HCA_LIVE_EQ] += fn->iface.eq[i].used;
	for (i = 0; i < ARRAY_SIZE(fn->iface.uars); i++)
		fn->counter[HCA_LIVE_UAR] += ctpop32(fn->iface.uars[i]);
}

/* Pages stay: it is the PF's driver that gave them. */
void hca_fn_reset(struct hca_fn *fn)
{
	hca_cmd_abort(fn);
	hca_fn_clear(fn);
	memset(&fn->iface, 0, sizeof(fn->iface));
	hca_vhca_reset(fn);
	hca_work_reset(fn);
	fn->counter[HCA_RESETS]++;
}

void hca_reset(struct hca *hca)
{
	unsigned int nr;

	for (nr = 0; nr < HCA_FNS; nr++) {
		hca_fn_reset(&hca->fn[nr]);
		hca->fn[nr].enabled = false;
		g_array_set_size(hca->fn[nr].pages, 0);
		hca->fn[nr].counter[HCA_LIVE_PAGES] = 0;
	}
}
