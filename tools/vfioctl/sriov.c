// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual functions: how many, and which.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "vfioctl.h"

#define DEADLINE_MS	10000
#define INTERVAL_MS	10

static int write_attr(const struct device *pf, const char *attr, unsigned int value)
{
	char text[16];

	print_to(text, sizeof(text), "%u", value);
	return kernel_write(text, PCI_DEVICES "/%s/%s", pf->bdf, attr);
}

/* All that are announced, each with a folder of its own. */
int vfs_list(struct names *bdfs, const struct device *pf)
{
	char bdf[NAME_LEN];
	uint64_t nr;
	unsigned int i;
	int ret;

	*bdfs = (struct names){};
	ret = file_number(&nr, PCI_DEVICES "/%s/sriov_numvfs", pf->bdf);
	for (i = 0; !ret && i < nr; i++) {
		ret = link_name(bdf, PCI_DEVICES "/%s/virtfn%u", pf->bdf, i);
		if (!ret && !path_exists(PCI_DEVICES "/%s/vendor", bdf))
			ret = -ENOENT;
		if (!ret)
			names_add(bdfs, bdf);
	}
	return ret;
}

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* They are there as a rule when the write returns, but nobody promises that. */
static int wait_for_vfs(const struct device *pf)
{
	static const struct timespec interval = { .tv_nsec = INTERVAL_MS * 1000000 };
	long long end = now_ms() + DEADLINE_MS;
	struct names bdfs;
	int ret;

	for (;;) {
		ret = vfs_list(&bdfs, pf);
		names_free(&bdfs);
		if (ret != -ENOENT || !path_exists(PCI_DEVICES "/%s", pf->bdf))
			return ret;
		if (signal_pending())
			return -EINTR;
		if (now_ms() > end)
			return -ETIMEDOUT;
		nanosleep(&interval, NULL);
	}
}

/* A number can only be changed by way of 0. */
static int set_number(const struct device *pf, unsigned int nr)
{
	int ret = 0;

	if (pf->vfs && nr)
		ret = write_attr(pf, "sriov_numvfs", 0);
	if (!ret)
		ret = write_attr(pf, "sriov_numvfs", nr);
	return ret ?: wait_for_vfs(pf);
}

int vfs_set(const struct device *pf, unsigned int nr, bool probe)
{
	uint64_t before;
	int lock, ret;

	signals_hold();
	lock = kernel_lock();
	ret = file_number(&before, PCI_DEVICES "/%s/sriov_drivers_autoprobe", pf->bdf);
	if (!ret && before != probe)
		ret = write_attr(pf, "sriov_drivers_autoprobe", probe);
	if (!ret) {
		ret = set_number(pf, nr);
		if (ret && !pf->vfs)
			write_attr(pf, "sriov_numvfs", 0);
		if (before != probe)
			write_attr(pf, "sriov_drivers_autoprobe", before);
	}
	if (lock >= 0)
		close(lock);
	signals_release();
	return ret;
}
