// SPDX-License-Identifier: GPL-2.0-only
/*
 * INTx of QEMU's educational device.
 */
#include "edu.h"
#include "tap.h"

void edu_intx_settle(struct vfio_dev *dev, int fd)
{
	edu_raise(dev);
	edu_ack(dev);
	intx_settle(dev, fd);
}

void edu_intx_expect(struct vfio_dev *dev, int fd)
{
	unsigned int i;

	edu_intx_settle(dev, fd);
	for (i = 0; i < 2; i++) {
		edu_raise(dev);
		EXPECT_EQ(event_wait(fd, 500), 1);
		edu_ack(dev);
		intx_unmask(dev);
		EXPECT_EQ(event_wait(fd, 50), 0);
	}
}
