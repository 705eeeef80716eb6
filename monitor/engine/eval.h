/* SPDX-License-Identifier: Apache-2.0 */
/* Running a rule's programs.
 * Guarantee: a failure counts as false, or makes the value absent; it is counted, and reported unless the
 * engine is quiet. One for want of memory is none: the engine is spent. */
#pragma once

#include "engine/core.h"
#include "engine/sum.h"

/* The two sides of a pair; with is NULL where the trigger is alone. */
struct iv_pair {
    const struct iv_rule *rule;
    struct iv_event *on;
    struct iv_event *with;
    uint32_t params; /* of the trigger */
};

/* The parameters that a trigger has. Where memory is out the engine is spent: rules must not be judged by
 * none. */
uint32_t iv_eval_params(struct iv_engine *e, const struct iv_object *trigger);
/* prog NULL holds. */
bool iv_eval_holds(struct iv_engine *e, const struct iv_pair *pair, const struct iv_cel_prog *prog);
/* False where it is absent. */
bool iv_eval_amount(struct iv_engine *e, const struct iv_pair *pair, const struct iv_amount *amount,
                    struct iv_number *out);
/* A duration in nanoseconds. */
bool iv_eval_length(struct iv_engine *e, const struct iv_pair *pair, const struct iv_amount *amount,
                    iv_ns *out);
/* Keys that fit into a few bytes are made there. */
struct iv_short_key {
    char bytes[256];
    size_t n;
};
/* The bytes that stand for the values of terms, in room or until the next call; as iv_eval_key. */
bool iv_eval_key_bytes(struct iv_engine *e, const struct iv_pair *pair, const struct iv_terms *terms,
                       bool partner, struct iv_short_key *room, struct iv_str *out);
/* The hash of the values of terms over one event, which stands for both sides; false where one is absent. */
bool iv_eval_key(struct iv_engine *e, const struct iv_pair *pair, const struct iv_terms *terms, bool partner,
                 struct iv_hash128 *out);
/* The only term's value. */
bool iv_eval_term(struct iv_engine *e, const struct iv_pair *pair, const struct iv_term *term, bool partner,
                  struct iv_val *out);
/* Both ends included; empty where *high is below *low. */
bool iv_eval_window(struct iv_engine *e, const struct iv_pair *pair, const struct iv_rule_plan *plan,
                    iv_ns *low, iv_ns *high);
/* Counts a failure that no program told: a value that is not what the rule needs. */
void iv_eval_complain(struct iv_engine *e, const struct iv_pair *pair, const char *why);
