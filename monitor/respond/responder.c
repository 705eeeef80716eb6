/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/responder.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/fault.h"
#include "base/guard.h"
#include "event/catalogue.h"
#include "event/decode.h"
#include "evidence/admitted.h"
#include "evidence/store.h"
#include "respond/approval.h"
#include "respond/breaker.h"
#include "respond/carriers.h"
#include "respond/escalate.h"
#include "respond/halt.h"
#include "respond/moves.h"
#include "respond/ramp.h"
#include "respond/report.h"

#include <pthread.h>
#include <string.h>

#define IN_FLIGHT_DEFAULT 32
#define IN_FLIGHT_MAX 1024
#define CALL_MAX_BYTES (8u << 20)
#define RECOVER_AT_ONCE 256
#define STALE_WAIT IV_NS_PER_S

struct iv_responder {
    struct iv_responder_options options;
    struct iv_arena arena; /* the endpoints */
    struct iv_endpoint *endpoints;
    struct iv_catalogue *catalogue; /* for the decoder, which reads stored requests */
    struct iv_decoder *decoder;
    struct iv_carriers *carriers;
    struct iv_call **calls;
    size_t call_count;
    size_t call_max;
    pthread_mutex_t lock;
    struct iv_government government; /* under lock */
    struct iv_breaker *breakers;     /* of the endpoints */
    bool paused;                     /* as of the last look */
    bool more;                       /* delivered messages were left for the next turn */
    struct iv_responder_stats stats;
};

static void call_free(struct iv_call *call)
{
    if (call != NULL) {
        iv_arena_deinit(&call->arena);
        iv_free(call);
    }
}

static iv_rc call_new(struct iv_call **out, iv_ns now, struct iv_err *err)
{
    struct iv_call *call = iv_calloc(1, sizeof *call);
    ENSURE(call != NULL, err, IV_E_NOMEM, "cannot allocate a call");
    iv_arena_init(&call->arena, CALL_MAX_BYTES);
    call->now = now;
    *out = call;
    return IV_OK;
}

static const struct iv_action_kind *kind_of(const struct iv_call *call)
{
    return iv_action_kind(call->task.step.kind);
}

static iv_rc copy_endpoints(struct iv_responder *r, struct iv_err *err)
{
    size_t count = r->options.endpoint_count;
    r->endpoints = iv_arena_zalloc(&r->arena, (count + 1) * sizeof *r->endpoints);
    r->breakers = iv_arena_zalloc(&r->arena, (count + 1) * sizeof *r->breakers);
    ENSURE(r->endpoints != NULL && r->breakers != NULL, err, IV_E_NOMEM, "cannot allocate endpoints");
    for (size_t i = 0; i < count; i++) {
        TRY(iv_endpoint_check(&r->options.endpoints[i], err));
        TRY(iv_endpoint_copy(&r->endpoints[i], &r->options.endpoints[i], &r->arena, err));
    }
    return IV_OK;
}

static iv_rc recover_some(struct iv_responder *r, bool *more, struct iv_arena *arena, struct iv_err *err)
{
    struct iv_task *tasks = NULL;
    size_t count = 0;
    iv_ns now = iv_wall(&r->options.clock);
    TRY(iv_store_tasks(r->options.store, &tasks, &count, IV_TASKS_CALLING, (struct iv_str){NULL, 0}, 0,
                       RECOVER_AT_ONCE, arena, err));
    for (size_t i = 0; i < count; i++) {
        TRY(iv_move_interrupted(r->options.store, &tasks[i], now, arena, err));
    }
    *more = count == RECOVER_AT_ONCE;
    return IV_OK;
}

/* Commits when the work inside went well and wrote something, else rolls back. */
static iv_rc end_transaction(struct iv_responder *r, struct iv_rc_s rc, bool wrote, struct iv_err *err)
{
    if (!iv_ok(rc) || !wrote) {
        iv_store_rollback(r->options.store);
        return rc;
    }
    TRY(iv_store_commit(r->options.store, err));
    if (r->options.committed != NULL) {
        r->options.committed(r->options.ctx);
    }
    return IV_OK;
}

static iv_rc recover(struct iv_responder *r, struct iv_err *err)
{
    bool more = true;
    while (more) {
        IV_AUTO(iv_arena_deinit) struct iv_arena arena;
        iv_arena_init(&arena, 0);
        TRY(iv_store_begin(r->options.store, err));
        struct iv_rc_s rc = recover_some(r, &more, &arena, err);
        TRY(end_transaction(r, rc, true, err));
    }
    return IV_OK;
}

iv_rc iv_responder_new(struct iv_responder **out, const struct iv_responder_options *options,
                       struct iv_err *err)
{
    size_t asked = options->in_flight == 0 ? IN_FLIGHT_DEFAULT : options->in_flight;
    IV_AUTO(iv_responder_freep) struct iv_responder *r = iv_calloc(1, sizeof *r);
    ENSURE(r != NULL, err, IV_E_NOMEM, "cannot allocate the responder");
    r->options = *options;
    r->call_max = asked < IN_FLIGHT_MAX ? asked : IN_FLIGHT_MAX;
    IV_CHECK(pthread_mutex_init(&r->lock, NULL) == 0);
    r->government = options->government;
    iv_arena_init(&r->arena, 0);
    TRY(copy_endpoints(r, err));
    r->calls = iv_calloc(r->call_max, sizeof(struct iv_call *));
    ENSURE(r->calls != NULL, err, IV_E_NOMEM, "cannot allocate the responder");
    TRY(iv_carriers_new(&r->carriers, r->options.hand, r->call_max, err));
    TRY(iv_catalogue_new(&r->catalogue, err));
    TRY(iv_catalogue_freeze(r->catalogue, err));
    struct iv_decode_limits limits = IV_DECODE_LIMITS_DEFAULT;
    limits.record_bytes = CALL_MAX_BYTES;
    TRY(iv_decoder_new(&r->decoder, r->catalogue, &limits, (struct iv_hash_key){0, 0}, err));
    TRY(recover(r, err));
    *out = TAKE(r);
    return IV_OK;
}

void iv_responder_free(struct iv_responder *r)
{
    if (r == NULL) {
        return;
    }
    for (size_t i = 0; i < r->call_count; i++) {
        if (!r->calls[i]->finished) {
            iv_carriers_abandon(r->carriers, r->calls[i], kind_of(r->calls[i]));
        }
        call_free(r->calls[i]);
    }
    for (size_t i = 0; r->endpoints != NULL && i < r->options.endpoint_count; i++) {
        iv_endpoint_wipe(&r->endpoints[i]);
    }
    iv_carriers_free(r->carriers);
    iv_free(r->calls);
    iv_decoder_free(r->decoder);
    iv_catalogue_free(r->catalogue);
    iv_arena_deinit(&r->arena);
    (void)pthread_mutex_destroy(&r->lock);
    iv_free(r);
}

void iv_responder_freep(struct iv_responder **responder)
{
    iv_responder_free(*responder);
}

static const struct iv_endpoint *endpoint_of(const struct iv_responder *r, struct iv_str name)
{
    for (size_t i = 0; i < r->options.endpoint_count; i++) {
        if (iv_str_eq(r->endpoints[i].name, name)) {
            return &r->endpoints[i];
        }
    }
    return NULL;
}

static void refuse(struct iv_call *call, enum iv_outcome_kind kind, struct iv_str text)
{
    call->finished = true;
    call->outcome = (struct iv_outcome){.kind = kind, .answer = IV_STR("")};
    size_t n = text.n < sizeof call->outcome.cause ? text.n : sizeof call->outcome.cause - 1;
    memcpy(call->outcome.cause, text.p, n);
}

/* Reads the stored request. What this process cannot carry out is finished here, as unsupported. */
static iv_rc prepare(struct iv_responder *r, struct iv_call *call, struct iv_err *err)
{
    const struct iv_step *step = &call->task.step;
    if (kind_of(call) == NULL) {
        struct iv_str text = iv_arena_printf(&call->arena, "there is no action of kind '" IV_STR_FMT "' here",
                                             IV_STR_ARG(step->kind));
        refuse(call, IV_OUTCOME_UNSUPPORTED, text);
        return IV_OK;
    }
    struct iv_err why = {0};
    struct iv_json_options options = {0};
    struct iv_rc_s rc =
        iv_json_parse(r->decoder, step->request, &options, &call->arena, &call->request, &why);
    if (rc.code == IV_E_NOMEM) {
        return iv_err_set(err, rc.code, "%s", why.text);
    }
    if (!iv_ok(rc)) {
        refuse(call, IV_OUTCOME_FAILED, iv_str_of(why.text));
        return IV_OK;
    }
    struct iv_str name = iv_request_text(&call->request, "endpoint");
    call->endpoint = name.p == NULL ? NULL : endpoint_of(r, name);
    if (name.p != NULL && call->endpoint == NULL) {
        struct iv_str text = iv_arena_printf(
            &call->arena, "the configuration has no endpoint '" IV_STR_FMT "'", IV_STR_ARG(name));
        refuse(call, IV_OUTCOME_UNSUPPORTED, text);
    }
    return IV_OK;
}

static iv_rc intend(struct iv_responder *r, struct iv_call *call, struct iv_err *err)
{
    const struct iv_action_kind *kind = kind_of(call);
    int64_t outbox = 0;
    if (kind->message != NULL) {
        struct iv_posting posting;
        TRY(kind->message(&posting, call, err));
        TRY(iv_store_post(r->options.store, &outbox, &posting, err));
    }
    return iv_move_to_calling(r->options.store, &call->task, outbox, call->now, err);
}

/* As far as the call, and no further. */
static iv_rc withhold(struct iv_responder *r, struct iv_call *call, struct iv_err *err)
{
    const struct iv_action_kind *kind = kind_of(call);
    struct iv_posting unsent;
    if (kind->message != NULL) {
        TRY(kind->message(&unsent, call, err));
    }
    call->finished = true;
    return iv_move_withheld(r->options.store, &call->task, call->now, &call->arena, err);
}

static struct iv_breaker *breaker_of(struct iv_responder *r, const struct iv_call *call)
{
    return call->endpoint == NULL ? NULL : &r->breakers[call->endpoint - r->endpoints];
}

/* The step stays due, for later; its attempts are not touched. */
static iv_rc postpone(struct iv_responder *r, struct iv_call *call, iv_ns until, struct iv_str cause,
                      struct iv_err *err)
{
    struct iv_step *s = &call->task.step;
    ENSURE(cause.p != NULL, err, IV_E_NOMEM, "cannot allocate a cause");
    bool told = iv_str_eq(s->cause, cause);
    s->due = until;
    s->cause = cause;
    call->finished = true;
    call->postponed = true;
    return told ? iv_store_move_step(r->options.store, s, err)
                : iv_report_step(r->options.store, &call->task.execution, s, call->now, err);
}

/* What is taken back was done before, and rests on nothing. */
static bool is_stale(const struct iv_responder *r, const struct iv_call *call, const char **why)
{
    bool rests_on_absence = call->task.execution.absence && call->task.step.undoes == 0;
    return rests_on_absence && r->options.fresh != NULL && !r->options.fresh(r->options.ctx, why);
}

/* Claims one due step. *call is NULL when there is none; it is finished when nothing has to be called. */
static iv_rc claim(struct iv_responder *r, struct iv_call **out, struct iv_err *err)
{
    struct iv_call *call = NULL;
    TRY(call_new(&call, iv_wall(&r->options.clock), err));
    *out = call;
    struct iv_task *task = NULL;
    size_t count = 0;
    TRY(iv_store_tasks(r->options.store, &task, &count, IV_TASKS_DUE, (struct iv_str){NULL, 0}, call->now, 1,
                       &call->arena, err));
    if (count == 0) {
        call_free(call);
        *out = NULL;
        return IV_OK;
    }
    call->task = *task;
    TRY(prepare(r, call, err));
    if (call->finished) {
        return iv_move_by_outcome(r->options.store, &call->task, &call->outcome, call->now, &call->arena,
                                  err);
    }
    if (r->options.dry_run || call->task.execution.observed) {
        return withhold(r, call, err);
    }
    const char *stale = NULL;
    if (is_stale(r, call, &stale)) {
        struct iv_str cause =
            iv_arena_printf(&call->arena, "it rests on what was not seen, and waits: %s", stale);
        return postpone(r, call, iv_ns_add(call->now, STALE_WAIT), cause, err);
    }
    struct iv_breaker *breaker = breaker_of(r, call);
    iv_ns until = 0;
    if (breaker != NULL && !iv_breaker_lets(breaker, call->now, &until)) {
        struct iv_str cause = iv_arena_printf(
            &call->arena, "the endpoint '" IV_STR_FMT "' does not answer: it is not called for now",
            IV_STR_ARG(call->endpoint->name));
        return postpone(r, call, until, cause, err);
    }
    return intend(r, call, err);
}

static void count_outcome(struct iv_responder *r, const struct iv_step *step)
{
    r->stats.done += step->state == IV_STEP_DONE;
    r->stats.failed += step->state == IV_STEP_FAILED;
    r->stats.unsupported += step->state == IV_STEP_UNSUPPORTED;
    r->stats.withheld += step->state == IV_STEP_WITHHELD;
    r->stats.retries += step->state == IV_STEP_DUE;
}

/* Messages that the broker has: their steps are done. Those that it will never take: failed. */
static iv_rc settle_delivered(struct iv_responder *r, bool *any, struct iv_err *err)
{
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    iv_arena_init(&arena, 0);
    struct iv_task *tasks = NULL;
    size_t count = 0;
    TRY(iv_store_tasks(r->options.store, &tasks, &count, IV_TASKS_DELIVERED, (struct iv_str){NULL, 0}, 0,
                       RECOVER_AT_ONCE, &arena, err));
    struct iv_outcome done = {.kind = IV_OUTCOME_DONE, .answer = IV_STR("")};
    struct iv_outcome refused = {.kind = IV_OUTCOME_FAILED,
                                 .answer = IV_STR(""),
                                 .cause = "the message is larger than the broker takes"};
    for (size_t i = 0; i < count; i++) {
        struct iv_outcome *outcome = tasks[i].step.outbox == IV_OUTBOX_REFUSED ? &refused : &done;
        TRY(iv_move_by_outcome(r->options.store, &tasks[i], outcome, iv_wall(&r->options.clock), &arena,
                               err));
        count_outcome(r, &tasks[i].step);
    }
    r->more = count == RECOVER_AT_ONCE;
    *any = count > 0;
    return IV_OK;
}

/* What nobody approved in time. */
static iv_rc expire(struct iv_responder *r, bool *any, struct iv_err *err)
{
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    iv_arena_init(&arena, 0);
    struct iv_execution *expired = NULL;
    size_t count = 0;
    iv_ns now = iv_wall(&r->options.clock);
    TRY(iv_store_expired(r->options.store, &expired, &count, now, RECOVER_AT_ONCE, &arena, err));
    for (size_t i = 0; i < count; i++) {
        struct iv_str cause =
            iv_arena_printf(&arena, "nobody approved it in time; " IV_STR_FMT, IV_STR_ARG(expired[i].cause));
        ENSURE(cause.p != NULL, err, IV_E_NOMEM, "cannot allocate a cause");
        TRY(iv_move_refused(r->options.store, &expired[i], cause, now, &arena, err));
    }
    *any = *any || count > 0;
    return IV_OK;
}

/* What approvers have said since. */
static iv_rc hear(struct iv_responder *r, bool *any, struct iv_err *err)
{
    struct iv_rc_s rc = IV_OK;
    (void)pthread_mutex_lock(&r->lock);
    if (r->government.keyring != NULL) {
        rc = iv_approvals_settle(any, r->options.store, r->government.keyring, iv_wall(&r->options.clock),
                                 err);
    }
    (void)pthread_mutex_unlock(&r->lock);
    return rc;
}

/* What failed, and what is to take over. */
static iv_rc escalate(struct iv_responder *r, bool *any, struct iv_err *err)
{
    struct iv_rc_s rc = IV_OK;
    (void)pthread_mutex_lock(&r->lock);
    if (r->government.playbooks != NULL && r->government.baseline != NULL) {
        struct iv_escalation escalation = {
            .playbooks = r->government.playbooks, .baseline = r->government.baseline, .decoder = r->decoder};
        rc = iv_escalate(&escalation, r->options.store, any, iv_wall(&r->options.clock), err);
    }
    (void)pthread_mutex_unlock(&r->lock);
    return rc;
}

static iv_rc look_for_halt(struct iv_responder *r, struct iv_err *err)
{
    TRY(iv_halt_holds(&r->paused, r->options.store, err));
    r->paused = r->paused || iv_halt_by_file(r->options.pause_file);
    return IV_OK;
}

static iv_rc claim_all(struct iv_responder *r, struct iv_call **claimed, size_t *count, bool *any,
                       struct iv_err *err)
{
    TRY(settle_delivered(r, any, err));
    TRY(hear(r, any, err));
    TRY(expire(r, any, err));
    TRY(escalate(r, any, err));
    TRY(look_for_halt(r, err));
    if (!r->paused) {
        TRY(iv_ramp_advance(r->options.store, any, iv_wall(&r->options.clock), err));
    }
    size_t room = r->paused ? 0 : r->call_max - r->call_count;
    while (*count < room) {
        struct iv_call *call = NULL;
        struct iv_rc_s rc = claim(r, &call, err);
        if (call != NULL) {
            claimed[(*count)++] = call;
        }
        if (!iv_ok(rc) || call == NULL) {
            return rc;
        }
    }
    return IV_OK;
}

/* The intent is on disk; now the call. */
static void start_call(struct iv_responder *r, struct iv_call *call)
{
    const struct iv_action_kind *kind = kind_of(call);
    if (call->finished || kind->message != NULL) {
        if (!call->postponed) {
            count_outcome(r, &call->task.step);
        }
        call_free(call);
        return;
    }
    r->stats.calls++;
    r->calls[r->call_count++] = call;
    iv_carriers_start(r->carriers, call, kind);
}

/* What was claimed was not written down: nobody calls it now. */
static void let_go(struct iv_responder *r, struct iv_call *call)
{
    struct iv_breaker *breaker = breaker_of(r, call);
    if (breaker != NULL && !call->finished) {
        iv_breaker_forget(breaker);
    }
    call_free(call);
}

static iv_rc begin_due(struct iv_responder *r, struct iv_err *err)
{
    struct iv_call *claimed[IN_FLIGHT_MAX];
    size_t count = 0;
    TRY(iv_store_begin(r->options.store, err));
    bool any = false;
    struct iv_rc_s rc = claim_all(r, claimed, &count, &any, err);
    rc = end_transaction(r, rc, any || count > 0, err);
    if (iv_ok(rc) && count > 0) {
        iv_fault("respond.before_call");
    }
    for (size_t i = 0; i < count; i++) {
        if (iv_ok(rc)) {
            start_call(r, claimed[i]);
        } else {
            let_go(r, claimed[i]);
        }
    }
    return rc;
}

static iv_rc write_outcomes(struct iv_responder *r, struct iv_err *err)
{
    for (size_t i = 0; i < r->call_count; i++) {
        struct iv_call *call = r->calls[i];
        if (call->finished) {
            struct iv_task task = call->task; /* the call keeps its own until the commit has succeeded */
            TRY(iv_move_by_outcome(r->options.store, &task, &call->outcome, iv_wall(&r->options.clock),
                                   &call->arena, err));
        }
    }
    return IV_OK;
}

static void drop_finished(struct iv_responder *r)
{
    size_t kept = 0;
    for (size_t i = 0; i < r->call_count; i++) {
        struct iv_call *call = r->calls[i];
        if (!call->finished) {
            r->calls[kept++] = call;
            continue;
        }
        struct iv_breaker *breaker = breaker_of(r, call);
        if (breaker != NULL) {
            const struct iv_outcome *o = &call->outcome;
            bool silent = o->kind == IV_OUTCOME_RETRY || (o->kind == IV_OUTCOME_FAILED && o->status == 0);
            iv_breaker_tell(breaker, silent, iv_wall(&r->options.clock));
        }
        bool again =
            call->outcome.kind == IV_OUTCOME_RETRY && call->task.step.attempt < call->task.step.attempts;
        r->stats.retries += again;
        bool done = call->outcome.kind == IV_OUTCOME_DONE || call->outcome.kind == IV_OUTCOME_ABSENT;
        r->stats.done += done;
        r->stats.failed += !done && !again;
        call_free(call);
    }
    r->call_count = kept;
}

static bool any_finished(const struct iv_responder *r)
{
    bool any = false;
    for (size_t i = 0; i < r->call_count; i++) {
        any = any || r->calls[i]->finished;
    }
    return any;
}

static iv_rc settle(struct iv_responder *r, struct iv_err *err)
{
    if (!any_finished(r)) {
        return IV_OK;
    }
    iv_fault("respond.before_outcome");
    TRY(iv_store_begin(r->options.store, err));
    TRY(end_transaction(r, write_outcomes(r, err), true, err));
    drop_finished(r);
    return IV_OK;
}

/* Not beyond the next step that is due. */
static iv_rc bounded_wait(struct iv_responder *r, iv_ns *wait, struct iv_err *err)
{
    iv_ns due = IV_NS_MAX;
    TRY(iv_store_begin(r->options.store, err));
    struct iv_rc_s rc = iv_store_next_due(r->options.store, &due, err);
    iv_store_rollback(r->options.store);
    TRY(rc);
    iv_ns now = iv_wall(&r->options.clock);
    if (r->more) {
        *wait = 0;
    } else if (!r->paused && r->call_count < r->call_max && due != IV_NS_MAX && due < iv_ns_add(now, *wait)) {
        *wait = due > now ? due - now : 0;
    }
    return IV_OK;
}

iv_rc iv_responder_turn(struct iv_responder *r, iv_ns wait, struct iv_err *err)
{
    if (r->call_count < r->call_max) {
        TRY(begin_due(r, err));
    }
    if (!any_finished(r)) {
        TRY(bounded_wait(r, &wait, err));
        TRY(iv_carriers_pump(r->carriers, wait, err));
    }
    return settle(r, err);
}

void iv_responder_wake(struct iv_responder *r)
{
    iv_carriers_wake(r->carriers);
}

void iv_responder_govern(struct iv_responder *r, const struct iv_government *government)
{
    (void)pthread_mutex_lock(&r->lock);
    r->government = *government;
    (void)pthread_mutex_unlock(&r->lock);
}

void iv_responder_endpoints(const struct iv_responder *r,
                            void (*visit)(void *ctx, struct iv_str name, bool open), void *ctx)
{
    for (size_t i = 0; i < r->options.endpoint_count; i++) {
        visit(ctx, r->endpoints[i].name, r->breakers[i].open);
    }
}

void iv_responder_stats(const struct iv_responder *r, struct iv_responder_stats *out)
{
    *out = r->stats;
    out->in_flight = r->call_count;
    out->paused = r->paused;
}
