/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/timeline.h"

#include "base/guard.h"

#include <criterion/criterion.h>
#include <string.h>

/* Marks alone, one of which can stand in place, and marks with a value. */
static const uint32_t strides[] = {sizeof(struct iv_mark), sizeof(struct iv_value_mark)};
#define MOST 3000

/* What a timeline must hold, done plainly. */
struct model {
    struct {
        iv_ns time;
        uint32_t rec;
    } items[MOST];
    size_t count;
};

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

static void model_insert(struct model *m, iv_ns time, uint32_t rec)
{
    size_t at = m->count;
    while (at > 0 && m->items[at - 1].time > time) {
        m->items[at] = m->items[at - 1];
        at--;
    }
    m->items[at].time = time;
    m->items[at].rec = rec;
    m->count++;
}

static void expect_equal(struct iv_timeline *line, const struct iv_pool *pool, uint32_t stride,
                         const struct model *m)
{
    struct iv_place place = {0, 0};
    cr_assert_eq(iv_timeline_count(line), m->count);
    for (size_t i = 0; i < m->count; i++, place.at++) {
        const struct iv_mark *mark = iv_timeline_get(line, pool, stride, &place);
        cr_assert(mark != NULL && mark->time == m->items[i].time && mark->rec == m->items[i].rec, "mark %zu",
                  i);
        cr_assert_eq(iv_timeline_rank(line, pool, place), i);
    }
    cr_assert_null(iv_timeline_get(line, pool, stride, &place));
}

static void expect_lower(const struct iv_timeline *line, const struct iv_pool *pool, uint32_t stride,
                         const struct model *m, iv_ns time)
{
    size_t rank = 0;
    while (rank < m->count && m->items[rank].time < time) {
        rank++;
    }
    struct iv_place place = iv_timeline_lower(line, pool, stride, time);
    cr_assert_eq(iv_timeline_rank(line, pool, place), rank, "time %lld", (long long)time);
}

static void remove_at(struct iv_timeline *line, struct iv_pool *pool, uint32_t stride, struct model *m,
                      size_t rank)
{
    struct iv_place place = iv_timeline_lower(line, pool, stride, m->items[rank].time);
    while (iv_timeline_get(line, pool, stride, &place)->rec != m->items[rank].rec) {
        place.at++;
    }
    iv_timeline_remove(line, pool, stride, place);
    memmove(&m->items[rank], &m->items[rank + 1], (m->count - rank - 1) * sizeof m->items[0]);
    m->count--;
}

static void expect_order(uint32_t stride)
{
    static struct model m;
    m.count = 0;
    struct iv_pool pool;
    struct iv_timeline line = {0};
    uint64_t dice = 7;
    struct iv_ground ground;
    iv_ground_init(&ground);
    iv_pool_init(&pool, &ground);

    for (uint32_t i = 1; i <= MOST; i++) {
        /* Mostly forward, some of one time, some far behind. */
        iv_ns time = (iv_ns)(next_random(&dice) % 10 == 0 ? next_random(&dice) % MOST : i / 3);
        struct iv_mark *mark = iv_timeline_insert(&line, &pool, stride, time);
        cr_assert(mark != NULL && (mark->bits & ~IV_MARK_ALONE) == 0);
        mark->rec = i;
        model_insert(&m, time, i);
        if (next_random(&dice) % 4 == 0) {
            remove_at(&line, &pool, stride, &m,
                      next_random(&dice) % 2 == 0 ? 0 : next_random(&dice) % m.count);
        }
        expect_lower(&line, &pool, stride, &m, (iv_ns)(next_random(&dice) % MOST));
    }
    expect_equal(&line, &pool, stride, &m);

    while (m.count > 0) {
        remove_at(&line, &pool, stride, &m, next_random(&dice) % m.count);
    }
    cr_expect_eq(iv_timeline_count(&line), 0);
    iv_pool_deinit(&pool);
    iv_ground_deinit(&ground);
}

Test(timeline, keeps_the_order_of_time_and_then_of_insertion)
{
    for (size_t i = 0; i < IV_COUNT(strides); i++) {
        expect_order(strides[i]);
    }
}

static void expect_all_given_back(uint32_t stride)
{
    struct iv_pool pool;
    struct iv_timeline line = {0};
    struct iv_ground ground;
    iv_ground_init(&ground);
    iv_pool_init(&pool, &ground);
    for (iv_ns time = 0; time < 1000; time++) {
        cr_assert_not_null(iv_timeline_insert(&line, &pool, stride, time));
    }

    iv_timeline_clear(&line, &pool);

    for (size_t i = 0; i < IV_POOL_CLASSES; i++) {
        cr_expect_eq(pool.classes[i].live, 0, "class %zu", i);
    }
    iv_pool_deinit(&pool);
    iv_ground_deinit(&ground);
}

Test(timeline, gives_back_all_of_its_memory)
{
    for (size_t i = 0; i < IV_COUNT(strides); i++) {
        expect_all_given_back(strides[i]);
    }
}

static void expect_no_growth(uint32_t stride)
{
    struct iv_pool pool;
    struct iv_timeline line = {0};
    struct iv_ground ground;
    iv_ground_init(&ground);
    iv_pool_init(&pool, &ground);
    uint64_t settled = 0;
    for (iv_ns time = 0; time < 20000; time++) {
        cr_assert_not_null(iv_timeline_insert(&line, &pool, stride, time));
        if (iv_timeline_count(&line) > 200) {
            iv_timeline_remove(&line, &pool, stride, iv_timeline_lower(&line, &pool, stride, 0));
        }
        settled = time == 2000 ? iv_pool_bytes(&pool) : settled;
    }

    cr_expect_eq(iv_pool_bytes(&pool), settled);
    iv_pool_deinit(&pool);
    iv_ground_deinit(&ground);
}

Test(timeline, that_slides_forward_does_not_grow)
{
    for (size_t i = 0; i < IV_COUNT(strides); i++) {
        expect_no_growth(strides[i]);
    }
}
