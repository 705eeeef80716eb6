/* SPDX-License-Identifier: Apache-2.0 */
/* BASELINE DEADLINES: arms so many deadlines (tokens that are issued and never end), lets all of them fall
 * due at once, and prints how long the engine's calls took: while they were armed, while they were decided,
 * and afterwards. The clock is the thread's own, so that neighbours on the machine do not count. */
#include "base/alloc.h"
#include "base/buf.h"
#include "base/guard.h"
#include "stand.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SPACING_NS INT64_C(100000) /* between two issues */
#define DUE_NS (STAND_START_NS + 290 * IV_NS_PER_S)
#define CALM_CALLS 100000
#define TICK "agent.stopped" /* moves time, and waits for nothing itself */

struct bench {
    struct stand stand;
    struct iv_buf json;
    uint64_t sequence;
    uint32_t *calls; /* nanoseconds of each, of the phase at hand */
    size_t count;
};

static uint64_t now(void)
{
    struct timespec t;
    IV_CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0);
    return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

/* Decodes the next event and times the engine's call alone. */
static void feed(struct bench *b, const char *type, iv_ns time)
{
    struct iv_err err;
    struct iv_event event;
    struct iv_record record;
    stand_write_token(&b->json, type, b->sequence, time, DUE_NS);
    b->sequence++;
    stand_decode(&b->stand, &event, &record, IV_TELEMETRY, b->sequence, iv_buf_slice(&b->json));
    uint64_t before = now();
    IV_CHECK(iv_ok(iv_engine_event(b->stand.engine, &event, &err)));
    uint64_t took = now() - before;
    b->calls[b->count++] = took > UINT32_MAX ? UINT32_MAX : (uint32_t)took;
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void print_phase(struct bench *b, const char *name)
{
    qsort(b->calls, b->count, sizeof *b->calls, by_size);
    double micro = 1000.0;
    printf("%-28s%10zu%12.2f%12.2f%12.3f%10s\n", name, b->count, b->calls[b->count / 2] / micro,
           b->calls[b->count - 1 - b->count / 1000] / micro, b->calls[b->count - 1] / micro / micro, "5");
    b->count = 0;
}

static void open_bench(struct bench *b, const char *folder, size_t deadlines)
{
    struct iv_err err;
    stand_open(&b->stand, folder);
    IV_CHECK(iv_ok(iv_engine_open(b->stand.engine, IV_TELEMETRY, 0, &err)));
    iv_buf_init(&b->json, 4096);
    b->calls = iv_calloc(deadlines + CALM_CALLS + 1, sizeof *b->calls);
    IV_CHECK(b->calls != NULL);
}

static void close_bench(struct bench *b)
{
    iv_free(b->calls);
    iv_buf_deinit(&b->json);
    stand_close(&b->stand);
}

static uint64_t armed(const struct bench *b)
{
    struct iv_engine_stats stats;
    iv_engine_stats(b->stand.engine, &stats);
    return stats.armed;
}

int main(int argc, char **argv)
{
    IV_CHECK(argc == 3);
    size_t deadlines = strtoull(argv[2], NULL, 10);
    struct bench b = {.count = 0};
    open_bench(&b, argv[1], deadlines);
    for (size_t i = 0; i < deadlines; i++) {
        feed(&b, "token.issued", STAND_START_NS + (iv_ns)i * SPACING_NS);
    }
    printf("%llu deadlines armed, then all of them due at once\n", (unsigned long long)armed(&b));
    printf("%-28s%10s%12s%12s%12s%10s\n", "", "calls", "median us", "p99.9 us", "longest ms", "at most");
    print_phase(&b, "arming");

    iv_ns time = DUE_NS + 60 * IV_NS_PER_S;
    do {
        feed(&b, TICK, time += SPACING_NS);
    } while (armed(&b) > 100 && b.count < deadlines);
    print_phase(&b, "deciding");

    for (size_t i = 0; i < CALM_CALLS; i++) {
        feed(&b, TICK, time += SPACING_NS);
    }
    print_phase(&b, "afterwards");
    printf("%llu verdicts\n", (unsigned long long)b.stand.verdicts);
    close_bench(&b);
    return 0;
}
