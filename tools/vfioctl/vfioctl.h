/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of vfioctl offer each other, file by file. Functions that
 * return int answer 0 or -errno, unless they say otherwise.
 */
#ifndef VFIOCTL_H
#define VFIOCTL_H

#include "util.h"

#define BDF_LEN		24	/* "10000:e1:00.0": a domain may be longer than four */
#define ALIAS_LEN	128

/* Exit status of the program */
enum {
	EXIT_DONE,
	EXIT_FAILED,
	EXIT_USAGE,
};

/* device.c: a PCI function as sysfs shows it */

/**
 * struct device - one PCI function
 * @bdf:	its address, as in sysfs
 * @path:	its folder, with no link in it
 * @modalias:	"pci:v...", checked against the ids
 * @driver:	what it is bound to, or ""
 * @override:	driver_override, or ""
 * @pf:		address of the physical function of a virtual one, or ""
 * @class:	base class, sub-class, interface: 24 bits
 * @group:	IOMMU group, or -1
 * @vfs:	virtual functions that are enabled
 * @max_vfs:	and how many there may be: 0 unless it has SR-IOV
 * @vfio:	whether a VFIO driver has it
 * @bridge:	whether its header is not that of an endpoint
 */
struct device {
	char bdf[BDF_LEN];
	char path[512];
	char modalias[ALIAS_LEN];
	char driver[NAME_LEN];
	char override[NAME_LEN];
	char pf[BDF_LEN];
	uint16_t vendor;
	uint16_t device;
	uint32_t class;
	int group;
	unsigned int vfs;
	unsigned int max_vfs;
	bool vfio;
	bool bridge;
};

struct devices {
	struct device *v;
	size_t nr;
};

#define PCI_DEVICES	"/sys/bus/pci/devices"
#define PCI_DRIVERS	"/sys/bus/pci/drivers"

int bdf_parse(char bdf[BDF_LEN], const char *text);
int id_parse(uint16_t *vendor, uint16_t *device, const char *text);
int device_read(struct device *dev, const char *bdf);
/* Driver that has the device now; "" if none has. */
int device_driver(char driver[NAME_LEN], const char *bdf);
/* For the command line: says what is wrong. */
int device_wanted(struct device *dev, const char *text);
int devices_read(struct devices *all);
int devices_of_group(struct devices *members, int group);
void devices_add(struct devices *list, const struct device *dev);
void devices_free(struct devices *list);

/* names.c: what people call a device */

void names_open(void);
void names_close(void);
const char *name_of_class(const struct device *dev);
const char *name_of_device(const struct device *dev);

/* alias.c: the lines of modules.alias and the order of candidates */

#define VFIO_PREFIX	"vfio_pci:"

/**
 * struct alias - one pattern and its module
 * @pattern:	"vfio_pci:v000015B3d0000101Esv*sd*bc*sc*i*"
 * @module:	name, with underscores
 * @wildcards:	how many there are: fewer is more specific
 * @literal:	which fields are given, vendor in the highest bit
 */
struct alias {
	char pattern[ALIAS_LEN];
	char module[NAME_LEN];
	unsigned int wildcards;
	unsigned int literal;
};

struct aliases {
	struct alias *v;
	size_t nr;
};

/* -ENOMSG: a line for somebody else */
int alias_parse(struct alias *alias, const char *line);
/* Modules have underscores for dashes, in sysfs and in modules.alias. */
void module_normalize(char *name);
bool alias_matches(const struct alias *alias, const struct device *dev);
/* Negative if @a is the better candidate, never 0 for two modules */
int alias_compare(const struct alias *a, const struct alias *b);
/* What put @a before @b */
const char *alias_reason(const struct alias *a, const struct alias *b);
void aliases_add(struct aliases *list, const struct alias *alias);
void aliases_free(struct aliases *list);
/* The best of each module, best first. */
void aliases_match(struct aliases *found, const struct aliases *all,
		   const struct device *dev);

/* module.c: libkmod */

int modules_open(void);
void modules_close(void);
int modules_aliases(struct aliases *all);
bool module_exists(const char *name);
bool module_blacklisted(const char *name);
bool module_loaded(const char *name);
/* The first that may be loaded; @found->nr if there is none. */
size_t candidate_best(const struct aliases *found);
int module_load(const char *name);
/* Load what @dev's own modalias asks for: its driver from before VFIO. */
void module_load_for(const struct device *dev);
/* "" if it has none, or there is no such file */
void module_file(char path[PATH_MAX], const char *name);
void module_info(char value[NAME_LEN], const char *name, const char *key);
/* PCI drivers that a loaded module registered */
int module_drivers(struct names *drivers, const char *name);
/* The one of them to use; @wanted may be "". */
int module_driver(char driver[NAME_LEN], const char *name, const char *wanted,
		  char error[TEXT_LEN]);

/* usage.c: who uses a device */

/**
 * struct reason - why a device should be left alone
 * @kind:	a word for programs
 * @text:	a sentence for people
 * @final:	whether --force does not help
 */
struct reason {
	const char *kind;
	char text[TEXT_LEN];
	bool final;
};

struct reasons {
	struct reason *v;
	size_t nr;
};

void reason_add(struct reasons *list, const char *kind, const char *format, ...)
	PRINTF(3, 4);
void reason_final(struct reasons *list, const char *kind, const char *format, ...)
	PRINTF(3, 4);
/* Say them; true if they stand against it, --force or not. */
bool reasons_refuse(const struct reasons *list, const char *bdf, bool force);
void reasons_free(struct reasons *list);

struct holders;

void usage_of(struct reasons *list, const struct holders *holders, const struct device *dev);

/* usage_disk.c, usage_net.c, usage_console.c, usage_open.c: the ways to use one */

void disk_usage(struct reasons *list, const struct device *dev);
/* Disks that the device is one of several ways to, so that they are not below it */
void add_shared_disks(struct names *disks, const struct device *dev);
void net_usage(struct reasons *list, const struct device *dev);
void console_usage(struct reasons *list, const struct device *dev);
/* The open files of all processes, so that many devices can be asked about. */
struct holders *holders_take(void);
void holders_free(struct holders *all);
/* False: some processes do not let us look. */
bool holders_complete(const struct holders *all);
void open_usage(struct reasons *list, const struct holders *all, const struct device *dev);
/* "qemu-system-x86 (4711)", ... that have the group's or the device's VFIO node open */
void vfio_holders(struct names *who, const struct holders *all, const struct device *dev);
/* What is in a class ("net") and belongs to the device, however deep below it */
void class_members(struct names *found, const char *class, const struct device *dev);
/* Owner of a piece of the device's memory that is named like a boot framebuffer */
bool boot_framebuffer(char owner[NAME_LEN], const struct device *dev);

/* plan.c: what is to change, and why it should not */

enum fate {
	FATE_UNTOUCHED,
	FATE_DONE,	/* and verified */
	FATE_RESTORED,	/* after something failed, to what was before */
	FATE_LOST,	/* what was before could not be restored */
};

/**
 * struct change - one device and the driver that it shall have
 * @dev:	as it was found
 * @module:	to load first, or ""
 * @wanted:	what --driver says, or ""
 * @driver:	"" until the module has named it, or if the kernel shall choose
 * @override:	what driver_override shall be; "": @driver
 * @home:	whether it goes back to its own driver
 * @reasons:	against it
 * @stage:	how many steps have been begun
 * @error:	what stopped it
 * @fate:	what became of it
 */
struct change {
	struct device dev;
	const char *wanted;
	char module[NAME_LEN];
	char driver[NAME_LEN];
	char override[NAME_LEN];
	bool home;
	struct reasons reasons;
	unsigned int stage;
	char error[TEXT_LEN];
	enum fate fate;
};

struct plan {
	struct change *v;
	size_t nr;
};

struct options;

int plan_bind(struct plan *plan, const struct options *options);
int plan_unbind(struct plan *plan, const struct options *options);
/* Say what stands against it; true if it must not be. */
bool plan_refused(const struct plan *plan, bool force);
void plan_free(struct plan *plan);
/* Nothing to do for it: it has that driver */
bool change_idle(const struct change *change);

/* check.c */

void check_bind(struct change *change, const struct aliases *all, const struct holders *holders);
/* Whether VFIO is told to do without an IOMMU */
bool without_iommu(void);
void check_unbind(struct change *change, const struct holders *holders);

/* apply.c: all of a plan or nothing of it */

int plan_apply(struct plan *plan);
/* What apply would do, a line for each step */
void change_describe(char *text, size_t size, const struct change *change);

/* record.c: the driver that a device had before vfioctl took it */

struct record {
	char driver[NAME_LEN];
	char override[NAME_LEN];
};

int record_read(struct record *record, const struct device *dev);
int record_write(const struct device *dev);
void record_remove(const struct device *dev);

/* sriov.c */

/* So many virtual functions, there when this returns; @probe: host drivers may take them. */
int vfs_set(const struct device *pf, unsigned int nr, bool probe);
/* Addresses of those there are */
int vfs_list(struct names *bdfs, const struct device *pf);

/* persist.c: files that keep a device for VFIO from boot on */

/**
 * struct keep - a device, or all of a kind, to be kept for VFIO
 * @key:	BDF or "8086:10d3", as in the file's name
 * @bdf:	"" for all of a kind
 * @driver:	"" for whichever fits best
 */
struct keep {
	char key[BDF_LEN];
	char bdf[BDF_LEN];
	char driver[NAME_LEN];
	uint16_t vendor;
	uint16_t device;
};

/* Each adds the names of the files that it wrote or removed. */
int keep_install(const struct keep *keep, struct names *files);
int keep_remove(const char *key, struct names *files);
/* Keys of all that are kept */
int keep_list(struct names *keys);

/* doctor.c: a table of checks, which are in doctor_group.c, doctor_driver.c, ... */

enum verdict {
	VERDICT_OK,
	VERDICT_NOTE,
	VERDICT_BAD,
	VERDICT_UNKNOWN,
};

/**
 * struct finding - what one check says
 * @verdict:	of them only VERDICT_BAD makes the device unhealthy
 * @text:	a sentence
 * @remedy:	what to do about it, or ""
 */
struct finding {
	enum verdict verdict;
	char text[TEXT_LEN];
	char remedy[TEXT_LEN];
};

/**
 * struct patient - what the checks look at
 * @dev:	the device
 * @members:	of its group, itself included
 * @module:	that has it, or would have it if it were bound; or ""
 * @best:	the candidate that fits best, or ""
 * @holders:	open files of all processes
 */
struct patient {
	struct device dev;
	struct devices members;
	char module[NAME_LEN];
	char best[NAME_LEN];
	struct holders *holders;
};

struct check {
	const char *name;
	void (*run)(struct finding *found, const struct patient *patient);
};

/* Checks that have nothing to say for a device leave its text empty. */
extern const struct check doctor_checks[];
extern const size_t doctor_nr_checks;

const char *verdict_name(enum verdict verdict);
void finding_set(struct finding *found, enum verdict verdict, const char *format, ...)
	PRINTF(3, 4);
void finding_remedy(struct finding *found, const char *format, ...) PRINTF(2, 3);

void doctor_iommu(struct finding *found, const struct patient *patient);
void doctor_group(struct finding *found, const struct patient *patient);
void doctor_reserved(struct finding *found, const struct patient *patient);
void doctor_node(struct finding *found, const struct patient *patient);
void doctor_holder(struct finding *found, const struct patient *patient);

void doctor_driver(struct finding *found, const struct patient *patient);
void doctor_module(struct finding *found, const struct patient *patient);
void doctor_signature(struct finding *found, const struct patient *patient);

void doctor_kind(struct finding *found, const struct patient *patient);
void doctor_usage(struct finding *found, const struct patient *patient);
void doctor_framebuffer(struct finding *found, const struct patient *patient);
void doctor_power(struct finding *found, const struct patient *patient);
void doctor_reset(struct finding *found, const struct patient *patient);
void doctor_vfs(struct finding *found, const struct patient *patient);
void doctor_token(struct finding *found, const struct patient *patient);

/* report.c */

/* Apply the plan, or say what it is, or why not; exit status. */
int plan_run(struct plan *plan, const char *name, const struct options *options);

/* out.c: libsmartcols */

/**
 * struct column - one column of a table
 * @name:	as in JSON; the table's heading is the same in capitals
 * @kind:	COLUMN_...
 */
struct column {
	const char *name;
	enum { COLUMN_TEXT, COLUMN_NUMBER, COLUMN_BOOL, COLUMN_LIST, COLUMN_TREE } kind;
};

struct out;
struct libscols_line;

struct out *out_new(const char *name, const struct column *columns, size_t nr, bool json);
struct libscols_line *out_line(struct out *out, struct libscols_line *parent);
void out_set(struct libscols_line *line, unsigned int column, const char *text);
void out_format(struct libscols_line *line, unsigned int column, const char *format, ...)
	PRINTF(3, 4);
void out_names(struct libscols_line *line, unsigned int column, const struct names *names);
void out_hide(struct out *out, unsigned int column);
/* Prints and frees it. */
int out_done(struct out *out);

/* main.c */

/**
 * struct options - the command line
 * @words:	what is not an option
 * @driver:	--driver, or NULL
 */
struct options {
	char **words;
	unsigned int nr_words;
	const char *driver;
	bool json;
	bool tree;
	bool dry_run;
	bool group;
	bool force;
	bool bind;
	bool remove;
};

/* cmd_*.c: exit status */

int cmd_list(const struct options *options);
int cmd_match(const struct options *options);
int cmd_bind(const struct options *options);
int cmd_unbind(const struct options *options);
int cmd_doctor(const struct options *options);
int cmd_vf(const struct options *options);
int cmd_persist(const struct options *options);

#endif
