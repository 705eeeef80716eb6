/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/timers.h"

#include "base/alloc.h"
#include "base/guard.h"

#include <criterion/criterion.h>

struct ground {
    struct iv_ground ground;
    struct iv_slab blocks;
};

static void open_timers(struct iv_timers *t, struct ground *g)
{
    iv_ground_init(&g->ground);
    iv_slab_init(&g->blocks, &g->ground, IV_TIMER_BLOCK_BYTES);
    iv_timers_init(t, &g->blocks);
}

static void close_timers(struct iv_timers *t, struct ground *g)
{
    iv_timers_deinit(t);
    iv_slab_deinit(&g->blocks);
    iv_ground_deinit(&g->ground);
}

static uint64_t next_random(uint64_t *dice)
{
    *dice = *dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *dice >> 33;
}

/* Deadlines of some kind, by the number of the timer. */
static iv_ns any(uint64_t *dice, uint32_t i)
{
    (void)i;
    return (iv_ns)(next_random(dice) % 200);
}

static iv_ns of_few_lengths(uint64_t *dice, uint32_t i)
{
    static const iv_ns lengths[] = {0, 30, 60, 3600};
    return (iv_ns)i / 10 + lengths[next_random(dice) % IV_COUNT(lengths)];
}

static iv_ns falling(uint64_t *dice, uint32_t i)
{
    (void)dice;
    return 100000 - (iv_ns)i;
}

static iv_ns (*const kinds[])(uint64_t *, uint32_t) = {any, of_few_lengths, falling};

Test(timers, fire_by_deadline_and_then_by_insertion)
{
    for (size_t kind = 0; kind < IV_COUNT(kinds); kind++) {
        struct iv_timers t;
        struct ground g;
        uint64_t dice = 11;
        open_timers(&t, &g);
        for (uint32_t i = 1; i <= 20000; i++) {
            cr_assert(iv_timers_push(&t, kinds[kind](&dice, i), i, i));
        }

        struct iv_timer before = {.deadline = -1};
        for (uint32_t i = 0; i < 20000; i++) {
            struct iv_timer first = *iv_timers_first(&t);
            cr_assert(first.deadline > before.deadline ||
                          (first.deadline == before.deadline && first.order > before.order),
                      "kind %zu, timer %u", kind, i);
            cr_assert_eq(first.ref, first.order);
            before = first;
            iv_timers_pop(&t);
        }
        cr_expect_null(iv_timers_first(&t));
        close_timers(&t, &g);
    }
}

Test(timers, have_an_earliest_at_every_moment)
{
    enum { MANY = 600 };
    for (size_t kind = 0; kind < IV_COUNT(kinds); kind++) {
        struct iv_timers t;
        struct ground g;
        iv_ns model[MANY + 1] = {0}; /* by reference; -1: it is gone */
        uint64_t dice = 5;
        open_timers(&t, &g);
        for (uint32_t i = 1; i <= MANY; i++) {
            model[i] = kinds[kind](&dice, i);
            cr_assert(iv_timers_push(&t, model[i], i, i));
            uint32_t earliest = 0;
            for (uint32_t k = 1; k <= i; k++) {
                earliest = model[k] >= 0 && (earliest == 0 || model[k] < model[earliest]) ? k : earliest;
            }
            cr_assert_eq(iv_timers_first(&t)->ref, earliest, "kind %zu, timer %u", kind, i);
            if (next_random(&dice) % 3 == 0) {
                iv_timers_pop(&t);
                model[earliest] = -1;
            }
            if (t.count == 0) {
                model[i] = kinds[kind](&dice, i);
                cr_assert(iv_timers_push(&t, model[i], i, i));
            }
        }
        close_timers(&t, &g);
    }
}

Test(timers, allocate_nothing_once_they_have_settled)
{
    struct iv_timers t;
    struct ground g;
    uint64_t dice = 3;
    uint64_t settled = 0;
    open_timers(&t, &g);
    for (uint32_t i = 1; i <= 200000; i++) {
        cr_assert(
            iv_timers_push(&t, (iv_ns)i + (i % 3 == 0 ? (iv_ns)(next_random(&dice) % 500) : 600), i, i));
        if (t.count > 1000) {
            iv_timers_pop(&t);
        }
        settled = i == 100000 ? iv_alloc_calls() : settled;
    }

    cr_expect_eq(iv_alloc_calls(), settled);
    close_timers(&t, &g);
}
