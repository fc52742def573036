// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel's log as a witness: which test made the kernel complain.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kmsg.h"
#include "tap.h"

/* What the line that starts a test begins with. */
#define MARK	"selftest: "

/* Lines that say that the kernel itself went wrong. */
static const char *const faults[] = {
	"WARNING:", "BUG:", "Oops", "KASAN:", "UBSAN:", "KCSAN:",
	"INFO: possible", "INFO: task", "INFO: rcu", "INFO: inconsistent",
	"possible circular locking", "possible recursive locking",
	"suspicious RCU usage", "general protection fault", "ODEBUG:",
	"unable to handle", "refcount_t:", "list_add corruption",
	"list_del corruption", "soft lockup",
};

static int log_fd = -1;

/* Not dprintf(): it wants to seek, which this file refuses. */
static void say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		test_note("/dev/kmsg: %s", strerror(errno));
}

void kmsg_mark(const char *name)
{
	char line[256];

	if (log_fd < 0)
		log_fd = open("/dev/kmsg", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (log_fd < 0)
		return;
	snprintf(line, sizeof(line), MARK "%s: %s\n",
		 program_invocation_short_name, name);
	say(log_fd, line);
	lseek(log_fd, 0, SEEK_END);
}

/* One record is "level,number,time,flags;text". EPIPE: the buffer wrapped. */
static bool next_line(int fd, char *line, size_t size)
{
	ssize_t len;

	do {
		len = read(fd, line, size - 1);
	} while (len < 0 && (errno == EPIPE || errno == EINTR));
	if (len <= 0)
		return false;
	line[len] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return true;
}

static const char *text_of(const char *line)
{
	const char *text = strchr(line, ';');

	return text ? text + 1 : line;
}

static bool is_fault(const char *text)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(faults); i++) {
		if (strstr(text, faults[i]))
			return true;
	}
	return false;
}

bool kmsg_faults(void)
{
	unsigned int follow = 0;
	bool found = false;
	char line[2048];

	while (log_fd >= 0 && next_line(log_fd, line, sizeof(line))) {
		if (is_fault(text_of(line))) {
			found = true;
			follow = 25;
		}
		if (!follow)
			continue;
		follow--;
		test_note("kernel: %s", text_of(line));
	}
	return found;
}

/*
 * The child shares the file position with the runner, which still has to read
 * everything: look through a descriptor of our own, opened at the mark.
 */
bool kmsg_has(const char *text)
{
	char line[2048];
	bool found = false;
	int fd;

	fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	while (fd >= 0 && next_line(fd, line, sizeof(line))) {
		if (!strncmp(text_of(line), MARK, strlen(MARK)))
			found = false;
		else if (strstr(text_of(line), text))
			found = true;
	}
	if (fd >= 0)
		close(fd);
	return found;
}

void kmsg_dump_blocked(void)
{
	int fd = open("/proc/sysrq-trigger", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	say(fd, "w");
	close(fd);
	sleep(1);
}
