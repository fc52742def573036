// SPDX-License-Identifier: GPL-2.0-only
/*
 * The firmware's part in a machine with Intel graphics.
 */
#include <endian.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "igd.h"
#include "lab.h"
#include "tap.h"

#define INTEL	(VFIO_REGION_TYPE_PCI_VENDOR_TYPE | 0x8086u)
#define HALF	(1u << 20)

const struct igd_firmware igd_ordinary = {
	.kib = 8, .version = 0x0201, .rvda = IGD_FIXED, .rvds = 0x1500,
	.vbt = IGD_LOW + IGD_FIXED, .shown = 0x0201, .shown_rvda = IGD_FIXED,
};

const char *igd_bdf(unsigned int fn)
{
	static char bdf[BDF_LEN];

	memcpy(bdf, lab_bdf("igd"), BDF_LEN);
	bdf[BDF_LEN - 2] = '0' + fn;
	return bdf;
}

uint8_t igd_byte(uint64_t phys)
{
	return phys * 7 + (phys >> 8) * 13 + (phys >> 16) * 29 + (phys >> 32);
}

void igd_fill(uint8_t *to, uint64_t phys, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		to[i] = igd_byte(phys + i);
}

static void put(uint8_t *to, uint64_t val, size_t len)
{
	val = htole64(val);
	memcpy(to, &val, len);
}

void igd_put_header(uint8_t *to, const struct igd_firmware *fw)
{
	memcpy(to, "IntelGraphicsMem", 16);
	put(to + IGD_AT_SIZE, fw->kib, 4);
	put(to + IGD_AT_VERSION, fw->version, 2);
	put(to + IGD_AT_RVDA, fw->rvda, 8);
	put(to + IGD_AT_RVDS, fw->rvds, 4);
}

void igd_firmware_write(const char *bdf, const struct igd_firmware *fw,
			uint64_t base)
{
	char path[128];
	uint8_t *map;
	int fd;

	pci_bind(bdf, "vfio-pci");
	ASSERT_EQ(pci_attr_write(bdf, "power/control", "on"), 0);
	pci_config_write(bdf, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	pci_config_write(bdf, IGD_ASLS, 4, IGD_LOW + base);

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0", bdf);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_OK(fd);
	map = mmap(NULL, 2 * HALF, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT(map != MAP_FAILED);
	igd_fill(map, IGD_LOW + base, HALF);
	igd_fill(map + HALF, IGD_HIGH + base, HALF);
	igd_put_header(map, fw);
	munmap(map, 2 * HALF);
	close(fd);
	ASSERT_EQ(pci_attr_write(bdf, "power/control", "auto"), 0);
}

void igd_open(struct vfio_dev *dev, const struct igd_firmware *fw)
{
	igd_firmware_write(igd_bdf(0), fw, 0);
	vfio_open(dev, igd_bdf(0));
}

static void expect_region(struct vfio_dev *dev, uint32_t index,
			  uint32_t subtype, uint64_t size)
{
	const struct vfio_region_info_cap_type *type;
	struct vfio_region region;

	region = vfio_region(dev, index);
	EXPECT_EQ(region.info.size, size);
	EXPECT_EQ(region.info.flags, VFIO_REGION_INFO_FLAG_READ |
		  VFIO_REGION_INFO_FLAG_CAPS);
	type = (const void *)vfio_region_cap(&region, VFIO_REGION_INFO_CAP_TYPE);
	ASSERT(type);
	EXPECT_EQ(type->header.version, 1);
	EXPECT_EQ(type->type, INTEL);
	EXPECT_EQ(type->subtype, subtype);
}

uint64_t igd_cfg_size_of_host(const char *bdf)
{
	struct stat st;
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	ASSERT_OK(stat(path, &st));
	return st.st_size;
}

void igd_expect_regions(struct vfio_dev *dev, const struct igd_firmware *fw)
{
	ASSERT_EQ(dev->info.num_regions, (uint32_t)IGD_END);
	expect_region(dev, IGD_OPREGION, VFIO_REGION_SUBTYPE_INTEL_IGD_OPREGION,
		      fw->kib * 1024 + (fw->vbt ? fw->rvds : 0));
	expect_region(dev, IGD_HOST, VFIO_REGION_SUBTYPE_INTEL_IGD_HOST_CFG,
		      igd_cfg_size_of_host("0000:00:00.0"));
	expect_region(dev, IGD_LPC, VFIO_REGION_SUBTYPE_INTEL_IGD_LPC_CFG,
		      igd_cfg_size_of_host("0000:00:1f.0"));
}
