/* SPDX-License-Identifier: Apache-2.0 */
/* The names in a simulated fleet: each follows from a number, so nothing is remembered. */
#pragma once

#include "base/str.h"
#include "fleet/step.h"

#define IV_SIM_TENANTS_MAX 64
#define IV_SIM_NODES 16

static inline struct iv_str iv_sim_str(const struct iv_sim_name *name)
{
    return (struct iv_str){name->text, name->n};
}

struct iv_sim_name iv_sim_tenant(uint32_t tenant);
/* Names an agent by its number, and sets its profile. */
void iv_sim_name_agent(struct iv_sim_agent *agent);
/* A short-lived agent. */
struct iv_sim_name iv_sim_canary(uint32_t alias);
/* Where an event comes from: the tenant's orchestrator, or the agent's node. */
struct iv_sim_name iv_sim_source(const struct iv_sim_agent *agent, enum iv_stream stream);
/* The log that a ledger event belongs to: its tenant's, or one of a site of its own for a planted event. */
struct iv_sim_name iv_sim_log(const struct iv_sim_step *step);
/* 32 hex digits: the id of an event. */
struct iv_sim_name iv_sim_event_id(uint64_t id);
/* The number's 16 hex digits. No NUL. */
void iv_sim_hex16(char out[16], uint64_t number);
/* digits hex digits that follow from the number, a multiple of 16: what a digest looks like. No NUL. */
void iv_sim_hex(char *out, uint64_t number, unsigned digits);
