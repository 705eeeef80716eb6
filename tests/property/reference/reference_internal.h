/* SPDX-License-Identifier: Apache-2.0 */
/* The reference's parts: values of one trigger or pair (values.c), the four forms (forms.c), the rest
 *
 * (reference.c). */
#pragma once

#include "reference.h"

#include "cel/cel.h"

struct reference {
    const struct iv_baseline *baseline;
    struct iv_params *params;
    struct iv_cel_frame frame;
    const struct iv_event **events; /* E */
    size_t event_count;
    struct reference_horizon horizon;
    struct reference_finding *findings;
    size_t finding_count;
    size_t finding_capacity;
};

void reference_found(struct reference *r, const struct iv_rule *rule, const struct iv_event *trigger,
                     enum reference_verdict verdict);

/* Whose values an expression sees: the trigger with its parameters, and a partner or NULL. */
struct pair {
    const struct iv_event *trigger;
    const struct iv_event *partner;
};

#define TERMS_MAX 8

struct values {
    struct iv_val items[TERMS_MAX];
    size_t count;
};

/* Of the terms over the trigger's or the partner's side; false when one of them is absent or fails. */
bool reference_values(struct reference *r, struct pair pair, const struct iv_terms *terms, bool of_partner,
                      struct values *out);
bool reference_values_equal(const struct values *a, const struct values *b);
/* False when the expression fails, or is no duration, no number. */
bool reference_duration(struct reference *r, struct pair pair, const struct iv_amount *amount, iv_ns *out);
bool reference_number(struct reference *r, struct pair pair, const struct iv_amount *amount,
                      long double *out);
bool reference_value_number(const struct iv_val *value, long double *out);
/* An expression's text, which lasts until the next one runs. */
bool reference_text(struct reference *r, struct pair pair, const struct iv_cel_prog *prog,
                    struct iv_str *out);
bool reference_instant(struct reference *r, struct pair pair, const struct iv_cel_prog *prog, iv_ns *out);
/* A condition: NULL holds, one that fails does not. */
bool reference_holds(struct reference *r, struct pair pair, const struct iv_cel_prog *prog);
bool reference_is_trigger(struct reference *r, const struct iv_rule *rule, const struct iv_event *event);

void reference_judge_forbid(struct reference *r, const struct iv_rule *rule, const struct iv_event *t);
void reference_judge_require(struct reference *r, const struct iv_rule *rule, const struct iv_event *t);
/* A require with a tree: what the log that the trigger continues makes of its note. */
enum reference_tree {
    REFERENCE_TREE_KEPT,
    REFERENCE_TREE_FALSE,
    REFERENCE_TREE_OTHER,
    REFERENCE_TREE_MISSING,
    REFERENCE_TREE_FORGOTTEN,
    REFERENCE_TREE_ABSENT
};
/* from: where its window begins. */
enum reference_tree reference_tree(struct reference *r, const struct iv_rule *rule, const struct iv_event *t,
                                   iv_ns from);
void reference_judge_limit(struct reference *r, const struct iv_rule *rule, const struct iv_event *t);
void reference_judge_same(struct reference *r, const struct iv_rule *rule, const struct iv_event *t);
