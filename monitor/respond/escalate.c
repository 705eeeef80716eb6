/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/escalate.h"

#include "base/arena.h"
#include "base/guard.h"
#include "baseline/baseline.h"
#include "evidence/course.h"
#include "evidence/told.h"
#include "respond/footing.h"
#include "respond/playbook_internal.h"
#include "respond/report.h"

#define AT_ONCE 32
#define FINDING_MAX_BYTES ((size_t)8 << 20)

/* What a playbook is planned for. rule: stands in for one that the baseline has no more. */
struct occasion {
    struct iv_buf text;
    struct iv_told_finding told;
    struct iv_rule rule;
};

static void occasion_deinit(struct occasion *o)
{
    iv_buf_deinit(&o->text);
}

/* The finding as it was told; of one that the store has no more, or cannot be read under this catalogue, what
 * the execution knows of it. */
static iv_rc read_occasion(struct occasion *o, const struct iv_escalation *x, struct iv_store *store,
                           const struct iv_execution *e, struct iv_str finding, struct iv_arena *arena,
                           iv_ns now, struct iv_err *err)
{
    struct iv_rc_s rc = iv_store_finding_text(store, &o->text, finding, err);
    rc = iv_ok(rc) ? iv_told_finding_read(&o->told, x->decoder, x->baseline->catalogue, arena,
                                          iv_buf_slice(&o->text), now, err)
                   : rc;
    if (rc.code == IV_E_ABSENT || rc.code == IV_E_MALFORMED) {
        const struct iv_event_type *type = iv_catalogue_unknown(x->baseline->catalogue);
        o->told = (struct iv_told_finding){.verdict = {.kind = IV_VIOLATED}};
        o->told.row = (struct iv_finding){.uid = e->finding,
                                          .rule = e->rule,
                                          .severity = e->severity,
                                          .tenant = e->tenant,
                                          .agent = e->agent,
                                          .time = e->event_time};
        o->told.verdict.trigger.type = type;
    } else {
        TRY(rc);
    }
    o->rule = (struct iv_rule){
        .id = o->told.row.rule, .title = o->told.row.title, .severity = o->told.row.severity};
    o->told.verdict.rule = iv_baseline_rule(x->baseline, o->told.row.rule);
    o->told.verdict.rule = o->told.verdict.rule == NULL ? &o->rule : o->told.verdict.rule;
    return IV_OK;
}

/* finding: of those that the one that failed answers, which may be another than it was planned for. */
static iv_rc plan(enum iv_planned *out, const struct iv_escalation *x, struct iv_store *store,
                  const struct iv_execution *e, struct iv_str finding, struct iv_arena *arena, iv_ns now,
                  struct iv_err *err)
{
    IV_AUTO(occasion_deinit) struct occasion o = {.told = {.row = {.detected = now}}};
    iv_buf_init(&o.text, FINDING_MAX_BYTES);
    TRY(read_occasion(&o, x, store, e, finding, arena, now, err));
    struct iv_str cause = iv_arena_printf(arena, "in the place of '" IV_STR_FMT "', which is %s",
                                          IV_STR_ARG(e->playbook), iv_run_state_name(e->state));
    ENSURE(cause.p != NULL, err, IV_E_NOMEM, "cannot allocate a cause");
    struct iv_plan_order order = {.playbook = iv_playbooks_find(x->playbooks, e->escalate_to),
                                  .name = e->escalate_to,
                                  .observed = x->playbooks->observed || e->observed,
                                  .absence = e->absence,
                                  .cause = cause};
    return iv_plan_one(out, &order, store, &o.told.row, &o.told.verdict, x->baseline, now, err);
}

/* *said: what became of it, to be read behind the other playbook's name. */
static iv_rc take_over(struct iv_str *said, const struct iv_escalation *x, struct iv_store *store,
                       const struct iv_execution *e, struct iv_arena *arena, iv_ns now, struct iv_err *err)
{
    static const char *const came_of[] = {
        [IV_PLANNED_NOT] = "has answered it already",
        [IV_PLANNED_JOINED] = "is at its target already",
        [IV_PLANNED_NEW] = "takes over",
    };
    struct iv_footing_word word;
    enum iv_planned out = IV_PLANNED_NOT;
    TRY(iv_footing_ask(&word, store, e, x->baseline, arena, err));
    if (word.why != NULL) {
        *said = iv_arena_printf(arena, "does not take over: %s", word.why);
        ENSURE(said->p != NULL, err, IV_E_NOMEM, "cannot allocate a cause");
        return IV_OK;
    }
    TRY(plan(&out, x, store, e, word.finding.p == NULL ? e->finding : word.finding, arena, now, err));
    *said = iv_str_of(came_of[out]);
    return IV_OK;
}

/* The one that failed says what became of it, and is not looked at again. */
static iv_rc leave(struct iv_store *store, struct iv_execution *e, struct iv_str said, struct iv_arena *arena,
                   iv_ns now, struct iv_err *err)
{
    e->cause = iv_arena_printf(arena, IV_STR_FMT "%s'" IV_STR_FMT "' " IV_STR_FMT, IV_STR_ARG(e->cause),
                               e->cause.n == 0 ? "" : "; ", IV_STR_ARG(e->escalate_to), IV_STR_ARG(said));
    ENSURE(e->cause.p != NULL, err, IV_E_NOMEM, "cannot allocate a cause");
    e->escalate_to = IV_STR("");
    TRY(iv_store_order(store, e, err));
    return iv_report_execution(store, e, now, err);
}

iv_rc iv_escalate(const struct iv_escalation *x, struct iv_store *store, bool *any, iv_ns now,
                  struct iv_err *err)
{
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    struct iv_execution *failed = NULL;
    size_t count = 0;
    iv_arena_init(&arena, 0);
    TRY(iv_store_course(store, &failed, &count, IV_COURSE_ESCALATING, IV_STR(""), IV_STR(""), AT_ONCE, &arena,
                        err));
    for (size_t i = 0; i < count; i++) {
        *any = true;
        struct iv_str said;
        TRY(take_over(&said, x, store, &failed[i], &arena, now, err));
        TRY(leave(store, &failed[i], said, &arena, now, err));
    }
    return IV_OK;
}
