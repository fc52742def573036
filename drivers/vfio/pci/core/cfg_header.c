// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the config header does beyond storing bits: memory and I/O decode, the
 * sizes of BARs, and noticing that the device was reset behind our back.
 */
#include <linux/bits.h>
#include <linux/types.h>

#include "cfg.h"

#define DECODE		(PCI_COMMAND_IO | PCI_COMMAND_MEMORY)

/* The word at @reg of the window after the access, if it was @old before */
static u16 merge16(const struct vfio_cfg_access *acc, unsigned int reg, u16 old)
{
	unsigned int i, byte;

	for (i = 0; i < 2; i++) {
		byte = reg + i - acc->off;
		if (byte < acc->len) {
			old &= ~(0xff << (8 * i));
			old |= (acc->val >> (8 * byte) & 0xff) << (8 * i);
		}
	}
	return old;
}

/* ---- BARs ------------------------------------------------------------- */

static unsigned int bar_pos(unsigned int bar)
{
	return bar == VFIO_CFG_ROM ? PCI_ROM_ADDRESS :
				     PCI_BASE_ADDRESS_0 + 4 * bar;
}

static bool bar_is_64bit(const struct vfio_cfg *cfg, unsigned int bar)
{
	return cfg->facts.bar[bar].size &&
	       (cfg->facts.bar[bar].type &
		(PCI_BASE_ADDRESS_SPACE | PCI_BASE_ADDRESS_MEM_TYPE_MASK)) ==
	       PCI_BASE_ADDRESS_MEM_TYPE_64;
}

static bool bar_is_upper(const struct vfio_cfg *cfg, unsigned int bar)
{
	return bar > 0 && bar < VFIO_CFG_ROM && bar_is_64bit(cfg, bar - 1);
}

static bool bar_exists(const struct vfio_cfg *cfg, unsigned int bar)
{
	return cfg->facts.bar[bar].size || bar_is_upper(cfg, bar);
}

/*
 * The address bits above the size are the user's, those below read as zero:
 * that is how the size is found out (PCI 3.0, section 6.2.5.1).
 */
static u32 bar_settle(const struct vfio_cfg *cfg, unsigned int bar, u32 val)
{
	u64 size = cfg->facts.bar[bar].size;

	if (bar_is_upper(cfg, bar))
		return val & (u32)(-cfg->facts.bar[bar - 1].size >> 32);
	if (!size)
		return 0;
	if (bar == VFIO_CFG_ROM)
		return val & ((u32)-size | PCI_ROM_ADDRESS_ENABLE);

	return (val & (u32)-size) | cfg->facts.bar[bar].type;
}

static int bar_write(struct vfio_cfg_access *acc, unsigned int bar)
{
	struct vfio_cfg *cfg = acc->cfg;
	unsigned int pos = bar_pos(bar);
	int ret;

	ret = vfio_cfg_generic_write(acc);
	if (!ret)
		vfio_cfg_set(cfg, pos, 4,
			     bar_settle(cfg, bar, vfio_cfg_get(cfg, pos, 4)));

	return ret;
}

/* The BARs of a VF are in its PF; its own read as zero in hardware */
static int bars_init(struct vfio_cfg *cfg)
{
	unsigned int bar;
	int ret;

	for (bar = 0; bar < VFIO_CFG_NUM_BARS; bar++) {
		if (!bar_exists(cfg, bar))
			continue;
		if (!cfg->facts.is_vf) {
			ret = vfio_cfg_dev_read(cfg, bar_pos(bar), 4,
						&cfg->rbar[bar]);
			if (ret)
				return ret;
		}
		vfio_cfg_set(cfg, bar_pos(bar), 4,
			     bar_settle(cfg, bar, cfg->rbar[bar]));
	}
	return 0;
}

/*
 * Put back what a reset took: 1 if any BAR had changed, 0 if not, or an errno.
 * The ROM does not count, because the kernel writes its register whenever
 * somebody reads the ROM.
 */
static int bars_restore(struct vfio_cfg *cfg)
{
	unsigned int bar;
	int ret, lost = 0;
	u32 val;

	for (bar = 0; bar < VFIO_CFG_ROM; bar++) {
		if (!bar_exists(cfg, bar))
			continue;
		ret = vfio_cfg_dev_read(cfg, bar_pos(bar), 4, &val);
		if (ret)
			return ret;
		if (val == cfg->rbar[bar])
			continue;

		lost = 1;
		ret = vfio_cfg_dev_write(cfg, bar_pos(bar), 4, cfg->rbar[bar]);
		if (ret)
			return ret;
	}
	return lost;
}

static int rom_restore(struct vfio_cfg *cfg)
{
	if (!bar_exists(cfg, VFIO_CFG_ROM))
		return 0;

	return vfio_cfg_dev_write(cfg, PCI_ROM_ADDRESS, 4,
				  cfg->rbar[VFIO_CFG_ROM]);
}

/* ---- COMMAND ---------------------------------------------------------- */

/* The decode bits that the hardware of this function really has */
static u16 hw_decode(const struct vfio_cfg *cfg)
{
	if (cfg->facts.is_vf)
		return 0;

	return cfg->facts.mem_always_on ? PCI_COMMAND_IO : DECODE;
}

/*
 * A user can reset a device by means of its own, behind our back. It shows
 * when decode is off that should be on; while decode was off on purpose only
 * the BARs can tell, so look at them before it goes on again.
 *
 * Returns 1 if there was a reset, 0 if not, or an errno.
 */
static int command_recover(struct vfio_cfg *cfg, u16 old, u16 new, u16 hw)
{
	bool off = old & ~hw & hw_decode(cfg);
	int ret;

	if (!off && !(new & ~old & hw_decode(cfg)))
		return 0;

	ret = bars_restore(cfg);
	if (ret < 0)
		return ret;
	if (!ret && !off)
		return 0;

	vfio_cfg_dev_note(cfg, "found reset; BARs restored");
	ret = rom_restore(cfg);

	return ret ? ret : 1;
}

/*
 * DisINTx is in the high byte and belongs to the interrupt handler, which does
 * not wait for us: leave that byte alone unless it has to change, or a reset
 * took it from the handler.
 */
static int command_to_hw(struct vfio_cfg *cfg, u16 hw, u16 val, bool was_reset)
{
	if (was_reset || (val ^ hw) >> 8)
		return vfio_cfg_dev_write(cfg, PCI_COMMAND, 2, val);
	if (val != hw)
		return vfio_cfg_dev_write(cfg, PCI_COMMAND, 1, val & 0xff);

	return 0;
}

/* With the memory lock held */
static int command_apply(struct vfio_cfg_access *acc, u16 old, u16 new)
{
	struct vfio_cfg *cfg = acc->cfg;
	u16 keep = PCI_COMMAND_INTX_DISABLE, val;
	int ret, was_reset;
	u32 hw;

	if (cfg->facts.mem_always_on)
		keep |= PCI_COMMAND_MEMORY;

	ret = vfio_cfg_dev_read(cfg, PCI_COMMAND, 2, &hw);
	if (ret)
		return ret;

	was_reset = command_recover(cfg, old, new, hw);
	if (was_reset < 0)
		return was_reset;

	val = (merge16(acc, PCI_COMMAND, hw) & ~keep) | (hw & keep);
	if (was_reset &&
	    (cfg->facts.keep_disintx || (old & PCI_COMMAND_INTX_DISABLE)))
		val |= PCI_COMMAND_INTX_DISABLE;

	ret = command_to_hw(cfg, hw, val, was_reset);
	if (!ret)
		vfio_cfg_set(cfg, PCI_COMMAND, 2, new);

	return ret;
}

static int command_write(struct vfio_cfg_access *acc)
{
	struct vfio_cfg *cfg = acc->cfg;
	u16 old = vfio_cfg_get(cfg, PCI_COMMAND, 2);
	u16 new = merge16(acc, PCI_COMMAND, old);
	int ret;

	new &= DECODE | PCI_COMMAND_INTX_DISABLE;
	vfio_cfg_dev_memory_lock(cfg, old & ~new & PCI_COMMAND_MEMORY);
	ret = command_apply(acc, old, new);
	vfio_cfg_dev_memory_unlock(cfg);

	/* Takes the interrupt lock, which is outside the memory lock */
	if (!ret && (old ^ new) & PCI_COMMAND_INTX_DISABLE)
		vfio_cfg_dev_intx_disable(cfg, new & PCI_COMMAND_INTX_DISABLE);

	return ret;
}

/* ---- header ----------------------------------------------------------- */

/* VFs have no pin (PCIe 4.0, section 9.3.4.1.15), but these claim one */
static bool pin_is_known_bogus(const struct vfio_cfg_facts *facts)
{
	return facts->vendor == 0x8086 && facts->device == 0x270c;
}

static int interrupt_init(struct vfio_cfg *cfg)
{
	u32 pin;
	int ret;

	ret = vfio_cfg_load(cfg, PCI_INTERRUPT_LINE, 2);
	if (ret)
		return ret;

	pin = vfio_cfg_get(cfg, PCI_INTERRUPT_PIN, 1);
	if (pin && cfg->facts.is_vf && !pin_is_known_bogus(&cfg->facts))
		vfio_cfg_dev_note(cfg, "VF with interrupt pin %u; hidden", pin);
	if (cfg->facts.is_vf || cfg->facts.no_pin)
		vfio_cfg_set(cfg, PCI_INTERRUPT_PIN, 1, 0);

	return 0;
}

/**
 * vfio_cfg_header_init() - the image of the header, as the device is now
 * @cfg: the config space
 * @win: the header
 *
 * Return: 0, or the errno of a hardware access.
 */
int vfio_cfg_header_init(struct vfio_cfg *cfg,
			 const struct vfio_cfg_window *win)
{
	u32 cmd;
	int ret;

	ret = vfio_cfg_dev_read(cfg, PCI_COMMAND, 2, &cmd);
	if (ret)
		return ret;

	cmd &= DECODE | PCI_COMMAND_INTX_DISABLE;
	if (cfg->facts.mem_always_on)
		cmd |= PCI_COMMAND_MEMORY;
	vfio_cfg_set(cfg, win->start + PCI_COMMAND, 2, cmd);
	vfio_cfg_set(cfg, win->start + PCI_VENDOR_ID, 2, cfg->facts.vendor);
	vfio_cfg_set(cfg, win->start + PCI_DEVICE_ID, 2, cfg->facts.device);

	ret = interrupt_init(cfg);

	return ret ? ret : bars_init(cfg);
}

/**
 * vfio_cfg_header_read() - read the header
 * @acc: the access
 *
 * A function without a memory enable bit shows the user's.
 *
 * Return: 0, or the errno of the hardware access.
 */
int vfio_cfg_header_read(struct vfio_cfg_access *acc)
{
	int ret;

	ret = vfio_cfg_generic_read(acc);
	if (ret || !acc->cfg->facts.mem_always_on || acc->off != PCI_COMMAND)
		return ret;

	acc->val &= ~PCI_COMMAND_MEMORY;
	acc->val |= vfio_cfg_get(acc->cfg, PCI_COMMAND, 1) & PCI_COMMAND_MEMORY;

	return 0;
}

/**
 * vfio_cfg_header_write() - write the header
 * @acc: the access
 *
 * Context: Process context; takes the memory lock and the interrupt lock.
 * Return: 0, or the errno of the hardware access.
 */
int vfio_cfg_header_write(struct vfio_cfg_access *acc)
{
	if (vfio_cfg_touches(acc, PCI_COMMAND, 2))
		return command_write(acc);
	if (vfio_cfg_touches(acc, PCI_BASE_ADDRESS_0, 4 * VFIO_CFG_ROM))
		return bar_write(acc, (acc->off - PCI_BASE_ADDRESS_0) / 4);
	if (vfio_cfg_touches(acc, PCI_ROM_ADDRESS, 4))
		return bar_write(acc, VFIO_CFG_ROM);

	return vfio_cfg_generic_write(acc);
}
