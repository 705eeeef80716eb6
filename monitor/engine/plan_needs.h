/* SPDX-License-Identifier: Apache-2.0 */
/* What rules read of events that are stored. A step of iv_plan_init. */
#pragma once

#include "engine/plan.h"

/* After the types' kept slots are known, and the rules' amounts. False when memory is out. */
bool iv_plan_needs(struct iv_plan *plan, const struct iv_baseline *baseline);
