/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/pack.h"

#include <string.h>

static size_t count_size(uint32_t n)
{
    return n < 0x80 ? 1 : (38 - (size_t)__builtin_clz(n)) / 7;
}

/* Base 128, the lower bits first. */
static unsigned char *put_count(unsigned char *at, uint32_t n)
{
    while (n >= 0x80) {
        *at++ = (unsigned char)(n | 0x80);
        n >>= 7;
    }
    *at++ = (unsigned char)n;
    return at;
}

static uint32_t get_count(const unsigned char **at)
{
    uint32_t n = 0;
    for (unsigned shift = 0;; shift += 7) {
        unsigned char byte = *(*at)++;
        n |= (uint32_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return n;
        }
    }
}

static size_t items_of(const struct iv_val *value)
{
    return (size_t)value->n * (value->kind == IV_KIND_MAP ? 2 : 1);
}

size_t iv_pack_size(const struct iv_val *value)
{
    switch ((enum iv_kind)value->kind) {
    case IV_KIND_BOOL:
        return 2;
    case IV_KIND_INT:
    case IV_KIND_UINT:
    case IV_KIND_DOUBLE:
        return 1 + sizeof value->i;
    case IV_KIND_TIMESTAMP:
    case IV_KIND_DURATION:
        return 1 + sizeof value->i + sizeof value->n;
    case IV_KIND_STRING:
    case IV_KIND_BYTES:
    case IV_KIND_TYPE:
        return 1 + count_size(value->n) + value->n;
    case IV_KIND_LIST:
    case IV_KIND_OPTIONAL:
    case IV_KIND_MAP: {
        size_t size = 1 + count_size(value->n);
        for (size_t i = 0; i < items_of(value); i++) {
            size += iv_pack_size(&value->items[i]);
        }
        return size;
    }
    case IV_KIND_ABSENT:
    case IV_KIND_NULL:
    case IV_KIND_OBJECT:
    case IV_KIND_OPAQUE:
        break;
    }
    return 1;
}

unsigned char *iv_pack(unsigned char *at, const struct iv_val *value)
{
    *at++ = value->kind;
    switch ((enum iv_kind)value->kind) {
    case IV_KIND_BOOL:
        *at++ = value->b ? 1 : 0;
        break;
    case IV_KIND_INT:
    case IV_KIND_UINT:
    case IV_KIND_DOUBLE:
        memcpy(at, &value->i, sizeof value->i);
        at += sizeof value->i;
        break;
    case IV_KIND_TIMESTAMP:
    case IV_KIND_DURATION:
        memcpy(at, &value->i, sizeof value->i);
        memcpy(at + sizeof value->i, &value->n, sizeof value->n);
        at += sizeof value->i + sizeof value->n;
        break;
    case IV_KIND_STRING:
    case IV_KIND_BYTES:
    case IV_KIND_TYPE:
        at = put_count(at, value->n);
        if (value->n > 0) {
            memcpy(at, value->s, value->n);
        }
        at += value->n;
        break;
    case IV_KIND_LIST:
    case IV_KIND_OPTIONAL:
    case IV_KIND_MAP:
        at = put_count(at, value->n);
        for (size_t i = 0; i < items_of(value); i++) {
            at = iv_pack(at, &value->items[i]);
        }
        break;
    case IV_KIND_ABSENT:
    case IV_KIND_NULL:
    case IV_KIND_OBJECT:
    case IV_KIND_OPAQUE:
        break;
    }
    return at;
}

static bool unpack_items(struct iv_val *out, const unsigned char **at, struct iv_arena *arena)
{
    out->n = get_count(at);
    size_t n = items_of(out);
    struct iv_val *items = iv_arena_alloc(arena, n * sizeof *items);
    if (items == NULL) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!iv_unpack(&items[i], at, arena)) {
            return false;
        }
    }
    out->items = items;
    return true;
}

bool iv_unpack(struct iv_val *out, const unsigned char **at, struct iv_arena *arena)
{
    *out = (struct iv_val){.kind = *(*at)++};
    switch ((enum iv_kind)out->kind) {
    case IV_KIND_BOOL:
        out->b = *(*at)++ != 0;
        break;
    case IV_KIND_INT:
    case IV_KIND_UINT:
    case IV_KIND_DOUBLE:
        memcpy(&out->i, *at, sizeof out->i);
        *at += sizeof out->i;
        break;
    case IV_KIND_TIMESTAMP:
    case IV_KIND_DURATION:
        memcpy(&out->i, *at, sizeof out->i);
        memcpy(&out->n, *at + sizeof out->i, sizeof out->n);
        *at += sizeof out->i + sizeof out->n;
        break;
    case IV_KIND_STRING:
    case IV_KIND_BYTES:
    case IV_KIND_TYPE:
        out->n = get_count(at);
        out->s = (const char *)*at;
        *at += out->n;
        break;
    case IV_KIND_LIST:
    case IV_KIND_OPTIONAL:
    case IV_KIND_MAP:
        return unpack_items(out, at, arena);
    case IV_KIND_ABSENT:
    case IV_KIND_NULL:
        break;
    case IV_KIND_OBJECT:
    case IV_KIND_OPAQUE:
        out->kind = IV_KIND_ABSENT;
        break;
    }
    return true;
}
