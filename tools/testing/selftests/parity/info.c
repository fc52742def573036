// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ioctls that describe: every size of the argument, every index.
 */
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "parity.h"

#define ROOM	4096u

static uint32_t room[2 * ROOM / sizeof(uint32_t)];

/* Ask with all of the argument's words preset, show how much was filled in. */
static long ask(struct subject *s, unsigned long cmd, uint32_t argsz, uint32_t index)
{
	memset(room, 0xa5, sizeof(room));
	room[0] = argsz;
	room[2] = index;
	return ioctl(s->dev.fd, cmd, room);
}

static void show(long ret)
{
	uint8_t *bytes = (uint8_t *)room;
	size_t len = sizeof(room);

	result_ret(ret);
	while (len > 16 && bytes[len - 1] == 0xa5)
		len--;
	result_hex(bytes, len);
}

static const uint32_t sizes[] = {
	0, 1, 4, 7, 8, 12, 15, 16, 17, 19, 20, 21, 23, 24, 25, 31, 32, 33, 40,
	47, 48, 49, 56, 63, 64, 80, 128, 1024, ROOM,
};

static const uint32_t indices[] = {
	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 31, 64, 0x7fffffff, 0x80000000, ~0u,
};

static void device_info(struct subject *s)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		show(ask(s, VFIO_DEVICE_GET_INFO, sizes[i], 0));
		observe("GET_INFO argsz %u", sizes[i]);
	}
}

static void indexed_info(struct subject *s, unsigned long cmd, const char *name)
{
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(indices); i++) {
		for (j = 0; j < ARRAY_SIZE(sizes); j++) {
			show(ask(s, cmd, sizes[j], indices[i]));
			observe("%s index %x argsz %u", name, indices[i], sizes[j]);
		}
	}
}

/* All numbers of VFIO's range, with an argument that says it has no size. */
static void unknown(struct subject *s)
{
	unsigned int nr;

	for (nr = 0; nr < 256; nr++) {
		memset(room, 0, sizeof(room));
		result_ret(ioctl(s->dev.fd, _IO(VFIO_TYPE, nr), room));
		observe("ioctl %u argsz 0", nr);
	}
	for (nr = 0; nr < 256; nr++) {
		result_ret(ioctl(s->dev.fd, _IO('V', nr), room));
		observe("ioctl of another type %u", nr);
	}
}

static const struct {
	const char *name;
	unsigned long cmd;
} commands[] = {
	{ "GET_INFO", VFIO_DEVICE_GET_INFO },
	{ "GET_REGION_INFO", VFIO_DEVICE_GET_REGION_INFO },
	{ "GET_IRQ_INFO", VFIO_DEVICE_GET_IRQ_INFO },
	{ "SET_IRQS", VFIO_DEVICE_SET_IRQS },
	{ "HOT_RESET_INFO", VFIO_DEVICE_GET_PCI_HOT_RESET_INFO },
	{ "HOT_RESET", VFIO_DEVICE_PCI_HOT_RESET },
	{ "IOEVENTFD", VFIO_DEVICE_IOEVENTFD },
	{ "FEATURE", VFIO_DEVICE_FEATURE },
};

/* An argument that ends where no memory is, or that can only be read. */
static void pointers(struct subject *s)
{
	uint8_t *page = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned int i, tail;

	ASSERT_NE((intptr_t)page, -1);
	ASSERT_OK(mprotect(page + PAGE, PAGE, PROT_NONE));
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		result_ret(ioctl(s->dev.fd, commands[i].cmd, NULL));
		observe("%s null", commands[i].name);
		for (tail = 4; tail <= 64; tail += 4) {
			memset(page, 0, PAGE);
			*(uint32_t *)(page + PAGE - tail) = ROOM;
			result_ret(ioctl(s->dev.fd, commands[i].cmd, page + PAGE - tail));
			observe("%s %u bytes before the end", commands[i].name, tail);
		}
		*(uint32_t *)page = ROOM;
		ASSERT_OK(mprotect(page, PAGE, PROT_READ));
		result_ret(ioctl(s->dev.fd, commands[i].cmd, page));
		observe("%s in memory to read only", commands[i].name);
		ASSERT_OK(mprotect(page, PAGE, PROT_READ | PROT_WRITE));
	}
	munmap(page, 2 * PAGE);
}

void probe_info(struct subject *s)
{
	device_info(s);
	indexed_info(s, VFIO_DEVICE_GET_REGION_INFO, "GET_REGION_INFO");
	indexed_info(s, VFIO_DEVICE_GET_IRQ_INFO, "GET_IRQ_INFO");
	unknown(s);
	pointers(s);
}
