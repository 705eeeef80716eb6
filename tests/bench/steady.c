/* SPDX-License-Identifier: Apache-2.0 */
/* BASELINE AGENTS EVENTS: feeds an engine with a simulated fleet's events, and prints how many allocations
 * decoder and engine made in the last half of them: none, where the engine has settled by then, which takes
 * a baseline that forgets within the first half. */
#include "app/sim/fleet.h"
#include "base/alloc.h"
#include "base/guard.h"
#include "engine/engine.h"
#include "event/decode.h"

#include <stdio.h>
#include <stdlib.h>

#define START_NS (INT64_C(1767225600) * IV_NS_PER_S) /* 2026-01-01T00:00:00Z */

struct bench {
    struct iv_baseline *baseline;
    struct iv_decoder *decoder;
    struct iv_engine *engine;
    struct iv_arena arena;
    uint64_t events;
    uint64_t verdicts;
};

static void count_verdict(void *ctx, const struct iv_verdict *verdict)
{
    (void)verdict;
    ((struct bench *)ctx)->verdicts++;
}

static void ignore_plant(void *ctx, const struct iv_fleet_plant *plant)
{
    (void)ctx;
    (void)plant;
}

static void open_bench(struct bench *b, const char *folder)
{
    IV_AUTO(iv_problems_freep) struct iv_problems *problems = NULL;
    const struct iv_hash_key key = {1, 2};
    const struct iv_engine_options options = {.verdict = count_verdict, .ctx = b, .hash_key = key};
    struct iv_err err;
    IV_CHECK(iv_ok(iv_problems_new(&problems, &err)));
    IV_CHECK(iv_ok(iv_baseline_load(&b->baseline, iv_str_of(folder), problems, &err)));
    IV_CHECK(
        iv_ok(iv_decoder_new(&b->decoder, b->baseline->catalogue, &IV_DECODE_LIMITS_DEFAULT, key, &err)));
    IV_CHECK(iv_ok(iv_engine_new(&b->engine, b->baseline, &options, &err)));
    for (int s = 0; s < IV_STREAMS; s++) {
        IV_CHECK(iv_ok(iv_engine_open(b->engine, (enum iv_stream)s, 0, &err)));
    }
    iv_arena_init(&b->arena, 0);
}

static void close_bench(struct bench *b)
{
    iv_arena_deinit(&b->arena);
    iv_engine_free(b->engine);
    iv_decoder_free(b->decoder);
    iv_baseline_unref(b->baseline);
}

/* Answers the number of allocations. */
static uint64_t feed(struct bench *b, const struct iv_fleet_event *sent)
{
    struct iv_err err;
    struct iv_event event;
    uint64_t before = iv_alloc_calls();
    iv_arena_reset(&b->arena);
    char *bytes = iv_arena_zalloc(&b->arena, sent->json.n + IV_RECORD_PADDING);
    IV_CHECK(bytes != NULL);
    memcpy(bytes, sent->json.p, sent->json.n);
    struct iv_record record = {
        .origin = {sent->stream, 0, (int64_t)b->events, iv_str_of(iv_stream_name(sent->stream))},
        .bytes = {bytes, sent->json.n}};
    IV_CHECK(iv_ok(iv_decode(b->decoder, &record, &b->arena, &event, &err)));
    IV_CHECK(iv_ok(iv_engine_event(b->engine, &event, &err)));
    b->events++;
    return iv_alloc_calls() - before;
}

int main(int argc, char **argv)
{
    IV_CHECK(argc == 4);
    struct bench b = {.events = 0};
    struct iv_fleet_options options = {.seed = 1,
                                       .agents = (unsigned)strtoul(argv[2], NULL, 10),
                                       .start = START_NS,
                                       .events = strtoull(argv[3], NULL, 10)};
    IV_AUTO(iv_fleet_freep) struct iv_fleet *fleet = NULL;
    struct iv_fleet_event sent;
    struct iv_err err;
    uint64_t calls = 0;
    open_bench(&b, argv[1]);
    IV_CHECK(iv_ok(iv_fleet_new(&fleet, &options, ignore_plant, NULL, &err)));
    while (iv_ok(iv_fleet_next(fleet, &sent, &err))) {
        uint64_t made = feed(&b, &sent);
        calls += b.events > options.events / 2 ? made : 0;
    }
    printf("heap allocations in the last %llu of %llu events: %llu (at most 0); %llu verdicts\n",
           (unsigned long long)(b.events - options.events / 2), (unsigned long long)b.events,
           (unsigned long long)calls, (unsigned long long)b.verdicts);
    close_bench(&b);
    return 0;
}
