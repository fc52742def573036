// SPDX-License-Identifier: GPL-2.0-only
/*
 * bind and unbind: all that was asked, or everything as before.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tree.h"

#define NIC	"0000:01:00.0"
#define MLX5	"0000:02:00.0"
#define GPU	"0000:04:00.0"
#define SOUND	"0000:04:00.1"
#define CARD	"0000:05:00.0"

static void expect_driver(const char *bdf, const char *driver, const char *override)
{
	char now[NAME_LEN], text[NAME_LEN];

	assert_int_equal(device_driver(now, bdf), 0);
	assert_string_equal(now, driver);
	assert_int_equal(file_text(text, sizeof(text), PCI_DEVICES "/%s/driver_override", bdf), 0);
	assert_string_equal(text, override);
}

static void binds_and_goes_back(void **state)
{
	(void)state;
	assert_int_equal(vfioctl("bind", NIC, NULL), EXIT_DONE);
	expect_driver(NIC, "vfio-pci", "vfio-pci");
	assert_int_equal(vfioctl("unbind", NIC, NULL), EXIT_DONE);
	expect_driver(NIC, "e1000e", "(null)");
}

static void vendor_driver_is_preferred(void **state)
{
	(void)state;
	assert_int_equal(vfioctl("bind", MLX5, NULL), EXIT_DONE);
	expect_driver(MLX5, "mlx5-vfio-pci", "mlx5-vfio-pci");
}

/* Its module is nvgrace_gpu_vfio_pci: no rule makes the one from the other. */
static void driver_name_is_what_the_module_registered(void **state)
{
	(void)state;
	assert_int_equal(vfioctl("bind", "--driver", "nvgrace_gpu_vfio_pci", GPU, NULL), EXIT_DONE);
	expect_driver(GPU, "grace-vfio", "grace-vfio");
}

/* vfio-pci is the driver's name; its module, vfio_pci, is not loaded yet. */
static void driver_that_is_not_loaded_is_found_by_its_name(void **state)
{
	(void)state;
	assert_int_equal(vfioctl("bind", "--driver", "mlx5-vfio-pci", MLX5, NULL), EXIT_DONE);
	expect_driver(MLX5, "mlx5-vfio-pci", "mlx5-vfio-pci");
	assert_int_equal(vfioctl("bind", "--driver", "vfio-pci", NIC, NULL), EXIT_DONE);
	expect_driver(NIC, "vfio-pci", "vfio-pci");
}

static void one_of_several_drivers_is_chosen_by_name(void **state)
{
	(void)state;
	tree_driver("vfio-pci", "vfio_pci");
	tree_driver("other-vfio", "vfio_pci");
	assert_int_equal(vfioctl("bind", NIC, NULL), EXIT_FAILED);
	assert_contains(run.err, "module vfio_pci has registered 2 PCI drivers");
	assert_int_equal(vfioctl("bind", "--driver", "other-vfio", NIC, NULL), EXIT_DONE);
	expect_driver(NIC, "other-vfio", "other-vfio");
}

static void module_without_driver_is_an_error(void **state)
{
	(void)state;
	tree_module("empty_vfio_pci", (const char * const[]){
		"name=empty_vfio_pci", "alias=vfio_pci:v00008086d000010D3sv*sd*bc*sc*i*", NULL });
	tree_depmod();
	machine_remember();
	assert_int_equal(vfioctl("bind", NIC, NULL), EXIT_FAILED);
	assert_contains(run.err, "module empty_vfio_pci has registered no PCI driver");
	machine_unchanged();
}

/* The reference script unbound first and looked for a driver afterwards. */
static void nothing_is_touched_when_the_module_does_not_load(void **state)
{
	(void)state;
	machine_remember();
	fake.fail_at = 1;
	assert_int_equal(vfioctl("bind", NIC, NULL), EXIT_FAILED);
	assert_contains(run.err, "module vfio_pci does not load");
	assert_string_equal(fake.log, "load vfio_pci\n");
	machine_unchanged();
}

/* It never saw that, and wrote "bind" for a bound device. */
static void bound_already_is_left_alone(void **state)
{
	(void)state;
	assert_int_equal(vfioctl("bind", NIC, NULL), EXIT_DONE);
	fake.log[0] = '\0';
	assert_int_equal(vfioctl("bind", NIC, NULL), EXIT_DONE);
	assert_string_equal(fake.log, "");
	assert_contains(run.out, "unchanged");
}

/* As for a udev rule that is quick. */
static void device_that_is_being_added_is_waited_for(void **state)
{
	(void)state;
	tree_unbind(NIC);
	fake.adding = 3;
	assert_int_equal(vfioctl("bind", NIC, NULL), EXIT_DONE);
	expect_driver(NIC, "vfio-pci", "vfio-pci");
	assert_int_equal(fake.adding, 0);
}

/* Its override was there before the driver. */
static void device_that_the_kernel_bound_on_load_is_bound(void **state)
{
	(void)state;
	tree_unbind(NIC);
	tree_file(PCI_DEVICES "/" NIC "/driver_override", "vfio-pci\n");
	assert_int_equal(vfioctl("bind", NIC, NULL), EXIT_DONE);
	expect_driver(NIC, "vfio-pci", "vfio-pci");
}

/* It left driver_override behind. */
static void refusal_of_the_driver_restores_everything(void **state)
{
	(void)state;
	machine_remember();
	fake.refuses = "vfio-pci";
	assert_int_equal(vfioctl("bind", NIC, NULL), EXIT_FAILED);
	machine_unchanged();
	assert_contains(run.err, "vfio-pci does not take it: Invalid argument");
	assert_contains(run.err, "the kernel says: refused: on the denylist");
	assert_contains(run.out, "restored");
}

static void override_of_somebody_else_is_restored(void **state)
{
	(void)state;
	tree_file(PCI_DEVICES "/" NIC "/driver_override", "e1000e\n");
	fake.refuses = "vfio-pci";
	assert_int_equal(vfioctl("bind", NIC, NULL), EXIT_FAILED);
	expect_driver(NIC, "e1000e", "e1000e");
	fake.refuses = NULL;
	assert_int_equal(vfioctl("bind", NIC, NULL), EXIT_DONE);
	assert_int_equal(vfioctl("unbind", NIC, NULL), EXIT_DONE);
	expect_driver(NIC, "e1000e", "e1000e");
}

/* Each write fails in turn: nothing is left half done, and none is missing. */
static void sweep(const char *command, const char *option)
{
	unsigned int call;
	bool over = false;

	machine_remember();
	for (call = 1; !over; call++) {
		fake.calls = 0;
		fake.fail_at = call;
		over = vfioctl(command, option, NIC, GPU, NULL) == EXIT_DONE;
		assert_int_equal(over, fake.calls < call);
		if (!over)
			machine_unchanged();
	}
	assert_true(call > 6);
}

static void any_failing_write_of_bind_is_undone(void **state)
{
	(void)state;
	sweep("bind", "--group");
	expect_driver(NIC, "vfio-pci", "vfio-pci");
	expect_driver(GPU, "grace-vfio", "grace-vfio");
	expect_driver(SOUND, "vfio-pci", "vfio-pci");
}

static void any_failing_write_of_unbind_is_undone(void **state)
{
	(void)state;
	assert_int_equal(vfioctl("bind", "--group", NIC, GPU, NULL), EXIT_DONE);
	sweep("unbind", "--group");
	expect_driver(NIC, "e1000e", "(null)");
	expect_driver(GPU, "nouveau", "(null)");
	expect_driver(SOUND, "snd_hda_intel", "(null)");
}

/* Ctrl-C at any moment: while a module loads, or at one of the three writes. */
static void interruption_is_undone(void **state)
{
	unsigned int call;

	(void)state;
	machine_remember();
	for (call = 0; call <= 3; call++) {
		fake.calls = 0;
		fake.signal_at = call ?: 1;
		assert_int_equal(vfioctl("bind", NIC, NULL), EXIT_FAILED);
		assert_contains(run.err, "interrupted");
		machine_unchanged();
	}
	fake.signal_at = 0;
	assert_int_equal(vfioctl("bind", NIC, NULL), EXIT_DONE);
}

/* The device goes away at any moment: a message, and the other one as before. */
static void vanishing_device_is_an_error_message(void **state)
{
	unsigned int call;

	(void)state;
	for (call = 1; call <= 8; call++) {
		machine_teardown(NULL);
		machine_setup(NULL);
		fake.vanish_at = call;
		fake.victim = SOUND;
		vfioctl("bind", NIC, SOUND, NULL);
		assert_int_equal(run.status, call < 8 ? EXIT_FAILED : EXIT_DONE);
		if (call == 8)
			break;
		assert_contains(run.err, SOUND ": the device has gone away");
		expect_driver(NIC, "e1000e", "(null)");
	}
}

static void lost_device_is_told(void **state)
{
	(void)state;
	/* Load, override, unbind, bind, restore override, bind again. */
	fake.refuses = "vfio-pci";
	fake.fail_at = 6;
	assert_int_equal(vfioctl("bind", NIC, NULL), EXIT_FAILED);
	assert_contains(run.err, NIC ": what was before could not be restored");
	assert_contains(run.out, "lost");
}

static void group_takes_all_but_bridges(void **state)
{
	(void)state;
	assert_int_equal(vfioctl("bind", "--group", SOUND, NULL), EXIT_DONE);
	expect_driver(GPU, "grace-vfio", "grace-vfio");
	expect_driver(SOUND, "vfio-pci", "vfio-pci");
	expect_driver("0000:00:02.0", "pcieport", "(null)");
}

static void group_that_is_not_viable_yet_is_told(void **state)
{
	(void)state;
	assert_int_equal(vfioctl("bind", SOUND, NULL), EXIT_DONE);
	assert_contains(run.err, SOUND ": Its group is not viable: " GPU " is bound to nouveau.");
	assert_int_equal(vfioctl("bind", NIC, NULL), EXIT_DONE);
	assert_string_equal(run.err, "");
}

static void dry_run_touches_nothing(void **state)
{
	(void)state;
	machine_remember();
	assert_int_equal(vfioctl("bind", "--dry-run", MLX5, NULL), EXIT_DONE);
	assert_string_equal(fake.log, "");
	assert_contains(run.out, "load module mlx5_vfio_pci");
	assert_contains(run.out, "unbind from mlx5_core");
	machine_unchanged();
}

/* The domain counts: the one behind the VMD is another device. */
static void address_is_taken_whole(void **state)
{
	(void)state;
	assert_int_equal(vfioctl("bind", "10000:01:00.0", NULL), EXIT_DONE);
	expect_driver("10000:01:00.0", "vfio-pci", "vfio-pci");
	expect_driver(NIC, "e1000e", "(null)");
	assert_int_equal(vfioctl("bind", "01:00.0", NULL), EXIT_DONE);
	expect_driver(NIC, "vfio-pci", "vfio-pci");
}

static void same_device_twice_is_one(void **state)
{
	(void)state;
	assert_int_equal(vfioctl("bind", NIC, "01:00.0", NULL), EXIT_DONE);
	expect_driver(NIC, "vfio-pci", "vfio-pci");
}

static void unbind_without_record_lets_the_kernel_choose(void **state)
{
	(void)state;
	assert_int_equal(vfioctl("bind", NIC, NULL), EXIT_DONE);
	tree_remove("/run");
	assert_int_equal(vfioctl("unbind", NIC, NULL), EXIT_DONE);
	expect_driver(NIC, "e1000e", "(null)");
}

/* The record is of a device with other ids: somebody moved the cards. */
static void record_of_another_device_is_not_believed(void **state)
{
	(void)state;
	assert_int_equal(vfioctl("bind", NIC, NULL), EXIT_DONE);
	tree_file("/run/vfioctl/" NIC, "1234:5678\nnouveau\n\n");
	assert_int_equal(vfioctl("unbind", NIC, NULL), EXIT_DONE);
	expect_driver(NIC, "e1000e", "(null)");
}

/* From one VFIO driver to another and home: home is where it was before both. */
static void record_outlives_a_second_bind(void **state)
{
	(void)state;
	assert_int_equal(vfioctl("bind", "--driver", "vfio_pci", MLX5, NULL), EXIT_DONE);
	assert_int_equal(vfioctl("bind", MLX5, NULL), EXIT_DONE);
	expect_driver(MLX5, "mlx5-vfio-pci", "mlx5-vfio-pci");
	assert_int_equal(vfioctl("unbind", MLX5, NULL), EXIT_DONE);
	expect_driver(MLX5, "mlx5_core", "(null)");
}

static void unbind_refuses_what_vfio_does_not_have(void **state)
{
	(void)state;
	tree_file(PCI_DEVICES "/" NIC "/driver_override", "e1000e\n");
	assert_int_equal(vfioctl("unbind", "--force", NIC, NULL), EXIT_FAILED);
	assert_contains(run.err, "e1000e has it, no VFIO driver");
	assert_string_equal(fake.log, "");
}

static void blacklisted_module_is_passed_over(void **state)
{
	(void)state;
	tree_file("/etc/modprobe.d/no.conf", "blacklist mlx5_vfio_pci\n");
	assert_int_equal(vfioctl("bind", MLX5, NULL), EXIT_DONE);
	expect_driver(MLX5, "vfio-pci", "vfio-pci");
}

static const struct {
	const char *bdf;
	const char *driver;
	const char *says;
} final[] = {
	{ "0000:00:01.0", NULL, "it is a bridge" },
	{ "0000:06:00.0", NULL, "no IOMMU isolates it" },
	{ NIC, "no_such_module", "there is no driver or module no_such_module" },
	{ NIC, "../../etc", "no driver can have that name" },
	{ NIC, "", "no driver can have that name" },
};

static void final_reasons_cannot_be_forced(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(final); i++) {
		if (final[i].driver)
			vfioctl("bind", "--force", "--driver", final[i].driver, final[i].bdf, NULL);
		else
			vfioctl("bind", "--force", final[i].bdf, NULL);
		assert_int_equal(run.status, EXIT_FAILED);
		assert_contains(run.err, final[i].says);
		assert_string_equal(fake.log, "");
	}
}

/* A driver that is given any device would try to drive it. */
static void driver_that_is_not_for_vfio_needs_force(void **state)
{
	(void)state;
	assert_int_equal(vfioctl("bind", "--driver", "nouveau", NIC, NULL), EXIT_FAILED);
	assert_contains(run.err, "nouveau does not declare that it drives this device for VFIO");
	assert_string_equal(fake.log, "");
	assert_int_equal(vfioctl("bind", "--force", "--driver", "nouveau", NIC, NULL), EXIT_DONE);
	expect_driver(NIC, "nouveau", "nouveau");
}

static void one_refusal_stops_all(void **state)
{
	(void)state;
	assert_int_equal(vfioctl("bind", NIC, "0000:00:01.0", NULL), EXIT_FAILED);
	assert_string_equal(fake.log, "");
	assert_contains(run.out, "untouched");
}

static void change_after_the_plan_is_noticed(void **state)
{
	struct options options = { .nr_words = 1, .words = (char *[]){ NIC } };
	struct plan plan;

	(void)state;
	root_set(tree_path(""));
	assert_int_equal(modules_open(), 0);
	assert_int_equal(plan_bind(&plan, &options), 0);
	tree_unbind(NIC);
	assert_int_equal(plan_apply(&plan), -ESTALE);
	assert_contains(plan.v[0].error, "it has changed since it was looked at");
	plan_free(&plan);
	modules_close();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(binds_and_goes_back),
		TEST(vendor_driver_is_preferred),
		TEST(driver_name_is_what_the_module_registered),
		TEST(driver_that_is_not_loaded_is_found_by_its_name),
		TEST(one_of_several_drivers_is_chosen_by_name),
		TEST(module_without_driver_is_an_error),
		TEST(nothing_is_touched_when_the_module_does_not_load),
		TEST(bound_already_is_left_alone),
		TEST(device_that_the_kernel_bound_on_load_is_bound),
		TEST(device_that_is_being_added_is_waited_for),
		TEST(refusal_of_the_driver_restores_everything),
		TEST(override_of_somebody_else_is_restored),
		TEST(any_failing_write_of_bind_is_undone),
		TEST(any_failing_write_of_unbind_is_undone),
		TEST(interruption_is_undone),
		TEST(vanishing_device_is_an_error_message),
		TEST(lost_device_is_told),
		TEST(group_takes_all_but_bridges),
		TEST(group_that_is_not_viable_yet_is_told),
		TEST(dry_run_touches_nothing),
		TEST(address_is_taken_whole),
		TEST(same_device_twice_is_one),
		TEST(unbind_without_record_lets_the_kernel_choose),
		TEST(record_of_another_device_is_not_believed),
		TEST(record_outlives_a_second_bind),
		TEST(unbind_refuses_what_vfio_does_not_have),
		TEST(blacklisted_module_is_passed_over),
		TEST(final_reasons_cannot_be_forced),
		TEST(driver_that_is_not_for_vfio_needs_force),
		TEST(one_refusal_stops_all),
		TEST(change_after_the_plan_is_noticed),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("bind", tests, NULL, NULL);
}
