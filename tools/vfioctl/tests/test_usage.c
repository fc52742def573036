// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices in use: bind refuses and says why, --force overrules it, and what is
 * not in use is not said to be.
 */
#include <stdlib.h>
#include <string.h>

#include "tree.h"

#define NIC	"0000:01:00.0"
#define NVME	"0000:03:00.0"
#define GPU	"0000:04:00.0"
#define CARD	"0000:05:00.0"
#define FOLDER	"/sys/devices/pci0000:00/"
#define NULL_NODE	"/dev/null"	/* 1:3 on every Linux */

static void expect_refusal(const char *bdf, const char *reason)
{
	machine_remember();
	assert_int_equal(vfioctl("bind", bdf, NULL), EXIT_FAILED);
	assert_contains(run.err, reason);
	assert_contains(run.err, "--force");
	assert_string_equal(fake.log, "");
	machine_unchanged();
	assert_int_equal(vfioctl("bind", "--force", bdf, NULL), EXIT_DONE);
	assert_contains(run.err, reason);
}

static void expect_free(const char *bdf)
{
	assert_int_equal(vfioctl("bind", "--group", bdf, NULL), EXIT_DONE);
	assert_string_equal(run.err, "");
}

/* A disk with a partition, numbers 259:0 and 259:1. */
static void add_disk(void)
{
	tree_class(NVME, "nvme", "nvme0");
	tree_class(NVME, "block", "nvme0n1");
	tree_class(NVME, "block", "nvme0n1/nvme0n1p1");
	tree_file("/sys/class/block/nvme0n1/dev", "259:0\n");
	tree_file("/sys/class/block/nvme0n1p1/dev", "259:1\n");
	tree_file("/sys/class/block/nvme0n1p1/partition", "1\n");
}

static void add_volume(const char *name, const char *number, const char *below)
{
	char path[PATH_MAX], target[PATH_MAX];

	print_to(target, sizeof(target), "/sys/devices/virtual/block/%s", name);
	tree_folder(target);
	print_to(path, sizeof(path), "/sys/class/block/%s", name);
	tree_link(path, target);
	print_to(path, sizeof(path), "%s/dev", target);
	tree_file(path, "%s\n", number);
	print_to(path, sizeof(path), "/sys/class/block/%s/holders/%s", below, name);
	tree_folder(path);
}

static void unused_disk_is_free(void **state)
{
	(void)state;
	add_disk();
	tree_file("/proc/self/mountinfo", "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n");
	tree_file("/proc/swaps", "Filename\tType\n/dev/sda2\tpartition\n");
	expect_free(NVME);
}

static void mounted_partition(void **state)
{
	(void)state;
	add_disk();
	tree_file("/proc/self/mountinfo",
		  "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
		  "30 22 259:1 / /home rw,relatime shared:1 - ext4 /dev/root rw\n");
	expect_refusal(NVME, "nvme0n1p1 is mounted on /home");
}

/* btrfs mounts have numbers of their own; the source tells the disk. */
static void mounted_by_name(void **state)
{
	(void)state;
	add_disk();
	tree_file("/proc/self/mountinfo", "30 22 0:42 /@ /srv rw - btrfs /dev/nvme0n1p1 rw\n");
	expect_refusal(NVME, "nvme0n1p1 is mounted on /srv");
}

static void swapped_on(void **state)
{
	(void)state;
	add_disk();
	tree_file("/proc/swaps", "Filename\tType\n/dev/nvme0n1p1\tpartition\t1\t0\t-2\n");
	expect_refusal(NVME, "nvme0n1p1 is swap space in use");
}

/* An encrypted volume in a logical volume on an array on the partition. */
static void mounted_three_levels_up(void **state)
{
	(void)state;
	add_disk();
	add_volume("md0", "9:0", "nvme0n1p1");
	add_volume("dm-0", "253:0", "md0");
	add_volume("dm-1", "253:1", "dm-0");
	tree_file("/proc/self/mountinfo", "30 22 253:1 / /secret rw - ext4 /dev/mapper/s rw\n");
	expect_refusal(NVME, "dm-1 (on dm-0 (on md0 (on nvme0n1p1))) is mounted on /secret");
}

/* A tree that cannot be, but must not hang anybody. */
static void circle_of_holders_ends(void **state)
{
	(void)state;
	add_disk();
	add_volume("dm-0", "253:0", "nvme0n1p1");
	add_volume("dm-1", "253:1", "dm-0");
	tree_folder("/sys/class/block/dm-1/holders/dm-0");
	expect_free(NVME);
}

/* With multipath, the disk is below the subsystem and not below the controller. */
static void add_shared_disk(void)
{
	tree_class(NVME, "nvme", "nvme0");
	tree_folder("/sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1/nvme0n1p1");
	tree_link("/sys/class/nvme-subsystem/nvme-subsys0",
		  "/sys/devices/virtual/nvme-subsystem/nvme-subsys0");
	tree_link("/sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0",
		  FOLDER NVME "/nvme/nvme0");
	tree_link("/sys/class/block/nvme0n1",
		  "/sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1");
	tree_link("/sys/class/block/nvme0n1p1",
		  "/sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1/nvme0n1p1");
	tree_file("/sys/class/block/nvme0n1/dev", "259:0\n");
	tree_file("/sys/class/block/nvme0n1p1/dev", "259:1\n");
	tree_file("/sys/class/block/nvme0n1p1/partition", "1\n");
}

static void mounted_disk_of_a_subsystem(void **state)
{
	(void)state;
	add_shared_disk();
	tree_file("/proc/self/mountinfo", "30 22 259:1 / / rw - ext4 /dev/root rw\n");
	expect_refusal(NVME, "nvme0n1p1 is mounted on /");
}

static void open_disk_of_a_subsystem(void **state)
{
	(void)state;
	add_shared_disk();
	tree_open_file(7, "dd", NULL_NODE,
		       "/sys/devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1");
	expect_refusal(NVME, NULL_NODE " is open in dd (7)");
}

static void add_interface(const char *bdf, const char *name, unsigned int flags)
{
	char path[PATH_MAX];

	tree_class(bdf, "net", name);
	print_to(path, sizeof(path), "/sys/class/net/%s/flags", name);
	tree_file(path, "0x%x\n", flags);
}

static void interface_that_is_down_is_free(void **state)
{
	(void)state;
	add_interface(NIC, "eth0", 0x1002);
	tree_file("/proc/net/route", "Iface\tDestination\neth1\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\n");
	expect_free(NIC);
}

static void interface_that_is_up(void **state)
{
	(void)state;
	add_interface(NIC, "eth0", 0x1003);
	expect_refusal(NIC, "network interface eth0 is up; 'ip link set eth0 down' first");
}

/* virtio-net is a step further down: net is below virtio0, below the function. */
static void interface_deep_below_the_function(void **state)
{
	(void)state;
	tree_folder(FOLDER NIC "/virtio0/net/eth0");
	tree_link("/sys/class/net/eth0", FOLDER NIC "/virtio0/net/eth0");
	tree_file("/sys/class/net/eth0/flags", "0x1003\n");
	expect_refusal(NIC, "network interface eth0 is up");
}

static void default_route(void **state)
{
	(void)state;
	add_interface(NIC, "eth0", 0x1002);
	tree_file("/proc/net/route",
		  "Iface\tDestination\tGateway\n"
		  "eth0\t0002A8C0\t00000000\t0001\t0\t0\t100\t00FFFFFF\t0\t0\t0\n"
		  "eth0\t00000000\t0102A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n");
	expect_refusal(NIC, "the default route goes through eth0");
}

static void default_route_of_version_6(void **state)
{
	(void)state;
	add_interface(NIC, "eth0", 0x1002);
	tree_file("/proc/net/ipv6_route",
		  "%032d 00 %032d 00 fe800000000000000000000000000001 00000400 1 0 3     eth0\n",
		  0, 0);
	expect_refusal(NIC, "the default route goes through eth0");
}

static void default_route_over_bond_and_vlan(void **state)
{
	(void)state;
	add_interface(NIC, "eth0", 0x1002);
	tree_folder("/sys/class/net/eth0/upper_bond0");
	tree_folder("/sys/class/net/bond0/upper_bond0.10");
	tree_folder("/sys/class/net/bond0.10");
	tree_file("/proc/net/route", "Iface\nbond0.10\t00000000\t0102A8C0\t0003\t0\t0\t0\t00000000\t0\n");
	expect_refusal(NIC, "the default route goes through bond0.10 (on bond0 (on eth0))");
	assert_contains(run.err, "network interface eth0 belongs to bond0");
}

static void add_console(const char *kind, int bound)
{
	tree_file("/sys/class/vtconsole/vtcon0/name", "(M) %s\n", kind);
	tree_file("/sys/class/vtconsole/vtcon0/bind", "%d\n", bound);
}

static void console_on_its_framebuffer(void **state)
{
	(void)state;
	tree_class(GPU, "graphics", "fb0");
	add_console("frame buffer device", 1);
	expect_refusal(GPU, "the console is on its framebuffer, fb0");
}

static void framebuffer_without_console_is_free(void **state)
{
	(void)state;
	tree_class(GPU, "graphics", "fb0");
	add_console("frame buffer device", 0);
	expect_free(GPU);
}

static void add_boot_framebuffer(const char *range)
{
	tree_file(FOLDER GPU "/resource",
		  "0x00000000c0000000 0x00000000c0ffffff 0x0000000000040200\n"
		  "0x0000000800000000 0x0000000fffffffff 0x000000000014220c\n"
		  "0x0000000000000000 0x0000000000000000 0x0000000000000000\n");
	tree_file("/proc/iomem", "c0000000-febfffff : PCI Bus 0000:00\n  %s : BOOTFB\n", range);
}

static void console_on_the_boot_framebuffer(void **state)
{
	(void)state;
	add_boot_framebuffer("800000000-8007e8fff");
	add_console("frame buffer device", 1);
	expect_refusal(GPU, "the console is on the framebuffer that BOOTFB has in its memory");
}

static void boot_framebuffer_of_another_device(void **state)
{
	(void)state;
	add_boot_framebuffer("d0000000-d07e8fff");
	add_console("frame buffer device", 1);
	expect_free(GPU);
}

static void text_console(void **state)
{
	(void)state;
	tree_file(FOLDER GPU "/boot_vga", "1\n");
	add_console("VGA+", 1);
	expect_refusal(GPU, "the text console is on it");
}

static void virtual_functions(void **state)
{
	(void)state;
	tree_file(FOLDER CARD "/sriov_numvfs", "2\n");
	expect_refusal(CARD, "2 virtual functions of it are enabled");
}

static void open_node(void **state)
{
	(void)state;
	tree_folder(FOLDER GPU "/drm/card0");
	tree_open_file(4711, "Xorg", NULL_NODE, FOLDER GPU "/drm/card0");
	expect_refusal(GPU, NULL_NODE " is open in Xorg (4711)");
}

static void open_node_of_another_device_is_free(void **state)
{
	(void)state;
	tree_folder(FOLDER NIC "/ptp/ptp0");
	tree_open_file(4711, "ptp4l", NULL_NODE, FOLDER NIC "/ptp/ptp0");
	expect_free(GPU);
}

static void open_resource(void **state)
{
	(void)state;
	tree_open_file(99, "dpdk", FOLDER NIC "/resource0", NULL);
	expect_refusal(NIC, FOLDER NIC "/resource0 is open in dpdk (99)");
}

/* To unbind it would block until that program ends. */
static void unbind_of_an_open_group(void **state)
{
	(void)state;
	expect_free(NIC);
	tree_folder("/sys/devices/virtual/vfio/2");
	tree_open_file(5000, "qemu", NULL_NODE, "/sys/devices/virtual/vfio/2");
	assert_int_equal(vfioctl("unbind", NIC, NULL), EXIT_FAILED);
	assert_contains(run.err, NULL_NODE " is open in qemu (5000)");
	assert_int_equal(vfioctl("unbind", "--force", NIC, NULL), EXIT_DONE);
}

static void unbind_while_another_group_is_open(void **state)
{
	(void)state;
	expect_free(NIC);
	tree_folder("/sys/devices/virtual/vfio/22");
	tree_open_file(5000, "qemu", NULL_NODE, "/sys/devices/virtual/vfio/22");
	assert_int_equal(vfioctl("unbind", NIC, NULL), EXIT_DONE);
}

/* A process that ends while it is looked at is none. */
static void process_without_files(void **state)
{
	(void)state;
	tree_file("/proc/77/comm", "gone\n");
	expect_free(NIC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(unused_disk_is_free),
		TEST(mounted_partition),
		TEST(mounted_by_name),
		TEST(swapped_on),
		TEST(mounted_three_levels_up),
		TEST(circle_of_holders_ends),
		TEST(mounted_disk_of_a_subsystem),
		TEST(open_disk_of_a_subsystem),
		TEST(interface_that_is_down_is_free),
		TEST(interface_that_is_up),
		TEST(interface_deep_below_the_function),
		TEST(default_route),
		TEST(default_route_of_version_6),
		TEST(default_route_over_bond_and_vlan),
		TEST(console_on_its_framebuffer),
		TEST(framebuffer_without_console_is_free),
		TEST(console_on_the_boot_framebuffer),
		TEST(boot_framebuffer_of_another_device),
		TEST(text_console),
		TEST(virtual_functions),
		TEST(open_node),
		TEST(open_node_of_another_device_is_free),
		TEST(open_resource),
		TEST(unbind_of_an_open_group),
		TEST(unbind_while_another_group_is_open),
		TEST(process_without_files),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("usage", tests, NULL, NULL);
}
