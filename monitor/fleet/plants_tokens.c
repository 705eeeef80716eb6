/* SPDX-License-Identifier: Apache-2.0 */
/* Plants of tokens. */
#include "fleet/figures.h"
#include "fleet/plants.h"

static struct iv_sim_step *use(struct iv_sim_case *c, uint64_t token, iv_ns after)
{
    struct iv_sim_step *step = iv_case_add(c, IV_STEP_used, after);
    step->token = token;
    step->request = iv_sim_draft_number(c->draft);
    return step;
}

static struct iv_sim_step *end(struct iv_sim_case *c, enum iv_step_kind kind,
                               const struct iv_sim_step *issued, iv_ns after)
{
    struct iv_sim_step *step = iv_case_add(c, kind, after);
    step->enclave = 0;
    step->token = issued->token;
    return step;
}

void iv_plant_expired_token(struct iv_sim_case *c)
{
    iv_ns late = c->facts->expires + SKEW + iv_chance_between(c->draft->chance, 10, 600) * MS;
    struct iv_sim_step *step = use(c, c->host->token, late - c->at);
    step->enclave = 0; /* which ended long ago */
    iv_breach_witness(iv_case_convict(c, "TOK-001", step, step), c->facts->issued);
}

/* A session's token lives 3s longer than the session, so that this one does not break TOK-001 as well. */
void iv_plant_revoked_token(struct iv_sim_case *c)
{
    iv_ns late = PROPAGATION + iv_chance_between(c->draft->chance, 10, 600) * MS;
    struct iv_sim_step *step = use(c, c->host->token, late);
    step->enclave = 0;
    iv_breach_witness(iv_case_convict(c, "TOK-002", step, step), iv_sim_ref_of(c->host));
}

void iv_plant_immortal_token(struct iv_sim_case *c)
{
    iv_case_convict_absence(c, "TOK-003", iv_case_issue(c, IMMORTAL - SKEW), IMMORTAL);
}

void iv_plant_long_lived_token(struct iv_sim_case *c)
{
    struct iv_sim_step *issued = iv_case_issue(c, 24 * MAX_TTL);
    end(c, IV_STEP_revoked, issued, 40 * MS);
    iv_case_convict(c, "TOK-004", issued, issued);
}

void iv_plant_second_use(struct iv_sim_case *c)
{
    struct iv_sim_step *issued = iv_case_issue(c, 10 * S);
    issued->single_use = true;
    struct iv_sim_step *first = use(c, issued->token, 10 * MS);
    struct iv_sim_step *second = use(c, issued->token, 60 * MS);
    end(c, IV_STEP_revoked, issued, 120 * MS);
    first->enclave = second->enclave = 0;
    struct iv_sim_breach *breach = iv_case_convict(c, "TOK-005", issued, second);
    iv_breach_witness(breach, iv_sim_ref_of(first));
    iv_breach_witness(breach, iv_sim_ref_of(second));
}

void iv_plant_ungranted_scope(struct iv_sim_case *c)
{
    struct iv_sim_step *step = use(c, c->facts->token, 2 * MS);
    iv_breach_witness(iv_case_convict(c, "TOK-006", step, step), c->facts->issued);
}

void iv_plant_stolen_token(struct iv_sim_case *c)
{
    struct iv_sim_step *step = use(c, c->facts->token, 2 * MS);
    step->enclave = iv_sim_draft_number(c->draft);
    iv_breach_witness(iv_case_convict(c, "TOK-007", step, step), c->facts->issued);
}

void iv_plant_early_expiry(struct iv_sim_case *c)
{
    struct iv_sim_step *issued = iv_case_issue(c, 10 * S);
    struct iv_sim_step *expired = end(c, IV_STEP_expired, issued, 150 * MS);
    iv_breach_witness(iv_case_convict(c, "TOK-008", expired, expired), iv_sim_ref_of(issued));
}

void iv_plant_forged_token(struct iv_sim_case *c)
{
    struct iv_sim_step *step = use(c, iv_sim_draft_number(c->draft), 2 * MS);
    step->enclave = 0;
    iv_case_convict(c, "TOK-009", step, step);
}
