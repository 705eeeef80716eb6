/* SPDX-License-Identifier: Apache-2.0 */
/* Events that the engine remembers: one record each, shared by all rules that need it.
 * Purpose: an event is packed once into a block of its size, and unpacked into a view when a program must
 * see it.
 * Owner/thread: one engine. Records are counted; the last release frees.
 * Guarantee: no pointers in what is kept. A view is valid until its set has handed out as many others as it
 * has.
 * Not here: which events are kept, and for how long (lanes.h, identity.h). */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "engine/engine.h"
#include "engine/pack.h"
#include "engine/plan.h"
#include "engine/slab.h"
#include "engine/table.h"

#include <stdbool.h>
#include <stdint.h>

#define IV_CONTENT_ID_MAX 16

/* One line of the cache. */
struct iv_rec {
    iv_ns time;
    struct iv_hash128 content;
    uint64_t order; /* of arrival, from 1 */
    uint32_t body;  /* of the pool: offset; digest and content id where there are; then the kept slots */
    uint32_t refs;
    uint32_t source;      /* interned */
    uint32_t obligations; /* the first that waits for this trigger */
    uint32_t params;      /* the parameter set that this event sees as a trigger */
    uint32_t sibling;     /* another content of the same identity (identity.h) */
    int32_t partition;
    uint16_t type;
    uint8_t topic; /* into the store's list */
    bool telemetry : 1;
    bool hash_known : 1;
    bool hash_valid : 1; /* where it is known */
    bool has_digest : 1;
    bool has_content_id : 1;
    bool identified : 1; /* its identity is remembered; then also: */
    bool told : 1;       /* it is part of an equivocation, */
    bool announced : 1;  /* and the identity's was emitted */
};
_Static_assert(sizeof(struct iv_rec) == 64, "a record is a line of the cache");

struct iv_view {
    uint32_t rec;
    uint64_t has; /* of what can be asked for (plan.h); no other slots may be looked at */
    struct iv_event event;
    struct iv_val *slots; /* as many as any type has */
    struct iv_arena arena;
};

/* Views of one purpose: the next one overwrites the oldest. */
#define IV_VIEW_SETS 4
enum iv_view_set { IV_VIEW_TRIGGERS, IV_VIEW_PARTNERS, IV_VIEW_RULINGS, IV_VIEW_WITNESSES };
#define IV_WITNESS_MAX 32

struct iv_view_ring {
    uint64_t
        orders[IV_WITNESS_MAX]; /* of arrival of what is viewed, which no other record ever has; 0: none */
    struct iv_view views[IV_WITNESS_MAX];
    uint32_t size;
    uint32_t next;
};

/* Sources are few, and most events' source was seen a moment ago: one of these is asked before the table. */
#define IV_RECENT_SOURCES 256

struct iv_store {
    const struct iv_catalogue *catalogue;
    const struct iv_plan *plan;
    struct iv_slab records;
    struct iv_pool pool;   /* bodies, and whatever else has no fixed size */
    struct iv_buf scratch; /* the body that is being packed */
    struct iv_slab sources;
    struct iv_table source_table;
    uint32_t recent_sources[IV_RECENT_SOURCES]; /* by a few of their bytes; 0: none */
    struct iv_hash_key key;
    struct iv_str topics[UINT8_MAX];
    uint8_t topic_count;
    uint32_t slot_max;
    uint64_t order;
    struct iv_view_ring rings[IV_VIEW_SETS];
    uint32_t live_rec; /* the event at hand, and its view, which is the event itself */
    struct iv_view live;
};

iv_rc iv_store_init(struct iv_store *store, struct iv_ground *ground, const struct iv_catalogue *catalogue,
                    const struct iv_plan *plan, struct iv_hash_key key, struct iv_err *err);
void iv_store_deinit(struct iv_store *store);

/* What to keep besides the slots; either may be NULL. */
struct iv_store_extra {
    const struct iv_digest *digest;
    const unsigned char *content_id;
};
/* Packs the event; the caller holds the one reference. 0 when memory is out. */
uint32_t iv_store_add(struct iv_store *store, const struct iv_event *event,
                      const struct iv_store_extra *extra);
/* Views of the record are the event itself until the next call; event NULL: no longer. */
void iv_store_set_live(struct iv_store *store, uint32_t rec, const struct iv_event *event);
void iv_store_release(struct iv_store *store, uint32_t rec);

static inline struct iv_rec *iv_store_rec(const struct iv_store *store, uint32_t rec)
{
    return iv_slab_at(&store->records, rec);
}

/* need: what must be there of it; unless it is all, nothing else may be looked at but time, topic, type and
 * where it stood. NULL when memory is out. */
struct iv_event *iv_store_view_kept(struct iv_store *store, enum iv_view_set set, uint32_t rec,
                                    uint64_t need);
static inline struct iv_event *iv_store_view(struct iv_store *store, enum iv_view_set set, uint32_t rec,
                                             uint64_t need)
{
    return rec == store->live_rec ? &store->live.event : iv_store_view_kept(store, set, rec, need);
}
/* The event, which a set showed last, with all that is kept of it. */
struct iv_event *iv_store_view_whole(struct iv_store *store, struct iv_event *event);

struct iv_origin iv_store_origin(const struct iv_store *store, uint32_t rec);
int8_t iv_store_hash_valid(const struct iv_store *store, uint32_t rec); /* as in struct iv_event */
struct iv_str iv_store_source(const struct iv_store *store, uint32_t rec);
/* In the body, or in the room. */
struct iv_str iv_store_id(const struct iv_store *store, uint32_t rec, char room[IV_UNPACK_ROOM]);
/* By source, then id. */
int iv_store_compare_names(const struct iv_store *store, uint32_t a, uint32_t b);
struct iv_digest iv_store_digest(const struct iv_store *store, uint32_t rec); /* n is 0 where none is kept */
const unsigned char *iv_store_content_id(const struct iv_store *store,
                                         uint32_t rec); /* NULL where none is kept */
const struct iv_event_type *iv_store_type(const struct iv_store *store, uint32_t rec);
/* By index; that of the unknown type is the catalogue's. */
const struct iv_event_type *iv_store_type_at(const struct iv_store *store, uint16_t index);
uint64_t iv_store_bytes(const struct iv_store *store);
