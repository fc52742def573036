// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfio-pci/<device>/ in debugfs: what is in force for a device right now.
 *
 * For people. The format may change; no program should depend on it.
 */
#include <linux/debugfs.h>
#include <linux/pm_runtime.h>
#include <linux/seq_file.h>

#include "priv.h"

static struct dentry *root;

static void show_flag(struct seq_file *m, const char *name, bool value)
{
	seq_printf(m, "%-20s %s\n", name, value ? "yes" : "no");
}

static int policy_show(struct seq_file *m, void *unused)
{
	struct vfio_pci_core_device *vdev = m->private;

	show_flag(m, "nointxmask", vdev->nointxmask);
	show_flag(m, "disable_idle_d3", vdev->disable_idle_d3);
	show_flag(m, "disable_vga", vdev->disable_vga);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(policy);

static const char *irq_mode(unsigned int type)
{
	static const char * const names[] = {
		[VFIO_PCI_INTX_IRQ_INDEX] = "intx",
		[VFIO_PCI_MSI_IRQ_INDEX] = "msi",
		[VFIO_PCI_MSIX_IRQ_INDEX] = "msix",
	};

	return type < ARRAY_SIZE(names) ? names[type] : "none";
}

static int irq_show(struct seq_file *m, void *unused)
{
	struct vfio_pci_core_device *vdev = m->private;
	struct vfio_pci_core_priv *priv = vdev->priv;
	unsigned int used = 0;
	unsigned long vector;
	void *ctx;

	guard(mutex)(&priv->igate);
	xa_for_each(&priv->irq_ctx, vector, ctx)
		used++;
	seq_printf(m, "%-20s %s\n", "mode", irq_mode(vdev->irq_type));
	seq_printf(m, "%-20s %u\n", "vectors in use", used);
	show_flag(m, "DisINTx works", priv->pci_2_3);
	show_flag(m, "INTx hidden", priv->nointx);
	show_flag(m, "MSI-X grows", priv->has_dyn_msix);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(irq);

static int power_show(struct seq_file *m, void *unused)
{
	struct vfio_pci_core_device *vdev = m->private;
	struct vfio_pci_core_priv *priv = vdev->priv;
	struct pci_dev *pdev = vdev->pdev;

	guard(rwsem_read)(&vdev->memory_lock);
	seq_printf(m, "%-20s %s\n", "state",
		   pci_power_name(pdev->current_state));
	show_flag(m, "suspended", pm_runtime_suspended(&pdev->dev));
	show_flag(m, "low power", vdev->pm_runtime_engaged);
	show_flag(m, "wake-up eventfd", priv->pm_wake_eventfd);
	show_flag(m, "state kept for D0", priv->pm_save);
	show_flag(m, "loses state in D3", priv->d3_loses_state);
	show_flag(m, "VFs keep it in D0", priv->sriov_active);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(power);

static int reset_show(struct seq_file *m, void *unused)
{
	struct vfio_pci_core_device *vdev = m->private;
	struct vfio_pci_core_priv *priv = vdev->priv;
	struct pci_dev *pdev = vdev->pdev;

	guard(mutex)(&vdev->vdev.dev_set->lock);
	show_flag(m, "function", priv->reset_works);
	show_flag(m, "slot", !pci_probe_reset_slot(pdev->slot));
	show_flag(m, "bus", !pci_probe_reset_bus(pdev->bus));
	show_flag(m, "needed", priv->needs_reset);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(reset);

static int windows_show(struct seq_file *m, void *unused)
{
	struct vfio_pci_core_device *vdev = m->private;
	struct vfio_pci_core_priv *priv = vdev->priv;
	const struct vfio_cfg_window *win;
	unsigned int i;

	guard(mutex)(&priv->cfg_lock);
	for (i = 1; i < priv->cfg.nr_windows; i++) {
		win = &priv->cfg.windows[i];
		seq_printf(m, "0x%03x %4u %s\n", win->start, win->len,
			   win->cap->name);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(windows);

static const struct {
	const char			*name;
	const struct file_operations	*fops;
} files[] = {
	{ "policy", &policy_fops },
	{ "irq", &irq_fops },
	{ "power", &power_fops },
	{ "reset", &reset_fops },
	{ "windows", &windows_fops },
};

/*
 * Nothing here checks for errors: debugfs takes an error for a directory and
 * does nothing, and a device is no worse for not being seen.
 */
void vfio_pci_debugfs_register(struct vfio_pci_core_device *vdev)
{
	struct dentry *dir;
	unsigned int i;

	dir = debugfs_create_dir(pci_name(vdev->pdev), root);
	for (i = 0; i < ARRAY_SIZE(files); i++)
		debugfs_create_file(files[i].name, 0400, dir, vdev,
				    files[i].fops);
	vdev->priv->debug_dir = dir;
}

/* Waits for whoever is reading; so no lock that a reader takes may be held */
void vfio_pci_debugfs_unregister(struct vfio_pci_core_device *vdev)
{
	debugfs_remove(vdev->priv->debug_dir);
	vdev->priv->debug_dir = NULL;
}

void vfio_pci_debugfs_init(void)
{
	root = debugfs_create_dir("vfio-pci", NULL);
}

void vfio_pci_debugfs_exit(void)
{
	debugfs_remove(root);
}
