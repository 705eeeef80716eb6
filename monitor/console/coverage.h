/* SPDX-License-Identifier: Apache-2.0 */
/* The rules in force, as far as answers need them: what coverage and posture are told by.
 * Owner/thread: never changed once made, so that any thread may read what it holds a reference to, without a
 * lock; the console holds one to the newest. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "console/console.h"

struct iv_coverage_rule {
    struct iv_str id;
    struct iv_str title;
    struct iv_str severity;
    struct iv_str mode;
    struct iv_str source; /* its YAML */
    unsigned streams;
    const struct iv_str *criteria;
    size_t criteria_count;
};

struct iv_coverage_rules {
    struct iv_coverage_rule *rules;
    size_t count;
    struct iv_str digest;  /* of the baseline, hex */
    struct iv_arena arena; /* owns all of it */
    int refs;
};

iv_rc iv_coverage_rules_new(struct iv_coverage_rules **out, const struct iv_console_baseline *baseline,
                            struct iv_err *err);
/* Of the baseline in force; without one, of no rules. To be given back. */
struct iv_coverage_rules *iv_coverage_rules_get(struct iv_console *console);
void iv_coverage_rules_unref(struct iv_coverage_rules *rules);   /* NULL is fine */
void iv_coverage_rules_unrefp(struct iv_coverage_rules **rules); /* for IV_AUTO */

bool iv_coverage_tests(const struct iv_coverage_rule *rule, struct iv_str criterion);

/* The YAML of the rule of this id; empty: there is none. */
struct iv_str iv_coverage_source(const struct iv_coverage_rules *rules, struct iv_str id);

/* Into the metrics: by criterion the share of the last 24 hours of event time that was covered, and by stream
 * and cause how much of it was lost; and how many are alive. */
iv_rc iv_coverage_measure(struct iv_console *console, struct iv_err *err);
