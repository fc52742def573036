// SPDX-License-Identifier: GPL-2.0-only
/*
 * Modules: their aliases, files and state, by libkmod; and what a loaded one has
 * registered, by sysfs.
 */
#include <errno.h>
#include <libkmod.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "vfioctl.h"

static struct kmod_ctx *kmod;

/* Where modprobe looks for its configuration, below another root. */
static struct kmod_ctx *kmod_below_root(const char *folder)
{
	static const char * const places[] = {
		"/run/modprobe.d", "/etc/modprobe.d", "/usr/lib/modprobe.d", "/lib/modprobe.d",
	};
	char paths[ARRAY_SIZE(places)][PATH_MAX];
	const char *config[ARRAY_SIZE(places) + 1] = {};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		print_to(paths[i], PATH_MAX, "%s%s", root(), places[i]);
		config[i] = paths[i];
	}
	return kmod_new(folder, config);
}

int modules_open(void)
{
	char folder[PATH_MAX];
	struct utsname system;

	uname(&system);
	print_to(folder, sizeof(folder), "%s/lib/modules/%s", root(), system.release);
	kmod = root()[0] ? kmod_below_root(folder) : kmod_new(folder, NULL);
	if (!kmod)
		return -ENOMEM;
	return kmod_load_resources(kmod);
}

void modules_close(void)
{
	kmod_unref(kmod);
	kmod = NULL;
}

static void read_aliases(struct aliases *all, FILE *file)
{
	struct alias alias;
	char *line = NULL;
	size_t size = 0;
	int ret;

	while (getline(&line, &size, file) > 0) {
		ret = alias_parse(&alias, line);
		if (!ret)
			aliases_add(all, &alias);
		else if (ret != -ENOMSG)
			complain("modules.alias: left out: %s", line);
	}
	free(line);
}

/* libkmod tells which modules an alias leads to, but not how well each fits. */
static int dump_aliases(struct aliases *all, enum kmod_index index)
{
	FILE *file;
	int fd, ret;

	fd = memfd_create("aliases", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = kmod_dump_index(kmod, index, fd);
	lseek(fd, 0, SEEK_SET);
	file = fdopen(fd, "r");
	if (!ret)
		read_aliases(all, file);
	fclose(file);
	return ret;
}

int modules_aliases(struct aliases *all)
{
	int ret;

	*all = (struct aliases){};
	ret = dump_aliases(all, KMOD_INDEX_MODULES_ALIAS);
	/* Older versions of depmod write none for what is built in. */
	dump_aliases(all, KMOD_INDEX_MODULES_BUILTIN_ALIAS);
	return ret;
}

/* By its own name, so that nothing but a module of that name comes. */
static struct kmod_module *find_module(const char *name)
{
	struct kmod_module *mod;

	if (!name_good(name) || kmod_module_new_from_name(kmod, name, &mod))
		return NULL;
	return mod;
}

bool module_exists(const char *name)
{
	struct kmod_module *mod = find_module(name);
	bool exists = mod && (kmod_module_get_path(mod) || module_loaded(name) ||
			      kmod_module_get_initstate(mod) == KMOD_MODULE_BUILTIN);

	kmod_module_unref(mod);
	return exists;
}

bool module_blacklisted(const char *name)
{
	struct kmod_module *mod = find_module(name);
	struct kmod_config_iter *iter;
	bool found = false;

	if (!mod)
		return false;
	iter = kmod_config_get_blacklists(kmod);
	while (!found && kmod_config_iter_next(iter))
		found = !strcmp(kmod_config_iter_get_key(iter), kmod_module_get_name(mod));
	kmod_config_iter_free_iter(iter);
	kmod_module_unref(mod);
	return found;
}

size_t candidate_best(const struct aliases *found)
{
	size_t i = 0;

	while (i < found->nr && module_blacklisted(found->v[i].module))
		i++;
	return i;
}

bool module_loaded(const char *name)
{
	return path_exists("/sys/module/%s", name);
}

int module_load(const char *name)
{
	struct kmod_module *mod = find_module(name);
	int ret;

	if (!mod)
		return -ENOENT;
	ret = kmod_module_probe_insert_module(mod, 0, NULL, NULL, NULL, NULL);
	kmod_module_unref(mod);
	/* Positive: a flag of its own, which was not asked for. */
	return ret > 0 ? -EINVAL : ret;
}

void module_load_for(const struct device *dev)
{
	struct kmod_list *list = NULL, *entry;
	struct kmod_module *mod;

	if (kmod_module_new_from_lookup(kmod, dev->modalias, &list))
		return;
	kmod_list_foreach(entry, list) {
		mod = kmod_module_get_module(entry);
		if (!module_blacklisted(kmod_module_get_name(mod)))
			kernel.load(kmod_module_get_name(mod));
		kmod_module_unref(mod);
	}
	kmod_module_unref_list(list);
}

void module_file(char path[PATH_MAX], const char *name)
{
	struct kmod_module *mod = find_module(name);
	const char *file = mod ? kmod_module_get_path(mod) : NULL;

	print_to(path, PATH_MAX, "%s", file ?: "");
	kmod_module_unref(mod);
}

void module_info(char value[NAME_LEN], const char *name, const char *key)
{
	struct kmod_module *mod = find_module(name);
	struct kmod_list *list = NULL, *entry;

	value[0] = '\0';
	if (mod && kmod_module_get_info(mod, &list) >= 0) {
		kmod_list_foreach(entry, list) {
			if (!strcmp(kmod_module_info_get_key(entry), key))
				print_to(value, NAME_LEN, "%s", kmod_module_info_get_value(entry));
		}
		kmod_module_info_free_list(list);
	}
	kmod_module_unref(mod);
}

int module_drivers(struct names *drivers, const char *name)
{
	struct names all;
	size_t i;
	int ret;

	*drivers = (struct names){};
	ret = dir_names(&all, "/sys/module/%s/drivers", name);
	if (ret)
		return ret;
	for (i = 0; i < all.nr; i++) {
		if (!strncmp(all.v[i], "pci:", 4) && name_good(all.v[i] + 4))
			names_add(drivers, all.v[i] + 4);
	}
	names_free(&all);
	return 0;
}

/* Never guessed from the module's name: nvgrace_gpu_vfio_pci is no driver's. */
int module_driver(char driver[NAME_LEN], const char *name, const char *wanted,
		  char error[TEXT_LEN])
{
	struct names drivers;
	int ret;

	ret = module_drivers(&drivers, name);
	if (ret || !drivers.nr) {
		print_to(error, TEXT_LEN, "module %s has registered no PCI driver", name);
		ret = -ENOENT;
	} else if (names_have(&drivers, wanted)) {
		ret = copy_name(driver, wanted);
	} else if (drivers.nr == 1) {
		ret = copy_name(driver, drivers.v[0]);
	} else {
		print_to(error, TEXT_LEN,
			 "module %s has registered %zu PCI drivers; choose with --driver", name,
			 drivers.nr);
		ret = -EINVAL;
	}
	names_free(&drivers);
	return ret;
}
