// SPDX-License-Identifier: GPL-2.0-only
/*
 * What became of a plan: a table on stdout, and sentences on stderr for what did
 * not go as asked.
 */
#include <errno.h>
#include <string.h>

#include "vfioctl.h"

enum outcome {
	OUTCOME_REFUSED,
	OUTCOME_PLANNED,
	OUTCOME_APPLIED,
};

enum {
	COL_DEVICE,
	COL_PREVIOUS,
	COL_DRIVER,
	COL_MODULE,
	COL_RESULT,
	COL_STEPS,
	COL_REASONS,
};

static const struct column columns[] = {
	[COL_DEVICE] = { "device", COLUMN_TEXT },
	[COL_PREVIOUS] = { "previous", COLUMN_TEXT },
	[COL_DRIVER] = { "driver", COLUMN_TEXT },
	[COL_MODULE] = { "module", COLUMN_TEXT },
	[COL_RESULT] = { "result", COLUMN_TEXT },
	[COL_STEPS] = { "steps", COLUMN_LIST },
	[COL_REASONS] = { "reasons", COLUMN_LIST },
};

static const char *result_of(const struct change *change, enum outcome outcome)
{
	static const char * const fates[] = {
		[FATE_UNTOUCHED] = "untouched",
		[FATE_RESTORED] = "restored",
		[FATE_LOST] = "lost",
	};

	if (outcome == OUTCOME_REFUSED)
		return change->reasons.nr ? "refused" : "untouched";
	if (change_idle(change))
		return "unchanged";
	if (outcome == OUTCOME_PLANNED)
		return "planned";
	if (change->fate == FATE_DONE)
		return change->driver[0] ? "bound" : "unbound";
	return fates[change->fate];
}

static void set_reasons(struct libscols_line *line, const struct change *change)
{
	struct names reasons = {};
	size_t i;

	for (i = 0; i < change->reasons.nr; i++)
		names_add(&reasons, change->reasons.v[i].text);
	if (change->error[0])
		names_add(&reasons, change->error);
	out_names(line, COL_REASONS, &reasons);
	names_free(&reasons);
}

static void add_line(struct out *out, const struct change *change, enum outcome outcome)
{
	struct libscols_line *line = out_line(out, NULL);
	char steps[TEXT_LEN];

	out_set(line, COL_DEVICE, change->dev.bdf);
	out_set(line, COL_PREVIOUS, change->dev.driver);
	out_set(line, COL_DRIVER, change->driver);
	out_set(line, COL_MODULE, change->module);
	out_set(line, COL_RESULT, result_of(change, outcome));
	set_reasons(line, change);
	if (outcome != OUTCOME_PLANNED || change_idle(change))
		return;
	change_describe(steps, sizeof(steps), change);
	steps[strlen(steps) - 1] = '\0';
	out_set(line, COL_STEPS, steps);
}

/* What binding one of several devices does not cure. */
static void say_group(const struct change *change)
{
	struct patient patient = { .dev = change->dev };
	struct finding found = {};

	if (change->home || change->fate != FATE_DONE || change->dev.group < 0)
		return;
	devices_of_group(&patient.members, change->dev.group);
	doctor_group(&found, &patient);
	if (found.verdict == VERDICT_BAD)
		complain("%s: %s %s", change->dev.bdf, found.text, found.remedy);
	devices_free(&patient.members);
}

static void say_error(const struct change *change)
{
	if (change->error[0])
		complain("%s: %s", change->dev.bdf, change->error);
	if (change->fate == FATE_LOST)
		complain("%s: what was before could not be restored", change->dev.bdf);
}

static void report(const struct plan *plan, const char *name, enum outcome outcome,
		   const struct options *options)
{
	struct out *out = out_new(name, columns, ARRAY_SIZE(columns), options->json);
	size_t i;

	if (outcome != OUTCOME_PLANNED)
		out_hide(out, COL_STEPS);
	if (!options->json)
		out_hide(out, COL_REASONS);
	for (i = 0; i < plan->nr; i++) {
		add_line(out, &plan->v[i], outcome);
		say_error(&plan->v[i]);
		say_group(&plan->v[i]);
	}
	out_done(out);
}

int plan_run(struct plan *plan, const char *name, const struct options *options)
{
	enum outcome outcome = OUTCOME_APPLIED;
	int ret = 0;

	if (plan_refused(plan, options->force)) {
		outcome = OUTCOME_REFUSED;
		ret = -EPERM;
	} else if (options->dry_run) {
		outcome = OUTCOME_PLANNED;
	} else {
		ret = plan_apply(plan);
	}
	report(plan, name, outcome, options);
	return ret ? EXIT_FAILED : EXIT_DONE;
}
