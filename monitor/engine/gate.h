/* SPDX-License-Identifier: Apache-2.0 */
/* A gate: what one field of an event tells about a condition before it is run.
 * Guarantee: an event that a gate does not admit makes the condition false, without a failure, so that
 * nothing that anybody could see differs where it is passed over (cel/outline.h). Owner/thread: immutable;
 * lives in the arena that it was made in. Not here: which rules an event concerns (dispatch.h). */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "cel/outline.h"
#include "event/catalogue.h"

/* A constant that the condition compares the field with. */
struct iv_pivot {
    const struct iv_val *value;
    bool admits;
};

struct iv_gate {
    bool set; /* false: every event is admitted */
    uint16_t name_id;
    bool absent; /* admits events without the field, */
    bool other;  /* and those whose value is none of the pivots */
    uint32_t pivot_count;
    struct iv_pivot *pivots;
};

/* The gates of a rule. parameters: those that every trigger sees (iv_params_fixed). False when memory is out.
 */
struct iv_rule;
struct iv_rule_gates {
    struct iv_gate where;
    /* The if, over the partner. A forbid without a partner and without a where has one over its trigger. */
    struct iv_gate condition;
};
bool iv_rule_gates_find(struct iv_rule_gates *out, struct iv_arena *arena, const struct iv_rule *rule,
                        const struct iv_val *parameters);
/* Value NULL: one that equals no pivot of any gate; absent: the field is not there. */
bool iv_gate_admits(const struct iv_gate *gate, const struct iv_val *value);
/* 'tool is "a" or "b", or absent'. */
void iv_gate_write(struct iv_buf *out, const struct iv_gate *gate, const struct iv_catalogue *catalogue);
