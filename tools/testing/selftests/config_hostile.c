// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices whose capability lists lie. They may lose capabilities by that; what
 * is left is in order, and the kernel's memory is its own. The unit tests have
 * many more of them (unit/test_malformed.c); these are on a real bus, and the
 * kernel's allocator watches (slub_debug in config_hostile.lab).
 */
#include <string.h>
#include <unistd.h>

#include "lib/lab.h"
#include "lib/odd.h"
#include "lib/tap.h"
#include "lib/vfio.h"

#define CONFIG		VFIO_PCI_CONFIG_REGION_INDEX
#define EXT(id, next)	((id) | 1u << 16 | (uint32_t)(next) << 20)
#define STD_MAX		6
#define EXT_MAX		4
#define PM_CTRL(cap)	((cap) + PCI_PM_CTRL)

/* The first capability stays PCI Express; where the list goes from there. */
#define LIST(next)	{ ODD_EXP + PCI_CAP_LIST_NEXT, 1, next }

/**
 * struct liar - a device and what is to be seen of it
 * @name:	of the case
 * @device:	which of the lab's
 * @pokes:	what it claims
 * @std:	ids of the list
 * @ext:	ids of the extended list, without the placeholder at its start
 * @shown:	registers that have to be the hardware's
 */
struct liar {
	const char *name;
	const char *device;
	struct odd_poke pokes[8];
	uint8_t std[STD_MAX];
	uint16_t ext[EXT_MAX];
	uint16_t shown[3];
};

static const struct liar liars[] = {
	{ "std-length-past-the-end", "odd",
	  { LIST(0xf8), { 0xf8, 4, 0x00ff0009 } }, { 0x10, 0x09 }, { 0 }, { 0xfc } },
	{ "std-length-past-256-bytes", "oddpci",
	  { LIST(0xf8), { 0xf8, 4, 0x00ff0009 } }, { 0x10, 0x09 }, { 0 }, { 0xfc } },
	{ "express-past-256-bytes", "oddpci",
	  { { PCI_CAPABILITY_LIST, 1, 0xe0 }, { 0xe0, 4, 0x00024810 } },
	  { 0x10, 0x09, 0x03 }, { 0 }, { 0 } },
	{ "std-of-one-id-abutting", "odd",
	  { LIST(0xc0), { 0xc0, 4, 0x0003c801 }, { PM_CTRL(0xc0), 2, 0x0008 },
	    { 0xc8, 4, 0x0003d001 }, { PM_CTRL(0xc8), 2, 0x1e08 },
	    { 0xd0, 4, 0x00030001 }, { PM_CTRL(0xd0), 2, 0x0a08 } },
	  { 0x10, 0x01, 0x01, 0x01 }, { 0 },
	  { PM_CTRL(0xc0), PM_CTRL(0xc8), PM_CTRL(0xd0) } },
	{ "std-loop", "odd",
	  { LIST(0xc0), { 0xc0, 4, 0x00088009 } }, { 0x10, 0x09 }, { 0 }, { 0xc4 } },
	{ "std-points-to-itself", "odd",
	  { LIST(ODD_EXP) }, { 0x10 }, { 0 }, { 0 } },
	{ "std-starts-hidden", "odd",
	  { { PCI_CAPABILITY_LIST, 1, 0xc0 }, { 0xc0, 4, 0x0000800d }, LIST(0) },
	  { 0x10 }, { 0 }, { 0 } },
	{ "ext-length-past-the-end", "odd",
	  { { 0x100, 4, EXT(3, 0xff0) }, { 0xff0, 4, EXT(0xb, 0) },
	    { 0xff4, 4, 0xfff00001 } },
	  { 0x10, 0x05, 0x13, 0x01, 0x09, 0x03 }, { 3, 0xb }, { 0xff8, 0xffc } },
	{ "ext-of-one-id-abutting", "odd",
	  { { 0x100, 4, EXT(3, 0x110) }, { 0x110, 4, EXT(3, 0x11c) },
	    { 0x114, 4, 0x11223344 }, { 0x118, 4, 0x55667788 },
	    { 0x11c, 4, EXT(3, 0) }, { 0x120, 4, 0xa1b2c3d4 }, { 0x124, 4, 0xe5f60718 } },
	  { 0x10, 0x05, 0x13, 0x01, 0x09, 0x03 }, { 3, 3, 3 }, { 0x118, 0x120, 0x124 } },
	{ "ext-loop", "odd",
	  { { 0x100, 4, EXT(3, 0x140) }, { 0x140, 4, EXT(0xe, 0x100) } },
	  { 0x10, 0x05, 0x13, 0x01, 0x09, 0x03 }, { 3, 0xe }, { 0 } },
	{ "ext-next-outside", "odd",
	  { { 0x100, 4, EXT(3, 0x0c0) }, { 0x0c0, 4, EXT(0xe, 0) } },
	  { 0x10, 0x05, 0x13, 0x01, 0x09, 0x03 }, { 3 }, { 0 } },
};

static void expect_std(struct vfio_dev *dev, const uint8_t *want)
{
	unsigned int pos = cfg_get8(dev, PCI_CAPABILITY_LIST), n;

	for (n = 0; pos; n++) {
		ASSERT_GE(pos, 0x40u);
		ASSERT_EQ(pos & 3, 0u);
		ASSERT_EQ(cfg_get8(dev, pos), n < STD_MAX ? want[n] : 0);
		pos = cfg_get8(dev, pos + PCI_CAP_LIST_NEXT);
	}
	EXPECT_EQ(n < STD_MAX ? want[n] : 0, 0);
}

/* A placeholder has neither id nor version. */
static void expect_ext(struct vfio_dev *dev, const uint16_t *want)
{
	unsigned int pos = PCI_CFG_SPACE_SIZE, n = 0;
	uint32_t header;

	while (pos) {
		ASSERT_GE(pos, (unsigned int)PCI_CFG_SPACE_SIZE);
		header = cfg_get32(dev, pos);
		if (header & 0xfffff)
			ASSERT_EQ(PCI_EXT_CAP_ID(header), n < EXT_MAX ? want[n++] : 0);
		else
			ASSERT_EQ(pos, (unsigned int)PCI_CFG_SPACE_SIZE);
		pos = PCI_EXT_CAP_NEXT(header);
	}
	EXPECT_EQ(n < EXT_MAX ? want[n] : 0, 0);
}

/* A write there starts something. */
static bool is_vpd(unsigned int pos)
{
	return pos >= ODD_VPD && pos < ODD_VENDOR;
}

/* Every byte is read in every width, and written with what it was. */
static void go_over(struct vfio_dev *dev)
{
	uint8_t whole[4096], part[4096];
	unsigned int pos, width, size;
	uint32_t val;

	size = vfio_region(dev, CONFIG).info.size;
	ASSERT_EQ(region_read_try(dev, CONFIG, 0, whole, size), (ssize_t)size);
	for (width = 1; width <= 4; width *= 2) {
		for (pos = 0; pos < size; pos += width) {
			val = region_get(dev, CONFIG, pos, width);
			memcpy(part + pos, &val, width);
			if (!is_vpd(pos))
				region_put(dev, CONFIG, pos, width, val);
		}
		EXPECT_MEMEQ(part, whole, size);
	}
	EXPECT_ERRNO(region_read_try(dev, CONFIG, size, part, 1), EFAULT);
}

/* The register is not a copy: it changes with the hardware's. */
static void expect_shown(struct vfio_dev *dev, unsigned int pos)
{
	if (!pos)
		return;
	odd_put(dev, ODD_CONFIG + pos, odd_get(dev, ODD_CONFIG + pos) ^ 0x08080808);
	EXPECT_EQ(cfg_get32(dev, pos), pci_config_read(dev->bdf, pos, 4));
}

static void look_at(struct vfio_dev *dev, const struct liar *liar)
{
	unsigned int i, size = vfio_region(dev, CONFIG).info.size;

	EXPECT_EQ(size, strcmp(liar->device, "oddpci") ? 4096u : 256u);
	expect_std(dev, liar->std);
	if (size > PCI_CFG_SPACE_SIZE)
		expect_ext(dev, liar->ext);
	for (i = 0; i < ARRAY_SIZE(liar->shown); i++)
		expect_shown(dev, liar->shown[i]);
	go_over(dev);
}

/* Twice, because what was overwritten is only noticed when it is used. */
static void be_lied_to(const struct liar *liar)
{
	const char *bdf = odd_made(liar->device, liar->pokes);
	struct vfio_dev dev;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		odd_open(&dev, bdf);
		look_at(&dev, liar);
		vfio_close(&dev);
	}
}

/*
 * On the distribution's 6.12.117 those fail whose length ends behind the
 * configuration space, as the allocator finds its memory overwritten; those with
 * one id abutting, whose registers are taken for the first one's, and past its
 * end; and the loops, which the user gets to see.
 */
TEST_EACH_LIMIT(lists_that_lie, liars, 60)
{
	be_lied_to(it);
}

static const struct liar hidden_first[] = {
	{ "and-more-behind", "odd",
	  { { 0x100, 4, EXT(0x1e, 0x140) }, { 0x140, 4, EXT(3, 0) } },
	  { 0x10, 0x05, 0x13, 0x01, 0x09, 0x03 }, { 3 }, { 0x144 } },
	{ "and-nothing-behind", "odd",
	  { { 0x100, 4, EXT(0x1e, 0) } },
	  { 0x10, 0x05, 0x13, 0x01, 0x09, 0x03 }, { 0 }, { 0 } },
	{ "and-second", "odd",
	  { { 0x100, 4, EXT(0x1e, 0x120) }, { 0x120, 4, EXT(0x1b, 0x140) },
	    { 0x140, 4, EXT(3, 0) } },
	  { 0x10, 0x05, 0x13, 0x01, 0x09, 0x03 }, { 3 }, { 0 } },
	{ "by-an-id-that-nobody-knows", "odd",
	  { { 0x100, 4, EXT(0x0110, 0x140) }, { 0x140, 4, EXT(3, 0) } },
	  { 0x10, 0x05, 0x13, 0x01, 0x09, 0x03 }, { 3 }, { 0 } },
};

TEST_EACH_LIMIT(cve_2024_53214_first_extended_capability_hidden, hidden_first, 60)
{
	be_lied_to(it);
}

/*
 * "Test for extended capabilities if config space > 256": it is a PCI Express
 * device, and there is no extended configuration space to look for them in.
 */
TEST_LIMIT(express_device_with_256_bytes, 60)
{
	static const struct liar honest = {
		"honest", "oddpci", { { 0 } },
		{ 0x10, 0x05, 0x13, 0x01, 0x09, 0x03 }, { 0 }, { 0xfc },
	};

	be_lied_to(&honest);
}
