/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/pack.h"

#include "base/encode.h"
#include "base/guard.h"

#include <endian.h>
#include <string.h>

/* The first byte of a value says what it is, and nearly always how long. */
enum {
    TAG_TEXT = 0x00,      /* up to 127 bytes */
    TAG_HEX = 0x80,       /* digits, in steps: as the bytes that they stand for */
    TAG_HEX_END = 0xa0,   /* a text of up to 31 bytes, and digits behind it; then a byte: the steps */
    TAG_INT = 0xc0,       /* so many bytes, the lower first; of either sign */
    TAG_UINT = 0xc9,      /* so many bytes */
    TAG_TIMESTAMP = 0xd2, /* nanoseconds in so many bytes, like an int */
    TAG_DURATION = 0xdb,
    TAG_FALSE = 0xe4,
    TAG_TRUE,
    TAG_NULL,
    TAG_ABSENT,
    TAG_DOUBLE,
    TAG_FAR_TIMESTAMP, /* seconds, nanoseconds */
    TAG_FAR_DURATION,
    TAG_FEW, /* a kind, a byte: the length of what follows */
    TAG_MANY /* a kind, four bytes: the length */
};

#define TEXT_SHORT 127
#define HEX_STEP 8 /* digits */
#define HEX_STEP_BYTES (HEX_STEP / 2)
#define HEX_STEPS_LEAST 2
#define HEX_STEPS_MOST 31
#define PREFIX_MOST 31
#define FAR_BYTES 12
#define NS_PER_S IV_NS_PER_S
#define FEW_HEAD 3
#define LONG_HEAD 6

_Static_assert(HEX_STEPS_MOST *HEX_STEP + PREFIX_MOST <= IV_UNPACK_ROOM, "what is expanded fits");

/* What a value takes, its tag included; 0: it says so itself. */
static const uint8_t steps[256] = {
#define ROW(n) n, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6, n + 7
#define HEX(n) n, n + 4, n + 8, n + 12, n + 16, n + 20, n + 24, n + 28
    ROW(1),
    ROW(9),
    ROW(17),
    ROW(25),
    ROW(33),
    ROW(41),
    ROW(49),
    ROW(57),
    ROW(65),
    ROW(73),
    ROW(81),
    ROW(89),
    ROW(97),
    ROW(105),
    ROW(113),
    ROW(121),
    HEX(1),
    HEX(33),
    HEX(65),
    HEX(97),
    [TAG_INT] = 1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    [TAG_UINT] = 1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    [TAG_TIMESTAMP] = 1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    [TAG_DURATION] = 1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    [TAG_FALSE] = 1,
    1,
    1,
    1,
    1 + sizeof(double),
    1 + FAR_BYTES,
    1 + FAR_BYTES,
#undef ROW
#undef HEX
};

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

/* How many steps of digits the text ends with, and the bytes that they stand for, which end at bytes_end. */
static uint32_t read_hex_end(struct iv_str text, unsigned char *bytes_end)
{
    uint32_t n = 0;
    while (n < HEX_STEPS_MOST && (n + 1) * HEX_STEP <= text.n) {
        uint64_t digits;
        memcpy(&digits, text.p + text.n - (size_t)(n + 1) * HEX_STEP, sizeof digits);
        digits = le64toh(digits);
        uint32_t bytes = iv_hex_to_bytes(digits);
        if (iv_hex_of_bytes(bytes) != digits) {
            break;
        }
        n++;
        bytes = htole32(bytes);
        memcpy(bytes_end - (size_t)n * HEX_STEP_BYTES, &bytes, sizeof bytes);
    }
    return n;
}

static void write_hex(char *out, const unsigned char *bytes, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        uint32_t word;
        memcpy(&word, bytes + (size_t)i * HEX_STEP_BYTES, sizeof word);
        uint64_t digits = htole64(iv_hex_of_bytes(le32toh(word)));
        memcpy(out + (size_t)i * HEX_STEP, &digits, sizeof digits);
    }
}

static bool is_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* NULL where the text does not end with enough digits. */
static unsigned char *put_hex(unsigned char *at, struct iv_str text)
{
    if (text.n < HEX_STEPS_LEAST * HEX_STEP || !is_digit(text.p[text.n - 1])) {
        return NULL;
    }
    unsigned char bytes[HEX_STEPS_MOST * HEX_STEP_BYTES] IV_UNSET;
    uint32_t n = read_hex_end(text, bytes + sizeof bytes);
    size_t prefix = text.n - (size_t)n * HEX_STEP;
    if (n < HEX_STEPS_LEAST || prefix > PREFIX_MOST) {
        return NULL;
    }
    if (prefix == 0) {
        *at++ = (unsigned char)(TAG_HEX + n);
    } else {
        *at++ = (unsigned char)(TAG_HEX_END + prefix);
        *at++ = (unsigned char)n;
        memcpy(at, text.p, prefix);
        at += prefix;
    }
    size_t size = (size_t)n * HEX_STEP_BYTES;
    memcpy(at, bytes + sizeof bytes - size, size);
    return at + size;
}

/* So many bytes does it take without its leading zeros. */
static unsigned width_of(uint64_t n)
{
    return n == 0 ? 0 : (71 - (unsigned)__builtin_clzll(n)) / 8;
}

static unsigned char *put_number(unsigned char *at, unsigned tag, uint64_t n)
{
    unsigned width = width_of(n);
    uint64_t little = htole64(n);
    *at++ = (unsigned char)(tag + width);
    memcpy(at, &little, sizeof little); /* what lies behind is overwritten by whatever comes next */
    return at + width;
}

static uint64_t get_number(const unsigned char *at, unsigned width)
{
    uint64_t n = 0;
    memcpy(&n, at, width);
    return le64toh(n);
}

static unsigned char *put_instant(unsigned char *at, const struct iv_val *value, unsigned near, unsigned far)
{
    int64_t ns = 0;
    if (!__builtin_mul_overflow(value->i, NS_PER_S, &ns) &&
        !__builtin_add_overflow(ns, (int64_t)value->n, &ns) && value->n < NS_PER_S) {
        return put_number(at, near, zigzag(ns));
    }
    *at++ = (unsigned char)far;
    memcpy(at, &value->i, sizeof value->i);
    memcpy(at + sizeof value->i, &value->n, sizeof value->n);
    return at + FAR_BYTES;
}

static void get_instant(struct iv_val *out, enum iv_kind kind, int64_t ns)
{
    int64_t s = ns / NS_PER_S;
    int64_t rest = ns % NS_PER_S;
    out->kind = (uint8_t)kind;
    out->i = rest < 0 ? s - 1 : s;
    out->n = (uint32_t)(rest < 0 ? rest + NS_PER_S : rest);
}

static size_t items_of(const struct iv_val *value)
{
    return (size_t)value->n * (value->kind == IV_KIND_MAP ? 2 : 1);
}

size_t iv_pack_size(const struct iv_val *value)
{
    switch ((enum iv_kind)value->kind) {
    case IV_KIND_STRING:
    case IV_KIND_BYTES:
    case IV_KIND_TYPE:
        return IV_PACK_SLACK + value->n;
    case IV_KIND_LIST:
    case IV_KIND_OPTIONAL:
    case IV_KIND_MAP: {
        size_t size = IV_PACK_SLACK;
        for (size_t i = 0; i < items_of(value); i++) {
            size += iv_pack_size(&value->items[i]);
        }
        return size;
    }
    default:
        return IV_PACK_SLACK;
    }
}

/* What says its length, for which LONG_HEAD bytes were left in front. */
static unsigned char *close_long(unsigned char *start, unsigned char *end, uint8_t kind)
{
    size_t n = (size_t)(end - start) - LONG_HEAD;
    uint32_t little = htole32((uint32_t)n);
    start[0] = TAG_MANY;
    start[1] = kind;
    if (n <= UINT8_MAX) {
        start[0] = TAG_FEW;
        start[2] = (unsigned char)n;
        memmove(start + FEW_HEAD, start + LONG_HEAD, n);
        return start + FEW_HEAD + n;
    }
    memcpy(start + 2, &little, sizeof little);
    return end;
}

static unsigned char *put_bytes(unsigned char *at, const struct iv_val *value)
{
    if (value->n > 0) {
        memcpy(at + LONG_HEAD, value->s, value->n);
    }
    return close_long(at, at + LONG_HEAD + value->n, value->kind);
}

static unsigned char *put_items(unsigned char *at, const struct iv_val *value)
{
    unsigned char *end = put_long(at + LONG_HEAD, value->n);
    for (size_t i = 0; i < items_of(value); i++) {
        end = iv_pack(end, &value->items[i]);
    }
    return close_long(at, end, value->kind);
}

static unsigned char *put_text(unsigned char *at, const struct iv_val *value)
{
    unsigned char *end = put_hex(at, iv_val_slice(*value));
    if (end != NULL) {
        return end;
    }
    if (value->n > TEXT_SHORT) {
        return put_bytes(at, value);
    }
    *at++ = (unsigned char)(TAG_TEXT + value->n);
    if (value->n > 0) {
        memcpy(at, value->s, value->n);
    }
    return at + value->n;
}

unsigned char *iv_pack(unsigned char *at, const struct iv_val *value)
{
    switch ((enum iv_kind)value->kind) {
    case IV_KIND_STRING:
        return put_text(at, value);
    case IV_KIND_INT:
        return put_number(at, TAG_INT, zigzag(value->i));
    case IV_KIND_UINT:
        return put_number(at, TAG_UINT, value->u);
    case IV_KIND_TIMESTAMP:
        return put_instant(at, value, TAG_TIMESTAMP, TAG_FAR_TIMESTAMP);
    case IV_KIND_DURATION:
        return put_instant(at, value, TAG_DURATION, TAG_FAR_DURATION);
    case IV_KIND_DOUBLE:
        *at = TAG_DOUBLE;
        memcpy(at + 1, &value->d, sizeof value->d);
        return at + 1 + sizeof value->d;
    case IV_KIND_BYTES:
    case IV_KIND_TYPE:
        return put_bytes(at, value);
    case IV_KIND_LIST:
    case IV_KIND_OPTIONAL:
    case IV_KIND_MAP:
        return put_items(at, value);
    case IV_KIND_BOOL:
        *at = value->b ? TAG_TRUE : TAG_FALSE;
        return at + 1;
    case IV_KIND_NULL:
        *at = TAG_NULL;
        return at + 1;
    case IV_KIND_ABSENT:
    case IV_KIND_OBJECT:
    case IV_KIND_OPAQUE:
        break;
    }
    *at = TAG_ABSENT;
    return at + 1;
}

static size_t long_size(const unsigned char *at)
{
    if (*at == TAG_FEW) {
        return FEW_HEAD + at[2];
    }
    uint32_t n;
    memcpy(&n, at + 2, sizeof n);
    return LONG_HEAD + (size_t)le32toh(n);
}

const unsigned char *iv_pack_skip(const unsigned char *at)
{
    size_t step = steps[*at];
    if (step == 0) {
        step = *at < TAG_INT ? (size_t)*at - TAG_HEX_END + 2 + (size_t)at[1] * HEX_STEP_BYTES : long_size(at);
    }
    return at + step;
}

static bool get_hex(struct iv_val *out, const unsigned char **at, char *room)
{
    unsigned tag = *(*at)++;
    uint32_t prefix = tag >= TAG_HEX_END ? tag - TAG_HEX_END : 0;
    uint32_t n = tag >= TAG_HEX_END ? *(*at)++ : tag - TAG_HEX;
    if (room == NULL) {
        return false;
    }
    memcpy(room, *at, prefix);
    write_hex(room + prefix, *at + prefix, n);
    *at += prefix + n * HEX_STEP_BYTES;
    *out = (struct iv_val){.kind = IV_KIND_STRING, .n = prefix + n * HEX_STEP, .s = room};
    return true;
}

static bool get_items(struct iv_val *out, const unsigned char **at, struct iv_arena *arena)
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

static bool get_long_value(struct iv_val *out, const unsigned char **at, struct iv_arena *arena)
{
    const unsigned char *payload = *at + (**at == TAG_FEW ? FEW_HEAD : LONG_HEAD);
    const unsigned char *end = *at + long_size(*at);
    *out = (struct iv_val){.kind = (*at)[1], .n = (uint32_t)(end - payload), .s = (const char *)payload};
    *at = end;
    bool items = out->kind == IV_KIND_LIST || out->kind == IV_KIND_MAP || out->kind == IV_KIND_OPTIONAL;
    return !items || get_items(out, &payload, arena);
}

static bool get_plain(struct iv_val *out, const unsigned char *at)
{
    unsigned tag = *at++;
    *out = (struct iv_val){.kind = IV_KIND_ABSENT};
    if (tag < TAG_UINT) {
        *out = iv_val_int(unzigzag(get_number(at, tag - TAG_INT)));
    } else if (tag < TAG_TIMESTAMP) {
        *out = iv_val_uint(get_number(at, tag - TAG_UINT));
    } else if (tag < TAG_DURATION) {
        get_instant(out, IV_KIND_TIMESTAMP, unzigzag(get_number(at, tag - TAG_TIMESTAMP)));
    } else if (tag < TAG_FALSE) {
        get_instant(out, IV_KIND_DURATION, unzigzag(get_number(at, tag - TAG_DURATION)));
    } else if (tag <= TAG_TRUE) {
        *out = iv_val_bool(tag == TAG_TRUE);
    } else if (tag == TAG_NULL) {
        out->kind = IV_KIND_NULL;
    } else if (tag == TAG_DOUBLE) {
        out->kind = IV_KIND_DOUBLE;
        memcpy(&out->d, at, sizeof out->d);
    } else if (tag == TAG_FAR_TIMESTAMP || tag == TAG_FAR_DURATION) {
        out->kind = tag == TAG_FAR_TIMESTAMP ? IV_KIND_TIMESTAMP : IV_KIND_DURATION;
        memcpy(&out->i, at, sizeof out->i);
        memcpy(&out->n, at + sizeof out->i, sizeof out->n);
    }
    return true;
}

struct iv_str iv_unpack_text(const unsigned char *at, char room[IV_UNPACK_ROOM])
{
    struct iv_val text = {0};
    bool hex = *at >= TAG_HEX && *at < TAG_INT;
    bool known = hex ? get_hex(&text, &at, room) : iv_unpack(&text, &at, NULL);
    return known && text.kind == IV_KIND_STRING ? iv_val_slice(text) : (struct iv_str){"", 0};
}

bool iv_unpack(struct iv_val *out, const unsigned char **at, struct iv_arena *arena)
{
    unsigned tag = **at;
    if (tag < TAG_HEX) {
        *out = (struct iv_val){.kind = IV_KIND_STRING, .n = tag, .s = (const char *)*at + 1};
        *at += 1 + tag;
        return true;
    }
    if (tag < TAG_INT) {
        size_t steps_of = tag >= TAG_HEX_END ? (*at)[1] : tag - TAG_HEX;
        size_t prefix = tag >= TAG_HEX_END ? tag - TAG_HEX_END : 0;
        return get_hex(out, at, iv_arena_alloc(arena, prefix + steps_of * HEX_STEP));
    }
    if (tag >= TAG_FEW) {
        return get_long_value(out, at, arena);
    }
    const unsigned char *start = *at;
    *at += steps[tag];
    return get_plain(out, start);
}
