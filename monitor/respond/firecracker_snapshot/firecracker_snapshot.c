/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "respond/local/local.h"

static const struct iv_parameter parameters[] = {
    {"socket", IV_PARAMETER_SEGMENTS, true, "The API socket, below the configured folder."},
    {"state", IV_PARAMETER_PATH, true, "Where Firecracker writes the machine's state, as it sees it."},
    {"memory", IV_PARAMETER_PATH, true, "Where Firecracker writes the machine's memory, as it sees it."},
};
/* A query, which other paths may have, is a part of a file's name. */
static bool is_file(const struct iv_val *value, struct iv_str *member)
{
    struct iv_str s = value->kind == IV_KIND_STRING ? iv_val_slice(*value) : IV_STR("");
    (void)member;
    return s.n > 1 && s.p[0] == '/' && iv_hand_is_below((struct iv_str){s.p + 1, s.n - 1});
}

#define MUST_BE_FILE "be an absolute path of a file, with no segment empty, '.' or '..'"
static const struct iv_constraint constraints[] = {
    {"socket", iv_local_is_below, IV_MUST_BE_BELOW},
    {"state", is_file, MUST_BE_FILE},
    {"memory", is_file, MUST_BE_FILE},
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
    .constraints = constraints,
    .constraint_count = IV_COUNT(constraints),
    .order = order,
};
