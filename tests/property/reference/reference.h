/* SPDX-License-Identifier: Apache-2.0 */
/* What a baseline denotes over a set of events, by the definition: every trigger against every other event,
 * all events at once, no state, no cleverness. Slow on purpose, so that a reader can hold it against the
 * contract line by line. Shares with the product the decoder, the expressions and the loaded baseline;
 * nothing of the engine.
 * Owner/thread: one thread.
 * Source: contract "Rules", what a rule means, form, fine points. */
#pragma once

#include "baseline/baseline.h"
#include "event/event.h"

#include <stdbool.h>
#include <stddef.h>

enum reference_verdict { REFERENCE_VIOLATED, REFERENCE_INCONCLUSIVE, REFERENCE_OPEN };

struct reference_finding {
    const struct iv_rule *rule;
    const struct iv_event *trigger;
    enum reference_verdict verdict;
    bool waived;
};

/* How far each stream has been read. Of a stream at the end of input a watermark that has reached a moment
 * has passed it; before that it must be later. */
struct reference_horizon {
    iv_ns watermark[IV_STREAMS];
    bool at_end[IV_STREAMS];
};

struct reference;

/* The baseline outlives the reference. Aborts where memory is out: it is a test's. */
struct reference *reference_new(const struct iv_baseline *baseline);
void reference_free(struct reference *reference);

/* Whether it is part of E: of a type that the catalogue does not have, an event of telemetry is counted and
 * skipped, one of the ledger still is an event. */
bool reference_is_event(const struct iv_event *event);

/* Where the streams stand at the end of input: at the greatest time of all events. */
struct reference_horizon reference_end(const struct iv_event *const *events, size_t count);

/* All findings over these events, duplicates among them or not, in no particular order. The list belongs to
 * the reference and lasts until the next call. */
size_t reference_judge(struct reference *reference, const struct iv_event *const *events, size_t count,
                       const struct reference_horizon *horizon, const struct reference_finding **findings);
