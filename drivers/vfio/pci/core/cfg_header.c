// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the config header does beyond storing bits: memory and I/O decode, and
 * noticing that the device was reset behind our back.
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

	ret = vfio_cfg_bars_restore(cfg);
	if (ret < 0)
		return ret;
	if (!ret && !off)
		return 0;

	vfio_cfg_dev_note(cfg, "found reset; BARs restored");
	ret = vfio_cfg_rom_restore(cfg);

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

	return ret ? ret : vfio_cfg_bars_init(cfg);
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
		return vfio_cfg_bar_write(acc, (acc->off - PCI_BASE_ADDRESS_0) / 4);
	if (vfio_cfg_touches(acc, PCI_ROM_ADDRESS, 4))
		return vfio_cfg_bar_write(acc, VFIO_CFG_ROM);

	return vfio_cfg_generic_write(acc);
}
