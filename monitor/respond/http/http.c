/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/guard.h"
#include "respond/action.h"
#include "respond/web/web.h"

static const struct iv_parameter parameters[] = {
    {"endpoint", IV_PARAMETER_NAME, true, "The endpoint's name in the daemon's configuration."},
    {"path", IV_PARAMETER_PATH, true, "What follows the endpoint's url."},
    {"headers", IV_PARAMETER_HEADERS, false, "Further headers."},
    {"body", IV_PARAMETER_JSON, false, "The body: any JSON. Without it the body is empty."},
};

static iv_rc ask(struct iv_web_request *out, struct iv_call *call, struct iv_err *err)
{
    *out = (struct iv_web_request){
        .method = "POST",
        .path = iv_request_text(&call->request, "path"),
        .headers = iv_request_get(&call->request, "headers"),
    };
    return iv_web_json(out, call, iv_request_get(&call->request, "body"), err);
}

const struct iv_action_kind iv_action_http = {
    .name = "http",
    .doc = "POSTs JSON to an endpoint, signed, with an idempotency key.",
    .parameters = parameters,
    .parameter_count = IV_COUNT(parameters),
    .ask = ask,
};
