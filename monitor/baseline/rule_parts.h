/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the room: the parts of a rule that the forms have in common. */
#pragma once

#include "baseline/load.h"

/* The trigger's or the partner's side of a rule: which events, under which name, with which fields. */
struct iv_side {
    struct iv_selector select;
    struct iv_str alias; /* p NULL: none was given */
    uint16_t slot;       /* IV_SLOT_TRIGGER or IV_SLOT_PARTNER */
    const struct iv_cel_schema *schema;
    const struct iv_cel_type *type; /* an object of that schema */
};

struct iv_rule_load {
    struct iv_load *load;
    struct iv_rule *rule;
    struct iv_side on;
    struct iv_side with;
    const struct iv_cel_env *on_env;   /* the trigger and the parameters */
    const struct iv_cel_env *pair_env; /* the partner too */
    const struct iv_cel_env *with_env; /* the partner alone */
    uint64_t *fields[IV_EVENT_SLOTS];  /* by name id: what is read of each side */
    bool all_fields[IV_EVENT_SLOTS];
};

/* "event" or "stream", and "as", of an open map. False where nothing can be said about its fields. */
bool iv_side_load(struct iv_rule_load *rl, struct iv_side *out, struct iv_yaml_map *map, uint16_t slot);
/* Every event of the ledger, unknown types included, and no other. */
bool iv_side_is_ledger(const struct iv_load *load, const struct iv_side *side);
const struct iv_cel_field *iv_side_field(const struct iv_side *side, struct iv_str name);

/* A condition or another expression; NULL where the node is, or where it does not
 * compile, which is reported. */
const struct iv_cel_prog *iv_expr_load(struct iv_rule_load *rl, const struct iv_cel_env *env,
                                       const struct iv_yaml_node *node, const struct iv_cel_type *expect);
/* A window's length. past: it may depend on the baseline alone. zero: a constant may be 0. */
struct iv_amount iv_length_load(struct iv_rule_load *rl, const struct iv_yaml_node *node, const char *what,
                                bool past, bool zero);
struct iv_amount iv_number_load(struct iv_rule_load *rl, const struct iv_yaml_node *node, const char *what);
/* Field names, expressions, or a list of both, over one side. env: NULL where expressions make no sense. */
struct iv_terms iv_terms_load(struct iv_rule_load *rl, const struct iv_side *side,
                              const struct iv_cel_env *env, const struct iv_yaml_node *node,
                              const char *what);
/* The type of a term's value. */
const struct iv_cel_type *iv_term_type(const struct iv_side *side, const struct iv_term *term);

/* forms.c: reads the one form that the rule has. */
void iv_form_load(struct iv_rule_load *rl, struct iv_yaml_map *map);
/* scope.c: fields, tenants, digest. */
void iv_scope_load(struct iv_rule_load *rl);
/* reads.c: the names that its form reads. */
void iv_reads_load(struct iv_rule_load *rl);
