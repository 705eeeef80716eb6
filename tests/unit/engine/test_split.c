/* SPDX-License-Identifier: Apache-2.0 */
/* Engines that share the rules of a baseline. */
#include "stage.h"

#include "base/guard.h"
#include "event/decode.h"

#include <criterion/criterion.h>

/* R-1 asks for d.b after d.a; F-1 forbids some d.c. */
#define RULES                                                                                                \
    "- id: REQ-1\n  title: t\n  severity: low\n  criteria: [CC7.2]\n  on: {event: d.a, as: a}\n"             \
    "  require: {with: {event: d.b, by: k, after: 2s}}\n"                                                    \
    "- id: FOR-1\n  title: t\n  severity: low\n  criteria: [CC7.2]\n  on: {event: d.c, as: c}\n"             \
    "  forbid: {if: c.n > 3}\n"
#define ONLY_FIRST_RULE UINT64_C(1)
#define EVENT(id, type, time, data)                                                                          \
    "{\"specversion\":\"1.0\",\"id\":\"" id "\",\"source\":\"s\",\"type\":\"" type                           \
    "\",\"time\":\"2026-01-01T00:00:" time "Z\",\"data\":" data "}"

struct pair {
    struct stage *stage;
    struct iv_engine *whole;
    struct iv_engine *part; /* REQ-1 alone */
    struct iv_decoder *decoder;
    struct iv_arena arena;
    size_t said; /* by the part */
};

static void count(void *ctx, const struct iv_verdict *verdict)
{
    struct pair *pair = ctx;
    cr_assert(iv_str_eq(verdict->rule->id, IV_STR("REQ-1")));
    pair->said++;
}

static void ignore(void *ctx, const struct iv_verdict *verdict)
{
    (void)ctx;
    (void)verdict;
}

static void make(struct pair *out)
{
    static const uint64_t rules = ONLY_FIRST_RULE;
    struct iv_err err;
    *out = (struct pair){.stage = stage_new("", RULES)};
    iv_arena_init(&out->arena, 0);
    struct iv_baseline *baseline = stage_baseline(out->stage);
    struct iv_engine_options whole = {.verdict = ignore};
    struct iv_engine_options part = {.verdict = count, .ctx = out, .rules = &rules};
    cr_assert(iv_ok(iv_engine_new(&out->whole, baseline, &whole, &err)));
    cr_assert(iv_ok(iv_engine_new(&out->part, baseline, &part, &err)));
    cr_assert(iv_ok(iv_decoder_new(&out->decoder, baseline->catalogue, &IV_DECODE_LIMITS_DEFAULT,
                                   (struct iv_hash_key){1, 2}, &err)));
    cr_assert(iv_ok(iv_engine_open(out->part, IV_TELEMETRY, 0, &err)));
}

static void unmake(struct pair *pair)
{
    iv_engine_free(pair->whole);
    iv_engine_free(pair->part);
    iv_decoder_free(pair->decoder);
    iv_arena_deinit(&pair->arena);
    stage_free(pair->stage);
}

static struct iv_event event_of(struct pair *pair, const char *json)
{
    struct iv_event event;
    struct iv_err err;
    size_t n = strlen(json);
    char *copy = iv_arena_zalloc(&pair->arena, n + IV_RECORD_PADDING);
    struct iv_record *record = iv_arena_zalloc(&pair->arena, sizeof *record);
    cr_assert(copy != NULL && record != NULL);
    memcpy(copy, json, n);
    *record = (struct iv_record){.origin = {IV_TELEMETRY, 0, 0, IV_STR("telemetry")}, .bytes = {copy, n}};
    cr_assert(iv_ok(iv_decode(pair->decoder, record, &pair->arena, &event, &err)), "%s", err.text);
    return event;
}

static void see(struct iv_engine *engine, struct iv_event *event)
{
    struct iv_err err;
    cr_assert(iv_ok(iv_engine_event(engine, event, &err)), "%s", err.text);
}

Test(split, an_engine_is_concerned_by_triggers_and_partners_of_its_rules)
{
    IV_AUTO(unmake) struct pair pair;
    make(&pair);
    struct iv_event trigger = event_of(&pair, EVENT("a1", "d.a", "01", "{\"k\":\"x\"}"));
    struct iv_event partner = event_of(&pair, EVENT("b1", "d.b", "01", "{\"k\":\"x\"}"));
    struct iv_event other = event_of(&pair, EVENT("c1", "d.c", "01", "{\"n\":9}"));
    struct iv_event unknown = event_of(&pair, EVENT("z1", "z", "01", "{}"));

    cr_expect(iv_engine_concerns(pair.part, trigger.type));
    cr_expect(iv_engine_concerns(pair.part, partner.type));
    cr_expect(!iv_engine_concerns(pair.part, other.type));
    cr_expect(!iv_engine_concerns(pair.part, unknown.type));
    cr_expect(iv_engine_concerns(pair.whole, other.type));
}

Test(split, the_engine_that_keeps_identities_says_what_an_event_is)
{
    IV_AUTO(unmake) struct pair pair;
    make(&pair);
    struct iv_event new = event_of(&pair, EVENT("c1", "d.c", "01", "{\"n\":1}"));
    struct iv_event repeated = new;
    struct iv_event other = event_of(&pair, EVENT("c1", "d.c", "01", "{\"n\":2}"));
    struct iv_event unknown = event_of(&pair, EVENT("z1", "z", "01", "{}"));

    see(pair.whole, &new);
    see(pair.whole, &repeated);
    see(pair.whole, &other);
    see(pair.whole, &unknown);

    cr_expect_eq(new.standing, IV_STANDING_NEW);
    cr_expect_eq(repeated.standing, IV_STANDING_REPEATED);
    cr_expect_eq(other.standing, IV_STANDING_NEW);
    cr_expect_eq(unknown.standing, IV_STANDING_NONE);
}

Test(split, time_that_passes_elsewhere_proves_an_absence)
{
    IV_AUTO(unmake) struct pair pair;
    make(&pair);
    struct iv_err err;
    struct iv_event trigger = event_of(&pair, EVENT("a1", "d.a", "01", "{\"k\":\"x\"}"));

    see(pair.part, &trigger);
    cr_assert(iv_ok(iv_engine_reached(pair.part, IV_TELEMETRY, 0, trigger.time + 2 * IV_NS_PER_S, &err)));
    cr_expect_eq(pair.said, 0, "the window's end is part of it");
    cr_assert(iv_ok(iv_engine_reached(pair.part, IV_TELEMETRY, 0, trigger.time + 3 * IV_NS_PER_S, &err)));

    cr_expect_eq(pair.said, 1);
}

Test(split, an_engine_without_identities_remembers_what_its_rules_need_and_no_more)
{
    IV_AUTO(unmake) struct pair pair;
    make(&pair);
    struct iv_engine_stats stats;
    struct iv_event other = event_of(&pair, EVENT("c1", "d.c", "01", "{\"n\":9}"));
    struct iv_event trigger = event_of(&pair, EVENT("a1", "d.a", "01", "{\"k\":\"x\"}"));

    see(pair.part, &other);
    iv_engine_stats(pair.part, &stats);
    cr_expect_eq(stats.live_events, 0);
    see(pair.part, &trigger);
    iv_engine_stats(pair.part, &stats);

    cr_expect_eq(stats.live_events, 1);
    cr_expect_eq(stats.verdicts[IV_VIOLATED], 0, "FOR-1 is not its rule");
}
