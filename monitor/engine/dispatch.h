/* SPDX-License-Identifier: Apache-2.0 */
/* From an event to the rules that it concerns, at a cost that does not grow with the rules that it does not.
 * Purpose: of all rules of an event's type, those whose where surely is false for it are left out before a
 * key is hashed; so are those whose partner it would be, if the if surely is false. A rule's gate (gate.h)
 * asks one field; the answers of a type's fields together are a number, and what events of that number
 * concern is worked out once and kept. Owner/thread: of a plan, one thread. Guarantee: verdicts, and the
 * counts of triggers and of failures, are those of evaluating every rule. A key's failure is not counted for
 * rules that were left out, since they do not look at the key. */
#pragma once

#include "baseline/baseline.h"
#include "engine/engine.h"
#include "engine/plan.h"

struct iv_dispatch;

/* The plan without a dispatch, and the baseline that it was made from. */
iv_rc iv_dispatch_new(struct iv_dispatch **out, const struct iv_plan *plan,
                      const struct iv_baseline *baseline, struct iv_err *err);
void iv_dispatch_free(struct iv_dispatch *dispatch);

/* What the event concerns; NULL when memory is out. Valid as long as the age is the same. */
struct iv_concern *iv_dispatch_find(struct iv_dispatch *dispatch, const struct iv_event *event);

uint64_t iv_dispatch_age(const struct iv_dispatch *dispatch);

/* Counts the event for the rules whose trigger it is and which need not be evaluated. hour: the counts, by a
 * rule's index in the baseline, that this is to be added to; they stay where they are until the next
 * iv_dispatch_settle. */
void iv_dispatch_count(struct iv_dispatch *dispatch, struct iv_concern *concern, uint64_t *hour);
/* Adds what was counted so to the rules' figures, which stand by their index in the baseline. */
void iv_dispatch_settle(struct iv_dispatch *dispatch, struct iv_rule_stats *stats);
