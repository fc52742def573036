// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The PCI functions.
 */
#include "../model.h"
#include "hca.h"
#include "hw/pci/msix.h"
#include "hw/pci/pcie.h"
#include "hw/pci/pcie_sriov.h"
#include "qapi/error.h"

#define TYPE_HCA	"lab-hca"
#define TYPE_HCA_VF	"lab-hca-vf"
OBJECT_DECLARE_SIMPLE_TYPE(HcaPf, HCA)

struct HcaPf {
	PCIDevice pci;
	struct hca hca;
};

#define VENDOR_ID	0x15b3
#define PF_ID		0x101d	/* ConnectX-6 Dx */
#define VF_ID		0x101e

#define CAP_EXPRESS	0x60
#define CAP_AER		0x100
#define CAP_ARI		0x150
#define CAP_SRIOV	0x160
#define CAP_VSEC	0x1c0
#define MSIX_TABLE	0x4000
#define MSIX_PBA	0x5000
#define VF_FIRST	1
#define VF_STRIDE	1

#define BAR_TYPE	(PCI_BASE_ADDRESS_MEM_TYPE_64 | PCI_BASE_ADDRESS_MEM_PREFETCH)

/* --- what both kinds have ---------------------------------------------------------- */

static bool common_realize(PCIDevice *pci, struct hca_fn *fn, Error **errp)
{
	unsigned int i;

	if (pcie_endpoint_cap_init(pci, CAP_EXPRESS) < 0) {
		error_setg(errp, "no room for the PCI Express capability");
		return false;
	}
	pcie_cap_flr_init(pci);
	hca_fn_realize(fn, pci);
	if (msix_init(pci, HCA_VECTORS, &fn->bar, 0, MSIX_TABLE, &fn->bar, 0, MSIX_PBA, 0, errp))
		return false;
	for (i = 0; i < HCA_VECTORS; i++)
		msix_vector_use(pci, i);
	return pcie_aer_init(pci, PCI_ERR_VER, CAP_AER, PCI_ERR_SIZEOF, errp) >= 0;
}

/* --- the PF ---------------------------------------------------------------------- */

static void vsec_init(PCIDevice *pci)
{
	uint8_t *cap = pci->config + CAP_VSEC;

	pcie_add_capability(pci, PCI_EXT_CAP_ID_VNDR, 1, CAP_VSEC, HCA_VSEC_SIZE);
	pci_set_long(cap + 4, HCA_VSEC_ID | HCA_VSEC_SIZE << 20);
	pci_set_long(pci->wmask + CAP_VSEC + HCA_VSEC_ADDR, UINT32_MAX);
}

static bool sriov_init(PCIDevice *pci, Error **errp)
{
	/* QEMU makes the VFs before one can say what their BARs are. */
	pci->exp.sriov_pf.vf_bar_type[0] = BAR_TYPE;
	if (!pcie_sriov_pf_init(pci, CAP_SRIOV, TYPE_HCA_VF, VF_ID, HCA_VFS, HCA_VFS, VF_FIRST,
				VF_STRIDE, errp))
		return false;
	pcie_sriov_pf_init_vf_bar(pci, 0, BAR_TYPE, HCA_BAR_SIZE);
	return true;
}

static void pf_realize(PCIDevice *pci, Error **errp)
{
	struct hca *hca = &HCA(pci)->hca;
	unsigned int nr;

	hca_control_init(hca);
	hca_tracker_init(hca);
	for (nr = 0; nr < HCA_FNS; nr++)
		hca_fn_init(&hca->fn[nr], hca, nr);
	if (!common_realize(pci, &hca->fn[0], errp))
		return;
	pci_register_bar(pci, 0, BAR_TYPE, &hca->fn[0].bar);
	pcie_ari_init(pci, CAP_ARI);
	vsec_init(pci);
	sriov_init(pci, errp);
}

/* Whether an access is one of the window's own, which are whole words. */
static bool is_data(uint32_t pos, int len)
{
	return pos == CAP_VSEC + HCA_VSEC_DATA && len == 4;
}

static uint32_t window_next(PCIDevice *pci)
{
	uint8_t *reg = pci->config + CAP_VSEC + HCA_VSEC_ADDR;
	uint32_t addr = pci_get_long(reg);

	pci_set_long(reg, addr + 1);
	return addr;
}

static uint32_t pf_config_read(PCIDevice *pci, uint32_t pos, int len)
{
	if (is_data(pos, len))
		return hca_control_read(&HCA(pci)->hca, window_next(pci));
	return pci_default_read_config(pci, pos, len);
}

static void common_config_write(PCIDevice *pci, uint32_t pos, uint32_t val, int len)
{
	pci_default_write_config(pci, pos, val, len);
	pcie_cap_flr_write_config(pci, pos, val, len);
}

static void pf_config_write(PCIDevice *pci, uint32_t pos, uint32_t val, int len)
{
	if (is_data(pos, len)) {
		hca_control_write(&HCA(pci)->hca, window_next(pci), val);
		return;
	}
	common_config_write(pci, pos, val, len);
	pcie_aer_write_config(pci, pos, val, len);
}

static void pf_reset(Object *obj, ResetType type)
{
	PCIDevice *pci = PCI_DEVICE(obj);

	hca_reset(&HCA(pci)->hca);
	pcie_sriov_pf_reset(pci);
}

static void common_class_init(ObjectClass *class)
{
	PCIDeviceClass *pci = PCI_DEVICE_CLASS(class);

	pci->vendor_id = VENDOR_ID;
	pci->class_id = PCI_CLASS_NETWORK_ETHERNET;
	DEVICE_CLASS(class)->hotpluggable = false;
}

static void pf_class_init(ObjectClass *class, void *data)
{
	PCIDeviceClass *pci = PCI_DEVICE_CLASS(class);

	model_check(class);
	common_class_init(class);
	pci->realize = pf_realize;
	pci->config_read = pf_config_read;
	pci->config_write = pf_config_write;
	pci->device_id = PF_ID;
	RESETTABLE_CLASS(class)->phases.hold = pf_reset;
}

static const TypeInfo pf_type = {
	.name = TYPE_HCA,
	.parent = TYPE_PCI_DEVICE,
	.instance_size = sizeof(HcaPf),
	.class_init = pf_class_init,
	.interfaces = (InterfaceInfo[]) {
		{ INTERFACE_PCIE_DEVICE },
		{ }
	},
};

MODEL_TYPE(pf_type)

/* --- VFs --------------------------------------------------------------------------- */

static struct hca_fn *vf_fn(PCIDevice *pci)
{
	return &HCA(pcie_sriov_get_pf(pci))->hca.fn[1 + pcie_sriov_vf_number(pci)];
}

static void vf_realize(PCIDevice *pci, Error **errp)
{
	struct hca_fn *fn = vf_fn(pci);

	if (!common_realize(pci, fn, errp))
		return;
	pcie_sriov_vf_register_bar(pci, 0, &fn->bar);
	pcie_ari_init(pci, CAP_ARI);
}

static void vf_reset(Object *obj, ResetType type)
{
	hca_fn_reset(vf_fn(PCI_DEVICE(obj)));
}

static void vf_class_init(ObjectClass *class, void *data)
{
	PCIDeviceClass *pci = PCI_DEVICE_CLASS(class);

	common_class_init(class);
	pci->realize = vf_realize;
	pci->config_write = common_config_write;
	DEVICE_CLASS(class)->user_creatable = false;
	RESETTABLE_CLASS(class)->phases.hold = vf_reset;
}

static const TypeInfo vf_type = {
	.name = TYPE_HCA_VF,
	.parent = TYPE_PCI_DEVICE,
	.instance_size = sizeof(PCIDevice),
	.class_init = vf_class_init,
	.interfaces = (InterfaceInfo[]) {
		{ INTERFACE_PCIE_DEVICE },
		{ }
	},
};

MODEL_TYPE(vf_type)
