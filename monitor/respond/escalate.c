/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/escalate.h"

#include "base/arena.h"
#include "base/guard.h"
#include "baseline/baseline.h"
#include "evidence/course.h"
#include "evidence/told.h"
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
                           const struct iv_execution *e, struct iv_arena *arena, iv_ns now,
                           struct iv_err *err)
{
    struct iv_rc_s rc = iv_store_finding_text(store, &o->text, e->finding, err);
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
    o->rule = (struct iv_rule){.id = e->rule, .title = o->told.row.title, .severity = e->severity};
    o->told.verdict.rule = iv_baseline_rule(x->baseline, e->rule);
    o->told.verdict.rule = o->told.verdict.rule == NULL ? &o->rule : o->told.verdict.rule;
    return IV_OK;
}

static iv_rc take_over(const struct iv_escalation *x, struct iv_store *store, const struct iv_execution *e,
                       struct iv_arena *arena, iv_ns now, struct iv_err *err)
{
    IV_AUTO(occasion_deinit) struct occasion o = {.told = {.row = {.detected = now}}};
    iv_buf_init(&o.text, FINDING_MAX_BYTES);
    TRY(read_occasion(&o, x, store, e, arena, now, err));
    struct iv_str cause = iv_arena_printf(arena, "in the place of '" IV_STR_FMT "', which is %s",
                                          IV_STR_ARG(e->playbook), iv_run_state_name(e->state));
    ENSURE(cause.p != NULL, err, IV_E_NOMEM, "cannot allocate a cause");
    struct iv_plan_order order = {.playbook = iv_playbooks_find(x->playbooks, e->escalate_to),
                                  .name = e->escalate_to,
                                  .observed = x->playbooks->observed || e->observed,
                                  .absence = e->absence,
                                  .cause = cause};
    return iv_plan_one(&order, store, &o.told.row, &o.told.verdict, x->baseline, now, err);
}

/* The one that failed says what became of it, and is not looked at again. */
static iv_rc leave(struct iv_store *store, struct iv_execution *e, struct iv_arena *arena, iv_ns now,
                   struct iv_err *err)
{
    e->cause = iv_arena_printf(arena, IV_STR_FMT "%s'" IV_STR_FMT "' takes over", IV_STR_ARG(e->cause),
                               e->cause.n == 0 ? "" : "; ", IV_STR_ARG(e->escalate_to));
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
        TRY(take_over(x, store, &failed[i], &arena, now, err));
        TRY(leave(store, &failed[i], &arena, now, err));
    }
    return IV_OK;
}
