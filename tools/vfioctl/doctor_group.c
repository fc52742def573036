// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor: the IOMMU, the group, and who has it.
 */
#include <string.h>

#include "vfioctl.h"

static bool any_iommu(void)
{
	struct names iommus;
	bool any;

	any = !dir_names(&iommus, "/sys/class/iommu") && iommus.nr;
	names_free(&iommus);
	return any;
}

void doctor_iommu(struct finding *found, const struct patient *patient)
{
	if (patient->dev.group >= 0) {
		finding_set(found, VERDICT_OK, "An IOMMU isolates it, as part of group %d.",
			    patient->dev.group);
	} else if (without_iommu()) {
		finding_set(found, VERDICT_NOTE,
			    "No IOMMU isolates it; VFIO is told to do without.");
		finding_remedy(found, "Know that a program with this device can reach all memory.");
	} else if (any_iommu()) {
		finding_set(found, VERDICT_BAD, "The machine's IOMMU does not cover it.");
		finding_remedy(found, "Put it into a slot behind the IOMMU, if there is one.");
	} else {
		finding_set(found, VERDICT_BAD, "No IOMMU is in use.");
		finding_remedy(found,
			       "Switch on VT-d or AMD-Vi in the firmware's set-up; on Intel, boot with intel_iommu=on.");
	}
}

/* Its driver could reach memory by the same way as the device: VFIO will not. */
static bool in_the_way(const struct device *member, const struct device *dev)
{
	return strcmp(member->bdf, dev->bdf) && member->driver[0] && !member->vfio &&
	       !member->bridge && strcmp(member->driver, "pci-stub");
}

void doctor_group(struct finding *found, const struct patient *patient)
{
	const struct devices *members = &patient->members;
	char text[TEXT_LEN / 2] = "";
	size_t i;

	if (patient->dev.group < 0)
		return;
	for (i = 0; i < members->nr; i++) {
		if (in_the_way(&members->v[i], &patient->dev))
			append_to(text, sizeof(text), "%s%s is bound to %s", text[0] ? ", " : "",
				  members->v[i].bdf, members->v[i].driver);
	}
	if (text[0]) {
		finding_set(found, VERDICT_BAD, "Its group is not viable: %s.", text);
		finding_remedy(found,
			       "'vfioctl bind --group %s' gives VFIO all of the group; a slot of the processor's own may make the group smaller.",
			       patient->dev.bdf);
	} else if (members->nr > 1) {
		finding_set(found, VERDICT_OK, "None of the %zu devices in its group is in the way.",
			    members->nr);
	} else {
		finding_set(found, VERDICT_OK, "It is alone in its group.");
	}
}

/* "0x... 0x... direct": the device needs it mapped one to one, which VFIO cannot promise. */
void doctor_reserved(struct finding *found, const struct patient *patient)
{
	char text[4096];

	if (patient->dev.group < 0 ||
	    file_text(text, sizeof(text), "/sys/kernel/iommu_groups/%d/reserved_regions",
		      patient->dev.group))
		return;
	append_to(text, sizeof(text), "\n");
	if (!strstr(text, " direct\n"))
		return;
	finding_set(found, VERDICT_BAD,
		    "The firmware wants memory mapped for it at all times (RMRR), so the kernel keeps it from user space.");
	finding_remedy(found, "Look for a firmware setting or update; there is no safe way around.");
}

void doctor_node(struct finding *found, const struct patient *patient)
{
	const struct device *dev = &patient->dev;

	if (!dev->vfio || dev->group < 0)
		return;
	if (path_exists("/dev/vfio/%d", dev->group)) {
		finding_set(found, VERDICT_OK, "Programs open it through /dev/vfio/%d.",
			    dev->group);
	} else if (path_exists("/dev/vfio/noiommu-%d", dev->group)) {
		finding_set(found, VERDICT_NOTE, "Programs open it through /dev/vfio/noiommu-%d.",
			    dev->group);
	} else {
		finding_set(found, VERDICT_BAD, "There is no /dev/vfio/%d here to open it through.",
			    dev->group);
		finding_remedy(found, "In a container: pass the node in. Else see what udev says.");
	}
}

void doctor_holder(struct finding *found, const struct patient *patient)
{
	const struct holders *holders = patient->holders;
	char text[TEXT_LEN / 2] = "";
	struct names who;
	size_t i;

	if (!patient->dev.vfio)
		return;
	vfio_holders(&who, holders, &patient->dev);
	for (i = 0; i < who.nr; i++)
		append_to(text, sizeof(text), "%s%s", i ? ", " : "", who.v[i]);
	names_free(&who);
	if (text[0]) {
		finding_set(found, VERDICT_BAD, "Its group is open already, in %s.", text);
		finding_remedy(found, "A group is opened once: end that program, or have it share.");
	} else if (holders_complete(holders)) {
		finding_set(found, VERDICT_OK, "Nobody has its group open.");
	} else {
		finding_set(found, VERDICT_UNKNOWN,
			    "Somebody may have its group open: not all processes can be looked at.");
		finding_remedy(found, "Run this as root.");
	}
}
