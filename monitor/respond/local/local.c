/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/local/local.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/guard.h"
#include "respond/web/answer.h"

#include <stdio.h>

/* The hand keeps the time itself; where it does not, somebody must. */
#define GRACE (2 * IV_NS_PER_S)

struct waiting {
    struct iv_call *call;
    uint64_t id;
    iv_ns deadline; /* monotonic */
};

struct iv_local {
    struct iv_hand *hand;
    struct iv_clock clock;
    struct waiting *waiting;
    size_t count;
    size_t max;
    uint64_t next_id;
    bool ended; /* the hand has */
    struct iv_buf buffer;
};

#define BUFFER_MAX_BYTES (1u << 20)

iv_rc iv_local_new(struct iv_local **out, struct iv_hand *hand, size_t in_flight, struct iv_err *err)
{
    struct iv_local *l = iv_calloc(1, sizeof *l);
    ENSURE(l != NULL, err, IV_E_NOMEM, "cannot allocate what acts on this machine");
    l->waiting = iv_calloc(in_flight, sizeof *l->waiting);
    if (l->waiting == NULL) {
        iv_free(l);
        return iv_err_set(err, IV_E_NOMEM, "cannot allocate what acts on this machine");
    }
    l->hand = hand;
    l->clock = iv_clock_system(); /* of the hand, whose time is real whatever a trial's is */
    l->max = in_flight;
    iv_buf_init(&l->buffer, BUFFER_MAX_BYTES);
    *out = l;
    return IV_OK;
}

void iv_local_free(struct iv_local *local)
{
    if (local != NULL) {
        iv_buf_deinit(&local->buffer);
        iv_free(local->waiting);
        iv_free(local);
    }
}

bool iv_local_is_below(const struct iv_val *value, struct iv_str *member)
{
    (void)member;
    return value->kind == IV_KIND_STRING && iv_hand_is_below(iv_val_slice(*value));
}

bool iv_local_is_container(const struct iv_val *value, struct iv_str *member)
{
    (void)member;
    return value->kind == IV_KIND_STRING && iv_hand_is_container(iv_val_slice(*value));
}

bool iv_local_is_one_of(const struct iv_val *value, const char *const words[2])
{
    struct iv_str s = value->kind == IV_KIND_STRING ? iv_val_slice(*value) : IV_STR("");
    return iv_str_eq(s, iv_str_of(words[0])) || iv_str_eq(s, iv_str_of(words[1]));
}

bool iv_local_state_is(const struct iv_call *call, const char *word)
{
    struct iv_str state = iv_request_text(&call->request, "state");
    return state.p != NULL && iv_str_eq(state, iv_str_of(word));
}

iv_rc iv_local_order(struct iv_hand_order *out, struct iv_call *call, enum iv_hand_verb verb,
                     const char *parameter, struct iv_err *err)
{
    struct iv_str word = iv_request_text(&call->request, parameter);
    ENSURE(word.p != NULL, err, IV_E_STORE, "the stored request of step '" IV_STR_FMT "' lacks a %s",
           IV_STR_ARG(call->task.step.name), parameter);
    *out = (struct iv_hand_order){.verb = verb, .words = {word}, .count = 1};
    return IV_OK;
}

static void finish(struct iv_call *call, enum iv_outcome_kind kind, struct iv_str cause)
{
    call->finished = true;
    call->outcome = (struct iv_outcome){.kind = kind, .answer = IV_STR("")};
    (void)snprintf(call->outcome.cause, sizeof call->outcome.cause, IV_STR_FMT, IV_STR_ARG(cause));
}

static iv_rc make_order(struct iv_hand_order *order, const struct iv_local *local, struct iv_call *call,
                        const struct iv_action_kind *kind, struct iv_err *err)
{
    if (local->hand == NULL) {
        finish(call, IV_OUTCOME_UNSUPPORTED,
               IV_STR("the configuration has no 'local', and nothing may be done on this machine"));
        return IV_OK;
    }
    ENSURE(!local->ended, err, IV_E_BUSY, "the hand, which acts on this machine, has ended: restart");
    ENSURE(local->count < local->max, err, IV_E_BUSY, "the hand has more to do than it takes at once");
    TRY(kind->order(order, call, err));
    order->timeout = call->task.step.timeout;
    return IV_OK;
}

iv_rc iv_local_rehearse(struct iv_local *local, struct iv_str *said, struct iv_call *call,
                        const struct iv_action_kind *kind, struct iv_err *err)
{
    struct iv_hand_order order = {.count = 0};
    TRY(make_order(&order, local, call, kind, err));
    *said = order.count == 0 ? iv_str_of(kind->name)
                             : iv_arena_printf(&call->arena, "%s of '" IV_STR_FMT "'", kind->name,
                                               IV_STR_ARG(order.words[0]));
    ENSURE(said->p != NULL, err, IV_E_NOMEM, "cannot allocate what would be called");
    return IV_OK;
}

iv_rc iv_local_send(struct iv_local *local, struct iv_call *call, const struct iv_action_kind *kind,
                    struct iv_err *err)
{
    struct iv_hand_order order = {.count = 0};
    TRY(make_order(&order, local, call, kind, err));
    if (call->finished) {
        return IV_OK;
    }
    TRY(iv_hand_send(local->hand, ++local->next_id, &order, err));
    iv_ns deadline = iv_ns_add(iv_monotonic(&local->clock), iv_ns_add(order.timeout, GRACE));
    local->waiting[local->count++] = (struct waiting){call, local->next_id, deadline};
    return IV_OK;
}

void iv_local_abandon(struct iv_local *local, struct iv_call *call)
{
    for (size_t i = 0; i < local->count; i++) {
        if (local->waiting[i].call == call) {
            local->waiting[i] = local->waiting[--local->count];
            return;
        }
    }
}

iv_rc iv_local_check(const struct iv_local *local, struct iv_err *err)
{
    ENSURE(!local->ended, err, IV_E_STATE,
           "the hand, which acts on this machine, has ended, and only a new start of the monitor brings "
           "another");
    return IV_OK;
}

int iv_local_fd(const struct iv_local *local)
{
    return local->hand == NULL || local->ended ? -1 : iv_hand_fd(local->hand);
}

static void conclude(struct iv_local *local, const struct iv_hand_report *report)
{
    static const enum iv_outcome_kind kinds[IV_HAND_RESULTS] = {
        [IV_HAND_DONE] = IV_OUTCOME_DONE,
        [IV_HAND_ABSENT] = IV_OUTCOME_ABSENT,
        [IV_HAND_AGAIN] = IV_OUTCOME_RETRY,
        [IV_HAND_FAILED] = IV_OUTCOME_FAILED,
        [IV_HAND_UNSUPPORTED] = IV_OUTCOME_UNSUPPORTED,
    };
    for (size_t i = 0; i < local->count; i++) {
        struct iv_call *call = local->waiting[i].call;
        if (local->waiting[i].id == report->id) {
            finish(call, kinds[report->result], report->cause);
            call->outcome.status = report->status;
            call->outcome.answer = iv_answer_keep(&call->arena, report->output);
            local->waiting[i] = local->waiting[--local->count];
            return;
        }
    }
}

/* What no report came of in time, or can come of any more. */
static iv_ns expire(struct iv_local *local)
{
    iv_ns now = iv_monotonic(&local->clock);
    iv_ns next = IV_NS_MAX;
    for (size_t i = local->count; i-- > 0;) {
        if (local->ended || now >= local->waiting[i].deadline) {
            finish(local->waiting[i].call, IV_OUTCOME_RETRY,
                   local->ended ? IV_STR("the hand, which acts on this machine, has ended")
                                : IV_STR("the hand, which acts on this machine, did not report in time"));
            local->waiting[i] = local->waiting[--local->count];
        } else {
            next = local->waiting[i].deadline - now < next ? local->waiting[i].deadline - now : next;
        }
    }
    return next;
}

iv_ns iv_local_collect(struct iv_local *local, bool *some)
{
    struct iv_hand_report report;
    struct iv_err why;
    size_t before = local->count;
    bool any = local->hand != NULL && !local->ended;
    while (any) {
        struct iv_rc_s rc = iv_hand_receive(local->hand, &report, &any, &local->buffer, &why);
        local->ended = rc.code == IV_E_STATE;
        if (!iv_ok(rc)) {
            break;
        }
        if (any) {
            conclude(local, &report);
        }
    }
    iv_ns next = expire(local);
    *some = local->count < before;
    return next;
}
