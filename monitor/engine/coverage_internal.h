/* SPDX-License-Identifier: Apache-2.0 */
/* The insides of a coverage, shared by coverage.c (partitions), coverage_logs.c (sequences) and
 * coverage_image.c (bytes). */
#pragma once

#include "engine/coverage.h"

#define IV_NO_HOLE UINT32_MAX

struct iv_tract {
    enum iv_stream stream;
    int32_t partition;
    enum iv_cover_state state;
    enum { IV_TRACT_NEW, IV_TRACT_WHOLE, IV_TRACT_MIDWAY } began;
    bool changed; /* since the last report */
    iv_ns begin;  /* MIDWAY: what lies behind it was read; IV_NS_MAX: not known yet */
    iv_ns first;
    iv_ns reach;
    struct iv_losses losses;
    struct {
        iv_ns from;
        uint64_t records;
        bool open;
    } pending[IV_LOSS_CAUSES]; /* losses whose end the next record in time tells */
    struct {
        bool any;
        iv_ns first;
        iv_ns reach;
        struct iv_losses losses;
        bool of_other_run;
        iv_ns ended; /* of_other_run: its reach */
    } before;        /* what was known before: of an earlier run, or of this one before it went back */
};

/* One log of the ledger, by the hash of its id. */
struct iv_trail {
    struct iv_hash128 id;
    int64_t low; /* every entry from here up to, not including, next was seen, but for the holes */
    int64_t next;
    iv_ns low_time;
    iv_ns last_time; /* of the entry before next */
    uint32_t holes;  /* list; IV_NO_HOLE: none */
    bool stirred;    /* since the hand passed */
};

struct iv_hole {
    iv_ns before; /* time of the entry in front; mostly the lesser one */
    iv_ns behind; /* and of the one behind */
    int64_t first;
    int64_t last;
    uint32_t tract;
    uint32_t trail;
    uint32_t next; /* of the same log, or of those that are free */
};

struct iv_coverage {
    struct iv_coverage_options options;
    struct iv_tract *tracts;
    uint32_t tract_count;
    uint32_t tract_last; /* where the last look-up found its own */
    struct iv_losses scratch;
    /* Logs in order of arrival, and a table of their numbers plus one. Where there are too many, a hand goes
     * round and drops one that was silent since it came by. */
    struct iv_trail *trails;
    uint32_t trail_count;
    uint32_t trail_room;
    uint32_t hand;
    uint32_t *table;
    uint32_t table_room; /* a power of two, above twice the logs */
    bool forgot;         /* some log was dropped; */
    iv_ns forgotten;     /* the least of their last times */
    struct iv_hole *holes;
    uint32_t hole_count; /* free ones included */
    uint32_t hole_room;
    uint32_t holes_free;
    uint32_t holes_open;
};

/* The sequence of the event's log; tract is the number of its partition. False when memory is out. */
bool iv_trail_entry(struct iv_coverage *c, const struct iv_event *event, uint32_t tract);
/* The holes of a partition that are still open, as losses. */
bool iv_trail_losses(const struct iv_coverage *c, uint32_t tract, struct iv_losses *out);
/* Enters a log behind those that are there. False when memory is out. */
bool iv_trail_put(struct iv_coverage *c, const struct iv_trail *trail);
/* A hole of a log, behind the others of that log. False when memory is out. */
bool iv_trail_open(struct iv_coverage *c, const struct iv_hole *hole);
