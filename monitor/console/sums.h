/* SPDX-License-Identifier: Apache-2.0 */
/* Brings the store's sums up to date, a bounded piece at a time.
 * Owner/thread: the console's own thread. */
#pragma once

#include "console/server.h"

/* Some pieces; what is left waits for the next call. */
void iv_sums_catch_up(struct iv_console *console);
