// SPDX-License-Identifier: GPL-2.0-only
/*
 * Network interfaces of a device that are up, or lead to the rest of the world.
 */
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "vfioctl.h"

#define MOST_LEVELS	8	/* of a bridge on a VLAN on a bond on ... */

/* "eth0 00000000 0102A8C0 0003 0 0 100 00000000 ...": destination and mask 0. */
static bool default_route_4(const char *line, char name[IF_NAMESIZE])
{
	unsigned int destination, mask;

	return sscanf(line, "%15s %x %*x %*x %*d %*d %*d %x", name, &destination, &mask) == 3 &&
	       !destination && !mask;
}

/* Destination, its length, source, its length, hop, metric, two counts, flags, name. */
static bool default_route_6(const char *line, char name[IF_NAMESIZE])
{
	unsigned int length;
	char destination[33];

	return sscanf(line, "%32s %x %*s %*x %*s %*x %*x %*x %*x %15s", destination, &length,
		      name) == 3 &&
	       !length && strspn(destination, "0") == strlen(destination);
}

static const struct {
	const char *path;
	bool (*parse)(const char *line, char name[IF_NAMESIZE]);
} tables[] = {
	{ "/proc/net/route", default_route_4 },
	{ "/proc/net/ipv6_route", default_route_6 },
};

static bool has_default_route(const char *interface)
{
	char name[IF_NAMESIZE];
	char *line = NULL;
	bool found = false;
	size_t size = 0, i;
	FILE *file;

	for (i = 0; i < ARRAY_SIZE(tables); i++) {
		file = file_stream("%s", tables[i].path);
		while (file && getline(&line, &size, file) > 0)
			found |= tables[i].parse(line, name) && !strcmp(name, interface);
		if (file)
			fclose(file);
	}
	free(line);
	return found;
}

/* The interface and all that are made of it, with the way up in @chain. */
static void route_usage(struct reasons *list, const char *interface, const char *chain,
			unsigned int level)
{
	char upper[TEXT_LEN / 2];
	struct names entries;
	size_t i;

	if (has_default_route(interface))
		reason_add(list, "route", "the default route goes through %s", chain);
	if (level == MOST_LEVELS || dir_names(&entries, "/sys/class/net/%s", interface))
		return;
	for (i = 0; i < entries.nr; i++) {
		if (strncmp(entries.v[i], "upper_", 6))
			continue;
		print_to(upper, sizeof(upper), "%.32s (on %.160s)", entries.v[i] + 6, chain);
		reason_add(list, "net", "network interface %s belongs to %s", chain,
			   entries.v[i] + 6);
		route_usage(list, entries.v[i] + 6, upper, level + 1);
	}
	names_free(&entries);
}

void net_usage(struct reasons *list, const struct device *dev)
{
	struct names interfaces;
	uint64_t flags;
	size_t i;

	class_members(&interfaces, "net", dev);
	for (i = 0; i < interfaces.nr; i++) {
		if (!file_number(&flags, "/sys/class/net/%s/flags", interfaces.v[i]) &&
		    (flags & IFF_UP))
			reason_add(list, "net",
				   "network interface %s is up; 'ip link set %s down' first",
				   interfaces.v[i], interfaces.v[i]);
		route_usage(list, interfaces.v[i], interfaces.v[i], 0);
	}
	names_free(&interfaces);
}
