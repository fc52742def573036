// SPDX-License-Identifier: GPL-2.0-only
/*
 * SET_IRQS: what each combination answers and signals, in each state.
 */
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "parity.h"

#define TRIGGER	VFIO_IRQ_SET_ACTION_TRIGGER
#define HEADER	sizeof(struct vfio_irq_set)

/* Room for data of any count that is not refused for its size. */
static union {
	struct vfio_irq_set set;
	uint8_t bytes[HEADER + 64 * 4];
} arg;

const char *const irq_states[IRQS_STATES] = {
	[IRQS_NONE] = "off: ", [IRQS_INTX] = "intx: ", [IRQS_MSI] = "msi: ",
	[IRQS_MSI_ALL] = "all msi: ", [IRQS_MSIX] = "msix: ",
	[IRQS_MSIX_ALL] = "all msix: ",
};

static const struct {
	uint32_t index;
	bool all;
} state_irqs[IRQS_STATES] = {
	[IRQS_INTX] = { VFIO_PCI_INTX_IRQ_INDEX, false },
	[IRQS_MSI] = { VFIO_PCI_MSI_IRQ_INDEX, false },
	[IRQS_MSI_ALL] = { VFIO_PCI_MSI_IRQ_INDEX, true },
	[IRQS_MSIX] = { VFIO_PCI_MSIX_IRQ_INDEX, false },
	[IRQS_MSIX_ALL] = { VFIO_PCI_MSIX_IRQ_INDEX, true },
};

void irqs_off(struct subject *s)
{
	uint32_t i;

	for (i = 0; i < VFIO_PCI_NUM_IRQS; i++)
		irq_action_try(&s->dev, i, TRIGGER, 0, 0);
	irq_set_try(&s->dev, VFIO_PCI_INTX_IRQ_INDEX, VFIO_IRQ_SET_DATA_EVENTFD |
		    VFIO_IRQ_SET_ACTION_UNMASK, 0, 1, &(int32_t){ -1 }, 4);
	events_take(s);
}

bool irqs_enter(struct subject *s, enum irq_state state)
{
	uint32_t index = state_irqs[state].index, count;

	irqs_off(s);
	if (state == IRQS_NONE)
		return true;
	count = state_irqs[state].all ? s->irqs[index] : 1;
	if (!s->irqs[index] || count > EVENTS)
		return false;
	return !irq_eventfds_try(&s->dev, index, 0, count, s->events);
}

/**
 * struct filling - what stands behind the header
 * @name:	for the record
 * @flags:	data type, as given to the kernel
 * @size:	bytes per interrupt
 * @val:	repeated; eventfds are filled in instead if it is 1
 * @bad:	the second entry is a descriptor that is none
 */
struct filling {
	const char *name;
	uint32_t flags;
	uint32_t size;
	int32_t val;
	bool bad;
};

static const struct filling fillings[] = {
	{ "no type", 0, 0, 0, false },
	{ "none", VFIO_IRQ_SET_DATA_NONE, 0, 0, false },
	{ "false", VFIO_IRQ_SET_DATA_BOOL, 1, 0, false },
	{ "true", VFIO_IRQ_SET_DATA_BOOL, 1, 1, false },
	{ "fds", VFIO_IRQ_SET_DATA_EVENTFD, 4, 1, false },
	{ "fd -1", VFIO_IRQ_SET_DATA_EVENTFD, 4, -1, false },
	{ "fd -2", VFIO_IRQ_SET_DATA_EVENTFD, 4, -2, false },
	{ "second fd bad", VFIO_IRQ_SET_DATA_EVENTFD, 4, 1, true },
	{ "none+bool", VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_DATA_BOOL, 1, 0, false },
	{ "all types", VFIO_IRQ_SET_DATA_TYPE_MASK, 4, 1, false },
};

static const uint32_t actions[] = {
	0, VFIO_IRQ_SET_ACTION_MASK, VFIO_IRQ_SET_ACTION_UNMASK, TRIGGER,
	VFIO_IRQ_SET_ACTION_MASK | VFIO_IRQ_SET_ACTION_UNMASK,
	VFIO_IRQ_SET_ACTION_UNMASK | TRIGGER, 1u << 6, TRIGGER | 1u << 31,
};

static void fill(const struct subject *s, const struct filling *filling)
{
	int32_t *fds = (int32_t *)arg.set.data;
	unsigned int i;

	if (filling->size == 1) {
		memset(arg.set.data, filling->val, sizeof(arg) - HEADER);
		return;
	}
	for (i = 0; i < (sizeof(arg) - HEADER) / 4; i++)
		fds[i] = filling->val == 1 ? s->events[i % EVENTS] : filling->val;
	if (filling->bad)
		fds[1] = 12345;
}

/* What is refused as malformed leaves the state as it is. */
static void set_one(struct subject *s, enum irq_state state, uint32_t argsz)
{
	long ret;

	arg.set.argsz = argsz;
	ret = ioctl(s->dev.fd, VFIO_DEVICE_SET_IRQS, &arg);
	result_ret(ret);
	if (ret < 0 && (errno == EINVAL || errno == ENOTTY))
		return;
	result("/%llu", (unsigned long long)events_take(s));
	irqs_enter(s, state);
}

static void set_counts(struct subject *s, enum irq_state state, const struct filling *filling)
{
	const uint32_t max = arg.set.index < VFIO_PCI_NUM_IRQS ? s->irqs[arg.set.index] : 1;
	const uint32_t counts[] = { 0, 1, 2, max, max + 1, 0x40000000, ~0u };
	unsigned int i;
	uint64_t exact;

	fill(s, filling);
	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		arg.set.count = counts[i];
		exact = HEADER + (uint64_t)counts[i] * filling->size;
		if (exact > sizeof(arg))
			exact = sizeof(arg);
		set_one(s, state, exact);
		set_one(s, state, exact - 1);
	}
}

static void matrix_row(struct subject *s, enum irq_state state, uint32_t action)
{
	const uint32_t max = arg.set.index < VFIO_PCI_NUM_IRQS ? s->irqs[arg.set.index] : 1;
	const uint32_t starts[] = { 0, 1, max, ~0u };
	const bool odd = action & (action - 1) || !action || action >= 1u << 6;
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(fillings); i++) {
		if (odd && i % 4)
			continue;
		for (j = 0; j < ARRAY_SIZE(starts); j++) {
			arg.set.start = starts[j];
			arg.set.flags = action | fillings[i].flags;
			set_counts(s, state, &fillings[i]);
			observe("%sindex %x action %x %s start %u", irq_states[state],
				arg.set.index, action, fillings[i].name, starts[j]);
		}
	}
}

static void matrix(struct subject *s, enum irq_state state)
{
	static const uint32_t index[] = { 0, 1, 2, 3, 4, 5, ~0u };
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(index); i++) {
		for (j = 0; j < ARRAY_SIZE(actions); j++) {
			arg.set.index = index[i];
			matrix_row(s, state, actions[j]);
		}
	}
}

/* Vectors added, swapped and taken away one by one, each then triggered. */
static void vectors(struct subject *s, uint32_t index)
{
	static const int8_t script[] = { 0, 1, 2, -1, 3, 1, -3, 0, -2, 4, 2, -4, 5, 3 };
	unsigned int i, vector;
	int32_t fd;

	irqs_off(s);
	for (i = 0; i < ARRAY_SIZE(script); i++) {
		vector = script[i] < 0 ? -script[i] : script[i];
		fd = script[i] < 0 ? -1 : s->events[(vector + i) % EVENTS];
		result_ret(irq_eventfds_try(&s->dev, index, vector, 1, &fd));
		result_ret(irq_action_try(&s->dev, index, TRIGGER, 0, s->irqs[index]));
		result("/%llu", (unsigned long long)events_take(s));
		observe("index %u vector %u %s", index, vector, fd < 0 ? "off" : "on");
	}
	irqs_off(s);
}

/* INTx masked and not: every order of three actions, each with its signal. */
static void intx_orders(struct subject *s)
{
	static const uint32_t steps[] = {
		VFIO_IRQ_SET_ACTION_MASK, VFIO_IRQ_SET_ACTION_UNMASK, TRIGGER,
	};
	unsigned int order, i, n;

	for (order = 0; order < 27; order++) {
		irqs_enter(s, IRQS_INTX);
		for (i = 0, n = order; i < 3; i++, n /= 3) {
			result_ret(irq_action_try(&s->dev, 0, steps[n % 3], 0, 1));
			result("/%llu", (unsigned long long)events_take(s));
		}
		observe("intx order %u", order);
	}
	irqs_off(s);
}

void probe_irqs(struct subject *s)
{
	unsigned int state;

	for (state = IRQS_NONE; state < IRQS_STATES; state++) {
		if (irqs_enter(s, state))
			matrix(s, state);
	}
	vectors(s, VFIO_PCI_MSI_IRQ_INDEX);
	vectors(s, VFIO_PCI_MSIX_IRQ_INDEX);
	intx_orders(s);
}
