/* SPDX-License-Identifier: Apache-2.0 */
/* The rules in force, as far as answers need them: what coverage and posture are told by.
 * Owner/thread: the console's; under its lock. */
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
    struct iv_arena arena; /* owns all of it */
};

iv_rc iv_coverage_rules_copy(struct iv_coverage_rules *out, const struct iv_console_baseline *baseline,
                             struct iv_err *err);
void iv_coverage_rules_deinit(struct iv_coverage_rules *rules);

bool iv_coverage_tests(const struct iv_coverage_rule *rule, struct iv_str criterion);

/* Into the metrics: by criterion the share of the last 24 hours of event time that was covered, and by stream
 * and cause how much of it was lost. */
iv_rc iv_coverage_measure(struct iv_console *console, struct iv_err *err);
