/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the room: a baseline while it is being read, and what a frozen one keeps beside its public face.
 * Owner/thread: one loader for one load, on the caller's thread.
 * Guarantee: mistakes of a text go to problems and reading goes on; only memory stops it, by failed. */
#pragma once

#include "base/arena.h"
#include "baseline/baseline.h"
#include "baseline/yaml.h"
#include "baseline/yaml_fields.h"
#include "cel/cel.h"

#include <stdatomic.h>

/* A node of the tree of parameters: a leaf with a value, or a map of further nodes. */
struct iv_param {
    struct iv_str name;
    bool leaf;
    const struct iv_cel_type *type;
    struct iv_val value; /* of a leaf, by default */
    uint32_t leaf_index; /* of a leaf, among all leaves */
    int32_t slot; /* of its variable; -1: its path is no CEL name, so it is reached by its parent only */
    struct iv_param *children;
    size_t child_count;
};

struct iv_override {
    struct iv_match match;
    const struct iv_override_value {
        uint32_t leaf_index;
        struct iv_val value;
    } * values;
    size_t value_count;
};

/* What a frozen baseline owns. */
struct iv_baseline_body {
    struct iv_baseline pub; /* first: the one is the other */
    atomic_uint references;
    struct iv_arena arena;
    struct iv_catalogue *catalogue;
    struct iv_keyring *keyring;
    struct iv_param parameters; /* the root */
    uint32_t leaf_count;
    const struct iv_override *overrides;
    size_t override_count;
    const struct iv_yaml_node **tests; /* by rule index */
    struct iv_owned {
        struct iv_owned *next;
        struct iv_yaml *document;
        struct iv_cel_env *env;
        struct iv_cel_prog *prog;
    } * owned; /* freed last in, first out */
};

struct iv_load {
    struct iv_baseline_body *body;
    struct iv_problems *problems;
    bool unread;           /* a pack or a playbook could not be read, so what it holds may not be missed */
    size_t errors_before;  /* that were among the problems when the load began */
    struct iv_rc_s failed; /* memory */
    struct iv_err *err;
    const struct iv_baseline_trial *trial; /* NULL: the baseline as it stands */
    struct iv_str folder;                  /* of baseline.yaml; "" for the current one */
    const struct iv_yaml_node *root;       /* of baseline.yaml; its text outlives the load */
    struct iv_cel_env *functions;          /* of keys on a partner's side: no parameters */
    struct iv_cel_env *parameters;         /* of everything else; a child of functions */
    bool sound;                            /* what is not of a pack or a playbook */
    struct iv_rule **rules;
    bool *broken; /* by rule index: there are errors in it */
    const struct iv_yaml_node **rule_nodes;
    const struct iv_yaml_node **packs; /* the roots */
    size_t rule_count;
    size_t rule_capacity;
    size_t pack_count;
    struct iv_str authority[8]; /* ids of the keys that may sign */
    size_t authority_count;
};

static inline bool iv_load_failed(const struct iv_load *load)
{
    return load->failed.code != IV_CODE_OK;
}
/* Keeps the first failure. */
void iv_load_fail(struct iv_load *load, struct iv_rc_s rc);
/* Zeroed, from the baseline's arena; NULL after which the load has failed. */
void *iv_load_alloc(struct iv_load *load, size_t count, size_t size);
struct iv_str iv_load_str(struct iv_load *load, struct iv_str text);
/* Hands an object to the baseline. False: the load has failed and the object is still the caller's. */
bool iv_load_own_document(struct iv_load *load, struct iv_yaml *document);
bool iv_load_own_env(struct iv_load *load, struct iv_cel_env *env);
bool iv_load_own_prog(struct iv_load *load, struct iv_cel_prog *prog);

/* The parts of baseline.yaml, in the order in which they must be read. */
void iv_load_events(struct iv_load *load, const struct iv_yaml_node *node);
void iv_load_streams(struct iv_load *load, const struct iv_yaml_node *node);
void iv_load_keys(struct iv_load *load, const struct iv_yaml_node *node);
void iv_load_parameters(struct iv_load *load, const struct iv_yaml_node *node);
/* Reports what a trial's parameters have and its rule does not read: after the rules. */
void iv_load_trial_parameters(struct iv_load *load);
void iv_load_overrides(struct iv_load *load, const struct iv_yaml_node *node);
void iv_load_authority(struct iv_load *load, const struct iv_yaml_node *node);
void iv_load_waivers(struct iv_load *load, const struct iv_yaml_node *node); /* after the rules */
/* Of the baseline; a rule may be a canary as well. */
void iv_load_mode(enum iv_mode *out, const struct iv_yaml_node *node, struct iv_problems *problems);
void iv_load_rule_mode(enum iv_mode *out, const struct iv_yaml_node *node, struct iv_problems *problems);
void iv_load_match(struct iv_load *load, struct iv_match *out, const struct iv_yaml_node *node);
bool iv_match_holds(const struct iv_match *match, const struct iv_object *trigger, uint16_t profile_name_id);
uint16_t iv_profile_name_id(const struct iv_catalogue *catalogue);

/* The files that a list of globs names, each read and kept; each root is handed to fn with its file. */
void iv_load_files(struct iv_load *load, const struct iv_yaml_node *globs, const char *what,
                   void (*fn)(struct iv_load *load, const struct iv_yaml_node *root));
void iv_load_pack(struct iv_load *load, const struct iv_yaml_node *root);
void iv_load_playbook(struct iv_load *load, const struct iv_yaml_node *root);
/* apiVersion, kind and metadata; answers metadata.name, which must be there if others refer to it. */
struct iv_str iv_load_head(struct iv_load *load, struct iv_yaml_map *map, const char *kind, bool referred_to,
                           struct iv_str *version);

/* Letters, digits and '_', no digit first. */
bool iv_is_word(struct iv_str s);

/* Warns of a criterion that is none of the Trust Services Criteria. */
void iv_load_criterion(struct iv_load *load, struct iv_str id, const struct iv_yaml_node *node);

/* digest.c */
iv_rc iv_load_digest(struct iv_load *load, struct iv_err *err);
void iv_load_signature(struct iv_load *load);

/* parameters: the bank for one value of each leaf, in the arena. NULL when memory is out. */
const struct iv_val *iv_param_bank(struct iv_arena *arena, const struct iv_baseline_body *body,
                                   const struct iv_val *leaves);
void iv_param_defaults(struct iv_val *leaves, const struct iv_param *root);
/* The greatest duration that the program, which reads parameters alone, can have under any overrides, held at
 * iv_ns; false where it never has one or there are too many ways, which is reported at the node, unless that
 * is NULL. */
bool iv_param_max(struct iv_load *load, iv_ns *out, const struct iv_cel_prog *prog,
                  const struct iv_yaml_node *node);
/* Marks the leaves, by index, that the program reads, by themselves or with a map that holds them. prog may
 * be NULL. */
void iv_param_reads(bool *read, const struct iv_param *param, const struct iv_cel_prog *prog);
/* Reports names under "baseline." that are no parameter. Answers how many; the first of them are in bad. */
struct iv_bad_name {
    size_t start; /* of the whole path, bytes into the expression */
    size_t length;
};
size_t iv_param_check_names(struct iv_load *load, const struct iv_yaml_node *expression,
                            struct iv_bad_name *bad, size_t max);

/* An expression's value type of a YAML value; static or in the arena. */
const struct iv_cel_type *iv_type_of_value(struct iv_load *load, const struct iv_val *value);
/* Whether b can stand where a stood: an empty or mixed list agrees with every list. */
bool iv_types_agree(const struct iv_cel_type *a, const struct iv_cel_type *b);
