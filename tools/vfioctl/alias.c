// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which module fits a device best.
 *
 * A VFIO driver declares what it takes by ids that only driver_override reaches;
 * modules.alias shows them as "vfio_pci:v...". A device's own modalias with that
 * prefix is matched against them as a whole, as the kernel's own tools do.
 *
 * The alias with the fewest wildcards wins: the rule of libvirt, too. With equally
 * many, the one wins that gives the more significant fields (vendor, device, their
 * subsystem's, class, in that order), then the module whose name sorts first. The
 * order of modules.alias decides nothing: it depends on what else is installed.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "vfioctl.h"

/* Each '*', '?' and "[...]" is one. */
static unsigned int count_wildcards(const char *pattern)
{
	unsigned int count = 0;

	for (; *pattern; pattern++)
		count += *pattern == '*' || *pattern == '?' || *pattern == '[';
	return count;
}

/* A bit for each field that is given in full, that of the vendor highest. */
static unsigned int literal_fields(const char *pattern)
{
	static const char * const marks[] = { "v", "d", "sv", "sd", "bc", "sc", "i" };
	const char *at = pattern + strlen(VFIO_PREFIX);
	unsigned int literal = 0;
	size_t i, len;

	for (i = 0; i < ARRAY_SIZE(marks); i++) {
		if (strncmp(at, marks[i], strlen(marks[i])))
			return 0;
		at += strlen(marks[i]);
		len = strcspn(at, "vdsbi");
		literal = literal << 1 | (len && strcspn(at, "*?[") >= len);
		at += len;
	}
	return literal;
}

void module_normalize(char *name)
{
	for (; *name; name++) {
		if (*name == '-')
			*name = '_';
	}
}

int alias_parse(struct alias *alias, const char *line)
{
	char pattern[ALIAS_LEN], module[NAME_LEN], more;

	_Static_assert(ALIAS_LEN == 128 && NAME_LEN == 128, "the widths in the format");
	if (strncmp(line, "alias " VFIO_PREFIX, strlen("alias " VFIO_PREFIX)))
		return -ENOMSG;
	if (sscanf(line, "alias %127s %127s %c", pattern, module, &more) != 2 ||
	    !name_good(module) || !text_good(pattern))
		return -EBADMSG;
	module_normalize(module);
	copy_text(alias->pattern, sizeof(alias->pattern), pattern);
	copy_text(alias->module, sizeof(alias->module), module);
	alias->wildcards = count_wildcards(pattern);
	alias->literal = literal_fields(pattern);
	return 0;
}

bool alias_matches(const struct alias *alias, const struct device *dev)
{
	char wanted[ALIAS_LEN + sizeof(VFIO_PREFIX)];

	print_to(wanted, sizeof(wanted), VFIO_PREFIX "%s", dev->modalias + strlen("pci:"));
	return !fnmatch(alias->pattern, wanted, 0);
}

static int compare_patterns(const struct alias *a, const struct alias *b)
{
	if (a->wildcards != b->wildcards)
		return a->wildcards < b->wildcards ? -1 : 1;
	if (a->literal != b->literal)
		return a->literal > b->literal ? -1 : 1;
	return 0;
}

int alias_compare(const struct alias *a, const struct alias *b)
{
	return compare_patterns(a, b) ?: strcmp(a->module, b->module);
}

const char *alias_reason(const struct alias *a, const struct alias *b)
{
	if (a->wildcards != b->wildcards)
		return "fewer wildcards";
	if (a->literal != b->literal)
		return "as many wildcards, but gives more significant fields";
	return "as specific; its name sorts first";
}

void aliases_add(struct aliases *list, const struct alias *alias)
{
	list->v = grow(list->v, list->nr + 1, sizeof(*list->v));
	list->v[list->nr++] = *alias;
}

void aliases_free(struct aliases *list)
{
	free(list->v);
	*list = (struct aliases){};
}

/* A module's best alias counts, not its last. */
static void keep_best(struct aliases *found, const struct alias *alias)
{
	size_t i;

	for (i = 0; i < found->nr; i++) {
		if (!strcmp(found->v[i].module, alias->module)) {
			if (compare_patterns(alias, &found->v[i]) < 0)
				found->v[i] = *alias;
			return;
		}
	}
	aliases_add(found, alias);
}

static int compare_entries(const void *a, const void *b)
{
	return alias_compare(a, b);
}

void aliases_match(struct aliases *found, const struct aliases *all, const struct device *dev)
{
	size_t i;

	*found = (struct aliases){};
	for (i = 0; i < all->nr; i++) {
		if (alias_matches(&all->v[i], dev))
			keep_best(found, &all->v[i]);
	}
	if (found->nr)
		qsort(found->v, found->nr, sizeof(*found->v), compare_entries);
}
