/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/draft.h"
#include "base/alloc.h"
#include "base/guard.h"

#include <string.h>

static const struct {
    enum iv_stream stream;
    const char *type;
} kinds[] = {
#define STEP(id, stream, type) {IV_##stream, type},
#include "fleet/steps.def"
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

void iv_sim_draft_begin(struct iv_sim_draft *draft, uint64_t seed, uint64_t order,
                        const struct iv_sim_agent *agent, struct iv_chance *chance)
{
    draft->seed = iv_mix(seed);
    draft->order = order;
    draft->agent = agent;
    draft->chance = chance;
    draft->numbers = 0;
    draft->count = 0;
    draft->breach_count = 0;
    draft->facts = (struct iv_sim_facts){.enclave = 0};
}

/* Mixing is one to one, so two drafts never have a number in common. */
uint64_t iv_sim_draft_number(struct iv_sim_draft *draft)
{
    IV_CHECK(draft->numbers < 256);
    return iv_mix(draft->seed ^ (draft->order << 8 | draft->numbers++));
}

struct iv_sim_step *iv_sim_draft_add(struct iv_sim_draft *draft, enum iv_step_kind kind, iv_ns time)
{
    IV_CHECK(draft->count < IV_SIM_STEPS_MAX);
    struct iv_sim_step *step = &draft->steps[draft->count++];
    *step = (struct iv_sim_step){.time = time,
                                 .id = iv_sim_draft_number(draft),
                                 .agent = draft->agent,
                                 .kind = (uint8_t)kind,
                                 .parent = IV_SIM_NO_TOOL};
    return step;
}

/* By insertion: they are nearly in order. */
static void copy_sorted(struct iv_sim_step *out, const struct iv_sim_draft *draft)
{
    for (size_t i = 0; i < draft->count; i++) {
        size_t at = i;
        while (at > 0 && out[at - 1].time > draft->steps[i].time) {
            at--;
        }
        memmove(&out[at + 1], &out[at], (i - at) * sizeof *out);
        out[at] = draft->steps[i];
    }
}

iv_rc iv_sim_plan_of(struct iv_sim_plan **out, const struct iv_sim_draft *draft, struct iv_err *err)
{
    size_t steps = draft->count * sizeof draft->steps[0];
    struct iv_sim_plan *plan =
        iv_malloc(sizeof *plan + steps + draft->breach_count * sizeof draft->breaches[0]);
    ENSURE(plan != NULL, err, IV_E_NOMEM, "cannot allocate a plan of the fleet");
    *plan = (struct iv_sim_plan){.order = draft->order,
                                 .count = draft->count,
                                 .breach_count = draft->breach_count,
                                 .facts = draft->facts,
                                 .breaches = (void *)((char *)plan->steps + steps)};
    copy_sorted(plan->steps, draft);
    memcpy(plan->breaches, draft->breaches, draft->breach_count * sizeof draft->breaches[0]);
    *out = plan;
    return IV_OK;
}
