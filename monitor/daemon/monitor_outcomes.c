/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "daemon/monitor_internal.h"
#include "evidence/reader.h"
#include "evidence/times.h"

#include <stdio.h>

/* What ended in vain while nobody looked, just before the process was gone, is told by the next one. */
#define TOLD_AGAIN (600 * IV_NS_PER_S)

struct outcomes {
    size_t count;
    int64_t seen;
    iv_ns since;
    char last[400];
};

static bool count_outcome(void *ctx, const struct iv_execution *e)
{
    struct outcomes *o = ctx;
    o->seen = e->seq;
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

void iv_monitor_tell_outcomes(struct iv_monitor *m)
{
    struct iv_err err;
    struct outcomes o = {.seen = m->outcomes_seen, .since = m->begun - TOLD_AGAIN};
    struct iv_execution_filter filter = {.states = 1u << IV_RUN_FAILED | 1u << IV_RUN_AMBIGUOUS,
                                         .after = o.seen};
    if (m->alerts == NULL || !iv_ok(iv_reader_executions(m->reader, &filter, count_outcome, &o, &err))) {
        return;
    }
    m->outcomes_seen = o.seen;
    if (o.count > 0) {
        char detail[480];
        (void)snprintf(detail, sizeof detail, "%s%s", o.last, o.count > 1 ? "; and others" : "");
        iv_alerts_condition(m->alerts, IV_CONDITION_REMEDIATION_FAILED, false, detail);
        LOG_WARN("respond.in_vain", KV_I64("executions", (int64_t)o.count), KV_TEXT("last", o.last));
    }
}
