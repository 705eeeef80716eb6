/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the streams from Kafka, as a member of a consumer group.
 * Purpose: batches of records with partitions coming and going, positions kept by us, nothing lost silently.
 * Owner/thread: one consumer per worker thread; every call and every hook runs on that thread.
 * Guarantee: five of them.
 *   - Partition p of one stream comes and goes with partition p of the others, under any assignor: the topics
 *     must have the same number of partitions, the group shares out those of the first topic alone, and the
 *     others' are taken with them. So whoever has a key has it in all streams.
 *   - A partition begins where the hook `assigned` says; it never jumps. A position that the broker no
 *     longer has is a gap, reported with its bounds, and reading goes on behind it.
 *   - Offsets are committed only by iv_consumer_commit.
 *   - Hooks run at the beginning of iv_consumer_poll, when the previous batch has been dealt with: no
 *     record of a revoked partition follows its revocation, none of a new one precedes its assignment.
 *   - A broker that is not there, or goes away, is told (log, iv_consumer_health) and waited for, endlessly.
 * Latency: a poll returns with what is there as soon as one record is there, never waits for a full batch.
 * Source: librdkafka's CONFIGURATION.md and INTRODUCTION.md. */
#pragma once

#include "base/err.h"
#include "base/time.h"
#include "stream/property.h"
#include "stream/source.h"

#include <stdbool.h>

/* For iv_cursor.offset in the hook `assigned`. */
#define IV_OFFSET_BEGINNING INT64_C(-2)
/* The group's committed offset; the beginning where it has none. */
#define IV_OFFSET_COMMITTED INT64_C(-1000)

struct iv_consumer_hooks {
    void *ctx;
    /* These partitions are ours, and what was revoked and is not among them is somebody else's; count may be
     * 0. Each offset is IV_OFFSET_COMMITTED; the hook may set another. May be NULL. An error of the class
     * RETRY puts the assignment off to the next poll, any other is the poll's result. */
    iv_rc (*assigned)(void *ctx, struct iv_cursor *positions, size_t count, struct iv_err *err);
    /* These partitions are taken away; each offset is the next record's that would have been delivered, or
     * negative if none was. Committing here, with wait, still works unless they are lost (the group has given
     * them to others already). May be NULL. */
    void (*revoked)(void *ctx, const struct iv_cursor *positions, size_t count, bool lost);
    /* The broker no longer has the offsets from at->offset up to, not including, next; or, where next is
     * lower than at->offset, it has another log than the one that was read. Reading goes on at next. May be
     * NULL. */
    void (*gap)(void *ctx, const struct iv_cursor *at, int64_t next);
};

struct iv_consumer_options {
    const struct iv_property *properties; /* win over the profile, but for what the guarantees stand on */
    size_t property_count;
    struct iv_str topics[IV_STREAMS]; /* n 0: that stream is not read; outlive the records' origins */
    size_t batch_records;             /* at most so many records a poll; 0: 1,024 */
    /* Of the group's members one has all partitions, the others none: whoever the group gives the first one
     * to, which is who joined it first of those that are there. */
    bool alone;
    struct iv_consumer_hooks hooks;
};

struct iv_consumer;

/* What iv_consumer_open would refuse of the properties. */
iv_rc iv_consumer_check(const struct iv_property *properties, size_t count, struct iv_err *err);
/* Does not wait for a broker. IV_E_REFUSED: a property is unknown, has a wrong value, or would break a
 * guarantee. */
iv_rc iv_consumer_open(struct iv_consumer **out, const struct iv_consumer_options *options,
                       struct iv_err *err);
/* Leaves the group: calls `revoked` for what is still assigned. Bounded by session.timeout.ms. */
void iv_consumer_close(struct iv_consumer *consumer);
void iv_consumer_closep(struct iv_consumer **consumer);

/* Waits at most `wait` for the first record, then takes what is there. A batch may be empty. Failures that
 * pass are not errors here (see iv_consumer_health), nor is a topic that is missing: it is told and waited
 * for, and what there is of the others is read. IV_E_IO: the client cannot go on and must be opened anew.
 * IV_E_REFUSED: the topics differ in their number of partitions, or it has changed. */
iv_rc iv_consumer_poll(struct iv_consumer *consumer, struct iv_batch *out, iv_ns wait, struct iv_err *err);

/* Commits next offsets to the group; with wait, returns when the broker has answered. IV_E_BROKER: not
 * committed, try again. Without wait a failure is logged, and the next commit makes up for it. */
iv_rc iv_consumer_commit(struct iv_consumer *consumer, const struct iv_cursor *next, size_t count, bool wait,
                         struct iv_err *err);

/* The group has given what is ours to others, which the next poll will tell: it is not to be worked on. */
bool iv_consumer_is_lost(const struct iv_consumer *consumer);

struct iv_consumer_health {
    bool reachable;    /* false from when all brokers were down until one answers */
    bool complete;     /* all topics are there, and can be read */
    bool assigned;     /* the group has given us our partitions (none may be ours) */
    size_t partitions; /* ours */
    char trouble[512]; /* what librdkafka or the broker last complained of; empty while all is well */
};
/* What was known at the last poll. */
void iv_consumer_health(const struct iv_consumer *consumer, struct iv_consumer_health *out);

/* How many partitions each topic has; 0 until a broker has told. */
int32_t iv_consumer_width(const struct iv_consumer *consumer);

struct iv_partition_stats {
    struct iv_cursor position; /* of the next record; offset negative before the first */
    int64_t high;              /* the end of the log; -1 unknown */
    int64_t lag;               /* records to come, as far as offsets tell; -1 unknown */
    int64_t held; /* at_end, and yet so many offsets before the end of the log: an open transaction keeps them
                     back */
    bool at_end;  /* read to its end, as far as committed records go */
};
/* A partition that was read to its end, as far as committed records go, and yet has so many offsets before
 * the end of its log: an open transaction holds them back. 0 where it is not so, or not known. */
int64_t iv_consumer_held(const struct iv_consumer *consumer, enum iv_stream stream, int32_t partition);
/* Of the partitions that are ours, as many as fit; answers how many there are. */
size_t iv_consumer_partitions(const struct iv_consumer *consumer, struct iv_partition_stats *out,
                              size_t room);
