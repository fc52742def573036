// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfioctl list: devices, their drivers and groups, and who uses them.
 */
#include <stdlib.h>
#include <string.h>

#include "vfioctl.h"

enum {
	COL_DEVICE,
	COL_GROUP,
	COL_CLASS,
	COL_NAME,
	COL_ID,
	COL_DRIVER,
	COL_CANDIDATES,
	COL_USAGE,
};

static const struct column columns[] = {
	[COL_DEVICE] = { "device", COLUMN_TREE },
	[COL_GROUP] = { "group", COLUMN_NUMBER },
	[COL_CLASS] = { "class", COLUMN_TEXT },
	[COL_NAME] = { "name", COLUMN_TEXT },
	[COL_ID] = { "id", COLUMN_TEXT },
	[COL_DRIVER] = { "driver", COLUMN_TEXT },
	[COL_CANDIDATES] = { "candidates", COLUMN_LIST },
	[COL_USAGE] = { "usage", COLUMN_LIST },
};

/**
 * struct listing - what every line needs
 * @all:	the aliases of all modules
 * @holders:	all open files
 */
struct listing {
	struct out *out;
	struct aliases all;
	struct holders *holders;
};

static void set_candidates(struct libscols_line *line, const struct aliases *all,
			   const struct device *dev)
{
	struct names names = {};
	struct aliases found;
	size_t i;

	aliases_match(&found, all, dev);
	for (i = 0; i < found.nr; i++)
		names_add(&names, found.v[i].module);
	out_names(line, COL_CANDIDATES, &names);
	names_free(&names);
	aliases_free(&found);
}

static void set_usage(struct libscols_line *line, const struct holders *holders,
		      const struct device *dev)
{
	struct reasons reasons = {};
	struct names names = {};
	size_t i;

	usage_of(&reasons, holders, dev);
	for (i = 0; i < reasons.nr; i++)
		names_add(&names, reasons.v[i].text);
	out_names(line, COL_USAGE, &names);
	names_free(&names);
	reasons_free(&reasons);
}

static void add_device(const struct listing *listing, const struct device *dev,
		       struct libscols_line *parent)
{
	struct libscols_line *line = out_line(listing->out, parent);

	out_set(line, COL_DEVICE, dev->bdf);
	if (dev->group >= 0)
		out_format(line, COL_GROUP, "%d", dev->group);
	out_set(line, COL_CLASS, name_of_class(dev));
	out_set(line, COL_NAME, name_of_device(dev));
	out_format(line, COL_ID, "%04x:%04x", dev->vendor, dev->device);
	out_set(line, COL_DRIVER, dev->driver);
	/* A bridge matches "any device", but no VFIO driver takes one. */
	if (!dev->bridge)
		set_candidates(line, &listing->all, dev);
	set_usage(line, listing->holders, dev);
}

static int compare_groups(const void *a, const void *b)
{
	const struct device *left = a, *right = b;

	return left->group - right->group ?: strcmp(left->bdf, right->bdf);
}

/* A line for each group, its members below it. */
static void add_groups(const struct listing *listing, struct devices *devices)
{
	struct libscols_line *parent = NULL;
	size_t i;

	if (devices->nr)
		qsort(devices->v, devices->nr, sizeof(*devices->v), compare_groups);
	for (i = 0; i < devices->nr; i++) {
		if (!i || devices->v[i].group != devices->v[i - 1].group) {
			parent = out_line(listing->out, NULL);
			if (devices->v[i].group < 0)
				out_set(parent, COL_DEVICE, "no group");
			else
				out_format(parent, COL_DEVICE, "group %d", devices->v[i].group);
		}
		add_device(listing, &devices->v[i], parent);
	}
}

static int read_wanted(struct devices *devices, const struct options *options)
{
	struct device dev;
	unsigned int i;
	int ret = 0;

	if (!options->nr_words)
		return devices_read(devices);
	*devices = (struct devices){};
	for (i = 0; !ret && i < options->nr_words; i++) {
		ret = device_wanted(&dev, options->words[i]);
		if (!ret)
			devices_add(devices, &dev);
	}
	return ret;
}

int cmd_list(const struct options *options)
{
	struct listing listing = {};
	struct devices devices;
	size_t i;
	int ret;

	ret = read_wanted(&devices, options);
	if (ret && !options->nr_words)
		complain("cannot list the devices: %s", strerror(-ret));
	if (ret) {
		devices_free(&devices);
		return EXIT_FAILED;
	}
	ret = modules_aliases(&listing.all);
	if (ret)
		complain("no candidates, since modules.alias cannot be read: %s", strerror(-ret));
	listing.holders = holders_take();
	listing.out = out_new("devices", columns, ARRAY_SIZE(columns), options->json);
	if (options->tree) {
		add_groups(&listing, &devices);
	} else {
		for (i = 0; i < devices.nr; i++)
			add_device(&listing, &devices.v[i], NULL);
	}
	out_done(listing.out);
	holders_free(listing.holders);
	aliases_free(&listing.all);
	devices_free(&devices);
	return EXIT_DONE;
}
