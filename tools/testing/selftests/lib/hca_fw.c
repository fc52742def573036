// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands to the HCA's firmware.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hca_fw.h"
#include "lab.h"
#include "tap.h"

#define PAGE		4096u
#define HUGE		(2u << 20)
#define MKEY_IN_WORDS	(0x110 / 4)

static uint32_t syndrome;

/* --- commands ------------------------------------------------------------------ */

static int debug_open(const char *name, int flags)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/sys/kernel/debug/mlx5/%s/cmd/%s", hca_bdf(0), name);
	fd = open(path, flags | O_CLOEXEC);
	ASSERT_OK(fd);
	return fd;
}

static int debug_write(const char *name, const void *data, size_t len)
{
	int fd = debug_open(name, O_WRONLY), ret = 0;

	if (write(fd, data, len) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

static void debug_read(const char *name, void *data, size_t len)
{
	int fd = debug_open(name, O_RDONLY);

	ASSERT_EQ(read(fd, data, len), (ssize_t)len);
	close(fd);
}

static void swap(uint32_t *to, const uint32_t *from, size_t words)
{
	size_t i;

	for (i = 0; i < words; i++)
		to[i] = ntohl(from[i]);
}

unsigned int fw_exec(const uint32_t *in, size_t in_words, uint32_t *out, size_t out_words)
{
	uint32_t *data = malloc(in_words * 4);
	char len[16];
	int ret;

	ASSERT(data);
	swap(data, in, in_words);
	snprintf(len, sizeof(len), "%zu", out_words * 4);
	ASSERT_EQ(debug_write("in", data, in_words * 4), 0);
	ASSERT_EQ(debug_write("out_len", len, strlen(len)), 0);
	free(data);
	memset(out, 0, out_words * 4);
	ret = debug_write("run", "go", 2);
	debug_read("out", out, out_words * 4);
	swap(out, out, out_words);
	syndrome = out[1];
	if (ret && !(out[0] >> 24))
		return FW_NO_ANSWER - ret;
	return out[0] >> 24;
}

enum hca_reason fw_why(void)
{
	return syndrome & ~HCA_SYNDROME;
}

unsigned int fw_short(unsigned int opcode, unsigned int op_mod, uint32_t word2, uint32_t word3,
		      uint32_t *answer)
{
	uint32_t in[4] = { opcode << 16, op_mod, word2, word3 }, out[4];
	unsigned int ret = fw_exec(in, 4, out, 4);

	if (answer)
		*answer = out[2];
	return ret;
}

/* --- buffers ------------------------------------------------------------------- */

/* Huge pages stay where they are. */
static void *huge_alloc(size_t size)
{
	static size_t pages;
	char text[16];
	void *addr;

	pages += size / HUGE;
	snprintf(text, sizeof(text), "%zu", pages + 4);
	ASSERT_EQ(file_write("/proc/sys/vm/nr_hugepages", text), 0);
	addr = mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE, -1, 0);
	ASSERT(addr != MAP_FAILED);
	return addr;
}

static void phys_find(struct fw_buf *buf)
{
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	size_t count = buf->size / PAGE, i;
	uint64_t entry;

	ASSERT_OK(fd);
	buf->phys = calloc(count, sizeof(*buf->phys));
	ASSERT(buf->phys);
	for (i = 0; i < count; i++) {
		off_t at = ((uintptr_t)buf->addr / PAGE + i) * sizeof(entry);

		ASSERT_EQ(pread(fd, &entry, sizeof(entry), at), (ssize_t)sizeof(entry));
		buf->phys[i] = (entry & ((1ull << 55) - 1)) * PAGE;
		ASSERT(buf->phys[i]);
	}
	close(fd);
}

/* Context of a key: local read and write, table, key byte, domain, length, pages. */
static void mkey_fill(uint32_t *in, const struct fw_buf *buf)
{
	size_t count = buf->size / PAGE, i;
	uint32_t *mkc = in + 4;

	in[0] = HCA_CREATE_MKEY << 16;
	mkc[0] = 1 << 11 | 1 << 10 | 1 << 8;
	mkc[1] = 0xffffff00 | 0x42;
	mkc[3] = buf->pd;
	mkc[7] = buf->size;
	mkc[13] = (count + 1) / 2;
	mkc[14] = 12;
	in[24] = (count + 1) / 2;
	for (i = 0; i < count; i++) {
		in[MKEY_IN_WORDS + 2 * i] = buf->phys[i] >> 32;
		in[MKEY_IN_WORDS + 2 * i + 1] = buf->phys[i];
	}
}

static void mkey_create(struct fw_buf *buf)
{
	size_t words = MKEY_IN_WORDS + (buf->size / PAGE + 1) / 2 * 4;
	uint32_t *in = calloc(words, 4), out[4];

	ASSERT(in);
	ASSERT_EQ(fw_short(HCA_ALLOC_PD, 0, 0, 0, &buf->pd), FW_OK);
	mkey_fill(in, buf);
	ASSERT_EQ(fw_exec(in, words, out, 4), FW_OK);
	buf->mkey = out[2] << 8 | 0x42;
	free(in);
}

void fw_buf_alloc(struct fw_buf *buf, size_t size)
{
	buf->size = (size + HUGE - 1) / HUGE * HUGE;
	buf->addr = huge_alloc(buf->size);
	phys_find(buf);
	mkey_create(buf);
}

void fw_buf_free(struct fw_buf *buf)
{
	EXPECT_EQ(fw_short(HCA_DESTROY_MKEY, 0, buf->mkey >> 8, 0, NULL), FW_OK);
	EXPECT_EQ(fw_short(HCA_DEALLOC_PD, 0, buf->pd, 0, NULL), FW_OK);
	munmap(buf->addr, buf->size);
	free(buf->phys);
}

/* --- migration --------------------------------------------------------------- */

unsigned int fw_suspend(unsigned int fn, unsigned int half)
{
	return fw_short(HCA_SUSPEND_VHCA, half, hca_vhca_id(fn), 0, NULL);
}

unsigned int fw_resume(unsigned int fn, unsigned int half)
{
	return fw_short(HCA_RESUME_VHCA, !half, hca_vhca_id(fn), 0, NULL);
}

void fw_stop(unsigned int fn)
{
	ASSERT_EQ(fw_suspend(fn, FW_INITIATOR), FW_OK);
	ASSERT_EQ(fw_suspend(fn, FW_RESPONDER), FW_OK);
}

void fw_start(unsigned int fn)
{
	ASSERT_EQ(fw_resume(fn, FW_RESPONDER), FW_OK);
	ASSERT_EQ(fw_resume(fn, FW_INITIATOR), FW_OK);
}

unsigned int fw_query(unsigned int fn, uint32_t flags, struct fw_size *size)
{
	uint32_t in[4] = { HCA_QUERY_MIGRATION << 16, 0, flags | hca_vhca_id(fn) }, out[16];
	unsigned int ret = fw_exec(in, 4, out, 16);

	size->next = out[4];
	size->total = (uint64_t)out[6] << 32 | out[7];
	return ret;
}

static unsigned int image(unsigned int opcode, uint32_t who, const struct fw_buf *buf,
			  uint32_t size, uint32_t out[4])
{
	uint32_t in[8] = { opcode << 16, 0, who, 0, 0, 0, buf->mkey, size };

	return fw_exec(in, 8, out, 4);
}

unsigned int fw_save(unsigned int fn, uint32_t flags, const struct fw_buf *buf,
		     struct fw_saved *saved)
{
	uint32_t out[4];
	unsigned int ret = image(HCA_SAVE_VHCA, flags | hca_vhca_id(fn), buf, buf->size, out);

	saved->len = out[2];
	saved->next = out[3];
	return ret;
}

unsigned int fw_load(unsigned int fn, const struct fw_buf *buf, uint32_t len)
{
	uint32_t out[4];

	return image(HCA_LOAD_VHCA, hca_vhca_id(fn), buf, len, out);
}
