// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfioctl persist with a real udev: devices that are kept for VFIO get there by
 * themselves when they appear.
 */
#include <stdio.h>

#include "lib/ctl.h"
#include "lib/lab.h"
#include "lib/tap.h"

#define RULES		"/etc/udev/rules.d/70-vfioctl-*.rules"
#define INSTALLED	"/usr/local/sbin/vfioctl"	/* where they look for it */
#define SAID		"/tmp/udev.output"

static void unload(const char *module)
{
	if (module_loaded(module))
		ASSERT_EQ(module_unload(module), 0);
}

/* Nothing is kept or loaded from before. */
static void start_anew(void)
{
	unload("e1000e");
	pci_unbind(lab_bdf("edu"));
	unload("edu_vfio_pci");
	ASSERT_EQ(lab_command("rm -f " RULES), 0);
}

/* A udev that knows the rules from its start is told of @bdf, and is done with it. */
static void udev_hears(const char *bdf, bool arrives)
{
	ASSERT_EQ(lab_command("systemd-udevd --daemon"), 0);
	if (arrives) {
		ASSERT_EQ(pci_attr_write(bdf, "remove", "1"), 0);
		ASSERT_EQ(file_write("/sys/bus/pci/rescan", "1"), 0);
	} else {
		ASSERT_EQ(pci_attr_write(bdf, "uevent", "add"), 0);
	}
	ASSERT_EQ(lab_command("udevadm settle --timeout=60"), 0);
	ASSERT_EQ(lab_command("udevadm control --exit"), 0);
}

static void arrive(const char *bdf, const char *name)
{
	char now[64];

	udev_hears(bdf, true);
	pci_driver(bdf, now, sizeof(now));
	EXPECT_STREQ(now, name);
}

/* udev goes on after a line that it takes offence at, but says so here. */
static void expect_rules_understood(const char *bdf)
{
	ASSERT_EQ(lab_command("udevadm test -a add /sys/bus/pci/devices/%s >" SAID " 2>&1",
			      bdf), 0);
	EXPECT_EQ(lab_command("grep -q 'Reading rules file: /etc/udev/.*/70-vfioctl-' " SAID), 0);
	EXPECT_NE(lab_command("grep -iE '70-vfioctl-.*(invalid|unknown|ignor)' " SAID), 0);
}

struct way {
	const char *name;
	const char *option;
	const char *ids;	/* NULL: kept by its address */
	const char *device;
	const char *driver;
};

static const struct way ways[] = {
	{ "address", "", NULL, "e1000e", "vfio-pci" },
	{ "ids", "", "8086:10d3", "e1000e", "vfio-pci" },
	{ "best driver", "", "1234:11e8", "edu", "edu-vfio-pci" },
	{ "named driver", "--driver vfio-pci", "1234:11e8", "edu", "vfio-pci" },
	{ "not loaded yet", "--driver edu-vfio-pci", "1234:11e8", "edu", "edu-vfio-pci" },
};

TEST_EACH_LIMIT(kept_device_arrives_at_its_driver, ways, 90)
{
	const char *bdf = lab_bdf(it->device);

	start_anew();
	ASSERT_EQ(ctl("persist %s %s", it->option, it->ids ? it->ids : bdf), 0);
	arrive(bdf, it->driver);
	expect_rules_understood(bdf);
}

TEST_LIMIT(device_given_up_arrives_at_the_hosts_driver, 90)
{
	const char *bdf = lab_bdf("e1000e");

	start_anew();
	ASSERT_EQ(ctl("persist %s", bdf), 0);
	ASSERT_EQ(ctl("persist --remove %s", bdf), 0);
	arrive(bdf, "e1000e");
}

/* Of the same kind, and in another slot. */
TEST_LIMIT(other_device_arrives_at_the_hosts_driver, 90)
{
	start_anew();
	ASSERT_EQ(ctl("persist %s", lab_bdf("e1000e")), 0);
	arrive(lab_bdf("multi"), "e1000e");
}

/* The kernel does not wait for udev. */
TEST_LIMIT(device_is_taken_from_a_driver_that_was_faster, 90)
{
	const char *bdf = lab_bdf("e1000e");

	start_anew();
	ASSERT_EQ(module_load("e1000e", NULL), 0);
	ASSERT_EQ(ctl("persist %s", bdf), 0);
	arrive(bdf, "vfio-pci");
}

/* As in an initramfs, and then in the system proper. */
TEST_LIMIT(device_is_reserved_until_there_is_vfioctl, 90)
{
	const char *bdf = lab_bdf("e1000e");

	start_anew();
	ASSERT_EQ(ctl("persist %s", bdf), 0);
	ASSERT_OK(rename(INSTALLED, INSTALLED ".away"));
	arrive(bdf, "");
	EXPECT(module_loaded("e1000e"));

	ASSERT_OK(rename(INSTALLED ".away", INSTALLED));
	udev_hears(bdf, false);
	EXPECT(pci_driver_is(bdf, "vfio-pci"));
}
