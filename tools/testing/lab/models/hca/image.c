// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is in an image, and the rules of loading one.
 */
#include "image.h"
#include "qemu/bitmap.h"
#include "qemu/units.h"

#define MAGIC		0x56484341
#define VERSION		1
#define PAGE_ENTRY	(sizeof(uint32_t) + HCA_PAGE)

/* Ahead of each piece, in the byte order of the host that runs the model. */
struct piece {
	uint32_t magic, version;
	uint32_t memory_pages;
	uint32_t check;		/* sum over the rest of the header and the data */
	uint64_t stream;	/* a whole image and its increments have one number */
	uint64_t base;		/* generation that must have been loaded, 0: a whole image */
	uint64_t generation;
	uint64_t pos, total;	/* of the data in the image */
	uint64_t len;
};

/* And ahead of the pages of an image. */
struct state {
	uint64_t reg[HCA_W_REGS];
	struct hca_iface iface;
	uint64_t pages;
};

/* FNV-1a */
static uint32_t checksum(const struct piece *piece, const uint8_t *data)
{
	const uint8_t *head = (const uint8_t *)&piece->stream;
	uint32_t sum = 2166136261u;
	size_t i;

	for (i = 0; i < sizeof(*piece) - offsetof(struct piece, stream); i++)
		sum = (sum ^ head[i]) * 16777619u;
	for (i = 0; i < piece->len; i++)
		sum = (sum ^ data[i]) * 16777619u;
	return sum;
}

void hca_image_drop(struct hca_vhca *vhca)
{
	if (vhca->rest)
		g_byte_array_unref(vhca->rest);
	if (vhca->loading)
		g_byte_array_unref(vhca->loading);
	vhca->rest = NULL;
	vhca->loading = NULL;
}

bool hca_image_is_partial(const struct hca_vhca *vhca)
{
	return vhca->loading;
}

/* --- sizes ------------------------------------------------------------------------- */

static const unsigned long *dirty_of(const struct hca_fn *fn)
{
	return (const unsigned long *)fn->work.dirty;
}

static uint64_t data_size(const struct hca_fn *fn, bool incremental)
{
	uint64_t pages = incremental ? bitmap_count_one(dirty_of(fn), fn->work.pages) :
				       fn->work.pages;

	return sizeof(struct state) + pages * PAGE_ENTRY;
}

/* An increment asked for in the middle of an image is the rest of that image. */
bool hca_image_continues(const struct hca_fn *fn, bool incremental)
{
	return fn->vhca.rest && incremental;
}

static uint64_t data_left(const struct hca_fn *fn, bool incremental)
{
	const struct hca_vhca *vhca = &fn->vhca;

	if (hca_image_continues(fn, incremental))
		return vhca->rest->len - vhca->sent;
	return data_size(fn, incremental);
}

/* With the headers of all pieces. */
uint64_t hca_image_total(const struct hca_fn *fn, bool incremental)
{
	uint64_t left = data_left(fn, incremental), chunk = fn->hca->setting[HCA_SET_CHUNK_SIZE];
	uint64_t room = MAX(chunk, sizeof(struct piece) + KiB) - sizeof(struct piece);
	uint64_t pieces = fn->vhca.chunked ? DIV_ROUND_UP(left, room) : 1;

	return left + pieces * sizeof(struct piece);
}

uint32_t hca_image_next_size(const struct hca_fn *fn, bool incremental)
{
	uint64_t total = hca_image_total(fn, incremental);

	if (fn->vhca.chunked)
		return MIN(total, MAX(fn->hca->setting[HCA_SET_CHUNK_SIZE],
				      sizeof(struct piece) + KiB));
	return total;
}

/* --- save --------------------------------------------------------------------------- */

static void put_page(GByteArray *image, const struct hca_fn *fn, uint32_t page)
{
	g_byte_array_append(image, (const guint8 *)&page, sizeof(page));
	g_byte_array_append(image, fn->work.memory + (uint64_t)page * HCA_PAGE, HCA_PAGE);
}

static GByteArray *collect(const struct hca_fn *fn, bool incremental)
{
	GByteArray *image = g_byte_array_sized_new(data_size(fn, incremental));
	struct state state = { .iface = fn->iface };
	uint32_t page;

	memcpy(state.reg, fn->work.reg, sizeof(state.reg));
	state.pages = (data_size(fn, incremental) - sizeof(state)) / PAGE_ENTRY;
	g_byte_array_append(image, (const guint8 *)&state, sizeof(state));
	for (page = 0; page < fn->work.pages; page++) {
		if (!incremental || test_bit(page, dirty_of(fn)))
			put_page(image, fn, page);
	}
	return image;
}

/* The next piece of what there is to send, as far as there is room. */
static uint32_t put_piece(struct hca_save *save, GByteArray *image, struct piece *piece)
{
	g_autofree uint8_t *data = NULL;
	uint64_t left = image->len - piece->pos;

	if (save->size < sizeof(*piece) + MIN(left, (uint64_t)KiB))
		return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_SMALL);
	piece->len = MIN(left, save->size - sizeof(*piece));
	if (piece->len < left && !save->fn->vhca.chunked)
		return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_SMALL);
	piece->check = checksum(piece, image->data + piece->pos);
	save->actual = sizeof(*piece) + piece->len;
	data = g_malloc(save->actual);
	memcpy(data, piece, sizeof(*piece));
	memcpy(data + sizeof(*piece), image->data + piece->pos, piece->len);
	if (!hca_mkey_write(save->pf, save->mkey, save->va, data, save->actual))
		return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_DMA);
	return 0;
}

/* Only now is it certain that the image will be read. */
static void begin(struct hca_save *save, const struct piece *piece, GByteArray *image)
{
	struct hca_vhca *vhca = &save->fn->vhca;

	vhca->stream = piece->stream;
	vhca->generation = piece->generation;
	vhca->base = piece->base;
	vhca->sent = 0;
	if (vhca->rest)
		g_byte_array_unref(vhca->rest);
	vhca->rest = g_byte_array_ref(image);
	if (save->track)
		vhca->tracked = true;
	memset(save->fn->work.dirty, 0, DIV_ROUND_UP(save->fn->work.pages, 64) * 8);
}

static void go_on(struct hca_save *save, const struct piece *piece)
{
	struct hca_vhca *vhca = &save->fn->vhca;

	vhca->sent += piece->len;
	if (vhca->sent < piece->total) {
		save->next = hca_image_next_size(save->fn, true);
		return;
	}
	g_byte_array_unref(vhca->rest);
	vhca->rest = NULL;
}

static uint32_t save_first(struct hca_save *save, struct piece *piece)
{
	GByteArray *image = collect(save->fn, save->incremental);
	struct hca_vhca *vhca = &save->fn->vhca;
	uint32_t ret;

	piece->stream = save->incremental ? vhca->stream : ++save->fn->hca->streams;
	piece->base = save->incremental ? vhca->generation : 0;
	piece->generation = piece->base + 1;
	piece->pos = 0;
	piece->total = image->len;
	ret = put_piece(save, image, piece);
	if (!ret) {
		begin(save, piece, image);
		go_on(save, piece);
	}
	g_byte_array_unref(image);
	return ret;
}

static uint32_t save_rest(struct hca_save *save, struct piece *piece)
{
	GByteArray *image = save->fn->vhca.rest;
	uint32_t ret;

	piece->total = image->len;
	ret = put_piece(save, image, piece);
	if (!ret)
		go_on(save, piece);
	return ret;
}

uint32_t hca_image_save(struct hca_save *save)
{
	struct hca_fn *fn = save->fn;
	struct piece piece = {
		.magic = MAGIC,
		.version = VERSION,
		.memory_pages = fn->work.pages,
		.stream = fn->vhca.stream,
		.base = fn->vhca.base,
		.generation = fn->vhca.generation,
		.pos = fn->vhca.sent,
	};

	if (hca_image_continues(fn, save->incremental))
		return save_rest(save, &piece);
	return save_first(save, &piece);
}

/* --- load --------------------------------------------------------------------------- */

static void apply(struct hca_fn *fn, const uint8_t *data, const struct state *state)
{
	const uint8_t *entry = data + sizeof(*state);
	uint64_t i;

	memcpy(fn->work.reg, state->reg, sizeof(state->reg));
	fn->iface = state->iface;
	hca_fn_recount(fn);
	for (i = 0; i < state->pages; i++, entry += PAGE_ENTRY)
		hca_work_store(fn, (uint64_t)*(const uint32_t *)entry * HCA_PAGE,
			       entry + sizeof(uint32_t), HCA_PAGE);
}

static uint32_t unpack(struct hca_fn *fn, const GByteArray *image)
{
	const uint8_t *entry = image->data + sizeof(struct state);
	struct state state;
	uint64_t i;

	if (image->len < sizeof(state))
		return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_IMAGE);
	memcpy(&state, image->data, sizeof(state));
	if (state.pages > fn->work.pages || image->len != sizeof(state) + state.pages * PAGE_ENTRY)
		return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_IMAGE);
	for (i = 0; i < state.pages; i++) {
		if (*(const uint32_t *)(entry + i * PAGE_ENTRY) >= fn->work.pages)
			return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_IMAGE);
	}
	apply(fn, image->data, &state);
	return 0;
}

static uint32_t check(const struct hca_fn *fn, const struct piece *piece, const uint8_t *data,
		      uint32_t size)
{
	if (piece->magic != MAGIC || piece->version != VERSION ||
	    piece->len != size - sizeof(*piece) || piece->check != checksum(piece, data))
		return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_IMAGE);
	if (piece->memory_pages != fn->work.pages)
		return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_OTHER_DEVICE);
	if (piece->pos > piece->total || piece->len > piece->total - piece->pos)
		return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_IMAGE);
	return 0;
}

/* A first piece: of a whole image, or of the increment that follows the last. */
static uint32_t load_first(struct hca_fn *fn, const struct piece *piece)
{
	struct hca_vhca *vhca = &fn->vhca;

	if (vhca->loads && !fn->hca->setting[HCA_SET_MULTI_LOAD])
		return HCA_FAIL(HCA_BAD_RES_STATE, HCA_WHY_SECOND);
	if (vhca->loading)
		return HCA_FAIL(HCA_BAD_RES_STATE, HCA_WHY_SEQUENCE);
	if (piece->base && (piece->base != vhca->loaded_generation ||
			    piece->stream != vhca->loaded_stream))
		return HCA_FAIL(HCA_BAD_RES_STATE, HCA_WHY_SEQUENCE);
	vhca->loading = g_byte_array_new();
	vhca->load_total = piece->total;
	vhca->loaded_stream = piece->stream;
	vhca->loaded_generation = piece->generation;
	return 0;
}

static uint32_t load_next(const struct hca_vhca *vhca, const struct piece *piece)
{
	if (!vhca->loading || vhca->loading->len != piece->pos ||
	    vhca->load_total != piece->total || vhca->loaded_stream != piece->stream ||
	    vhca->loaded_generation != piece->generation)
		return HCA_FAIL(HCA_BAD_RES_STATE, HCA_WHY_SEQUENCE);
	return 0;
}

uint32_t hca_image_load(struct hca_fn *fn, const uint8_t *data, uint32_t size)
{
	struct hca_vhca *vhca = &fn->vhca;
	struct piece piece;
	uint32_t ret;

	if (size < sizeof(piece))
		return HCA_FAIL(HCA_BAD_PARAM, HCA_WHY_IMAGE);
	memcpy(&piece, data, sizeof(piece));
	data += sizeof(piece);
	ret = check(fn, &piece, data, size);
	if (!ret)
		ret = piece.pos ? load_next(vhca, &piece) : load_first(fn, &piece);
	if (ret)
		return ret;
	g_byte_array_append(vhca->loading, data, piece.len);
	if (vhca->loading->len < piece.total)
		return 0;
	vhca->loads++;
	ret = unpack(fn, vhca->loading);
	g_byte_array_unref(vhca->loading);
	vhca->loading = NULL;
	return ret;
}
