/* SPDX-License-Identifier: Apache-2.0 */
#include "base/spans.h"

#include <criterion/criterion.h>

#define HORIZON 40

static uint64_t next_random(uint64_t *dice)
{
    *dice = *dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *dice >> 33;
}

/* The same set, instant by instant. */
static void paint(bool *set, iv_ns from, iv_ns until, bool in)
{
    for (iv_ns t = from; t < until; t++) {
        set[t] = in;
    }
}

static void expect_same(const struct iv_spans *spans, const bool *set, int step)
{
    iv_ns length = 0;
    for (iv_ns t = 0; t < HORIZON; t++) {
        cr_assert_eq(iv_spans_have(spans, t), set[t], "step %d, instant %d", step, (int)t);
        length += set[t] ? 1 : 0;
    }
    cr_assert_eq(iv_spans_length(spans, 0, HORIZON), length);
    for (size_t i = 0; i + 1 < spans->count; i++) {
        cr_assert_lt(spans->at[i].until, spans->at[i + 1].from, "neighbours touch");
    }
}

Test(spans, are_the_sets_that_they_were_made_from)
{
    uint64_t dice = 7;
    struct iv_spans spans = {NULL};
    struct iv_spans other = {NULL};
    bool set[HORIZON] = {false};
    bool other_set[HORIZON] = {false};
    for (int step = 0; step < 5000; step++) {
        iv_ns from = (iv_ns)(next_random(&dice) % HORIZON);
        iv_ns until = from + (iv_ns)(next_random(&dice) % (uint64_t)(HORIZON - from));
        bool in = next_random(&dice) % 2 == 0;
        bool to_other = next_random(&dice) % 4 == 0;
        struct iv_spans *to = to_other ? &other : &spans;
        if (in) {
            iv_spans_add(to, from, until);
        } else {
            iv_spans_take(to, from, until);
        }
        paint(to_other ? other_set : set, from, until, in);
        if (step % 50 == 49) {
            iv_spans_meet(&spans, &other);
            for (int t = 0; t < HORIZON; t++) {
                set[t] = set[t] && other_set[t];
            }
        }
        expect_same(&spans, set, step);
    }
    iv_spans_deinit(&spans);
    iv_spans_deinit(&other);
}

Test(spans, reach_from_the_beginning_of_time_to_its_end)
{
    struct iv_spans spans = {NULL};
    iv_spans_add(&spans, IV_NS_MIN, IV_NS_MAX);
    iv_spans_take(&spans, 10, 20);

    cr_expect(iv_spans_have(&spans, IV_NS_MIN));
    cr_expect_not(iv_spans_have(&spans, 10));
    cr_expect(iv_spans_have(&spans, 20));
    cr_expect_eq(iv_spans_length(&spans, 0, 30), 20);
    cr_expect_eq(iv_spans_length(&spans, IV_NS_MIN, IV_NS_MAX), IV_NS_MAX);
    iv_spans_deinit(&spans);
}
