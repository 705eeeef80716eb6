/* SPDX-License-Identifier: Apache-2.0 */

#include "base/alloc.h"
#include "base/arena.h"
#include "base/fault.h"
#include "base/guard.h"
#include "event/catalogue.h"
#include "event/decode.h"
#include "evidence/admitted.h"
#include "evidence/clock_set.h"
#include "evidence/store.h"
#include "respond/approval.h"
#include "respond/breaker.h"
#include "respond/carriers.h"
#include "respond/escalate.h"
#include "respond/halt.h"
#include "respond/moves.h"
#include "respond/ramp.h"
#include "respond/responder_internal.h"

#include <pthread.h>
#include <string.h>

#define IN_FLIGHT_DEFAULT 128
#define IN_FLIGHT_MAX 1024
/* What one transaction takes up: others wait for the store, too. */
#define CLAIMS_AT_ONCE 256
#define REQUEST_MAX_BYTES (8u << 20)
#define RECOVER_AT_ONCE 256

static iv_rc copy_endpoints(struct iv_responder *r, struct iv_err *err)
{
    size_t count = r->options.endpoint_count;
    r->endpoints = iv_arena_zalloc(&r->arena, (count + 1) * sizeof *r->endpoints);
    r->breakers = iv_arena_zalloc(&r->arena, (count + 1) * sizeof *r->breakers);
    r->obstacles = iv_arena_zalloc(&r->arena, (count + 1) * sizeof *r->obstacles);
    ENSURE(r->endpoints != NULL && r->breakers != NULL && r->obstacles != NULL, err, IV_E_NOMEM,
           "cannot allocate endpoints");
    for (size_t i = 0; i < count; i++) {
        TRY(iv_endpoint_check(&r->options.endpoints[i], err));
        TRY(iv_endpoint_copy(&r->endpoints[i], &r->options.endpoints[i], &r->arena, err));
        r->obstacles[i].full = r->obstacles[i].shut = true; /* for those that an earlier run held up */
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
    limits.record_bytes = REQUEST_MAX_BYTES;
    TRY(iv_decoder_new(&r->decoder, r->catalogue, &limits, (struct iv_hash_key){0, 0}, err));
    TRY(recover(r, err));
    r->resumes = true;
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
            iv_carriers_abandon(r->carriers, r->calls[i], iv_call_kind(r->calls[i]));
        }
        iv_call_free(r->calls[i]);
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
    *any = *any || count > 0;
    return IV_OK;
}

/* Messages that the broker has not taken in time. */
static iv_rc settle_overdue(struct iv_responder *r, bool *any, struct iv_err *err)
{
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    iv_arena_init(&arena, 0);
    struct iv_task *tasks = NULL;
    size_t count = 0;
    iv_ns now = iv_wall(&r->options.clock);
    if (r->resumes) {
        return iv_store_renew_posted(r->options.store, any, now, err);
    }
    TRY(iv_store_tasks(r->options.store, &tasks, &count, IV_TASKS_OVERDUE, (struct iv_str){NULL, 0}, now,
                       RECOVER_AT_ONCE, &arena, err));
    for (size_t i = 0; i < count; i++) {
        TRY(iv_move_overdue(r->options.store, &tasks[i], now, &arena, err));
        count_outcome(r, &tasks[i].step);
        r->stats.retries += tasks[i].step.state == IV_STEP_CALLING;
    }
    *any = *any || count > 0;
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
        rc = iv_approvals_settle(any, r->options.store, r->government.keyring, r->government.baseline,
                                 iv_wall(&r->options.clock), err);
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

/* Those whose turn has come. */
static iv_rc advance(struct iv_responder *r, bool *any, struct iv_err *err)
{
    (void)pthread_mutex_lock(&r->lock);
    struct iv_rc_s rc =
        iv_ramp_advance(r->options.store, &r->government, any, iv_wall(&r->options.clock), err);
    (void)pthread_mutex_unlock(&r->lock);
    return rc;
}

static iv_rc look_for_halt(struct iv_responder *r, struct iv_err *err)
{
    TRY(iv_halt_holds(&r->paused, r->options.store, err));
    r->paused = r->paused || iv_halt_by_file(r->options.pause_file);
    return IV_OK;
}

/* What befell since the last turn, whether or not anything may be called. */
static iv_rc do_chores(struct iv_responder *r, bool *any, struct iv_err *err)
{
    TRY(settle_delivered(r, any, err));
    TRY(hear(r, any, err));
    TRY(expire(r, any, err));
    TRY(escalate(r, any, err));
    TRY(look_for_halt(r, err));
    if (r->paused) {
        r->resumes = true;
        return IV_OK;
    }
    TRY(settle_overdue(r, any, err));
    TRY(iv_obstacles_lift(r, any, iv_wall(&r->options.clock), err));
    return advance(r, any, err);
}

static bool is_to_be_called(const struct iv_call *call)
{
    return !call->finished && iv_call_kind(call)->message == NULL;
}

/* room: for calls. What is a message, or at its end already, takes none of it. */
static iv_rc claim_all(struct iv_responder *r, struct iv_call **claimed, size_t *count, size_t room,
                       struct iv_err *err)
{
    size_t calls = 0;
    while (!r->paused && calls < room && *count < CLAIMS_AT_ONCE) {
        struct iv_call *call = NULL;
        struct iv_rc_s rc = iv_responder_claim(r, &call, err);
        if (call != NULL) {
            claimed[(*count)++] = call;
        }
        if (!iv_ok(rc) || call == NULL) {
            return rc;
        }
        calls += is_to_be_called(call);
    }
    return IV_OK;
}

static iv_rc write_outcomes(struct iv_responder *r, size_t *count, struct iv_err *err)
{
    for (size_t i = 0; i < r->call_count; i++) {
        struct iv_call *call = r->calls[i];
        if (call->finished) {
            struct iv_task task = call->task; /* the call keeps its own until the commit has succeeded */
            TRY(iv_move_by_outcome(r->options.store, &task, &call->outcome, iv_wall(&r->options.clock),
                                   &call->arena, err));
            ++*count;
        }
    }
    return IV_OK;
}

/* The intent is on disk; now the call. */
static void start_call(struct iv_responder *r, struct iv_call *call)
{
    if (!is_to_be_called(call)) {
        if (!call->postponed) {
            count_outcome(r, &call->task.step);
        }
        iv_call_free(call);
        return;
    }
    r->stats.calls++;
    r->calls[r->call_count++] = call;
    iv_carriers_start(r->carriers, call, iv_call_kind(call));
}

/* What was claimed was not written down: nobody calls it now. */
static void let_go(struct iv_responder *r, struct iv_call *call)
{
    struct iv_breaker *breaker = iv_call_breaker(r, call);
    if (breaker != NULL && !call->finished) {
        iv_breaker_forget(breaker);
    }
    iv_call_free(call);
}

/* Before anything else is claimed: what was heard of an endpoint holds for the next call to it. */
static void tell_breakers(struct iv_responder *r)
{
    for (size_t i = 0; i < r->call_count; i++) {
        struct iv_call *call = r->calls[i];
        struct iv_breaker *breaker = iv_call_breaker(r, call);
        if (!call->finished || call->heard) {
            continue;
        }
        call->heard = true;
        if (breaker != NULL && call->unmade) {
            iv_breaker_forget(breaker);
        } else if (breaker != NULL) {
            const struct iv_outcome *o = &call->outcome;
            bool silent = o->kind == IV_OUTCOME_RETRY || (o->kind == IV_OUTCOME_FAILED && o->status == 0);
            iv_breaker_tell(breaker, silent, iv_monotonic(&r->options.clock));
        }
    }
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
        bool again =
            call->outcome.kind == IV_OUTCOME_RETRY && call->task.step.attempt < call->task.step.attempts;
        r->stats.retries += again;
        bool done = call->outcome.kind == IV_OUTCOME_DONE || call->outcome.kind == IV_OUTCOME_ABSENT;
        r->stats.done += done;
        r->stats.failed += !done && !again;
        iv_call_free(call);
    }
    r->call_count = kept;
}

static size_t count_finished(const struct iv_responder *r)
{
    size_t count = 0;
    for (size_t i = 0; i < r->call_count; i++) {
        count += r->calls[i]->finished;
    }
    return count;
}

static void look_at_clock(struct iv_responder *r)
{
    bool back = iv_jump_look(&r->jump, iv_wall(&r->options.clock), iv_monotonic(&r->options.clock));
    r->set_back = r->set_back || back;
}

/* Inside the transaction: all that is to be on disk before the next call. */
static iv_rc write_down(struct iv_responder *r, struct iv_call **claimed, size_t *count, bool *any,
                        struct iv_err *err)
{
    size_t settled = 0;
    iv_store_clock_ahead(r->options.store, r->jump.ahead);
    if (r->set_back) {
        TRY(iv_store_clock_back(r->options.store, any, iv_wall(&r->options.clock), err));
    }
    TRY(write_outcomes(r, &settled, err));
    TRY(do_chores(r, any, err));
    TRY(claim_all(r, claimed, count, r->call_max - (r->call_count - settled), err));
    *any = *any || settled > 0 || *count > 0;
    return iv_store_next_due(r->options.store, &r->next_due, err);
}

/* What came of calls, and what is to be called next, in one transaction; then the calls. */
static iv_rc exchange(struct iv_responder *r, struct iv_err *err)
{
    struct iv_call *claimed[CLAIMS_AT_ONCE];
    size_t count = 0;
    bool any = false;
    tell_breakers(r);
    look_at_clock(r);
    TRY(iv_store_begin(r->options.store, err));
    struct iv_rc_s rc = write_down(r, claimed, &count, &any, err);
    rc = end_transaction(r, rc, any, err);
    if (iv_ok(rc)) {
        drop_finished(r);
        r->resumes = r->paused;
        r->set_back = false;
    }
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

/* Not beyond the next step that is due. */
static iv_ns bounded_wait(const struct iv_responder *r, iv_ns wait)
{
    iv_ns now = iv_wall(&r->options.clock);
    if (r->more) {
        return 0;
    }
    if (r->paused || r->call_count == r->call_max || r->next_due >= iv_ns_add(now, wait)) {
        return wait;
    }
    return r->next_due > now ? r->next_due - now : 0;
}

iv_rc iv_responder_turn(struct iv_responder *r, iv_ns wait, struct iv_err *err)
{
    if (count_finished(r) == 0) {
        TRY(iv_carriers_pump(r->carriers, bounded_wait(r, wait), err));
    }
    size_t finished = count_finished(r);
    if (finished > 0) {
        iv_fault("respond.before_outcome");
    }
    return exchange(r, err);
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
