/* SPDX-License-Identifier: Apache-2.0 */
/* Which violation is planted next, so that they are the share of the events that was asked for, and
 * every rule has its part of them.
 * Guarantee: the share is met within a few percent, in a stream of a thousand events and more. Each
 * rule has a violation where there are some sixty of them, and the stream lasts twenty seconds or
 * longer. In a shorter one, those come first that are proven at once. The share is of violations; at
 * most IV_QUOTA_MAX. */
#pragma once

#include "fleet/chance.h"
#include "fleet/plants.h"

#define IV_QUOTA_MAX 0.3
#define IV_QUOTA_RAMP 10        /* seconds */
#define IV_QUOTA_PER_SECOND 1.6 /* events */

struct iv_sim_quota {
    double rate;       /* of the traffic, without what lies before it */
    uint64_t happened; /* events of the traffic */
    uint64_t planted;  /* violations in it */
    uint64_t events;   /* of the traffic in all; 0: without end */
    double agents;
    bool elsewhere[IV_PLANTS]; /* never in the traffic, in the past at most */
    uint64_t count[IV_PLANTS];
    uint64_t past[IV_PLANTS]; /* how many are planted before the stream begins */
};

/* events 0: without end; history: some things are planted before the stream begins. All agents start within
 * IV_QUOTA_RAMP, and then make IV_QUOTA_PER_SECOND events a second each. */
void iv_sim_quota_init(struct iv_sim_quota *quota, double rate, uint64_t events, unsigned agents,
                       bool history);
/* How many violations are planted before the stream begins. */
uint64_t iv_sim_quota_past(const struct iv_sim_quota *quota);
/* What is planted beside a step, and counts it; IV_PLANT_none: nothing more. used: what was planted beside it
 * already. */
enum iv_plant_id iv_sim_quota_next(struct iv_sim_quota *quota, const struct iv_sim_step *host, bool working,
                                   uint64_t used, struct iv_chance *chance);
