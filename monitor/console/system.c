/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/system: what the monitor is made of and how its parts do, beside what the status says. */
#include "base/clock.h"
#include "base/guard.h"
#include "console/answer.h"
#include "console/page.h"
#include "console/readers.h"
#include "console/show.h"
#include "evidence/alert.h"
#include "evidence/coverage.h"
#include "evidence/journal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHANGES_OF_A_KIND_MAX = 20 };

struct histograms {
    struct iv_json *j;
    bool all; /* else those that have something in them */
};

static bool is_empty(const uint64_t *counts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (counts[i] > 0) {
            return false;
        }
    }
    return true;
}

static void write_histogram(void *ctx, const char *name, const double *bounds, const uint64_t *counts,
                            size_t count)
{
    const struct histograms *h = ctx;
    struct iv_json *j = h->j;
    if (!h->all && is_empty(counts, count)) {
        return;
    }
    iv_json_open_object(j, NULL);
    iv_json_text(j, "name", name);
    iv_json_text(j, "unit", "seconds");
    iv_json_open_list(j, "buckets");
    for (size_t i = 0; i < count; i++) {
        iv_json_open_object(j, NULL);
        if (isinf(bounds[i])) {
            iv_json_null(j, "le");
        } else {
            iv_json_real(j, "le", bounds[i]);
        }
        iv_json_int(j, "count", (int64_t)counts[i]);
        iv_json_close_object(j);
    }
    iv_json_close_list(j);
    iv_json_close_object(j);
}

/* A partition that this process reads, or has read. */
struct seat {
    struct iv_str topic;
    struct iv_str number;
    int worker; /* negative: none */
    int64_t lag;
    bool has_lag;
    iv_ns watermark; /* IV_NS_MIN: none yet, or of the exchange, which has none */
};

struct view {
    struct iv_json j;
    struct iv_console *console;
    struct iv_reader *reader;
    struct iv_arena *memory;
    struct seat *seats;
    size_t seat_count;
    size_t seat_max;
};

static void count_seat(void *ctx, const struct iv_str *values, size_t count, double worker)
{
    (void)values;
    (void)count;
    (void)worker;
    ++*(size_t *)ctx;
}

static void take_seat(void *ctx, const struct iv_str *values, size_t count, double worker)
{
    struct view *v = ctx;
    if (count == 2 && v->seat_count < v->seat_max) {
        v->seats[v->seat_count++] = (struct seat){
            .topic = values[0], .number = values[1], .worker = (int)worker, .watermark = IV_NS_MIN};
    }
}

static struct seat *seat_of(const struct view *v, struct iv_str topic, struct iv_str number)
{
    for (size_t i = 0; i < v->seat_count; i++) {
        struct seat *seat = &v->seats[i];
        if (seat->worker >= 0 && iv_str_eq(seat->topic, topic) && iv_str_eq(seat->number, number)) {
            return seat;
        }
    }
    return NULL;
}

static void take_lag(void *ctx, const struct iv_str *values, size_t count, double records)
{
    struct view *v = ctx;
    struct seat *seat = count == 2 ? seat_of(v, values[0], values[1]) : NULL;
    if (seat != NULL) {
        seat->lag = (int64_t)records;
        seat->has_lag = true;
    }
}

/* Slices of labels live as long as the metrics. */
static iv_rc take_seats(struct view *v, struct iv_err *err)
{
    struct iv_metrics *metrics = v->console->metrics;
    if (v->console->workers == 0) {
        return IV_OK;
    }
    iv_metrics_each(metrics, IV_METRIC_WORKER, count_seat, &v->seat_max);
    v->seats = iv_arena_zalloc(v->memory, (v->seat_max + 1) * sizeof *v->seats);
    ENSURE(v->seats != NULL, err, IV_E_NOMEM, "no memory left to list the partitions");
    iv_metrics_each(metrics, IV_METRIC_WORKER, take_seat, v);
    iv_metrics_each(metrics, IV_METRIC_LAG, take_lag, v);
    return IV_OK;
}

static void write_time(struct iv_json *j, const char *name, iv_ns time)
{
    if (time == IV_NS_MIN) {
        iv_json_null(j, name);
    } else {
        iv_json_time(j, name, time);
    }
}

static void write_lag(struct iv_json *j, const struct seat *seat)
{
    if (seat == NULL || !seat->has_lag) {
        iv_json_null(j, "lag");
    } else {
        iv_json_int(j, "lag", seat->lag);
    }
}

static iv_rc write_partition(void *ctx, struct iv_str topic, const struct iv_cover *cover, struct iv_err *err)
{
    (void)err;
    struct view *v = ctx;
    char number[24];
    (void)snprintf(number, sizeof number, "%lld", (long long)cover->partition);
    struct seat *seat = seat_of(v, topic, iv_str_of(number));
    iv_json_open_object(&v->j, NULL);
    iv_json_str(&v->j, "topic", topic);
    iv_json_int(&v->j, "partition", cover->partition);
    iv_json_text(&v->j, "stream", iv_stream_name(cover->stream));
    iv_json_text(&v->j, "state", iv_cover_state_name(cover->state));
    if (seat == NULL) {
        iv_json_null(&v->j, "worker");
    } else {
        iv_json_int(&v->j, "worker", seat->worker);
        seat->watermark = cover->reach;
    }
    write_lag(&v->j, seat);
    write_time(&v->j, "reach", cover->reach);
    iv_json_close_object(&v->j);
    return IV_OK;
}

static void write_worker(struct view *v, int worker)
{
    iv_json_open_object(&v->j, NULL);
    iv_json_int(&v->j, "worker", worker);
    iv_json_open_list(&v->j, "partitions");
    for (size_t i = 0; i < v->seat_count; i++) {
        const struct seat *seat = &v->seats[i];
        if (seat->worker == worker) {
            iv_json_open_object(&v->j, NULL);
            iv_json_str(&v->j, "topic", seat->topic);
            iv_json_str(&v->j, "partition", seat->number);
            write_lag(&v->j, seat);
            write_time(&v->j, "watermark", seat->watermark);
            iv_json_close_object(&v->j);
        }
    }
    iv_json_close_list(&v->j);
    iv_json_close_object(&v->j);
}

/* After the partitions, which tell the watermarks. */
static void write_workers(struct view *v)
{
    int count = (int)v->console->workers;
    if (count == 0) {
        iv_json_null(&v->j, "workers");
        return;
    }
    for (size_t i = 0; i < v->seat_count; i++) {
        count = v->seats[i].worker >= count ? v->seats[i].worker + 1 : count;
    }
    iv_json_open_list(&v->j, "workers");
    for (int worker = 0; worker < count; worker++) {
        write_worker(v, worker);
    }
    iv_json_close_list(&v->j);
}

/* Of the baseline in force, newest first. */
struct changes {
    struct iv_journal_row rows[2 * CHANGES_OF_A_KIND_MAX];
    size_t count;
    struct iv_arena *memory;
    bool failed;
};

static bool keep_change(void *ctx, const struct iv_journal_row *row)
{
    struct changes *c = ctx;
    struct iv_journal_row *kept = &c->rows[c->count++];
    *kept = *row;
    c->failed = c->failed || !iv_arena_keep(c->memory, &kept->what) ||
                !iv_arena_keep(c->memory, &kept->about) || !iv_arena_keep(c->memory, &kept->cause);
    return !c->failed && c->count < IV_COUNT(c->rows);
}

static int newest_first(const void *a, const void *b)
{
    const struct iv_journal_row *x = a;
    const struct iv_journal_row *y = b;
    return (x->seq < y->seq) - (x->seq > y->seq);
}

static iv_rc write_changes(struct view *v, struct iv_err *err)
{
    struct changes c = {.memory = v->memory};
    static const struct iv_str kinds[] = {IV_STR_INIT("reloaded"), IV_STR_INIT("reload-refused")};
    for (size_t i = 0; i < IV_COUNT(kinds); i++) {
        const struct iv_journal_filter filter = {
            .what = kinds[i], .newest_first = true, .limit = CHANGES_OF_A_KIND_MAX};
        TRY(iv_reader_journal(v->reader, &filter, keep_change, &c, err));
    }
    ENSURE(!c.failed, err, IV_E_NOMEM, "no memory left to read the journal");
    qsort(c.rows, c.count, sizeof c.rows[0], newest_first);
    iv_json_open_list(&v->j, "baselines");
    for (size_t i = 0; i < c.count; i++) {
        iv_json_open_object(&v->j, NULL);
        iv_json_time(&v->j, "at", c.rows[i].at);
        iv_json_str(&v->j, "digest", c.rows[i].about);
        iv_json_str(&v->j, "what", c.rows[i].what);
        iv_show_optional(&v->j, "text", c.rows[i].cause);
        iv_json_close_object(&v->j);
    }
    iv_json_close_list(&v->j);
    return IV_OK;
}

static iv_rc write_outbox(struct view *v, struct iv_err *err)
{
    struct iv_store_totals totals;
    struct iv_clock clock = iv_clock_system();
    TRY(iv_reader_totals(v->reader, &totals, err));
    iv_ns age = totals.outbox_oldest == 0 ? 0 : iv_wall(&clock) - totals.outbox_oldest;
    iv_json_open_object(&v->j, "outbox");
    iv_json_int(&v->j, "pending", totals.outbox);
    iv_json_real(&v->j, "oldest_seconds", age < 0 ? 0 : round((double)age / 1e6) / 1e3);
    iv_json_close_object(&v->j);
    return IV_OK;
}

static iv_rc write_system(struct view *v, struct iv_err *err)
{
    /* A latency of zero is another thing than one that is not known here. */
    struct histograms histograms = {.j = &v->j, .all = v->console->workers > 0};
    TRY(take_seats(v, err));
    iv_json_open_object(&v->j, NULL);
    iv_json_open_list(&v->j, "histograms");
    iv_metrics_histograms(v->console->metrics, write_histogram, &histograms);
    iv_json_close_list(&v->j);
    iv_json_open_list(&v->j, "partitions");
    TRY(iv_reader_covers(v->reader, write_partition, v, err));
    iv_json_close_list(&v->j);
    write_workers(v);
    TRY(write_changes(v, err));
    TRY(write_outbox(v, err));
    iv_json_open_list(&v->j, "sinks");
    TRY(iv_reader_alert_sinks(v->reader, iv_show_sink, &v->j, err));
    iv_json_close_list(&v->j);
    iv_json_close_object(&v->j);
    return IV_OK;
}

void iv_answer_system(struct iv_reply *reply, struct iv_request *request)
{
    struct iv_err err = {.text = ""};
    struct view v = {.j = iv_json_to(&reply->body), .console = request->console, .memory = &request->memory};
    v.reader = iv_readers_borrow(request->console->readers);
    struct iv_rc_s rc = write_system(&v, &err);
    iv_readers_return(request->console->readers, v.reader);
    iv_page_done(reply, rc, &err);
}
