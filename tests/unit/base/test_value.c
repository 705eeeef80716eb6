/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/guard.h"
#include "base/hash.h"
#include "base/value.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <math.h>

static struct iv_val list_of(const struct iv_val *items, uint32_t n)
{
    return (struct iv_val){.kind = IV_KIND_LIST, .n = n, .items = items};
}

static struct iv_val map_of(const struct iv_val *pairs, uint32_t n)
{
    return (struct iv_val){.kind = IV_KIND_MAP, .n = n, .items = pairs};
}

/* Both ways: what is equal has equal key bytes, what differs has not. */
static void expect_same(struct iv_val a, struct iv_val b, bool same)
{
    struct iv_buf ka;
    struct iv_buf kb;
    iv_buf_init(&ka, 4096);
    iv_buf_init(&kb, 4096);
    iv_val_key(&ka, &a);
    iv_val_key(&kb, &b);
    cr_expect(iv_val_eq(&a, &b) == same);
    cr_expect(iv_str_eq(iv_buf_slice(&ka), iv_buf_slice(&kb)) == same);
    iv_buf_deinit(&ka);
    iv_buf_deinit(&kb);
}

Test(value, numbers_are_equal_across_kinds)
{
    expect_same(iv_val_int(1), iv_val_uint(1), true);
    expect_same(iv_val_int(1), iv_val_double(1.0), true);
    expect_same(iv_val_int(-1), iv_val_uint(UINT64_MAX), false);
    expect_same(iv_val_double(0x1p63), iv_val_uint(UINT64_C(1) << 63), true);
    expect_same(iv_val_int((INT64_C(1) << 53) + 1), iv_val_double(0x1p53), false);
    expect_same(iv_val_int(1), iv_val_str(IV_STR("1")), false);
}

Test(value, maps_are_equal_in_any_order)
{
    struct iv_val one[] = {iv_val_str(IV_STR("a")), iv_val_int(1), iv_val_str(IV_STR("b")), iv_val_int(2)};
    struct iv_val two[] = {iv_val_str(IV_STR("b")), iv_val_int(2), iv_val_str(IV_STR("a")), iv_val_int(1)};
    struct iv_val three[] = {iv_val_str(IV_STR("b")), iv_val_int(1), iv_val_str(IV_STR("a")), iv_val_int(2)};
    expect_same(map_of(one, 2), map_of(two, 2), true);
    expect_same(map_of(one, 2), map_of(three, 2), false);
}

Test(value, the_key_of_a_deep_map_visits_each_value_once)
{
    struct iv_val pairs[32][6];
    struct iv_val deep = iv_val_int(1);
    for (size_t i = 0; i < IV_COUNT(pairs); i++) {
        pairs[i][0] = iv_val_str(IV_STR("a"));
        pairs[i][1] = deep;
        pairs[i][2] = iv_val_str(IV_STR("b"));
        pairs[i][3] = iv_val_int(1);
        pairs[i][4] = iv_val_str(IV_STR("c"));
        pairs[i][5] = iv_val_int(1);
        deep = map_of(pairs[i], 3);
    }
    expect_same(deep, deep, true);
    expect_same(deep, pairs[31][1], false);
}

Test(value, the_key_of_a_value_with_shared_parts_ends_at_the_maximum)
{
    struct iv_val items[64][2];
    struct iv_val wide = iv_val_int(1);
    for (size_t i = 0; i < IV_COUNT(items); i++) {
        items[i][0] = items[i][1] = wide;
        wide = list_of(items[i], 2);
    }
    struct iv_buf key;
    iv_buf_init(&key, 4096);
    iv_val_key(&key, &wide);
    cr_expect(iv_buf_failed(&key));
    iv_buf_deinit(&key);
}

Test(value, lists_keep_their_borders)
{
    struct iv_val ab[] = {iv_val_str(IV_STR("ab")), iv_val_str(IV_STR("c"))};
    struct iv_val a_bc[] = {iv_val_str(IV_STR("a")), iv_val_str(IV_STR("bc"))};
    expect_same(list_of(ab, 2), list_of(a_bc, 2), false);
}

Test(value, json_follows_the_cel_mapping)
{
    struct iv_val pairs[] = {iv_val_int(1), iv_val_bool(true)};
    struct iv_val items[] = {iv_val_double(1.5),
                             iv_val_double(NAN),
                             iv_val_bytes(IV_STR("ab")),
                             iv_val_timestamp((struct iv_instant){0, 0}),
                             iv_val_duration((struct iv_instant){1, 500000000}),
                             map_of(pairs, 1),
                             iv_val_str(IV_STR("q\"\n"))};
    struct iv_val list = list_of(items, IV_COUNT(items));
    struct iv_buf out;
    iv_buf_init(&out, 4096);
    iv_val_json(&out, &list);
    cr_expect(
        eq(str, out.p,
           (char *)"[1.5,\"NaN\",\"YWI=\",\"1970-01-01T00:00:00Z\",\"1.5s\",{\"1\":true},\"q\\\"\\n\"]"));
    iv_buf_deinit(&out);
}

Test(value, a_copy_outlives_its_source)
{
    struct iv_arena arena;
    iv_arena_init(&arena, 0);
    char text[] = "here";
    struct iv_val items[] = {iv_val_str((struct iv_str){text, 4})};
    struct iv_val list = list_of(items, 1);
    struct iv_val copy;

    cr_assert(iv_val_dup_into(&copy, &arena, &list));
    text[0] = 'x';

    cr_expect(iv_str_eq(iv_val_slice(copy.items[0]), IV_STR("here")));
    iv_arena_deinit(&arena);
}

Test(arena, rewinds_to_a_mark_and_keeps_its_blocks)
{
    struct iv_arena arena;
    iv_arena_init(&arena, 1 << 20);
    cr_assert(ne(ptr, iv_arena_alloc(&arena, 100), NULL));
    struct iv_arena_mark mark = iv_arena_mark(&arena);
    void *first = iv_arena_alloc(&arena, 70000);
    iv_arena_rewind(&arena, mark);
    void *second = iv_arena_alloc(&arena, 70000);
    cr_expect(eq(ptr, first, second));
    cr_expect(eq(ptr, iv_arena_alloc(&arena, 1 << 21), NULL), "the bound holds");
    iv_arena_deinit(&arena);
}

Test(hash, depends_on_key_and_every_byte)
{
    struct iv_hash_key a = {1, 2};
    struct iv_hash_key b = {1, 3};
    cr_expect(ne(u64, iv_hash64(a, IV_STR("token")), iv_hash64(b, IV_STR("token"))));
    cr_expect(ne(u64, iv_hash64(a, IV_STR("token-000")), iv_hash64(a, IV_STR("token-001"))));
    cr_expect(ne(u64, iv_hash64(a, IV_STR("")), iv_hash64(a, (struct iv_str){"\0", 1})));
    cr_expect(eq(u64, iv_hash128(a, IV_STR("x")).lo, iv_hash128(a, IV_STR("x")).lo));
}
