/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "detect/detect_internal.h"
#include "detect/worker.h"

/* More partitions than that are read all the same; their lag is not told. */
#define PARTITIONS_SHOWN 256

static void report_cells(struct iv_worker *w, struct iv_worker_figures *figures)
{
    struct iv_engine_stats sum = {0};
    for (size_t i = 0; i < w->cell_count; i++) {
        struct iv_engine_stats stats;
        iv_judge_stats(w->cells[i]->judge, &stats);
        sum.state_bytes += stats.state_bytes;
        sum.live_events += stats.live_events;
        sum.armed += stats.armed;
        for (size_t s = 0; s < IV_STREAMS; s++) {
            bool lower = stats.watermark[s] < figures->watermark[s];
            figures->watermark[s] = lower ? stats.watermark[s] : figures->watermark[s];
        }
        figures->queue += iv_judge_queue(w->cells[i]->judge);
        iv_cell_count(w->cells[i]);
    }
    struct iv_str label = iv_str_of(w->label);
    iv_series_set(IV_SERIES(w->site.metrics, STATE, label), (double)sum.state_bytes);
    iv_series_set(IV_SERIES(w->site.metrics, LIVE_EVENTS, label), (double)sum.live_events);
    iv_series_set(IV_SERIES(w->site.metrics, ARMED, label), (double)sum.armed);
}

/* Each cell of the process has an equal part of what there is. */
static void share_memory(struct iv_worker *w)
{
    size_t cells = iv_detect_cells(w->detect);
    uint64_t over = 0;
    cells = cells > w->cell_count ? cells : w->cell_count;
    if (w->site.memory_limit == 0) {
        return;
    }
    for (size_t i = 0; i < w->cell_count; i++) {
        over += iv_cell_limit(w->cells[i], w->site.memory_limit / cells);
    }
    iv_series_set(IV_SERIES(w->site.metrics, OVER_LIMIT, iv_str_of(w->label)), (double)over);
}

static struct iv_str topic_of(const struct iv_worker *w, enum iv_stream stream)
{
    return w->kind == IV_WORKER_EXCHANGE ? w->site.exchange : w->site.topics[stream];
}

static void report_partitions(struct iv_worker *w)
{
    struct iv_partition_stats stats[PARTITIONS_SHOWN];
    size_t count = iv_consumer_partitions(w->consumer, stats, IV_COUNT(stats));
    for (size_t i = 0; i < count && i < IV_COUNT(stats); i++) {
        const struct iv_cursor *at = &stats[i].position;
        iv_detect_seat(w->detect, topic_of(w, at->stream), at->partition, (int)w->number);
        if (stats[i].lag >= 0) {
            iv_detect_lag(w->detect, topic_of(w, at->stream), at->partition, stats[i].lag);
        }
        if (stats[i].lag >= 0 && w->kind == IV_WORKER_STREAMS) {
            iv_tide_follow(w->site.tide, at->stream, at->partition, at->offset);
        }
    }
}

void iv_worker_leave(struct iv_worker *worker, const struct iv_cursor *at)
{
    iv_detect_lag(worker->detect, topic_of(worker, at->stream), at->partition, 0);
    iv_detect_seat(worker->detect, topic_of(worker, at->stream), at->partition, -1);
    if (worker->kind == IV_WORKER_STREAMS) {
        iv_tide_follow(worker->site.tide, at->stream, at->partition, -1);
    }
}

void iv_worker_report(struct iv_worker *worker)
{
    struct iv_saver_figures saved;
    iv_saver_figures(worker->site.saver, &saved);
    struct iv_worker_figures figures = {.saved = saved.taken};
    for (size_t s = 0; s < IV_STREAMS; s++) {
        figures.watermark[s] = IV_NS_MAX;
        figures.newest[s] = worker->site.newest[s];
    }
    report_cells(worker, &figures);
    figures.cells = worker->cell_count;
    report_partitions(worker);
    iv_worker_acknowledge(worker);
    iv_consumer_health(worker->consumer, &figures.health);
    share_memory(worker);
    iv_detect_figures(worker->detect, worker->number, &figures);
}
