// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfioctl on real devices: what it says agrees with what the kernel does.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/ctl.h"
#include "lib/lab.h"
#include "lib/odd.h"
#include "lib/tap.h"
#include "lib/vfio.h"

#define OUTPUT	"/tmp/output"

static void expect_override(const char *bdf, const char *override)
{
	char text[64];

	ASSERT_EQ(pci_attr_read(bdf, "driver_override", text, sizeof(text)), 0);
	EXPECT_STREQ(text, override);
}

/* The device with its host driver, whatever it had before. */
static const char *at_home(const char *device, const char *driver)
{
	const char *bdf = lab_bdf(device);

	ASSERT_EQ(module_load(driver, NULL), 0);
	pci_unbind(bdf);
	ASSERT_EQ(file_write("/sys/bus/pci/drivers_probe", bdf), 0);
	ASSERT(pci_driver_is(bdf, driver));
	return bdf;
}

/* Name of the only entry of a folder of the device: its interface, its disk. */
static const char *part_of(const char *bdf, const char *folder)
{
	static char name[64];

	ASSERT_EQ(lab_command("ls /sys/bus/pci/devices/%s/%s >" OUTPUT, bdf, folder), 0);
	ASSERT_EQ(file_read(OUTPUT, name, sizeof(name)), 0);
	return name;
}

TEST(device_goes_to_vfio_and_home)
{
	const char *bdf = at_home("e1000e", "e1000e");
	struct vfio_dev dev;

	ASSERT_EQ(ctl("bind %s", bdf), 0);
	EXPECT(pci_driver_is(bdf, "vfio-pci"));
	expect_override(bdf, "vfio-pci");
	vfio_open(&dev, bdf);
	vfio_close(&dev);
	ASSERT_EQ(ctl("unbind %s", bdf), 0);
	EXPECT(pci_driver_is(bdf, "e1000e"));
	expect_override(bdf, "(null)");
}

TEST(module_that_is_not_loaded_is_loaded)
{
	const char *bdf = at_home("e1000e", "e1000e");

	ASSERT_EQ(module_unload("vfio_pci"), 0);
	ASSERT_EQ(ctl("bind %s", bdf), 0);
	EXPECT(module_loaded("vfio_pci"));
	EXPECT(pci_driver_is(bdf, "vfio-pci"));
	ASSERT_EQ(ctl("unbind %s", bdf), 0);
}

/* Unbinding loads the host driver, too, if it is not there. */
TEST(home_driver_that_was_unloaded_is_loaded)
{
	const char *bdf = at_home("e1000e", "e1000e");

	ASSERT_EQ(ctl("bind %s", bdf), 0);
	ASSERT_EQ(module_unload("e1000e"), 0);
	ASSERT_EQ(ctl("unbind %s", bdf), 0);
	EXPECT(pci_driver_is(bdf, "e1000e"));
}

TEST(device_without_driver_goes_back_to_none)
{
	const char *bdf = lab_bdf("testdev");

	pci_unbind(bdf);
	ASSERT_EQ(ctl("bind %s", bdf), 0);
	EXPECT(pci_driver_is(bdf, "vfio-pci"));
	ASSERT_EQ(ctl("unbind %s", bdf), 0);
	EXPECT(pci_driver_is(bdf, ""));
	expect_override(bdf, "(null)");
}

/* The sample is more specific than vfio_pci, unless that is asked for. */
TEST(driver_that_fits_best_is_taken)
{
	const char *bdf = lab_bdf("edu");

	ASSERT_EQ(ctl("bind %s", bdf), 0);
	EXPECT(pci_driver_is(bdf, "edu-vfio-pci"));
	ASSERT_EQ(ctl("bind --driver vfio-pci %s", bdf), 0);
	EXPECT(pci_driver_is(bdf, "vfio-pci"));
	ASSERT_EQ(ctl("unbind %s", bdf), 0);
	EXPECT(pci_driver_is(bdf, ""));
}

TEST(match_and_list_know_the_devices)
{
	const char *bdf = lab_bdf("edu");

	ASSERT_EQ(ctl("match %s", bdf), 0);
	ctl_expect_said("vfio_pci:v*d*sv*sd*bc*sc*i*");
	ASSERT_EQ(ctl("list"), 0);
	ctl_expect_said(bdf);
	ctl_expect_said("1234:11e8");
	ASSERT_EQ(ctl("list --tree --json"), 0);
	ctl_expect_said("\"children\"");
}

/* What the kernel thinks of it; opening the group would end the test. */
static bool is_viable(const char *bdf)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/dev/vfio/%u", pci_group(bdf));
	fd = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_GE(fd, 0);
	ASSERT_OK(ioctl(fd, VFIO_GROUP_GET_STATUS, &status));
	close(fd);
	return status.flags & VFIO_GROUP_FLAGS_VIABLE;
}

/* Two functions of one slot: the group is of use only as a whole. */
TEST(group_that_is_not_viable_is_explained_and_cured)
{
	const char *bdf = at_home("multi", "e1000e");
	char second[BDF_LEN];

	lab_neighbour(second, bdf, 0, 1);
	pci_unbind(second);
	ASSERT_EQ(file_write("/sys/bus/pci/drivers_probe", second), 0);
	ASSERT_EQ(ctl("bind %s", bdf), 0);
	EXPECT(!is_viable(bdf));
	EXPECT_EQ(ctl("doctor %s", bdf), 1);
	ctl_expect_said("is bound to e1000e");

	ASSERT_EQ(ctl("bind --group %s", bdf), 0);
	EXPECT_EQ(ctl("doctor %s", bdf), 0);
	ctl_expect_said("healthy");
	EXPECT(is_viable(bdf));
	ASSERT_EQ(ctl("unbind --group %s", bdf), 0);
	EXPECT(pci_driver_is(bdf, "e1000e"));
	EXPECT(pci_driver_is(second, "e1000e"));
}

/* On a conventional bus: the bridge is in the group and stays where it is. */
TEST(group_behind_a_conventional_bridge)
{
	const char *bdf = lab_bdf("bridge");
	char second[BDF_LEN];

	lab_neighbour(second, bdf, 2, 0);
	pci_unbind(bdf);
	pci_unbind(second);
	ASSERT_EQ(ctl("bind --group --driver vfio-pci %s", bdf), 0);
	EXPECT(pci_driver_is(bdf, "vfio-pci"));
	EXPECT(pci_driver_is(second, "vfio-pci"));
	EXPECT_EQ(ctl("doctor %s", second), 0);
	ASSERT_EQ(ctl("unbind --group %s", bdf), 0);
}

/* To unbind it would wait for this program to close it. */
TEST(open_device_is_not_taken_away)
{
	const char *bdf = lab_bdf("edu");
	struct vfio_dev dev;
	char who[64];

	ASSERT_EQ(ctl("bind %s", bdf), 0);
	vfio_open(&dev, bdf);
	snprintf(who, sizeof(who), "(%d)", getpid());
	EXPECT_EQ(ctl("doctor %s", bdf), 1);
	ctl_expect_said("Its group is open already");
	ctl_expect_said(who);
	EXPECT_EQ(ctl("unbind %s", bdf), 1);
	ctl_expect_said(who);
	EXPECT(pci_driver_is(bdf, "vfio-pci"));
	vfio_close(&dev);
	EXPECT_EQ(ctl("doctor %s", bdf), 0);
	ASSERT_EQ(ctl("unbind %s", bdf), 0);
}

TEST(interface_that_is_up_is_not_taken_away)
{
	const char *bdf = at_home("e1000e", "e1000e");
	const char *name = part_of(bdf, "net");

	ASSERT_EQ(lab_command("ip link set %s up", name), 0);
	EXPECT_EQ(ctl("bind %s", bdf), 1);
	ctl_expect_said("is up");
	EXPECT(pci_driver_is(bdf, "e1000e"));
	ASSERT_EQ(ctl("bind --force %s", bdf), 0);
	EXPECT(pci_driver_is(bdf, "vfio-pci"));
	ASSERT_EQ(ctl("unbind %s", bdf), 0);
}

TEST(default_route_is_not_taken_away)
{
	const char *bdf = at_home("e1000e", "e1000e");
	const char *name = part_of(bdf, "net");

	ASSERT_EQ(lab_command("ip addr add 10.9.8.7/24 dev %s", name), 0);
	ASSERT_EQ(lab_command("ip link set %s up", name), 0);
	ASSERT_EQ(lab_command("ip route add default via 10.9.8.1"), 0);
	EXPECT_EQ(ctl("bind %s", bdf), 1);
	ctl_expect_said("the default route goes through");
	ASSERT_EQ(ctl("bind --force %s", bdf), 0);
	ASSERT_EQ(ctl("unbind %s", bdf), 0);
}

/* udev is not there to wait for: the disk appears when the driver has probed it. */
static const char *disk_of(const char *bdf)
{
	char path[64];
	unsigned int i;

	ASSERT(pci_driver_is(bdf, "nvme"));
	snprintf(path, sizeof(path), "/dev/nvme0n1");
	for (i = 0; access(path, F_OK) && i < test_patience(500); i++)
		usleep(10000);
	ASSERT_OK(access(path, F_OK));
	return "/dev/nvme0n1";
}

TEST(swap_space_is_not_taken_away)
{
	const char *bdf = at_home("nvme", "nvme");
	const char *disk = disk_of(bdf);

	ASSERT_EQ(lab_command("mkswap %s >" OUTPUT, disk), 0);
	ASSERT_EQ(lab_command("swapon %s", disk), 0);
	EXPECT_EQ(ctl("bind %s", bdf), 1);
	ctl_expect_said("nvme0n1 is swap space in use");
	EXPECT_EQ(ctl("persist %s", bdf), 1);
	ASSERT_EQ(lab_command("swapoff %s", disk), 0);
	ASSERT_EQ(ctl("bind %s", bdf), 0);
	ASSERT_EQ(ctl("unbind %s", bdf), 0);
}

/* What has no name in any table, as a pool of another kind of file system. */
TEST(disk_that_is_held_is_not_taken_away)
{
	const char *bdf = at_home("nvme", "nvme");
	int fd = open(disk_of(bdf), O_RDONLY | O_EXCL | O_CLOEXEC);

	ASSERT_GE(fd, 0);
	EXPECT_EQ(ctl("bind %s", bdf), 1);
	ctl_expect_said("nvme0n1 is part of a file system, array or volume in use");
	ctl_expect_said("/dev/nvme0n1 is open in");
	close(fd);
	ASSERT_EQ(ctl("bind %s", bdf), 0);
	ASSERT_EQ(ctl("unbind %s", bdf), 0);
}

/* What the driver has to say about it is in the kernel's log, and repeated. */
TEST(device_on_the_denylist_is_refused_with_the_reason)
{
	static const struct odd_poke qat_c3xxx[] = {
		{ PCI_VENDOR_ID, 4, 0x19e28086 },
		{ }
	};
	const char *bdf = odd_made("odd", qat_c3xxx);

	EXPECT_EQ(ctl("bind %s", bdf), 1);
	ctl_expect_said("vfio-pci does not take it");
	ctl_expect_said("denylist");
	EXPECT(pci_driver_is(bdf, ""));
	expect_override(bdf, "(null)");
	odd_made("odd", NULL);
}

/* The kernel has the last word: vfio-pci takes no PF that has VFs. */
TEST(refusal_of_the_driver_is_rolled_back)
{
	const char *bdf = at_home("nvme", "nvme");

	disk_of(bdf);
	ASSERT_EQ(ctl("vf %s 2", bdf), 0);
	EXPECT_EQ(ctl("bind %s", bdf), 1);
	ctl_expect_said("2 virtual functions of it are enabled");
	EXPECT_EQ(ctl("bind --force %s", bdf), 1);
	ctl_expect_said("vfio-pci does not take it: Device or resource busy");
	ctl_expect_said("restored");
	EXPECT(pci_driver_is(bdf, "nvme"));
	expect_override(bdf, "(null)");
	ASSERT_EQ(ctl("vf %s 0", bdf), 0);
}

TEST(refusal_leaves_other_devices_as_they_were)
{
	const char *bdf = at_home("nvme", "nvme"), *card = at_home("e1000e", "e1000e");

	disk_of(bdf);
	ASSERT_EQ(ctl("vf %s 1", bdf), 0);
	EXPECT_EQ(ctl("bind --force %s %s", card, bdf), 1);
	EXPECT(pci_driver_is(card, "e1000e"));
	expect_override(card, "(null)");
	EXPECT(pci_driver_is(bdf, "nvme"));
	ASSERT_EQ(ctl("vf %s 0", bdf), 0);
}

TEST(virtual_functions_are_created_and_bound)
{
	const char *bdf = at_home("igb", "igb");
	char vf[BDF_LEN];
	unsigned int i;

	ASSERT_EQ(module_load("igbvf", NULL), 0);
	ASSERT_EQ(ctl("vf --bind %s 3", bdf), 0);
	for (i = 0; i < 3; i++) {
		lab_neighbour(vf, bdf, 0x10, 2 * i);
		EXPECT(pci_driver_is(vf, "vfio-pci"));
	}
	EXPECT_EQ(pci_attr_number(bdf, "sriov_drivers_autoprobe"), 1);
	EXPECT_EQ(ctl("doctor %s", vf), 0);
	ASSERT_EQ(ctl("vf %s 2", bdf), 0);
	lab_neighbour(vf, bdf, 0x10, 0);
	EXPECT(pci_driver_is(vf, "igbvf"));
	ASSERT_EQ(ctl("vf %s 0", bdf), 0);
	EXPECT(!pci_exists(vf));
}

/* With its card in user space, a function is opened by token, and doctor knows. */
TEST(card_in_user_space_makes_functions_with_tokens)
{
	const char *bdf = at_home("igb", "igb");
	char vf[BDF_LEN];

	ASSERT_EQ(ctl("bind %s", bdf), 0);
	module_with("enable_sriov", "N");
	ASSERT_EQ(ctl("bind %s", bdf), 0);
	EXPECT_EQ(ctl("vf %s 2", bdf), 1);
	ctl_expect_said("enable_sriov");
	ASSERT_EQ(file_write("/sys/module/vfio_pci/parameters/enable_sriov", "Y"), 0);
	ASSERT_EQ(ctl("vf --bind %s 2", bdf), 0);
	lab_neighbour(vf, bdf, 0x10, 0);
	EXPECT_EQ(ctl("doctor %s", vf), 0);
	ctl_expect_said("opening it takes a VF token");
	ASSERT_EQ(ctl("vf %s 0", bdf), 0);
	ASSERT_EQ(ctl("unbind %s", bdf), 0);
	EXPECT(pci_driver_is(bdf, "igb"));
}

TEST(device_that_was_unplugged_is_an_error_message)
{
	const char *bdf = lab_bdf("testdev");

	ASSERT_EQ(pci_attr_write(bdf, "remove", "1"), 0);
	EXPECT_EQ(ctl("bind %s", bdf), 1);
	ctl_expect_said("there is no device");
	EXPECT_EQ(ctl("doctor %s", bdf), 1);
	ASSERT_EQ(file_write("/sys/bus/pci/rescan", "1"), 0);
	ASSERT_EQ(ctl("bind %s", bdf), 0);
	/* A hotplug forgets the override, and the record is worth nothing. */
	ASSERT_EQ(pci_attr_write(bdf, "remove", "1"), 0);
	ASSERT_EQ(file_write("/sys/bus/pci/rescan", "1"), 0);
	expect_override(bdf, "(null)");
	EXPECT_EQ(ctl("unbind %s", bdf), 0);
}

/* While one removes and finds the device again, the other binds: never a crash. */
TEST(device_that_vanishes_meanwhile_is_an_error_message)
{
	const char *bdf = lab_bdf("testdev");
	pid_t child = fork();
	int i, status;

	if (!child) {
		for (i = 0; i < 40; i++) {
			pci_attr_write(bdf, "remove", "1");
			file_write("/sys/bus/pci/rescan", "1");
		}
		_exit(0);
	}
	do {
		ctl("bind %s", bdf);
		ctl("doctor %s", bdf);
		ctl("unbind %s", bdf);
	} while (!waitpid(child, &status, WNOHANG));
	EXPECT_EQ(status, 0);
	ASSERT(pci_exists(bdf));
	pci_unbind(bdf);
	EXPECT_EQ(ctl("bind %s", bdf), 0);
	EXPECT_EQ(ctl("unbind %s", bdf), 0);
}

TEST(two_at_a_time_take_turns)
{
	const char *bdf = lab_bdf("edu");
	pid_t child = fork();
	int i, status;

	if (!child) {
		for (i = 0; i < 20; i++)
			lab_command("{ vfioctl bind %s; vfioctl unbind %s; } >/dev/null 2>&1",
				    bdf, bdf);
		_exit(0);
	}
	do {
		ctl("bind %s", bdf);
		ctl("unbind %s", bdf);
	} while (!waitpid(child, &status, WNOHANG));
	EXPECT_EQ(ctl("unbind %s", bdf), 0);
	EXPECT(pci_driver_is(bdf, ""));
	expect_override(bdf, "(null)");
}

TEST(root_port_and_console_are_refused)
{
	EXPECT_EQ(ctl("bind --force 00:10.0"), 1);
	ctl_expect_said("it is a bridge");
	EXPECT_EQ(ctl("doctor 00:10.0"), 1);
	EXPECT_EQ(ctl("bind %s", lab_bdf("vga")), 1);
	ctl_expect_said("text console");
}

TEST(modules_are_told_apart)
{
	const char *bdf = lab_bdf("edu");

	pci_unbind(bdf);
	EXPECT_EQ(ctl("doctor %s", bdf), 0);
	ctl_expect_said(lab_stock() ? "vfio_pci is loaded, the distribution's" :
		    "is loaded, not from the distribution (/lib/modules");
}
