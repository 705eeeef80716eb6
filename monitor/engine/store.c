/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/store.h"

#include "base/alloc.h"
#include "base/guard.h"

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

/* Where a source stands among the recent ones: by its length and last bytes. Whoever chooses sources that
 * fall into one place wins nothing but the way through the table. */
static uint32_t *recent_place(struct iv_store *store, struct iv_str text)
{
    uint32_t last = 0;
    if (text.n >= sizeof last) {
        memcpy(&last, text.p + text.n - sizeof last, sizeof last);
    }
    uint32_t mixed = (last ^ (uint32_t)text.n << 27) * UINT32_C(0x9e3779b1);
    return &store->recent_sources[mixed >> 24];
}

static uint32_t look_up_source(struct iv_store *store, struct iv_str text)
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

/* A reference to the shared copy; 0 when memory is out. */
static uint32_t intern(struct iv_store *store, struct iv_str text)
{
    uint32_t *recent = recent_place(store, text);
    if (*recent != 0 && iv_str_eq(source_text(store, iv_slab_at(&store->sources, *recent)), text)) {
        ((struct source *)iv_slab_at(&store->sources, *recent))->refs++;
        return *recent;
    }
    uint32_t ref = look_up_source(store, text);
    *recent = ref;
    return ref;
}

static void forget_source(struct iv_store *store, uint32_t ref)
{
    struct source *s = iv_slab_at(&store->sources, ref);
    if (--s->refs == 0) {
        uint32_t *recent = recent_place(store, source_text(store, s));
        *recent = *recent == ref ? 0 : *recent;
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

/* Room for the value behind `at`, which moves with the buffer; NULL when memory is out. */
static unsigned char *make_room(struct iv_store *store, unsigned char *at, const struct iv_val *value)
{
    bool plain = value->kind < IV_KIND_LIST;
    size_t need = !plain                          ? iv_pack_size(value)
                  : value->kind == IV_KIND_STRING ? IV_PACK_SLACK + value->n
                                                  : IV_PACK_SLACK;
    size_t used = (size_t)(at - (unsigned char *)store->scratch.p);
    if (used + need <= store->scratch.capacity) {
        return at;
    }
    store->scratch.n = used;
    return (unsigned char *)iv_buf_reserve(&store->scratch, need);
}

/* Offset, digest and content id where there are, presence. */
static unsigned char *write_head(struct iv_store *store, const struct iv_event *event,
                                 const struct iv_type_plan *plan, const struct iv_store_extra *extra)
{
    iv_buf_clear(&store->scratch);
    unsigned char *at = (unsigned char *)iv_buf_reserve(
        &store->scratch, IV_PACK_SLACK + DIGEST_BYTES + IV_CONTENT_ID_MAX + presence_bytes(plan));
    if (at == NULL) {
        return NULL;
    }
    at = iv_pack(at, &(struct iv_val){.kind = IV_KIND_INT, .i = event->origin.offset});
    if (extra->digest != NULL) {
        memcpy(at, extra->digest->bytes, DIGEST_BYTES);
        at += DIGEST_BYTES;
    }
    if (extra->content_id != NULL) {
        memcpy(at, extra->content_id, IV_CONTENT_ID_MAX);
        at += IV_CONTENT_ID_MAX;
    }
    return at;
}

static uint32_t pack_body(struct iv_store *store, const struct iv_event *event,
                          const struct iv_store_extra *extra)
{
    const struct iv_type_plan *plan = type_plan(store, event->type->index);
    unsigned char present[(UINT8_MAX + 1) / 8] = {0};
    unsigned char *at = write_head(store, event, plan, extra);
    if (at == NULL) {
        return 0;
    }
    size_t presence = (size_t)(at - (unsigned char *)store->scratch.p);
    at += presence_bytes(plan);
    for (uint16_t i = 0; i < plan->kept_count; i++) {
        const struct iv_val *value = &event->slots[plan->kept[i]];
        if (value->kind == IV_KIND_ABSENT) {
            continue;
        }
        present[i / 8] = (unsigned char)(present[i / 8] | 1U << (i % 8));
        at = make_room(store, at, value);
        if (at == NULL) {
            return 0;
        }
        at = iv_pack(at, value);
    }
    memcpy(store->scratch.p + presence, present, presence_bytes(plan));
    size_t n = (size_t)(at - (unsigned char *)store->scratch.p);
    uint32_t body = iv_pool_take(&store->pool, n);
    if (body != 0) {
        memcpy(iv_pool_at(&store->pool, body), store->scratch.p, n);
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

static const unsigned char *behind_offset(const struct iv_store *store, const struct iv_rec *r)
{
    return iv_pack_skip(iv_pool_at(&store->pool, r->body));
}

/* Of presence and the packed slots. */
static const unsigned char *body_at(const struct iv_store *store, const struct iv_rec *r)
{
    return behind_offset(store, r) + (r->has_digest ? DIGEST_BYTES : 0) +
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
    const unsigned char *at = iv_pool_at(&store->pool, r->body);
    struct iv_val offset;
    (void)iv_unpack(&offset, &at, NULL);
    origin.offset = offset.i;
    origin.topic =
        r->topic < store->topic_count ? store->topics[r->topic] : iv_str_of(iv_stream_name(origin.stream));
    return origin;
}

int8_t iv_store_hash_valid(const struct iv_store *store, uint32_t rec)
{
    const struct iv_rec *r = iv_store_rec(store, rec);
    return !r->hash_known ? -1 : r->hash_valid ? 1 : 0;
}

/* Whether the slot that is kept in the i-th place is asked for. */
static bool asks_for(uint64_t need, uint16_t i)
{
    return i < IV_NEED_SOURCE ? (need >> i & 1) != 0 : need == IV_NEED_ALL;
}

/* The kept slots that are asked for, and that the view does not have yet; with an absent value where the
 * event has none. */
static bool unpack_slots(const struct iv_store *store, struct iv_view *view, const struct iv_rec *r,
                         uint64_t need)
{
    const struct iv_type_plan *plan = type_plan(store, r->type);
    const unsigned char *presence = body_at(store, r);
    const unsigned char *at = presence + presence_bytes(plan);
    uint64_t left = need == IV_NEED_ALL ? need : need & ~IV_NEED_SOURCE_BIT;
    for (uint16_t i = 0; i < plan->kept_count && (left != 0 || need == IV_NEED_ALL); i++) {
        bool present = (presence[i / 8] >> (i % 8) & 1) != 0;
        if (!asks_for(need, i)) {
            at = present ? iv_pack_skip(at) : at;
            continue;
        }
        struct iv_val *slot = &view->slots[plan->kept[i]];
        *slot = (struct iv_val){0};
        if (present && !iv_unpack(slot, &at, &view->arena)) {
            return false;
        }
        left &= ~(UINT64_C(1) << i % 64);
    }
    if ((need & IV_NEED_SOURCE_BIT) != 0) {
        const struct source *source = iv_slab_at(&store->sources, r->source);
        view->slots[IV_ATTR_SOURCE] = iv_val_str(source_text(store, source));
    }
    return true;
}

/* With what every view shows. */
static void begin_view(const struct iv_store *store, struct iv_view *view, uint32_t rec)
{
    const struct iv_rec *r = iv_store_rec(store, rec);
    const struct iv_event_type *type = iv_store_type(store, rec);
    iv_arena_reset(&view->arena);
    view->rec = rec;
    view->has = 0;
    view->slots[IV_ATTR_TIME] = iv_val_timestamp(iv_instant_of_ns(r->time));
    view->slots[IV_ATTR_TOPIC] = iv_val_str(iv_str_of(iv_stream_name(stream_of(r))));
    if (type->name.n > 0) {
        view->slots[IV_ATTR_TYPE] = iv_val_str(type->name);
    }
    view->event = (struct iv_event){
        .type = type,
        .time = r->time,
        .origin = {.stream = stream_of(r), .partition = r->partition},
        .slots = view->slots,
        .object = {.slot_of = type->slot_of, .slots = view->slots, .owner = &view->event},
        .content = r->content,
        .digest_alg = -1,
        .hash_valid = iv_store_hash_valid(store, rec),
    };
}

static struct iv_view *view_for(struct iv_store *store, enum iv_view_set set, uint32_t rec)
{
    struct iv_view_ring *ring = &store->rings[set];
    uint64_t order = iv_store_rec(store, rec)->order;
    for (uint32_t i = 0; i < ring->size; i++) {
        if (ring->orders[i] == order) {
            return &ring->views[i];
        }
    }
    struct iv_view *view = &ring->views[ring->next];
    ring->orders[ring->next] = order;
    ring->next = (ring->next + 1) % ring->size;
    begin_view(store, view, rec);
    return view;
}

struct iv_event *iv_store_view_kept(struct iv_store *store, enum iv_view_set set, uint32_t rec, uint64_t need)
{
    struct iv_view *view = view_for(store, set, rec);
    if ((need & ~view->has) == 0) {
        return &view->event;
    }
    if (need == IV_NEED_ALL) {
        memset(view->slots, 0, view->event.type->slot_count * sizeof *view->slots);
        begin_view(store, view, rec);
        view->event.origin = iv_store_origin(store, rec);
    }
    if (!unpack_slots(store, view, iv_store_rec(store, rec), need & ~view->has)) {
        return NULL;
    }
    view->has |= need;
    return &view->event;
}

struct iv_event *iv_store_view_whole(struct iv_store *store, struct iv_event *event)
{
    for (int set = 0; set < IV_VIEW_SETS; set++) {
        for (uint32_t i = 0; i < store->rings[set].size; i++) {
            if (event == &store->rings[set].views[i].event) {
                return iv_store_view_kept(store, (enum iv_view_set)set, store->rings[set].views[i].rec,
                                          IV_NEED_ALL);
            }
        }
    }
    return event; /* the event at hand */
}

struct iv_str iv_store_source(const struct iv_store *store, uint32_t rec)
{
    return source_text(store, iv_slab_at(&store->sources, iv_store_rec(store, rec)->source));
}

struct iv_str iv_store_id(const struct iv_store *store, uint32_t rec, char room[IV_UNPACK_ROOM])
{
    const struct iv_rec *r = iv_store_rec(store, rec);
    const unsigned char *presence = body_at(store, r);
    bool present = (presence[0] & 1) != 0;
    return present ? iv_unpack_text(presence + presence_bytes(type_plan(store, r->type)), room)
                   : (struct iv_str){"", 0};
}

int iv_store_compare_names(const struct iv_store *store, uint32_t a, uint32_t b)
{
    char room[2][IV_UNPACK_ROOM];
    int order = iv_str_cmp(iv_store_source(store, a), iv_store_source(store, b));
    return order != 0 ? order : iv_str_cmp(iv_store_id(store, a, room[0]), iv_store_id(store, b, room[1]));
}

struct iv_digest iv_store_digest(const struct iv_store *store, uint32_t rec)
{
    const struct iv_rec *r = iv_store_rec(store, rec);
    struct iv_digest digest = {.n = r->has_digest ? DIGEST_BYTES : 0};
    if (r->has_digest) {
        memcpy(digest.bytes, behind_offset(store, r), DIGEST_BYTES);
    }
    return digest;
}

const unsigned char *iv_store_content_id(const struct iv_store *store, uint32_t rec)
{
    const struct iv_rec *r = iv_store_rec(store, rec);
    return r->has_content_id ? behind_offset(store, r) + (r->has_digest ? DIGEST_BYTES : 0) : NULL;
}

uint64_t iv_store_bytes(const struct iv_store *store)
{
    return iv_slab_bytes(&store->records) + iv_pool_bytes(&store->pool) + iv_slab_bytes(&store->sources) +
           iv_table_bytes(&store->source_table);
}
