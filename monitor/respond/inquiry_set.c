/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/inquiry_set.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "base/hash.h"

#include <string.h>

#define BUCKETS 2048
#define NONE (-1)

/* Those of one type of event whose condition names a field, the same of all of them; or names none. */
struct group {
    const struct iv_inquiry *first; /* says of which type */
    uint16_t name_id;
    bool keyed;
    int members;
};

struct iv_inquiry_set {
    struct iv_sought items[IV_INQUIRIES_MAX];
    size_t count;
    struct iv_hash_key hash;
    bool sorted; /* what follows is of these items; places in them, or NONE */
    struct group groups[IV_INQUIRIES_MAX];
    size_t group_count;
    int by_step[BUCKETS];
    int by_key[BUCKETS];
    int next_step[IV_INQUIRIES_MAX];
    int next_key[IV_INQUIRIES_MAX];
    int next_member[IV_INQUIRIES_MAX];
};

iv_rc iv_inquiry_set_new(struct iv_inquiry_set **out, struct iv_err *err)
{
    struct iv_inquiry_set *set = iv_calloc(1, sizeof *set);
    ENSURE(set != NULL, err, IV_E_NOMEM, "cannot allocate inquiries");
    set->hash = iv_hash_key_random();
    *out = set;
    return IV_OK;
}

void iv_inquiry_set_free(struct iv_inquiry_set *set)
{
    for (size_t i = 0; set != NULL && i < set->count; i++) {
        iv_inquiry_free(set->items[i].inquiry);
    }
    iv_free(set);
}

void iv_inquiry_set_freep(struct iv_inquiry_set **set)
{
    iv_inquiry_set_free(*set);
}

struct iv_sought *iv_inquiry_set_items(struct iv_inquiry_set *set, size_t *count)
{
    *count = set->count;
    return set->items;
}

void iv_inquiry_set_add(struct iv_inquiry_set *set, struct iv_inquiry *inquiry)
{
    IV_CHECK(set->count < IV_INQUIRIES_MAX);
    set->items[set->count++] = (struct iv_sought){inquiry, IV_LANE_NEW};
    set->sorted = false;
}

void iv_inquiry_set_drop(struct iv_inquiry_set *set, size_t index)
{
    iv_inquiry_free(set->items[index].inquiry);
    set->items[index] = set->items[--set->count];
    set->sorted = false;
}

static int *bucket(const struct iv_inquiry_set *set, int *buckets, struct iv_str text)
{
    return &buckets[iv_hash64(set->hash, text) % BUCKETS];
}

static bool is_same_type(const struct iv_inquiry *a, const struct iv_inquiry *b)
{
    return iv_inquiry_stream(a) == iv_inquiry_stream(b) && iv_str_eq(iv_inquiry_type(a), iv_inquiry_type(b));
}

static struct group *group_of(struct iv_inquiry_set *set, const struct iv_inquiry *inquiry)
{
    struct iv_str key;
    struct group g = {.first = inquiry, .members = NONE};
    g.keyed = iv_inquiry_key(inquiry, &g.name_id, &key);
    for (size_t i = 0; i < set->group_count; i++) {
        struct group *known = &set->groups[i];
        bool same_key = known->keyed == g.keyed && (!g.keyed || known->name_id == g.name_id);
        if (same_key && is_same_type(known->first, inquiry)) {
            return known;
        }
    }
    set->groups[set->group_count] = g;
    return &set->groups[set->group_count++];
}

static void join(int *head, int *next, int index)
{
    next[index] = *head;
    *head = index;
}

static void sort(struct iv_inquiry_set *set)
{
    if (set->sorted) {
        return;
    }
    set->sorted = true;
    set->group_count = 0;
    for (size_t i = 0; i < BUCKETS; i++) {
        set->by_step[i] = set->by_key[i] = NONE;
    }
    for (size_t i = 0; i < set->count; i++) {
        const struct iv_inquiry *l = set->items[i].inquiry;
        join(bucket(set, set->by_step, iv_inquiry_execution(l)), set->next_step, (int)i);
        if (iv_inquiry_type(l).n > 0) {
            struct iv_str key;
            uint16_t name_id = 0;
            join(&group_of(set, l)->members, set->next_member, (int)i);
            if (iv_inquiry_key(l, &name_id, &key)) {
                join(bucket(set, set->by_key, key), set->next_key, (int)i);
            }
        }
    }
}

void iv_inquiry_set_keep(struct iv_inquiry_set *set, bool *known, const struct iv_step *steps, size_t count)
{
    bool kept[IV_INQUIRIES_MAX] = {false};
    sort(set);
    for (size_t i = 0; i < count; i++) {
        known[i] = false;
        int at = *bucket(set, set->by_step, steps[i].execution);
        for (; at != NONE && !known[i]; at = set->next_step[at]) {
            known[i] = iv_inquiry_is_of(set->items[at].inquiry, &steps[i]);
            kept[at] = kept[at] || known[i];
        }
    }
    for (size_t i = set->count; i-- > 0;) {
        if (!kept[i]) {
            iv_inquiry_set_drop(set, i); /* what takes its place was kept */
        }
    }
}

void iv_inquiry_set_missed(struct iv_inquiry_set *set, enum iv_stream stream, bool back, const char *why)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct iv_sought *s = &set->items[i];
        if (iv_inquiry_stream(s->inquiry) == stream && (!back || s->lane == IV_LANE_BACK)) {
            iv_inquiry_missed(s->inquiry, why);
        }
    }
}

/* The groups of a type are asked for its name but once, mostly: there is one. */
bool iv_inquiry_set_wants(struct iv_inquiry_set *set, const struct iv_record *record)
{
    sort(set);
    for (size_t i = 0; i < set->group_count; i++) {
        bool asked = i > 0 && is_same_type(set->groups[i].first, set->groups[i - 1].first);
        if (!asked && iv_inquiry_wants(set->groups[i].first, record)) {
            return true;
        }
    }
    return false;
}

/* What is shown, and to whom. */
struct showing {
    const struct iv_event *event; /* NULL: it is malformed */
    bool back;
};

static iv_rc show_one(struct iv_inquiry_set *set, int at, const struct showing *s, struct iv_err *err)
{
    struct iv_sought *sought = &set->items[at];
    if (s->back && sought->lane != IV_LANE_BACK) {
        return IV_OK;
    }
    if (s->event == NULL) {
        iv_inquiry_missed(sought->inquiry, "a record that may have told was malformed");
        return IV_OK;
    }
    return iv_inquiry_event(sought->inquiry, s->event, err);
}

static iv_rc show_all(struct iv_inquiry_set *set, const struct group *g, const struct showing *s,
                      struct iv_err *err)
{
    for (int at = g->members; at != NONE; at = set->next_member[at]) {
        TRY(show_one(set, at, s, err));
    }
    return IV_OK;
}

/* Without the field, nobody's condition can be told to be false beforehand. */
static iv_rc show_keyed(struct iv_inquiry_set *set, const struct group *g, const struct showing *s,
                        struct iv_err *err)
{
    const struct iv_object *object = &s->event->object;
    uint8_t slot = object->slot_of[g->name_id];
    const struct iv_val *value = slot == IV_NO_SLOT ? NULL : &object->slots[slot];
    if (value == NULL || value->kind != IV_KIND_STRING) {
        return show_all(set, g, s, err);
    }
    struct iv_str text = iv_val_slice(*value);
    for (int at = *bucket(set, set->by_key, text); at != NONE; at = set->next_key[at]) {
        struct iv_str key;
        uint16_t name_id = 0;
        const struct iv_inquiry *l = set->items[at].inquiry;
        if (iv_inquiry_key(l, &name_id, &key) && name_id == g->name_id && iv_str_eq(key, text) &&
            is_same_type(l, g->first)) {
            TRY(show_one(set, at, s, err));
        }
    }
    return IV_OK;
}

iv_rc iv_inquiry_set_show(struct iv_inquiry_set *set, const struct iv_record *record,
                          const struct iv_event *event, bool back, struct iv_err *err)
{
    const struct showing s = {event, back};
    sort(set);
    for (size_t i = 0; i < set->group_count; i++) {
        const struct group *g = &set->groups[i];
        bool concerned = event == NULL ? iv_inquiry_wants(g->first, record)
                                       : iv_inquiry_stream(g->first) == record->origin.stream &&
                                             iv_str_eq(event->type->name, iv_inquiry_type(g->first));
        if (concerned) {
            TRY(g->keyed && event != NULL ? show_keyed(set, g, &s, err) : show_all(set, g, &s, err));
        }
    }
    return IV_OK;
}
