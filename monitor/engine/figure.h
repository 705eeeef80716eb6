/* SPDX-License-Identifier: Apache-2.0 */
/* limit and same: rules over the triggers of one key.
 * Each has a lane of its own, whose marks have bit 0 while the trigger is not convicted. An event that comes
 * out of order can convict triggers that are later in time than itself. */
#pragma once

#include "engine/core.h"
#include "engine/eval.h"

#define IV_FIGURE_FREE UINT32_C(1) /* not convicted */

/* The event at hand as a trigger of the rule, under the node of its key. */
void iv_limit_trigger(struct iv_engine *e, const struct iv_rule_plan *r, uint32_t rec, uint32_t node);
void iv_same_trigger(struct iv_engine *e, const struct iv_rule_plan *r, uint32_t rec, uint32_t node);
