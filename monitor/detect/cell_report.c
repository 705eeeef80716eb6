/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "base/log.h"
#include "detect/cell.h"

static void add(struct iv_series *series, uint64_t *counted, uint64_t now)
{
    if (now > *counted) {
        iv_series_add(series, now - *counted);
    }
    *counted = now;
}

/* The keys of global rules are made, and fail, where an event is read. */
static void rule_stats(struct iv_cell *c, uint16_t index, struct iv_rule_stats *out)
{
    struct iv_rule_stats keys = {.failures = 0};
    iv_judge_rule_stats(c->judge, index, out);
    if (c->front != NULL) {
        iv_front_rule_stats(c->front, index, &keys);
    }
    out->failures += keys.failures;
}

static void count_exchange(struct iv_cell *c)
{
    struct iv_metrics *metrics = c->site->metrics;
    struct iv_front_stats front;
    struct iv_back_stats back;
    if (c->front != NULL) {
        iv_front_stats(c->front, &front);
        add(IV_SERIES(metrics, EXCHANGE_EVENTS, IV_STR("sent")), &c->exchanged.sent, front.events);
        add(iv_metrics_only(metrics, IV_METRIC_EXCHANGE_BYTES), &c->exchanged.sent_bytes, front.bytes);
    }
    if (c->back != NULL) {
        iv_back_stats(c->back, &back);
        add(IV_SERIES(metrics, EXCHANGE_EVENTS, IV_STR("taken")), &c->exchanged.taken, back.events);
        add(IV_SERIES(metrics, EXCHANGE_EVENTS, IV_STR("repeated")), &c->exchanged.repeated, back.skipped);
    }
}

void iv_cell_count(struct iv_cell *cell)
{
    struct iv_metrics *metrics = cell->site->metrics;
    const struct iv_baseline *baseline = cell->site->baseline;
    struct iv_engine_stats stats;
    iv_judge_stats(cell->judge, &stats);
    if (cell->kind != IV_CELL_BACK) { /* whose events were counted where they were read */
        add(iv_metrics_only(metrics, IV_METRIC_DUPLICATES), &cell->duplicates, stats.duplicates);
        add(iv_metrics_only(metrics, IV_METRIC_LATE), &cell->late, stats.late);
    }
    count_exchange(cell);
    for (size_t i = 0; i < baseline->rule_count; i++) {
        struct iv_rule_stats rule;
        rule_stats(cell, (uint16_t)i, &rule);
        if (rule.failures > cell->failures[i]) {
            add(IV_SERIES(metrics, RULE_FAILURES, baseline->rules[i]->id), &cell->failures[i], rule.failures);
        }
    }
}

void iv_cell_count_from_here(struct iv_cell *cell)
{
    struct iv_engine_stats stats;
    iv_judge_stats(cell->judge, &stats);
    cell->duplicates = stats.duplicates;
    cell->late = stats.late;
    for (size_t i = 0; i < cell->site->baseline->rule_count; i++) {
        struct iv_rule_stats rule;
        rule_stats(cell, (uint16_t)i, &rule);
        cell->failures[i] = rule.failures;
    }
}

uint64_t iv_cell_limit(struct iv_cell *cell, uint64_t bytes)
{
    struct iv_engine_stats stats;
    iv_judge_limit(cell->judge, bytes);
    iv_judge_stats(cell->judge, &stats);
    bool over = stats.state_bytes > bytes;
    if (over && !cell->over_limit) {
        LOG_WARN("detect.memory.over", KV_TEXT("cell", cell->name),
                 KV_I64("state_bytes", (int64_t)stats.state_bytes), KV_I64("limit_bytes", (int64_t)bytes),
                 KV_TEXT("why", "identities within dedup, logs of trees and what was told are not forgotten; "
                                "raise memory.limit or shorten dedup"));
    } else if (!over && cell->over_limit) {
        LOG_INFO("detect.memory.within", KV_TEXT("cell", cell->name),
                 KV_I64("state_bytes", (int64_t)stats.state_bytes), KV_I64("limit_bytes", (int64_t)bytes));
    }
    cell->over_limit = over;
    return over ? stats.state_bytes - bytes : 0;
}
