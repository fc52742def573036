// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nothing from the command line or from sysfs is taken on trust; list and match
 * show what they are asked for, as a table and as JSON.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "tree.h"

#define NIC	"0000:01:00.0"
#define FOLDER	"/sys/devices/pci0000:00/"
#define LONG	"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
	const char *text;
	const char *bdf;
} addresses[] = {
	{ "0000:01:00.0", "0000:01:00.0" },
	{ "01:00.0", "0000:01:00.0" },
	{ "10000:e1:1f.7", "10000:e1:1f.7" },
	{ "0000:AB:0c.1", "0000:ab:0c.1" },
	{ "", NULL },
	{ "1:00.0", NULL },
	{ "01:0.0", NULL },
	{ "01:00", NULL },
	{ "01:00.8", NULL },
	{ "01:20.0", NULL },
	{ "01:00.00", NULL },
	{ "000:01:00.0", NULL },
	{ "0000:0000:01:00.0", NULL },
	{ "123456789:01:00.0", NULL },
	{ "-001:01:00.0", NULL },
	{ "0x00:01:00.0", NULL },
	{ "0000:01:00.0/../0000:02:00.0", NULL },
	{ "0000:01:00.0 ", NULL },
	{ "0000:01:00.g", NULL },
	{ "00 0:01:00.0", NULL },
};

static void addresses_are_parsed_strictly(void **state)
{
	char bdf[BDF_LEN];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(addresses); i++) {
		if (addresses[i].bdf) {
			assert_int_equal(bdf_parse(bdf, addresses[i].text), 0);
			assert_string_equal(bdf, addresses[i].bdf);
		} else {
			assert_int_equal(bdf_parse(bdf, addresses[i].text), -EINVAL);
		}
	}
}

static const struct {
	const char *text;
	uint64_t value;
	int ret;
} numbers[] = {
	{ "0", 0, 0 },
	{ "0x8086", 0x8086, 0 },
	{ "18446744073709551615", UINT64_MAX, 0 },
	{ "18446744073709551616", 0, -ERANGE },
	{ "0x", 0, -EINVAL },
	{ "", 0, -EINVAL },
	{ "-1", 0, -EINVAL },
	{ "+1", 0, -EINVAL },
	{ " 1", 0, -EINVAL },
	{ "1 ", 0, -EINVAL },
	{ "8086", 8086, 0 },
	{ "80fe", 0, -EINVAL },
};

static void numbers_are_parsed_strictly(void **state)
{
	uint64_t value;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		assert_int_equal(number_parse(&value, numbers[i].text), numbers[i].ret);
		if (!numbers[i].ret)
			assert_true(value == numbers[i].value);
	}
}

static const struct {
	const char *attr;
	const char *text;
} broken[] = {
	{ "vendor", "" },
	{ "vendor", "0x18086\n" },
	{ "vendor", "8086\n" },
	{ "vendor", "0x80 86\n" },
	{ "device", "-1\n" },
	{ "class", "0x1020000\n" },
	{ "modalias", "pci:v00008086d000010D4sv00001AF4sd00001100bc02sc00i00\n" },
	{ "modalias", "pci:\x1b[2J\n" },
	{ "modalias", "pci:v00008086d000010D3sv00001AF4sd00001100bc02sc00i00" LONG "\n" },
	{ "driver_override", "a/b\n" },
	{ "driver_override", ".." },
	{ "config", "short" },
};

/* An error with a message, for the device itself and in the list, for it alone. */
static void broken_attributes_are_errors(void **state)
{
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(broken); i++) {
		print_to(path, sizeof(path), FOLDER NIC "/%s", broken[i].attr);
		tree_file(path, "%s", broken[i].text);
		assert_int_equal(vfioctl("bind", "--force", NIC, NULL), EXIT_FAILED);
		assert_contains(run.err, NIC ": cannot make sense of what sysfs says");
		assert_int_equal(vfioctl("list", NULL), EXIT_DONE);
		assert_contains(run.err, NIC ": left out");
		assert_lacks(run.out, "\n" NIC " ");
		assert_contains(run.out, "0000:02:00.0");
		machine_teardown(state);
		machine_setup(state);
	}
}

static void links_that_lead_astray_are_errors(void **state)
{
	(void)state;
	tree_link(FOLDER NIC "/iommu_group", "/sys/kernel/iommu_groups/seven");
	assert_int_equal(vfioctl("match", NIC, NULL), EXIT_FAILED);
	tree_link(FOLDER NIC "/iommu_group", "/sys/kernel/iommu_groups/99999999999");
	assert_int_equal(vfioctl("match", NIC, NULL), EXIT_FAILED);
	tree_link(FOLDER NIC "/iommu_group", "/sys/kernel/iommu_groups/2");
	tree_link(FOLDER NIC "/driver", "..");
	assert_int_equal(vfioctl("match", NIC, NULL), EXIT_FAILED);
	tree_unbind(NIC);
	tree_link(FOLDER NIC "/physfn", "../nothing");
	assert_int_equal(vfioctl("match", NIC, NULL), EXIT_FAILED);
}

/* All is well with it, but that it is not below the root. */
static void device_out_of_the_root_is_an_error(void **state)
{
	(void)state;
	tree_link("/sub" PCI_DEVICES "/" NIC, FOLDER NIC);
	assert_int_equal(vfioctl("--sysroot", tree_path("/sub"), "list", NULL), EXIT_DONE);
	assert_contains(run.err, NIC ": left out: Invalid cross-device link");
	assert_lacks(run.out, NIC);
}

static void text_that_is_too_long_is_not_cut(void **state)
{
	char text[8];

	(void)state;
	root_set(tree_path(""));
	tree_file("/seven", "1234567");
	assert_int_equal(file_text(text, sizeof(text), "/seven"), 0);
	tree_file("/eight", "12345678");
	assert_int_equal(file_text(text, sizeof(text), "/eight"), -EFBIG);
}

static void record_that_makes_no_sense_is_ignored(void **state)
{
	static const char * const records[] = {
		"", "8086:10d3", "8086:10d3\nnouveau", "8086:10d3\n../../x\n\n", "8086:10d3\n\n..\n",
		"\n\n\n\n\n",
	};
	char driver[NAME_LEN];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(records); i++) {
		assert_int_equal(vfioctl("bind", NIC, NULL), EXIT_DONE);
		tree_file("/run/vfioctl/" NIC, "%s", records[i]);
		assert_int_equal(vfioctl("unbind", NIC, NULL), EXIT_DONE);
		assert_int_equal(device_driver(driver, NIC), 0);
		assert_string_equal(driver, "e1000e");
	}
}

static const struct {
	const char *words[4];
} misuse[] = {
	{ { "frobnicate" } },
	{ { "bind" } },
	{ { "match" } },
	{ { "match", NIC, NIC } },
	{ { "vf", NIC } },
	{ { "list", "--force" } },
	{ { "bind", "--remove", NIC } },
	{ { "bind", "--nonsense", NIC } },
	{ { "bind", "--driver" } },
	{ { "--sysroot", "/nonexistent", "list" } },
};

static void misuse_is_told_apart(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(misuse); i++) {
		assert_int_equal(vfioctl(misuse[i].words[0], misuse[i].words[1], misuse[i].words[2],
					 misuse[i].words[3], NULL),
				 EXIT_USAGE);
		assert_string_not_equal(run.err, "");
		assert_string_equal(run.out, "");
		assert_string_equal(fake.log, "");
	}
}

static json_t *row_of(json_t *table, const char *bdf)
{
	size_t i;

	for (i = 0; i < json_array_size(table); i++) {
		if (!strcmp(row_text(table, i, "device"), bdf))
			return json_array_get(table, i);
	}
	fail_msg("no %s in %s", bdf, run.out);
	return NULL;
}

static const char *member(json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static const char *first(json_t *object, const char *key)
{
	return json_string_value(json_array_get(json_object_get(object, key), 0));
}

static void list_shows_devices(void **state)
{
	json_t *table, *row;

	(void)state;
	tree_class(NIC, "net", "eth0");
	tree_file("/sys/class/net/eth0/flags", "0x1003\n");
	table = vfioctl_json("list", NULL);
	assert_int_equal(json_array_size(table), machine_size);
	row = row_of(table, NIC);
	assert_string_equal(member(row, "name"), "Intel Corporation 82574L");
	assert_string_equal(member(row, "driver"), "e1000e");
	assert_string_equal(member(row, "id"), "8086:10d3");
	assert_int_equal(json_integer_value(json_object_get(row, "group")), 2);
	assert_string_equal(first(row, "candidates"), "vfio_pci");
	assert_contains(first(row, "usage"), "network interface eth0 is up");
	row = row_of(table, "0000:02:00.0");
	assert_string_equal(first(row, "candidates"), "mlx5_vfio_pci");
	row = row_of(table, "0000:00:01.0");
	assert_null(first(row, "candidates"));
}

static void tree_shows_groups(void **state)
{
	json_t *table, *members;

	(void)state;
	table = vfioctl_json("list", "--tree", NULL);
	members = json_object_get(row_of(table, "group 5"), "children");
	assert_int_equal(json_array_size(members), 3);
	assert_string_equal(row_text(members, 1, "device"), "0000:04:00.0");
	members = json_object_get(row_of(table, "no group"), "children");
	assert_string_equal(row_text(members, 0, "device"), "0000:06:00.0");
}

static void list_of_some(void **state)
{
	(void)state;
	assert_int_equal(json_array_size(vfioctl_json("list", NIC, "02:00.0", NULL)), 2);
	assert_int_equal(vfioctl("list", NIC, "77:00.0", NULL), EXIT_FAILED);
	assert_string_equal(run.out, "");
}

static void match_says_which_wins_and_why(void **state)
{
	json_t *table;

	(void)state;
	table = vfioctl_json("match", "0000:02:00.0", NULL);
	assert_int_equal(run.status, EXIT_DONE);
	assert_int_equal(json_array_size(table), 2);
	assert_string_equal(row_text(table, 0, "module"), "mlx5_vfio_pci");
	assert_string_equal(row_text(table, 0, "why"), "fewer wildcards");
	assert_true(json_is_true(json_object_get(json_array_get(table, 0), "wins")));
	assert_true(json_is_false(json_object_get(json_array_get(table, 1), "wins")));
	assert_int_equal(json_integer_value(json_object_get(json_array_get(table, 0),
							    "wildcards")), 5);
}

static void match_without_candidate_fails(void **state)
{
	(void)state;
	tree_remove("/lib/modules");
	tree_depmod();
	assert_int_equal(vfioctl("match", NIC, NULL), EXIT_FAILED);
	assert_contains(run.err, "no module declares that it drives it for VFIO");
	assert_int_equal(vfioctl("bind", NIC, NULL), EXIT_FAILED);
	assert_string_equal(fake.log, "");
}

static void match_passes_a_blacklisted_module_over(void **state)
{
	json_t *table;

	(void)state;
	tree_file("/etc/modprobe.d/no.conf", "blacklist mlx5_vfio_pci\n");
	table = vfioctl_json("match", "0000:02:00.0", NULL);
	assert_contains(row_text(table, 0, "why"), "blacklisted");
	assert_true(json_is_true(json_object_get(json_array_get(table, 1), "wins")));
}

static void system_without_pci_or_modules(void **state)
{
	(void)state;
	tree_remove("/lib");
	assert_int_equal(vfioctl("list", NULL), EXIT_DONE);
	assert_int_equal(vfioctl("match", NIC, NULL), EXIT_FAILED);
	tree_remove("/sys");
	assert_int_equal(vfioctl("list", NULL), EXIT_FAILED);
	assert_contains(run.err, "cannot list the devices");
}

static void bind_reports_in_json(void **state)
{
	json_t *table;

	(void)state;
	table = vfioctl_json("bind", NIC, "0000:00:01.0", NULL);
	assert_string_equal(row_text(table, 0, "result"), "untouched");
	assert_string_equal(row_text(table, 1, "result"), "refused");
	assert_contains(first(json_array_get(table, 1), "reasons"), "it is a bridge");
	table = vfioctl_json("bind", NIC, NULL);
	assert_string_equal(row_text(table, 0, "result"), "bound");
	assert_string_equal(row_text(table, 0, "driver"), "vfio-pci");
	assert_string_equal(row_text(table, 0, "previous"), "e1000e");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(addresses_are_parsed_strictly),
		TEST(numbers_are_parsed_strictly),
		TEST(broken_attributes_are_errors),
		TEST(links_that_lead_astray_are_errors),
		TEST(device_out_of_the_root_is_an_error),
		TEST(text_that_is_too_long_is_not_cut),
		TEST(record_that_makes_no_sense_is_ignored),
		TEST(misuse_is_told_apart),
		TEST(list_shows_devices),
		TEST(tree_shows_groups),
		TEST(list_of_some),
		TEST(match_says_which_wins_and_why),
		TEST(match_without_candidate_fails),
		TEST(match_passes_a_blacklisted_module_over),
		TEST(system_without_pci_or_modules),
		TEST(bind_reports_in_json),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("input", tests, NULL, NULL);
}
