// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything that changes the kernel's state goes through here, so that tests
 * can play the kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "vfioctl.h"

/*
 * One write() and no more: an attribute takes its value at once. Not ended by a
 * signal, because undoing goes on after one.
 */
static int attribute_write(const char *path, const char *text)
{
	ssize_t len = strlen(text);
	ssize_t put;
	int ret = 0;
	int fd;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	do {
		put = write(fd, text, len);
	} while (put < 0 && errno == EINTR);
	if (put < 0)
		ret = -errno;
	else if (put != len)
		ret = -EIO;
	close(fd);
	return ret;
}

struct kernel_ops kernel = {
	.write = attribute_write,
	.load = module_load,
};

int kernel_write(const char *text, const char *format, ...)
{
	char path[PATH_MAX];
	va_list args;
	int ret;

	va_start(args, format);
	ret = path_print(path, format, args);
	va_end(args);
	return ret ? ret : kernel.write(path, text);
}

int kernel_lock(void)
{
	char path[PATH_MAX];
	int fd;

	print_to(path, sizeof(path), "%s/sys/bus/pci", root());
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return fd;
	complain("another vfioctl is at work; waiting for it");
	while (flock(fd, LOCK_EX) && errno == EINTR && !signal_pending())
		;
	return fd;
}
