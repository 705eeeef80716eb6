/* SPDX-License-Identifier: Apache-2.0 */
/* One session of an agent: an enclave, a token, a few tool calls, planned as a list of steps when it begins.
 * Not here: how a step becomes an event (step_data.c, emit.c). */
#pragma once

#include "app/sim/chance.h"
#include "base/err.h"
#include "base/time.h"
#include "event/catalogue.h"

#include <stdbool.h>
#include <stdint.h>

enum iv_step_kind {
#define STEP(id, stream, type) IV_SIM_##id,
#include "app/sim/steps.def"
#undef STEP
    IV_SIM_STEPS
};

enum iv_plant_kind {
    IV_PLANT_NONE,
#define PLANT(id, doc) IV_PLANT_##id,
#include "app/sim/plants.def"
#undef PLANT
    IV_PLANTS
};

struct iv_sim_agent {
    uint32_t number;
    uint32_t tenant;
};

#define IV_SIM_CALLS_MAX 4
#define IV_SIM_STEPS_MAX 64

struct iv_sim_session {
    uint64_t number;
    const struct iv_sim_agent *agent;
    enum iv_plant_kind plant;
    iv_ns begin;
    iv_ns issued;
    iv_ns expires;
    unsigned calls;
    bool elevated[IV_SIM_CALLS_MAX]; /* the call needs two approvers */
    uint32_t steps_left;             /* not handed out yet: the last one frees the session */
};

/* A violation that a step is the trigger of. */
struct iv_sim_breach {
    const char *rule; /* NULL: the end of a list */
    bool has_witness;
    enum iv_step_kind witness;
    uint8_t witness_call;
    bool until_expiry; /* violated only once the token's expiry and the skew have passed */
};

struct iv_sim_step {
    iv_ns time;
    iv_ns arrival;
    uint64_t order; /* of planning: breaks ties, so that the stream is reproducible */
    enum iv_step_kind kind;
    uint8_t call; /* which tool call of the session; for APPROVED the approver too, call + 16 * approver */
    const struct iv_sim_agent *agent;
    struct iv_sim_session *session;       /* NULL: of the agent itself */
    const struct iv_sim_breach *breaches; /* planted: a list; NULL: none */
};

struct iv_sim_plan {
    struct iv_sim_step steps[IV_SIM_STEPS_MAX];
    size_t count;
    iv_ns end; /* when the agent is free again */
};

/* Plans the session's steps and fills in its times. */
void iv_sim_session_plan(struct iv_sim_plan *plan, struct iv_sim_session *session, struct iv_chance *chance);

/* Changes the plan so that it breaks the session's plant's rules, and no others. */
void iv_sim_plant(struct iv_sim_plan *plan, struct iv_sim_session *session);

/* The plan's first step of a kind and call, NULL if there is none. */
struct iv_sim_step *iv_sim_plan_find(struct iv_sim_plan *plan, enum iv_step_kind kind, unsigned call);
struct iv_sim_step *iv_sim_plan_add(struct iv_sim_plan *plan, const struct iv_sim_session *session,
                                    enum iv_step_kind kind, unsigned call, iv_ns time);
void iv_sim_plan_remove(struct iv_sim_plan *plan, const struct iv_sim_step *step);

const char *iv_sim_type(enum iv_step_kind kind);
enum iv_stream iv_sim_stream(enum iv_step_kind kind);
