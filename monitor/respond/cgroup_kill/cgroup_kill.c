/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "respond/local/local.h"

static const struct iv_parameter parameters[] = {
    {"group", IV_PARAMETER_TEXT, true, "The control group, below the configured folder."},
};

static iv_rc order(struct iv_hand_order *out, struct iv_call *call, struct iv_err *err)
{
    return iv_local_order(out, call, IV_HAND_CGROUP_KILL, "group", err);
}

const struct iv_action_kind iv_action_cgroup_kill = {
    .name = "cgroup.kill",
    .doc = "Kills every process of a control group, and waits until there is none.",
    .parameters = parameters,
    .parameter_count = IV_COUNT(parameters),
    .order = order,
};
