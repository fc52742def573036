// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor: each thing that can be wrong is found, named and given a remedy; with
 * nothing wrong, it says so.
 */
#include <jansson.h>
#include <string.h>

#include "tree.h"

#define NIC	"0000:01:00.0"
#define GPU	"0000:04:00.0"
#define SOUND	"0000:04:00.1"
#define CARD	"0000:05:00.0"
#define ALONE	"0000:06:00.0"
#define FOLDER	"/sys/devices/pci0000:00/"

/* The finding of one check, which must be there. */
static void expect(const char *bdf, const char *check, const char *verdict, const char *text)
{
	json_t *table = vfioctl_json("doctor", bdf, NULL);
	bool bad = !strcmp(verdict, "problem");
	size_t i;

	for (i = 0; i < json_array_size(table); i++) {
		if (strcmp(row_text(table, i, "check"), check))
			continue;
		assert_string_equal(row_text(table, i, "verdict"), verdict);
		assert_contains(row_text(table, i, "text"), text);
		if (bad)
			assert_true(strlen(row_text(table, i, "remedy")) > 10);
		if (bad)
			assert_int_equal(run.status, EXIT_FAILED);
		return;
	}
	fail_msg("no finding '%s' in %s", check, run.out);
}

static void expect_silence(const char *bdf, const char *check)
{
	json_t *table = vfioctl_json("doctor", bdf, NULL);
	size_t i;

	for (i = 0; i < json_array_size(table); i++)
		assert_string_not_equal(row_text(table, i, "check"), check);
}

static void bind_nic(void)
{
	assert_int_equal(vfioctl("bind", NIC, NULL), EXIT_DONE);
	tree_file("/dev/vfio/2", "%s", "");
}

static void bound_device_is_healthy(void **state)
{
	(void)state;
	bind_nic();
	assert_int_equal(vfioctl("doctor", NIC, NULL), EXIT_DONE);
	assert_contains(run.out, "healthy");
	assert_lacks(run.out, "problem");
	expect(NIC, "driver", "ok", "It is bound to vfio-pci.");
	expect(NIC, "holder", "ok", "Nobody has its group open.");
}

static void device_that_could_be_bound_is_healthy(void **state)
{
	(void)state;
	assert_int_equal(vfioctl("doctor", NIC, NULL), EXIT_DONE);
	expect(NIC, "driver", "note", "e1000e has it; module vfio_pci would drive it for VFIO.");
}

static void problem_has_a_remedy_and_a_status(void **state)
{
	(void)state;
	assert_int_equal(vfioctl("doctor", SOUND, NULL), EXIT_FAILED);
	assert_contains(run.out, "problem  group");
	assert_contains(run.out, "-> 'vfioctl bind --group " SOUND "'");
	assert_contains(run.out, "1 problem\n");
}

static void bridge(void **state)
{
	(void)state;
	expect("0000:00:01.0", "kind", "problem", "It is a bridge");
	expect_silence(NIC, "kind");
}

static void no_iommu_at_all(void **state)
{
	(void)state;
	tree_remove("/sys/class/iommu");
	expect(ALONE, "iommu", "problem", "No IOMMU is in use.");
}

static void iommu_that_does_not_cover_it(void **state)
{
	(void)state;
	expect(ALONE, "iommu", "problem", "The machine's IOMMU does not cover it.");
}

static void told_to_do_without_iommu(void **state)
{
	(void)state;
	tree_file("/sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y\n");
	expect(ALONE, "iommu", "note", "VFIO is told to do without");
}

static void group_with_drivers(void **state)
{
	(void)state;
	expect(SOUND, "group", "problem", "not viable: " GPU " is bound to nouveau.");
	assert_int_equal(vfioctl("bind", "--group", SOUND, NULL), EXIT_DONE);
	expect(SOUND, "group", "ok", "None of the 3 devices in its group is in the way.");
}

static void firmware_wants_memory_mapped(void **state)
{
	(void)state;
	tree_file("/sys/kernel/iommu_groups/2/reserved_regions",
		  "0x000000007b800000 0x000000007fffffff direct\n");
	expect(NIC, "reserved", "problem", "RMRR");
	tree_file("/sys/kernel/iommu_groups/2/reserved_regions",
		  "0x000000007b800000 0x000000007fffffff direct-relaxable\n"
		  "0x00000000fee00000 0x00000000feefffff msi\n");
	expect_silence(NIC, "reserved");
}

static void node_is_missing(void **state)
{
	(void)state;
	bind_nic();
	expect(NIC, "node", "ok", "/dev/vfio/2");
	tree_remove("/dev/vfio");
	expect(NIC, "node", "problem", "There is no /dev/vfio/2");
}

static void group_is_open(void **state)
{
	(void)state;
	bind_nic();
	tree_folder("/sys/devices/virtual/vfio/2");
	tree_open_file(5000, "qemu", "/dev/null", "/sys/devices/virtual/vfio/2");
	expect(NIC, "holder", "problem", "Its group is open already, in qemu (5000).");
}

static void better_driver(void **state)
{
	(void)state;
	assert_int_equal(vfioctl("bind", "--driver", "vfio_pci", GPU, NULL), EXIT_DONE);
	expect(GPU, "driver", "note", "module nvgrace_gpu_vfio_pci fits better");
}

static void no_vfio_module(void **state)
{
	(void)state;
	tree_remove("/lib/modules");
	tree_depmod();
	expect(NIC, "driver", "problem", "No module declares that it drives it for VFIO.");
}

static void override_without_driver(void **state)
{
	(void)state;
	tree_unbind(NIC);
	tree_file(FOLDER NIC "/driver_override", "nosuch\n");
	expect(NIC, "driver", "problem", "keeps it for nosuch, but there is no such driver");
	tree_file(FOLDER NIC "/driver_override", "nouveau\n");
	expect(NIC, "driver", "problem", "keeps it for nouveau, which is there but does not have it");
}

static void module_and_its_version(void **state)
{
	(void)state;
	bind_nic();
	tree_file("/sys/module/vfio_pci/taint", "OE\n");
	tree_file("/sys/module/vfio_pci/version", "1.0\n");
	tree_file("/sys/module/vfio_pci/srcversion", "AAAA\n");
	tree_file("/sys/module/vfio_pci_core/taint", "OE\n");
	tree_file("/sys/module/vfio_pci_core/srcversion", "CCCC\n");
	expect(NIC, "module", "ok", "vfio_pci 1.0 is loaded, not from the distribution");
	assert_contains(run.out, "updates/vfio_pci.ko");
}

static void mixed_modules(void **state)
{
	(void)state;
	bind_nic();
	tree_file("/sys/module/vfio_pci/taint", "OE\n");
	tree_file("/sys/module/vfio_pci_core/taint", "\n");
	expect(NIC, "module", "problem", "vfio_pci_core is loaded, the distribution's");
}

static void outdated_module(void **state)
{
	(void)state;
	bind_nic();
	tree_file("/sys/module/vfio_pci/taint", "OE\n");
	tree_file("/sys/module/vfio_pci_core/taint", "OE\n");
	tree_file("/sys/module/vfio_pci/srcversion", "BBBB\n");
	expect(NIC, "module", "note", "vfio_pci is loaded");
	assert_contains(run.out, "What is loaded is not what is installed");
}

static void unsigned_module_under_secure_boot(void **state)
{
	(void)state;
	tree_file("/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
		  "abcd\x01");
	tree_file("/sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	expect(NIC, "signature", "problem",
	       "Secure Boot is on, and the kernel loads only signed modules, which vfio_pci is not.");
	tree_file("/sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
	expect(NIC, "signature", "ok", "modules that are not signed");
	tree_file("/sys/module/module/parameters/sig_enforce", "Y\n");
	expect(NIC, "signature", "problem", "only signed modules");
}

static void device_in_use(void **state)
{
	(void)state;
	tree_class(NIC, "net", "eth0");
	tree_file("/sys/class/net/eth0/flags", "0x1003\n");
	expect(NIC, "usage", "problem", "It is in use: network interface eth0 is up");
}

static void add_framebuffer(void)
{
	tree_file(FOLDER GPU "/resource", "0x00000000c0000000 0x00000000c0ffffff 0x0000000000040200\n");
	tree_file("/proc/iomem", "  c0000000-c07e8fff : simplefb\n");
}

static void framebuffer_in_its_memory(void **state)
{
	(void)state;
	expect(GPU, "framebuffer", "ok", "No boot framebuffer");
	add_framebuffer();
	expect(GPU, "framebuffer", "note", "simplefb holds a part of its memory");
	assert_int_equal(vfioctl("bind", "--group", GPU, NULL), EXIT_DONE);
	expect(GPU, "framebuffer", "problem", "simplefb still holds a part");
	expect_silence(NIC, "framebuffer");
}

static void power(void **state)
{
	(void)state;
	expect(NIC, "power", "ok", "in power state D0");
	tree_file(FOLDER NIC "/power_state", "D3cold\n");
	expect(NIC, "power", "note", "D3cold");
	tree_file(FOLDER NIC "/config", "%.64s",
		  "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
		  "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
	expect(NIC, "power", "problem", "It does not answer");
}

static void reset_methods(void **state)
{
	(void)state;
	expect(NIC, "reset", "ok", "It can be reset (flr bus).");
	tree_file(FOLDER NIC "/reset_method", "\n");
	expect(NIC, "reset", "note", "what one program leaves behind, the next one finds");
	tree_file(FOLDER GPU "/reset_method", "\n");
	expect(GPU, "reset", "note", "together with the other functions of its slot");
}

static void virtual_functions_in_the_way(void **state)
{
	(void)state;
	expect_silence(CARD, "vfs");
	assert_int_equal(vfioctl("vf", CARD, "2", NULL), EXIT_DONE);
	expect(CARD, "vfs", "problem", "2 virtual functions of it are enabled");
}

/* Its ids read as ones at all times. */
static void virtual_function_answers(void **state)
{
	(void)state;
	assert_int_equal(vfioctl("vf", "--bind", CARD, "1", NULL), EXIT_DONE);
	tree_file("/dev/vfio/20", "%s", "");
	expect("0000:05:10.0", "power", "ok", "It answers");
	assert_int_equal(vfioctl("doctor", "0000:05:10.0", NULL), EXIT_DONE);
}

static void token_is_needed(void **state)
{
	(void)state;
	assert_int_equal(vfioctl("vf", CARD, "1", NULL), EXIT_DONE);
	expect_silence("0000:05:10.0", "token");
	tree_folder(FOLDER CARD "/vfio-dev");
	expect("0000:05:10.0", "token", "note", "opening it takes a VF token");
}

static void no_such_device(void **state)
{
	(void)state;
	assert_int_equal(vfioctl("doctor", "0000:77:00.0", NULL), EXIT_FAILED);
	assert_contains(run.err, "there is no device 0000:77:00.0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bound_device_is_healthy),
		TEST(device_that_could_be_bound_is_healthy),
		TEST(problem_has_a_remedy_and_a_status),
		TEST(bridge),
		TEST(no_iommu_at_all),
		TEST(iommu_that_does_not_cover_it),
		TEST(told_to_do_without_iommu),
		TEST(group_with_drivers),
		TEST(firmware_wants_memory_mapped),
		TEST(node_is_missing),
		TEST(group_is_open),
		TEST(better_driver),
		TEST(no_vfio_module),
		TEST(override_without_driver),
		TEST(module_and_its_version),
		TEST(mixed_modules),
		TEST(outdated_module),
		TEST(unsigned_module_under_secure_boot),
		TEST(device_in_use),
		TEST(framebuffer_in_its_memory),
		TEST(power),
		TEST(reset_methods),
		TEST(virtual_functions_in_the_way),
		TEST(virtual_function_answers),
		TEST(token_is_needed),
		TEST(no_such_device),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("doctor", tests, NULL, NULL);
}
