/* SPDX-License-Identifier: Apache-2.0 */
/* SERVERS FOLDER: reads ledger and telemetry from their beginning as the monitor does (its consumer, its
 * settings), and does nothing with them: from produce to here is the broker's and the client's share of a
 * latency. Says "ready" once it has its partitions. On SIGTERM it prints how many records came and the
 * milliseconds from their producers' stamps to their arrival (p50, p99, p99.9, most). Each partition's stamps
 * are written to FOLDER/TOPIC-PARTITION, one native 64-bit number of milliseconds for each offset, so that
 * whoever reads findings can look up their evidence. */
#include "base/clock.h"
#include "base/guard.h"
#include "base/log.h"
#include "stream/kafka.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define PARTITIONS_MAX 64
#define MS_MAX 600000

static volatile sig_atomic_t stopping;

static struct arrivals {
    const char *folder;
    FILE *stamps[IV_STREAMS][PARTITIONS_MAX];
    uint64_t counts[MS_MAX + 1]; /* by milliseconds */
    uint64_t total;
} arrivals;

static const struct iv_str topics[IV_STREAMS] = {
    [IV_LEDGER] = IV_STR_INIT("ledger"), [IV_TELEMETRY] = IV_STR_INIT("telemetry")};

static void on_signal(int number)
{
    (void)number;
    stopping = 1;
}

static void must(struct iv_rc_s rc, const struct iv_err *err)
{
    if (!iv_ok(rc)) {
        (void)fprintf(stderr, "arrivals: %s\n", err->text);
        exit(2);
    }
}

static iv_rc on_assigned(void *ctx, struct iv_cursor *positions, size_t count, struct iv_err *err)
{
    const struct arrivals *a = ctx;
    (void)err;
    for (size_t i = 0; i < count; i++) {
        positions[i].offset = IV_OFFSET_BEGINNING;
    }
    printf("ready: %zu partitions, stamps in %s\n", count, a->folder);
    (void)fflush(stdout);
    return IV_OK;
}

static void write_stamp(struct arrivals *a, const struct iv_record *record)
{
    IV_CHECK(record->origin.partition < PARTITIONS_MAX);
    FILE **file = &a->stamps[record->origin.stream][record->origin.partition];
    if (*file == NULL) {
        char path[512];
        (void)snprintf(path, sizeof path, "%s/" IV_STR_FMT "-%d", a->folder, IV_STR_ARG(record->origin.topic),
                       (int)record->origin.partition);
        *file = fopen(path, "wb");
        IV_CHECK(*file != NULL);
    }
    int64_t ms = record->written / IV_NS_PER_MS;
    IV_CHECK(fwrite(&ms, sizeof ms, 1, *file) == 1);
}

static void note(struct arrivals *a, const struct iv_batch *batch, iv_ns now)
{
    for (size_t i = 0; i < batch->count; i++) {
        int64_t ms = (now - batch->records[i].written) / IV_NS_PER_MS;
        ms = ms < 0 ? 0 : ms;
        a->counts[ms < MS_MAX ? ms : MS_MAX]++;
        a->total++;
        write_stamp(a, &batch->records[i]);
    }
}

static unsigned quantile(const struct arrivals *a, double q)
{
    uint64_t wanted = (uint64_t)(q * (double)a->total);
    uint64_t seen = 0;
    unsigned ms = 0;
    while (ms < MS_MAX && (seen += a->counts[ms]) <= wanted) {
        ms++;
    }
    return ms;
}

static unsigned most(const struct arrivals *a)
{
    unsigned ms = MS_MAX;
    while (ms > 0 && a->counts[ms] == 0) {
        ms--;
    }
    return ms;
}

int main(int argc, char **argv)
{
    IV_CHECK(argc == 3);
    iv_log_configure(IV_LOG_ERROR, IV_LOG_LOGFMT);
    IV_CHECK(signal(SIGTERM, on_signal) != SIG_ERR);
    arrivals.folder = argv[2];
    const struct iv_property properties[] = {{IV_STR("bootstrap.servers"), iv_str_of(argv[1])},
                                             {IV_STR("group.id"), IV_STR("arrivals")}};
    const struct iv_consumer_options options = {.properties = properties,
                                                .property_count = IV_COUNT(properties),
                                                .topics = {topics[IV_LEDGER], topics[IV_TELEMETRY]},
                                                .hooks = {.ctx = &arrivals, .assigned = on_assigned}};
    struct iv_clock clock = iv_clock_system();
    struct iv_consumer *consumer = NULL;
    struct iv_err err;
    must(iv_consumer_open(&consumer, &options, &err), &err);
    while (stopping == 0) {
        struct iv_batch batch;
        must(iv_consumer_poll(consumer, &batch, 50 * IV_NS_PER_MS, &err), &err);
        note(&arrivals, &batch, iv_wall(&clock));
    }
    iv_consumer_close(consumer);
    for (size_t s = 0; s < IV_STREAMS; s++) {
        for (size_t p = 0; p < PARTITIONS_MAX; p++) {
            IV_CHECK(arrivals.stamps[s][p] == NULL || fclose(arrivals.stamps[s][p]) == 0);
        }
    }
    printf("%" PRIu64 " %u %u %u %u\n", arrivals.total, quantile(&arrivals, 0.5), quantile(&arrivals, 0.99),
           quantile(&arrivals, 0.999), most(&arrivals));
    return 0;
}
