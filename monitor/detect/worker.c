/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/worker.h"
#include "base/alloc.h"
#include "base/guard.h"
#include "base/log.h"
#include "detect/detect_internal.h"
#include "detect/width.h"
#include "respond/playbook.h"

#include <stdio.h>

#define POLL_WAIT (50 * IV_NS_PER_MS)
#define BEHIND_WAIT IV_NS_PER_MS /* while there is more to decide, records or not */
#define REPORT_EVERY (500 * IV_NS_PER_MS)

static const char *stream_name(const struct iv_worker *w, enum iv_stream stream)
{
    return w->kind == IV_WORKER_EXCHANGE ? "exchange" : iv_stream_name(stream);
}

static struct iv_cell *find_cell(struct iv_worker *w, int32_t number)
{
    if (w->last != NULL && w->last->number == number) {
        return w->last;
    }
    for (size_t i = 0; i < w->cell_count; i++) {
        if (w->cells[i]->number == number) {
            w->last = w->cells[i];
            return w->last;
        }
    }
    return NULL;
}

static iv_rc open_cell(struct iv_worker *w, struct iv_cell **out, int32_t number, struct iv_err *err)
{
    struct iv_cell **grown = iv_realloc(w->cells, (w->cell_count + 1) * sizeof *w->cells);
    ENSURE(grown != NULL, err, IV_E_NOMEM, "cannot allocate a cell");
    w->cells = grown;
    enum iv_cell_kind kind = w->kind == IV_WORKER_EXCHANGE ? IV_CELL_BACK
                             : w->site.width == 1          ? IV_CELL_WHOLE
                                                           : IV_CELL_FRONT;
    TRY(iv_cell_open(out, &w->site, kind, number, err));
    w->cells[w->cell_count++] = *out;
    return IV_OK;
}

static iv_rc place(struct iv_worker *w, const struct iv_cursor *position, struct iv_err *err)
{
    int32_t number = position->partition;
    struct iv_cell *cell = find_cell(w, number);
    if (cell == NULL) {
        TRY(open_cell(w, &cell, number, err));
    }
    cell->ours = true;
    if (iv_cell_source(cell, position->stream, position->partition) != NULL) {
        return IV_OK;
    }
    return iv_cell_add_source(cell, position->stream, position->partition, err);
}

/* What was revoked and has not come back is somebody else's. */
static iv_rc end_what_is_gone(struct iv_worker *w, struct iv_err *err)
{
    size_t left = 0;
    struct iv_rc_s rc = IV_OK;
    w->last = NULL;
    for (size_t i = 0; i < w->cell_count; i++) {
        struct iv_cell *cell = w->cells[i];
        if (cell->ours) {
            w->cells[left++] = cell;
            continue;
        }
        LOG_INFO("detect.cell.ended", KV_TEXT("worker", w->label), KV_TEXT("cell", cell->name));
        rc = iv_ok(rc) ? iv_cell_retire(cell, err) : rc;
        iv_cell_free(cell);
    }
    w->cell_count = left;
    return rc;
}

/* Asked while the exchange takes nothing: then it is the broker that stands still, not this worker. */
static bool is_stopping(void *ctx)
{
    const struct iv_worker *w = ctx;
    iv_turn(w->turns);
    return iv_detect_stopping(w->detect);
}

/* Before the first of its cells. Where one verifying thread for each cell comes together to many, one will
 * do. */
static iv_rc learn_width(struct iv_worker *w, struct iv_err *err)
{
    if (w->site.width > 0) {
        return IV_OK;
    }
    int32_t width = iv_consumer_width(w->consumer);
    if (w->kind == IV_WORKER_STREAMS) {
        TRY(iv_width_check(w->site.store, w->site.topics, width, err));
        TRY(iv_detect_prepare_exchange(w->detect, width, err));
    }
    if (w->kind == IV_WORKER_STREAMS && width > 1) {
        struct iv_post_options post = iv_detect_post(w->detect);
        post.stopping = is_stopping;
        post.ctx = w;
        TRY(iv_post_open(&w->site.post, &post, err));
    }
    w->site.verifiers = width > 1 && w->site.verifiers > 1 ? 1 : w->site.verifiers;
    w->site.width = width;
    return IV_OK;
}

static iv_rc assign(struct iv_worker *w, struct iv_cursor *positions, size_t count, struct iv_err *err)
{
    TRY(learn_width(w, err));
    for (size_t i = 0; i < count; i++) {
        TRY(place(w, &positions[i], err));
    }
    TRY(end_what_is_gone(w, err));
    for (size_t i = 0; i < w->cell_count; i++) {
        if (!iv_cell_has_begun(w->cells[i])) {
            TRY(iv_cell_begin(w->cells[i], err));
            iv_turn(w->turns); /* one state that was restored; of several the watch would grow tired */
        }
        TRY(iv_cell_resume(w->cells[i], err));
    }
    for (size_t i = 0; i < count; i++) {
        struct iv_cell *cell = find_cell(w, positions[i].partition);
        positions[i].offset = iv_cell_source(cell, positions[i].stream, positions[i].partition)->next;
        LOG_INFO("detect.partition.assigned", KV_TEXT("worker", w->label), KV_TEXT("cell", cell->name),
                 KV_TEXT("stream", stream_name(w, positions[i].stream)),
                 KV_I64("partition", positions[i].partition), KV_I64("offset", positions[i].offset));
    }
    return IV_OK;
}

/* An assignment that could not be carried out may be tried again, or replaced by another: its cells are as
 * before. */
static void put_off(struct iv_worker *w, const struct iv_cursor *positions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct iv_cell *cell = find_cell(w, positions[i].partition);
        if (cell != NULL) {
            cell->ours = false;
        }
    }
    size_t left = 0;
    for (size_t i = 0; i < w->cell_count; i++) {
        if (iv_cell_has_begun(w->cells[i])) {
            w->cells[left++] = w->cells[i];
        } else {
            iv_cell_free(w->cells[i]);
        }
    }
    w->cell_count = left;
    w->last = NULL;
}

static iv_rc on_assigned(void *ctx, struct iv_cursor *positions, size_t count, struct iv_err *err)
{
    struct iv_rc_s rc = assign(ctx, positions, count, err);
    if (!iv_ok(rc)) {
        put_off(ctx, positions, count);
    }
    return rc;
}

/* Between a revocation and the next assignment nobody can tell whether more of a partition comes: its cell
 * waits, with all that it found handed over, and no time passes in it. */
static void on_revoked(void *ctx, const struct iv_cursor *positions, size_t count, bool lost)
{
    struct iv_worker *w = ctx;
    for (size_t i = 0; i < count; i++) {
        struct iv_cell *cell = find_cell(w, positions[i].partition);
        LOG_INFO("detect.partition.revoked", KV_TEXT("worker", w->label),
                 KV_TEXT("stream", stream_name(w, positions[i].stream)),
                 KV_I64("partition", positions[i].partition), KV_I64("lost", lost));
        iv_worker_leave(w, &positions[i]);
        if (cell != NULL && cell->ours && !w->over && iv_ok(w->failure)) {
            w->failure = iv_cell_settle(cell, &w->err);
        }
        if (cell != NULL) {
            cell->ours = false;
        }
    }
}

static void on_gap(void *ctx, const struct iv_cursor *at, int64_t next)
{
    struct iv_worker *w = ctx;
    struct iv_cell *cell = find_cell(w, at->partition);
    struct iv_str topic = iv_cell_topic(cell, at->stream);
    iv_series_add(IV_SERIES(w->site.metrics, GAPS, topic), 1);
    LOG_ERROR("detect.gap", KV_STR("topic", topic), KV_I64("partition", at->partition),
              KV_I64("from", at->offset), KV_I64("next", next),
              KV_TEXT("why", next < at->offset
                                 ? "the broker's log is shorter than what was read: the topic was made anew, "
                                   "or cut; what it has now is read from its beginning"
                                 : "retention was faster than reading"));
    if (iv_ok(w->failure)) {
        w->failure = iv_cell_gap(cell, at, next, &w->err);
    }
}

static iv_rc take_batch(struct iv_worker *w, const struct iv_batch *batch, struct iv_err *err)
{
    size_t foreseen = 0;
    for (size_t i = 0; i < batch->count; i++) {
        const struct iv_record *record = &batch->records[i];
        struct iv_cell *cell = find_cell(w, record->origin.partition);
        foreseen += i == foreseen ? iv_cell_foresee(cell, record, batch->count - i) : 0;
        TRY(iv_cell_record(cell, record, err));
    }
    for (size_t i = 0; i < batch->end_count; i++) {
        TRY(iv_cell_end(find_cell(w, batch->ends[i].partition), &batch->ends[i], err));
    }
    return IV_OK;
}

static iv_rc work_cells(struct iv_worker *w, bool report, struct iv_err *err)
{
    w->behind = false;
    for (size_t i = 0; i < w->cell_count; i++) {
        if (w->cells[i]->ours) {
            bool more = false;
            TRY(iv_cell_idle(w->cells[i], err));
            TRY(iv_cell_catch_up(w->cells[i], &more, err));
            w->behind = w->behind || more;
            TRY(iv_cell_flush(w->cells[i], false, err));
            TRY(iv_cell_hand_over(w->cells[i], report, err));
        }
    }
    return IV_OK;
}

/* Where the streams have one partition, or nobody knows yet how many, there is no exchange. */
static iv_rc stand_by(struct iv_worker *w, struct iv_err *err)
{
    if (atomic_load(&w->detect->width) > 1) {
        return iv_worker_open_consumer(w, err);
    }
    iv_pause(POLL_WAIT);
    return iv_worker_take_up(w, err);
}

static iv_rc turn(struct iv_worker *w, struct iv_err *err)
{
    struct iv_batch batch;
    if (w->consumer == NULL) {
        return stand_by(w, err);
    }
    TRY(iv_consumer_poll(w->consumer, &batch, w->behind ? BEHIND_WAIT : POLL_WAIT, err));
    if (!iv_ok(w->failure)) {
        *err = w->err;
        return w->failure;
    }
    iv_arena_reset(&w->site.arena);
    TRY(take_batch(w, &batch, err));
    iv_ns now = iv_monotonic(&w->site.clock);
    bool report = now - w->reported >= REPORT_EVERY;
    TRY(work_cells(w, report, err));
    TRY(w->site.post == NULL ? IV_OK : iv_post_poll(w->site.post, err));
    TRY(iv_worker_take_up(w, err));
    TRY(iv_worker_save(w, err));
    if (report) {
        w->reported = now;
        iv_worker_report(w);
    }
    return IV_OK;
}

/* The end that was asked for: everything is handed over, kept and saved, and the group is told, within
 * bounds. */
static iv_rc drain(struct iv_worker *w, struct iv_err *err)
{
    for (size_t i = 0; i < w->cell_count; i++) {
        if (w->cells[i]->ours) {
            TRY(iv_cell_settle(w->cells[i], err));
        }
    }
    TRY(iv_worker_save_last(w, err));
    iv_worker_acknowledge(w);
    return IV_OK;
}

static void *worker_thread(void *argument)
{
    struct iv_worker *w = argument;
    struct iv_err err = {.text = ""};
    struct iv_rc_s rc = IV_OK;
    (void)pthread_setname_np(pthread_self(), w->kind == IV_WORKER_STREAMS ? "iv-detect" : "iv-exchange");
    while (iv_ok(rc) && !iv_detect_stopping(w->detect)) {
        rc = turn(w, &err);
        iv_turn(w->turns);
    }
    rc = iv_ok(rc) ? drain(w, &err) : rc;
    if (rc.code == IV_E_TIMEOUT && iv_detect_stopping(w->detect)) {
        /* A broker that takes nothing keeps no program from its end: what was not sent is read again. */
        LOG_WARN("detect.not_sent", KV_TEXT("worker", w->label), KV_TEXT("why", err.text));
        rc = IV_OK;
    }
    w->over = true;
    iv_consumer_close(w->consumer);
    w->consumer = NULL;
    if (!iv_ok(rc)) {
        LOG_ERROR("detect.failed", KV_TEXT("worker", w->label), KV_TEXT("why", err.text));
        iv_detect_failed(w->detect, &err);
    }
    return NULL;
}

static void open_site(struct iv_site *site, struct iv_detect *detect, const struct iv_detect_options *options)
{
    site->baseline = iv_baseline_ref(options->baseline);
    site->playbooks = iv_playbooks_ref(options->playbooks);
    site->metrics = options->metrics;
    site->outlet = &detect->outlet;
    site->tide = detect->tide;
    site->exchange = options->exchange;
    site->deployment = iv_member_group(options->kafka, options->kafka_count);
    site->store = options->store;
    site->courier = options->courier;
    site->store_path = options->store_path;
    site->verifiers = options->verifiers;
    site->memory_limit = options->memory_limit;
    site->clock = iv_clock_system();
    iv_arena_init(&site->arena, 0);
    for (size_t s = 0; s < IV_STREAMS; s++) {
        struct iv_str topic = options->topics[s];
        site->topics[s] = topic;
        site->newest[s] = IV_NS_MIN;
        site->accepted[s] = IV_SERIES(site->metrics, EVENTS, topic, IV_STR("accepted"));
        site->canaries[s] = IV_SERIES(site->metrics, EVENTS, topic, IV_STR("canary"));
        site->unknown[s] = IV_SERIES(site->metrics, EVENTS, topic, IV_STR("unknown"));
    }
}

struct iv_consumer_hooks iv_worker_hooks(struct iv_worker *worker)
{
    return (struct iv_consumer_hooks){
        .ctx = worker, .assigned = on_assigned, .revoked = on_revoked, .gap = on_gap};
}

/* As the watch and the list of threads have it. */
static const char *part_of(const struct iv_worker *w)
{
    return w->kind == IV_WORKER_STREAMS ? "detect" : "exchange";
}

static iv_rc open_parts(struct iv_worker *w, const struct iv_detect_options *options, struct iv_err *err)
{
    const struct iv_saver_options saver = {.folder = options->snapshots,
                                           .every = options->snapshot_every,
                                           .keep = options->snapshot_keep,
                                           .clock = w->site.clock};
    TRY(iv_saver_new(&w->site.saver, &saver, err));
    TRY(iv_worker_name(w, options->kafka, options->kafka_count, err));
    if (options->watch != NULL) {
        TRY(iv_watch_part(&w->turns, options->watch, part_of(w), options->commits, err));
    }
    return w->kind == IV_WORKER_STREAMS ? iv_worker_open_consumer(w, err) : IV_OK;
}

iv_rc iv_worker_open(struct iv_worker **out, struct iv_detect *detect, enum iv_worker_kind kind,
                     unsigned member, const struct iv_detect_options *options, struct iv_err *err)
{
    struct iv_worker *w = iv_calloc(1, sizeof *w);
    ENSURE(w != NULL, err, IV_E_NOMEM, "cannot allocate a worker");
    w->detect = detect;
    w->kind = kind;
    w->number = detect->worker_count;
    w->member = member;
    (void)snprintf(w->label, sizeof w->label, kind == IV_WORKER_STREAMS ? "%u" : "exchange-%u", member);
    open_site(&w->site, detect, options);
    struct iv_rc_s rc = open_parts(w, options, err);
    if (!iv_ok(rc)) {
        iv_worker_free(w);
        return rc;
    }
    *out = w;
    return IV_OK;
}

iv_rc iv_worker_start(struct iv_worker *worker, struct iv_err *err)
{
    worker->started = pthread_create(&worker->thread, NULL, worker_thread, worker) == 0;
    ENSURE(worker->started, err, IV_E_NOMEM, "cannot start a thread");
    return IV_OK;
}

void iv_worker_free(struct iv_worker *worker)
{
    if (worker == NULL) {
        return;
    }
    if (worker->started) {
        (void)pthread_join(worker->thread, NULL);
    }
    worker->over = true;
    iv_saver_free(worker->site.saver);
    iv_consumer_close(worker->consumer);
    for (size_t i = 0; i < worker->cell_count; i++) {
        iv_cell_free(worker->cells[i]);
    }
    iv_free(worker->cells);
    iv_post_close(worker->site.post);
    iv_member_deinit(&worker->name);
    iv_arena_deinit(&worker->site.arena);
    iv_baseline_unref(worker->site.baseline);
    iv_playbooks_unref(worker->site.playbooks);
    iv_free(worker);
}
