// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Commands, from the doorbell to the completion.
 *
 * A command is fetched when the doorbell rings and carried out when it completes,
 * which a fault or the command itself may put off.
 */
#include "hca.h"

#define CMD_TYPE	7
#define CMD_MAX		(1 * 1024 * 1024)
#define INLINE		16u

/* Offsets in a slot. */
#define AT_TYPE		0x00
#define AT_IN_LEN	0x04
#define AT_IN_PTR	0x08
#define AT_IN		0x10
#define AT_OUT		0x20
#define AT_OUT_PTR	0x30
#define AT_OUT_LEN	0x38
#define AT_TOKEN	0x3c
#define AT_OWN		0x3f

/* And in a mailbox. */
#define BOX_SIZE	0x240
#define BOX_DATA	512u
#define BOX_ALIGN	0x400
#define BOX_NEXT	0x230
#define BOX_NR		0x238
#define BOX_TOKEN	0x23d

enum delivery {
	DELIVERED = 0,
	BAD_TOKEN = 2,
	BAD_BLOCK = 3,
	BAD_OUT_PTR = 4,
	BAD_IN_PTR = 5,
	BAD_IN_LEN = 7,
	BAD_OUT_LEN = 8,
	BAD_DESCRIPTOR = 0x10,
};

static uint64_t slot_addr(const struct hca_cmd *cmd)
{
	return cmd->fn->iface.queue + cmd->slot * HCA_SLOT_SIZE;
}

/* --- mailboxes ------------------------------------------------------------- */

static enum delivery box_check(const struct hca_cmd *cmd, const uint8_t *box, unsigned int nr)
{
	if (ldl_be_p(box + BOX_NR) != nr)
		return BAD_BLOCK;
	return box[BOX_TOKEN] == cmd->layout[AT_TOKEN] ? DELIVERED : BAD_TOKEN;
}

/* Walk a chain of mailboxes: fill @data from them, or them from it. */
static enum delivery chain(struct hca_cmd *cmd, uint64_t ptr, uint8_t *data, size_t len,
			   bool to_host)
{
	enum delivery wrong = to_host ? BAD_OUT_PTR : BAD_IN_PTR;
	uint8_t box[BOX_SIZE];
	enum delivery ret;
	unsigned int nr;

	for (nr = 0; len; nr++) {
		size_t part = MIN(len, BOX_DATA);

		if (!ptr || ptr % BOX_ALIGN || !hca_dma_read(cmd->fn, ptr, box, BOX_SIZE))
			return wrong;
		ret = box_check(cmd, box, nr);
		if (ret)
			return ret;
		if (!to_host)
			memcpy(data, box, part);
		else if (!hca_dma_write(cmd->fn, ptr, data, part))
			return wrong;
		ptr = ldq_be_p(box + BOX_NEXT);
		data += part;
		len -= part;
	}
	return DELIVERED;
}

static enum delivery fetch_input(struct hca_cmd *cmd)
{
	size_t direct = MIN(cmd->in_len, INLINE);

	memcpy(cmd->in, cmd->layout + AT_IN, direct);
	return chain(cmd, ldq_be_p(cmd->layout + AT_IN_PTR), cmd->in + direct,
		     cmd->in_len - direct, false);
}

static enum delivery store_output(struct hca_cmd *cmd)
{
	size_t direct = MIN(cmd->out_len, INLINE);

	memcpy(cmd->layout + AT_OUT, cmd->out, direct);
	return chain(cmd, ldq_be_p(cmd->layout + AT_OUT_PTR), cmd->out + direct,
		     cmd->out_len - direct, true);
}

/* --- start ----------------------------------------------------------------- */

static enum delivery fetch_slot(struct hca_cmd *cmd)
{
	uint8_t *slot = cmd->layout;

	if (!hca_dma_read(cmd->fn, slot_addr(cmd), slot, HCA_SLOT_SIZE))
		return BAD_DESCRIPTOR;
	if (slot[AT_TYPE] != CMD_TYPE || !(slot[AT_OWN] & 1))
		return BAD_DESCRIPTOR;
	cmd->in_len = ldl_be_p(slot + AT_IN_LEN);
	cmd->out_len = ldl_be_p(slot + AT_OUT_LEN);
	if (cmd->in_len < INLINE / 2 || cmd->in_len > CMD_MAX)
		return BAD_IN_LEN;
	return cmd->out_len < INLINE / 2 || cmd->out_len > CMD_MAX ? BAD_OUT_LEN : DELIVERED;
}

static enum delivery fetch(struct hca_cmd *cmd)
{
	enum delivery ret;

	cmd->in_len = 0;
	cmd->out_len = 0;
	ret = fetch_slot(cmd);
	if (ret) {
		cmd->in_len = 0;
		cmd->out_len = 0;
	}
	cmd->in = g_malloc0(MAX(cmd->in_len, INLINE * 4));
	cmd->out = g_malloc0(MAX(cmd->out_len, INLINE));
	if (!ret)
		ret = fetch_input(cmd);
	cmd->opcode = lduw_be_p(cmd->in);
	cmd->op_mod = lduw_be_p(cmd->in + 6);
	return ret;
}

static void finish(struct hca_cmd *cmd);
static void run(struct hca_cmd *cmd);

static void start_later(struct hca_cmd *cmd, uint32_t ms)
{
	timer_mod(cmd->timer, qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL) + ms);
}

static uint32_t forced(const uint32_t *fault)
{
	uint32_t syndrome = fault[HCA_FAULT_SYNDROME];

	return fault[HCA_FAULT_VALUE] << 24 |
	       (syndrome ? syndrome & 0xffffff : HCA_SYNDROME | HCA_WHY_FAULT);
}

static void start_faulty(struct hca_cmd *cmd, const uint32_t *fault)
{
	switch (fault[HCA_FAULT_KIND]) {
	case HCA_FAULT_DELIVER:
		cmd->delivery = fault[HCA_FAULT_VALUE];
		finish(cmd);
		return;
	case HCA_FAULT_DELAY:
		start_later(cmd, fault[HCA_FAULT_VALUE]);
		return;
	case HCA_FAULT_HOLD:
		cmd->held = true;
		return;
	default:
		cmd->undo = fault[HCA_FAULT_KIND] == HCA_FAULT_UNDO;
		cmd->verdict = forced(fault);
		run(cmd);
	}
}

static void start(struct hca_cmd *cmd)
{
	const uint32_t *fault;

	cmd->busy = true;
	cmd->held = false;
	cmd->undo = false;
	cmd->verdict = 0;
	cmd->fn->counter[HCA_LIVE_CMD]++;
	cmd->eqn = hca_eq_for(cmd->fn, HCA_EVENT_CMD);
	cmd->delivery = fetch(cmd);
	hca_log_begin(cmd);
	if (cmd->delivery) {
		finish(cmd);
		return;
	}
	hca_vhca_begin(cmd);
	fault = hca_fault_hit(cmd);
	if (fault)
		start_faulty(cmd, fault);
	else if (cmd->opcode == MLX5_CMD_OP_SAVE_VHCA_STATE)
		start_later(cmd, cmd->fn->hca->setting[HCA_SET_SAVE_MS]);
	else
		run(cmd);
}

/* --- end ------------------------------------------------------------------- */

static void put_away(struct hca_cmd *cmd)
{
	hca_vhca_end(cmd);
	timer_del(cmd->timer);
	g_clear_pointer(&cmd->in, g_free);
	g_clear_pointer(&cmd->out, g_free);
	cmd->busy = false;
	cmd->held = false;
	cmd->fn->counter[HCA_LIVE_CMD]--;
}

/* Mailboxes, then the slot, then who owns it, then the event. */
static void finish(struct hca_cmd *cmd)
{
	unsigned int eqn = cmd->eqn, slot = cmd->slot;
	struct hca_fn *fn = cmd->fn;
	uint8_t event[28] = { 0 };

	if (!cmd->delivery)
		cmd->delivery = store_output(cmd);
	hca_log_end(cmd, HCA_END_DONE);
	cmd->layout[AT_OWN] = cmd->delivery << 1;
	hca_dma_write(fn, slot_addr(cmd) + AT_OUT, cmd->layout + AT_OUT, INLINE);
	hca_dma_write(fn, slot_addr(cmd) + AT_OWN, cmd->layout + AT_OWN, 1);
	put_away(cmd);
	stl_be_p(event, 1u << slot);
	hca_eq_post(fn, eqn, HCA_EVENT_CMD, event);
}

static void answer(struct hca_cmd *cmd, uint32_t verdict)
{
	if (verdict)
		memset(cmd->out, 0, cmd->out_len);
	cmd->out[0] = verdict >> 24;
	stl_be_p(cmd->out + 4, verdict & 0xffffff);
	cmd->verdict = verdict;
	finish(cmd);
}

static void run(struct hca_cmd *cmd)
{
	uint32_t verdict = cmd->verdict, did;

	/* A VF that has to keep still answers when it goes on, maybe elsewhere. */
	if (cmd->fn->vhca.passive) {
		cmd->fn->iface.waiting |= 1u << cmd->slot;
		hca_log_end(cmd, HCA_END_DEFERRED);
		put_away(cmd);
		return;
	}
	if (!verdict || cmd->undo) {
		did = hca_op_run(cmd);
		verdict = verdict ? verdict : did;
	}
	answer(cmd, verdict);
}

/* --- from outside ---------------------------------------------------------- */

static void expired(void *opaque)
{
	run(opaque);
}

void hca_cmd_init(struct hca_fn *fn)
{
	unsigned int slot;

	for (slot = 0; slot < HCA_SLOTS; slot++) {
		struct hca_cmd *cmd = &fn->cmd[slot];

		cmd->fn = fn;
		cmd->slot = slot;
		cmd->timer = timer_new_ms(QEMU_CLOCK_VIRTUAL, expired, cmd);
	}
}

void hca_cmd_doorbell(struct hca_fn *fn, uint32_t slots)
{
	unsigned int slot;

	if (fn->hca->health)
		return;
	if (fn->vhca.passive) {
		fn->iface.waiting |= slots;
		return;
	}
	for (slot = 0; slot < HCA_SLOTS; slot++) {
		if (!(slots & 1u << slot))
			continue;
		if (fn->cmd[slot].busy)
			fn->counter[HCA_MISUSED]++;
		else
			start(&fn->cmd[slot]);
	}
}

/* The function was reset: nobody waits for an answer. */
void hca_cmd_abort(struct hca_fn *fn)
{
	unsigned int slot;

	for (slot = 0; slot < HCA_SLOTS; slot++) {
		if (!fn->cmd[slot].busy)
			continue;
		hca_log_end(&fn->cmd[slot], HCA_END_LOST);
		put_away(&fn->cmd[slot]);
	}
}

void hca_cmd_release(struct hca_fn *fn)
{
	unsigned int slot;

	for (slot = 0; slot < HCA_SLOTS; slot++) {
		if (!fn->cmd[slot].held)
			continue;
		fn->cmd[slot].held = false;
		run(&fn->cmd[slot]);
	}
}
