// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lab's HCA itself: the kernel's mlx5_core drives it, VFs come and go, and it
 * fails as it is told to. Whoever tests a driver of VFs relies on that.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/hca_fw.h"
#include "lib/kmsg.h"
#include "lib/lab.h"
#include "lib/tap.h"

static void expect_nothing_left(unsigned int fn)
{
	EXPECT_EQ(hca_live(fn), 0u);
	EXPECT_EQ(hca_counter(fn, HCA_LIVE_PAGES), 0u);
	EXPECT_EQ(hca_counter(fn, HCA_LIVE_CMD), 0u);
	EXPECT_EQ(hca_counter(fn, HCA_LEAKED), 0u);
	EXPECT_EQ(hca_counter(fn, HCA_MISUSED), 0u);
	EXPECT_EQ(hca_counter(fn, HCA_STATE), 0u);
}

/* Until @fn has @count pages: its driver gives and takes them in its own time. */
static void wait_for_pages(unsigned int fn, unsigned int count)
{
	unsigned int tries = test_patience(500);

	while (hca_counter(fn, HCA_LIVE_PAGES) != count && tries--)
		usleep(10000);
	EXPECT_EQ(hca_counter(fn, HCA_LIVE_PAGES), count);
}

/* --- probe ------------------------------------------------------------------ */

TEST(mlx5_core_probes_the_pf)
{
	hca_up(0);
	EXPECT_EQ(hca_counter(0, HCA_STATE), (uint32_t)(HCA_IS_ENABLED | HCA_IS_READY));
	EXPECT_EQ(hca_counter(0, HCA_LIVE_EQ), 3u);
	EXPECT_EQ(hca_counter(0, HCA_LIVE_PAGES), 604u);
	EXPECT_EQ(hca_counter(0, HCA_MISUSED), 0u);
}

TEST(unloading_leaves_nothing)
{
	hca_up(0);
	hca_down();
	expect_nothing_left(0);
}

static const enum hca_opcode probe_order[] = {
	HCA_ENABLE_HCA, HCA_MANAGE_PAGES, HCA_QUERY_HCA_CAP, HCA_MANAGE_PAGES, HCA_INIT_HCA,
	HCA_QUERY_HCA_CAP, HCA_ALLOC_UAR, HCA_CREATE_EQ, HCA_CREATE_EQ, HCA_CREATE_EQ,
};

TEST(log_has_the_commands_in_order)
{
	struct hca_entry entry;
	uint32_t at, from;
	size_t i;

	hca_up(0);
	ASSERT_EQ(hca_unbind(), 0);
	from = hca_log_now();
	at = from;
	ASSERT_EQ(hca_bind(), 0);
	for (i = 0; i < ARRAY_SIZE(probe_order); i++) {
		ASSERT(hca_log_next(&at, probe_order[i], &entry));
		EXPECT_EQ(entry.word[HCA_LOG_FN], 0u);
		EXPECT_EQ(entry.word[HCA_LOG_END], (uint32_t)HCA_END_DONE);
		EXPECT_EQ(entry.word[HCA_LOG_STATUS], 0u);
	}
	EXPECT(!hca_log_next(&at, HCA_CREATE_EQ, &entry));
	EXPECT_EQ(hca_log_count(from, HCA_ENABLE_HCA), 1u);
}

/* --- virtual functions ---------------------------------------------------------- */

TEST(vfs_come_and_go)
{
	unsigned int fn;

	hca_up(HCA_VFS);
	for (fn = 1; fn <= HCA_VFS; fn++) {
		ASSERT(pci_exists(hca_bdf(fn)));
		EXPECT_EQ(hca_counter(fn, HCA_STATE), (uint32_t)HCA_IS_ENABLED);
		wait_for_pages(fn, 8);
		EXPECT_NE(pci_group(hca_bdf(fn)), pci_group(hca_bdf(fn - 1)));
	}
	ASSERT_EQ(hca_set_vfs(0), 0);
	for (fn = 1; fn <= HCA_VFS; fn++) {
		EXPECT(!pci_exists(hca_bdf(fn)));
		expect_nothing_left(fn);
	}
}

TEST(mlx5_core_drives_a_vf)
{
	hca_up(2);
	pci_bind(hca_bdf(2), "mlx5_core");
	EXPECT_EQ(hca_counter(2, HCA_STATE), (uint32_t)(HCA_IS_ENABLED | HCA_IS_READY));
	EXPECT_EQ(hca_counter(2, HCA_LIVE_EQ), 3u);
	EXPECT_EQ(hca_counter(1, HCA_LIVE_EQ), 0u);
	pci_unbind(hca_bdf(2));
	EXPECT_EQ(hca_live(2), 0u);
	EXPECT_EQ(hca_counter(2, HCA_LEAKED), 0u);
	EXPECT_EQ(hca_counter(2, HCA_MISUSED), 0u);
}

TEST(pf_goes_while_vfs_exist)
{
	hca_up(1);
	hca_down();
	expect_nothing_left(0);
	expect_nothing_left(1);
	hca_up(0);
}

/* --- faults -------------------------------------------------------------------- */

/* What mlx5_core cannot do without. */
static const struct probe_step { const char *name; enum hca_opcode opcode; } probe_steps[] = {
	{ "ENABLE_HCA", HCA_ENABLE_HCA },
	{ "QUERY_HCA_CAP", HCA_QUERY_HCA_CAP },
	{ "MANAGE_PAGES", HCA_MANAGE_PAGES },
	{ "INIT_HCA", HCA_INIT_HCA },
	{ "ALLOC_UAR", HCA_ALLOC_UAR },
	{ "CREATE_EQ", HCA_CREATE_EQ },
};

TEST_EACH(probe_fails_cleanly_when_a_command_does, probe_steps)
{
	char text[128];
	unsigned int slot;

	hca_up(0);
	ASSERT_EQ(hca_unbind(), 0);
	slot = hca_fail(HCA_FAULT_STATUS, it->opcode, FW_BAD_SYS_STATE, .syndrome = 0xabcdef);
	EXPECT_EQ(hca_bind(), -ENODEV);
	EXPECT_EQ(hca_fault_hits(slot), 1u);
	snprintf(text, sizeof(text), "%s(0x%x)", it->name, it->opcode);
	EXPECT(kmsg_has(text));
	EXPECT(kmsg_has("syndrome (0xabcdef)"));
	expect_nothing_left(0);
	EXPECT_EQ(hca_bind(), 0);
}

TEST(fault_skips_and_counts)
{
	uint32_t id;
	unsigned int slot, i;

	hca_up(0);
	slot = hca_fail(HCA_FAULT_STATUS, HCA_ALLOC_PD, FW_RES_BUSY, .skip = 1, .times = 2);
	EXPECT_EQ(fw_short(HCA_ALLOC_PD, 0, 0, 0, &id), FW_OK);
	for (i = 0; i < 2; i++) {
		EXPECT_EQ(fw_short(HCA_ALLOC_PD, 0, 0, 0, NULL), FW_RES_BUSY);
		EXPECT_EQ(fw_why(), HCA_WHY_FAULT);
	}
	EXPECT_EQ(hca_fault_hits(slot), 2u);
	EXPECT_EQ(hca_counter(0, HCA_LIVE_PD), 1u);
	EXPECT_EQ(fw_short(HCA_DEALLOC_PD, 0, id, 0, NULL), FW_OK);
}

TEST(fault_undo_has_done_the_work)
{
	uint32_t id;

	hca_up(0);
	EXPECT_EQ(fw_short(HCA_ALLOC_PD, 0, 0, 0, &id), FW_OK);
	hca_fail(HCA_FAULT_UNDO, HCA_DEALLOC_PD, FW_RES_BUSY);
	EXPECT_EQ(fw_short(HCA_DEALLOC_PD, 0, id, 0, NULL), FW_RES_BUSY);
	EXPECT_EQ(hca_counter(0, HCA_LIVE_PD), 0u);
}

TEST(fault_keeps_a_command_from_being_delivered)
{
	hca_up(0);
	hca_fail(HCA_FAULT_DELIVER, HCA_ALLOC_PD, 6);
	EXPECT_GE(fw_short(HCA_ALLOC_PD, 0, 0, 0, NULL), (unsigned int)FW_NO_ANSWER);
	EXPECT_EQ(hca_counter(0, HCA_LIVE_PD), 0u);
}

static void *alloc_pd(void *answer)
{
	return fw_short(HCA_ALLOC_PD, 0, 0, 0, answer) == FW_OK ? answer : NULL;
}

/* A command that is held is in flight until it is let go, and so is one that is late. */
static void expect_alloc_pd_waits(enum hca_fault_kind kind)
{
	unsigned int tries = test_patience(200);
	uint32_t id = 0;
	pthread_t thread;
	void *done;

	hca_fail(kind, HCA_ALLOC_PD, 300);
	ASSERT_EQ(pthread_create(&thread, NULL, alloc_pd, &id), 0);
	while (!hca_counter(0, HCA_LIVE_CMD) && tries--)
		usleep(1000);
	EXPECT_EQ(hca_counter(0, HCA_LIVE_PD), 0u);
	EXPECT_EQ(hca_counter(0, HCA_LIVE_CMD), 1u);
	if (kind == HCA_FAULT_HOLD)
		hca_release();
	ASSERT_EQ(pthread_join(thread, &done), 0);
	EXPECT(done);
	EXPECT_EQ(fw_short(HCA_DEALLOC_PD, 0, id, 0, NULL), FW_OK);
}

TEST(fault_delays_a_command)
{
	hca_up(0);
	expect_alloc_pd_waits(HCA_FAULT_DELAY);
}

TEST(fault_holds_a_command)
{
	hca_up(0);
	expect_alloc_pd_waits(HCA_FAULT_HOLD);
}

/* mlx5_core learns how long to wait from the firmware. */
TEST(command_that_never_completes_times_out)
{
	hca_up(0);
	ASSERT_EQ(hca_unbind(), 0);
	hca_set(HCA_SET_CMD_TIMEOUT_MS, 1000);
	hca_fail(HCA_FAULT_HOLD, HCA_INIT_HCA, 0);
	EXPECT_EQ(hca_bind(), -ENODEV);
	EXPECT(kmsg_has("INIT_HCA(0x102) timeout"));
	hca_release();
	hca_set(HCA_SET_CMD_TIMEOUT_MS, 0);
	EXPECT_EQ(hca_bind(), 0);
}

/* --- health ---------------------------------------------------------------------- */

/* mlx5_core looks at it now and then, and tries to start anew. */
TEST(fatal_health_is_noticed)
{
	hca_up(0);
	hca_recover();
	EXPECT_EQ(hca_unbind(), 0);
	EXPECT_EQ(hca_bind(), 0);
	EXPECT_EQ(hca_counter(0, HCA_LIVE_EQ), 3u);
}

/* --- the firmware's rules ----------------------------------------------------------- */

TEST(lengths_and_opcodes_are_checked)
{
	uint32_t in[5] = { HCA_ALLOC_PD << 16 }, out[4];

	hca_up(0);
	EXPECT_EQ(fw_exec(in, 5, out, 4), FW_BAD_INP_LEN);
	EXPECT_EQ(fw_exec(in, 3, out, 4), FW_BAD_INP_LEN);
	EXPECT_EQ(fw_exec(in, 4, out, 2), FW_BAD_OUTP_LEN);
	EXPECT_EQ(fw_short(0x7ff, 0, 0, 0, NULL), FW_BAD_OP);
	EXPECT_EQ(fw_why(), HCA_WHY_OPCODE);
	EXPECT_EQ(hca_counter(0, HCA_LIVE_PD), 0u);
}

TEST(objects_in_use_stay)
{
	struct fw_buf buf;

	hca_up(0);
	fw_buf_alloc(&buf, 1);
	EXPECT_EQ(fw_short(HCA_DEALLOC_PD, 0, buf.pd, 0, NULL), FW_BAD_RES_STATE);
	EXPECT_EQ(fw_why(), HCA_WHY_IN_USE);
	fw_buf_free(&buf);
	EXPECT_EQ(fw_short(HCA_DEALLOC_PD, 0, buf.pd, 0, NULL), FW_BAD_RES);
	EXPECT_EQ(fw_short(HCA_DESTROY_MKEY, 0, buf.mkey >> 8, 0, NULL), FW_BAD_RES);
}

TEST(what_a_driver_forgets_is_counted)
{
	struct fw_buf buf;

	hca_up(0);
	fw_buf_alloc(&buf, 1);
	hca_down();
	EXPECT_EQ(hca_counter(0, HCA_LEAKED), 2u);
	EXPECT_EQ(hca_live(0), 0u);
}
