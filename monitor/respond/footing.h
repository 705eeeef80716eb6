/* SPDX-License-Identifier: Apache-2.0 */
/* Whether what an execution was planned for still calls for it.
 * Purpose: between a finding and a call there may be an outage, a queue, or a day of waiting for an approval;
 * what was said of the finding meanwhile holds.
 * Owner/thread: whoever is inside the store's transaction.
 * Not here: what is taken back, which rests on what was done. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

struct iv_baseline;
struct iv_execution;
struct iv_store;

struct iv_footing_word {
    const char *why;       /* nothing of it is to be called; NULL: one of its findings calls for it, or nobody
                            * can tell, for the store has none */
    struct iv_str finding; /* that calls for it, in the arena; p NULL: the store has none */
};
/* A finding calls for it while it is a violation that no waiver suppresses, neither when it was made nor by
 * now (of the latter, those for a profile aside, which the store does not know), and nobody has closed or
 * suppressed, and its rule is in force, not observed, as it was when it was made. baseline: in force; NULL:
 * its rules are not looked at. */
iv_rc iv_footing_ask(struct iv_footing_word *out, struct iv_store *store,
                     const struct iv_execution *execution, const struct iv_baseline *baseline,
                     struct iv_arena *arena, struct iv_err *err);
