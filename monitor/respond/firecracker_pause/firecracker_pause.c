/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "respond/local/local.h"

static const struct iv_parameter parameters[] = {
    {"socket", IV_PARAMETER_SEGMENTS, true, "The API socket, below the configured folder."},
    {"state", IV_PARAMETER_NAME, false, "paused, the default, or running, which undoes it."},
};

static bool is_state(const struct iv_val *value, struct iv_str *member)
{
    static const char *const words[2] = {"paused", "running"};
    (void)member;
    return iv_local_is_one_of(value, words);
}

static const struct iv_constraint constraints[] = {
    {"socket", iv_local_is_below, IV_MUST_BE_BELOW},
    {"state", is_state, "be paused or running"},
};

static iv_rc order(struct iv_hand_order *out, struct iv_call *call, struct iv_err *err)
{
    bool back = iv_local_state_is(call, "running");
    return iv_local_order(out, call, back ? IV_HAND_VMM_RESUME : IV_HAND_VMM_PAUSE, "socket", err);
}

const struct iv_action_kind iv_action_firecracker_pause = {
    .name = "firecracker.pause",
    .doc = "Pauses a virtual machine of Firecracker by its API, or lets it run again.",
    .parameters = parameters,
    .parameter_count = IV_COUNT(parameters),
    .constraints = constraints,
    .constraint_count = IV_COUNT(constraints),
    .order = order,
};
