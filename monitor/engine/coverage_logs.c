/* SPDX-License-Identifier: Apache-2.0 */
/* The sequence of each log: which entries were seen, and between which times the others must lie. */
#include "base/alloc.h"
#include "base/guard.h"
#include "engine/coverage_internal.h"

#include <string.h>

static bool is_trail(const struct iv_trail *t, struct iv_hash128 id)
{
    return t->id.lo == id.lo && t->id.hi == id.hi;
}

/* The slot of this log, or the free one where it would stand. */
static uint32_t slot_of(const struct iv_coverage *c, struct iv_hash128 id)
{
    uint32_t mask = c->table_room - 1;
    uint32_t slot = (uint32_t)id.lo & mask;
    while (c->table[slot] != 0 && !is_trail(&c->trails[c->table[slot] - 1], id)) {
        slot = (slot + 1) & mask;
    }
    return slot;
}

static bool grow_table(struct iv_coverage *c)
{
    uint32_t room = c->table_room == 0 ? 64 : c->table_room * 2;
    uint32_t *table = iv_calloc(room, sizeof *table);
    if (table == NULL) {
        return false;
    }
    iv_free(c->table);
    c->table = table;
    c->table_room = room;
    for (uint32_t i = 0; i < c->trail_count; i++) {
        c->table[slot_of(c, c->trails[i].id)] = i + 1;
    }
    return true;
}

/* Those behind it that it had pushed on move up, so that no look-up ends too early. */
static void clear_slot(struct iv_coverage *c, uint32_t slot)
{
    uint32_t mask = c->table_room - 1;
    c->table[slot] = 0;
    for (uint32_t i = (slot + 1) & mask; c->table[i] != 0; i = (i + 1) & mask) {
        uint32_t number = c->table[i];
        c->table[i] = 0;
        c->table[slot_of(c, c->trails[number - 1].id)] = number;
    }
}

static uint64_t entries(const struct iv_hole *h)
{
    return (uint64_t)(h->last - h->first) + 1;
}

/* They may bear the very times of their neighbours. */
static struct iv_loss loss_of(const struct iv_hole *h)
{
    bool in_order = h->before < h->behind;
    return (struct iv_loss){in_order ? h->before : h->behind, iv_ns_add(in_order ? h->behind : h->before, 1),
                            entries(h), IV_LOSS_SEQUENCE};
}

/* Where the number of a hole stands in its log's list. */
static uint32_t *link_to(struct iv_coverage *c, uint32_t hole)
{
    uint32_t *link = &c->trails[c->holes[hole].trail].holes;
    while (*link != hole) {
        link = &c->holes[*link].next;
    }
    return link;
}

static void let_go(struct iv_coverage *c, uint32_t hole)
{
    *link_to(c, hole) = c->holes[hole].next;
    c->tracts[c->holes[hole].tract].changed = true;
    c->holes[hole].next = c->holes_free;
    c->holes[hole].last = c->holes[hole].first - 1; /* none */
    c->holes_free = hole;
    c->holes_open--;
}

/* It can no longer be filled: a loss for good. */
static bool seal(struct iv_coverage *c, uint32_t hole)
{
    struct iv_loss loss = loss_of(&c->holes[hole]);
    bool whole = iv_losses_add(&c->tracts[c->holes[hole].tract].losses, &loss);
    let_go(c, hole);
    return whole;
}

static bool is_open(const struct iv_hole *h)
{
    return h->last >= h->first;
}

static bool is_older(const struct iv_hole *a, const struct iv_hole *b)
{
    iv_ns one = loss_of(a).until;
    iv_ns other = loss_of(b).until;
    if (one != other) {
        return one < other;
    }
    return a->trail != b->trail ? a->trail < b->trail : a->first < b->first;
}

static bool seal_oldest(struct iv_coverage *c)
{
    uint32_t oldest = IV_NO_HOLE;
    for (uint32_t i = 0; i < c->hole_count; i++) {
        if (is_open(&c->holes[i]) && (oldest == IV_NO_HOLE || is_older(&c->holes[i], &c->holes[oldest]))) {
            oldest = i;
        }
    }
    return oldest == IV_NO_HOLE || seal(c, oldest);
}

static bool make_hole(struct iv_coverage *c, uint32_t *out)
{
    if (c->holes_free != IV_NO_HOLE) {
        *out = c->holes_free;
        c->holes_free = c->holes[*out].next;
        return true;
    }
    if (c->hole_count == c->hole_room) {
        uint32_t room = c->hole_room == 0 ? 16 : c->hole_room * 2;
        struct iv_hole *holes = iv_realloc(c->holes, room * sizeof *holes);
        if (holes == NULL) {
            return false;
        }
        c->holes = holes;
        c->hole_room = room;
    }
    *out = c->hole_count++;
    return true;
}

bool iv_trail_open(struct iv_coverage *c, const struct iv_hole *hole)
{
    uint32_t number = 0;
    if (c->holes_open >= c->options.holes_most && !seal_oldest(c)) {
        return false;
    }
    if (!make_hole(c, &number)) {
        return false;
    }
    c->holes[number] = *hole;
    c->holes[number].next = IV_NO_HOLE;
    uint32_t *link = &c->trails[hole->trail].holes;
    while (*link != IV_NO_HOLE) {
        link = &c->holes[*link].next;
    }
    *link = number;
    c->tracts[hole->tract].changed = true;
    c->holes_open++;
    return true;
}

/* Entries first to last were not seen, between two that bear these times. */
static bool open_hole(struct iv_coverage *c, uint32_t trail, uint32_t tract, int64_t first, int64_t last,
                      iv_ns before, iv_ns behind)
{
    struct iv_hole hole = {
        .before = before, .behind = behind, .first = first, .last = last, .tract = tract, .trail = trail};
    return first > last || iv_trail_open(c, &hole);
}

bool iv_trail_put(struct iv_coverage *c, const struct iv_trail *trail)
{
    if ((c->trail_count + 1) * 2 > c->table_room && !grow_table(c)) {
        return false;
    }
    if (c->trail_count == c->trail_room) {
        uint32_t room = c->trail_room == 0 ? 32 : c->trail_room * 2;
        struct iv_trail *trails = iv_realloc(c->trails, room * sizeof *trails);
        if (trails == NULL) {
            return false;
        }
        c->trails = trails;
        c->trail_room = room;
    }
    c->trails[c->trail_count] = *trail;
    c->table[slot_of(c, trail->id)] = ++c->trail_count;
    return true;
}

/* Drops a log that was silent for a round, and enters the new one in its place. */
static bool replace_trail(struct iv_coverage *c, const struct iv_trail *trail, uint32_t *number)
{
    for (;; c->hand++) {
        c->hand = c->hand % c->trail_count;
        if (!c->trails[c->hand].stirred) {
            break;
        }
        c->trails[c->hand].stirred = false;
    }
    struct iv_trail *old = &c->trails[c->hand];
    while (old->holes != IV_NO_HOLE) {
        if (!seal(c, old->holes)) {
            return false;
        }
    }
    c->forgotten = !c->forgot || old->last_time < c->forgotten ? old->last_time : c->forgotten;
    c->forgot = true;
    clear_slot(c, slot_of(c, old->id));
    *old = *trail;
    c->table[slot_of(c, trail->id)] = c->hand + 1;
    *number = c->hand++;
    return true;
}

/* A log is met for the first time. What it lacks in front was lost, unless reading began behind it. Where
 * logs were dropped it may be one of them, and what comes may stand in front of what was seen of it: then it
 * is lost for good. */
static bool begin_trail(struct iv_coverage *c, struct iv_hash128 id, int64_t seq, iv_ns time, uint32_t tract)
{
    bool whole = c->tracts[tract].began == IV_TRACT_WHOLE;
    bool known = whole && !c->forgot;
    struct iv_trail trail = {.id = id,
                             .low = known ? 0 : seq,
                             .next = seq + 1,
                             .low_time = time,
                             .last_time = time,
                             .holes = IV_NO_HOLE,
                             .stirred = true};
    struct iv_loss loss = {whole ? IV_NS_MIN : c->forgotten, iv_ns_add(time, 1), (uint64_t)seq,
                           IV_LOSS_SEQUENCE};
    uint32_t number = c->trail_count;
    if (c->forgot && seq > 0 && loss.from < loss.until && !iv_losses_add(&c->tracts[tract].losses, &loss)) {
        return false;
    }
    bool entered =
        c->trail_count < c->options.logs_most ? iv_trail_put(c, &trail) : replace_trail(c, &trail, &number);
    return entered && open_hole(c, number, tract, trail.low, seq - 1, IV_NS_MIN, time);
}

/* The hole that an entry belongs into; IV_NO_HOLE: it was seen before, or given up. */
static uint32_t hole_with(const struct iv_coverage *c, const struct iv_trail *t, int64_t seq)
{
    uint32_t i = t->holes;
    while (i != IV_NO_HOLE && (seq < c->holes[i].first || seq > c->holes[i].last)) {
        i = c->holes[i].next;
    }
    return i;
}

static bool fill(struct iv_coverage *c, uint32_t trail, int64_t seq, iv_ns time)
{
    uint32_t i = hole_with(c, &c->trails[trail], seq);
    if (i == IV_NO_HOLE) {
        return true;
    }
    struct iv_hole hole = c->holes[i];
    let_go(c, i);
    return open_hole(c, trail, hole.tract, hole.first, seq - 1, hole.before, time) &&
           open_hole(c, trail, hole.tract, seq + 1, hole.last, time, hole.behind);
}

bool iv_trail_entry(struct iv_coverage *c, const struct iv_event *event, uint32_t tract)
{
    struct iv_hash128 id = iv_hash128(c->options.key, iv_event_attr(event, IV_ATTR_LEDGER_ID));
    int64_t seq = event->slots[IV_ATTR_LEDGER_SEQ].i;
    uint32_t number = c->table_room == 0 ? 0 : c->table[slot_of(c, id)];
    if (event->slots[IV_ATTR_LEDGER_SEQ].kind != IV_KIND_INT || seq < 0 || seq == INT64_MAX) {
        return true;
    }
    if (number == 0) {
        return begin_trail(c, id, seq, event->time, tract);
    }
    struct iv_trail *t = &c->trails[--number];
    t->stirred = true;
    bool whole = true;
    if (seq >= t->next) {
        int64_t first = t->next;
        iv_ns before = t->last_time;
        t->next = seq + 1;
        t->last_time = event->time;
        whole = open_hole(c, number, tract, first, seq - 1, before, event->time);
    } else if (seq < t->low) {
        int64_t last = t->low - 1;
        iv_ns behind = t->low_time;
        t->low = seq;
        t->low_time = event->time;
        whole = open_hole(c, number, tract, seq + 1, last, event->time, behind);
    } else {
        whole = fill(c, number, seq, event->time);
    }
    return whole;
}

bool iv_trail_losses(const struct iv_coverage *c, uint32_t tract, struct iv_losses *out)
{
    for (uint32_t i = 0; i < c->hole_count; i++) {
        if (is_open(&c->holes[i]) && c->holes[i].tract == tract) {
            struct iv_loss loss = loss_of(&c->holes[i]);
            if (!iv_losses_add(out, &loss)) {
                return false;
            }
        }
    }
    return true;
}
