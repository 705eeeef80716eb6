/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "base/log.h"
#include "detect/cell.h"
#include "evidence/coverage.h"
#include "evidence/reader.h"

#include <stdio.h>

/* The transaction timeout that producers have by default, and then some: the broker aborts one that is older,
 * so what is still open is stuck. */
#define BLIND_TOO_LONG (70 * IV_NS_PER_S)
/* A window that is left to its trigger has no bound to know. */
#define CENSUS_EVERY (60 * IV_NS_PER_S)
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
    struct iv_cell *c = ctx;
    bool has = iv_str_eq(topic, c->site->topics[cover->stream]) &&
               iv_cell_source(c, cover->stream, cover->partition) != NULL;
    return has ? iv_coverage_recall(c->coverage, cover, err) : IV_OK;
}

static struct iv_coverage_options options_of(const struct iv_cell *c)
{
    const struct iv_baseline *b = c->site->baseline;
    struct iv_coverage_options options = {.waits = longest_wait(b), .key = c->hash_key};
    for (int s = 0; s < IV_STREAMS; s++) {
        options.lateness[s] = b->streams[s].lateness;
    }
    return options;
}

/* In the place of what was there, with what the store has of the sources. */
static iv_rc put(struct iv_cell *c, struct iv_coverage *coverage, struct iv_err *err)
{
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    iv_coverage_free(c->coverage);
    c->coverage = coverage;
    if (c->census == NULL) {
        TRY(iv_census_new(&c->census, c->site->baseline->catalogue, err));
    }
    TRY(iv_reader_open(&reader, c->site->store_path, err));
    return iv_reader_covers(reader, recall, c, err);
}

iv_rc iv_cell_cover_open(struct iv_cell *cell, struct iv_err *err)
{
    if (cell->kind == IV_CELL_BACK) {
        return IV_OK; /* what it is fed from was read, and told of, elsewhere */
    }
    struct iv_coverage_options options = options_of(cell);
    struct iv_coverage *coverage = NULL;
    TRY(iv_coverage_new(&coverage, &options, err));
    return put(cell, coverage, err);
}

iv_rc iv_cell_cover_restore(struct iv_cell *cell, struct iv_str image, struct iv_err *err)
{
    struct iv_coverage_options options = options_of(cell);
    struct iv_coverage *coverage = NULL;
    TRY(iv_coverage_restore(&coverage, &options, image, err));
    return put(cell, coverage, err);
}

void iv_cell_cover_policy(struct iv_cell *cell)
{
    if (cell->coverage == NULL) {
        return;
    }
    struct iv_coverage_options options = options_of(cell);
    iv_coverage_policy(cell->coverage, options.lateness, options.waits);
    iv_census_reload(cell->census, cell->site->baseline->catalogue);
}

iv_rc iv_cell_cover_assigned(struct iv_cell *cell, struct iv_err *err)
{
    for (size_t i = 0; i < cell->source_count; i++) {
        const struct iv_source *s = &cell->sources[i];
        TRY(iv_coverage_state(cell->coverage, s->stream, s->partition, IV_COVER_READ, err));
    }
    return IV_OK;
}

iv_rc iv_cell_cover_at(struct iv_cell *cell, const struct iv_source *source, int64_t offset,
                       struct iv_err *err)
{
    return iv_coverage_begin(cell->coverage, source->stream, source->partition,
                             source->next < 0 && offset == 0, err);
}

iv_rc iv_cell_gap(struct iv_cell *cell, const struct iv_cursor *at, int64_t next, struct iv_err *err)
{
    bool other_log = next < at->offset;
    cell->gone += other_log ? (uint64_t)at->offset : 0;
    if (cell->kind == IV_CELL_BACK) {
        return iv_back_joined_midway(cell->back, err);
    }
    if (cell->front != NULL) {
        iv_front_gap(cell->front, at->stream, next);
    }
    struct iv_source *source = iv_cell_source(cell, at->stream, at->partition);
    IV_CHECK(source != NULL);
    source->missing = true;
    source->reached = -1; /* what another log holds was not read, however far the last one was */
    TRY(iv_judge_missed(cell->judge, NULL, IV_NS_MIN, err)); /* a partner may have stood there */
    uint64_t gone = other_log || at->offset < 0 ? 0 : (uint64_t)(next - at->offset);
    return iv_coverage_lost(cell->coverage, at->stream, at->partition,
                            other_log ? IV_LOSS_TRUNCATED : IV_LOSS_RETENTION, gone, err);
}

iv_rc iv_cell_end_missing(struct iv_cell *cell, struct iv_source *source, iv_ns time, struct iv_err *err)
{
    if (!source->missing) {
        return IV_OK;
    }
    source->missing = false;
    iv_ns lateness = cell->site->baseline->streams[source->stream].lateness;
    return iv_judge_missed(cell->judge, NULL, iv_ns_add(time, lateness), err);
}

static void tell_blind(struct iv_cell *c, struct iv_source *s, int64_t held, iv_ns now)
{
    struct iv_str topic = c->site->topics[s->stream];
    char number[16];
    (void)snprintf(number, sizeof number, "%d", (int)s->partition);
    iv_ns since = s->blind_since;
    if (held > 0) {
        s->blind_since = since == 0 ? now : since;
        if (!s->blind_told && now - s->blind_since >= BLIND_TOO_LONG) {
            s->blind_told = true;
            LOG_ERROR("detect.blind", KV_STR("topic", topic), KV_I64("partition", s->partition),
                      KV_I64("held", held), KV_F64("seconds", (double)(now - s->blind_since) / 1e9));
        }
    } else if (s->blind_told) {
        LOG_INFO("detect.blind.over", KV_STR("topic", topic), KV_I64("partition", s->partition),
                 KV_F64("seconds", (double)(now - since) / 1e9));
    }
    if (held == 0) {
        s->blind_since = 0;
        s->blind_told = false;
    }
    iv_series_set(IV_SERIES(c->site->metrics, BLIND, topic, iv_str_of(number)),
                  s->blind_since == 0 ? 0 : (double)(now - s->blind_since) / 1e9);
}

iv_rc iv_cell_cover_blind(struct iv_cell *cell, struct iv_source *source, bool *blind, struct iv_err *err)
{
    int64_t held = iv_consumer_held(cell->site->consumer, source->stream, source->partition);
    *blind = held > 0;
    if (held == 0 && source->blind_since == 0) {
        return IV_OK;
    }
    tell_blind(cell, source, held, iv_monotonic(&cell->site->clock));
    return iv_coverage_state(cell->coverage, source->stream, source->partition,
                             *blind ? IV_COVER_BLIND : IV_COVER_READ, err);
}

static iv_rc take(void *ctx, const struct iv_cover *cover, struct iv_err *err)
{
    struct iv_cell *c = ctx;
    struct iv_source *source = iv_cell_source(c, cover->stream, cover->partition);
    if (source != NULL) {
        source->covered = cover->reach;
    }
    return iv_commit_cover(c->commit, c->site->topics[cover->stream], cover, err);
}

iv_rc iv_cell_cover_take(struct iv_cell *cell, struct iv_err *err)
{
    return iv_coverage_report(cell->coverage, false, take, cell, err);
}

static iv_rc take_alive(void *ctx, const struct iv_alive_row *row, struct iv_err *err)
{
    struct iv_cell *c = ctx;
    return iv_commit_alive(c->commit, row, err);
}

iv_rc iv_cell_census_take(struct iv_cell *cell, struct iv_err *err)
{
    struct iv_cell_place place = iv_cell_place(cell);
    iv_ns now = iv_monotonic(&cell->site->clock);
    iv_ns as_of = IV_NS_MAX;
    for (size_t i = 0; i < cell->source_count; i++) {
        as_of = cell->sources[i].covered < as_of ? cell->sources[i].covered : as_of;
    }
    bool due = cell->census_told == 0 || now - cell->census_told >= CENSUS_EVERY;
    if (cell->census == NULL || !due || as_of == IV_NS_MIN || place.topic.n == 0) {
        return IV_OK;
    }
    cell->census_told = now;
    TRY(iv_commit_alive_as_of(cell->commit, &place, as_of, err));
    return iv_census_report(cell->census, take_alive, cell, err);
}

iv_rc iv_cell_retire(struct iv_cell *cell, struct iv_err *err)
{
    if (cell->coverage != NULL) {
        iv_coverage_all_away(cell->coverage);
    }
    return iv_cell_settle(cell, err);
}
