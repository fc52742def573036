// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfioctl persist: keep devices for VFIO from boot on.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "vfioctl.h"

/* "0000:01:00.0" of one device, "8086:10d3" of all of a kind. */
static int parse_key(struct keep *keep, const char *text)
{
	if (!id_parse(&keep->vendor, &keep->device, text)) {
		print_to(keep->key, sizeof(keep->key), "%04x:%04x", keep->vendor, keep->device);
		return 0;
	}
	if (!bdf_parse(keep->bdf, text)) {
		copy_text(keep->key, sizeof(keep->key), keep->bdf);
		return 0;
	}
	complain("'%s' is neither an address, such as 01:00.0, nor ids, such as 8086:10d3", text);
	return -EINVAL;
}

/* It becomes part of a rule, where quotes and dollars have a meaning. */
static int parse_driver(struct keep *keep, const char *text)
{
	const char *at = text;

	if (!text)
		return 0;
	while (isalnum((unsigned char)*at) || (*at && strchr("_-.", *at)))
		at++;
	if (*at || copy_name(keep->driver, text)) {
		complain("'%s' is no name of a driver", text);
		return -EINVAL;
	}
	return 0;
}

static bool is_meant(const struct keep *keep, const struct device *dev)
{
	if (keep->bdf[0])
		return !strcmp(keep->bdf, dev->bdf);
	return keep->vendor == dev->vendor && keep->device == dev->device;
}

/* What must not lose its driver now must not lose it at the next boot. */
static bool refused(const struct device *dev, const struct holders *holders, bool force)
{
	struct reasons reasons = {};
	bool ret;

	if (dev->bridge)
		reason_final(&reasons, "bridge", "it is a bridge; VFIO takes only endpoints");
	if (!dev->vfio)
		usage_of(&reasons, holders, dev);
	ret = reasons_refuse(&reasons, dev->bdf, force);
	reasons_free(&reasons);
	return ret;
}

static int check(struct keep *keep, bool force)
{
	struct devices devices;
	struct holders *holders;
	bool bad = false, found = false;
	size_t i;

	devices_read(&devices);
	holders = holders_take();
	for (i = 0; i < devices.nr; i++) {
		if (!is_meant(keep, &devices.v[i]))
			continue;
		found = true;
		bad |= refused(&devices.v[i], holders, force);
		keep->vendor = devices.v[i].vendor;
		keep->device = devices.v[i].device;
	}
	holders_free(holders);
	devices_free(&devices);
	if (keep->bdf[0] && !found) {
		complain("there is no device %s", keep->bdf);
		return -ENODEV;
	}
	return bad ? -EPERM : 0;
}

static void show(const char *table, const char *column, const struct names *names,
		 const struct options *options)
{
	struct column columns[] = { { column, COLUMN_TEXT } };
	struct out *out = out_new(table, columns, ARRAY_SIZE(columns), options->json);
	size_t i;

	for (i = 0; i < names->nr; i++)
		out_set(out_line(out, NULL), 0, names->v[i]);
	out_done(out);
}

static int show_all(const struct options *options)
{
	struct names keys;
	int ret;

	ret = keep_list(&keys);
	if (ret)
		complain("cannot read the rules: %s", strerror(-ret));
	else
		show("persist", "kept", &keys, options);
	names_free(&keys);
	return ret ? EXIT_FAILED : EXIT_DONE;
}

static int change(const struct keep *keep, const struct options *options)
{
	struct names files = {};
	int ret;

	if (options->remove)
		ret = keep_remove(keep->key, &files);
	else
		ret = keep_install(keep, &files);
	if (ret == -ENOENT && options->remove)
		complain("%s is not kept", keep->key);
	else if (ret)
		complain("%s: %s", keep->key, strerror(-ret));
	show("persist", "file", &files, options);
	names_free(&files);
	if (!ret)
		complain("to have that in the initramfs: 'update-initramfs -u', or 'dracut -f'");
	return ret ? EXIT_FAILED : EXIT_DONE;
}

int cmd_persist(const struct options *options)
{
	struct keep keep = {};

	if (!options->nr_words)
		return show_all(options);
	if (parse_key(&keep, options->words[0]) || parse_driver(&keep, options->driver))
		return EXIT_FAILED;
	if (!options->remove && check(&keep, options->force))
		return EXIT_FAILED;
	if (options->dry_run) {
		complain("%s would be %s", keep.key, options->remove ? "given up" : "kept");
		return EXIT_DONE;
	}
	return change(&keep, options);
}
