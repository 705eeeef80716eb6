/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "respond/constraint.h"
#include "respond/web/web.h"

#include <stdio.h>

static const struct iv_parameter parameters[] = {
    {"endpoint", IV_PARAMETER_NAME, true, "The authorization server's name in the daemon's configuration."},
    {"path", IV_PARAMETER_PATH, false, "What follows the endpoint's url, which else is the whole address."},
    {"subject", IV_PARAMETER_JSON, true, "A subject identifier (RFC 9493), format and all."},
};

static const struct iv_constraint constraints[] = {
    {"subject", iv_value_is_subject, IV_MUST_BE_SUBJECT},
};

/*= draft-parecki-oauth-global-token-revocation-06 3 "a single property named sub_id, the value of which is
 * a Security Event Token Subject Identifier" */
static iv_rc ask(struct iv_web_request *out, struct iv_call *call, struct iv_err *err)
{
    const struct iv_val *subject = iv_request_get(&call->request, "subject");
    struct iv_val *pair = iv_arena_alloc(&call->arena, 2 * sizeof *pair);
    ENSURE(pair != NULL, err, IV_E_NOMEM, "cannot allocate the body of a call");
    ENSURE(subject != NULL, err, IV_E_STORE, "the stored request of step '" IV_STR_FMT "' lacks a subject",
           IV_STR_ARG(call->task.step.name));
    pair[0] = iv_val_str(IV_STR("sub_id"));
    pair[1] = *subject;
    struct iv_val body = {.kind = IV_KIND_MAP, .n = 1, .items = pair};
    *out = (struct iv_web_request){
        .method = "POST", .path = iv_request_text(&call->request, "path"), .accept = "application/json"};
    return iv_web_json(out, call, &body, err);
}

static void judge(struct iv_call *call, const struct iv_web_answer *answer)
{
    struct iv_outcome *o = &call->outcome;
    struct iv_str name = call->endpoint->name;
    if (o->kind == IV_OUTCOME_DONE) {
        (void)snprintf(o->cause, sizeof o->cause,
                       "endpoint '" IV_STR_FMT
                       "' has begun to revoke: access tokens may live on until they expire",
                       IV_STR_ARG(name));
    } else if (answer->status == 404) {
        o->kind = IV_OUTCOME_ABSENT;
        (void)snprintf(o->cause, sizeof o->cause,
                       "endpoint '" IV_STR_FMT
                       "' answered 404: it does not know the subject, if its address is right",
                       IV_STR_ARG(name));
    } else if (answer->status == 422) {
        (void)snprintf(o->cause, sizeof o->cause,
                       "endpoint '" IV_STR_FMT "' knows the subject and could not revoke its tokens",
                       IV_STR_ARG(name));
    }
}

const struct iv_action_kind iv_action_oauth_global_revocation = {
    .name = "oauth.global_revocation",
    .doc = "Has an authorization server revoke all tokens of a subject (Global Token Revocation).",
    .parameters = parameters,
    .parameter_count = IV_COUNT(parameters),
    .constraints = constraints,
    .constraint_count = IV_COUNT(constraints),
    .ask = ask,
    .judge = judge,
};
