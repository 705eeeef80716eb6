/* SPDX-License-Identifier: Apache-2.0 */
#include "base/value.h"
#include "base/alloc.h"
#include "base/arena.h"
#include "base/json_write.h"

#include <math.h>
#include <stdlib.h>

static bool is_number(uint8_t kind)
{
    return kind == IV_KIND_INT || kind == IV_KIND_UINT || kind == IV_KIND_DOUBLE;
}

/* The numeric value as an int64 or a uint64 if it is one exactly. */
static bool exact_int(const struct iv_val *v, int64_t *out)
{
    switch (v->kind) {
    case IV_KIND_INT:
        *out = v->i;
        return true;
    case IV_KIND_UINT:
        *out = (int64_t)v->u;
        return v->u <= INT64_MAX;
    default:
        if (!(v->d >= -0x1p63 && v->d < 0x1p63) || v->d != floor(v->d)) {
            return false;
        }
        *out = (int64_t)v->d;
        return true;
    }
}

static bool exact_uint(const struct iv_val *v, uint64_t *out)
{
    switch (v->kind) {
    case IV_KIND_INT:
        *out = (uint64_t)v->i;
        return v->i >= 0;
    case IV_KIND_UINT:
        *out = v->u;
        return true;
    default:
        if (!(v->d >= 0 && v->d < 0x1p64) || v->d != floor(v->d)) {
            return false;
        }
        *out = (uint64_t)v->d;
        return true;
    }
}

static bool number_eq(const struct iv_val *a, const struct iv_val *b)
{
    if (a->kind == IV_KIND_DOUBLE && b->kind == IV_KIND_DOUBLE) {
        return a->d == b->d;
    }
    int64_t ai = 0;
    int64_t bi = 0;
    if (exact_int(a, &ai)) {
        return exact_int(b, &bi) && ai == bi;
    }
    uint64_t au = 0;
    uint64_t bu = 0;
    return exact_uint(a, &au) && exact_uint(b, &bu) && au == bu;
}

const struct iv_val *iv_val_map_get(const struct iv_val *map, const struct iv_val *key)
{
    for (uint32_t i = 0; i < map->n; i++) {
        if (iv_val_eq(&map->items[2 * (size_t)i], key)) {
            return &map->items[2 * (size_t)i + 1];
        }
    }
    return NULL;
}

static bool map_eq(const struct iv_val *a, const struct iv_val *b)
{
    if (a->n != b->n) {
        return false;
    }
    for (size_t i = 0; i < a->n; i++) {
        const struct iv_val *other = iv_val_map_get(b, &a->items[2 * i]);
        if (other == NULL || !iv_val_eq(&a->items[2 * i + 1], other)) {
            return false;
        }
    }
    return true;
}

static bool list_eq(const struct iv_val *a, const struct iv_val *b)
{
    if (a->n != b->n) {
        return false;
    }
    for (size_t i = 0; i < a->n; i++) {
        if (!iv_val_eq(&a->items[i], &b->items[i])) {
            return false;
        }
    }
    return true;
}

bool iv_val_eq(const struct iv_val *a, const struct iv_val *b)
{
    if (is_number(a->kind) && is_number(b->kind)) {
        return number_eq(a, b);
    }
    if (a->kind != b->kind) {
        return false;
    }
    switch ((enum iv_kind)a->kind) {
    case IV_KIND_ABSENT:
    case IV_KIND_NULL:
        return true;
    case IV_KIND_BOOL:
        return a->b == b->b;
    case IV_KIND_STRING:
    case IV_KIND_BYTES:
    case IV_KIND_TYPE:
        return iv_str_eq(iv_val_slice(*a), iv_val_slice(*b));
    case IV_KIND_TIMESTAMP:
    case IV_KIND_DURATION:
        return a->i == b->i && a->n == b->n;
    case IV_KIND_LIST:
    case IV_KIND_OPTIONAL:
        return list_eq(a, b);
    case IV_KIND_MAP:
        return map_eq(a, b);
    case IV_KIND_OBJECT:
        return a->object == b->object;
    case IV_KIND_OPAQUE:
        return a->aux == b->aux && a->n == b->n && a->n != 0 && memcmp(a->opaque, b->opaque, a->n) == 0;
    case IV_KIND_INT:
    case IV_KIND_UINT:
    case IV_KIND_DOUBLE:
        break;
    }
    return false;
}

static void key_bytes(struct iv_buf *out, char tag, const void *p, uint32_t n)
{
    iv_buf_char(out, tag);
    iv_buf_add(out, &n, sizeof n);
    iv_buf_add(out, p, n);
}

static void key_number(struct iv_buf *out, const struct iv_val *v)
{
    int64_t i = 0;
    uint64_t u = 0;
    if (exact_int(v, &i)) {
        iv_buf_char(out, 'i');
        iv_buf_add(out, &i, sizeof i);
    } else if (exact_uint(v, &u)) {
        iv_buf_char(out, 'u');
        iv_buf_add(out, &u, sizeof u);
    } else {
        iv_buf_char(out, 'd');
        iv_buf_add(out, &v->d, sizeof v->d);
    }
}

static int by_bytes(const void *a, const void *b)
{
    const struct iv_str *left = a;
    const struct iv_str *right = b;
    return iv_str_cmp(*left, *right);
}

/* The pairs, of which the lengths are known, stand one behind the other. */
static void add_sorted(struct iv_buf *out, struct iv_str bytes, struct iv_str *pairs, size_t n)
{
    const char *at = bytes.p;
    for (size_t i = 0; i < n; i++) {
        pairs[i].p = at;
        at += pairs[i].n;
    }
    qsort(pairs, n, sizeof *pairs, by_bytes);
    for (size_t i = 0; i < n; i++) {
        iv_buf_str(out, pairs[i]);
    }
}

/* Maps are unordered, so a map's key bytes are those of its pairs in order of their own key bytes. Each value
 * is visited once, however deep: a record's producer chooses the depth. */
static void key_map(struct iv_buf *out, const struct iv_val *v)
{
    key_bytes(out, 'm', &v->n, sizeof v->n);
    struct iv_str *pairs = iv_calloc((size_t)v->n + 1, sizeof *pairs);
    if (pairs == NULL) {
        out->failed = out->out_of_memory = true;
        return;
    }
    struct iv_buf bytes;
    iv_buf_init(&bytes, out->max);
    for (size_t i = 0; i < v->n; i++) {
        size_t start = bytes.n;
        iv_val_key(&bytes, &v->items[2 * i]);
        iv_val_key(&bytes, &v->items[2 * i + 1]);
        pairs[i].n = bytes.n - start;
    }
    if (iv_buf_failed(&bytes)) {
        iv_buf_inherit(out, &bytes);
    } else {
        add_sorted(out, iv_buf_slice(&bytes), pairs, v->n);
    }
    iv_buf_deinit(&bytes);
    iv_free(pairs);
}

void iv_val_key(struct iv_buf *out, const struct iv_val *v)
{
    if (iv_buf_failed(out)) {
        return; /* the parts of a value may be shared, so the rest of it may be without end */
    }
    switch ((enum iv_kind)v->kind) {
    case IV_KIND_ABSENT:
        iv_buf_char(out, '-');
        break;
    case IV_KIND_NULL:
        iv_buf_char(out, 'n');
        break;
    case IV_KIND_BOOL:
        iv_buf_char(out, v->b ? 't' : 'f');
        break;
    case IV_KIND_INT:
    case IV_KIND_UINT:
    case IV_KIND_DOUBLE:
        key_number(out, v);
        break;
    case IV_KIND_STRING:
        key_bytes(out, 's', v->s, v->n);
        break;
    case IV_KIND_BYTES:
        key_bytes(out, 'b', v->s, v->n);
        break;
    case IV_KIND_TYPE:
        key_bytes(out, 'T', v->s, v->n);
        break;
    case IV_KIND_TIMESTAMP:
    case IV_KIND_DURATION:
        iv_buf_char(out, v->kind == IV_KIND_TIMESTAMP ? 'z' : 'D');
        iv_buf_add(out, &v->i, sizeof v->i);
        iv_buf_add(out, &v->n, sizeof v->n);
        break;
    case IV_KIND_LIST:
    case IV_KIND_OPTIONAL:
        key_bytes(out, v->kind == IV_KIND_LIST ? 'l' : 'o', &v->n, sizeof v->n);
        for (size_t i = 0; i < v->n; i++) {
            iv_val_key(out, &v->items[i]);
        }
        break;
    case IV_KIND_MAP:
        key_map(out, v);
        break;
    case IV_KIND_OBJECT:
        iv_buf_char(out, 'O');
        iv_buf_add(out, &v->object, sizeof v->object);
        break;
    case IV_KIND_OPAQUE:
        iv_buf_char(out, 'q');
        iv_buf_char(out, (char)v->aux);
        key_bytes(out, 'q', v->opaque, v->n);
        break;
    }
}

static void json_map(struct iv_buf *out, const struct iv_val *v)
{
    iv_buf_char(out, '{');
    for (size_t i = 0; i < v->n; i++) {
        const struct iv_val *key = &v->items[2 * i];
        if (i > 0) {
            iv_buf_char(out, ',');
        }
        if (key->kind == IV_KIND_STRING) {
            iv_json_string(out, iv_val_slice(*key));
        } else {
            iv_buf_char(out, '"');
            iv_val_json(out, key);
            iv_buf_char(out, '"');
        }
        iv_buf_char(out, ':');
        iv_val_json(out, &v->items[2 * i + 1]);
    }
    iv_buf_char(out, '}');
}

static void json_quoted_time(struct iv_buf *out, const struct iv_val *v)
{
    iv_buf_char(out, '"');
    if (v->kind == IV_KIND_TIMESTAMP) {
        iv_instant_format(out, iv_val_instant(*v));
    } else {
        iv_duration_format(out, iv_val_instant(*v));
    }
    iv_buf_char(out, '"');
}

void iv_val_json(struct iv_buf *out, const struct iv_val *v)
{
    if (iv_buf_failed(out)) {
        return; /* shared parts can make a small value endless: stop where the buffer is full */
    }
    switch ((enum iv_kind)v->kind) {
    case IV_KIND_ABSENT:
    case IV_KIND_NULL:
    case IV_KIND_OBJECT:
    case IV_KIND_OPAQUE:
        iv_buf_text(out, "null");
        break;
    case IV_KIND_BOOL:
        iv_buf_text(out, v->b ? "true" : "false");
        break;
    case IV_KIND_INT:
        iv_buf_printf(out, "%lld", (long long)v->i);
        break;
    case IV_KIND_UINT:
        iv_buf_printf(out, "%llu", (unsigned long long)v->u);
        break;
    case IV_KIND_DOUBLE:
        iv_json_double(out, v->d);
        break;
    case IV_KIND_STRING:
    case IV_KIND_TYPE:
        iv_json_string(out, iv_val_slice(*v));
        break;
    case IV_KIND_BYTES:
        iv_json_base64(out, iv_val_slice(*v));
        break;
    case IV_KIND_TIMESTAMP:
    case IV_KIND_DURATION:
        json_quoted_time(out, v);
        break;
    case IV_KIND_LIST:
        iv_buf_char(out, '[');
        for (size_t i = 0; i < v->n; i++) {
            iv_buf_text(out, i > 0 ? "," : "");
            iv_val_json(out, &v->items[i]);
        }
        iv_buf_char(out, ']');
        break;
    case IV_KIND_MAP:
        json_map(out, v);
        break;
    case IV_KIND_OPTIONAL:
        if (v->n == 0) {
            iv_buf_text(out, "null");
        } else {
            iv_val_json(out, v->items);
        }
        break;
    }
}

bool iv_val_dup_into(struct iv_val *out, struct iv_arena *arena, const struct iv_val *v)
{
    struct iv_val copy = *v;
    switch ((enum iv_kind)v->kind) {
    case IV_KIND_STRING:
    case IV_KIND_BYTES:
    case IV_KIND_TYPE:
    case IV_KIND_OPAQUE:
        copy.s = iv_arena_str(arena, iv_val_slice(*v)).p;
        if (copy.s == NULL) {
            return false;
        }
        break;
    case IV_KIND_LIST:
    case IV_KIND_MAP:
    case IV_KIND_OPTIONAL: {
        size_t n = (size_t)v->n * (v->kind == IV_KIND_MAP ? 2 : 1);
        struct iv_val *items = iv_arena_alloc(arena, n * sizeof *items);
        if (items == NULL) {
            return false;
        }
        for (size_t i = 0; i < n; i++) {
            if (!iv_val_dup_into(&items[i], arena, &v->items[i])) {
                return false;
            }
        }
        copy.items = items;
        break;
    }
    default:
        break;
    }
    *out = copy;
    return true;
}
