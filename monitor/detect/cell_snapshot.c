/* SPDX-License-Identifier: Apache-2.0 */
/* Where a cell goes on after a restart or a rebalance, and what a snapshot of it says (saver.h). */
#include "base/alloc.h"
#include "base/guard.h"
#include "base/log.h"
#include "detect/cell.h"
#include "evidence/store.h"

static bool stream_of(enum iv_stream *out, const struct iv_cell *c, struct iv_str topic)
{
    int streams = c->kind == IV_CELL_BACK ? 1 : IV_STREAMS;
    for (int s = 0; s < streams; s++) {
        if (iv_str_eq(iv_cell_topic(c, (enum iv_stream)s), topic)) {
            *out = (enum iv_stream)s;
            return true;
        }
    }
    return false;
}

/* What was found before a snapshot is never found again: the store must have it. */
static iv_rc check_place(struct iv_cell *c, const struct iv_vault_place *place, struct iv_err *err)
{
    enum iv_stream stream;
    int64_t kept = 0;
    ENSURE(stream_of(&stream, c, place->topic), err, IV_E_MALFORMED,
           "it is of the topic '" IV_STR_FMT "', which is not read now", IV_STR_ARG(place->topic));
    ENSURE(iv_cell_source(c, stream, place->partition) != NULL, err, IV_E_MALFORMED,
           "it is of partition %d of the topic '" IV_STR_FMT "', which is not read here",
           (int)place->partition, IV_STR_ARG(place->topic));
    if (place->next <= 0) {
        return IV_OK;
    }
    struct iv_rc_s rc = iv_store_position(c->site->store, &kept, place->topic, place->partition, err);
    if (rc.code != IV_E_ABSENT) {
        TRY(rc);
    }
    ENSURE(kept >= place->next, err, IV_E_MALFORMED,
           "it goes on at offset %lld of " IV_STR_FMT "/%d, and the store has what was found up to %lld only",
           (long long)place->next, IV_STR_ARG(place->topic), (int)place->partition, (long long)kept);
    return IV_OK;
}

static iv_rc check_places(struct iv_cell *c, const struct iv_vault_head *head, struct iv_err *err)
{
    TRY(iv_store_begin(c->site->store, err));
    struct iv_rc_s rc = IV_OK;
    for (size_t i = 0; i < head->place_count && iv_ok(rc); i++) {
        rc = check_place(c, &head->places[i], err);
    }
    iv_store_rollback(c->site->store);
    return rc;
}

static void take_places(struct iv_cell *c, const struct iv_vault_head *head)
{
    for (size_t i = 0; i < head->place_count; i++) {
        const struct iv_vault_place *place = &head->places[i];
        enum iv_stream stream;
        IV_CHECK(stream_of(&stream, c, place->topic));
        struct iv_source *s = iv_cell_source(c, stream, place->partition);
        s->next = place->next == IV_VAULT_UNREAD ? IV_OFFSET_BEGINNING : place->next;
    }
    c->gone = head->gone;
    c->saved_progress = iv_vault_progress(head);
}

/* As before the snapshot was tried. */
static void unmake(struct iv_cell *c)
{
    struct iv_cell_next parts = {NULL};
    iv_cell_leave_exchange(c);
    iv_cell_swap(c, &parts);
    iv_cell_drop(&parts);
    for (size_t i = 0; i < c->source_count; i++) {
        c->sources[i].next = IV_OFFSET_BEGINNING;
    }
    c->gone = 0;
    c->saved_progress = 0;
}

static iv_rc take_snapshot(void *ctx, struct iv_vault_reader *r, struct iv_err *err)
{
    struct iv_cell *c = ctx;
    struct iv_baseline *baseline = c->site->baseline;
    struct iv_judge_options judge = iv_cell_judging(c, baseline);
    TRY(check_places(c, &r->head, err));
    size_t engines = r->head.engine_count;
    if (engines > 0 && iv_coverage_is_image(r->engines[engines - 1])) {
        TRY(iv_cell_cover_restore(c, r->engines[--engines], err));
    } else {
        TRY(iv_cell_cover_open(c, err));
    }
    ENSURE(engines > 0 && engines <= IV_JUDGE_ENGINES, err, IV_E_MALFORMED, "it has %zu engines", engines);
    for (size_t i = 0; i < engines; i++) {
        judge.bytes[i] = r->engines[i];
    }
    TRY(iv_cell_make_judge(c, &judge, err));
    take_places(c, &r->head);
    struct iv_rc_s rc = iv_cell_join_exchange(c, r->head.notes, err);
    if (!iv_ok(rc)) {
        unmake(c);
        return rc;
    }
    LOG_INFO("snapshot.restored", KV_STR("cell", r->head.cell),
             KV_F64("age_s", (double)(iv_wall(&c->site->clock) - r->head.taken) / 1e9),
             KV_I64("bytes", (int64_t)r->bytes), KV_I64("partitions", (int64_t)r->head.place_count),
             KV_I64("same_baseline", iv_str_eq(r->head.baseline, iv_str_of(baseline->digest_hex)) ? 1 : 0));
    return IV_OK;
}

/* Where the topic cannot be read, what is here will do: it is older, and more is read again. */
static void fetch(const struct iv_cell *c)
{
    struct iv_err why = {.text = ""};
    if (c->site->courier != NULL && !iv_ok(iv_courier_fetch(c->site->courier, iv_str_of(c->name), &why))) {
        iv_series_add(iv_metrics_only(c->site->metrics, IV_METRIC_SNAPSHOT_FAILURES), 1);
        LOG_ERROR("snapshot.not_fetched", KV_TEXT("cell", c->name), KV_TEXT("why", why.text));
    }
}

iv_rc iv_cell_restore(struct iv_cell *cell, struct iv_err *err)
{
    struct iv_site *site = cell->site;
    iv_ns begun = iv_monotonic(&site->clock);
    fetch(cell);
    struct iv_rc_s rc = iv_saver_restore(site->saver, iv_str_of(cell->name), take_snapshot, cell, err);
    if (rc.code == IV_E_ABSENT) {
        LOG_INFO("snapshot.none", KV_TEXT("cell", cell->name), KV_TEXT("why", err->text),
                 KV_TEXT("reading_from", "the beginning"));
        struct iv_judge_options judge = iv_cell_judging(cell, site->baseline);
        TRY(iv_cell_cover_open(cell, err)); /* nothing is left of a snapshot that was refused */
        TRY(iv_cell_make_judge(cell, &judge, err));
        return iv_cell_join_exchange(cell, IV_STR(""), err);
    }
    TRY(rc);
    iv_cell_count_from_here(cell);
    iv_series_set(iv_metrics_only(site->metrics, IV_METRIC_SNAPSHOT_RESTORE),
                  (double)(iv_monotonic(&site->clock) - begun) / 1e9);
    return IV_OK;
}

iv_rc iv_cell_note_places(struct iv_cell *cell, struct iv_err *err)
{
    struct iv_vault_place *places = iv_realloc(cell->places, (cell->source_count + 1) * sizeof *places);
    ENSURE(places != NULL, err, IV_E_NOMEM, "cannot allocate the partitions of a snapshot");
    cell->places = places;
    cell->place_count = cell->source_count;
    for (size_t i = 0; i < cell->source_count; i++) {
        const struct iv_source *s = &cell->sources[i];
        places[i] = (struct iv_vault_place){iv_cell_topic(cell, s->stream), s->partition,
                                            s->next < 0 ? IV_VAULT_UNREAD : s->next};
    }
    return IV_OK;
}

uint64_t iv_cell_progress(const struct iv_cell *cell)
{
    struct iv_vault_head head = {
        .gone = cell->gone, .places = cell->places, .place_count = cell->place_count};
    return iv_vault_progress(&head);
}

struct iv_saver_cell iv_cell_saved(struct iv_cell *cell)
{
    iv_buf_clear(&cell->notes);
    if (cell->back != NULL) {
        iv_back_save(cell->back, &cell->notes);
    }
    return (struct iv_saver_cell){.name = iv_str_of(cell->name),
                                  .judge = cell->judge,
                                  .baseline = iv_str_of(cell->site->baseline->digest_hex),
                                  .places = cell->places,
                                  .place_count = cell->place_count,
                                  .gone = cell->gone,
                                  .notes = iv_buf_slice(&cell->notes),
                                  .coverage = cell->coverage};
}
