// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which driver a device had before vfioctl took it: a file in /run, which lasts
 * as long as the binding can.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "vfioctl.h"

#define RECORDS	"/run/vfioctl"

/* Another device in the same place does not have this one's past. */
static bool of_device(const char *text, const struct device *dev)
{
	uint16_t vendor, device;

	return !id_parse(&vendor, &device, text) && vendor == dev->vendor && device == dev->device;
}

static int parse_name(char name[NAME_LEN], const char *text)
{
	name[0] = '\0';
	return *text ? copy_name(name, text) : 0;
}

/* Three lines: ids, driver, driver_override; the last two may be empty. */
int record_read(struct record *record, const struct device *dev)
{
	char text[3 * NAME_LEN];
	char *driver, *override;
	int ret;

	ret = file_text(text, sizeof(text), RECORDS "/%s", dev->bdf);
	if (ret)
		return ret;
	driver = strchr(text, '\n');
	override = driver ? strchr(driver + 1, '\n') : NULL;
	if (!override)
		return -EBADMSG;
	*driver++ = '\0';
	*override++ = '\0';
	if (!of_device(text, dev))
		return -ESTALE;
	return parse_name(record->driver, driver) ?: parse_name(record->override, override);
}

/* An override that was not its driver's only kept it for VFIO: not worth restoring. */
int record_write(const struct device *dev)
{
	const char *override = strcmp(dev->override, dev->driver) ? "" : dev->override;
	char path[PATH_MAX], text[3 * NAME_LEN];

	print_to(path, sizeof(path), RECORDS "/%s", dev->bdf);
	print_to(text, sizeof(text), "%04x:%04x\n%s\n%s\n", dev->vendor, dev->device, dev->driver,
		 override);
	return file_install(path, text, 0644);
}

void record_remove(const struct device *dev)
{
	char path[PATH_MAX];

	print_to(path, sizeof(path), RECORDS "/%s", dev->bdf);
	file_remove(path);
}
