/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/plan_amounts.h"

#include "base/guard.h"
#include "engine/sum.h"

#define FRAME_MAX ((size_t)1 << 20)

static bool looks_at_events(const struct iv_cel_prog *prog)
{
    return iv_cel_prog_uses(prog, IV_BANK_EVENTS, IV_SLOT_TRIGGER) ||
           iv_cel_prog_uses(prog, IV_BANK_EVENTS, IV_SLOT_PARTNER);
}

static bool value_of(struct iv_val *out, const struct iv_amount *amount, struct iv_cel_frame *frame)
{
    iv_arena_reset(&frame->arena);
    return amount->prog != NULL && !looks_at_events(amount->prog) &&
           iv_ok(iv_cel_run(amount->prog, frame, out, NULL));
}

static struct iv_amount length_of(const struct iv_amount *amount, struct iv_cel_frame *frame)
{
    struct iv_val value;
    if (!value_of(&value, amount, frame) || value.kind != IV_KIND_DURATION) {
        return *amount;
    }
    return (struct iv_amount){.i = iv_instant_to_ns_saturated(iv_val_instant(value))};
}

static struct iv_amount number_of(const struct iv_amount *amount, struct iv_cel_frame *frame)
{
    struct iv_val value;
    struct iv_number n = {0};
    if (!value_of(&value, amount, frame) || !iv_number_of(&n, &value)) {
        return *amount;
    }
    return (struct iv_amount){.is_double = n.real, .i = n.i, .d = n.d};
}

struct iv_rc_s iv_plan_amounts(struct iv_plan *plan, const struct iv_baseline *baseline, struct iv_err *err)
{
    IV_AUTO(iv_params_freep) struct iv_params *params = NULL;
    TRY(iv_params_new(&params, baseline, err));
    struct iv_cel_frame frame;
    iv_cel_frame_init(&frame, FRAME_MAX);
    frame.bank[IV_BANK_PARAMETERS] = iv_params_fixed(params);
    for (size_t i = 0; frame.bank[IV_BANK_PARAMETERS] != NULL && i < plan->rule_count; i++) {
        struct iv_rule_plan *r = &plan->rules[i];
        r->length = length_of(&r->rule->with.window.length, &frame);
        r->at_least = number_of(&r->rule->at_least, &frame);
        r->span = length_of(&r->rule->span, &frame);
        r->max = number_of(&r->rule->max, &frame);
    }
    iv_cel_frame_deinit(&frame);
    ENSURE(frame.bank[IV_BANK_PARAMETERS] != NULL, err, IV_E_NOMEM, "cannot hold the parameters in memory");
    return IV_OK;
}
