/* SPDX-License-Identifier: Apache-2.0 */
#include "console/metrics.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "base/json_write.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum kind { COUNTER, GAUGE, SECONDS, COUNTER_SECONDS };
enum { LABELS_MAX = 3, SERIES_MAX = 512, LABEL_BYTES_MAX = 128 };

static const struct {
    const char *name;
    const char *labels;
    const char *help;
    enum kind kind;
} metric_table[IV_METRIC_COUNT] = {
#define METRIC(id, kind, name, labels, help) [IV_METRIC_##id] = {name, labels, help, kind},
#include "console/metrics.def"
#undef METRIC
};

/* Upper bounds of a histogram's buckets; one more holds what is beyond the last. */
static const iv_ns bucket_bounds[] = {
    1000000,   2500000,    5000000,    10000000,   25000000,    50000000,    100000000,   250000000,
    500000000, 1000000000, 2500000000, 5000000000, 10000000000, 30000000000, 60000000000, 300000000000,
};
enum { BUCKETS = IV_COUNT(bucket_bounds) + 1 };

struct iv_series {
    struct iv_series *next;
    struct iv_str values[LABELS_MAX];
    atomic_bool shown;       /* something was counted, set or observed */
    _Atomic uint64_t number; /* COUNTER: itself; GAUGE and COUNTER_SECONDS: the bits of a double */
    _Atomic uint64_t sum_ns; /* SECONDS */
    _Atomic uint64_t buckets[BUCKETS];
};

struct family {
    struct iv_series *first; /* in order of appearance */
    struct iv_series *last;
    size_t count;
    size_t label_count;
    struct iv_series other; /* where there is no room for more */
};

struct iv_metrics {
    pthread_mutex_t lock; /* the lists; never held while somebody counts */
    struct family families[IV_METRIC_COUNT];
};

static void show(struct iv_series *s, bool shown)
{
    atomic_store_explicit(&s->shown, shown, memory_order_relaxed);
}

static size_t labels_of(struct iv_str out[LABELS_MAX], const char *list)
{
    size_t count = 0;
    while (*list != '\0') {
        size_t n = strcspn(list, ",");
        IV_CHECK(count < LABELS_MAX);
        out[count++] = (struct iv_str){list, n};
        list += n + (list[n] == ',' ? 1 : 0);
    }
    return count;
}

iv_rc iv_metrics_new(struct iv_metrics **out, struct iv_err *err)
{
    struct iv_metrics *m = iv_calloc(1, sizeof *m);
    ENSURE(m != NULL, err, IV_E_NOMEM, "cannot allocate the metrics");
    (void)pthread_mutex_init(&m->lock, NULL);
    for (size_t i = 0; i < IV_METRIC_COUNT; i++) {
        struct iv_str names[LABELS_MAX];
        m->families[i].label_count = labels_of(names, metric_table[i].labels);
        for (size_t k = 0; k < LABELS_MAX; k++) {
            m->families[i].other.values[k] = IV_STR("other");
        }
        /* What can only be counted up is 0 before it is counted, so that a rate over it has a beginning. */
        if (m->families[i].label_count == 0 && metric_table[i].kind != GAUGE) {
            show(iv_metrics_only(m, (enum iv_metric)i), true);
        }
    }
    *out = m;
    return IV_OK;
}

void iv_metrics_free(struct iv_metrics *metrics)
{
    if (metrics == NULL) {
        return;
    }
    for (size_t i = 0; i < IV_METRIC_COUNT; i++) {
        struct iv_series *next = NULL;
        for (struct iv_series *s = metrics->families[i].first; s != NULL; s = next) {
            next = s->next;
            iv_free(s);
        }
    }
    (void)pthread_mutex_destroy(&metrics->lock);
    iv_free(metrics);
}

void iv_metrics_freep(struct iv_metrics **metrics)
{
    iv_metrics_free(*metrics);
}

static bool series_has(const struct iv_series *s, const struct iv_str *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!iv_str_eq(s->values[i], values[i])) {
            return false;
        }
    }
    return true;
}

/* One allocation: the series and the text of its labels behind it. */
static struct iv_series *series_make(const struct iv_str *values, size_t count)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        bytes += values[i].n;
    }
    struct iv_series *s = iv_calloc(1, sizeof *s + bytes);
    if (s == NULL) {
        return NULL;
    }
    char *text = (char *)(s + 1);
    for (size_t i = 0; i < count; i++) {
        if (values[i].n > 0) {
            memcpy(text, values[i].p, values[i].n);
        }
        s->values[i] = (struct iv_str){text, values[i].n};
        text += values[i].n;
    }
    return s;
}

static struct iv_series *family_find(struct family *f, const struct iv_str *values, size_t count)
{
    for (struct iv_series *s = f->first; s != NULL; s = s->next) {
        if (series_has(s, values, count)) {
            return s;
        }
    }
    if (f->count >= SERIES_MAX) {
        return &f->other;
    }
    for (size_t i = 0; i < count; i++) {
        if (values[i].n > LABEL_BYTES_MAX || !iv_utf8_valid(values[i])) {
            return &f->other;
        }
    }
    struct iv_series *s = series_make(values, count);
    if (s == NULL) {
        return &f->other;
    }
    if (f->last == NULL) {
        f->first = s;
    } else {
        f->last->next = s;
    }
    f->last = s;
    f->count++;
    return s;
}

struct iv_series *iv_metrics_series(struct iv_metrics *metrics, enum iv_metric metric,
                                    const struct iv_str *values, size_t count)
{
    struct family *f = &metrics->families[metric];
    IV_CHECK(count == f->label_count);
    (void)pthread_mutex_lock(&metrics->lock);
    struct iv_series *s = family_find(f, values, count);
    (void)pthread_mutex_unlock(&metrics->lock);
    return s;
}

struct iv_series *iv_metrics_only(struct iv_metrics *metrics, enum iv_metric metric)
{
    return iv_metrics_series(metrics, metric, NULL, 0);
}

static uint64_t load(const _Atomic uint64_t *number)
{
    return atomic_load_explicit(number, memory_order_relaxed);
}

void iv_series_add(struct iv_series *counter, uint64_t n)
{
    (void)atomic_fetch_add_explicit(&counter->number, n, memory_order_relaxed);
    show(counter, true);
}

void iv_series_total(struct iv_series *counter, uint64_t total)
{
    atomic_store_explicit(&counter->number, total, memory_order_relaxed);
    show(counter, true);
}

void iv_series_set(struct iv_series *gauge, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    atomic_store_explicit(&gauge->number, bits, memory_order_relaxed);
    show(gauge, true);
}

void iv_series_set_time(struct iv_series *gauge, iv_ns instant)
{
    if (instant == IV_NS_MIN) {
        show(gauge, false);
    } else {
        iv_series_set(gauge, (double)instant / (double)IV_NS_PER_S);
    }
}

void iv_series_observe(struct iv_series *histogram, iv_ns duration)
{
    iv_ns d = duration < 0 ? 0 : duration;
    size_t i = 0;
    while (i < IV_COUNT(bucket_bounds) && d > bucket_bounds[i]) {
        i++;
    }
    (void)atomic_fetch_add_explicit(&histogram->buckets[i], 1, memory_order_relaxed);
    (void)atomic_fetch_add_explicit(&histogram->sum_ns, (uint64_t)d, memory_order_relaxed);
    show(histogram, true);
}

static uint64_t observed(const struct iv_series *s)
{
    uint64_t n = 0;
    for (size_t i = 0; i < BUCKETS; i++) {
        n += load(&s->buckets[i]);
    }
    return n;
}

static double value_of(const struct iv_series *s, enum kind kind)
{
    uint64_t bits = load(&s->number);
    if (kind == COUNTER) {
        return (double)bits;
    }
    if (kind == SECONDS) {
        return (double)observed(s);
    }
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The series that are shown, the overflow last. To be walked under the lock. */
static struct iv_series *next_shown(struct family *f, struct iv_series *after)
{
    struct iv_series *s = after;
    do {
        if (s == &f->other) {
            return NULL;
        }
        s = s == NULL ? f->first : s->next;
        s = s == NULL ? &f->other : s;
    } while (!atomic_load_explicit(&s->shown, memory_order_relaxed));
    return s;
}

void iv_metrics_each(struct iv_metrics *metrics, enum iv_metric metric, iv_series_fn fn, void *ctx)
{
    struct family *f = &metrics->families[metric];
    (void)pthread_mutex_lock(&metrics->lock);
    for (struct iv_series *s = next_shown(f, NULL); s != NULL; s = next_shown(f, s)) {
        fn(ctx, s->values, f->label_count, value_of(s, metric_table[metric].kind));
    }
    (void)pthread_mutex_unlock(&metrics->lock);
}

static void add_up(void *ctx, const struct iv_str *values, size_t count, double value)
{
    (void)values;
    (void)count;
    *(double *)ctx += value;
}

double iv_metrics_sum(struct iv_metrics *metrics, enum iv_metric metric)
{
    double sum = 0;
    iv_metrics_each(metrics, metric, add_up, &sum);
    return sum;
}

/* Sums the buckets of all series; answers how many were observed. */
static uint64_t add_buckets(uint64_t counts[BUCKETS], struct iv_metrics *metrics, enum iv_metric metric)
{
    struct family *f = &metrics->families[metric];
    uint64_t total = 0;
    memset(counts, 0, BUCKETS * sizeof counts[0]);
    (void)pthread_mutex_lock(&metrics->lock);
    for (struct iv_series *s = next_shown(f, NULL); s != NULL; s = next_shown(f, s)) {
        for (size_t i = 0; i < BUCKETS; i++) {
            uint64_t n = load(&s->buckets[i]);
            counts[i] += n;
            total += n;
        }
    }
    (void)pthread_mutex_unlock(&metrics->lock);
    return total;
}

void iv_metrics_histograms(struct iv_metrics *metrics, iv_histogram_fn fn, void *ctx)
{
    double bounds[BUCKETS];
    for (size_t i = 0; i < BUCKETS; i++) {
        bounds[i] = i < IV_COUNT(bucket_bounds) ? (double)bucket_bounds[i] / (double)IV_NS_PER_S : INFINITY;
    }
    for (int metric = 0; metric < IV_METRIC_COUNT; metric++) {
        uint64_t counts[BUCKETS];
        if (metric_table[metric].kind == SECONDS) {
            (void)add_buckets(counts, metrics, (enum iv_metric)metric);
            fn(ctx, metric_table[metric].name, bounds, counts, BUCKETS);
        }
    }
}

double iv_metrics_quantile(struct iv_metrics *metrics, enum iv_metric metric, double q)
{
    uint64_t counts[BUCKETS];
    uint64_t total = add_buckets(counts, metrics, metric);
    if (total == 0) {
        return NAN;
    }
    double rank = q * (double)total;
    double below = 0;
    for (size_t i = 0; i < IV_COUNT(bucket_bounds); i++) {
        double here = (double)counts[i];
        if (here > 0 && below + here >= rank) {
            double low = i == 0 ? 0 : (double)bucket_bounds[i - 1];
            double high = (double)bucket_bounds[i];
            return (low + (high - low) * (rank - below) / here) / (double)IV_NS_PER_S;
        }
        below += here;
    }
    return (double)bucket_bounds[IV_COUNT(bucket_bounds) - 1] / (double)IV_NS_PER_S;
}

static void write_escaped(struct iv_buf *out, struct iv_str value)
{
    for (size_t i = 0; i < value.n; i++) {
        char c = value.p[i];
        if (c == '\n') {
            iv_buf_text(out, "\\n");
            continue;
        }
        if (c == '"' || c == '\\') {
            iv_buf_char(out, '\\');
        }
        iv_buf_char(out, c);
    }
}

/* {a="x",b="y"}; le is one label more, for a bucket. */
static void write_labels(struct iv_buf *out, const char *list, const struct iv_series *s, const char *le)
{
    struct iv_str names[LABELS_MAX];
    size_t count = labels_of(names, list);
    if (count == 0 && le == NULL) {
        return;
    }
    iv_buf_char(out, '{');
    for (size_t i = 0; i < count; i++) {
        iv_buf_printf(out, "%s" IV_STR_FMT "=\"", i == 0 ? "" : ",", IV_STR_ARG(names[i]));
        write_escaped(out, s->values[i]);
        iv_buf_char(out, '"');
    }
    if (le != NULL) {
        iv_buf_printf(out, "%sle=\"%s\"", count == 0 ? "" : ",", le);
    }
    iv_buf_char(out, '}');
}

static void write_double(struct iv_buf *out, double value)
{
    if (isfinite(value)) {
        iv_json_double(out, value);
        iv_buf_char(out, '\n');
    } else {
        iv_buf_text(out, isnan(value) ? "NaN\n" : value > 0 ? "+Inf\n" : "-Inf\n");
    }
}

static void write_histogram(struct iv_buf *out, const char *name, const char *labels,
                            const struct iv_series *s)
{
    uint64_t below = 0;
    for (size_t i = 0; i < BUCKETS; i++) {
        char le[32] = "+Inf";
        if (i < IV_COUNT(bucket_bounds)) {
            (void)snprintf(le, sizeof le, "%g", (double)bucket_bounds[i] / (double)IV_NS_PER_S);
        }
        below += load(&s->buckets[i]);
        iv_buf_printf(out, "%s_bucket", name);
        write_labels(out, labels, s, le);
        iv_buf_printf(out, " %llu\n", (unsigned long long)below);
    }
    iv_buf_printf(out, "%s_sum", name);
    write_labels(out, labels, s, NULL);
    iv_buf_char(out, ' ');
    write_double(out, (double)load(&s->sum_ns) / (double)IV_NS_PER_S);
    iv_buf_printf(out, "%s_count", name);
    write_labels(out, labels, s, NULL);
    /* The sum of the buckets as just written: a count of its own could disagree with them. */
    iv_buf_printf(out, " %llu\n", (unsigned long long)below);
}

static void write_series(struct iv_buf *out, size_t metric, const struct iv_series *s)
{
    if (metric_table[metric].kind == SECONDS) {
        write_histogram(out, metric_table[metric].name, metric_table[metric].labels, s);
        return;
    }
    iv_buf_text(out, metric_table[metric].name);
    write_labels(out, metric_table[metric].labels, s, NULL);
    iv_buf_char(out, ' ');
    if (metric_table[metric].kind == COUNTER) {
        iv_buf_printf(out, "%llu\n", (unsigned long long)load(&s->number));
    } else {
        write_double(out, value_of(s, metric_table[metric].kind));
    }
}

void iv_metrics_write(struct iv_buf *out, struct iv_metrics *metrics)
{
    static const char *const kinds[] = {
        [COUNTER] = "counter", [GAUGE] = "gauge", [SECONDS] = "histogram", [COUNTER_SECONDS] = "counter"};
    (void)pthread_mutex_lock(&metrics->lock);
    for (size_t i = 0; i < IV_METRIC_COUNT; i++) {
        iv_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", metric_table[i].name, metric_table[i].help,
                      metric_table[i].name, kinds[metric_table[i].kind]);
        struct family *f = &metrics->families[i];
        for (struct iv_series *s = next_shown(f, NULL); s != NULL; s = next_shown(f, s)) {
            write_series(out, i, s);
        }
    }
    (void)pthread_mutex_unlock(&metrics->lock);
}
