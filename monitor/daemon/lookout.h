/* SPDX-License-Identifier: Apache-2.0 */
/* The lookout: what befalls the monitor while it runs becomes rows of its journal.
 * Purpose: input that is lost, lag, gaps, dead letters, sinks that fail, each once when it begins and once
 * when it is over, however long it lasts and however often it is looked at.
 * Owner/thread: iv_lookout_note from any thread; the other calls from the one that ticks.
 * Guarantee: looking costs the readers of the streams nothing, it reads the metrics; what cannot be written
 * yet (a store that is busy or full) waits, up to a bound, and is written with the time at which it was.
 * Not here: rows and their reading (evidence/journal.h), who is paged (alerts.h, dashboards/prometheus). */
#pragma once

#include "base/clock.h"
#include "console/metrics.h"
#include "evidence/journal.h"
#include "stream/kafka.h"

struct iv_lookout;

struct iv_lookout_options {
    struct iv_store *store; /* outlives the lookout, as do the metrics */
    struct iv_metrics *metrics;
    struct iv_clock clock;
};
iv_rc iv_lookout_new(struct iv_lookout **out, const struct iv_lookout_options *options, struct iv_err *err);
/* What is noted and not written yet is tried once more. NULL is fine. */
void iv_lookout_free(struct iv_lookout *lookout);

/* A row, written at the next turn. Longer texts are cut. NULL lookout: nothing. */
void iv_lookout_note(struct iv_lookout *lookout, enum iv_journal_kind kind, struct iv_str about,
                     struct iv_str cause);

/* How the input does, as often as it is known. */
void iv_lookout_input(struct iv_lookout *lookout, const struct iv_consumer_health *health);
/* Whether the pause file holds all actions. */
void iv_lookout_held(struct iv_lookout *lookout, bool by_file, struct iv_str path);
/* Looks at the metrics, at most once a second, and writes what was noted. */
void iv_lookout_turn(struct iv_lookout *lookout);
