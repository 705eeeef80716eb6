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

#include <stdio.h>

#define WIDTH_MAX (INT64_C(1) << 20)
#define AT_ONCE 64
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
    enum iv_held held = IV_HELD_NOT;
    bool behind = false;
    TRY(read_ends(&course, store, execution, now, err));
    TRY(iv_store_at_work_most(store, &course.at_work, execution->playbook,
                              iv_ramp_width(&course, execution->ramp.start), err));
    *out = iv_ramp_decide(&course, execution->ramp.start, execution->ramp.errors);
    explain(why, *out, &course, execution->ramp.start);
    if (*out != IV_RAMP_GO) {
        return IV_OK;
    }
    TRY(iv_store_queued(store, &behind, execution->playbook, err));
    if (behind) {
        (void)snprintf(why, IV_RAMP_WHY_BYTES, "guard ramp: others were there before; waits for its turn");
    } else {
        TRY(iv_limits_decide(limits, &held, why, store, execution, IV_MEASURE_BEGINNING, now, err));
    }
    *out = behind || held != IV_HELD_NOT ? IV_RAMP_QUEUE : IV_RAMP_GO;
    return IV_OK;
}

/* Those of a playbook that is there no more are held to what holds by default. NULL: to nothing. */
static const struct iv_limits *limits_of(const struct iv_playbooks *playbooks, const struct iv_execution *e)
{
    const struct iv_playbook *playbook = playbooks == NULL ? NULL : iv_playbooks_find(playbooks, e->playbook);
    return playbooks == NULL ? NULL : playbook == NULL ? &iv_limits_default : &playbook->limits;
}

static bool is_held_to_limits(const struct iv_execution *e)
{
    bool approved = e->quorum > 0; /* what needs none, or has not been held back, asks for no approvals */
    return !approved && !e->observed;
}

/* Its turn has come. */
static iv_rc let_begin(struct iv_store *store, struct iv_execution *e, iv_ns now, struct iv_arena *arena,
                       struct iv_err *err)
{
    struct iv_task *all = NULL;
    size_t count = 0;
    TRY(iv_store_tasks(store, &all, &count, IV_TASKS_OF, e->key, 0, IV_EXECUTION_STEPS_MAX, arena, err));
    ENSURE(count > 0, err, IV_E_STORE, "an execution in the store that waits for its turn has no steps");
    e->ramp.start = 0;
    e->cause = IV_STR("its turn has come");
    TRY(iv_store_order(store, e, err));
    TRY(iv_store_move_execution(store, e, err));
    struct iv_step *first = &all[0].step;
    first->state = IV_STEP_DUE;
    first->due = now;
    return iv_report_step(store, e, first, now, err);
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

/* It is refused where nothing calls for it any more, whatever else it waits for. */
static iv_rc refuse_fallen(bool *fell, struct iv_store *store, struct iv_execution *e,
                           const struct iv_baseline *baseline, iv_ns now, struct iv_arena *arena,
                           struct iv_err *err)
{
    struct iv_footing_word word;
    TRY(iv_footing_ask(&word, store, e, baseline, arena, err));
    *fell = word.why != NULL;
    if (!*fell) {
        return IV_OK;
    }
    e->ramp.start = 0;
    TRY(iv_store_order(store, e, err));
    return iv_move_refused(store, e, iv_str_of(word.why), now, arena, err);
}

/* A look at those of a playbook that wait, in their order. */
struct look {
    struct iv_store *store;
    const struct iv_government *government;
    const struct iv_limits *limits; /* NULL: none hold */
    struct iv_arena *arena;
    iv_ns now;
    bool *any;
    size_t room; /* so many may begin */
    size_t held; /* so many may not, though there is room; */
    bool told;   /* the first of them has said why; */
    bool full;   /* nor may any behind them */
};

/* The first of those that are held up says what by. */
static iv_rc tell_why(struct look *l, struct iv_execution *e, const char *why, struct iv_err *err)
{
    bool known = l->told || iv_str_eq(e->cause, iv_str_of(why));
    l->held++;
    l->told = true;
    if (known) {
        return IV_OK;
    }
    *l->any = true;
    e->cause = iv_str_of(why);
    return iv_report_execution(l->store, e, l->now, err);
}

static iv_rc look_at(struct look *l, struct iv_execution *e, struct iv_err *err)
{
    char why[IV_HELD_BYTES] = "";
    enum iv_held held = IV_HELD_NOT;
    bool fell = false;
    bool yields = false;
    TRY(refuse_fallen(&fell, l->store, e, l->government->baseline, l->now, l->arena, err));
    *l->any = *l->any || fell;
    if (fell) {
        return IV_OK;
    }
    TRY(iv_store_outranked(l->store, &yields, e, err));
    if (yields) {
        l->held++; /* its cause was told with it */
        return IV_OK;
    }
    if (l->limits != NULL && is_held_to_limits(e)) {
        TRY(iv_limits_decide(l->limits, &held, why, l->store, e, IV_MEASURE_BEGINNING, l->now, err));
    }
    l->full = held == IV_HELD_ALL;
    if (held == IV_HELD_ALL || held == IV_HELD_THIS) {
        return tell_why(l, e, why, err);
    }
    *l->any = true;
    if (held == IV_HELD_NEVER) {
        return hold_back(l->store, e, iv_str_of(why), l->now, err);
    }
    l->room--;
    return let_begin(l->store, e, l->now, l->arena, err);
}

/* *more: there were as many as were asked for. */
static iv_rc look_at_first(struct look *l, bool *more, struct iv_str playbook, size_t most,
                           struct iv_err *err)
{
    struct iv_execution *queue = NULL;
    size_t count = 0;
    l->held = 0;
    l->told = false;
    TRY(iv_store_course(l->store, &queue, &count, IV_COURSE_QUEUE, playbook, IV_STR(""), most, l->arena,
                        err));
    for (size_t i = 0; i < count && l->room > 0 && !l->full; i++) {
        TRY(look_at(l, &queue[i], err));
    }
    *more = count == most;
    return IV_OK;
}

/* Those that are held up are looked beyond, where there are any. */
static iv_rc let_those_begin(struct look *l, struct iv_str playbook, struct iv_err *err)
{
    bool more = false;
    TRY(look_at_first(l, &more, playbook, l->room, err));
    return more && l->held > 0 && l->room > 0 && !l->full
               ? look_at_first(l, &more, playbook, IV_RAMP_LOOK, err)
               : IV_OK;
}

static iv_rc stop_those(struct look *l, struct iv_str playbook, struct iv_str why, struct iv_err *err)
{
    struct iv_execution *queue = NULL;
    size_t count = 0;
    TRY(iv_store_course(l->store, &queue, &count, IV_COURSE_QUEUE, playbook, IV_STR(""), AT_ONCE, l->arena,
                        err));
    for (size_t i = 0; i < count; i++) {
        struct iv_execution *e = &queue[i];
        bool fell = false;
        *l->any = true;
        TRY(refuse_fallen(&fell, l->store, e, l->government->baseline, l->now, l->arena, err));
        if (!fell) {
            TRY(is_held_to_limits(e) ? hold_back(l->store, e, why, l->now, err)
                                     : let_begin(l->store, e, l->now, l->arena, err));
        }
    }
    return IV_OK;
}

/* first: the one that has waited longest, whose terms are those of its playbook. */
static iv_rc advance_one(struct look *l, const struct iv_execution *first, struct iv_err *err)
{
    struct iv_ramp_course course;
    char text[IV_RAMP_WHY_BYTES];
    TRY(read_ends(&course, l->store, first, l->now, err));
    TRY(iv_store_at_work(l->store, &course.at_work, first->playbook,
                         iv_ramp_width(&course, first->ramp.start), err));
    enum iv_ramp_word word = iv_ramp_decide(&course, first->ramp.start, first->ramp.errors);
    int64_t room = iv_ramp_width(&course, first->ramp.start) - course.at_work;
    if (word == IV_RAMP_GO) {
        l->room = room < AT_ONCE ? (size_t)room : AT_ONCE;
        l->limits = limits_of(l->government->playbooks, first);
        return let_those_begin(l, first->playbook, err);
    }
    explain(text, word, &course, first->ramp.start);
    return word == IV_RAMP_STOP ? stop_those(l, first->playbook, iv_str_of(text), err) : IV_OK;
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
        struct look look = {
            .store = store, .government = government, .arena = &arena, .now = now, .any = any};
        TRY(advance_one(&look, front, err));
    }
}

/* Back into the queue, or among those that wait for an approval. */
static iv_rc call_back(struct iv_store *store, struct iv_task *task, enum iv_held held, int64_t start,
                       const char *why, iv_ns now, struct iv_arena *arena, struct iv_err *err)
{
    struct iv_execution *e = &task->execution;
    struct iv_str cause = iv_arena_str(arena, iv_str_of(why));
    ENSURE(cause.p != NULL, err, IV_E_NOMEM, "cannot allocate a cause");
    task->step.state = IV_STEP_QUEUED;
    task->step.cause = IV_STR("");
    if (held == IV_HELD_NEVER) {
        TRY(hold_back(store, e, cause, now, err));
        return iv_report_step(store, e, &task->step, now, err);
    }
    e->ramp.start = start;
    e->cause = cause;
    TRY(iv_store_order(store, e, err));
    TRY(iv_report_execution(store, e, now, err));
    return iv_report_step(store, e, &task->step, now, err);
}

iv_rc iv_ramp_recall(bool *recalled, struct iv_store *store, const struct iv_playbooks *playbooks,
                     struct iv_task *task, iv_ns now, struct iv_arena *arena, struct iv_err *err)
{
    const struct iv_execution *e = &task->execution;
    const struct iv_limits *limits = limits_of(playbooks, e);
    enum iv_held held = IV_HELD_NOT;
    char why[IV_HELD_BYTES];
    bool yields = false;
    *recalled = false;
    if (e->state != IV_RUN_PLANNED || task->step.undoes > 0) {
        return IV_OK;
    }
    TRY(iv_store_outranked(store, &yields, e, err));
    if (yields) {
        (void)snprintf(why, sizeof why, "'" IV_STR_FMT "' is about to do it in its place",
                       IV_STR_ARG(e->escalate_to));
    } else if (limits != NULL && is_held_to_limits(e)) {
        TRY(iv_limits_decide(limits, &held, why, store, e, IV_MEASURE_BEGUN, now, err));
    }
    *recalled = yields || held != IV_HELD_NOT;
    limits = limits == NULL ? &iv_limits_default : limits;
    return *recalled ? call_back(store, task, held, limits->ramp_start, why, now, arena, err) : IV_OK;
}
