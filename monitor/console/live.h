/* SPDX-License-Identifier: Apache-2.0 */
/* The live stream: server-sent events, and the pulse that keeps it and the deadlines going.
 * Source: HTML Living Standard, 9.2 server-sent events.
 * Owner/thread: streams are read on the HTTP library's threads; the pulse is one thread of its own. */
#pragma once

#include "console/server.h"

iv_rc iv_pulse_start(struct iv_console *console, struct iv_err *err);
/* The streams are told at once that actions are paused or go on; what another process does about it, they are
 * told within a second. */
void iv_pulse_hurry(struct iv_console *console);
/* Ends the pulse and lets every stream end; then the daemon may be stopped. */
void iv_pulse_stop(struct iv_console *console);

/* Under console->lock: the streams that wait look again. */
void iv_live_wake(struct iv_console *console);
