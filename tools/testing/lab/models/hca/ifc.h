/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fields of commands by name. The kernel's mlx5_ifc.h lays them out in structures
 * that have a byte where the hardware has a bit; all is big-endian.
 */
#ifndef LAB_HCA_IFC_H
#define LAB_HCA_IFC_H

#include "qemu/osdep.h"
#include "qemu/bitops.h"
#include "qemu/bswap.h"

typedef uint8_t u8;

#define DECLARE_FLEX_ARRAY(type, name)	\
	struct { struct { } name##_none; type name[]; }

#include "mlx5_ifc.h"

#define ifc_bytes(type)		(sizeof(struct mlx5_ifc_##type##_bits) / 8)
#define ifc_bit(type, field)	offsetof(struct mlx5_ifc_##type##_bits, field)
#define ifc_bits(type, field)	sizeof(((struct mlx5_ifc_##type##_bits *)0)->field)

#define ifc_at(type, data, field)	((uint8_t *)(data) + ifc_bit(type, field) / 8)
#define ifc_get(type, data, field)	\
	ifc_load(data, ifc_bit(type, field), ifc_bits(type, field))
#define ifc_set(type, data, field, val)	\
	ifc_store(data, ifc_bit(type, field), ifc_bits(type, field), val)

/* No field of up to 32 bits crosses a word; longer ones are two words. */
static inline uint64_t ifc_load(const void *data, unsigned int bit, unsigned int bits)
{
	const uint8_t *word = (const uint8_t *)data + bit / 32 * 4;

	if (bits == 64)
		return ldq_be_p(word);
	return extract32(ldl_be_p(word), 32 - bit % 32 - bits, bits);
}

static inline void ifc_store(void *data, unsigned int bit, unsigned int bits, uint64_t val)
{
	uint8_t *word = (uint8_t *)data + bit / 32 * 4;

	if (bits == 64)
		stq_be_p(word, val);
	else
		stl_be_p(word, deposit32(ldl_be_p(word), 32 - bit % 32 - bits, bits, val));
}

#endif
