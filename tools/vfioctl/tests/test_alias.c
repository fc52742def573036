// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which alias fits best: over those of the kernel's vendor drivers, and over
 * made-up ones with classes and ties.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tree.h"

#define MODALIAS	"pci:v%08Xd%08Xsv%08Xsd%08Xbc%02Xsc%02Xi%02X"

static struct aliases vendor;

static int read_vendor(void **state)
{
	struct alias alias;
	char line[256];
	FILE *file = fopen("tests/aliases.txt", "r");

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		if (line[0] == '#')
			continue;
		assert_int_equal(alias_parse(&alias, line), 0);
		aliases_add(&vendor, &alias);
	}
	fclose(file);
	assert_true(vendor.nr >= 12);
	return 0;
}

static int free_vendor(void **state)
{
	(void)state;
	aliases_free(&vendor);
	return 0;
}

static struct device device(unsigned int vendor_id, unsigned int device_id, unsigned int class)
{
	struct device dev = { .vendor = vendor_id, .device = device_id, .class = class };

	print_to(dev.modalias, sizeof(dev.modalias), MODALIAS, vendor_id, device_id, 0x1af4, 0x1100,
		 class >> 16, class >> 8 & 0xff, class & 0xff);
	return dev;
}

static const char *winner(const struct aliases *all, const struct device *dev)
{
	static char module[NAME_LEN];
	struct aliases found;

	aliases_match(&found, all, dev);
	copy_text(module, sizeof(module), found.nr ? found.v[0].module : "");
	aliases_free(&found);
	return module;
}

static void parse_all(struct aliases *all, const char * const *lines, size_t nr)
{
	struct alias alias;
	size_t i;

	*all = (struct aliases){};
	for (i = 0; i < nr; i++) {
		assert_int_equal(alias_parse(&alias, lines[i]), 0);
		aliases_add(all, &alias);
	}
}

/* Whichever line comes first, second, ... */
static void expect_winner(const char * const *lines, size_t nr, const struct device *dev,
			  const char *module)
{
	const char *turned[8];
	struct aliases all;
	size_t i, k;

	for (i = 0; i < nr; i++) {
		for (k = 0; k < nr; k++)
			turned[k] = lines[(k + i) % nr];
		parse_all(&all, turned, nr);
		assert_string_equal(winner(&all, dev), module);
		aliases_free(&all);
	}
}

static const char * const golden[][2] = {
	{ "19e5:a251", "hisi_acc_vfio_pci" },
	{ "19e5:a256", "hisi_acc_vfio_pci" },
	{ "19e5:a259", "hisi_acc_vfio_pci" },
	{ "15b3:101e", "mlx5_vfio_pci" },
	{ "10de:2342", "nvgrace_gpu_vfio_pci" },
	{ "10de:2345", "nvgrace_gpu_vfio_pci" },
	{ "1dd8:1003", "pds_vfio_pci" },
	{ "8086:4941", "qat_vfio_pci" },
	{ "8086:4943", "qat_vfio_pci" },
	{ "8086:4945", "qat_vfio_pci" },
	{ "1af4:1041", "virtio_vfio_pci" },
	/* Neighbours of theirs, for the rest of the world. */
	{ "15b3:101d", "vfio_pci" },
	{ "15b3:101f", "vfio_pci" },
	{ "8086:4940", "vfio_pci" },
	{ "8086:10d3", "vfio_pci" },
	{ "1af4:1042", "vfio_pci" },
	{ "0000:0000", "vfio_pci" },
	{ "ffff:ffff", "vfio_pci" },
};

static void vendor_drivers_win_their_devices_and_no_others(void **state)
{
	uint16_t vendor_id, device_id;
	struct device dev;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(golden); i++) {
		assert_int_equal(id_parse(&vendor_id, &device_id, golden[i][0]), 0);
		dev = device(vendor_id, device_id, 0x020000);
		assert_string_equal(winner(&vendor, &dev), golden[i][1]);
	}
}

/* The rule of libvirt, written down a second time: the fewest stars. */
static void agrees_with_fewest_stars_on_every_alias(void **state)
{
	unsigned int stars, fewest;
	const char *expected, *at;
	struct device dev;
	size_t i, k;

	(void)state;
	for (i = 0; i < vendor.nr; i++) {
		unsigned int vendor_id = 0x8086, device_id = 0x10d3;

		if (sscanf(vendor.v[i].pattern, "vfio_pci:v%8xd%8x", &vendor_id,
			   &device_id) != 2)
			assert_string_equal(vendor.v[i].module, "vfio_pci");
		dev = device(vendor_id, device_id, 0x120000);
		fewest = ~0U;
		expected = NULL;
		for (k = 0; k < vendor.nr; k++) {
			if (!alias_matches(&vendor.v[k], &dev))
				continue;
			for (stars = 0, at = vendor.v[k].pattern; *at; at++)
				stars += *at == '*';
			if (stars < fewest) {
				fewest = stars;
				expected = vendor.v[k].module;
			}
		}
		assert_string_equal(winner(&vendor, &dev), expected);
	}
}

static void every_vendor_alias_gives_vendor_and_device(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < vendor.nr; i++) {
		if (!strcmp(vendor.v[i].module, "vfio_pci")) {
			assert_int_equal(vendor.v[i].wildcards, 7);
			assert_int_equal(vendor.v[i].literal, 0);
		} else {
			assert_int_equal(vendor.v[i].wildcards, 5);
			assert_int_equal(vendor.v[i].literal, 0x60);
		}
	}
}

/* The reference script compared the class with the subsystem's device. */
static void class_alias_matches_its_class_only(void **state)
{
	static const char * const lines[] = {
		"alias vfio_pci:v*d*sv*sd*bc03sc00i* display_vfio",
		"alias vfio_pci:v*d*sv*sd*bc*sc*i* vfio_pci",
	};
	struct device dev;

	(void)state;
	dev = device(0x10de, 0x1234, 0x030000);
	expect_winner(lines, ARRAY_SIZE(lines), &dev, "display_vfio");
	dev = device(0x10de, 0x1234, 0x038000);
	expect_winner(lines, ARRAY_SIZE(lines), &dev, "vfio_pci");
	dev = device(0x10de, 0x0300, 0x020000);
	expect_winner(lines, ARRAY_SIZE(lines), &dev, "vfio_pci");
}

/* The reference script kept a module's last alias. */
static void best_alias_of_a_module_counts(void **state)
{
	static const char * const lines[] = {
		"alias vfio_pci:v00008086d000010D3sv*sd*bc*sc*i* two_vfio",
		"alias vfio_pci:v00008086d*sv*sd*bc*sc*i* two_vfio",
		"alias vfio_pci:v*d*sv*sd*bc02sc00i* middle_vfio",
		"alias vfio_pci:v*d*sv*sd*bc*sc*i* vfio_pci",
	};
	struct device dev = device(0x8086, 0x10d3, 0x020000);

	(void)state;
	expect_winner(lines, ARRAY_SIZE(lines), &dev, "two_vfio");
}

static void fewer_wildcards_win(void **state)
{
	static const char * const lines[] = {
		"alias vfio_pci:v00008086d000010D3sv*sd*bc*sc*i* ids_vfio",
		"alias vfio_pci:v00008086d000010D3sv*sd*bc02sc00i* ids_and_class_vfio",
		"alias vfio_pci:v00008086d*sv*sd*bc02sc00i* vendor_and_class_vfio",
	};
	struct device dev = device(0x8086, 0x10d3, 0x020000);

	(void)state;
	expect_winner(lines, ARRAY_SIZE(lines), &dev, "ids_and_class_vfio");
}

/* The reference script let the order of a dictionary decide. */
static void tie_goes_to_the_more_significant_fields(void **state)
{
	static const char * const lines[] = {
		"alias vfio_pci:v*d*sv*sd*bc02sc00i* a_class_vfio",
		"alias vfio_pci:v00008086d000010D3sv*sd*bc*sc*i* z_ids_vfio",
		"alias vfio_pci:v*d*sv00001AF4sd00001100bc*sc*i* b_subsystem_vfio",
	};
	struct device dev = device(0x8086, 0x10d3, 0x020000);
	struct aliases all, found;

	(void)state;
	expect_winner(lines, ARRAY_SIZE(lines), &dev, "z_ids_vfio");
	parse_all(&all, lines, ARRAY_SIZE(lines));
	aliases_match(&found, &all, &dev);
	assert_int_equal(found.nr, 3);
	assert_string_equal(found.v[1].module, "b_subsystem_vfio");
	assert_string_equal(alias_reason(&found.v[0], &found.v[1]),
			    "as many wildcards, but gives more significant fields");
	aliases_free(&found);
	aliases_free(&all);
}

static void last_tie_goes_by_name(void **state)
{
	static const char * const lines[] = {
		"alias vfio_pci:v00008086d000010D3sv*sd*bc*sc*i* second_vfio",
		"alias vfio_pci:v00008086d000010D3sv*sd*bc*sc*i* first_vfio",
	};
	struct device dev = device(0x8086, 0x10d3, 0x020000);

	(void)state;
	expect_winner(lines, ARRAY_SIZE(lines), &dev, "first_vfio");
}

static void question_mark_and_bracket_are_wildcards(void **state)
{
	static const char * const lines[] = {
		"alias vfio_pci:v00008086d000010D[0-9]sv*sd*bc*sc*i? ranges_vfio",
		"alias vfio_pci:v00008086d000010D3sv*sd*bc*sc*i00 exact_vfio",
	};
	struct device dev = device(0x8086, 0x10d3, 0x020000);
	struct alias alias;

	(void)state;
	assert_int_equal(alias_parse(&alias, lines[0]), 0);
	assert_int_equal(alias.wildcards, 6);
	expect_winner(lines, ARRAY_SIZE(lines), &dev, "exact_vfio");
}

static void no_match_is_no_candidate(void **state)
{
	static const char * const lines[] = {
		"alias vfio_pci:v00008086d000010D3sv*sd*bc*sc*i* intel_vfio",
	};
	struct device dev = device(0x8086, 0x10d4, 0x020000);

	(void)state;
	expect_winner(lines, 1, &dev, "");
}

static const struct {
	const char *line;
	int ret;
} malformed[] = {
	{ "", -ENOMSG },
	{ "# Aliases extracted from modules themselves.", -ENOMSG },
	{ "alias pci:v00008086d*sv*sd*bc*sc*i* e1000e", -ENOMSG },
	{ "alias vfio_pci:v*d*sv*sd*bc*sc*i*", -EBADMSG },
	{ "alias vfio_pci:v*d*sv*sd*bc*sc*i* one two", -EBADMSG },
	{ "alias vfio_pci:v*d*sv*sd*bc*sc*i* ../../etc/passwd", -EBADMSG },
	{ "alias vfio_pci:v*d*sv*sd*bc*sc*i* ..", -EBADMSG },
	{ "alias vfio_pci:v*d*sv*sd*bc*sc*i* bad\x1b[31m", -EBADMSG },
	{ "alias vfio_pci:\xff module", -EBADMSG },
};

static void malformed_lines_are_told_apart(void **state)
{
	char line[400], many[300] = "";
	struct alias alias;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(malformed); i++)
		assert_int_equal(alias_parse(&alias, malformed[i].line), malformed[i].ret);
	memset(many, 'A', sizeof(many) - 1);
	print_to(line, sizeof(line), "alias vfio_pci:%s module", many);
	assert_int_equal(alias_parse(&alias, line), -EBADMSG);
}

static void dashes_in_module_names_become_underscores(void **state)
{
	struct alias alias;

	(void)state;
	assert_int_equal(alias_parse(&alias, "alias vfio_pci:v*d*sv*sd*bc*sc*i* vfio-pci"), 0);
	assert_string_equal(alias.module, "vfio_pci");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vendor_drivers_win_their_devices_and_no_others),
		cmocka_unit_test(agrees_with_fewest_stars_on_every_alias),
		cmocka_unit_test(every_vendor_alias_gives_vendor_and_device),
		cmocka_unit_test(class_alias_matches_its_class_only),
		cmocka_unit_test(best_alias_of_a_module_counts),
		cmocka_unit_test(fewer_wildcards_win),
		cmocka_unit_test(tie_goes_to_the_more_significant_fields),
		cmocka_unit_test(last_tie_goes_by_name),
		cmocka_unit_test(question_mark_and_bracket_are_wildcards),
		cmocka_unit_test(no_match_is_no_candidate),
		cmocka_unit_test(malformed_lines_are_told_apart),
		cmocka_unit_test(dashes_in_module_names_become_underscores),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests_name("alias", tests, read_vendor, free_vendor);
}
