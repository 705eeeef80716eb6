/* SPDX-License-Identifier: Apache-2.0 */
/* Guards: how much a playbook may do before a person has a look.
 * Purpose: limits on its executions, and on the distinct agents, tenants and enclaves that they touch, within
 * a minute, an hour and a day; and on the share of those alive that they touch within an hour. guards.def has
 * those that hold when a playbook says nothing.
 * A share that is given holds however few they are, rounded up. One that is not lets half of a small fleet be
 * touched, but no more than the minute's limit: a twentieth of five agents would leave four to a person.
 * Where it is not known how many are alive (evidence/alive.h), an hour lets no more than the minute's limit,
 * nor than of those that last were. Owner/thread: limits are immutable once parsed; a decision belongs to
 * whoever is inside the store's transaction. Guarantee: the store's own rows are counted, in the transaction
 * that plans and again in the one that begins, so a restart forgets nothing and there is no way past: however
 * long executions were held up, in no window do more begin than it allows, but for those that somebody
 * approved. Limits hold for each store. Not here: what becomes of what was held back (moves.h). */
#pragma once

#include "base/err.h"
#include "base/time.h"
#include "evidence/admitted.h"
#include "evidence/execution.h"

#include <stdbool.h>
#include <stddef.h>

struct iv_problems;
struct iv_store;
struct iv_yaml_node;

enum iv_guard {
#define GUARD(id, name, minute, hour, day, share) IV_GUARD_##id,
#include "respond/guards.def"
#undef GUARD
    IV_GUARDS
};
enum { IV_WINDOWS = 3 }; /* minute, hour, day */

struct iv_limits {
    int64_t most[IV_GUARDS][IV_WINDOWS];
    int64_t share[IV_GUARDS]; /* thousandths of those alive, within an hour; 0 or 1000: none holds */
    bool exact[IV_GUARDS];    /* the share was given */
    iv_ns max_age;            /* of a finding that another process made */
    int64_t ramp_start;       /* executions at work at a time, at first */
    int64_t ramp_errors;      /* thousandths of those that ended which may have gone wrong */
};

/* node: what stands under "guards:"; NULL: nothing. */
void iv_limits_parse(struct iv_limits *out, const struct iv_yaml_node *node, struct iv_problems *problems);

/* Of a playbook that says nothing. */
extern const struct iv_limits iv_limits_default;

enum iv_held {
    IV_HELD_NOT,
    IV_HELD_THIS,  /* for what it touches: another one of the playbook may go */
    IV_HELD_ALL,   /* whatever it touches */
    IV_HELD_NEVER, /* by a limit of 0: no time lets it */
};
#define IV_HELD_BYTES 192
/* Whether one more execution that touches this would be too much, by what was admitted or by what has begun.
 * Then why names the guard and its figures. */
iv_rc iv_limits_decide(const struct iv_limits *limits, enum iv_held *held, char why[IV_HELD_BYTES],
                       struct iv_store *store, const struct iv_execution *execution, enum iv_measure measure,
                       iv_ns now, struct iv_err *err);
/* Whether a finding that was made then is too old to be acted upon unasked. made 0: it is not. */
bool iv_limits_outlived(const struct iv_limits *limits, char why[IV_HELD_BYTES], iv_ns made, iv_ns now);
