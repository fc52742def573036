// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor: the function itself, its state and its relatives.
 */
#include <string.h>
#include <unistd.h>

#include "vfioctl.h"

void doctor_kind(struct finding *found, const struct patient *patient)
{
	if (patient->dev.bridge) {
		finding_set(found, VERDICT_BAD, "It is a bridge, and VFIO takes only endpoints.");
		finding_remedy(found, "Bind the devices behind it.");
	}
}

/* What bind would refuse; an open VFIO group is another question's business. */
void doctor_usage(struct finding *found, const struct patient *patient)
{
	struct reasons reasons = {};
	char text[TEXT_LEN / 2] = "";
	size_t i;

	if (patient->dev.vfio || patient->dev.bridge)
		return;
	usage_of(&reasons, patient->holders, &patient->dev);
	for (i = 0; i < reasons.nr; i++) {
		if (strcmp(reasons.v[i].kind, "vfs"))
			append_to(text, sizeof(text), "%s%s", text[0] ? "; " : "",
				  reasons.v[i].text);
	}
	reasons_free(&reasons);
	if (text[0]) {
		finding_set(found, VERDICT_BAD, "It is in use: %s.", text);
		finding_remedy(found, "Stop using it, or overrule that with 'vfioctl bind --force'.");
	} else {
		finding_set(found, VERDICT_OK, "Nothing uses it.");
	}
}

void doctor_framebuffer(struct finding *found, const struct patient *patient)
{
	char owner[NAME_LEN];

	if (patient->dev.class >> 16 != 3)
		return;
	if (!root()[0] && geteuid()) {
		finding_set(found, VERDICT_UNKNOWN,
			    "Only root sees whether the boot framebuffer is in its memory.");
		finding_remedy(found, "Run this as root.");
	} else if (!boot_framebuffer(owner, &patient->dev)) {
		finding_set(found, VERDICT_OK, "No boot framebuffer is in its memory.");
	} else if (patient->dev.vfio) {
		finding_set(found, VERDICT_BAD,
			    "%s still holds a part of its memory, which then cannot be reserved.",
			    owner);
		finding_remedy(found,
			       "Boot with initcall_blacklist=sysfb_init, or with another screen.");
	} else {
		finding_set(found, VERDICT_NOTE,
			    "%s holds a part of its memory; binding it ends that, and the console there.",
			    owner);
	}
}

/* Not only the ids: those of a virtual function are ones at all times. */
static bool all_ones(const uint8_t *bytes, size_t size)
{
	size_t i = 0;

	while (i < size && bytes[i] == 0xff)
		i++;
	return i == size;
}

void doctor_power(struct finding *found, const struct patient *patient)
{
	const char *bdf = patient->dev.bdf;
	char state[NAME_LEN];
	uint8_t config[16];

	if (file_bytes(config, sizeof(config), PCI_DEVICES "/%s/config", bdf))
		return;
	if (file_text(state, sizeof(state), PCI_DEVICES "/%s/power_state", bdf))
		copy_text(state, sizeof(state), "unknown");
	if (all_ones(config, sizeof(config))) {
		finding_set(found, VERDICT_BAD,
			    "It does not answer: its configuration space reads as ones (power state %s).",
			    state);
		finding_remedy(found,
			       "Keep it from D3cold ('echo 0 > " PCI_DEVICES "/%s/d3cold_allowed'), then switch the machine off and on.",
			       bdf);
	} else if (!strcmp(state, "unknown")) {
		finding_set(found, VERDICT_OK, "It answers.");
	} else if (!strcmp(state, "D3cold")) {
		finding_set(found, VERDICT_NOTE, "It is switched off (D3cold) until somebody opens it.");
	} else {
		finding_set(found, VERDICT_OK, "It answers, in power state %s.", state);
	}
}

/* Functions of the same slot share what a reset of the bus resets. */
static unsigned int neighbours(const struct patient *patient)
{
	size_t len = strrchr(patient->dev.bdf, '.') - patient->dev.bdf;
	struct names all;
	unsigned int nr = 0;
	size_t i;

	if (dir_names(&all, PCI_DEVICES))
		return 0;
	for (i = 0; i < all.nr; i++)
		nr += !strncmp(all.v[i], patient->dev.bdf, len) && all.v[i][len] == '.';
	names_free(&all);
	return nr - 1;
}

void doctor_reset(struct finding *found, const struct patient *patient)
{
	char methods[NAME_LEN];

	if (patient->dev.bridge)
		return;
	if (file_text(methods, sizeof(methods), PCI_DEVICES "/%s/reset_method", patient->dev.bdf))
		methods[0] = '\0';
	if (!methods[0] && !neighbours(patient)) {
		finding_set(found, VERDICT_NOTE,
			    "It cannot be reset: what one program leaves behind, the next one finds.");
	} else if (!methods[0]) {
		finding_set(found, VERDICT_NOTE,
			    "It cannot be reset but together with the other functions of its slot.");
		finding_remedy(found, "Give a program all of them.");
	} else {
		finding_set(found, VERDICT_OK, "It can be reset (%s).", methods);
	}
}

void doctor_vfs(struct finding *found, const struct patient *patient)
{
	const struct device *dev = &patient->dev;

	if (!dev->vfs)
		return;
	if (dev->vfio) {
		finding_set(found, VERDICT_OK, "%u virtual functions of it are enabled.", dev->vfs);
		return;
	}
	finding_set(found, VERDICT_BAD,
		    "%u virtual functions of it are enabled, and until they are gone it cannot be bound.",
		    dev->vfs);
	finding_remedy(found, "'vfioctl vf %s 0' removes them.", dev->bdf);
}

void doctor_token(struct finding *found, const struct patient *patient)
{
	const char *pf = patient->dev.pf;

	if (!pf[0] || !path_exists(PCI_DEVICES "/%s/vfio-dev", pf))
		return;
	finding_set(found, VERDICT_NOTE,
		    "%s, whose virtual function it is, belongs to VFIO, so opening it takes a VF token.",
		    pf);
	finding_remedy(found,
		       "The program that has %s sets the token; pass the same one (QEMU: vf-token=UUID).",
		       pf);
}
