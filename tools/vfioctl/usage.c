// SPDX-License-Identifier: GPL-2.0-only
/*
 * Who uses a device: a table of ways to ask, and the list of answers.
 */
#include <stdlib.h>
#include <string.h>

#include "vfioctl.h"

static void add(struct reasons *list, const struct reason *reason)
{
	list->v = grow(list->v, list->nr + 1, sizeof(*list->v));
	list->v[list->nr++] = *reason;
}

void reason_add(struct reasons *list, const char *kind, const char *format, ...)
{
	struct reason reason = { .kind = kind };
	va_list args;

	va_start(args, format);
	vsnprintf(reason.text, sizeof(reason.text), format, args);
	va_end(args);
	add(list, &reason);
}

void reason_final(struct reasons *list, const char *kind, const char *format, ...)
{
	struct reason reason = { .kind = kind, .final = true };
	va_list args;

	va_start(args, format);
	vsnprintf(reason.text, sizeof(reason.text), format, args);
	va_end(args);
	add(list, &reason);
}

bool reasons_refuse(const struct reasons *list, const char *bdf, bool force)
{
	const char *remark = force ? " (overruled by --force)" : " (--force overrules that)";
	bool refused = false;
	size_t i;

	for (i = 0; i < list->nr; i++) {
		complain("%s: %s%s", bdf, list->v[i].text, list->v[i].final ? "" : remark);
		refused |= list->v[i].final || !force;
	}
	return refused;
}

void reasons_free(struct reasons *list)
{
	free(list->v);
	*list = (struct reasons){};
}

void class_members(struct names *found, const char *class, const struct device *dev)
{
	size_t len = strlen(dev->path);
	char path[PATH_MAX];
	struct names all;
	size_t i;

	*found = (struct names){};
	if (dir_names(&all, "/sys/class/%s", class))
		return;
	for (i = 0; i < all.nr; i++) {
		if (!real_path(path, "/sys/class/%s/%s", class, all.v[i]) &&
		    !strncmp(path, dev->path, len) && path[len] == '/')
			names_add(found, all.v[i]);
	}
	names_free(&all);
}

static void vf_usage(struct reasons *list, const struct device *dev)
{
	if (dev->vfs)
		reason_add(list, "vfs",
			   "%u virtual functions of it are enabled; 'vfioctl vf %s 0' removes them",
			   dev->vfs, dev->bdf);
}

void usage_of(struct reasons *list, const struct holders *holders, const struct device *dev)
{
	static void (*const ways[])(struct reasons *, const struct device *) = {
		disk_usage, net_usage, console_usage, vf_usage,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ways); i++)
		ways[i](list, dev);
	open_usage(list, holders, dev);
}
