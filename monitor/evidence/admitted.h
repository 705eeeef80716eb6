/* SPDX-License-Identifier: Apache-2.0 */
/* What a playbook has been let do, and what it has begun to do: counted from the executions themselves.
 * Purpose: the figures that guards decide by; and those that wait for somebody to let them.
 * Owner/thread: whoever is inside the store's transaction.
 * Not here: limits (respond/guard.h). */
#pragma once

#include "base/err.h"
#include "base/time.h"
#include "evidence/execution.h"
#include "evidence/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum iv_touch { IV_TOUCH_ANY, IV_TOUCH_AGENT, IV_TOUCH_TENANT, IV_TOUCH_ENCLAVE };

/* Whether it touches one at all. ANY: always. */
bool iv_touches(const struct iv_execution *execution, enum iv_touch touch);

/* What of the playbook's executions is counted. */
enum iv_measure {
    IV_MEASURE_ADMITTED, /* within the window guards, or whoever approved it, let it pass */
    IV_MEASURE_BEGUN,    /* its first step was called within the window; observed ones apart */
    IV_MEASURE_BEGINNING /* that, and what may begin at any moment, which waits for no turn */
};
struct iv_counting {
    enum iv_measure measure;
    enum iv_touch touch;
    iv_ns window; /* it ends now */
    iv_ns now;
    int64_t most;
};
/* Whether there are at least most of them; by AGENT, TENANT and ENCLAVE: whether they touch as many distinct
 * ones, that of the given execution aside. The rows are counted unless the last count, with all that came to
 * it since, cannot come up to most. */
iv_rc iv_store_enough(struct iv_store *store, bool *enough, const struct iv_execution *execution,
                      const struct iv_counting *counting, struct iv_err *err);

/* Copies, in the arena, of up to limit executions that wait and whose time was up by now. */
struct iv_arena;
iv_rc iv_store_expired(struct iv_store *store, struct iv_execution **out, size_t *count, iv_ns now,
                       size_t limit, struct iv_arena *arena, struct iv_err *err);
