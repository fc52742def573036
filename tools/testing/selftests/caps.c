// SPDX-License-Identifier: GPL-2.0-only
/*
 * Capabilities of configuration space: the chains, and what writes to them do.
 */
#include <string.h>
#include <unistd.h>

#include "lib/lab.h"
#include "lib/mark.h"
#include "lib/tap.h"
#include "lib/vfio.h"

#define CONFIG		VFIO_PCI_CONFIG_REGION_INDEX

struct card {
	const char *name;
	uint32_t size;
};

static const struct card cards[] = {
	{ "edu", 256 }, { "e1000e", 4096 }, { "igb", 4096 }, { "nvme", 4096 },
	{ "testdev", 256 }, { "ivshmem", 256 }, { "vga", 256 },
	{ "multi", 4096 }, { "bridge", 256 },
};

/* Capabilities that a user never gets to see. */
static const uint8_t hidden[] = {
	PCI_CAP_ID_SLOTID, PCI_CAP_ID_CHSWP, PCI_CAP_ID_DBG, PCI_CAP_ID_CCRC,
	PCI_CAP_ID_SHPC, PCI_CAP_ID_SSVID, PCI_CAP_ID_AGP3, PCI_CAP_ID_SECDEV,
	PCI_CAP_ID_EA, 0,
};

static const uint16_t hidden_ext[] = {
	PCI_EXT_CAP_ID_RCLD, PCI_EXT_CAP_ID_RCILC, PCI_EXT_CAP_ID_RCEC,
	PCI_EXT_CAP_ID_RCRB, PCI_EXT_CAP_ID_CAC, PCI_EXT_CAP_ID_MRIOV,
	PCI_EXT_CAP_ID_PASID, PCI_EXT_CAP_ID_DPC, PCI_EXT_CAP_ID_L1SS,
	PCI_EXT_CAP_ID_PTM, PCI_EXT_CAP_ID_DLF, PCI_EXT_CAP_ID_PL_16GT,
};

TEST_EACH(chain_is_well_formed, cards)
{
	uint8_t seen[256] = { 0 };
	unsigned int pos, i;
	struct vfio_dev dev;

	vfio_open(&dev, lab_bdf(it->name));
	if (!(cfg_get16(&dev, PCI_STATUS) & PCI_STATUS_CAP_LIST))
		SKIP("%s has no capabilities", it->name);
	for (pos = cfg_get8(&dev, PCI_CAPABILITY_LIST); pos;
	     pos = cfg_get8(&dev, pos + PCI_CAP_LIST_NEXT)) {
		ASSERT_EQ(pos & 3, 0u);
		ASSERT_GE(pos, 0x40u);
		ASSERT(!seen[pos]);
		seen[pos] = 1;
		for (i = 0; i < ARRAY_SIZE(hidden); i++)
			EXPECT_NE(cfg_get8(&dev, pos), hidden[i]);
		EXPECT_EQ(cfg_get8(&dev, pos), pci_config_read(dev.bdf, pos, 1));
	}
	vfio_close(&dev);
}

/* CVE-2024-53214: the first one cannot be unlinked, only be made empty. */
TEST_EACH(extended_chain_is_well_formed, cards)
{
	unsigned int pos = PCI_CFG_SPACE_SIZE, last = 0, i;
	struct vfio_dev dev;
	uint32_t header;

	if (it->size == PCI_CFG_SPACE_SIZE)
		SKIP("%s has no extended configuration space", it->name);
	vfio_open(&dev, lab_bdf(it->name));
	for (; pos; pos = PCI_EXT_CAP_NEXT(header)) {
		ASSERT_EQ(pos & 3, 0u);
		ASSERT_GE(pos, 256u);
		ASSERT_NE(pos, last);
		header = cfg_get32(&dev, pos);
		ASSERT_NE(header, 0xffffffffu);
		for (i = 0; i < ARRAY_SIZE(hidden_ext); i++)
			EXPECT_NE(PCI_EXT_CAP_ID(header), hidden_ext[i]);
		test_note("%#x: %#x", pos, header);
		last = pos;
	}
	vfio_close(&dev);
}

/* Headers and links are the map of the space: no write moves them. */
TEST_EACH(links_do_not_change, cards)
{
	unsigned int pos;
	struct vfio_dev dev;
	uint16_t was;

	vfio_open(&dev, lab_bdf(it->name));
	for (pos = cfg_get8(&dev, PCI_CAPABILITY_LIST); pos;
	     pos = cfg_get8(&dev, pos + PCI_CAP_LIST_NEXT)) {
		was = cfg_get16(&dev, pos);
		cfg_put16(&dev, pos, ~was);
		EXPECT_EQ(cfg_get16(&dev, pos), was);
		cfg_put8(&dev, pos, 0);
		cfg_put8(&dev, pos + 1, 0);
		EXPECT_EQ(cfg_get16(&dev, pos), was);
	}
	vfio_close(&dev);
}

static unsigned int need_cap(struct vfio_dev *dev, uint8_t id)
{
	unsigned int pos = cfg_find_cap(dev, id);

	if (!pos)
		FAIL("%s shows no capability %#x", dev->bdf, id);
	return pos;
}

static const struct card with_pm[] = { { "e1000e", 4096 }, { "igb", 4096 },
				       { "nvme", 4096 } };

TEST_EACH(pm_power_states, with_pm)
{
	unsigned int pm;
	struct vfio_dev dev;
	uint16_t was;
	uint32_t val;
	void *bar;

	vfio_open(&dev, lab_bdf(it->name));
	cfg_command(&dev, PCI_COMMAND_MEMORY, 0);
	pm = need_cap(&dev, PCI_CAP_ID_PM);
	bar = bar_map(&dev, 0, NULL);
	ASSERT(!load_faults(bar, &val));

	was = cfg_get16(&dev, pm + PCI_PM_CTRL);
	ASSERT_EQ(was & PCI_PM_CTRL_STATE_MASK, 0);
	cfg_put16(&dev, pm + PCI_PM_CTRL, was | 3);
	EXPECT_EQ(cfg_get16(&dev, pm + PCI_PM_CTRL) & 3, 3);
	EXPECT_EQ(pci_config_read(dev.bdf, pm + PCI_PM_CTRL, 2) & 3, 3u);
	EXPECT(load_faults(bar, &val));
	EXPECT_ERRNO(region_read_try(&dev, 0, 0, &val, 4), EIO);
	EXPECT_ERRNO(region_write_try(&dev, 0, 0, &val, 4), EIO);

	cfg_put16(&dev, pm + PCI_PM_CTRL, was);
	EXPECT_EQ(cfg_get16(&dev, pm + PCI_PM_CTRL) & 3, 0);
	cfg_command(&dev, PCI_COMMAND_MEMORY, 0);
	EXPECT(!load_faults(bar, &val));
	EXPECT_EQ(region_read_try(&dev, 0, 0, &val, 4), 4);
	vfio_close(&dev);
}

/* A byte is enough to put a device to sleep: the low one. */
TEST_EACH(pm_power_state_by_bytes, with_pm)
{
	struct vfio_dev dev;
	unsigned int pm;
	uint32_t val;

	vfio_open(&dev, lab_bdf(it->name));
	pm = need_cap(&dev, PCI_CAP_ID_PM);
	cfg_put8(&dev, pm + PCI_PM_CTRL + 1, 0);
	EXPECT_EQ(cfg_get8(&dev, pm + PCI_PM_CTRL) & 3, 0);
	cfg_put8(&dev, pm + PCI_PM_CTRL, 3);
	EXPECT_EQ(cfg_get8(&dev, pm + PCI_PM_CTRL) & 3, 3);
	EXPECT_ERRNO(region_read_try(&dev, 0, 0, &val, 4), EIO);
	cfg_put32(&dev, pm + PCI_PM_CTRL, 0);
	EXPECT_EQ(cfg_get8(&dev, pm + PCI_PM_CTRL) & 3, 0);
	vfio_close(&dev);
}

/* Wake-up by PME belongs to the host: not offered, not to be switched on. */
TEST_EACH(pm_has_no_pme, with_pm)
{
	struct vfio_dev dev;
	unsigned int pm;
	uint16_t real;

	vfio_open(&dev, lab_bdf(it->name));
	pm = need_cap(&dev, PCI_CAP_ID_PM);
	real = pci_config_read(dev.bdf, pm + PCI_PM_CTRL, 2);
	EXPECT_EQ(cfg_get16(&dev, pm + PCI_PM_PMC) & PCI_PM_CAP_PME_MASK, 0);
	cfg_put16(&dev, pm + PCI_PM_CTRL, PCI_PM_CTRL_PME_ENABLE |
		  PCI_PM_CTRL_PME_STATUS);
	EXPECT_EQ(cfg_get16(&dev, pm + PCI_PM_CTRL) &
		  (PCI_PM_CTRL_PME_ENABLE | PCI_PM_CTRL_PME_STATUS), 0);
	EXPECT_EQ(pci_config_read(dev.bdf, pm + PCI_PM_CTRL, 2) &
		  (PCI_PM_CTRL_PME_ENABLE | PCI_PM_CTRL_PME_STATUS),
		  real & (PCI_PM_CTRL_PME_ENABLE | PCI_PM_CTRL_PME_STATUS));
	vfio_close(&dev);
}

static const struct card with_msi[] = { { "edu", 256 }, { "e1000e", 4096 },
					{ "igb", 4096 } };

TEST_EACH(msi_is_virtual_until_set_up, with_msi)
{
	struct vfio_dev dev;
	unsigned int msi;

	vfio_open(&dev, lab_bdf(it->name));
	msi = need_cap(&dev, PCI_CAP_ID_MSI);
	cfg_put32(&dev, msi + PCI_MSI_ADDRESS_LO, 0xfee01004);
	EXPECT_EQ(cfg_get32(&dev, msi + PCI_MSI_ADDRESS_LO), 0xfee01004u);
	EXPECT_NE(pci_config_read(dev.bdf, msi + PCI_MSI_ADDRESS_LO, 4),
		  0xfee01004u);
	cfg_put16(&dev, msi + PCI_MSI_DATA_64, 0x4321);
	EXPECT_EQ(cfg_get16(&dev, msi + PCI_MSI_DATA_64), 0x4321);

	/* Enabled by SET_IRQS alone, or the device would write anywhere. */
	cfg_put16(&dev, msi + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE);
	EXPECT_EQ(cfg_get16(&dev, msi + PCI_MSI_FLAGS) & PCI_MSI_FLAGS_ENABLE, 0);
	EXPECT_EQ(pci_config_read(dev.bdf, msi + PCI_MSI_FLAGS, 2) &
		  PCI_MSI_FLAGS_ENABLE, 0u);
	vfio_close(&dev);
}

TEST_EACH(msi_enable_follows_set_irqs, with_msi)
{
	struct vfio_dev dev;
	int32_t event = event_new();
	unsigned int msi;

	vfio_open(&dev, lab_bdf(it->name));
	msi = need_cap(&dev, PCI_CAP_ID_MSI);
	irq_enable(&dev, VFIO_PCI_MSI_IRQ_INDEX, 0, 1, &event);
	cfg_put16(&dev, msi + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE);
	EXPECT(cfg_get16(&dev, msi + PCI_MSI_FLAGS) & PCI_MSI_FLAGS_ENABLE);
	EXPECT(pci_config_read(dev.bdf, msi + PCI_MSI_FLAGS, 2) &
	       PCI_MSI_FLAGS_ENABLE);
	irq_disable(&dev, VFIO_PCI_MSI_IRQ_INDEX);
	EXPECT_EQ(pci_config_read(dev.bdf, msi + PCI_MSI_FLAGS, 2) &
		  PCI_MSI_FLAGS_ENABLE, 0u);
	vfio_close(&dev);
}

TEST_EACH(msix_is_read_only, with_pm)
{
	struct vfio_dev dev;
	unsigned int msix, pos;
	uint32_t was;

	vfio_open(&dev, lab_bdf(it->name));
	msix = need_cap(&dev, PCI_CAP_ID_MSIX);
	for (pos = msix; pos < msix + 12; pos += 4) {
		was = cfg_get32(&dev, pos);
		cfg_put32(&dev, pos, ~was);
		EXPECT_EQ(cfg_get32(&dev, pos), was);
	}
	vfio_close(&dev);
}

/* PCIe 4.0, 7.5.3: what a user may tune, and what the link is to the host. */
TEST_EACH(express_control, with_pm)
{
	struct vfio_dev dev;
	uint16_t was, real;
	unsigned int exp;

	vfio_open(&dev, lab_bdf(it->name));
	exp = need_cap(&dev, PCI_CAP_ID_EXP);
	was = cfg_get16(&dev, exp + PCI_EXP_DEVCTL);
	real = pci_config_read(dev.bdf, exp + PCI_EXP_DEVCTL, 2);

	/* Maximum payload: the user's number, the host's setting. */
	cfg_put16(&dev, exp + PCI_EXP_DEVCTL,
		  (was & ~PCI_EXP_DEVCTL_PAYLOAD) | (5 << 5));
	EXPECT_EQ(cfg_get16(&dev, exp + PCI_EXP_DEVCTL) & PCI_EXP_DEVCTL_PAYLOAD,
		  5 << 5);
	EXPECT_EQ(pci_config_read(dev.bdf, exp + PCI_EXP_DEVCTL, 2) &
		  PCI_EXP_DEVCTL_PAYLOAD, real & PCI_EXP_DEVCTL_PAYLOAD);

	cfg_put16(&dev, exp + PCI_EXP_DEVCTL,
		  (was & ~PCI_EXP_DEVCTL_READRQ) | (3 << 12));
	EXPECT_EQ(cfg_get16(&dev, exp + PCI_EXP_DEVCTL) & PCI_EXP_DEVCTL_READRQ,
		  3 << 12);
	cfg_put16(&dev, exp + PCI_EXP_DEVCTL, was);

	was = cfg_get16(&dev, exp + PCI_EXP_LNKCTL);
	cfg_put16(&dev, exp + PCI_EXP_LNKCTL, was ^ PCI_EXP_LNKCTL_ES);
	EXPECT_EQ(cfg_get16(&dev, exp + PCI_EXP_LNKCTL), was);
	vfio_close(&dev);
}

/* Virtual channels, ARI, ATS, SR-IOV: never the user's to switch. */
TEST_EACH(extended_capabilities_stay, with_pm)
{
	static const uint16_t ids[] = {
		PCI_EXT_CAP_ID_ARI, PCI_EXT_CAP_ID_ATS, PCI_EXT_CAP_ID_SRIOV,
		PCI_EXT_CAP_ID_DSN, PCI_EXT_CAP_ID_ACS, PCI_EXT_CAP_ID_LTR,
	};
	unsigned int i, pos, off, len, found = 0;
	struct vfio_dev dev;
	uint32_t was, real;

	vfio_open(&dev, lab_bdf(it->name));
	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		pos = cfg_find_ext_cap(&dev, ids[i]);
		len = ids[i] == PCI_EXT_CAP_ID_SRIOV ? PCI_EXT_CAP_SRIOV_SIZEOF : 8;
		for (off = 0; pos && off < len; off += 4) {
			was = cfg_get32(&dev, pos + off);
			real = pci_config_read(dev.bdf, pos + off, 4);
			cfg_put32(&dev, pos + off, ~was);
			EXPECT_EQ(cfg_get32(&dev, pos + off), was);
			EXPECT_EQ(pci_config_read(dev.bdf, pos + off, 4), real);
			found++;
		}
	}
	test_note("%u registers tried", found);
	EXPECT_GE(found, 2u);
	vfio_close(&dev);
}

/* AER masks are the user's: they decide what the user gets told. */
TEST(aer_masks_are_writable)
{
	struct vfio_dev dev;
	unsigned int aer;
	uint32_t was;

	vfio_open(&dev, lab_bdf("e1000e"));
	aer = cfg_find_ext_cap(&dev, PCI_EXT_CAP_ID_ERR);
	ASSERT(aer);
	was = cfg_get32(&dev, aer + PCI_ERR_UNCOR_MASK);
	cfg_put32(&dev, aer + PCI_ERR_UNCOR_MASK, was ^ PCI_ERR_UNC_COMP_TIME);
	EXPECT_EQ(cfg_get32(&dev, aer + PCI_ERR_UNCOR_MASK),
		  was ^ PCI_ERR_UNC_COMP_TIME);
	cfg_put32(&dev, aer + PCI_ERR_UNCOR_MASK, was);
	EXPECT_EQ(cfg_get32(&dev, aer + PCI_ERR_UNCOR_MASK), was);
	vfio_close(&dev);
}

static const struct card with_flr[] = { { "igb", 4096 }, { "nvme", 4096 } };

TEST_EACH(flr_through_devctl_resets, with_flr)
{
	struct vfio_dev dev;
	unsigned int exp;
	uint32_t val;
	void *bar;

	vfio_open(&dev, lab_bdf(it->name));
	exp = need_cap(&dev, PCI_CAP_ID_EXP);
	ASSERT(cfg_get32(&dev, exp + PCI_EXP_DEVCAP) & PCI_EXP_DEVCAP_FLR);
	mark_leave(&dev);
	bar = bar_map(&dev, 0, NULL);
	ASSERT(!load_faults(bar, &val));

	cfg_put16(&dev, exp + PCI_EXP_DEVCTL,
		  cfg_get16(&dev, exp + PCI_EXP_DEVCTL) | PCI_EXP_DEVCTL_BCR_FLR);
	EXPECT_EQ(cfg_get16(&dev, exp + PCI_EXP_DEVCTL) & PCI_EXP_DEVCTL_BCR_FLR,
		  0);
	EXPECT(!mark_there(&dev));
	/* The reset keeps the host's BARs, hence the mapping. */
	EXPECT(!load_faults(bar, &val));
	EXPECT_EQ(pci_config_read(dev.bdf, PCI_BASE_ADDRESS_0, 4) & ~0xfu,
		  pci_resource(dev.bdf, 0).start & 0xffffffff);
	vfio_close(&dev);
}

/* Without the bit nothing is reset, whatever else the write changes. */
TEST_EACH(devctl_without_flr_does_not_reset, with_flr)
{
	struct vfio_dev dev;
	unsigned int exp;

	vfio_open(&dev, lab_bdf(it->name));
	exp = need_cap(&dev, PCI_CAP_ID_EXP);
	mark_leave(&dev);
	cfg_put16(&dev, exp + PCI_EXP_DEVCTL,
		  cfg_get16(&dev, exp + PCI_EXP_DEVCTL) ^ PCI_EXP_DEVCTL_CERE);
	cfg_put8(&dev, exp + PCI_EXP_DEVCTL, 0);
	EXPECT(mark_there(&dev));
	vfio_close(&dev);
}
