/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/image.h"

#include <string.h>

/* Values nest as deep as the decoder lets events, and then some. */
#define DEPTH_MAX 64

void iv_image_uint(struct iv_buf *out, uint64_t n)
{
    char *at = iv_buf_reserve(out, 10);
    size_t used = 0;
    if (at == NULL) {
        return;
    }
    for (; n >= 0x80; n >>= 7) {
        at[used++] = (char)(unsigned char)(n | 0x80);
    }
    at[used++] = (char)(unsigned char)n;
    iv_buf_wrote(out, used);
}

void iv_image_int(struct iv_buf *out, int64_t n)
{
    iv_image_uint(out, (uint64_t)n << 1 ^ (n < 0 ? UINT64_MAX : 0));
}

void iv_image_put_u64(char *at, uint64_t n)
{
    for (unsigned i = 0; i < 8; i++) {
        at[i] = (char)(unsigned char)(n >> (8 * i));
    }
}

void iv_image_u64(struct iv_buf *out, uint64_t n)
{
    char bytes[8];
    iv_image_put_u64(bytes, n);
    iv_buf_add(out, bytes, sizeof bytes);
}

void iv_image_str(struct iv_buf *out, struct iv_str s)
{
    iv_image_uint(out, s.n);
    iv_buf_str(out, s);
}

void iv_image_hash(struct iv_buf *out, struct iv_hash128 hash)
{
    iv_image_u64(out, hash.lo);
    iv_image_u64(out, hash.hi);
}

static void put_items(struct iv_buf *out, const struct iv_val *value, size_t n)
{
    iv_image_uint(out, value->n);
    for (size_t i = 0; i < n; i++) {
        iv_image_value(out, &value->items[i]);
    }
}

void iv_image_value(struct iv_buf *out, const struct iv_val *value)
{
    bool known = value->kind < IV_KIND_OBJECT;
    iv_buf_char(out, (char)(known ? value->kind : IV_KIND_ABSENT));
    switch ((enum iv_kind)value->kind) {
    case IV_KIND_BOOL:
        iv_buf_char(out, value->b ? 1 : 0);
        break;
    case IV_KIND_INT:
        iv_image_int(out, value->i);
        break;
    case IV_KIND_UINT:
        iv_image_uint(out, value->u);
        break;
    case IV_KIND_DOUBLE:
        iv_image_u64(out, value->u);
        break;
    case IV_KIND_TIMESTAMP:
    case IV_KIND_DURATION:
        iv_image_int(out, value->i);
        iv_image_uint(out, value->n);
        break;
    case IV_KIND_STRING:
    case IV_KIND_BYTES:
        iv_image_str(out, iv_val_slice(*value));
        break;
    case IV_KIND_LIST:
        put_items(out, value, value->n);
        break;
    case IV_KIND_MAP:
        put_items(out, value, 2 * (size_t)value->n);
        break;
    case IV_KIND_ABSENT:
    case IV_KIND_NULL:
    case IV_KIND_OBJECT:
    case IV_KIND_TYPE:
    case IV_KIND_OPTIONAL:
    case IV_KIND_OPAQUE:
        break;
    }
}

size_t iv_image_open(struct iv_buf *out, const char name[4])
{
    iv_buf_add(out, name, 4);
    size_t section = out->n;
    iv_image_u64(out, 0);
    return section;
}

void iv_image_close(struct iv_buf *out, size_t section)
{
    if (!iv_buf_failed(out)) {
        iv_image_put_u64(out->p + section, out->n - section - 8);
    }
}

static void fail(struct iv_image *in)
{
    in->bad = true;
    in->at = in->end;
}

static size_t left(const struct iv_image *in)
{
    return (size_t)(in->end - in->at);
}

unsigned char iv_image_get_byte(struct iv_image *in)
{
    if (in->at == in->end) {
        fail(in);
        return 0;
    }
    return *in->at++;
}

uint64_t iv_image_get_uint(struct iv_image *in)
{
    uint64_t n = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        unsigned char byte = iv_image_get_byte(in);
        n |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return n;
        }
    }
    fail(in);
    return 0;
}

int64_t iv_image_get_int(struct iv_image *in)
{
    uint64_t n = iv_image_get_uint(in);
    return (int64_t)(n >> 1 ^ ((n & 1) != 0 ? UINT64_MAX : 0));
}

void iv_image_get_bytes(struct iv_image *in, unsigned char *out, size_t n)
{
    if (left(in) < n) {
        fail(in);
        memset(out, 0, n);
        return;
    }
    memcpy(out, in->at, n);
    in->at += n;
}

uint64_t iv_image_get_u64(struct iv_image *in)
{
    unsigned char bytes[8];
    uint64_t n = 0;
    iv_image_get_bytes(in, bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++) {
        n |= (uint64_t)bytes[i] << (8 * i);
    }
    return n;
}

static struct iv_str get_run(struct iv_image *in)
{
    uint64_t n = iv_image_get_uint(in);
    if (n > left(in) || n > UINT32_MAX) {
        fail(in);
        return (struct iv_str){"", 0};
    }
    struct iv_str s = {(const char *)in->at, (size_t)n};
    in->at += n;
    return s;
}

struct iv_str iv_image_get_str(struct iv_image *in)
{
    struct iv_str s = get_run(in);
    if (!iv_utf8_valid(s)) {
        fail(in);
        return (struct iv_str){"", 0};
    }
    return s;
}

struct iv_hash128 iv_image_get_hash(struct iv_image *in)
{
    struct iv_hash128 hash = {.lo = iv_image_get_u64(in)};
    hash.hi = iv_image_get_u64(in);
    return hash;
}

uint64_t iv_image_get_below(struct iv_image *in, uint64_t most)
{
    uint64_t n = iv_image_get_uint(in);
    if (n > most) {
        fail(in);
        return 0;
    }
    return n;
}

size_t iv_image_get_count(struct iv_image *in)
{
    uint64_t n = iv_image_get_uint(in);
    if (n > left(in)) {
        fail(in);
        return 0;
    }
    return (size_t)n;
}

static void get_instant(struct iv_image *in, struct iv_val *out, int64_t low, int64_t high)
{
    out->i = iv_image_get_int(in);
    out->n = (uint32_t)iv_image_get_below(in, IV_NS_PER_S - 1);
    if (out->i < low || out->i > high) {
        fail(in);
        out->i = 0;
    }
}

static bool get_value(struct iv_image *in, struct iv_arena *arena, struct iv_val *out, int depth);

static bool get_items(struct iv_image *in, struct iv_arena *arena, struct iv_val *out, int depth)
{
    size_t count = iv_image_get_count(in);
    size_t n = count * (out->kind == IV_KIND_MAP ? 2 : 1);
    if (n > left(in) || depth == DEPTH_MAX) {
        fail(in);
        return true;
    }
    struct iv_val *items = iv_arena_zalloc(arena, (n + 1) * sizeof *items);
    out->n = (uint32_t)count;
    out->items = items;
    for (size_t i = 0; items != NULL && i < n && !in->bad; i++) {
        if (!get_value(in, arena, &items[i], depth + 1)) {
            return false;
        }
    }
    return items != NULL;
}

static bool get_value(struct iv_image *in, struct iv_arena *arena, struct iv_val *out, int depth)
{
    *out = (struct iv_val){.kind = iv_image_get_byte(in)};
    switch ((enum iv_kind)out->kind) {
    case IV_KIND_ABSENT:
    case IV_KIND_NULL:
        break;
    case IV_KIND_BOOL:
        out->b = iv_image_get_below(in, 1) != 0;
        break;
    case IV_KIND_INT:
        out->i = iv_image_get_int(in);
        break;
    case IV_KIND_UINT:
        out->u = iv_image_get_uint(in);
        break;
    case IV_KIND_DOUBLE:
        out->u = iv_image_get_u64(in);
        break;
    case IV_KIND_TIMESTAMP:
        get_instant(in, out, IV_INSTANT_MIN_S, IV_INSTANT_MAX_S);
        break;
    case IV_KIND_DURATION:
        get_instant(in, out, -IV_DURATION_MAX_S, IV_DURATION_MAX_S);
        break;
    case IV_KIND_STRING:
    case IV_KIND_BYTES: {
        struct iv_str s = out->kind == IV_KIND_STRING ? iv_image_get_str(in) : get_run(in);
        out->n = (uint32_t)s.n;
        out->s = s.p;
        break;
    }
    case IV_KIND_LIST:
    case IV_KIND_MAP:
        return get_items(in, arena, out, depth);
    case IV_KIND_OBJECT:
    case IV_KIND_TYPE:
    case IV_KIND_OPTIONAL:
    case IV_KIND_OPAQUE:
    default:
        out->kind = IV_KIND_ABSENT;
        fail(in);
        break;
    }
    return true;
}

bool iv_image_get_value(struct iv_image *in, struct iv_arena *arena, struct iv_val *out)
{
    return get_value(in, arena, out, 0);
}

struct iv_image iv_image_get_section(struct iv_image *in, const char name[4])
{
    unsigned char found[4];
    iv_image_get_bytes(in, found, sizeof found);
    uint64_t n = iv_image_get_u64(in);
    if (memcmp(found, name, sizeof found) != 0 || n > left(in)) {
        fail(in);
        return (struct iv_image){in->end, in->end, true};
    }
    struct iv_image section = {in->at, in->at + n, false};
    in->at += n;
    return section;
}

bool iv_image_done(const struct iv_image *in)
{
    return !in->bad && in->at == in->end;
}

static bool all_of(const struct iv_val *list, enum iv_kind kind)
{
    for (uint32_t i = 0; i < list->n; i++) {
        if (list->items[i].kind != kind) {
            return false;
        }
    }
    return true;
}

static bool is_json(const struct iv_val *v)
{
    if (v->kind == IV_KIND_LIST || v->kind == IV_KIND_MAP) {
        for (uint32_t i = 0; i < v->n; i++) {
            bool map = v->kind == IV_KIND_MAP;
            if (!is_json(&v->items[map ? 2 * i + 1 : i]) || (map && v->items[2 * i].kind != IV_KIND_STRING)) {
                return false;
            }
        }
        return true;
    }
    return v->kind == IV_KIND_NULL || v->kind == IV_KIND_BOOL || v->kind == IV_KIND_DOUBLE ||
           v->kind == IV_KIND_STRING;
}

bool iv_image_fits(enum iv_ftype type, const struct iv_val *v)
{
    static const uint8_t kinds[] = {
        [IV_F_STRING] = IV_KIND_STRING,       [IV_F_INT] = IV_KIND_INT,
        [IV_F_DOUBLE] = IV_KIND_DOUBLE,       [IV_F_BOOL] = IV_KIND_BOOL,
        [IV_F_TIMESTAMP] = IV_KIND_TIMESTAMP, [IV_F_DURATION] = IV_KIND_DURATION,
        [IV_F_LIST_STRING] = IV_KIND_STRING,  [IV_F_LIST_INT] = IV_KIND_INT,
        [IV_F_LIST_DOUBLE] = IV_KIND_DOUBLE,  [IV_F_LIST_BOOL] = IV_KIND_BOOL,
    };
    if (v->kind == IV_KIND_ABSENT) {
        return true;
    }
    if (type == IV_F_MAP) {
        return v->kind == IV_KIND_MAP && is_json(v);
    }
    if (type >= IV_F_LIST_STRING) {
        return v->kind == IV_KIND_LIST && all_of(v, (enum iv_kind)kinds[type]);
    }
    return v->kind == kinds[type];
}
