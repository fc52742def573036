// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Capabilities: an Ethernet port without anything that a network interface would
 * need, which keeps mlx5_core to what it does for all of its clients.
 */
#include "hca.h"

#define PORT_ETHERNET	1

enum cap_type {
	CAP_GENERAL = 0x00,
	CAP_EVENT = 0x14,
	CAP_GENERAL_2 = 0x20,
	CAP_VIRTUALIZATION = 0x26,
};

static void fill_general(struct hca_fn *fn, uint8_t *cap)
{
	const uint32_t *setting = fn->hca->setting;

	ifc_set(cmd_hca_cap, cap, hca_cap_2, 1);
	ifc_set(cmd_hca_cap, cap, vhca_id, HCA_VHCA_BASE + fn->nr);
	ifc_set(cmd_hca_cap, cap, event_cap, 1);
	ifc_set(cmd_hca_cap, cap, log_max_qp_sz, 15);
	ifc_set(cmd_hca_cap, cap, log_max_qp, 18);
	ifc_set(cmd_hca_cap, cap, log_max_cq_sz, 22);
	ifc_set(cmd_hca_cap, cap, log_max_cq, 6);
	ifc_set(cmd_hca_cap, cap, log_max_eq_sz, 13);
	ifc_set(cmd_hca_cap, cap, log_max_eq, 4);
	ifc_set(cmd_hca_cap, cap, log_max_mkey, 10);
	ifc_set(cmd_hca_cap, cap, log_max_pd, 8);
	ifc_set(cmd_hca_cap, cap, log_max_msg, 30);
	ifc_set(cmd_hca_cap, cap, port_type, PORT_ETHERNET);
	ifc_set(cmd_hca_cap, cap, num_ports, 1);
	ifc_set(cmd_hca_cap, cap, cqe_version, 1);
	if (!hca_is_pf(fn))
		return;
	ifc_set(cmd_hca_cap, cap, migration, setting[HCA_SET_MIGRATION]);
	ifc_set(cmd_hca_cap, cap, adv_virtualization, setting[HCA_SET_TRACKER]);
}

static void fill_general_2(struct hca_fn *fn, uint8_t *cap)
{
	const uint32_t *setting = fn->hca->setting;

	if (!hca_is_pf(fn)) {
		ifc_set(cmd_hca_cap_2, cap, migratable, setting[HCA_SET_MIGRATABLE] >> fn->nr & 1);
		return;
	}
	ifc_set(cmd_hca_cap_2, cap, migration_multi_load, setting[HCA_SET_MULTI_LOAD]);
	ifc_set(cmd_hca_cap_2, cap, migration_tracking_state, setting[HCA_SET_TRACKED]);
	ifc_set(cmd_hca_cap_2, cap, migration_in_chunks, setting[HCA_SET_CHUNKS]);
}

/* Without its bit here mlx5_core does not ask for that event. */
static void fill_event(struct hca_fn *fn, uint8_t *cap)
{
	if (hca_is_pf(fn))
		stq_be_p(ifc_at(device_event_cap, cap, user_affiliated_events),
			 1ull << HCA_EVENT_OBJECT);
}

static void fill_virtualization(struct hca_fn *fn, uint8_t *cap)
{
	const uint32_t *setting = fn->hca->setting;

	if (!hca_is_pf(fn))
		return;
	ifc_set(adv_virtualization_cap, cap, pg_track_log_max_num, HCA_TRACKERS_LOG);
	ifc_set(adv_virtualization_cap, cap, pg_track_max_num_range,
		setting[HCA_SET_TRACKER_RANGES]);
	ifc_set(adv_virtualization_cap, cap, pg_track_log_min_addr_space, 12);
	ifc_set(adv_virtualization_cap, cap, pg_track_log_max_addr_space,
		setting[HCA_SET_TRACKER_LOG_SPACE]);
	ifc_set(adv_virtualization_cap, cap, pg_track_log_min_msg_size, HCA_TRACK_MIN_MSG);
	ifc_set(adv_virtualization_cap, cap, pg_track_log_max_msg_size,
		setting[HCA_SET_TRACKER_LOG_MSG]);
	ifc_set(adv_virtualization_cap, cap, pg_track_log_min_page_size, HCA_TRACK_MIN_PAGE);
	ifc_set(adv_virtualization_cap, cap, pg_track_log_max_page_size, HCA_TRACK_MAX_PAGE);
}

static void (*const fill[])(struct hca_fn *fn, uint8_t *cap) = {
	[CAP_GENERAL] = fill_general,
	[CAP_EVENT] = fill_event,
	[CAP_GENERAL_2] = fill_general_2,
	[CAP_VIRTUALIZATION] = fill_virtualization,
};

uint32_t hca_query_cap(struct hca_cmd *cmd)
{
	unsigned int type = cmd->op_mod >> 1, nr = 0;
	struct hca_fn *fn = cmd->fn;

	if (ifc_get(query_hca_cap_in, cmd->in, other_function)) {
		nr = ifc_get(query_hca_cap_in, cmd->in, function_id);
		if (!hca_is_pf(fn) || nr >= HCA_FNS)
			return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_FUNCTION);
		fn = &fn->hca->fn[nr];
	}
	if (type >= ARRAY_SIZE(fill) || !fill[type])
		return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_CAPABILITY);
	fill[type](fn, ifc_at(query_hca_cap_out, cmd->out, capability));
	return 0;
}

/* Nothing that mlx5_core could choose makes a difference here. */
uint32_t hca_set_cap(struct hca_cmd *cmd)
{
	unsigned int type = cmd->op_mod >> 1;

	if (cmd->fn->iface.ready)
		return HCA_FAIL(HCA_BAD_SYS_STATE, HCA_WHY_IN_USE);
	if (type >= ARRAY_SIZE(fill) || !fill[type])
		return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_CAPABILITY);
	return 0;
}
