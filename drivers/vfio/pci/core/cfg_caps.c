// SPDX-License-Identifier: GPL-2.0-only
/*
 * What capabilities do beyond storing bits: power states, product data,
 * message interrupts, request sizes, resets.
 *
 * A write to config space cannot fail on real hardware. Where the host cannot
 * do what the user asked for, the register shows it (the power state did not
 * change, the flag of VPD does not toggle) and a person finds it in the log.
 */
#include <linux/errno.h>
#include <linux/types.h>

#include "cfg.h"

/* ---- power management ------------------------------------------------- */

/**
 * vfio_cfg_pm_write() - write the power management capability
 * @acc: the access
 *
 * The state bits are not written but asked for: the kernel has to know, and a
 * function in D3hot has no memory to map.
 *
 * Context: Process context; takes the memory lock.
 * Return: 0, or the errno of the hardware access.
 */
int vfio_cfg_pm_write(struct vfio_cfg_access *acc)
{
	unsigned int state;
	int ret;

	ret = vfio_cfg_generic_write(acc);
	if (ret || !vfio_cfg_touches(acc, PCI_PM_CTRL, 1))
		return ret;

	state = acc->val & PCI_PM_CTRL_STATE_MASK;
	ret = vfio_cfg_dev_power(acc->cfg, state);
	if (ret)
		vfio_cfg_dev_note(acc->cfg, "power state D%u refused: %d", state, ret);

	return 0;
}

/* ---- vital product data ----------------------------------------------- */

/**
 * vfio_cfg_vpd_init() - the image of the VPD registers
 * @cfg: the config space
 * @win: the capability
 *
 * Return: 0, or the errno of a hardware access.
 */
int vfio_cfg_vpd_init(struct vfio_cfg *cfg, const struct vfio_cfg_window *win)
{
	int ret;

	ret = vfio_cfg_load(cfg, win->start + PCI_VPD_ADDR, 2);

	return ret ? ret : vfio_cfg_load(cfg, win->start + PCI_VPD_DATA, 4);
}

/**
 * vfio_cfg_vpd_write() - write the VPD capability
 * @acc: the access
 *
 * The flag says which way the data goes: it is set to write and the device
 * clears it when done, and the other way round to read (PCI 3.0, appendix I).
 * The write that reaches the flag starts the transfer. If that fails the flag
 * stays, which a driver sees as a transfer that does not end.
 *
 * Context: Process context; waits for the device.
 * Return: 0, or the errno of the hardware access.
 */
int vfio_cfg_vpd_write(struct vfio_cfg_access *acc)
{
	unsigned int pos = acc->win->start;
	struct vfio_cfg *cfg = acc->cfg;
	u32 addr, data;
	bool write;
	int ret;

	ret = vfio_cfg_generic_write(acc);
	if (ret || !vfio_cfg_touches(acc, PCI_VPD_ADDR + 1, 1))
		return ret;

	addr = vfio_cfg_get(cfg, pos + PCI_VPD_ADDR, 2);
	write = addr & PCI_VPD_ADDR_F;
	data = vfio_cfg_get(cfg, pos + PCI_VPD_DATA, 4);
	addr &= PCI_VPD_ADDR_MASK;
	ret = addr % 4 ? -EINVAL : vfio_cfg_dev_vpd(cfg, addr, &data, write);
	if (ret) {
		vfio_cfg_dev_note(cfg, "VPD %s at %#x failed: %d",
				  write ? "write" : "read", addr, ret);
		return 0;
	}

	if (!write)
		vfio_cfg_set(cfg, pos + PCI_VPD_DATA, 4, data);
	vfio_cfg_set(cfg, pos + PCI_VPD_ADDR, 2,
		     addr | (write ? 0 : PCI_VPD_ADDR_F));

	return 0;
}

/* ---- MSI -------------------------------------------------------------- */

/**
 * vfio_cfg_msi_variant() - pick the layout: address width, mask registers
 * @cfg: the config space
 * @pos: where the capability starts
 * @cap: the descriptor
 *
 * Return: 0, or the errno of the hardware access.
 */
int vfio_cfg_msi_variant(struct vfio_cfg *cfg, unsigned int pos,
			 const struct vfio_cfg_cap **cap)
{
	u32 flags;
	int ret;

	ret = vfio_cfg_dev_read(cfg, pos + PCI_MSI_FLAGS, 2, &flags);
	if (!ret)
		*cap = &vfio_cfg_msi[!!(flags & PCI_MSI_FLAGS_64BIT) +
				     2 * !!(flags & PCI_MSI_FLAGS_MASKBIT)];

	return ret;
}

/**
 * vfio_cfg_msi_init() - the image of the MSI registers
 * @cfg: the config space
 * @win: the capability
 *
 * Return: 0, or the errno of a hardware access.
 */
int vfio_cfg_msi_init(struct vfio_cfg *cfg, const struct vfio_cfg_window *win)
{
	bool wide = win->cap == &vfio_cfg_msi[1] || win->cap == &vfio_cfg_msi[3];
	unsigned int pos = win->start;
	int ret;

	ret = vfio_cfg_load(cfg, pos + PCI_MSI_FLAGS, 1);
	if (!ret)
		ret = vfio_cfg_load(cfg, pos + PCI_MSI_ADDRESS_LO, 4);
	if (!ret && wide)
		ret = vfio_cfg_load(cfg, pos + PCI_MSI_ADDRESS_HI, 4);
	if (!ret)
		ret = vfio_cfg_load(cfg, pos + (wide ? PCI_MSI_DATA_64 : PCI_MSI_DATA_32), 2);

	return ret;
}

/**
 * vfio_cfg_msi_write() - write the MSI capability
 * @acc: the access
 *
 * Address and data are the host's and the user's are only remembered. The user
 * may turn MSI off and on while SET_IRQS has it enabled, and use fewer messages
 * than that enabled, not more: nobody would be behind them.
 *
 * Context: Process context; takes the interrupt lock.
 * Return: 0, or the errno of the hardware access.
 */
int vfio_cfg_msi_write(struct vfio_cfg_access *acc)
{
	unsigned int pos = acc->win->start + PCI_MSI_FLAGS, qmax, qsize;
	u32 flags;
	int ret;

	ret = vfio_cfg_generic_write(acc);
	if (ret || !vfio_cfg_touches(acc, PCI_MSI_FLAGS, 1))
		return ret;

	flags = vfio_cfg_get(acc->cfg, pos, 1);
	if (!vfio_cfg_dev_msi_hold(acc->cfg, &qmax))
		flags &= ~PCI_MSI_FLAGS_ENABLE;

	qsize = (flags & PCI_MSI_FLAGS_QSIZE) >> 4;
	if (qsize > qmax)
		flags = (flags & ~PCI_MSI_FLAGS_QSIZE) | qmax << 4;

	vfio_cfg_set(acc->cfg, pos, 1, flags);
	ret = vfio_cfg_dev_write(acc->cfg, pos, 1, flags);
	vfio_cfg_dev_msi_release(acc->cfg);

	return ret;
}

/* ---- function level reset, PCI Express -------------------------------- */

/* The bit that starts a reset always reads as zero */
static void flr(struct vfio_cfg_access *acc, unsigned int pos, unsigned int bit,
		bool capable)
{
	int ret = 0;

	vfio_cfg_set(acc->cfg, pos, 2, vfio_cfg_get(acc->cfg, pos, 2) & ~bit);
	if (capable)
		ret = vfio_cfg_dev_flr(acc->cfg);
	if (ret)
		vfio_cfg_dev_note(acc->cfg, "reset by config space failed: %d", ret);
}

/**
 * vfio_cfg_exp_init() - the image of DEVCTL
 * @cfg: the config space
 * @win: the capability
 *
 * Return: 0, or the errno of the hardware access.
 */
int vfio_cfg_exp_init(struct vfio_cfg *cfg, const struct vfio_cfg_window *win)
{
	unsigned int pos = win->start + PCI_EXP_DEVCTL;
	int ret;

	ret = vfio_cfg_load(cfg, pos, 2);
	if (!ret)
		vfio_cfg_set(cfg, pos, 2, vfio_cfg_get(cfg, pos, 2) &
					  ~PCI_EXP_DEVCTL_BCR_FLR);

	return ret;
}

/**
 * vfio_cfg_exp_write() - write the PCI Express capability
 * @acc: the access
 *
 * Context: Process context; a reset takes the memory lock.
 * Return: 0, or the errno of the hardware access.
 */
int vfio_cfg_exp_write(struct vfio_cfg_access *acc)
{
	unsigned int pos = acc->win->start, readrq;
	struct vfio_cfg *cfg = acc->cfg;
	u32 old, new, cap;
	int ret;

	old = vfio_cfg_get(cfg, pos + PCI_EXP_DEVCTL, 2);
	ret = vfio_cfg_generic_write(acc);
	if (ret || !vfio_cfg_touches(acc, PCI_EXP_DEVCTL, 2))
		return ret;

	new = vfio_cfg_get(cfg, pos + PCI_EXP_DEVCTL, 2);
	if ((old ^ new) & PCI_EXP_DEVCTL_READRQ) {
		readrq = 128 << ((new & PCI_EXP_DEVCTL_READRQ) >> 12);
		ret = vfio_cfg_dev_readrq(cfg, readrq);
		if (ret)
			vfio_cfg_dev_note(cfg, "read requests of %u bytes refused: %d",
					  readrq, ret);
	}

	if (!(new & PCI_EXP_DEVCTL_BCR_FLR))
		return 0;

	ret = vfio_cfg_dev_read(cfg, pos + PCI_EXP_DEVCAP, 4, &cap);
	flr(acc, pos + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_BCR_FLR,
	    !ret && cap & PCI_EXP_DEVCAP_FLR);

	return ret;
}

/**
 * vfio_cfg_af_write() - write the advanced features capability
 * @acc: the access
 *
 * A function that cannot tell when its transactions are done is not reset this
 * way: nobody would know when it may be touched again.
 *
 * Context: Process context; a reset takes the memory lock.
 * Return: 0, or the errno of the hardware access.
 */
int vfio_cfg_af_write(struct vfio_cfg_access *acc)
{
	const u32 need = PCI_AF_CAP_FLR | PCI_AF_CAP_TP;
	unsigned int pos = acc->win->start;
	u32 cap;
	int ret;

	ret = vfio_cfg_generic_write(acc);
	if (ret || !(vfio_cfg_get(acc->cfg, pos + PCI_AF_CTRL, 1) & PCI_AF_CTRL_FLR))
		return ret;

	ret = vfio_cfg_dev_read(acc->cfg, pos + PCI_AF_CAP, 1, &cap);
	flr(acc, pos + PCI_AF_CTRL, PCI_AF_CTRL_FLR,
	    !ret && (cap & need) == need);

	return ret;
}
