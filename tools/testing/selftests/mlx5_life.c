// SPDX-License-Identifier: GPL-2.0-only
/*
 * mlx5_vfio_pci: what comes in the way of a migration: a reset, a close, an unbind, a
 * PF that is reloaded. Data files are kept open through all of it.
 */
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/lab.h"
#include "lib/mig.h"
#include "lib/race.h"
#include "lib/tap.h"

#define FN	1
#define SEED	0x11fe

struct where {
	const char *name;
	enum mig_state state;
};

static const struct where states[] = {
	{ "RUNNING", MIG_RUNNING },
	{ "RUNNING_P2P", MIG_RUNNING_P2P },
	{ "STOP", MIG_STOP },
	{ "STOP_COPY", MIG_STOP_COPY },
	{ "RESUMING", MIG_RESUMING },
	{ "PRE_COPY", MIG_PRE_COPY },
	{ "PRE_COPY_P2P", MIG_PRE_COPY_P2P },
	{ "ERROR", MIG_ERROR },
};

/**
 * struct session - a VF, and what is to be seen of it afterwards
 * @m:		the VF
 * @before:	what firmware had for it
 * @file:	data file that was open when something came in the way, or -1
 */
struct session {
	struct mig m;
	struct mig_live before;
	int file;
};

static void set_up(struct session *s)
{
	mig_up(1);
	hca_set(HCA_SET_VF_PAGES, 16);
	mig_open(&s->m, FN);
	s->before = mig_live();
	s->file = -1;
}

static void keep_file(struct session *s)
{
	s->file = s->m.data;
	s->m.data = -1;
}

static void set_up_in(struct session *s, enum mig_state state)
{
	set_up(s);
	mig_reach(&s->m, state);
	keep_file(s);
}

/* Firmware is in the middle of a save. */
static void set_up_saving(struct session *s, enum mig_state state)
{
	set_up(s);
	hca_fail(HCA_FAULT_DELAY, HCA_SAVE_VHCA, test_patience(2000));
	mig_set(&s->m, state);
	mig_await_commands(1);
	keep_file(s);
}

static void hold_save(struct mig *m)
{
	hca_fail(HCA_FAULT_HOLD, HCA_SAVE_VHCA, 0);
	mig_set(m, MIG_STOP_COPY);
	mig_await_commands(1);
}

/* A file that is left of a session: every call on it fails, and none waits. */
static void expect_dead(int fd)
{
	struct mig_precopy_info info = { .argsz = sizeof(info) };
	struct pollfd wait = { .fd = fd, .events = POLLIN | POLLOUT };
	char byte = 0;

	EXPECT_EQ(poll(&wait, 1, 0), 1);
	EXPECT(wait.revents & POLLERR);
	if (read(fd, &byte, 1) < 0 && errno == EBADF) {
		EXPECT_ERRNO(write(fd, &byte, 1), ENODEV);
		return;
	}
	EXPECT_ERRNO(read(fd, &byte, 1), ENODEV);
	EXPECT_ERRNO(ioctl(fd, MIG_GET_PRECOPY_INFO, &info), ENODEV);
}

static void drop_file(struct session *s)
{
	if (s->file >= 0) {
		expect_dead(s->file);
		close(s->file);
	}
	s->file = -1;
}

/* Saved and loaded again, the VF is what it was. */
static void expect_works(struct session *s)
{
	struct mig_stream stream = { 0 };

	mig_expect(&s->m, MIG_RUNNING);
	cfg_command(&s->m.vf, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0);
	mig_fill(&s->m, SEED);
	mig_save_all(&s->m, &stream);
	mig_fill(&s->m, SEED + 1);
	ASSERT_EQ(mig_load_all(&s->m, &stream), 0);
	mig_expect_filled(&s->m, SEED);
	mig_stream_free(&stream);
	mig_expect_no_leak(&s->before);
	EXPECT_EQ(hca_counter(FN, HCA_MISUSED), 0u);
}

/* Nothing is left of the session, and the VF is of use again. */
static void tear_down(struct session *s)
{
	mig_expect(&s->m, MIG_RUNNING);
	mig_expect_no_leak(&s->before);
	drop_file(s);
	expect_works(s);
	mig_close(&s->m);
}

/* --- reset -------------------------------------------------------------------------- */

TEST_EACH(reset_in, states)
{
	struct session s;

	set_up_in(&s, it->state);
	vfio_reset(&s.m.vf);
	tear_down(&s);
}

/* Of all the ways to reset it, a guest uses this one. */
TEST(reset_by_config_space)
{
	struct session s;
	unsigned int cap;

	set_up_in(&s, MIG_PRE_COPY);
	cap = cfg_find_cap(&s.m.vf, PCI_CAP_ID_EXP);
	ASSERT(cap);
	cfg_put16(&s.m.vf, cap + PCI_EXP_DEVCTL, PCI_EXP_DEVCTL_BCR_FLR);
	tear_down(&s);
}

TEST(reset_while_a_save_is_going_on)
{
	struct session s;

	set_up_saving(&s, MIG_STOP_COPY);
	vfio_reset(&s.m.vf);
	tear_down(&s);
}

/* --- close and unbind ------------------------------------------------------------------ */

static void close_device(struct session *s)
{
	mig_close(&s->m);
	mig_expect_no_leak(&s->before);
}

TEST_EACH(close_in, states)
{
	struct session s;

	set_up_in(&s, it->state);
	close_device(&s);
	drop_file(&s);
	mig_open(&s.m, FN);
	tear_down(&s);
}

TEST_EACH(unbind_in, states)
{
	struct session s;
	bool used;

	set_up_in(&s, it->state);
	close_device(&s);
	pci_unbind(hca_bdf(FN));
	/* The file's code is the module's */
	used = s.file >= 0;
	EXPECT_EQ(module_unload(MIG_DRIVER) == 0, !used);
	drop_file(&s);
	if (used)
		EXPECT_EQ(module_unload(MIG_DRIVER), 0);
	ASSERT_EQ(module_load(MIG_DRIVER, NULL), 0);
	mig_open(&s.m, FN);
	tear_down(&s);
}

/* --- the PF -------------------------------------------------------------------------- */

static void reload_pf(void)
{
	ASSERT_EQ(lab_command("devlink dev reload pci/%s", hca_bdf(0)), 0);
	EXPECT_EQ(hca_counter(0, HCA_LEAKED), 0u);
}

/*
 * The PF went away and came back. A state does not change behind a program's back: it
 * learns of it when it asks.
 */
static void tear_down_lost(struct session *s, enum mig_state state)
{
	drop_file(s);
	if (state != MIG_RUNNING) {
		EXPECT_ERRNO(mig_set_try(&s->m, MIG_RUNNING), EINVAL);
		EXPECT_STREQ(mig_name(mig_get(&s->m)), "ERROR");
		vfio_reset(&s->m.vf);
	}
	s->before = mig_live();
	tear_down(s);
}

TEST_EACH_LIMIT(pf_reloaded_in, states, 60)
{
	struct session s;

	set_up_in(&s, it->state);
	reload_pf();
	tear_down_lost(&s, it->state);
}

TEST(pf_reloaded_while_a_save_is_going_on)
{
	struct session s;

	set_up_saving(&s, MIG_PRE_COPY);
	reload_pf();
	tear_down_lost(&s, MIG_PRE_COPY);
}

static const struct where recovered[] = {
	{ "RUNNING", MIG_RUNNING },
	{ "PRE_COPY", MIG_PRE_COPY },
	{ "RESUMING", MIG_RESUMING },
};

/* Firmware dies, and comes back without any memory; mlx5_core does what it takes. */
TEST_EACH_LIMIT(pf_recovers_from_an_error_in, recovered, 60)
{
	struct session s;

	set_up_in(&s, it->state);
	hca_recover();
	tear_down_lost(&s, it->state);
}

/* Nor is there an answer to the save that was on its way. */
TEST_LIMIT(pf_recovers_from_an_error_while_a_save_is_going_on, 60)
{
	struct session s;

	set_up(&s);
	hold_save(&s.m);
	keep_file(&s);
	hca_recover();
	tear_down_lost(&s, MIG_STOP_COPY);
}

/* mlx5_core leaves the PF, which takes the VFs away: whoever has one is waited for. */
TEST(pf_unbound_with_a_file_open)
{
	struct session s;

	set_up_in(&s, MIG_STOP_COPY);
	mig_close(&s.m);
	ASSERT_EQ(hca_unbind(), 0);
	EXPECT(!pci_exists(hca_bdf(FN)));
	EXPECT_EQ(hca_live(0), 0u);
	EXPECT_EQ(hca_counter(0, HCA_LEAKED), 0u);
	drop_file(&s);
	ASSERT_EQ(hca_bind(), 0);
}

/* --- waiting ------------------------------------------------------------------------- */

static void read_one(struct mig *m)
{
	char byte;

	(void)!read(m->data, &byte, 1);
}

static void set_stop(struct mig *m)
{
	mig_set_try(m, MIG_STOP);
}

struct waiter {
	const char *name;
	void (*wait)(struct mig *m);
};

static const struct waiter waiters[] = {
	{ "read", read_one },
	{ "set-state", set_stop },
};

static bool gone_within(pid_t pid, unsigned int ms)
{
	unsigned int i;

	for (i = 0; i < ms / 10; i++) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return true;
		usleep(10000);
	}
	return false;
}

/* Firmware that takes its time is no reason to hold a program that has to die. */
TEST_EACH(waiting_can_be_killed, waiters)
{
	struct session s;
	pid_t pid;

	set_up(&s);
	hold_save(&s.m);
	pid = fork();
	ASSERT_OK(pid);
	if (!pid) {
		it->wait(&s.m);
		_exit(0);
	}
	EXPECT(!gone_within(pid, 500));
	ASSERT_OK(kill(pid, SIGKILL));
	EXPECT(gone_within(pid, test_patience(3000)));
	hca_release();
	mig_expect(&s.m, MIG_STOP_COPY);
	mig_set(&s.m, MIG_RUNNING);
	mig_close_data(&s.m);
	tear_down(&s);
}

/* --- all at once ----------------------------------------------------------------------- */

static void turn_migrate(void *arg)
{
	struct mig *m = arg;
	struct mig mine = *m;

	mine.data = -1;
	if (!mig_set_try(&mine, MIG_PRE_COPY))
		mig_set_try(&mine, MIG_STOP_COPY);
	if (mine.data >= 0)
		read_one(&mine);
	mig_set_try(&mine, MIG_RUNNING);
	mig_close_data(&mine);
}

static void turn_resume(void *arg)
{
	struct mig mine = *(struct mig *)arg;
	char bytes[64] = { 0 };

	mine.data = -1;
	if (!mig_set_try(&mine, MIG_RESUMING))
		(void)!write(mine.data, bytes, sizeof(bytes));
	mig_close_data(&mine);
	usleep(30000);
}

static void turn_reset(void *arg)
{
	struct mig *m = arg;

	ioctl(m->vf.fd, VFIO_DEVICE_RESET);
	usleep(20000);
}

static void turn_look(void *arg)
{
	struct mig *m = arg;
	uint64_t size;

	mig_get(m);
	vfio_feature_try(&m->vf, VFIO_DEVICE_FEATURE_GET | MIG_FEATURE_DATA_SIZE, &size,
			 sizeof(size));
}

/* Nobody has to win, but the VF has to be of use when it is over. */
TEST_LIMIT(everybody_at_once, 60)
{
	struct race race = { 0 };
	struct session s;

	set_up(&s);
	hca_set(HCA_SET_SAVE_MS, 5);
	race_add(&race, "migrate", turn_migrate, &s.m);
	race_add(&race, "resume", turn_resume, &s.m);
	race_add(&race, "reset", turn_reset, &s.m);
	race_add(&race, "look", turn_look, &s.m);
	race_run(&race, 4000);
	vfio_reset(&s.m.vf);
	tear_down(&s);
}
