// SPDX-License-Identifier: GPL-2.0-only
/*
 * Base address registers: sizes that software finds out by writing, and real
 * values that come back after a reset.
 */
#include <linux/types.h>

#include "cfg.h"

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

/**
 * vfio_cfg_bar_write() - write to a BAR
 * @acc: the access
 * @bar: which one; VFIO_CFG_ROM is the expansion ROM's
 *
 * Return: 0, or the errno of the hardware access.
 */
int vfio_cfg_bar_write(struct vfio_cfg_access *acc, unsigned int bar)
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

/**
 * vfio_cfg_bars_init() - the image of the BARs, as the device is now
 * @cfg: the config space
 *
 * The BARs of a VF are in its PF; its own read as zero in hardware.
 *
 * Return: 0, or the errno of a hardware access.
 */
int vfio_cfg_bars_init(struct vfio_cfg *cfg)
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

/**
 * vfio_cfg_bars_restore() - put back what a reset took
 * @cfg: the config space
 *
 * The ROM does not count, because the kernel writes its register whenever
 * somebody reads the ROM.
 *
 * Context: Process context, memory lock held for writing. Needs nothing of @cfg
 * but what is constant while the device is open.
 * Return: 1 if any BAR had changed, 0 if not, or the errno of a hardware access.
 */
int vfio_cfg_bars_restore(struct vfio_cfg *cfg)
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

/**
 * vfio_cfg_rom_restore() - put back the ROM's register, which a reset took
 * @cfg: the config space
 *
 * Return: 0, or the errno of the hardware access.
 */
int vfio_cfg_rom_restore(struct vfio_cfg *cfg)
{
	if (!bar_exists(cfg, VFIO_CFG_ROM))
		return 0;

	return vfio_cfg_dev_write(cfg, PCI_ROM_ADDRESS, 4,
				  cfg->rbar[VFIO_CFG_ROM]);
}
