// SPDX-License-Identifier: GPL-2.0-only
/*
 * Making the lab's odd device what a test wants to see.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lab.h"
#include "odd.h"
#include "tap.h"

#define BAR_SIZE	0x4000u

/* BAR 0 where the kernel put it, whoever drives the device. */
static volatile uint8_t *map_registers(const char *bdf)
{
	char path[128];
	uint8_t *map;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0", bdf);
	fd = open(path, O_RDWR | O_CLOEXEC);
	ASSERT_OK(fd);
	map = mmap(NULL, BAR_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	ASSERT(map != MAP_FAILED);
	close(fd);
	return map;
}

static void unmap_registers(volatile uint8_t *map)
{
	munmap((void *)map, BAR_SIZE);
}

static void put(volatile uint8_t *at, unsigned int len, uint32_t val)
{
	if (len == 4)
		*(volatile uint32_t *)at = val;
	else if (len == 2)
		*(volatile uint16_t *)at = val;
	else
		*at = val;
}

static void change(const char *bdf, const struct odd_poke *pokes)
{
	volatile uint8_t *map;

	pci_config_write(bdf, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	map = map_registers(bdf);
	put(map + ODD_RESTORE, 4, 1);
	for (; pokes && pokes->len; pokes++)
		put(map + (pokes->pos < ODD_MASK ? ODD_CONFIG : 0) + pokes->pos,
		    pokes->len, pokes->val);
	unmap_registers(map);
}

static void find_again(const char *bdf)
{
	ASSERT_EQ(pci_attr_write(bdf, "remove", "1"), 0);
	ASSERT(!pci_exists(bdf));
	ASSERT_EQ(file_write("/sys/bus/pci/rescan", "1"), 0);
	ASSERT(pci_exists(bdf));
}

const char *odd_made(const char *name, const struct odd_poke *pokes)
{
	const char *bdf = lab_bdf(name);

	pci_unbind(bdf);
	change(bdf, pokes);
	find_again(bdf);
	return bdf;
}

uint32_t odd_peek(const char *bdf, unsigned int reg)
{
	volatile uint8_t *map = map_registers(bdf);
	uint32_t val = *(volatile uint32_t *)(map + reg);

	unmap_registers(map);
	return val;
}

void odd_poke(const char *bdf, unsigned int reg, uint32_t val)
{
	volatile uint8_t *map = map_registers(bdf);

	put(map + reg, 4, val);
	unmap_registers(map);
}
