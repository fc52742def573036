// SPDX-License-Identifier: GPL-2.0-only
/*
 * The record: one line per observation.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "parity.h"

static const char *device, *area;
static char text[16384];
static size_t used;

void record_device(const char *name)
{
	device = name;
}

void record_area(const char *name)
{
	area = name;
}

void result(const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(text + used, sizeof(text) - used, format, args);
	va_end(args);
	used += len;
	ASSERT_LE(used, sizeof(text) - 1);
}

void result_ret(long ret)
{
	if (ret < 0)
		result(" %s", strerrorname_np(errno) ?: "?");
	else
		result(" %ld", ret);
}

void result_hex(const void *data, size_t len)
{
	const uint8_t *bytes = data;
	size_t i;

	result(" ");
	for (i = 0; i < len; i++)
		result("%02x", bytes[i]);
}

void observe(const char *format, ...)
{
	va_list args;

	printf("%s|%s|", device, area);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("|%s\n", used && text[0] == ' ' ? text + 1 : text);
	used = 0;
	text[0] = '\0';
}
