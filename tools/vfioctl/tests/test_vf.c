// SPDX-License-Identifier: GPL-2.0-only
/*
 * vf: as many virtual functions as asked for, bound if asked for, or as before.
 */
#include <jansson.h>
#include <string.h>

#include "tree.h"

#define NIC	"0000:01:00.0"
#define CARD	"0000:05:00.0"
#define FIRST	"0000:05:10.0"
#define SECOND	"0000:05:10.1"
#define AUTOPROBE	PCI_DEVICES "/" CARD "/sriov_drivers_autoprobe"
#define NUMBER	PCI_DEVICES "/" CARD "/sriov_numvfs"

static void creates_and_removes(void **state)
{
	(void)state;
	assert_int_equal(vfioctl("vf", CARD, "2", NULL), EXIT_DONE);
	assert_contains(run.out, FIRST);
	assert_contains(run.out, SECOND);
	assert_string_equal(tree_text(NUMBER), "2\n");
	assert_int_equal(vfioctl("vf", CARD, "0", NULL), EXIT_DONE);
	assert_string_equal(tree_text(NUMBER), "0\n");
}

/* The kernel says EBUSY to any way but that by 0. */
static void another_number_goes_by_way_of_none(void **state)
{
	(void)state;
	assert_int_equal(vfioctl("vf", CARD, "2", NULL), EXIT_DONE);
	assert_int_equal(vfioctl("vf", CARD, "3", NULL), EXIT_DONE);
	assert_string_equal(tree_text(NUMBER), "3\n");
}

static void same_number_is_left_alone(void **state)
{
	(void)state;
	assert_int_equal(vfioctl("vf", CARD, "2", NULL), EXIT_DONE);
	fake.log[0] = '\0';
	assert_int_equal(vfioctl("vf", CARD, "2", NULL), EXIT_DONE);
	assert_string_equal(fake.log, "");
	assert_contains(run.out, "unchanged");
}

/* Host drivers are kept away only while these functions appear. */
static void bind_keeps_host_drivers_away(void **state)
{
	(void)state;
	assert_int_equal(vfioctl("vf", "--bind", CARD, "2", NULL), EXIT_DONE);
	assert_contains(fake.log, AUTOPROBE " 0\n" NUMBER " 2\n" AUTOPROBE " 1\n");
	assert_string_equal(tree_text(AUTOPROBE), "1\n");
	assert_true(path_exists(PCI_DEVICES "/" FIRST "/vfio-dev"));
	assert_true(path_exists(PCI_DEVICES "/" SECOND "/vfio-dev"));
}

static void failing_bind_removes_them_again(void **state)
{
	(void)state;
	fake.refuses = "vfio-pci";
	assert_int_equal(vfioctl("vf", "--bind", CARD, "2", NULL), EXIT_FAILED);
	assert_contains(run.err, "removing the virtual functions again");
	assert_string_equal(tree_text(NUMBER), "0\n");
	assert_false(path_exists(PCI_DEVICES "/" FIRST));
}

static void any_failing_write_leaves_none(void **state)
{
	unsigned int call;
	bool over = false;

	(void)state;
	for (call = 1; !over; call++) {
		fake.calls = 0;
		fake.fail_at = call;
		over = vfioctl("vf", "--bind", CARD, "1", NULL) == EXIT_DONE;
		/* The third write only gives the next ones their host drivers back. */
		assert_int_equal(over, fake.calls < call || call == 3);
		if (!over)
			assert_string_equal(tree_text(NUMBER), "0\n");
		if (call == 3) {
			assert_int_equal(vfioctl("vf", CARD, "0", NULL), EXIT_DONE);
			tree_file(AUTOPROBE, "1\n");
			over = false;
		}
	}
	assert_true(call > 5);
}

static void functions_in_use_are_not_removed(void **state)
{
	(void)state;
	assert_int_equal(vfioctl("vf", CARD, "2", NULL), EXIT_DONE);
	tree_class(SECOND, "net", "eth9");
	tree_file("/sys/class/net/eth9/flags", "0x1003\n");
	assert_int_equal(vfioctl("vf", CARD, "0", NULL), EXIT_FAILED);
	assert_contains(run.err, SECOND ": network interface eth9 is up");
	assert_string_equal(tree_text(NUMBER), "2\n");
	assert_int_equal(vfioctl("vf", "--force", CARD, "0", NULL), EXIT_DONE);
	assert_string_equal(tree_text(NUMBER), "0\n");
}

static void dry_run_creates_none(void **state)
{
	(void)state;
	assert_int_equal(vfioctl("vf", "--dry-run", "--bind", CARD, "2", NULL), EXIT_DONE);
	assert_string_equal(fake.log, "");
	assert_contains(run.out, "planned");
}

static const struct {
	const char *pf;
	const char *number;
	const char *says;
} bad[] = {
	{ NIC, "1", "it has no SR-IOV" },
	{ CARD, "8", "it can have up to 7" },
	{ CARD, "-1", "'-1' is no number" },
	{ CARD, "", "'' is no number" },
	{ CARD, "2x", "'2x' is no number" },
	{ CARD, "0x", "'0x' is no number" },
	{ CARD, " 2", "' 2' is no number" },
	{ CARD, "18446744073709551618", "is no number" },
};

static void numbers_are_checked(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		/* After --, so that -1 is no option. */
		assert_int_equal(vfioctl("vf", "--", bad[i].pf, bad[i].number, NULL), EXIT_FAILED);
		assert_contains(run.err, bad[i].says);
		assert_string_equal(fake.log, "");
	}
}

static void driver_that_cannot_is_named(void **state)
{
	(void)state;
	tree_unbind(CARD);
	assert_int_equal(vfioctl("vf", CARD, "1", NULL), EXIT_FAILED);
	assert_contains(run.err, "no driver has it, which cannot enable virtual functions");
}

static void json_names_the_functions(void **state)
{
	json_t *table, *functions;

	(void)state;
	table = vfioctl_json("vf", CARD, "2", NULL);
	functions = json_object_get(json_array_get(table, 0), "functions");
	assert_int_equal(json_array_size(functions), 2);
	assert_string_equal(json_string_value(json_array_get(functions, 1)), SECOND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(creates_and_removes),
		TEST(another_number_goes_by_way_of_none),
		TEST(same_number_is_left_alone),
		TEST(bind_keeps_host_drivers_away),
		TEST(failing_bind_removes_them_again),
		TEST(any_failing_write_leaves_none),
		TEST(functions_in_use_are_not_removed),
		TEST(dry_run_creates_none),
		TEST(numbers_are_checked),
		TEST(driver_that_cannot_is_named),
		TEST(json_names_the_functions),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("vf", tests, NULL, NULL);
}
