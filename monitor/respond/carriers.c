/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/carriers.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/guard.h"
#include "respond/local/local.h"
#include "respond/web/web.h"

#include <stdio.h>

struct iv_carriers {
    struct iv_web *web;
    struct iv_local *local;
};

static void carriers_freep(struct iv_carriers **carriers)
{
    iv_carriers_free(*carriers);
}

iv_rc iv_carriers_new(struct iv_carriers **out, struct iv_hand *hand, size_t in_flight, struct iv_err *err)
{
    IV_AUTO(carriers_freep) struct iv_carriers *c = iv_calloc(1, sizeof *c);
    ENSURE(c != NULL, err, IV_E_NOMEM, "cannot allocate the carriers of calls");
    TRY(iv_web_new(&c->web, err));
    TRY(iv_local_new(&c->local, hand, in_flight, err));
    *out = TAKE(c);
    return IV_OK;
}

void iv_carriers_free(struct iv_carriers *carriers)
{
    if (carriers != NULL) {
        iv_web_free(carriers->web);
        iv_local_free(carriers->local);
        iv_free(carriers);
    }
}

/* A message is the outbox's. */
static iv_rc rehearse_message(struct iv_str *said, struct iv_call *call, const struct iv_action_kind *kind,
                              struct iv_err *err)
{
    struct iv_posting unsent;
    TRY(kind->message(&unsent, call, err));
    *said = iv_arena_printf(&call->arena, "a message of %zu bytes on '" IV_STR_FMT "'", unsent.value.n,
                            IV_STR_ARG(unsent.topic));
    ENSURE(said->p != NULL, err, IV_E_NOMEM, "cannot allocate what would be called");
    return IV_OK;
}

iv_rc iv_carriers_rehearse(struct iv_carriers *carriers, struct iv_str *said, struct iv_call *call,
                           const struct iv_action_kind *kind, struct iv_err *err)
{
    struct iv_err why = {.text = ""};
    *said = IV_STR("");
    struct iv_rc_s rc = kind->message != NULL ? rehearse_message(said, call, kind, &why)
                        : kind->order != NULL ? iv_local_rehearse(carriers->local, said, call, kind, &why)
                                              : iv_web_rehearse(carriers->web, said, call, kind, &why);
    if (rc.code == IV_E_NOMEM) {
        return iv_err_set(err, rc.code, "%s", why.text);
    }
    if (!iv_ok(rc)) {
        call->finished = true;
        call->outcome = (struct iv_outcome){.kind = IV_OUTCOME_FAILED, .answer = IV_STR("")};
        (void)snprintf(call->outcome.cause, sizeof call->outcome.cause, "%.*s",
                       (int)sizeof call->outcome.cause - 1, why.text);
    }
    return IV_OK;
}

void iv_carriers_start(struct iv_carriers *carriers, struct iv_call *call, const struct iv_action_kind *kind)
{
    struct iv_err why = {.text = ""};
    struct iv_rc_s rc = kind->order != NULL ? iv_local_send(carriers->local, call, kind, &why)
                                            : iv_web_send(carriers->web, call, kind, &why);
    if (!iv_ok(rc)) {
        bool again = iv_code_class(rc.code) == IV_CLASS_RETRY || rc.code == IV_E_NOMEM;
        call->finished = true;
        call->unmade = true;
        call->outcome =
            (struct iv_outcome){.kind = again ? IV_OUTCOME_RETRY : IV_OUTCOME_FAILED, .answer = IV_STR("")};
        (void)snprintf(call->outcome.cause, sizeof call->outcome.cause, "%.*s",
                       (int)sizeof call->outcome.cause - 1, why.text);
    }
}

void iv_carriers_abandon(struct iv_carriers *carriers, struct iv_call *call,
                         const struct iv_action_kind *kind)
{
    if (kind->order != NULL) {
        iv_local_abandon(carriers->local, call);
    } else {
        iv_web_abandon(carriers->web, call);
    }
}

iv_rc iv_carriers_pump(struct iv_carriers *carriers, iv_ns wait, struct iv_err *err)
{
    bool any = false;
    iv_ns left = iv_local_collect(carriers->local, &any);
    wait = any ? 0 : left < wait ? left : wait;
    TRY(iv_web_pump(carriers->web, iv_local_fd(carriers->local), wait, err));
    (void)iv_local_collect(carriers->local, &any);
    return iv_local_check(carriers->local, err);
}

void iv_carriers_wake(struct iv_carriers *carriers)
{
    iv_web_wake(carriers->web);
}
