// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages, and the checks that every name and number passes before use.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

/* All that is no table: stdout may be JSON. */
void complain(const char *format, ...)
{
	va_list args;

	fflush(stdout);
	fputs("vfioctl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

void print_to(char *text, size_t size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(text, size, format, args);
	va_end(args);
}

void append_to(char *text, size_t size, const char *format, ...)
{
	size_t len = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + len, size - len, format, args);
	va_end(args);
}

/* Something that can be a name in sysfs: no slash, nothing that moves a cursor. */
bool name_good(const char *text)
{
	if (!*text || !strcmp(text, ".") || !strcmp(text, ".."))
		return false;
	return text_good(text) && !strpbrk(text, "/\n\t");
}

bool text_good(const char *text)
{
	for (; *text; text++) {
		if ((*text < ' ' || *text > '~') && *text != '\n' && *text != '\t')
			return false;
	}
	return true;
}

/* What does not fit is cut: for text that was measured, or only people read. */
void copy_text(char *text, size_t size, const char *from)
{
	print_to(text, size, "%s", from);
}

int copy_name(char name[NAME_LEN], const char *text)
{
	if (!name_good(text))
		return -EBADMSG;
	if (strlen(text) >= NAME_LEN)
		return -ENAMETOOLONG;
	copy_text(name, NAME_LEN, text);
	return 0;
}

/* Decimal, or hexadecimal after 0x; strtoull() alone takes signs and blanks too. */
int number_parse(uint64_t *value, const char *text)
{
	bool hex = !strncmp(text, "0x", 2);
	const char *digits = text + (hex ? 2 : 0);

	if (!*digits || digits[strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789")])
		return -EINVAL;
	errno = 0;
	*value = strtoull(digits, NULL, hex ? 16 : 10);
	return -errno;
}

/* Exactly @digits hexadecimal digits, whatever follows. */
int hex_parse(uint64_t *value, const char *text, unsigned int digits)
{
	char part[17];

	if (digits >= sizeof(part) || strspn(text, "0123456789abcdefABCDEF") < digits)
		return -EINVAL;
	memcpy(part, text, digits);
	part[digits] = '\0';
	*value = strtoull(part, NULL, 16);
	return 0;
}

void *grow(void *array, size_t nr, size_t size)
{
	array = reallocarray(array, nr, size);
	if (!array) {
		complain("out of memory");
		exit(EXIT_FAILURE);
	}
	return array;
}

void names_add(struct names *names, const char *text)
{
	char *copy = grow(NULL, strlen(text) + 1, 1);

	memcpy(copy, text, strlen(text) + 1);
	names->v = grow(names->v, names->nr + 1, sizeof(*names->v));
	names->v[names->nr++] = copy;
}

bool names_have(const struct names *names, const char *text)
{
	size_t i;

	for (i = 0; i < names->nr; i++) {
		if (!strcmp(names->v[i], text))
			return true;
	}
	return false;
}

void names_free(struct names *names)
{
	size_t i;

	for (i = 0; i < names->nr; i++)
		free(names->v[i]);
	free(names->v);
	*names = (struct names){};
}
