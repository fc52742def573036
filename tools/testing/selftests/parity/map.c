// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings: which are allowed, and what happens when they are touched.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "parity.h"

/* The host's addresses and vectors stand in the page of the MSI-X table. */
static bool secret(const struct subject *s, uint32_t index, uint64_t pos)
{
	return s->msix.len && index == s->msix.bar &&
		pos / PAGE >= s->msix.pos / PAGE &&
		pos / PAGE <= (s->msix.pos + s->msix.len - 1) / PAGE;
}

static void touch(const struct subject *s, const uint8_t *at, uint32_t index, uint64_t pos)
{
	uint32_t val = 0;

	if (load_faults(at, &val))
		result(" SIGBUS");
	else if (secret(s, index, pos))
		result(" fine");
	else
		result(" %08x", val);
}

/**
 * struct request - arguments of a mapping
 * @index:	region
 * @pos:	start in it
 * @len:	bytes
 * @prot:	PROT_...
 * @flags:	MAP_...
 */
struct request {
	uint32_t index;
	uint64_t pos;
	uint64_t len;
	int prot;
	int flags;
};

static void map_one(struct subject *s, const struct request *r)
{
	uint8_t *at = mmap(NULL, r->len, r->prot, r->flags, s->dev.fd,
			   REGION_POS(r->index, r->pos));

	if (at == MAP_FAILED) {
		result_ret(-1);
	} else {
		result("mapped");
		if (r->prot & PROT_READ) {
			touch(s, at, r->index, r->pos);
			touch(s, at + (r->len - 1) / PAGE * PAGE, r->index,
			      r->pos + (r->len - 1) / PAGE * PAGE);
		}
		munmap(at, r->len);
	}
	observe("region %u at %llx %llx bytes prot %x flags %x", r->index,
		(unsigned long long)r->pos, (unsigned long long)r->len, r->prot, r->flags);
}

static void places(struct subject *s, uint32_t index)
{
	const uint64_t size = s->regions[index].size, up = (size + PAGE - 1) / PAGE * PAGE;
	const uint64_t lens[] = { 0, 1, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE, size, size + 1,
				  up, up + PAGE, 1ull << 39, -(uint64_t)PAGE };
	const uint64_t at[] = { 0, 1, 0x10, PAGE, 2 * PAGE, up - PAGE, up, up + PAGE,
				(1ull << VFIO_SHIFT) - PAGE };
	struct request r = { .index = index, .prot = PROT_READ, .flags = MAP_SHARED };
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		for (j = 0; j < ARRAY_SIZE(lens); j++) {
			r.pos = at[i];
			r.len = lens[j];
			map_one(s, &r);
		}
	}
}

static void manners(struct subject *s, uint32_t index)
{
	static const int flags[] = {
		MAP_SHARED, MAP_PRIVATE, MAP_SHARED | MAP_POPULATE, MAP_SHARED | MAP_LOCKED,
		MAP_SHARED_VALIDATE, MAP_SHARED_VALIDATE | MAP_SYNC, MAP_SHARED | MAP_NORESERVE,
	};
	struct request r = { .index = index, .len = PAGE };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flags); i++) {
		r.flags = flags[i];
		for (r.prot = 0; r.prot < 8; r.prot++)
			map_one(s, &r);
	}
}

/* Index and offset that wrap around when shifted or added to. */
static void far_away(struct subject *s)
{
	static const uint64_t at[] = {
		REGION_POS(9, 0), REGION_POS(10, 0), REGION_POS(0x7fffff, 0),
		REGION_POS(0x800000, 0), REGION_POS(0xffffff, 0), -(uint64_t)PAGE,
	};
	unsigned int i;
	void *got;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		got = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, s->dev.fd, at[i]);
		result_ret(got == MAP_FAILED ? -1 : 0);
		observe("mapping at %llx", (unsigned long long)at[i]);
	}
}

static void in_child(const struct subject *s, uint8_t *at, uint32_t index)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(load_faults(at, NULL) ? 1 : 0);
	waitpid(pid, &status, 0);
	result(" child %d", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	touch(s, at, index, 0);
}

static void settle(struct subject *s, uint8_t *at, uint32_t index, const char *when)
{
	touch(s, at, index, 0);
	in_child(s, at, index);
	observe("region %u, %s", index, when);
}

static void while_off(struct subject *s, uint8_t *at, uint32_t index)
{
	settle(s, at, index, "on");
	subject_command(s, 0, PCI_COMMAND_MEMORY);
	settle(s, at, index, "memory off");
	subject_command(s, PCI_COMMAND_MEMORY, PCI_COMMAND_IO);
	settle(s, at, index, "io off");
	subject_command(s, PCI_COMMAND_MEMORY | PCI_COMMAND_IO, 0);
	settle(s, at, index, "on again");
	if (subject_power(s, 3)) {
		settle(s, at, index, "D3hot");
		subject_command(s, PCI_COMMAND_MEMORY, 0);
		settle(s, at, index, "D3hot and memory on");
		subject_revive(s);
		settle(s, at, index, "D0");
	}
	ioctl(s->dev.fd, VFIO_DEVICE_RESET);
	settle(s, at, index, "reset");
	subject_revive(s);
	settle(s, at, index, "revived");
}

static void low_power(struct subject *s, uint8_t *at, uint32_t index)
{
	const uint32_t set = VFIO_DEVICE_FEATURE_SET;

	result_ret(vfio_feature_try(&s->dev, set | VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY, NULL, 0));
	settle(s, at, index, "low power");
	result_ret(vfio_feature_try(&s->dev, set | VFIO_DEVICE_FEATURE_LOW_POWER_EXIT, NULL, 0));
	settle(s, at, index, "low power left");
}

/* The mapping may be cut and protected, not grown, moved about or split open. */
static void reshape(struct subject *s, uint8_t *at, uint64_t len, uint32_t index)
{
	void *moved;

	result_ret(mprotect(at, PAGE, PROT_READ | PROT_EXEC));
	result_ret(mprotect(at, PAGE, PROT_READ | PROT_WRITE));
	result_ret(madvise(at, PAGE, MADV_DONTNEED));
	result_ret(madvise(at, PAGE, MADV_DOFORK));
	result_ret(madvise(at, PAGE, MADV_MERGEABLE));
	result_ret(madvise(at, PAGE, MADV_DODUMP));
	result_ret(msync(at, PAGE, MS_SYNC));
	result_ret(mlock(at, PAGE));
	observe("region %u advice", index);
	moved = mremap(at, len, len + PAGE, MREMAP_MAYMOVE);
	result_ret(moved == MAP_FAILED ? -1 : 0);
	moved = mremap(at, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, at + (64ull << 30));
	result_ret(moved == MAP_FAILED ? -1 : 0);
	if (moved != MAP_FAILED) {
		touch(s, moved, index, 0);
		munmap(moved, len);
	} else {
		munmap(at, len);
	}
	observe("region %u mremap", index);
}

static void mapped(struct subject *s, uint32_t index)
{
	const uint64_t len = (s->regions[index].size + PAGE - 1) / PAGE * PAGE;
	uint8_t *at;

	at = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, s->dev.fd, REGION_POS(index, 0));
	if (at == MAP_FAILED)
		return;
	while_off(s, at, index);
	low_power(s, at, index);
	reshape(s, at, len, index);
}

void probe_mmap(struct subject *s)
{
	uint32_t i;

	subject_revive(s);
	for (i = 0; i <= VFIO_PCI_VGA_REGION_INDEX; i++) {
		places(s, i);
		manners(s, i);
		if (s->regions[i].size)
			mapped(s, i);
	}
	far_away(s);
}
