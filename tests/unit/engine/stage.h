/* SPDX-License-Identifier: Apache-2.0 */
/* A baseline, an engine, and a script of what arrives and what it must say at once.
 *
 * The baseline has the types d.a, d.b, d.c of telemetry and l.a, l.b of the ledger, with the fields k, v, s:
 * string, n: int, u: double, t: timestamp, d: duration, b: bool, l: list<string>, profile: string.
 *
 * A script is lines:
 * - "T0 2s d.a id1 k=x n=5": a record of partition 0 of telemetry (L of the ledger) at 2 s of event time. The
 * words agent=, tenant= and source= are attributes, the rest fields; t= is in seconds of event time;
 * chained=yes gives an event of the ledger the hash that recomputes.
 * - "= violated R-1 id1 [w1 w2] waived until 5s": what the line above makes the engine say, as far as it is
 * written: kind, rule, trigger, witnesses by time, waiver, deadline.
 * - "open T1", "idle T0 9s", "midway L0" (the ledger's beginning is gone), "end".
 * - "restore": the engine is replaced by one made from its snapshot.
 * - "late 2", "duplicates 1", "kept 1", "live 3", "armed 0", "unknown 1", "failures 1": the engine's
 * counters.
 *
 * What the engine says without a line that expects it is a failure, and so is a line that it does not say.
 * Compiled with STAGE_RESTORES, every line is preceded by "restore". */
#pragma once

#include "engine/engine.h"

struct stage;

/* settings: further lines of baseline.yaml, or ""; lateness is 0s unless they have streams. rules: a YAML
 * list. */
struct stage *stage_new(const char *settings, const char *rules);
void stage_free(struct stage *stage);
void stage_freep(struct stage **stage);

/* Plays the script; fails the test with the line that went wrong. */
void stage_play(struct stage *stage, const char *script);
/* All at once, for one rule set. */
void stage_script(const char *settings, const char *rules, const char *script);

/* The state's bytes, appended. */
void stage_snapshot(struct stage *stage, struct iv_buf *out);
/* Goes on from these bytes, if they are sound. */
iv_rc stage_restore(struct stage *stage, struct iv_str bytes, struct iv_err *err);
/* Goes on under another baseline, from what the engine's snapshot says. */
void stage_reload(struct stage *stage, const char *settings, const char *rules);

/* The populations of hours that left the memory, each "RULE COUNT\n". */
const char *stage_left(struct stage *stage);

/* A fresh engine on the same baseline. */
void stage_reset(struct stage *stage);
/* One line of a script that is no expectation; what the engine says is collected. */
void stage_line(struct stage *stage, struct iv_str line);
/* What was collected and not yet taken, each line with a line feed; valid until the next call. */
struct iv_str stage_said(const struct stage *stage);
void stage_forget(struct stage *stage);
struct iv_engine *stage_engine(const struct stage *stage);
struct iv_baseline *stage_baseline(struct stage *stage);
/* How often the engine allocates for one record of telemetry. */
uint64_t stage_allocations(struct stage *stage, const char *json);
/* The uid of the verdict that was said last. */
const unsigned char *stage_uid(const struct stage *stage);
