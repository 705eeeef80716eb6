/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/act.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/guard.h"
#include "base/log.h"
#include "baseline/baseline.h"
#include "respond/playbook.h"
#include "respond/responder.h"

#include <pthread.h>
#include <stdatomic.h>

#define TURN_WAIT (200 * IV_NS_PER_MS)
#define BUSY_WAIT (50 * IV_NS_PER_MS)

struct iv_act {
    struct iv_act_options options;
    struct iv_responder *responder;
    struct iv_baseline *baseline; /* the keys of which may approve */
    struct iv_playbooks *playbooks;
    pthread_t thread;
    atomic_bool stopping;
};

static void count_endpoint(void *ctx, struct iv_str name, bool open)
{
    struct iv_metrics *m = ctx;
    iv_series_set(IV_SERIES(m, ENDPOINT_OPEN, name), open ? 1 : 0);
}

static void count(const struct iv_act *a)
{
    struct iv_responder_stats stats;
    struct iv_metrics *m = a->options.metrics;
    iv_responder_stats(a->responder, &stats);
    iv_series_total(IV_SERIES(m, ACTIONS, IV_STR("done")), stats.done);
    iv_series_total(IV_SERIES(m, ACTIONS, IV_STR("failed")), stats.failed);
    iv_series_total(IV_SERIES(m, ACTIONS, IV_STR("unsupported")), stats.unsupported);
    iv_series_total(IV_SERIES(m, ACTIONS, IV_STR("withheld")), stats.withheld);
    iv_series_total(IV_SERIES(m, ACTIONS, IV_STR("retried")), stats.retries);
    iv_series_set(iv_metrics_only(m, IV_METRIC_PAUSED), stats.paused ? 1 : 0);
    iv_responder_endpoints(a->responder, count_endpoint, m);
}

static void *act_thread(void *argument)
{
    struct iv_act *a = argument;
    struct iv_err err = {.text = ""};
    (void)pthread_setname_np(pthread_self(), "iv-act");
    while (!atomic_load(&a->stopping)) {
        struct iv_rc_s rc = iv_responder_turn(a->responder, TURN_WAIT, &err);
        count(a);
        iv_turn(a->options.turns);
        if (iv_code_class(rc.code) == IV_CLASS_RETRY) {
            LOG_WARN("respond.waiting", KV_TEXT("why", err.text));
            iv_pause(BUSY_WAIT);
        } else if (!iv_ok(rc)) {
            LOG_ERROR("respond.failed", KV_TEXT("why", err.text));
            a->options.failed(a->options.ctx, &err);
            break;
        }
    }
    return NULL;
}

static struct iv_government government_of(const struct iv_act *a)
{
    return (struct iv_government){
        .keyring = a->baseline->keyring, .baseline = a->baseline, .playbooks = a->playbooks};
}

static void drop(struct iv_act *a)
{
    iv_playbooks_unref(a->playbooks);
    iv_baseline_unref(a->baseline);
    iv_free(a);
}

iv_rc iv_act_start(struct iv_act **out, const struct iv_act_options *options, struct iv_err *err)
{
    struct iv_act *a = iv_calloc(1, sizeof *a);
    ENSURE(a != NULL, err, IV_E_NOMEM, "cannot allocate the responder's thread");
    a->options = *options;
    a->baseline = iv_baseline_ref(options->baseline);
    a->playbooks = iv_playbooks_ref(options->playbooks);
    struct iv_responder_options responder = {
        .store = options->store,
        .endpoints = options->config->endpoints,
        .endpoint_count = options->config->endpoint_count,
        .hand = options->hand,
        .clock = iv_clock_system(),
        .government = government_of(a),
        .dry_run = options->config->respond.dry_run,
        .pause_file = options->config->respond.pause_file,
        .fresh = options->fresh,
        .committed = options->changed,
        .ctx = options->ctx,
    };
    struct iv_rc_s rc = iv_responder_new(&a->responder, &responder, err);
    if (iv_ok(rc) && pthread_create(&a->thread, NULL, act_thread, a) != 0) {
        rc = iv_err_set(err, IV_E_NOMEM, "cannot start a thread");
    }
    if (!iv_ok(rc)) {
        iv_responder_free(a->responder);
        drop(a);
        return rc;
    }
    *out = a;
    return IV_OK;
}

void iv_act_stop(struct iv_act *act)
{
    if (act != NULL) {
        atomic_store(&act->stopping, true);
        iv_responder_wake(act->responder);
        (void)pthread_join(act->thread, NULL);
        iv_responder_free(act->responder);
        drop(act);
    }
}

void iv_act_reload(struct iv_act *act, struct iv_baseline *baseline, struct iv_playbooks *playbooks)
{
    struct iv_baseline *before = act->baseline;
    struct iv_playbooks *playbooks_before = act->playbooks;
    act->baseline = iv_baseline_ref(baseline);
    act->playbooks = iv_playbooks_ref(playbooks);
    struct iv_government government = government_of(act);
    iv_responder_govern(act->responder, &government);
    iv_playbooks_unref(playbooks_before);
    iv_baseline_unref(before);
}

void iv_act_wake(struct iv_act *act)
{
    iv_responder_wake(act->responder);
}
