/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crowd.h"
#include "base/guard.h"
#include "base/hash.h"

#include <criterion/criterion.h>
#include <stdio.h>

static const struct iv_hash_key key = {5, 6};

/* The members from first to last, less one. */
static void add(struct iv_crowd *crowd, unsigned first, unsigned end)
{
    for (unsigned i = first; i < end; i++) {
        char name[16];
        int n = snprintf(name, sizeof name, "agent-%u", i);
        cr_assert(iv_crowd_add(crowd, iv_hash64(key, (struct iv_str){name, (size_t)n}), NULL));
    }
}

static void expect_near(uint64_t count, double right)
{
    cr_expect((double)count > right * 0.93 && (double)count < right * 1.07, "%llu instead of %g",
              (unsigned long long)count, right);
}

Test(crowd, is_exact_while_it_is_small)
{
    struct iv_crowd crowd = {.hashes = NULL};
    cr_expect(iv_crowd_count(&crowd) == 0);
    for (unsigned n = 1; n <= IV_CROWD_EXACT; n += 17) {
        add(&crowd, 0, n);
        add(&crowd, 0, n);
        cr_expect(iv_crowd_count(&crowd) == n, "%u", n);
    }
    iv_crowd_deinit(&crowd);
}

Test(crowd, is_near_when_it_is_large)
{
    static const unsigned sizes[] = {IV_CROWD_EXACT + 1, 1000, 5000, 11000, 60000, 300000};
    struct iv_crowd crowd = {.hashes = NULL};
    unsigned has = 0;
    for (size_t i = 0; i < IV_COUNT(sizes); i++) {
        add(&crowd, has, sizes[i]);
        has = sizes[i];
        expect_near(iv_crowd_count(&crowd), sizes[i]);
    }
    iv_crowd_clear(&crowd);
    cr_expect(iv_crowd_count(&crowd) == 0);
    iv_crowd_deinit(&crowd);
}

Test(crowd, of_several_counts_each_once)
{
    static const struct {
        unsigned first;
        unsigned second;
        unsigned end;
    } rows[] = {{0, 0, 0},        {100, 60, 150},  {200, 150, 400},
                {5000, 100, 120}, {100, 50, 9000}, {9000, 4000, 20000}};
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_crowd all = {.hashes = NULL};
        struct iv_crowd a = {.hashes = NULL};
        struct iv_crowd b = {.hashes = NULL};
        add(&all, 0, rows[i].first);
        add(&all, rows[i].second, rows[i].end);
        add(&a, 0, rows[i].first);
        add(&b, rows[i].second, rows[i].end);
        for (int again = 0; again < 2; again++) {
            cr_assert(iv_crowd_merge(&a, &b));
            cr_expect(iv_crowd_count(&a) == iv_crowd_count(&all), "row %zu", i);
        }
        iv_crowd_deinit(&all);
        iv_crowd_deinit(&a);
        iv_crowd_deinit(&b);
    }
}

Test(crowd, comes_back_from_its_bytes)
{
    static const unsigned sizes[] = {0, 1, IV_CROWD_EXACT, 3000};
    for (size_t i = 0; i < IV_COUNT(sizes); i++) {
        struct iv_crowd crowd = {.hashes = NULL};
        struct iv_crowd back = {.hashes = NULL};
        struct iv_buf bytes;
        bool bad = true;
        iv_buf_init(&bytes, IV_CROWD_BYTES + 1);
        add(&crowd, 0, sizes[i]);
        iv_crowd_write(&bytes, &crowd);
        cr_assert(iv_crowd_read(&back, &bad, iv_buf_slice(&bytes)) && !bad);
        cr_expect(iv_crowd_count(&back) == iv_crowd_count(&crowd), "%u", sizes[i]);
        iv_buf_deinit(&bytes);
        iv_crowd_deinit(&crowd);
        iv_crowd_deinit(&back);
    }
}

Test(crowd, refuses_other_bytes)
{
    static char many[IV_CROWD_BYTES + 8] = "E";
    static char registers[IV_CROWD_BYTES] = "H";
    registers[IV_CROWD_BYTES - 1] = 54;
    const struct iv_str rows[] = {
        IV_STR(""),
        IV_STR("E1"),
        IV_STR("H"),
        IV_STR("X12345678"),
        {many, 1 + 8 * (IV_CROWD_EXACT + 1)},
        {registers, sizeof registers},
        {registers, sizeof registers - 1},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_crowd crowd = {.hashes = NULL};
        bool bad = false;
        cr_expect(iv_crowd_read(&crowd, &bad, rows[i]) && bad && iv_crowd_count(&crowd) == 0, "row %zu", i);
        iv_crowd_deinit(&crowd);
    }
}
