// SPDX-License-Identifier: GPL-2.0-only
/*
 * The COMMAND register: decode and the memory lock, DisINTx, a virtual
 * function's missing memory bit, and a reset behind our back.
 */
#include "unit.h"

#define IO_MEM	(PCI_COMMAND_IO | PCI_COMMAND_MEMORY)
#define MASTER	PCI_COMMAND_MASTER
#define DISINTX	PCI_COMMAND_INTX_DISABLE

#define BAR0_ADDR	0xfe000000
#define BAR2_ADDR	0x0000000480000000ULL
#define BAR4_ADDR	0x0000d000
#define ROM_ADDR	0xfd000001

static struct bench *setup(void)
{
	struct bench *b = unit_bench();

	bench_init(b, 256);
	bench_bar(b, 0, 0x10000, 0);
	bench_bar(b, 2, 1ULL << 31, 0xc);
	bench_bar(b, 4, 0x20, 1);
	bench_bar(b, VFIO_CFG_ROM, 0x1000, 0);
	bench_set(b, PCI_BASE_ADDRESS_0, 4, BAR0_ADDR);
	bench_set(b, PCI_BASE_ADDRESS_2, 4, (u32)BAR2_ADDR | 0xc);
	bench_set(b, PCI_BASE_ADDRESS_3, 4, BAR2_ADDR >> 32);
	bench_set(b, PCI_BASE_ADDRESS_4, 4, BAR4_ADDR | 1);
	bench_set(b, PCI_ROM_ADDRESS, 4, ROM_ADDR);
	bench_add_std(b, 0x40, PCI_CAP_ID_PM);
	return b;
}

static struct bench *opened(u16 command)
{
	struct bench *b = setup();

	assert_int_equal(bench_scan(b), 0);
	bench_write(b, PCI_COMMAND, 2, command);
	bench_forget(b);
	return b;
}

static u16 user_decode(const struct bench *b)
{
	return vfio_cfg_get(&b->cfg, PCI_COMMAND, 2) & IO_MEM;
}

/* Lock, write, unlock; the image changes in between and nowhere else */
static void check_order(struct bench *b, bool revoke, u16 before, u16 after)
{
	int lock = bench_index(b, BENCH_LOCK, 0);
	int write = bench_index(b, BENCH_WRITE, PCI_COMMAND);
	int unlock = bench_index(b, BENCH_UNLOCK, 0);

	assert_true(lock >= 0 && lock < write && write < unlock);
	assert_int_equal(b->count[BENCH_LOCK], 1);
	assert_int_equal(b->log[lock].val, revoke);
	assert_int_equal(b->log[lock].len & IO_MEM, before);
	assert_int_equal(b->log[unlock].len & IO_MEM, after);
	assert_false(b->locked);
}

static void decode_off_revokes_before_the_hardware_write(void **state)
{
	static const struct {
		u16 from, to;
		unsigned int pos, len;
	} rows[] = {
		{ IO_MEM, 0, PCI_COMMAND, 2 },
		{ IO_MEM, 0, PCI_COMMAND, 1 },
		{ IO_MEM, 0, PCI_COMMAND, 4 },
		{ IO_MEM, PCI_COMMAND_IO, PCI_COMMAND, 2 },
		{ PCI_COMMAND_MEMORY, 0, PCI_COMMAND, 2 },
		{ IO_MEM | MASTER, MASTER | DISINTX, PCI_COMMAND, 2 },
	};

	for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
		struct bench *b = opened(rows[i].from);

		bench_write(b, rows[i].pos, rows[i].len, rows[i].to);
		check_order(b, true, rows[i].from & IO_MEM, rows[i].to & IO_MEM);
		assert_row(i, !(b->hw[PCI_COMMAND] & PCI_COMMAND_MEMORY));
	}
}

static void decode_on_locks_but_revokes_nothing(void **state)
{
	struct bench *b = opened(0);

	bench_write(b, PCI_COMMAND, 2, IO_MEM);
	check_order(b, false, 0, IO_MEM);
	assert_int_equal(bench_get(b, PCI_COMMAND, 2) & IO_MEM, IO_MEM);
}

static void memory_left_on_is_not_revoked(void **state)
{
	struct bench *b = opened(IO_MEM);

	bench_write(b, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | MASTER);
	for (unsigned int i = 0; i < b->nr_events; i++)
		assert_row(i, b->log[i].kind != BENCH_LOCK || !b->log[i].val);
	assert_int_equal(user_decode(b), PCI_COMMAND_MEMORY);
	assert_int_equal(bench_read(b, PCI_COMMAND, 2), PCI_COMMAND_MEMORY | MASTER);
}

/* What the image says and what the user reads agree after every access */
static void image_follows_the_user(void **state)
{
	static const u16 values[] = { 7, 0, 2, 1, 3, 0x402, 0x403, 4, 0x407, 0 };
	struct bench *b = opened(0);

	for (unsigned int i = 0; i < ARRAY_SIZE(values); i++) {
		bench_write(b, PCI_COMMAND, 2, values[i]);
		assert_row(i, user_decode(b) == (values[i] & IO_MEM));
		assert_row(i, bench_read(b, PCI_COMMAND, 2) == values[i]);
	}
	bench_write(b, PCI_COMMAND, 1, 6);
	bench_write(b, PCI_COMMAND + 1, 1, DISINTX >> 8);
	assert_int_equal(bench_read(b, PCI_COMMAND, 2), 6 | DISINTX);
	assert_int_equal(user_decode(b), PCI_COMMAND_MEMORY);
}

static void high_byte_leaves_decode_alone(void **state)
{
	struct bench *b = opened(IO_MEM | MASTER);

	bench_write(b, PCI_COMMAND + 1, 1, PCI_COMMAND_SERR >> 8);
	assert_int_equal(bench_get(b, PCI_COMMAND, 2),
			 IO_MEM | MASTER | PCI_COMMAND_SERR);
	assert_int_equal(user_decode(b), IO_MEM);
	for (unsigned int i = 0; i < b->nr_events; i++)
		assert_row(i, b->log[i].kind != BENCH_LOCK || !b->log[i].val);
}

static void failed_write_changes_nothing(void **state)
{
	for (unsigned int n = 1; n <= 2; n++) {
		struct bench *b = opened(IO_MEM);

		b->fail_at = n;
		b->fail_on = true;
		if (vfio_cfg_write(&b->cfg, PCI_COMMAND, 2, 0) > 0) {
			assert_true(n > b->accesses);
			continue;
		}
		assert_false(b->locked);
		assert_int_equal(user_decode(b), IO_MEM);
		assert_int_equal(bench_get(b, PCI_COMMAND, 2) & IO_MEM, IO_MEM);
	}
}

static void access_counts(void **state)
{
	struct bench *b = opened(IO_MEM | MASTER);

	bench_write(b, PCI_COMMAND, 2, IO_MEM | MASTER);
	assert_true(b->count[BENCH_READ] <= 1);
	assert_true(b->count[BENCH_WRITE] <= 1);
	bench_forget(b);
	bench_write(b, PCI_COMMAND, 2, MASTER);
	assert_true(b->count[BENCH_READ] <= 1);
	assert_int_equal(b->count[BENCH_WRITE], 1);
	bench_forget(b);
	bench_write(b, PCI_COMMAND, 2, IO_MEM | MASTER);
	/* COMMAND, and five BAR registers that a reset would show in */
	assert_true(b->count[BENCH_READ] <= 6);
	assert_int_equal(b->count[BENCH_WRITE], 1);
	bench_forget(b);
	bench_read(b, PCI_COMMAND, 2);
	assert_true(b->accesses <= 1);
}

static void disintx_is_virtual_and_works_on_the_edge(void **state)
{
	struct bench *b = opened(MASTER);
	const struct bench_event *intx;

	bench_write(b, PCI_COMMAND, 2, MASTER | DISINTX);
	intx = bench_find(b, BENCH_INTX);
	assert_non_null(intx);
	assert_int_equal(intx->val, 1);
	assert_int_equal(b->count[BENCH_INTX], 1);
	assert_int_equal(bench_get(b, PCI_COMMAND, 2) & DISINTX, 0);
	assert_int_equal(bench_read(b, PCI_COMMAND, 2), MASTER | DISINTX);

	bench_write(b, PCI_COMMAND, 2, MASTER | DISINTX);
	bench_write(b, PCI_COMMAND, 1, 0);
	assert_int_equal(b->count[BENCH_INTX], 1);

	bench_forget(b);
	bench_write(b, PCI_COMMAND + 1, 1, 0);
	intx = bench_find(b, BENCH_INTX);
	assert_non_null(intx);
	assert_int_equal(intx->val, 0);
	assert_int_equal(b->count[BENCH_INTX], 1);
}

static void disintx_does_not_depend_on_the_hardware_bit(void **state)
{
	struct bench *b = opened(0);

	b->wmask[PCI_COMMAND + 1] = 0xff;
	b->hw[PCI_COMMAND + 1] = DISINTX >> 8;
	assert_int_equal(bench_read(b, PCI_COMMAND, 2), 0);
	bench_write(b, PCI_COMMAND, 2, MASTER);
	assert_int_equal(b->count[BENCH_INTX], 0);
	assert_int_equal(b->hw[PCI_COMMAND + 1], DISINTX >> 8);
}

static void check_bars(struct bench *b)
{
	assert_int_equal(bench_get(b, PCI_BASE_ADDRESS_0, 4), BAR0_ADDR);
	assert_int_equal(bench_get(b, PCI_BASE_ADDRESS_2, 4), (u32)BAR2_ADDR | 0xc);
	assert_int_equal(bench_get(b, PCI_BASE_ADDRESS_3, 4), BAR2_ADDR >> 32);
	assert_int_equal(bench_get(b, PCI_BASE_ADDRESS_4, 4), BAR4_ADDR | 1);
	assert_int_equal(bench_get(b, PCI_ROM_ADDRESS, 4) & ~1, ROM_ADDR & ~1);
}

/* The user reset the device by a register of its own and sets it up again */
static void backdoor_reset_restores_the_bars(void **state)
{
	static const u16 again[] = { IO_MEM, IO_MEM | MASTER, PCI_COMMAND_MEMORY };

	for (unsigned int i = 0; i < ARRAY_SIZE(again); i++) {
		struct bench *b = opened(IO_MEM | MASTER);

		bench_reset_hw(b);
		bench_write(b, PCI_COMMAND, 2, again[i]);
		check_bars(b);
		assert_row(i, bench_index(b, BENCH_WRITE, PCI_BASE_ADDRESS_0) <
			      bench_index(b, BENCH_WRITE, PCI_COMMAND));
		assert_row(i, bench_index(b, BENCH_WRITE, PCI_BASE_ADDRESS_0) >
			      bench_index(b, BENCH_LOCK, 0));
		assert_row(i, bench_get(b, PCI_COMMAND, 2) == again[i]);
	}
}

/* A guest's driver turns decode off first, and only then on again */
static void backdoor_reset_is_noticed_when_decode_goes_off(void **state)
{
	struct bench *b = opened(IO_MEM);

	bench_reset_hw(b);
	bench_write(b, PCI_COMMAND, 2, 0);
	bench_write(b, PCI_COMMAND, 2, IO_MEM);
	check_bars(b);
}

static void backdoor_reset_keeps_intx_off(void **state)
{
	struct bench *b = setup();

	b->cfg.facts.keep_disintx = true;
	bench_set(b, PCI_COMMAND, 2, DISINTX);
	assert_int_equal(bench_scan(b), 0);
	bench_write(b, PCI_COMMAND, 2, IO_MEM);
	assert_int_equal(bench_get(b, PCI_COMMAND, 2) & DISINTX, DISINTX);
	bench_reset_hw(b);
	bench_write(b, PCI_COMMAND, 2, IO_MEM);
	assert_int_equal(bench_get(b, PCI_COMMAND, 2) & DISINTX, DISINTX);
	check_bars(b);
}

/* While decode was off on purpose only the BARs can tell */
static void backdoor_reset_is_noticed_when_decode_goes_on(void **state)
{
	struct bench *b = opened(0);

	bench_reset_hw(b);
	bench_write(b, PCI_COMMAND, 2, IO_MEM);
	check_bars(b);
	assert_true(bench_index(b, BENCH_WRITE, PCI_BASE_ADDRESS_0) <
		    bench_index(b, BENCH_WRITE, PCI_COMMAND));
}

/* The BARs are looked at when decode goes on, at no other time */
static void no_reset_no_bar_access(void **state)
{
	struct bench *b = opened(IO_MEM);

	bench_write(b, PCI_COMMAND, 2, IO_MEM | MASTER);
	bench_write(b, PCI_COMMAND, 2, IO_MEM);
	bench_write(b, PCI_COMMAND, 2, 0);
	for (unsigned int i = 0; i < b->nr_events; i++)
		assert_row(i, b->log[i].pos == PCI_COMMAND || b->log[i].kind > BENCH_WRITE);
	bench_write(b, PCI_COMMAND, 2, IO_MEM);
	for (unsigned int i = 0; i < b->nr_events; i++)
		assert_row(i, b->log[i].pos == PCI_COMMAND || b->log[i].kind != BENCH_WRITE);
}

static struct bench *opened_vf(void)
{
	struct bench *b = setup();

	bench_reset_hw(b);
	bench_set(b, PCI_VENDOR_ID, 4, ~0U);
	b->wmask[PCI_COMMAND] = MASTER;
	b->wmask[PCI_COMMAND + 1] = 0;
	b->cfg.facts.is_vf = true;
	b->cfg.facts.mem_always_on = true;
	b->cfg.facts.no_pin = true;
	assert_int_equal(bench_scan(b), 0);
	bench_forget(b);
	return b;
}

static void vf_memory_bit_is_virtual(void **state)
{
	struct bench *b = opened_vf();
	u32 mem;

	mem = bench_read(b, PCI_COMMAND, 2) & IO_MEM;
	assert_int_equal(mem, PCI_COMMAND_MEMORY);
	assert_int_equal(user_decode(b), PCI_COMMAND_MEMORY);

	bench_write(b, PCI_COMMAND, 2, MASTER);
	assert_int_equal(bench_read(b, PCI_COMMAND, 2), MASTER);
	assert_int_equal(user_decode(b), 0);
	assert_int_equal(bench_find(b, BENCH_LOCK)->val, true);

	bench_write(b, PCI_COMMAND, 2, MASTER | PCI_COMMAND_MEMORY);
	assert_int_equal(bench_read(b, PCI_COMMAND, 2),
			 MASTER | PCI_COMMAND_MEMORY);
	assert_int_equal(bench_read(b, PCI_COMMAND, 1),
			 MASTER | PCI_COMMAND_MEMORY);
	assert_int_equal(bench_get(b, PCI_COMMAND, 2), MASTER);
}

/* The bit that the function does not really have says what the user wrote */
static void stuck_memory_bit_is_not_shown(void **state)
{
	struct bench *b = opened_vf();

	b->hw[PCI_COMMAND] |= PCI_COMMAND_MEMORY;
	bench_write(b, PCI_COMMAND, 2, MASTER);
	assert_int_equal(bench_read(b, PCI_COMMAND, 2), MASTER);
	assert_int_equal(bench_read(b, PCI_COMMAND, 1), MASTER);
	assert_int_equal(user_decode(b), 0);
}

/* A VF has no BARs to restore, and its hardware always shows memory off */
static void vf_bars_are_never_restored(void **state)
{
	struct bench *b = opened_vf();

	bench_write(b, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	bench_write(b, PCI_COMMAND, 2, 0);
	bench_write(b, PCI_COMMAND, 2, PCI_COMMAND_MEMORY);
	assert_int_equal(bench_index(b, BENCH_WRITE, PCI_BASE_ADDRESS_0), -1);
}

/* The error bits of STATUS are cleared by writing ones: not by us */
static void status_survives_a_dword_write(void **state)
{
	struct bench *b = opened(0);

	b->hw[PCI_STATUS + 1] = 0xf9;
	b->w1c[PCI_STATUS + 1] = 0xf9;
	bench_write(b, PCI_COMMAND, 4, 0xffff0000 | IO_MEM);
	assert_int_equal(b->hw[PCI_STATUS + 1], 0xf9);
	assert_int_equal(bench_get(b, PCI_COMMAND, 2), IO_MEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decode_off_revokes_before_the_hardware_write),
		cmocka_unit_test(decode_on_locks_but_revokes_nothing),
		cmocka_unit_test(memory_left_on_is_not_revoked),
		cmocka_unit_test(image_follows_the_user),
		cmocka_unit_test(high_byte_leaves_decode_alone),
		cmocka_unit_test(failed_write_changes_nothing),
		cmocka_unit_test(access_counts),
		cmocka_unit_test(disintx_is_virtual_and_works_on_the_edge),
		cmocka_unit_test(disintx_does_not_depend_on_the_hardware_bit),
		cmocka_unit_test(backdoor_reset_restores_the_bars),
		cmocka_unit_test(backdoor_reset_is_noticed_when_decode_goes_off),
		cmocka_unit_test(backdoor_reset_is_noticed_when_decode_goes_on),
		cmocka_unit_test(backdoor_reset_keeps_intx_off),
		cmocka_unit_test(no_reset_no_bar_access),
		cmocka_unit_test(vf_memory_bit_is_virtual),
		cmocka_unit_test(stuck_memory_bit_is_not_shown),
		cmocka_unit_test(vf_bars_are_never_restored),
		cmocka_unit_test(status_survives_a_dword_write),
	};

	return unit_run("command", tests, ARRAY_SIZE(tests));
}
