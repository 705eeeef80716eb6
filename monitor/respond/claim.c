/* SPDX-License-Identifier: Apache-2.0 */
/* From a due step to a call that may begin, or to what hinders it. */
#include "base/alloc.h"
#include "base/guard.h"
#include "evidence/course.h"
#include "evidence/store.h"
#include "respond/carriers.h"
#include "respond/constraint.h"
#include "respond/footing.h"
#include "respond/ladder.h"
#include "respond/moves.h"
#include "respond/ramp.h"
#include "respond/report.h"
#include "respond/responder_internal.h"
#include "respond/supersede.h"

#include <string.h>

#define CALL_MAX_BYTES (8u << 20)
#define STALE_WAIT IV_NS_PER_S
#define DRY_WAIT (60 * IV_NS_PER_S)
#define YIELD_WAIT (10 * IV_NS_PER_S)

void iv_call_free(struct iv_call *call)
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

const struct iv_action_kind *iv_call_kind(const struct iv_call *call)
{
    return iv_action_kind(call->task.step.kind);
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

/* What must not be called as it is, whoever could be. */
static void refuse_broken(struct iv_call *call)
{
    struct iv_str member;
    const struct iv_constraint *broken = iv_constraint_broken(iv_call_kind(call), &call->request, &member);
    if (broken != NULL) {
        struct iv_str text = iv_arena_printf(&call->arena, "'%s%s" IV_STR_FMT "' must %s", broken->parameter,
                                             member.p == NULL ? "" : ".", IV_STR_ARG(member), broken->must);
        refuse(call, IV_OUTCOME_FAILED, text);
    }
}

/* Who approved it signed where it goes. What is taken back is called where the endpoint is now: it must not
 * stay for having moved. */
static void refuse_moved(struct iv_call *call)
{
    const struct iv_val *signed_for = iv_request_get(&call->request, IV_REQUEST_ADDRESS);
    bool approved = call->task.execution.quorum > 0 && call->task.step.undoes == 0;
    struct iv_str address = iv_request_text(&call->request, IV_REQUEST_ADDRESS);
    if (approved && signed_for != NULL && !iv_str_eq(address, call->endpoint->url)) {
        struct iv_str text = iv_arena_printf(
            &call->arena,
            "the endpoint '" IV_STR_FMT "' has moved since it was approved: it was at " IV_STR_FMT,
            IV_STR_ARG(call->endpoint->name), IV_STR_ARG(address.p == NULL ? IV_STR("no address") : address));
        refuse(call, IV_OUTCOME_FAILED, text);
    }
}

/* Reads the stored request. What this process cannot carry out is finished here, as unsupported. */
static iv_rc prepare(struct iv_responder *r, struct iv_call *call, struct iv_err *err)
{
    const struct iv_step *step = &call->task.step;
    if (iv_call_kind(call) == NULL) {
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
    struct iv_str refused = iv_request_text(&call->request, IV_REQUEST_REFUSED);
    if (refused.p != NULL) {
        refuse(call, IV_OUTCOME_FAILED, refused);
        return IV_OK;
    }
    refuse_broken(call);
    if (call->finished) {
        return IV_OK;
    }
    struct iv_str name = iv_request_text(&call->request, "endpoint");
    call->endpoint = name.p == NULL ? NULL : endpoint_of(r, name);
    if (name.p != NULL && call->endpoint == NULL) {
        struct iv_str text = iv_arena_printf(
            &call->arena, "the configuration has no endpoint '" IV_STR_FMT "'", IV_STR_ARG(name));
        refuse(call, IV_OUTCOME_UNSUPPORTED, text);
    } else if (name.p != NULL) {
        refuse_moved(call);
    }
    return IV_OK;
}

static iv_rc intend(struct iv_responder *r, struct iv_call *call, struct iv_err *err)
{
    const struct iv_action_kind *kind = iv_call_kind(call);
    int64_t outbox = 0;
    TRY(iv_supersede(r->options.store, &call->task.execution, call->now, &call->arena, err));
    if (kind->message != NULL) {
        struct iv_posting posting;
        TRY(kind->message(&posting, call, err));
        TRY(iv_store_post(r->options.store, &outbox, &posting, err));
    }
    return iv_move_to_calling(r->options.store, &call->task, outbox, call->now, err);
}

struct iv_breaker *iv_call_breaker(struct iv_responder *r, const struct iv_call *call)
{
    return call->endpoint == NULL ? NULL : &r->breakers[call->endpoint - r->endpoints];
}

/* The step stays due, for later; its attempts are not touched. That somebody asked for it stays its cause. */
static iv_rc postpone(struct iv_responder *r, struct iv_call *call, iv_ns until, struct iv_str cause,
                      struct iv_err *err)
{
    struct iv_step *s = &call->task.step;
    ENSURE(cause.p != NULL, err, IV_E_NOMEM, "cannot allocate a cause");
    cause = s->undoes > 0 && iv_step_was_taken_back(s) ? s->cause : cause;
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

/* What a later execution does, or holds, is not taken back by an earlier one. */
static iv_rc yield(struct iv_responder *r, struct iv_call *call, struct iv_err *err)
{
    bool yields = false;
    iv_ns until = IV_NS_MIN;
    if (call->task.step.undoes == 0) {
        return IV_OK;
    }
    TRY(iv_store_undo_yields(r->options.store, &yields, &until, &call->task.execution, &call->task.step,
                             call->now, err));
    iv_ns later = iv_ns_add(call->now, YIELD_WAIT);
    return yields ? postpone(r, call, until == IV_NS_MIN ? later : until,
                             IV_STR("a later execution of the playbook does the same for this target"), err)
                  : IV_OK;
}

/* Why it is not called now, though it is due; p NULL: nothing is in the way. */
static iv_rc hindrance(struct iv_responder *r, struct iv_call *call, struct iv_str *cause, iv_ns *until,
                       struct iv_err *err)
{
    const char *stale = NULL;
    if (!is_stale(r, call, &stale)) {
        return iv_obstacle_of(cause, until, r, call, err);
    }
    *until = iv_ns_add(call->now, STALE_WAIT);
    *cause = iv_arena_printf(&call->arena, IV_CAUSE_STALE "%s", stale);
    ENSURE(cause->p != NULL, err, IV_E_NOMEM, "cannot allocate a cause");
    return IV_OK;
}

/* As far as the call, and no further: what a call would meet on its way it meets. held: why it would not be
 * made now; p NULL: it would. */
static iv_rc withhold(struct iv_responder *r, struct iv_call *call, struct iv_str held, struct iv_err *err)
{
    struct iv_breaker *breaker = iv_call_breaker(r, call);
    struct iv_str said;
    if (breaker != NULL && held.p == NULL) {
        iv_breaker_forget(breaker); /* it was let pass, and asks nothing */
    }
    TRY(iv_carriers_rehearse(r->carriers, &said, call, iv_call_kind(call), err));
    if (call->finished) {
        return iv_move_by_outcome(r->options.store, &call->task, &call->outcome, call->now, &call->arena,
                                  err);
    }
    struct iv_str cause =
        held.p == NULL
            ? iv_arena_printf(&call->arena, "it would have been called: " IV_STR_FMT, IV_STR_ARG(said))
            : iv_arena_printf(&call->arena, "it would have waited: " IV_STR_FMT "; then: " IV_STR_FMT,
                              IV_STR_ARG(held), IV_STR_ARG(said));
    ENSURE(cause.p != NULL, err, IV_E_NOMEM, "cannot allocate a cause");
    call->finished = true;
    TRY(iv_supersede(r->options.store, &call->task.execution, call->now, &call->arena, err));
    return iv_move_withheld(r->options.store, &call->task, cause, call->now, &call->arena, err);
}

/* Nothing is called for a finding that does not stand any more. What is taken back was done, and is. */
static iv_rc withdraw_fallen(struct iv_responder *r, struct iv_call *call, struct iv_err *err)
{
    struct iv_footing_word word;
    if (call->task.step.undoes > 0) {
        return IV_OK;
    }
    (void)pthread_mutex_lock(&r->lock);
    struct iv_rc_s rc = iv_footing_ask(&word, r->options.store, &call->task.execution, r->government.baseline,
                                       &call->arena, err);
    (void)pthread_mutex_unlock(&r->lock);
    TRY(rc);
    if (word.why == NULL) {
        return IV_OK;
    }
    call->finished = true;
    return iv_ladder_withdraw(r->options.store, &call->task, word.why, call->now, &call->arena, err);
}

/* It was let pass, and may have been held up since: others have begun meanwhile. */
static iv_rc recall(struct iv_responder *r, struct iv_call *call, struct iv_err *err)
{
    bool recalled = false;
    (void)pthread_mutex_lock(&r->lock);
    struct iv_rc_s rc = iv_ramp_recall(&recalled, r->options.store, r->government.playbooks, &call->task,
                                       call->now, &call->arena, err);
    (void)pthread_mutex_unlock(&r->lock);
    call->finished = recalled;
    call->postponed = recalled;
    return rc;
}

iv_rc iv_responder_claim(struct iv_responder *r, struct iv_call **out, struct iv_err *err)
{
    struct iv_call *call = NULL;
    TRY(call_new(&call, iv_wall(&r->options.clock), err));
    *out = call;
    struct iv_task *task = NULL;
    size_t count = 0;
    TRY(iv_store_tasks(r->options.store, &task, &count, IV_TASKS_DUE, (struct iv_str){NULL, 0}, call->now, 1,
                       &call->arena, err));
    if (count == 0) {
        iv_call_free(call);
        *out = NULL;
        return IV_OK;
    }
    call->task = *task;
    TRY(withdraw_fallen(r, call, err));
    if (call->finished) {
        return IV_OK;
    }
    TRY(prepare(r, call, err));
    if (call->finished) {
        return iv_move_by_outcome(r->options.store, &call->task, &call->outcome, call->now, &call->arena,
                                  err);
    }
    if (r->options.dry_run && call->task.step.undoes > 0 && !call->task.execution.observed) {
        return postpone(r, call, iv_ns_add(call->now, DRY_WAIT),
                        IV_STR("it is taken back by a process that is no dry run"), err);
    }
    TRY(yield(r, call, err));
    if (!call->finished) {
        TRY(recall(r, call, err));
    }
    if (call->finished) {
        return IV_OK;
    }
    struct iv_str cause;
    iv_ns until = 0;
    TRY(hindrance(r, call, &cause, &until, err));
    if (r->options.dry_run || call->task.execution.observed) {
        return withhold(r, call, cause, err);
    }
    return cause.p != NULL ? postpone(r, call, until, cause, err) : intend(r, call, err);
}
