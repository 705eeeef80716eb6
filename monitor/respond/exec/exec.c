/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "respond/constraint.h"
#include "respond/local/local.h"

static const struct iv_parameter parameters[] = {
    {"command", IV_PARAMETER_NAME, true, "Its name in the daemon's configuration."},
    {"values", IV_PARAMETER_JSON, false, "What its arguments ask for: texts by name."},
};

#define VALUES_MAX ((IV_HAND_WORDS_MAX - 1) / 2)
_Static_assert(VALUES_MAX == 23, "the sentence below says so");

static bool is_values(const struct iv_val *value, struct iv_str *member)
{
    return iv_value_is_texts(value, member) && value->n <= VALUES_MAX;
}

static const struct iv_constraint constraints[] = {
    {"values", is_values, "be a mapping of texts, of which a command takes 23 at most"},
};

static iv_rc order(struct iv_hand_order *out, struct iv_call *call, struct iv_err *err)
{
    const struct iv_val *values = iv_request_get(&call->request, "values");
    TRY(iv_local_order(out, call, IV_HAND_RUN, "command", err));
    struct iv_str member;
    ENSURE(values == NULL || is_values(values, &member), err, IV_E_STORE,
           "the values of the stored request of step '" IV_STR_FMT "' are none",
           IV_STR_ARG(call->task.step.name));
    for (uint32_t i = 0; values != NULL && i < values->n; i++) {
        const struct iv_val *pair = &values->items[2 * (size_t)i];
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
    .constraints = constraints,
    .constraint_count = IV_COUNT(constraints),
    .order = order,
};
