/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/guard.h"
#include "respond/constraint.h"
#include "respond/web/form.h"
#include "respond/web/web.h"

#include <stdio.h>
#include <string.h>

static const struct iv_parameter parameters[] = {
    {"endpoint", IV_PARAMETER_NAME, true, "The authorization server's name in the daemon's configuration."},
    {"path", IV_PARAMETER_PATH, false, "What follows the endpoint's url, which else is the whole address."},
    {"token", IV_PARAMETER_TEXT, true, "What the server knows the token by. It is kept in the store."},
    {"token_type_hint", IV_PARAMETER_TEXT, false, "access_token or refresh_token."},
};

static const struct iv_constraint constraints[] = {
    {"token", iv_value_is_given, IV_MUST_BE_GIVEN},
};

/*= RFC 7009 2.1 "The client constructs the request by including the following parameters using the
 * "application/x-www-form-urlencoded" format in the HTTP request entity-body" */
static iv_rc ask(struct iv_web_request *out, struct iv_call *call, struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf form;
    iv_buf_init(&form, IV_WEB_BODY_MAX_BYTES);
    struct iv_str token = iv_request_text(&call->request, "token");
    struct iv_str hint = iv_request_text(&call->request, "token_type_hint");
    ENSURE(token.p != NULL, err, IV_E_STORE, "the stored request of step '" IV_STR_FMT "' lacks a token",
           IV_STR_ARG(call->task.step.name));
    iv_form_add(&form, "token", token);
    if (hint.n > 0) {
        iv_form_add(&form, "token_type_hint", hint);
    }
    TRY(iv_buf_check(&form, "the body of a call", err));
    *out = (struct iv_web_request){
        .method = "POST",
        .path = iv_request_text(&call->request, "path"),
        .type = IV_WEB_FORM,
        .accept = "application/json",
        .body = iv_arena_str(&call->arena, iv_buf_slice(&form)),
    };
    ENSURE(out->body.p != NULL, err, IV_E_NOMEM, "cannot allocate the body of a call");
    return IV_OK;
}

static void judge(struct iv_call *call, const struct iv_web_answer *answer)
{
    struct iv_outcome *o = &call->outcome;
    struct iv_str name = call->endpoint->name;
    /*= RFC 7009 2.2.1 "The authorization server does not support the revocation of the presented token type"
     */
    struct iv_str unsupported = IV_STR("\"unsupported_token_type\"");
    if (answer->status == 400 &&
        memmem(answer->body.p, answer->body.n, unsupported.p, unsupported.n) != NULL) {
        o->kind = IV_OUTCOME_UNSUPPORTED;
        (void)snprintf(o->cause, sizeof o->cause,
                       "endpoint '" IV_STR_FMT "' does not revoke tokens of this type", IV_STR_ARG(name));
    } else if (answer->status == 503) {
        /*= RFC 7009 2.2.1 "the client must assume the token still exists and may retry" */
        (void)snprintf(o->cause, sizeof o->cause,
                       "endpoint '" IV_STR_FMT "' answered 503: the token is still alive", IV_STR_ARG(name));
    } else if (o->kind == IV_OUTCOME_DONE && answer->status != 200) {
        (void)snprintf(o->cause, sizeof o->cause,
                       "endpoint '" IV_STR_FMT "' answered %d, which does not say that the token is dead",
                       IV_STR_ARG(name), answer->status);
    }
}

const struct iv_action_kind iv_action_oauth_revoke = {
    .name = "oauth.revoke",
    .doc = "Revokes one token at an authorization server (RFC 7009).",
    .parameters = parameters,
    .parameter_count = IV_COUNT(parameters),
    .constraints = constraints,
    .constraint_count = IV_COUNT(constraints),
    .ask = ask,
    .judge = judge,
};
