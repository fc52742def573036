// SPDX-License-Identifier: GPL-2.0-only
/*
 * What stands against giving a device another driver.
 */
#include <string.h>

#include "vfioctl.h"

#define UNSAFE	"/sys/module/vfio/parameters/enable_unsafe_noiommu_mode"

/* Does the module say that it drives this device, or all devices, for VFIO? */
static bool is_candidate(const struct change *change, const struct aliases *all)
{
	struct aliases found;
	bool is = false;
	size_t i;

	aliases_match(&found, all, &change->dev);
	for (i = 0; i < found.nr; i++)
		is |= !strcmp(found.v[i].module, change->module);
	aliases_free(&found);
	return is;
}

bool without_iommu(void)
{
	char on[NAME_LEN];

	return !file_text(on, sizeof(on), UNSAFE) && !strcmp(on, "Y");
}

void check_bind(struct change *change, const struct aliases *all, const struct holders *holders)
{
	struct reasons *list = &change->reasons;
	bool candidate;

	if (change_idle(change))
		return;
	candidate = is_candidate(change, all);
	if (change->dev.bridge)
		reason_final(list, "bridge", "it is a bridge; VFIO takes only endpoints");
	if (candidate && change->dev.group < 0 && !without_iommu())
		reason_final(list, "iommu", "no IOMMU isolates it; 'vfioctl doctor %s' says more",
			     change->dev.bdf);
	if (!candidate && !list->nr)
		reason_add(list, "driver",
			   "%s does not declare that it drives this device for VFIO",
			   change->driver[0] ? change->driver : change->module);
	usage_of(list, holders, &change->dev);
}

void check_unbind(struct change *change, const struct holders *holders)
{
	struct reasons *list = &change->reasons;

	if (change_idle(change))
		return;
	if (!change->dev.vfio && change->dev.driver[0])
		reason_final(list, "driver", "nothing to give back: %s has it, no VFIO driver",
			     change->dev.driver);
	usage_of(list, holders, &change->dev);
}
