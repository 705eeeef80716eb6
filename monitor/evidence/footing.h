/* SPDX-License-Identifier: Apache-2.0 */
/* What an execution rests on: the findings that it answers, as they are by now.
 * Owner/thread: whoever is inside the store's transaction.
 * Not here: which of them still call for it (respond/footing.h). */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "evidence/execution.h"

#include <stdbool.h>

struct iv_store;

/* Texts are valid for the length of one visit. */
struct iv_footing {
    struct iv_str finding; /* uid */
    struct iv_str rule;
    enum iv_verdict_kind kind;
    enum iv_mode mode;
    struct iv_str tenant; /* empty: none, as the next one */
    struct iv_str agent;
    iv_ns time;                  /* of the trigger */
    bool waived;                 /* a waiver of the baseline held when it was made */
    enum iv_triage_state triage; /* what somebody has said of it; not what a waiver of the console's did */
};
typedef bool (*iv_footing_visit)(void *ctx, const struct iv_footing *footing);

/* The one that it was planned for, then those that have joined it, until visit says no. What the store does
 * not have is left out. */
iv_rc iv_store_footings(struct iv_store *store, const struct iv_execution *execution, iv_footing_visit visit,
                        void *ctx, struct iv_err *err);
