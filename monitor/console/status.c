/* SPDX-License-Identifier: Apache-2.0 */
#include "console/status.h"

#include "base/clock.h"
#include "base/guard.h"
#include "console/answer.h"
#include "console/place.h"
#include "console/readers.h"
#include "evidence/coverage.h"

#include <math.h>

enum { SEVERITIES = 5 };

static iv_ns now_wall(void)
{
    struct iv_clock clock = iv_clock_system();
    return iv_wall(&clock);
}

void iv_status_sample(struct iv_console *console, iv_ns now)
{
    double events = iv_metrics_sum(console->metrics, IV_METRIC_EVENTS);
    (void)pthread_mutex_lock(&console->lock);
    size_t slots = IV_COUNT(console->samples);
    size_t oldest = console->sample_count < slots ? 0 : console->sample_count % slots;
    if (console->sample_count > 0 && now > console->samples[oldest].at) {
        console->events_per_s = (events - console->samples[oldest].events) /
                                ((double)(now - console->samples[oldest].at) / (double)IV_NS_PER_S);
    }
    console->samples[console->sample_count++ % slots].at = now;
    console->samples[(console->sample_count - 1) % slots].events = events;
    (void)pthread_mutex_unlock(&console->lock);
}

/* Null where another process detects: what is counted of it is not known here. */
static bool is_known(struct iv_json *j, const struct iv_console *console, const char *name)
{
    if (console->workers == 0) {
        iv_json_null(j, name);
    }
    return console->workers > 0;
}

static void write_events(struct iv_json *j, struct iv_console *console)
{
    if (!is_known(j, console, "events")) {
        return;
    }
    (void)pthread_mutex_lock(&console->lock);
    double rate = console->events_per_s;
    (void)pthread_mutex_unlock(&console->lock);
    iv_json_open_object(j, "events");
    iv_json_int(j, "total", (int64_t)iv_metrics_sum(console->metrics, IV_METRIC_EVENTS));
    iv_json_real(j, "per_second", round(rate * 10) / 10);
    iv_json_int(j, "duplicates", (int64_t)iv_metrics_sum(console->metrics, IV_METRIC_DUPLICATES));
    iv_json_int(j, "late", (int64_t)iv_metrics_sum(console->metrics, IV_METRIC_LATE));
    iv_json_close_object(j);
}

static void write_watermark(void *ctx, const struct iv_str *values, size_t count, double seconds)
{
    (void)count;
    struct iv_json *j = ctx;
    iv_json_open_object(j, NULL);
    iv_json_str(j, "stream", values[0]);
    iv_json_time(j, "time", (iv_ns)(seconds * 1e3) * IV_NS_PER_MS);
    iv_json_close_object(j);
}

static void write_lag(void *ctx, const struct iv_str *values, size_t count, double records)
{
    (void)count;
    struct iv_json *j = ctx;
    iv_json_open_object(j, NULL);
    iv_json_str(j, "topic", values[0]);
    iv_json_str(j, "partition", values[1]);
    iv_json_int(j, "records", (int64_t)records);
    iv_json_close_object(j);
}

static void write_quantile(struct iv_json *j, const char *name, struct iv_metrics *metrics, double q)
{
    double seconds = iv_metrics_quantile(metrics, IV_METRIC_DETECTION, q);
    if (isnan(seconds)) {
        iv_json_null(j, name);
    } else {
        iv_json_real(j, name, round(seconds * 1e6) / 1e6);
    }
}

static void write_memory(struct iv_json *j, struct iv_console *console)
{
    struct iv_metrics *metrics = console->metrics;
    if (!is_known(j, console, "memory")) {
        return;
    }
    double limit = iv_metrics_sum(metrics, IV_METRIC_MEMORY_LIMIT);
    iv_json_open_object(j, "memory");
    iv_json_int(j, "state_bytes", (int64_t)iv_metrics_sum(metrics, IV_METRIC_STATE));
    if (limit > 0) {
        iv_json_int(j, "limit_bytes", (int64_t)limit);
    } else {
        iv_json_null(j, "limit_bytes");
    }
    iv_json_int(j, "over_bytes", (int64_t)iv_metrics_sum(metrics, IV_METRIC_OVER_LIMIT));
    iv_json_close_object(j);
}

struct reached {
    iv_ns least[IV_STREAMS];
};

static iv_rc reach_one(void *ctx, struct iv_str topic, const struct iv_cover *cover, struct iv_err *err)
{
    (void)topic;
    (void)err;
    struct reached *reached = ctx;
    iv_ns *least = &reached->least[cover->stream];
    *least = cover->reach < *least ? cover->reach : *least;
    return IV_OK;
}

/* What the store knows of how far others have read: a stream has come as far as the last of its partitions.
 */
static iv_rc write_reached(struct iv_json *j, struct iv_reader *reader, struct iv_err *err)
{
    struct reached reached;
    for (int s = 0; s < IV_STREAMS; s++) {
        reached.least[s] = IV_NS_MAX;
    }
    TRY(iv_reader_covers(reader, reach_one, &reached, err));
    for (int s = 0; s < IV_STREAMS; s++) {
        if (reached.least[s] != IV_NS_MAX && reached.least[s] != IV_NS_MIN) {
            iv_json_open_object(j, NULL);
            iv_json_text(j, "stream", iv_stream_name((enum iv_stream)s));
            iv_json_time(j, "time", reached.least[s]);
            iv_json_close_object(j);
        }
    }
    return IV_OK;
}

static iv_rc write_watermarks(struct iv_json *j, struct iv_console *console, struct iv_reader *reader,
                              struct iv_err *err)
{
    iv_json_open_list(j, "watermarks");
    if (console->workers > 0) {
        iv_metrics_each(console->metrics, IV_METRIC_WATERMARK, write_watermark, j);
    } else {
        TRY(write_reached(j, reader, err));
    }
    iv_json_close_list(j);
    return IV_OK;
}

static void write_flow(struct iv_json *j, struct iv_console *console)
{
    write_events(j, console);
    if (is_known(j, console, "lag")) {
        iv_json_open_list(j, "lag");
        iv_metrics_each(console->metrics, IV_METRIC_LAG, write_lag, j);
        iv_json_close_list(j);
    }
    if (is_known(j, console, "detection")) {
        iv_json_open_object(j, "detection");
        write_quantile(j, "p50_seconds", console->metrics, 0.5);
        write_quantile(j, "p99_seconds", console->metrics, 0.99);
        iv_json_close_object(j);
    }
    write_memory(j, console);
}

/* One line a rule; the store counts by kind and severity too, which one rule may have several of. */
struct tally {
    struct iv_json *j;
    int64_t severities[SEVERITIES];
    int64_t total;
    int64_t suppressed;
    int64_t undecided;
    int64_t rule_total;
    int64_t rule_suppressed;
    char rule[32];
    size_t rule_n;
};

static void tally_end_rule(struct tally *t)
{
    if (t->rule_n > 0 && t->rule_total > 0) {
        iv_json_open_object(t->j, NULL);
        iv_json_str(t->j, "rule", (struct iv_str){t->rule, t->rule_n});
        iv_json_int(t->j, "count", t->rule_total);
        iv_json_int(t->j, "suppressed", t->rule_suppressed);
        iv_json_close_object(t->j);
    }
    t->rule_total = 0;
    t->rule_suppressed = 0;
}

static bool tally_one(void *ctx, const struct iv_finding_count *count)
{
    struct tally *t = ctx;
    if (count->kind == IV_OPEN || count->kind == IV_INCONCLUSIVE) {
        t->undecided += count->count;
        return true;
    }
    if (!iv_str_eq(count->rule, (struct iv_str){t->rule, t->rule_n})) {
        tally_end_rule(t);
        t->rule_n = count->rule.n < sizeof t->rule ? count->rule.n : sizeof t->rule;
        memcpy(t->rule, count->rule.p, t->rule_n);
    }
    t->severities[count->severity] += count->count;
    t->total += count->count;
    t->rule_total += count->count;
    t->suppressed += count->suppressed ? count->count : 0;
    t->rule_suppressed += count->suppressed ? count->count : 0;
    return true;
}

static iv_rc write_counts(struct iv_json *j, struct iv_reader *reader, struct iv_err *err)
{
    struct tally t = {.j = j};
    iv_json_open_object(j, "findings");
    iv_json_open_list(j, "by_rule");
    TRY(iv_reader_counts(reader, tally_one, &t, err));
    tally_end_rule(&t);
    iv_json_close_list(j);
    iv_json_int(j, "total", t.total);
    iv_json_int(j, "suppressed", t.suppressed);
    iv_json_int(j, "undecided", t.undecided);
    iv_json_open_object(j, "by_severity");
    for (int i = IV_SEV_CRITICAL; i >= IV_SEV_INFO; i--) {
        iv_json_int(j, iv_severity_name((enum iv_severity)i), t.severities[i]);
    }
    iv_json_close_object(j);
    iv_json_close_object(j);
    return IV_OK;
}

static double age_s(iv_ns since)
{
    iv_ns age = since == 0 ? 0 : now_wall() - since;
    return age < 0 ? 0 : (double)age / (double)IV_NS_PER_S;
}

static iv_rc write_totals(struct iv_json *j, struct iv_reader *reader, struct iv_err *err)
{
    struct iv_store_totals totals;
    TRY(iv_reader_totals(reader, &totals, err));
    iv_json_int(j, "dead_letters", totals.dead_letters);
    iv_json_open_object(j, "outbox");
    iv_json_int(j, "pending", totals.outbox);
    iv_json_real(j, "oldest_seconds", round(age_s(totals.outbox_oldest) * 1e3) / 1e3);
    iv_json_close_object(j);
    iv_json_open_object(j, "executions");
    for (unsigned i = 0; i < IV_RUN_STATES; i++) {
        iv_json_int(j, iv_run_state_name((enum iv_run_state)i), totals.executions[i]);
    }
    iv_json_close_object(j);
    return IV_OK;
}

static iv_rc write_store(struct iv_json *j, struct iv_console *console, struct iv_reader *reader,
                         struct iv_err *err)
{
    struct iv_store_heads heads;
    char place[IV_PLACE_BYTES];
    TRY(write_watermarks(j, console, reader, err));
    TRY(iv_reader_heads(reader, &heads, err));
    iv_place_format(place, (struct iv_place){heads.findings, heads.actions});
    iv_json_text(j, "position", place);
    TRY(write_counts(j, reader, err));
    return write_totals(j, reader, err);
}

/* Under the lock. */
static void write_reload(struct iv_json *j, const struct iv_console *console)
{
    if (console->reloaded == 0) {
        iv_json_null(j, "reload");
        return;
    }
    iv_json_open_object(j, "reload");
    iv_json_text(j, "result", console->reload_accepted ? "accepted" : "refused");
    iv_json_time(j, "time", console->reloaded);
    iv_json_text(j, "reason", console->reload_reason);
    iv_json_close_object(j);
}

iv_rc iv_status_write(struct iv_json *j, struct iv_console *console, struct iv_err *err)
{
    iv_json_open_object(j, NULL);
    iv_json_text(j, "version", console->version);
    iv_json_time(j, "now", now_wall());
    iv_json_int(j, "workers", console->workers);
    (void)pthread_mutex_lock(&console->lock);
    iv_json_bool(j, "ready", console->not_ready[0] == '\0');
    iv_json_text(j, "reason", console->not_ready);
    iv_json_str(j, "baseline", iv_str_of(console->digest));
    write_reload(j, console);
    (void)pthread_mutex_unlock(&console->lock);
    write_flow(j, console);
    struct iv_reader *reader = iv_readers_borrow(console->readers);
    struct iv_rc_s rc = write_store(j, console, reader, err);
    iv_readers_return(console->readers, reader);
    TRY(rc);
    iv_json_close_object(j);
    return IV_OK;
}

iv_rc iv_status_measure(struct iv_console *console, struct iv_err *err)
{
    struct iv_store_totals totals;
    struct iv_reader *reader = iv_readers_borrow(console->readers);
    struct iv_rc_s rc = iv_reader_totals(reader, &totals, err);
    iv_readers_return(console->readers, reader);
    TRY(rc);
    iv_series_set(iv_metrics_only(console->metrics, IV_METRIC_OUTBOX_PENDING), (double)totals.outbox);
    iv_series_set(iv_metrics_only(console->metrics, IV_METRIC_OUTBOX_OLDEST), age_s(totals.outbox_oldest));
    for (unsigned i = 0; i < IV_RUN_STATES; i++) {
        iv_series_set(
            IV_SERIES(console->metrics, EXECUTIONS, iv_str_of(iv_run_state_name((enum iv_run_state)i))),
            (double)totals.executions[i]);
    }
    return IV_OK;
}

void iv_answer_status(struct iv_reply *reply, struct iv_request *request)
{
    struct iv_err err;
    struct iv_json j = iv_json_to(&reply->body);
    if (!iv_ok(iv_status_write(&j, request->console, &err))) {
        iv_reply_failure(reply, &err);
        return;
    }
    reply->status = MHD_HTTP_OK;
    reply->type = "application/json";
}
