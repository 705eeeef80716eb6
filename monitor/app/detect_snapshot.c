/* SPDX-License-Identifier: Apache-2.0 */
/* Where the detector goes on after a restart, and how it sees to it (saver.h). */
#include "app/commit.h"
#include "app/detect_internal.h"
#include "app/saver.h"
#include "base/alloc.h"
#include "base/guard.h"
#include "base/log.h"
#include "vault/folder.h"

#define CELL IV_STR("all")
/* At the end: for the store to take what was found last, and for the snapshot after it. */
#define LAST_KEPT_WAIT (6 * IV_NS_PER_S)
#define LAST_WRITTEN_WAIT (20 * IV_NS_PER_S)
#define LOOK_EVERY (5 * IV_NS_PER_MS)

static bool stream_of(enum iv_stream *out, const struct iv_detect *d, struct iv_str topic)
{
    for (int s = 0; s < IV_STREAMS; s++) {
        if (iv_str_eq(d->topics[s], topic)) {
            *out = (enum iv_stream)s;
            return true;
        }
    }
    return false;
}

/* What was found before a snapshot is never found again: the store must have it. */
static iv_rc check_place(struct iv_detect *d, const struct iv_vault_place *place, struct iv_err *err)
{
    enum iv_stream stream;
    int64_t kept = 0;
    ENSURE(stream_of(&stream, d, place->topic), err, IV_E_MALFORMED,
           "it is of the topic '" IV_STR_FMT "', which is not read now", IV_STR_ARG(place->topic));
    if (place->next <= 0) {
        return IV_OK;
    }
    struct iv_rc_s rc = iv_store_position(d->store, &kept, place->topic, place->partition, err);
    if (rc.code != IV_E_ABSENT) {
        TRY(rc);
    }
    ENSURE(kept >= place->next, err, IV_E_MALFORMED,
           "it goes on at offset %lld of " IV_STR_FMT "/%d, and the store has what was found up to %lld only",
           (long long)place->next, IV_STR_ARG(place->topic), (int)place->partition, (long long)kept);
    return IV_OK;
}

static iv_rc check_places(struct iv_detect *d, const struct iv_vault_head *head, struct iv_err *err)
{
    TRY(iv_store_begin(d->store, err));
    struct iv_rc_s rc = IV_OK;
    for (size_t i = 0; i < head->place_count && iv_ok(rc); i++) {
        rc = check_place(d, &head->places[i], err);
    }
    iv_store_rollback(d->store);
    return rc;
}

/* Until the group has assigned its partitions anew, each holds its stream back, as after a revocation. */
static iv_rc take_places(struct iv_detect *d, const struct iv_vault_head *head, struct iv_err *err)
{
    for (size_t i = 0; i < head->place_count; i++) {
        const struct iv_vault_place *place = &head->places[i];
        enum iv_stream stream;
        IV_CHECK(stream_of(&stream, d, place->topic));
        struct iv_detect_partition *p = iv_detect_partition(d, stream, place->partition);
        ENSURE(p != NULL, err, IV_E_NOMEM, "cannot allocate a partition's state");
        p->next = place->next == IV_VAULT_UNREAD ? IV_OFFSET_BEGINNING : place->next;
        p->revoked = true;
    }
    d->saved_progress = iv_vault_progress(head);
    return IV_OK;
}

static iv_rc take_snapshot(void *ctx, struct iv_vault_reader *r, struct iv_err *err)
{
    struct iv_detect *d = ctx;
    struct iv_judge_options judge = d->judging;
    TRY(check_places(d, &r->head, err));
    ENSURE(r->head.engine_count > 0, err, IV_E_MALFORMED, "it has no engine");
    judge.baseline = d->baseline;
    for (size_t i = 0; i < r->head.engine_count; i++) {
        judge.bytes[i] = r->engines[i];
    }
    TRY(iv_judge_new(&d->judge, &judge, err));
    d->judging.hash_key = iv_judge_hash_key(d->judge);
    TRY(take_places(d, &r->head, err));
    struct iv_str digest = iv_str_of(d->baseline->digest_hex);
    LOG_INFO("snapshot.restored", KV_STR("cell", r->head.cell),
             KV_F64("age_s", (double)(iv_wall(&d->clock) - r->head.taken) / 1e9),
             KV_I64("bytes", (int64_t)r->bytes), KV_I64("partitions", (int64_t)r->head.place_count),
             KV_I64("same_baseline", iv_str_eq(r->head.baseline, digest) ? 1 : 0));
    return IV_OK;
}

iv_rc iv_detect_restore(struct iv_detect *d, struct iv_err *err)
{
    iv_ns begun = iv_monotonic(&d->clock);
    struct iv_rc_s rc = iv_saver_restore(d->saver, CELL, take_snapshot, d, err);
    if (rc.code == IV_E_ABSENT) {
        LOG_INFO("snapshot.none", KV_TEXT("why", err->text), KV_TEXT("reading_from", "the beginning"));
        struct iv_judge_options judge = d->judging;
        judge.baseline = d->baseline;
        return iv_judge_new(&d->judge, &judge, err);
    }
    TRY(rc);
    iv_series_set(iv_metrics_only(d->metrics, IV_METRIC_SNAPSHOT_RESTORE),
                  (double)(iv_monotonic(&d->clock) - begun) / 1e9);
    return IV_OK;
}

static iv_rc note_places(struct iv_detect *d, struct iv_err *err)
{
    struct iv_vault_place *places = iv_realloc(d->places, (d->partition_count + 1) * sizeof *places);
    ENSURE(places != NULL, err, IV_E_NOMEM, "cannot allocate the partitions of a snapshot");
    d->places = places;
    for (size_t i = 0; i < d->partition_count; i++) {
        const struct iv_detect_partition *p = &d->partitions[i];
        places[i] = (struct iv_vault_place){d->topics[p->stream], p->partition,
                                            p->next < 0 ? IV_VAULT_UNREAD : p->next};
    }
    d->place_count = d->partition_count;
    return IV_OK;
}

/* Nothing was read since, or it is not known yet what is to be read: what is kept will do. */
static bool has_moved(const struct iv_detect *d)
{
    struct iv_vault_head head = {.places = d->places, .place_count = d->place_count};
    bool ours = false;
    for (size_t i = 0; i < d->partition_count; i++) {
        ours = ours || d->partitions[i].ours;
    }
    return ours && iv_vault_progress(&head) != d->saved_progress;
}

/* A failure is told, and is none of the stream's: the snapshots before it are still there. */
static void tell_failure(struct iv_detect *d, const struct iv_err *why)
{
    iv_series_add(iv_metrics_only(d->metrics, IV_METRIC_SNAPSHOT_FAILURES), 1);
    LOG_ERROR("snapshot.failed", KV_TEXT("why", why->text));
}

/* All that was found so far is on its way to the store, and both engines are at rest. */
static iv_rc begin(struct iv_detect *d, struct iv_err *err)
{
    struct iv_err why = {.text = ""};
    TRY(iv_detect_hand_over(d, true, err));
    iv_ns begun = iv_monotonic(&d->clock);
    TRY(iv_judge_settle(d->judge, err));
    (void)pthread_mutex_lock(&d->hand_lock);
    d->save_awaits = d->handed;
    (void)pthread_mutex_unlock(&d->hand_lock);
    struct iv_saver_cell cell = {.name = CELL,
                                 .judge = d->judge,
                                 .baseline = iv_str_of(d->baseline->digest_hex),
                                 .places = d->places,
                                 .place_count = d->place_count};
    if (!iv_ok(iv_saver_begin(d->saver, &cell, 1, &why))) {
        tell_failure(d, &why);
    }
    iv_series_observe(iv_metrics_only(d->metrics, IV_METRIC_SNAPSHOT_PAUSE), iv_monotonic(&d->clock) - begun);
    return IV_OK;
}

static void tell_kept(struct iv_detect *d)
{
    struct iv_saver_figures figures;
    struct iv_vault_head head = {.places = d->places, .place_count = d->place_count};
    iv_saver_figures(d->saver, &figures);
    d->saved_progress = iv_vault_progress(&head);
    d->saved_is_news = true;
    iv_series_set(iv_metrics_only(d->metrics, IV_METRIC_SNAPSHOT_BYTES), (double)figures.bytes);
    iv_series_observe(iv_metrics_only(d->metrics, IV_METRIC_SNAPSHOT), figures.took);
    LOG_DEBUG("snapshot.kept", KV_I64("bytes", (int64_t)figures.bytes),
              KV_F64("pause_s", (double)figures.pause / 1e9), KV_F64("took_s", (double)figures.took / 1e9));
}

static void hear(struct iv_detect *d, enum iv_saver_state state, const struct iv_err *why)
{
    if (state == IV_SAVER_KEPT) {
        tell_kept(d);
    } else if (state == IV_SAVER_FAILED) {
        tell_failure(d, why);
    }
}

iv_rc iv_detect_save(struct iv_detect *d, struct iv_err *err)
{
    struct iv_err why = {.text = ""};
    if (atomic_load(d->kept) >= d->save_awaits) {
        iv_saver_release(d->saver);
    }
    hear(d, iv_saver_look(d->saver, &why), &why);
    if (!iv_saver_due(d->saver)) {
        return IV_OK;
    }
    TRY(note_places(d, err));
    return has_moved(d) ? begin(d, err) : IV_OK;
}

static bool wait_until_kept(struct iv_detect *d)
{
    iv_ns end = iv_monotonic(&d->clock) + LAST_KEPT_WAIT;
    while (atomic_load(d->kept) < d->save_awaits) {
        if (iv_monotonic(&d->clock) >= end) {
            return false;
        }
        iv_pause(LOOK_EVERY);
    }
    return true;
}

/* The one that is under way, or the one that was just begun. */
static void see_through(struct iv_detect *d)
{
    struct iv_err why = {.text = "the store did not take what was found before it"};
    if (!wait_until_kept(d)) {
        tell_failure(d, &why);
        return;
    }
    iv_saver_release(d->saver);
    enum iv_saver_state state = iv_saver_wait(d->saver, LAST_WRITTEN_WAIT, &why);
    if (state == IV_SAVER_WRITING) {
        (void)iv_ok(iv_err_set(&why, IV_E_TIMEOUT, "it was not written within %d s of the end",
                               (int)(LAST_WRITTEN_WAIT / IV_NS_PER_S)));
        state = IV_SAVER_FAILED;
    }
    hear(d, state, &why);
}

iv_rc iv_detect_save_last(struct iv_detect *d, struct iv_err *err)
{
    see_through(d);
    TRY(note_places(d, err));
    if (iv_saver_busy(d->saver) || !has_moved(d)) {
        return IV_OK;
    }
    TRY(begin(d, err));
    see_through(d);
    return IV_OK;
}

/* The group's offsets tell Kafka's own tools how far we are, and no further than we would go on from. */
void iv_detect_acknowledge(struct iv_detect *d)
{
    struct iv_cursor next[IV_PARTITIONS_SHOWN];
    size_t count = 0;
    struct iv_err err;
    if (!d->saved_is_news || iv_saver_busy(d->saver)) {
        return;
    }
    for (size_t i = 0; i < d->place_count && count < IV_COUNT(next); i++) {
        const struct iv_detect_partition *p = &d->partitions[i]; /* they only become more */
        if (p->ours && d->places[i].next != IV_VAULT_UNREAD) {
            next[count++] = (struct iv_cursor){p->stream, p->partition, d->places[i].next};
        }
    }
    /* A failure is logged by the consumer, and the next snapshot makes up for it. */
    if (count > 0) {
        (void)iv_ok(iv_consumer_commit(d->consumer, next, count, false, &err));
    }
    d->saved_is_news = false;
}

/* At each report. */
void iv_detect_report_snapshot(struct iv_detect *d)
{
    struct iv_saver_figures figures;
    iv_saver_figures(d->saver, &figures);
    if (figures.taken != 0) {
        iv_series_set(iv_metrics_only(d->metrics, IV_METRIC_SNAPSHOT_AGE),
                      (double)(iv_monotonic(&d->clock) - figures.taken) / 1e9);
    }
}
