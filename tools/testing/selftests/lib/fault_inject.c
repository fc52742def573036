// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's fault injection, through debugfs and /proc/thread-self/fail-nth.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fault_inject.h"
#include "lab.h"
#include "tap.h"

#define DEBUGFS		"/sys/kernel/debug/"
#define FAIL_NTH	"/proc/thread-self/fail-nth"

/* As deep as the kernel looks for the module's functions. */
#define DEPTH		"32"

struct setting {
	const char *name;
	const char *value;
};

/* By default the kernel spares allocations that may sleep: nearly all of ours. */
static const struct setting settings[] = {
	{ "failslab/ignore-gfp-wait", "N" },
	{ "fail_page_alloc/ignore-gfp-wait", "N" },
	{ "fail_page_alloc/ignore-gfp-highmem", "N" },
	{ "fail_page_alloc/min-order", "0" },
};

static const char *const kinds[] = {
	"failslab", "fail_page_alloc", "fail_usercopy",
};

static int fail_nth = -1;

static void set(const char *name, const char *value)
{
	char path[128];
	int ret;

	snprintf(path, sizeof(path), DEBUGFS "%s", name);
	ret = file_write(path, value);
	if (ret)
		FAIL("%s: %s", path, strerror(-ret));
}

static void set_in(const char *kind, const char *name, const char *value)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", kind, name);
	set(path, value);
}

/* Start and size of a module's code, as /proc/modules and sysfs tell. */
static void module_range(const char *name, unsigned long *start,
			 unsigned long *end)
{
	unsigned long text;
	char path[128], value[32];

	snprintf(path, sizeof(path), "/sys/module/%s/sections/.text", name);
	ASSERT_EQ(file_read(path, value, sizeof(value)), 0);
	text = strtoul(value, NULL, 16);
	snprintf(path, sizeof(path), "/sys/module/%s/coresize", name);
	ASSERT_EQ(file_read(path, value, sizeof(value)), 0);

	if (!*start || text < *start)
		*start = text;
	if (text + strtoul(value, NULL, 10) > *end)
		*end = text + strtoul(value, NULL, 10);
}

/* Address of @function, or of the first symbol behind @after. */
static unsigned long symbol(const char *function, unsigned long after)
{
	unsigned long addr, found = 0;
	char line[256], name[128];
	FILE *file;

	file = fopen("/proc/kallsyms", "re");
	ASSERT(file);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%lx %*c %127s", &addr, name) != 2)
			continue;
		if (function ? !strcmp(name, function) :
			       addr > after && (!found || addr < found))
			found = addr;
	}
	fclose(file);
	ASSERT(found);
	return found;
}

static void set_range(const char *what, unsigned long start, unsigned long end)
{
	char name[32], value[32];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		snprintf(name, sizeof(name), "%s-start", what);
		snprintf(value, sizeof(value), "%#lx", start);
		set_in(kinds[i], name, value);
		snprintf(name, sizeof(name), "%s-end", what);
		snprintf(value, sizeof(value), "%#lx", end);
		set_in(kinds[i], name, value);
	}
}

static void spare(const char *function)
{
	unsigned long start = symbol(function, 0);

	set_range("reject", start, symbol(NULL, start));
}

void inject_setup(const char *spared)
{
	unsigned long start = 0, end = 0;
	size_t i;

	fail_nth = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	if (fail_nth < 0)
		SKIP("this kernel has no fault injection (CONFIG_FAULT_INJECTION)");

	module_range("vfio_pci_core", &start, &end);
	module_range("vfio_pci", &start, &end);
	for (i = 0; i < ARRAY_SIZE(settings); i++)
		set(settings[i].name, settings[i].value);
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		set_in(kinds[i], "verbose", "0");
		set_in(kinds[i], "stacktrace-depth", DEPTH);
	}
	set_range("require", start, end);
	/* Linux 6.12's ACPI interpreter uses objects that it freed after a failure. */
	spare(spared ?: "acpi_pci_irq_lookup");
}

static void nth_write(unsigned int nth)
{
	char text[16];
	int len;

	len = snprintf(text, sizeof(text), "%u", nth);
	ASSERT_EQ(pwrite(fail_nth, text, len, 0), len);
}

void inject_arm(unsigned int nth)
{
	nth_write(nth);
}

/* The kernel counts down; 0 is left when the failure has happened. */
bool inject_disarm(void)
{
	char text[16] = "";
	int saved = errno;

	ASSERT_OK(pread(fail_nth, text, sizeof(text) - 1, 0));
	nth_write(0);
	errno = saved;
	return !strtoul(text, NULL, 10);
}
