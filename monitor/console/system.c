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

static void write_histogram(void *ctx, const char *name, const double *bounds, const uint64_t *counts,
                            size_t count)
{
    struct iv_json *j = ctx;
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

struct partition {
    char number[16];
    struct iv_str topic;
    double lag; /* negative: not known */
};

static void find_lag(void *ctx, const struct iv_str *values, size_t count, double records)
{
    struct partition *p = ctx;
    if (count == 2 && iv_str_eq(values[0], p->topic) && iv_str_eq(values[1], iv_str_of(p->number))) {
        p->lag = records;
    }
}

struct view {
    struct iv_json j;
    struct iv_console *console;
    struct iv_reader *reader;
    struct iv_arena *memory;
};

static iv_rc write_partition(void *ctx, struct iv_str topic, const struct iv_cover *cover, struct iv_err *err)
{
    (void)err;
    struct view *v = ctx;
    struct partition p = {.topic = topic, .lag = -1};
    (void)snprintf(p.number, sizeof p.number, "%lld", (long long)cover->partition);
    iv_metrics_each(v->console->metrics, IV_METRIC_LAG, find_lag, &p);
    iv_json_open_object(&v->j, NULL);
    iv_json_str(&v->j, "topic", topic);
    iv_json_int(&v->j, "partition", cover->partition);
    iv_json_text(&v->j, "stream", iv_stream_name(cover->stream));
    iv_json_text(&v->j, "state", iv_cover_state_name(cover->state));
    if (p.lag < 0) {
        iv_json_null(&v->j, "lag");
    } else {
        iv_json_int(&v->j, "lag", (int64_t)p.lag);
    }
    if (cover->reach == IV_NS_MIN) {
        iv_json_null(&v->j, "reach");
    } else {
        iv_json_time(&v->j, "reach", cover->reach);
    }
    iv_json_close_object(&v->j);
    return IV_OK;
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
    iv_json_open_object(&v->j, NULL);
    iv_json_open_list(&v->j, "histograms");
    iv_metrics_histograms(v->console->metrics, write_histogram, &v->j);
    iv_json_close_list(&v->j);
    iv_json_open_list(&v->j, "partitions");
    TRY(iv_reader_covers(v->reader, write_partition, v, err));
    iv_json_close_list(&v->j);
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
