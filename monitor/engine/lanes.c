/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/lanes.h"

#include "base/alloc.h"
#include "base/guard.h"

/* Marks that one event may drop of each queue that it added one to: more than one, so that memory follows the
 * watermark; and of other queues in turn, for types that have fallen silent. */
#define SWEEP_OWN 4
#define SWEEP_OTHER 16
#define SWEEP_QUEUES 2

uint32_t iv_node_for(struct iv_engine *e, struct iv_hash128 key)
{
    struct iv_probe probe = iv_table_probe(&e->node_table, key.lo);
    for (uint32_t ref = iv_probe_next(&probe); ref != 0; ref = iv_probe_next(&probe)) {
        const struct iv_node *node = iv_node_at(e, ref);
        if (node->key.lo == key.lo && node->key.hi == key.hi) {
            return ref;
        }
    }
    uint32_t ref = iv_slab_take(&e->nodes);
    if (ref == 0 || !iv_table_add(&e->node_table, key.lo, ref)) {
        e->spent = true;
        return 0;
    }
    *iv_node_at(e, ref) = (struct iv_node){.key = key};
    return ref;
}

struct iv_lane *iv_lane_find(const struct iv_engine *e, uint32_t node, uint16_t def)
{
    struct iv_lane *lane = iv_lane_first(e, node);
    while (lane != NULL && lane->def != def) {
        lane = iv_lane_next(e, node, lane);
    }
    return lane;
}

/* A new lane goes behind the others, so that what one event proves is told in the order of the rules. It is
 * one as soon as it has a mark. NULL when memory is out. */
static struct iv_lane *lane_for(struct iv_engine *e, uint32_t node, uint16_t def)
{
    struct iv_node *n = iv_node_at(e, node);
    for (int i = 0; i < IV_NODE_LANES; i++) {
        bool used = iv_timeline_count(&n->lanes[i].line) > 0;
        if (!used) {
            n->lanes[i] = (struct iv_lane){.def = def};
        }
        if (n->lanes[i].def == def) {
            return &n->lanes[i];
        }
    }
    uint32_t *link = &n->lanes[0].next;
    while (*link != 0) {
        struct iv_lane *lane = iv_slab_at(&e->lanes, *link);
        if (lane->def == def) {
            return lane;
        }
        link = &lane->next;
    }
    uint32_t fresh = iv_slab_take(&e->lanes);
    if (fresh == 0) {
        return NULL;
    }
    struct iv_lane *lane = iv_slab_at(&e->lanes, fresh);
    *lane = (struct iv_lane){.def = def};
    *link = fresh;
    return lane;
}

struct iv_mark *iv_lane_put(struct iv_engine *e, uint32_t node, uint16_t def, uint32_t rec,
                            struct iv_lane **lane_out)
{
    struct iv_rec *r = iv_store_rec(&e->store, rec);
    struct iv_lane *lane = lane_for(e, node, def);
    struct iv_mark *mark =
        lane == NULL ? NULL
                     : iv_timeline_insert(&lane->line, &e->store.pool, e->plan.defs[def].stride, r->time);
    if (mark == NULL) {
        e->spent = true;
        return NULL;
    }
    mark->rec = rec;
    r->refs++;
    *lane_out = lane;
    return mark;
}

static bool queue_end(struct iv_engine *e, uint32_t node, uint16_t def, uint32_t rec)
{
    bool pushed = iv_queue_push(&e->plan.defs[def].queue, &e->store.pool, &(struct iv_queued){node, rec});
    e->spent = e->spent || !pushed;
    return pushed;
}

struct iv_mark *iv_lane_join(struct iv_engine *e, uint32_t node, uint16_t def, uint32_t rec,
                             struct iv_lane **lane_out)
{
    struct iv_mark *mark = iv_lane_put(e, node, def, rec, lane_out);
    return mark != NULL && queue_end(e, node, def, rec) ? mark : NULL;
}

void iv_lane_wait(struct iv_engine *e, uint32_t node, uint16_t def, uint32_t rec, uint32_t bits)
{
    struct iv_lane *lane = NULL;
    struct iv_mark *mark = iv_lane_put(e, node, def, rec, &lane);
    if (mark == NULL) {
        return;
    }
    mark->bits |= bits;
    if ((bits & ~e->plan.defs[def].held) == 0) {
        mark->bits |= IV_LINGERS; /* its obligations alone say when it ends */
    } else {
        (void)queue_end(e, node, def, rec);
    }
}

/* Where a record's mark stands in a lane; NULL if it does not. */
static struct iv_mark *locate(const struct iv_engine *e, struct iv_lane *l, uint32_t rec,
                              struct iv_place *place)
{
    uint32_t stride = e->plan.defs[l->def].stride;
    iv_ns time = iv_store_rec(&e->store, rec)->time;
    *place = iv_timeline_lower(&l->line, &e->store.pool, stride, time);
    for (;; place->at++) {
        struct iv_mark *mark = iv_timeline_get(&l->line, &e->store.pool, stride, place);
        if (mark == NULL || mark->time != time) {
            return NULL;
        }
        if (mark->rec == rec) {
            return mark;
        }
    }
}

struct iv_mark *iv_mark_find(const struct iv_engine *e, uint32_t node, uint16_t def, uint32_t rec)
{
    struct iv_lane *lane = iv_lane_find(e, node, def);
    struct iv_place place;
    return lane == NULL ? NULL : locate(e, lane, rec, &place);
}

void iv_node_settle(struct iv_engine *e, uint32_t node)
{
    if (iv_lane_first(e, node) == NULL) {
        iv_table_remove(&e->node_table, iv_node_at(e, node)->key.lo, node);
        iv_slab_give(&e->nodes, node);
    }
}

/* Takes a lane that has no marks left out of its node; those in place move up. */
static void drop_lane(struct iv_engine *e, uint32_t node, struct iv_lane *lane)
{
    struct iv_node *n = iv_node_at(e, node);
    uint32_t *link = &n->lanes[0].next;
    if (lane == &n->lanes[0] || lane == &n->lanes[1]) {
        uint32_t rest = *link;
        if (lane == &n->lanes[0]) {
            n->lanes[0] = n->lanes[1];
        }
        n->lanes[1] = (struct iv_lane){.next = 0};
        n->lanes[0].next = rest;
        if (rest != 0) {
            n->lanes[1] = *(struct iv_lane *)iv_slab_at(&e->lanes, rest);
            n->lanes[0].next = n->lanes[1].next;
            iv_slab_give(&e->lanes, rest);
        }
    } else {
        while (iv_slab_at(&e->lanes, *link) != lane) {
            link = &((struct iv_lane *)iv_slab_at(&e->lanes, *link))->next;
        }
        uint32_t ref = *link;
        *link = lane->next;
        iv_slab_give(&e->lanes, ref);
    }
    iv_node_settle(e, node);
}

static void drop_mark(struct iv_engine *e, uint32_t node, struct iv_lane *lane, uint32_t rec,
                      struct iv_place place)
{
    iv_timeline_remove(&lane->line, &e->store.pool, e->plan.defs[lane->def].stride, place);
    if (iv_timeline_count(&lane->line) == 0) {
        drop_lane(e, node, lane);
    }
    iv_store_release(&e->store, rec);
}

void iv_mark_clear(struct iv_engine *e, uint32_t node, uint16_t def, struct iv_mark *mark, uint8_t bit)
{
    mark->bits &= ~(UINT32_C(1) << bit);
    if ((mark->bits & ~IV_MARK_ALONE) != IV_LINGERS) {
        return;
    }
    if (e->leaving_count == e->leaving_capacity) {
        uint32_t capacity = e->leaving_capacity == 0 ? 64 : e->leaving_capacity * 2;
        struct iv_leaving *leaving = iv_realloc(e->leaving, capacity * sizeof *leaving);
        if (leaving == NULL) {
            e->spent = true;
            return;
        }
        e->leaving = leaving;
        e->leaving_capacity = capacity;
    }
    e->leaving[e->leaving_count++] = (struct iv_leaving){node, mark->rec, def};
}

/* The end of a mark's time in its lane. What an obligation still holds lingers; the interest of the other
 * rules is over. */
static void end_mark(struct iv_engine *e, uint16_t def, const struct iv_queued *item)
{
    struct iv_lane *lane = iv_lane_find(e, item->node, def);
    IV_CHECK(lane != NULL);
    struct iv_place place;
    struct iv_mark *mark = locate(e, lane, item->rec, &place);
    IV_CHECK(mark != NULL);
    if ((mark->bits & e->plan.defs[def].held) != 0) {
        mark->bits = (mark->bits & (e->plan.defs[def].held | IV_MARK_ALONE)) | IV_LINGERS;
    } else {
        drop_mark(e, item->node, lane, item->rec, place);
    }
}

void iv_lane_forget_first(struct iv_engine *e, uint16_t def)
{
    struct iv_lane_def *d = &e->plan.defs[def];
    struct iv_queued item = *iv_queue_first(&d->queue, &e->store.pool);
    d->first_end = IV_NS_MIN;
    iv_queue_pop(&d->queue, &e->store.pool);
    end_mark(e, def, &item);
}

static void sweep_queue(struct iv_engine *e, uint16_t def, int marks)
{
    struct iv_lane_def *d = &e->plan.defs[def];
    for (int i = 0; i < marks && iv_watermark_passed(&e->watermark, d->streams, d->first_end); i++) {
        const struct iv_queued *first = iv_queue_first(&d->queue, &e->store.pool);
        if (first == NULL) {
            return;
        }
        iv_ns keep = iv_ns_add(d->keep, d->recount);
        iv_ns end = iv_ns_add(iv_store_rec(&e->store, first->rec)->time, keep);
        if (!iv_watermark_passed(&e->watermark, d->streams, end)) {
            d->first_end = end; /* recount only grows, so that it ends no earlier */
            return;
        }
        d->first_end = IV_NS_MIN;
        struct iv_queued item = *first;
        iv_queue_pop(&d->queue, &e->store.pool);
        end_mark(e, def, &item);
    }
}

static void drop_leaving(struct iv_engine *e)
{
    for (uint32_t i = 0; i < e->leaving_count; i++) {
        const struct iv_leaving *l = &e->leaving[i];
        struct iv_lane *lane = iv_lane_find(e, l->node, l->def);
        struct iv_place place;
        if (lane != NULL && locate(e, lane, l->rec, &place) != NULL) {
            drop_mark(e, l->node, lane, l->rec, place);
        }
    }
    e->leaving_count = 0;
}

void iv_lanes_sweep(struct iv_engine *e, const struct iv_concern *concern)
{
    drop_leaving(e);
    for (uint16_t g = 0; concern != NULL && g < concern->group_count; g++) {
        const struct iv_group *group = &concern->groups[g];
        for (uint16_t s = 0; s < group->berth_count; s++) {
            sweep_queue(e, group->berths[s].def, SWEEP_OWN);
        }
        for (uint16_t f = 0; f < group->figure_count; f++) {
            sweep_queue(e, e->plan.rules[group->figures[f]].own_def, SWEEP_OWN);
        }
    }
    for (int i = 0; i < SWEEP_QUEUES && e->plan.def_count > 0; i++) {
        e->sweep = (uint16_t)(e->sweep + 1 < e->plan.def_count ? e->sweep + 1 : 0);
        sweep_queue(e, e->sweep, SWEEP_OTHER);
    }
}
