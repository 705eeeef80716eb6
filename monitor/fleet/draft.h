/* SPDX-License-Identifier: Apache-2.0 */
/* What an agent is going to do, while it is being thought out: a session, or something planted.
 * Owner/thread: the fleet's; a draft is filled, then made into a plan, which lives until its last step has
 * happened. */
#pragma once

#include "base/err.h"
#include "fleet/chance.h"
#include "fleet/step.h"

#define IV_SIM_STEPS_MAX 128
#define IV_SIM_BREACHES_MAX 4
#define IV_SIM_WITNESSES_MAX 8

struct iv_sim_ref {
    uint64_t id;
    enum iv_stream stream;
};

/* A violation, and what proves it. */
struct iv_sim_breach {
    const char *rule;
    struct iv_sim_ref trigger;
    iv_ns time;
    struct iv_sim_ref witnesses[IV_SIM_WITNESSES_MAX]; /* by time */
    size_t witness_count;
    uint64_t proof; /* the last event that must have happened, and when */
    iv_ns proven;
    iv_ns deadline; /* of an absence: it must be reached too. Else the same as proven */
};

/* Of a session, for what happens beside it. */
struct iv_sim_facts {
    uint64_t enclave;
    uint64_t token;
    iv_ns expires;
    struct iv_sim_ref created;
    struct iv_sim_ref issued;
};

struct iv_sim_draft {
    uint64_t seed;
    uint64_t order; /* unlike that of any other draft: all its numbers follow from it */
    const struct iv_sim_agent *agent;
    struct iv_chance *chance;
    unsigned numbers;
    size_t count;
    size_t breach_count;
    struct iv_sim_facts facts;
    struct iv_sim_step steps[IV_SIM_STEPS_MAX];
    struct iv_sim_breach breaches[IV_SIM_BREACHES_MAX];
};

struct iv_sim_plan {
    uint64_t order;
    size_t next; /* step */
    size_t count;
    size_t breach_count;
    bool hosts; /* something can be planted beside its steps */
    struct iv_sim_facts facts;
    struct iv_sim_breach *breaches;
    struct iv_sim_step steps[];
};

void iv_sim_draft_begin(struct iv_sim_draft *draft, uint64_t seed, uint64_t order,
                        const struct iv_sim_agent *agent, struct iv_chance *chance);
/* A number that stands for something new. */
uint64_t iv_sim_draft_number(struct iv_sim_draft *draft);
/* The answer is valid until the draft begins again. */
struct iv_sim_step *iv_sim_draft_add(struct iv_sim_draft *draft, enum iv_step_kind kind, iv_ns time);

/* The steps in order of their time; those of one time as they were added. Free it with iv_free. */
iv_rc iv_sim_plan_of(struct iv_sim_plan **out, const struct iv_sim_draft *draft, struct iv_err *err);

static inline struct iv_sim_ref iv_sim_ref_of(const struct iv_sim_step *step)
{
    return (struct iv_sim_ref){step->id, iv_sim_stream((enum iv_step_kind)step->kind)};
}
