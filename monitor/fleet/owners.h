/* SPDX-License-Identifier: Apache-2.0 */
/* Whose the enclaves are that were last in use.
 * Purpose: who ends an enclave from outside ends it under its own agent and tenant.
 * Owner/thread: the fleet's. Guarantee: bounded; of more than IV_SIM_OWNERS_MAX the oldest are forgotten. */
#pragma once

#include "fleet/draft.h"

#define IV_SIM_OWNERS_MAX 16384 /* of a hundred agents those of half an hour: an order takes seconds */

struct iv_sim_owner {
    uint64_t enclave;
    const struct iv_sim_agent *agent;
    uint32_t alias;
};

struct iv_sim_owners {
    struct iv_sim_owner items[IV_SIM_OWNERS_MAX];
    size_t count; /* ever */
};

/* Those of a draft's steps. */
void iv_sim_owners_note(struct iv_sim_owners *owners, const struct iv_sim_draft *draft);
/* NULL: it is none of the fleet's, or forgotten. Valid until the next are noted. */
const struct iv_sim_owner *iv_sim_owners_find(const struct iv_sim_owners *owners, uint64_t enclave);
