/* SPDX-License-Identifier: Apache-2.0 */
/* BASELINE AGENTS EVENTS: feeds an engine with a simulated fleet's events, and prints how many allocations
 * decoder and engine made in the last half of them: none, where the engine has settled by then, which takes
 * a baseline that forgets within the first half. */
#include "base/alloc.h"
#include "base/guard.h"
#include "fleet/fleet.h"
#include "stand.h"

#include <stdio.h>
#include <stdlib.h>

static void ignore_plant(void *ctx, const struct iv_fleet_plant *plant)
{
    (void)ctx;
    (void)plant;
}

/* Answers the number of allocations. */
static uint64_t feed(struct stand *s, const struct iv_fleet_event *sent, uint64_t number)
{
    struct iv_err err;
    struct iv_event event;
    struct iv_record record;
    uint64_t before = iv_alloc_calls();
    stand_decode(s, &event, &record, sent->stream, number, sent->json);
    IV_CHECK(iv_ok(iv_engine_event(s->engine, &event, &err)));
    return iv_alloc_calls() - before;
}

int main(int argc, char **argv)
{
    IV_CHECK(argc == 4);
    struct stand s;
    struct iv_fleet_options options = {.seed = 1,
                                       .agents = (unsigned)strtoul(argv[2], NULL, 10),
                                       .start = STAND_START_NS,
                                       .events = strtoull(argv[3], NULL, 10)};
    IV_AUTO(iv_fleet_freep) struct iv_fleet *fleet = NULL;
    struct iv_fleet_event sent;
    struct iv_err err;
    uint64_t events = 0;
    uint64_t calls = 0;
    stand_open(&s, argv[1]);
    for (int stream = 0; stream < IV_STREAMS; stream++) {
        IV_CHECK(iv_ok(iv_engine_open(s.engine, (enum iv_stream)stream, 0, &err)));
    }
    IV_CHECK(iv_ok(iv_fleet_new(&fleet, &options, ignore_plant, NULL, &err)));
    while (iv_ok(iv_fleet_next(fleet, &sent, &err))) {
        uint64_t made = feed(&s, &sent, events++);
        calls += events > options.events / 2 ? made : 0;
    }
    printf("heap allocations in the last %llu of %llu events: %llu (at most 0); %llu verdicts\n",
           (unsigned long long)(events - options.events / 2), (unsigned long long)events,
           (unsigned long long)calls, (unsigned long long)s.verdicts);
    stand_close(&s);
    return 0;
}
