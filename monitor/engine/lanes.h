/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and their lanes: joining, finding, dropping (see plan.h for what a lane is).
 * Guarantee: a mark holds its record; of events that nobody looks for as partners, only triggers that wait
 * stand in a lane; a lane without marks, and a node without lanes, are gone. Marks stay where they are while
 * an event is evaluated: what leaves, leaves at iv_lanes_sweep. */
#pragma once

#include "engine/core.h"

/* The node of a key, made if it is not there; 0 when memory is out. */
uint32_t iv_node_for(struct iv_engine *e, struct iv_hash128 key);

/* Forgets a node that no lane was joined under. */
void iv_node_settle(struct iv_engine *e, uint32_t node);

static inline struct iv_node *iv_node_at(const struct iv_engine *e, uint32_t node)
{
    return iv_slab_at(&e->nodes, node);
}

/* Asks the memory for the events of a node's lone marks: those that the event at hand will be held against.
 */
static inline void iv_marks_prefetch(const struct iv_engine *e, uint32_t node)
{
    const struct iv_node *n = iv_node_at(e, node);
    for (int i = 0; i < IV_NODE_LANES; i++) {
        if (iv_timeline_is_one(&n->lanes[i].line)) {
            IV_PREFETCH(iv_store_rec(&e->store, n->lanes[i].line.one.rec));
        }
    }
}

/* What is packed of those events, and the first that waits for each; their records are there by now. */
static inline void iv_bodies_prefetch(const struct iv_engine *e, uint32_t node)
{
    const struct iv_node *n = iv_node_at(e, node);
    for (int i = 0; i < IV_NODE_LANES; i++) {
        if (iv_timeline_is_one(&n->lanes[i].line)) {
            const struct iv_rec *rec = iv_store_rec(&e->store, n->lanes[i].line.one.rec);
            IV_PREFETCH(iv_pool_at(&e->store.pool, rec->body));
            if (rec->obligations != 0) {
                IV_PREFETCH(iv_slab_at(&e->obligations, rec->obligations));
            }
        }
    }
}

/* The lanes of a node; NULL behind the last. A lane's address is valid until a mark is dropped. */
static inline struct iv_lane *iv_lane_first(const struct iv_engine *e, uint32_t node)
{
    struct iv_lane *first = iv_node_at(e, node)->lanes;
    return iv_timeline_count(&first->line) > 0 ? first : NULL;
}

static inline struct iv_lane *iv_lane_next(const struct iv_engine *e, uint32_t node,
                                           const struct iv_lane *lane)
{
    struct iv_node *n = iv_node_at(e, node);
    if (lane == n->lanes) {
        return iv_timeline_count(&n->lanes[1].line) > 0 ? &n->lanes[1] : NULL;
    }
    uint32_t next = lane == &n->lanes[1] ? n->lanes[0].next : lane->next;
    return next == 0 ? NULL : iv_slab_at(&e->lanes, next);
}

/* NULL: the node has no such lane. */
struct iv_lane *iv_lane_find(const struct iv_engine *e, uint32_t node, uint16_t def);
/* Puts the record into the node's lane, without bits; nothing but a rule that waits ends its time there. NULL
 * when memory is out. */
struct iv_mark *iv_lane_put(struct iv_engine *e, uint32_t node, uint16_t def, uint32_t rec,
                            struct iv_lane **lane_out);
/* The same, and queues its end. */
struct iv_mark *iv_lane_join(struct iv_engine *e, uint32_t node, uint16_t def, uint32_t rec,
                             struct iv_lane **lane_out);
/* Puts a record that waits into a lane in which nobody looks for it: with the bits of what it waits for. */
void iv_lane_wait(struct iv_engine *e, uint32_t node, uint16_t def, uint32_t rec, uint32_t bits);
/* A rule's interest in the mark is over. The mark leaves if its time in the lane was over before. */
void iv_mark_clear(struct iv_engine *e, uint32_t node, uint16_t def, struct iv_mark *mark, uint8_t bit);
/* The mark of a record; NULL if it is not there. */
struct iv_mark *iv_mark_find(const struct iv_engine *e, uint32_t node, uint16_t def, uint32_t rec);

/* Drops what no watermark lets anybody need any more: a bounded number of marks for each event, from the
 * lanes that the event joined (NULL: there is none) and from some others in turn. */
void iv_lanes_sweep(struct iv_engine *e, const struct iv_concern *concern);

/* Ends the time of the first of a lane's queue, which is not empty. */
void iv_lane_forget_first(struct iv_engine *e, uint16_t def);

/* Queues of what ends in the order of its arrival: marks by node and record, and others. */
struct iv_queued {
    uint32_t node;
    uint32_t rec;
};
bool iv_queue_push(struct iv_queue *q, struct iv_pool *pool, const struct iv_queued *item);
/* NULL when empty; valid until the next call. */
const struct iv_queued *iv_queue_first(const struct iv_queue *q, const struct iv_pool *pool);
void iv_queue_pop(struct iv_queue *q, struct iv_pool *pool);
uint64_t iv_queue_count(const struct iv_queue *q, const struct iv_pool *pool);
/* Every item in turn, NULL at the end: walk begins as a copy of the queue, which does not change. */
const struct iv_queued *iv_queue_walk(struct iv_queue *walk, const struct iv_pool *pool);
