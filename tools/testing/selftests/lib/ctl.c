// SPDX-License-Identifier: GPL-2.0-only
/*
 * vfioctl, as somebody types it in the guest.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "lab.h"
#include "tap.h"

#define OUTPUT	"/tmp/vfioctl.output"

static char output[32768];

int ctl(const char *format, ...)
{
	char words[256];
	va_list args;
	int status;

	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	status = lab_command("vfioctl %s >" OUTPUT " 2>&1", words);
	ASSERT_EQ(file_read(OUTPUT, output, sizeof(output)), 0);
	if (status > 1)
		FAIL("vfioctl %s: status %d: %s", words, status, output);
	return status;
}

void ctl_expect_said(const char *part)
{
	if (!strstr(output, part))
		FAIL("'%s' is not in: %s", part, output);
}
