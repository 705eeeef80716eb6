/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/guard.h"
#include "base/log.h"
#include "daemon/monitor_internal.h"
#include "evidence/reader.h"
#include "evidence/times.h"

#include <stdio.h>
#include <stdlib.h>

/* What ended in vain while nobody looked, just before the process was gone, is told by the next one. */
#define TOLD_AGAIN (600 * IV_NS_PER_S)
#define TOLD_FACT "executions.told"
#define PAGE 500

struct outcomes {
    size_t count;
    size_t page;
    int64_t seen;
    iv_ns since;
    char last[400];
};

static bool count_outcome(void *ctx, const struct iv_execution *e)
{
    struct outcomes *o = ctx;
    o->seen = e->seq;
    o->page++;
    if (e->finished >= o->since && !e->observed) {
        o->count++;
        (void)snprintf(o->last, sizeof o->last, "%.*s of %.*s is %s: %.*s",
                       (int)(e->playbook.n < 80 ? e->playbook.n : 80), e->playbook.p,
                       (int)(e->target.n < 80 ? e->target.n : 80), e->target.p, iv_run_state_name(e->state),
                       (int)(e->cause.n < 200 ? e->cause.n : 200), e->cause.p);
    }
    return true;
}

static void observe(void *ctx, const struct iv_times *times)
{
    struct iv_metrics *metrics = ctx;
    if (times->act >= 0) {
        iv_series_observe(iv_metrics_only(metrics, IV_METRIC_TIME_TO_ACT), times->act);
    }
    if (times->contain >= 0) {
        iv_series_observe(iv_metrics_only(metrics, IV_METRIC_TIME_TO_CONTAIN), times->contain);
    }
}

static void pass_over(void *ctx, const struct iv_times *times)
{
    (void)ctx;
    (void)times;
}

void iv_monitor_time(struct iv_monitor *m)
{
    struct iv_err err;
    bool begins = m->times_seen < 0; /* what was before is another process's */
    (void)!iv_ok(iv_reader_times(m->reader, &m->times_seen, begins ? INT64_MAX : m->times_seen,
                                 begins ? pass_over : observe, m->metrics, &err));
}

/* Up to where they were told, over restarts. */
static void read_told(struct iv_monitor *m)
{
    struct iv_err err;
    char text[24];
    struct iv_buf value;
    iv_buf_init_lent(&value, text, sizeof text, sizeof text - 1);
    if (iv_ok(iv_reader_fact(m->reader, &value, IV_STR(TOLD_FACT), &err))) {
        text[value.n] = '\0';
        m->outcomes_seen = strtoll(text, NULL, 10);
    }
    m->outcomes_read = true;
}

static iv_rc write_told(struct iv_monitor *m, int64_t seen, struct iv_err *err)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%lld", (long long)seen);
    TRY(iv_store_begin(m->store, err));
    struct iv_rc_s rc = iv_store_put_fact(m->store, IV_STR(TOLD_FACT), iv_str_of(text), err);
    if (!iv_ok(rc)) {
        iv_store_rollback(m->store);
        return rc;
    }
    return iv_store_commit(m->store, err);
}

/* All that there are behind the last one that was told. What did not end so is passed over for good. */
static iv_rc look_for_outcomes(struct iv_monitor *m, struct outcomes *o, struct iv_err *err)
{
    struct iv_store_heads heads;
    TRY(iv_reader_heads(m->reader, &heads, err));
    do {
        struct iv_execution_filter filter = {
            .states = 1u << IV_RUN_FAILED | 1u << IV_RUN_AMBIGUOUS, .after = o->seen, .limit = PAGE};
        o->page = 0;
        TRY(iv_reader_executions(m->reader, &filter, count_outcome, o, err));
    } while (o->page == PAGE);
    o->seen = heads.executions > o->seen ? heads.executions : o->seen;
    return IV_OK;
}

void iv_monitor_tell_outcomes(struct iv_monitor *m)
{
    struct iv_err err;
    if (m->alerts == NULL) {
        return;
    }
    if (!m->outcomes_read) {
        read_told(m);
    }
    struct outcomes o = {.seen = m->outcomes_seen, .since = m->begun - TOLD_AGAIN};
    if (!iv_ok(look_for_outcomes(m, &o, &err))) {
        return;
    }
    m->outcomes_seen = o.seen;
    if (o.count > 0) {
        char detail[480];
        (void)snprintf(detail, sizeof detail, "%s%s", o.last, o.count > 1 ? "; and others" : "");
        iv_alerts_condition(m->alerts, IV_CONDITION_REMEDIATION_FAILED, false, detail);
        LOG_WARN("respond.in_vain", KV_I64("executions", (int64_t)o.count), KV_TEXT("last", o.last));
        if (!iv_ok(write_told(m, o.seen, &err))) {
            LOG_WARN("respond.told_twice", KV_TEXT("why", err.text));
        }
    }
}
