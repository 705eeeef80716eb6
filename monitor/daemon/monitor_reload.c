/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/guard.h"
#include "base/log.h"
#include "console/console.h"
#include "daemon/config_topics.h"
#include "daemon/journal.h"
#include "daemon/load.h"
#include "daemon/monitor_internal.h"
#include "respond/playbook.h"

iv_rc iv_monitor_tell_console(struct iv_monitor *m, const struct iv_baseline *baseline, struct iv_err *err)
{
    const struct iv_baseline *b = baseline;
    struct iv_console_rule *rules = iv_calloc(b->rule_count, sizeof *rules);
    ENSURE(rules != NULL, err, IV_E_NOMEM, "cannot allocate the console's rules");
    for (size_t i = 0; i < b->rule_count; i++) {
        const struct iv_rule *r = b->rules[i];
        rules[i] = (struct iv_console_rule){
            .id = r->id,
            .title = r->title,
            .description = r->description,
            .severity = iv_str_of(iv_severity_name(r->severity)),
            .mode = iv_str_of(iv_mode_name(r->mode)),
            .pack = r->pack,
            .source = r->source_text,
            .remediate = r->remediate,
            .criteria = r->criteria,
            .criteria_count = r->criteria_count,
            .streams = iv_rule_streams(r),
        };
    }
    struct iv_console_baseline told = {.name = b->name,
                                       .version = b->version,
                                       .digest = iv_str_of(b->digest_hex),
                                       .rules = rules,
                                       .rule_count = b->rule_count};
    struct iv_rc_s rc = iv_console_baseline(m->console, &told, err);
    iv_free(rules);
    return rc;
}

void iv_monitor_count_baseline(struct iv_monitor *m, const struct iv_baseline *baseline, double in_force)
{
    iv_series_set(
        IV_SERIES(m->metrics, BASELINE, baseline->name, baseline->version, iv_str_of(baseline->digest_hex)),
        in_force);
}

/* By the log, a counter, the status, and the sinks of alerts. */
static void tell_reload(struct iv_monitor *m, const struct iv_err *why)
{
    atomic_store(&m->reloading, false);
    struct iv_console_reload reload = {.accepted = why == NULL,
                                       .time = iv_wall(&m->clock),
                                       .reason = iv_str_of(why == NULL ? "" : why->text)};
    iv_series_add(IV_SERIES(m->metrics, RELOADS, why == NULL ? IV_STR("accepted") : IV_STR("refused")), 1);
    if (m->console != NULL) {
        iv_console_reload(m->console, &reload);
    }
    iv_alerts_condition(m->alerts, IV_CONDITION_BASELINE_REFUSED, why == NULL,
                        why == NULL ? "another baseline is in force" : why->text);
    iv_monitor_refusal(m, why == NULL ? NULL : why->text);
    if (why != NULL) {
        iv_lookout_note(m->lookout, IV_JOURNAL_RELOAD_REFUSED, m->config->baseline, iv_str_of(why->text));
        LOG_ERROR("run.reload.refused", KV_TEXT("why", why->text),
                  KV_TEXT("then", "the baseline that was in force stays in force"));
    } else {
        iv_lookout_note(m->lookout, IV_JOURNAL_RELOADED, iv_str_of(m->baseline->digest_hex),
                        m->baseline->version);
        LOG_INFO("run.reload.accepted", KV_STR("baseline", m->baseline->name),
                 KV_TEXT("digest", m->baseline->digest_hex),
                 KV_I64("rules", (int64_t)m->baseline->rule_count));
    }
}

void iv_monitor_reloaded(void *ctx, struct iv_baseline *baseline, const struct iv_err *why)
{
    struct iv_monitor *m = ctx;
    if (why != NULL) {
        tell_reload(m, why);
        return;
    }
    (void)pthread_mutex_lock(&m->lock);
    struct iv_baseline *before = m->baseline;
    m->baseline = iv_baseline_ref(baseline);
    if (m->coming != NULL) {
        iv_playbooks_unref(m->playbooks);
        m->playbooks = TAKE(m->coming);
    }
    if (m->act != NULL) {
        iv_act_reload(m->act, baseline, m->playbooks);
        iv_observer_reload(m->observer, baseline);
    }
    iv_canary_reload(m->canary, baseline);
    (void)pthread_mutex_unlock(&m->lock);
    iv_monitor_count_baseline(m, before, 0);
    iv_monitor_count_baseline(m, baseline, 1);
    iv_baseline_unref(before);
    struct iv_err err;
    if (m->console != NULL && !iv_ok(iv_monitor_tell_console(m, baseline, &err))) {
        LOG_ERROR("console.baseline", KV_TEXT("why", err.text));
    }
    tell_reload(m, NULL);
}

/* The consumer has subscribed, and the offsets that it goes on from are of its topics; what was called is
 * proven by the topics of the time of the call. */
static iv_rc check_topics(struct iv_monitor *m, const struct iv_baseline *baseline, struct iv_err *err)
{
    bool reads = m->detect != NULL || m->observer != NULL;
    for (int s = 0; s < IV_STREAMS && reads; s++) {
        struct iv_str before = iv_config_topic(m->config, m->baseline, (enum iv_stream)s);
        struct iv_str after = iv_config_topic(m->config, baseline, (enum iv_stream)s);
        ENSURE(iv_str_eq(before, after), err, IV_E_REFUSED,
               "the topic of %s changes from '" IV_STR_FMT "' to '" IV_STR_FMT "', which takes a restart",
               iv_stream_name((enum iv_stream)s), IV_STR_ARG(before), IV_STR_ARG(after));
    }
    return IV_OK;
}

static iv_rc load(struct iv_monitor *m, struct iv_baseline **baseline, struct iv_playbooks **playbooks,
                  struct iv_err *err)
{
    TRY(iv_reload_baseline(baseline, playbooks, m->config->baseline, err));
    if (m->config->respond.dry_run) {
        iv_playbooks_observe(*playbooks);
    }
    TRY(iv_playbooks_locate(*playbooks, m->config->endpoints, m->config->endpoint_count, err));
    (void)pthread_mutex_lock(&m->lock);
    struct iv_rc_s rc = check_topics(m, *baseline, err);
    (void)pthread_mutex_unlock(&m->lock);
    return rc;
}

void iv_monitor_reload(struct iv_monitor *monitor)
{
    IV_AUTO(iv_baseline_unrefp) struct iv_baseline *baseline = NULL;
    IV_AUTO(iv_playbooks_unrefp) struct iv_playbooks *playbooks = NULL;
    struct iv_err err = {.text = ""};
    LOG_INFO("run.reload", KV_STR("path", monitor->config->baseline));
    atomic_store(&monitor->reloading, true);
    if (!iv_ok(load(monitor, &baseline, &playbooks, &err))) {
        tell_reload(monitor, &err);
        return;
    }
    (void)pthread_mutex_lock(&monitor->lock);
    iv_playbooks_unref(monitor->coming);
    monitor->coming = iv_playbooks_ref(playbooks);
    (void)pthread_mutex_unlock(&monitor->lock);
    iv_monitor_reload_intakes(monitor, baseline, playbooks);
    if (monitor->detect != NULL) {
        iv_detect_reload(monitor->detect, baseline, iv_monitor_answer(monitor, playbooks));
    } else {
        /* Where there is a detector, its first commit under the new one enters it. */
        if (!iv_ok(iv_journal_reload(monitor->store, baseline, &err))) {
            LOG_WARN("run.reload.unlogged", KV_TEXT("why", err.text));
        }
        iv_monitor_reloaded(monitor, baseline, NULL);
    }
}
