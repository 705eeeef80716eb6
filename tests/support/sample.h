/* SPDX-License-Identifier: Apache-2.0 */
/* A verdict to try things on: TOK-002 under a small baseline, over the real catalogue.
 * The token t-1 of tenant acme was used by agent-7 two seconds after it was revoked. */
#pragma once

#include "engine/engine.h"
#include "event/catalogue.h"

#define SAMPLE_SLOTS 64
#define SAMPLE_TIME INT64_C(1767225602500000000) /* 2026-01-01T00:00:02.5Z */

struct sample {
    struct iv_catalogue *catalogue;
    struct iv_baseline baseline;
    struct iv_rule rule;
    const struct iv_rule *rules[1];
    struct iv_str criteria[2];
    uint64_t types[8]; /* what the rule triggers on: token.used */
    struct iv_waiver waiver;
    struct iv_val trigger_slots[SAMPLE_SLOTS];
    struct iv_sighting witness;
    struct iv_verdict verdict;
};

void sample_init(struct sample *s);
void sample_deinit(struct sample *s);
/* Another finding: its uid and its trigger's id are made from n. */
void sample_number(struct sample *s, unsigned n);
/* Sets a field of the trigger; a value of kind ABSENT takes it away. */
void sample_set(struct sample *s, const char *field, struct iv_val value);
