/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/monitor_internal.h"
#include "evidence/reader.h"
#include "evidence/times.h"

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
