// SPDX-License-Identifier: GPL-2.0-only
/*
 * A plan: for each device the driver that it shall have, found out without
 * touching anything.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vfioctl.h"

static void plan_add(struct plan *plan, const struct device *dev)
{
	size_t i;

	for (i = 0; i < plan->nr; i++) {
		if (!strcmp(plan->v[i].dev.bdf, dev->bdf))
			return;
	}
	plan->v = grow(plan->v, plan->nr + 1, sizeof(*plan->v));
	plan->v[plan->nr++] = (struct change){ .dev = *dev, .wanted = "" };
}

/* A bridge in the group stays where it is: the kernel allows for that. */
static int add_group(struct plan *plan, const struct device *dev)
{
	struct devices members;
	size_t i;
	int ret;

	if (dev->group < 0)
		return 0;
	ret = devices_of_group(&members, dev->group);
	for (i = 0; i < members.nr; i++) {
		if (!members.v[i].bridge)
			plan_add(plan, &members.v[i]);
	}
	devices_free(&members);
	if (ret)
		complain("%s: cannot read its group: %s", dev->bdf, strerror(-ret));
	return ret;
}

static int add_devices(struct plan *plan, const struct options *options)
{
	struct device dev;
	unsigned int i;
	int ret = 0;

	for (i = 0; !ret && i < options->nr_words; i++) {
		ret = device_wanted(&dev, options->words[i]);
		if (!ret)
			plan_add(plan, &dev);
		if (!ret && options->group)
			ret = add_group(plan, &dev);
	}
	return ret;
}

void plan_free(struct plan *plan)
{
	size_t i;

	for (i = 0; i < plan->nr; i++)
		reasons_free(&plan->v[i].reasons);
	free(plan->v);
	*plan = (struct plan){};
}

bool plan_refused(const struct plan *plan, bool force)
{
	bool refused = false;
	size_t i;

	for (i = 0; i < plan->nr; i++)
		refused |= reasons_refuse(&plan->v[i].reasons, plan->v[i].dev.bdf, force);
	return refused;
}

bool change_idle(const struct change *change)
{
	if (change->home)
		return !change->dev.vfio && !change->dev.override[0];
	return change->driver[0] && !strcmp(change->driver, change->dev.driver);
}

/* A module that is loaded has a driver with a name; another one will have. */
static void name_driver(struct change *change)
{
	char error[TEXT_LEN];

	if (!module_loaded(change->module))
		return;
	if (module_driver(change->driver, change->module, change->wanted, error))
		reason_final(&change->reasons, "driver", "%s", error);
}

static void choose_wanted(struct change *change, const char *wanted)
{
	char path[PATH_MAX];

	change->wanted = wanted;
	if (!name_good(wanted) || strlen(wanted) >= NAME_LEN) {
		reason_final(&change->reasons, "driver", "no driver can have that name");
	} else if (!real_path(path, PCI_DRIVERS "/%s", wanted)) {
		copy_text(change->driver, sizeof(change->driver), wanted);
		if (link_name(change->module, PCI_DRIVERS "/%s/module", wanted))
			change->module[0] = '\0';
	} else if (module_exists(wanted)) {
		copy_text(change->module, sizeof(change->module), wanted);
		module_normalize(change->module);
		name_driver(change);
	} else {
		reason_final(&change->reasons, "driver", "there is no driver or module %s", wanted);
	}
}

static void choose_best(struct change *change, const struct aliases *all)
{
	struct aliases found;
	size_t best;

	aliases_match(&found, all, &change->dev);
	best = candidate_best(&found);
	if (best < found.nr) {
		copy_text(change->module, sizeof(change->module), found.v[best].module);
		name_driver(change);
	} else {
		reason_final(&change->reasons, "candidate",
			     "no module declares that it drives it for VFIO%s",
			     found.nr ? " and is not blacklisted" : "; is vfio_pci installed?");
	}
	aliases_free(&found);
}

int plan_bind(struct plan *plan, const struct options *options)
{
	struct aliases all;
	struct holders *holders;
	size_t i;
	int ret;

	*plan = (struct plan){};
	ret = add_devices(plan, options);
	if (ret)
		return ret;
	ret = modules_aliases(&all);
	if (ret)
		complain("cannot read modules.alias: %s", strerror(-ret));
	holders = holders_take();
	for (i = 0; i < plan->nr; i++) {
		if (options->driver)
			choose_wanted(&plan->v[i], options->driver);
		else
			choose_best(&plan->v[i], &all);
		check_bind(&plan->v[i], &all, holders);
	}
	holders_free(holders);
	aliases_free(&all);
	return 0;
}

/* With no record of it, the kernel chooses. */
static void recall(struct change *change)
{
	struct record record;

	if (record_read(&record, &change->dev))
		return;
	copy_text(change->driver, sizeof(change->driver), record.driver);
	copy_text(change->override, sizeof(change->override), record.override);
}

int plan_unbind(struct plan *plan, const struct options *options)
{
	struct holders *holders;
	size_t i;
	int ret;

	*plan = (struct plan){};
	ret = add_devices(plan, options);
	if (ret)
		return ret;
	holders = holders_take();
	for (i = 0; i < plan->nr; i++) {
		plan->v[i].home = true;
		recall(&plan->v[i]);
		check_unbind(&plan->v[i], holders);
	}
	holders_free(holders);
	return 0;
}
