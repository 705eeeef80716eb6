/* SPDX-License-Identifier: Apache-2.0 */
/* The baseline that one test of a rule runs on: the one that was loaded, or, where the test brings parameters
 * or keys of its own, the same with these.
 * Owner/thread: one owner, one thread. What a trial loads is kept for the tests after it, as they often bring
 * the same. */
#pragma once

#include "baseline/baseline.h"
#include "event/decode.h"
#include "trial/test_keys.h"

struct iv_trial {
    struct iv_str path;             /* of the baseline that was loaded */
    struct iv_baseline *loaded;     /* that baseline, borrowed */
    struct iv_decoder *its_decoder; /* borrowed */
    struct iv_baseline *changed;    /* with a test's parameters and keys; NULL: none yet */
    struct iv_decoder *its_changed; /* the decoder of that */
    struct iv_buf made_of;          /* the text of what it was changed by */
    struct iv_test_keys keys;
    struct iv_hash_key hash_key;
    /* What the test at hand runs on. */
    struct iv_baseline *baseline;
    struct iv_decoder *decoder;
    const struct iv_rule *rule;
};

void iv_trial_init(struct iv_trial *trial, struct iv_str path, struct iv_baseline *loaded,
                   struct iv_decoder *decoder, struct iv_hash_key hash_key);
void iv_trial_deinit(struct iv_trial *trial);

/* Sets up baseline, decoder, rule and keys for a test of the rule. IV_E_REFUSED: problems says why. */
iv_rc iv_trial_choose(struct iv_trial *trial, const struct iv_rule *rule, const struct iv_yaml_node *test,
                      struct iv_problems *problems, struct iv_err *err);
