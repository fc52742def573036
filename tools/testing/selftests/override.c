// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which driver gets a device: ids for driver_override alone, aliases, ids that
 * are added later. The drivers are our sample, which has an id of its own, and
 * vfio-pci, which has one for everything; OVERRIDE_VENDOR and OVERRIDE_GENERIC
 * name others. pci-stub plays the host's driver.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib/lab.h"
#include "lib/tap.h"

#define HOST		"pci-stub"
#define EDU_ID		"1234 11e8"
#define PROBE		"/sys/bus/pci/drivers_probe"
#define RESCAN		"/sys/bus/pci/rescan"

static const char *vendor(void)
{
	const char *name = getenv("OVERRIDE_VENDOR");

	if (!name && lab_stock())
		SKIP("the distribution has no vendor driver for a device of the lab");
	return name ? name : "edu-vfio-pci";
}

static const char *generic(void)
{
	const char *name = getenv("OVERRIDE_GENERIC");

	return name ? name : "vfio-pci";
}

/* Name of the module of the driver @name; good until the next call. */
static const char *module_of(const char *name)
{
	static char module[64];
	char *c;

	snprintf(module, sizeof(module), "%s", name);
	while ((c = strchr(module, '-')))
		*c = '_';
	return module;
}

static void load(const char *driver)
{
	ASSERT_EQ(module_load(module_of(driver), NULL), 0);
	ASSERT(module_loaded(driver));
}

static void unload(const char *driver)
{
	if (module_loaded(driver))
		ASSERT_EQ(module_unload(module_of(driver)), 0);
}

static int driver_write(const char *driver, const char *file, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/bus/pci/drivers/%s/%s", driver, file);
	return file_write(path, text);
}

static void expect_driver(const char *bdf, const char *name)
{
	char now[64];

	pci_driver(bdf, now, sizeof(now));
	EXPECT_STREQ(now, name);
}

static void probe(const char *bdf)
{
	/* That nobody takes the device is no error. */
	EXPECT_EQ(file_write(PROBE, bdf), 0);
}

/* No driver, no override; the vendor driver is there, and has no device. */
static const char *loose(void)
{
	const char *bdf = lab_bdf("edu");

	pci_unbind(bdf);
	load(vendor());
	load(generic());
	return bdf;
}

/* The same, but the host has a driver for it, by an ordinary id. */
static const char *with_host(void)
{
	const char *bdf = loose();

	load(HOST);
	ASSERT_EQ(driver_write(HOST, "new_id", EDU_ID), 0);
	probe(bdf);
	expect_driver(bdf, HOST);
	return bdf;
}

static void without_host(const char *bdf)
{
	pci_unbind(bdf);
	unload(HOST);
}

static bool until_exists(const char *bdf, bool wanted)
{
	unsigned int polls = test_patience(200);

	while (pci_exists(bdf) != wanted && polls--)
		usleep(50000);
	return pci_exists(bdf) == wanted;
}

/* Whether @name has the device within a while. */
static bool until_bound(const char *bdf, const char *name)
{
	unsigned int polls = test_patience(40);

	while (!pci_driver_is(bdf, name) && polls--)
		usleep(50000);
	return pci_driver_is(bdf, name);
}

static void rescan(const char *bdf)
{
	ASSERT_EQ(pci_attr_write(bdf, "remove", "1"), 0);
	ASSERT(!pci_exists(bdf));
	ASSERT_EQ(file_write(RESCAN, "1"), 0);
	ASSERT(pci_exists(bdf));
}

/* Linux has forgotten the device before it switches the slot off, and QEMU has not. */
static bool plug_in(const char *edu)
{
	unsigned int tries = test_patience(200);
	bool refused;

	do {
		usleep(50000);
		refused = strstr(lab_monitor(edu), "Error");
	} while (refused && tries--);
	return !refused;
}

/* Taken out of the running machine, and put back. */
static void replug(const char *bdf)
{
	lab_monitor("device_del edu");
	ASSERT(until_exists(bdf, false));
	ASSERT(plug_in("device_add edu,id=edu,bus=port-edu,dma_mask=0xffffffffffffffff"));
	ASSERT(until_exists(bdf, true));
}

struct arrival {
	const char *name;
	void (*arrive)(const char *bdf);
};

/* Each of these makes the kernel look for a driver. */
static const struct arrival arrivals[] = {
	{ "drivers_probe", probe },
	{ "rescan", rescan },
	{ "hotplug", replug },
};

TEST_EACH_LIMIT(never_binds_by_itself, arrivals, 60)
{
	const char *bdf = loose();

	it->arrive(bdf);
	EXPECT(!until_bound(bdf, vendor()));
	expect_driver(bdf, "");
}

TEST_EACH_LIMIT(host_driver_gets_what_arrives, arrivals, 60)
{
	const char *bdf = with_host();

	it->arrive(bdf);
	EXPECT(until_bound(bdf, HOST));
	without_host(bdf);
}

TEST(loading_the_module_binds_nothing)
{
	const char *bdf = loose();

	unload(vendor());
	unload(generic());
	load(vendor());
	load(generic());
	EXPECT(!until_bound(bdf, vendor()));
	expect_driver(bdf, "");
}

TEST(bind_by_hand_needs_the_override)
{
	const char *bdf = loose();

	EXPECT_EQ(driver_write(vendor(), "bind", bdf), -ENODEV);
	EXPECT_EQ(driver_write(generic(), "bind", bdf), -ENODEV);
	expect_driver(bdf, "");
}

TEST(override_reaches_the_driver_it_names)
{
	const char *const names[] = { vendor(), generic() };
	const char *bdf = loose();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		pci_bind(bdf, names[i]);
		pci_unbind(bdf);
		/* Then again without a detour, from one to the other. */
		pci_bind(bdf, names[!i]);
	}
	pci_unbind(bdf);
}

TEST(override_waits_for_the_module)
{
	const char *bdf = loose();

	unload(vendor());
	ASSERT_EQ(pci_attr_write(bdf, "driver_override", vendor()), 0);
	probe(bdf);
	expect_driver(bdf, "");
	load(vendor());
	expect_driver(bdf, vendor());
	pci_unbind(bdf);
}

TEST(override_to_nobody_keeps_everybody_out)
{
	const char *bdf = with_host();

	ASSERT_EQ(driver_write(HOST, "unbind", bdf), 0);
	ASSERT_EQ(pci_attr_write(bdf, "driver_override", "nobody"), 0);
	probe(bdf);
	expect_driver(bdf, "");
	without_host(bdf);
}

TEST(clearing_the_override_gives_the_device_back)
{
	const char *bdf = with_host();

	pci_bind(bdf, vendor());
	ASSERT_EQ(pci_attr_write(bdf, "driver_override", "\n"), 0);
	/* Who has it keeps it. */
	probe(bdf);
	expect_driver(bdf, vendor());
	ASSERT_EQ(driver_write(vendor(), "unbind", bdf), 0);
	expect_driver(bdf, "");
	probe(bdf);
	expect_driver(bdf, HOST);
	without_host(bdf);
}

/* An id for everything, under override_only, is no reason to refuse one more. */
TEST(added_id_binds_without_override)
{
	const char *const names[] = { vendor(), generic() };
	const char *bdf = loose();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		EXPECT_EQ(driver_write(names[i], "new_id", EDU_ID), 0);
		expect_driver(bdf, names[i]);
		EXPECT_EQ(driver_write(names[i], "remove_id", EDU_ID), 0);
		pci_unbind(bdf);
		probe(bdf);
		expect_driver(bdf, "");
	}
}

TEST(override_beats_an_added_id)
{
	const char *bdf = loose();

	ASSERT_EQ(driver_write(generic(), "new_id", EDU_ID), 0);
	expect_driver(bdf, generic());
	pci_bind(bdf, vendor());
	EXPECT_EQ(driver_write(generic(), "remove_id", EDU_ID), 0);
	pci_unbind(bdf);
}

/* ---- aliases --------------------------------------------------------------- */

/* Ask for what udev asks for when the device appears, with @prefix before it. */
static int modprobe_alias(const char *bdf, const char *prefix)
{
	char alias[128];

	ASSERT_EQ(pci_attr_read(bdf, "modalias", alias, sizeof(alias)), 0);
	return lab_command("modprobe '%s%s' 2>/dev/null", prefix, alias);
}

TEST(modalias_loads_no_driver)
{
	const char *bdf = loose();

	unload(vendor());
	unload(generic());
	modprobe_alias(bdf, "");
	EXPECT(!module_loaded(vendor()));
	EXPECT(!module_loaded(generic()));
	load(generic());
}

TEST(modalias_of_the_family_loads_the_drivers)
{
	const char *bdf = loose();

	unload(vendor());
	unload(generic());
	EXPECT_EQ(modprobe_alias(bdf, "vfio_"), 0);
	EXPECT(module_loaded(vendor()));
	EXPECT(module_loaded(generic()));
	expect_driver(bdf, "");
}

/* Lines of modules.alias for @driver: those of the vfio_pci family, and others. */
static void count_aliases(const char *driver, unsigned int *family,
			  unsigned int *others)
{
	char path[256], line[256], alias[128], module[64];
	struct utsname name;
	FILE *file;

	ASSERT_OK(uname(&name));
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.alias", name.release);
	file = fopen(path, "re");
	ASSERT(file);
	*family = 0;
	*others = 0;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "alias %127s %63s", alias, module) != 2 ||
		    strcmp(module, module_of(driver)))
			continue;
		++*(strncmp(alias, "vfio_pci:v", 10) ? others : family);
	}
	fclose(file);
}

TEST(modules_alias_has_the_family_and_nothing_else)
{
	const char *const names[] = { vendor(), generic() };
	unsigned int family, others;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		count_aliases(names[i], &family, &others);
		test_note("%s: %u aliases", names[i], family);
		EXPECT_EQ(family, 1u);
		EXPECT_EQ(others, 0u);
	}
}
