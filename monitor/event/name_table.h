/* SPDX-License-Identifier: Apache-2.0 */
/* A fixed set of names to small numbers, for looking up a member's name in a nanosecond or two.
 * Owner/thread: built once in an arena, then immutable and shared. The hash has no key: what is looked up
 * never enters the table, so nobody can lengthen its runs. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

struct iv_name_entry {
    struct iv_str name; /* p NULL: a free place */
    uint16_t value;
};

struct iv_name_table {
    struct iv_name_entry *entries;
    uint32_t mask;
};

/* Room for count names; fill it with iv_name_table_add. */
iv_rc iv_name_table_init(struct iv_name_table *table, struct iv_arena *arena, size_t count,
                         struct iv_err *err);
void iv_name_table_add(struct iv_name_table *table, struct iv_str name, uint16_t value);

static inline uint64_t iv_name_load(const char *p, size_t n)
{
    uint64_t v = 0;
    memcpy(&v, p, n);
    return v;
}

/* The length, the first and the last bytes: enough to tell the names of a catalogue apart. */
static inline uint32_t iv_name_hash(struct iv_str s)
{
    uint64_t a = 0;
    uint64_t b = 0;
    if (s.n >= 8) {
        a = iv_name_load(s.p, 8);
        b = iv_name_load(s.p + s.n - 8, 8);
    } else if (s.n >= 4) {
        a = iv_name_load(s.p, 4);
        b = iv_name_load(s.p + s.n - 4, 4);
    } else if (s.n > 0) {
        a = (uint64_t)(unsigned char)s.p[0] << 8 | (unsigned char)s.p[s.n / 2];
        b = (unsigned char)s.p[s.n - 1];
    }
    uint64_t h = (a ^ (b << 29 | b >> 35) ^ s.n) * UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(h >> 32);
}

/* The name's number, -1 if the table does not have it. */
static inline int iv_name_table_find(const struct iv_name_table *table, struct iv_str name)
{
    for (uint32_t at = iv_name_hash(name);; at++) {
        const struct iv_name_entry *e = &table->entries[at & table->mask];
        if (e->name.p == NULL) {
            return -1;
        }
        if (e->name.n == name.n && memcmp(e->name.p, name.p, name.n) == 0) {
            return e->value;
        }
    }
}
