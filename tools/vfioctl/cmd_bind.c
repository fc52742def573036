// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfioctl bind and unbind: devices to a VFIO driver, and home again.
 */
#include "vfioctl.h"

static int run(const char *name, int (*make)(struct plan *, const struct options *),
	       const struct options *options)
{
	struct plan plan;
	int ret = EXIT_FAILED;

	if (!make(&plan, options))
		ret = plan_run(&plan, name, options);
	plan_free(&plan);
	return ret;
}

int cmd_bind(const struct options *options)
{
	return run("bind", plan_bind, options);
}

int cmd_unbind(const struct options *options)
{
	return run("unbind", plan_unbind, options);
}
