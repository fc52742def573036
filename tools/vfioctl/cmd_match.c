// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfioctl match: the modules that could drive a device, and which one wins.
 */
#include <string.h>

#include "vfioctl.h"

enum {
	COL_MODULE,
	COL_ALIAS,
	COL_WILDCARDS,
	COL_WINS,
	COL_WHY,
};

static const struct column columns[] = {
	[COL_MODULE] = { "module", COLUMN_TEXT },
	[COL_ALIAS] = { "alias", COLUMN_TEXT },
	[COL_WILDCARDS] = { "wildcards", COLUMN_NUMBER },
	[COL_WINS] = { "wins", COLUMN_BOOL },
	[COL_WHY] = { "why", COLUMN_TEXT },
};

static void show(struct out *out, const struct aliases *found, size_t best)
{
	struct libscols_line *line;
	size_t i;

	for (i = 0; i < found->nr; i++) {
		line = out_line(out, NULL);
		out_set(line, COL_MODULE, found->v[i].module);
		out_set(line, COL_ALIAS, found->v[i].pattern);
		out_format(line, COL_WILDCARDS, "%u", found->v[i].wildcards);
		out_set(line, COL_WINS, i == best ? "yes" : "no");
		if (i < best)
			out_set(line, COL_WHY, "blacklisted in modprobe's configuration");
		else if (i == best && i + 1 == found->nr)
			out_set(line, COL_WHY, "the only one");
		else if (i == best)
			out_set(line, COL_WHY, alias_reason(&found->v[i], &found->v[i + 1]));
	}
}

int cmd_match(const struct options *options)
{
	struct aliases all, found;
	struct device dev;
	struct out *out;
	size_t best;
	int ret;

	if (device_wanted(&dev, options->words[0]))
		return EXIT_FAILED;
	ret = modules_aliases(&all);
	if (ret)
		complain("cannot read modules.alias: %s", strerror(-ret));
	aliases_match(&found, &all, &dev);
	best = candidate_best(&found);
	out = out_new("match", columns, ARRAY_SIZE(columns), options->json);
	show(out, &found, best);
	out_done(out);
	ret = best < found.nr ? EXIT_DONE : EXIT_FAILED;
	if (ret)
		complain("%s: no module declares that it drives it for VFIO%s", dev.bdf,
			 found.nr ? " and is not blacklisted" : "; is vfio_pci installed?");
	aliases_free(&found);
	aliases_free(&all);
	return ret;
}
