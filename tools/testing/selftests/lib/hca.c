// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lab's HCA: functions, control window, log, faults.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "hca.h"
#include "kmsg.h"
#include "lab.h"
#include "tap.h"

#define EXT_CAP_FIRST	0x100
#define EXT_CAP_VENDOR	0x000b

/* --- the functions ---------------------------------------------------------- */

const char *hca_bdf(unsigned int fn)
{
	static char bdf[HCA_FNS][BDF_LEN];

	ASSERT(fn < HCA_FNS);
	lab_neighbour(bdf[fn], lab_bdf("hca"), 0, fn);
	return bdf[fn];
}

int hca_set_vfs(unsigned int vfs)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", vfs);
	return pci_attr_write(hca_bdf(0), "sriov_numvfs", text);
}

int hca_unbind(void)
{
	if (!pci_driver_is(hca_bdf(0), "mlx5_core"))
		return 0;
	return pci_attr_write(hca_bdf(0), "driver/unbind", hca_bdf(0));
}

int hca_bind(void)
{
	return pci_try_bind(hca_bdf(0), "mlx5_core");
}

void hca_down(void)
{
	if (module_loaded("mlx5_core"))
		ASSERT_EQ(module_unload("mlx5_core"), 0);
}

/* VFs are left to those who bind them by name. */
void hca_up(unsigned int vfs)
{
	hca_do(HCA_DO_RELEASE, 0, 0);
	hca_do(HCA_DO_HEALTH, 0, 0);
	hca_do(HCA_DO_DEFAULTS, 0, 0);
	if (!module_loaded("mlx5_core"))
		ASSERT_EQ(module_load("mlx5_core", NULL), 0);
	ASSERT_EQ(hca_bind(), 0);
	ASSERT_EQ(pci_attr_write(hca_bdf(0), "sriov_drivers_autoprobe", "0"), 0);
	if (pci_attr_number(hca_bdf(0), "sriov_numvfs"))
		ASSERT_EQ(hca_set_vfs(0), 0);
	if (vfs)
		ASSERT_EQ(hca_set_vfs(vfs), 0);
}

/* --- control window ------------------------------------------------------------ */

static unsigned int window(void)
{
	unsigned int pos = EXT_CAP_FIRST;
	static unsigned int found;
	uint32_t head;

	while (!found && pos) {
		head = pci_config_read(hca_bdf(0), pos, 4);
		if ((head & 0xffff) == EXT_CAP_VENDOR)
			found = pos;
		pos = head >> 20;
	}
	ASSERT(found);
	return found;
}

static void address(enum hca_area area, unsigned int index)
{
	pci_config_write(hca_bdf(0), window() + HCA_VSEC_ADDR, 4, HCA_WORD(area, index));
}

uint32_t hca_get(enum hca_area area, unsigned int index)
{
	address(area, index);
	return pci_config_read(hca_bdf(0), window() + HCA_VSEC_DATA, 4);
}

void hca_put(enum hca_area area, unsigned int index, uint32_t val)
{
	address(area, index);
	pci_config_write(hca_bdf(0), window() + HCA_VSEC_DATA, 4, val);
}

void hca_set(enum hca_setting setting, uint32_t val)
{
	hca_put(HCA_AREA_SETTING, setting, val);
}

uint32_t hca_counter(unsigned int fn, enum hca_counter counter)
{
	return hca_get(HCA_AREA_COUNTER, fn << 8 | counter);
}

unsigned int hca_live(unsigned int fn)
{
	unsigned int i, sum = 0;

	for (i = HCA_LIVE_EQ; i <= HCA_LIVE_TRACKER; i++)
		sum += hca_counter(fn, i);
	return sum;
}

void hca_do(enum hca_action action, uint32_t arg0, uint32_t arg1)
{
	hca_put(HCA_AREA_ACTION, HCA_ACTION_ARG0, arg0);
	hca_put(HCA_AREA_ACTION, HCA_ACTION_ARG1, arg1);
	hca_put(HCA_AREA_ACTION, HCA_ACTION_DO, action);
}

static void wait_for_message(const char *text)
{
	unsigned int tries = test_patience(3000);

	while (!kmsg_has(text) && tries--)
		usleep(10000);
	EXPECT(kmsg_has(text));
}

void hca_recover(void)
{
	hca_do(HCA_DO_HEALTH, 7, 0);
	wait_for_message("Fatal error");
	hca_do(HCA_DO_HEALTH, 0, 0);
	wait_for_message("health recovery succeeded");
}

void hca_release(void)
{
	hca_do(HCA_DO_RELEASE, 0, 0);
}

/* --- log ----------------------------------------------------------------------- */

uint32_t hca_log_now(void)
{
	return hca_get(HCA_AREA_INFO, HCA_INFO_LOGGED);
}

static void entry_read(uint32_t number, struct hca_entry *entry)
{
	unsigned int i;

	address(HCA_AREA_LOG, number % HCA_LOG_SIZE << 4);
	for (i = 0; i < HCA_LOG_WORDS; i++)
		entry->word[i] = pci_config_read(hca_bdf(0), window() + HCA_VSEC_DATA, 4);
}

/* Reading all of an entry that is not wanted would take long. */
static enum hca_opcode entry_opcode(uint32_t number)
{
	return hca_get(HCA_AREA_LOG, (number % HCA_LOG_SIZE << 4) + HCA_LOG_OPCODE);
}

bool hca_log_next(uint32_t *at, enum hca_opcode opcode, struct hca_entry *entry)
{
	uint32_t end = hca_log_now();

	ASSERT_LE(end - *at, HCA_LOG_SIZE);
	while (*at != end) {
		uint32_t number = (*at)++;

		if (entry_opcode(number) != opcode)
			continue;
		entry_read(number, entry);
		return true;
	}
	return false;
}

unsigned int hca_log_count(uint32_t from, enum hca_opcode opcode)
{
	struct hca_entry entry;
	unsigned int count = 0;

	while (hca_log_next(&from, opcode, &entry))
		count++;
	return count;
}

void hca_log_show(uint32_t from)
{
	uint32_t end = hca_log_now();
	struct hca_entry entry;
	const uint32_t *word = entry.word;

	for (; from != end; from++) {
		entry_read(from, &entry);
		test_note("%u: fn %u op %03x/%x in %08x end %u delivery %u status %02x (%06x)",
			  from, word[HCA_LOG_FN], word[HCA_LOG_OPCODE], word[HCA_LOG_OP_MOD],
			  word[HCA_LOG_IN2], word[HCA_LOG_END], word[HCA_LOG_DELIVERY],
			  word[HCA_LOG_STATUS], word[HCA_LOG_SYNDROME]);
	}
}

/* --- faults ---------------------------------------------------------------------- */

static void fault_word(unsigned int slot, enum hca_fault_word word, uint32_t val)
{
	hca_put(HCA_AREA_FAULT, (slot << 4) + word, val);
}

static unsigned int fault_slot(void)
{
	unsigned int slot = 0;

	while (slot < HCA_FAULTS && hca_get(HCA_AREA_FAULT, (slot << 4) + HCA_FAULT_KIND))
		slot++;
	ASSERT(slot < HCA_FAULTS);
	return slot;
}

unsigned int hca_fault_set(const struct hca_fault *fault)
{
	unsigned int slot = fault_slot();

	fault_word(slot, HCA_FAULT_OPCODE, fault->opcode);
	fault_word(slot, HCA_FAULT_FN, fault->fn ? fault->fn - 1 : HCA_ANY);
	fault_word(slot, HCA_FAULT_OP_MOD, fault->op_mod ? fault->op_mod - 1 : HCA_ANY);
	fault_word(slot, HCA_FAULT_SKIP, fault->skip);
	fault_word(slot, HCA_FAULT_TIMES, fault->times ? fault->times : 1);
	fault_word(slot, HCA_FAULT_VALUE, fault->value);
	fault_word(slot, HCA_FAULT_SYNDROME, fault->syndrome);
	fault_word(slot, HCA_FAULT_HITS, 0);
	fault_word(slot, HCA_FAULT_KIND, fault->kind);
	return slot;
}

unsigned int hca_fault_hits(unsigned int slot)
{
	return hca_get(HCA_AREA_FAULT, (slot << 4) + HCA_FAULT_HITS);
}

/* --- a VF's work ------------------------------------------------------------------ */

uint64_t hca_work_get(struct vfio_dev *vf, unsigned int reg)
{
	return region_get(vf, VFIO_PCI_BAR0_REGION_INDEX, HCA_WORK_AT(reg), 8);
}

void hca_work_put(struct vfio_dev *vf, unsigned int reg, uint64_t val)
{
	region_put(vf, VFIO_PCI_BAR0_REGION_INDEX, HCA_WORK_AT(reg), 8, val);
}

void hca_vf_open(struct vfio_dev *vf, unsigned int fn)
{
	vfio_open(vf, hca_bdf(fn));
	cfg_command(vf, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 0);
}

unsigned int hca_work_dma(struct vfio_dev *vf, unsigned int go, uint64_t iova, uint64_t pos,
			  uint64_t len)
{
	hca_work_put(vf, HCA_W_DMA_IOVA, iova);
	hca_work_put(vf, HCA_W_DMA_POS, pos);
	hca_work_put(vf, HCA_W_DMA_LEN, len);
	hca_work_put(vf, HCA_W_DMA_GO, go);
	return hca_work_get(vf, HCA_W_DMA_STATUS);
}

uint8_t hca_byte(unsigned int seed, uint64_t pos)
{
	return seed * 31 + pos * 7 + (pos >> 12) * 13;
}
