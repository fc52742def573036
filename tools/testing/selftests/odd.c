// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the lab's odd device has and no other: resets by a capability of any age,
 * the loss of its state in D3hot, vital product data, several MSI vectors,
 * AtomicOps, BARs that share a page, a ROM that tells how it was read.
 */
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/lab.h"
#include "lib/mark.h"
#include "lib/odd.h"
#include "lib/slab.h"
#include "lib/tap.h"
#include "lib/vfio.h"

#define MSI	VFIO_PCI_MSI_IRQ_INDEX
#define ROM	VFIO_PCI_ROM_REGION_INDEX
#define VGA	VFIO_PCI_VGA_REGION_INDEX
#define DEVCAP	0x00008020	/* as it is, but for FLR */

static const struct odd_poke no_express_flr[] = {
	{ ODD_EXP + PCI_EXP_DEVCAP, 4, DEVCAP },
	{ }
};

/* What is left is the way through D3hot. */
static const struct odd_poke no_flr[] = {
	{ ODD_EXP + PCI_EXP_DEVCAP, 4, DEVCAP },
	{ ODD_AF + PCI_AF_CAP, 1, 0 },
	{ }
};

/* ---- resets --------------------------------------------------------------- */

struct way {
	const char *name;
	const struct odd_poke *pokes;
	uint16_t pos;
	uint16_t bit;
};

static const struct way ways[] = {
	{ "devctl", NULL, ODD_EXP + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_BCR_FLR },
	{ "af", no_express_flr, ODD_AF + PCI_AF_CTRL, PCI_AF_CTRL_FLR },
};

/*
 * The reset comes, and the bit does not stay; the host's addresses survive, and
 * mappings are gone for its time only, wherever the user had the BARs.
 */
TEST_EACH(flr_by_register_keeps_bars_and_mappings, ways)
{
	struct vfio_dev dev;
	uint32_t bar, val;
	uint8_t *map;

	odd_open(&dev, odd_made("odd", it->pokes));
	bar = pci_config_read(dev.bdf, PCI_BASE_ADDRESS_0, 4);
	map = bar_map(&dev, 0, NULL);
	mark_leave(&dev);
	ASSERT(!load_faults(map + ODD_MARK, &val));
	EXPECT_EQ(val, 1u);

	cfg_put32(&dev, PCI_BASE_ADDRESS_0, 0x12340000);
	cfg_put16(&dev, it->pos, cfg_get16(&dev, it->pos) | it->bit);
	EXPECT_EQ(cfg_get16(&dev, it->pos) & it->bit, 0);
	ASSERT(!load_faults(map + ODD_MARK, &val));
	EXPECT_EQ(val, 0u);
	EXPECT_EQ(pci_config_read(dev.bdf, PCI_BASE_ADDRESS_0, 4), bar);
	EXPECT_EQ(cfg_get32(&dev, PCI_BASE_ADDRESS_0), 0x12340000u);
	vfio_close(&dev);
}

/* A capability that does not claim it resets nothing. */
TEST(flr_by_register_needs_the_capability)
{
	struct vfio_dev dev;
	unsigned int i;

	odd_open(&dev, odd_made("odd", no_flr));
	mark_leave(&dev);
	for (i = 0; i < ARRAY_SIZE(ways); i++)
		cfg_put16(&dev, ways[i].pos, ways[i].bit);
	EXPECT(mark_there(&dev));
	vfio_close(&dev);
}

/* PCI PM 1.2, 3.2.4: from D3hot it comes back as from a reset. */
TEST(soft_reset_loses_nothing_of_the_users)
{
	int32_t fds[2] = { event_new(), event_new() };
	unsigned int i, exp = ODD_EXP + PCI_EXP_DEVCTL;
	struct vfio_dev dev;
	uint32_t bar;

	odd_open(&dev, odd_made("odd", NULL));
	cfg_command(&dev, PCI_COMMAND_MASTER, 0);
	bar = pci_config_read(dev.bdf, PCI_BASE_ADDRESS_0, 4);
	irq_enable(&dev, MSI, 0, 2, fds);
	cfg_put8(&dev, PCI_CACHE_LINE_SIZE, 0x20);
	cfg_put16(&dev, exp, cfg_get16(&dev, exp) | PCI_EXP_DEVCTL_NFERE);
	for (i = 0; i < 3; i++) {
		mark_leave(&dev);
		cfg_put16(&dev, ODD_PM + PCI_PM_CTRL, 3);
		EXPECT_EQ(pci_config_read(dev.bdf, ODD_PM + PCI_PM_CTRL, 2) & 3, 3u);
		cfg_put16(&dev, ODD_PM + PCI_PM_CTRL, 0);
		EXPECT(!mark_there(&dev));
		EXPECT_EQ(pci_config_read(dev.bdf, PCI_BASE_ADDRESS_0, 4), bar);
		EXPECT_EQ(cfg_get8(&dev, PCI_CACHE_LINE_SIZE), 0x20);
		EXPECT(cfg_get16(&dev, exp) & PCI_EXP_DEVCTL_NFERE);
		odd_put(&dev, ODD_MSI, 1);
		EXPECT_EQ(event_wait(fds[1], 500), 1);
	}
	vfio_close(&dev);
}

/* What was saved for the way back is not kept for good each time. */
TEST_LIMIT(cve_2022_49219_states_saved_for_d3_are_freed, 90)
{
	const unsigned int rounds = 300;
	struct vfio_dev dev;
	unsigned int i;
	long before;

	odd_open(&dev, odd_made("odd", no_flr));
	ASSERT(dev.info.flags & VFIO_DEVICE_FLAGS_RESET);
	before = slab_objects();
	for (i = 0; i < rounds; i++) {
		cfg_put16(&dev, ODD_PM + PCI_PM_CTRL, 3);
		vfio_reset(&dev);
	}
	EXPECT_LE(slab_growth(before, rounds / 2), rounds / 2);
	EXPECT_EQ(pci_config_read(dev.bdf, ODD_PM + PCI_PM_CTRL, 2) & 3, 0u);
	vfio_close(&dev);
}

/* ---- vital product data --------------------------------------------------- */

static uint16_t vpd_address(struct vfio_dev *dev)
{
	return cfg_get16(dev, ODD_VPD + PCI_VPD_ADDR);
}

static uint32_t vpd_read(struct vfio_dev *dev, uint16_t addr)
{
	cfg_put16(dev, ODD_VPD + PCI_VPD_ADDR, addr);
	EXPECT_EQ(vpd_address(dev), addr | PCI_VPD_ADDR_F);
	return cfg_get32(dev, ODD_VPD + PCI_VPD_DATA);
}

TEST(vpd_is_read_and_written)
{
	struct vfio_dev dev;

	odd_open(&dev, odd_made("odd", NULL));
	EXPECT_EQ(vpd_read(&dev, 0), 0x6c000782u);
	EXPECT_EQ(vpd_read(&dev, 4), 0x6f2d6261u);
	cfg_put32(&dev, ODD_VPD + PCI_VPD_DATA, 0x64644f6f);
	cfg_put16(&dev, ODD_VPD + PCI_VPD_ADDR, 4 | PCI_VPD_ADDR_F);
	EXPECT_EQ(vpd_address(&dev), 4);
	EXPECT_EQ(vpd_read(&dev, 0), 0x6c000782u);
	EXPECT_EQ(vpd_read(&dev, 4), 0x64644f6fu);
	cfg_put32(&dev, ODD_VPD + PCI_VPD_DATA, 0x6f2d6261);
	cfg_put16(&dev, ODD_VPD + PCI_VPD_ADDR, 4 | PCI_VPD_ADDR_F);
	vfio_close(&dev);
}

/* The user sees that it does not come; the flag does not flip, nothing hangs. */
TEST(vpd_that_never_comes)
{
	struct vfio_dev dev;

	odd_open(&dev, odd_made("odd", NULL));
	EXPECT_EQ(vpd_read(&dev, 0), 0x6c000782u);
	odd_put(&dev, ODD_STUCK, 1);
	cfg_put16(&dev, ODD_VPD + PCI_VPD_ADDR, 4);
	EXPECT_EQ(vpd_address(&dev), 4);
	cfg_put16(&dev, ODD_VPD + PCI_VPD_ADDR, 4 | PCI_VPD_ADDR_F);
	EXPECT_EQ(vpd_address(&dev), 4 | PCI_VPD_ADDR_F);
	odd_put(&dev, ODD_STUCK, 0);
	EXPECT_EQ(vpd_read(&dev, 0), 0x6c000782u);
	vfio_close(&dev);
}

/* ---- MSI ------------------------------------------------------------------ */

/*
 * Reads and writes of the capability while several vectors are enabled: the ID
 * stays, what the device is capable of stays, and no more can be made use of than
 * were enabled. Fails on the distribution's 6.12.117, which lets a write to the
 * flags change what the device is capable of.
 */
TEST(msi_of_several_vectors_in_config_space)
{
	int32_t fds[4] = { event_new(), event_new(), event_new(), event_new() };
	const unsigned int flags = ODD_MSI_CAP + PCI_MSI_FLAGS;
	struct vfio_dev dev;
	unsigned int i, log;
	uint16_t capable;

	odd_open(&dev, odd_made("odd", NULL));
	cfg_command(&dev, PCI_COMMAND_MASTER, 0);
	capable = cfg_get16(&dev, flags);
	EXPECT_EQ(capable & PCI_MSI_FLAGS_QMASK, 2 << 1);
	for (log = 0; log <= 2; log++) {
		irq_enable(&dev, MSI, 0, 1 << log, fds);
		cfg_put16(&dev, flags, PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE);
		EXPECT_EQ(cfg_get16(&dev, flags),
			  capable | PCI_MSI_FLAGS_ENABLE | log << 4);
		EXPECT_EQ(cfg_get32(&dev, ODD_MSI_CAP) & 0xff, PCI_CAP_ID_MSI);
		EXPECT_EQ(cfg_get8(&dev, ODD_MSI_CAP), PCI_CAP_ID_MSI);
		EXPECT_EQ(cfg_find_cap(&dev, PCI_CAP_ID_MSI), ODD_MSI_CAP);
		for (i = 0; i < 1u << log; i++) {
			odd_put(&dev, ODD_MSI, i);
			EXPECT_EQ(event_wait(fds[i], 500), 1);
		}
		irq_disable(&dev, MSI);
	}
	vfio_close(&dev);
}

/* ---- AtomicOps ------------------------------------------------------------ */

#define DEVCTL2	(ODD_EXP + PCI_EXP_DEVCTL2)

/* Debian 12's own linux/vfio.h does not have these. */
#define CAP_ATOMICS	5	/* VFIO_DEVICE_INFO_CAP_PCI_ATOMIC_COMP */
#define ATOMICS_32_64	0x3u	/* VFIO_PCI_ATOMIC_COMP32, _COMP64 */

/* What device info says of AtomicOps: widths, after the header. */
static uint32_t atomics(struct vfio_dev *dev)
{
	union {
		struct vfio_device_info head;
		uint8_t raw[128];
	} info = { 0 };
	const struct vfio_info_cap_header *cap;

	info.head.argsz = sizeof(info);
	ASSERT_OK(ioctl(dev->fd, VFIO_DEVICE_GET_INFO, &info));
	ASSERT(info.head.flags & VFIO_DEVICE_FLAGS_CAPS);
	ASSERT_LE(info.head.cap_offset, sizeof(info) - sizeof(*cap) - 4);
	cap = (const void *)&info.raw[info.head.cap_offset];
	ASSERT_EQ(cap->id, CAP_ATOMICS);
	return *(const uint32_t *)(cap + 1);
}

static bool may_send_atomics(const char *bdf)
{
	return pci_config_read(bdf, DEVCTL2, 2) & PCI_EXP_DEVCTL2_ATOMIC_REQ;
}

/*
 * Asking for information changes nothing. Fails on the distribution's 6.12.117:
 * the device may send AtomicOps as soon as somebody wants to know if it could.
 */
TEST(info_does_not_enable_atomics)
{
	struct vfio_dev dev;

	odd_open(&dev, odd_made("odd", NULL));
	EXPECT_EQ(atomics(&dev), ATOMICS_32_64);
	pci_config_write(dev.bdf, DEVCTL2, 2, 0);
	EXPECT_EQ(atomics(&dev), ATOMICS_32_64);
	EXPECT(!may_send_atomics(dev.bdf));
	vfio_close(&dev);
	EXPECT(!may_send_atomics(lab_bdf("odd")));
}

/* ---- BARs and ROM --------------------------------------------------------- */

#define PAGE	4096u

/* Firmware gives each BAR a page; found again by the kernel, both are in one. */
TEST(small_bar_is_mapped_only_if_alone_on_its_page)
{
	const char *bdf = lab_bdf("oddpci");
	struct vfio_dev dev;
	uint32_t *map, val;

	odd_open(&dev, bdf);
	ASSERT_EQ(pci_resource(bdf, 1).start % PAGE, 0u);
	ASSERT_NE(pci_resource(bdf, 1).start, pci_resource(bdf, 2).start & -PAGE);
	map = bar_map_try(&dev, 1, 0, PAGE);
	ASSERT(map);
	map[1] = 0x5ca1ab1e;
	EXPECT_EQ(region_get(&dev, 1, 4, 4), 0x5ca1ab1eu);
	munmap(map, PAGE);
	vfio_close(&dev);

	odd_open(&dev, odd_made("oddpci", NULL));
	ASSERT_EQ(pci_resource(bdf, 1).start & -PAGE,
		  pci_resource(bdf, 2).start & -PAGE);
	EXPECT(!bar_map_try(&dev, 1, 0, PAGE));
	EXPECT(!bar_map_try(&dev, 2, 0, PAGE));
	EXPECT(!(vfio_region(&dev, 1).info.flags & VFIO_REGION_INFO_FLAG_MMAP));
	region_put(&dev, 2, 0xfc, 4, 0xcafe);
	EXPECT_EQ(region_get(&dev, 2, 0xfc, 4), 0xcafeu);
	EXPECT_EQ(region_read_try(&dev, 2, 0x100, &val, 4), -1);
	vfio_close(&dev);
}

/* "Disable qword access to the PCI ROM bar": there are those that hang by it. */
TEST(rom_is_read_by_four_bytes_at_most)
{
	struct vfio_dev dev;
	uint8_t data[64];

	odd_open(&dev, odd_made("odd", NULL));
	ASSERT_EQ(vfio_region(&dev, ROM).info.size, ODD_ROM_SIZE);
	odd_put(&dev, ODD_ROM_WIDTH, 0);
	EXPECT_EQ(region_read_try(&dev, ROM, 0, data, sizeof(data)), 64);
	EXPECT_EQ(region_get(&dev, ROM, 0x18, 8) & 0xffff, 0x1cu);
	EXPECT_EQ(odd_get(&dev, ODD_ROM_WIDTH), 4u);
	EXPECT_EQ(region_get(&dev, ROM, ODD_ROM_IMAGE, 8), UINT64_MAX);
	vfio_close(&dev);
}

static const struct odd_poke is_vga[] = {
	{ PCI_CLASS_DEVICE, 2, 0x0300 },
	{ }
};

/*
 * Of what the machine knows of VGA nothing is wider. Fails on the distribution's
 * 6.12.117, which accesses eight bytes where it can.
 */
TEST(vga_is_accessed_by_four_bytes_at_most)
{
	struct vfio_dev dev;
	uint64_t data[4];

	odd_open(&dev, odd_made("odd", is_vga));
	odd_put(&dev, ODD_VGA_WIDTH, 0);
	ASSERT_EQ(region_read_try(&dev, VGA, 0xb8000, data, sizeof(data)), 32);
	EXPECT_EQ(odd_get(&dev, ODD_VGA_WIDTH), 4u);
	ASSERT_EQ(region_write_try(&dev, VGA, 0xb8000, data, sizeof(data)), 32);
	EXPECT_EQ(odd_get(&dev, ODD_VGA_WIDTH), 4u);
	vfio_close(&dev);
}

#define FIRMWARE_ROM	(13 * 512u)	/* bytes that lab/modules/rom.c provides */

/*
 * Without a ROM of its own the function may have one that the firmware left in
 * memory. Fails on the distribution's 6.12.117, which only knows the one at 0xc0000.
 */
TEST(rom_that_only_the_firmware_has)
{
	const char *bdf = lab_bdf("bridge");
	uint8_t got[0x2000 + 16];
	struct vfio_dev dev;
	char option[32];
	unsigned int i;

	snprintf(option, sizeof(option), "of=%s", bdf);
	ASSERT_EQ(module_load("rom", option), 0);
	vfio_open(&dev, bdf);
	EXPECT_EQ(vfio_region(&dev, ROM).info.size, 0x2000u);
	EXPECT_EQ(vfio_region(&dev, ROM).info.flags, VFIO_REGION_INFO_FLAG_READ);
	ASSERT_EQ(region_read_try(&dev, ROM, 0, got, sizeof(got)), 0x2000);
	for (i = 0; i < 0x2000; i++)
		ASSERT_EQ(got[i], i < FIRMWARE_ROM ? (uint8_t)(i * 7 + (i >> 8)) : 0xff);
	EXPECT_ERRNO(region_read_try(&dev, ROM, 0x2000, got, 1), EINVAL);
	cfg_put32(&dev, PCI_ROM_ADDRESS, 0xffffffff);
	EXPECT_EQ(cfg_get32(&dev, PCI_ROM_ADDRESS), 0xffffe001u);
	EXPECT_EQ(pci_config_read(bdf, PCI_ROM_ADDRESS, 4), 0u);
	vfio_close(&dev);

	/* As before: there is none. */
	EXPECT_EQ(module_unload("rom"), 0);
	vfio_open(&dev, bdf);
	EXPECT_EQ(vfio_region(&dev, ROM).info.size, 0u);
	vfio_close(&dev);
}
