// SPDX-License-Identifier: GPL-2.0-only
/*
 * The simulated function, and the user's side of its virtual config space.
 * The hooks that the engine calls are in bench_dev.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

static void die(const char *what)
{
	fprintf(stderr, "violation: %s\n", what);
	abort();
}

void (*bench_violation)(const char *what) = die;

/* Registers in the byte order of config space, whatever the host's is */
void bench_set(struct bench *b, unsigned int pos, unsigned int len, u32 val)
{
	for (unsigned int i = 0; i < len; i++)
		b->hw[pos + i] = val >> (8 * i);
}

u32 bench_get(const struct bench *b, unsigned int pos, unsigned int len)
{
	u32 val = 0;

	for (unsigned int i = 0; i < len; i++)
		val |= (u32)b->hw[pos + i] << (8 * i);
	return val;
}

/* The standard header of an endpoint, with the bits a device lets one write */
void bench_init(struct bench *b, unsigned int size)
{
	memset(b, 0, sizeof(*b));
	b->cfg.facts.size = size;
	b->cfg.facts.vendor = 0x1234;
	b->cfg.facts.device = 0x5678;
	bench_set(b, PCI_VENDOR_ID, 4, 0x56781234);
	bench_set(b, PCI_CLASS_REVISION, 4, 0xff000001);
	bench_set(b, PCI_INTERRUPT_PIN, 1, 1);
	bench_set(b, PCI_SUBSYSTEM_VENDOR_ID, 4, 0x43218765);

	b->wmask[PCI_COMMAND] = 0x47;
	b->wmask[PCI_COMMAND + 1] = 0x05;
	b->wmask[PCI_CACHE_LINE_SIZE] = 0xff;
	b->wmask[PCI_LATENCY_TIMER] = 0xff;
	b->wmask[PCI_INTERRUPT_LINE] = 0xff;
	b->last_std = PCI_CAPABILITY_LIST;
}

/* BARs as a device has them: the size is in the bits that cannot be written */
void bench_bar(struct bench *b, unsigned int bar, u64 size, u32 type)
{
	unsigned int pos = bar == VFIO_CFG_ROM ? PCI_ROM_ADDRESS :
			   PCI_BASE_ADDRESS_0 + 4 * bar;
	u64 mask = ~(size - 1);
	bool wide = bar != VFIO_CFG_ROM && !(type & 1) &&
		    (type & PCI_BASE_ADDRESS_MEM_TYPE_64);

	if (bar == VFIO_CFG_ROM)
		mask |= PCI_ROM_ADDRESS_ENABLE;
	for (unsigned int i = 0; i < (wide ? 8 : 4); i++)
		b->wmask[pos + i] = mask >> (8 * i);
	b->hw[pos] |= type;
	b->cfg.facts.bar[bar].size = size;
	b->cfg.facts.bar[bar].type = type;
}

void bench_add_std(struct bench *b, unsigned int pos, unsigned int id)
{
	b->hw[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
	b->hw[b->last_std] = pos;
	b->hw[pos + PCI_CAP_LIST_ID] = id;
	b->hw[pos + PCI_CAP_LIST_NEXT] = 0;
	b->last_std = pos + PCI_CAP_LIST_NEXT;
}

void bench_add_ext(struct bench *b, unsigned int pos, unsigned int id)
{
	if (b->last_ext) {
		u32 prev = bench_get(b, b->last_ext, 4);

		bench_set(b, b->last_ext, 4, (prev & 0xfffff) | pos << 20);
	}
	bench_set(b, pos, 4, id | 1 << 16);
	b->last_ext = pos;
}

void bench_add_exp(struct bench *b, unsigned int pos, unsigned int flags)
{
	bench_add_std(b, pos, PCI_CAP_ID_EXP);
	bench_set(b, pos + PCI_EXP_FLAGS, 2, flags);
}

void bench_all_writable(struct bench *b)
{
	memset(b->wmask, 0xff, sizeof(b->wmask));
	memset(b->w1c, 0, sizeof(b->w1c));
}

/* A function level reset: decode off, addresses gone */
void bench_reset_hw(struct bench *b)
{
	bench_set(b, PCI_COMMAND, 2, 0);
	for (unsigned int pos = PCI_BASE_ADDRESS_0; pos <= PCI_BASE_ADDRESS_5; pos += 4)
		bench_set(b, pos, 4, b->hw[pos] & 0xf & ~b->wmask[pos]);
	bench_set(b, PCI_ROM_ADDRESS, 4, 0);
}

int bench_scan(struct bench *b)
{
	int ret;

	b->strict = false;
	ret = vfio_cfg_scan(&b->cfg);
	b->strict = true;
	return ret;
}

void bench_forget(struct bench *b)
{
	b->nr_events = 0;
	b->accesses = 0;
	memset(b->count, 0, sizeof(b->count));
}

static unsigned int logged(const struct bench *b)
{
	return b->nr_events < BENCH_EVENTS ? b->nr_events : BENCH_EVENTS;
}

/* First event of a kind, or NULL */
const struct bench_event *bench_find(const struct bench *b,
				     enum bench_kind kind)
{
	for (unsigned int i = 0; i < logged(b); i++)
		if (b->log[i].kind == kind)
			return &b->log[i];
	return NULL;
}

/* Place in the log of the first event of a kind at @pos, or -1 */
int bench_index(const struct bench *b, enum bench_kind kind, u32 pos)
{
	for (unsigned int i = 0; i < logged(b); i++)
		if (b->log[i].kind == kind && b->log[i].pos == pos)
			return i;
	return -1;
}

u32 bench_read(struct bench *b, unsigned int pos, unsigned int len)
{
	u32 val = 0x5a5a5a5a;

	if (vfio_cfg_read(&b->cfg, pos, len, &val) != (int)len)
		bench_violation("a plain read failed");
	if (len < 4 && val >> (8 * len))
		bench_violation("a read returned more bytes than asked for");
	return val;
}

void bench_write(struct bench *b, unsigned int pos, unsigned int len, u32 val)
{
	if (vfio_cfg_write(&b->cfg, pos, len, val) != (int)len)
		bench_violation("a plain write failed");
}

/*
 * The standard capabilities in the user's view; -1 if the list has a loop or
 * a pointer that a guest would have to distrust.
 */
int bench_std_chain(struct bench *b, struct bench_cap *caps)
{
	unsigned int pos, nr = 0;

	if (!(bench_read(b, PCI_STATUS, 2) & PCI_STATUS_CAP_LIST))
		return 0;
	pos = bench_read(b, PCI_CAPABILITY_LIST, 1);
	while (pos) {
		if (pos < PCI_STD_HEADER_SIZEOF || pos & 3 || nr == 48)
			return -1;
		caps[nr].id = bench_read(b, pos + PCI_CAP_LIST_ID, 1);
		caps[nr++].pos = pos;
		pos = bench_read(b, pos + PCI_CAP_LIST_NEXT, 1);
	}
	return nr;
}

/*
 * The extended ones; an entry of id 0 is a placeholder (PCIe 6.0, 7.9.28: the
 * null capability) and not reported, but must carry no version either.
 */
int bench_ext_chain(struct bench *b, struct bench_cap *caps)
{
	unsigned int steps = 0, nr = 0;
	unsigned int pos = PCI_CFG_SPACE_SIZE;

	while (pos) {
		u32 hdr;

		if (pos < PCI_CFG_SPACE_SIZE || pos & 3 || steps++ == BENCH_MAX_CAPS)
			return -1;
		hdr = bench_read(b, pos, 4);
		if (hdr == ~0U && pos == PCI_CFG_SPACE_SIZE)
			return 0;
		if (PCI_EXT_CAP_ID(hdr)) {
			caps[nr].id = PCI_EXT_CAP_ID(hdr);
			caps[nr++].pos = pos;
		} else if (PCI_EXT_CAP_VER(hdr) || pos != PCI_CFG_SPACE_SIZE) {
			return -1;
		}
		pos = hdr >> 20;
	}
	return nr;
}
