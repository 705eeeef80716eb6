/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/ladder.h"

#include "base/arena.h"
#include "base/guard.h"
#include "evidence/course.h"
#include "respond/report.h"

static bool went_well(enum iv_step_state state)
{
    return state == IV_STEP_DONE || state == IV_STEP_VERIFIED || state == IV_STEP_ABSENT ||
           state == IV_STEP_WITHHELD || state == IV_STEP_UNDONE;
}

static bool went_wrong(enum iv_step_state state)
{
    return state == IV_STEP_FAILED || state == IV_STEP_UNSUPPORTED || state == IV_STEP_AMBIGUOUS;
}

static bool takes_back(const struct iv_step *step)
{
    return step->undoes > 0;
}

iv_rc iv_ladder_finish(struct iv_store *store, struct iv_execution *e, enum iv_run_state state,
                       struct iv_str cause, iv_ns now, struct iv_err *err)
{
    e->state = state;
    e->cause = cause;
    e->finished = now;
    e->awaits = false;
    return iv_report_execution(store, e, now, err);
}

static iv_rc skip(struct iv_store *store, const struct iv_execution *e, struct iv_step *step,
                  struct iv_str cause, iv_ns now, struct iv_err *err)
{
    step->state = IV_STEP_SKIPPED;
    step->cause = cause;
    step->finished = now;
    return iv_report_step(store, e, step, now, err);
}

iv_rc iv_ladder_skip(struct iv_store *store, const struct iv_execution *e, struct iv_task *all, size_t count,
                     struct iv_str cause, iv_ns now, struct iv_err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (all[i].step.state == IV_STEP_QUEUED) {
            TRY(skip(store, e, &all[i].step, cause, now, err));
        }
    }
    return IV_OK;
}

static iv_rc cause_of(struct iv_str *out, const char *before, const struct iv_step *step,
                      struct iv_arena *arena, struct iv_err *err)
{
    *out = iv_arena_printf(arena, "%sstep '" IV_STR_FMT "': " IV_STR_FMT, before, IV_STR_ARG(step->name),
                           IV_STR_ARG(step->cause));
    ENSURE(out->p != NULL, err, IV_E_NOMEM, "cannot allocate a cause");
    return IV_OK;
}

/* Of the playbook's own steps: the first that went wrong, that was not there, that is undone; the last that
 * was called, that is proven; how many went well, and how many of those on something; whether any was
 * withheld, or is not at its end; whether what went wrong was led on to an escalation, and whether any was.
 * Of those that take back: the first that went wrong, and whether any is not at its end. */
struct tally {
    const struct iv_step *wrong;
    const struct iv_step *last;
    const struct iv_step *kept;   /* what could not be taken back */
    const struct iv_step *absent; /* the first that was not there */
    const struct iv_step *proven; /* the last that is */
    const struct iv_step *undone; /* the first that is */
    size_t well;
    size_t acted; /* of those: on something */
    bool withheld;
    bool open;
    bool taking_back;
    bool made_up_for;
    bool escalated;
};

static bool is_open(const struct iv_step *step)
{
    return !iv_step_state_final(step->state) || iv_step_awaits(step);
}

/* What its proof was is not told any more once it is taken back: where it may have been a bad one that
 * nothing followed, it is taken for one. */
static bool may_have_failed(const struct iv_step *s)
{
    return went_wrong(s->state) || (s->state == IV_STEP_UNDONE && s->expectation.n > 0);
}

static void count_own(struct tally *t, const struct iv_step *s)
{
    bool called = s->state != IV_STEP_SKIPPED && s->state != IV_STEP_QUEUED;
    t->wrong = t->wrong == NULL && went_wrong(s->state) ? s : t->wrong;
    t->last = called ? s : t->last;
    t->well += went_well(s->state);
    t->acted += went_well(s->state) && s->state != IV_STEP_ABSENT;
    t->absent = t->absent == NULL && s->state == IV_STEP_ABSENT ? s : t->absent;
    t->proven = s->state == IV_STEP_VERIFIED ? s : t->proven;
    t->undone = t->undone == NULL && s->state == IV_STEP_UNDONE ? s : t->undone;
    t->made_up_for = t->made_up_for && (!may_have_failed(s) || s->on_failure != IV_ON_FAILURE_CONTINUE);
    t->escalated = t->escalated || (went_wrong(s->state) && s->on_failure == IV_ON_FAILURE_ESCALATE);
    t->withheld = t->withheld || s->state == IV_STEP_WITHHELD;
    t->open = t->open || is_open(s);
}

static struct tally tally_of(const struct iv_task *all, size_t count)
{
    struct tally t = {.wrong = NULL, .made_up_for = true};
    for (size_t i = 0; i < count; i++) {
        const struct iv_step *s = &all[i].step;
        if (takes_back(s)) {
            t.kept = t.kept == NULL && went_wrong(s->state) ? s : t.kept;
            t.taking_back = t.taking_back || is_open(s);
        } else {
            count_own(&t, s);
        }
    }
    return t;
}

/* Something was acted on, and what went wrong, if anything, stopped nothing. */
static struct iv_ladder_end well_end(const struct tally *t)
{
    enum iv_run_state state = t->proven != NULL && t->made_up_for ? IV_RUN_VERIFIED : IV_RUN_DONE;
    if (t->wrong != NULL) {
        return (struct iv_ladder_end){state, IV_CAUSE_IN_SPITE, t->wrong};
    }
    if (state == IV_RUN_VERIFIED) {
        return (struct iv_ladder_end){state, "", t->proven};
    }
    return t->absent != NULL ? (struct iv_ladder_end){state, "all that was there was acted on; ", t->absent}
                             : (struct iv_ladder_end){state, "every call was accepted", NULL};
}

/* Of the playbook's own steps alone. */
static struct iv_ladder_end own_end(const struct tally *t)
{
    const struct iv_step *last = t->last;
    bool in_vain = last != NULL && went_wrong(last->state) && last->on_failure != IV_ON_FAILURE_CONTINUE;
    if (in_vain || (t->wrong != NULL && t->well == 0)) {
        const struct iv_step *why = in_vain ? last : t->wrong;
        bool unknown = why->state == IV_STEP_AMBIGUOUS;
        return (struct iv_ladder_end){unknown ? IV_RUN_AMBIGUOUS : IV_RUN_FAILED, "", why};
    }
    if (t->withheld) {
        return (struct iv_ladder_end){IV_RUN_WITHHELD, "nothing was called: its calls are only observed",
                                      NULL};
    }
    if (t->acted == 0 && t->absent != NULL) {
        return (struct iv_ladder_end){IV_RUN_DONE, IV_CAUSE_NOTHING_THERE, t->absent};
    }
    return well_end(t);
}

struct iv_ladder_end iv_ladder_end(enum iv_run_state now, const struct iv_task *all, size_t count)
{
    const struct tally t = tally_of(all, count);
    const struct iv_ladder_end as_it_is = {now, "", NULL};
    if (now == IV_RUN_FAILED || now == IV_RUN_AMBIGUOUS) {
        return as_it_is;
    }
    if (t.kept != NULL) {
        return (struct iv_ladder_end){IV_RUN_FAILED, "it could not be taken back: ", t.kept};
    }
    if (t.open) {
        return as_it_is;
    }
    struct iv_ladder_end own = own_end(&t);
    if (own.state == IV_RUN_FAILED || own.state == IV_RUN_AMBIGUOUS || t.undone == NULL) {
        return own;
    }
    if (!t.taking_back) {
        return (struct iv_ladder_end){IV_RUN_UNDONE, "", t.undone};
    }
    return now == IV_RUN_VERIFIED ? as_it_is : own; /* some of it is taken back */
}

static bool awaits_any(const struct iv_task *all, size_t count)
{
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        any = any || iv_step_awaits(&all[i].step);
    }
    return any;
}

/* Writes down what the rows come to by now, where it is anything else. */
static iv_rc end(struct iv_store *store, struct iv_execution *e, const struct iv_task *all, size_t count,
                 iv_ns now, struct iv_arena *arena, struct iv_err *err)
{
    const struct iv_ladder_end end = iv_ladder_end(e->state, all, count);
    struct iv_str cause = iv_str_of(end.before);
    if (end.step != NULL) {
        TRY(cause_of(&cause, end.before, end.step, arena, err));
    }
    if (end.step != NULL && takes_back(end.step) && e->escalate_to.n > 0) {
        e->escalate_to = IV_STR(""); /* what cannot be taken back is no reason for more of it */
        TRY(iv_store_order(store, e, err));
    }
    bool says_more = cause.n > 0 && !iv_str_eq(cause, e->cause);
    bool decided = e->awaits && !awaits_any(all, count);
    if (end.state == e->state && !says_more) {
        e->awaits = e->awaits && !decided;
        return decided ? iv_store_move_execution(store, e, err) : IV_OK;
    }
    return iv_ladder_finish(store, e, end.state, cause, now, err);
}

/* Why a queued step is passed over on the way on from last; p NULL: it is the next. */
static struct iv_str why_not(const struct iv_step *step, const struct iv_step *last, const struct tally *t)
{
    bool escalates = went_wrong(last->state) && last->on_failure == IV_ON_FAILURE_ESCALATE;
    if (went_wrong(last->state) && last->on_failure == IV_ON_FAILURE_STOP) {
        return IV_STR("an earlier step did not succeed");
    }
    if (escalates && !step->only_escalated) {
        return IV_STR("an earlier step did not succeed, and what follows is an escalation");
    }
    if (step->only_escalated && !t->escalated) {
        return IV_STR("nothing before it that escalates went wrong");
    }
    return (struct iv_str){NULL, 0};
}

/* It was done as far as anybody knew. */
static iv_rc run_again(struct iv_store *store, struct iv_execution *e, iv_ns now, struct iv_err *err)
{
    if (e->state != IV_RUN_DONE) {
        return IV_OK;
    }
    e->state = IV_RUN_RUNNING;
    e->finished = 0;
    e->awaits = false;
    return iv_report_execution(store, e, now, err);
}

/* The next one is due, or none is left. */
static iv_rc go_on(struct iv_store *store, struct iv_execution *e, const struct iv_step *last,
                   struct iv_task *all, size_t count, iv_ns now, struct iv_err *err)
{
    const struct tally t = tally_of(all, count);
    for (size_t i = 0; i < count; i++) {
        struct iv_step *step = &all[i].step;
        if (takes_back(step) || step->state != IV_STEP_QUEUED) {
            continue;
        }
        struct iv_str why = why_not(step, last, &t);
        if (why.p != NULL) {
            TRY(skip(store, e, step, why, now, err));
            continue;
        }
        TRY(run_again(store, e, now, err));
        step->state = IV_STEP_DUE;
        step->due = now;
        return iv_report_step(store, e, step, now, err);
    }
    return IV_OK;
}

/* It was called, and whether that had its effect nobody knows, for it is not called again (withdraw_step). */
static bool may_stand(const struct iv_step *step)
{
    return step->state == IV_STEP_AMBIGUOUS && step->done == 0;
}

/* What takes steps back: due after its time where there is something to take back, or may be, else skipped.
 */
static iv_rc settle_undo(struct iv_store *store, const struct iv_execution *e, struct iv_task *all,
                         size_t count, iv_ns now, struct iv_err *err)
{
    for (size_t i = 0; i < count; i++) {
        struct iv_step *undo = &all[i].step;
        if (!takes_back(undo) || undo->state != IV_STEP_QUEUED || (size_t)undo->undoes > count) {
            continue;
        }
        const struct iv_step *step = &all[undo->undoes - 1].step;
        bool done = step->done > 0 && !iv_step_awaits(step); /* whatever its effect was */
        if (done || may_stand(step)) {
            undo->state = IV_STEP_DUE;
            undo->due = iv_ns_add(done ? step->done : step->finished, undo->undo_after);
            TRY(iv_store_hold_undo(store, e, undo, err));
            TRY(iv_report_step(store, e, undo, now, err));
        } else if (iv_step_state_final(step->state)) {
            TRY(skip(store, e, undo, IV_STR("there is nothing to take back"), now, err));
        }
    }
    return IV_OK;
}

/* What it took back is not there any more. */
static iv_rc take_back(struct iv_store *store, const struct iv_execution *e, const struct iv_step *undo,
                       struct iv_task *all, size_t count, iv_ns now, struct iv_err *err)
{
    ENSURE((size_t)undo->undoes <= count, err, IV_E_STORE, "a step in the store undoes none");
    struct iv_step *step = &all[undo->undoes - 1].step;
    if (went_wrong(undo->state)) {
        return IV_OK;
    }
    step->state = IV_STEP_UNDONE;
    step->cause = iv_step_was_taken_back(step) ? step->cause : IV_STR("taken back, for its time had come");
    step->finished = now;
    return iv_report_step(store, e, step, now, err);
}

iv_rc iv_ladder_rest(struct iv_store *store, struct iv_task *task, iv_ns now, struct iv_arena *arena,
                     struct iv_err *err)
{
    struct iv_task *all = NULL;
    size_t count = 0;
    TRY(iv_store_tasks(store, &all, &count, IV_TASKS_OF, task->execution.key, 0, IV_EXECUTION_STEPS_MAX,
                       arena, err));
    for (size_t i = 0; i < count; i++) {
        const struct iv_step *step = &all[i].step;
        if (!takes_back(step) && step->state == IV_STEP_QUEUED && !step->only_escalated) {
            return IV_OK;
        }
    }
    if (task->execution.state != IV_RUN_RUNNING) {
        return IV_OK; /* it rests already, or what it did before could not be taken back */
    }
    struct iv_execution *e = &task->execution;
    e->state = IV_RUN_DONE;
    e->cause = IV_STR("every call so far was accepted; what the streams show is not known yet");
    e->finished = now;
    e->awaits = true;
    return iv_report_execution(store, e, now, err);
}

iv_rc iv_ladder_follow(struct iv_store *store, struct iv_task *task, iv_ns now, struct iv_arena *arena,
                       struct iv_err *err)
{
    struct iv_task *all = NULL;
    size_t count = 0;
    struct iv_execution *e = &task->execution;
    TRY(iv_store_tasks(store, &all, &count, IV_TASKS_OF, e->key, 0, IV_EXECUTION_STEPS_MAX, arena, err));
    if (takes_back(&task->step)) {
        TRY(take_back(store, e, &task->step, all, count, now, err));
    } else {
        TRY(go_on(store, e, &task->step, all, count, now, err));
    }
    TRY(settle_undo(store, e, all, count, now, err));
    return end(store, e, all, count, now, arena, err);
}

static bool has_undo(const struct iv_step *step, const struct iv_task *all, size_t count)
{
    bool has = false;
    for (size_t i = 0; i < count; i++) {
        has = has || all[i].step.undoes == step->position + 1;
    }
    return has;
}

/* Why it is not called; what is known of attempts before is kept, for they may have had their effect. Where
 * that could be taken back it is taken for had. */
static iv_rc withdraw_step(struct iv_store *store, const struct iv_execution *e, struct iv_step *step,
                           const struct iv_task *all, size_t count, const char *why, iv_ns now,
                           struct iv_arena *arena, struct iv_err *err)
{
    bool tried = step->attempt > 0;
    struct iv_str cause =
        tried ? iv_arena_printf(arena, "%s; before that: " IV_STR_FMT, why, IV_STR_ARG(step->cause))
              : iv_str_of(why);
    ENSURE(cause.p != NULL, err, IV_E_NOMEM, "cannot allocate a cause");
    if (!tried || !has_undo(step, all, count)) {
        return skip(store, e, step, cause, now, err);
    }
    step->state = IV_STEP_AMBIGUOUS;
    step->cause = cause;
    step->finished = now;
    return iv_report_step(store, e, step, now, err);
}

static iv_rc end_withdrawn(struct iv_store *store, struct iv_execution *e, const struct iv_step *step,
                           const struct iv_task *all, size_t count, const char *why, iv_ns now,
                           struct iv_arena *arena, struct iv_err *err)
{
    const struct tally t = tally_of(all, count);
    const struct iv_ladder_end end = iv_ladder_end(e->state, all, count);
    bool well = end.state == IV_RUN_DONE && end.step == NULL; /* of which not all was called, now */
    struct iv_str before = end.state == e->state ? e->cause : well ? IV_STR("") : iv_str_of(end.before);
    if (t.last == NULL) {
        return iv_ladder_finish(store, e, IV_RUN_REFUSED, step->cause, now, err);
    }
    if (end.step != NULL) {
        TRY(cause_of(&before, end.before, end.step, arena, err));
    }
    struct iv_str cause = iv_arena_printf(arena, IV_STR_FMT "%swhat was to follow is not called: %s",
                                          IV_STR_ARG(before), before.n == 0 ? "" : "; ", why);
    ENSURE(cause.p != NULL, err, IV_E_NOMEM, "cannot allocate a cause");
    return iv_ladder_finish(store, e, end.state, cause, now, err);
}

iv_rc iv_ladder_withdraw(struct iv_store *store, struct iv_task *task, const char *why, iv_ns now,
                         struct iv_arena *arena, struct iv_err *err)
{
    struct iv_task *all = NULL;
    size_t count = 0;
    struct iv_execution *e = &task->execution;
    TRY(iv_store_tasks(store, &all, &count, IV_TASKS_OF, e->key, 0, IV_EXECUTION_STEPS_MAX, arena, err));
    TRY(withdraw_step(store, e, &task->step, all, count, why, now, arena, err));
    for (size_t i = 0; i < count; i++) {
        struct iv_step *step = &all[i].step;
        if (step->position == task->step.position) {
            *step = task->step;
        } else if (!takes_back(step) && step->state == IV_STEP_QUEUED) {
            TRY(skip(store, e, step, iv_str_of(why), now, err));
        }
    }
    TRY(settle_undo(store, e, all, count, now, err));
    return end_withdrawn(store, e, &task->step, all, count, why, now, arena, err);
}
