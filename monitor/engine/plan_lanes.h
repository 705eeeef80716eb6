/* SPDX-License-Identifier: Apache-2.0 */
/* The lanes of a plan, and what each type does with them. Steps of iv_plan_init. */
#pragma once

#include "engine/plan.h"

/* After the rules' terms are numbered. IV_E_LIMIT: more kinds of lanes than can be numbered. */
iv_rc iv_plan_lanes(struct iv_plan *plan, const struct iv_baseline *baseline, struct iv_err *err);
/* False when memory is out. */
bool iv_plan_groups(struct iv_plan *plan, struct iv_type_plan *out, const struct iv_event_type *type);
