/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "fleet/quota.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

static const enum iv_step_kind course[] = {
    IV_STEP_created,   IV_STEP_issued,     IV_STEP_requested, IV_STEP_authorized,
    IV_STEP_used,      IV_STEP_executed,   IV_STEP_accessed,  IV_STEP_accessed,
    IV_STEP_inference, IV_STEP_terminated, IV_STEP_revoked,   IV_STEP_expired,
};

/* Lets so many events happen, in sessions; answers the violations. */
static uint64_t run(struct iv_sim_quota *q, uint64_t events)
{
    struct iv_chance chance = {7};
    for (uint64_t i = 0; i < events; i++) {
        struct iv_sim_step host = {.kind = (uint8_t)course[i % IV_COUNT(course)]};
        bool working =
            host.kind == IV_STEP_used || host.kind == IV_STEP_executed || host.kind == IV_STEP_accessed;
        uint64_t used = 0;
        q->happened++;
        for (;;) {
            enum iv_plant_id id = iv_sim_quota_next(q, &host, working, used, &chance);
            if (id == IV_PLANT_none) {
                break;
            }
            cr_assert(eq(u64, used >> id & 1, 0), "nothing is planted twice beside one step");
            used |= UINT64_C(1) << id;
        }
    }
    return q->planted;
}

static void expect_near(uint64_t got, double want)
{
    cr_expect(le(dbl, want * 0.98 - 2, (double)got), "%.0f are wanted", want);
    cr_expect(ge(dbl, want * 1.02 + 2, (double)got), "%.0f are wanted", want);
}

Test(quota, meets_the_rate_that_it_was_asked_for)
{
    static const double rates[] = {0.001, 0.02, 0.2, 0.3};
    for (size_t i = 0; i < IV_COUNT(rates); i++) {
        struct iv_sim_quota q;
        iv_sim_quota_init(&q, rates[i], 0, 100, false);

        expect_near(run(&q, 50000), rates[i] * 50000);
    }
}

Test(quota, counts_what_lies_in_the_past_as_part_of_the_whole)
{
    struct iv_sim_quota q;
    iv_sim_quota_init(&q, 0.1, 50000, 10, true);
    uint64_t past = iv_sim_quota_past(&q);

    expect_near(past + run(&q, 50000 - past), 5000);
    cr_expect(gt(u64, past, 0));
}

Test(quota, plants_more_than_its_most_for_no_rate)
{
    struct iv_sim_quota q;
    iv_sim_quota_init(&q, 1, 0, 100, false);

    expect_near(run(&q, 10000), IV_QUOTA_MAX * 10000);
}

Test(quota, spreads_them_over_all_kinds)
{
    struct iv_sim_quota q;
    iv_sim_quota_init(&q, 0.05, 0, 100, false);
    (void)run(&q, 100000);

    for (unsigned id = 1; id < IV_PLANTS; id++) {
        bool past = iv_plant_kinds[id].host == IV_HOST_past;
        cr_expect(eq(int, q.count[id] == 0, past), "%s is planted %llu times", iv_plant_kinds[id].name,
                  (unsigned long long)q.count[id]);
        cr_expect(past || (q.count[id] > 90 && q.count[id] < 140), "%s is planted %llu times",
                  iv_plant_kinds[id].name, (unsigned long long)q.count[id]);
    }
}

Test(quota, plants_every_kind_once_among_some_sixty)
{
    static const unsigned agents[] = {5, 10, 20};
    for (size_t i = 0; i < IV_COUNT(agents); i++) {
        struct iv_sim_quota q;
        iv_sim_quota_init(&q, 0.065, 1000, agents[i], true);
        (void)run(&q, 1000 - iv_sim_quota_past(&q));

        for (unsigned id = 1; id < IV_PLANTS; id++) {
            cr_expect(gt(u64, q.count[id] + q.past[id], 0), "%s, with %u agents", iv_plant_kinds[id].name,
                      agents[i]);
        }
    }
}

Test(quota, plants_nothing_that_could_not_be_proven_in_time)
{
    struct iv_sim_quota q;
    iv_sim_quota_init(&q, 0.2, 20000, 10000, false); /* four seconds */
    (void)run(&q, 20000);

    cr_expect(eq(u64, q.count[IV_PLANT_silent_agent], 0));
    cr_expect(eq(u64, q.count[IV_PLANT_not_shredded], 0));
    cr_expect(gt(u64, q.count[IV_PLANT_revoked_token], 0));
}
