/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/identity.h"

#include "base/guard.h"
#include "engine/lanes.h"
#include "engine/verdict.h"

#define SWEEP_CONTENTS 4

static struct iv_identity *identity_at(const struct iv_engine *e, uint32_t ref)
{
    return iv_slab_at(&e->identities, ref);
}

static struct iv_content *content_at(const struct iv_engine *e, uint32_t ref)
{
    return iv_slab_at(&e->contents, ref);
}

struct iv_hash128 iv_identity_key(struct iv_engine *e, const struct iv_event *event)
{
    struct iv_str source = iv_event_attr(event, IV_ATTR_SOURCE);
    struct iv_str id = iv_event_attr(event, IV_ATTR_ID);
    uint64_t n = source.n;
    char few[256]; /* nearly all are short: a copy here costs less than the buffer's care */
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
    struct iv_hash128 key = iv_hash128(e->options.hash_key, text);
    iv_table_prefetch(&e->identity_table, key.lo);
    return key;
}

bool iv_identity_forgotten(const struct iv_engine *e, const struct iv_event *event)
{
    return iv_watermark_forgot(&e->watermark, IV_ALL_STREAMS, event->time, e->baseline->dedup);
}

static uint32_t find(const struct iv_engine *e, struct iv_hash128 key)
{
    struct iv_probe probe = iv_table_probe(&e->identity_table, key.lo);
    uint32_t ref = iv_probe_next(&probe);
    while (ref != 0 && (identity_at(e, ref)->key.lo != key.lo || identity_at(e, ref)->key.hi != key.hi)) {
        ref = iv_probe_next(&probe);
    }
    return ref;
}

bool iv_identity_repeats(const struct iv_engine *e, struct iv_hash128 key, const struct iv_event *event)
{
    uint32_t identity = find(e, key);
    for (uint32_t c = identity == 0 ? 0 : identity_at(e, identity)->contents; c != 0;
         c = content_at(e, c)->next) {
        const struct iv_rec *r = iv_store_rec(&e->store, content_at(e, c)->rec);
        if (r->content.lo == event->content.lo && r->content.hi == event->content.hi) {
            return true;
        }
    }
    return false;
}

static uint32_t identity_for(struct iv_engine *e, struct iv_hash128 key)
{
    uint32_t ref = find(e, key);
    if (ref == 0) {
        ref = iv_slab_take(&e->identities);
        if (ref == 0 || !iv_table_add(&e->identity_table, key.lo, ref)) {
            return 0;
        }
        *identity_at(e, ref) = (struct iv_identity){.key = key};
    }
    return ref;
}

/* Two contents are an equivocation if their times are at most dedup apart. */
static bool clash(const struct iv_engine *e, uint32_t a, uint32_t b)
{
    iv_ns at = iv_store_rec(&e->store, content_at(e, a)->rec)->time;
    iv_ns bt = iv_store_rec(&e->store, content_at(e, b)->rec)->time;
    return iv_ns_add(at < bt ? at : bt, e->baseline->dedup) >= (at < bt ? bt : at);
}

/* A fixed order among contents of one time, so that arrival does not choose the trigger: by the attributes,
 * then the scalar fields, of which the type has the same where the attribute type is the same. */
static int compare(struct iv_engine *e, uint32_t a, uint32_t b)
{
    const struct iv_event *ae = iv_store_view(&e->store, IV_VIEW_WITNESSES, a);
    const struct iv_event *be = iv_store_view(&e->store, IV_VIEW_WITNESSES, b);
    e->spent = e->spent || ae == NULL || be == NULL;
    for (uint8_t slot = 0; !e->spent && slot < ae->type->slot_count && slot < be->type->slot_count; slot++) {
        bool list = ae->slots[slot].kind >= IV_KIND_LIST || be->slots[slot].kind >= IV_KIND_LIST;
        iv_buf_clear(&e->key);
        iv_val_key(&e->key, &ae->slots[slot]);
        size_t middle = e->key.n;
        iv_val_key(&e->key, &be->slots[slot]);
        e->spent = iv_buf_failed(&e->key);
        struct iv_str both = iv_buf_slice(&e->key);
        int order =
            iv_str_cmp((struct iv_str){both.p, middle}, (struct iv_str){both.p + middle, both.n - middle});
        if (order != 0 && !list) {
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

static void emit(struct iv_engine *e, struct iv_identity *identity)
{
    struct iv_witnesses witnesses = {0};
    uint32_t trigger = 0;
    for (uint32_t c = identity->contents; c != 0; c = content_at(e, c)->next) {
        const struct iv_content *content = content_at(e, c);
        if (!content->told) {
            continue;
        }
        iv_witness_add(e, &witnesses, content->rec);
        if (trigger == 0 || comes_first(e, content->rec, trigger)) {
            trigger = content->rec;
        }
    }
    struct iv_ruling ruling = {.kind = identity->told ? IV_UPDATED : IV_VIOLATED,
                               .rule = e->baseline->equivocation,
                               .trigger = trigger,
                               .deadline = iv_store_rec(&e->store, trigger)->time,
                               .of_identity = true};
    identity->told = true;
    iv_emit(e, &ruling, &witnesses);
}

static uint32_t add_content(struct iv_engine *e, uint32_t identity, uint32_t rec, struct iv_queue *queue)
{
    uint32_t ref = iv_slab_take(&e->contents);
    struct iv_queued item = {identity, ref};
    if (ref == 0 || !iv_queue_push(queue, &e->store.pool, &item)) {
        return 0;
    }
    *content_at(e, ref) =
        (struct iv_content){.rec = rec, .next = identity_at(e, identity)->contents, .identity = identity};
    identity_at(e, identity)->contents = ref;
    iv_store_rec(&e->store, rec)->refs++;
    return ref;
}

void iv_identity_note(struct iv_engine *e, struct iv_hash128 key, uint32_t rec)
{
    uint32_t identity = identity_for(e, key);
    uint32_t content = identity == 0 ? 0 : add_content(e, identity, rec, &e->identity_queue);
    if (content == 0) {
        e->spent = true;
        return;
    }
    for (uint32_t c = content_at(e, content)->next; c != 0; c = content_at(e, c)->next) {
        if (clash(e, c, content)) {
            content_at(e, c)->told = true;
            content_at(e, content)->told = true;
        }
    }
    if (content_at(e, content)->told && e->baseline->equivocation != NULL) {
        emit(e, identity_at(e, identity));
    }
}

void iv_identity_put(struct iv_engine *e, const struct iv_event *event, uint32_t rec,
                     const struct iv_remembered *how)
{
    uint32_t identity = identity_for(e, iv_identity_key(e, event));
    struct iv_queue *queue = how->aftermath ? &e->told_queue : &e->identity_queue;
    uint32_t content = identity == 0 ? 0 : add_content(e, identity, rec, queue);
    if (content == 0) {
        e->spent = true;
        return;
    }
    content_at(e, content)->told = how->told;
    identity_at(e, identity)->told = identity_at(e, identity)->told || how->identity_told;
    e->aftermath += how->aftermath ? 1 : 0;
}

static void forget(struct iv_engine *e, uint32_t content)
{
    struct iv_content *c = content_at(e, content);
    struct iv_identity *identity = identity_at(e, c->identity);
    uint32_t *link = &identity->contents;
    while (*link != content) {
        link = &content_at(e, *link)->next;
    }
    *link = c->next;
    if (identity->contents == 0) {
        iv_table_remove(&e->identity_table, identity->key.lo, c->identity);
        iv_slab_give(&e->identities, c->identity);
    }
    iv_store_release(&e->store, c->rec);
    iv_slab_give(&e->contents, content);
}

/* The next content of a queue whose time has been passed by more than keep; 0 if there is none. */
static uint32_t next_ended(struct iv_engine *e, struct iv_queue *queue, iv_ns keep, struct iv_queued *item)
{
    const struct iv_queued *first = iv_queue_first(queue, &e->store.pool);
    if (first == NULL ||
        !iv_watermark_passed(
            &e->watermark, IV_ALL_STREAMS,
            iv_ns_add(iv_store_rec(&e->store, content_at(e, first->rec)->rec)->time, keep))) {
        return 0;
    }
    *item = *first;
    iv_queue_pop(queue, &e->store.pool);
    return item->rec;
}

void iv_identity_sweep(struct iv_engine *e)
{
    struct iv_queued item;
    for (int i = 0; i < SWEEP_CONTENTS; i++) {
        uint32_t content = next_ended(e, &e->identity_queue, e->baseline->dedup, &item);
        if (content == 0) {
            break;
        }
        if (content_at(e, content)->told && e->aftermath < IV_AFTERMATH_MAX &&
            iv_queue_push(&e->told_queue, &e->store.pool, &item)) {
            e->aftermath++;
        } else {
            forget(e, content);
        }
    }
    for (int i = 0; i < SWEEP_CONTENTS; i++) {
        uint32_t content = next_ended(e, &e->told_queue, IV_AFTERMATH_NS, &item);
        if (content == 0) {
            break;
        }
        e->aftermath--;
        forget(e, content);
    }
}
