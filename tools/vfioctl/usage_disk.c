// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disks of a device that are mounted, swapped on, or part of something (a mapping,
 * an array, a volume) that is.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "vfioctl.h"

#define MOST_LEVELS	8	/* of volumes on arrays on mappings on ... */

/**
 * struct disk - a block device on the way up from the one that is asked about
 * @name:	as in /sys/class/block
 * @chain:	how it is said: "sda2, of which dm-0 is made"
 * @number:	st_rdev of its node
 */
struct disk {
	char name[NAME_LEN];
	char chain[TEXT_LEN / 2];
	unsigned long number;
	unsigned int level;
};

static int disk_number(unsigned long *number, const char *name)
{
	unsigned int major, minor;
	char text[64];
	int ret;

	ret = file_text(text, sizeof(text), "/sys/class/block/%s/dev", name);
	if (ret)
		return ret;
	if (sscanf(text, "%u:%u", &major, &minor) != 2)
		return -EBADMSG;
	*number = makedev(major, minor);
	return 0;
}

/* A path in /dev may be a link: what counts is the number behind it. */
static bool same_disk(const struct disk *disk, const char *node)
{
	char path[PATH_MAX];
	unsigned long number;

	if (!strncmp(node, "/dev/", 5) && !strcmp(node + 5, disk->name))
		return true;
	print_to(path, sizeof(path), "%s%s", root(), node);
	return node[0] == '/' && !node_number(path, 'b', &number) && number == disk->number;
}

static void mount_usage(struct reasons *list, const struct disk *disk)
{
	char point[256], source[256];
	unsigned int major, minor;
	char *line = NULL, *rest;
	size_t size = 0;
	FILE *file;

	file = file_stream("/proc/self/mountinfo");
	while (file && getline(&line, &size, file) > 0) {
		rest = strstr(line, " - ");
		if (!rest || sscanf(line, "%*u %*u %u:%u %*s %255s", &major, &minor, point) != 3 ||
		    sscanf(rest, " - %*s %255s", source) != 1)
			continue;
		if (makedev(major, minor) == disk->number || same_disk(disk, source)) {
			reason_add(list, "mount", "%s is mounted on %s", disk->chain, point);
			break;
		}
	}
	free(line);
	if (file)
		fclose(file);
}

static void swap_usage(struct reasons *list, const struct disk *disk)
{
	char *line = NULL;
	char node[256];
	size_t size = 0;
	FILE *file;

	file = file_stream("/proc/swaps");
	while (file && getline(&line, &size, file) > 0) {
		if (sscanf(line, "%255s", node) == 1 && same_disk(disk, node))
			reason_add(list, "swap", "%s is swap space in use", disk->chain);
	}
	free(line);
	if (file)
		fclose(file);
}

/*
 * What has no name here (a file system of another namespace, a pool, a member of
 * a volume of several disks) shows as a holder that excludes others.
 */
static void exclusive_usage(struct reasons *list, const struct disk *disk)
{
	unsigned long number;
	char path[PATH_MAX];
	int fd;

	print_to(path, sizeof(path), "%s/dev/%s", root(), disk->name);
	if (node_number(path, 'b', &number) || number != disk->number)
		return;
	fd = open(path, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	else if (errno == EBUSY)
		reason_add(list, "disk", "%s is part of a file system, array or volume in use",
			   disk->chain);
}

static void one_usage(struct reasons *list, const struct disk *disk)
{
	size_t before = list->nr;

	mount_usage(list, disk);
	swap_usage(list, disk);
	if (list->nr == before)
		exclusive_usage(list, disk);
}

/* Level by level, because a stack of volumes may be deep, or a circle in a bad tree. */
static void stack_usage(struct reasons *list, const struct disk *bottom)
{
	struct disk *todo = grow(NULL, 1, sizeof(*todo));
	struct disk upper;
	struct names holders;
	size_t nr = 1, i, k;

	todo[0] = *bottom;
	for (i = 0; i < nr; i++) {
		one_usage(list, &todo[i]);
		if (todo[i].level == MOST_LEVELS ||
		    dir_names(&holders, "/sys/class/block/%s/holders", todo[i].name))
			continue;
		for (k = 0; k < holders.nr; k++) {
			upper = (struct disk){ .level = todo[i].level + 1 };
			if (copy_name(upper.name, holders.v[k]) ||
			    disk_number(&upper.number, upper.name))
				continue;
			print_to(upper.chain, sizeof(upper.chain), "%s (on %.160s)", upper.name,
				 todo[i].chain);
			todo = grow(todo, nr + 1, sizeof(*todo));
			todo[nr++] = upper;
		}
		names_free(&holders);
	}
	free(todo);
}

/* With several paths to a disk, the disk belongs to none of the controllers. */
void add_shared_disks(struct names *disks, const struct device *dev)
{
	struct names controllers, subsystems, entries;
	size_t i, k;
	bool ours;

	class_members(&controllers, "nvme", dev);
	if (!controllers.nr || dir_names(&subsystems, "/sys/class/nvme-subsystem"))
		subsystems = (struct names){};
	for (i = 0; i < subsystems.nr; i++) {
		if (dir_names(&entries, "/sys/class/nvme-subsystem/%s", subsystems.v[i]))
			continue;
		ours = false;
		for (k = 0; k < controllers.nr; k++)
			ours |= names_have(&entries, controllers.v[k]);
		for (k = 0; ours && k < entries.nr; k++) {
			if (path_exists("/sys/class/block/%s/dev", entries.v[k]) &&
			    !names_have(disks, entries.v[k]))
				names_add(disks, entries.v[k]);
		}
		names_free(&entries);
	}
	names_free(&subsystems);
	names_free(&controllers);
}

/* Partitions of a shared disk are below it, not below the device. */
static void add_partitions(struct names *disks)
{
	struct names entries;
	size_t i, k, nr = disks->nr;

	for (i = 0; i < nr; i++) {
		if (dir_names(&entries, "/sys/class/block/%s", disks->v[i]))
			continue;
		for (k = 0; k < entries.nr; k++) {
			if (path_exists("/sys/class/block/%s/partition", entries.v[k]) &&
			    !names_have(disks, entries.v[k]))
				names_add(disks, entries.v[k]);
		}
		names_free(&entries);
	}
}

void disk_usage(struct reasons *list, const struct device *dev)
{
	struct names disks;
	struct disk disk;
	size_t i;

	class_members(&disks, "block", dev);
	add_shared_disks(&disks, dev);
	add_partitions(&disks);
	for (i = 0; i < disks.nr; i++) {
		disk = (struct disk){};
		if (copy_name(disk.name, disks.v[i]) || disk_number(&disk.number, disk.name))
			continue;
		print_to(disk.chain, sizeof(disk.chain), "%s", disk.name);
		stack_usage(list, &disk);
	}
	names_free(&disks);
}
