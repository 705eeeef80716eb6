/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics: counted by the threads of the app, shown by the console.
 * Purpose: one table (metrics.def) says which metrics exist, with their labels and their help; nothing else
 * does.
 * Owner/thread: one registry per process. Any thread may look a series up (a lock, a short list) and keep
 * the pointer; adding, setting and observing are relaxed atomics.
 * Guarantee: a metric holds a bounded number of series. Beyond it, and when memory is out, what is counted
 * goes to one series whose labels all read "other": nothing fails, nothing is lost from the sum.
 * Source: Prometheus text exposition format 0.0.4; OpenMetrics naming advice (base units, _total).
 *
 *     struct iv_series *ok = IV_SERIES(m, EVENTS, IV_STR("ledger"), IV_STR("accepted"));
 *     iv_series_add(ok, batch_count); */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "base/time.h"

#include <stddef.h>
#include <stdint.h>

enum iv_metric {
#define METRIC(id, kind, name, labels, help) IV_METRIC_##id,
#include "console/metrics.def"
#undef METRIC
    IV_METRIC_COUNT
};

struct iv_metrics;
struct iv_series;

iv_rc iv_metrics_new(struct iv_metrics **out, struct iv_err *err);
void iv_metrics_free(struct iv_metrics *metrics);
void iv_metrics_freep(struct iv_metrics **metrics);

/* The series of these label values, made where it is new. Never NULL; lives as long as the registry. count
 * must be the number of labels that metrics.def declares. */
struct iv_series *iv_metrics_series(struct iv_metrics *metrics, enum iv_metric metric,
                                    const struct iv_str *values, size_t count);
#define IV_SERIES(metrics, id, ...)                                                                          \
    iv_metrics_series((metrics), IV_METRIC_##id, (const struct iv_str[]){__VA_ARGS__},                       \
                      sizeof((const struct iv_str[]){__VA_ARGS__}) / sizeof(struct iv_str))
/* Of a metric without labels. */
struct iv_series *iv_metrics_only(struct iv_metrics *metrics, enum iv_metric metric);

void iv_series_add(struct iv_series *counter, uint64_t n);
/* For a counter that somebody else keeps: the new total. */
void iv_series_total(struct iv_series *counter, uint64_t total);
void iv_series_set(struct iv_series *gauge, double value);
/* An instant as seconds since the epoch; IV_NS_MIN (none yet) leaves the series out of what is shown. */
void iv_series_set_time(struct iv_series *gauge, iv_ns instant);
/* One duration, into a histogram. */
void iv_series_observe(struct iv_series *histogram, iv_ns duration);

/* The sum over a metric's series: of a counter or gauge the values, of a histogram how many were observed. */
double iv_metrics_sum(struct iv_metrics *metrics, enum iv_metric metric);

/* A histogram's quantile (0 to 1) over all its series, in seconds, interpolated within its bucket; NaN:
 * empty. */
double iv_metrics_quantile(struct iv_metrics *metrics, enum iv_metric metric, double q);

/* Calls fn for each histogram, over all its series: how many observations lie in each bucket, up to its bound
 * in seconds and above the one before; the last bound is infinite. */
typedef void (*iv_histogram_fn)(void *ctx, const char *name, const double *bounds, const uint64_t *counts,
                                size_t count);
void iv_metrics_histograms(struct iv_metrics *metrics, iv_histogram_fn fn, void *ctx);

/* Calls fn for each series that was set, with its label values in the order of their declaration. */
typedef void (*iv_series_fn)(void *ctx, const struct iv_str *values, size_t count, double value);
void iv_metrics_each(struct iv_metrics *metrics, enum iv_metric metric, iv_series_fn fn, void *ctx);

/* The whole registry in the text format. */
void iv_metrics_write(struct iv_buf *out, struct iv_metrics *metrics);
