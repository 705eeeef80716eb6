/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "respond/local/local.h"

static const struct iv_parameter parameters[] = {
    {"group", IV_PARAMETER_SEGMENTS, true, "The control group, below the configured folder."},
    {"state", IV_PARAMETER_NAME, false, "frozen, the default, or thawed, which undoes it."},
};

static bool is_state(const struct iv_val *value, struct iv_str *member)
{
    static const char *const words[2] = {"frozen", "thawed"};
    (void)member;
    return iv_local_is_one_of(value, words);
}

static const struct iv_constraint constraints[] = {
    {"group", iv_local_is_below, IV_MUST_BE_BELOW},
    {"state", is_state, "be frozen or thawed"},
};

static iv_rc order(struct iv_hand_order *out, struct iv_call *call, struct iv_err *err)
{
    bool back = iv_local_state_is(call, "thawed");
    return iv_local_order(out, call, back ? IV_HAND_CGROUP_THAW : IV_HAND_CGROUP_FREEZE, "group", err);
}

const struct iv_action_kind iv_action_cgroup_freeze = {
    .name = "cgroup.freeze",
    .doc = "Freezes every process of a control group and waits until all stand still, or thaws them.",
    .parameters = parameters,
    .parameter_count = IV_COUNT(parameters),
    .constraints = constraints,
    .constraint_count = IV_COUNT(constraints),
    .order = order,
};
