/* SPDX-License-Identifier: Apache-2.0 */
/* The amounts of a plan's rules: windows, counts, maxima. A step of iv_plan_init. */
#pragma once

#include "engine/plan.h"

/* Computes those that rest on parameters alone which no override reaches; what fails is left to fail for each
 * trigger. */
iv_rc iv_plan_amounts(struct iv_plan *plan, const struct iv_baseline *baseline, struct iv_err *err);
