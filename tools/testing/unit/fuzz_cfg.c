// SPDX-License-Identifier: GPL-2.0-only
/*
 * A random device and a random user. The first bytes of the input say what the
 * device is, then comes its config space, sparsely, then what the user does.
 * The bench checks each hook, view.c the result of the scan.
 */
#include <stdlib.h>
#include <string.h>

#include "view.h"

struct input {
	const u8	*data;
	size_t		left;
};

static u32 take(struct input *in, unsigned int len)
{
	u32 val = 0;

	while (len-- && in->left) {
		val = val << 8 | *in->data++;
		in->left--;
	}
	return val;
}

static void require(const char *wrong)
{
	if (wrong)
		bench_violation(wrong);
}

static void facts(struct bench *b, struct input *in)
{
	u8 flags = take(in, 1);

	bench_init(b, flags & 1 ? 4096 : 256);
	b->cfg.facts.is_vf = flags & 2;
	b->cfg.facts.mem_always_on = flags & 2;
	b->cfg.facts.no_pin = flags & 4;
	b->cfg.facts.keep_disintx = flags & 8;
	b->msi_active = flags & 16;
	b->msi_qmax = flags >> 5 < 5 ? flags >> 5 : 5;
	for (unsigned int bar = 0; bar < VFIO_CFG_NUM_BARS; bar++) {
		u8 kind = take(in, 1);
		u32 type = bar == VFIO_CFG_ROM ? 0 : kind >> 6 == 1 ? 1 :
			   kind >> 6 == 2 && bar < 5 ? 0xc : 0;

		if (kind & 0x20)
			bench_bar(b, bar, 1ULL << (11 + (kind & 0x0f)), type);
		if (kind & 0x20 && type == 0xc)
			bar++;
	}
}

/* Dwords at places of the input's choice, or a whole list of capabilities */
static void registers(struct bench *b, struct input *in)
{
	unsigned int size = b->cfg.facts.size;
	unsigned int nr = take(in, 1) % 64;

	memset(b->hw + 0x40, take(in, 1), size - 0x40);
	b->hw[PCI_STATUS] = 0x10;
	b->hw[PCI_CAPABILITY_LIST] = take(in, 1);
	while (nr-- && in->left) {
		unsigned int pos = (take(in, 2) & ~3) % size;

		if (pos >= 0x40)
			bench_set(b, pos, 4, take(in, 4));
		else if (take(in, 1) & 1)
			bench_add_std(b, 0x40 + (take(in, 1) & 0x2f) * 4, take(in, 1) & 0x1f);
		else if (size == 4096)
			bench_add_ext(b, 0x100 + (take(in, 2) & 0x3bf) * 4, take(in, 1) & 0x3f);
	}
	for (unsigned int i = 0x40; i < size; i++)
		b->wmask[i] = 0xff;
}

/* What holds after every access, whatever it was */
static void invariants(struct bench *b)
{
	const struct vfio_cfg *cfg = &b->cfg;
	u16 command = bench_read(b, PCI_COMMAND, 2);

	if (b->locked || b->msi_held)
		bench_violation("a lock was left behind");
	if ((vfio_cfg_get(cfg, PCI_COMMAND, 2) ^ command) & PCI_COMMAND_MEMORY)
		bench_violation("the user sees another memory bit than the lock's holders");
	if ((vfio_cfg_get(cfg, PCI_COMMAND, 2) ^ command) & PCI_COMMAND_INTX_DISABLE)
		bench_violation("DisINTx is not virtual");
	for (unsigned int bar = 0; bar < VFIO_CFG_ROM; bar++) {
		u32 val = bench_read(b, PCI_BASE_ADDRESS_0 + 4 * bar, 4);
		u64 size = cfg->facts.bar[bar].size;

		if (size && (val & (u32)(size - 1)) != cfg->facts.bar[bar].type)
			bench_violation("a BAR without its type");
	}
}

/* One access; with @fail the hardware does not answer */
static void access_one(struct bench *b, struct input *in)
{
	u8 op = take(in, 1);
	unsigned int pos = take(in, 2) % (b->cfg.facts.size + 8);
	unsigned int len = vfio_cfg_chunk(&b->cfg, pos, 1 << (op & 3));
	bool fail = (op & 0x70) == 0x70;
	u8 id[2], hw[0x30];
	u32 val;
	int ret;

	if (op & 4)
		len = op & 8 ? 4 : 2;
	memcpy(id, b->cfg.image + PCI_VENDOR_ID, 2);
	memcpy(hw, b->hw + 0x10, sizeof(hw));
	bench_forget(b);
	b->fail_at = fail;
	b->fail_on = fail;
	if (op & 0x80)
		ret = vfio_cfg_read(&b->cfg, pos, len, &val);
	else
		ret = vfio_cfg_write(&b->cfg, pos, len, take(in, len <= 4 ? len : 4));
	b->fail_at = 0;
	if (ret < 0 && ret != -5 && ret != -14 && ret != -22)
		bench_violation("an errno that nobody announced");
	if (ret > 0 && ((unsigned int)ret > len || ret > 4))
		bench_violation("more was done than asked for");
	if (memcmp(id, b->cfg.image + PCI_VENDOR_ID, 2))
		bench_violation("the vendor id changed");
	if (memcmp(hw, b->hw + 0x10, 0x24))
		bench_violation("a BAR was written to the hardware");
	if (op & 0x80 && b->count[BENCH_WRITE])
		bench_violation("a read wrote to the hardware");
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct input in = { data, size };
	static struct bench b;

	facts(&b, &in);
	registers(&b, &in);
	if (bench_scan(&b))
		return 0;
	if (b.count[BENCH_WRITE])
		bench_violation("the scan wrote to the hardware");
	require(view_windows(&b.cfg));
	require(view_chains(&b));
	while (in.left >= 3) {
		access_one(&b, &in);
		invariants(&b);
	}
	require(view_windows(&b.cfg));
	return 0;
}
