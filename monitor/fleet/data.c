/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/data.h"
#include "base/guard.h"

typedef void (*data_fn)(struct iv_sim_text *t, const struct iv_sim_world *world,
                        const struct iv_sim_step *step);

static const data_fn writers[IV_STEPS] = {
#define STEP(id, stream, type) iv_sim_write_##id,
#include "fleet/steps.def"
#undef STEP
};

void iv_sim_write_data(struct iv_sim_text *t, const struct iv_sim_world *world,
                       const struct iv_sim_step *step)
{
    PUT(t, "{");
    writers[step->kind](t, world, step);
    PUT(t, "}");
}

void iv_sim_write_agent(struct iv_sim_text *t, const struct iv_sim_step *step)
{
    if (step->alias == 0) {
        iv_put_name(t, &step->agent->name);
    } else {
        struct iv_sim_name name = iv_sim_canary(step->alias);
        iv_put_name(t, &name);
    }
}

static iv_rc make_signer(struct iv_signer **out, uint64_t seed, struct iv_err *err)
{
    unsigned char key[32];
    for (size_t i = 0; i < sizeof key; i++) {
        key[i] = (unsigned char)iv_mix(seed * 64 + i);
    }
    return iv_signer_of_seed(out, key, err);
}

iv_rc iv_sim_world_init(struct iv_sim_world *world, uint64_t seed, uint32_t tenants, struct iv_err *err)
{
    IV_CHECK(tenants <= IV_SIM_TENANTS_MAX);
    world->tenants = tenants;
    for (uint32_t i = 0; i < tenants; i++) {
        struct iv_sim_agent agent = {.tenant = i};
        struct iv_sim_step step = {.agent = &agent};
        world->tenant[i] = iv_sim_tenant(i);
        world->source_of_tenant[i] = iv_sim_source(&agent, IV_LEDGER);
        world->log_of_tenant[i] = iv_sim_log(&step);
    }
    for (uint32_t i = 0; i < IV_SIM_NODES; i++) {
        world->source_of_node[i] = iv_sim_source(&(struct iv_sim_agent){.number = i}, IV_TELEMETRY);
    }
    TRY(make_signer(&world->orchestrator, seed, err));
    TRY(make_signer(&world->ledger, seed ^ UINT64_C(0x6c6f67) << 40, err));
    return make_signer(&world->stranger, ~seed, err);
}

void iv_sim_world_deinit(struct iv_sim_world *world)
{
    iv_signer_free(world->orchestrator);
    iv_signer_free(world->ledger);
    iv_signer_free(world->stranger);
}
