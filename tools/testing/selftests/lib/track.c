// SPDX-License-Identifier: GPL-2.0-only
#include <unistd.h>

#include "lab.h"
#include "tap.h"
#include "track.h"

struct start {
	uint64_t page_size;
	uint32_t num_ranges;
	uint32_t reserved;
	uint64_t ranges;
};

struct report {
	uint64_t iova;
	uint64_t length;
	uint64_t page_size;
	uint64_t bitmap;
};

const struct track_range track_all = { TRACK_IOVA, TRACK_SIZE };

/* If it can, it has what sets the bits. To look through all names takes seconds: once. */
bool track_possible(void)
{
	static const char names[] = "/tmp/iova_bitmap";

	if (access(names, F_OK))
		lab_command("grep ' iova_bitmap_set' /proc/kallsyms >%s", names);
	return !lab_command("[ -s %s ]", names);
}

void track_needed(void)
{
	if (!track_possible())
		SKIP("vfio.ko of this kernel takes no report of dirty pages");
}

void track_up(struct mig *m, struct mig_live *before)
{
	track_needed();
	mig_up(1);
	mig_open(m, TRACK_FN);
	dma_map(&m->vf.group, dma_alloc(TRACK_SIZE), TRACK_IOVA, TRACK_SIZE);
	*before = mig_live();
}

void track_down(struct mig *m, const struct mig_live *before)
{
	mig_close(m);
	mig_expect_no_leak(before);
}

int track_start_try(struct mig *m, const struct track_range *ranges, uint32_t nr,
		    uint64_t *page)
{
	struct start start = {
		.page_size = *page,
		.num_ranges = nr,
		.ranges = (uintptr_t)ranges,
	};
	int ret;

	ret = vfio_feature_try(&m->vf, VFIO_DEVICE_FEATURE_SET | MIG_FEATURE_LOG_START, &start,
			       sizeof(start));
	*page = start.page_size;
	return ret;
}

int track_stop_try(struct mig *m)
{
	return vfio_feature_try(&m->vf, VFIO_DEVICE_FEATURE_SET | MIG_FEATURE_LOG_STOP, NULL, 0);
}

int track_report_try(struct mig *m, uint64_t iova, uint64_t length, uint64_t *bitmap)
{
	struct report report = {
		.iova = iova,
		.length = length,
		.page_size = 4096,
		.bitmap = (uintptr_t)bitmap,
	};

	return vfio_feature_try(&m->vf, VFIO_DEVICE_FEATURE_GET | MIG_FEATURE_LOG_REPORT,
				&report, sizeof(report));
}

void track_start(struct mig *m)
{
	uint64_t page = 4096;

	ASSERT_OK(track_start_try(m, &track_all, 1, &page));
	ASSERT_EQ(page, 4096u);
}

void track_write(struct mig *m, unsigned int first, unsigned int nr)
{
	ASSERT_EQ(hca_work_dma(&m->vf, HCA_DMA_TO_HOST, TRACK_IOVA + first * 4096, 0, nr * 4096),
		  (unsigned int)HCA_DMA_IS_DONE);
}
