// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a device's descriptor is asked for by, and what it can do besides.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "parity.h"

/* The part behind the address. */
static const char *const endings[] = {
	"", " ", "  ", "x", "0", "\n", " vf_token", " vf_token=", " vf_token= ",
	" vf_token=" TOKEN, "  vf_token=" TOKEN, " vf_token=" TOKEN " ",
	" vf_token=" TOKEN "0", " vf_token=" TOKEN " x", " x vf_token=" TOKEN,
	" vf_token=" TOKEN " vf_token=" TOKEN, "vf_token=" TOKEN,
	" VF_TOKEN=" TOKEN, " vf_token=6d2fd6cb", " token=" TOKEN,
	" vf_token=6d2fd6cb-5c3c-4f0a-9d2d-2f4b1a6c7e0g",
	" vf_token=6D2FD6CB-5C3C-4F0A-9D2D-2F4B1A6C7E01",
	" vf_token=00000000-0000-0000-0000-000000000000",
	" vf_token=6d2fd6cb5c3c4f0a9d2d2f4b1a6c7e01",
};

static void names(struct subject *s)
{
	char name[160];
	unsigned int i;
	int fd;

	for (i = 0; i < ARRAY_SIZE(endings); i++) {
		snprintf(name, sizeof(name), "%s%s", s->bdf, endings[i]);
		fd = vfio_fd_try(&s->dev.group, name);
		result_ret(fd < 0 ? -1 : 0);
		if (fd >= 0)
			close(fd);
		observe("opening with ending %u%s", i, endings[i][0] == '\n' ? "" : endings[i]);
	}
}

static void strangers(struct subject *s)
{
	static const char *const others[] = {
		"", " ", "0000:00:00.0", "0000:00:1f.0", "0000", "vfio-pci",
		"0000:01:00", "01:00.0", "ffff:ff:1f.7",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(others); i++) {
		result_ret(vfio_fd_try(&s->dev.group, others[i]) < 0 ? -1 : 0);
		observe("opening '%s'", others[i]);
	}
}

/* With the device open: as it was opened, and all else refused or not. */
static void descriptor(struct subject *s)
{
	struct pollfd wait = { .fd = s->dev.fd, .events = POLLIN | POLLOUT };
	struct stat st = { 0 };

	result_ret(poll(&wait, 1, 0));
	result(" %x", wait.revents);
	result_ret(ftruncate(s->dev.fd, 0));
	result_ret(fsync(s->dev.fd));
	result_ret(fallocate(s->dev.fd, 0, 0, 1));
	result_ret(fcntl(s->dev.fd, F_GETFL));
	result_ret(fcntl(s->dev.fd, F_GETFD));
	result_ret(fstat(s->dev.fd, &st));
	result(" %o %lld", st.st_mode, (long long)st.st_size);
	observe("descriptor");
}

/* The second program to open it shares the first one's state. */
static void shared(struct subject *s)
{
	uint16_t val = 0x0142, back = 0;
	int fd = subject_fd(s);

	result_ret(fd < 0 ? -1 : 0);
	if (fd >= 0) {
		pwrite(s->dev.fd, &val, 1, REGION_POS(7, PCI_INTERRUPT_LINE));
		result_ret(pread(fd, &back, 1, REGION_POS(7, PCI_INTERRUPT_LINE)));
		result_hex(&back, 1);
		close(fd);
	}
	result_ret(pread(s->dev.fd, &back, 1, REGION_POS(7, PCI_INTERRUPT_LINE)));
	result_hex(&back, 1);
	observe("opened twice");
}

void probe_open(struct subject *s)
{
	names(s);
	strangers(s);
	descriptor(s);
	shared(s);
}
