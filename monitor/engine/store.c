/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/store.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "engine/pack.h"

#include <string.h>

#define DIGEST_BYTES 32
#define BODY_MAX ((size_t)64 << 20)
#define TRIGGER_VIEWS 4
#define PARTNER_VIEWS 8
#define RULING_VIEWS 2

/* A source that records share. */
struct source {
    uint64_t hash;
    uint32_t text; /* of the pool */
    uint32_t bytes;
    uint32_t refs;
};

static struct iv_rc_s init_ring(struct iv_store *store, struct iv_view_ring *ring, uint32_t size,
                                struct iv_err *err)
{
    ring->size = size;
    for (uint32_t i = 0; i < size; i++) {
        ring->views[i].slots = iv_calloc(store->slot_max, sizeof *ring->views[i].slots);
        ENSURE(ring->views[i].slots != NULL, err, IV_E_NOMEM, "cannot allocate a view of an event");
    }
    return IV_OK;
}

struct iv_rc_s iv_store_init(struct iv_store *store, struct iv_ground *ground,
                             const struct iv_catalogue *catalogue, const struct iv_plan *plan,
                             struct iv_hash_key key, struct iv_err *err)
{
    *store = (struct iv_store){.catalogue = catalogue, .plan = plan, .key = key, .slot_max = IV_ATTRS};
    iv_slab_init(&store->records, ground, sizeof(struct iv_rec));
    iv_slab_init(&store->sources, ground, sizeof(struct source));
    iv_pool_init(&store->pool, ground);
    iv_buf_init(&store->scratch, BODY_MAX);
    iv_table_init(&store->source_table, ground);
    for (size_t i = 0; i < iv_catalogue_types(catalogue); i++) {
        uint32_t n = iv_catalogue_type(catalogue, i)->slot_count;
        store->slot_max = n > store->slot_max ? n : store->slot_max;
    }
    TRY(init_ring(store, &store->rings[IV_VIEW_TRIGGERS], TRIGGER_VIEWS, err));
    TRY(init_ring(store, &store->rings[IV_VIEW_PARTNERS], PARTNER_VIEWS, err));
    TRY(init_ring(store, &store->rings[IV_VIEW_RULINGS], RULING_VIEWS, err));
    return init_ring(store, &store->rings[IV_VIEW_WITNESSES], IV_WITNESS_MAX, err);
}

void iv_store_deinit(struct iv_store *store)
{
    for (int set = 0; set < IV_VIEW_SETS; set++) {
        for (uint32_t i = 0; i < store->rings[set].size; i++) {
            iv_free(store->rings[set].views[i].slots);
            iv_arena_deinit(&store->rings[set].views[i].arena);
        }
    }
    iv_table_deinit(&store->source_table);
    iv_pool_deinit(&store->pool);
    iv_buf_deinit(&store->scratch);
    iv_slab_deinit(&store->sources);
    iv_slab_deinit(&store->records);
}

static struct iv_str source_text(const struct iv_store *store, const struct source *s)
{
    return (struct iv_str){iv_pool_at(&store->pool, s->text), s->bytes};
}

/* A reference to the shared copy; 0 when memory is out. */
static uint32_t intern(struct iv_store *store, struct iv_str text)
{
    uint64_t hash = iv_hash64(store->key, text);
    struct iv_probe probe = iv_table_probe(&store->source_table, hash);
    for (uint32_t ref = iv_probe_next(&probe); ref != 0; ref = iv_probe_next(&probe)) {
        struct source *s = iv_slab_at(&store->sources, ref);
        if (iv_str_eq(source_text(store, s), text)) {
            s->refs++;
            return ref;
        }
    }
    uint32_t block = iv_pool_take(&store->pool, text.n);
    uint32_t ref = block == 0 ? 0 : iv_slab_take(&store->sources);
    if (ref == 0 || !iv_table_add(&store->source_table, hash, ref)) {
        return 0;
    }
    if (text.n > 0) {
        memcpy(iv_pool_at(&store->pool, block), text.p, text.n);
    }
    *(struct source *)iv_slab_at(&store->sources, ref) = (struct source){hash, block, (uint32_t)text.n, 1};
    return ref;
}

static void forget_source(struct iv_store *store, uint32_t ref)
{
    struct source *s = iv_slab_at(&store->sources, ref);
    if (--s->refs == 0) {
        iv_table_remove(&store->source_table, s->hash, ref);
        iv_pool_give(&store->pool, s->text);
        iv_slab_give(&store->sources, ref);
    }
}

/* Topics are a handful, and their names outlive the run; beyond the list's end they are the stream's name. */
static uint8_t topic_number(struct iv_store *store, struct iv_str topic)
{
    uint8_t i = 0;
    while (i < store->topic_count && !iv_str_eq(store->topics[i], topic)) {
        i++;
    }
    if (i == store->topic_count && store->topic_count < UINT8_MAX) {
        store->topics[store->topic_count++] = topic;
    }
    return i;
}

static const struct iv_type_plan *type_plan(const struct iv_store *store, uint16_t type)
{
    return &store->plan->types[type];
}

/* Which of the kept slots have a value, a bit each. */
static size_t presence_bytes(const struct iv_type_plan *plan)
{
    return (plan->kept_count + 7U) / 8;
}

static size_t body_bound(const struct iv_event *event, const struct iv_type_plan *plan)
{
    size_t size = iv_pack_size(&(struct iv_val){.kind = IV_KIND_INT}) + DIGEST_BYTES + IV_CONTENT_ID_MAX +
                  presence_bytes(plan);
    for (uint16_t i = 0; i < plan->kept_count; i++) {
        const struct iv_val *value = &event->slots[plan->kept[i]];
        size += value->kind == IV_KIND_ABSENT ? 0 : iv_pack_size(value);
    }
    return size;
}

/* Offset, digest and content id where there are, presence, values. The id is plain text, so that it can
 * be read where it lies. */
static unsigned char *write_body(unsigned char *at, const struct iv_event *event,
                                 const struct iv_type_plan *plan, const struct iv_store_extra *extra)
{
    at = iv_pack(at, &(struct iv_val){.kind = IV_KIND_INT, .i = event->origin.offset});
    if (extra->digest != NULL) {
        memcpy(at, extra->digest->bytes, DIGEST_BYTES);
        at += DIGEST_BYTES;
    }
    if (extra->content_id != NULL) {
        memcpy(at, extra->content_id, IV_CONTENT_ID_MAX);
        at += IV_CONTENT_ID_MAX;
    }
    unsigned char *presence = at;
    memset(presence, 0, presence_bytes(plan));
    at += presence_bytes(plan);
    for (uint16_t i = 0; i < plan->kept_count; i++) {
        const struct iv_val *value = &event->slots[plan->kept[i]];
        if (value->kind == IV_KIND_ABSENT) {
            continue;
        }
        presence[i / 8] = (unsigned char)(presence[i / 8] | 1U << (i % 8));
        at = plan->kept[i] == IV_ATTR_ID ? iv_pack_text(at, iv_val_slice(*value)) : iv_pack(at, value);
    }
    return at;
}

static uint32_t pack_body(struct iv_store *store, const struct iv_event *event,
                          const struct iv_store_extra *extra)
{
    const struct iv_type_plan *plan = type_plan(store, event->type->index);
    iv_buf_clear(&store->scratch);
    unsigned char *bytes = (unsigned char *)iv_buf_reserve(&store->scratch, body_bound(event, plan));
    if (bytes == NULL) {
        return 0;
    }
    size_t n = (size_t)(write_body(bytes, event, plan, extra) - bytes);
    uint32_t body = iv_pool_take(&store->pool, n);
    if (body != 0) {
        memcpy(iv_pool_at(&store->pool, body), bytes, n);
    }
    return body;
}

uint32_t iv_store_add(struct iv_store *store, const struct iv_event *event,
                      const struct iv_store_extra *extra)
{
    uint32_t ref = iv_slab_take(&store->records);
    uint32_t body = ref == 0 ? 0 : pack_body(store, event, extra);
    uint32_t source = body == 0 ? 0 : intern(store, iv_event_attr(event, IV_ATTR_SOURCE));
    if (source == 0) {
        return 0;
    }
    *iv_store_rec(store, ref) = (struct iv_rec){.time = event->time,
                                                .content = event->content,
                                                .order = ++store->order,
                                                .body = body,
                                                .refs = 1,
                                                .source = source,
                                                .partition = event->origin.partition,
                                                .type = event->type->index,
                                                .topic = topic_number(store, event->origin.topic),
                                                .telemetry = event->origin.stream == IV_TELEMETRY,
                                                .hash_known = event->hash_valid >= 0,
                                                .hash_valid = event->hash_valid > 0,
                                                .has_digest = extra->digest != NULL,
                                                .has_content_id = extra->content_id != NULL};
    return ref;
}

void iv_store_set_live(struct iv_store *store, uint32_t rec, const struct iv_event *event)
{
    store->live_rec = event == NULL ? 0 : rec;
    if (event != NULL) {
        store->live.event = *event;
        store->live.event.object.owner = &store->live.event;
    }
}

void iv_store_release(struct iv_store *store, uint32_t rec)
{
    struct iv_rec *r = iv_store_rec(store, rec);
    IV_CHECK(r->refs > 0);
    if (--r->refs == 0) {
        forget_source(store, r->source);
        iv_pool_give(&store->pool, r->body);
        iv_slab_give(&store->records, rec);
    }
}

const struct iv_event_type *iv_store_type_at(const struct iv_store *store, uint16_t index)
{
    return index < iv_catalogue_types(store->catalogue) ? iv_catalogue_type(store->catalogue, index)
                                                        : iv_catalogue_unknown(store->catalogue);
}

const struct iv_event_type *iv_store_type(const struct iv_store *store, uint32_t rec)
{
    return iv_store_type_at(store, iv_store_rec(store, rec)->type);
}

/* offset may be NULL. */
static const unsigned char *behind_offset(const struct iv_store *store, const struct iv_rec *r,
                                          int64_t *offset)
{
    const unsigned char *at = iv_pool_at(&store->pool, r->body);
    struct iv_val value;
    (void)iv_unpack(&value, &at, NULL);
    if (offset != NULL) {
        *offset = value.i;
    }
    return at;
}

/* Of presence and the packed slots. */
static const unsigned char *body_at(const struct iv_store *store, const struct iv_rec *r)
{
    return behind_offset(store, r, NULL) + (r->has_digest ? DIGEST_BYTES : 0) +
           (r->has_content_id ? IV_CONTENT_ID_MAX : 0);
}

static enum iv_stream stream_of(const struct iv_rec *r)
{
    return r->telemetry ? IV_TELEMETRY : IV_LEDGER;
}

struct iv_origin iv_store_origin(const struct iv_store *store, uint32_t rec)
{
    const struct iv_rec *r = iv_store_rec(store, rec);
    struct iv_origin origin = {.stream = stream_of(r), .partition = r->partition};
    (void)behind_offset(store, r, &origin.offset);
    origin.topic =
        r->topic < store->topic_count ? store->topics[r->topic] : iv_str_of(iv_stream_name(origin.stream));
    return origin;
}

int8_t iv_store_hash_valid(const struct iv_store *store, uint32_t rec)
{
    const struct iv_rec *r = iv_store_rec(store, rec);
    return !r->hash_known ? -1 : r->hash_valid ? 1 : 0;
}

static bool unpack_slots(const struct iv_store *store, struct iv_view *view, const struct iv_rec *r,
                         const struct iv_event_type *type, bool whole)
{
    memset(view->slots, 0, type->slot_count * sizeof *view->slots);
    const struct iv_type_plan *plan = type_plan(store, r->type);
    const unsigned char *presence = body_at(store, r);
    const unsigned char *at = presence + presence_bytes(plan);
    uint16_t count = whole ? plan->kept_count : plan->read_count;
    for (uint16_t i = 0; i < count; i++) {
        bool present = (presence[i / 8] >> (i % 8) & 1) != 0;
        if (present && !iv_unpack(&view->slots[plan->kept[i]], &at, &view->arena)) {
            return false;
        }
    }
    const struct source *source = iv_slab_at(&store->sources, r->source);
    view->slots[IV_ATTR_SOURCE] = iv_val_str(source_text(store, source));
    view->slots[IV_ATTR_TIME] = iv_val_timestamp(iv_instant_of_ns(r->time));
    view->slots[IV_ATTR_TOPIC] = iv_val_str(iv_str_of(iv_stream_name(stream_of(r))));
    if (type->name.n > 0) {
        view->slots[IV_ATTR_TYPE] = iv_val_str(type->name);
    }
    return true;
}

struct iv_event *iv_store_view_kept(struct iv_store *store, enum iv_view_set set, uint32_t rec)
{
    struct iv_view_ring *ring = &store->rings[set];
    const struct iv_rec *r = iv_store_rec(store, rec);
    for (uint32_t i = 0; i < ring->size; i++) {
        if (ring->orders[i] == r->order) {
            return &ring->views[i].event;
        }
    }
    struct iv_view *view = &ring->views[ring->next];
    uint64_t *order = &ring->orders[ring->next];
    ring->next = (ring->next + 1) % ring->size;
    const struct iv_event_type *type = iv_store_type(store, rec);
    iv_arena_reset(&view->arena);
    *order = 0;
    if (!unpack_slots(store, view, r, type, set >= IV_VIEW_RULINGS)) {
        return NULL;
    }
    *order = r->order;
    view->event = (struct iv_event){
        .type = type,
        .time = r->time,
        .origin = iv_store_origin(store, rec),
        .slots = view->slots,
        .object = {.slot_of = type->slot_of, .slots = view->slots, .owner = &view->event},
        .content = r->content,
        .digest_alg = -1,
        .hash_valid = iv_store_hash_valid(store, rec),
    };
    return &view->event;
}

struct iv_str iv_store_source(const struct iv_store *store, uint32_t rec)
{
    return source_text(store, iv_slab_at(&store->sources, iv_store_rec(store, rec)->source));
}

struct iv_str iv_store_id(const struct iv_store *store, uint32_t rec)
{
    const struct iv_rec *r = iv_store_rec(store, rec);
    const unsigned char *presence = body_at(store, r);
    const unsigned char *at = presence + presence_bytes(type_plan(store, r->type));
    struct iv_val id = {0};
    bool present = (presence[0] & 1) != 0 && iv_unpack(&id, &at, NULL) && id.kind == IV_KIND_STRING;
    return present ? iv_val_slice(id) : (struct iv_str){"", 0};
}

struct iv_digest iv_store_digest(const struct iv_store *store, uint32_t rec)
{
    const struct iv_rec *r = iv_store_rec(store, rec);
    struct iv_digest digest = {.n = r->has_digest ? DIGEST_BYTES : 0};
    if (r->has_digest) {
        memcpy(digest.bytes, behind_offset(store, r, NULL), DIGEST_BYTES);
    }
    return digest;
}

const unsigned char *iv_store_content_id(const struct iv_store *store, uint32_t rec)
{
    const struct iv_rec *r = iv_store_rec(store, rec);
    return r->has_content_id ? behind_offset(store, r, NULL) + (r->has_digest ? DIGEST_BYTES : 0) : NULL;
}

uint64_t iv_store_bytes(const struct iv_store *store)
{
    return iv_slab_bytes(&store->records) + iv_pool_bytes(&store->pool) + iv_slab_bytes(&store->sources) +
           iv_table_bytes(&store->source_table);
}
