// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ids that vfio_pci is given when it is loaded, and the way back to the host's own
 * driver. What the kernel does with ids of drivers is in override.c.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/lab.h"
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
