// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfioctl vf: create virtual functions, or remove them.
 */
#include <errno.h>
#include <string.h>

#include "vfioctl.h"

enum {
	COL_DEVICE,
	COL_PREVIOUS,
	COL_NUMBER,
	COL_RESULT,
	COL_FUNCTIONS,
};

static const struct column columns[] = {
	[COL_DEVICE] = { "device", COLUMN_TEXT },
	[COL_PREVIOUS] = { "previous", COLUMN_NUMBER },
	[COL_NUMBER] = { "number", COLUMN_NUMBER },
	[COL_RESULT] = { "result", COLUMN_TEXT },
	[COL_FUNCTIONS] = { "functions", COLUMN_LIST },
};

static void report(const struct device *pf, uint64_t number, const char *result,
		   const struct options *options)
{
	struct out *out = out_new("vf", columns, ARRAY_SIZE(columns), options->json);
	struct libscols_line *line = out_line(out, NULL);
	struct names functions;

	out_set(line, COL_DEVICE, pf->bdf);
	out_format(line, COL_PREVIOUS, "%u", pf->vfs);
	out_format(line, COL_NUMBER, "%u", (unsigned int)number);
	out_set(line, COL_RESULT, result);
	vfs_list(&functions, pf);
	out_names(line, COL_FUNCTIONS, &functions);
	names_free(&functions);
	out_done(out);
}

static int check_number(const struct device *pf, uint64_t *number, const char *text)
{
	if (!pf->max_vfs) {
		complain("%s: it has no SR-IOV", pf->bdf);
		return -ENOTTY;
	}
	if (number_parse(number, text) || *number > pf->max_vfs) {
		complain("%s: '%s' is no number of virtual functions; it can have up to %u",
			 pf->bdf, text, pf->max_vfs);
		return -EINVAL;
	}
	return 0;
}

/* To change their number is to remove all that are there. */
static bool any_in_use(const struct device *pf, bool force)
{
	struct holders *holders = holders_take();
	struct names functions;
	struct reasons reasons;
	struct device vf;
	bool refused = false;
	size_t i;

	vfs_list(&functions, pf);
	for (i = 0; i < functions.nr; i++) {
		reasons = (struct reasons){};
		if (!device_read(&vf, functions.v[i]))
			usage_of(&reasons, holders, &vf);
		refused |= reasons_refuse(&reasons, vf.bdf, force);
		reasons_free(&reasons);
	}
	names_free(&functions);
	holders_free(holders);
	return refused;
}

static void explain(const struct device *pf, int error)
{
	const char *driver = pf->driver[0] ? pf->driver : "no driver";

	if (error == -ENOENT && pf->vfio)
		complain("%s: %s does not enable virtual functions; if it is vfio-pci, 'echo Y > /sys/module/vfio_pci/parameters/enable_sriov' allows it",
			 pf->bdf, driver);
	else if (error == -ENOENT)
		complain("%s: %s has it, which cannot enable virtual functions", pf->bdf, driver);
	else
		complain("%s: cannot change the number of virtual functions: %s", pf->bdf,
			 strerror(-error));
}

static int bind_functions(const struct device *pf, const struct options *options)
{
	struct options words = *options;
	struct names functions;
	struct plan plan = {};
	int ret;

	ret = vfs_list(&functions, pf);
	words.words = functions.v;
	words.nr_words = functions.nr;
	if (!ret)
		ret = plan_bind(&plan, &words);
	ret = ret ? EXIT_FAILED : plan_run(&plan, "vf", &words);
	plan_free(&plan);
	names_free(&functions);
	return ret;
}

static int create(const struct device *pf, uint64_t number, const struct options *options)
{
	bool bind = options->bind && number;
	int ret = 0;

	if (number != pf->vfs)
		ret = vfs_set(pf, number, !bind);
	if (ret) {
		explain(pf, ret);
		return EXIT_FAILED;
	}
	if (!bind) {
		report(pf, number, number == pf->vfs ? "unchanged" : "done", options);
		return EXIT_DONE;
	}
	ret = bind_functions(pf, options);
	if (ret && !pf->vfs) {
		complain("%s: removing the virtual functions again", pf->bdf);
		vfs_set(pf, 0, true);
	}
	return ret;
}

int cmd_vf(const struct options *options)
{
	struct device pf;
	uint64_t number;
	int ret;

	if (device_wanted(&pf, options->words[0]) ||
	    check_number(&pf, &number, options->words[1]))
		return EXIT_FAILED;
	if (pf.vfs && number != pf.vfs && any_in_use(&pf, options->force))
		return EXIT_FAILED;
	if (options->dry_run) {
		report(&pf, number, "planned", options);
		return EXIT_DONE;
	}
	signals_hold();
	ret = create(&pf, number, options);
	signals_release();
	return ret;
}
