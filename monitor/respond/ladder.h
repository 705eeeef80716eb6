/* SPDX-License-Identifier: Apache-2.0 */
/* What follows a step that has ended: the next one, a later one, its undoing, or the execution's end.
 * Purpose: the order that a playbook's author wrote down, from rows alone. Shared by the moves.
 * Owner/thread: whoever is inside the store's transaction. */
#pragma once

#include "evidence/store.h"

#include <stddef.h>

/* Those of the playbook, and as many that take them back. */
#define IV_EXECUTION_STEPS_MAX 32

/* task->step has ended, and is written down. */
iv_rc iv_ladder_follow(struct iv_store *store, struct iv_task *task, iv_ns now, struct iv_arena *arena,
                       struct iv_err *err);

/* task->step was done, and what follows waits for its evidence. Where nothing is left but what an escalation
 * would call, the execution is done, for the time being. */
iv_rc iv_ladder_rest(struct iv_store *store, struct iv_task *task, iv_ns now, struct iv_arena *arena,
                     struct iv_err *err);

/* task->step is due, and neither it nor what was to follow it is called (any more): why. What was done before
 * stays, and so does what takes it back; a step that was tried without an answer and has an undo ends as
 * ambiguous, and is taken back as well; where nothing was, the execution is refused. */
iv_rc iv_ladder_withdraw(struct iv_store *store, struct iv_task *task, const char *why, iv_ns now,
                         struct iv_arena *arena, struct iv_err *err);

/* What an execution in this state comes to, by all its rows, those that take back among them: the same state
 * where nothing is at an end yet, or nothing changes it any more. before and step make its cause. */
struct iv_ladder_end {
    enum iv_run_state state;
    const char *before;         /* the cause's beginning; "": it has none */
    const struct iv_step *step; /* that the cause goes on with; NULL: none */
};
struct iv_ladder_end iv_ladder_end(enum iv_run_state now, const struct iv_task *all, size_t count);

/* Steps that are queued end as skipped. all: those of the execution. */
iv_rc iv_ladder_skip(struct iv_store *store, const struct iv_execution *execution, struct iv_task *all,
                     size_t count, struct iv_str cause, iv_ns now, struct iv_err *err);
iv_rc iv_ladder_finish(struct iv_store *store, struct iv_execution *execution, enum iv_run_state state,
                       struct iv_str cause, iv_ns now, struct iv_err *err);
