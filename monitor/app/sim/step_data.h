/* SPDX-License-Identifier: Apache-2.0 */
/* The data of a step's event, as canonical JSON (RFC 8785: members in order of their names). */
#pragma once

#include "app/sim/session.h"
#include "base/buf.h"
#include "event/sign.h"

struct iv_sim_world {
    uint64_t seed;
    uint32_t tenants;
    struct iv_signer *orchestrator; /* signs receipts */
    struct iv_buf receipt;          /* scratch */
};

void iv_sim_data(struct iv_buf *out, struct iv_sim_world *world, const struct iv_sim_step *step);

#define IV_SIM_ORCHESTRATOR_KEY "orchestrator-1"
