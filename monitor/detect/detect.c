/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/detect.h"
#include "base/alloc.h"
#include "base/guard.h"
#include "detect/detect_internal.h"
#include "respond/playbook.h"

#include <stdio.h>

/* Of one try to make the exchange's topic; it is tried again. */
#define PREPARE_WAIT (5 * IV_NS_PER_S)

void iv_detect_failed(struct iv_detect *detect, const struct iv_err *why)
{
    (void)pthread_mutex_lock(&detect->lock);
    bool first = !detect->failed;
    detect->failed = true;
    (void)pthread_mutex_unlock(&detect->lock);
    if (first) {
        detect->on_failed(detect->ctx, why);
    }
}

void iv_detect_reload(struct iv_detect *detect, struct iv_baseline *baseline, struct iv_playbooks *playbooks)
{
    (void)pthread_mutex_lock(&detect->lock);
    struct iv_baseline *forgone = detect->next;
    struct iv_playbooks *forgone_playbooks = detect->next_playbooks;
    detect->next = iv_baseline_ref(baseline);
    detect->next_playbooks = iv_playbooks_ref(playbooks);
    detect->taken = 0;
    detect->refused = 0;
    atomic_fetch_add(&detect->generation, 1);
    (void)pthread_mutex_unlock(&detect->lock);
    iv_baseline_unref(forgone);
    iv_playbooks_unref(forgone_playbooks);
}

uint64_t iv_detect_next(struct iv_detect *detect, struct iv_baseline **baseline,
                        struct iv_playbooks **playbooks)
{
    (void)pthread_mutex_lock(&detect->lock);
    *baseline = iv_baseline_ref(detect->next);
    *playbooks = iv_playbooks_ref(detect->next_playbooks);
    uint64_t generation = atomic_load(&detect->generation);
    (void)pthread_mutex_unlock(&detect->lock);
    return generation;
}

/* The keyring counts its own, and goes with its baseline. Under the lock. */
static void count_signatures(struct iv_detect *d)
{
    struct iv_keyring_counts counts;
    iv_keyring_counts(d->baseline->keyring, &counts);
    iv_series_add(iv_metrics_only(d->metrics, IV_METRIC_SIGNATURES), counts.verified - d->signatures);
    d->signatures = counts.verified;
}

static void told(struct iv_detect *d, struct iv_baseline *baseline, const struct iv_err *why, bool mixed)
{
    struct iv_err err;
    if (!mixed) {
        d->on_reloaded(d->ctx, baseline, why);
        return;
    }
    (void)iv_ok(
        iv_err_set(&err, IV_E_NOMEM,
                   "some workers have taken the baseline up and others could not, so that verdicts would "
                   "depend on the worker; a restart takes it up everywhere"));
    iv_detect_failed(d, &err);
}

void iv_detect_taken(struct iv_detect *detect, uint64_t generation, const struct iv_err *why)
{
    (void)pthread_mutex_lock(&detect->lock);
    bool current = generation == atomic_load(&detect->generation);
    detect->taken += current && why == NULL ? 1 : 0;
    detect->refused += current && why != NULL ? 1 : 0;
    bool last = current && detect->taken + detect->refused == detect->worker_count;
    bool mixed = detect->taken > 0 && detect->refused > 0;
    struct iv_baseline *baseline = last ? iv_baseline_ref(detect->next) : NULL;
    if (last && detect->refused == 0) {
        count_signatures(detect);
        iv_baseline_unref(detect->baseline);
        detect->baseline = iv_baseline_ref(baseline);
        detect->signatures = 0;
    }
    (void)pthread_mutex_unlock(&detect->lock);
    if (last) {
        told(detect, baseline, why, mixed);
        iv_baseline_unref(baseline);
    }
}

void iv_detect_figures(struct iv_detect *detect, unsigned worker, const struct iv_worker_figures *figures)
{
    struct iv_detect *d = detect;
    size_t queue = 0;
    iv_ns saved = figures->saved;
    (void)pthread_mutex_lock(&d->lock);
    d->figures[worker] = *figures;
    count_signatures(d);
    for (int s = 0; s < IV_STREAMS; s++) {
        iv_ns watermark = IV_NS_MAX;
        iv_ns newest = IV_NS_MIN;
        for (unsigned i = 0; i < d->worker_count; i++) {
            const struct iv_worker_figures *f = &d->figures[i];
            watermark = f->watermark[s] < watermark ? f->watermark[s] : watermark;
            newest = f->newest[s] > newest ? f->newest[s] : newest;
            queue += s == 0 ? f->queue : 0;
            saved = f->saved != 0 && f->saved < saved ? f->saved : saved;
        }
        struct iv_str stream = iv_str_of(iv_stream_name((enum iv_stream)s));
        iv_series_set_time(IV_SERIES(d->metrics, WATERMARK, stream),
                           watermark == IV_NS_MAX ? IV_NS_MIN : watermark);
        iv_series_set_time(IV_SERIES(d->metrics, LAST_EVENT, d->topics[s]), newest);
    }
    iv_series_set(iv_metrics_only(d->metrics, IV_METRIC_VERIFY_QUEUE), (double)queue);
    if (saved != 0) {
        struct iv_clock clock = iv_clock_system();
        iv_series_set(iv_metrics_only(d->metrics, IV_METRIC_SNAPSHOT_AGE),
                      (double)(iv_monotonic(&clock) - saved) / 1e9);
    }
    (void)pthread_mutex_unlock(&d->lock);
}

void iv_detect_lag(const struct iv_detect *detect, struct iv_str topic, int32_t partition, int64_t records)
{
    char number[16];
    (void)snprintf(number, sizeof number, "%d", partition);
    iv_series_set(IV_SERIES(detect->metrics, LAG, topic, iv_str_of(number)), (double)records);
}

void iv_detect_seat(const struct iv_detect *detect, struct iv_str topic, int32_t partition, int worker)
{
    char number[16];
    (void)snprintf(number, sizeof number, "%d", partition);
    iv_series_set(IV_SERIES(detect->metrics, WORKER, topic, iv_str_of(number)), worker);
}

size_t iv_detect_positions(struct iv_detect *detect, struct iv_cursor *out, size_t room)
{
    return iv_tide_positions(detect->tide, out, room);
}

size_t iv_detect_cells(struct iv_detect *detect)
{
    size_t cells = 0;
    (void)pthread_mutex_lock(&detect->lock);
    for (unsigned i = 0; i < detect->worker_count; i++) {
        cells += detect->figures[i].cells;
    }
    (void)pthread_mutex_unlock(&detect->lock);
    return cells;
}

void iv_detect_health(struct iv_detect *detect, struct iv_consumer_health *out)
{
    *out = (struct iv_consumer_health){.reachable = true, .complete = true, .assigned = true};
    (void)pthread_mutex_lock(&detect->lock);
    for (unsigned i = 0; i < detect->worker_count; i++) {
        const struct iv_consumer_health *h = &detect->figures[i].health;
        out->reachable = out->reachable && h->reachable;
        out->complete = out->complete && h->complete;
        out->assigned = out->assigned && h->assigned;
        out->partitions += h->partitions;
        if (out->trouble[0] == '\0') {
            (void)snprintf(out->trouble, sizeof out->trouble, "%s", h->trouble);
        }
    }
    (void)pthread_mutex_unlock(&detect->lock);
}

static bool is_stopping(void *ctx)
{
    return iv_detect_stopping(ctx);
}

struct iv_post_options iv_detect_post(struct iv_detect *detect)
{
    return (struct iv_post_options){.kafka = detect->kafka,
                                    .kafka_count = detect->kafka_count,
                                    .topic = detect->exchange,
                                    .stopping = is_stopping,
                                    .ctx = detect};
}

iv_rc iv_detect_prepare_exchange(struct iv_detect *detect, int32_t width, struct iv_err *err)
{
    if (atomic_load(&detect->width) == width) {
        return IV_OK;
    }
    const struct iv_post_options post = iv_detect_post(detect);
    if (width > 1) {
        TRY(iv_post_prepare(&post, width, PREPARE_WAIT, err));
    }
    atomic_store(&detect->width, width);
    return IV_OK;
}

/* From the tide's thread, in place of a worker that is stuck. */
static void tell_lag(void *ctx, enum iv_stream stream, int32_t partition, int64_t records)
{
    const struct iv_detect *d = ctx;
    iv_detect_lag(d, d->topics[stream], partition, records);
}

static iv_rc open_workers(struct iv_detect *d, const struct iv_detect_options *options, struct iv_err *err)
{
    unsigned count = 2 * options->workers;
    d->workers = iv_calloc(count, sizeof(struct iv_worker *));
    d->figures = iv_calloc(count, sizeof *d->figures);
    d->kafka = iv_calloc(options->kafka_count + 1, sizeof *d->kafka);
    ENSURE(d->workers != NULL && d->figures != NULL && d->kafka != NULL, err, IV_E_NOMEM,
           "cannot allocate the workers");
    d->kafka_count = options->kafka_count;
    for (size_t i = 0; i < options->kafka_count; i++) {
        d->kafka[i] = options->kafka[i];
    }
    struct iv_tide_options tide = {
        .properties = options->kafka, .property_count = options->kafka_count, .lag = tell_lag, .ctx = d};
    memcpy(tide.topics, options->topics, sizeof tide.topics);
    TRY(iv_tide_start(&d->tide, &tide, err));
    for (unsigned i = 0; i < count; i++) {
        enum iv_worker_kind kind = i < options->workers ? IV_WORKER_STREAMS : IV_WORKER_EXCHANGE;
        struct iv_worker_figures *figures = &d->figures[i];
        for (int s = 0; s < IV_STREAMS; s++) {
            figures->watermark[s] = IV_NS_MAX;
            figures->newest[s] = IV_NS_MIN;
        }
        bool stands_by = kind == IV_WORKER_EXCHANGE; /* until it is known that there is an exchange */
        figures->health =
            (struct iv_consumer_health){.reachable = stands_by, .complete = stands_by, .assigned = stands_by};
        TRY(iv_worker_open(&d->workers[i], d, kind, i % options->workers, options, err));
        d->worker_count++;
    }
    return IV_OK;
}

static iv_rc start_workers(struct iv_detect *d, const struct iv_detect_options *options, struct iv_err *err)
{
    TRY(open_workers(d, options, err));
    for (unsigned i = 0; i < d->worker_count; i++) {
        TRY(iv_worker_start(d->workers[i], err));
    }
    return IV_OK;
}

iv_rc iv_detect_start(struct iv_detect **out, const struct iv_detect_options *options, struct iv_err *err)
{
    struct iv_detect *d = iv_calloc(1, sizeof *d);
    ENSURE(d != NULL, err, IV_E_NOMEM, "cannot allocate the detector");
    IV_CHECK(pthread_mutex_init(&d->lock, NULL) == 0);
    iv_outlet_init(&d->outlet, options->commits, options->kept);
    d->baseline = iv_baseline_ref(options->baseline);
    d->metrics = options->metrics;
    d->exchange = options->exchange;
    d->on_failed = options->failed;
    d->on_reloaded = options->reloaded;
    d->ctx = options->ctx;
    for (size_t s = 0; s < IV_STREAMS; s++) {
        d->topics[s] = options->topics[s];
    }
    struct iv_rc_s rc = start_workers(d, options, err);
    if (!iv_ok(rc)) {
        iv_detect_stop(d);
        return rc;
    }
    *out = d;
    return IV_OK;
}

void iv_detect_stop(struct iv_detect *detect)
{
    if (detect == NULL) {
        return;
    }
    atomic_store(&detect->stopping, true);
    for (unsigned i = 0; i < detect->worker_count; i++) {
        iv_worker_free(detect->workers[i]);
    }
    iv_tide_stop(detect->tide);
    iv_outlet_deinit(&detect->outlet);
    iv_baseline_unref(detect->baseline);
    iv_baseline_unref(detect->next);
    iv_playbooks_unref(detect->next_playbooks);
    (void)pthread_mutex_destroy(&detect->lock);
    iv_free(detect->workers);
    iv_free(detect->figures);
    iv_free(detect->kafka);
    iv_free(detect);
}
