/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/pack.h"

#include "base/guard.h"

#include <criterion/criterion.h>

#define DIGEST "00112233445566778899aabbccddeeff0123456789abcdef0f1e2d3c4b5a6978"

static const struct iv_val others[] = {
    {.kind = IV_KIND_NULL},
    {.kind = IV_KIND_BOOL, .u = 1},
    {.kind = IV_KIND_INT, .i = 0},
    {.kind = IV_KIND_INT, .i = -1},
    {.kind = IV_KIND_INT, .i = INT64_MAX},
    {.kind = IV_KIND_INT, .i = INT64_MIN},
    {.kind = IV_KIND_UINT, .u = UINT64_MAX},
    {.kind = IV_KIND_DOUBLE, .d = 1e300},
    {.kind = IV_KIND_ABSENT},
    {.kind = IV_KIND_INT, .i = -128},
    {.kind = IV_KIND_INT, .i = 127},
    {.kind = IV_KIND_INT, .i = 128},
    {.kind = IV_KIND_UINT, .u = 0},
    {.kind = IV_KIND_TIMESTAMP, .i = 1767225600, .n = 999999999},
    {.kind = IV_KIND_TIMESTAMP, .i = -1, .n = 999999999},
    {.kind = IV_KIND_TIMESTAMP, .i = 253402300799, .n = 5},
    {.kind = IV_KIND_DURATION, .i = 0, .n = 42000000},
    {.kind = IV_KIND_DURATION, .i = -1, .n = 500000000},
    {.kind = IV_KIND_DURATION, .i = -62135596800, .n = 1},
};

/* A digest, and what is nearly one. */
static const char *const texts[] = {
    "",
    "a text",
    DIGEST,
    DIGEST DIGEST "0",
    DIGEST DIGEST DIGEST DIGEST,
    "f8ab53d2acd3480f96e41850497387b3",
    "req-83e07a5299a375c6",
    "req-83e07a5299a375c",
    "a text before" DIGEST,
    "a text before that is a little longer" DIGEST,
    "a text that is longer than what is called short, which it is by some bytes more than a hundred, so that "
    "its length takes more than half a byte",
    DIGEST "0123456g",
    DIGEST "0123456G",
    DIGEST "0123456A",
    DIGEST "0123456`",
    DIGEST "0123456:",
    DIGEST "0123456/",
    DIGEST "012\x01\xff\xb0\xe1 ",
};

static struct iv_val round_trip(const struct iv_val *value, struct iv_arena *arena)
{
    static unsigned char bytes[1024];
    const unsigned char *at = bytes;
    struct iv_val out;
    unsigned char *end = iv_pack(bytes, value);
    cr_assert_leq((size_t)(end - bytes), iv_pack_size(value));
    cr_assert_eq(iv_pack_skip(bytes), end);
    cr_assert(iv_unpack(&out, &at, arena));
    cr_assert_eq(at, end);
    cr_assert(out.kind == value->kind && out.n == value->n, "kind %u", value->kind);
    return out;
}

Test(pack, gives_back_what_it_was_given_within_the_size_that_it_told)
{
    struct iv_arena arena;
    iv_arena_init(&arena, 0);
    for (size_t i = 0; i < IV_COUNT(others); i++) {
        cr_expect_eq(round_trip(&others[i], &arena).u, others[i].u, "row %zu", i);
    }
    for (size_t i = 0; i < IV_COUNT(texts); i++) {
        struct iv_val text = iv_val_str(iv_str_of(texts[i]));
        struct iv_val list = {.kind = IV_KIND_LIST, .n = 1, .items = &text};
        char room[IV_UNPACK_ROOM];
        unsigned char bytes[1024];
        cr_expect(iv_str_eq(iv_val_slice(round_trip(&text, &arena)), iv_val_slice(text)), "text %zu", i);
        (void)iv_pack(bytes, &text);
        cr_expect(iv_str_eq(iv_unpack_text(bytes, room), iv_val_slice(text)), "text %zu", i);
        cr_expect(iv_str_eq(iv_val_slice(round_trip(&list, &arena).items[0]), iv_val_slice(text)), "text %zu",
                  i);
    }
    iv_arena_deinit(&arena);
}

Test(pack, keeps_digits_in_half_of_their_length_and_a_small_number_in_two_bytes)
{
    const struct iv_val digest = iv_val_str(iv_str_of(DIGEST));
    const struct iv_val request = iv_val_str(iv_str_of("req-83e07a5299a375c6"));
    const struct iv_val tier = {.kind = IV_KIND_INT, .i = 3};
    unsigned char bytes[128];

    cr_expect_eq(iv_pack(bytes, &digest) - bytes, 1 + 32);
    cr_expect_eq(iv_pack(bytes, &request) - bytes, 2 + 4 + 8);
    cr_expect_eq(iv_pack(bytes, &tier) - bytes, 2);
}
