// SPDX-License-Identifier: GPL-2.0-only
/*
 * VFIO_DEVICE_FEATURE and the resets, with arguments at their edges.
 */
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "parity.h"

#define SET	VFIO_DEVICE_FEATURE_SET
#define GET	VFIO_DEVICE_FEATURE_GET
#define PROBE	VFIO_DEVICE_FEATURE_PROBE

static union {
	struct vfio_device_feature feature;
	struct vfio_pci_hot_reset reset;
	struct vfio_pci_hot_reset_info info;
	uint32_t words[1024];
} arg;

static const uint32_t ids[] = {
	0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 63, 64, 255, 256, 0x7fff, 0xffff,
};

static const uint32_t feature_flags[] = {
	0, GET, SET, PROBE, PROBE | GET, PROBE | SET, PROBE | GET | SET, GET | SET,
	1u << 19, GET | 1u << 19, PROBE | 1u << 31, SET | 1u << 24,
};

static void leave_low_power(struct subject *s)
{
	vfio_feature_try(&s->dev, SET | VFIO_DEVICE_FEATURE_LOW_POWER_EXIT, NULL, 0);
}

static void feature_one(struct subject *s, uint32_t flags, uint32_t argsz, int32_t fd)
{
	long ret;

	memset(&arg, 0, sizeof(arg));
	arg.feature.argsz = argsz;
	arg.feature.flags = flags;
	arg.words[2] = fd;
	ret = ioctl(s->dev.fd, VFIO_DEVICE_FEATURE, &arg);
	result_ret(ret);
	if (!ret && (flags & SET) && !(flags & PROBE))
		leave_low_power(s);
}

static void features(struct subject *s)
{
	static const uint32_t sizes[] = { 0, 7, 8, 9, 11, 12, 15, 16, 17, 24, 32, 64, 4096 };
	unsigned int i, j, k;

	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		for (j = 0; j < ARRAY_SIZE(feature_flags); j++) {
			for (k = 0; k < ARRAY_SIZE(sizes); k++)
				feature_one(s, ids[i] | feature_flags[j], sizes[k], s->events[0]);
			observe("feature %x flags %x", ids[i], feature_flags[j]);
		}
	}
}

/* Entry, entry again, use in between, exit twice; the wake-up's descriptor. */
static void low_power(struct subject *s)
{
	const uint32_t entry = SET | VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY;
	const uint32_t wakeup = SET | VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY_WITH_WAKEUP;
	const uint32_t leave = SET | VFIO_DEVICE_FEATURE_LOW_POWER_EXIT;
	const int32_t fds[] = { s->events[0], -1, -2, 0, 12345 };
	unsigned int i;
	uint32_t val = 0;

	result_ret(vfio_feature_try(&s->dev, entry, NULL, 0));
	subject_asleep(s);
	result_ret(vfio_feature_try(&s->dev, entry, NULL, 0));
	result_ret(pread(s->dev.fd, &val, 4, REGION_POS(7, 0)));
	result_ret(vfio_feature_try(&s->dev, leave, NULL, 0));
	result_ret(vfio_feature_try(&s->dev, leave, NULL, 0));
	observe("low power twice");
	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		int32_t payload[2] = { fds[i], 0 };

		result_ret(vfio_feature_try(&s->dev, wakeup, payload, sizeof(payload)));
		if (!i)
			subject_asleep(s);
		result_ret(vfio_feature_try(&s->dev, wakeup, payload, sizeof(payload)));
		leave_low_power(s);
		payload[1] = 1;
		result_ret(vfio_feature_try(&s->dev, wakeup, payload, sizeof(payload)));
		leave_low_power(s);
		observe("low power with wake-up, descriptor %u", i);
	}
	events_take(s);
}

void probe_feature(struct subject *s)
{
	features(s);
	low_power(s);
}

static void reset(struct subject *s, const char *when)
{
	uint32_t words[16];

	result_ret(ioctl(s->dev.fd, VFIO_DEVICE_RESET));
	result_ret(pread(s->dev.fd, words, sizeof(words), REGION_POS(7, 0)));
	result_hex(words, sizeof(words));
	observe("RESET %s", when);
}

static void resets(struct subject *s)
{
	unsigned int state;

	reset(s, "as opened");
	subject_revive(s);
	reset(s, "decoding");
	subject_command(s, PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE, 0);
	reset(s, "as bus master, INTx off");
	for (state = IRQS_INTX; state < IRQS_STATES; state++) {
		if (!irqs_enter(s, state))
			continue;
		reset(s, irq_states[state]);
		result("%llu", (unsigned long long)events_take(s));
		observe("signals");
	}
	irqs_off(s);
	if (subject_power(s, 3))
		reset(s, "in D3hot");
	subject_revive(s);
	reset(s, "at the end");
}

static uint32_t hot_info(struct subject *s)
{
	static const uint32_t sizes[] = {
		0, 4, 8, 11, 12, 13, 19, 20, 21, 27, 28, 29, 36, 44, 52, 64, 256, 4096,
	};
	unsigned int i;
	long ret;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		memset(&arg, 0xa5, sizeof(arg));
		arg.info.argsz = sizes[i];
		ret = ioctl(s->dev.fd, VFIO_DEVICE_GET_PCI_HOT_RESET_INFO, &arg);
		result_ret(ret);
		result_hex(&arg, 64);
		observe("HOT_RESET_INFO argsz %u", sizes[i]);
	}
	return ret ? 1 : arg.info.count;
}

static void hot_one(struct subject *s, uint32_t flags, uint32_t count, int32_t argsz)
{
	const int32_t fds[] = { s->dev.group.fd, s->dev.fd, s->events[0], -1, 12345 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fds); i++) {
		memset(&arg, 0, sizeof(arg));
		arg.reset.argsz = argsz;
		arg.reset.flags = flags;
		arg.reset.count = count;
		arg.reset.group_fds[0] = fds[i];
		arg.reset.group_fds[1] = fds[i];
		result_ret(ioctl(s->dev.fd, VFIO_DEVICE_PCI_HOT_RESET, &arg));
	}
	observe("HOT_RESET flags %x count %u argsz %d", flags, count, argsz);
}

static void hot(struct subject *s)
{
	static const int32_t sizes[] = { 0, 11, 12, 15, 16, 20, 4096 };
	const uint32_t affected = hot_info(s);
	const uint32_t counts[] = { 0, 1, 2, affected, affected + 1, 0x7fffffff, ~0u };
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		hot_one(s, 1, counts[i], sizeof(arg));
		hot_one(s, 1u << 31, counts[i], sizeof(arg));
		for (j = 0; j < ARRAY_SIZE(sizes); j++)
			hot_one(s, 0, counts[i], sizes[j]);
	}
}

void probe_reset(struct subject *s)
{
	uint32_t words[16];

	resets(s);
	hot(s);
	result_ret(pread(s->dev.fd, words, sizeof(words), REGION_POS(7, 0)));
	result_hex(words, sizeof(words));
	observe("header afterwards");
}
