/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/plants.h"
#include "base/guard.h"
#include "fleet/figures.h"
#include "fleet/tools.h"

const struct iv_plant_kind iv_plant_kinds[IV_PLANTS] = {
#define PLANT(id, host, yield, span, doc) [IV_PLANT_##id] = {#id, IV_HOST_##host, yield, span, iv_plant_##id},
#include "fleet/plants.def"
#undef PLANT
};

struct iv_sim_step *iv_case_add(struct iv_sim_case *c, enum iv_step_kind kind, iv_ns after)
{
    struct iv_sim_step *step = iv_sim_draft_add(c->draft, kind, c->at + after);
    step->plant = (uint8_t)c->plant;
    step->tier = 1;
    if (c->facts != NULL) {
        step->enclave = c->facts->enclave;
        step->token = c->facts->token;
    }
    return step;
}

struct iv_sim_step *iv_case_authorize(struct iv_sim_case *c, iv_ns after)
{
    struct iv_sim_step *leave = iv_case_add(c, IV_STEP_authorized, after);
    leave->request = iv_sim_draft_number(c->draft);
    leave->tool = (uint8_t)iv_chance_below(c->draft->chance, IV_SIM_TOOLS);
    leave->until = leave->time + 60 * S;
    return leave;
}

struct iv_sim_step *iv_case_execute(struct iv_sim_case *c, const struct iv_sim_step *leave, iv_ns after)
{
    struct iv_sim_step *run = iv_case_add(c, IV_STEP_executed, after);
    run->request = leave->request;
    run->enclave = run->enclave != 0 ? run->enclave : iv_sim_draft_number(c->draft);
    run->tool = leave->tool;
    run->elevated = leave->elevated;
    return run;
}

struct iv_sim_step *iv_case_issue(struct iv_sim_case *c, iv_ns life)
{
    struct iv_sim_step *issued = iv_case_add(c, IV_STEP_issued, 1 * MS);
    issued->enclave = 0;
    issued->token = iv_sim_draft_number(c->draft);
    issued->request = iv_sim_draft_number(c->draft);
    issued->until = issued->time + life;
    return issued;
}

struct iv_sim_breach *iv_case_convict(struct iv_sim_case *c, const char *rule,
                                      const struct iv_sim_step *trigger, const struct iv_sim_step *proof)
{
    IV_CHECK(c->draft->breach_count < IV_SIM_BREACHES_MAX);
    struct iv_sim_breach *breach = &c->draft->breaches[c->draft->breach_count++];
    *breach = (struct iv_sim_breach){.rule = rule,
                                     .trigger = iv_sim_ref_of(trigger),
                                     .time = trigger->time,
                                     .proof = proof->id,
                                     .proven = proof->time,
                                     .deadline = proof->time};
    return breach;
}

void iv_case_convict_absence(struct iv_sim_case *c, const char *rule, const struct iv_sim_step *trigger,
                             iv_ns span)
{
    iv_case_convict(c, rule, trigger, trigger)->deadline = trigger->time + span;
}

void iv_breach_witness(struct iv_sim_breach *breach, struct iv_sim_ref witness)
{
    IV_CHECK(breach->witness_count < IV_SIM_WITNESSES_MAX);
    breach->witnesses[breach->witness_count++] = witness;
}
