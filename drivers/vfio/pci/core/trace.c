// SPDX-License-Identifier: GPL-2.0-only
/*
 * The trace events, and the one place through which every refusal goes.
 */
#include "priv.h"

#define CREATE_TRACE_POINTS
#include <trace/events/vfio_pci.h>

void vfio_pci_note_refusal(struct vfio_pci_core_device *vdev,
			   struct ratelimit_state *limit, int err,
			   const char *fmt, ...)
{
	struct va_format why = { .fmt = fmt };
	va_list args;

	va_start(args, fmt);
	why.va = &args;
	trace_vfio_pci_refused(vdev->pdev, err, &why);
	if (!limit)
		pci_dbg(vdev->pdev, "%pV\n", &why);
	else if (__ratelimit(limit))
		pci_info(vdev->pdev, "%pV\n", &why);
	va_end(args);
}
