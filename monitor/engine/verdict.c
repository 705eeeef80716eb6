/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/verdict.h"

#include "base/guard.h"
#include "engine/lanes.h"
#include "event/content.h"

#include <string.h>

_Static_assert(IV_CONTENT_ID_MAX == IV_CONTENT_ID_BYTES, "a record has room for the content's identifier");

/* Verdicts remembered so as not to be repeated; the oldest are forgotten. */
#define EMITTED_MAX (UINT32_C(1) << 20)

static int compare(const struct iv_engine *e, uint32_t a, uint32_t b)
{
    iv_ns at = iv_store_rec(&e->store, a)->time;
    iv_ns bt = iv_store_rec(&e->store, b)->time;
    if (at != bt) {
        return at < bt ? -1 : 1;
    }
    int order = iv_store_compare_names(&e->store, a, b);
    if (order != 0) {
        return order;
    }
    uint64_t ao = iv_store_rec(&e->store, a)->order;
    uint64_t bo = iv_store_rec(&e->store, b)->order;
    return ao < bo ? -1 : ao > bo;
}

void iv_witness_add(const struct iv_engine *e, struct iv_witnesses *w, uint32_t rec)
{
    w->total++;
    if (w->count == IV_WITNESS_MAX) {
        if (compare(e, rec, w->recs[w->count - 1]) >= 0) {
            return;
        }
        w->count--;
    }
    size_t at = w->count++;
    while (at > 0 && compare(e, rec, w->recs[at - 1]) < 0) {
        w->recs[at] = w->recs[at - 1];
        at--;
    }
    w->recs[at] = rec;
}

static void digest_part(struct iv_digester *d, struct iv_str part)
{
    uint64_t n = part.n;
    unsigned char length[8];
    for (int i = 0; i < 8; i++) {
        length[i] = (unsigned char)(n >> (8 * i));
    }
    iv_digest_update(d, (struct iv_str){(const char *)length, sizeof length});
    iv_digest_update(d, part);
}

static bool content_id(struct iv_engine *e, uint32_t rec, const struct iv_event *event, unsigned char *out)
{
    const unsigned char *kept = iv_store_content_id(&e->store, rec);
    if (kept != NULL) {
        memcpy(out, kept, IV_CONTENT_ID_BYTES);
        return true;
    }
    struct iv_err err;
    return iv_ok(iv_event_content_id(out, e->digester, &e->key, event, &err));
}

static bool find_uid(struct iv_engine *e, const struct iv_ruling *ruling, const struct iv_event *event,
                     unsigned char *out)
{
    unsigned char content[IV_CONTENT_ID_BYTES] = {0};
    if (!ruling->of_identity && !content_id(e, ruling->trigger, event, content)) {
        return false;
    }
    struct iv_digest digest;
    iv_digest_begin(e->digester, IV_SHA256);
    digest_part(e->digester, ruling->rule->id);
    digest_part(e->digester, iv_event_attr(event, IV_ATTR_SOURCE));
    digest_part(e->digester, iv_event_attr(event, IV_ATTR_ID));
    digest_part(e->digester, (struct iv_str){(const char *)content, sizeof content});
    iv_digest_end(e->digester, &digest);
    memcpy(out, digest.bytes, IV_UID_BYTES);
    return true;
}

static bool is_undecided(enum iv_verdict_kind kind)
{
    return kind == IV_INCONCLUSIVE || kind == IV_OPEN;
}

static void forget_oldest(struct iv_engine *e)
{
    uint32_t ref = iv_queue_first(&e->emitted_queue, &e->store.pool)->rec;
    const struct iv_hash128 *key = iv_slab_at(&e->emitted, ref);
    iv_table_remove(&e->emitted_table, key->lo, ref);
    iv_slab_give(&e->emitted, ref);
    iv_queue_pop(&e->emitted_queue, &e->store.pool);
}

void iv_emitted_put(struct iv_engine *e, struct iv_hash128 key)
{
    if (e->emitted_table.count >= EMITTED_MAX) {
        forget_oldest(e);
    }
    uint32_t ref = iv_slab_take(&e->emitted);
    if (ref == 0 || !iv_table_add(&e->emitted_table, key.lo, ref) ||
        !iv_queue_push(&e->emitted_queue, &e->store.pool, &(struct iv_queued){0, ref})) {
        e->spent = true;
        return;
    }
    *(struct iv_hash128 *)iv_slab_at(&e->emitted, ref) = key;
}

/* Whether a verdict of this kind is new for the uid; a later one on a known violation always is. */
static bool is_new(struct iv_engine *e, const struct iv_verdict *verdict)
{
    if (verdict->kind == IV_UPDATED || verdict->kind == IV_CONTRADICTED) {
        return true;
    }
    struct iv_hash128 key;
    memcpy(&key, verdict->uid, sizeof key);
    key.hi ^= is_undecided(verdict->kind) ? 1 : 0;
    struct iv_probe probe = iv_table_probe(&e->emitted_table, key.lo);
    for (uint32_t ref = iv_probe_next(&probe); ref != 0; ref = iv_probe_next(&probe)) {
        const struct iv_hash128 *known = iv_slab_at(&e->emitted, ref);
        if (known->lo == key.lo && known->hi == key.hi) {
            return false;
        }
    }
    iv_emitted_put(e, key);
    return !e->spent;
}

static struct iv_sighting sighting(const struct iv_engine *e, uint32_t rec, const struct iv_event *event)
{
    return (struct iv_sighting){
        .source = iv_event_attr(event, IV_ATTR_SOURCE),
        .id = iv_event_attr(event, IV_ATTR_ID),
        .type = event->type,
        .time = event->time,
        .origin = event->origin,
        .digest = iv_store_digest(&e->store, rec),
        .object = event->object,
    };
}

static void count(struct iv_engine *e, const struct iv_ruling *ruling)
{
    e->stats.verdicts[ruling->kind]++;
    if (ruling->kind == IV_VIOLATED) {
        e->rule_stats[ruling->rule->index].violations++;
    } else if (ruling->kind == IV_INCONCLUSIVE) {
        e->rule_stats[ruling->rule->index].inconclusive++;
    }
}

void iv_emit(struct iv_engine *e, const struct iv_ruling *ruling, const struct iv_witnesses *w)
{
    const struct iv_event *event = iv_store_view(&e->store, IV_VIEW_RULINGS, ruling->trigger, IV_NEED_ALL);
    struct iv_verdict verdict = {.kind = ruling->kind, .rule = ruling->rule, .deadline = ruling->deadline};
    if (event == NULL || !find_uid(e, ruling, event, verdict.uid)) {
        e->spent = true;
        return;
    }
    if (!is_new(e, &verdict)) {
        return;
    }
    struct iv_sighting witnesses[IV_WITNESS_MAX];
    for (size_t i = 0; w != NULL && i < w->count; i++) {
        const struct iv_event *view = iv_store_view(&e->store, IV_VIEW_WITNESSES, w->recs[i], IV_NEED_ALL);
        if (view == NULL) {
            e->spent = true;
            return;
        }
        witnesses[i] = sighting(e, w->recs[i], view);
    }
    verdict.trigger = sighting(e, ruling->trigger, event);
    verdict.witnesses = witnesses;
    verdict.witness_count = w == NULL ? 0 : w->count;
    verdict.witness_total = w == NULL ? 0 : w->total;
    verdict.waiver = iv_baseline_waiver(e->baseline, ruling->rule, &event->object, event->time);
    verdict.detail = iv_str_of(ruling->detail == NULL ? "" : ruling->detail);
    count(e, ruling);
    e->options.verdict(e->options.ctx, &verdict);
}
