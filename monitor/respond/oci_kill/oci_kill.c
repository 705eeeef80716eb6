/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "respond/local/local.h"

static const struct iv_parameter parameters[] = {
    {"container", IV_PARAMETER_TEXT, true, "The container's name."},
};
static const struct iv_constraint constraints[] = {
    {"container", iv_local_is_container, IV_MUST_BE_CONTAINER},
};

static iv_rc order(struct iv_hand_order *out, struct iv_call *call, struct iv_err *err)
{
    return iv_local_order(out, call, IV_HAND_OCI_KILL, "container", err);
}

const struct iv_action_kind iv_action_oci_kill = {
    .name = "oci.kill",
    .doc = "Kills a container by its runtime, and waits until it has stopped.",
    .parameters = parameters,
    .parameter_count = IV_COUNT(parameters),
    .constraints = constraints,
    .constraint_count = IV_COUNT(constraints),
    .order = order,
};
