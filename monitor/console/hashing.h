/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords are hashed by the threads that answer, for tens of milliseconds each.
 * Guarantee: one of several such threads never does, so that health and streams do not wait for passwords.
 * Owner/thread: any thread that answers. */
#pragma once

#include "console/server.h"

/* threads: those that answer. */
void iv_hashing_init(struct iv_console *console, unsigned threads);
/* False: as many are at it as may be, and the reply says so. */
bool iv_hashing_enter(struct iv_console *console, struct iv_reply *reply);
void iv_hashing_leave(struct iv_console *console);
