/* SPDX-License-Identifier: Apache-2.0 */
/* The exchange from the side of the sources: what the global rules need of one partition of ledger and
 * telemetry, on its way to the owners of their keys.
 * Purpose: a rule in which events of several tenants can meet cannot be decided where one partition is read.
 * Its events go, once for each owner of one of their keys, through the exchange; and so does how far the
 * partition was read in time, so that the owners know when nothing more can come.
 * Owner/thread: of the cell that reads the partition; one thread.
 * Guarantee: what is sent of a record is a function of the baseline and of the records before it. Where one
 * packet ends and the next begins is not; so the packets say which offsets they cover (exchange_back.h).
 * Not here: who sends (exchange_post.h), whether it has arrived. A position of this cell is safe only when
 * all that was handed to send before has been acknowledged. */
#pragma once

#include "base/err.h"
#include "engine/engine.h"
#include "event/event.h"

struct iv_front;

/* The packet is the callee's to copy. */
typedef struct iv_rc_s (*iv_front_send_fn)(void *ctx, uint32_t share, struct iv_str packet,
                                           struct iv_err *err);

struct iv_front_options {
    struct iv_str deployment;     /* the group of its processes; outlives the front */
    struct iv_baseline *baseline; /* a reference is taken */
    int32_t partition;
    uint32_t shares; /* partitions of the exchange: as many as the sources have */
    bool digests;
    struct {
        struct iv_str topic; /* n 0: the stream is not read; outlives the front */
        int64_t next;        /* the first offset that will be read; -1: wherever the partition begins */
    } read[IV_STREAMS];
    iv_front_send_fn send;
    iv_complaint_fn complaint; /* of keys; may be NULL */
    void *ctx;
};

iv_rc iv_front_new(struct iv_front **out, const struct iv_front_options *options, struct iv_err *err);
void iv_front_free(struct iv_front *front);
void iv_front_freep(struct iv_front **front);

/* Before that engine sees the event, if one likes: what both need of the record's bytes is worked out once.
 */
void iv_front_digest(struct iv_front *front, struct iv_event *event);
/* After the engine of the partition's local rules, the one with EVT-001, has said what the event is. */
iv_rc iv_front_event(struct iv_front *front, struct iv_event *event, struct iv_err *err);
/* A record that is no event was read. */
void iv_front_skip(struct iv_front *front, enum iv_stream stream, int64_t offset);
/* As iv_engine_idle. What the wall's time says must be true whoever says it, and when: nothing that was not
 * read had been written before it. So one whose partition was given away meanwhile does no harm either. */
void iv_front_idle(struct iv_front *front, enum iv_stream stream, iv_ns wall);
/* As iv_engine_joined_midway: the records before the next one are gone. */
void iv_front_joined_midway(struct iv_front *front, enum iv_stream stream);
/* Reading goes on at next: what stood before it is gone, or, where next is lower than what was read, another
 * log has taken its place. */
void iv_front_gap(struct iv_front *front, enum iv_stream stream, int64_t next);

/* Sends the packets that have events. all: and to the other shares how far the partition was read, where they
 * do not know it yet: from time to time, or they wait; and before a position is kept. */
iv_rc iv_front_flush(struct iv_front *front, bool all, struct iv_err *err);
/* How often to flush all: a packet to each share costs the more, the more there are. */
iv_ns iv_front_pace(const struct iv_front *front);
/* Another baseline is in force; what was collected is sent first. */
iv_rc iv_front_reload(struct iv_front *front, struct iv_baseline *baseline, struct iv_err *err);

struct iv_front_stats {
    uint64_t events; /* sent, once for each share */
    uint64_t bytes;
};
void iv_front_stats(const struct iv_front *front, struct iv_front_stats *out);
/* Failures of keys. */
void iv_front_rule_stats(const struct iv_front *front, uint16_t rule_index, struct iv_rule_stats *out);
