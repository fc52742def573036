// SPDX-License-Identifier: GPL-2.0-only
/*
 * Invariants of a scanned config space, for tests and fuzzer alike. The image,
 * the map and the windows are neighbours in one struct, where a sanitizer does
 * not see one run into the next; therefore they are checked here.
 */
#include <stdlib.h>

#include "view.h"

/* Every window inside the config space, every dword in a window that is there */
const char *view_windows(const struct vfio_cfg *cfg)
{
	unsigned int size = cfg->facts.size;

	if (!cfg->nr_windows || cfg->nr_windows > VFIO_CFG_MAX_WINDOWS)
		return "number of windows";
	for (unsigned int i = 1; i < cfg->nr_windows; i++) {
		const struct vfio_cfg_window *win = &cfg->windows[i];
		unsigned int end = win->start + win->len;

		if (!win->cap)
			return "a window without a capability";
		if (end > size)
			return "a window leaves the config space";
		if (win->start && win->start < PCI_STD_HEADER_SIZEOF)
			return "a window in the header";
		if (win->start < PCI_CFG_SPACE_SIZE && end > PCI_CFG_SPACE_SIZE)
			return "a standard capability reaches into extended space";
	}
	for (unsigned int pos = 0; pos < size; pos += 4) {
		const struct vfio_cfg_window *win;

		if (cfg->map[pos / 4] >= cfg->nr_windows)
			return "a dword in a window that does not exist";
		win = &cfg->windows[cfg->map[pos / 4]];
		if (!cfg->map[pos / 4])
			continue;
		if (pos + 4 <= win->start || pos >= win->start + win->len)
			return "a dword mapped to a window elsewhere";
	}
	return NULL;
}

/* Every width at every offset gives the same bytes */
static const char *check_widths(struct bench *b, unsigned int pos,
				unsigned int end)
{
	for (; pos < end; pos += 2) {
		u32 bytes = bench_read(b, pos, 1) | bench_read(b, pos + 1, 1) << 8;
		unsigned int chunk = vfio_cfg_chunk(&b->cfg, pos, 4);

		if (chunk >= 2 && bench_read(b, pos, 2) != bytes)
			return "a word and its bytes differ";
		if (chunk < 4)
			continue;
		bytes |= bench_read(b, pos + 2, 1) << 16;
		bytes |= bench_read(b, pos + 3, 1) << 24;
		if (bench_read(b, pos, 4) != bytes)
			return "a dword and its bytes differ";
	}
	return NULL;
}

/* The pieces of a long access: aligned, and never past what was asked for */
static const char *check_chunks(struct bench *b, unsigned int pos,
				unsigned int end)
{
	for (; pos < end; pos++) {
		for (unsigned int count = 1; count <= 5 && pos + count <= end; count++) {
			unsigned int len = vfio_cfg_chunk(&b->cfg, pos, count);

			if (len != 1 && len != 2 && len != 4)
				return "a piece of an odd length";
			if (len > count || pos & (len - 1))
				return "a piece too long or not aligned";
		}
	}
	return NULL;
}

/* What is in the lists is not hidden, and the lists end */
const char *view_chains(struct bench *b)
{
	struct bench_cap caps[BENCH_MAX_CAPS];
	int nr = bench_std_chain(b, caps);

	if (nr < 0)
		return "the list of standard capabilities is malformed";
	while (nr--)
		if (!vfio_cfg_std_cap(caps[nr].id))
			return "a hidden standard capability is in the list";
	if (b->cfg.facts.size <= PCI_CFG_SPACE_SIZE)
		return NULL;
	nr = bench_ext_chain(b, caps);
	if (nr < 0)
		return "the list of extended capabilities is malformed";
	while (nr-- > 0)
		if (!vfio_cfg_ext_cap(caps[nr].id))
			return "a hidden extended capability is in the list";
	return NULL;
}

const char *view_range(struct bench *b, unsigned int from, unsigned int to)
{
	return view_windows(&b->cfg) ?: check_chunks(b, from, to) ?:
	       check_widths(b, from, to) ?: view_chains(b);
}

const char *view_check(struct bench *b)
{
	return view_range(b, 0, b->cfg.facts.size);
}
