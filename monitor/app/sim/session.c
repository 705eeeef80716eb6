/* SPDX-License-Identifier: Apache-2.0 */
#include "app/sim/session.h"
#include "base/guard.h"

#define MS IV_NS_PER_MS

static const struct {
    enum iv_stream stream;
    const char *type;
} kinds[] = {
#define STEP(id, stream, type) {IV_##stream, type},
#include "app/sim/steps.def"
#undef STEP
};

const char *iv_sim_type(enum iv_step_kind kind)
{
    return kinds[kind].type;
}

enum iv_stream iv_sim_stream(enum iv_step_kind kind)
{
    return kinds[kind].stream;
}

struct iv_sim_step *iv_sim_plan_add(struct iv_sim_plan *plan, const struct iv_sim_session *session,
                                    enum iv_step_kind kind, unsigned call, iv_ns time)
{
    IV_CHECK(plan->count < IV_SIM_STEPS_MAX);
    struct iv_sim_step *step = &plan->steps[plan->count++];
    *step = (struct iv_sim_step){.time = time, .kind = kind, .call = (uint8_t)call, .agent = session->agent};
    return step;
}

struct iv_sim_step *iv_sim_plan_find(struct iv_sim_plan *plan, enum iv_step_kind kind, unsigned call)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->steps[i].kind == kind && plan->steps[i].call == call) {
            return &plan->steps[i];
        }
    }
    return NULL;
}

void iv_sim_plan_remove(struct iv_sim_plan *plan, const struct iv_sim_step *step)
{
    size_t at = (size_t)(step - plan->steps);
    for (size_t i = at; i + 1 < plan->count; i++) {
        plan->steps[i] = plan->steps[i + 1];
    }
    plan->count--;
}

/* One tool call from t on: asked for, approved where the tool is elevated, authorised, run. Answers when it
 * is over. */
static iv_ns plan_call(struct iv_sim_plan *plan, struct iv_sim_session *s, unsigned call, iv_ns t,
                       struct iv_chance *chance)
{
    iv_sim_plan_add(plan, s, IV_SIM_REQUESTED, call, t);
    t += iv_chance_between(chance, 5, 40) * MS;
    s->elevated[call] = iv_chance_below(chance, 20) == 0;
    for (unsigned approver = 0; s->elevated[call] && approver < 2; approver++) {
        t += iv_chance_between(chance, 20, 200) * MS;
        iv_sim_plan_add(plan, s, IV_SIM_APPROVED, call + 16 * approver, t);
    }
    t += iv_chance_between(chance, 3, 20) * MS;
    iv_sim_plan_add(plan, s, IV_SIM_AUTHORIZED, call, t);
    t += iv_chance_between(chance, 10, 60) * MS;
    iv_sim_plan_add(plan, s, IV_SIM_USED, call, t);
    t += iv_chance_between(chance, 5, 50) * MS;
    iv_sim_plan_add(plan, s, IV_SIM_EXECUTED, call, t);
    t += iv_chance_between(chance, 5, 50) * MS;
    iv_sim_plan_add(plan, s, IV_SIM_ACCESSED, call, t);
    if (iv_chance_below(chance, 3) == 0) {
        t += iv_chance_between(chance, 5, 50) * MS;
        iv_sim_plan_add(plan, s, IV_SIM_EGRESS, call, t);
    }
    if (iv_chance_below(chance, 2) == 0) {
        t += iv_chance_between(chance, 50, 400) * MS;
        iv_sim_plan_add(plan, s, IV_SIM_INFERENCE, call, t);
    }
    return t + iv_chance_between(chance, 50, 600) * MS;
}

void iv_sim_session_plan(struct iv_sim_plan *plan, struct iv_sim_session *s, struct iv_chance *chance)
{
    plan->count = 0;
    iv_ns t = s->begin;
    iv_sim_plan_add(plan, s, IV_SIM_CREATED, 0, t);
    t += iv_chance_between(chance, 2, 20) * MS;
    s->issued = t;
    iv_sim_plan_add(plan, s, IV_SIM_ISSUED, 0, t);
    t += iv_chance_between(chance, 10, 100) * MS;
    s->calls = 1 + (unsigned)iv_chance_below(chance, IV_SIM_CALLS_MAX);
    for (unsigned call = 0; call < s->calls; call++) {
        t = plan_call(plan, s, call, t, chance);
    }
    if (iv_chance_below(chance, 4) == 0) {
        iv_sim_plan_add(plan, s, IV_SIM_SAMPLED, 0, t);
    }
    /* The token outlives the work a little; a fifth of them is revoked when the work is done. */
    s->expires = t + iv_chance_between(chance, 3000, 9000) * MS;
    if (iv_chance_below(chance, 5) == 0) {
        iv_sim_plan_add(plan, s, IV_SIM_REVOKED, 0, t + iv_chance_between(chance, 5, 60) * MS);
    } else {
        iv_sim_plan_add(plan, s, IV_SIM_EXPIRED, 0, s->expires + iv_chance_between(chance, 0, 200) * MS);
    }
    t += iv_chance_between(chance, 100, 300) * MS;
    iv_sim_plan_add(plan, s, IV_SIM_TERMINATED, 0, t);
    iv_sim_plan_add(plan, s, IV_SIM_SHREDDED, 0, t + iv_chance_between(chance, 20, 800) * MS);
    plan->end = t + iv_chance_between(chance, 200, 8000) * MS;
    iv_sim_plant(plan, s);
}
