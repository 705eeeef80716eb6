/* SPDX-License-Identifier: Apache-2.0 */
/* forbid and require: a trigger and its partners, whichever comes first.
 * Guarantee: of each pair the later to arrive examines the other, so a verdict falls with the event that
 * proves it. */
#pragma once

#include "engine/core.h"
#include "engine/eval.h"
#include "engine/verdict.h"

/* A trigger in its lane: bit is the rule's there. Where nobody looks for the event at hand, its mark joins
 * the lane only when all the lane's rules have been asked. */
struct iv_waiting {
    uint32_t node;
    uint16_t def;
    uint8_t bit;
    struct iv_mark *mark;
};

/* forbid without a partner. */
void iv_correlate_alone(struct iv_engine *e, const struct iv_rule_plan *r, uint32_t rec);
/* The event at hand as a trigger. */
void iv_correlate_trigger(struct iv_engine *e, const struct iv_rule_plan *r, const struct iv_waiting *at);
/* The event at hand as a partner of the triggers under one key. */
void iv_correlate_partner(struct iv_engine *e, const struct iv_group *group, uint32_t node, uint32_t rec);

/* The partners that have the condition, and with a distinct the value, in a window. */
struct iv_search {
    struct iv_pair pair; /* with is filled in */
    const struct iv_rule_plan *plan;
    uint32_t trigger;
    uint32_t node;
    iv_ns low;
    iv_ns high;
};
/* As many as the rule asks for? *absent: how many that is cannot be told, so the trigger takes no part. */
bool iv_search_reached(struct iv_engine *e, struct iv_search *s, bool *absent);
/* All of them. */
void iv_search_gather(struct iv_engine *e, struct iv_search *s, struct iv_witnesses *out);
/* Of a trigger that is stored; false when memory is out. */
bool iv_search_of(struct iv_engine *e, struct iv_search *s, const struct iv_rule_plan *plan, uint32_t trigger,
                  uint32_t node);
