/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "base/digest.h"
#include "base/encode.h"
#include "base/guard.h"
#include "baseline/baseline.h"
#include "evidence/course.h"
#include "respond/approvers.h"
#include "respond/ladder.h"
#include "respond/moves.h"
#include "respond/playbook_internal.h"
#include "respond/ramp.h"
#include "respond/report.h"

#define PLAN_MAX_BYTES (16u << 20)
#define REQUEST_MAX_BYTES (512u << 10)   /* so that a command fits into a message */
#define ALIKE_WITHIN (600 * IV_NS_PER_S) /* of a playbook that is not there; others say so */
#define TARGET_MAX_BYTES (64u << 10)     /* several identifiers of 4 KiB each, and what stands between them */

struct plan {
    struct iv_arena arena;
    struct iv_digester *digester;
    const struct iv_playbook *playbook;
    bool observed; /* all playbooks are */
    struct iv_execution execution;
    struct iv_step steps[IV_EXECUTION_STEPS_MAX];
    size_t count;
    struct iv_bindings bindings;
    const struct iv_baseline *baseline;
};

static void plan_deinit(struct plan *p)
{
    iv_arena_deinit(&p->arena);
    iv_digester_free(p->digester);
}

/* SHA-256 over the parts, each ended by a NUL, which no name holds: the same on every run and after every
 * restart. */
static iv_rc make_key(struct plan *p, struct iv_str *out, const struct iv_str *parts, size_t count,
                      struct iv_err *err)
{
    struct iv_digest digest;
    iv_digest_begin(p->digester, IV_SHA256);
    for (size_t i = 0; i < count; i++) {
        iv_digest_update(p->digester, parts[i]);
        iv_digest_update(p->digester, (struct iv_str){"", 1});
    }
    iv_digest_end(p->digester, &digest);
    IV_AUTO(iv_buf_deinit) struct iv_buf hex;
    iv_buf_init(&hex, IV_UID_HEX);
    iv_hex_encode(&hex, (struct iv_str){(const char *)digest.bytes, digest.n});
    *out = iv_arena_str(&p->arena, iv_buf_slice(&hex));
    TRY(iv_buf_check(&hex, "a key", err));
    ENSURE(out->p != NULL, err, IV_E_NOMEM, "cannot allocate a plan");
    return IV_OK;
}

static iv_rc begin(struct plan *p, const struct iv_finding *finding, const struct iv_verdict *verdict,
                   struct iv_str name, const struct iv_baseline *baseline, iv_ns now, struct iv_err *err)
{
    p->execution = (struct iv_execution){
        .finding = finding->uid,
        .playbook = name,
        .title = p->playbook == NULL ? name : p->playbook->title,
        .tactic = p->playbook == NULL ? IV_TACTIC_EVICT : p->playbook->tactic,
        .target = IV_STR(""),
        .rule = finding->rule,
        .severity = finding->severity,
        .tenant = finding->tenant,
        .agent = finding->agent,
        .observed = p->observed || (p->playbook != NULL && p->playbook->observed),
        .absence = verdict->rule != NULL && verdict->rule->form == IV_REQUIRE,
        .baseline = iv_str_of(baseline->digest_hex),
        .state = IV_RUN_PLANNED,
        .cause = IV_STR(""),
        .event_time = finding->time,
        .planned = now,
        .escalate_to =
            p->playbook == NULL || p->playbook->escalate_to.p == NULL ? IV_STR("") : p->playbook->escalate_to,
    };
    p->baseline = baseline;
    p->bindings = (struct iv_bindings){.finding = finding, .verdict = verdict, .execution = &p->execution};
    return make_key(p, &p->execution.key, (const struct iv_str[]){finding->uid, name}, 2, err);
}

static iv_rc keep(struct plan *p, struct iv_str *out, const struct iv_buf *text, struct iv_err *err)
{
    TRY(iv_buf_check(text, "a rendered text", err));
    *out = iv_arena_str(&p->arena, iv_buf_slice(text));
    ENSURE(out->p != NULL, err, IV_E_NOMEM, "cannot allocate a plan");
    return IV_OK;
}

/* The request, and the key that the other side knows it by. */
static iv_rc render_call(struct plan *p, struct iv_step *step, const struct iv_arguments *arguments,
                         struct iv_str undo, struct iv_err *err)
{
    const struct iv_str parts[] = {p->execution.finding, p->execution.playbook, step->name, undo};
    TRY(make_key(p, &step->key, parts, undo.n == 0 ? 3 : 4, err));
    p->bindings.step = step;
    IV_AUTO(iv_buf_deinit) struct iv_buf request;
    iv_buf_init(&request, REQUEST_MAX_BYTES);
    TRY(iv_arguments_render(&request, arguments, &p->bindings, err));
    TRY(keep(p, &step->request, &request, err));
    p->count++;
    return IV_OK;
}

static iv_rc render_expectation(struct plan *p, struct iv_step *step, const struct iv_expectation *expect,
                                struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf json;
    iv_buf_init(&json, REQUEST_MAX_BYTES);
    TRY(iv_expectation_render(&json, &step->within, expect, &p->bindings, p->baseline, err));
    return keep(p, &step->expectation, &json, err);
}

static iv_rc render_step(struct plan *p, const struct iv_playbook_step *source, struct iv_err *err)
{
    struct iv_step *step = &p->steps[p->count];
    *step = (struct iv_step){
        .execution = p->execution.key,
        .position = (int64_t)p->count,
        .name = source->name,
        .kind = iv_str_of(source->arguments.kind->name),
        .timeout = source->timeout,
        .attempts = source->attempts,
        .backoff = source->backoff,
        .backoff_max = source->backoff_max,
        .on_failure = source->on_failure,
        .only_escalated = source->only_escalated,
        .state = p->count == 0 ? IV_STEP_DUE : IV_STEP_QUEUED,
        .due = p->execution.planned,
    };
    if (source->expect != NULL) {
        TRY(render_expectation(p, step, source->expect, err));
    }
    return render_call(p, step, &source->arguments, IV_STR(""), err);
}

/* A step of its own, behind those of the playbook: rendered now, for its trigger is not kept. */
static iv_rc render_undo(struct plan *p, int64_t position, const struct iv_playbook_step *source,
                         struct iv_err *err)
{
    struct iv_step *step = &p->steps[p->count];
    *step = p->steps[position];
    step->position = (int64_t)p->count;
    step->kind = iv_str_of(source->undo.kind->name);
    step->on_failure = IV_ON_FAILURE_STOP;
    step->only_escalated = false;
    step->undoes = position + 1;
    step->expectation = IV_STR("");
    step->within = 0;
    step->undo_after = source->undo_after;
    step->state = IV_STEP_QUEUED;
    step->due = 0;
    return render_call(p, step, &source->undo, IV_STR("undo"), err);
}

static iv_rc render_text(struct plan *p, struct iv_str *out, const struct iv_template *template,
                         struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    iv_buf_init(&text, TARGET_MAX_BYTES);
    TRY(iv_template_text(&text, template, IV_RENDER_TEXT, &p->bindings, err));
    return keep(p, out, &text, err);
}

static iv_rc render(struct plan *p, struct iv_err *err)
{
    ENSURE(p->playbook != NULL, err, IV_E_ABSENT, "there is no playbook '" IV_STR_FMT "'",
           IV_STR_ARG(p->execution.playbook));
    TRY(render_text(p, &p->execution.target, &p->playbook->target, err));
    TRY(render_text(p, &p->execution.touched.agent, &p->playbook->touches.agent, err));
    TRY(render_text(p, &p->execution.touched.tenant, &p->playbook->touches.tenant, err));
    TRY(render_text(p, &p->execution.touched.enclave, &p->playbook->touches.enclave, err));
    for (size_t i = 0; i < p->playbook->step_count; i++) {
        TRY(render_step(p, &p->playbook->steps[i], err));
    }
    for (size_t i = 0; i < p->playbook->step_count; i++) {
        if (p->playbook->steps[i].undo.kind != NULL) {
            TRY(render_undo(p, (int64_t)i, &p->playbook->steps[i], err));
        }
    }
    return IV_OK;
}

static iv_rc fail(struct plan *p, const char *why, struct iv_err *err)
{
    p->count = 0;
    p->execution.state = IV_RUN_FAILED;
    p->execution.finished = p->execution.planned;
    p->execution.cause = iv_arena_str(&p->arena, iv_str_of(why));
    ENSURE(p->execution.cause.p != NULL, err, IV_E_NOMEM, "cannot allocate a plan");
    return IV_OK;
}

/* A finding that lacks what the playbook needs is no reason to stop: the execution is on record as failed,
 * and why. */
static iv_rc render_or_fail(struct plan *p, struct iv_err *err)
{
    struct iv_err why = {0};
    struct iv_rc_s rc = render(p, &why);
    if (iv_ok(rc)) {
        return IV_OK;
    }
    if (iv_code_class(rc.code) != IV_CLASS_REJECT) {
        return iv_err_set(err, rc.code, "%s", why.text);
    }
    return fail(p, why.text, err);
}

/* A hundred findings of one token are one revocation. */
static iv_rc join(struct plan *p, struct iv_store *store, enum iv_planned *out, iv_ns now, struct iv_err *err)
{
    static const enum iv_planned came_of[] = {[IV_JOIN_NOT] = IV_PLANNED_NEW,
                                              [IV_JOIN_KNOWN] = IV_PLANNED_NOT,
                                              [IV_JOIN_JOINED] = IV_PLANNED_JOINED};
    enum iv_join how = IV_JOIN_NOT;
    struct iv_execution host;
    iv_ns dedup = p->playbook == NULL ? 0 : p->playbook->dedup;
    TRY(iv_store_join(store, &how, &host, &p->execution, iv_ns_add(now, -dedup), &p->arena, err));
    *out = came_of[how];
    return how == IV_JOIN_JOINED ? iv_report_joined(store, &host, p->execution.finding, now, err) : IV_OK;
}

/* A hundred findings under one mistaken condition or template are one complaint, which is of no target. But
 * where another playbook takes over, each needs that. */
static iv_rc fold(struct plan *p, struct iv_store *store, enum iv_planned *out, iv_ns now, struct iv_err *err)
{
    bool is_known = false;
    iv_ns within = p->playbook == NULL ? ALIKE_WITHIN : p->playbook->dedup;
    if (p->execution.state != IV_RUN_FAILED || p->execution.escalate_to.n > 0) {
        return IV_OK;
    }
    p->execution.target = IV_STR("");
    TRY(iv_store_failed_alike(store, &is_known, &p->execution, iv_ns_add(now, -within), err));
    *out = is_known ? IV_PLANNED_NOT : IV_PLANNED_NEW;
    return IV_OK;
}

/* It stands as it would be called, until somebody lets it. */
static void wait_for_approval(struct plan *p, struct iv_str cause, iv_ns now)
{
    struct iv_execution *e = &p->execution;
    int64_t quorum = p->playbook->approval.quorum;
    e->state = IV_RUN_WAITING;
    e->quorum = quorum == 0 ? 1 : quorum;
    e->expires = iv_ns_add(now, p->playbook->approval.within);
    e->cause = cause;
    p->steps[0].state = IV_STEP_QUEUED;
}

/* Who would have to approve it is known from the beginning: a ramp may stop it later. */
static iv_rc take_turn(struct plan *p, struct iv_store *store, iv_ns now, struct iv_err *err)
{
    struct iv_execution *e = &p->execution;
    enum iv_ramp_word word = IV_RAMP_GO;
    char why[IV_RAMP_WHY_BYTES] = "";
    if (!e->observed) {
        e->ramp.start = p->playbook->limits.ramp_start;
        e->ramp.errors = p->playbook->limits.ramp_errors;
        TRY(iv_ramp_ask(&word, why, store, e, &p->playbook->limits, now, err));
    }
    struct iv_str cause = word == IV_RAMP_GO ? e->cause : iv_arena_str(&p->arena, iv_str_of(why));
    ENSURE(cause.p != NULL, err, IV_E_NOMEM, "cannot allocate a plan");
    e->ramp.start = word == IV_RAMP_QUEUE ? e->ramp.start : 0;
    if (word == IV_RAMP_STOP) {
        wait_for_approval(p, cause, now);
        return IV_OK;
    }
    e->admitted = now;
    e->cause = cause;
    p->steps[0].state = word == IV_RAMP_QUEUE ? IV_STEP_QUEUED : IV_STEP_DUE;
    return IV_OK;
}

/* What a guard holds back is kept as it would have been called, until somebody lets it. */
static iv_rc admit(struct plan *p, struct iv_store *store, iv_ns now, struct iv_err *err)
{
    struct iv_execution *e = &p->execution;
    char why[IV_HELD_BYTES];
    enum iv_held by_limit = IV_HELD_NOT;
    if (e->state != IV_RUN_PLANNED) {
        return IV_OK;
    }
    int64_t quorum = p->playbook->approval.quorum;
    e->approvers = p->playbook->approval.roles;
    TRY(iv_limits_decide(&p->playbook->limits, &by_limit, why, store, e, IV_MEASURE_ADMITTED, now, err));
    bool held =
        by_limit != IV_HELD_NOT ||
        (!e->observed && iv_limits_outlived(&p->playbook->limits, why, p->bindings.finding->made, now));
    if (!held && quorum == 0) {
        return take_turn(p, store, now, err);
    }
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    struct iv_str cause;
    iv_buf_init(&text, TARGET_MAX_BYTES);
    if (held) {
        iv_buf_text(&text, why);
    } else {
        const struct iv_consents needs = iv_consents_of(e->approvers, quorum);
        iv_buf_text(&text, "waits for ");
        iv_consents_write(&text, &needs);
    }
    TRY(keep(p, &cause, &text, err));
    wait_for_approval(p, cause, now);
    return IV_OK;
}

/* The rule is in force, and was when the finding was made, elsewhere perhaps. */
static bool calls_for_action(const struct iv_finding *f, const struct iv_verdict *v)
{
    return v->kind == IV_VIOLATED && v->rule->mode == IV_MODE_ENFORCE && f->mode == IV_MODE_ENFORCE &&
           v->waiver == NULL && !f->suppressed;
}

iv_rc iv_plan_one(enum iv_planned *out, const struct iv_plan_order *order, struct iv_store *store,
                  const struct iv_finding *finding, const struct iv_verdict *verdict,
                  const struct iv_baseline *baseline, iv_ns now, struct iv_err *err)
{
    IV_AUTO(plan_deinit) struct plan p = {.playbook = order->playbook, .observed = order->observed};
    *out = IV_PLANNED_NOT;
    iv_arena_init(&p.arena, PLAN_MAX_BYTES);
    TRY(iv_digester_new(&p.digester, err));
    TRY(begin(&p, finding, verdict, order->name, baseline, now, err));
    p.execution.cause = order->cause.p == NULL ? IV_STR("its finding calls for it") : order->cause;
    p.execution.absence = p.execution.absence || order->absence;
    TRY(order->undecided == NULL ? render_or_fail(&p, err) : fail(&p, order->undecided, err));
    if (order->undecided != NULL) {
        p.execution.escalate_to = IV_STR(""); /* nobody knows whether it was called for at all */
    }
    TRY(join(&p, store, out, now, err));
    if (*out == IV_PLANNED_NEW) {
        TRY(fold(&p, store, out, now, err));
    }
    if (*out != IV_PLANNED_NEW) {
        return IV_OK;
    }
    TRY(admit(&p, store, now, err));
    bool fresh = false;
    TRY(iv_store_plan(store, &fresh, &p.execution, p.steps, p.count, err));
    if (!fresh) {
        *out = IV_PLANNED_NOT;
        return IV_OK;
    }
    return iv_report(store, &p.execution, NULL, now, err);
}

/* Under another baseline than the playbooks were loaded for, its parameters are made for this once. */
static iv_rc hold(bool *out, const struct iv_playbooks *playbooks, const struct iv_occasions *on,
                  const struct iv_finding *finding, const struct iv_verdict *verdict,
                  const struct iv_baseline *baseline, struct iv_err *err)
{
    if (playbooks->baseline != baseline) {
        IV_AUTO(iv_params_freep) struct iv_params *params = NULL;
        return iv_occasions_hold(out, on, finding, verdict, baseline, &params, err);
    }
    (void)pthread_mutex_lock(&playbooks->params->lock);
    struct iv_rc_s rc = iv_occasions_hold(out, on, finding, verdict, baseline, &playbooks->params->made, err);
    (void)pthread_mutex_unlock(&playbooks->params->lock);
    return rc;
}

/* A condition that fails at this finding is no reason to stop either, nor to say nothing. */
static iv_rc is_occasion(bool *out, struct iv_err *why, const struct iv_playbooks *playbooks,
                         const struct iv_playbook *playbook, const struct iv_finding *finding,
                         const struct iv_verdict *verdict, const struct iv_baseline *baseline,
                         struct iv_err *err)
{
    struct iv_rc_s rc = hold(out, playbooks, &playbook->on, finding, verdict, baseline, why);
    if (rc.code == IV_E_EVAL) {
        *out = true;
        return IV_OK;
    }
    TRY(iv_ok(rc) ? IV_OK : iv_err_set(err, rc.code, "%s", why->text));
    why->text[0] = '\0'; /* another entry decided it */
    return IV_OK;
}

iv_rc iv_respond_plan(const struct iv_playbooks *playbooks, struct iv_store *store,
                      const struct iv_finding *finding, const struct iv_verdict *verdict,
                      const struct iv_baseline *baseline, iv_ns now, struct iv_err *err)
{
    struct iv_str named = verdict->rule->remediate;
    enum iv_planned came_of;
    if (!calls_for_action(finding, verdict)) {
        return IV_OK;
    }
    if (named.n > 0) {
        struct iv_plan_order order = {
            .playbook = iv_playbooks_find(playbooks, named), .name = named, .observed = playbooks->observed};
        TRY(iv_plan_one(&came_of, &order, store, finding, verdict, baseline, now, err));
    }
    for (size_t i = 0; i < playbooks->count; i++) {
        const struct iv_playbook *playbook = &playbooks->items[i];
        struct iv_err why = {.text = ""};
        bool holds = false;
        if (named.n > 0 && iv_str_eq(playbook->name, named)) {
            continue;
        }
        TRY(is_occasion(&holds, &why, playbooks, playbook, finding, verdict, baseline, err));
        struct iv_plan_order order = {.playbook = playbook,
                                      .name = playbook->name,
                                      .undecided = why.text[0] == '\0' ? NULL : why.text,
                                      .observed = playbooks->observed};
        if (holds) {
            TRY(iv_plan_one(&came_of, &order, store, finding, verdict, baseline, now, err));
        }
    }
    return IV_OK;
}

iv_rc iv_respond_unplannable(const struct iv_playbooks *playbooks, struct iv_store *store,
                             const struct iv_finding *finding, struct iv_str playbook, const char *why,
                             const struct iv_baseline *baseline, iv_ns now, struct iv_err *err)
{
    const struct iv_verdict verdict = {.kind = finding->kind};
    const struct iv_plan_order order = {.playbook = iv_playbooks_find(playbooks, playbook),
                                        .name = playbook,
                                        .undecided = why,
                                        .observed = playbooks->observed};
    enum iv_planned came_of;
    return iv_plan_one(&came_of, &order, store, finding, &verdict, baseline, now, err);
}
