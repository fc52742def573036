// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts set up, masked, signalled and taken away by several threads at once.
 * What each test looks at is the kernel's log, and that afterwards an interrupt
 * still gets through.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/edu.h"
#include "lib/lab.h"
#include "lib/race.h"
#include "lib/tap.h"
#include "lib/vfio.h"

#define INTX	VFIO_PCI_INTX_IRQ_INDEX
#define MSI	VFIO_PCI_MSI_IRQ_INDEX
#define MSIX	VFIO_PCI_MSIX_IRQ_INDEX
#define ERR	VFIO_PCI_ERR_IRQ_INDEX
#define REQ	VFIO_PCI_REQ_IRQ_INDEX
#define TRIGGER	VFIO_IRQ_SET_ACTION_TRIGGER
#define UNMASK	VFIO_IRQ_SET_ACTION_UNMASK
#define VECTORS	2	/* of the virtio device that reports bus errors */
#define MS	1500

/**
 * struct arena - a device and what the threads use on it
 * @dev:	open device
 * @fd:		eventfd of the interrupt
 * @other:	another one
 * @unmask:	eventfd that unmasks INTx
 * @fds:	eventfds of MSI-X vectors
 */
struct arena {
	struct vfio_dev dev;
	int32_t fd;
	int32_t other;
	int32_t unmask;
	int32_t fds[VECTORS];
};

static void arena_events(struct arena *arena)
{
	unsigned int i;

	arena->fd = event_new();
	arena->other = event_new();
	arena->unmask = event_new();
	for (i = 0; i < VECTORS; i++)
		arena->fds[i] = event_new();
}

static void arena_edu(struct arena *arena)
{
	arena_events(arena);
	edu_open(&arena->dev, "bridge");
}

struct way {
	const char *name;
	const char *nointxmask;
};

/* Masked in the device, or at the line, where each disable counts. */
static const struct way ways[] = {
	{ "exclusive", "Y" },
	{ "shared", "N" },
};

static void arena_way(struct arena *arena, const struct way *way)
{
	module_with("nointxmask", way->nointxmask);
	arena_edu(arena);
}

static void arena_rng(struct arena *arena)
{
	arena_events(arena);
	vfio_open(&arena->dev, lab_bdf("rng"));
	cfg_command(&arena->dev, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0);
}

/* Let the device report errors, which a reset puts an end to. */
static void report_errors(struct vfio_dev *dev)
{
	unsigned int exp = cfg_find_cap(dev, PCI_CAP_ID_EXP);

	if (exp)
		cfg_put16(dev, exp + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_NFERE);
}

static int unmask_by(struct arena *arena, int32_t fd)
{
	return irq_set_try(&arena->dev, INTX, VFIO_IRQ_SET_DATA_EVENTFD | UNMASK,
			   0, 1, &fd, sizeof(fd));
}

/* However it was left: INTx can be had, and an interrupt arrives each time. */
static void expect_intx(struct arena *arena)
{
	struct vfio_dev *dev = &arena->dev;

	irq_action_try(dev, INTX, TRIGGER, 0, 0);
	irq_action_try(dev, MSI, TRIGGER, 0, 0);
	cfg_command(dev, PCI_COMMAND_MEMORY, PCI_COMMAND_INTX_DISABLE);
	irq_enable(dev, INTX, 0, 1, &arena->fd);
	edu_intx_expect(dev, arena->fd);
}

/* ---- turns ---------------------------------------------------------------- */

static void swap_eventfd(void *arg)
{
	struct arena *arena = arg;
	int32_t none = -1;

	irq_eventfds_try(&arena->dev, INTX, 0, 1, &arena->fd);
	irq_eventfds_try(&arena->dev, INTX, 0, 1, &none);
	irq_eventfds_try(&arena->dev, INTX, 0, 1, &arena->other);
}

static void enable_again(void *arg)
{
	struct arena *arena = arg;

	irq_action_try(&arena->dev, INTX, TRIGGER, 0, 0);
	irq_eventfds_try(&arena->dev, INTX, 0, 1, &arena->fd);
	unmask_by(arena, arena->unmask);
}

static void kick_unmask(void *arg)
{
	struct arena *arena = arg;

	event_kick(arena->unmask);
}

static void loop_back(void *arg)
{
	struct arena *arena = arg;
	uint8_t yes = 1;

	irq_action_try(&arena->dev, INTX, TRIGGER, 0, 1);
	irq_set_try(&arena->dev, INTX, VFIO_IRQ_SET_DATA_BOOL | TRIGGER, 0, 1,
		    &yes, 1);
}

static void raise_and_ack(void *arg)
{
	struct arena *arena = arg;

	edu_raise(&arena->dev);
	edu_ack(&arena->dev);
}

static void toggle_disintx(void *arg)
{
	struct arena *arena = arg;

	cfg_command(&arena->dev, PCI_COMMAND_INTX_DISABLE, 0);
	cfg_command(&arena->dev, 0, PCI_COMMAND_INTX_DISABLE);
}

static void change_mode(void *arg)
{
	struct arena *arena = arg;

	irq_eventfds_try(&arena->dev, INTX, 0, 1, &arena->fd);
	irq_action_try(&arena->dev, INTX, UNMASK, 0, 1);
	irq_action_try(&arena->dev, INTX, TRIGGER, 0, 0);
	irq_eventfds_try(&arena->dev, MSI, 0, 1, &arena->fd);
	irq_action_try(&arena->dev, MSI, TRIGGER, 0, 0);
}

static void change_msix(void *arg)
{
	int32_t none[VECTORS] = { -1, -1 };
	struct arena *arena = arg;

	irq_eventfds_try(&arena->dev, MSIX, 0, 1, arena->fds);
	irq_eventfds_try(&arena->dev, MSIX, 0, VECTORS, arena->fds);
	irq_eventfds_try(&arena->dev, MSIX, 0, VECTORS, none);
	irq_action_try(&arena->dev, MSIX, TRIGGER, 0, VECTORS);
	irq_action_try(&arena->dev, MSIX, TRIGGER, 0, 0);
}

static void change_events(void *arg)
{
	struct arena *arena = arg;
	int32_t none = -1;

	irq_eventfds_try(&arena->dev, ERR, 0, 1, &arena->fd);
	irq_eventfds_try(&arena->dev, REQ, 0, 1, &arena->fd);
	irq_action_try(&arena->dev, ERR, TRIGGER, 0, 1);
	irq_action_try(&arena->dev, REQ, TRIGGER, 0, 1);
	irq_eventfds_try(&arena->dev, ERR, 0, 1, &none);
	irq_eventfds_try(&arena->dev, REQ, 0, 1, &none);
}

static void reset(void *arg)
{
	struct arena *arena = arg;

	/* -EAGAIN: somebody else is just resetting it. */
	if (ioctl(arena->dev.fd, VFIO_DEVICE_RESET))
		EXPECT_EQ(errno, EAGAIN);
}

static void hot_reset(void *arg)
{
	struct arena *arena = arg;

	if (vfio_hot_reset_try(&arena->dev))
		EXPECT(errno == EAGAIN || errno == EBUSY);
}

static void inject_error(void *arg)
{
	struct arena *arena = arg;

	report_errors(&arena->dev);
	lab_monitor("pcie_aer_inject_error rng COMP_TIME");
}

/* ---- INTx ----------------------------------------------------------------- */

/* The eventfd goes away while somebody is about to signal it. */
TEST_EACH_LIMIT(cve_2024_26812_intx_eventfd_against_unmask_and_loopback, ways, 60)
{
	struct race race = { 0 };
	struct arena arena;

	arena_way(&arena, it);
	irq_enable(&arena.dev, INTX, 0, 1, &arena.fd);
	ASSERT_OK(unmask_by(&arena, arena.unmask));
	race_add(&race, "swap", swap_eventfd, &arena);
	race_add(&race, "enable again", enable_again, &arena);
	race_add(&race, "unmask", kick_unmask, &arena);
	race_add(&race, "loopback", loop_back, &arena);
	race_add(&race, "interrupt", raise_and_ack, &arena);
	race_run(&race, MS);
	expect_intx(&arena);
	vfio_close(&arena.dev);
}

/* Masked by one side, unmasked by the other, and the books still balance. */
TEST_EACH_LIMIT(cve_2024_26810_disintx_against_mode_changes, ways, 60)
{
	struct race race = { 0 };
	struct arena arena;

	arena_way(&arena, it);
	race_add(&race, "DisINTx", toggle_disintx, &arena);
	race_add(&race, "DisINTx too", toggle_disintx, &arena);
	race_add(&race, "mode", change_mode, &arena);
	race_add(&race, "interrupt", raise_and_ack, &arena);
	race_run(&race, MS);
	expect_intx(&arena);
	vfio_close(&arena.dev);
}

static void unmask_set(void *arg)
{
	struct arena *arena = arg;
	int32_t fd = event_new();

	unmask_by(arena, fd);
	event_kick(fd);
	close(fd);
}

static void unmask_clear(void *arg)
{
	unmask_by(arg, -1);
}

/* The waiter is let go by its eventfd's end and by the user, only one may free. */
TEST_LIMIT(unmask_eventfd_closed_while_removed, 60)
{
	struct race race = { 0 };
	struct arena arena;

	arena_edu(&arena);
	irq_enable(&arena.dev, INTX, 0, 1, &arena.fd);
	race_add(&race, "set, kick, close", unmask_set, &arena);
	race_add(&race, "remove", unmask_clear, &arena);
	race_add(&race, "interrupt", raise_and_ack, &arena);
	race_run(&race, MS);
	expect_intx(&arena);
	vfio_close(&arena.dev);
}

/* Suspended with INTx unmasked, resumed by whatever comes: it is unmasked again. */
static void sleep_and_wake(void *arg)
{
	struct arena *arena = arg;

	vfio_feature_try(&arena->dev, VFIO_DEVICE_FEATURE_SET |
			 VFIO_DEVICE_FEATURE_LOW_POWER_ENTRY, NULL, 0);
	usleep(2000);
	vfio_feature_try(&arena->dev, VFIO_DEVICE_FEATURE_SET |
			 VFIO_DEVICE_FEATURE_LOW_POWER_EXIT, NULL, 0);
}

TEST_EACH_LIMIT(low_power_against_interrupts, ways, 60)
{
	struct race race = { 0 };
	struct arena arena;

	arena_way(&arena, it);
	irq_enable(&arena.dev, INTX, 0, 1, &arena.fd);
	ASSERT_OK(unmask_by(&arena, arena.unmask));
	race_add(&race, "sleep", sleep_and_wake, &arena);
	race_add(&race, "unmask", kick_unmask, &arena);
	race_add(&race, "DisINTx", toggle_disintx, &arena);
	race_add(&race, "enable again", enable_again, &arena);
	race_run(&race, MS);
	expect_intx(&arena);
	vfio_close(&arena.dev);
}

/* ---- MSI-X and resets ----------------------------------------------------- */

static void expect_msix(struct arena *arena)
{
	unsigned int i;

	irq_action_try(&arena->dev, MSIX, TRIGGER, 0, 0);
	for (i = 0; i < VECTORS; i++)
		event_wait(arena->fds[i], 0);
	irq_enable(&arena->dev, MSIX, 0, VECTORS, arena->fds);
	for (i = 0; i < VECTORS; i++) {
		irq_trigger(&arena->dev, MSIX, i);
		EXPECT_EQ(event_wait(arena->fds[i], 1000), 1);
	}
	EXPECT_EQ(cfg_get16(&arena->dev, PCI_VENDOR_ID), 0x1af4);
}

struct foe {
	const char *name;
	void (*turn)(void *arg);
};

static const struct foe foes[] = {
	{ "reset", reset },
	{ "hot reset", hot_reset },
	{ "bus errors", inject_error },
};

/*
 * igate, memory_lock and the PCI core's pci_bus_sem, each taken by one of them
 * while it waits for another's: lockdep or a hang would tell.
 */
TEST_EACH_LIMIT(set_irqs_against, foes, 90)
{
	struct race race = { 0 };
	struct arena arena;

	arena_rng(&arena);
	race_add(&race, "MSI-X", change_msix, &arena);
	race_add(&race, "ERR and REQ", change_events, &arena);
	race_add(&race, it->name, it->turn, &arena);
	race_run(&race, MS);
	expect_msix(&arena);
	vfio_close(&arena.dev);
}

TEST_LIMIT(set_irqs_against_all_of_them, 120)
{
	struct race race = { 0 };
	struct arena arena;
	size_t i;

	arena_rng(&arena);
	race_add(&race, "MSI-X", change_msix, &arena);
	race_add(&race, "ERR and REQ", change_events, &arena);
	for (i = 0; i < ARRAY_SIZE(foes); i++)
		race_add(&race, foes[i].name, foes[i].turn, &arena);
	race_run(&race, 2 * MS);
	expect_msix(&arena);
	vfio_close(&arena.dev);
}

/* ---- unbinding ------------------------------------------------------------ */

static void *unbind(void *arg)
{
	struct arena *arena = arg;

	EXPECT_EQ(pci_attr_write(arena->dev.bdf, "driver/unbind",
				 arena->dev.bdf), 0);
	return NULL;
}

/* "igate in release": the request is signalled while the device is closed. */
TEST_LIMIT(request_against_close, 90)
{
	struct arena arena;
	pthread_t thread;
	unsigned int i;

	for (i = 0; i < 15; i++) {
		arena_edu(&arena);
		irq_enable(&arena.dev, REQ, 0, 1, &arena.fd);
		irq_enable(&arena.dev, MSI, 0, 1, &arena.other);
		ASSERT_EQ(pthread_create(&thread, NULL, unbind, &arena), 0);
		if (i % 3 == 1)
			EXPECT_GE(event_wait(arena.fd, 5000), 1);
		else if (i % 3 == 2)
			usleep(100 * i);
		if (i & 1)
			change_events(&arena);
		vfio_close(&arena.dev);
		ASSERT_EQ(pthread_join(thread, NULL), 0);
		EXPECT(pci_driver_is(lab_bdf("bridge"), ""));
		close(arena.fd);
		close(arena.other);
	}
	arena_edu(&arena);
	expect_intx(&arena);
	vfio_close(&arena.dev);
}
