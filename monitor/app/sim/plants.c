/* SPDX-License-Identifier: Apache-2.0 */
#include "app/sim/session.h"
#include "base/guard.h"

#define MS IV_NS_PER_MS

typedef void (*plant_fn)(struct iv_sim_plan *plan, struct iv_sim_session *s);

/* The token's end, whichever it is; the plan has one or the other. */
static struct iv_sim_step *end_of_token(struct iv_sim_plan *plan)
{
    struct iv_sim_step *end = iv_sim_plan_find(plan, IV_SIM_EXPIRED, 0);
    return end != NULL ? end : iv_sim_plan_find(plan, IV_SIM_REVOKED, 0);
}

static iv_ns end_of_work(struct iv_sim_plan *plan)
{
    return iv_sim_plan_find(plan, IV_SIM_TERMINATED, 0)->time - 50 * MS;
}

static void plant_cross_tenant(struct iv_sim_plan *plan, struct iv_sim_session *s)
{
    static const struct iv_sim_breach breaches[] = {
        {.rule = "ISO-001", .has_witness = true, .witness = IV_SIM_CREATED}, {.rule = NULL}};
    iv_sim_plan_add(plan, s, IV_SIM_FOREIGN, 0, end_of_work(plan))->breaches = breaches;
}

static void plant_after_termination(struct iv_sim_plan *plan, struct iv_sim_session *s)
{
    static const struct iv_sim_breach breaches[] = {
        {.rule = "ISO-003", .has_witness = true, .witness = IV_SIM_TERMINATED}, {.rule = NULL}};
    iv_ns dead = iv_sim_plan_find(plan, IV_SIM_TERMINATED, 0)->time;
    iv_sim_plan_add(plan, s, IV_SIM_ACCESSED, IV_SIM_CALLS_MAX, dead + 700 * MS)->breaches = breaches;
}

static void plant_no_enclave(struct iv_sim_plan *plan, struct iv_sim_session *s)
{
    static const struct iv_sim_breach breaches[] = {{.rule = "ISO-005"}, {.rule = NULL}};
    iv_sim_plan_add(plan, s, IV_SIM_GHOST_ACCESS, 0, end_of_work(plan))->breaches = breaches;
}

static void plant_expired_token(struct iv_sim_plan *plan, struct iv_sim_session *s)
{
    static const struct iv_sim_breach breaches[] = {
        {.rule = "TOK-001", .has_witness = true, .witness = IV_SIM_ISSUED}, {.rule = NULL}};
    struct iv_sim_step *end = end_of_token(plan);
    end->kind = IV_SIM_EXPIRED;
    end->time = s->expires;
    /* The enclave lives on until then, or the use would break ISO-003 as well. */
    iv_ns use = s->expires + 2500 * MS;
    iv_sim_plan_find(plan, IV_SIM_TERMINATED, 0)->time = use + 100 * MS;
    iv_sim_plan_find(plan, IV_SIM_SHREDDED, 0)->time = use + 400 * MS;
    plan->end = use + 500 * MS;
    iv_sim_plan_add(plan, s, IV_SIM_USED, IV_SIM_CALLS_MAX, use)->breaches = breaches;
}

static void plant_revoked_token(struct iv_sim_plan *plan, struct iv_sim_session *s)
{
    static const struct iv_sim_breach breaches[] = {
        {.rule = "TOK-002", .has_witness = true, .witness = IV_SIM_REVOKED}, {.rule = NULL}};
    struct iv_sim_step *end = end_of_token(plan);
    iv_ns revoked = end_of_work(plan);
    iv_ns use =
        revoked + 1800 * MS; /* propagation is 1s; the token would expire 3s after the work at the earliest */
    end->kind = IV_SIM_REVOKED;
    end->time = revoked;
    iv_sim_plan_find(plan, IV_SIM_TERMINATED, 0)->time = use + 100 * MS;
    iv_sim_plan_find(plan, IV_SIM_SHREDDED, 0)->time = use + 400 * MS;
    plan->end = use + 500 * MS;
    iv_sim_plan_add(plan, s, IV_SIM_USED, IV_SIM_CALLS_MAX, use)->breaches = breaches;
}

static void plant_immortal_token(struct iv_sim_plan *plan, struct iv_sim_session *s)
{
    static const struct iv_sim_breach breaches[] = {{.rule = "TOK-003", .until_expiry = true},
                                                    {.rule = NULL}};
    (void)s;
    iv_sim_plan_find(plan, IV_SIM_ISSUED, 0)->breaches = breaches;
    iv_sim_plan_remove(plan, end_of_token(plan));
}

static void plant_forged_token(struct iv_sim_plan *plan, struct iv_sim_session *s)
{
    static const struct iv_sim_breach breaches[] = {{.rule = "TOK-009"}, {.rule = NULL}};
    iv_sim_plan_add(plan, s, IV_SIM_GHOST_USE, 0, end_of_work(plan))->breaches = breaches;
}

static void plant_bypass(struct iv_sim_plan *plan, struct iv_sim_session *s)
{
    static const struct iv_sim_breach breaches[] = {{.rule = "TBP-001"}, {.rule = NULL}};
    iv_sim_plan_add(plan, s, IV_SIM_EXECUTED, IV_SIM_CALLS_MAX, end_of_work(plan))->breaches = breaches;
}

static void plant_denied_call(struct iv_sim_plan *plan, struct iv_sim_session *s)
{
    static const struct iv_sim_breach breaches[] = {
        {.rule = "TBP-001"},
        {.rule = "TBP-002", .has_witness = true, .witness = IV_SIM_DENIED, .witness_call = IV_SIM_CALLS_MAX},
        {.rule = NULL}};
    iv_ns t = end_of_work(plan);
    iv_sim_plan_add(plan, s, IV_SIM_REQUESTED, IV_SIM_CALLS_MAX, t - 40 * MS);
    iv_sim_plan_add(plan, s, IV_SIM_DENIED, IV_SIM_CALLS_MAX, t - 20 * MS);
    iv_sim_plan_add(plan, s, IV_SIM_EXECUTED, IV_SIM_CALLS_MAX, t)->breaches = breaches;
}

static const plant_fn plants[IV_PLANTS] = {
    [IV_PLANT_CROSS_TENANT] = plant_cross_tenant,   [IV_PLANT_AFTER_TERMINATION] = plant_after_termination,
    [IV_PLANT_NO_ENCLAVE] = plant_no_enclave,       [IV_PLANT_EXPIRED_TOKEN] = plant_expired_token,
    [IV_PLANT_REVOKED_TOKEN] = plant_revoked_token, [IV_PLANT_IMMORTAL_TOKEN] = plant_immortal_token,
    [IV_PLANT_FORGED_TOKEN] = plant_forged_token,   [IV_PLANT_BYPASS] = plant_bypass,
    [IV_PLANT_DENIED_CALL] = plant_denied_call,
};

void iv_sim_plant(struct iv_sim_plan *plan, struct iv_sim_session *session)
{
    if (session->plant != IV_PLANT_NONE) {
        plants[session->plant](plan, session);
    }
}
