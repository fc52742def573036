/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The golden tables: what each byte of each capability must do, as text that
 * was written from the interface's description and not from the engine.
 */
#ifndef UNIT_GOLDEN_H
#define UNIT_GOLDEN_H

#include "bench.h"

#define GOLDEN_MAX_LEN	64
#define GOLDEN_MAX_CAPS	64
#define GOLDEN_CAP_POS	0x50
#define GOLDEN_EXT_POS	0x140

enum golden_kind {
	GOLDEN_HDR,
	GOLDEN_STD,
	GOLDEN_EXT,
};

struct golden_byte {
	u8	virt;
	u8	write;
	u8	trap;
	u8	mirror;
	bool	any_virt;
	bool	seen;
};

struct golden_cap {
	enum golden_kind	kind;
	unsigned int		id;
	char			name[24];
	unsigned int		len;
	u8			set[GOLDEN_MAX_LEN];
	u8			set_mask[GOLDEN_MAX_LEN];
	struct golden_byte	byte[GOLDEN_MAX_LEN];
};

extern struct golden_cap golden_caps[GOLDEN_MAX_CAPS];
extern unsigned int golden_nr;

int golden_load(const char *path);
unsigned int golden_pos(const struct golden_cap *cap);
void golden_bench(struct bench *b, const struct golden_cap *cap);

#endif /* UNIT_GOLDEN_H */
