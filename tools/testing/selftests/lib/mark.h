/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A trace in a device that nothing but a reset of it wipes out.
 */
#ifndef SELFTEST_MARK_H
#define SELFTEST_MARK_H

#include <stdbool.h>

#include "vfio.h"

/* Leave the trace; turns memory decoding on. Ends the test if that fails. */
void mark_leave(struct vfio_dev *dev);
/* Whether it is there; turns memory decoding on. */
bool mark_there(struct vfio_dev *dev);

#endif
