/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/alerts.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/guard.h"
#include "base/log.h"
#include "evidence/alert.h"
#include "respond/alert/canary.h"
#include "respond/alert/deliver.h"
#include "respond/alert/outage.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#define SETTLE_WAIT (200 * IV_NS_PER_MS)
#define BUSY_WAIT (100 * IV_NS_PER_MS)
#define LEAST_WAIT (20 * IV_NS_PER_MS)
#define MEASURE_EVERY IV_NS_PER_S
#define CANARY_LOOK (10 * IV_NS_PER_S)
#define CANARY_SLACK (60 * IV_NS_PER_S)

/* A condition that was told and is not in the store yet. */
struct condition {
    bool pending;
    bool over;
    char detail[512];
};

struct teller {
    struct iv_alerts *alerts;
    const struct iv_alert_sink *sink;
    struct iv_deliver *deliver;
    pthread_t thread;
    bool running;
    bool failing; /* told the log */
    struct iv_deliver_stats counted;
};

struct iv_alerts {
    struct iv_alerts_options options;
    struct iv_clock clock;
    struct iv_alerter *alerter; /* of the settling thread */
    struct iv_reader *reader;   /* likewise */
    pthread_t thread;
    bool running;
    iv_ns since;     /* wall clock: from when on a planted violation is waited for */
    iv_ns canary_at; /* wall clock: when it is looked after next; IV_NS_MAX: never */
    iv_ns measured;
    struct teller *tellers;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping;  /* under lock, as what follows */
    bool stands_by; /* other processes' detectors have all partitions */
    uint64_t woken; /* how often */
    struct condition conditions[IV_CONDITIONS];
};

static bool stopping(struct iv_alerts *a)
{
    (void)pthread_mutex_lock(&a->lock);
    bool is = a->stopping;
    (void)pthread_mutex_unlock(&a->lock);
    return is;
}

static bool stands_by(struct iv_alerts *a)
{
    (void)pthread_mutex_lock(&a->lock);
    bool is = a->stands_by;
    (void)pthread_mutex_unlock(&a->lock);
    return is;
}

void iv_alerts_reads(struct iv_alerts *alerts, bool reads)
{
    (void)pthread_mutex_lock(&alerts->lock);
    alerts->stands_by = !reads;
    (void)pthread_mutex_unlock(&alerts->lock);
}

/* Until something is queued after seen, it is to stop, or the time is up. */
static void wait_for_more(struct iv_alerts *a, uint64_t *seen, iv_ns length)
{
    struct timespec until;
    iv_monotonic_in(&until, length);
    (void)pthread_mutex_lock(&a->lock);
    int rc = 0;
    while (!a->stopping && a->woken == *seen && rc == 0) {
        rc = pthread_cond_timedwait(&a->changed, &a->lock, &until);
    }
    *seen = a->woken;
    (void)pthread_mutex_unlock(&a->lock);
}

void iv_alerts_wake(struct iv_alerts *alerts)
{
    (void)pthread_mutex_lock(&alerts->lock);
    alerts->woken++;
    (void)pthread_cond_broadcast(&alerts->changed);
    (void)pthread_mutex_unlock(&alerts->lock);
}

void iv_alerts_condition(struct iv_alerts *alerts, enum iv_condition condition, bool over, const char *detail)
{
    if (alerts == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&alerts->lock);
    struct condition *c = &alerts->conditions[condition];
    c->pending = true;
    c->over = over;
    (void)snprintf(c->detail, sizeof c->detail, "%s", detail);
    (void)pthread_cond_broadcast(&alerts->changed);
    (void)pthread_mutex_unlock(&alerts->lock);
}

static void count(struct teller *t)
{
    struct iv_deliver_stats stats;
    struct iv_metrics *m = t->alerts->options.metrics;
    struct iv_str name = t->sink->name;
    iv_deliver_stats(t->deliver, &stats);
    iv_series_total(IV_SERIES(m, ALERTS, name, IV_STR("told")), stats.told);
    iv_series_total(IV_SERIES(m, ALERTS, name, IV_STR("retried")), stats.retried);
    iv_series_total(IV_SERIES(m, ALERTS, name, IV_STR("refused")), stats.refused);
    t->counted = stats;
}

static void tell_log(struct teller *t)
{
    const char *why = "";
    iv_ns since = iv_deliver_failing(t->deliver, &why);
    struct iv_deliver_stats before = t->counted;
    count(t);
    if (t->counted.refused > before.refused) {
        LOG_ERROR("alert.refused", KV_STR("sink", t->sink->name),
                  KV_TEXT("then", "it is not told again; the alert is in the store"));
    }
    if (since > 0 && !t->failing) {
        LOG_WARN("alert.failing", KV_STR("sink", t->sink->name), KV_TEXT("why", why));
    } else if (since == 0 && t->failing) {
        LOG_INFO("alert.works", KV_STR("sink", t->sink->name), KV_TEXT("then", "it takes notices again"));
    }
    t->failing = since > 0;
}

static void *teller_thread(void *argument)
{
    struct teller *t = argument;
    struct iv_alerts *a = t->alerts;
    struct iv_err err = {.text = ""};
    uint64_t seen = 0;
    (void)pthread_setname_np(pthread_self(), "iv-alert-sink");
    while (!stopping(a)) {
        iv_ns wait = 0;
        struct iv_rc_s rc = iv_deliver_turn(t->deliver, &wait, &err);
        tell_log(t);
        if (iv_code_class(rc.code) == IV_CLASS_RETRY) {
            LOG_WARN("alert.waiting", KV_STR("sink", t->sink->name), KV_TEXT("why", err.text));
            wait = BUSY_WAIT;
        } else if (!iv_ok(rc)) {
            LOG_ERROR("alert.failed", KV_STR("sink", t->sink->name), KV_TEXT("why", err.text));
            a->options.failed(a->options.ctx, &err);
            break;
        }
        wait_for_more(a, &seen, wait > LEAST_WAIT ? wait : LEAST_WAIT);
    }
    return NULL;
}

static iv_rc take_conditions(struct iv_alerts *a, const struct condition *conditions, bool *any, iv_ns now,
                             struct iv_err *err)
{
    for (int i = 0; i < IV_CONDITIONS; i++) {
        const struct condition *c = &conditions[i];
        if (c->pending) {
            *any = true;
            TRY(iv_alerter_condition(a->alerter, a->options.store, (enum iv_condition)i, c->over, IV_STR(""),
                                     iv_str_of(c->detail), now, err));
        }
    }
    return IV_OK;
}

/* Where violations are planted, what finds one begins the synthetic alert: here is only seen that it does.
 * Elsewhere it begins here. *next: when this is asked again. */
static iv_rc look_after_canary(struct iv_alerts *a, bool *any, iv_ns *next, iv_ns now, struct iv_err *err)
{
    iv_ns every = a->options.alerting->canary;
    iv_ns last = 0;
    bool missed = false;
    *any = true;
    *next = iv_ns_add(now, CANARY_LOOK < every ? CANARY_LOOK : every);
    if (a->options.planted_every > 0) {
        iv_ns patience = iv_ns_add(every, 3 * a->options.planted_every + CANARY_SLACK);
        a->since = stands_by(a) ? now : a->since;
        return iv_alerter_canary_missed(a->alerter, a->options.store, &missed, a->since, patience, now, err);
    }
    TRY(iv_alerter_canary_due(a->alerter, a->options.store, IV_STR(""), now, err));
    TRY(iv_alerter_canary_last(a->options.store, &last, err));
    *next = iv_ns_add(last, every);
    return IV_OK;
}

static iv_rc settle_inside(struct iv_alerts *a, const struct condition *conditions, bool *any,
                           iv_ns *canary_at, iv_ns now, struct iv_err *err)
{
    TRY(iv_alerter_settle(a->alerter, a->options.store, any, now, err));
    TRY(iv_alerter_triage(a->alerter, a->options.store, any, now, err));
    TRY(iv_alerter_remediation(a->alerter, a->options.store, any, now, err));
    TRY(take_conditions(a, conditions, any, now, err));
    return now < a->canary_at ? IV_OK : look_after_canary(a, any, canary_at, now, err);
}

static iv_rc settle(struct iv_alerts *a, const struct condition *conditions, bool *any, struct iv_err *err)
{
    iv_ns now = iv_wall(&a->clock);
    iv_ns canary_at = a->canary_at;
    TRY(iv_store_begin(a->options.store, err));
    struct iv_rc_s rc = settle_inside(a, conditions, any, &canary_at, now, err);
    if (!iv_ok(rc)) {
        iv_store_rollback(a->options.store);
        return rc;
    }
    TRY(iv_store_commit(a->options.store, err));
    a->canary_at = canary_at;
    return IV_OK;
}

static bool measure_sink(void *ctx, const struct iv_alert_sink_state *sink)
{
    struct iv_alerts *a = ctx;
    double age = sink->oldest == 0 ? 0 : (double)(iv_wall(&a->clock) - sink->oldest) / 1e9;
    iv_series_set(IV_SERIES(a->options.metrics, ALERT_OLDEST, sink->name), age > 0 ? age : 0);
    iv_series_set_time(IV_SERIES(a->options.metrics, ALERT_SUCCESS, sink->name),
                       sink->succeeded == 0 ? IV_NS_MIN : sink->succeeded);
    return true;
}

static void measure(struct iv_alerts *a)
{
    struct iv_err err;
    int64_t firing = 0;
    iv_ns now = iv_monotonic(&a->clock);
    if (now - a->measured < MEASURE_EVERY) {
        return;
    }
    a->measured = now;
    if (iv_ok(iv_reader_alert_sinks(a->reader, measure_sink, a, &err)) &&
        iv_ok(iv_reader_alerts_firing(a->reader, &firing, &err))) {
        iv_series_set(iv_metrics_only(a->options.metrics, IV_METRIC_ALERTS_FIRING), (double)firing);
    }
}

/* What was told since is copied, and given back where it could not be kept. */
static void take_pending(struct iv_alerts *a, struct condition *out)
{
    (void)pthread_mutex_lock(&a->lock);
    memcpy(out, a->conditions, sizeof a->conditions);
    for (int i = 0; i < IV_CONDITIONS; i++) {
        a->conditions[i].pending = false;
    }
    (void)pthread_mutex_unlock(&a->lock);
}

static void give_back(struct iv_alerts *a, const struct condition *conditions)
{
    (void)pthread_mutex_lock(&a->lock);
    for (int i = 0; i < IV_CONDITIONS; i++) {
        if (conditions[i].pending && !a->conditions[i].pending) {
            a->conditions[i] = conditions[i];
        }
    }
    (void)pthread_mutex_unlock(&a->lock);
}

static bool settle_turn(struct iv_alerts *a)
{
    struct condition conditions[IV_CONDITIONS];
    struct iv_err err = {.text = ""};
    bool any = false;
    take_pending(a, conditions);
    struct iv_rc_s rc = settle(a, conditions, &any, &err);
    iv_turn(a->options.turns);
    measure(a);
    if (iv_code_class(rc.code) == IV_CLASS_RETRY) {
        give_back(a, conditions);
        LOG_WARN("alert.waiting", KV_TEXT("why", err.text));
    } else if (!iv_ok(rc)) {
        LOG_ERROR("alert.failed", KV_TEXT("why", err.text));
        a->options.failed(a->options.ctx, &err);
        return false;
    }
    if (iv_ok(rc) && any) {
        iv_alerts_wake(a);
    } else {
        iv_pause(SETTLE_WAIT);
    }
    return true;
}

static void *settle_thread(void *argument)
{
    struct iv_alerts *a = argument;
    (void)pthread_setname_np(pthread_self(), "iv-alert");
    while (!stopping(a) && settle_turn(a)) {
    }
    return NULL;
}

/* The sinks of this configuration, and no others. */
static iv_rc take_over(struct iv_alerts *a, int64_t *lost, struct iv_err *err)
{
    struct iv_str names[IV_ALERT_SINKS_MAX];
    const struct iv_alerting *alerting = a->options.alerting;
    for (size_t i = 0; i < alerting->sink_count; i++) {
        names[i] = alerting->sinks[i].name;
        TRY(iv_store_add_sink(a->options.store, names[i], iv_str_of(alerting->sinks[i].kind->name), err));
    }
    TRY(iv_store_keep_sinks(a->options.store, lost, names, alerting->sink_count, err));
    return iv_outage_keep(a->options.store, names, alerting->sink_count, iv_wall(&a->clock), err);
}

static iv_rc open_queue(struct iv_alerts *a, struct iv_err *err)
{
    int64_t lost = 0;
    TRY(iv_store_begin(a->options.store, err));
    struct iv_rc_s rc = take_over(a, &lost, err);
    if (!iv_ok(rc)) {
        iv_store_rollback(a->options.store);
        return rc;
    }
    TRY(iv_store_commit(a->options.store, err));
    if (lost > 0) {
        LOG_WARN("alert.sinks_gone", KV_I64("notices", lost),
                 KV_TEXT("why", "they waited for sinks that the configuration does not name any more"));
    }
    return IV_OK;
}

static iv_rc start_tellers(struct iv_alerts *a, struct iv_err *err)
{
    const struct iv_alerting *alerting = a->options.alerting;
    a->tellers = iv_calloc(alerting->sink_count, sizeof *a->tellers);
    ENSURE(a->tellers != NULL, err, IV_E_NOMEM, "cannot allocate the alerting threads");
    for (size_t i = 0; i < alerting->sink_count; i++) {
        struct teller *t = &a->tellers[i];
        const struct iv_deliver_options options = {
            .store = a->options.store, .alerting = alerting, .sink = &alerting->sinks[i], .clock = a->clock};
        *t = (struct teller){.alerts = a, .sink = &alerting->sinks[i]};
        TRY(iv_deliver_new(&t->deliver, &options, err));
        count(t);
        t->running = pthread_create(&t->thread, NULL, teller_thread, t) == 0;
        ENSURE(t->running, err, IV_E_NOMEM, "cannot start a thread");
    }
    return IV_OK;
}

static iv_rc start(struct iv_alerts *a, struct iv_err *err)
{
    TRY(iv_alerter_new(&a->alerter, a->options.alerting, err));
    TRY(iv_reader_open(&a->reader, a->options.store_path, err));
    TRY(open_queue(a, err));
    TRY(start_tellers(a, err));
    a->running = pthread_create(&a->thread, NULL, settle_thread, a) == 0;
    ENSURE(a->running, err, IV_E_NOMEM, "cannot start a thread");
    return IV_OK;
}

iv_rc iv_alerts_start(struct iv_alerts **out, const struct iv_alerts_options *options, struct iv_err *err)
{
    struct iv_alerts *a = iv_calloc(1, sizeof *a);
    ENSURE(a != NULL, err, IV_E_NOMEM, "cannot allocate the alerting threads");
    IV_CHECK(pthread_mutex_init(&a->lock, NULL) == 0);
    iv_monotonic_cond_init(&a->changed);
    a->options = *options;
    a->clock = iv_clock_system();
    a->since = iv_wall(&a->clock);
    a->canary_at = options->alerting->canary == 0 ? IV_NS_MAX : 0;
    struct iv_rc_s rc = start(a, err);
    if (!iv_ok(rc)) {
        iv_alerts_stop(a);
        return rc;
    }
    *out = a;
    return IV_OK;
}

static void stop_tellers(struct iv_alerts *a)
{
    size_t n = a->tellers == NULL ? 0 : a->options.alerting->sink_count;
    for (size_t i = 0; i < n; i++) {
        if (a->tellers[i].running) {
            iv_deliver_end(a->tellers[i].deliver);
        }
    }
    for (size_t i = 0; i < n; i++) {
        if (a->tellers[i].running) {
            (void)pthread_join(a->tellers[i].thread, NULL);
        }
        iv_deliver_free(a->tellers[i].deliver);
    }
    iv_free(a->tellers);
}

void iv_alerts_stop(struct iv_alerts *alerts)
{
    if (alerts == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&alerts->lock);
    alerts->stopping = true;
    (void)pthread_cond_broadcast(&alerts->changed);
    (void)pthread_mutex_unlock(&alerts->lock);
    if (alerts->running) {
        (void)pthread_join(alerts->thread, NULL);
    }
    stop_tellers(alerts);
    iv_reader_close(alerts->reader);
    iv_alerter_free(alerts->alerter);
    (void)pthread_cond_destroy(&alerts->changed);
    (void)pthread_mutex_destroy(&alerts->lock);
    iv_free(alerts);
}
