// SPDX-License-Identifier: GPL-2.0-only
/*
 * The machine around the device: environment, modules, QEMU's monitor.
 */
#include <ctype.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lab.h"
#include "tap.h"

const char *lab_bdf(const char *name)
{
	const char *bdf;
	char var[64];
	size_t i;

	snprintf(var, sizeof(var), "LAB_%s", name);
	for (i = 0; var[i]; i++)
		var[i] = toupper((unsigned char)var[i]);
	bdf = getenv(var);
	if (!bdf)
		SKIP("the lab was started without %s", name);
	return bdf;
}

void lab_neighbour(char out[BDF_LEN], const char *bdf, unsigned int slot,
		   unsigned int fn)
{
	snprintf(out, BDF_LEN, "%.8s%02x.%x", bdf, slot & 0x1f, fn & 7);
}

bool lab_stock(void)
{
	const char *modules = getenv("LAB_MODULES");

	return modules && !strcmp(modules, "stock") && !getenv("LAB_DARE");
}

int file_write(const char *path, const char *text)
{
	ssize_t len;
	int fd, ret;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = write(fd, text, strlen(text));
	ret = len < 0 ? -errno : 0;
	close(fd);
	return ret;
}

int file_read(const char *path, char *text, size_t size)
{
	ssize_t len;
	int fd, ret;

	text[0] = '\0';
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = read(fd, text, size - 1);
	ret = len < 0 ? -errno : 0;
	close(fd);
	if (ret)
		return ret;
	text[len] = '\0';
	if (len && text[len - 1] == '\n')
		text[len - 1] = '\0';
	return 0;
}

int lab_command(const char *format, ...)
{
	char line[512];
	va_list args;
	int status;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	status = system(line);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

int module_load(const char *name, const char *options)
{
	return lab_command("modprobe %s %s", name, options ? options : "");
}

int module_unload(const char *name)
{
	return lab_command("rmmod %s", name);
}

bool module_loaded(const char *name)
{
	char path[128];
	size_t i;

	snprintf(path, sizeof(path), "/sys/module/%s", name);
	for (i = strlen("/sys/module/"); path[i]; i++) {
		if (path[i] == '-')
			path[i] = '_';
	}
	return !access(path, F_OK);
}

/* The distribution's module reads its parameters when it is loaded, only then. */
void module_with(const char *parameter, const char *value)
{
	char path[128], now[8], option[64];

	snprintf(path, sizeof(path), "/sys/module/vfio_pci/parameters/%s",
		 parameter);
	ASSERT_EQ(file_read(path, now, sizeof(now)), 0);
	if (!strcmp(now, value))
		return;
	snprintf(option, sizeof(option), "%s=%s", parameter, value);
	ASSERT_EQ(module_unload("vfio_pci"), 0);
	ASSERT_EQ(module_load("vfio-pci", option), 0);
}

/*
 * Asked after each command: the answer is no part of the question, which is echoed,
 * so all is there that was to come, the greeting of a first time included.
 */
#define LAST_COMMAND	"print/d 40000 + 2"
#define LAST_ANSWER	"\n40002"

static void monitor_read(int fd, char *text, size_t size)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	size_t used = 0;
	ssize_t len;

	text[0] = '\0';
	while (used + 1 < size && !strstr(text, LAST_ANSWER)) {
		if (poll(&wait, 1, test_patience(5000)) <= 0)
			FAIL("QEMU's monitor does not answer");
		len = read(fd, text + used, size - 1 - used);
		ASSERT(len > 0);
		used += len;
		text[used] = '\0';
	}
}

const char *lab_monitor(const char *command)
{
	static char text[16384];
	const char *port = getenv("LAB_MONITOR");
	int fd;

	if (!port)
		SKIP("the lab was started without a monitor");
	fd = open(port, O_RDWR | O_CLOEXEC);
	ASSERT_OK(fd);
	dprintf(fd, "%s\n" LAST_COMMAND "\n", command);
	monitor_read(fd, text, sizeof(text));
	close(fd);
	return text;
}
