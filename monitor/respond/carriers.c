/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/carriers.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "respond/web/web.h"

#include <stdio.h>

struct iv_carriers {
    struct iv_web *web;
};

iv_rc iv_carriers_new(struct iv_carriers **out, struct iv_err *err)
{
    struct iv_carriers *c = iv_calloc(1, sizeof *c);
    ENSURE(c != NULL, err, IV_E_NOMEM, "cannot allocate the carriers of calls");
    struct iv_rc_s rc = iv_web_new(&c->web, err);
    if (!iv_ok(rc)) {
        iv_free(c);
        return rc;
    }
    *out = c;
    return IV_OK;
}

void iv_carriers_free(struct iv_carriers *carriers)
{
    if (carriers != NULL) {
        iv_web_free(carriers->web);
        iv_free(carriers);
    }
}

void iv_carriers_start(struct iv_carriers *carriers, struct iv_call *call, const struct iv_action_kind *kind)
{
    struct iv_err why = {.text = ""};
    struct iv_rc_s rc = iv_web_send(carriers->web, call, kind, &why);
    if (!iv_ok(rc)) {
        bool again = iv_code_class(rc.code) == IV_CLASS_RETRY || rc.code == IV_E_NOMEM;
        call->finished = true;
        call->outcome =
            (struct iv_outcome){.kind = again ? IV_OUTCOME_RETRY : IV_OUTCOME_FAILED, .answer = IV_STR("")};
        (void)snprintf(call->outcome.cause, sizeof call->outcome.cause, "%.*s",
                       (int)sizeof call->outcome.cause - 1, why.text);
    }
}

void iv_carriers_abandon(struct iv_carriers *carriers, struct iv_call *call,
                         const struct iv_action_kind *kind)
{
    (void)kind;
    iv_web_abandon(carriers->web, call);
}

iv_rc iv_carriers_pump(struct iv_carriers *carriers, iv_ns wait, struct iv_err *err)
{
    return iv_web_pump(carriers->web, -1, wait, err);
}

void iv_carriers_wake(struct iv_carriers *carriers)
{
    iv_web_wake(carriers->web);
}
