// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ids that vfio_pci is given when it is loaded, ids that it refuses, and the way back
 * to the host's own driver. What the kernel does with ids of drivers is in override.c.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/kmsg.h"
#include "lib/lab.h"
#include "lib/odd.h"
#include "lib/tap.h"

struct list {
	const char *name;
	const char *ids;
	bool edu;
	bool testdev;
};

/* The devices are 1234:11e8 and 1b36:0005, both class 0x00ff00 of 1af4:1100. */
static const struct list lists[] = {
	{ "one", "1234:11e8", true, false },
	{ "two", "1234:11e8,1b36:0005", true, true },
	{ "empty entries", ",,1b36:0005,", false, true },
	{ "prefix and capitals", "0x1234:0x11E8", true, false },
	{ "subsystem", "1234:11e8:1af4:1100", true, false },
	{ "another subsystem", "1234:11e8:1af4:1101", false, false },
	{ "any device", "1b36:ffffffff", false, true },
	{ "class", "ffffffff:ffffffff:ffffffff:ffffffff:ff00:ffff00", true, true },
	{ "another class", "1234:11e8:ffffffff:ffffffff:20000:ffff00", false, false },
	{ "bad ones among good", "1234,zz:11e8,1:2:3:4:5:6:7,1b36:0005", false, true },
};

TEST_EACH(modules_ids_bind_at_load, lists)
{
	const char *edu = lab_bdf("edu"), *testdev = lab_bdf("testdev");
	char option[128];

	pci_unbind(edu);
	pci_unbind(testdev);
	ASSERT_EQ(module_unload("vfio_pci"), 0);
	snprintf(option, sizeof(option), "ids=%s", it->ids);
	ASSERT_EQ(module_load("vfio-pci", option), 0);
	EXPECT_EQ(pci_driver_is(edu, "vfio-pci"), it->edu);
	EXPECT_EQ(pci_driver_is(testdev, "vfio-pci"), it->testdev);

	ASSERT_EQ(module_unload("vfio_pci"), 0);
	ASSERT_EQ(module_load("vfio-pci", NULL), 0);
	EXPECT(pci_driver_is(edu, ""));
	EXPECT(pci_driver_is(testdev, ""));
}

/* As libvirt gives a device back: without naming the host's driver. */
TEST_LIMIT(cleared_override_gives_the_card_to_the_hosts_driver, 60)
{
	const char *bdf = lab_bdf("e1000e");

	pci_bind(bdf, "vfio-pci");
	ASSERT_EQ(module_load("e1000e", NULL), 0);
	EXPECT(pci_driver_is(bdf, "vfio-pci"));
	pci_unbind(bdf);
	ASSERT_EQ(file_write("/sys/bus/pci/drivers_probe", bdf), 0);
	EXPECT(pci_driver_is(bdf, "e1000e"));
	EXPECT_EQ(module_unload("e1000e"), 0);
}

/* ---- denylist ------------------------------------------------------------- */

struct denied {
	const char *name;
	uint16_t device;
	bool listed;
};

static const struct denied denied[] = {
	{ "C3XXX", 0x19e2, true },
	{ "C3XXX VF", 0x19e3, true },
	{ "C62X", 0x37c8, true },
	{ "C62X VF", 0x37c9, true },
	{ "DH895XCC", 0x0435, true },
	{ "DH895XCC VF", 0x0443, true },
	{ "DSA", 0x0b25, true },
	{ "IAX", 0x0cfe, true },
	{ "none of them", 0x0cff, false },
};

/* A device that says it is one of these, until odd_made() makes it itself again. */
static const char *posing_as(uint16_t device)
{
	const struct odd_poke pokes[] = {
		{ PCI_VENDOR_ID, 4, device << 16 | 0x8086 },
		{ }
	};
	const char *bdf = odd_made("odd", pokes);

	ASSERT_EQ(pci_attr_number(bdf, "device"), device);
	return bdf;
}

TEST_EACH(device_on_the_denylist_is_refused, denied)
{
	const char *bdf = posing_as(it->device);

	module_with("disable_denylist", "N");
	EXPECT_EQ(pci_try_bind(bdf, "vfio-pci"), it->listed ? -ENODEV : 0);
	EXPECT_EQ(kmsg_has("denylist"), it->listed);
	odd_made("odd", NULL);
}

/* An id that is added, which needs no driver_override, is no way around it. */
TEST(added_id_does_not_beat_the_denylist)
{
	const char *bdf = posing_as(denied[0].device);
	const char *const id = "8086 19e2";

	module_with("disable_denylist", "N");
	ASSERT_EQ(file_write("/sys/bus/pci/drivers/vfio-pci/new_id", id), 0);
	EXPECT(pci_driver_is(bdf, ""));
	ASSERT_EQ(file_write("/sys/bus/pci/drivers/vfio-pci/remove_id", id), 0);
	odd_made("odd", NULL);
}

TEST(disabled_denylist_lets_the_device_in_and_warns)
{
	const char *bdf = posing_as(denied[0].device);
	struct vfio_dev dev;

	module_with("disable_denylist", "Y");
	vfio_open(&dev, bdf);
	EXPECT_EQ(cfg_get32(&dev, PCI_VENDOR_ID), 0x19e28086u);
	EXPECT(kmsg_has("denylist"));
	vfio_close(&dev);
	odd_made("odd", NULL);
	module_with("disable_denylist", "N");
}
