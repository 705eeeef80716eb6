/* SPDX-License-Identifier: Apache-2.0 */
/* What was covered, of streams and of what rests on several of them.
 * Purpose: a stream is covered when all its partitions are; a rule when all streams that it needs are, but
 * for what it had to forget itself; a criterion when all its rules are. Owner/thread: filled by one reader;
 * then plain data of whoever holds it. */
#pragma once

#include "base/arena.h"
#include "base/spans.h"
#include "evidence/coverage.h"

struct iv_covered_stream {
    struct iv_spans spans; /* from the beginning of time; empty where nothing is known of the stream */
    bool known;
    iv_ns first;                          /* least event time of any partition; IV_NS_MAX: none */
    iv_ns reach;                          /* how far the foremost partition has come; IV_NS_MIN: nowhere */
    iv_ns behind;                         /* and the hindmost of those that are read; IV_NS_MAX: none is */
    struct iv_spans lost[IV_LOSS_CAUSES]; /* of any partition */
};

struct iv_covered_rule_loss {
    struct iv_str rule; /* in names */
    struct iv_loss loss;
};

struct iv_covered {
    struct iv_covered_stream streams[IV_STREAMS];
    struct iv_covered_rule_loss *rule_losses;
    size_t rule_loss_count;
    struct iv_arena names;
};

iv_rc iv_covered_read(struct iv_covered *out, struct iv_reader *reader, struct iv_err *err);
void iv_covered_deinit(struct iv_covered *covered);

/* Leaves of *spans what is covered of these streams, a bit 1 << enum iv_stream each, and of the rule's own.
 */
void iv_covered_meet(struct iv_spans *spans, const struct iv_covered *covered, unsigned streams,
                     struct iv_str rule);
/* The event time of which something can be said: from the least to the foremost of all streams. False: there
 * is none yet. */
bool iv_covered_bounds(const struct iv_covered *covered, iv_ns *from, iv_ns *until);

/* How far behind the foremost a partition may be that the others wait for. */
#define IV_COVERED_WAIT (300 * IV_NS_PER_S)
/* The same, but ends where the hindmost partition that is read has come, since nothing is missing where it
 * has not come yet; one that stays behind longer is not waited for, so that what it lacks is seen. */
bool iv_covered_period(const struct iv_covered *covered, iv_ns *from, iv_ns *until);

/* What part of a period spans are, to a millionth: 1 is all of it and 0 nothing, never nearly so. */
double iv_covered_share(const struct iv_spans *spans, iv_ns from, iv_ns until);
