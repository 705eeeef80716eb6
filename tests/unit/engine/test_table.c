/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/table.h"

#include "base/hash.h"

#include <criterion/criterion.h>

static uint64_t hash_of(uint32_t ref)
{
    return iv_hash64((struct iv_hash_key){1, 2}, (struct iv_str){(const char *)&ref, sizeof ref});
}

static bool has(const struct iv_table *t, uint32_t ref)
{
    struct iv_probe probe = iv_table_probe(t, hash_of(ref));
    uint32_t found = iv_probe_next(&probe);
    while (found != 0 && found != ref) {
        found = iv_probe_next(&probe);
    }
    return found == ref;
}

Test(table, finds_what_it_holds_while_it_grows_and_shrinks)
{
    enum { MANY = 20000 };
    struct iv_table t;
    struct iv_ground ground;
    iv_ground_init(&ground);
    iv_table_init(&t, &ground);
    cr_expect_not(has(&t, 1));

    for (uint32_t ref = 1; ref <= MANY; ref++) {
        cr_assert(iv_table_add(&t, hash_of(ref), ref));
    }
    for (uint32_t ref = 1; ref <= MANY; ref += 2) {
        iv_table_remove(&t, hash_of(ref), ref);
    }

    cr_expect_eq(t.count, MANY / 2);
    for (uint32_t ref = 1; ref <= MANY; ref++) {
        cr_assert_eq(has(&t, ref), ref % 2 == 0, "reference %u", ref);
    }
    iv_table_deinit(&t);
    iv_ground_deinit(&ground);
}

Test(table, tells_entries_of_one_hash_apart)
{
    struct iv_table t;
    struct iv_ground ground;
    iv_ground_init(&ground);
    iv_table_init(&t, &ground);
    for (uint32_t ref = 1; ref <= 5; ref++) {
        cr_assert(iv_table_add(&t, 42, ref));
    }

    iv_table_remove(&t, 42, 3);

    uint32_t seen = 0;
    struct iv_probe probe = iv_table_probe(&t, 42);
    for (uint32_t ref = iv_probe_next(&probe); ref != 0; ref = iv_probe_next(&probe)) {
        seen |= 1U << ref;
    }
    cr_expect_eq(seen, 1U << 1 | 1U << 2 | 1U << 4 | 1U << 5);
    iv_table_deinit(&t);
    iv_ground_deinit(&ground);
}

Test(table, runs_over_the_end_of_a_segment)
{
    struct iv_table t;
    struct iv_ground ground;
    iv_ground_init(&ground);
    iv_table_init(&t, &ground);
    uint64_t last = (uint64_t)0xff << 32;
    for (uint32_t ref = 1; ref <= 4; ref++) {
        cr_assert(iv_table_add(&t, last, ref));
    }

    iv_table_remove(&t, last, 1);
    iv_table_remove(&t, last, 4);

    struct iv_probe probe = iv_table_probe(&t, last);
    cr_expect_eq(iv_probe_next(&probe) + iv_probe_next(&probe), 5);
    cr_expect_eq(iv_probe_next(&probe), 0);
    iv_table_deinit(&t);
    iv_ground_deinit(&ground);
}
