/* SPDX-License-Identifier: Apache-2.0 */
/* Plants of the ledger, and of what events say of themselves. Where a chain is broken it is that of a site's
 * log, in which nothing else stands, so that no other event is drawn in. */
#include "fleet/figures.h"
#include "fleet/plants.h"

static struct iv_sim_step *entry(struct iv_sim_case *c, uint64_t site, iv_ns after)
{
    struct iv_sim_step *step = iv_case_add(c, IV_STEP_requested, after);
    step->request = iv_sim_draft_number(c->draft);
    step->site = site;
    return step;
}

void iv_plant_tampered(struct iv_sim_case *c)
{
    struct iv_sim_step *step = iv_case_add(c, IV_STEP_approved, 2 * MS);
    step->request = iv_sim_draft_number(c->draft);
    iv_case_convict(c, "LED-001", step, step);
}

/* Between these two there were others, which nobody has. */
void iv_plant_removed(struct iv_sim_case *c)
{
    uint64_t site = iv_sim_draft_number(c->draft);
    (void)entry(c, site, 2 * MS);
    struct iv_sim_step *last = entry(c, site, 4 * MS);
    last->variant = 1;
    iv_case_convict(c, "LED-002", last, last);
}

void iv_plant_bad_checkpoint(struct iv_sim_case *c)
{
    struct iv_sim_step *checkpoint = iv_case_add(c, IV_STEP_checkpoint, 2 * MS);
    checkpoint->variant = (uint8_t)iv_chance_below(c->draft->chance, 2);
    iv_case_convict(c, "LED-005", checkpoint, checkpoint);
}

void iv_plant_fork(struct iv_sim_case *c)
{
    uint64_t site = iv_sim_draft_number(c->draft);
    struct iv_sim_step *one = entry(c, site, 2 * MS);
    struct iv_sim_step *other = entry(c, site, 4 * MS);
    iv_breach_witness(iv_case_convict(c, "LED-003", one, other), iv_sim_ref_of(other));
    iv_breach_witness(iv_case_convict(c, "LED-003", other, other), iv_sim_ref_of(one));
}

/* The first of the log happens later, and is on record earlier, than the second, which names it. */
void iv_plant_backdated(struct iv_sim_case *c)
{
    uint64_t site = iv_sim_draft_number(c->draft);
    struct iv_sim_step *first = entry(c, site, 502 * MS);
    struct iv_sim_step *second = entry(c, site, 2 * MS);
    second->thing = first->id;
    second->until = first->time;
    second->delay_ms = 600;
    second->variant = 1;
    first->request = second->request;
    iv_case_convict(c, "LED-002", second, second);
    iv_breach_witness(iv_case_convict(c, "LED-004", second, first), iv_sim_ref_of(first));
}

void iv_plant_two_contents(struct iv_sim_case *c)
{
    struct iv_sim_step *one = iv_case_add(c, IV_STEP_sampled, 2 * MS);
    struct iv_sim_step *other = iv_case_add(c, IV_STEP_sampled, 250 * MS);
    one->enclave = other->enclave = 0;
    other->variant = 1;
    other->id = one->id;
    struct iv_sim_breach *breach = iv_case_convict(c, "EVT-001", one, other);
    iv_breach_witness(breach, iv_sim_ref_of(one));
    iv_breach_witness(breach, iv_sim_ref_of(other));
}

void iv_plant_two_answers(struct iv_sim_case *c)
{
    struct iv_sim_step *one = iv_case_add(c, IV_STEP_inference, 2 * MS);
    struct iv_sim_step *other = iv_case_add(c, IV_STEP_inference, 4 * MS);
    one->request = iv_sim_draft_number(c->draft);
    other->request = iv_sim_draft_number(c->draft);
    one->thing = other->thing = one->request;
    other->variant = 1;
    iv_breach_witness(iv_case_convict(c, "DET-001", other, other), iv_sim_ref_of(one));
}

void iv_plant_restricted_answer(struct iv_sim_case *c)
{
    struct iv_sim_step *answer = iv_case_add(c, IV_STEP_inference, 2 * MS);
    answer->request = iv_sim_draft_number(c->draft);
    answer->thing = answer->request;
    iv_case_convict(c, "SEM-001", answer, answer);
}
