/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vfioctl, as somebody types it in the guest.
 */
#ifndef SELFTEST_CTL_H
#define SELFTEST_CTL_H

/*
 * Exit status of "vfioctl ...", 0 or 1; anything else ends the test. What it
 * prints on both channels is kept until the next call.
 */
int ctl(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* What the last one printed contains @part. */
void ctl_expect_said(const char *part);

#endif
