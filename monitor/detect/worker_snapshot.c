/* SPDX-License-Identifier: Apache-2.0 */
/* When a worker's cells are saved (saver.h), and what the group is told of it. */
#include "base/alloc.h"
#include "base/fault.h"
#include "base/guard.h"
#include "base/log.h"
#include "detect/worker.h"

/* At the end: for the store to take what was found last; and for that and the snapshots, all together. A
 * service manager waits for a minute, and others have to come to their end after us. */
#define LAST_KEPT_WAIT (6 * IV_NS_PER_S)
#define LAST_WAIT (25 * IV_NS_PER_S)
#define LOOK_EVERY (5 * IV_NS_PER_MS)
/* For the exchange to take what was sent; and until the next try where it did not. */
#define ACKNOWLEDGED_WAIT IV_NS_PER_S
#define PUT_OFF (5 * IV_NS_PER_S)
/* More partitions than that are read all the same; the group is not told of them. */
#define PLACES_TOLD 512

/* Marks the cells that have read something since their last snapshot, or whose reading is not known yet: what
 * is kept of the others will do. */
static iv_rc choose(struct iv_worker *w, size_t *count, struct iv_err *err)
{
    *count = 0;
    for (size_t i = 0; i < w->cell_count; i++) {
        struct iv_cell *cell = w->cells[i];
        if (cell->ours) {
            TRY(iv_cell_note_places(cell, err));
        }
        cell->saving = cell->ours && iv_cell_progress(cell) != cell->saved_progress;
        *count += cell->saving ? 1 : 0;
    }
    return IV_OK;
}

/* A failure is told, and is none of the stream's: the snapshots before it are still there. */
static void tell_failure(struct iv_worker *w, const struct iv_err *why)
{
    iv_series_add(iv_metrics_only(w->site.metrics, IV_METRIC_SNAPSHOT_FAILURES), 1);
    LOG_ERROR("snapshot.failed", KV_TEXT("worker", w->label), KV_TEXT("why", why->text));
}

/* What a front has sent must have arrived, or it would be missing if reading began behind it. False: not now.
 */
static bool is_acknowledged(struct iv_worker *w, const struct iv_cell *cell, iv_ns until, struct iv_err *err)
{
    iv_ns left = until - iv_monotonic(&w->site.clock);
    return cell->front == NULL || iv_ok(iv_post_settle(w->site.post, cell->number, left > 0 ? left : 0, err));
}

/* All that was found so far is on its way to the store, all that was sent has arrived, and all engines are at
 * rest. What has not arrived is left for the next round. */
static iv_rc settle(struct iv_worker *w, size_t *count, struct iv_err *err)
{
    struct iv_err why = {.text = ""};
    iv_ns until = iv_monotonic(&w->site.clock) + ACKNOWLEDGED_WAIT;
    w->save_awaits = 0;
    for (size_t i = 0; i < w->cell_count; i++) {
        if (w->cells[i]->saving) {
            TRY(iv_cell_settle(w->cells[i], err));
        }
    }
    for (size_t i = 0; i < w->cell_count; i++) {
        struct iv_cell *cell = w->cells[i];
        if (cell->saving && !is_acknowledged(w, cell, until, &why)) {
            cell->saving = false;
            (*count)--;
        }
        if (cell->saving) {
            uint64_t handed = iv_cell_handed(cell);
            w->save_awaits = handed > w->save_awaits ? handed : w->save_awaits;
        }
    }
    if (why.text[0] != '\0') {
        tell_failure(w, &why);
        w->save_not_before = iv_monotonic(&w->site.clock) + PUT_OFF;
    }
    return IV_OK;
}

static iv_rc begin(struct iv_worker *w, size_t count, struct iv_err *err)
{
    struct iv_err why = {.text = ""};
    IV_AUTO(iv_freep) struct iv_saver_cell *saved = iv_calloc(count, sizeof *saved);
    ENSURE(saved != NULL, err, IV_E_NOMEM, "cannot allocate a round of snapshots");
    iv_ns begun = iv_monotonic(&w->site.clock);
    TRY(settle(w, &count, err));
    if (count == 0) {
        return IV_OK;
    }
    size_t n = 0;
    for (size_t i = 0; i < w->cell_count; i++) {
        if (w->cells[i]->saving) {
            saved[n++] = iv_cell_saved(w->cells[i]);
        }
    }
    if (!iv_ok(iv_saver_begin(w->site.saver, saved, n, &why))) {
        tell_failure(w, &why);
    }
    iv_series_observe(iv_metrics_only(w->site.metrics, IV_METRIC_SNAPSHOT_PAUSE),
                      iv_monotonic(&w->site.clock) - begun);
    return IV_OK;
}

static void tell_kept(struct iv_worker *w)
{
    struct iv_saver_figures figures;
    iv_saver_figures(w->site.saver, &figures);
    for (size_t i = 0; i < w->cell_count; i++) {
        struct iv_cell *cell = w->cells[i];
        if (cell->saving) {
            cell->saved_progress = iv_cell_progress(cell);
            cell->saved_is_news = true;
            if (w->site.courier != NULL) {
                iv_courier_send(w->site.courier, iv_str_of(cell->name));
            }
            cell->saving = false;
        }
    }
    iv_series_set(iv_metrics_only(w->site.metrics, IV_METRIC_SNAPSHOT_BYTES), (double)figures.bytes);
    iv_series_observe(iv_metrics_only(w->site.metrics, IV_METRIC_SNAPSHOT), figures.took);
    LOG_DEBUG("snapshot.kept", KV_TEXT("worker", w->label), KV_I64("bytes", (int64_t)figures.bytes),
              KV_F64("pause_s", (double)figures.pause / 1e9), KV_F64("took_s", (double)figures.took / 1e9));
}

static void hear(struct iv_worker *w, enum iv_saver_state state, const struct iv_err *why)
{
    if (state == IV_SAVER_KEPT) {
        tell_kept(w);
    } else if (state == IV_SAVER_FAILED) {
        tell_failure(w, why);
    }
}

iv_rc iv_worker_save(struct iv_worker *worker, struct iv_err *err)
{
    struct iv_worker *w = worker;
    struct iv_err why = {.text = ""};
    size_t count = 0;
    if (iv_outlet_kept(w->site.outlet) >= w->save_awaits) {
        iv_saver_release(w->site.saver);
    }
    hear(w, iv_saver_look(w->site.saver, &why), &why);
    if (!iv_saver_due(w->site.saver) || iv_monotonic(&w->site.clock) < w->save_not_before) {
        return IV_OK;
    }
    iv_worker_acknowledge(w); /* of what was kept, before other places are noted */
    TRY(choose(w, &count, err));
    return count > 0 ? begin(w, count, err) : IV_OK;
}

static iv_ns left_until(const struct iv_worker *w, iv_ns end)
{
    iv_ns left = end - iv_monotonic(&w->site.clock);
    return left > 0 ? left : 0;
}

static bool wait_until_kept(struct iv_worker *w, iv_ns wait)
{
    iv_ns end = iv_monotonic(&w->site.clock) + (wait < LAST_KEPT_WAIT ? wait : LAST_KEPT_WAIT);
    while (iv_outlet_kept(w->site.outlet) < w->save_awaits) {
        if (left_until(w, end) == 0) {
            return false;
        }
        iv_pause(LOOK_EVERY);
    }
    return true;
}

/* The one that is under way, or the one that was just begun. */
static void see_through(struct iv_worker *w, iv_ns end)
{
    struct iv_err why = {.text = "the store did not take what was found before it"};
    if (!wait_until_kept(w, left_until(w, end))) {
        tell_failure(w, &why);
        return;
    }
    iv_saver_release(w->site.saver);
    enum iv_saver_state state = iv_saver_wait(w->site.saver, left_until(w, end), &why);
    if (state == IV_SAVER_WRITING) {
        (void)iv_ok(iv_err_set(&why, IV_E_TIMEOUT, "it was not written within %d s of the end",
                               (int)(LAST_WAIT / IV_NS_PER_S)));
        state = IV_SAVER_FAILED;
    }
    hear(w, state, &why);
}

iv_rc iv_worker_save_last(struct iv_worker *worker, struct iv_err *err)
{
    size_t count = 0;
    iv_ns end = iv_monotonic(&worker->site.clock) + LAST_WAIT;
    see_through(worker, end);
    if (iv_saver_busy(worker->site.saver)) {
        return IV_OK;
    }
    iv_worker_acknowledge(worker);
    TRY(choose(worker, &count, err));
    if (count > 0) {
        TRY(begin(worker, count, err));
        see_through(worker, end);
    }
    return IV_OK;
}

void iv_worker_acknowledge(struct iv_worker *worker)
{
    struct iv_cursor next[PLACES_TOLD];
    size_t count = 0;
    struct iv_err err;
    for (size_t i = 0; i < worker->cell_count; i++) {
        struct iv_cell *cell = worker->cells[i];
        if (!cell->saved_is_news || cell->saving) {
            continue;
        }
        for (size_t k = 0; k < cell->place_count && cell->ours && count < IV_COUNT(next); k++) {
            if (cell->places[k].next != IV_VAULT_UNREAD) {
                next[count++] = (struct iv_cursor){cell->sources[k].stream, cell->sources[k].partition,
                                                   cell->places[k].next};
            }
        }
        cell->saved_is_news = false;
    }
    if (count > 0) {
        iv_fault("detect.before_acknowledge");
        /* A failure is logged by the consumer, and the next snapshot makes up for it. */
        (void)iv_ok(iv_consumer_commit(worker->consumer, next, count, false, &err));
        iv_fault("detect.acknowledged");
    }
}
