// SPDX-License-Identifier: GPL-2.0-only
/*
 * Modules that nobody loads, only looks at: a section .modinfo in an ELF file is
 * all that depmod and libkmod want.
 */
#include <elf.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tree.h"

enum {
	SECTION_NULL,
	SECTION_INFO,
	SECTION_NAMES,
	NR_SECTIONS,
};

static const char section_names[] = "\0.modinfo\0.shstrtab";

static const char *release(void)
{
	static struct utsname system;

	uname(&system);
	return system.release;
}

static size_t join(char *text, size_t size, const char * const *info)
{
	size_t len = 0;

	for (; *info; info++) {
		assert_true(len + strlen(*info) + 1 <= size);
		memcpy(text + len, *info, strlen(*info) + 1);
		len += strlen(*info) + 1;
	}
	return len;
}

void tree_module(const char *name, const char * const *info)
{
	char text[2048], path[PATH_MAX];
	size_t len = join(text, sizeof(text), info);
	Elf64_Ehdr header = {
		.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_REL,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_ehsize = sizeof(header),
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = NR_SECTIONS,
		.e_shstrndx = SECTION_NAMES,
		.e_shoff = sizeof(header),
	};
	Elf64_Shdr sections[NR_SECTIONS] = {
		[SECTION_INFO] = {
			.sh_name = 1,
			.sh_type = SHT_PROGBITS,
			.sh_offset = sizeof(header) + sizeof(sections),
			.sh_size = len,
		},
		[SECTION_NAMES] = {
			.sh_name = 10,
			.sh_type = SHT_STRTAB,
			.sh_offset = sizeof(header) + sizeof(sections) + len,
			.sh_size = sizeof(section_names),
		},
	};
	FILE *file;

	print_to(path, sizeof(path), "/lib/modules/%s/updates/%s.ko", release(), name);
	tree_file(path, "%s", "");
	file = fopen(tree_path(path), "w");
	assert_non_null(file);
	fwrite(&header, sizeof(header), 1, file);
	fwrite(sections, sizeof(sections), 1, file);
	fwrite(text, len, 1, file);
	fwrite(section_names, sizeof(section_names), 1, file);
	fclose(file);
}

void tree_depmod(void)
{
	char path[PATH_MAX], top[PATH_MAX];
	char *argv[] = { "depmod", "-b", top, (char *)release(), NULL };
	char *env[] = { "PATH=/usr/sbin:/sbin:/usr/bin:/bin", NULL };
	int status;
	pid_t pid;

	copy_text(top, sizeof(top), tree_path(""));

	/* depmod misses them, loudly, where a kernel was installed. */
	print_to(path, sizeof(path), "/lib/modules/%s/modules.order", release());
	tree_file(path, "%s", "");
	print_to(path, sizeof(path), "/lib/modules/%s/modules.builtin", release());
	tree_file(path, "%s", "");
	print_to(path, sizeof(path), "/lib/modules/%s/modules.builtin.modinfo", release());
	tree_file(path, "%s", "");
	setenv("PATH", env[0] + strlen("PATH="), 1);
	assert_int_equal(posix_spawnp(&pid, argv[0], NULL, NULL, argv, env), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}
