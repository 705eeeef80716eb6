/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/execution.h"

static const struct {
    const char *name;
    bool final;
} run_states[] =
    {
#define STATE(id, name, final) [IV_RUN_##id] = {name, final},
#include "evidence/run_states.def"
#undef STATE
},
  step_states[] = {
#define STATE(id, name, final) [IV_STEP_##id] = {name, final},
#include "evidence/step_states.def"

#include <string.h>
#undef STATE
};

const char *iv_run_state_name(enum iv_run_state state)
{
    return run_states[state].name;
}

bool iv_run_state_of(enum iv_run_state *out, struct iv_str name)
{
    for (int i = 0; i < IV_RUN_STATES; i++) {
        if (iv_str_eq(iv_str_of(run_states[i].name), name)) {
            *out = (enum iv_run_state)i;
            return true;
        }
    }
    return false;
}

const char *iv_step_state_name(enum iv_step_state state)
{
    return step_states[state].name;
}

bool iv_run_state_final(enum iv_run_state state)
{
    return run_states[state].final;
}

bool iv_step_state_final(enum iv_step_state state)
{
    return step_states[state].final;
}

static bool begins(struct iv_str s, const char *beginning)
{
    size_t n = strlen(beginning);
    return s.n >= n && memcmp(s.p, beginning, n) == 0;
}

bool iv_step_was_taken_back(const struct iv_step *step)
{
    static const char behind[] = IV_CAUSE_BEHIND IV_CAUSE_TAKEN_BACK;
    return begins(step->cause, IV_CAUSE_TAKEN_BACK) ||
           memmem(step->cause.p, step->cause.n, behind, sizeof behind - 1) != NULL;
}

static bool ended_well(const struct iv_execution *e)
{
    return e->state == IV_RUN_DONE || e->state == IV_RUN_VERIFIED;
}

bool iv_execution_in_spite(const struct iv_execution *execution)
{
    return ended_well(execution) && begins(execution->cause, IV_CAUSE_IN_SPITE);
}

bool iv_execution_in_vain(const struct iv_execution *execution)
{
    return ended_well(execution) && begins(execution->cause, IV_CAUSE_NOTHING_THERE);
}
