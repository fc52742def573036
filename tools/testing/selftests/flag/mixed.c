// SPDX-License-Identifier: GPL-2.0-only
/*
 * A table in which a device is listed several times, for driver_override alone and
 * without: tools/testing/overlay/drivers/mixed.c, on a kernel that scripts/overlay gave the flag.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/lab.h"
#include "lib/tap.h"

#define DRIVER	"lab-mixed"
#define MODULE	"lab_mixed"
#define ALIASES	"/lib/modules/*/modules.alias"
#define MATCHED	"/sys/module/" MODULE "/parameters/matched"

enum { NONE, FLAGGED, UNKNOWN, ORDINARY };

/* Which entry the last device came by. */
static unsigned long matched(void)
{
	char text[32];

	ASSERT_EQ(file_read(MATCHED, text, sizeof(text)), 0);
	return strtoul(text, NULL, 10);
}

static void reload(void)
{
	if (module_loaded(MODULE))
		ASSERT_EQ(module_unload(MODULE), 0);
	ASSERT_EQ(module_load(MODULE, NULL), 0);
}

TEST(ordinary_entry_counts_behind_flagged_ones)
{
	const char *bdf = lab_bdf("testdev");

	pci_unbind(bdf);
	reload();
	EXPECT(pci_driver_is(bdf, DRIVER));
	EXPECT_EQ(matched(), ORDINARY);
}

TEST(override_takes_the_first_entry)
{
	const char *bdf = lab_bdf("testdev");

	reload();
	pci_unbind(bdf);
	pci_bind(bdf, DRIVER);
	EXPECT_EQ(matched(), FLAGGED);
	pci_unbind(bdf);
}

TEST(override_needs_no_entry)
{
	const char *bdf = lab_bdf("edu");

	reload();
	EXPECT(pci_driver_is(bdf, ""));
	pci_bind(bdf, DRIVER);
	EXPECT_EQ(matched(), NONE);
	pci_unbind(bdf);
}

TEST(added_id_that_is_in_the_table_already_is_refused)
{
	reload();
	EXPECT_EQ(file_write("/sys/bus/pci/drivers/" DRIVER "/new_id", "1b36 0005"),
		  -EEXIST);
}

static bool has_alias(const char *family)
{
	return !lab_command("grep -q '^alias %s:v00001B36d00000005sv.* %s$' %s",
			    family, MODULE, ALIASES);
}

/* The entry of an unknown kind makes no alias; the other two make one each. */
TEST(each_entry_makes_its_own_alias)
{
	EXPECT(has_alias("vfio_pci"));
	EXPECT(has_alias("pci"));
	EXPECT_EQ(lab_command("[ $(grep -c ' %s$' %s) = 2 ]", MODULE, ALIASES), 0);
}
