/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images of a VHCA. One is a whole, or what changed since the one before; it is
 * saved as a single piece, or as several when the reader asked for chunks. Each
 * piece says where it belongs, so that loading them in the wrong order fails.
 */
#ifndef LAB_HCA_IMAGE_H
#define LAB_HCA_IMAGE_H

#include "hca.h"

/**
 * struct hca_save - SAVE_VHCA_STATE
 * @pf:		whose memory key it is
 * @fn:		what to save
 * @incremental: only what changed since the image before
 * @track:	watch what changes from now on
 * @va:		where to
 * @mkey:	in the memory of this key
 * @size:	so much room there is
 * @actual:	so much it took
 * @next:	so much room the next piece needs, 0 if this was the last
 */
struct hca_save {
	struct hca_fn *pf, *fn;
	bool incremental, track;
	uint64_t va;
	uint32_t mkey, size, actual, next;
};

bool hca_image_continues(const struct hca_fn *fn, bool incremental);
uint64_t hca_image_total(const struct hca_fn *fn, bool incremental);
uint32_t hca_image_next_size(const struct hca_fn *fn, bool incremental);
uint32_t hca_image_save(struct hca_save *save);
uint32_t hca_image_load(struct hca_fn *fn, const uint8_t *data, uint32_t size);
/* Some pieces of an image were loaded, but not all. */
bool hca_image_is_partial(const struct hca_vhca *vhca);
void hca_image_drop(struct hca_vhca *vhca);

#endif
