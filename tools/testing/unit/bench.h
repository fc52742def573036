/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A simulated PCI function: config space with writable and write-one-to-clear
 * masks, and the vfio_cfg_dev_*() hooks, all of which leave a trace in one log
 * so that a test can check what happened and in which order.
 */
#ifndef UNIT_BENCH_H
#define UNIT_BENCH_H

#include "cfg.h"

#define BENCH_EVENTS	256
#define BENCH_VPD_SIZE	256
#define BENCH_MAX_CAPS	256

enum bench_kind {
	BENCH_READ,
	BENCH_WRITE,
	BENCH_LOCK,
	BENCH_UNLOCK,
	BENCH_INTX,
	BENCH_POWER,
	BENCH_FLR,
	BENCH_VPD,
	BENCH_READRQ,
	BENCH_NOTE,
	BENCH_KINDS,
};

/* @pos, @len and @val carry whatever arguments the hook of @kind has */
struct bench_event {
	enum bench_kind	kind;
	u32		pos;
	u32		len;
	u32		val;
};

/**
 * struct bench - one function and what happened to it
 * @cfg: what the engine works on
 * @hw: registers
 * @wmask: bits that a write changes
 * @w1c: bits that writing a one clears
 * @vpd: vital product data
 * @log: the first BENCH_EVENTS events
 * @nr_events: all events, also those that found no place in @log
 * @count: events by kind
 * @fail_at: this hardware access fails, counted from 1; 0 for none
 * @fail_on: this and all later accesses fail
 * @ret: what the hook of each kind returns
 * @msi_active: vfio_cfg_dev_msi_hold() says so
 * @msi_qmax: log2 of the vectors enabled
 * @pm_pos: PM capability whose PMCSR follows the power hook; 0 for none
 * @msi_held: the MSI state is held
 * @locked: the memory lock is held
 * @strict: hook rules that only hold after the scan
 * @last_std: link byte that the next standard capability is hooked to
 * @last_ext: header that the next extended capability is hooked to
 */
struct bench {
	struct vfio_cfg		cfg;
	u8			hw[VFIO_CFG_SIZE];
	u8			wmask[VFIO_CFG_SIZE];
	u8			w1c[VFIO_CFG_SIZE];
	u8			vpd[BENCH_VPD_SIZE];
	struct bench_event	log[BENCH_EVENTS];
	unsigned int		nr_events;
	unsigned int		count[BENCH_KINDS];
	unsigned int		accesses;
	unsigned int		fail_at;
	bool			fail_on;
	int			ret[BENCH_KINDS];
	bool			msi_active;
	unsigned int		msi_qmax;
	u16			pm_pos;
	bool			msi_held;
	bool			locked;
	bool			strict;
	u16			last_std;
	u16			last_ext;
};

/* One capability as a user of the virtual config space finds it */
struct bench_cap {
	u16	id;
	u16	pos;
};

/* Called when a rule of the interface is broken; does not return */
extern void (*bench_violation)(const char *what);

void bench_init(struct bench *b, unsigned int size);
void bench_add_std(struct bench *b, unsigned int pos, unsigned int id);
void bench_add_ext(struct bench *b, unsigned int pos, unsigned int id);
void bench_add_exp(struct bench *b, unsigned int pos, unsigned int flags);
void bench_set(struct bench *b, unsigned int pos, unsigned int len, u32 val);
u32 bench_get(const struct bench *b, unsigned int pos, unsigned int len);
void bench_bar(struct bench *b, unsigned int bar, u64 size, u32 type);
void bench_all_writable(struct bench *b);
void bench_reset_hw(struct bench *b);
int bench_scan(struct bench *b);
void bench_forget(struct bench *b);
const struct bench_event *bench_find(const struct bench *b,
				     enum bench_kind kind);
int bench_index(const struct bench *b, enum bench_kind kind, u32 pos);

/* What a user does and sees */
u32 bench_read(struct bench *b, unsigned int pos, unsigned int len);
void bench_write(struct bench *b, unsigned int pos, unsigned int len, u32 val);
int bench_std_chain(struct bench *b, struct bench_cap *caps);
int bench_ext_chain(struct bench *b, struct bench_cap *caps);

#endif /* UNIT_BENCH_H */
