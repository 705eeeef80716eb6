/* SPDX-License-Identifier: Apache-2.0 */
/* Asks for the signatures that rules are about to ask for.
 * Purpose: asking for them early, on other threads, puts the answers where receipt_valid finds them
 * (keyring.h). What is missed here is verified where the rule runs; nothing rests on it but speed.
 * Owner/thread: one thread each. */
#pragma once

#include "baseline/baseline.h"
#include "event/event.h"

struct iv_verify_asker;

/* rules: a bit for each index. Takes a reference to the baseline. */
iv_rc iv_verify_asker_new(struct iv_verify_asker **out, struct iv_baseline *baseline, const uint64_t *rules,
                          struct iv_err *err);
void iv_verify_asker_free(struct iv_verify_asker *asker);

/* Runs what those rules ask of the event alone. A rule that may ask more, of a pair, has every receipt of the
 * event verified. Where one asks for the chain hash as well, event->hash_valid is known afterwards. */
void iv_verify_asker_ask(struct iv_verify_asker *asker, struct iv_event *event);
