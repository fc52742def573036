// SPDX-License-Identifier: GPL-2.0-only
/*
 * persist: the files that keep a device for VFIO, and none of them left behind.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "tree.h"

#define NIC	"0000:01:00.0"
#define NVME	"0000:03:00.0"
#define RULE(key)	"/etc/udev/rules.d/70-vfioctl-" key ".rules"
#define HOOK	"/etc/initramfs-tools/hooks/vfioctl"
#define DRACUT	"/etc/dracut.conf.d/vfioctl.conf"

static int setup(void **state)
{
	machine_setup(state);
	tree_folder("/etc/initramfs-tools");
	tree_folder("/etc/dracut.conf.d");
	return 0;
}

#define TEST_HERE(fn)	cmocka_unit_test_setup_teardown(fn, setup, machine_teardown)

/* Addresses move when a card is added: the rule wants the ids, too. */
static void rule_for_an_address_names_the_ids(void **state)
{
	(void)state;
	assert_int_equal(vfioctl("persist", NIC, NULL), EXIT_DONE);
	assert_contains(tree_text(RULE(NIC)),
			"KERNEL==\"" NIC "\", ATTR{vendor}==\"0x8086\", ATTR{device}==\"0x10d3\"");
	assert_contains(tree_text(RULE(NIC)), "ATTR{driver_override}=\"vfioctl\"");
	assert_contains(tree_text(RULE(NIC)), "RUN+=\"" VFIOCTL_PATH " bind $kernel\"");
}

static void rule_for_ids_names_no_address(void **state)
{
	(void)state;
	assert_int_equal(vfioctl("persist", "15b3:101E", NULL), EXIT_DONE);
	assert_lacks(tree_text(RULE("15b3:101e")), "KERNEL");
	assert_contains(tree_text(RULE("15b3:101e")), "ATTR{device}==\"0x101e\"");
}

static void driver_is_in_the_rule(void **state)
{
	(void)state;
	assert_int_equal(vfioctl("persist", "--driver", "mlx5-vfio-pci", "0000:02:00.0", NULL),
			 EXIT_DONE);
	assert_contains(tree_text(RULE("0000:02:00.0")),
			"ATTR{driver_override}=\"mlx5-vfio-pci\"");
	assert_contains(tree_text(RULE("0000:02:00.0")), "bind --driver mlx5-vfio-pci $kernel\"");
}

static void hooks_come_with_the_first_and_go_with_the_last(void **state)
{
	struct stat st;

	(void)state;
	assert_int_equal(vfioctl("persist", NIC, NULL), EXIT_DONE);
	assert_int_equal(vfioctl("persist", "15b3:101e", NULL), EXIT_DONE);
	assert_int_equal(stat(tree_path(HOOK), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0755);
	assert_contains(tree_text(DRACUT), RULE(NIC));
	assert_contains(tree_text(DRACUT), RULE("15b3:101e"));

	assert_int_equal(vfioctl("persist", "--remove", NIC, NULL), EXIT_DONE);
	assert_false(path_exists(RULE(NIC)));
	assert_true(path_exists(HOOK));
	assert_lacks(tree_text(DRACUT), RULE(NIC));

	assert_int_equal(vfioctl("persist", "--remove", "15b3:101e", NULL), EXIT_DONE);
	assert_false(path_exists(RULE("15b3:101e")));
	assert_false(path_exists(HOOK));
	assert_false(path_exists(DRACUT));
}

/* What initramfs-tools does with it. */
static void hook_copies_the_rules(void **state)
{
	char command[4 * PATH_MAX];

	(void)state;
	assert_int_equal(vfioctl("persist", NIC, NULL), EXIT_DONE);
	/* The hook reads the machine's own /etc: have it read the tree's. */
	print_to(command, sizeof(command),
		 "sed 's:in /etc:in %s/etc:' %s >%s/hook && DESTDIR=%s/initramfs sh -eu %s/hook",
		 tree_path(""), tree_path(HOOK), tree_path(""), tree_path(""), tree_path(""));
	assert_int_equal(system(command), 0);
	assert_contains(tree_text("/initramfs" RULE(NIC)), NIC);
	print_to(command, sizeof(command), "test \"$(sh %s prereqs)\" = udev", tree_path(HOOK));
	assert_int_equal(system(command), 0);
}

static void hook_is_a_clean_script(void **state)
{
	char command[PATH_MAX + 64];

	(void)state;
	assert_int_equal(vfioctl("persist", NIC, NULL), EXIT_DONE);
	print_to(command, sizeof(command), "shellcheck %s", tree_path(HOOK));
	assert_int_equal(system(command), 0);
}

static void hooks_of_tools_that_are_not_there_are_not_written(void **state)
{
	(void)state;
	tree_remove("/etc/initramfs-tools");
	tree_remove("/etc/dracut.conf.d");
	assert_int_equal(vfioctl("persist", NIC, NULL), EXIT_DONE);
	assert_false(path_exists("/etc/initramfs-tools"));
	assert_false(path_exists("/etc/dracut.conf.d"));
}

/* Or the next boot ends in the initramfs. */
static void disk_in_use_is_refused(void **state)
{
	(void)state;
	tree_class(NVME, "block", "nvme0n1");
	tree_file("/sys/class/block/nvme0n1/dev", "259:0\n");
	tree_file("/proc/self/mountinfo", "22 1 259:0 / / rw - ext4 /dev/nvme0n1 rw\n");
	assert_int_equal(vfioctl("persist", NVME, NULL), EXIT_FAILED);
	assert_contains(run.err, "nvme0n1 is mounted on /");
	assert_int_equal(vfioctl("persist", "1b36:0010", NULL), EXIT_FAILED);
	assert_false(path_exists("/etc/udev"));
	assert_int_equal(vfioctl("persist", "--force", NVME, NULL), EXIT_DONE);
	assert_true(path_exists(RULE(NVME)));
}

static void what_is_kept_is_listed(void **state)
{
	json_t *table;

	(void)state;
	assert_int_equal(vfioctl("persist", NULL), EXIT_DONE);
	assert_int_equal(vfioctl("persist", NIC, NULL), EXIT_DONE);
	assert_int_equal(vfioctl("persist", "8086:10d3", NULL), EXIT_DONE);
	tree_file("/etc/udev/rules.d/60-other.rules", "#\n");
	table = vfioctl_json("persist", NULL);
	assert_int_equal(json_array_size(table), 2);
	assert_string_equal(row_text(table, 0, "kept"), NIC);
	assert_string_equal(row_text(table, 1, "kept"), "8086:10d3");
}

/* A device that is not there any more can still be given up. */
static void removal_needs_no_device(void **state)
{
	(void)state;
	tree_file(RULE("0000:99:00.0"), "#\n");
	assert_int_equal(vfioctl("persist", "--remove", "99:00.0", NULL), EXIT_DONE);
	assert_false(path_exists(RULE("0000:99:00.0")));
	assert_int_equal(vfioctl("persist", "--remove", "99:00.0", NULL), EXIT_FAILED);
	assert_contains(run.err, "0000:99:00.0 is not kept");
}

static void dry_run_writes_nothing(void **state)
{
	(void)state;
	assert_int_equal(vfioctl("persist", "--dry-run", NIC, NULL), EXIT_DONE);
	assert_false(path_exists("/etc/udev"));
}

/* After such a rule: bound by name from a reserved state, and home again. */
static void reservation_is_not_restored_on_unbind(void **state)
{
	char driver[NAME_LEN];

	(void)state;
	tree_unbind(NIC);
	tree_file(PCI_DEVICES "/" NIC "/driver_override", "vfioctl\n");
	assert_int_equal(vfioctl("bind", NIC, NULL), EXIT_DONE);
	assert_int_equal(vfioctl("unbind", NIC, NULL), EXIT_DONE);
	assert_int_equal(device_driver(driver, NIC), 0);
	assert_string_equal(driver, "e1000e");
}

static const struct {
	const char *key;
	const char *driver;
	const char *says;
} bad[] = {
	{ "0000:77:00.0", NULL, "there is no device 0000:77:00.0" },
	{ "0000:00:01.0", NULL, "it is a bridge" },
	{ "8086", NULL, "'8086' is neither an address" },
	{ "8086:10d", NULL, "neither" },
	{ "8086:10d3:1", NULL, "neither" },
	{ "../../../tmp/x", NULL, "neither" },
	{ NIC, "vfio\", RUN+=\"/bin/sh", "is no name of a driver" },
	{ NIC, "$kernel", "is no name of a driver" },
	{ NIC, "", "is no name of a driver" },
};

static void words_are_checked(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		if (bad[i].driver)
			vfioctl("persist", "--driver", bad[i].driver, bad[i].key, NULL);
		else
			vfioctl("persist", bad[i].key, NULL);
		assert_int_equal(run.status, EXIT_FAILED);
		assert_contains(run.err, bad[i].says);
		assert_false(path_exists("/etc/udev"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_HERE(rule_for_an_address_names_the_ids),
		TEST_HERE(rule_for_ids_names_no_address),
		TEST_HERE(driver_is_in_the_rule),
		TEST_HERE(hooks_come_with_the_first_and_go_with_the_last),
		TEST_HERE(hook_copies_the_rules),
		TEST_HERE(hook_is_a_clean_script),
		TEST_HERE(hooks_of_tools_that_are_not_there_are_not_written),
		TEST_HERE(disk_in_use_is_refused),
		TEST_HERE(what_is_kept_is_listed),
		TEST_HERE(removal_needs_no_device),
		TEST_HERE(dry_run_writes_nothing),
		TEST_HERE(reservation_is_not_restored_on_unbind),
		TEST_HERE(words_are_checked),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("persist", tests, NULL, NULL);
}
