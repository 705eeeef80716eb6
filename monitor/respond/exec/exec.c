/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "respond/local/local.h"

static const struct iv_parameter parameters[] = {
    {"command", IV_PARAMETER_NAME, true, "Its name in the daemon's configuration."},
    {"values", IV_PARAMETER_JSON, false, "What its arguments ask for: texts by name."},
};

static iv_rc order(struct iv_hand_order *out, struct iv_call *call, struct iv_err *err)
{
    const struct iv_val *values = iv_request_get(&call->request, "values");
    TRY(iv_local_order(out, call, IV_HAND_RUN, "command", err));
    ENSURE(values == NULL || values->kind == IV_KIND_MAP, err, IV_E_REFUSED,
           "the values of a command must be a mapping");
    for (uint32_t i = 0; values != NULL && i < values->n; i++) {
        const struct iv_val *pair = &values->items[2 * (size_t)i];
        ENSURE(pair[1].kind == IV_KIND_STRING, err, IV_E_REFUSED,
               "the value '" IV_STR_FMT "' of a command must be text", IV_STR_ARG(iv_val_slice(pair[0])));
        ENSURE(out->count + 2 <= IV_HAND_WORDS_MAX, err, IV_E_REFUSED, "a command has %d values at most",
               (IV_HAND_WORDS_MAX - 1) / 2);
        out->words[out->count++] = iv_val_slice(pair[0]);
        out->words[out->count++] = iv_val_slice(pair[1]);
    }
    return IV_OK;
}

const struct iv_action_kind iv_action_exec = {
    .name = "exec",
    .doc = "Runs a command of the configuration's table on this machine.",
    .parameters = parameters,
    .parameter_count = IV_COUNT(parameters),
    .order = order,
};
