// SPDX-License-Identifier: GPL-2.0-only
/*
 * The OpRegion of Intel graphics, for everything that a firmware may have left.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/igd.h"
#include "lib/kmsg.h"
#include "lib/lab.h"
#include "lib/tap.h"
#include "lib/vfio.h"

static const struct igd_firmware good[] = {
	{ .name = "v1-means-something-else-by-rvda", .kib = 8, .version = 0x0100,
	  .rvda = 0x1122334455667788, .rvds = 0x99aabbcc,
	  .shown = 0x0100, .shown_rvda = 0x1122334455667788 },
	{ .name = "v2.0-without", .stock = true, .kib = 8, .version = 0x0200,
	  .shown = 0x0200 },
	{ .name = "v2.0-below-4G", .stock = true, .kib = 8, .version = 0x0200,
	  .rvda = IGD_LOW + 0x10000, .rvds = 0x1234, .vbt = IGD_LOW + 0x10000,
	  .shown = 0x0201, .shown_rvda = IGD_FIXED },
	{ .name = "v2.0-above-4G", .kib = 8, .version = 0x0200,
	  .rvda = IGD_HIGH + 0x345, .rvds = 0x1801, .vbt = IGD_HIGH + 0x345,
	  .shown = 0x0201, .shown_rvda = IGD_FIXED },
	{ .name = "v2.0-inside", .kib = 16, .version = 0x0200,
	  .rvda = IGD_LOW + 0x2000, .rvds = 0x2000,
	  .shown = 0x0201, .shown_rvda = 0x2000 },
	{ .name = "v2.1-without", .stock = true, .kib = 8, .version = 0x0201,
	  .shown = 0x0201 },
	{ .name = "v2.1-next-to-it", .stock = true, .kib = 8, .version = 0x0201,
	  .rvda = IGD_FIXED, .rvds = 0x1500, .vbt = IGD_LOW + IGD_FIXED,
	  .shown = 0x0201, .shown_rvda = IGD_FIXED },
	{ .name = "v2.1-further-on", .kib = 16, .version = 0x0201,
	  .rvda = 0x20004, .rvds = 0x1000, .vbt = IGD_LOW + 0x20004,
	  .shown = 0x0201, .shown_rvda = 0x4000 },
	{ .name = "v2.1-above-4G", .kib = 8, .version = 0x0201,
	  .rvda = IGD_HIGH - IGD_LOW, .rvds = 0x8000, .vbt = IGD_HIGH,
	  .shown = 0x0201, .shown_rvda = IGD_FIXED },
	{ .name = "v2.1-inside", .kib = 16, .version = 0x0201,
	  .rvda = 0x2400, .rvds = 0xc00,
	  .shown = 0x0201, .shown_rvda = 0x2400 },
	{ .name = "v2.1-half-inside", .stock = true, .kib = 8, .version = 0x0201,
	  .rvda = 0x1800, .rvds = 0x1000, .vbt = IGD_LOW + 0x1800,
	  .shown = 0x0201, .shown_rvda = IGD_FIXED },
	{ .name = "v3.0", .stock = true, .kib = 8, .version = 0x0300,
	  .rvda = 0x3000, .rvds = 0x1000, .vbt = IGD_LOW + 0x3000,
	  .shown = 0x0300, .shown_rvda = IGD_FIXED },
};

/* What the region has to contain; its size in @size. */
static uint8_t *expected(const struct igd_firmware *fw, size_t *size)
{
	size_t fixed = fw->kib * 1024;
	struct igd_firmware shown = *fw;
	uint8_t *want;

	*size = fixed + (fw->vbt ? fw->rvds : 0);
	want = malloc(*size);
	ASSERT(want);
	shown.version = fw->shown;
	shown.rvda = fw->shown_rvda;
	igd_fill(want, IGD_LOW, fixed);
	igd_put_header(want, &shown);
	if (fw->vbt)
		igd_fill(want + fixed, fw->vbt, fw->rvds);
	return want;
}

TEST_EACH(opregion_is_complete_and_says_where, good)
{
	uint8_t *want, *got;
	struct vfio_dev dev;
	size_t size;

	if (lab_stock() && !it->stock)
		SKIP("the distribution's driver garbles it, or crashes");
	igd_open(&dev, it);
	igd_expect_regions(&dev, it);
	want = expected(it, &size);
	got = malloc(size + 64);
	ASSERT(got);
	ASSERT_EQ(region_read_try(&dev, IGD_OPREGION, 0, got, size + 64),
		  (ssize_t)size);
	EXPECT_EQ(got[IGD_AT_VERSION] | got[IGD_AT_VERSION + 1] << 8, it->shown);
	EXPECT_MEMEQ(got, want, size);
	vfio_close(&dev);
}

TEST(opregion_reads_of_any_size_agree)
{
	uint8_t *want, part[67];
	struct vfio_dev dev;
	unsigned int len;
	size_t size, pos;

	igd_open(&dev, &igd_ordinary);
	want = expected(&igd_ordinary, &size);
	for (len = 1; len < sizeof(part); len += 3) {
		for (pos = 0; pos < size; pos += 509) {
			size_t rest = size - pos < len ? size - pos : len;

			ASSERT_EQ(region_read_try(&dev, IGD_OPREGION, pos, part, len),
				  (ssize_t)rest);
			ASSERT_MEMEQ(part, want + pos, rest);
		}
	}
	vfio_close(&dev);
}

/* The firmware, or a driver of the host, may change it later. */
TEST(opregion_is_a_copy_made_when_opened)
{
	uint8_t *want, *got;
	struct vfio_dev dev;
	size_t size;

	if (lab_stock())
		SKIP("the distribution's driver reads the firmware's memory each time");
	igd_open(&dev, &igd_ordinary);
	want = expected(&igd_ordinary, &size);
	got = malloc(size);
	ASSERT(got);
	cfg_command(&dev, PCI_COMMAND_MEMORY, 0);
	EXPECT_EQ(region_get(&dev, 0, 0x400, 1), igd_byte(IGD_LOW + 0x400));
	region_put(&dev, 0, 0x400, 8, 0);
	ASSERT_EQ(region_read_try(&dev, IGD_OPREGION, 0, got, size), (ssize_t)size);
	EXPECT_MEMEQ(got, want, size);
	vfio_close(&dev);

	vfio_open(&dev, igd_bdf(0));
	memset(want + 0x400, 0, 8);
	ASSERT_EQ(region_read_try(&dev, IGD_OPREGION, 0, got, size), (ssize_t)size);
	EXPECT_MEMEQ(got, want, size);
	vfio_close(&dev);
}

static const struct igd_firmware broken[] = {
	{ .name = "size-0", .kib = 0, .version = 0x0200,
	  .reason = "claims a size of 0 KiB" },
	{ .name = "size-4K", .kib = 4, .version = 0x0200,
	  .reason = "claims a size of 4 KiB" },
	{ .name = "size-2G", .kib = 2 << 20, .version = 0x0200,
	  .reason = "claims a size of 2097152 KiB" },
	{ .name = "size-overflows", .kib = 0x400008, .version = 0x0201,
	  .reason = "claims a size of 4194312 KiB" },
	{ .name = "vbt-of-1G", .kib = 8, .version = 0x0201,
	  .rvda = IGD_FIXED, .rvds = 1 << 30, .reason = "VBT" },
	{ .name = "vbt-wraps", .kib = 8, .version = 0x0201,
	  .rvda = -IGD_LOW - 0x100, .rvds = 0x1000, .reason = "VBT" },
	{ .name = "vbt-before-zero", .kib = 8, .version = 0x0201,
	  .rvda = -0x1000ull, .rvds = 0x800, .reason = "VBT" },
	{ .name = "vbt-past-any-address", .kib = 8, .version = 0x0200,
	  .rvda = 1ull << 60, .rvds = 0x1000, .reason = "VBT" },
	{ .name = "vbt-in-memory-of-the-kernel", .kib = 8, .version = 0x0200,
	  .rvda = 0x10000000, .rvds = 0x1000, .reason = "VBT" },
	{ .name = "vbt-reaches-into-memory-of-the-kernel", .kib = 8,
	  .version = 0x0200, .rvda = IGD_LOW - 0x1000, .rvds = 0x2000,
	  .reason = "VBT" },
};

/* Who looks for these regions is better off with an error than without them. */
TEST_EACH(broken_opregion_refuses_to_open, broken)
{
	const char *bdf = igd_bdf(0);
	struct vfio_group group;
	struct vfio_dev dev;

	if (lab_stock())
		SKIP("the distribution's driver believes it");
	igd_firmware_write(bdf, it, 0);
	vfio_group_open(&group, bdf);
	EXPECT_ERRNO(vfio_fd_try(&group, bdf), EINVAL);
	EXPECT(kmsg_has(it->reason));
	EXPECT(kmsg_has("regions of Intel graphics cannot be offered"));
	vfio_group_close(&group);

	/* And leaves nothing behind. */
	igd_open(&dev, &igd_ordinary);
	igd_expect_regions(&dev, &igd_ordinary);
	vfio_close(&dev);
}
