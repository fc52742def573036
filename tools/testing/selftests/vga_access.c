// SPDX-License-Identifier: GPL-2.0-only
/*
 * The legacy ranges of a VGA controller and the arbiter, which lends them to one
 * controller at a time.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/lab.h"
#include "lib/tap.h"
#include "lib/vfio.h"

#define TEXT	0xb8000	/* the screen in text mode */
#define PAGE	4096u
#define LEN	16

/* A page that is not there until somebody provides it: its own pager. */
static void *absent_page(int *pager)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT(page != MAP_FAILED);
	*pager = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	ASSERT_OK(*pager);
	ASSERT_OK(ioctl(*pager, UFFDIO_API, &api));
	range.range.start = (uintptr_t)page;
	range.range.len = PAGE;
	ASSERT_OK(ioctl(*pager, UFFDIO_REGISTER, &range));
	return page;
}

static void wait_for_touch(int pager)
{
	struct pollfd wait = { .fd = pager, .events = POLLIN };

	ASSERT_EQ(poll(&wait, 1, test_patience(5000)), 1);
}

static void provide_page(int pager, void *page)
{
	struct uffdio_zeropage zero = {
		.range = { .start = (uintptr_t)page, .len = PAGE },
	};

	ASSERT_OK(ioctl(pager, UFFDIO_ZEROPAGE, &zero));
}

/* What the arbiter says of a controller: "...,locks=none(0:0)". */
static void arbiter_status(const char *bdf, char *text, size_t size)
{
	int fd = open("/dev/vga_arbiter", O_RDWR | O_CLOEXEC);
	ssize_t len;

	ASSERT_OK(fd);
	snprintf(text, size, "target PCI:%s", bdf);
	ASSERT_EQ(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	len = read(fd, text, size - 1);
	ASSERT_OK(len);
	text[len] = '\0';
	close(fd);
}

static ssize_t read_text(struct vfio_dev *dev, void *buffer)
{
	return region_read_try(dev, VFIO_PCI_VGA_REGION_INDEX, TEXT, buffer, LEN);
}

static ssize_t write_text(struct vfio_dev *dev, void *buffer)
{
	return region_write_try(dev, VFIO_PCI_VGA_REGION_INDEX, TEXT, buffer,
				LEN);
}

static const struct way {
	const char *name;
	ssize_t (*move)(struct vfio_dev *dev, void *buffer);
} ways[] = {
	{ "read", read_text },
	{ "write", write_text },
};

struct job {
	struct vfio_dev dev;
	const struct way *way;
	void *buffer;
};

static void *move(void *arg)
{
	struct job *job = arg;

	EXPECT_EQ(job->way->move(&job->dev, job->buffer), LEN);
	return NULL;
}

/*
 * Drivers of other controllers wait for the arbiter, some of them inside the
 * kernel and for ever: not for a page that a user never provides.
 *
 * Fails on the distribution's 6.12.117.
 */
TEST_EACH(arbiter_is_not_held_over_a_page_fault, ways)
{
	struct job job = { .way = it };
	pthread_t thread;
	char status[256];
	int pager;

	if (lab_stock())
		SKIP("the distribution's module holds the arbiter");
	vfio_open(&job.dev, lab_bdf("vga"));
	job.buffer = absent_page(&pager);
	ASSERT_EQ(pthread_create(&thread, NULL, move, &job), 0);
	wait_for_touch(pager);

	arbiter_status(job.dev.bdf, status, sizeof(status));
	if (!strstr(status, "locks=none"))
		FAIL("the arbiter says %s", status);

	provide_page(pager, job.buffer);
	ASSERT_EQ(pthread_join(thread, NULL), 0);
	close(pager);
	vfio_close(&job.dev);
}
