/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/identity.h"

#include "base/guard.h"
#include "engine/lanes.h"
#include "engine/verdict.h"

#define SWEEP_CONTENTS 4

static struct iv_rec *rec_at(const struct iv_engine *e, uint32_t rec)
{
    return iv_store_rec(&e->store, rec);
}

uint64_t iv_identity_hash(struct iv_engine *e, const struct iv_event *event)
{
    struct iv_str source = iv_event_attr(event, IV_ATTR_SOURCE);
    struct iv_str id = iv_event_attr(event, IV_ATTR_ID);
    uint64_t n = source.n;
    char few[256] IV_UNSET; /* nearly all are short: a copy here costs less than the buffer's care */
    struct iv_str text = {few, sizeof n + source.n + id.n};
    if (text.n <= sizeof few) {
        memcpy(few, &n, sizeof n);
        memcpy(few + sizeof n, source.p, source.n);
        memcpy(few + sizeof n + source.n, id.p, id.n);
    } else {
        iv_buf_clear(&e->key);
        iv_buf_add(&e->key, &n, sizeof n);
        iv_buf_str(&e->key, source);
        iv_buf_str(&e->key, id);
        e->spent = e->spent || iv_buf_failed(&e->key);
        text = iv_buf_slice(&e->key);
    }
    uint64_t hash = iv_hash64(e->options.hash_key, text);
    iv_table_prefetch(&e->identity_table, hash);
    return hash;
}

bool iv_identity_forgotten(const struct iv_engine *e, const struct iv_event *event)
{
    return iv_watermark_forgot(&e->watermark, IV_ALL_STREAMS, event->time, e->baseline->dedup);
}

static bool is_of(const struct iv_engine *e, uint32_t rec, const struct iv_event *event)
{
    char room[IV_UNPACK_ROOM];
    return iv_str_eq(iv_store_id(&e->store, rec, room), iv_event_attr(event, IV_ATTR_ID)) &&
           iv_str_eq(iv_store_source(&e->store, rec), iv_event_attr(event, IV_ATTR_SOURCE));
}

bool iv_identity_repeats(const struct iv_engine *e, struct iv_identity *identity,
                         const struct iv_event *event)
{
    struct iv_probe probe = iv_table_probe(&e->identity_table, identity->hash);
    identity->first = 0;
    for (uint32_t first = iv_probe_next(&probe); first != 0; first = iv_probe_next(&probe)) {
        for (uint32_t rec = first; rec != 0; rec = rec_at(e, rec)->sibling) {
            const struct iv_hash128 *content = &rec_at(e, rec)->content;
            if (content->lo == event->content.lo && content->hi == event->content.hi) {
                return true;
            }
        }
        identity->first = is_of(e, first, event) ? first : identity->first;
    }
    return false;
}

/* Two contents are an equivocation if their times are at most dedup apart. */
static bool clash(const struct iv_engine *e, uint32_t a, uint32_t b)
{
    iv_ns at = rec_at(e, a)->time;
    iv_ns bt = rec_at(e, b)->time;
    return iv_ns_add(at < bt ? at : bt, e->baseline->dedup) >= (at < bt ? bt : at);
}

/* A fixed order among contents of one time, so that arrival does not choose the trigger: by the attributes,
 * then the scalar fields, of which the type has the same where the attribute type is the same. */
static int compare(struct iv_engine *e, uint32_t a, uint32_t b)
{
    const struct iv_event *ae = iv_store_view(&e->store, IV_VIEW_WITNESSES, a, IV_NEED_ALL);
    const struct iv_event *be = iv_store_view(&e->store, IV_VIEW_WITNESSES, b, IV_NEED_ALL);
    e->spent = e->spent || ae == NULL || be == NULL;
    for (uint8_t slot = 0; !e->spent && slot < ae->type->slot_count && slot < be->type->slot_count; slot++) {
        if (ae->slots[slot].kind >= IV_KIND_LIST || be->slots[slot].kind >= IV_KIND_LIST) {
            continue;
        }
        iv_buf_clear(&e->key);
        iv_val_key(&e->key, &ae->slots[slot]);
        size_t middle = e->key.n;
        iv_val_key(&e->key, &be->slots[slot]);
        e->spent = iv_buf_failed(&e->key);
        struct iv_str both = iv_buf_slice(&e->key);
        int order =
            iv_str_cmp((struct iv_str){both.p, middle}, (struct iv_str){both.p + middle, both.n - middle});
        if (order != 0) {
            return order;
        }
    }
    return 0;
}

static bool comes_first(struct iv_engine *e, uint32_t rec, uint32_t than)
{
    iv_ns a = iv_store_rec(&e->store, rec)->time;
    iv_ns b = iv_store_rec(&e->store, than)->time;
    return a != b ? a < b : compare(e, rec, than) < 0;
}

/* All records of the identity that are part of the equivocation, the oldest of them the trigger. */
static void emit(struct iv_engine *e, uint32_t first)
{
    struct iv_witnesses witnesses = {0};
    uint32_t trigger = 0;
    bool announced = rec_at(e, first)->announced;
    for (uint32_t rec = first; rec != 0; rec = rec_at(e, rec)->sibling) {
        rec_at(e, rec)->announced = true;
        if (!rec_at(e, rec)->told) {
            continue;
        }
        iv_witness_add(e, &witnesses, rec);
        if (trigger == 0 || comes_first(e, rec, trigger)) {
            trigger = rec;
        }
    }
    struct iv_ruling ruling = {.kind = announced ? IV_UPDATED : IV_VIOLATED,
                               .rule = e->baseline->equivocation,
                               .trigger = trigger,
                               .deadline = rec_at(e, trigger)->time,
                               .of_identity = true};
    iv_emit(e, &ruling, &witnesses);
}

/* Puts a record among those of its identity and queues its end. False when memory is out. */
static bool add(struct iv_engine *e, const struct iv_identity *identity, uint32_t rec, struct iv_queue *queue)
{
    struct iv_rec *r = rec_at(e, rec);
    struct iv_queued item = {(uint32_t)(identity->hash >> 32), rec};
    if (!iv_queue_push(queue, &e->store.pool, &item) ||
        (identity->first == 0 && !iv_table_add(&e->identity_table, identity->hash, rec))) {
        e->spent = true;
        return false;
    }
    if (identity->first != 0) {
        struct iv_rec *first = rec_at(e, identity->first);
        r->sibling = first->sibling;
        r->announced = first->announced;
        first->sibling = rec;
    }
    r->identified = true;
    r->refs++;
    return true;
}

void iv_identity_note(struct iv_engine *e, const struct iv_identity *identity, uint32_t rec)
{
    if (!add(e, identity, rec, &e->identity_queue)) {
        return;
    }
    for (uint32_t other = identity->first; other != 0; other = rec_at(e, other)->sibling) {
        if (other != rec && clash(e, other, rec)) {
            rec_at(e, other)->told = true;
            rec_at(e, rec)->told = true;
        }
    }
    if (rec_at(e, rec)->told && e->baseline->equivocation != NULL) {
        emit(e, identity->first);
    }
}

void iv_identity_put(struct iv_engine *e, const struct iv_event *event, uint32_t rec,
                     const struct iv_remembered *how)
{
    struct iv_identity identity = {.hash = iv_identity_hash(e, event)};
    struct iv_probe probe = iv_table_probe(&e->identity_table, identity.hash);
    for (uint32_t first = iv_probe_next(&probe); first != 0; first = iv_probe_next(&probe)) {
        identity.first = is_of(e, first, event) ? first : identity.first;
    }
    if (!add(e, &identity, rec, how->aftermath ? &e->told_queue : &e->identity_queue)) {
        return;
    }
    struct iv_rec *r = rec_at(e, rec);
    r->told = how->told;
    r->announced = r->announced || how->identity_told;
    for (uint32_t other = identity.first; other != 0; other = rec_at(e, other)->sibling) {
        rec_at(e, other)->announced = r->announced;
    }
    e->aftermath += how->aftermath ? 1 : 0;
}

/* Takes a record out of those of its identity. */
static void unlink_record(struct iv_engine *e, uint64_t hash, uint32_t rec)
{
    uint32_t next = rec_at(e, rec)->sibling;
    struct iv_probe probe = iv_table_probe(&e->identity_table, hash);
    for (uint32_t first = iv_probe_next(&probe); first != 0; first = iv_probe_next(&probe)) {
        if (first == rec && next == 0) {
            iv_table_remove(&e->identity_table, hash, rec);
            return;
        }
        if (first == rec) {
            iv_table_replace(&e->identity_table, hash, rec, next);
            return;
        }
        for (uint32_t other = first; other != 0; other = rec_at(e, other)->sibling) {
            if (rec_at(e, other)->sibling == rec) {
                rec_at(e, other)->sibling = next;
                return;
            }
        }
    }
    IV_CHECK(false);
}

static void forget(struct iv_engine *e, const struct iv_queued *item)
{
    unlink_record(e, (uint64_t)item->node << 32, item->rec);
    rec_at(e, item->rec)->sibling = 0;
    rec_at(e, item->rec)->identified = false;
    iv_store_release(&e->store, item->rec);
}

/* The next of a queue whose time has been passed by more than keep. */
static bool next_ended(struct iv_engine *e, struct iv_queue *queue, iv_ns keep, struct iv_queued *item)
{
    const struct iv_queued *first = iv_queue_first(queue, &e->store.pool);
    if (first == NULL ||
        !iv_watermark_passed(&e->watermark, IV_ALL_STREAMS, iv_ns_add(rec_at(e, first->rec)->time, keep))) {
        return false;
    }
    *item = *first;
    iv_queue_pop(queue, &e->store.pool);
    return true;
}

void iv_identity_sweep(struct iv_engine *e)
{
    struct iv_queued item;
    for (int i = 0; i < SWEEP_CONTENTS && next_ended(e, &e->identity_queue, e->baseline->dedup, &item); i++) {
        if (rec_at(e, item.rec)->told && e->aftermath < IV_AFTERMATH_MAX &&
            iv_queue_push(&e->told_queue, &e->store.pool, &item)) {
            e->aftermath++;
        } else {
            forget(e, &item);
        }
    }
    for (int i = 0; i < SWEEP_CONTENTS && next_ended(e, &e->told_queue, IV_AFTERMATH_NS, &item); i++) {
        e->aftermath--;
        forget(e, &item);
    }
}
