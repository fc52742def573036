// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device under observation: opening it, finding one's way in it.
 */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "parity.h"

/*
 * Scratch memory keeps a device from acting on what is written: multicast and
 * VLAN filters of the network cards, mailbox memory of the VF, addresses of
 * queues that are off.
 */
const struct kind kinds[] = {
	{ "edu", { { 0, 0x4, 4 } }, 0, false, 0 },
	{ "e1000e", { { 0, 0x5200, 0x200 }, { 0, 0x5600, 0x200 } }, 1, false, 0 },
	{ "igb", { { 0, 0x5200, 0x200 }, { 0, 0x5600, 0x200 } }, 2, false, 0 },
	{ "igb", { { 0, 0x800, 0x40 } }, 2, true, 0 },
	{ "nvme", { { 0, 0x28, 0x10 } }, 3, false, 0 },
	{ "testdev", { { 0, 0, 0x10 }, { 1, 0, 0x10 } }, 4, false, 0 },
	{ "ivshmem", { { 2, 0, PAGE }, { 0, 0, 8 } }, 5, false, 0 },
	{ "vga", { { 0, 0, PAGE } }, 6, false, 256 * 1024 },
	{ "multi", { { 0, 0x5200, 0x200 } }, 7, false, 0 },
	{ "bridge", { { 0, 0x4, 4 } }, 8, false, 0 },
};

const unsigned int kinds_count = ARRAY_SIZE(kinds);

/* A group is viable once nothing in it has another driver. */
static void bind_group(const char *bdf)
{
	char path[128], other[PATH_MAX], link[PATH_MAX];
	unsigned int slot, fn;
	char near[BDF_LEN];
	ssize_t len;

	for (slot = 0; slot < 8; slot++) {
		for (fn = 0; fn < 2; fn++) {
			lab_neighbour(near, bdf, slot, fn);
			if (!pci_exists(near) || pci_group(near) != pci_group(bdf))
				continue;
			snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/driver", near);
			len = readlink(path, link, sizeof(link) - 1);
			link[len < 0 ? 0 : len] = '\0';
			snprintf(other, sizeof(other), "%s", basename(link));
			if (strcmp(other, "vfio-pci"))
				pci_bind(near, "vfio-pci");
		}
	}
}

/* The token of a PF is what its first user says while no VF is in use. */
static void token_set(const char *pf)
{
	struct vfio_group group;
	char name[80];
	int fd;

	vfio_group_open(&group, pf);
	snprintf(name, sizeof(name), "%s vf_token=" TOKEN, pf);
	fd = vfio_fd_try(&group, name);
	ASSERT_OK(fd);
	close(fd);
	vfio_group_close(&group);
}

static void vf_create(struct subject *s, const char *pf)
{
	char path[PATH_MAX], target[PATH_MAX];
	ssize_t len;

	pci_unbind(pf);
	file_write("/sys/module/vfio_pci/parameters/enable_sriov", "1");
	pci_bind(pf, "vfio-pci");
	token_set(pf);
	ASSERT_EQ(pci_attr_write(pf, "sriov_numvfs", "1"), 0);
	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/virtfn0", pf);
	len = readlink(path, target, sizeof(target) - 1);
	ASSERT_OK(len);
	target[len] = '\0';
	snprintf(s->bdf, sizeof(s->bdf), "%.12s", basename(target));
}

static void walk_std(struct subject *s)
{
	unsigned int pos = s->config[PCI_CAPABILITY_LIST] & ~3, steps = 48, i;

	if (!(s->config[PCI_STATUS] & PCI_STATUS_CAP_LIST))
		return;
	for (; pos && steps; steps--, pos = s->config[pos + 1] & ~3) {
		for (i = pos; i < PCI_CFG_SPACE_SIZE; i++) {
			if (s->window[i] < pos)
				s->window[i] = pos;
		}
	}
}

static void walk_ext(struct subject *s)
{
	unsigned int pos = PCI_CFG_SPACE_SIZE, steps = 64, i;
	uint32_t header;

	for (; pos; steps--, pos = PCI_EXT_CAP_NEXT(header)) {
		memcpy(&header, s->config + pos, sizeof(header));
		if (!header || header == ~0u || !steps)
			return;
		for (i = pos; i < CONFIG_MAX; i++) {
			if (s->window[i] < pos)
				s->window[i] = pos;
		}
	}
}

static void walk(struct subject *s)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", s->bdf);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_OK(fd);
	ASSERT_GE(pread(fd, s->config, CONFIG_MAX, 0), PCI_STD_HEADER_SIZEOF);
	close(fd);
	walk_std(s);
	walk_ext(s);
}

unsigned int config_cap(const struct subject *s, uint8_t id)
{
	unsigned int i;

	for (i = PCI_STD_HEADER_SIZEOF; i < PCI_CFG_SPACE_SIZE; i++) {
		if (s->window[i] == i && s->config[i] == id)
			return i;
	}
	return 0;
}

static void find_msix(struct subject *s)
{
	unsigned int pos = config_cap(s, PCI_CAP_ID_MSIX);
	uint32_t table;

	if (!pos)
		return;
	memcpy(&table, s->config + pos + PCI_MSIX_TABLE, sizeof(table));
	s->msix.bar = table & PCI_MSIX_TABLE_BIR;
	s->msix.pos = table & PCI_MSIX_TABLE_OFFSET;
	s->msix.len = 16 * ((s->config[pos + 2] | s->config[pos + 3] << 8) % 2048 + 1);
}

/* Regions and counts are the same at each opening, or probe_info() shows it. */
static void look_around(struct subject *s)
{
	uint32_t i;

	for (i = 0; i < VFIO_PCI_NUM_REGIONS; i++) {
		s->regions[i].argsz = sizeof(s->regions[i]);
		s->regions[i].index = i;
		if (ioctl(s->dev.fd, VFIO_DEVICE_GET_REGION_INFO, &s->regions[i]))
			s->regions[i].size = 0;
	}
	for (i = 0; i < VFIO_PCI_NUM_IRQS; i++) {
		struct vfio_irq_info info = { .argsz = sizeof(info), .index = i };

		s->irqs[i] = ioctl(s->dev.fd, VFIO_DEVICE_GET_IRQ_INFO, &info) ? 0 : info.count;
	}
}

static void wipe(struct subject *s)
{
	static const uint8_t zero[PAGE];
	uint32_t pos;

	subject_revive(s);
	for (pos = 0; pos < s->kind->wipe; pos += PAGE)
		ASSERT_EQ(pwrite(s->dev.fd, zero, PAGE, REGION_POS(0, pos)), PAGE);
}

void subject_init(struct subject *s, const struct kind *kind)
{
	const char *bdf = lab_bdf(kind->name);
	unsigned int i;

	memset(s, 0, sizeof(*s));
	s->kind = kind;
	if (kind->vf)
		vf_create(s, bdf);
	else
		snprintf(s->bdf, sizeof(s->bdf), "%s", bdf);
	bind_group(s->bdf);
	walk(s);
	find_msix(s);
	for (i = 0; i < EVENTS; i++)
		s->events[i] = event_new();
	subject_open(s);
	look_around(s);
	wipe(s);
	subject_close(s);
}

int subject_fd(struct subject *s)
{
	char name[80];

	snprintf(name, sizeof(name), "%s%s", s->bdf, s->kind->vf ? " vf_token=" TOKEN : "");
	return vfio_fd_try(&s->dev.group, name);
}

void subject_open(struct subject *s)
{
	vfio_group_open(&s->dev.group, s->bdf);
	s->dev.bdf = s->bdf;
	s->dev.fd = subject_fd(s);
	if (s->dev.fd < 0)
		FAIL("opening %s: %s", s->bdf, strerror(errno));
}

void subject_close(struct subject *s)
{
	vfio_close(&s->dev);
}

unsigned int config_size(const struct subject *s)
{
	return s->regions[VFIO_PCI_CONFIG_REGION_INDEX].size;
}

static const char *const std_names[] = {
	[PCI_CAP_ID_PM] = "PM", [PCI_CAP_ID_VPD] = "VPD",
	[PCI_CAP_ID_MSI] = "MSI", [PCI_CAP_ID_VNDR] = "VNDR",
	[PCI_CAP_ID_SSVID] = "SSVID", [PCI_CAP_ID_EXP] = "EXP",
	[PCI_CAP_ID_MSIX] = "MSIX", [PCI_CAP_ID_AF] = "AF",
};

static const char *const ext_names[] = {
	[PCI_EXT_CAP_ID_ERR] = "AER", [PCI_EXT_CAP_ID_DSN] = "DSN",
	[PCI_EXT_CAP_ID_ACS] = "ACS", [PCI_EXT_CAP_ID_ARI] = "ARI",
	[PCI_EXT_CAP_ID_ATS] = "ATS", [PCI_EXT_CAP_ID_SRIOV] = "SRIOV",
};

static const char *window_name(const struct subject *s, unsigned int start)
{
	unsigned int id = s->config[start];
	const char *name = NULL;

	if (start < PCI_STD_HEADER_SIZEOF)
		return "HEADER";
	if (start < PCI_CFG_SPACE_SIZE && id < ARRAY_SIZE(std_names))
		name = std_names[id];
	else if (start >= PCI_CFG_SPACE_SIZE && id < ARRAY_SIZE(ext_names))
		name = ext_names[id];
	return name ?: start < PCI_CFG_SPACE_SIZE ? "CAP" : "ECAP";
}

const char *config_name(const struct subject *s, unsigned int pos)
{
	static char names[4][32];
	static unsigned int next;
	char *name = names[next++ % ARRAY_SIZE(names)];
	unsigned int start;

	if (pos >= CONFIG_MAX) {
		snprintf(name, sizeof(names[0]), "past:%x", pos);
		return name;
	}
	start = s->window[pos];
	if (pos >= PCI_STD_HEADER_SIZEOF && !start)
		snprintf(name, sizeof(names[0]), "RAW:%x", pos);
	else
		snprintf(name, sizeof(names[0]), "%s+%x:%x",
			 window_name(s, start), pos - start, pos);
	return name;
}

const char *config_flags(const struct subject *s, unsigned int pos, size_t len)
{
	const unsigned int msi = config_cap(s, PCI_CAP_ID_MSI);

	if (msi && pos < msi + PCI_MSI_FLAGS + 2 && pos + len > msi + PCI_MSI_FLAGS)
		return " over MSI flags";
	return "";
}

uint64_t events_take(const struct subject *s)
{
	struct pollfd waits[EVENTS];
	uint64_t sum = 0, got;
	unsigned int i;

	for (i = 0; i < EVENTS; i++)
		waits[i] = (struct pollfd){ .fd = s->events[i], .events = POLLIN };
	if (poll(waits, EVENTS, 0) <= 0)
		return 0;
	for (i = 0; i < EVENTS; i++) {
		if (waits[i].revents && read(s->events[i], &got, sizeof(got)) == sizeof(got))
			sum += got;
	}
	return sum;
}

void subject_asleep(struct subject *s)
{
	char status[32];
	unsigned int i;

	for (i = 0; i < 200; i++) {
		pci_attr_read(s->bdf, "power/runtime_status", status, sizeof(status));
		if (!strcmp(status, "suspended"))
			return;
		usleep(5000);
	}
}

void subject_command(struct subject *s, uint16_t set, uint16_t clear)
{
	uint64_t pos = REGION_POS(VFIO_PCI_CONFIG_REGION_INDEX, PCI_COMMAND);
	uint16_t command = 0;

	pread(s->dev.fd, &command, sizeof(command), pos);
	command = (command & ~clear) | set;
	pwrite(s->dev.fd, &command, sizeof(command), pos);
}

bool subject_power(struct subject *s, unsigned int state)
{
	unsigned int pos = config_cap(s, PCI_CAP_ID_PM);
	uint16_t pmcsr = state;

	if (!pos)
		return false;
	pwrite(s->dev.fd, &pmcsr, sizeof(pmcsr),
	       REGION_POS(VFIO_PCI_CONFIG_REGION_INDEX, pos + PCI_PM_CTRL));
	return true;
}

void subject_revive(struct subject *s)
{
	subject_power(s, 0);
	subject_command(s, PCI_COMMAND_IO | PCI_COMMAND_MEMORY, 0);
}
