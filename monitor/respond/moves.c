/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/moves.h"

#include "base/guard.h"
#include "base/hash.h"
#include "evidence/course.h"
#include "respond/ladder.h"
#include "respond/report.h"

#include <stdio.h>

iv_ns iv_backoff(const struct iv_step *step)
{
    iv_ns delay = step->backoff;
    for (int64_t i = 1; i < step->attempt && delay < step->backoff_max; i++) {
        delay *= 2;
    }
    delay = delay < step->backoff_max ? delay : step->backoff_max;
    /* No secret: the attempt's number is the hash's key so that each attempt has a jitter of its own. */
    uint64_t hash = iv_hash64((struct iv_hash_key){(uint64_t)step->attempt, 0}, step->key);
    return delay / 2 + (iv_ns)(hash % (uint64_t)(delay / 2 + 1));
}

static iv_rc start_execution(struct iv_store *store, struct iv_execution *e, iv_ns now, struct iv_err *err)
{
    if (e->state != IV_RUN_PLANNED) {
        return IV_OK;
    }
    e->state = IV_RUN_RUNNING;
    e->started = now;
    return iv_report_execution(store, e, now, err);
}

/* The caller may have read the row long ago: what others have made of it meanwhile stays. */
static iv_rc read_execution(struct iv_store *store, struct iv_task *task, struct iv_arena *arena,
                            struct iv_err *err)
{
    struct iv_task *all = NULL;
    size_t count = 0;
    TRY(iv_store_tasks(store, &all, &count, IV_TASKS_OF, task->step.execution, 0, 1, arena, err));
    ENSURE(count == 1, err, IV_E_STORE, "an execution is not in the store any more");
    task->execution = all[0].execution;
    return IV_OK;
}

iv_rc iv_move_to_calling(struct iv_store *store, struct iv_task *task, int64_t outbox, iv_ns now,
                         struct iv_err *err)
{
    struct iv_step *s = &task->step;
    TRY(start_execution(store, &task->execution, now, err));
    s->state = IV_STEP_CALLING;
    s->cause = IV_STR("");
    s->attempt++;
    s->outbox = outbox;
    s->due = outbox > 0 ? iv_ns_add(now, s->timeout) : s->due;
    s->started = s->started == 0 ? now : s->started;
    return iv_report_step(store, &task->execution, s, now, err);
}

iv_rc iv_move_approved(struct iv_store *store, struct iv_execution *e, struct iv_str cause, iv_ns now,
                       struct iv_arena *arena, struct iv_err *err)
{
    struct iv_task *all = NULL;
    size_t count = 0;
    TRY(iv_store_tasks(store, &all, &count, IV_TASKS_OF, e->key, 0, IV_EXECUTION_STEPS_MAX, arena, err));
    e->state = IV_RUN_PLANNED;
    e->cause = cause;
    e->admitted = now;
    TRY(iv_report_execution(store, e, now, err));
    struct iv_step *first = &all[0].step;
    first->state = IV_STEP_DUE;
    first->due = now;
    return iv_report_step(store, e, first, now, err);
}

/* Nothing of it was called, and nothing will be. */
static iv_rc never_begin(struct iv_store *store, struct iv_execution *e, enum iv_run_state state,
                         struct iv_str why, struct iv_str cause, iv_ns now, struct iv_arena *arena,
                         struct iv_err *err)
{
    struct iv_task *all = NULL;
    size_t count = 0;
    TRY(iv_store_tasks(store, &all, &count, IV_TASKS_OF, e->key, 0, IV_EXECUTION_STEPS_MAX, arena, err));
    for (size_t i = 0; i < count; i++) {
        bool due = all[i].step.state == IV_STEP_DUE;
        all[i].step.state = due ? IV_STEP_QUEUED : all[i].step.state;
    }
    TRY(iv_ladder_skip(store, e, all, count, why, now, err));
    return iv_ladder_finish(store, e, state, cause, now, err);
}

iv_rc iv_move_refused(struct iv_store *store, struct iv_execution *e, struct iv_str cause, iv_ns now,
                      struct iv_arena *arena, struct iv_err *err)
{
    return never_begin(store, e, IV_RUN_REFUSED, IV_STR("the execution was refused"), cause, now, arena, err);
}

iv_rc iv_move_superseded(struct iv_store *store, struct iv_execution *e, struct iv_str cause, iv_ns now,
                         struct iv_arena *arena, struct iv_err *err)
{
    return never_begin(store, e, IV_RUN_SUPERSEDED, IV_STR("the execution was superseded"), cause, now, arena,
                       err);
}

static void set_state(struct iv_step *s, const struct iv_outcome *o, iv_ns now)
{
    bool retry = o->kind == IV_OUTCOME_RETRY && s->attempt < s->attempts;
    if (retry) {
        iv_ns delay = iv_backoff(s);
        s->state = IV_STEP_DUE;
        s->due = iv_ns_add(now, delay > o->retry_after ? delay : o->retry_after);
        return;
    }
    /* That it is not there is said by the other side alone: where the streams are to show it, they decide. */
    bool done = o->kind == IV_OUTCOME_DONE || (o->kind == IV_OUTCOME_ABSENT && s->expectation.n > 0);
    s->state = done                                ? IV_STEP_DONE
               : o->kind == IV_OUTCOME_ABSENT      ? IV_STEP_ABSENT
               : o->kind == IV_OUTCOME_UNSUPPORTED ? IV_STEP_UNSUPPORTED
                                                   : IV_STEP_FAILED;
    s->finished = now;
    s->done = s->state == IV_STEP_DONE ? now : 0;
}

iv_rc iv_move_by_outcome(struct iv_store *store, struct iv_task *task, const struct iv_outcome *outcome,
                         iv_ns now, struct iv_arena *arena, struct iv_err *err)
{
    struct iv_step *s = &task->step;
    TRY(read_execution(store, task, arena, err));
    set_state(s, outcome, now);
    bool gives_up = outcome->kind == IV_OUTCOME_RETRY && s->state == IV_STEP_FAILED;
    s->cause = gives_up
                   ? iv_arena_printf(arena, "%s, after %lld attempts", outcome->cause, (long long)s->attempt)
                   : iv_arena_str(arena, iv_str_of(outcome->cause));
    ENSURE(s->cause.p != NULL, err, IV_E_NOMEM, "cannot allocate a cause");
    s->status = outcome->status;
    s->answer = outcome->answer;
    TRY(start_execution(store, &task->execution, now, err));
    TRY(iv_report_step(store, &task->execution, s, now, err));
    if (iv_step_awaits(s)) {
        return iv_ladder_rest(store, task, now, arena, err);
    }
    return iv_step_state_final(s->state) ? iv_ladder_follow(store, task, now, arena, err) : IV_OK;
}

iv_rc iv_move_overdue(struct iv_store *store, struct iv_task *task, iv_ns now, struct iv_arena *arena,
                      struct iv_err *err)
{
    struct iv_step *s = &task->step;
    struct iv_outcome outcome = {.kind = IV_OUTCOME_RETRY, .answer = IV_STR("")};
    IV_AUTO(iv_buf_deinit) struct iv_buf length;
    iv_buf_init(&length, 64);
    iv_duration_format(&length, iv_instant_of_ns(s->timeout));
    TRY(iv_buf_check(&length, "a length", err));
    (void)snprintf(outcome.cause, sizeof outcome.cause, "the broker has not taken it within %.*s",
                   (int)length.n, length.p);
    if (s->attempt >= s->attempts) {
        TRY(iv_store_withdraw(store, s->outbox, err));
        return iv_move_by_outcome(store, task, &outcome, now, arena, err);
    }
    s->due = iv_ns_add(now, iv_ns_add(iv_backoff(s), s->timeout));
    s->attempt++;
    s->cause = iv_arena_str(arena, iv_str_of(outcome.cause));
    ENSURE(s->cause.p != NULL, err, IV_E_NOMEM, "cannot allocate a cause");
    return iv_report_step(store, &task->execution, s, now, err);
}

/* Where no record says that it went wrong, whatever follows from that waits for fresh streams: what could not
 * be read, in an outage, is no reason to go further. */
static iv_rc rest_on_absence(struct iv_store *store, struct iv_task *task, const struct iv_proof *proof,
                             struct iv_err *err)
{
    if (proof->verdict == IV_PROOF_VERIFIED || proof->evidence.n > 0 || task->execution.absence) {
        return IV_OK;
    }
    task->execution.absence = true;
    return iv_store_order(store, &task->execution, err);
}

iv_rc iv_move_by_evidence(struct iv_store *store, struct iv_task *task, const struct iv_proof *proof,
                          iv_ns now, struct iv_arena *arena, struct iv_err *err)
{
    struct iv_step *s = &task->step;
    IV_CHECK(iv_step_awaits(s));
    TRY(read_execution(store, task, arena, err));
    s->state = proof->verdict == IV_PROOF_VERIFIED ? IV_STEP_VERIFIED
               : proof->verdict == IV_PROOF_FAILED ? IV_STEP_FAILED
                                                   : IV_STEP_AMBIGUOUS;
    s->cause = proof->cause;
    s->evidence = proof->evidence;
    s->finished = now;
    TRY(rest_on_absence(store, task, proof, err));
    TRY(iv_report_step(store, &task->execution, s, now, err));
    return iv_ladder_follow(store, task, now, arena, err);
}

iv_rc iv_move_withheld(struct iv_store *store, struct iv_task *task, struct iv_str cause, iv_ns now,
                       struct iv_arena *arena, struct iv_err *err)
{
    struct iv_step *s = &task->step;
    TRY(start_execution(store, &task->execution, now, err));
    s->state = IV_STEP_WITHHELD;
    s->cause = cause;
    s->started = now;
    s->finished = now;
    TRY(iv_report_step(store, &task->execution, s, now, err));
    return iv_ladder_follow(store, task, now, arena, err);
}

/* What was to follow it does not, now that it is taken back. */
static iv_rc leave_undecided(struct iv_store *store, struct iv_task *task, struct iv_task *all, size_t count,
                             iv_ns now, struct iv_err *err)
{
    const struct iv_str cause = IV_STR("an earlier step is taken back before it was decided");
    task->step.state = IV_STEP_AMBIGUOUS;
    task->step.finished = now;
    for (size_t i = 0; i < count; i++) {
        struct iv_step *later = &all[i].step;
        if (later->undoes == 0 && later->state == IV_STEP_QUEUED) {
            TRY(iv_ladder_skip(store, &all[i].execution, &all[i], 1, cause, now, err));
        }
    }
    return IV_OK;
}

/* undo is due now, and both rows say for whom: its own cause is that of its call before long. Why a step went
 * wrong stays with it. */
static iv_rc order_undo(struct iv_store *store, struct iv_task *task, struct iv_step *undo, bool wrong,
                        struct iv_str cause, iv_ns now, struct iv_arena *arena, struct iv_err *err)
{
    if (!wrong || !iv_step_was_taken_back(&task->step)) {
        task->step.cause = wrong ? iv_arena_printf(arena, IV_STR_FMT IV_CAUSE_BEHIND IV_STR_FMT,
                                                   IV_STR_ARG(task->step.cause), IV_STR_ARG(cause))
                                 : cause;
        ENSURE(task->step.cause.p != NULL, err, IV_E_NOMEM, "cannot allocate a cause");
        TRY(iv_report_step(store, &task->execution, &task->step, now, err));
    }
    undo->state = IV_STEP_DUE;
    undo->due = now;
    undo->cause = cause;
    return iv_report_step(store, &task->execution, undo, now, err);
}

iv_rc iv_move_undo(struct iv_store *store, size_t *moved, const struct iv_undo_order *order, iv_ns now,
                   struct iv_arena *arena, struct iv_err *err)
{
    struct iv_task *all = NULL;
    size_t count = 0;
    *moved = 0;
    struct iv_str cause =
        iv_arena_printf(arena, IV_CAUSE_TAKEN_BACK IV_STR_FMT "%s" IV_STR_FMT, IV_STR_ARG(order->who),
                        order->reason.n == 0 ? "" : ": ", IV_STR_ARG(order->reason));
    ENSURE(cause.p != NULL, err, IV_E_NOMEM, "cannot allocate a cause");
    TRY(iv_store_tasks(store, &all, &count, IV_TASKS_OF, order->execution, 0, IV_EXECUTION_STEPS_MAX, arena,
                       err));
    for (size_t i = 0; i < count; i++) {
        struct iv_step *undo = &all[i].step;
        if (undo->undoes == 0 || (size_t)undo->undoes > count) {
            continue;
        }
        struct iv_task *task = &all[undo->undoes - 1];
        bool wrong = task->step.state == IV_STEP_FAILED || task->step.state == IV_STEP_AMBIGUOUS;
        if (undo->state == IV_STEP_QUEUED && iv_step_awaits(&task->step)) {
            TRY(leave_undecided(store, task, all, count, now, err));
        } else if (undo->state != IV_STEP_DUE) {
            continue;
        }
        TRY(order_undo(store, task, undo, wrong, cause, now, arena, err));
        ++*moved;
    }
    return IV_OK;
}

iv_rc iv_move_interrupted(struct iv_store *store, struct iv_task *task, iv_ns now, struct iv_arena *arena,
                          struct iv_err *err)
{
    struct iv_step *s = &task->step;
    s->state = IV_STEP_DUE;
    s->due = now;
    s->cause = iv_arena_printf(arena, "the monitor stopped during attempt %lld: its outcome is not known",
                               (long long)s->attempt);
    ENSURE(s->cause.p != NULL, err, IV_E_NOMEM, "cannot allocate a cause");
    return iv_report_step(store, &task->execution, s, now, err);
}
