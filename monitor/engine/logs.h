/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger's logs as Merkle trees, whatever the order of arrival: chains of entries that may be incomplete,
 * late or forked, and the tree of each entry that is connected down to the first.
 * Purpose: a checkpoint is judged in a few hashes, however large its tree.
 * Owner/thread: one engine. False from a function: memory is out.
 * Guarantee: a bounded number of steps for each call but those that say `all`. An entry costs two hashes on
 * average, once. What is remembered is the entries of the last `reach` before the watermark, and for each log
 * as many others as its size has bits.
 * Source: RFC 6962 2.1; contract "Events", hash chain; rules/README.md, `tree`, for what counts.
 *
 * An entry is known by its log, its place in it, and its hash. Any number of events may claim to be it; they
 * can differ in the predecessor that they name, of which all but one are forged, and then the earliest by
 * event time counts (several earliest: none). So what an entry's predecessor is stands fast when the
 * watermark has passed its earliest claim, and not before: only then it is connected.
 *
 * A claim that comes when the entry is forgotten makes a new one of it, so claims of one entry that lie
 * further apart than the reach may be taken for two; all but one of them are forged.
 *
 * The tree of n leaves is kept in its n-th entry: as the last of its peaks, the perfect trees that it is made
 * of, and a reference to the entry whose tree the other peaks make up, which is n less its lowest bit (as in
 * Fenwick's tree). Trees that fork share what they have in common. */
#pragma once

#include "base/hash.h"
#include "base/merkle.h"
#include "base/time.h"
#include "engine/slab.h"
#include "engine/table.h"
#include "engine/timers.h"

#include <stdbool.h>
#include <stdint.h>

/* What claims a place beyond it is no entry. */
#define IV_LOG_SEQ_MAX ((UINT64_C(1) << 56) - 1)

enum iv_log_state {
    IV_LOG_UNSEEN,    /* others name it; no event has claimed it */
    IV_LOG_CLAIMED,   /* an earlier claim may still come */
    IV_LOG_WAITING,   /* its predecessor is not connected yet */
    IV_LOG_CONNECTED, /* its tree is known */
    IV_LOG_BROKEN,    /* it has no predecessor that counts */
};

struct iv_log_entry {
    struct iv_hash128 key; /* of log, place and hash */
    union {
        struct iv_hash128 names; /* CLAIMED: the key of its predecessor */
        struct {
            uint32_t entry; /* WAITING: for this one, in the list of those that do */
            uint32_t next;
            uint32_t last;
        } waits;
        struct {
            iv_ns latest;         /* CONNECTED: the latest time of the entries up to here, */
            iv_ns gap;            /* and how far neighbours among them are apart at most */
            uint32_t predecessor; /* 0: none, or it is forgotten */
            uint32_t left;        /* the entry of the other peaks; 0: there are none */
        } tree;
    };
    struct iv_merkle_hash hash; /* of the leaf; CONNECTED: the last peak */
    iv_ns time;                 /* of its earliest claim; UNSEEN: the latest of those that name it */
    uint64_t seq : 56;
    uint64_t state : 3;
    uint64_t disputed : 1; /* claims of the earliest time name different predecessors */
    uint32_t waiters;      /* the first entry that waits for this one */
    uint32_t newer;        /* in order of arrival */
    uint32_t refs;
};

struct iv_logs {
    struct iv_slab entries;
    struct iv_table table;
    struct iv_timers claims; /* by the time at which a claim stands fast */
    uint64_t claim_count;
    uint32_t *connected; /* entries that others wait for */
    uint32_t connected_count;
    uint32_t connected_capacity;
    uint32_t oldest; /* in order of arrival */
    uint32_t newest;
    iv_ns reach; /* of all that ask: neighbours further apart in time than this concern nobody */
};

/* blocks: of timers (timers.h). */
void iv_logs_init(struct iv_logs *logs, struct iv_ground *ground, struct iv_slab *blocks, iv_ns reach);
void iv_logs_deinit(struct iv_logs *logs);

/* An event's claim to be an entry. */
struct iv_log_claim {
    struct iv_hash128 key;
    struct iv_hash128 names; /* the key of its predecessor; of no meaning at place 0 */
    uint64_t seq;
    iv_ns time;
    struct iv_str hash; /* its bytes: the leaf */
};
bool iv_logs_add(struct iv_logs *logs, struct iv_digester *d, const struct iv_log_claim *claim);

/* Connects what the watermark lets stand fast: times below `passed`. */
bool iv_logs_settle(struct iv_logs *logs, struct iv_digester *d, iv_ns passed, bool all);
/* Whether there is nothing left to connect. */
bool iv_logs_settled(const struct iv_logs *logs, iv_ns passed);
/* Forgets entries whose time lies further back than the reach. Only where all is settled. */
void iv_logs_sweep(struct iv_logs *logs, iv_ns passed);

/* 0: it is not there. */
uint32_t iv_logs_find(const struct iv_logs *logs, struct iv_hash128 key);
/* The entry at the end of the tree of this many leaves, from 1, that an entry's tree begins with; 0: it is
 * forgotten. The entry is connected, and its tree has as many leaves. */
uint32_t iv_logs_prefix(const struct iv_logs *logs, uint32_t entry, uint64_t leaves);
/* Of a connected entry. */
void iv_logs_root(struct iv_merkle_hash *out, const struct iv_logs *logs, struct iv_digester *d,
                  uint32_t entry);
uint64_t iv_logs_bytes(const struct iv_logs *logs);

/* For whoever makes logs from what was written down (logs_image.h): an entry, remembered or only leant on,
 * whose state and hash are then filled in, 0 when memory is out; what it refers to, 0 being none; and, when
 * all are there, what was under way. */
uint32_t iv_logs_put(struct iv_logs *logs, struct iv_hash128 key, uint64_t seq, iv_ns time, bool remembered);
bool iv_logs_link(struct iv_logs *logs, uint32_t entry, uint32_t predecessor, uint32_t left);
bool iv_logs_resume(struct iv_logs *logs);

static inline struct iv_log_entry *iv_log_entry_at(const struct iv_logs *logs, uint32_t entry)
{
    return iv_slab_at(&logs->entries, entry);
}
