/* SPDX-License-Identifier: Apache-2.0 */
#include "event/sort.h"
#include "base/alloc.h"
#include "base/guard.h"

#include <endian.h>

#define KEYS_AT_FIRST 64

/* Bytes in the order of UTF-16: what takes a surrogate pair there (0xf0 and up here) stands before 0xee and
 * 0xef. */
static inline unsigned rank(unsigned char c)
{
    if (c < 0xee) {
        return c;
    }
    return c < 0xf0 ? c + 5u : c - 2u;
}

static uint64_t slow_front(struct iv_str name)
{
    uint64_t front = 0;
    for (size_t i = 0; i < name.n && i < 8; i++) {
        front |= (uint64_t)rank((unsigned char)name.p[i]) << (56 - 8 * i);
    }
    return front;
}

static inline uint64_t load_big_endian_32(const char *p)
{
    uint32_t v = 0;
    memcpy(&v, p, sizeof v);
    return be32toh(v);
}

/* The first 8 bytes as a number that sorts as they do, zeros behind a shorter name. */
static inline uint64_t front_of(struct iv_str name)
{
    uint64_t front = 0;
    if (name.n >= 8) {
        front = load_big_endian_32(name.p) << 32 | load_big_endian_32(name.p + 4);
    } else if (name.n >= 4) {
        front = load_big_endian_32(name.p) << 32 |
                (uint32_t)(load_big_endian_32(name.p + name.n - 4) << (64 - 8 * name.n));
    } else {
        return slow_front(name);
    }
    return (front & UINT64_C(0x8080808080808080)) == 0
               ? front
               : slow_front(name); /* bytes of ASCII are their ranks */
}

/*= RFC 8785 3.2.3 "property name strings to be sorted are formatted as arrays of UTF-16 code units" */
int iv_utf16_cmp(struct iv_str a, struct iv_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    for (size_t i = 0; i < n; i++) {
        if (a.p[i] != b.p[i]) {
            return (int)rank((unsigned char)a.p[i]) - (int)rank((unsigned char)b.p[i]);
        }
    }
    return (a.n > b.n) - (a.n < b.n);
}

/* Of two members of one name the earlier comes first. */
static inline bool before(const struct iv_tape *tape, struct iv_sort_key a, struct iv_sort_key b)
{
    if (a.front != b.front) {
        return a.front < b.front;
    }
    int order = iv_utf16_cmp(iv_node_text(&tape->nodes[a.node]), iv_node_text(&tape->nodes[b.node]));
    return order != 0 ? order < 0 : a.node < b.node;
}

static void sift(const struct iv_tape *tape, struct iv_sort_key *keys, size_t root, size_t n)
{
    for (;;) {
        size_t child = 2 * root + 1;
        if (child >= n) {
            return;
        }
        child += child + 1 < n && before(tape, keys[child], keys[child + 1]) ? 1 : 0;
        if (!before(tape, keys[root], keys[child])) {
            return;
        }
        struct iv_sort_key swap = keys[root];
        keys[root] = keys[child];
        keys[child] = swap;
        root = child;
    }
}

static void heap_sort(const struct iv_tape *tape, struct iv_sort_key *keys, size_t n)
{
    for (size_t i = n / 2; i-- > 0;) {
        sift(tape, keys, i, n);
    }
    for (size_t end = n - 1; end > 0; end--) {
        struct iv_sort_key swap = keys[0];
        keys[0] = keys[end];
        keys[end] = swap;
        sift(tape, keys, 0, end);
    }
}

static void insertion_sort(const struct iv_tape *tape, struct iv_sort_key *keys, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        struct iv_sort_key key = keys[i];
        size_t at = i;
        for (; at > 0 && before(tape, key, keys[at - 1]); at--) {
            keys[at] = keys[at - 1];
        }
        keys[at] = key;
    }
}

static iv_rc keys_reserve(struct iv_decoder *decoder, size_t count, struct iv_err *err)
{
    size_t need = decoder->key_count + count;
    if (decoder->keys != NULL && need <= decoder->key_capacity) {
        return IV_OK;
    }
    size_t capacity = 2 * need + KEYS_AT_FIRST;
    struct iv_sort_key *keys = iv_realloc(decoder->keys, capacity * sizeof *keys);
    ENSURE(keys != NULL, err, IV_E_NOMEM, "cannot allocate the members of an object");
    decoder->keys = keys;
    decoder->key_capacity = capacity;
    return IV_OK;
}

iv_rc iv_members_push(struct iv_decoder *decoder, uint32_t map, struct iv_err *err)
{
    const struct iv_tape *tape = &decoder->tape;
    size_t n = tape->nodes[map].n;
    TRY(keys_reserve(decoder, n, err));
    struct iv_sort_key *keys = decoder->keys + decoder->key_count;
    uint32_t name = map + 1;
    for (size_t i = 0; i < n; i++) {
        keys[i] = (struct iv_sort_key){front_of(iv_node_text(&tape->nodes[name])), name};
        name = iv_tape_next(tape, name + 1);
    }
    if (n <= 24) {
        insertion_sort(tape, keys, n);
    } else {
        heap_sort(tape, keys, n);
    }
    decoder->key_count += n;
    return IV_OK;
}

void iv_members_pop(struct iv_decoder *decoder, uint32_t map)
{
    decoder->key_count -= decoder->tape.nodes[map].n;
}

bool iv_same_name(const struct iv_tape *tape, const struct iv_sort_key *a, const struct iv_sort_key *b)
{
    return a->front == b->front &&
           iv_str_eq(iv_node_text(&tape->nodes[a->node]), iv_node_text(&tape->nodes[b->node]));
}

iv_rc iv_members_supersede(uint32_t *first, struct iv_decoder *decoder, uint32_t map, struct iv_err *err)
{
    *first = 0;
    size_t n = decoder->tape.nodes[map].n;
    TRY(iv_members_push(decoder, map, err));
    const struct iv_sort_key *keys = decoder->keys + decoder->key_count - n;
    for (size_t i = 1; i < n; i++) {
        if (iv_same_name(&decoder->tape, &keys[i - 1], &keys[i])) {
            decoder->tape.nodes[keys[i - 1].node].superseded = true;
            *first = *first == 0 ? keys[i].node : *first;
        }
    }
    iv_members_pop(decoder, map);
    return IV_OK;
}
