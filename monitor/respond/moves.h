/* SPDX-License-Identifier: Apache-2.0 */
/* How executions and steps move (the diagram is in evidence/execution.h). Pure decisions, written through
 * report.h.
 * Owner/thread: whoever is inside the store's transaction. */
#pragma once

#include "respond/action.h"

struct iv_store;

/* The step is about to be called: attempt and states, before the call. */
iv_rc iv_move_to_calling(struct iv_store *store, struct iv_task *task, int64_t outbox, iv_ns now,
                         struct iv_err *err);

/* What came of it. Moves the step, and with it the next step or the execution. */
iv_rc iv_move_by_outcome(struct iv_store *store, struct iv_task *task, const struct iv_outcome *outcome,
                         iv_ns now, struct iv_arena *arena, struct iv_err *err);

/* What the streams have shown of a step that was done with an expectation (iv_step_awaits), or what they
 * could not show. Moves the step, and with it the next step or the execution. */
enum iv_proof_verdict { IV_PROOF_VERIFIED, IV_PROOF_FAILED, IV_PROOF_AMBIGUOUS };
struct iv_proof {
    enum iv_proof_verdict verdict;
    struct iv_str cause;    /* a sentence */
    struct iv_str evidence; /* the record that decided it, as JSON; empty: none did */
};
iv_rc iv_move_by_evidence(struct iv_store *store, struct iv_task *task, const struct iv_proof *proof,
                          iv_ns now, struct iv_arena *arena, struct iv_err *err);

/* Found CALLING after a restart: it is due again, at once, whatever its attempts. */
iv_rc iv_move_interrupted(struct iv_store *store, struct iv_task *task, iv_ns now, struct iv_arena *arena,
                          struct iv_err *err);

/* CALLING, and the broker has not taken its message in time. A further attempt is no second message: the one
 * in the outbox stands, for as long as one more call would take. After the last it is taken from there, and
 * the step has failed; what Kafka's client has of it may still arrive. */
iv_rc iv_move_overdue(struct iv_store *store, struct iv_task *task, iv_ns now, struct iv_arena *arena,
                      struct iv_err *err);

/* Observe mode or dry run: the step would be called now, or would wait (cause). Moves on as if it had
 * succeeded. */
iv_rc iv_move_withheld(struct iv_store *store, struct iv_task *task, struct iv_str cause, iv_ns now,
                       struct iv_arena *arena, struct iv_err *err);

/* It waited, and may now go on. */
iv_rc iv_move_approved(struct iv_store *store, struct iv_execution *execution, struct iv_str cause, iv_ns now,
                       struct iv_arena *arena, struct iv_err *err);
/* It waited, for an approval or for its turn, and nothing of it is ever called. */
iv_rc iv_move_refused(struct iv_store *store, struct iv_execution *execution, struct iv_str cause, iv_ns now,
                      struct iv_arena *arena, struct iv_err *err);

/* It has not begun, and another one does it in its place. */
iv_rc iv_move_superseded(struct iv_store *store, struct iv_execution *execution, struct iv_str cause,
                         iv_ns now, struct iv_arena *arena, struct iv_err *err);

/* What is to be taken back of it later is due now: who asks for it, and why (may be empty), stands with the
 * steps. *moved: how many steps that are; 0: there is nothing. */
struct iv_undo_order {
    struct iv_str execution;
    struct iv_str who;
    struct iv_str reason;
};
iv_rc iv_move_undo(struct iv_store *store, size_t *moved, const struct iv_undo_order *order, iv_ns now,
                   struct iv_arena *arena, struct iv_err *err);

/* How long to wait before the attempt that follows this one: the back-off doubles up to its maximum, and of
 * it between the half and the whole is waited, so that what failed together does not come back together.
 * Deterministic by key. */
iv_ns iv_backoff(const struct iv_step *step);
