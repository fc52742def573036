// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_IOEVENTFD: arguments, duplicates, limit, and the write itself.
 */
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "parity.h"

static long request(struct subject *s, uint32_t flags, uint64_t offset, int32_t fd)
{
	struct vfio_device_ioeventfd arg = {
		.argsz = sizeof(arg), .flags = flags, .offset = offset,
		.data = 0x1122334455667788, .fd = fd,
	};

	return ioctl(s->dev.fd, VFIO_DEVICE_IOEVENTFD, &arg);
}

/* Add, add once more, remove, remove once more. */
static void four(struct subject *s, uint32_t flags, uint64_t offset)
{
	result_ret(request(s, flags, offset, s->events[0]));
	result_ret(request(s, flags, offset, s->events[0]));
	result_ret(request(s, flags, offset, -1));
	result_ret(request(s, flags, offset, -1));
}

static const uint32_t flag_sets[] = {
	0, 1, 2, 4, 8, 3, 5, 6, 9, 15, 16, 17, 1u << 31,
};

static void offsets(struct subject *s, uint32_t index)
{
	const uint64_t size = s->regions[index].size;
	const uint64_t at[] = {
		0, 1, 2, 3, 4, 5, 6, 7, 8, size / 2, size - 8, size - 7, size - 4, size - 3,
		size - 2, size - 1, size, size + 1, (1ull << VFIO_SHIFT) - 8,
		(1ull << VFIO_SHIFT) - 1,
	};
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		for (j = 0; j < ARRAY_SIZE(flag_sets); j++) {
			four(s, flag_sets[j], REGION_POS(index, at[i]));
			observe("region %u %s at %llx flags %x", index,
				at[i] % 8 & (flag_sets[j] - 1) ? "unaligned" : "aligned",
				(unsigned long long)at[i], flag_sets[j]);
		}
	}
}

static void around_msix(struct subject *s)
{
	const uint64_t first = s->msix.pos, last = s->msix.pos + s->msix.len;
	const uint64_t at[] = { first - 8, first - 4, first - 1, first, first + 4, first + 16,
				last - 8, last - 4, last - 2, last - 1, last, last + 8 };
	unsigned int i, width;

	for (i = 0; i < ARRAY_SIZE(at) && s->msix.len; i++) {
		for (width = 1; width <= 8; width *= 2) {
			if (at[i] % width)
				continue;
			four(s, width, REGION_POS(s->msix.bar, at[i]));
			observe("MSI-X table %llx at %llx flags %x", (unsigned long long)first,
				(unsigned long long)at[i], width);
		}
	}
}

/*
 * Only -1: that the distribution's modules accept it is known; what they would
 * do with others is not something to try on a running kernel.
 */
static void nowhere(struct subject *s)
{
	static const uint64_t index[] = { 9, 10, 63, 0x7fffff, 0xffffff };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(index); i++) {
		result_ret(request(s, 4, REGION_POS(index[i], 0), s->events[0]));
		result_ret(request(s, 4, REGION_POS(index[i], 0), -1));
		observe("region %llx", (unsigned long long)index[i]);
	}
}

static void descriptors(struct subject *s)
{
	const struct span *span = s->kind->scratch;
	const int32_t fds[] = { -1, -2, -2147483647 - 1, 0, s->dev.fd, 12345, s->events[1] };
	const uint64_t at = REGION_POS(span->bar, span->pos);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		result_ret(request(s, 4, at, fds[i]));
		result_ret(request(s, 4, at, -1));
		observe("descriptor %u", i);
	}
}

static void sizes(struct subject *s)
{
	struct vfio_device_ioeventfd arg[4] = { 0 };
	uint32_t argsz;

	for (argsz = 0; argsz <= 64; argsz++) {
		arg[0].argsz = argsz;
		arg[0].flags = 4;
		arg[0].offset = REGION_POS(s->kind->scratch[0].bar, s->kind->scratch[0].pos);
		arg[0].fd = s->events[0];
		result_ret(ioctl(s->dev.fd, VFIO_DEVICE_IOEVENTFD, arg));
		arg[0].argsz = sizeof(arg[0]);
		arg[0].fd = -1;
		result_ret(ioctl(s->dev.fd, VFIO_DEVICE_IOEVENTFD, arg));
		observe("argsz %u", argsz);
	}
}

static void limit(struct subject *s)
{
	struct vfio_device_ioeventfd arg = { .argsz = sizeof(arg), .flags = 4 };
	unsigned int i, made = 0, gone = 0;
	long ret = 0;

	arg.offset = REGION_POS(s->kind->scratch[0].bar, s->kind->scratch[0].pos);
	arg.fd = s->events[2];
	for (i = 0; i < 1100 && !ret; i++) {
		arg.data = i;
		ret = ioctl(s->dev.fd, VFIO_DEVICE_IOEVENTFD, &arg);
		made += !ret;
	}
	result("%u", made);
	result_ret(ret);
	arg.fd = -1;
	for (i = 0; i < 1100; i++) {
		arg.data = i;
		gone += !ioctl(s->dev.fd, VFIO_DEVICE_IOEVENTFD, &arg);
	}
	result(" %u", gone);
	observe("as many as there may be");
}

/* The write may be handed to a worker: give it time to arrive. */
static void effect(struct subject *s, const struct span *span, uint32_t width)
{
	const uint64_t at = REGION_POS(span->bar, span->pos);
	uint64_t zero = 0, val = 0, one = 1;
	size_t len = span->len < 8 ? span->len : 8;

	subject_revive(s);
	pwrite(s->dev.fd, &zero, len, at);
	result_ret(request(s, width, at, s->events[3]));
	write(s->events[3], &one, sizeof(one));
	usleep(20000);
	pread(s->dev.fd, &val, len, at);
	result_hex(&val, len);
	subject_command(s, 0, PCI_COMMAND_MEMORY | PCI_COMMAND_IO);
	pwrite(s->dev.fd, &zero, len, at);
	write(s->events[3], &one, sizeof(one));
	usleep(20000);
	subject_revive(s);
	pread(s->dev.fd, &val, len, at);
	result_hex(&val, len);
	result_ret(request(s, width, at, -1));
	events_take(s);
	observe("signalled, %u bytes at %llx of region %u", width,
		(unsigned long long)span->pos, span->bar);
}

void probe_ioeventfd(struct subject *s)
{
	const struct span *span;
	uint32_t i;

	subject_revive(s);
	for (i = 0; i <= VFIO_PCI_VGA_REGION_INDEX; i++)
		offsets(s, i);
	around_msix(s);
	nowhere(s);
	descriptors(s);
	sizes(s);
	limit(s);
	for (span = s->kind->scratch; span->len; span++) {
		for (i = 1; i <= 8; i *= 2)
			effect(s, span, i);
	}
}
