// SPDX-License-Identifier: GPL-2.0-only
/*
 * The virtual config space of a real device: tells the engine of the function,
 * and is its hands: config accesses, the memory lock, interrupts, power and
 * resets. cfg_lock serialises all of it.
 */
#include <linux/interrupt.h>
#include <linux/log2.h>

#include <trace/events/vfio_pci.h>

#include "priv.h"

static struct vfio_pci_core_priv *to_priv(struct vfio_cfg *cfg)
{
	return container_of(cfg, struct vfio_pci_core_priv, cfg);
}

static struct pci_dev *to_pdev(struct vfio_cfg *cfg)
{
	return to_priv(cfg)->vdev->pdev;
}

/* ---- what the engine asks for ------------------------------------------- */

/**
 * vfio_cfg_dev_read() - read the hardware's config space
 * @cfg: the config space
 * @pos: where, aligned
 * @len: bytes: 1, 2 or 4
 * @val: the value, in host order
 *
 * Context: Process context; waits while a reset blocks the config space.
 * Return: 0, or the errno of the access.
 */
int vfio_cfg_dev_read(struct vfio_cfg *cfg, unsigned int pos,
		      unsigned int len, u32 *val)
{
	struct pci_dev *pdev = to_pdev(cfg);
	u16 word = 0;
	u8 byte = 0;
	int ret;

	if (len == 4) {
		ret = pci_user_read_config_dword(pdev, pos, val);
	} else if (len == 2) {
		ret = pci_user_read_config_word(pdev, pos, &word);
		*val = word;
	} else {
		ret = pci_user_read_config_byte(pdev, pos, &byte);
		*val = byte;
	}
	trace_vfio_pci_cfg_hardware(pdev, false, pos, len, *val, ret);
	return ret;
}

/**
 * vfio_cfg_dev_write() - write the hardware's config space
 * @cfg: the config space
 * @pos: where, aligned
 * @len: bytes: 1, 2 or 4
 * @val: the value, in host order
 *
 * A COMMAND that includes DisINTx was read some time before, while the
 * interrupt handler may have masked: the last word on it is intx.c's.
 *
 * Context: Process context; waits while a reset blocks the config space.
 * Return: 0, or the errno of the access.
 */
int vfio_cfg_dev_write(struct vfio_cfg *cfg, unsigned int pos,
		       unsigned int len, u32 val)
{
	struct pci_dev *pdev = to_pdev(cfg);
	int ret;

	if (len == 1)
		ret = pci_user_write_config_byte(pdev, pos, val);
	else if (len == 2)
		ret = pci_user_write_config_word(pdev, pos, val);
	else
		ret = pci_user_write_config_dword(pdev, pos, val);

	trace_vfio_pci_cfg_hardware(pdev, true, pos, len, val, ret);
	if (pos == PCI_COMMAND && len > 1)
		vfio_pci_intx_resync(to_priv(cfg)->vdev);

	return ret;
}

/**
 * vfio_cfg_dev_memory_lock() - before memory decode may change
 * @cfg: the config space
 * @revoke: decode is about to go off
 *
 * Context: Process context. Takes the memory lock for writing.
 */
void vfio_cfg_dev_memory_lock(struct vfio_cfg *cfg, bool revoke)
{
	struct vfio_pci_core_device *vdev = to_priv(cfg)->vdev;

	if (revoke)
		vfio_pci_memory_revoke(vdev);
	else
		down_write(&vdev->memory_lock);
}

/**
 * vfio_cfg_dev_memory_unlock() - after memory decode may have changed
 * @cfg: the config space
 *
 * Context: Process context. Drops the memory lock.
 */
void vfio_cfg_dev_memory_unlock(struct vfio_cfg *cfg)
{
	vfio_pci_memory_restore(to_priv(cfg)->vdev);
}

/**
 * vfio_cfg_dev_intx_disable() - the user's INTX_DISABLE changed
 * @cfg: the config space
 * @disable: its new value
 *
 * Context: Process context, without the memory lock.
 */
void vfio_cfg_dev_intx_disable(struct vfio_cfg *cfg, bool disable)
{
	vfio_pci_intx_user_disable(to_priv(cfg)->vdev, disable);
}

/**
 * vfio_cfg_dev_power() - the user wrote a power state
 * @cfg: the config space
 * @state: 0 to 3, for D0 to D3hot
 *
 * Context: Process context. Takes the memory lock.
 * Return: 0, -EBUSY if virtual functions need the device in D0, or the errno of
 * pci_set_power_state().
 */
int vfio_cfg_dev_power(struct vfio_cfg *cfg, unsigned int state)
{
	static const pci_power_t states[] = {
		PCI_D0, PCI_D1, PCI_D2, PCI_D3hot,
	};

	return vfio_pci_power_set(to_priv(cfg)->vdev,
				  states[state & PCI_PM_CTRL_STATE_MASK]);
}

/**
 * vfio_cfg_dev_flr() - the user asked for a function level reset
 * @cfg: the config space
 *
 * Context: Process context. Takes the memory lock.
 * Return: 0, the errno of the transition to D0, -EAGAIN if somebody else has
 * the device locked, -ENOTTY if it cannot be reset.
 */
int vfio_cfg_dev_flr(struct vfio_cfg *cfg)
{
	struct vfio_pci_core_device *vdev = to_priv(cfg)->vdev;
	int ret;

	guard(vfio_pci_revoked)(vdev);
	ret = __vfio_pci_power_set(vdev, PCI_D0);
	if (ret)
		return ret;

	ret = pci_try_reset_function(vdev->pdev);
	vfio_pci_intx_resync(vdev);

	return ret;
}

/**
 * vfio_cfg_dev_vpd() - transfer four bytes of vital product data
 * @cfg: the config space
 * @addr: address of the first, a multiple of four
 * @val: the bytes, the first one lowest
 * @write: to the device
 *
 * Context: Process context; waits for the device.
 * Return: 0, -EIO if the data ends before, or the errno of the PCI core.
 */
int vfio_cfg_dev_vpd(struct vfio_cfg *cfg, unsigned int addr, u32 *val,
		     bool write)
{
	__le32 data = cpu_to_le32(*val);
	ssize_t ret;

	if (write)
		ret = pci_write_vpd(to_pdev(cfg), addr, sizeof(data), &data);
	else
		ret = pci_read_vpd(to_pdev(cfg), addr, sizeof(data), &data);
	if (ret != sizeof(data))
		return ret < 0 ? ret : -EIO;

	*val = le32_to_cpu(data);
	return 0;
}

/**
 * vfio_cfg_dev_readrq() - set the maximum read request size
 * @cfg: the config space
 * @bytes: what the user wants
 *
 * The host tunes payload and request sizes of a hierarchy together and counts
 * on requests that are no smaller than payloads.
 *
 * Context: Process context.
 * Return: 0, -EINVAL if the specification has no such size, or the errno of the
 * access.
 */
int vfio_cfg_dev_readrq(struct vfio_cfg *cfg, unsigned int bytes)
{
	struct pci_dev *pdev = to_pdev(cfg);
	int least = pcie_get_mps(pdev);

	return pcie_set_readrq(pdev, max_t(int, bytes, least));
}

/**
 * vfio_cfg_dev_msi_hold() - is MSI enabled by SET_IRQS; keep it so
 * @cfg: the config space
 * @qmax: log2 of the messages enabled last
 *
 * Context: Process context, without the memory lock. Takes the interrupt lock
 * until vfio_cfg_dev_msi_release(): MSI must not be turned on in hardware while
 * its vectors go away.
 * Return: true if MSI is the active interrupt.
 */
bool vfio_cfg_dev_msi_hold(struct vfio_cfg *cfg, unsigned int *qmax)
{
	struct vfio_pci_core_priv *priv = to_priv(cfg);

	mutex_lock(&priv->igate);
	*qmax = priv->msi_qmax;

	return priv->vdev->irq_type == VFIO_PCI_MSI_IRQ_INDEX;
}

/**
 * vfio_cfg_dev_msi_release() - the end of vfio_cfg_dev_msi_hold()
 * @cfg: the config space
 *
 * Context: Process context.
 */
void vfio_cfg_dev_msi_release(struct vfio_cfg *cfg)
{
	mutex_unlock(&to_priv(cfg)->igate);
}

/**
 * vfio_cfg_dev_note() - tell a person about the device
 * @cfg: the config space
 * @fmt: format, without a newline
 *
 * Rate-limited: a user can provoke most of what is worth a note.
 *
 * Context: Process context.
 */
void vfio_cfg_dev_note(struct vfio_cfg *cfg, const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	va_list args;

	va_start(args, fmt);
	vaf.va = &args;
	pci_notice_ratelimited(to_pdev(cfg), "config space: %pV\n", &vaf);
	va_end(args);
}

/* ---- open and close ----------------------------------------------------- */

static u32 bar_type(unsigned long flags)
{
	if (flags & IORESOURCE_IO)
		return PCI_BASE_ADDRESS_SPACE_IO;

	return (flags & IORESOURCE_PREFETCH ? PCI_BASE_ADDRESS_MEM_PREFETCH : 0) |
	       (flags & IORESOURCE_MEM_64 ? PCI_BASE_ADDRESS_MEM_TYPE_64 : 0);
}

/* A BAR without an address is one that the host could not place */
static u64 bar_size(struct pci_dev *pdev, unsigned int bar)
{
	if (!pci_resource_start(pdev, bar))
		return 0;

	return roundup_pow_of_two(pci_resource_len(pdev, bar));
}

static void bars_tell(struct pci_dev *pdev, struct vfio_cfg_facts *facts)
{
	unsigned int bar;

	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++) {
		facts->bar[bar].size = bar_size(pdev, bar);
		facts->bar[bar].type = bar_type(pci_resource_flags(pdev, bar));
	}

	/* Without a ROM BAR the firmware may have handed over a copy */
	facts->bar[VFIO_CFG_ROM].size = bar_size(pdev, PCI_ROM_RESOURCE);
	if (!facts->bar[VFIO_CFG_ROM].size && pdev->rom && pdev->romlen)
		facts->bar[VFIO_CFG_ROM].size = roundup_pow_of_two(pdev->romlen);
}

/* Does the function's pin lead to an interrupt that we can serve */
static bool pin_works(struct vfio_pci_core_device *vdev)
{
	struct pci_dev *pdev = vdev->pdev;

	return IS_ENABLED(CONFIG_VFIO_PCI_INTX) && !vdev->priv->nointx &&
	       pdev->irq && pdev->irq != IRQ_NOTCONNECTED;
}

/**
 * vfio_pci_cfg_open() - build the virtual config space of an enabled device
 * @vdev: device; its INTx quirks are known
 *
 * Context: Process context. Takes cfg_lock.
 * Return: 0, -EINVAL if the size of the config space is impossible, or the
 * errno of a config access. Nothing is to be undone.
 */
int vfio_pci_cfg_open(struct vfio_pci_core_device *vdev)
{
	struct vfio_cfg *cfg = &vdev->priv->cfg;
	struct pci_dev *pdev = vdev->pdev;
	int ret;

	guard(mutex)(&vdev->priv->cfg_lock);
	cfg->facts = (struct vfio_cfg_facts) {
		.size = min(pdev->cfg_size, VFIO_CFG_SIZE),
		.vendor = pdev->vendor,
		.device = pdev->device,
		.is_vf = pdev->is_virtfn,
		.no_pin = !pin_works(vdev),
		.keep_disintx = vdev->priv->nointx,
		.mem_always_on = pdev->no_command_memory,
	};
	bars_tell(pdev, &cfg->facts);

	ret = vfio_cfg_scan(cfg);
	if (ret) {
		cfg->facts.size = 0;
		return vfio_pci_refuse(vdev, ret, "cannot read its config space: %d", ret);
	}
	return 0;
}

/**
 * vfio_pci_cfg_close() - the virtual config space is no more
 * @vdev: device
 *
 * Context: Process context. Takes cfg_lock.
 */
void vfio_pci_cfg_close(struct vfio_pci_core_device *vdev)
{
	guard(mutex)(&vdev->priv->cfg_lock);
	vdev->priv->cfg.facts.size = 0;
	vdev->priv->cfg.nr_windows = 0;
}

/* ---- for the other files ------------------------------------------------ */

/**
 * vfio_pci_cfg_virtualize() - detach registers from the hardware
 * @vdev: device
 * @pos: first byte, on a dword boundary
 * @len: bytes, a multiple of four
 *
 * Context: Process context. Takes cfg_lock.
 * Return: 0, -EINVAL if the range is not made of dwords of the config space,
 * -ENOSPC if there are too many windows, or the errno of a config access.
 */
int vfio_pci_cfg_virtualize(struct vfio_pci_core_device *vdev,
			    unsigned int pos, unsigned int len)
{
	guard(mutex)(&vdev->priv->cfg_lock);
	return vfio_cfg_virtualize(&vdev->priv->cfg, pos, len);
}

/**
 * vfio_pci_cfg_byte() - a byte of the virtual image
 * @vdev: device
 * @pos: position of a register that is virtual
 *
 * Without cfg_lock, because interrupt code asks, whose lock is inside that one.
 *
 * Context: Any.
 * Return: the byte.
 */
u8 vfio_pci_cfg_byte(struct vfio_pci_core_device *vdev, unsigned int pos)
{
	return READ_ONCE(vdev->priv->cfg.image[pos]);
}
