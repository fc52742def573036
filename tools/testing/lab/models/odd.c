// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A PCI Express function that becomes whatever a test wants to see: BAR 0 has
 * its configuration space and the mask of what is writable in it, through which
 * capabilities are rewritten, DisINTx is taken away, the interrupt pin is moved,
 * and so on. Neither mask nor rewriting is undone by a reset, RESTORE does that.
 *
 * It has what other models of QEMU do not have: vital product data, a reset by
 * AF, the loss of its state on the way from D3hot to D0, four MSI vectors, BARs
 * smaller than a page, a ROM and the legacy ranges of VGA that tell how they were
 * accessed, and an interrupt line at the command of software. The port that it is
 * plugged into completes AtomicOps.
 */
#include "model.h"
#include "hw/pci/msi.h"
#include "hw/pci/pci.h"
#include "hw/pci/pci_bridge.h"
#include "hw/pci/pci_bus.h"
#include "hw/pci/pcie.h"
#include "qapi/error.h"
#include "qemu/units.h"

#define TYPE_ODD	"lab-odd"
OBJECT_DECLARE_SIMPLE_TYPE(Odd, ODD)

/* Where the capabilities are, as a device starts out. */
#define VPD_CAP		0x40
#define VENDOR_CAP	0x48
#define PM_CAP		0x50
#define AF_CAP		0x58
#define MSI_CAP		0x60
#define EXPRESS_CAP	0x80
#define VENDOR_LEN	8
#define AF_LEN		6

/* BAR 0: registers of 32 bits, then configuration space and its mask. */
enum {
	ODD_LINE,	/* 1: assert INTx; 0 from reset */
	ODD_MARK,	/* keeps what is written; 0 from reset */
	ODD_RESETS,	/* how often it was reset; read-only */
	ODD_MSI,	/* send this vector; write-only */
	ODD_STUCK,	/* vital product data never comes */
	ODD_DEAD,	/* configuration space reads as ones, and stays as it is */
	ODD_ROM_WIDTH,	/* bytes of the widest read of the ROM since written */
	ODD_VGA_WIDTH,	/* the same for the memory of VGA, read or written */
	ODD_RESTORE,	/* be as new */
	ODD_REGISTERS,
};

#define BAR_SIZE	(16 * KiB)
#define CONFIG_WINDOW	0x1000
#define MASK_WINDOW	0x2000
#define WINDOW_SIZE	PCIE_CONFIG_SPACE_SIZE

#define SMALL_BARS	2
#define SMALL_SIZE	256
#define ROM_SIZE	(64 * KiB)
#define ROM_IMAGE	(32 * KiB)
#define VPD_SIZE	256

struct Odd {
	PCIDevice pci;
	MemoryRegion registers;
	MemoryRegion small[SMALL_BARS];
	MemoryRegion rom;
	MemoryRegion vga[QEMU_PCI_VGA_NUM_REGIONS];
	uint32_t reg[ODD_REGISTERS];
	uint8_t vpd[VPD_SIZE];
	uint8_t config_new[WINDOW_SIZE];
	uint8_t mask_new[WINDOW_SIZE];
};

/* ---- BAR 0 ---------------------------------------------------------------- */

static void line_set(Odd *odd)
{
	uint8_t pin = odd->pci.config[PCI_INTERRUPT_PIN];

	if (pin && pin <= PCI_NUM_PINS)
		pci_set_irq(&odd->pci, odd->reg[ODD_LINE]);
}

/* Addresses, COMMAND and the interrupt line are the kernel's to change. */
static void restore(Odd *odd)
{
	static const struct {
		uint16_t first, end;
	} parts[] = {
		{ PCI_VENDOR_ID, PCI_COMMAND },
		{ PCI_STATUS, PCI_BASE_ADDRESS_0 },
		{ PCI_CARDBUS_CIS, PCI_ROM_ADDRESS },
		{ PCI_CAPABILITY_LIST, PCI_INTERRUPT_LINE },
		{ PCI_INTERRUPT_PIN, WINDOW_SIZE },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(parts); i++)
		memcpy(odd->pci.config + parts[i].first,
		       odd->config_new + parts[i].first,
		       parts[i].end - parts[i].first);
	memcpy(odd->pci.wmask, odd->mask_new, WINDOW_SIZE);
	odd->reg[ODD_STUCK] = 0;
	odd->reg[ODD_DEAD] = 0;
}

/* Which of the windows @addr is in, and where in it; NULL for the registers. */
static uint8_t *window(Odd *odd, hwaddr addr, unsigned int len)
{
	uint8_t *start = addr < MASK_WINDOW ? odd->pci.config : odd->pci.wmask;
	hwaddr pos = addr % WINDOW_SIZE;

	if (addr < CONFIG_WINDOW || addr >= MASK_WINDOW + WINDOW_SIZE ||
	    pos + len > WINDOW_SIZE)
		return NULL;
	return start + pos;
}

static uint64_t bar_read(void *opaque, hwaddr addr, unsigned int len)
{
	Odd *odd = opaque;
	uint8_t *at = window(odd, addr, len);

	if (at)
		return ldn_le_p(at, len);
	return addr / 4 < ODD_REGISTERS ? odd->reg[addr / 4] : UINT32_MAX;
}

static void bar_write(void *opaque, hwaddr addr, uint64_t val,
		      unsigned int len)
{
	Odd *odd = opaque;
	uint8_t *at = window(odd, addr, len);

	if (at) {
		stn_le_p(at, len, val);
		return;
	}
	if (addr / 4 >= ODD_REGISTERS || addr / 4 == ODD_RESETS)
		return;

	odd->reg[addr / 4] = val;
	switch (addr / 4) {
	case ODD_LINE:
		line_set(odd);
		break;
	case ODD_MSI:
		msi_notify(&odd->pci, val);
		break;
	case ODD_RESTORE:
		restore(odd);
		break;
	}
}

static const MemoryRegionOps bar_ops = {
	.read = bar_read,
	.write = bar_write,
	.endianness = DEVICE_LITTLE_ENDIAN,
	.impl = { .min_access_size = 1, .max_access_size = 4 },
};

/* ---- ROM ------------------------------------------------------------------ */

/* PCI Firmware Specification 3.0, 5.1: two headers, and bytes that tell where. */
static uint8_t rom_byte(hwaddr addr)
{
	static const uint8_t headers[] = {
		[0x00] = 0x55, 0xaa,
		[0x18] = 0x1c, 0,
		[0x1c] = 'P', 'C', 'I', 'R', 0x34, 0x12, 0xd0, 0x0d,
		[0x26] = 0x18, 0,
		[0x2c] = ROM_IMAGE / 512, 0,
		[0x31] = 0x80,
		[0x33] = 0,
	};

	if (addr < sizeof(headers))
		return headers[addr];
	return addr < ROM_IMAGE ? addr * 7 + (addr >> 8) : 0;
}

static uint64_t rom_read(void *opaque, hwaddr addr, unsigned int len)
{
	Odd *odd = opaque;
	uint64_t val = 0;

	odd->reg[ODD_ROM_WIDTH] = MAX(odd->reg[ODD_ROM_WIDTH], len);
	while (len--)
		val = val << 8 | rom_byte(addr + len);
	return val;
}

static void rom_write(void *opaque, hwaddr addr, uint64_t val, unsigned int len)
{
}

static const MemoryRegionOps rom_ops = {
	.read = rom_read,
	.write = rom_write,
	.endianness = DEVICE_LITTLE_ENDIAN,
	.valid = { .min_access_size = 1, .max_access_size = 8 },
	.impl = { .min_access_size = 1, .max_access_size = 8 },
};

/* ---- VGA's legacy ranges -------------------------------------------------- */

static uint64_t vga_read(void *opaque, hwaddr addr, unsigned int len)
{
	Odd *odd = opaque;

	odd->reg[ODD_VGA_WIDTH] = MAX(odd->reg[ODD_VGA_WIDTH], len);
	return 0;
}

static void vga_write(void *opaque, hwaddr addr, uint64_t val, unsigned int len)
{
	vga_read(opaque, addr, len);
}

static const MemoryRegionOps vga_ops = {
	.read = vga_read,
	.write = vga_write,
	.endianness = DEVICE_LITTLE_ENDIAN,
	.valid = { .min_access_size = 1, .max_access_size = 8 },
	.impl = { .min_access_size = 1, .max_access_size = 8 },
};

/* Behind a port, which decides what it gets to hear of them. */
static void add_vga(Odd *odd)
{
	static const struct {
		const char *name;
		uint64_t size;
	} parts[] = {
		[QEMU_PCI_VGA_MEM] = { "odd-vga-memory", QEMU_PCI_VGA_MEM_SIZE },
		[QEMU_PCI_VGA_IO_LO] = { "odd-vga-low", QEMU_PCI_VGA_IO_LO_SIZE },
		[QEMU_PCI_VGA_IO_HI] = { "odd-vga-high", QEMU_PCI_VGA_IO_HI_SIZE },
	};
	unsigned int i;

	if (pci_bus_is_root(pci_get_bus(&odd->pci)))
		return;
	for (i = 0; i < ARRAY_SIZE(parts); i++)
		memory_region_init_io(&odd->vga[i], OBJECT(odd), &vga_ops, odd,
				      parts[i].name, parts[i].size);
	pci_register_vga(&odd->pci, &odd->vga[QEMU_PCI_VGA_MEM],
			 &odd->vga[QEMU_PCI_VGA_IO_LO], &odd->vga[QEMU_PCI_VGA_IO_HI]);
}

/* ---- configuration space -------------------------------------------------- */

static bool written(uint32_t pos, int len, unsigned int reg)
{
	return pos <= reg && reg < pos + len;
}

/* PCI 3.0, appendix I: the flag tells the direction, and flips when done. */
static void vpd_write(Odd *odd, uint32_t pos, int len)
{
	uint8_t *cap = odd->pci.config + VPD_CAP;
	uint16_t addr = pci_get_word(cap + PCI_VPD_ADDR);
	uint8_t *data = odd->vpd + (addr & PCI_VPD_ADDR_MASK) % VPD_SIZE;

	if (!written(pos, len, VPD_CAP + PCI_VPD_ADDR + 1) || odd->reg[ODD_STUCK])
		return;
	if (addr & PCI_VPD_ADDR_F)
		memcpy(data, cap + PCI_VPD_DATA, 4);
	else
		memcpy(cap + PCI_VPD_DATA, data, 4);
	pci_set_word(cap + PCI_VPD_ADDR, addr ^ PCI_VPD_ADDR_F);
}

static void af_write(Odd *odd, uint32_t pos, int len)
{
	uint8_t *control = odd->pci.config + AF_CAP + PCI_AF_CTRL;

	if (!written(pos, len, AF_CAP + PCI_AF_CTRL) || !(*control & PCI_AF_CTRL_FLR))
		return;
	*control = 0;
	pci_device_reset(&odd->pci);
}

static unsigned int power_state(const Odd *odd)
{
	return odd->pci.config[PM_CAP + PCI_PM_CTRL] & PCI_PM_CTRL_STATE_MASK;
}

static bool keeps_state(const Odd *odd)
{
	return odd->pci.config[PM_CAP + PCI_PM_CTRL] & PCI_PM_CTRL_NO_SOFT_RESET;
}

static void config_write(PCIDevice *pci, uint32_t pos, uint32_t val, int len)
{
	Odd *odd = ODD(pci);
	unsigned int state = power_state(odd);

	if (odd->reg[ODD_DEAD])
		return;
	pci_default_write_config(pci, pos, val, len);
	pcie_cap_flr_write_config(pci, pos, val, len);
	vpd_write(odd, pos, len);
	af_write(odd, pos, len);
	/* PCI PM 1.2, 3.2.4 */
	if (state == 3 && !power_state(odd) && !keeps_state(odd))
		pci_device_reset(pci);
}

static uint32_t config_read(PCIDevice *pci, uint32_t pos, int len)
{
	if (ODD(pci)->reg[ODD_DEAD])
		return UINT32_MAX;
	return pci_default_read_config(pci, pos, len);
}

/* ---- life ----------------------------------------------------------------- */

static void reset(DeviceState *dev)
{
	Odd *odd = ODD(dev);

	odd->reg[ODD_RESETS]++;
	odd->reg[ODD_MARK] = 0;
	odd->reg[ODD_LINE] = 0;
	line_set(odd);
	pcie_cap_deverr_reset(&odd->pci);
}

static bool add_capabilities(PCIDevice *pci, Error **errp)
{
	if (pci_add_capability(pci, PCI_CAP_ID_VPD, VPD_CAP, 8, errp) < 0 ||
	    pci_add_capability(pci, PCI_CAP_ID_VNDR, VENDOR_CAP, VENDOR_LEN, errp) < 0 ||
	    pci_pm_init(pci, PM_CAP, errp) < 0 ||
	    pci_add_capability(pci, PCI_CAP_ID_AF, AF_CAP, AF_LEN, errp) < 0 ||
	    msi_init(pci, MSI_CAP, 4, true, true, errp) < 0)
		return false;

	pci->config[VENDOR_CAP + PCI_CAP_FLAGS] = VENDOR_LEN;
	pci->config[AF_CAP + PCI_AF_LENGTH] = AF_LEN;
	pci->config[AF_CAP + PCI_AF_CAP] = PCI_AF_CAP_TP | PCI_AF_CAP_FLR;
	pci_set_word(pci->config + PM_CAP + PCI_PM_PMC, 3);
	pci_set_long(pci->wmask + VPD_CAP + PCI_VPD_ADDR - 2, 0xffff0000);
	pci_set_long(pci->wmask + VPD_CAP + PCI_VPD_DATA, UINT32_MAX);
	pci->wmask[AF_CAP + PCI_AF_CTRL] = PCI_AF_CTRL_FLR;
	pci->wmask[PM_CAP + PCI_PM_CTRL] = PCI_PM_CTRL_STATE_MASK;

	if (pcie_endpoint_cap_init(pci, EXPRESS_CAP) < 0) {
		error_setg(errp, "no room for the PCI Express capability");
		return false;
	}
	pcie_cap_flr_init(pci);
	pcie_cap_deverr_init(pci);
	pci->wmask[EXPRESS_CAP + PCI_EXP_DEVCTL2] |= PCI_EXP_DEVCTL2_ATOMIC_REQ;
	return true;
}

/* Unlike those of QEMU, the port completes what the endpoint may ask for. */
static void let_port_complete_atomics(PCIDevice *pci)
{
	PCIDevice *port = pci_bridge_get_device(pci_get_bus(pci));

	if (port && pci_is_express_downstream_port(port))
		pci_long_test_and_set_mask(port->config + port->exp.exp_cap + PCI_EXP_DEVCAP2,
					   PCI_EXP_DEVCAP2_ATOMIC_COMP32 |
					   PCI_EXP_DEVCAP2_ATOMIC_COMP64);
	pci_long_test_and_set_mask(pci->config + EXPRESS_CAP + PCI_EXP_DEVCAP2,
				   PCI_EXP_DEVCAP2_ATOMIC_COMP32 |
				   PCI_EXP_DEVCAP2_ATOMIC_COMP64);
}

static bool add_bars(Odd *odd, Error **errp)
{
	unsigned int i;

	memory_region_init_io(&odd->registers, OBJECT(odd), &bar_ops, odd,
			      "odd-registers", BAR_SIZE);
	pci_register_bar(&odd->pci, 0, 0, &odd->registers);
	for (i = 0; i < SMALL_BARS; i++) {
		if (!memory_region_init_ram(&odd->small[i], OBJECT(odd),
					    i ? "odd-small1" : "odd-small0",
					    SMALL_SIZE, errp))
			return false;
		pci_register_bar(&odd->pci, 1 + i, 0, &odd->small[i]);
	}
	memory_region_init_io(&odd->rom, OBJECT(odd), &rom_ops, odd, "odd-rom",
			      ROM_SIZE);
	pci_register_bar(&odd->pci, PCI_ROM_SLOT, 0, &odd->rom);
	return true;
}

static void realize(PCIDevice *pci, Error **errp)
{
	/* A string, a part number, nothing to write, and the end. */
	static const uint8_t vpd[] = {
		0x82, 7, 0, 'l', 'a', 'b', '-', 'o', 'd', 'd',
		0x90, 7, 0, 'P', 'N', 4, '0', '0', '0', '1',
		0x91, 0, 0, 0x78,
	};
	Odd *odd = ODD(pci);

	pci->config[PCI_INTERRUPT_PIN] = 1;
	if (!add_capabilities(pci, errp) || !add_bars(odd, errp))
		return;
	let_port_complete_atomics(pci);
	add_vga(odd);
	memcpy(odd->vpd, vpd, sizeof(vpd));
	memcpy(odd->config_new, pci->config, WINDOW_SIZE);
	memcpy(odd->mask_new, pci->wmask, WINDOW_SIZE);
}

static void class_init(ObjectClass *class, void *data)
{
	PCIDeviceClass *pci = PCI_DEVICE_CLASS(class);

	model_check(class);
	pci->realize = realize;
	pci->config_read = config_read;
	pci->config_write = config_write;
	pci->vendor_id = 0x1234;
	pci->device_id = 0x0dd0;
	pci->class_id = PCI_CLASS_OTHERS;
	device_class_set_legacy_reset(DEVICE_CLASS(class), reset);
}

static const TypeInfo type = {
	.name = TYPE_ODD,
	.parent = TYPE_PCI_DEVICE,
	.instance_size = sizeof(Odd),
	.class_init = class_init,
	.interfaces = (InterfaceInfo[]) {
		{ INTERFACE_PCIE_DEVICE },
		{ }
	},
};

MODEL_TYPE(type)
