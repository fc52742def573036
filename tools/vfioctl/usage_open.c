// SPDX-License-Identifier: GPL-2.0-only
/*
 * Processes that have something of a device open: its nodes in /dev, its VFIO
 * group, its resources in sysfs.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "vfioctl.h"

/**
 * struct holder - an open file
 * @who:	"qemu-system-x86 (4711)"
 * @node:	what it has open, as the process calls it
 * @path:	where that is in /sys/devices
 */
struct holder {
	char who[NAME_LEN];
	char node[256];
	char path[512];
};

struct holders {
	struct holder *v;
	size_t nr;
	bool complete;
};

/* Folder of a node's device in sysfs; resources of functions are files of it. */
static int holder_path(char path[512], const char *file, const char *node)
{
	char found[PATH_MAX];
	struct stat st;
	int ret;

	if (!strncmp(node, "/sys/devices/", 13) && strstr(node, "/resource")) {
		copy_text(found, sizeof(found), node);
	} else {
		if (stat(file, &st) || !(S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)))
			return -ENOTTY;
		ret = real_path(found, "/sys/dev/%s/%u:%u",
				S_ISCHR(st.st_mode) ? "char" : "block", major(st.st_rdev),
				minor(st.st_rdev));
		if (ret)
			return ret;
	}
	if (strlen(found) >= 512)
		return -ENAMETOOLONG;
	copy_text(path, 512, found);
	return 0;
}

static void add_file(struct holders *all, const char *who, const char *file)
{
	struct holder holder = {};
	ssize_t len;

	len = readlink(file, holder.node, sizeof(holder.node) - 1);
	if (len < 0 || holder.node[0] != '/')
		return;
	if (holder_path(holder.path, file, holder.node))
		return;
	print_to(holder.who, sizeof(holder.who), "%s", who);
	all->v = grow(all->v, all->nr + 1, sizeof(*all->v));
	all->v[all->nr++] = holder;
}

static void add_process(struct holders *all, const char *pid)
{
	char folder[PATH_MAX], file[PATH_MAX], comm[64], who[NAME_LEN];
	struct dirent *entry;
	DIR *dir;

	print_to(folder, sizeof(folder), "%s/proc/%s/fd", root(), pid);
	dir = opendir(folder);
	if (!dir) {
		all->complete &= errno == ENOENT || errno == ESRCH;
		return;
	}
	if (file_text(comm, sizeof(comm), "/proc/%s/comm", pid))
		copy_text(comm, sizeof(comm), "?");
	print_to(who, sizeof(who), "%s (%s)", comm, pid);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		print_to(file, sizeof(file), "%s/proc/%s/fd/%.20s", root(), pid, entry->d_name);
		add_file(all, who, file);
	}
	closedir(dir);
}

struct holders *holders_take(void)
{
	struct holders *all = grow(NULL, 1, sizeof(*all));
	struct names processes;
	char self[32];
	size_t i;

	*all = (struct holders){ .complete = true };
	print_to(self, sizeof(self), "%d", getpid());
	if (dir_names(&processes, "/proc"))
		all->complete = false;
	for (i = 0; i < processes.nr; i++) {
		if (isdigit((unsigned char)processes.v[i][0]) && strcmp(processes.v[i], self))
			add_process(all, processes.v[i]);
	}
	names_free(&processes);
	return all;
}

void holders_free(struct holders *all)
{
	if (all)
		free(all->v);
	free(all);
}

bool holders_complete(const struct holders *all)
{
	return all->complete;
}

static bool is_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return !strncmp(path, folder, len) && (!path[len] || path[len] == '/');
}

static bool of_device(const struct holder *holder, const struct device *dev)
{
	return is_below(holder->path, dev->path);
}

static bool of_disks(const struct holder *holder, const struct names *disks)
{
	bool is = false;
	size_t i;

	for (i = 0; i < disks->nr; i++)
		is |= is_below(holder->path, disks->v[i]);
	return is;
}

/* Folders of the disks that are elsewhere in sysfs. */
static void shared_folders(struct names *folders, const struct device *dev)
{
	struct names disks = {};
	char path[PATH_MAX];
	size_t i;

	*folders = (struct names){};
	add_shared_disks(&disks, dev);
	for (i = 0; i < disks.nr; i++) {
		if (!real_path(path, "/sys/class/block/%s", disks.v[i]))
			names_add(folders, path);
	}
	names_free(&disks);
}

/* "/sys/devices/virtual/vfio/7", or "noiommu-7" there. */
static bool of_group(const struct holder *holder, const struct device *dev)
{
	static const char folder[] = "/sys/devices/virtual/vfio/";
	const char *name = holder->path + strlen(folder);
	uint64_t group;

	if (!dev->vfio || strncmp(holder->path, folder, strlen(folder)))
		return false;
	if (!strncmp(name, "noiommu-", 8))
		name += 8;
	return !number_parse(&group, name) && dev->group >= 0 && group == (uint64_t)dev->group;
}

/* Once for each process and node, however often it has it open. */
static void add_holder(struct reasons *list, const struct holder *holder)
{
	char text[TEXT_LEN];
	size_t i;

	print_to(text, sizeof(text), "%s is open in %s", holder->node, holder->who);
	for (i = 0; i < list->nr; i++) {
		if (!strcmp(list->v[i].text, text))
			return;
	}
	reason_add(list, "open", "%s", text);
}

void open_usage(struct reasons *list, const struct holders *all, const struct device *dev)
{
	const struct holder *holder;
	struct names disks;
	size_t i;

	shared_folders(&disks, dev);
	for (i = 0; i < all->nr; i++) {
		holder = &all->v[i];
		if (of_device(holder, dev) || of_group(holder, dev) || of_disks(holder, &disks))
			add_holder(list, holder);
	}
	names_free(&disks);
}

void vfio_holders(struct names *who, const struct holders *all, const struct device *dev)
{
	size_t i;

	*who = (struct names){};
	for (i = 0; i < all->nr; i++) {
		if ((of_group(&all->v[i], dev) ||
		     (of_device(&all->v[i], dev) && strstr(all->v[i].path, "/vfio-dev/"))) &&
		    !names_have(who, all->v[i].who))
			names_add(who, all->v[i].who);
	}
}
