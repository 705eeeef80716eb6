/* SPDX-License-Identifier: Apache-2.0 */
/* Which rules are decided where one partition is read, and which through the exchange.
 * Owner/thread: no state. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "baseline/baseline.h"

/* A bit for each rule's index: those that are global, or those that are not. */
iv_rc iv_exchange_rules(uint64_t **out, const struct iv_baseline *baseline, bool global, struct iv_err *err);
void iv_exchange_rules_freep(uint64_t **rules);

/* In the place of what out held: of each global rule 8 bytes that stand for its digest. */
void iv_exchange_rules_name(struct iv_buf *out, const struct iv_baseline *baseline);
/* Whether it is among names. */
bool iv_exchange_rules_named(struct iv_str names, const struct iv_rule *rule);
