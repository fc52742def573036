// SPDX-License-Identifier: GPL-2.0-only
/*
 * BARs, ROM and VGA ranges through read() and write().
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/lab.h"
#include "lib/tap.h"
#include "lib/vfio.h"

#define ROM	VFIO_PCI_ROM_REGION_INDEX
#define VGA	VFIO_PCI_VGA_REGION_INDEX

/* Registers of QEMU's educational device, in BAR 0. */
#define EDU_ID		0x00
#define EDU_LIVENESS	0x04
#define EDU_FACTORIAL	0x08
#define EDU_STATUS	0x20
#define EDU_STATUS_BUSY	0x01
#define EDU_DMA_SRC	0x80

static void open_awake(struct vfio_dev *dev, const char *name)
{
	vfio_open(dev, lab_bdf(name));
	cfg_command(dev, PCI_COMMAND_MEMORY | PCI_COMMAND_IO, 0);
}

TEST(edu_inverts_its_liveness_register)
{
	struct vfio_dev dev;
	uint32_t i, val;

	open_awake(&dev, "edu");
	EXPECT_EQ(region_get(&dev, 0, EDU_ID, 4) & 0xff0000ffu, 0x010000edu);
	for (i = 0; i < 32; i++) {
		val = 0x12345678u * (2 * i + 1);
		region_put(&dev, 0, EDU_LIVENESS, 4, val);
		EXPECT_EQ(region_get(&dev, 0, EDU_LIVENESS, 4), ~val);
	}
	vfio_close(&dev);
}

TEST(edu_computes_factorials)
{
	uint32_t n, want = 1;
	unsigned int polls;
	struct vfio_dev dev;

	open_awake(&dev, "edu");
	for (n = 1; n <= 12; n++) {
		want *= n;
		region_put(&dev, 0, EDU_FACTORIAL, 4, n);
		for (polls = 0; polls < 100000; polls++) {
			if (!(region_get(&dev, 0, EDU_STATUS, 4) & EDU_STATUS_BUSY))
				break;
		}
		EXPECT_EQ(region_get(&dev, 0, EDU_FACTORIAL, 4), want);
	}
	vfio_close(&dev);
}

/*
 * The device knows accesses of four bytes here and of four or eight there, and
 * forgets the upper half of an address that comes in two.
 */
TEST(eight_bytes_are_one_access)
{
	const uint64_t val = 0x1122334455667788ull;
	struct vfio_dev dev;
	uint64_t twice[2];

	open_awake(&dev, "edu");
	region_put(&dev, 0, EDU_DMA_SRC, 8, val);
	EXPECT_EQ(region_get(&dev, 0, EDU_DMA_SRC, 8), val);

	/* Source and destination registers, one behind the other. */
	twice[0] = val + 1;
	twice[1] = val + 2;
	ASSERT_EQ(region_write_try(&dev, 0, EDU_DMA_SRC, twice, 16), 16);
	memset(twice, 0, sizeof(twice));
	ASSERT_EQ(region_read_try(&dev, 0, EDU_DMA_SRC, twice, 16), 16);
	EXPECT_EQ(twice[0], val + 1);
	EXPECT_EQ(twice[1], val + 2);
	vfio_close(&dev);
}

TEST(four_bytes_are_one_access)
{
	struct vfio_dev dev;
	uint32_t pair[2];

	open_awake(&dev, "edu");
	/* Below 0x80 the device ignores all but accesses of four bytes. */
	region_put(&dev, 0, EDU_LIVENESS, 4, 0x5a5a0ff0);
	EXPECT_EQ(region_get(&dev, 0, EDU_LIVENESS, 4), 0xa5a5f00fu);
	/* Misaligned for eight: four and four. */
	ASSERT_EQ(region_read_try(&dev, 0, EDU_LIVENESS, pair, 8), 8);
	EXPECT_EQ(pair[0], 0xa5a5f00fu);
	vfio_close(&dev);
}

static void fill(uint8_t *data, size_t len, unsigned int seed)
{
	while (len--)
		*data++ = seed = seed * 29 + 11;
}

/* Memory behind the BAR: what is written any way is what is read any way. */
TEST(bar_accesses_agree_at_all_widths)
{
	uint8_t data[64], whole[64], part[64];
	struct vfio_dev dev;
	unsigned int width, pos;
	uint64_t val;

	open_awake(&dev, "ivshmem");
	for (width = 1; width <= 8; width *= 2) {
		fill(data, sizeof(data), width);
		for (pos = 0; pos < sizeof(data); pos += width)
			ASSERT_EQ(region_write_try(&dev, 2, 4096 + pos, data + pos,
						   width), (ssize_t)width);
		ASSERT_EQ(region_read_try(&dev, 2, 4096, whole, 64), 64);
		EXPECT_MEMEQ(whole, data, 64);
		for (pos = 0; pos < sizeof(data); pos += width) {
			val = region_get(&dev, 2, 4096 + pos, width);
			memcpy(part + pos, &val, width);
		}
		EXPECT_MEMEQ(part, data, 64);
	}
	vfio_close(&dev);
}

/* Neighbours of what is written stay as they were. */
TEST(bar_accesses_at_any_alignment)
{
	uint8_t *want = malloc(8192), *got = malloc(8192), data[1024];
	unsigned int i, pos, len;
	struct vfio_dev dev;

	ASSERT(want && got);
	open_awake(&dev, "ivshmem");
	fill(want, 8192, 3);
	ASSERT_EQ(region_write_try(&dev, 2, 0, want, 8192), 8192);
	for (i = 0; i < 200; i++) {
		pos = i * 37 % 4099;
		len = 1 + i * 53 % sizeof(data);
		fill(data, len, i);
		memcpy(want + pos, data, len);
		ASSERT_EQ(region_write_try(&dev, 2, pos, data, len), (ssize_t)len);
		ASSERT_EQ(region_read_try(&dev, 2, pos, got, len), (ssize_t)len);
		EXPECT_MEMEQ(got, data, len);
	}
	ASSERT_EQ(region_read_try(&dev, 2, 0, got, 8192), 8192);
	EXPECT_MEMEQ(got, want, 8192);
	vfio_close(&dev);
}

struct edge {
	const char *name;
	const char *device;
	uint32_t index;
};

static const struct edge edges[] = {
	{ "edu-memory", "edu", 0 },
	{ "ivshmem-memory", "ivshmem", 2 },
	{ "e1000e-io", "e1000e", 2 },
	{ "testdev-io", "testdev", 1 },
	{ "testdev-memory", "testdev", 2 },
};

TEST_EACH(accesses_end_where_the_region_ends, edges)
{
	struct vfio_dev dev;
	uint8_t data[64];
	uint64_t size;

	open_awake(&dev, it->device);
	size = vfio_region(&dev, it->index).info.size;
	EXPECT_EQ(region_read_try(&dev, it->index, size - 8, data, 64), 8);
	EXPECT_EQ(region_read_try(&dev, it->index, size - 3, data, 64), 3);
	EXPECT_EQ(region_read_try(&dev, it->index, size - 1, data, 1), 1);
	EXPECT_ERRNO(region_read_try(&dev, it->index, size, data, 1), EINVAL);
	EXPECT_ERRNO(region_read_try(&dev, it->index, size + 4096, data, 4), EINVAL);
	EXPECT_ERRNO(region_read_try(&dev, it->index, (1ull << 40) - 1, data, 4),
		     EINVAL);
	EXPECT_ERRNO(region_write_try(&dev, it->index, size, data, 4), EINVAL);
	EXPECT_ERRNO(region_write_try(&dev, it->index, (1ull << 40) - 8, data, 8),
		     EINVAL);
	EXPECT_EQ(region_read_try(&dev, it->index, size, data, 0), 0);
	vfio_close(&dev);
}

TEST(bad_buffers_fault)
{
	struct vfio_dev dev;

	open_awake(&dev, "ivshmem");
	EXPECT_ERRNO(region_read_try(&dev, 2, 0, (void *)16, 4), EFAULT);
	EXPECT_ERRNO(region_write_try(&dev, 2, 0, (void *)16, 8), EFAULT);
	EXPECT_ERRNO(region_read_try(&dev, 2, 0, (void *)16, 4096), EFAULT);
	EXPECT_ERRNO(region_read_try(&dev, 7, 0, (void *)16, 4), EFAULT);
	EXPECT_ERRNO(region_write_try(&dev, 7, 0x3c, (void *)16, 1), EFAULT);
	vfio_close(&dev);
}

/*
 * The table tells the device where to write: SET_IRQS alone fills it. What is
 * in the BAR before it, behind it, and the pending bits are the user's.
 */
static const struct { const char *name; } with_msix[] = {
	{ "e1000e" }, { "igb" }, { "nvme" },
};

TEST_EACH(msix_table_is_a_hole, with_msix)
{
	uint8_t ones[4096], data[4096];
	unsigned int msix, bar;
	uint32_t table, size;
	struct vfio_dev dev;

	open_awake(&dev, it->name);
	msix = cfg_find_cap(&dev, PCI_CAP_ID_MSIX);
	ASSERT(msix);
	table = cfg_get32(&dev, msix + PCI_MSIX_TABLE);
	bar = table & PCI_MSIX_TABLE_BIR;
	table &= PCI_MSIX_TABLE_OFFSET;
	size = 16 * ((cfg_get16(&dev, msix + PCI_MSIX_FLAGS) &
		      PCI_MSIX_FLAGS_QSIZE) + 1);
	memset(ones, 0xff, sizeof(ones));

	ASSERT_EQ(region_read_try(&dev, bar, table, data, size), (ssize_t)size);
	EXPECT_MEMEQ(data, ones, size);
	memset(data, 0, size);
	EXPECT_EQ(region_write_try(&dev, bar, table, data, size), (ssize_t)size);
	EXPECT_EQ(region_write_try(&dev, bar, table + 12, data, 4), 4);
	EXPECT_EQ(region_get(&dev, bar, table, 4), 0xffffffffu);
	EXPECT_EQ(region_get(&dev, bar, table + size - 1, 1), 0xffu);

	/* Half in, half out: the part inside is ones, the part behind is not. */
	ASSERT_EQ(region_read_try(&dev, bar, table + size - 6, data, 12), 12);
	EXPECT_MEMEQ(data, ones, 6);
	EXPECT_NE(memcmp(data + 6, ones, 6), 0);
	vfio_close(&dev);
}

/* Seen past the driver: no vector was armed by what the user wrote. */
TEST(msix_table_is_not_written)
{
	struct vfio_dev dev;
	unsigned int msix;
	uint32_t table, *map;

	open_awake(&dev, "e1000e");
	msix = cfg_find_cap(&dev, PCI_CAP_ID_MSIX);
	table = cfg_get32(&dev, msix + PCI_MSIX_TABLE);
	map = bar_map_try(&dev, table & PCI_MSIX_TABLE_BIR, 0, 4096);
	ASSERT(map);
	map += (table & PCI_MSIX_TABLE_OFFSET) / 4;
	map[0] = 0xfee00000;
	region_put(&dev, table & PCI_MSIX_TABLE_BIR,
		   table & PCI_MSIX_TABLE_OFFSET, 4, 0xfee0f00c);
	EXPECT_EQ(map[0], 0xfee00000u);
	vfio_close(&dev);
}

TEST_EACH(msix_pending_bits_are_readable, with_msix)
{
	struct vfio_dev dev;
	unsigned int msix;
	uint32_t pba;

	open_awake(&dev, it->name);
	msix = cfg_find_cap(&dev, PCI_CAP_ID_MSIX);
	pba = cfg_get32(&dev, msix + PCI_MSIX_PBA);
	EXPECT_EQ(region_get(&dev, pba & PCI_MSIX_PBA_BIR,
			     pba & PCI_MSIX_PBA_OFFSET, 8), 0u);
	vfio_close(&dev);
}

/* Address and data window of the network card: any register through two ports. */
TEST(io_bar_reaches_the_device)
{
	struct vfio_dev dev;
	uint32_t val;

	open_awake(&dev, "e1000e");
	EXPECT(!(vfio_region(&dev, 2).info.flags & VFIO_REGION_INFO_FLAG_MMAP));
	region_put(&dev, 0, 0x38, 4, 0x4321);	/* VLAN Ether type */
	region_put(&dev, 2, 0, 4, 0x38);
	EXPECT_EQ(region_get(&dev, 2, 0, 4), 0x38u);
	val = region_get(&dev, 2, 4, 4);
	EXPECT_EQ(val, region_get(&dev, 0, 0x38, 4));
	EXPECT_EQ(val, 0x4321u);

	/* Ports have no memory to switch off. */
	cfg_command(&dev, 0, PCI_COMMAND_MEMORY);
	EXPECT_EQ(region_read_try(&dev, 2, 0, &val, 4), 4);
	vfio_close(&dev);
}

/* The image as the host reads it; its region is as large as the BAR. */
static ssize_t rom_of_host(const char *bdf, uint8_t *data, size_t size)
{
	char path[128];
	ssize_t len, done = 0;
	int fd;

	ASSERT_EQ(pci_attr_write(bdf, "rom", "1"), 0);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/rom", bdf);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_OK(fd);
	while ((len = pread(fd, data + done, size - done, done)) > 0)
		done += len;
	close(fd);
	pci_attr_write(bdf, "rom", "0");
	return done;
}

/* The kernel takes the firmware's copy for the ROM of the card it booted with. */
TEST(rom_of_the_first_vga_is_the_shadow)
{
	const char *bdf = lab_bdf("vga");
	uint8_t want[4096], got[4096];
	struct vfio_dev dev;

	if (pci_resource(bdf, ROM).start != 0xc0000)
		SKIP("the machine has another display before this one");
	ASSERT_GE(rom_of_host(bdf, want, sizeof(want)), 512);
	open_awake(&dev, "vga");
	EXPECT_EQ(vfio_region(&dev, ROM).info.size, 0x20000u);
	ASSERT_EQ(region_read_try(&dev, ROM, 0, got, sizeof(got)), 4096);
	EXPECT_EQ(got[0] | got[1] << 8, 0xaa55);
	EXPECT_MEMEQ(got, want, sizeof(got));
	vfio_close(&dev);
}

static const struct { const char *name; } with_rom[] = {
	{ "vga" }, { "e1000e" }, { "igb" },
};

TEST_EACH(rom_is_the_image_and_ones_behind, with_rom)
{
	uint8_t *want, *got;
	struct vfio_dev dev;
	uint64_t size, i;
	ssize_t image;

	open_awake(&dev, it->name);
	size = vfio_region(&dev, ROM).info.size;
	if (!size)
		SKIP("%s has no ROM here", it->name);
	want = malloc(size);
	got = malloc(size);
	ASSERT(want && got);
	image = rom_of_host(dev.bdf, want, size);
	ASSERT_EQ(region_read_try(&dev, ROM, 0, got, size), (ssize_t)size);
	EXPECT_EQ(got[0] | got[1] << 8, 0xaa55);
	test_note("image of %zd in %llu bytes", image, (unsigned long long)size);
	ASSERT_GE(image, 512);
	for (i = image; i < size; i++) {
		if (got[i] != 0xff)
			FAIL("byte %llu behind the image is %#x",
			     (unsigned long long)i, got[i]);
	}
	EXPECT_MEMEQ(got, want, image);
	EXPECT_ERRNO(region_read_try(&dev, ROM, size, got, 1), EINVAL);
	EXPECT_EQ(region_read_try(&dev, ROM, size - 2, got, 16), 2);
	vfio_close(&dev);
}

TEST_EACH(rom_reads_agree_at_all_widths, with_rom)
{
	uint8_t whole[64], part[64];
	unsigned int width, pos;
	struct vfio_dev dev;
	uint64_t val;

	open_awake(&dev, it->name);
	if (!vfio_region(&dev, ROM).info.size)
		SKIP("%s has no ROM here", it->name);
	ASSERT_EQ(region_read_try(&dev, ROM, 0, whole, 64), 64);
	for (width = 1; width <= 8; width *= 2) {
		for (pos = 0; pos < 64; pos += width) {
			val = region_get(&dev, ROM, pos, width);
			memcpy(part + pos, &val, width);
		}
		EXPECT_MEMEQ(part, whole, 64);
	}
	vfio_close(&dev);
}

TEST_EACH(rom_is_not_written_or_mapped, with_rom)
{
	struct vfio_dev dev;
	uint32_t val = 0;

	open_awake(&dev, it->name);
	EXPECT_ERRNO(region_write_try(&dev, ROM, 0, &val, 4), EINVAL);
	EXPECT(!bar_map_try(&dev, ROM, 0, 4096));
	vfio_close(&dev);
}

/* The memory of text mode and the ports of the sequencer. */
TEST(vga_ranges)
{
	struct vfio_region region;
	struct vfio_dev dev;
	uint8_t was;
	uint32_t val;

	open_awake(&dev, "vga");
	region = vfio_region(&dev, VGA);
	EXPECT_EQ(region.info.size, 0xc0000u);
	EXPECT_EQ(region.info.flags, VFIO_REGION_INFO_FLAG_READ |
		  VFIO_REGION_INFO_FLAG_WRITE);
	region_put(&dev, VGA, 0x3c4, 1, 2);
	EXPECT_EQ(region_get(&dev, VGA, 0x3c4, 1), 2u);
	was = region_get(&dev, VGA, 0x3c5, 1);
	region_put(&dev, VGA, 0x3c5, 1, was ^ 0x0c);
	EXPECT_EQ(region_get(&dev, VGA, 0x3c5, 1), was ^ 0x0cu);
	region_put(&dev, VGA, 0x3c5, 1, was);

	val = region_get(&dev, VGA, 0xb8000, 4);
	region_put(&dev, VGA, 0xb8000, 4, ~val);
	EXPECT_EQ(region_get(&dev, VGA, 0xb8000, 4), (uint32_t)~val);
	region_put(&dev, VGA, 0xb8000, 4, val);
	vfio_close(&dev);
}

static const uint32_t not_vga[] = {
	0, 0x3af, 0x3bc, 0x3bf, 0x3e0, 0x9ffff, 0xc0000, 0xfffff,
};

TEST(vga_has_nothing_else)
{
	struct vfio_dev dev;
	uint32_t val = 0;
	unsigned int i;

	open_awake(&dev, "vga");
	for (i = 0; i < ARRAY_SIZE(not_vga); i++) {
		EXPECT_ERRNO(region_read_try(&dev, VGA, not_vga[i], &val, 1), EINVAL);
		EXPECT_ERRNO(region_write_try(&dev, VGA, not_vga[i], &val, 1), EINVAL);
	}
	EXPECT(!bar_map_try(&dev, VGA, 0xa0000, 4096));
	vfio_close(&dev);

	/* Nobody else has the legacy ranges. */
	open_awake(&dev, "edu");
	EXPECT_ERRNO(pread(dev.fd, &val, 1, ((uint64_t)VGA << 40) + 0x3c4), EINVAL);
	vfio_close(&dev);
}
