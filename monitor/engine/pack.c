/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/pack.h"

#include <string.h>

/* Base 128, the lower bits first. */
static void put_count(struct iv_buf *out, uint32_t n)
{
    while (n >= 0x80) {
        iv_buf_char(out, (char)(n | 0x80));
        n >>= 7;
    }
    iv_buf_char(out, (char)n);
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

void iv_pack(struct iv_buf *out, const struct iv_val *value)
{
    iv_buf_char(out, (char)value->kind);
    switch ((enum iv_kind)value->kind) {
    case IV_KIND_BOOL:
        iv_buf_char(out, value->b ? 1 : 0);
        break;
    case IV_KIND_INT:
    case IV_KIND_UINT:
    case IV_KIND_DOUBLE:
        iv_buf_add(out, &value->i, sizeof value->i);
        break;
    case IV_KIND_TIMESTAMP:
    case IV_KIND_DURATION:
        iv_buf_add(out, &value->i, sizeof value->i);
        iv_buf_add(out, &value->n, sizeof value->n);
        break;
    case IV_KIND_STRING:
    case IV_KIND_BYTES:
    case IV_KIND_TYPE:
        put_count(out, value->n);
        iv_buf_add(out, value->s, value->n);
        break;
    case IV_KIND_LIST:
    case IV_KIND_OPTIONAL:
    case IV_KIND_MAP: {
        put_count(out, value->n);
        size_t n = (size_t)value->n * (value->kind == IV_KIND_MAP ? 2 : 1);
        for (size_t i = 0; i < n; i++) {
            iv_pack(out, &value->items[i]);
        }
        break;
    }
    case IV_KIND_ABSENT:
    case IV_KIND_NULL:
    case IV_KIND_OBJECT:
    case IV_KIND_OPAQUE:
        break;
    }
}

static bool unpack_items(struct iv_val *out, const unsigned char **at, struct iv_arena *arena)
{
    out->n = get_count(at);
    size_t n = (size_t)out->n * (out->kind == IV_KIND_MAP ? 2 : 1);
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
