// SPDX-License-Identifier: GPL-2.0-only
/*
 * INTx of devices older than PCI 2.3, whose DisINTx does nothing, so that their
 * line is masked instead; and of devices whose pin leads nowhere.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/lab.h"
#include "lib/odd.h"
#include "lib/slab.h"
#include "lib/tap.h"
#include "lib/vfio.h"

#define INTX		VFIO_PCI_INTX_IRQ_INDEX
#define PARAMETER	"/sys/module/vfio_pci/parameters/nointxmask"
#define QUIET		20	/* ms without a signal: there is none */

/* COMMAND without DisINTx: PCI_COMMAND_IO, _MEMORY and _MASTER are left. */
static const struct odd_poke no_disintx[] = {
	{ ODD_MASK + PCI_COMMAND, 2, 0x0007 },
	{ }
};

struct way {
	const char *name;
	const struct odd_poke *pokes;
};

static const struct way ways[] = {
	{ "shared", NULL },
	{ "exclusive", no_disintx },
};

static void line(struct vfio_dev *dev, bool assert)
{
	odd_put(dev, ODD_LINE, assert);
}

static void disintx(struct vfio_dev *dev, bool set)
{
	cfg_command(dev, set ? PCI_COMMAND_INTX_DISABLE : 0,
		    set ? 0 : PCI_COMMAND_INTX_DISABLE);
}

/* What QEMU's I/O APIC remembers of a level goes when it rises and falls. */
static void settle(struct vfio_dev *dev, int fd)
{
	line(dev, true);
	line(dev, false);
	intx_settle(dev, fd);
}

static int open_intx(struct vfio_dev *dev, const struct way *way)
{
	int fd = event_new();

	odd_open(dev, odd_made("odd", way->pokes));
	irq_enable(dev, INTX, 0, 1, &fd);
	settle(dev, fd);
	return fd;
}

static void expect_intx(struct vfio_dev *dev, int fd)
{
	unsigned int i;

	settle(dev, fd);
	for (i = 0; i < 2; i++) {
		line(dev, true);
		EXPECT_EQ(event_wait(fd, 500), 1);
		line(dev, false);
		intx_unmask(dev);
		EXPECT_EQ(event_wait(fd, QUIET), 0);
	}
}

/*
 * A line that is enabled when its handler is installed, and disabled right
 * after, takes the interrupt in between for one disable more: it can never be
 * unmasked again.
 */
TEST_LIMIT(cve_2024_27437_asserted_line_is_enabled_once, 60)
{
	int fd = event_new();
	struct vfio_dev dev;
	unsigned int i;

	odd_open(&dev, odd_made("odd", no_disintx));
	line(&dev, true);
	for (i = 0; i < 200; i++) {
		/* Asserted, and masked from the start by the user's bit. */
		disintx(&dev, true);
		irq_enable(&dev, INTX, 0, 1, &fd);
		EXPECT_EQ(event_wait(fd, 1), 0);
		line(&dev, false);
		line(&dev, true);
		disintx(&dev, false);
		EXPECT_EQ(event_wait(fd, 500), 1);
		intx_unmask(&dev);
		EXPECT_EQ(event_wait(fd, 500), 1);
		/* What was not served is there at once when it is enabled next. */
		irq_disable(&dev, INTX);
	}
	irq_enable(&dev, INTX, 0, 1, &fd);
	expect_intx(&dev, fd);
	vfio_close(&dev);
}

/* ---- every order of events ------------------------------------------------ */

/**
 * struct model - what INTx should be doing
 * @level:	the device asserts its line
 * @masked:	by the user, or since it signalled
 * @disabled:	the user set DisINTx
 */
struct model {
	bool level;
	bool masked;
	bool disabled;
};

enum event { RAISE, LOWER, MASK, UNMASK, SET, CLEAR, EVENTS };

static const char *const event_names[EVENTS] = {
	"raise", "lower", "mask", "unmask", "DisINTx on", "DisINTx off",
};

/* The level is looked at whenever the line is let go: 1 if that signals. */
static unsigned int let_go(struct model *model)
{
	model->masked = model->level;
	return model->level;
}

/* Signals that @event causes. */
static unsigned int model_step(struct model *model, enum event event)
{
	switch (event) {
	case RAISE:
		model->level = true;
		return model->masked ? 0 : let_go(model);
	case LOWER:
		model->level = false;
		return 0;
	case MASK:
		model->masked = true;
		return 0;
	case UNMASK:
		return model->masked && !model->disabled ? let_go(model) : 0;
	case SET:
		model->disabled = true;
		model->masked = true;
		return 0;
	default:
		if (!model->disabled)
			return 0;
		model->disabled = false;
		return let_go(model);
	}
}

static void device_step(struct vfio_dev *dev, enum event event)
{
	switch (event) {
	case RAISE:
	case LOWER:
		return line(dev, event == RAISE);
	case MASK:
		return intx_mask(dev);
	case UNMASK:
		return intx_unmask(dev);
	default:
		return disintx(dev, event == SET);
	}
}

/*
 * "Fix INTx handling on legacy non-PCI 2.3 devices": none is lost and none is
 * invented, whatever the order of assertion, mask, unmask and DisINTx.
 */
TEST_EACH_LIMIT(legacy_intx_in_any_order, ways, 90)
{
	struct model model = { 0 };
	enum event event, last = EVENTS;
	unsigned int i, seed = 1, want;
	struct vfio_dev dev;
	int fd = open_intx(&dev, it);

	for (i = 0; i < 600; i++) {
		event = rand_r(&seed) % EVENTS;
		want = model_step(&model, event);
		device_step(&dev, event);
		if (event_wait(fd, want ? 500 : QUIET) != want)
			FAIL("step %u: %s after %s, %u expected", i,
			     event_names[event],
			     last < EVENTS ? event_names[last] : "nothing", want);
		last = event;
	}
	disintx(&dev, false);
	expect_intx(&dev, fd);
	vfio_close(&dev);
}

/* ---- lines that cannot be had --------------------------------------------- */

/* A device whose handler is on the same line; the number is right once enabled. */
static void open_mate(struct vfio_dev *mate, unsigned long long irq)
{
	static const char *const names[] = { "edu", "e1000e", "igb", "nvme", "bridge" };
	int32_t fd = event_new();
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		vfio_open(mate, lab_bdf(names[i]));
		if (pci_attr_number(mate->bdf, "irq") == irq) {
			irq_enable(mate, INTX, 0, 1, &fd);
			return;
		}
		vfio_close(mate);
	}
	FAIL("no other device is on line %llu", irq);
}

/* It must be the device's alone, and is not: what was prepared is given back. */
TEST_LIMIT(cve_2024_38632_failed_enable_leaks_nothing, 60)
{
	const unsigned int rounds = 5000;
	int32_t fd = event_new();
	struct vfio_dev dev, mate;
	unsigned int i;
	long before;

	odd_open(&dev, odd_made("oddroot", no_disintx));
	open_mate(&mate, pci_attr_number(dev.bdf, "irq"));
	EXPECT_ERRNO(irq_eventfds_try(&dev, INTX, 0, 1, &fd), EBUSY);
	before = slab_objects();
	for (i = 0; i < rounds; i++)
		ASSERT_ERRNO(irq_eventfds_try(&dev, INTX, 0, 1, &fd), EBUSY);
	EXPECT_LE(slab_growth(before, rounds / 2), rounds / 2);
	vfio_close(&mate);
	irq_enable(&dev, INTX, 0, 1, &fd);
	expect_intx(&dev, fd);
	vfio_close(&dev);
}

/* Slots of the root bus route four pins, and this is the fifth: nobody's line. */
static const struct odd_poke no_route_no_line[] = {
	{ PCI_INTERRUPT_PIN, 1, 5 },
	{ PCI_INTERRUPT_LINE, 1, 0 },
	{ ODD_MASK + PCI_INTERRUPT_LINE, 1, 0 },
	{ }
};

/* PCI 3.0, 6.2.4: 255 is "unknown" or "no connection". */
static const struct odd_poke not_connected[] = {
	{ PCI_INTERRUPT_PIN, 1, 5 },
	{ PCI_INTERRUPT_LINE, 1, 0xff },
	{ ODD_MASK + PCI_INTERRUPT_LINE, 1, 0 },
	{ }
};

struct route {
	const char *name;
	const struct odd_poke *pokes;
	unsigned int irq;
};

static const struct route routes[] = {
	{ "irq-0", no_route_no_line, 0 },
	{ "not-connected", not_connected, 0x80000000 },
};

/*
 * "Handle INTx IRQ_NOTCONNECTED". With irq-0 it fails on the distribution's
 * 6.12.117: an interrupt is offered that cannot be enabled.
 */
TEST_EACH(pin_that_leads_nowhere_is_hidden, routes)
{
	int32_t fd = event_new();
	struct vfio_dev dev;

	odd_open(&dev, odd_made("oddroot", it->pokes));
	EXPECT_EQ(pci_config_read(dev.bdf, PCI_INTERRUPT_PIN, 1), 5u);
	EXPECT_EQ((unsigned int)pci_attr_number(dev.bdf, "irq"), it->irq);
	EXPECT_EQ(vfio_irq(&dev, INTX).count, 0u);
	EXPECT_EQ(cfg_get8(&dev, PCI_INTERRUPT_PIN), 0);
	EXPECT_ERRNO(irq_eventfds_try(&dev, INTX, 0, 1, &fd), EINVAL);
	irq_enable(&dev, VFIO_PCI_MSI_IRQ_INDEX, 0, 1, &fd);
	vfio_close(&dev);
}

/* ---- policy --------------------------------------------------------------- */

/* Whether an interrupt masks the line instead of the device. */
static bool masks_the_line(struct vfio_dev *dev)
{
	int fd = event_new();
	uint16_t command;

	cfg_command(dev, PCI_COMMAND_MEMORY, 0);
	irq_enable(dev, INTX, 0, 1, &fd);
	settle(dev, fd);
	line(dev, true);
	EXPECT_EQ(event_wait(fd, 500), 1);
	command = pci_config_read(dev->bdf, PCI_COMMAND, 2);
	line(dev, false);
	irq_disable(dev, INTX);
	close(fd);
	return !(command & PCI_COMMAND_INTX_DISABLE);
}

static void expect_policy(const char *bdf, bool nointxmask)
{
	struct vfio_dev dev;

	vfio_open(&dev, bdf);
	EXPECT_EQ(masks_the_line(&dev), nointxmask);
	vfio_close(&dev);
}

/*
 * "Latch all parameters per device": what holds is what the parameter was when
 * the device was bound. Fails on the distribution's 6.12.117, which looks at it
 * when the module is loaded.
 */
TEST_LIMIT(nointxmask_counts_from_the_next_bind, 60)
{
	const char *bdf = odd_made("odd", NULL);
	struct vfio_dev dev;

	ASSERT_EQ(file_write(PARAMETER, "N"), 0);
	vfio_open(&dev, bdf);
	ASSERT_EQ(file_write(PARAMETER, "Y"), 0);
	EXPECT(!masks_the_line(&dev));
	vfio_close(&dev);
	expect_policy(bdf, false);
	pci_unbind(bdf);
	expect_policy(bdf, true);
	ASSERT_EQ(file_write(PARAMETER, "N"), 0);
	expect_policy(bdf, true);
	pci_unbind(bdf);
	expect_policy(bdf, false);
}
