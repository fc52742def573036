// SPDX-License-Identifier: GPL-2.0-only
/*
 * A function that has it all, for tests of the engine as a whole.
 */
#include "rich.h"

void rich_init(struct bench *b)
{
	bench_init(b, 4096);
	bench_bar(b, 0, 0x1000, 0);
	bench_bar(b, 2, 1ULL << 33, 0xc);
	bench_bar(b, VFIO_CFG_ROM, 0x10000, 0);
	bench_add_std(b, 0x40, PCI_CAP_ID_PM);
	bench_add_std(b, 0x48, PCI_CAP_ID_MSI);
	bench_set(b, 0x4a, 2, 0x018a);
	bench_add_std(b, 0x60, PCI_CAP_ID_PCIX);
	bench_add_std(b, 0x78, PCI_CAP_ID_HT);
	bench_add_std(b, 0x94, PCI_CAP_ID_SATA);
	bench_add_std(b, 0xa4, PCI_CAP_ID_VNDR);
	b->hw[0xa6] = 0x0c;
	bench_add_std(b, 0xb0, PCI_CAP_ID_SSVID);
	bench_add_exp(b, 0xb8, 2);
	bench_set(b, 0xbc, 4, PCI_EXP_DEVCAP_FLR);
	bench_add_std(b, 0xec, PCI_CAP_ID_AF);
	bench_set(b, 0xee, 2, 0x0306);
	bench_add_std(b, 0xf4, PCI_CAP_ID_VPD);
	bench_add_ext(b, 0x100, PCI_EXT_CAP_ID_PASID);
	bench_add_ext(b, 0x110, PCI_EXT_CAP_ID_VC);
	bench_add_ext(b, 0x140, PCI_EXT_CAP_ID_VNDR);
	bench_set(b, 0x144, 4, 0x02000001);
	bench_add_ext(b, 0x160, PCI_EXT_CAP_ID_DVSEC);
	bench_set(b, 0x164, 4, 0x01801e98);
	bench_add_ext(b, 0x180, PCI_EXT_CAP_ID_ACS);
	bench_add_ext(b, 0x190, PCI_EXT_CAP_ID_REBAR);
	bench_add_ext(b, 0x1a0, PCI_EXT_CAP_ID_DPA);
	bench_add_ext(b, 0x1c0, PCI_EXT_CAP_ID_TPH);
}
