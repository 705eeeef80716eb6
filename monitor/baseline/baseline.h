/* SPDX-License-Identifier: Apache-2.0 */
/* A compliance baseline: a folder of YAML, parsed, checked and frozen.
 * Owner/thread: counted reference; immutable and shared once loaded. Parameter resolvers belong to one
 * thread each.
 * Guarantee: a baseline that loads cannot fail later except in the value of an expression.
 * Source: contract "Rules". */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "baseline/problems.h"
#include "baseline/rule.h"
#include "event/catalogue.h"
#include "event/event.h"
#include "event/keyring.h"

#include <stdbool.h>

enum iv_grade { IV_GRADE_COMPLETE, IV_GRADE_BEST_EFFORT };
enum iv_history { IV_HISTORY_FULL, IV_HISTORY_PARTIAL };

struct iv_stream_policy {
    struct iv_str topic;
    iv_ns lateness;
    enum iv_grade grade;
    enum iv_history history;
};

/* Patterns are globs; p NULL: not asked for. */
struct iv_match {
    struct iv_str tenant;
    struct iv_str agent;
    struct iv_str profile;
};

struct iv_waiver {
    struct iv_str rule;
    struct iv_match match;
    struct iv_str reason;
    struct iv_str by;
    iv_ns until; /* holds for triggers before it; IV_NS_MAX: no end */
};

struct iv_playbook_source {
    struct iv_str name; /* metadata.name */
    struct iv_str file;
    struct iv_str text;     /* the YAML as read */
    struct iv_val document; /* the parsed content as maps, lists and scalars; checked by the room respond */
};

struct iv_baseline {
    struct iv_str name;
    struct iv_str version;
    char digest_hex[97]; /* SHA-384 over the JCS of the parsed content, packs and playbooks included */
    struct iv_stream_policy streams[IV_STREAMS];
    iv_ns idle;
    iv_ns dedup;
    enum iv_mode mode;
    const struct iv_catalogue *catalogue;
    const struct iv_keyring *keyring;
    const struct iv_rule *const
        *rules; /* in order of packs and files; EVT-001, which is built in, is the last */
    size_t rule_count;
    const struct iv_rule *equivocation; /* EVT-001 */
    const struct iv_waiver *waivers;
    size_t waiver_count;
    const struct iv_playbook_source *playbooks;
    size_t playbook_count;
    size_t parameter_count; /* slots of a parameter bank */
    /* what all expressions see: functions, and the parameters as variables of IV_BANK_PARAMETERS */
    const struct iv_cel_env *expressions;
};

/* Appends the name that expressions have for a slot: "baseline.token.skew". */
void iv_baseline_parameter_name(struct iv_buf *out, const struct iv_baseline *baseline, size_t slot);

/* path: a folder that holds baseline.yaml, or the file itself. IV_E_REFUSED: problems says why; err->text
 * sums up. */
iv_rc iv_baseline_load(struct iv_baseline **out, struct iv_str path, struct iv_problems *problems,
                       struct iv_err *err);
/* The same. *rest: where it is refused for what is in packs alone, all but the rules with mistakes: for its
 * playbooks to be looked at in the same run, and for nothing else. Else it is left as it is. */
iv_rc iv_baseline_load_rest(struct iv_baseline **out, struct iv_baseline **rest, struct iv_str path,
                            struct iv_problems *problems, struct iv_err *err);
struct iv_baseline *iv_baseline_ref(struct iv_baseline *baseline);
void iv_baseline_unref(struct iv_baseline *baseline);
void iv_baseline_unrefp(struct iv_baseline **baseline);

/* Calls visit with each file that it was read from, as it was read: its path from the baseline's folder on
 * (as it was named, where it lies elsewhere), and its text. Of baseline.yaml last. */
typedef void (*iv_baseline_file_visit)(void *ctx, struct iv_str path, struct iv_str text);
void iv_baseline_files(const struct iv_baseline *baseline, iv_baseline_file_visit visit, void *ctx);

/* The rule's own tests, a list; NULL if it has none. */
struct iv_yaml_node;
const struct iv_yaml_node *iv_baseline_tests(const struct iv_baseline *baseline, const struct iv_rule *rule);

/* The text of baseline.sig: "KEYID BASE64\n", an Ed25519 signature over the 48 bytes of the baseline's
 * digest, for a key that authority names. signer: the private half of that key. */
struct iv_signer;
iv_rc iv_baseline_sign(struct iv_buf *out, const struct iv_baseline *baseline, struct iv_str key_id,
                       const struct iv_signer *signer, struct iv_err *err);
/* The same load without asking for baseline.sig: what is about to be signed. */
iv_rc iv_baseline_load_unsigned(struct iv_baseline **out, struct iv_str path, struct iv_problems *problems,
                                struct iv_err *err);

/* What a rule's test puts in the place of the baseline's own. */
struct iv_baseline_trial {
    struct iv_str rule;                    /* the only one that is loaded */
    const struct iv_yaml_node *parameters; /* over the baseline's, key by key; NULL: none */
    const struct iv_key *keys;             /* instead of the baseline's, unless there are none */
    size_t key_count;
};
/* The baseline for one test: one rule, no waivers, no signature. IV_E_REFUSED as above. */
iv_rc iv_baseline_load_trial(struct iv_baseline **out, struct iv_str path,
                             const struct iv_baseline_trial *trial, struct iv_problems *problems,
                             struct iv_err *err);

const struct iv_rule *iv_baseline_rule(const struct iv_baseline *baseline, struct iv_str id);
/* The one of the same id and digest as this rule of another baseline; NULL if there is none. */
const struct iv_rule *iv_baseline_same_rule(const struct iv_baseline *baseline, const struct iv_rule *rule);

/* The waiver that holds for this rule and trigger, NULL if none. The object is the trigger's. */
const struct iv_waiver *iv_baseline_waiver(const struct iv_baseline *baseline, const struct iv_rule *rule,
                                           const struct iv_object *trigger, iv_ns time);

/* The same of a trigger of which only these are known; empty: it has none. A waiver for a profile alone is
 * not among them. */
const struct iv_waiver *iv_baseline_waiver_by_names(const struct iv_baseline *baseline, struct iv_str rule,
                                                    struct iv_str tenant, struct iv_str agent, iv_ns time);

/* Parameters under overrides: which set a trigger sees, and the set as a bank for programs. A resolver caches
 * the sets that it met; a set's id is valid for the resolver's life. */
struct iv_params;
#define IV_PARAMS_NONE UINT32_MAX /* memory is out */
iv_rc iv_params_new(struct iv_params **out, const struct iv_baseline *baseline, struct iv_err *err);
void iv_params_free(struct iv_params *params);
void iv_params_freep(struct iv_params **params);
uint32_t iv_params_resolve(struct iv_params *params,
                           const struct iv_object *trigger); /* by tenant, agent, profile */
const struct iv_val *iv_params_bank(const struct iv_params *params, uint32_t set);
/* A bank of what every trigger sees: parameters that an override reaches into are absent. NULL when memory is
 * out. */
const struct iv_val *iv_params_fixed(struct iv_params *params);
