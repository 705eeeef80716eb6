/* SPDX-License-Identifier: Apache-2.0 */
/* Plants of tools and of their authorization. */
#include "fleet/figures.h"
#include "fleet/plants.h"
#include "fleet/tools.h"

void iv_plant_bypass(struct iv_sim_case *c)
{
    struct iv_sim_step *run = iv_case_add(c, IV_STEP_executed, 2 * MS);
    run->request = iv_sim_draft_number(c->draft);
    run->enclave = run->enclave != 0 ? run->enclave : iv_sim_draft_number(c->draft);
    run->tool = (uint8_t)iv_chance_below(c->draft->chance, IV_SIM_TOOLS);
    iv_case_convict(c, "TBP-001", run, run);
}

void iv_plant_denied_call(struct iv_sim_case *c)
{
    struct iv_sim_step *verdict = iv_case_authorize(c, 2 * MS);
    verdict->denied = true;
    struct iv_sim_step *run = iv_case_execute(c, verdict, 12 * MS);
    iv_case_convict(c, "TBP-001", run, run);
    iv_breach_witness(iv_case_convict(c, "TBP-002", run, run), iv_sim_ref_of(verdict));
}

/* How the arguments differ is told to the writer by the plant's name. */
void iv_plant_other_arguments(struct iv_sim_case *c)
{
    struct iv_sim_step *leave = iv_case_authorize(c, 2 * MS);
    struct iv_sim_step *run = iv_case_execute(c, leave, 12 * MS);
    iv_case_convict(c, "TBP-001", run, run);
    iv_breach_witness(iv_case_convict(c, "TBP-003", run, run), iv_sim_ref_of(leave));
}

void iv_plant_run_twice(struct iv_sim_case *c)
{
    struct iv_sim_step *leave = iv_case_authorize(c, 2 * MS);
    struct iv_sim_step *first = iv_case_execute(c, leave, 6 * MS);
    struct iv_sim_step *second = iv_case_execute(c, leave, 12 * MS);
    struct iv_sim_breach *breach = iv_case_convict(c, "TBP-004", second, second);
    iv_breach_witness(breach, iv_sim_ref_of(leave));
    iv_breach_witness(breach, iv_sim_ref_of(first));
}

void iv_plant_authorization_over(struct iv_sim_case *c)
{
    struct iv_sim_step *leave = iv_case_authorize(c, 2 * MS);
    leave->until = leave->time + 200 * MS;
    struct iv_sim_step *run = iv_case_execute(c, leave, 450 * MS);
    run->enclave = iv_sim_draft_number(c->draft); /* the session's may have ended by then */
    iv_breach_witness(iv_case_convict(c, "TBP-005", run, run), iv_sim_ref_of(leave));
}

void iv_plant_unapproved_tool(struct iv_sim_case *c)
{
    struct iv_sim_step *leave = iv_case_authorize(c, 2 * MS);
    leave->tool = IV_SIM_UNAPPROVED_TOOL;
    struct iv_sim_step *run = iv_case_execute(c, leave, 12 * MS);
    iv_case_convict(c, "TBP-006", run, run);
}

void iv_plant_bad_receipt(struct iv_sim_case *c)
{
    struct iv_sim_step *leave = iv_case_authorize(c, 2 * MS);
    leave->variant = (uint8_t)iv_chance_below(c->draft->chance, 3);
    iv_case_convict(c, "TBP-007", leave, leave);
}

void iv_plant_no_quorum(struct iv_sim_case *c)
{
    struct iv_sim_step *leave = iv_case_authorize(c, 6 * MS);
    leave->elevated = true;
    struct iv_sim_step *approval = iv_case_add(c, IV_STEP_approved, 2 * MS);
    approval->request = leave->request;
    struct iv_sim_step *run = iv_case_execute(c, leave, 12 * MS);
    iv_breach_witness(iv_case_convict(c, "TBP-008", run, run), iv_sim_ref_of(approval));
}

void iv_plant_beside_graph(struct iv_sim_case *c)
{
    struct iv_sim_step *leave = iv_case_authorize(c, 2 * MS);
    struct iv_sim_step *run = iv_case_execute(c, leave, 12 * MS);
    run->parent = run->tool; /* none calls itself */
    iv_case_convict(c, "TBP-009", run, run);
}

void iv_plant_runaway(struct iv_sim_case *c)
{
    struct iv_sim_step *runs[CANARY_MAX + 1];
    for (int i = 0; i <= CANARY_MAX; i++) {
        iv_ns after = i * 200 * MS;
        struct iv_sim_step *leave = iv_case_authorize(c, after + 2 * MS);
        runs[i] = iv_case_execute(c, leave, after + 12 * MS);
        leave->alias = runs[i]->alias = c->alias;
        runs[i]->enclave = iv_sim_draft_number(c->draft);
        runs[i]->token = 0;
    }
    struct iv_sim_breach *breach = iv_case_convict(c, "TBP-010", runs[CANARY_MAX], runs[CANARY_MAX]);
    for (int i = 0; i < CANARY_MAX; i++) {
        iv_breach_witness(breach, iv_sim_ref_of(runs[i]));
    }
}

void iv_plant_flagged_call(struct iv_sim_case *c)
{
    struct iv_sim_step *flag = iv_case_add(c, IV_STEP_flagged, 3 * MS);
    flag->request = c->host->request;
    iv_breach_witness(iv_case_convict(c, "TBP-011", flag, flag), iv_sim_ref_of(c->host));
}

void iv_plant_output_above_tier(struct iv_sim_case *c)
{
    struct iv_sim_step *leave = iv_case_authorize(c, 2 * MS);
    struct iv_sim_step *run = iv_case_execute(c, leave, 12 * MS);
    run->tier = 5;
    iv_breach_witness(iv_case_convict(c, "CFD-002", run, run), c->facts->issued);
}
