/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/ramp.h"

#include "base/arena.h"
#include "base/guard.h"
#include "evidence/course.h"
#include "respond/footing.h"
#include "respond/ladder.h"
#include "respond/moves.h"
#include "respond/playbook_internal.h"
#include "respond/report.h"
#include "respond/responder.h"
#include "respond/supersede.h"

#include <stdio.h>

#define WIDTH_MAX (INT64_C(1) << 20)
#define BEGIN_AT_ONCE 64
#define WITHIN (24 * 3600 * IV_NS_PER_S) /* to approve what an error share has stopped */

int64_t iv_ramp_width(const struct iv_ramp_course *course, int64_t start)
{
    int64_t width = start;
    int64_t whole = 0;
    for (size_t i = 0; i < course->ends; i++) {
        whole = course->wrong[i] ? 0 : whole + 1;
        if (whole == width && width < WIDTH_MAX) {
            width *= 2;
            whole = 0;
        }
    }
    return width;
}

static int64_t count_wrong(const struct iv_ramp_course *course)
{
    int64_t wrong = 0;
    for (size_t i = 0; i < course->ends; i++) {
        wrong += course->wrong[i];
    }
    return wrong;
}

enum iv_ramp_word iv_ramp_decide(const struct iv_ramp_course *course, int64_t start, int64_t errors)
{
    int64_t wrong = count_wrong(course);
    if (wrong >= IV_RAMP_FAILURES && wrong * 1000 > errors * (int64_t)course->ends) {
        return IV_RAMP_STOP;
    }
    return course->at_work < iv_ramp_width(course, start) ? IV_RAMP_GO : IV_RAMP_QUEUE;
}

static iv_rc read_ends(struct iv_ramp_course *out, struct iv_store *store, const struct iv_execution *e,
                       iv_ns now, struct iv_err *err)
{
    return iv_store_ends(store, out->wrong, &out->ends, e->playbook, iv_ns_add(now, -IV_RAMP_WINDOW),
                         IV_RAMP_ENDS, err);
}

static void explain(char why[IV_RAMP_WHY_BYTES], enum iv_ramp_word word, const struct iv_ramp_course *course,
                    int64_t start)
{
    if (word == IV_RAMP_STOP) {
        (void)snprintf(why, IV_RAMP_WHY_BYTES,
                       "guard ramp: %lld of the last %zu executions went wrong; waits for an approval",
                       (long long)count_wrong(course), course->ends);
    } else {
        (void)snprintf(why, IV_RAMP_WHY_BYTES, "guard ramp: %lld at a time; waits for its turn",
                       (long long)iv_ramp_width(course, start));
    }
}

iv_rc iv_ramp_ask(enum iv_ramp_word *out, char why[IV_RAMP_WHY_BYTES], struct iv_store *store,
                  const struct iv_execution *execution, const struct iv_limits *limits, iv_ns now,
                  struct iv_err *err)
{
    struct iv_ramp_course course;
    bool held = false;
    TRY(read_ends(&course, store, execution, now, err));
    TRY(iv_store_at_work_most(store, &course.at_work, execution->playbook,
                              iv_ramp_width(&course, execution->ramp.start), err));
    *out = iv_ramp_decide(&course, execution->ramp.start, execution->ramp.errors);
    explain(why, *out, &course, execution->ramp.start);
    if (*out == IV_RAMP_GO) {
        TRY(iv_limits_decide(limits, &held, why, store, execution, IV_MEASURE_BEGINNING, now, err));
        *out = held ? IV_RAMP_QUEUE : *out;
    }
    return IV_OK;
}

/* Those of a playbook that is there no more are held to what holds by default. NULL: to nothing. */
static const struct iv_limits *limits_of(const struct iv_playbooks *playbooks, const struct iv_execution *e)
{
    const struct iv_playbook *playbook = playbooks == NULL ? NULL : iv_playbooks_find(playbooks, e->playbook);
    return playbooks == NULL ? NULL : playbook == NULL ? &iv_limits_default : &playbook->limits;
}

/* Its turn has come; it begins where anything still calls for it. */
static iv_rc let_begin(struct iv_store *store, struct iv_execution *e, const struct iv_baseline *baseline,
                       iv_ns now, struct iv_arena *arena, struct iv_err *err)
{
    struct iv_footing_word word;
    struct iv_task *all = NULL;
    size_t count = 0;
    TRY(iv_footing_ask(&word, store, e, baseline, arena, err));
    if (word.why != NULL) {
        e->ramp.start = 0;
        TRY(iv_store_order(store, e, err));
        return iv_move_refused(store, e, iv_str_of(word.why), now, arena, err);
    }
    TRY(iv_store_tasks(store, &all, &count, IV_TASKS_OF, e->key, 0, IV_EXECUTION_STEPS_MAX, arena, err));
    ENSURE(count > 0, err, IV_E_STORE, "an execution in the store that waits for its turn has no steps");
    e->ramp.start = 0;
    e->cause = IV_STR("");
    TRY(iv_store_order(store, e, err));
    TRY(iv_store_move_execution(store, e, err));
    struct iv_step *first = &all[0].step;
    first->state = IV_STEP_DUE;
    first->due = now;
    TRY(iv_report_step(store, e, first, now, err));
    return iv_supersede(store, e, now, arena, err);
}

static iv_rc hold_back(struct iv_store *store, struct iv_execution *e, struct iv_str why, iv_ns now,
                       struct iv_err *err)
{
    e->state = IV_RUN_WAITING;
    e->ramp.start = 0;
    e->quorum = e->quorum == 0 ? 1 : e->quorum;
    e->expires = iv_ns_add(now, WITHIN);
    e->cause = why;
    TRY(iv_store_order(store, e, err));
    return iv_report_execution(store, e, now, err);
}

/* The one whose turn is next says what it waits for. */
static iv_rc tell_why(struct iv_store *store, struct iv_execution *e, struct iv_str why, bool *any, iv_ns now,
                      struct iv_err *err)
{
    if (iv_str_eq(e->cause, why)) {
        return IV_OK;
    }
    *any = true;
    e->cause = why;
    return iv_report_execution(store, e, now, err);
}

static iv_rc let_those_begin(struct iv_store *store, struct iv_execution *queue, size_t count,
                             const struct iv_government *government, bool *any, iv_ns now,
                             struct iv_arena *arena, struct iv_err *err)
{
    const struct iv_limits *limits = count == 0 ? NULL : limits_of(government->playbooks, &queue[0]);
    for (size_t i = 0; i < count; i++) {
        char why[IV_HELD_BYTES];
        bool held = false;
        if (limits != NULL) {
            TRY(iv_limits_decide(limits, &held, why, store, &queue[i], IV_MEASURE_BEGINNING, now, err));
        }
        if (held) {
            return tell_why(store, &queue[i], iv_str_of(why), any, now, err);
        }
        *any = true;
        TRY(let_begin(store, &queue[i], government->baseline, now, arena, err));
    }
    return IV_OK;
}

/* first: the one that has waited longest, whose terms are those of its playbook. */
static iv_rc advance_one(struct iv_store *store, const struct iv_execution *first,
                         const struct iv_government *government, bool *any, iv_ns now, struct iv_arena *arena,
                         struct iv_err *err)
{
    struct iv_ramp_course course;
    struct iv_execution *queue = NULL;
    size_t count = 0;
    char text[IV_RAMP_WHY_BYTES];
    TRY(read_ends(&course, store, first, now, err));
    TRY(iv_store_at_work(store, &course.at_work, first->playbook, iv_ramp_width(&course, first->ramp.start),
                         err));
    enum iv_ramp_word word = iv_ramp_decide(&course, first->ramp.start, first->ramp.errors);
    if (word == IV_RAMP_QUEUE) {
        return IV_OK;
    }
    explain(text, word, &course, first->ramp.start);
    int64_t room = iv_ramp_width(&course, first->ramp.start) - course.at_work;
    size_t most = word == IV_RAMP_GO && room < BEGIN_AT_ONCE ? (size_t)room : BEGIN_AT_ONCE;
    TRY(iv_store_course(store, &queue, &count, IV_COURSE_QUEUE, first->playbook, IV_STR(""), most, arena,
                        err));
    if (word == IV_RAMP_GO) {
        return let_those_begin(store, queue, count, government, any, now, arena, err);
    }
    for (size_t i = 0; i < count; i++) {
        *any = true;
        TRY(hold_back(store, &queue[i], iv_str_of(text), now, err));
    }
    return IV_OK;
}

iv_rc iv_ramp_advance(struct iv_store *store, const struct iv_government *government, bool *any, iv_ns now,
                      struct iv_err *err)
{
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    struct iv_str before = IV_STR("");
    iv_arena_init(&arena, 0);
    for (;;) {
        struct iv_execution *front = NULL;
        size_t count = 0;
        TRY(iv_store_course(store, &front, &count, IV_COURSE_FRONT, before, IV_STR(""), 1, &arena, err));
        if (count == 0) {
            return IV_OK;
        }
        before = front->playbook;
        TRY(advance_one(store, front, government, any, now, &arena, err));
    }
}

static bool is_held_to_limits(const struct iv_task *task)
{
    const struct iv_execution *e = &task->execution;
    bool approved = e->quorum > 0; /* what needs none, or has not been held back, asks for no approvals */
    return e->state == IV_RUN_PLANNED && task->step.undoes == 0 && !approved && !e->observed;
}

iv_rc iv_ramp_recall(bool *recalled, struct iv_store *store, const struct iv_playbooks *playbooks,
                     struct iv_task *task, iv_ns now, struct iv_arena *arena, struct iv_err *err)
{
    struct iv_execution *e = &task->execution;
    const struct iv_limits *limits = limits_of(playbooks, e);
    char why[IV_HELD_BYTES];
    *recalled = false;
    if (limits == NULL || !is_held_to_limits(task)) {
        return IV_OK;
    }
    TRY(iv_limits_decide(limits, recalled, why, store, e, IV_MEASURE_BEGUN, now, err));
    if (!*recalled) {
        return IV_OK;
    }
    e->ramp.start = limits->ramp_start;
    e->cause = iv_arena_str(arena, iv_str_of(why));
    ENSURE(e->cause.p != NULL, err, IV_E_NOMEM, "cannot allocate a cause");
    task->step.state = IV_STEP_QUEUED;
    task->step.cause = IV_STR("");
    TRY(iv_store_order(store, e, err));
    TRY(iv_report_execution(store, e, now, err));
    return iv_report_step(store, e, &task->step, now, err);
}
