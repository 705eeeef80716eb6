/* SPDX-License-Identifier: Apache-2.0 */
/* What a playbook has been let do: counted from the executions themselves.
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

/* Whether at least most executions of its playbook were admitted within the window that ends now; by AGENT,
 * TENANT and ENCLAVE: whether those touched as many distinct ones, that of the given execution aside. The
 * rows are counted unless the last count, with all that was admitted since, cannot come up to most. */
iv_rc iv_store_admitted(struct iv_store *store, bool *enough, const struct iv_execution *execution,
                        enum iv_touch touch, iv_ns window, iv_ns now, int64_t most, struct iv_err *err);

/* Copies, in the arena, of up to limit executions that wait and whose time was up by now. */
struct iv_arena;
iv_rc iv_store_expired(struct iv_store *store, struct iv_execution **out, size_t *count, iv_ns now,
                       size_t limit, struct iv_arena *arena, struct iv_err *err);
