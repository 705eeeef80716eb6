/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/pack.h"

#include <endian.h>
#include <string.h>

/* Behind the kinds: lower-case hex, kept as the bytes that it stands for. */
#define KIND_HEX 0x80
#define HEX_LEAST 64
#define HEX_STEP 8

#define LONG_MAX_BYTES 10 /* of 64 bits at seven in a byte */
#define COUNT_MAX_BYTES 5 /* of 32 */

/* Base 128, the lower bits first. */
static unsigned char *put_long(unsigned char *at, uint64_t n)
{
    while (n >= 0x80) {
        *at++ = (unsigned char)(n | 0x80);
        n >>= 7;
    }
    *at++ = (unsigned char)n;
    return at;
}

static uint64_t get_long(const unsigned char **at)
{
    uint64_t n = 0;
    for (unsigned shift = 0;; shift += 7) {
        unsigned char byte = *(*at)++;
        n |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            return n;
        }
    }
}

/* Small numbers of either sign are short. */
static uint64_t zigzag(int64_t i)
{
    return (uint64_t)i << 1 ^ (i < 0 ? UINT64_MAX : 0);
}

static int64_t unzigzag(uint64_t n)
{
    return (int64_t)(n >> 1 ^ ((n & 1) != 0 ? UINT64_MAX : 0));
}

/* Eight hex digits as four bytes, whatever they are; the first digit is the lowest byte of the word. */
static uint32_t digits_to_bytes(uint64_t digits)
{
    uint64_t letters = digits >> 6 & UINT64_C(0x0101010101010101);
    uint64_t nibbles = (digits & UINT64_C(0x0f0f0f0f0f0f0f0f)) + letters * 9;
    uint64_t bytes = (nibbles << 4 | nibbles >> 8) & UINT64_C(0x00ff00ff00ff00ff);
    bytes = (bytes | bytes >> 8) & UINT64_C(0x0000ffff0000ffff);
    return (uint32_t)(bytes | bytes >> 16);
}

static uint64_t bytes_to_digits(uint32_t bytes)
{
    uint64_t wide = bytes;
    wide = (wide | wide << 16) & UINT64_C(0x0000ffff0000ffff);
    wide = (wide | wide << 8) & UINT64_C(0x00ff00ff00ff00ff);
    uint64_t nibbles = (wide >> 4 & UINT64_C(0x000f000f000f000f)) | (wide & UINT64_C(0x000f000f000f000f))
                                                                        << 8;
    uint64_t letters = (nibbles + UINT64_C(0x0606060606060606)) >> 4 & UINT64_C(0x0101010101010101);
    return nibbles + UINT64_C(0x3030303030303030) + letters * ('a' - '0' - 10);
}

/* NULL where the text is no such digest; what was written then does not matter. */
static unsigned char *put_hex(unsigned char *at, const struct iv_val *value)
{
    if (value->n < HEX_LEAST || value->n % HEX_STEP != 0) {
        return NULL;
    }
    *at++ = KIND_HEX;
    at = put_long(at, value->n / HEX_STEP);
    for (uint32_t i = 0; i < value->n; i += HEX_STEP) {
        uint64_t digits;
        memcpy(&digits, value->s + i, sizeof digits);
        digits = le64toh(digits);
        uint32_t bytes = digits_to_bytes(digits);
        if (bytes_to_digits(bytes) != digits) {
            return NULL;
        }
        bytes = htole32(bytes);
        memcpy(at, &bytes, sizeof bytes);
        at += sizeof bytes;
    }
    return at;
}

static bool get_hex(struct iv_val *out, const unsigned char **at, struct iv_arena *arena)
{
    uint32_t steps = (uint32_t)get_long(at);
    char *text = iv_arena_alloc(arena, (size_t)steps * HEX_STEP);
    for (uint32_t i = 0; text != NULL && i < steps; i++) {
        uint32_t bytes;
        memcpy(&bytes, *at, sizeof bytes);
        *at += sizeof bytes;
        uint64_t digits = htole64(bytes_to_digits(le32toh(bytes)));
        memcpy(text + (size_t)i * HEX_STEP, &digits, sizeof digits);
    }
    *out = (struct iv_val){.kind = IV_KIND_STRING, .n = steps * HEX_STEP, .s = text};
    return text != NULL;
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
        return 1 + LONG_MAX_BYTES;
    case IV_KIND_DOUBLE:
        return 1 + sizeof value->d;
    case IV_KIND_TIMESTAMP:
    case IV_KIND_DURATION:
        return 1 + LONG_MAX_BYTES + COUNT_MAX_BYTES;
    case IV_KIND_STRING:
    case IV_KIND_BYTES:
    case IV_KIND_TYPE:
        return 1 + COUNT_MAX_BYTES + value->n;
    case IV_KIND_LIST:
    case IV_KIND_OPTIONAL:
    case IV_KIND_MAP: {
        size_t size = 1 + COUNT_MAX_BYTES;
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

unsigned char *iv_pack_text(unsigned char *at, struct iv_str text)
{
    *at++ = IV_KIND_STRING;
    at = put_long(at, text.n);
    if (text.n > 0) {
        memcpy(at, text.p, text.n);
    }
    return at + text.n;
}

unsigned char *iv_pack(unsigned char *at, const struct iv_val *value)
{
    if (value->kind == IV_KIND_STRING) {
        unsigned char *end = put_hex(at, value);
        return end != NULL ? end : iv_pack_text(at, iv_val_slice(*value));
    }
    *at++ = value->kind;
    switch ((enum iv_kind)value->kind) {
    case IV_KIND_BOOL:
        *at++ = value->b ? 1 : 0;
        break;
    case IV_KIND_INT:
        at = put_long(at, zigzag(value->i));
        break;
    case IV_KIND_UINT:
        at = put_long(at, value->u);
        break;
    case IV_KIND_DOUBLE:
        memcpy(at, &value->d, sizeof value->d);
        at += sizeof value->d;
        break;
    case IV_KIND_TIMESTAMP:
    case IV_KIND_DURATION:
        at = put_long(at, zigzag(value->i));
        at = put_long(at, value->n);
        break;
    case IV_KIND_STRING:
    case IV_KIND_BYTES:
    case IV_KIND_TYPE:
        at = put_long(at, value->n);
        if (value->n > 0) {
            memcpy(at, value->s, value->n);
        }
        at += value->n;
        break;
    case IV_KIND_LIST:
    case IV_KIND_OPTIONAL:
    case IV_KIND_MAP:
        at = put_long(at, value->n);
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
    out->n = (uint32_t)get_long(at);
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
    if (out->kind == KIND_HEX) {
        return get_hex(out, at, arena);
    }
    switch ((enum iv_kind)out->kind) {
    case IV_KIND_BOOL:
        out->b = *(*at)++ != 0;
        break;
    case IV_KIND_INT:
        out->i = unzigzag(get_long(at));
        break;
    case IV_KIND_UINT:
        out->u = get_long(at);
        break;
    case IV_KIND_DOUBLE:
        memcpy(&out->d, *at, sizeof out->d);
        *at += sizeof out->d;
        break;
    case IV_KIND_TIMESTAMP:
    case IV_KIND_DURATION:
        out->i = unzigzag(get_long(at));
        out->n = (uint32_t)get_long(at);
        break;
    case IV_KIND_STRING:
    case IV_KIND_BYTES:
    case IV_KIND_TYPE:
        out->n = (uint32_t)get_long(at);
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
