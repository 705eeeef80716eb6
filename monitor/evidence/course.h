/* SPDX-License-Identifier: Apache-2.0 */
/* How a playbook's executions went, and which of them wait for others: what the ramp and escalation decide
 * by. Owner/thread: whoever is inside the store's transaction. Not here: the decisions (respond/ramp.h,
 * respond/escalate.h). */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"
#include "evidence/execution.h"
#include "evidence/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Those of the playbook's executions that were called and ended since, the newest up to limit, oldest first:
 * whether each went wrong. One that ended up to a second earlier may be among them. */
iv_rc iv_store_ends(struct iv_store *store, bool *wrong, size_t *count, struct iv_str playbook, iv_ns since,
                    size_t limit, struct iv_err *err);
/* How many are at work, or may begin. Counting ends at enough. */
iv_rc iv_store_at_work(struct iv_store *store, int64_t *out, struct iv_str playbook, int64_t enough,
                       struct iv_err *err);

/* No fewer than are at work; exactly so many where that comes up to enough. Not counted where the last count
 * and what has begun since do not come up to it. */
iv_rc iv_store_at_work_most(struct iv_store *store, int64_t *out, struct iv_str playbook, int64_t enough,
                            struct iv_err *err);

/* What is looked for, as copies in the arena. */
enum iv_course_set {
    IV_COURSE_FRONT,      /* waits for its turn longest, of the next playbook by name of which some do */
    IV_COURSE_QUEUE,      /* those of this playbook that wait for their turn, longest first */
    IV_COURSE_ESCALATING, /* ended in failure or doubt, and another playbook is to take over */
    IV_COURSE_OUTRANKED,  /* not begun, and would be followed by this playbook for this target */
};
iv_rc iv_store_course(struct iv_store *store, struct iv_execution **out, size_t *count,
                      enum iv_course_set set, struct iv_str playbook, struct iv_str target, size_t limit,
                      struct iv_arena *arena, struct iv_err *err);

/* Whether any of the playbook's executions waits for its turn. */
iv_rc iv_store_queued(struct iv_store *store, bool *out, struct iv_str playbook, struct iv_err *err);
/* Whether one of the playbook that would follow this one, for the same target, may begin and has not. */
iv_rc iv_store_outranked(struct iv_store *store, bool *out, const struct iv_execution *execution,
                         struct iv_err *err);

/* Whether one of the same playbook and rule, without a target, failed of the same cause since then, and
 * nothing of it was called. */
iv_rc iv_store_failed_alike(struct iv_store *store, bool *out, const struct iv_execution *execution,
                            iv_ns since, struct iv_err *err);

/* Writes what is no state: whether it waits for its turn, what takes over from it, and the terms of an
 * approval. */
iv_rc iv_store_order(struct iv_store *store, const struct iv_execution *execution, struct iv_err *err);
/* Inside a transaction: earlier executions of the same playbook for the same target do not take back what
 * this one's step of that name did as well, before it does. */
iv_rc iv_store_hold_undo(struct iv_store *store, const struct iv_execution *execution,
                         const struct iv_step *undo, struct iv_err *err);
/* Inside a transaction: whether a later execution of the same playbook for the same target is at the step of
 * this name, or holds what it did: then undo, whose time has come, is not called before *until; IV_NS_MIN: so
 * long as nobody knows. Not of what somebody asked for before its time. */
iv_rc iv_store_undo_yields(struct iv_store *store, bool *yields, iv_ns *until,
                           const struct iv_execution *execution, const struct iv_step *undo, iv_ns now,
                           struct iv_err *err);
