// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hooks of cfg.h for the simulated function. Each checks its arguments,
 * so that every test and the fuzzer check them too.
 */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include "bench.h"

static struct bench *to_bench(struct vfio_cfg *cfg)
{
	return (struct bench *)((char *)cfg - offsetof(struct bench, cfg));
}

static void require(bool ok, const char *what)
{
	if (!ok)
		bench_violation(what);
}

static int record(struct bench *b, enum bench_kind kind, u32 pos, u32 len,
		  u32 val)
{
	if (b->nr_events < BENCH_EVENTS)
		b->log[b->nr_events] = (struct bench_event){ kind, pos, len, val };
	b->nr_events++;
	b->count[kind]++;
	return b->ret[kind];
}

static int access(struct bench *b, unsigned int pos, unsigned int len)
{
	require(len == 1 || len == 2 || len == 4, "register of an odd length");
	require(!(pos & (len - 1)), "register not aligned");
	require(pos < b->cfg.facts.size && len <= b->cfg.facts.size - pos,
		"register past the end of config space");
	b->accesses++;
	if (!b->fail_at)
		return 0;
	if (b->accesses == b->fail_at ||
	    (b->fail_on && b->accesses > b->fail_at))
		return -EIO;
	return 0;
}

int vfio_cfg_dev_read(struct vfio_cfg *cfg, unsigned int pos,
		      unsigned int len, u32 *val)
{
	struct bench *b = to_bench(cfg);
	int ret = access(b, pos, len);

	*val = ret ? 0xffffffffU >> (32 - 8 * len) : bench_get(b, pos, len);
	record(b, BENCH_READ, pos, len, *val);
	return ret;
}

static bool covers(unsigned int pos, unsigned int len, unsigned int reg)
{
	return pos <= reg && reg < pos + len;
}

int vfio_cfg_dev_write(struct vfio_cfg *cfg, unsigned int pos,
		       unsigned int len, u32 val)
{
	struct bench *b = to_bench(cfg);
	int ret = access(b, pos, len);

	record(b, BENCH_WRITE, pos, len, val);
	if (b->strict && covers(pos, len, PCI_COMMAND))
		require(b->locked, "COMMAND written without the memory lock");
	if (ret)
		return ret;
	for (unsigned int i = 0; i < len; i++) {
		u8 *reg = &b->hw[pos + i];
		u8 mask = b->wmask[pos + i] & ~b->w1c[pos + i];
		u8 byte = val >> (8 * i);

		*reg = (*reg & ~mask) | (byte & mask);
		*reg &= ~(byte & b->w1c[pos + i]);
	}
	return 0;
}

/* What holders of the memory lock go by: kept in the events of the lock */
static u16 command(const struct vfio_cfg *cfg)
{
	return cfg->image[PCI_COMMAND] | cfg->image[PCI_COMMAND + 1] << 8;
}

void vfio_cfg_dev_memory_lock(struct vfio_cfg *cfg, bool revoke)
{
	struct bench *b = to_bench(cfg);

	require(!b->locked, "memory lock taken twice");
	b->locked = true;
	record(b, BENCH_LOCK, 0, command(cfg), revoke);
}

void vfio_cfg_dev_memory_unlock(struct vfio_cfg *cfg)
{
	struct bench *b = to_bench(cfg);

	require(b->locked, "memory lock dropped but not held");
	b->locked = false;
	record(b, BENCH_UNLOCK, 0, command(cfg), 0);
}

void vfio_cfg_dev_intx_disable(struct vfio_cfg *cfg, bool disable)
{
	struct bench *b = to_bench(cfg);

	/* Masking takes igate, which is outside of the memory lock */
	require(!b->locked, "INTx masked with the memory lock held");
	record(b, BENCH_INTX, 0, 0, disable);
}

int vfio_cfg_dev_power(struct vfio_cfg *cfg, unsigned int state)
{
	struct bench *b = to_bench(cfg);
	int ret = record(b, BENCH_POWER, 0, 0, state);

	require(state <= PCI_PM_CTRL_STATE_MASK, "power state does not exist");
	require(!b->locked, "the power hook takes the memory lock itself");
	if (!ret && b->pm_pos) {
		u8 *pmcsr = &b->hw[b->pm_pos + PCI_PM_CTRL];

		*pmcsr = (*pmcsr & ~PCI_PM_CTRL_STATE_MASK) | state;
	}
	return ret;
}

int vfio_cfg_dev_flr(struct vfio_cfg *cfg)
{
	struct bench *b = to_bench(cfg);

	require(!b->locked, "the reset hook takes the memory lock itself");
	return record(b, BENCH_FLR, 0, 0, 0);
}

int vfio_cfg_dev_vpd(struct vfio_cfg *cfg, unsigned int addr, u32 *val,
		     bool write)
{
	struct bench *b = to_bench(cfg);
	int ret;

	require(addr <= PCI_VPD_ADDR_MASK && !(addr & 3), "VPD address");
	ret = record(b, BENCH_VPD, addr, write, write ? *val : 0);
	if (ret)
		return ret;
	for (unsigned int i = 0; i < 4; i++) {
		u8 *byte = &b->vpd[(addr + i) % BENCH_VPD_SIZE];

		if (write)
			*byte = *val >> (8 * i);
		else
			*val = i ? *val | (u32)*byte << (8 * i) : *byte;
	}
	return 0;
}

int vfio_cfg_dev_readrq(struct vfio_cfg *cfg, unsigned int bytes)
{
	struct bench *b = to_bench(cfg);

	require(bytes >= 128 && bytes <= 16384 && !(bytes & (bytes - 1)),
		"read request size does not exist");
	return record(b, BENCH_READRQ, 0, 0, bytes);
}

bool vfio_cfg_dev_msi_hold(struct vfio_cfg *cfg, unsigned int *qmax)
{
	struct bench *b = to_bench(cfg);

	/* What is held is igate, which is outside of the memory lock */
	require(!b->locked, "MSI held with the memory lock held");
	require(!b->msi_held, "MSI held twice");
	b->msi_held = true;
	*qmax = b->msi_qmax;
	return b->msi_active;
}

void vfio_cfg_dev_msi_release(struct vfio_cfg *cfg)
{
	struct bench *b = to_bench(cfg);

	require(b->msi_held, "MSI released but not held");
	b->msi_held = false;
}

void vfio_cfg_dev_note(struct vfio_cfg *cfg, const char *fmt, ...)
{
	struct bench *b = to_bench(cfg);
	char line[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	require(line[0], "an empty note");
	record(b, BENCH_NOTE, 0, 0, 0);
}
