/* SPDX-License-Identifier: Apache-2.0 */
/* Planting violations: what each kind adds to the traffic.
 * Guarantee: a plant breaks the rules that its breaches name, and no others; nothing that it adds is
 * used by anything else.
 * Not here: which is planted, and when (quota.h). */
#pragma once

#include "fleet/draft.h"

/* Beside what a plant can happen. */
enum iv_plant_host {
    IV_HOST_any,  /* any step of an agent */
    IV_HOST_work, /* while the enclave and the token of a session live, and for 50ms more */
    IV_HOST_executed,
    IV_HOST_created,
    IV_HOST_terminated,
    IV_HOST_expired,
    IV_HOST_revoked,
    IV_HOST_absence, /* any, if the deadline comes before the stream's end; else before its beginning */
    IV_HOST_past,    /* before the stream begins */
};

/* What is being planted. */
struct iv_sim_case {
    struct iv_sim_draft *draft;
    enum iv_plant_id plant;
    iv_ns at;
    const struct iv_sim_step *host;   /* NULL: in the past */
    const struct iv_sim_facts *facts; /* of the host's session; NULL: not while it works */
    uint32_t alias;                   /* for an agent of its own */
    iv_ns skew;                       /* of the fleet's baseline */
};

struct iv_plant_kind {
    const char *name;
    enum iv_plant_host host;
    unsigned yield;
    iv_ns span;
    void (*plant)(struct iv_sim_case *c);
};

extern const struct iv_plant_kind iv_plant_kinds[IV_PLANTS];

/* A step of the plant, so long after its host; of the enclave and token of the session that works. */
struct iv_sim_step *iv_case_add(struct iv_sim_case *c, enum iv_step_kind kind, iv_ns after);
/* An authorization of a request of its own, and an execution under it: in an enclave, so that playbooks know
 * where. */
struct iv_sim_step *iv_case_authorize(struct iv_sim_case *c, iv_ns after);
struct iv_sim_step *iv_case_execute(struct iv_sim_case *c, const struct iv_sim_step *leave, iv_ns after);
/* A token for the plant alone, good for so long. */
struct iv_sim_step *iv_case_issue(struct iv_sim_case *c, iv_ns life);

/* The step breaks the rule, which is proven as soon as the other has happened. */
struct iv_sim_breach *iv_case_convict(struct iv_sim_case *c, const char *rule,
                                      const struct iv_sim_step *trigger, const struct iv_sim_step *proof);
/* The step breaks the rule when the deadline has passed without an answer. */
void iv_case_convict_absence(struct iv_sim_case *c, const char *rule, const struct iv_sim_step *trigger,
                             iv_ns span);
/* In order of their time. */
void iv_breach_witness(struct iv_sim_breach *breach, struct iv_sim_ref witness);

#define PLANT(id, host, yield, span, doc) void iv_plant_##id(struct iv_sim_case *c);
#include "fleet/plants.def"
#undef PLANT
