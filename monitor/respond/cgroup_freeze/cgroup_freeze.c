/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "respond/local/local.h"

static const struct iv_parameter parameters[] = {
    {"group", IV_PARAMETER_SEGMENTS, true, "The control group, below the configured folder."},
};
static const struct iv_constraint constraints[] = {
    {"group", iv_local_is_below, IV_MUST_BE_BELOW},
};

static iv_rc order(struct iv_hand_order *out, struct iv_call *call, struct iv_err *err)
{
    return iv_local_order(out, call, IV_HAND_CGROUP_FREEZE, "group", err);
}

const struct iv_action_kind iv_action_cgroup_freeze = {
    .name = "cgroup.freeze",
    .doc = "Freezes every process of a control group, and waits until all stand still.",
    .parameters = parameters,
    .parameter_count = IV_COUNT(parameters),
    .constraints = constraints,
    .constraint_count = IV_COUNT(constraints),
    .order = order,
};
