/* SPDX-License-Identifier: Apache-2.0 */
/* BASELINE AGENTS EVENTS HOURS STORE: a simulated fleet's events, of so many hours of event time, through
 * decoder, judge, commit and store, as the daemon takes them, and a line for each hour: what an event costs,
 * what is remembered, and how much memory the process has. Behind the first quarter, in which it warms up,
 * all of it must stay as it is; the exit status says whether. */
#include "base/alloc.h"
#include "base/guard.h"
#include "base/log.h"
#include "baseline/problems.h"
#include "daemon/keep_step.h"
#include "event/decode.h"
#include "fleet/fleet.h"
#include "judge/commit.h"
#include "judge/judge.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define START_NS (INT64_C(1767225600) * IV_NS_PER_S) /* 2026-01-01T00:00:00Z */
#define HOUR_NS (3600 * IV_NS_PER_S)
#define BATCH 512
#define VIOLATIONS 0.0005
#define MEMORY_MAX_RATIO 1.10
#define COST_MAX_RATIO 2.00 /* what grows with the events has nearly three times as many by then */

/* Durations by size: 16 steps for each power of two. */
#define STEPS 16
struct histogram {
    uint64_t counts[64 * STEPS];
    uint64_t total;
    iv_ns greatest;
};

struct soak {
    struct iv_baseline *baseline;
    struct iv_decoder *decoder;
    struct iv_judge *judge;
    struct iv_store *store;
    struct iv_keep_step keep;
    struct iv_commit *commit;
    struct iv_clock clock;
    struct iv_arena arena;
    int64_t next[IV_STREAMS];
    uint64_t events;
    uint64_t verdicts;
    /* Of the hour. */
    struct histogram judging;
    struct histogram storing;
    uint64_t hour_events;
    uint64_t hour_allocations;
};

struct hour {
    double resident_mib;
    double state_mib;
    iv_ns median;
};

static void must(struct iv_rc_s rc, const struct iv_err *err)
{
    if (!iv_ok(rc)) {
        (void)fprintf(stderr, "soak: %s\n", err->text);
        exit(2);
    }
}

static void note(struct histogram *h, iv_ns length)
{
    uint64_t n = length < STEPS ? STEPS : (uint64_t)length;
    unsigned power = 63u - (unsigned)__builtin_clzll(n);
    h->counts[power * STEPS + (n >> (power - 4)) % STEPS]++;
    h->total++;
    h->greatest = length > h->greatest ? length : h->greatest;
}

static iv_ns quantile(const struct histogram *h, double q)
{
    uint64_t wanted = (uint64_t)(q * (double)h->total);
    uint64_t seen = 0;
    for (unsigned i = 0; i < IV_COUNT(h->counts); i++) {
        seen += h->counts[i];
        if (seen > wanted) {
            return (iv_ns)((uint64_t)(STEPS + i % STEPS) << (i / STEPS) >> 4);
        }
    }
    return 0;
}

static double resident_mib(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    char text[128];
    if (file != NULL && fgets(text, sizeof text, file) != NULL) {
        char *end = NULL;
        (void)strtol(text, &end, 10);
        pages = strtol(end, NULL, 10);
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return (double)pages * 4096 / (1 << 20);
}

static void on_verdict(void *ctx, const struct iv_verdict *verdict)
{
    struct soak *s = ctx;
    struct iv_err err;
    s->verdicts++;
    must(iv_commit_verdict(s->commit, verdict, 0, &err), &err);
}

static void ignore_plant(void *ctx, const struct iv_fleet_plant *plant)
{
    (void)ctx;
    (void)plant;
}

static void open_soak(struct soak *s, const char *folder, const char *store)
{
    IV_AUTO(iv_problems_freep) struct iv_problems *problems = NULL;
    const struct iv_hash_key key = {1, 2};
    struct iv_err err;
    iv_arena_init(&s->arena, 0);
    s->clock = iv_clock_system();
    must(iv_problems_new(&problems, &err), &err);
    must(iv_baseline_load(&s->baseline, iv_str_of(folder), problems, &err), &err);
    must(iv_decoder_new(&s->decoder, s->baseline->catalogue, &IV_DECODE_LIMITS_DEFAULT, key, &err), &err);
    const struct iv_judge_options judge = {
        .baseline = s->baseline, .verdict = on_verdict, .ctx = s, .digests = true, .hash_key = key};
    must(iv_judge_new(&s->judge, &judge, &err), &err);
    for (int stream = 0; stream < IV_STREAMS; stream++) {
        must(iv_judge_open(s->judge, (enum iv_stream)stream, 0, &err), &err);
    }
    must(iv_store_open(&s->store, iv_str_of(store), &err), &err);
    iv_keep_step_init(&s->keep, s->store, s->clock);
    must(iv_commit_new(&s->commit, s->baseline, &err), &err);
}

static void close_soak(struct soak *s)
{
    iv_commit_free(s->commit);
    iv_keep_step_deinit(&s->keep);
    iv_store_close(s->store);
    iv_judge_free(s->judge);
    iv_decoder_free(s->decoder);
    iv_baseline_unref(s->baseline);
    iv_arena_deinit(&s->arena);
}

struct outgoing {
    int64_t ids[BATCH * 8];
    size_t count;
};

static void take_posting(void *ctx, const struct iv_posting *posting)
{
    struct outgoing *o = ctx;
    o->ids[o->count++] = posting->id;
}

/* The broker takes everything at once, or the outbox would grow. */
static void deliver(struct soak *s)
{
    struct outgoing o = {.count = 0};
    struct iv_err err;
    must(iv_store_outbox(s->store, 0, IV_COUNT(o.ids), take_posting, &o, &err), &err);
    if (o.count > 0) {
        must(iv_store_begin(s->store, &err), &err);
        must(iv_store_delivered(s->store, o.ids, o.count, &err), &err);
        must(iv_store_commit(s->store, &err), &err);
    }
}

static void keep(struct soak *s)
{
    struct iv_err err;
    bool found = s->commit->verdict_count > 0;
    for (int stream = 0; stream < IV_STREAMS; stream++) {
        struct iv_str topic = iv_str_of(iv_stream_name((enum iv_stream)stream));
        const struct iv_cursor next = {(enum iv_stream)stream, 0, s->next[stream]};
        must(iv_commit_position(s->commit, topic, &next, &err), &err);
    }
    iv_ns begun = iv_monotonic(&s->clock);
    must(iv_keep_write(&s->keep, &s->commit, 1, &err), &err);
    note(&s->storing, iv_monotonic(&s->clock) - begun);
    iv_commit_free(s->commit);
    s->commit = NULL;
    must(iv_commit_new(&s->commit, s->baseline, &err), &err);
    if (found) {
        deliver(s);
    }
}

/* Of the processor: neighbours on the machine stretch the wall's. */
static iv_ns worked(void)
{
    struct timespec t;
    IV_CHECK(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t) == 0);
    return (iv_ns)t.tv_sec * IV_NS_PER_S + t.tv_nsec;
}

static void feed(struct soak *s, const struct iv_fleet_event *sent)
{
    struct iv_err err;
    struct iv_event event;
    iv_arena_reset(&s->arena);
    char *bytes = iv_arena_zalloc(&s->arena, sent->json.n + IV_RECORD_PADDING);
    IV_CHECK(bytes != NULL);
    memcpy(bytes, sent->json.p, sent->json.n);
    struct iv_record record = {
        .origin = {sent->stream, 0, s->next[sent->stream]++, iv_str_of(iv_stream_name(sent->stream))},
        .bytes = {bytes, sent->json.n}};
    uint64_t allocations = iv_alloc_calls();
    iv_ns begun = worked();
    must(iv_decode(s->decoder, &record, &s->arena, &event, &err), &err);
    must(iv_judge_event(s->judge, &event, &err), &err);
    note(&s->judging, worked() - begun);
    s->hour_allocations += iv_alloc_calls() - allocations;
    s->hour_events++;
    s->events++;
    if (s->events % BATCH == 0) {
        keep(s);
    }
}

static struct hour tell_hour(struct soak *s, unsigned number)
{
    struct iv_engine_stats stats;
    iv_judge_stats(s->judge, &stats);
    struct hour hour = {resident_mib(), (double)stats.state_bytes / (1 << 20), quantile(&s->judging, 0.5)};
    printf("%4u %10" PRIu64 " %8.2f %8.2f %8.2f %8.2f %8.1f %8.1f %9.1f %9.2f %9" PRIu64 " %7" PRIu64
           " %7" PRIu64 " %8" PRIu64 "\n",
           number, s->hour_events, (double)hour.median / 1e3, (double)quantile(&s->judging, 0.99) / 1e3,
           (double)quantile(&s->judging, 0.999) / 1e3, (double)s->judging.greatest / 1e6,
           (double)quantile(&s->storing, 0.5) / 1e3, (double)quantile(&s->storing, 0.99) / 1e3,
           hour.resident_mib, hour.state_mib, stats.live_events, stats.armed, s->hour_allocations,
           s->verdicts);
    (void)fflush(stdout);
    s->judging = (struct histogram){.total = 0};
    s->storing = (struct histogram){.total = 0};
    s->hour_events = 0;
    s->hour_allocations = 0;
    return hour;
}

static bool stays(const char *what, double first, double last, double most)
{
    double ratio = first > 0 ? last / first : 1;
    printf("%-44s %10.2f %10.2f  ratio %.2f (at most %.2f)\n", what, first, last, ratio, most);
    return ratio <= most;
}

/* The greatest memory of the hours from one on, up to another; and the least cost, since what else the
 * machine does makes hours dearer, and none cheaper. */
static struct hour extremes(const struct hour *hours, unsigned from, unsigned until)
{
    struct hour most = {.median = hours[from].median};
    for (unsigned i = from; i < until; i++) {
        most.resident_mib =
            hours[i].resident_mib > most.resident_mib ? hours[i].resident_mib : most.resident_mib;
        most.state_mib = hours[i].state_mib > most.state_mib ? hours[i].state_mib : most.state_mib;
        most.median = hours[i].median < most.median ? hours[i].median : most.median;
    }
    return most;
}

static bool judge_hours(const struct hour *hours, unsigned count)
{
    unsigned warm = count / 4;
    if (count < 8) {
        printf("too few hours to say whether anything grows\n");
        return true;
    }
    struct hour early = extremes(hours, warm, count / 2);
    struct hour late = extremes(hours, count - count / 4, count);
    bool resident = stays("memory of the process, MiB, early and late", early.resident_mib, late.resident_mib,
                          MEMORY_MAX_RATIO);
    bool state = stays("memory of the engines, MiB", early.state_mib, late.state_mib, MEMORY_MAX_RATIO);
    bool cost = stays("median of an event, us, in the best hour", (double)early.median / 1e3,
                      (double)late.median / 1e3, COST_MAX_RATIO);
    return resident && state && cost;
}

/* Found by the sanitizer, where there is one: what was freed comes back soon, or it would look like growth.
 */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=1";
}

int main(int argc, char **argv)
{
    enum { HOURS_MAX = 1000 };
    static struct soak s;
    static struct hour hours[HOURS_MAX];
    IV_CHECK(argc == 6);
    iv_log_configure(IV_LOG_ERROR, IV_LOG_LOGFMT);
    unsigned most = (unsigned)strtoul(argv[4], NULL, 10);
    IV_CHECK(most <= HOURS_MAX);
    const struct iv_fleet_options options = {.seed = 1,
                                             .agents = (unsigned)strtoul(argv[2], NULL, 10),
                                             .violations = VIOLATIONS,
                                             .start = START_NS,
                                             .events = strtoull(argv[3], NULL, 10)};
    IV_AUTO(iv_fleet_freep) struct iv_fleet *fleet = NULL;
    struct iv_fleet_event sent;
    struct iv_err err = {.text = ""};
    unsigned count = 0;
    open_soak(&s, argv[1], argv[5]);
    must(iv_fleet_new(&fleet, &options, ignore_plant, NULL, &err), &err);
    printf("%4s %10s %8s %8s %8s %8s %8s %8s %9s %9s %9s %7s %7s %8s\n", "hour", "events", "p50 us", "p99 us",
           "p999 us", "most ms", "kept us", "kept p99", "RSS MiB", "state MiB", "live", "armed", "allocs",
           "verdicts");
    while (count < most && iv_ok(iv_fleet_next(fleet, &sent, &err))) {
        while (count < most && sent.arrival >= START_NS + (iv_ns)(count + 1) * HOUR_NS) {
            hours[count] = tell_hour(&s, count + 1);
            count++;
        }
        feed(&s, &sent);
    }
    printf("%" PRIu64 " events of %u hours\n", s.events, count);
    bool flat = judge_hours(hours, count);
    close_soak(&s);
    return flat ? 0 : 1;
}
