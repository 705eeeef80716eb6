/* SPDX-License-Identifier: Apache-2.0 */
/* The tests that rules carry, run on the real decoder and engine.
 * Guarantee: an event's place in the list does not matter: each is a partition of its own, so none is late,
 * and all verdicts fall at the end of input at the latest.
 * Source: contract "Rules", form, tests. */
#pragma once

#include "base/err.h"
#include "baseline/baseline.h"

struct iv_rule_test_counts {
    size_t tests;
    size_t failed;
    size_t rules_without; /* rules that have none */
};

/* What fails is a problem at the test's expectation. An error is memory only. path is where the baseline was
 * loaded from: a test that brings parameters or keys of its own has it loaded again with these. */
iv_rc iv_rule_tests_run(struct iv_rule_test_counts *out, struct iv_baseline *baseline, struct iv_str path,
                        struct iv_problems *problems, struct iv_err *err);
