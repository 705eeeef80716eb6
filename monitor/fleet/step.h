/* SPDX-License-Identifier: Apache-2.0 */
/* One thing that happens in the fleet: an event, before it is written.
 * What it is about are numbers; names.h says how they read. A step needs nothing else that lives on. */
#pragma once

#include "base/time.h"
#include "event/catalogue.h"

#include <stdbool.h>
#include <stdint.h>

enum iv_step_kind {
#define STEP(id, stream, type) IV_STEP_##id,
#include "fleet/steps.def"
#undef STEP
    IV_STEPS
};

enum iv_plant_id {
    IV_PLANT_none,
#define PLANT(id, host, yield, span, doc) IV_PLANT_##id,
#include "fleet/plants.def"
#undef PLANT
    IV_PLANTS
};

struct iv_sim_name {
    char text[55];
    uint8_t n;
};

struct iv_sim_agent {
    struct iv_sim_name name;
    uint32_t number;
    uint32_t tenant;
    bool edge;       /* its profile; else standard */
    iv_ns next_beat; /* a beat of another time is one of an earlier life */
};

struct iv_sim_step {
    iv_ns time;
    uint64_t id; /* of the event: with its source unique, unless that is what is planted */
    uint64_t enclave;
    uint64_t token;
    uint64_t request;
    uint64_t
        thing; /* what else it is about: an update, a key, an object, a change, a prompt, an enclave's key */
    uint64_t site; /* the log of a site, not the tenant's: only planted. 0: the tenant's */
    iv_ns until;   /* expires_at, not_after */
    const struct iv_sim_agent *agent;
    uint32_t alias;    /* a short-lived agent of that number, in the place of the agent. 0: the agent */
    uint16_t delay_ms; /* on its way, at the least. 0: by chance */
    uint8_t kind;      /* enum iv_step_kind */
    uint8_t plant;     /* enum iv_plant_id: part of what was planted, and written accordingly */
    uint8_t variant;   /* of the plant */
    uint8_t tool;
    uint8_t parent; /* a tool, or IV_SIM_NO_TOOL */
    uint8_t tier;
    uint8_t approver;
    bool elevated;
    bool denied;
    bool single_use;
    bool personal;
    bool aside; /* not the main course of its session: nothing is planted beside it */
};

#define IV_SIM_NO_TOOL 255

const char *iv_sim_type(enum iv_step_kind kind);
enum iv_stream iv_sim_stream(enum iv_step_kind kind);
