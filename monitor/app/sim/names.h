/* SPDX-License-Identifier: Apache-2.0 */
/* The names in a simulated fleet: each follows from the seed and from what it names, so nothing is
 * remembered. */
#pragma once

#include "app/sim/session.h"
#include "base/buf.h"
#include "base/str.h"

struct iv_sim_name {
    char text[104];
};

/* What a name or digest is of; part of what it is mixed from. */
enum iv_sim_sort {
    IV_SIM_ENCLAVE = 1,
    IV_SIM_TOKEN,
    IV_SIM_REQUEST,
    IV_SIM_KEY,
    IV_SIM_IMAGE,
    IV_SIM_ARGS,
    IV_SIM_INPUT,
    IV_SIM_OUTPUT,
    IV_SIM_EVENT,
    IV_SIM_GHOST,
    IV_SIM_RECEIPT
};

struct iv_sim_name iv_sim_tenant(uint32_t tenant);
struct iv_sim_name iv_sim_agent_name(const struct iv_sim_agent *agent);
struct iv_sim_name iv_sim_id(uint64_t seed, enum iv_sim_sort sort, uint64_t session, unsigned part);
/* digits hex digits, at most 96: what a digest looks like. */
struct iv_sim_name iv_sim_hex(uint64_t seed, enum iv_sim_sort sort, uint64_t session, unsigned part,
                              unsigned digits);

/* The event of a step: where it comes from, and its id there. */
struct iv_sim_name iv_sim_source(const struct iv_sim_agent *agent, enum iv_stream stream);
struct iv_sim_name iv_sim_event_id(uint64_t seed, const struct iv_sim_step *step);
