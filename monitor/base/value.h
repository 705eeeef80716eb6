/* SPDX-License-Identifier: Apache-2.0 */
/* One dynamically typed value: what an event's field holds, and what an expression computes with.
 * Owner/thread: plain data; what it points to belongs to an arena or to somebody who outlives it. 16 bytes.
 * Text is UTF-8, not NUL-terminated. Lists are arrays of values; maps are arrays of key, value pairs in
 * order of appearance, no key twice. */
#pragma once

#include "base/str.h"
#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

enum iv_kind {
    IV_KIND_ABSENT, /* no value: an optional field that is not there. Zero, so that zeroed slots are absent */
    IV_KIND_NULL,
    IV_KIND_BOOL,
    IV_KIND_INT,
    IV_KIND_UINT,
    IV_KIND_DOUBLE,
    IV_KIND_STRING,
    IV_KIND_BYTES,
    IV_KIND_TIMESTAMP,
    IV_KIND_DURATION,
    IV_KIND_LIST,
    IV_KIND_MAP,
    IV_KIND_OBJECT,   /* an event, or a message: fields by name id */
    IV_KIND_TYPE,     /* a CEL type as a value: its name */
    IV_KIND_OPTIONAL, /* CEL optional: n is 1 and item points to the value, or n is 0 */
    IV_KIND_OPAQUE,   /* a kind of a CEL extension (an IP address, …), known to its functions only */
};

struct iv_object;

struct iv_val {
    uint8_t kind; /* enum iv_kind */
    uint8_t aux;  /* for the owner of the kind OPAQUE */
    /* bytes of a string, items of a list, pairs of a map; nanoseconds of an instant or duration */
    uint32_t n;
    union {
        bool b;
        int64_t i; /* INT; the seconds of a TIMESTAMP or DURATION */
        uint64_t u;
        double d;
        const char *s;
        const struct iv_val *items; /* LIST: n values; MAP: 2n, key and value in turn; OPTIONAL: n */
        const struct iv_object *object;
        const void *opaque;
    };
};

_Static_assert(sizeof(struct iv_val) == 16, "a value is two words");

/* An object's fields live in slots; slot_of maps the name id that the type checker resolved to the slot. Two
 * events of different types have different tables, so one compiled expression serves both. */
#define IV_NO_SLOT 0xff
struct iv_object {
    const uint8_t *slot_of; /* by name id; IV_NO_SLOT: this object has no such field */
    const struct iv_val *slots;
    const void *owner; /* what functions on the whole object need, e.g. the decoded event; may be NULL */
};

static inline struct iv_val iv_val_bool(bool b)
{
    return (struct iv_val){.kind = IV_KIND_BOOL, .b = b};
}

static inline struct iv_val iv_val_int(int64_t i)
{
    return (struct iv_val){.kind = IV_KIND_INT, .i = i};
}

static inline struct iv_val iv_val_uint(uint64_t u)
{
    return (struct iv_val){.kind = IV_KIND_UINT, .u = u};
}

static inline struct iv_val iv_val_double(double d)
{
    return (struct iv_val){.kind = IV_KIND_DOUBLE, .d = d};
}

static inline struct iv_val iv_val_str(struct iv_str s)
{
    return (struct iv_val){.kind = IV_KIND_STRING, .n = (uint32_t)s.n, .s = s.p};
}

static inline struct iv_val iv_val_bytes(struct iv_str s)
{
    return (struct iv_val){.kind = IV_KIND_BYTES, .n = (uint32_t)s.n, .s = s.p};
}

static inline struct iv_val iv_val_timestamp(struct iv_instant t)
{
    return (struct iv_val){.kind = IV_KIND_TIMESTAMP, .n = (uint32_t)t.ns, .i = t.s};
}

static inline struct iv_val iv_val_duration(struct iv_instant d)
{
    return (struct iv_val){.kind = IV_KIND_DURATION, .n = (uint32_t)d.ns, .i = d.s};
}

static inline struct iv_str iv_val_slice(struct iv_val v)
{
    return (struct iv_str){v.s, v.n};
}

static inline struct iv_instant iv_val_instant(struct iv_val v)
{
    return (struct iv_instant){v.i, (int32_t)v.n};
}

/* Equality as CEL has it: numbers by their mathematical value across int, uint and double, NaN unequal to
 * itself, maps regardless of order; values of other different kinds are unequal. */
bool iv_val_eq(const struct iv_val *a, const struct iv_val *b);

/* A map's value under a key, NULL if there is none. */
const struct iv_val *iv_val_map_get(const struct iv_val *map, const struct iv_val *key);

/* Bytes that are equal for values that iv_val_eq calls equal (NaN apart) and different otherwise: for keys of
 * stores. */
struct iv_buf;
void iv_val_key(struct iv_buf *out, const struct iv_val *v);

/* Writes CEL's JSON mapping: bytes as base64, timestamps as RFC 3339, durations as "1.5s", types by name, NaN
 * and infinities as strings, map keys as strings, an absent value and an empty optional as null. */
void iv_val_json(struct iv_buf *out, const struct iv_val *v);

struct iv_arena;
/* A deep copy into the arena; false when memory is out. Objects are copied by reference,
 * opaque values as n bytes. */
bool iv_val_dup_into(struct iv_val *out, struct iv_arena *arena, const struct iv_val *v);
