/* SPDX-License-Identifier: Apache-2.0 */
/* How often somebody may fail to log in: five times, then after a second, two, four, … a quarter of an hour.
 * Owner/thread: any; time is an argument.
 * Guarantee: bounded memory. Who comes from very many addresses with very many names makes it forget, and has
 * failed once more with each of them. Nothing outlives the process. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "base/time.h"

struct iv_limit;

iv_rc iv_limit_new(struct iv_limit **out, struct iv_err *err);
void iv_limit_free(struct iv_limit *limit);

/* 0: he may try, and it counts as failed until it is forgiven. Else how long he has to wait. */
iv_ns iv_limit_try(struct iv_limit *limit, struct iv_str key, iv_ns now);
/* That try did not fail; all: nor do those before it count any more. */
void iv_limit_forgive(struct iv_limit *limit, struct iv_str key, bool all);
