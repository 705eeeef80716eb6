/* SPDX-License-Identifier: Apache-2.0 */
/* The lanes of a plan, and what each type does with them. Steps of iv_plan_init. */
#pragma once

#include "engine/plan.h"

/* After the rules' terms are numbered. IV_E_LIMIT: more kinds of lanes than can be numbered. */
iv_rc iv_plan_lanes(struct iv_plan *plan, const struct iv_baseline *baseline, struct iv_err *err);
/* The parts that a type plays under the terms. */
static inline struct iv_parts *iv_plan_parts(const struct iv_plan *plan, uint16_t terms, size_t type)
{
    return &plan->parts[terms * plan->type_count + type];
}

/* How far a partner can lie behind its trigger, and ahead of it where the window is not left open. */
iv_ns iv_plan_past(const struct iv_rule_plan *r);
iv_ns iv_plan_future(const struct iv_rule_plan *r);
