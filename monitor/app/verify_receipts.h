/* SPDX-License-Identifier: Apache-2.0 */
/* Which signatures the rules are about to ask for.
 * Purpose: asking for them early, on other threads, puts the answers where receipt_valid finds them
 * (keyring.h). What is missed here is verified where the rule runs; nothing rests on it but speed.
 * Owner/thread: immutable; any number of threads ask. */
#pragma once

#include "baseline/baseline.h"
#include "event/event.h"

struct iv_verify_receipts {
    const struct iv_keyring *keyring;
    uint16_t *names; /* of the fields that the rules read */
    size_t count;
};

/* rules: a bit for each index. The baseline outlives it. */
iv_rc iv_verify_receipts_init(struct iv_verify_receipts *out, const struct iv_baseline *baseline,
                              const uint64_t *rules, struct iv_err *err);
void iv_verify_receipts_deinit(struct iv_verify_receipts *receipts);

/* Verifies each receipt in those fields of the event, at whatever depth it stands. */
void iv_verify_receipts_ask(const struct iv_verify_receipts *receipts, const struct iv_event *event);
