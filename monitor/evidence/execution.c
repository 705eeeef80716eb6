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
