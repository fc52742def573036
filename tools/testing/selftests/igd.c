// SPDX-License-Identifier: GPL-2.0-only
/*
 * Intel graphics: who has the extra regions, register ASLS, the bridges.
 */
#include <unistd.h>

#include "lib/igd.h"
#include "lib/kmsg.h"
#include "lib/lab.h"
#include "lib/tap.h"
#include "lib/vfio.h"

static void expect_no_regions(const char *bdf)
{
	struct vfio_dev dev;
	uint32_t val;

	vfio_open(&dev, bdf);
	EXPECT_EQ(dev.info.num_regions, VFIO_PCI_NUM_REGIONS);
	EXPECT_ERRNO(pread(dev.fd, &val, 4, (uint64_t)IGD_OPREGION << 40), EINVAL);
	vfio_close(&dev);
}

/* --- no OpRegion ---------------------------------------------------------- */

struct nothing {
	const char *name;
	uint32_t asls;
};

static const struct nothing nothings[] = {
	{ "zero", 0 },
	{ "ones", 0xffffffff },
	{ "something-else", IGD_LOW + 0x8000 },
	{ "memory-of-the-kernel", 0x10000000 },
	{ "end-of-32-bits", 0xfffff000 },
};

TEST_EACH(no_opregion_no_regions, nothings)
{
	const char *bdf = igd_bdf(0);

	if (lab_stock() && it->asls && it->asls != 0xffffffff)
		SKIP("the distribution's driver refuses to open");
	igd_firmware_write(bdf, &igd_ordinary, 0);
	pci_config_write(bdf, IGD_ASLS, 4, it->asls);
	expect_no_regions(bdf);
	if (it->asls && it->asls != 0xffffffff)
		EXPECT(kmsg_has("no OpRegion"));
	pci_config_write(bdf, IGD_ASLS, 4, IGD_LOW);
}

/* What is a display has them, not VGA controllers alone. */
TEST(other_display_classes_have_them)
{
	struct igd_firmware fw = igd_ordinary;
	const char *bdf = igd_bdf(1);
	struct vfio_dev dev;
	uint8_t data[64];
	uint64_t i;

	if (lab_stock())
		SKIP("the distribution's driver only knows VGA controllers");
	EXPECT_EQ(pci_attr_number(bdf, "class") >> 8, 0x0380u);
	igd_firmware_write(bdf, &fw, IGD_NEXT);
	vfio_open(&dev, bdf);
	igd_expect_regions(&dev, &fw);
	ASSERT_EQ(region_read_try(&dev, IGD_OPREGION, IGD_FIXED, data, 64), 64);
	for (i = 0; i < 64; i++)
		EXPECT_EQ(data[i], igd_byte(IGD_LOW + IGD_NEXT + IGD_FIXED + i));
	vfio_close(&dev);
}

TEST(other_vendors_displays_do_not)
{
	expect_no_regions(lab_bdf("vga"));
}

/*
 * The firmware of a machine that boots without a VGA BIOS leaves nothing in the
 * memory that the kernel takes for this function's ROM.
 */
TEST(shadow_without_an_image_is_no_rom)
{
	struct vfio_region region;
	struct vfio_dev dev;
	uint32_t val;

	ASSERT_EQ(pci_resource(igd_bdf(0), 6).start, 0xc0000u);
	igd_open(&dev, &igd_ordinary);
	region = vfio_region(&dev, VFIO_PCI_ROM_REGION_INDEX);
	EXPECT_EQ(region.info.size, 0u);
	EXPECT_EQ(region.info.flags, 0u);
	EXPECT_ERRNO(region_read_try(&dev, VFIO_PCI_ROM_REGION_INDEX, 0, &val, 4),
		     lab_stock() ? ENOMEM : EINVAL);
	vfio_close(&dev);
}

/* --- ASLS ----------------------------------------------------------------- */

TEST(asls_is_the_users_own)
{
	struct vfio_dev dev;

	igd_open(&dev, &igd_ordinary);
	/* The distribution's driver shows the address of the VBT. */
	if (!lab_stock())
		EXPECT_EQ(cfg_get32(&dev, IGD_ASLS), IGD_LOW);
	cfg_put32(&dev, IGD_ASLS, 0x12345678);
	EXPECT_EQ(cfg_get32(&dev, IGD_ASLS), 0x12345678u);
	cfg_put16(&dev, IGD_ASLS + 2, 0xabcd);
	cfg_put8(&dev, IGD_ASLS, 0xef);
	EXPECT_EQ(cfg_get32(&dev, IGD_ASLS), 0xabcd56efu);
	EXPECT_EQ(cfg_get8(&dev, IGD_ASLS + 3), 0xabu);
	EXPECT_EQ(pci_config_read(dev.bdf, IGD_ASLS, 4), IGD_LOW);
	vfio_close(&dev);

	/* The next user starts anew. */
	vfio_open(&dev, igd_bdf(0));
	EXPECT_NE(cfg_get32(&dev, IGD_ASLS), 0xabcd56efu);
	vfio_close(&dev);
	EXPECT_EQ(pci_config_read(igd_bdf(0), IGD_ASLS, 4), IGD_LOW);
}

/* Else a user could have the next open copy any memory of the host. */
TEST(asls_is_out_of_reach_without_an_opregion)
{
	const char *bdf = igd_bdf(0);
	struct vfio_dev dev;

	if (lab_stock())
		SKIP("the distribution's driver lets it be written");
	igd_firmware_write(bdf, &igd_ordinary, 0);
	pci_config_write(bdf, IGD_ASLS, 4, 0);
	vfio_open(&dev, bdf);
	cfg_put32(&dev, IGD_ASLS, IGD_LOW + 0x1000);
	EXPECT_EQ(cfg_get32(&dev, IGD_ASLS), IGD_LOW + 0x1000);
	EXPECT_EQ(pci_config_read(bdf, IGD_ASLS, 4), 0u);
	vfio_close(&dev);
	pci_config_write(bdf, IGD_ASLS, 4, IGD_LOW);
}

/* --- the bridges ---------------------------------------------------------- */

struct bridge {
	const char *name;
	uint32_t index;
	const char *bdf;
};

static const struct bridge bridges[] = {
	{ "host", IGD_HOST, "0000:00:00.0" },
	{ "lpc", IGD_LPC, "0000:00:1f.0" },
};

TEST_EACH(bridge_config_is_what_the_host_sees, bridges)
{
	uint64_t size = igd_cfg_size_of_host(it->bdf), pos;
	uint8_t whole[4096], part[8];
	struct vfio_dev dev;
	unsigned int width;

	ASSERT_LE(size, sizeof(whole));
	for (pos = 0; pos < size; pos++)
		whole[pos] = pci_config_read(it->bdf, pos, 1);

	igd_open(&dev, &igd_ordinary);
	EXPECT_EQ(region_get(&dev, it->index, 0, 2), 0x8086u);
	for (width = 1; width <= 8; width++) {
		for (pos = 0; pos + width <= size; pos++) {
			ASSERT_EQ(region_read_try(&dev, it->index, pos, part, width),
				  (ssize_t)width);
			ASSERT_MEMEQ(part, whole + pos, width);
		}
	}
	vfio_close(&dev);
}

static const struct { const char *name; uint32_t index; } extras[] = {
	{ "opregion", IGD_OPREGION }, { "host", IGD_HOST }, { "lpc", IGD_LPC },
};

TEST_EACH(regions_end_and_are_read_only, extras)
{
	uint8_t data[64] = { 0 };
	struct vfio_dev dev;
	uint64_t size;

	igd_open(&dev, &igd_ordinary);
	size = vfio_region(&dev, it->index).info.size;
	EXPECT_EQ(region_read_try(&dev, it->index, size - 5, data, 64), 5);
	EXPECT_ERRNO(region_read_try(&dev, it->index, size, data, 1), EINVAL);
	EXPECT_ERRNO(region_read_try(&dev, it->index, (1ull << 40) - 4, data, 4),
		     EINVAL);
	EXPECT_ERRNO(region_read_try(&dev, it->index, 0, (void *)16, 4), EFAULT);
	EXPECT_ERRNO(region_write_try(&dev, it->index, 4, data, 2), EINVAL);
	EXPECT_ERRNO(region_write_try(&dev, it->index, size, data, 1), EINVAL);
	EXPECT(!bar_map_try(&dev, it->index, 0, 4096));
	EXPECT_ERRNO(pread(dev.fd, data, 4, (uint64_t)IGD_END << 40), EINVAL);
	vfio_close(&dev);
}
