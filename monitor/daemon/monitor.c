/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/monitor.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/guard.h"
#include "base/log.h"
#include "console/console.h"
#include "daemon/config_topics.h"
#include "daemon/journal.h"
#include "daemon/monitor_internal.h"
#include "detect/courier.h"
#include "evidence/coverage.h"
#include "evidence/log.h"
#include "evidence/reader.h"
#include "evidence/store.h"
#include "respond/halt.h"
#include "respond/playbook.h"
#include "stream/kafka.h"
#include "stream/producer.h"
#include "vault/folder.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#define COMMIT_QUEUE 256
#define COMMIT_BYTES ((size_t)64 << 20)
#define KEEP_GRACE (5 * IV_NS_PER_S)
#define PUBLISH_GRACE (5 * IV_NS_PER_S)
#define COURIER_GRACE (10 * IV_NS_PER_S)
#define TOTALS_EVERY IV_NS_PER_S
#define WAITING_EVERY (3600 * IV_NS_PER_S)
#define SIGNED_ENTRIES 1000
#define SIGNED_EVERY (10 * IV_NS_PER_S)

void iv_monitor_failed(void *ctx, const struct iv_err *why)
{
    struct iv_monitor *m = ctx;
    (void)pthread_mutex_lock(&m->lock);
    if (!m->failed) {
        m->failed = true;
        m->why = *why;
    }
    (void)pthread_mutex_unlock(&m->lock);
}

static void wake_act(struct iv_monitor *m)
{
    (void)pthread_mutex_lock(&m->lock);
    if (m->act != NULL) {
        iv_act_wake(m->act);
    }
    (void)pthread_mutex_unlock(&m->lock);
}

static void set_act(struct iv_monitor *m, struct iv_act *act)
{
    (void)pthread_mutex_lock(&m->lock);
    m->act = act;
    (void)pthread_mutex_unlock(&m->lock);
}

void iv_monitor_committed(void *ctx)
{
    struct iv_monitor *m = ctx;
    if (m->publish != NULL) {
        iv_publish_wake(m->publish);
    }
    if (m->alerts != NULL) {
        iv_alerts_wake(m->alerts);
    }
    wake_act(m);
    if (m->console != NULL) {
        iv_console_notify(m->console);
    }
}

static void on_acted(void *ctx)
{
    struct iv_monitor *m = ctx;
    iv_observer_wake(m->observer);
    if (m->publish != NULL) {
        iv_publish_wake(m->publish);
    }
    if (m->console != NULL) {
        iv_console_notify(m->console);
    }
}

static void on_delivered(void *ctx)
{
    wake_act(ctx);
}

static struct iv_console_options console_options(const struct iv_config *c, struct iv_metrics *metrics)
{
    return (struct iv_console_options){
        .listen = c->console.listen,
        .certificate = c->console.certificate,
        .key = c->console.key,
        .client_ca = c->console.client_ca,
        .token_file = c->console.token_file,
        .open = c->console.open,
        .instruments = (c->roles & IV_ROLE_CONSOLE) == 0,
        .store_path = c->store_path,
        .pause_file = (c->roles & IV_ROLE_RESPOND) != 0 ? c->respond.pause_file : IV_STR(""),
        .version = IV_STR(IV_VERSION),
        .workers = (c->roles & IV_ROLE_DETECT) != 0 ? (unsigned)c->workers : 0,
        .metrics = metrics,
    };
}

/* Whether this process answers HTTP at all. */
static bool listens(const struct iv_config *c)
{
    return (c->roles & IV_ROLE_CONSOLE) != 0 || c->console.asked_for;
}

iv_rc iv_monitor_check(const struct iv_config *config, const struct iv_baseline *baseline, struct iv_err *err)
{
    struct iv_console_options options = console_options(config, NULL);
    TRY(iv_config_topics(config, baseline, err));
    TRY(iv_consumer_check(config->kafka, config->kafka_count, err));
    TRY(iv_producer_check(config->kafka, config->kafka_count, err));
    return listens(config) ? iv_console_check(&options, err) : IV_OK;
}

static iv_rc start_console(struct iv_monitor *m, struct iv_err *err)
{
    struct iv_console_options options = console_options(m->config, m->metrics);
    TRY(iv_console_start(&m->console, &options, err));
    LOG_INFO("console.listening", KV_TEXT("url", iv_console_url(m->console)));
    return iv_monitor_tell_console(m, m->baseline, err);
}

/* What is known of topics that are no longer read holds nothing back. */
static iv_rc leave_other_topics(struct iv_monitor *m, const struct iv_str topics[IV_STREAMS],
                                struct iv_err *err)
{
    TRY(iv_store_begin(m->store, err));
    struct iv_rc_s rc = iv_store_covers_away(m->store, topics[IV_LEDGER], topics[IV_TELEMETRY], err);
    if (!iv_ok(rc)) {
        iv_store_rollback(m->store);
        return rc;
    }
    return iv_store_commit(m->store, err);
}

static iv_rc start_courier(struct iv_monitor *m, struct iv_err *err)
{
    const struct iv_config *c = m->config;
    const struct iv_courier_options courier = {
        .kafka = c->kafka,
        .kafka_count = c->kafka_count,
        .topic = c->topics.snapshots,
        .folder = c->snapshots.path,
        .keep = (size_t)c->snapshots.keep,
        .store_path = c->store_path,
        .store = m->store,
        .metrics = m->metrics,
    };
    return courier.topic.n == 0 ? IV_OK : iv_courier_start(&m->courier, &courier, err);
}

static iv_rc start_detect(struct iv_monitor *m, struct iv_err *err)
{
    const struct iv_config *c = m->config;
    TRY(iv_vault_folder_open(c->snapshots.path, err));
    struct iv_keep_options keep = {
        .store = m->store,
        .commits = m->commits,
        .kept = &m->kept,
        .tells_coverage = c->topics.coverage.n > 0,
        .alerting = iv_monitor_alerting(m),
        .metrics = m->metrics,
        .committed = iv_monitor_committed,
        .failed = iv_monitor_failed,
        .ctx = m,
    };
    TRY(iv_watch_part(&keep.turns, m->watch, "keep", NULL, err));
    TRY(iv_keep_start(&m->keep, &keep, err));
    TRY(start_courier(m, err));
    struct iv_detect_options detect = {
        .baseline = m->baseline,
        .playbooks = iv_monitor_answer(m, m->playbooks),
        .kafka = c->kafka,
        .kafka_count = c->kafka_count,
        .exchange = c->topics.exchange,
        .commits = m->commits,
        .kept = &m->kept,
        .metrics = m->metrics,
        .watch = m->watch,
        .store = m->store,
        .store_path = c->store_path,
        .snapshots = c->snapshots.path,
        .snapshot_every = c->snapshots.every,
        .snapshot_keep = (size_t)c->snapshots.keep,
        .courier = m->courier,
        .memory_limit = (uint64_t)c->memory_limit,
        .workers = (unsigned)c->workers,
        .verifiers = (unsigned)c->verifiers,
        .failed = iv_monitor_failed,
        .reloaded = iv_monitor_reloaded,
        .ctx = m,
    };
    TRY(iv_monitor_name_topics(m, detect.topics, err));
    TRY(leave_other_topics(m, detect.topics, err));
    TRY(iv_detect_start(&m->detect, &detect, err));
    iv_monitor_follow(m, m->detect);
    return IV_OK;
}

/* Seldom enough to cost nothing, and often enough that what is not signed yet is of the last seconds. */
static iv_rc sign_log(struct iv_monitor *m, struct iv_err *err)
{
    struct iv_log_signing signing = {m->config->signer, SIGNED_ENTRIES, SIGNED_EVERY};
    return signing.signer == NULL ? IV_OK : iv_store_sign_log(m->store, &signing, err);
}

static iv_rc enter_start(struct iv_monitor *m, struct iv_err *err)
{
    char room[64];
    struct iv_buf roles;
    iv_buf_init_lent(&roles, room, sizeof room, sizeof room - 1);
    iv_config_roles(&roles, m->config);
    TRY(iv_journal_start(m->store, m->baseline, iv_buf_slice(&roles), err));
    m->entered = true;
    return IV_OK;
}

static iv_rc start_lookout(struct iv_monitor *m, struct iv_err *err)
{
    const struct iv_lookout_options lookout = {.store = m->store, .metrics = m->metrics, .clock = m->clock};
    return iv_lookout_new(&m->lookout, &lookout, err);
}

/* What was found stands; that nobody said how it ended is told by the log's lack of an end. */
static void enter_stop(struct iv_monitor *m)
{
    struct iv_err err = {.text = ""};
    struct iv_str cause = m->failed ? iv_str_of(m->why.text) : IV_STR("asked to");
    iv_canary_stop(m->canary);
    iv_lookout_free(m->lookout);
    if (m->entered && !iv_ok(iv_journal_stop(m->store, m->reader, cause, &err))) {
        LOG_WARN("run.stop.unlogged", KV_TEXT("why", err.text));
    }
}

/* Two processes with one store would each send what is in its outbox, and carry out what is due. */
static iv_rc open_store(struct iv_monitor *m, struct iv_err *err)
{
    struct iv_str path = m->config->store_path;
    struct iv_str name = iv_arena_printf(&m->names, IV_STR_FMT ".lock", IV_STR_ARG(path));
    ENSURE(name.p != NULL, err, IV_E_NOMEM, "cannot allocate a path");
    struct iv_rc_s claimed = iv_file_claim(&m->claim, name.p, err);
    if (claimed.code == IV_E_BUSY) {
        iv_err_wrap(err, "the store '" IV_STR_FMT "' must be this process's alone", IV_STR_ARG(path));
        return claimed;
    }
    TRY(iv_store_open(&m->store, path, err)); /* where neither can be opened, this says more */
    return claimed;
}

static iv_rc start_alerts(struct iv_monitor *m, struct iv_err *err)
{
    struct iv_alerts_options alerts = {.store = m->store,
                                       .store_path = m->config->store_path,
                                       .alerting = iv_monitor_alerting(m),
                                       .metrics = m->metrics,
                                       .failed = iv_monitor_failed,
                                       .ctx = m};
    alerts.planted_every = (m->config->roles & IV_ROLE_DETECT) != 0 ? m->config->canary_every : 0;
    if (alerts.alerting == NULL) {
        return IV_OK;
    }
    TRY(iv_watch_part(&alerts.turns, m->watch, "alerts", NULL, err));
    TRY(iv_alerts_start(&m->alerts, &alerts, err));
    iv_alerts_condition(m->alerts, IV_CONDITION_BASELINE_REFUSED, true, "the monitor was started anew");
    return IV_OK;
}

static iv_rc start_act(struct iv_monitor *m, struct iv_err *err)
{
    struct iv_act_options act = {.store = m->store,
                                 .baseline = m->baseline,
                                 .playbooks = m->playbooks,
                                 .config = m->config,
                                 .hand = m->hand,
                                 .metrics = m->metrics,
                                 .fresh = iv_monitor_is_fresh,
                                 .changed = on_acted,
                                 .failed = iv_monitor_failed,
                                 .ctx = m};
    struct iv_act *started = NULL;
    TRY(iv_watch_part(&act.turns, m->watch, "act", NULL, err));
    TRY(iv_act_start(&started, &act, err));
    set_act(m, started);
    return IV_OK;
}

static iv_rc start_parts(struct iv_monitor *m, struct iv_err *err)
{
    const struct iv_config *c = m->config;
    TRY(iv_metrics_new(&m->metrics, err));
    TRY(iv_watch_new(&m->watch, err));
    iv_series_set(IV_SERIES(m->metrics, BUILD, IV_STR(IV_VERSION)), 1);
    if (c->memory_limit > 0) {
        iv_series_set(iv_metrics_only(m->metrics, IV_METRIC_MEMORY_LIMIT), (double)c->memory_limit);
    }
    iv_monitor_count_baseline(m, m->baseline, 1);
    iv_series_add(IV_SERIES(m->metrics, RELOADS, IV_STR("accepted")), 0);
    iv_series_add(IV_SERIES(m->metrics, RELOADS, IV_STR("refused")), 0);
    iv_series_set_time(iv_metrics_only(m->metrics, IV_METRIC_STARTED), iv_wall(&m->clock));
    TRY(open_store(m, err));
    TRY(iv_reader_open(&m->reader, c->store_path, err));
    TRY(sign_log(m, err));
    TRY(enter_start(m, err));
    TRY(start_lookout(m, err));
    TRY(iv_handoff_new(&m->commits, COMMIT_QUEUE, COMMIT_BYTES, err));
    if (listens(c)) {
        TRY(start_console(m, err));
    }
    struct iv_publish_options publish = {.store = m->store, .config = c, .delivered = on_delivered, .ctx = m};
    TRY(iv_watch_part(&publish.turns, m->watch, "publish", NULL, err));
    TRY(iv_publish_start(&m->publish, &publish, err));
    if ((c->roles & IV_ROLE_RESPOND) != 0) {
        TRY(start_alerts(m, err));
        TRY(iv_monitor_start_observer(m, err));
        TRY(start_act(m, err));
    }
    if ((c->roles & IV_ROLE_DETECT) != 0) {
        TRY(iv_canary_start(&m->canary, c, m->baseline, m->metrics, m->clock, err));
        TRY(start_detect(m, err));
    }
    return iv_monitor_start_intakes(m, err);
}

iv_rc iv_monitor_start(struct iv_monitor **out, const struct iv_config *config, struct iv_baseline *baseline,
                       struct iv_playbooks *playbooks, struct iv_hand *hand, struct iv_err *err)
{
    struct iv_monitor *m = iv_calloc(1, sizeof *m);
    ENSURE(m != NULL, err, IV_E_NOMEM, "cannot allocate the monitor");
    IV_CHECK(pthread_mutex_init(&m->lock, NULL) == 0);
    iv_arena_init(&m->names, 0);
    m->config = config;
    m->hand = hand;
    m->claim = -1;
    m->baseline = iv_baseline_ref(baseline);
    m->playbooks = iv_playbooks_ref(playbooks);
    m->clock = iv_clock_system();
    m->begun = iv_wall(&m->clock);
    m->times_seen = -1;
    m->input = iv_input_begin(iv_monotonic(&m->clock));
    struct iv_rc_s rc = start_parts(m, err);
    if (!iv_ok(rc)) {
        iv_monitor_stop(m);
        return rc;
    }
    iv_monitor_refusal(m, NULL); /* an earlier process of this store may have said so */
    *out = m;
    return IV_OK;
}

/* Reading stops first, so that everything after it can be brought to its end. */
void iv_monitor_stop(struct iv_monitor *monitor)
{
    if (monitor == NULL) {
        return;
    }
    if (monitor->console != NULL) {
        iv_console_ready(monitor->console, "stopping");
    }
    iv_keep_hurry(monitor->keep, KEEP_GRACE); /* before the detector, which waits while the queue is full */
    iv_monitor_stop_intakes(monitor);
    iv_monitor_follow(monitor, NULL);
    iv_detect_stop(monitor->detect);
    if (monitor->commits != NULL) {
        iv_handoff_close(monitor->commits);
    }
    iv_keep_stop(monitor->keep, monitor->reader);
    struct iv_act *act = monitor->act;
    set_act(monitor, NULL);
    iv_act_stop(act);
    iv_observer_stop(monitor->observer);
    iv_alerts_stop(monitor->alerts);
    iv_publish_stop(monitor->publish, PUBLISH_GRACE);
    iv_monitor_hand_over(monitor);
    iv_courier_stop(monitor->courier, COURIER_GRACE); /* the last snapshot, when all findings are out */
    enter_stop(monitor);
    iv_console_stop(monitor->console);
    iv_handoff_free(monitor->commits);
    iv_reader_close(monitor->reader);
    iv_store_close(monitor->store);
    if (monitor->claim >= 0) {
        (void)close(monitor->claim);
    }
    iv_metrics_free(monitor->metrics);
    iv_watch_free(monitor->watch);
    iv_baseline_unref(monitor->baseline);
    iv_playbooks_unref(monitor->playbooks);
    iv_playbooks_unref(monitor->coming);
    iv_arena_deinit(&monitor->names);
    (void)pthread_mutex_destroy(&monitor->lock);
    iv_free(monitor);
}

/* With what the client complained of last: a topic that is not there, a certificate that is refused. */
static void tell_not_ready(struct iv_monitor *m, const char *why, const char *trouble)
{
    char text[640];
    (void)snprintf(text, sizeof text, "%s%s%s", why, trouble[0] == '\0' ? "" : ": ", trouble);
    iv_console_ready(m->console, text);
}

static void tell_readiness(struct iv_monitor *m)
{
    if (m->console == NULL) {
        return;
    }
    if (m->detect == NULL) {
        iv_console_ready(m->console, NULL);
        return;
    }
    struct iv_consumer_health health;
    iv_detect_health(m->detect, &health);
    if (!health.reachable) {
        tell_not_ready(m, "the broker does not answer", health.trouble);
    } else if (!health.complete) {
        tell_not_ready(m, "waiting for the topics", health.trouble);
    } else if (!health.assigned) {
        tell_not_ready(m, "waiting for the consumer group to assign partitions", health.trouble);
    } else {
        iv_console_ready(m->console, NULL);
    }
}

/* A broker that does not answer for a while is an alert, said again as long as it lasts. */
static void watch_input(struct iv_monitor *m)
{
    struct iv_consumer_health health;
    if (m->alerts == NULL || !iv_monitor_input(m, &health)) {
        return;
    }
    iv_alerts_reads(m->alerts, m->detect == NULL || !health.assigned || health.partitions > 0);
    char why[512];
    switch (iv_input_look(&m->input, health.reachable, iv_monotonic(&m->clock))) {
    case IV_INPUT_BACK:
        iv_alerts_condition(m->alerts, IV_CONDITION_INPUT_LOST, true, "the broker answers");
        break;
    case IV_INPUT_LOST:
        (void)snprintf(why, sizeof why, "the broker does not answer%s%.400s",
                       health.trouble[0] == '\0' ? "" : ": ", health.trouble);
        iv_alerts_condition(m->alerts, IV_CONDITION_INPUT_LOST, false, why);
        break;
    case IV_INPUT_NO_NEWS:
        break;
    }
}

/* In the log, when the first one waits, and each hour while any does; alerts are made of the store
 * (respond/alert/remediation.c). */
static void log_waiting(struct iv_monitor *m, int64_t waiting, iv_ns now)
{
    if (waiting > 0 && (m->waiting_told == 0 || now - m->waiting_told >= WAITING_EVERY)) {
        LOG_WARN("respond.approval_needed", KV_I64("executions", waiting));
        m->waiting_told = now;
    } else if (waiting == 0) {
        m->waiting_told = 0;
    }
}

static void look_out(struct iv_monitor *m)
{
    struct iv_str file = m->config->respond.pause_file;
    struct iv_consumer_health health;
    if (iv_monitor_input(m, &health)) {
        iv_lookout_input(m->lookout, &health);
    }
    iv_canary_turn(m->canary);
    iv_lookout_held(m->lookout, (m->config->roles & IV_ROLE_RESPOND) != 0 && iv_halt_by_file(file), file);
    iv_lookout_turn(m->lookout);
}

static void read_totals(struct iv_monitor *m)
{
    struct iv_store_totals totals;
    struct iv_err err;
    iv_ns now = iv_monotonic(&m->clock);
    if (now - m->totals_at < TOTALS_EVERY || !iv_ok(iv_reader_totals(m->reader, &totals, &err))) {
        return;
    }
    m->totals_at = now;
    log_waiting(m, totals.executions[IV_RUN_WAITING], now);
    iv_monitor_time(m);
    double oldest = totals.outbox_oldest == 0 ? 0 : (double)(iv_wall(&m->clock) - totals.outbox_oldest) / 1e9;
    iv_series_set(iv_metrics_only(m->metrics, IV_METRIC_OUTBOX_OLDEST), oldest);
    iv_series_set(iv_metrics_only(m->metrics, IV_METRIC_OUTBOX_PENDING), (double)totals.outbox);
    for (int state = 0; state < IV_RUN_STATES; state++) {
        struct iv_str name = iv_str_of(iv_run_state_name((enum iv_run_state)state));
        iv_series_set(IV_SERIES(m->metrics, EXECUTIONS, name), (double)totals.executions[state]);
    }
}

bool iv_monitor_tick(struct iv_monitor *monitor, struct iv_err *err)
{
    tell_readiness(monitor);
    watch_input(monitor);
    iv_monitor_tell_refusal(monitor);
    read_totals(monitor);
    look_out(monitor);
    (void)pthread_mutex_lock(&monitor->lock);
    bool failed = monitor->failed;
    if (failed) {
        *err = monitor->why;
    }
    (void)pthread_mutex_unlock(&monitor->lock);
    return !failed;
}

bool iv_monitor_moved(struct iv_monitor *monitor)
{
    return iv_watch_moved(monitor->watch);
}

const char *iv_monitor_standing(const struct iv_monitor *monitor)
{
    return iv_watch_standing(monitor->watch);
}

void iv_monitor_healthy(struct iv_monitor *monitor, const char *part)
{
    if (monitor->console != NULL) {
        iv_console_standing(monitor->console, part);
    }
}

bool iv_monitor_reloading(const struct iv_monitor *monitor)
{
    return atomic_load(&monitor->reloading);
}

const char *iv_monitor_url(const struct iv_monitor *monitor)
{
    return monitor->console == NULL ? NULL : iv_console_url(monitor->console);
}

struct iv_metrics *iv_monitor_metrics(struct iv_monitor *monitor)
{
    return monitor->metrics;
}
