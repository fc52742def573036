// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver that refuses answers with a number; its reason is in the kernel's log.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "util.h"

#define RECORD_LEN	8192	/* the most that one read() can bring */

/* From here on; -1 if the log cannot be read, and then nothing is found in it. */
int kmsg_open(void)
{
	char path[PATH_MAX];
	int fd;

	print_to(path, sizeof(path), "%s/dev/kmsg", root());
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0)
		lseek(fd, 0, SEEK_END);
	return fd;
}

/* "4,517,8123456,-;vfio-pci 0000:01:00.0: refused: ...\n KEY=value\n" */
static void take_line(char *text, size_t size, char *record, const char *bdf)
{
	char *line = strchr(record, ';');
	char *address;

	record[strcspn(record, "\n")] = '\0';
	address = line ? strstr(line, bdf) : NULL;
	if (!address || !text_good(address))
		return;
	address += strlen(bdf);
	address += strspn(address, ": ");
	append_to(text, size, "%s%s", text[0] ? "; " : "", address);
}

/* What was said about the device, without its name; "" if nothing. */
void kmsg_find(char *text, size_t size, int fd, const char *bdf)
{
	char record[RECORD_LEN + 1];
	ssize_t len;

	text[0] = '\0';
	if (fd < 0)
		return;
	while ((len = read(fd, record, RECORD_LEN)) > 0 || (len < 0 && errno == EPIPE)) {
		if (len < 0)
			continue;
		record[len] = '\0';
		take_line(text, size, record, bdf);
	}
}
