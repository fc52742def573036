/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A machine made of files: /sys, /proc, /dev, /lib/modules below a folder in
 * /tmp, and a kernel that reacts to what is written there.
 */
#ifndef VFIOCTL_TESTS_TREE_H
#define VFIOCTL_TESTS_TREE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../vfioctl.h"

/* tree.c: files, links, devices, modules */

/**
 * struct spec - a PCI function to make up
 * @home:	host driver that takes it, or NULL
 * @bound:	driver that has it at first, or NULL
 * @group:	IOMMU group, or -1
 * @header:	type of its header
 * @max_vfs:	how many virtual functions it may have
 * @virtual:	whether it is one, whose configuration space hides its ids
 */
struct spec {
	const char *bdf;
	uint16_t vendor;
	uint16_t device;
	uint32_t class;
	const char *home;
	const char *bound;
	int group;
	uint8_t header;
	unsigned int max_vfs;
	bool virtual;
};

void tree_open(void);
void tree_close(void);
void tree_file(const char *path, const char *format, ...) PRINTF(2, 3);
void tree_append(const char *path, const char *text);
void tree_link(const char *path, const char *target);
void tree_folder(const char *path);
void tree_remove(const char *path);
const char *tree_path(const char *path);
/* Text of a file, in static memory; "" if there is none. */
const char *tree_text(const char *path);
void tree_device(const struct spec *spec);
void tree_driver(const char *name, const char *module);
void tree_bind(const char *bdf, const char *driver);
void tree_unbind(const char *bdf);
/* A name below a device and in a class: "net/eth0" and /sys/class/net/eth0. */
void tree_class(const char *bdf, const char *class, const char *name);
/* Process @pid has @target open under the name @node. */
void tree_open_file(int pid, const char *comm, const char *node, const char *target);

/* modules.c: files that the real depmod and libkmod take for modules */

/* @info: "key=value" strings, up to NULL */
void tree_module(const char *name, const char * const *info);
void tree_depmod(void);

/* machine.c: the machine that most tests begin with */

extern const struct spec machine[];
extern const size_t machine_size;
int machine_setup(void **state);
int machine_teardown(void **state);
/* Drivers and overrides of all functions: keep them, and compare later. */
void machine_remember(void);
void machine_unchanged(void);

/* fake.c: the kernel */

/**
 * struct fake - how the kernel behaves
 * @calls:	writes and loads so far
 * @fail_at:	which call fails, counted from 1, and nothing happens
 * @vanish_at:	at which call the device @victim goes away
 * @signal_at:	at which call somebody presses Ctrl-C
 * @refuses:	driver whose probe fails, with @error and a line in the log
 * @adding:	at which call of "bind" it has added the device, and bound it itself;
 *		until then no driver matches
 * @log:	what was written, "path text\n" each
 */
struct fake {
	unsigned int calls;
	unsigned int fail_at;
	unsigned int vanish_at;
	unsigned int signal_at;
	const char *victim;
	const char *refuses;
	int error;
	unsigned int adding;
	char log[8192];
};

extern struct fake fake;
void fake_start(void);

/* run.c: vfioctl itself */

/**
 * struct run - what a run of vfioctl left
 * @status:	exit status
 */
struct run {
	int status;
	char out[65536];
	char err[16384];
};

extern struct run run;
int vfioctl_main(int argc, char **argv);
/* Words up to NULL; exit status, the rest is in @run. */
int vfioctl(const char *word, ...);
/* The same with --json: the one table that came, as jansson's array. */
struct json_t *vfioctl_json(const char *word, ...);
/* String at @key of row @row; fails if there is none. */
const char *row_text(struct json_t *table, size_t row, const char *key);

#define assert_contains(text, part)	assert_has(text, part, true, __FILE__, __LINE__)
#define assert_lacks(text, part)	assert_has(text, part, false, __FILE__, __LINE__)
void assert_has(const char *text, const char *part, bool has, const char *file, int line);

#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, machine_setup, machine_teardown)

#endif
