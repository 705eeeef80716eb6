/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "respond/local/local.h"

static const struct iv_parameter parameters[] = {
    {"socket", IV_PARAMETER_TEXT, true, "The API socket, below the configured folder."},
    {"state", IV_PARAMETER_PATH, true, "Where Firecracker writes the machine's state, as it sees it."},
    {"memory", IV_PARAMETER_PATH, true, "Where Firecracker writes the machine's memory, as it sees it."},
};

static iv_rc order(struct iv_hand_order *out, struct iv_call *call, struct iv_err *err)
{
    struct iv_str state = iv_request_text(&call->request, "state");
    struct iv_str memory = iv_request_text(&call->request, "memory");
    TRY(iv_local_order(out, call, IV_HAND_VMM_SNAPSHOT, "socket", err));
    ENSURE(state.p != NULL && memory.p != NULL, err, IV_E_STORE,
           "the stored request of step '" IV_STR_FMT "' lacks a state or a memory",
           IV_STR_ARG(call->task.step.name));
    out->words[out->count++] = state;
    out->words[out->count++] = memory;
    return IV_OK;
}

const struct iv_action_kind iv_action_firecracker_snapshot = {
    .name = "firecracker.snapshot",
    .doc = "Writes a paused virtual machine of Firecracker to files, by its API.",
    .parameters = parameters,
    .parameter_count = IV_COUNT(parameters),
    .order = order,
};
