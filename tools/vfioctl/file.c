// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reading files, links and folders. Every path is a format, absolute as on a
 * running system, and taken below the root that --sysroot names. What is read is
 * checked: its length, that it is text, that a number is one.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util.h"

static char root_dir[PATH_MAX];

int root_set(const char *dir)
{
	char path[PATH_MAX];

	root_dir[0] = '\0';
	if (!dir)
		return 0;
	if (!realpath(dir, path))
		return -errno;
	if (strcmp(path, "/"))
		copy_text(root_dir, sizeof(root_dir), path);
	return 0;
}

const char *root(void)
{
	return root_dir;
}

int path_print(char path[PATH_MAX], const char *format, va_list args)
{
	size_t len = strlen(root_dir);
	int ret;

	memcpy(path, root_dir, len);
	ret = vsnprintf(path + len, PATH_MAX - len, format, args);
	return ret < 0 || (size_t)ret >= PATH_MAX - len ? -ENAMETOOLONG : 0;
}

static int open_args(int flags, const char *format, va_list args)
{
	char path[PATH_MAX];
	int ret;

	ret = path_print(path, format, args);
	if (ret)
		return ret;
	ret = open(path, flags | O_CLOEXEC);
	return ret < 0 ? -errno : ret;
}

bool path_exists(const char *format, ...)
{
	char path[PATH_MAX];
	va_list args;
	int ret;

	va_start(args, format);
	ret = path_print(path, format, args);
	va_end(args);
	return !ret && !access(path, F_OK);
}

/* Up to @size bytes; how many came. A device that is gone answers ENODEV or EIO. */
static ssize_t read_all(int fd, void *bytes, size_t size)
{
	size_t len = 0;
	ssize_t got;

	while (len < size) {
		got = read(fd, (char *)bytes + len, size - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			break;
		len += got;
	}
	return len;
}

int file_text(char *text, size_t size, const char *format, ...)
{
	va_list args;
	ssize_t len;
	int fd;

	va_start(args, format);
	fd = open_args(O_RDONLY, format, args);
	va_end(args);
	if (fd < 0)
		return fd;
	len = read_all(fd, text, size);
	close(fd);
	if (len < 0)
		return len;
	if ((size_t)len == size)
		return -EFBIG;
	text[len] = '\0';
	if (strlen(text) != (size_t)len || !text_good(text))
		return -EBADMSG;
	if (len && text[len - 1] == '\n')
		text[len - 1] = '\0';
	return 0;
}

int file_number(uint64_t *value, const char *format, ...)
{
	char path[PATH_MAX], text[64];
	va_list args;
	int ret;

	va_start(args, format);
	ret = vsnprintf(path, sizeof(path), format, args);
	va_end(args);
	if (ret < 0 || (size_t)ret >= sizeof(path))
		return -ENAMETOOLONG;
	ret = file_text(text, sizeof(text), "%s", path);
	return ret ? ret : number_parse(value, text);
}

/* For tables of the kernel, line by line; NULL and errno. */
FILE *file_stream(const char *format, ...)
{
	va_list args;
	int fd;

	va_start(args, format);
	fd = open_args(O_RDONLY, format, args);
	va_end(args);
	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	return fdopen(fd, "r");
}

/* Exactly @size bytes. */
int file_bytes(void *bytes, size_t size, const char *format, ...)
{
	va_list args;
	ssize_t len;
	int fd;

	va_start(args, format);
	fd = open_args(O_RDONLY, format, args);
	va_end(args);
	if (fd < 0)
		return fd;
	len = read_all(fd, bytes, size);
	close(fd);
	if (len < 0)
		return len;
	return (size_t)len == size ? 0 : -ENODATA;
}

/* The last part of where a link leads. */
int link_name(char name[NAME_LEN], const char *format, ...)
{
	char path[PATH_MAX], target[PATH_MAX];
	va_list args;
	ssize_t len;
	char *slash;
	int ret;

	va_start(args, format);
	ret = path_print(path, format, args);
	va_end(args);
	if (ret)
		return ret;
	len = readlink(path, target, sizeof(target));
	if (len < 0)
		return -errno;
	if (len == sizeof(target))
		return -ENAMETOOLONG;
	target[len] = '\0';
	slash = strrchr(target, '/');
	return copy_name(name, slash ? slash + 1 : target);
}

/* Where a path leads, all links followed; seen from the root, and in it. */
int real_path(char path[PATH_MAX], const char *format, ...)
{
	char asked[PATH_MAX], found[PATH_MAX];
	size_t len = strlen(root_dir);
	va_list args;
	int ret;

	va_start(args, format);
	ret = path_print(asked, format, args);
	va_end(args);
	if (ret)
		return ret;
	if (!realpath(asked, found))
		return -errno;
	if (strncmp(found, root_dir, len) || found[len] != '/')
		return -EXDEV;
	copy_text(path, PATH_MAX, found + len);
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What is in a folder, sorted; a name that cannot be one of sysfs is left out. */
int dir_names(struct names *names, const char *format, ...)
{
	struct dirent *entry;
	va_list args;
	DIR *dir;
	int fd;

	*names = (struct names){};
	va_start(args, format);
	fd = open_args(O_RDONLY | O_DIRECTORY, format, args);
	va_end(args);
	if (fd < 0)
		return fd;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -errno;
	}
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] != '.' && name_good(entry->d_name))
			names_add(names, entry->d_name);
	}
	closedir(dir);
	if (names->nr)
		qsort(names->v, names->nr, sizeof(*names->v), compare_names);
	return 0;
}

/* st_rdev of a node in /dev; @kind is 'b' or 'c'. */
int node_number(const char *path, char kind, unsigned long *number)
{
	struct stat st;

	if (stat(path, &st))
		return -errno;
	if (kind == 'b' ? !S_ISBLK(st.st_mode) : !S_ISCHR(st.st_mode))
		return -ENOTTY;
	*number = st.st_rdev;
	return 0;
}
