/* SPDX-License-Identifier: Apache-2.0 */
/* Events as people write them in a rule's tests, to records as producers write them.
 * Purpose: {type: token.used, time: 2s, token_id: t1, id: u1} is enough; the envelope, the hash chain of
 * ledger events and the ids are filled in.
 * Owner/thread: one writer for one stream of events, one thread. */
#pragma once

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "baseline/baseline.h"
#include "baseline/yaml.h"
#include "event/decode.h"
#include "trial/test_note.h"

#define IV_SHORTHAND_LOGS 16

struct iv_shorthand {
    const struct iv_catalogue *catalogue;
    struct iv_decoder *decoder;
    struct iv_digester *digester;
    struct iv_problems *problems;
    const struct iv_test_keys *keys; /* those that receipts and notes can be signed with */
    unsigned count;                  /* events so far; names those without an id e1, e2, … */
    struct iv_shorthand_log {
        char id[64];
        int64_t next;
        char hash[97];                           /* of the last event */
        struct iv_digest leaves[IV_TEST_LEAVES]; /* the hashes by place, of the last that was there */
    } logs[IV_SHORTHAND_LOGS];
    size_t log_count;
};

/* A time, or a distance from 2026-01-01T00:00:00Z; false: it is neither. */
bool iv_shorthand_time(struct iv_instant *out, const struct iv_yaml_node *node);

/* Writes one structured event into out, which is cleared first. Times that are durations count from
 * 2026-01-01T00:00:00Z; the source is "test" unless given; null leaves a member out. IV_E_REFUSED: problems
 * says why. */
iv_rc iv_shorthand_event(struct iv_shorthand *shorthand, struct iv_buf *out, enum iv_stream *stream,
                         const struct iv_yaml_node *node, struct iv_err *err);
