// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configuration space: access sizes, edges, the header, BAR sizing.
 */
#include <string.h>
#include <unistd.h>

#include "lib/lab.h"
#include "lib/tap.h"
#include "lib/vfio.h"

#define CONFIG		VFIO_PCI_CONFIG_REGION_INDEX
#define OFFSET(index)	((uint64_t)(index) << 40)

struct card {
	const char *name;
	uint32_t size;
	uint16_t command;	/* bits that the device implements */
};

static const struct card cards[] = {
	{ "edu", 256, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER },
	{ "e1000e", 4096, PCI_COMMAND_IO | PCI_COMMAND_MEMORY |
			  PCI_COMMAND_MASTER },
	{ "nvme", 4096, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER },
	{ "igb", 4096, PCI_COMMAND_IO | PCI_COMMAND_MEMORY |
		       PCI_COMMAND_MASTER },
	{ "vga", 256, PCI_COMMAND_IO | PCI_COMMAND_MEMORY },
	{ "testdev", 256, PCI_COMMAND_IO | PCI_COMMAND_MEMORY },
};

static void read_by(struct vfio_dev *dev, uint8_t *out, uint32_t size,
		    uint32_t width)
{
	uint32_t pos, val;

	for (pos = 0; pos < size; pos += width) {
		val = region_get(dev, CONFIG, pos, width);
		memcpy(out + pos, &val, width);
	}
}

TEST_EACH(reads_agree_at_all_widths, cards)
{
	uint8_t whole[4096], part[4096];
	struct vfio_dev dev;
	uint32_t width;

	vfio_open(&dev, lab_bdf(it->name));
	ASSERT_EQ(region_read_try(&dev, CONFIG, 0, whole, it->size),
		  (ssize_t)it->size);
	for (width = 1; width <= 4; width *= 2) {
		read_by(&dev, part, it->size, width);
		EXPECT_MEMEQ(part, whole, it->size);
	}
	vfio_close(&dev);
}

/* Any start, any length, however it crosses registers and capabilities. */
TEST_EACH(reads_agree_at_any_alignment, cards)
{
	uint8_t whole[4096], part[64];
	struct vfio_dev dev;
	uint32_t pos, len;

	vfio_open(&dev, lab_bdf(it->name));
	ASSERT_EQ(region_read_try(&dev, CONFIG, 0, whole, it->size),
		  (ssize_t)it->size);
	for (pos = 0; pos < 256; pos++) {
		len = 1 + pos * 7 % sizeof(part);
		if (pos + len > it->size)
			len = it->size - pos;
		ASSERT_EQ(region_read_try(&dev, CONFIG, pos, part, len),
			  (ssize_t)len);
		EXPECT_MEMEQ(part, whole + pos, len);
	}
	vfio_close(&dev);
}

TEST_EACH(reads_past_the_end_fault, cards)
{
	uint8_t data[8192];
	struct vfio_dev dev;

	vfio_open(&dev, lab_bdf(it->name));
	EXPECT_EQ(region_read_try(&dev, CONFIG, it->size - 1, data, 1), 1);
	EXPECT_ERRNO(region_read_try(&dev, CONFIG, it->size, data, 1), EFAULT);
	EXPECT_ERRNO(region_read_try(&dev, CONFIG, it->size + 1, data, 4), EFAULT);
	EXPECT_ERRNO(region_read_try(&dev, CONFIG, 4096, data, 4), EFAULT);
	EXPECT_ERRNO(region_read_try(&dev, CONFIG, 0xffffffff, data, 4), EFAULT);
	EXPECT_ERRNO(region_read_try(&dev, CONFIG, 0xffffffffff, data, 1), EFAULT);
	EXPECT_ERRNO(region_write_try(&dev, CONFIG, it->size, data, 4), EFAULT);
	EXPECT_ERRNO(region_write_try(&dev, CONFIG, 0xfffffffffc, data, 4), EFAULT);
	EXPECT_EQ(region_read_try(&dev, CONFIG, 0, data, 0), 0);
	vfio_close(&dev);
}

/* What would run over the end is refused before any of it is done. */
TEST_EACH(refuses_across_the_end, cards)
{
	uint8_t data[16], last[4], now[4];
	struct vfio_dev dev;

	vfio_open(&dev, lab_bdf(it->name));
	ASSERT_EQ(region_read_try(&dev, CONFIG, it->size - 4, last, 4), 4);
	memset(data, 0xa5, sizeof(data));
	EXPECT_ERRNO(region_read_try(&dev, CONFIG, it->size - 4, data, sizeof(data)), EFAULT);
	EXPECT_EQ(data[0], 0xa5);
	EXPECT_ERRNO(region_write_try(&dev, CONFIG, it->size - 4, data, 5), EFAULT);
	ASSERT_EQ(region_read_try(&dev, CONFIG, it->size - 4, now, 4), 4);
	EXPECT_MEMEQ(now, last, 4);
	vfio_close(&dev);
}

TEST(regions_that_do_not_exist)
{
	uint32_t index, val = 0;
	struct vfio_dev dev;
	uint64_t pos;

	vfio_open(&dev, lab_bdf("edu"));
	for (index = VFIO_PCI_NUM_REGIONS; index < 1u << 23; index = index * 5 / 2) {
		EXPECT_ERRNO(pread(dev.fd, &val, 4, OFFSET(index)), EINVAL);
		EXPECT_ERRNO(pwrite(dev.fd, &val, 4, OFFSET(index)), EINVAL);
	}
	for (pos = 1ull << 62; pos; pos >>= 1) {
		EXPECT_ERRNO(pread(dev.fd, &val, 4, pos | 1ull << 63), EINVAL);
		EXPECT_ERRNO(pwrite(dev.fd, &val, 4, pos | 1ull << 63), EINVAL);
	}
	/* A BAR that the device does not have. */
	EXPECT_ERRNO(pread(dev.fd, &val, 4, OFFSET(3)), EINVAL);
	EXPECT_ERRNO(pwrite(dev.fd, &val, 4, OFFSET(3)), EINVAL);
	vfio_close(&dev);
}

static void put_bytes(struct vfio_dev *dev, unsigned int pos, uint32_t val,
		      unsigned int len, unsigned int width)
{
	unsigned int i;

	for (i = 0; i < len; i += width)
		region_put(dev, CONFIG, pos + i, width, val >> (8 * i));
}

struct field {
	unsigned int pos;
	unsigned int len;
};

/* PCI 3.0, 6.2: what identifies the function is not the driver's to change. */
static const struct field fixed_fields[] = {
	{ PCI_VENDOR_ID, 4 }, { PCI_REVISION_ID, 4 }, { PCI_HEADER_TYPE, 1 },
	{ PCI_CARDBUS_CIS, 4 }, { PCI_SUBSYSTEM_VENDOR_ID, 4 },
	{ PCI_CAPABILITY_LIST, 4 }, { 0x38, 4 }, { PCI_INTERRUPT_PIN, 1 },
	{ PCI_MIN_GNT, 2 },
};

TEST_EACH(header_fields_that_do_not_change, cards)
{
	unsigned int i, width, pos, len;
	struct vfio_dev dev;
	uint32_t was;

	vfio_open(&dev, lab_bdf(it->name));
	for (i = 0; i < ARRAY_SIZE(fixed_fields); i++) {
		pos = fixed_fields[i].pos;
		len = fixed_fields[i].len;
		was = region_get(&dev, CONFIG, pos, len);
		for (width = 1; width <= len; width *= 2) {
			put_bytes(&dev, pos, ~was, len, width);
			EXPECT_EQ(region_get(&dev, CONFIG, pos, len), was);
		}
		EXPECT_EQ(pci_config_read(dev.bdf, pos, len), was);
	}
	vfio_close(&dev);
}

TEST_EACH(interrupt_line_is_the_users_own, cards)
{
	uint32_t val, real;
	struct vfio_dev dev;

	vfio_open(&dev, lab_bdf(it->name));
	real = pci_config_read(dev.bdf, PCI_INTERRUPT_LINE, 1);
	for (val = 0; val < 256; val += 51) {
		cfg_put8(&dev, PCI_INTERRUPT_LINE, val);
		EXPECT_EQ(cfg_get8(&dev, PCI_INTERRUPT_LINE), val);
		EXPECT_EQ(pci_config_read(dev.bdf, PCI_INTERRUPT_LINE, 1), real);
	}
	vfio_close(&dev);
}

TEST_EACH(command_bits, cards)
{
	const uint16_t all = PCI_COMMAND_IO | PCI_COMMAND_MEMORY |
			     PCI_COMMAND_MASTER;
	struct vfio_dev dev;
	uint16_t bits, was;

	vfio_open(&dev, lab_bdf(it->name));
	was = cfg_get16(&dev, PCI_COMMAND);
	for (bits = 0; bits <= all; bits++) {
		cfg_put16(&dev, PCI_COMMAND, bits);
		EXPECT_EQ(cfg_get16(&dev, PCI_COMMAND) & it->command,
			  bits & it->command);
		EXPECT_EQ(pci_config_read(dev.bdf, PCI_COMMAND, 2) & it->command,
			  bits & it->command);
	}
	cfg_put16(&dev, PCI_COMMAND, was);
	vfio_close(&dev);
}

/* Master abort and friends are cleared by writing ones: not by the user. */
TEST_EACH(status_is_read_only, cards)
{
	struct vfio_dev dev;
	uint16_t was;

	vfio_open(&dev, lab_bdf(it->name));
	was = cfg_get16(&dev, PCI_STATUS);
	cfg_put16(&dev, PCI_STATUS, 0xffff);
	EXPECT_EQ(cfg_get16(&dev, PCI_STATUS), was);
	cfg_put16(&dev, PCI_STATUS, 0);
	EXPECT_EQ(cfg_get16(&dev, PCI_STATUS), was);
	vfio_close(&dev);
}

/* Size of the BAR at @pos the way a driver finds out; @wide: takes two. */
static uint64_t size_bar(struct vfio_dev *dev, unsigned int pos, bool *wide)
{
	uint32_t low = cfg_get32(dev, pos), high = 0;
	uint64_t mask;

	*wide = !(low & PCI_BASE_ADDRESS_SPACE_IO) &&
		(low & PCI_BASE_ADDRESS_MEM_TYPE_MASK) ==
		PCI_BASE_ADDRESS_MEM_TYPE_64;
	cfg_put32(dev, pos, 0xffffffff);
	mask = cfg_get32(dev, pos);
	EXPECT_EQ(mask & 0xf & ~PCI_BASE_ADDRESS_MEM_MASK,
		  low & 0xf & ~PCI_BASE_ADDRESS_MEM_MASK);
	if (*wide) {
		high = cfg_get32(dev, pos + 4);
		cfg_put32(dev, pos + 4, 0xffffffff);
		mask |= (uint64_t)cfg_get32(dev, pos + 4) << 32;
		cfg_put32(dev, pos + 4, high);
		EXPECT_EQ(cfg_get32(dev, pos + 4), high);
	} else if (mask) {
		mask |= 0xffffffff00000000ull;
	}
	cfg_put32(dev, pos, low);
	EXPECT_EQ(cfg_get32(dev, pos), low);
	if (low & PCI_BASE_ADDRESS_SPACE_IO)
		return mask ? ~(mask & ~3ull) + 1 : 0;
	return mask ? ~(mask & ~0xfull) + 1 : 0;
}

static void check_bar_type(struct vfio_dev *dev, unsigned int bar)
{
	struct pci_resource res = pci_resource(dev->bdf, bar);
	uint32_t low = cfg_get32(dev, PCI_BASE_ADDRESS_0 + 4 * bar);

	if (!res.size)
		return;
	/* The low bits of a resource's flags are those of its register. */
	EXPECT_EQ(low & 0xf & ~(low & 1 ? ~3u : 0), res.flags & (low & 1 ? 3 : 0xf));
}

TEST_EACH(bars_are_sized_as_a_driver_does, cards)
{
	uint32_t hardware[6];
	struct vfio_dev dev;
	unsigned int i;
	bool wide;

	vfio_open(&dev, lab_bdf(it->name));
	for (i = 0; i < 6; i++)
		hardware[i] = pci_config_read(dev.bdf, PCI_BASE_ADDRESS_0 + 4 * i, 4);
	for (i = 0; i < 6; i++) {
		check_bar_type(&dev, i);
		EXPECT_EQ(size_bar(&dev, PCI_BASE_ADDRESS_0 + 4 * i, &wide),
			  vfio_region(&dev, i).info.size);
		i += wide;
	}
	for (i = 0; i < 6; i++)
		EXPECT_EQ(pci_config_read(dev.bdf, PCI_BASE_ADDRESS_0 + 4 * i, 4),
			  hardware[i]);
	vfio_close(&dev);
}

TEST_EACH(rom_is_sized_as_a_driver_does, cards)
{
	uint64_t size;
	struct vfio_dev dev;
	uint32_t was, mask;

	vfio_open(&dev, lab_bdf(it->name));
	size = vfio_region(&dev, VFIO_PCI_ROM_REGION_INDEX).info.size;
	was = cfg_get32(&dev, PCI_ROM_ADDRESS);
	cfg_put32(&dev, PCI_ROM_ADDRESS, PCI_ROM_ADDRESS_MASK);
	mask = cfg_get32(&dev, PCI_ROM_ADDRESS) & PCI_ROM_ADDRESS_MASK;
	if (size)
		EXPECT_EQ(~mask + 1, size);
	cfg_put32(&dev, PCI_ROM_ADDRESS, was);
	EXPECT_EQ(cfg_get32(&dev, PCI_ROM_ADDRESS), was);
	vfio_close(&dev);
}

/* Registers written in pieces must end as if written at once. */
TEST_EACH(bars_written_byte_by_byte, cards)
{
	struct vfio_dev dev;
	uint32_t whole, was;

	vfio_open(&dev, lab_bdf(it->name));
	was = cfg_get32(&dev, PCI_BASE_ADDRESS_0);
	cfg_put32(&dev, PCI_BASE_ADDRESS_0, 0xabcdef00);
	whole = cfg_get32(&dev, PCI_BASE_ADDRESS_0);
	cfg_put32(&dev, PCI_BASE_ADDRESS_0, was);
	put_bytes(&dev, PCI_BASE_ADDRESS_0, 0xabcdef00, 4, 1);
	EXPECT_EQ(cfg_get32(&dev, PCI_BASE_ADDRESS_0), whole);
	put_bytes(&dev, PCI_BASE_ADDRESS_0, was, 4, 2);
	EXPECT_EQ(cfg_get32(&dev, PCI_BASE_ADDRESS_0), was);
	vfio_close(&dev);
}

/* A guest that moves its BARs moves nothing but its own idea of them. */
TEST(bars_move_for_the_user_only)
{
	struct vfio_dev dev;
	uint32_t was, id;

	vfio_open(&dev, lab_bdf("edu"));
	was = cfg_get32(&dev, PCI_BASE_ADDRESS_0);
	cfg_command(&dev, PCI_COMMAND_MEMORY, 0);
	id = region_get(&dev, 0, 0, 4);
	EXPECT_EQ(id & 0xffff, 0xedu);
	cfg_put32(&dev, PCI_BASE_ADDRESS_0, 0x12300000);
	EXPECT_EQ(cfg_get32(&dev, PCI_BASE_ADDRESS_0), 0x12300000u);
	cfg_command(&dev, 0, PCI_COMMAND_MEMORY);
	cfg_command(&dev, PCI_COMMAND_MEMORY, 0);
	EXPECT_EQ(cfg_get32(&dev, PCI_BASE_ADDRESS_0), 0x12300000u);
	EXPECT_EQ(region_get(&dev, 0, 0, 4), id);
	EXPECT_EQ(pci_config_read(dev.bdf, PCI_BASE_ADDRESS_0, 4) & ~0xfu,
		  pci_resource(dev.bdf, 0).start);
	cfg_put32(&dev, PCI_BASE_ADDRESS_0, was);
	vfio_close(&dev);
}
