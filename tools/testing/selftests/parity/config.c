// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configuration space: every byte as it reads and as it can be written.
 */
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "parity.h"

#define CONFIG(pos)	REGION_POS(VFIO_PCI_CONFIG_REGION_INDEX, pos)

static void read_lines(struct subject *s, unsigned int width)
{
	unsigned int pos, i;
	uint32_t val;

	for (pos = 0; pos < config_size(s); pos += 16) {
		for (i = pos; i < pos + 16; i += width) {
			val = 0;
			if (pread(s->dev.fd, &val, width, CONFIG(i)) != (ssize_t)width)
				result_ret(-1);
			result_hex(&val, width);
		}
		observe("read%u %s", width, config_name(s, pos));
	}
}

static void read_at(struct subject *s, unsigned int pos, size_t len)
{
	static uint8_t data[2 * CONFIG_MAX];
	ssize_t ret;

	memset(data, 0xee, sizeof(data));
	ret = pread(s->dev.fd, data, len, CONFIG(pos));
	result_ret(ret);
	result_hex(data, ret < 0 ? 16 : ret);
	observe("read at %x of %zu%s", pos, len, config_flags(s, pos, len));
}

static void read_edges(struct subject *s)
{
	static const size_t lens[] = { 0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 33, 100, 256, 4096, 4097 };
	const unsigned int size = config_size(s);
	const unsigned int at[] = {
		0, 1, 2, 3, 4, 5, 6, 7, 9, 0x0e, 0x0f, 0x10, 0x3b, 0x3d, 0x3f, 0x41,
		0x7f, 0x81, 0xfd, 0xff, 0x100, 0x101, size - 4, size - 3,
		size - 2, size - 1, size, size + 1, size + 4, 0x10000, ~0u,
	};
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		for (j = 0; j < ARRAY_SIZE(lens); j++)
			read_at(s, at[i], lens[j]);
	}
}

void probe_config_read(struct subject *s)
{
	read_lines(s, 1);
	read_lines(s, 2);
	read_lines(s, 4);
	read_edges(s);
}

static const uint32_t patterns[] = { 0xffffffff, 0, 0xa5a5a5a5, 0x5a5a5a5a };

/* Write each pattern, read it back, then put back what was there. */
static void write_unit(struct subject *s, unsigned int pos, unsigned int width)
{
	uint32_t was = 0, now;
	unsigned int i;

	pread(s->dev.fd, &was, width, CONFIG(pos));
	for (i = 0; i <= ARRAY_SIZE(patterns); i++) {
		const void *data = i < ARRAY_SIZE(patterns) ? &patterns[i] : &was;
		ssize_t ret = pwrite(s->dev.fd, data, width, CONFIG(pos));

		if (ret != (ssize_t)width)
			result_ret(ret);
		now = 0;
		pread(s->dev.fd, &now, width, CONFIG(pos));
		result_hex(&now, width);
	}
}

static void write_range(struct subject *s, unsigned int from, unsigned int to, const char *when)
{
	unsigned int width, pos;

	for (width = 1; width <= 4; width *= 2) {
		for (pos = from; pos < to; pos += width) {
			write_unit(s, pos, width);
			observe("%swrite%u %s%s", when, width, config_name(s, pos),
				config_flags(s, pos, width));
		}
	}
}

static void write_at(struct subject *s, unsigned int pos, size_t len)
{
	static const uint8_t ones[64] = { [0 ... 63] = 0xff };
	const unsigned int size = config_size(s);
	size_t inside = pos >= size ? 0 : size - pos < len ? size - pos : len;
	uint8_t was[64] = { 0 }, now[64] = { 0 };

	pread(s->dev.fd, was, inside, CONFIG(pos));
	result_ret(pwrite(s->dev.fd, ones, len, CONFIG(pos)));
	pread(s->dev.fd, now, inside, CONFIG(pos));
	result_hex(now, inside);
	result_ret(pwrite(s->dev.fd, was, inside, CONFIG(pos)));
	observe("write at %s of %zu%s", config_name(s, pos), len, config_flags(s, pos, len));
}

static void write_edges(struct subject *s)
{
	static const size_t lens[] = { 0, 1, 2, 3, 4, 5, 7, 8, 12, 17 };
	const unsigned int size = config_size(s);
	const unsigned int at[] = {
		0, 1, 0x0c, 0x0d, 0x0e, 0x10, 0x11, 0x12, 0x13, 0x17, 0x1e,
		0x2f, 0x30, 0x31, 0x32, 0x33, 0x3c, 0x3d,
		size - 4, size - 3, size - 1, size, size + 1, ~0u,
	};
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(at); i++) {
		for (j = 0; j < ARRAY_SIZE(lens); j++)
			write_at(s, at[i], lens[j]);
	}
}

/*
 * Nothing is left out: bits that reset the device or move its power state put
 * it back by themselves or when the old value is restored.
 */
void probe_config_write(struct subject *s)
{
	write_range(s, 0, config_size(s), "");
	write_edges(s);
	read_lines(s, 4);
	result_ret(ioctl(s->dev.fd, VFIO_DEVICE_RESET));
	observe("RESET");
	read_lines(s, 4);
}

/* What a guest's driver writes while interrupts are set up. */
void probe_config_irqs(struct subject *s)
{
	const unsigned int msi = config_cap(s, PCI_CAP_ID_MSI);
	const unsigned int msix = config_cap(s, PCI_CAP_ID_MSIX);
	unsigned int state;

	for (state = IRQS_NONE; state < IRQS_STATES; state++) {
		if (!irqs_enter(s, state))
			continue;
		write_range(s, 0, PCI_STD_HEADER_SIZEOF, irq_states[state]);
		if (msi)
			write_range(s, msi, msi + 0x18, irq_states[state]);
		if (msix)
			write_range(s, msix, msix + 0x0c, irq_states[state]);
		result("%llu", (unsigned long long)events_take(s));
		observe("%ssignals", irq_states[state]);
		irqs_off(s);
		read_lines(s, 4);
	}
}
