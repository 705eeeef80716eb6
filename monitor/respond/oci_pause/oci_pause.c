/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "respond/local/local.h"

static const struct iv_parameter parameters[] = {
    {"container", IV_PARAMETER_TEXT, true, "The container's name."},
    {"state", IV_PARAMETER_NAME, false, "paused, the default, or running, which undoes it."},
};

static bool is_state(const struct iv_val *value, struct iv_str *member)
{
    static const char *const words[2] = {"paused", "running"};
    (void)member;
    return iv_local_is_one_of(value, words);
}

static const struct iv_constraint constraints[] = {
    {"container", iv_local_is_container, IV_MUST_BE_CONTAINER},
    {"state", is_state, "be paused or running"},
};

static iv_rc order(struct iv_hand_order *out, struct iv_call *call, struct iv_err *err)
{
    bool back = iv_local_state_is(call, "running");
    return iv_local_order(out, call, back ? IV_HAND_OCI_RESUME : IV_HAND_OCI_PAUSE, "container", err);
}

const struct iv_action_kind iv_action_oci_pause = {
    .name = "oci.pause",
    .doc = "Pauses a container by its runtime, or lets it run again.",
    .parameters = parameters,
    .parameter_count = IV_COUNT(parameters),
    .constraints = constraints,
    .constraint_count = IV_COUNT(constraints),
    .order = order,
};
