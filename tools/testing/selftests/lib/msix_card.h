/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Network cards whose MSI-X vectors can be raised one by one.
 */
#ifndef SELFTEST_MSIX_CARD_H
#define SELFTEST_MSIX_CARD_H

#include "vfio.h"

#define MSIX_CARD_VECTORS	10	/* as many as the largest has */

/**
 * struct msix_card - a network card whose MSI-X vectors can be raised one by one
 * @name:	in the lab
 * @vectors:	how many it has
 * @most:	messages that QEMU's model may send for one cause
 * @setup:	after a reset: let each cause go to a vector of its own
 * @raise:	raise the cause that goes to vector @n
 */
struct msix_card {
	const char *name;
	unsigned int vectors;
	unsigned int most;
	void (*setup)(struct vfio_dev *dev);
	void (*raise)(struct vfio_dev *dev, unsigned int n);
};

/* e1000e and igb */
extern const struct msix_card msix_cards[2];

/* Open @card and get it ready, with an eventfd for each vector in @fds. */
void msix_card_open(struct vfio_dev *dev, const struct msix_card *card,
		    int32_t *fds);
/* Get it ready again, after a reset. */
void msix_card_setup(struct vfio_dev *dev, const struct msix_card *card);
/* Raise every cause once; only vectors @first to @last - 1 are listened to. */
void msix_card_fires(struct vfio_dev *dev, const struct msix_card *card,
		     const int32_t *fds, unsigned int first, unsigned int last);
/* Forget what came before. */
void msix_card_drain(const int32_t *fds);
/* Until what was raised has been sent. */
void msix_card_pause(void);

#endif
