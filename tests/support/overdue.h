/* SPDX-License-Identifier: Apache-2.0 */
/* How long a test waits for what must come about, before it fails: generous, since it is a bound and no
 * measure. Owner/thread: one thread of a test, which is a process of its own. */
#pragma once

#include "base/time.h"

#include <stdbool.h>

#define LONG_ENOUGH (120 * IV_NS_PER_S)

/* LONG_ENOUGH has passed since the first call. */
bool overdue(void);
