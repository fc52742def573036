// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files of vfioctl's own: whole or not at all.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util.h"

static int make_folders(char *path)
{
	char *slash = path + strlen(root());

	while ((slash = strchr(slash + 1, '/'))) {
		*slash = '\0';
		if (mkdir(path, 0755) && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}

static int write_file(const char *path, const char *text, unsigned int mode)
{
	ssize_t len = strlen(text);
	int fd, ret = 0;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return -errno;
	if (write(fd, text, len) != len || fsync(fd))
		ret = -EIO;
	close(fd);
	return ret;
}

int file_install(const char *path, const char *text, unsigned int mode)
{
	char whole[PATH_MAX], part[PATH_MAX + 8];
	int ret;

	print_to(whole, sizeof(whole), "%s%s", root(), path);
	print_to(part, sizeof(part), "%s.new", whole);
	ret = make_folders(whole);
	if (!ret)
		ret = write_file(part, text, mode);
	if (!ret && rename(part, whole))
		ret = -errno;
	if (ret)
		unlink(part);
	return ret;
}

int file_remove(const char *path)
{
	char whole[PATH_MAX];

	print_to(whole, sizeof(whole), "%s%s", root(), path);
	return unlink(whole) ? -errno : 0;
}
