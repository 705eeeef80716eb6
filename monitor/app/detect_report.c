/* SPDX-License-Identifier: Apache-2.0 */
#include "app/detect_internal.h"

#include "base/guard.h"

#include <stdio.h>

static void report_engine(struct iv_detect *d)
{
    struct iv_engine_stats stats;
    iv_judge_stats(d->judge, &stats);
    iv_series_total(iv_metrics_only(d->metrics, IV_METRIC_DUPLICATES), stats.duplicates);
    iv_series_total(iv_metrics_only(d->metrics, IV_METRIC_LATE), stats.late);
    iv_series_set(IV_SERIES(d->metrics, STATE, IV_STR("0")), (double)stats.state_bytes);
    iv_series_set(IV_SERIES(d->metrics, LIVE_EVENTS, IV_STR("0")), (double)stats.live_events);
    iv_series_set(IV_SERIES(d->metrics, ARMED, IV_STR("0")), (double)stats.armed);
    for (size_t s = 0; s < IV_STREAMS; s++) {
        struct iv_str name = iv_str_of(iv_stream_name((enum iv_stream)s));
        iv_series_set_time(IV_SERIES(d->metrics, WATERMARK, name), stats.watermark[s]);
        iv_series_set_time(IV_SERIES(d->metrics, LAST_EVENT, d->topics[s]), d->newest[s]);
    }
    for (size_t i = 0; i < d->baseline->rule_count; i++) {
        struct iv_rule_stats rule;
        iv_judge_rule_stats(d->judge, (uint16_t)i, &rule);
        if (rule.failures > 0) {
            iv_series_total(IV_SERIES(d->metrics, RULE_FAILURES, d->baseline->rules[i]->id), rule.failures);
        }
    }
}

static void report_partitions(struct iv_detect *d)
{
    struct iv_partition_stats stats[IV_PARTITIONS_SHOWN];
    size_t count = iv_consumer_partitions(d->consumer, stats, IV_COUNT(stats));
    for (size_t i = 0; i < count && i < IV_COUNT(stats); i++) {
        char number[16];
        (void)snprintf(number, sizeof number, "%d", stats[i].position.partition);
        if (stats[i].lag >= 0) {
            iv_series_set(IV_SERIES(d->metrics, LAG, d->topics[stats[i].position.stream], iv_str_of(number)),
                          (double)stats[i].lag);
        }
    }
}

/* The keyring counts its own, and goes with its baseline. */
void iv_detect_count_signatures(struct iv_detect *d)
{
    struct iv_keyring_counts counts;
    iv_keyring_counts(d->baseline->keyring, &counts);
    iv_series_add(iv_metrics_only(d->metrics, IV_METRIC_SIGNATURES), counts.verified - d->signatures);
    d->signatures = counts.verified;
}

void iv_detect_report(struct iv_detect *d)
{
    report_engine(d);
    iv_detect_count_signatures(d);
    iv_series_set(iv_metrics_only(d->metrics, IV_METRIC_VERIFY_QUEUE), (double)iv_judge_queue(d->judge));
    report_partitions(d);
    iv_detect_report_snapshot(d);
    iv_detect_acknowledge(d);
    (void)pthread_mutex_lock(&d->health_lock);
    iv_consumer_health(d->consumer, &d->health);
    (void)pthread_mutex_unlock(&d->health_lock);
}

void iv_detect_health(struct iv_detect *detect, struct iv_consumer_health *out)
{
    (void)pthread_mutex_lock(&detect->health_lock);
    *out = detect->health;
    (void)pthread_mutex_unlock(&detect->health_lock);
}
