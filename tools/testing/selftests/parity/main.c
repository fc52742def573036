// SPDX-License-Identifier: GPL-2.0-only
/*
 * Observe every device of the lab and print the record.
 *
 * Resets sleep, so devices are observed at the same time, each by a process of
 * its own that writes a file; the files are printed in the order of the table.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/run.h"
#include "parity.h"

/* The library's checks count failures here. */
static struct test_shared shared;
struct test_shared *test_shared = &shared;

static const struct {
	const char *name;
	void (*run)(struct subject *s);
} areas[] = {
	{ "open", probe_open },
	{ "info", probe_info },
	{ "config-read", probe_config_read },
	{ "config-write", probe_config_write },
	{ "config-irqs", probe_config_irqs },
	{ "bars", probe_bars },
	{ "off", probe_off },
	{ "rom-vga", probe_rom_vga },
	{ "pointers", probe_pointers },
	{ "irqs", probe_irqs },
	{ "mmap", probe_mmap },
	{ "feature", probe_feature },
	{ "ioeventfd", probe_ioeventfd },
	{ "reset", probe_reset },
	{ "random", probe_random },
};

static char **patterns;

static bool wanted(const char *name)
{
	char **pattern;

	for (pattern = patterns; *pattern; pattern++) {
		if (!strcmp(*pattern, name))
			return true;
	}
	return !*patterns;
}

static const char *record_name(const struct kind *kind)
{
	return kind->vf ? "igbvf" : kind->name;
}

static void file_name(char path[64], const struct kind *kind)
{
	snprintf(path, 64, "/tmp/%s.record", record_name(kind));
}

static void observe_device(const struct kind *kind)
{
	static struct subject subject;
	struct timespec start, end;
	unsigned int i;

	record_device(record_name(kind));
	subject_init(&subject, kind);
	for (i = 0; i < ARRAY_SIZE(areas); i++) {
		if (!wanted(areas[i].name))
			continue;
		clock_gettime(CLOCK_MONOTONIC, &start);
		record_area(areas[i].name);
		subject_open(&subject);
		areas[i].run(&subject);
		subject_close(&subject);
		clock_gettime(CLOCK_MONOTONIC, &end);
		fprintf(stderr, "# %s %s: %ld s\n", record_name(kind), areas[i].name,
			end.tv_sec - start.tv_sec);
	}
	fflush(stdout);
}

static int device_process(const struct kind *kind)
{
	char path[64];
	int status;
	pid_t pid = fork();

	if (!pid) {
		file_name(path, kind);
		if (!freopen(path, "w", stdout))
			_exit(1);
		observe_device(kind);
		_exit(shared.failures ? 1 : 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return status;
}

/* Devices of one group of hardware one after the other, in one process. */
static int group_process(unsigned int group)
{
	const char *only = getenv("PARITY_DEVICE");
	unsigned int i;
	int status;

	for (i = 0; i < kinds_count; i++) {
		if (kinds[i].group != group)
			continue;
		if (only && strcmp(only, record_name(&kinds[i])))
			continue;
		status = device_process(&kinds[i]);
		if (!status)
			continue;
		fprintf(stderr, "# %s: status %#x\n", record_name(&kinds[i]), status);
		return 1;
	}
	return 0;
}

static int all_groups(void)
{
	unsigned int group, last = kinds[kinds_count - 1].group;
	int failed = 0, status;

	for (group = 0; group <= last; group++) {
		if (!fork())
			_exit(group_process(group));
	}
	while (wait(&status) > 0)
		failed |= status;
	return failed ? 1 : 0;
}

static void print_file(const struct kind *kind)
{
	static char data[1 << 16];
	char path[64];
	ssize_t len;
	int fd;

	file_name(path, kind);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	while ((len = read(fd, data, sizeof(data))) > 0)
		fwrite(data, 1, len, stdout);
	close(fd);
	unlink(path);
}

int main(int argc, char **argv)
{
	unsigned int i;
	int failed;

	(void)argc;
	patterns = argv + 1;
	failed = all_groups();
	for (i = 0; i < kinds_count; i++)
		print_file(&kinds[i]);
	printf("end %s\n", failed ? "failed" : "complete");
	fflush(stdout);
	return failed;
}
