/* SPDX-License-Identifier: Apache-2.0 */
/* What a playbook says under "approval:", and whether its baseline's keys could ever say so.
 * Owner/thread: a playbook's, immutable once parsed. Not here: what an execution waits for (approvers.h). */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

struct iv_keyring;
struct iv_problems;
struct iv_yaml_node;

struct iv_quorum {
    int64_t quorum;      /* 0: only what a guard holds back is to be approved, by one */
    struct iv_str roles; /* as approvers.h reads them */
    iv_ns within;
};

struct iv_quorum_keys {
    const struct iv_keyring *keyring; /* NULL: what it could be is not looked at */
    const struct iv_instant *now;     /* not NULL: those alone that are valid then */
};

/* node: what stands under "approval:"; NULL: nothing. A quorum that the keys cannot reach is a problem. */
iv_rc iv_quorum_parse(struct iv_quorum *out, const struct iv_yaml_node *node,
                      const struct iv_quorum_keys *keys, struct iv_arena *arena, struct iv_problems *problems,
                      struct iv_err *err);
