/* SPDX-License-Identifier: Apache-2.0 */
/* The occasions of a playbook: which findings it is for, beside those of rules that name it.
 * Purpose: parse what stands under "on:", and tell for a finding whether one of its entries holds.
 * Owner/thread: immutable once parsed; texts live in the arena that they were parsed into. A decision belongs
 * to its caller.
 * Not here: whether the finding calls for action at all (plan.c). */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "baseline/yaml.h"
#include "cel/cel.h"
#include "evidence/finding.h"

#include <stdbool.h>
#include <stddef.h>

struct iv_baseline;
struct iv_params;
struct iv_verdict;

/* All that is given must hold. */
struct iv_occasion {
    struct iv_str *rules; /* globs over rule ids; count 0: any */
    size_t rule_count;
    unsigned severities; /* a bit 1 << enum iv_severity each; 0: any */
    struct iv_str *criteria;
    size_t criterion_count;
    struct iv_cel_prog *when; /* NULL: always */
    bool reads_parameters;
};

struct iv_occasions {
    struct iv_occasion *items;
    size_t count;
};

/* Mistakes go to problems. What was parsed is to be freed in any case. */
iv_rc iv_occasions_parse(struct iv_occasions *out, struct iv_arena *arena, const struct iv_yaml_node *node,
                         const struct iv_baseline *baseline, struct iv_problems *problems,
                         struct iv_err *err);
void iv_occasions_deinit(struct iv_occasions *occasions); /* twice is fine */

/* Whether findings of the rule can be among them. */
bool iv_occasions_cover(const struct iv_occasions *occasions, const struct iv_rule *rule);

/* IV_E_EVAL: a condition failed, and no other entry holds; err says which field it missed or what else.
 * *params: of the baseline; NULL: they are made when a condition reads one, and are the caller's to free. */
iv_rc iv_occasions_hold(bool *out, const struct iv_occasions *occasions, const struct iv_finding *finding,
                        const struct iv_verdict *verdict, const struct iv_baseline *baseline,
                        struct iv_params **params, struct iv_err *err);
