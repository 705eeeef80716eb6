/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet/fleet.h"

#include "base/guard.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

struct outcome {
    struct iv_buf bytes;
    size_t events;
    size_t plants;
    bool back; /* an arrival came before the one in front of it */
    size_t early;
};

#define START INT64_C(1767225600000000000)

static void count_plant(void *ctx, const struct iv_fleet_plant *plant)
{
    struct outcome *o = ctx;
    o->plants++;
    iv_buf_str(&o->bytes, plant->rule);
    iv_buf_str(&o->bytes, plant->trigger.id);
}

static struct outcome play_with(uint64_t seed, double violations, bool history)
{
    struct outcome o = {.events = 0};
    struct iv_fleet_options options = {.seed = seed,
                                       .agents = 20,
                                       .violations = violations,
                                       .start = START,
                                       .events = 5000,
                                       .history = history};
    IV_AUTO(iv_fleet_freep) struct iv_fleet *fleet = NULL;
    struct iv_fleet_event event;
    iv_ns last = IV_NS_MIN;
    iv_buf_init(&o.bytes, 64u << 20);
    cr_assert(iv_ok(iv_fleet_new(&fleet, &options, count_plant, &o, NULL)));
    for (;;) {
        struct iv_rc_s rc = iv_fleet_next(fleet, &event, NULL);
        if (rc.code == IV_E_ABSENT) {
            break;
        }
        cr_assert(iv_ok(rc));
        o.back = o.back || event.arrival < last;
        last = event.arrival;
        o.events++;
        o.early += event.time < START ? 1 : 0;
        cr_assert(eq(int, event.json.p[event.json.n - 1], '}'));
        iv_buf_str(&o.bytes, event.json);
    }
    return o;
}

static struct outcome play(uint64_t seed, double violations)
{
    return play_with(seed, violations, true);
}

Test(fleet, the_same_options_give_the_same_bytes)
{
    struct outcome once = play(1, 0.02);
    struct outcome again = play(1, 0.02);
    struct outcome other = play(2, 0.02);

    cr_expect(eq(sz, once.events, again.events));
    cr_expect(iv_str_eq(iv_buf_slice(&once.bytes), iv_buf_slice(&again.bytes)));
    cr_expect(not(iv_str_eq(iv_buf_slice(&once.bytes), iv_buf_slice(&other.bytes))));
    iv_buf_deinit(&once.bytes);
    iv_buf_deinit(&again.bytes);
    iv_buf_deinit(&other.bytes);
}

Test(fleet, sends_as_many_events_as_it_was_asked_for_in_the_order_of_their_arrival)
{
    struct outcome o = play(3, 0.02);

    cr_expect(eq(sz, o.events, 5000));
    cr_expect(not(o.back));
    iv_buf_deinit(&o.bytes);
}

Test(fleet, plants_the_share_that_it_was_asked_for_and_nothing_for_none)
{
    struct outcome none = play(4, 0);
    struct outcome some = play(4, 0.02);
    struct outcome many = play(4, 0.2);

    cr_expect(eq(sz, none.plants, 0));
    cr_expect(eq(sz, none.early, 0));
    cr_expect(ge(sz, some.plants, 95));
    cr_expect(le(sz, some.plants, 105));
    cr_expect(ge(sz, many.plants, 970));
    cr_expect(le(sz, many.plants, 1030));
    iv_buf_deinit(&none.bytes);
    iv_buf_deinit(&some.bytes);
    iv_buf_deinit(&many.bytes);
}

Test(fleet, goes_back_before_its_beginning_only_where_it_may)
{
    struct outcome with = play_with(5, 0.05, true);
    struct outcome without = play_with(5, 0.05, false);

    cr_expect(gt(sz, with.early, 10));
    cr_expect(eq(sz, without.early, 0));
    cr_expect(ge(sz, without.plants, 240), "their share is the others'");
    iv_buf_deinit(&with.bytes);
    iv_buf_deinit(&without.bytes);
}

#define ENCLAVES_MAX 4096

/* Which tenant's and agent's an enclave was when it was first heard of. */
struct enclave {
    char name[32];
    char tenant[64];
    char subject[64];
    bool ordered; /* to be terminated */
};

/* The text of an attribute or a field; empty: the event has none. */
static void text_of(char *out, size_t size, struct iv_str json, const char *name)
{
    char pattern[32];
    int n = snprintf(pattern, sizeof pattern, "\"%s\":\"", name);
    const char *at = memmem(json.p, json.n, pattern, (size_t)n);
    const char *begin = at == NULL ? json.p : at + n;
    const char *end = at == NULL ? json.p : memchr(begin, '"', (size_t)(json.p + json.n - begin));
    (void)snprintf(out, size, "%.*s", (int)(end - begin), begin);
}

static struct enclave *enclave_of(struct enclave *known, size_t *count, const struct iv_fleet_event *event)
{
    struct enclave e = {.ordered = false};
    text_of(e.name, sizeof e.name, event->json, "enclave_id");
    text_of(e.tenant, sizeof e.tenant, event->json, "tenantid");
    text_of(e.subject, sizeof e.subject, event->json, "subject");
    for (size_t i = 0; i < *count; i++) {
        if (strcmp(known[i].name, e.name) == 0) {
            return &known[i];
        }
    }
    cr_assert(lt(sz, *count, ENCLAVES_MAX));
    known[*count] = e;
    return &known[(*count)++];
}

Test(fleet, terminates_an_enclave_under_the_agent_and_tenant_that_it_is_of)
{
    static struct enclave known[ENCLAVES_MAX];
    size_t count = 0;
    size_t ended = 0;
    struct iv_fleet_options options = {.seed = 6, .agents = 100, .violations = 0.1, .start = START};
    IV_AUTO(iv_fleet_freep) struct iv_fleet *fleet = NULL;
    struct iv_fleet_event event;
    cr_assert(iv_ok(iv_fleet_new(&fleet, &options, NULL, NULL, NULL)));
    for (int i = 0; i < 4000; i++) {
        char type[64];
        cr_assert(iv_ok(iv_fleet_next(fleet, &event, NULL)));
        struct enclave *e = enclave_of(known, &count, &event);
        text_of(type, sizeof type, event.json, "type");
        if (strcmp(type, "enclave.terminated") == 0) {
            char tenant[64];
            char subject[64];
            text_of(tenant, sizeof tenant, event.json, "tenantid");
            text_of(subject, sizeof subject, event.json, "subject");
            cr_expect(eq(str, tenant, (char *)e->tenant), "%s", e->name);
            cr_expect(eq(str, subject, (char *)e->subject), "%s", e->name);
            ended++;
        } else if (e->name[0] != '\0' && !e->ordered) {
            e->ordered = true;
            cr_assert(iv_ok(iv_fleet_terminate(fleet, iv_str_of(e->name), event.time, NULL)));
        }
    }
    cr_expect(gt(sz, ended, 200), "%zu", ended);
}

Test(fleet, passes_over_the_end_of_an_enclave_that_it_never_had)
{
    struct iv_fleet_options options = {.seed = 7, .agents = 2, .start = START};
    IV_AUTO(iv_fleet_freep) struct iv_fleet *fleet = NULL;
    struct iv_fleet_event event;
    cr_assert(iv_ok(iv_fleet_new(&fleet, &options, NULL, NULL, NULL)));

    cr_assert(iv_ok(iv_fleet_terminate(fleet, IV_STR("enc-0123456789abcdef"), START, NULL)));

    for (int i = 0; i < 100; i++) {
        cr_assert(iv_ok(iv_fleet_next(fleet, &event, NULL)));
        cr_expect(memmem(event.json.p, event.json.n, "0123456789abcdef", 16) == NULL);
    }
}
