/* SPDX-License-Identifier: Apache-2.0 */
/* The data of a step's event, as canonical JSON (RFC 8785: members in order of their names, shortest
 * numbers).
 * Owner/thread: a world is immutable; any thread may write. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "event/sign.h"
#include "fleet/names.h"
#include "fleet/step.h"
#include "fleet/text.h"

struct iv_sim_world {
    uint32_t tenants;
    struct iv_signer *orchestrator; /* signs receipts */
    struct iv_signer *ledger;       /* signs checkpoints */
    struct iv_signer *stranger;     /* signs some that are planted; nobody has its key */
    /* Names that come again and again. */
    struct iv_sim_name tenant[IV_SIM_TENANTS_MAX];
    struct iv_sim_name source_of_tenant[IV_SIM_TENANTS_MAX];
    struct iv_sim_name log_of_tenant[IV_SIM_TENANTS_MAX];
    struct iv_sim_name source_of_node[IV_SIM_NODES];
};

#define IV_SIM_ORCHESTRATOR_KEY "orchestrator-1"
#define IV_SIM_LEDGER_KEY "log-1"

iv_rc iv_sim_world_init(struct iv_sim_world *world, uint64_t seed, uint32_t tenants, struct iv_err *err);
void iv_sim_world_deinit(struct iv_sim_world *world);

/* Of any step but a checkpoint: what that says depends on its log. */
void iv_sim_write_data(struct iv_sim_text *t, const struct iv_sim_world *world,
                       const struct iv_sim_step *step);
void iv_sim_write_agent(struct iv_sim_text *t, const struct iv_sim_step *step);

#define STEP(id, stream, type)                                                                               \
    void iv_sim_write_##id(struct iv_sim_text *t, const struct iv_sim_world *w, const struct iv_sim_step *s);
#include "fleet/steps.def"
#undef STEP
