// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keeping devices for VFIO across reboots and hotplug.
 *
 * A udev rule sets driver_override as soon as the device appears, before the driver
 * that would otherwise take it is loaded, and runs "vfioctl bind", which also takes it
 * from a driver that was there earlier. The rule goes into the initramfs too. There is
 * no vfioctl there: the device stays without a driver until the system's own udev sees
 * the same rule. If the rule has no driver's name, it reserves the device under a name
 * that no driver has: with vfio-pci, that would get it before the best is looked for.
 *
 * A rule for an address names the device's ids as well, because addresses move when
 * a card is added.
 */
#include <errno.h>
#include <string.h>

#include "vfioctl.h"

#define RULES		"/etc/udev/rules.d"
#define RULE_NAME	"70-vfioctl-"
#define RULE_END	".rules"
#define HOOK_FOLDER	"/etc/initramfs-tools"
#define HOOK		HOOK_FOLDER "/hooks/vfioctl"
#define DRACUT_FOLDER	"/etc/dracut.conf.d"
#define DRACUT		DRACUT_FOLDER "/vfioctl.conf"
#define NOBODY		"vfioctl"

static const char hook[] =
	"#!/bin/sh\n"
	"# Written by vfioctl persist, and removed with the last rule.\n"
	"\n"
	"if [ \"${1:-}\" = prereqs ]; then\n"
	"\techo udev\n"
	"\texit 0\n"
	"fi\n"
	"\n"
	"mkdir -p \"$DESTDIR" RULES "\"\n"
	"for rule in " RULES "/" RULE_NAME "*" RULE_END "; do\n"
	"\t[ ! -e \"$rule\" ] || cp -p \"$rule\" \"$DESTDIR" RULES "/\"\n"
	"done\n";

static void print_match(char *text, size_t size, const struct keep *keep)
{
	print_to(text, size, "ACTION==\"add\", SUBSYSTEM==\"pci\", ");
	if (keep->bdf[0])
		append_to(text, size, "KERNEL==\"%s\", ", keep->bdf);
	append_to(text, size, "ATTR{vendor}==\"0x%04x\", ATTR{device}==\"0x%04x\"", keep->vendor,
		  keep->device);
}

static void print_rule(char *text, size_t size, const struct keep *keep)
{
	char match[TEXT_LEN];

	print_match(match, sizeof(match), keep);
	print_to(text, size, "# Written by 'vfioctl persist'; 'vfioctl persist --remove %s' removes it.\n",
		 keep->key);
	append_to(text, size, "%s, DRIVER==\"\", ATTR{driver_override}=\"%s\"\n", match,
		  keep->driver[0] ? keep->driver : NOBODY);
	append_to(text, size, "%s, TEST==\"" VFIOCTL_PATH "\", RUN+=\"" VFIOCTL_PATH " bind%s%s $kernel\"\n",
		  match, keep->driver[0] ? " --driver " : "", keep->driver);
}

int keep_list(struct names *keys)
{
	size_t start = strlen(RULE_NAME), end = strlen(RULE_END), len;
	struct names files;
	size_t i;
	int ret;

	*keys = (struct names){};
	ret = dir_names(&files, RULES);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	for (i = 0; i < files.nr; i++) {
		len = strlen(files.v[i]);
		if (len <= start + end || strncmp(files.v[i], RULE_NAME, start) ||
		    strcmp(files.v[i] + len - end, RULE_END))
			continue;
		files.v[i][len - end] = '\0';
		names_add(keys, files.v[i] + start);
	}
	names_free(&files);
	return 0;
}

static int put(const char *path, const char *text, unsigned int mode, struct names *files)
{
	int ret = file_install(path, text, mode);

	if (!ret)
		names_add(files, path);
	return ret;
}

static int drop(const char *path, struct names *files)
{
	int ret = file_remove(path);

	if (!ret)
		names_add(files, path);
	return ret == -ENOENT ? 0 : ret;
}

/* dracut copies the files it is told by name. */
static int update_dracut(const struct names *keys, struct names *files)
{
	char text[8192] = "# Written by vfioctl persist, and removed with the last rule.\n";
	size_t i;

	if (!path_exists(DRACUT_FOLDER))
		return 0;
	if (!keys->nr)
		return drop(DRACUT, files);
	for (i = 0; i < keys->nr; i++)
		append_to(text, sizeof(text), "install_optional_items+=\" " RULES "/" RULE_NAME
			  "%s" RULE_END " \"\n", keys->v[i]);
	return put(DRACUT, text, 0644, files);
}

static int update_initramfs_tools(const struct names *keys, struct names *files)
{
	if (!path_exists(HOOK_FOLDER))
		return 0;
	return keys->nr ? put(HOOK, hook, 0755, files) : drop(HOOK, files);
}

/* What the initramfs needs follows from which rules there are. */
static int update_hooks(struct names *files)
{
	struct names keys;
	int ret;

	ret = keep_list(&keys);
	if (!ret)
		ret = update_initramfs_tools(&keys, files);
	if (!ret)
		ret = update_dracut(&keys, files);
	names_free(&keys);
	return ret;
}

static void rule_path(char path[PATH_MAX], const char *key)
{
	print_to(path, PATH_MAX, RULES "/" RULE_NAME "%s" RULE_END, key);
}

int keep_install(const struct keep *keep, struct names *files)
{
	char path[PATH_MAX], rule[4 * TEXT_LEN];
	int ret;

	rule_path(path, keep->key);
	print_rule(rule, sizeof(rule), keep);
	ret = put(path, rule, 0644, files);
	return ret ?: update_hooks(files);
}

int keep_remove(const char *key, struct names *files)
{
	char path[PATH_MAX];
	int ret;

	rule_path(path, key);
	if (!path_exists("%s", path))
		return -ENOENT;
	ret = drop(path, files);
	return ret ?: update_hooks(files);
}
