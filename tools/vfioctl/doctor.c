// SPDX-License-Identifier: GPL-2.0-only
/*
 * Why a device cannot be bound or opened: a table of questions.
 */
#include "vfioctl.h"

const struct check doctor_checks[] = {
	{ "kind", doctor_kind },
	{ "iommu", doctor_iommu },
	{ "group", doctor_group },
	{ "reserved", doctor_reserved },
	{ "driver", doctor_driver },
	{ "module", doctor_module },
	{ "signature", doctor_signature },
	{ "usage", doctor_usage },
	{ "node", doctor_node },
	{ "holder", doctor_holder },
	{ "framebuffer", doctor_framebuffer },
	{ "power", doctor_power },
	{ "reset", doctor_reset },
	{ "vfs", doctor_vfs },
	{ "token", doctor_token },
};

const size_t doctor_nr_checks = ARRAY_SIZE(doctor_checks);

const char *verdict_name(enum verdict verdict)
{
	static const char * const names[] = {
		[VERDICT_OK] = "ok",
		[VERDICT_NOTE] = "note",
		[VERDICT_BAD] = "problem",
		[VERDICT_UNKNOWN] = "unknown",
	};

	return names[verdict];
}

void finding_set(struct finding *found, enum verdict verdict, const char *format, ...)
{
	va_list args;

	found->verdict = verdict;
	va_start(args, format);
	vsnprintf(found->text, sizeof(found->text), format, args);
	va_end(args);
}

void finding_remedy(struct finding *found, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(found->remedy, sizeof(found->remedy), format, args);
	va_end(args);
}
