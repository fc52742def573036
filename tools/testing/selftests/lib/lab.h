/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The machine around the device: sysfs, drivers, modules, QEMU's monitor.
 */
#ifndef SELFTEST_LAB_H
#define SELFTEST_LAB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BDF_LEN		13	/* "0000:01:00.0" and its end */

/* All of these end the test, with the reason, when they cannot do their job. */

/* Address of the lab's device @name ("edu"); skips the test if not plugged in. */
const char *lab_bdf(const char *name);

/* Address of function @fn in slot @slot of the bus that @bdf is on. */
void lab_neighbour(char out[BDF_LEN], const char *bdf, unsigned int slot,
		   unsigned int fn);

/*
 * Whether the distribution's modules are loaded, not ours, and are to be spared
 * what they are known to fail, or to crash on. LAB_DARE in the environment
 * (lab/run --env LAB_DARE=1) says that they are not.
 */
bool lab_stock(void);

/* File access that answers 0 or -errno. */
int file_write(const char *path, const char *text);
int file_read(const char *path, char *text, size_t size);

/* The same for an attribute of a PCI device. */
int pci_attr_write(const char *bdf, const char *attr, const char *text);
int pci_attr_read(const char *bdf, const char *attr, char *text, size_t size);
unsigned long long pci_attr_number(const char *bdf, const char *attr);
bool pci_exists(const char *bdf);

/* Start and end of resource @bar as the kernel placed it; size 0 if unused. */
struct pci_resource {
	uint64_t start;
	uint64_t size;
	uint64_t flags;
};

struct pci_resource pci_resource(const char *bdf, unsigned int bar);

/*
 * Runtime PM's status of it, "active" or "suspended", within some seconds, since
 * the PM core takes its time.
 */
void pci_expect_status(const char *bdf, const char *want);

/* Name of the driver that has @bdf, or "" */
void pci_driver(const char *bdf, char *name, size_t size);
bool pci_driver_is(const char *bdf, const char *name);

/* Give @bdf to @driver through driver_override; 0 or -errno. */
int pci_try_bind(const char *bdf, const char *driver);
void pci_bind(const char *bdf, const char *driver);

/* Leave @bdf without a driver and without an override. */
void pci_unbind(const char *bdf);

/* Address of virtual function @nr of @pf. */
void pci_vf(char out[BDF_LEN], const char *pf, unsigned int nr);

/* Number of the IOMMU group of @bdf. */
unsigned int pci_group(const char *bdf);

/* Configuration space as the kernel sees it, past any driver. */
uint32_t pci_config_read(const char *bdf, unsigned int pos, unsigned int len);
void pci_config_write(const char *bdf, unsigned int pos, unsigned int len,
		      uint32_t val);

/* Run a program, its words separated by blanks; its exit status. */
int lab_command(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Load or unload a module; @options may be NULL. 0 or the status of modprobe. */
int module_load(const char *name, const char *options);
int module_unload(const char *name);
bool module_loaded(const char *name);
/* Have vfio_pci loaded with @parameter, a bool, being @value: "Y" or "N". */
void module_with(const char *parameter, const char *value);

/* Say @command to QEMU's monitor and return what it answered. */
const char *lab_monitor(const char *command);

#endif
