// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfioctl doctor: what is in the way of binding and opening a device.
 */
#include <errno.h>
#include <string.h>

#include "vfioctl.h"

enum {
	COL_CHECK,
	COL_VERDICT,
	COL_TEXT,
	COL_REMEDY,
};

static const struct column columns[] = {
	[COL_CHECK] = { "check", COLUMN_TEXT },
	[COL_VERDICT] = { "verdict", COLUMN_TEXT },
	[COL_TEXT] = { "text", COLUMN_TEXT },
	[COL_REMEDY] = { "remedy", COLUMN_TEXT },
};

static void find_modules(struct patient *patient)
{
	struct aliases all, found;
	size_t best;

	modules_aliases(&all);
	aliases_match(&found, &all, &patient->dev);
	best = candidate_best(&found);
	if (best < found.nr)
		copy_text(patient->best, sizeof(patient->best), found.v[best].module);
	copy_text(patient->module, sizeof(patient->module), patient->best);
	if (patient->dev.vfio)
		link_name(patient->module, PCI_DRIVERS "/%s/module", patient->dev.driver);
	aliases_free(&found);
	aliases_free(&all);
}

static int patient_open(struct patient *patient, const char *text)
{
	int ret;

	*patient = (struct patient){};
	ret = device_wanted(&patient->dev, text);
	if (ret)
		return ret;
	if (patient->dev.group >= 0)
		devices_of_group(&patient->members, patient->dev.group);
	find_modules(patient);
	patient->holders = holders_take();
	return 0;
}

static void patient_close(struct patient *patient)
{
	holders_free(patient->holders);
	devices_free(&patient->members);
}

static void show(struct out *out, const char *check, const struct finding *found)
{
	struct libscols_line *line;

	if (!out) {
		printf("%-8s %-12s %s\n", verdict_name(found->verdict), check, found->text);
		if (found->remedy[0])
			printf("%21s %s\n", "->", found->remedy);
		return;
	}
	line = out_line(out, NULL);
	out_set(line, COL_CHECK, check);
	out_set(line, COL_VERDICT, verdict_name(found->verdict));
	out_set(line, COL_TEXT, found->text);
	out_set(line, COL_REMEDY, found->remedy);
}

/* The number of problems. */
static unsigned int examine(const struct patient *patient, struct out *out)
{
	unsigned int problems = 0;
	struct finding found;
	size_t i;

	for (i = 0; i < doctor_nr_checks; i++) {
		found = (struct finding){};
		doctor_checks[i].run(&found, patient);
		if (!found.text[0])
			continue;
		show(out, doctor_checks[i].name, &found);
		problems += found.verdict == VERDICT_BAD;
	}
	return problems;
}

int cmd_doctor(const struct options *options)
{
	struct patient patient;
	unsigned int problems;
	struct out *out = NULL;

	if (patient_open(&patient, options->words[0]))
		return EXIT_FAILED;
	if (options->json)
		out = out_new("doctor", columns, ARRAY_SIZE(columns), true);
	else
		printf("%s %s\n", patient.dev.bdf, name_of_device(&patient.dev));
	problems = examine(&patient, out);
	if (out)
		out_done(out);
	else if (problems)
		printf("%u problem%s\n", problems, problems == 1 ? "" : "s");
	else
		printf("healthy\n");
	patient_close(&patient);
	if (path_exists(PCI_DEVICES "/%s", patient.dev.bdf))
		return problems ? EXIT_FAILED : EXIT_DONE;
	complain("%s went away meanwhile", patient.dev.bdf);
	return EXIT_FAILED;
}
