/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/foresight.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "engine/dispatch.h"
#include "engine/eval.h"
#include "engine/identity.h"
#include "engine/lanes.h"
#include "engine/tree.h"

struct iv_rc_s iv_foresights_init(struct iv_engine *e, struct iv_err *err)
{
    size_t width = (size_t)e->plan.group_max + 1;
    e->foresights = iv_calloc(IV_FORESEEN + 1, sizeof *e->foresights);
    e->keys = iv_calloc((IV_FORESEEN + 1) * width, sizeof *e->keys);
    ENSURE(e->foresights != NULL && e->keys != NULL, err, IV_E_NOMEM,
           "cannot allocate what an engine foresees of %zu rules", e->baseline->rule_count);
    for (size_t i = 0; i <= IV_FORESEEN; i++) {
        e->foresights[i] = (struct iv_foresight){.engine = e, .keys = e->keys + i * width};
    }
    return IV_OK;
}

void iv_foresights_deinit(struct iv_engine *e)
{
    iv_free(e->foresights);
    iv_free(e->keys);
}

/* Hashes the keys of the engine's share that the event has under the terms of what it concerns. */
static void hash_keys(struct iv_engine *e, struct iv_foresight *f, struct iv_event *event, uint32_t params,
                      bool programs)
{
    const struct iv_concern *concern = f->concern;
    bool quiet = e->quiet;
    e->quiet = quiet || e->options.share.count > 0; /* who sent the event here has told what failed */
    for (uint16_t g = 0; g < concern->group_count; g++) {
        const struct iv_terms_plan *terms = &e->plan.terms[concern->groups[g].terms];
        if (terms->programs != programs) {
            continue;
        }
        struct iv_pair pair = {terms->owner, event, event, params};
        struct iv_key_place *key = &f->keys[g];
        struct iv_short_key room IV_UNSET;
        struct iv_str bytes;
        key->present = iv_eval_key_bytes(e, &pair, terms->terms, terms->partner, &room, &bytes) &&
                       iv_share_has(e->options.share, bytes);
        if (key->present) {
            key->hash = iv_hash128(e->options.hash_key, bytes);
            iv_table_prefetch(&e->node_table, key->hash.lo);
        }
    }
    e->quiet = quiet;
}

/* Asks the memory for the slots that the event's hashes lead to. False when memory is out. */
static bool look(struct iv_engine *e, struct iv_foresight *f, struct iv_event *event)
{
    f->concern = e->options.no_gates ? &e->plan.types[event->type->index].all
                                     : iv_dispatch_find(e->plan.dispatch, event);
    if (f->concern == NULL) {
        e->spent = true; /* also where it would be there a moment later */
        return false;
    }
    f->age = iv_dispatch_age(e->plan.dispatch);
    f->identity = e->identifies ? iv_identity_hash(e, event) : 0;
    iv_tree_foresee(e, &f->claim, event);
    hash_keys(e, f, event, 0, false);
    return true;
}

static bool is_current(const struct iv_engine *e, const struct iv_foresight *f)
{
    return f != NULL && f->engine == e && f->age == iv_dispatch_age(e->plan.dispatch);
}

struct iv_foresight *iv_foresight_of(struct iv_engine *e, struct iv_event *event)
{
    struct iv_foresight *f = event->foresight;
    event->foresight = NULL;
    if (is_current(e, f)) {
        return f;
    }
    f = &e->foresights[IV_FORESEEN];
    return look(e, f, event) ? f : NULL;
}

void iv_foresight_complete(struct iv_engine *e, struct iv_foresight *f, struct iv_event *event,
                           uint32_t params)
{
    hash_keys(e, f, event, params, true);
}

typedef void fetch(const struct iv_engine *e, struct iv_key_place *key);

/* Of the node, if there is one: a wrong guess costs nothing but a line of the cache. */
static void fetch_node(const struct iv_engine *e, struct iv_key_place *key)
{
    struct iv_probe probe = iv_table_probe(&e->node_table, key->hash.lo);
    key->guess = iv_probe_next(&probe);
    if (key->guess != 0) {
        IV_PREFETCH(iv_node_at(e, key->guess));
    }
}

static void fetch_marks(const struct iv_engine *e, struct iv_key_place *key)
{
    if (key->guess != 0) {
        iv_marks_prefetch(e, key->guess);
    }
}

static void fetch_bodies(const struct iv_engine *e, struct iv_key_place *key)
{
    if (key->guess != 0) {
        iv_bodies_prefetch(e, key->guess);
    }
}

static void each_key(const struct iv_engine *e, struct iv_event *const events[], size_t count, fetch *step)
{
    for (size_t i = 0; i < count; i++) {
        struct iv_foresight *f = events[i]->foresight;
        for (uint16_t g = 0; is_current(e, f) && g < f->concern->group_count; g++) {
            if (f->keys[g].present && !e->plan.terms[f->concern->groups[g].terms].programs) {
                step(e, &f->keys[g]);
            }
        }
    }
}

void iv_engine_foresee(struct iv_engine *e, struct iv_event *const events[], size_t count)
{
    IV_CHECK(count <= IV_FORESEEN);
    for (size_t i = 0; i < count; i++) {
        bool known = events[i]->type->index < iv_catalogue_types(e->baseline->catalogue) ||
                     events[i]->origin.stream == IV_LEDGER;
        struct iv_foresight *f = &e->foresights[i];
        events[i]->foresight = !e->spent && known && look(e, f, events[i]) ? f : NULL;
    }
    each_key(e, events, count, fetch_node);
    each_key(e, events, count, fetch_marks);
    each_key(e, events, count, fetch_bodies);
}
