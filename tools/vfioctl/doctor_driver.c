// SPDX-License-Identifier: GPL-2.0-only
/*
 * doctor: drivers, their modules, and whether the kernel takes those.
 */
#include <string.h>

#include "vfioctl.h"

#define CORE	"vfio_pci_core"
#define SECURE_BOOT	"/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

/* No driver although one is asked for by name. */
static void explain_override(struct finding *found, const struct device *dev)
{
	if (path_exists(PCI_DRIVERS "/%s", dev->override))
		finding_set(found, VERDICT_BAD,
			    "driver_override keeps it for %s, which is there but does not have it.",
			    dev->override);
	else
		finding_set(found, VERDICT_BAD,
			    "driver_override keeps it for %s, but there is no such driver.",
			    dev->override);
	finding_remedy(found, "'vfioctl bind %s' tries again, 'vfioctl unbind %s' sets it free.",
		       dev->bdf, dev->bdf);
}

static void explain_bound(struct finding *found, const struct patient *patient)
{
	if (patient->best[0] && strcmp(patient->best, patient->module)) {
		finding_set(found, VERDICT_NOTE, "It is bound to %s, but module %s fits better.",
			    patient->dev.driver, patient->best);
		finding_remedy(found, "'vfioctl bind %s' changes that.", patient->dev.bdf);
	} else {
		finding_set(found, VERDICT_OK, "It is bound to %s.", patient->dev.driver);
	}
}

void doctor_driver(struct finding *found, const struct patient *patient)
{
	const struct device *dev = &patient->dev;

	if (dev->bridge)
		return;
	if (dev->vfio) {
		explain_bound(found, patient);
	} else if (!patient->best[0]) {
		finding_set(found, VERDICT_BAD, "No module declares that it drives it for VFIO.");
		finding_remedy(found, "Install vfio_pci for this kernel, then run depmod.");
	} else if (!dev->driver[0] && dev->override[0]) {
		explain_override(found, dev);
	} else {
		finding_set(found, VERDICT_NOTE, "%s has it; module %s would drive it for VFIO.",
			    dev->driver[0] ? dev->driver : "No driver", patient->best);
		finding_remedy(found, "'vfioctl bind %s' gives it away.", dev->bdf);
	}
}

/* Of this project or another, rather than of the distribution's kernel? */
static bool out_of_tree(const char *module)
{
	char text[NAME_LEN];

	if (module_loaded(module))
		return !file_text(text, sizeof(text), "/sys/module/%s/taint", module) &&
		       strchr(text, 'O');
	module_info(text, module, "intree");
	return !text[0];
}

/* Built from other sources than the file that modprobe would take now. */
static bool outdated(const char *module)
{
	char loaded[NAME_LEN], stored[NAME_LEN];

	module_info(stored, module, "srcversion");
	return stored[0] &&
	       !file_text(loaded, sizeof(loaded), "/sys/module/%s/srcversion", module) &&
	       strcmp(loaded, stored);
}

static void describe_module(char *text, size_t size, const char *module)
{
	char version[NAME_LEN], file[PATH_MAX];

	if (!module_loaded(module))
		module_info(version, module, "version");
	else if (file_text(version, sizeof(version), "/sys/module/%s/version", module))
		version[0] = '\0';
	module_file(file, module);
	append_to(text, size, "%s%s%s is %s, %s (%.200s)", module, version[0] ? " " : "", version,
		  module_loaded(module) ? "loaded" : "not loaded",
		  out_of_tree(module) ? "not from the distribution" : "the distribution's",
		  file[0] ? file : "built in, or its file is gone");
}

void doctor_module(struct finding *found, const struct patient *patient)
{
	const char *module = patient->module;
	char text[TEXT_LEN] = "";

	if (!module[0] || !module_exists(module))
		return;
	describe_module(text, sizeof(text), module);
	if (strcmp(module, CORE) && module_exists(CORE)) {
		append_to(text, sizeof(text), "; ");
		describe_module(text, sizeof(text), CORE);
	}
	finding_set(found, VERDICT_OK, "%.500s.", text);
	if (module_exists(CORE) && out_of_tree(module) != out_of_tree(CORE)) {
		found->verdict = VERDICT_BAD;
		finding_remedy(found, "They do not belong together: install and load a whole set.");
	} else if (outdated(module) || outdated(CORE)) {
		found->verdict = VERDICT_NOTE;
		finding_remedy(found,
			       "What is loaded is not what is installed: unload both, or reboot.");
	}
}

static bool secure_boot(void)
{
	uint8_t variable[5];

	return !file_bytes(variable, sizeof(variable), SECURE_BOOT) && variable[4] == 1;
}

/* "none [integrity] confidentiality" */
static bool only_signed(void)
{
	char text[NAME_LEN];

	if (!file_text(text, sizeof(text), "/sys/module/module/parameters/sig_enforce") &&
	    !strcmp(text, "Y"))
		return true;
	return !file_text(text, sizeof(text), "/sys/kernel/security/lockdown") &&
	       strchr(text, '[') && !strstr(text, "[none]");
}

void doctor_signature(struct finding *found, const struct patient *patient)
{
	const char *boot = secure_boot() ? "Secure Boot is on, and " : "";
	const char *module = patient->module;
	char signer[NAME_LEN];

	if (!only_signed()) {
		finding_set(found, VERDICT_OK, "The kernel loads modules that are not signed, too.");
		return;
	}
	if (!module[0] || module_loaded(module) || !module_exists(module))
		return;
	module_info(signer, module, "signer");
	if (signer[0]) {
		finding_set(found, VERDICT_OK, "%sthe kernel wants signed modules; %s is signed by %s.",
			    boot, module, signer);
		return;
	}
	finding_set(found, VERDICT_BAD, "%sthe kernel loads only signed modules, which %s is not.",
		    boot, module);
	finding_remedy(found, "Sign it with a key that is enrolled (mokutil), or switch Secure Boot off.");
}
