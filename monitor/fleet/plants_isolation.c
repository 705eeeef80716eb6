/* SPDX-License-Identifier: Apache-2.0 */
/* Plants of enclaves and of the data that they see. */
#include "fleet/figures.h"
#include "fleet/plants.h"

static struct iv_sim_step *access_own(struct iv_sim_case *c, iv_ns after)
{
    struct iv_sim_step *access = iv_case_add(c, IV_STEP_accessed, after);
    access->enclave = c->facts->enclave;
    return access;
}

void iv_plant_no_enclave(struct iv_sim_case *c)
{
    struct iv_sim_step *access = iv_case_add(c, IV_STEP_accessed, 2 * MS);
    access->enclave = iv_sim_draft_number(c->draft);
    iv_case_convict(c, "ISO-005", access, access);
}

void iv_plant_cross_tenant(struct iv_sim_case *c)
{
    struct iv_sim_step *access = access_own(c, 2 * MS);
    iv_breach_witness(iv_case_convict(c, "ISO-001", access, access), c->facts->created);
}

void iv_plant_shared_key(struct iv_sim_case *c)
{
    struct iv_sim_step *created = iv_case_add(c, IV_STEP_created, 5 * MS);
    created->enclave = iv_sim_draft_number(c->draft);
    created->token = 0;
    created->thing = c->host->thing;
    iv_breach_witness(iv_case_convict(c, "ISO-002", created, created), iv_sim_ref_of(c->host));
}

void iv_plant_after_termination(struct iv_sim_case *c)
{
    struct iv_sim_step *access = iv_case_add(c, IV_STEP_accessed, 700 * MS);
    access->enclave = c->host->enclave;
    iv_breach_witness(iv_case_convict(c, "ISO-003", access, access), iv_sim_ref_of(c->host));
}

void iv_plant_not_shredded(struct iv_sim_case *c)
{
    struct iv_sim_step *end = iv_case_add(c, IV_STEP_terminated, 0);
    end->enclave = iv_sim_draft_number(c->draft);
    iv_case_convict_absence(c, "ISO-004", end, SHRED);
}

void iv_plant_reused_enclave(struct iv_sim_case *c)
{
    struct iv_sim_step *first = iv_case_add(c, IV_STEP_created, 2 * MS);
    struct iv_sim_step *second = iv_case_add(c, IV_STEP_created, 12 * MS);
    first->enclave = second->enclave = iv_sim_draft_number(c->draft);
    first->token = iv_sim_draft_number(c->draft);
    second->token = iv_sim_draft_number(c->draft);
    first->thing = iv_sim_draft_number(c->draft);
    second->thing = iv_sim_draft_number(c->draft);
    iv_breach_witness(iv_case_convict(c, "ISO-006", second, second), iv_sim_ref_of(first));
}

void iv_plant_egress_beside(struct iv_sim_case *c)
{
    struct iv_sim_step *out = iv_case_add(c, IV_STEP_egress, 2 * MS);
    out->enclave = c->facts != NULL ? c->facts->enclave : iv_sim_draft_number(c->draft);
    out->variant = (uint8_t)iv_chance_below(c->draft->chance, 2);
    iv_case_convict(c, "ISO-007", out, out);
}

void iv_plant_above_tier(struct iv_sim_case *c)
{
    struct iv_sim_step *access = access_own(c, 2 * MS);
    access->tier = 5;
    iv_breach_witness(iv_case_convict(c, "CFD-001", access, access), c->facts->issued);
}

void iv_plant_no_purpose(struct iv_sim_case *c)
{
    struct iv_sim_step *access = access_own(c, 2 * MS);
    access->personal = true;
    access->variant = (uint8_t)iv_chance_below(c->draft->chance, 2);
    iv_case_convict(c, "PRV-003", access, access);
}
