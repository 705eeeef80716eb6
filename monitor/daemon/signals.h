/* SPDX-License-Identifier: Apache-2.0 */
/* Signals as values: blocked in every thread, taken by the main thread when it is ready. */
#pragma once

#include "base/time.h"

#include <signal.h>

/* Blocks SIGTERM, SIGINT and SIGHUP; before any thread is started. */
void iv_signals_block(void);
/* Waits up to this long for one of them; 0: none came. */
int iv_signals_wait(iv_ns wait);
