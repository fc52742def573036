// SPDX-License-Identifier: GPL-2.0-only
/*
 * The state a function is in, memory decode and power: changing it, with all
 * that goes along, under memory_lock held for writing.
 */
#include <trace/events/vfio_pci.h>

#include "priv.h"

/* ---- memory decode ------------------------------------------------------ */

/*
 * COMMAND also holds DisINTx, which belongs to irqlock: without it a mask or
 * unmask between our read and our write would be lost.
 */
static bool decode_set(struct vfio_pci_core_device *vdev, bool on)
{
	struct pci_dev *pdev = vdev->pdev;
	unsigned long flags;
	u16 old, cmd;

	spin_lock_irqsave(&vdev->priv->irqlock, flags);
	pci_read_config_word(pdev, PCI_COMMAND, &old);
	cmd = on ? old | PCI_COMMAND_MEMORY : old & ~PCI_COMMAND_MEMORY;
	if (cmd != old)
		pci_write_config_word(pdev, PCI_COMMAND, cmd);
	spin_unlock_irqrestore(&vdev->priv->irqlock, flags);

	return cmd != old;
}

/* For whoever has put back a COMMAND from before: decode as the user sees it */
void vfio_pci_decode_resync(struct vfio_pci_core_device *vdev)
{
	lockdep_assert_held_write(&vdev->memory_lock);

	if (!vdev->pdev->no_command_memory)
		decode_set(vdev, vfio_pci_memory_wanted(vdev));
}

/* ---- power ---------------------------------------------------------------- */

static int state_keep(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_core_priv *priv = vdev->priv;
	struct pci_saved_state *save;

	pci_save_state(vdev->pdev);
	save = pci_store_saved_state(vdev->pdev);
	if (!save)
		return -ENOMEM;

	/* A reset may have brought the device back behind our back */
	kfree(priv->pm_save);
	priv->pm_save = save;
	return 0;
}

static void state_put_back(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_core_priv *priv = vdev->priv;

	if (!priv->pm_save)
		return;
	if (pci_load_and_free_saved_state(vdev->pdev, &priv->pm_save))
		pci_warn(vdev->pdev, "the state from before D3 is lost\n");
	else
		pci_restore_state(vdev->pdev);

	/* COMMAND may have been written, and INTx (un)masked, during D3 */
	vfio_pci_decode_resync(vdev);
	vfio_pci_intx_resync(vdev);
}

static bool is_d3(pci_power_t state)
{
	return state == PCI_D3hot || state == PCI_D3cold;
}

static int change_state(struct vfio_pci_core_device *vdev, pci_power_t state)
{
	struct vfio_pci_core_priv *priv = vdev->priv;
	bool asleep = is_d3(vdev->pdev->current_state);
	int ret;

	if (priv->d3_loses_state && !asleep && is_d3(state)) {
		ret = state_keep(vdev);
		if (ret)
			return ret;
	}

	ret = pci_set_power_state(vdev->pdev, state);
	if (!ret && asleep && !is_d3(state))
		state_put_back(vdev);
	return ret;
}

/*
 * The caller holds memory_lock for writing, and has zapped the mappings if
 * @state is not D0.
 */
int __vfio_pci_power_set(struct vfio_pci_core_device *vdev, pci_power_t state)
{
	pci_power_t from = vdev->pdev->current_state;
	int ret;

	lockdep_assert_held_write(&vdev->memory_lock);

	if (state == from)
		return 0;
	if (state != PCI_D0 && vdev->priv->sriov_active)
		return vfio_pci_refuse(vdev, -EBUSY,
				       "its virtual functions need it in D0; disable them first");

	ret = change_state(vdev, state);
	trace_vfio_pci_power(vdev->pdev, from, state, ret);
	return ret;
}

int vfio_pci_power_set(struct vfio_pci_core_device *vdev, pci_power_t state)
{
	if (state == PCI_D0) {
		guard(rwsem_write)(&vdev->memory_lock);
		return __vfio_pci_power_set(vdev, state);
	}

	/* Only in D0 does a function answer to memory accesses */
	guard(vfio_pci_revoked)(vdev);
	return __vfio_pci_power_set(vdev, state);
}

/* ---- out of the user's sight ---------------------------------------------- */

static bool decode_is_off(struct pci_dev *pdev)
{
	u16 cmd;

	pci_read_config_word(pdev, PCI_COMMAND, &cmd);
	return !(cmd & PCI_COMMAND_MEMORY);
}

/*
 * A user can reset the device by means of its own, and it would decode whatever
 * addresses are in its BARs then. DisINTx went with them.
 */
static int addresses_ensure(struct vfio_pci_core_device *vdev)
{
	int ret = vfio_cfg_bars_restore(&vdev->priv->cfg);

	if (ret > 0) {
		pci_notice_ratelimited(vdev->pdev, "found reset; BARs restored\n");
		vfio_pci_intx_resync(vdev);
	}
	return ret;
}

/*
 * For what the kernel itself must reach in device memory, such as the MSI-X
 * table, while the user may have decode off or the function asleep. The user
 * does not see it: mappings of a function that is asleep are gone, and cannot
 * come back under the lock.
 */
struct vfio_pci_unreachable
vfio_pci_decode_on(struct vfio_pci_core_device *vdev)
{
	struct vfio_pci_unreachable was = { .power = PCI_D0 };
	struct pci_dev *pdev = vdev->pdev;

	down_write(&vdev->memory_lock);
	if (!vfio_pci_answers(pdev)) {
		was.power = pdev->current_state;
		__vfio_pci_power_set(vdev, PCI_D0);
	}
	if (!pdev->no_command_memory && decode_is_off(pdev) &&
	    addresses_ensure(vdev) >= 0)
		was.decode_off = decode_set(vdev, true);
	return was;
}

/* A function that cannot be put to sleep again shows it in its registers */
void vfio_pci_decode_put(struct vfio_pci_core_device *vdev,
			 struct vfio_pci_unreachable was)
{
	if (was.decode_off)
		decode_set(vdev, false);
	if (was.power != PCI_D0)
		__vfio_pci_power_set(vdev, was.power);
	up_write(&vdev->memory_lock);
}
