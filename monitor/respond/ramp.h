/* SPDX-License-Identifier: Apache-2.0 */
/* The ramp: a playbook begins with few executions at a time, and has more only as they end well; and none
 * beyond what its guards let begin within a minute, an hour and a day.
 * Purpose: a playbook that does harm does it a few times, not as often as its limits let it; and what was
 * held up, by a stop or an outage, is not made up for all at once. Owner/thread: a pure part, and the moves
 * of those whose turn has come, for whoever is inside the store's transaction. Guarantee: decided from the
 * store's rows alone, so a restart does not widen it. What somebody approved waits for no turn. An execution
 * whose evidence is still to come is at work, and has not ended well. Not here: the limits (guard.h). */
#pragma once

#include "base/err.h"
#include "base/time.h"
#include "evidence/execution.h"
#include "evidence/store.h"

#include <stdbool.h>
#include <stddef.h>

struct iv_government;
struct iv_limits;
struct iv_playbooks;

#define IV_RAMP_ENDS 128                    /* that are looked at, of the newest */
#define IV_RAMP_WINDOW (3600 * IV_NS_PER_S) /* and no older than this */
#define IV_RAMP_FAILURES 3                  /* fewer of them are no share of anything */
#define IV_RAMP_LOOK 256                    /* of a playbook's that wait for their turn */

struct iv_ramp_course {
    bool wrong[IV_RAMP_ENDS]; /* how they ended, oldest first */
    size_t ends;
    int64_t at_work; /* begun, or let begin, and not at an end */
};

enum iv_ramp_word {
    IV_RAMP_GO,
    IV_RAMP_QUEUE, /* as many as may be are at work, or have begun */
    IV_RAMP_STOP,  /* too many went wrong */
};

/* start: so many at a time at first; twice as many after each whole wave of successes. */
int64_t iv_ramp_width(const struct iv_ramp_course *course, int64_t start);
/* errors: in thousandths, the share of ends gone wrong that is still borne. */
enum iv_ramp_word iv_ramp_decide(const struct iv_ramp_course *course, int64_t start, int64_t errors);

#define IV_RAMP_WHY_BYTES 192
/* What it says of one more under these limits, and the sentence for it where it does not let it: none goes
 * before those of its playbook that wait for their turn. */
iv_rc iv_ramp_ask(enum iv_ramp_word *out, char why[IV_RAMP_WHY_BYTES], struct iv_store *store,
                  const struct iv_execution *execution, const struct iv_limits *limits, iv_ns now,
                  struct iv_err *err);

/* Lets those begin whose turn it is, and refuses those of them that nothing calls for any more (footing.h).
 * Those that a limit holds up for what they touch, or that yield to a higher rung (supersede.h), hold up
 * nobody behind them, among the first IV_RAMP_LOOK. Where too many went wrong, or a limit is 0 by now, they
 * wait for an approval. government: whose limits hold; without playbooks none do. */
iv_rc iv_ramp_advance(struct iv_store *store, const struct iv_government *government, bool *any, iv_ns now,
                      struct iv_err *err);

/* The task's execution is about to begin, with this step. Where as many have begun meanwhile as may, or a
 * higher rung is about to begin, it waits for its turn again; for an approval where a limit is 0 by now:
 * *recalled, and the step is not to be called. The cause is in the arena. */
iv_rc iv_ramp_recall(bool *recalled, struct iv_store *store, const struct iv_playbooks *playbooks,
                     struct iv_task *task, iv_ns now, struct iv_arena *arena, struct iv_err *err);
