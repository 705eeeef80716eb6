/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/owners.h"

void iv_sim_owners_note(struct iv_sim_owners *owners, const struct iv_sim_draft *draft)
{
    uint64_t last = 0; /* most steps of a draft are of one enclave */
    for (size_t i = 0; i < draft->count; i++) {
        const struct iv_sim_step *step = &draft->steps[i];
        if (step->enclave != 0 && step->enclave != last) {
            last = step->enclave;
            owners->items[owners->count++ % IV_SIM_OWNERS_MAX] =
                (struct iv_sim_owner){.enclave = last, .agent = step->agent, .alias = step->alias};
        }
    }
}

const struct iv_sim_owner *iv_sim_owners_find(const struct iv_sim_owners *owners, uint64_t enclave)
{
    size_t known = owners->count < IV_SIM_OWNERS_MAX ? owners->count : IV_SIM_OWNERS_MAX;
    for (size_t i = 1; i <= known; i++) { /* the newest first */
        const struct iv_sim_owner *owner = &owners->items[(owners->count - i) % IV_SIM_OWNERS_MAX];
        if (owner->enclave == enclave) {
            return owner;
        }
    }
    return NULL;
}
