/* SPDX-License-Identifier: Apache-2.0 */
/* What a service manager is told: ready, reloading, stopping, alive.
 * Owner/thread: the main thread. Opened before the confinement, which a socket that is connected outlives.
 * Guarantee: where nobody asked (no NOTIFY_SOCKET) every call is nothing. What cannot be told is not tried
 * again: the next word comes.
 * Source: sd_notify(3), systemd: a datagram of lines NAME=VALUE. */
#pragma once

#include "base/err.h"
#include "base/time.h"

struct iv_notify {
    int fd;            /* -1: nobody asked */
    iv_ns alive_every; /* 0: no watchdog; else the longest time between two signs of life */
};

/* NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID of the environment. IV_E_REFUSED: the socket's name or the
 * time is none. */
iv_rc iv_notify_open(struct iv_notify *out, struct iv_err *err);
void iv_notify_close(struct iv_notify *notify);

/* status: a line for a person. */
void iv_notify_ready(const struct iv_notify *notify, const char *status);
void iv_notify_reloading(const struct iv_notify *notify, iv_ns monotonic);
void iv_notify_stopping(const struct iv_notify *notify);
/* Only for what has been done since the last time (watch.h). */
void iv_notify_alive(const struct iv_notify *notify);
/* That it is not told alive, and why. */
void iv_notify_status(const struct iv_notify *notify, const char *status);
