/* SPDX-License-Identifier: Apache-2.0 */
/* Places where a test can have the process killed, and a wall clock that a test can step.
 * A place stands between an intent and its outcome, before and after a commit. With IV_FAULT_AT=NAME:N in the
 * environment the N-th pass of iv_fault("NAME") is the process's last (N left out: the first): SIGKILL, so
 * that nothing is flushed and no handler runs. With IV_FAULT_CLOCK=FILE the wall clock (base/clock.h) is off
 * by as many seconds as FILE says, read each time. All of it is there only in builds with IV_FAULT_POINTS
 * (CMake's option, on in the presets that are for tests): a release holds no trace of it, which
 * tests/lint/faults proves. */
#pragma once

#include "base/time.h"

#ifdef IV_FAULT_POINTS
void iv_fault(const char *name);
iv_ns iv_fault_clock(void);
#else
/* Macros, so that not even the names are left, however it is compiled. */
#define iv_fault(name) ((void)0)
#define iv_fault_clock() INT64_C(0)
#endif
