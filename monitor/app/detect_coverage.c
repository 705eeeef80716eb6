/* SPDX-License-Identifier: Apache-2.0 */
#include "app/detect_coverage.h"

#include "app/commit.h"
#include "base/guard.h"
#include "base/log.h"
#include "evidence/coverage.h"

#include <stdio.h>

/* The transaction timeout that producers have by default, and then some: the broker aborts one that is older,
 * so what is still open is stuck. */
#define BLIND_TOO_LONG (70 * IV_NS_PER_S)
/* A window that is left to its trigger has no bound to know. */
#define WAITS_AT_MOST (24 * 3600 * IV_NS_PER_S)

static iv_ns wait_of(const struct iv_rule *rule)
{
    if (rule->form != IV_REQUIRE || rule->with.window.kind == IV_WINDOW_BEFORE) {
        return 0;
    }
    return rule->with.window.future_max_ns > 0 ? rule->with.window.future_max_ns : WAITS_AT_MOST;
}

static iv_ns longest_wait(const struct iv_baseline *b)
{
    iv_ns longest = 0;
    for (size_t i = 0; i < b->rule_count; i++) {
        iv_ns wait = wait_of(b->rules[i]);
        longest = wait > longest ? wait : longest;
    }
    return longest;
}

static iv_rc recall(void *ctx, struct iv_str topic, const struct iv_cover *cover, struct iv_err *err)
{
    struct iv_detect *d = ctx;
    return iv_str_eq(topic, d->topics[cover->stream]) ? iv_coverage_recall(d->coverage, cover, err) : IV_OK;
}

iv_rc iv_detect_cover_open(struct iv_detect *d, struct iv_reader *reader, struct iv_err *err)
{
    struct iv_coverage_options options = {.waits = longest_wait(d->baseline), .key = d->judging.hash_key};
    for (int s = 0; s < IV_STREAMS; s++) {
        options.lateness[s] = d->baseline->streams[s].lateness;
    }
    TRY(iv_coverage_new(&d->coverage, &options, err));
    return iv_reader_covers(reader, recall, d, err);
}

void iv_detect_cover_policy(struct iv_detect *d)
{
    iv_ns lateness[IV_STREAMS];
    for (int s = 0; s < IV_STREAMS; s++) {
        lateness[s] = d->baseline->streams[s].lateness;
    }
    iv_coverage_policy(d->coverage, lateness, longest_wait(d->baseline));
}

iv_rc iv_detect_cover_assigned(struct iv_detect *d, struct iv_err *err)
{
    iv_coverage_all_away(d->coverage);
    for (size_t i = 0; i < d->partition_count; i++) {
        const struct iv_detect_partition *p = &d->partitions[i];
        if (p->ours) {
            TRY(iv_coverage_state(d->coverage, p->stream, p->partition, IV_COVER_READ, err));
        }
    }
    return IV_OK;
}

iv_rc iv_detect_cover_at(struct iv_detect *d, const struct iv_detect_partition *p, int64_t offset,
                         struct iv_err *err)
{
    return iv_coverage_begin(d->coverage, p->stream, p->partition, p->next < 0 && offset == 0, err);
}

iv_rc iv_detect_cover_gap(struct iv_detect *d, const struct iv_cursor *at, int64_t next, struct iv_err *err)
{
    bool other_log = next < at->offset;
    uint64_t gone = other_log || at->offset < 0 ? 0 : (uint64_t)(next - at->offset);
    return iv_coverage_lost(d->coverage, at->stream, at->partition,
                            other_log ? IV_LOSS_TRUNCATED : IV_LOSS_RETENTION, gone, err);
}

static void tell_blind(struct iv_detect *d, struct iv_detect_partition *p, int64_t held, iv_ns now)
{
    char number[16];
    (void)snprintf(number, sizeof number, "%d", (int)p->partition);
    iv_ns since = p->blind_since;
    if (held > 0) {
        p->blind_since = since == 0 ? now : since;
        if (!p->blind_told && now - p->blind_since >= BLIND_TOO_LONG) {
            p->blind_told = true;
            LOG_ERROR("detect.blind", KV_STR("topic", d->topics[p->stream]),
                      KV_I64("partition", p->partition), KV_I64("held", held),
                      KV_F64("seconds", (double)(now - p->blind_since) / 1e9));
        }
    } else if (p->blind_told) {
        LOG_INFO("detect.blind.over", KV_STR("topic", d->topics[p->stream]),
                 KV_I64("partition", p->partition), KV_F64("seconds", (double)(now - since) / 1e9));
    }
    if (held == 0) {
        p->blind_since = 0;
        p->blind_told = false;
    }
    iv_series_set(IV_SERIES(d->metrics, BLIND, d->topics[p->stream], iv_str_of(number)),
                  p->blind_since == 0 ? 0 : (double)(now - p->blind_since) / 1e9);
}

iv_rc iv_detect_cover_blind(struct iv_detect *d, struct iv_detect_partition *p, bool *blind,
                            struct iv_err *err)
{
    int64_t held = p->ours && p->at_end ? iv_consumer_held(d->consumer, p->stream, p->partition) : 0;
    *blind = held > 0;
    if (held == 0 && p->blind_since == 0) {
        return IV_OK;
    }
    tell_blind(d, p, held, iv_monotonic(&d->clock));
    return p->ours ? iv_coverage_state(d->coverage, p->stream, p->partition,
                                       *blind ? IV_COVER_BLIND : IV_COVER_READ, err)
                   : IV_OK;
}

static iv_rc take(void *ctx, const struct iv_cover *cover, struct iv_err *err)
{
    struct iv_detect *d = ctx;
    return iv_commit_cover(d->commit, d->topics[cover->stream], cover, err);
}

iv_rc iv_detect_cover_take(struct iv_detect *d, struct iv_err *err)
{
    return iv_coverage_report(d->coverage, false, take, d, err);
}
