/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What knows nothing of devices: text, files, attributes, signals, the log.
 * Functions that return int answer 0 or -errno, unless they say otherwise.
 */
#ifndef VFIOCTL_UTIL_H
#define VFIOCTL_UTIL_H

#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))
#define PRINTF(f, a)	__attribute__((format(printf, f, a)))

#define NAME_LEN	128	/* of a driver, module, interface, ... */
#define TEXT_LEN	512	/* a sentence for people */

/* text.c: messages, checked numbers and names */

void complain(const char *format, ...) PRINTF(1, 2);
/* Like snprintf(), for what is known to fit, or may be cut. */
void print_to(char *text, size_t size, const char *format, ...) PRINTF(3, 4);
void append_to(char *text, size_t size, const char *format, ...) PRINTF(3, 4);
void copy_text(char *text, size_t size, const char *from);
int copy_name(char name[NAME_LEN], const char *text);
bool name_good(const char *text);
bool text_good(const char *text);
int number_parse(uint64_t *value, const char *text);
int hex_parse(uint64_t *value, const char *text, unsigned int digits);
void *grow(void *array, size_t nr, size_t size);

struct names {
	char **v;
	size_t nr;
};

void names_add(struct names *names, const char *text);
bool names_have(const struct names *names, const char *text);
void names_free(struct names *names);

/* file.c: reading below the root; paths are formats, absolute as on a system */

int root_set(const char *dir);
const char *root(void);
int path_print(char path[PATH_MAX], const char *format, va_list args);
bool path_exists(const char *format, ...) PRINTF(1, 2);
int file_text(char *text, size_t size, const char *format, ...) PRINTF(3, 4);
int file_number(uint64_t *value, const char *format, ...) PRINTF(2, 3);
FILE *file_stream(const char *format, ...) PRINTF(1, 2);
int file_bytes(void *bytes, size_t size, const char *format, ...) PRINTF(3, 4);
int link_name(char name[NAME_LEN], const char *format, ...) PRINTF(2, 3);
int real_path(char path[PATH_MAX], const char *format, ...) PRINTF(2, 3);
int dir_names(struct names *names, const char *format, ...) PRINTF(2, 3);
int node_number(const char *path, char kind, unsigned long *number);

/* install.c: files of vfioctl's own, below the root too */

int file_install(const char *path, const char *text, unsigned int mode);
int file_remove(const char *path);

/* kernel.c: everything that changes the kernel's mind */

/**
 * struct kernel_ops - the write side, which tests replace
 * @write:	write @text to the attribute at @path (below the root) at once
 * @load:	load a module with what it depends on
 */
struct kernel_ops {
	int (*write)(const char *path, const char *text);
	int (*load)(const char *module);
};

extern struct kernel_ops kernel;

int kernel_write(const char *text, const char *format, ...) PRINTF(2, 3);
/* One vfioctl at a time changes things; -1 or what to close when done. */
int kernel_lock(void);

/* signal.c: an interruption is a failure to recover from, not an end */

void signals_hold(void);
void signals_release(void);
int signal_pending(void);

/* kmsg.c: what the kernel says about a device while something is tried */

int kmsg_open(void);
void kmsg_find(char *text, size_t size, int fd, const char *bdf);

#endif
