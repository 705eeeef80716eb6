/* SPDX-License-Identifier: Apache-2.0 */
/* What the monitor finds about itself: a finding of no rule of a baseline, of no agent and of no record.
 * Purpose: what keeps the monitor from telling anybody is seen where everything else is that was found.
 * Owner/thread: as store.h has it; everything here is inside a transaction.
 * Guarantee: one finding for each (rule, subject, beginning), with a uid that these alone make. It is in the
 * log as all findings are; it is violated while it lasts, then updated, and closed by the monitor itself.
 * Nothing is remediated because of it, and no criterion of the fleet's posture counts it.
 * Not here: who is told of it (respond/alert/). */
#pragma once

#include "base/arena.h"
#include "evidence/store.h"

#define IV_OWN_WHO "invigil"

struct iv_own_finding {
    struct iv_str rule; /* "invigil.sink-unreachable" */
    struct iv_str title;
    enum iv_severity severity;
    struct iv_str criteria; /* "CC7.3" */
    struct iv_str subject;  /* what it is about: the name of a sink */
    struct iv_str detail;   /* why; when it is over: how it ended */
    iv_ns began;            /* wall clock */
    iv_ns over;             /* 0: it lasts */
};

/* Whether a finding of this rule is one of these: no rule of a baseline can be called so. */
bool iv_own_is(struct iv_str rule);

/* Puts it, and posts what is new of it. One that is over is closed, unless somebody has done so. */
iv_rc iv_store_put_own(struct iv_store *store, const struct iv_own_finding *finding, iv_ns now,
                       struct iv_err *err);
/* The same of one that another process tells of. */
iv_rc iv_store_tell_own(struct iv_store *store, const struct iv_finding *told, struct iv_err *err);

/* Those of a rule that last, in the arena. */
iv_rc iv_store_own_lasting(struct iv_store *store, struct iv_own_finding **out, size_t *count,
                           struct iv_str rule, struct iv_arena *arena, struct iv_err *err);
