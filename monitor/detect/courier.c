/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/courier.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/guard.h"
#include "base/hash.h"
#include "base/log.h"
#include "detect/courier_internal.h"
#include "evidence/reader.h"
#include "stream/topic_make.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LOOK_EVERY (500 * IV_NS_PER_MS)
#define ROOM_WAIT (50 * IV_NS_PER_MS)
#define ANSWER_WAIT (60 * IV_NS_PER_S)
#define TOPIC_WAIT (10 * IV_NS_PER_S)
#define AGAIN_IN (60 * IV_NS_PER_S)

struct iv_errand *iv_courier_errand(struct iv_courier *c, struct iv_str cell)
{
    for (size_t i = 0; i < c->errand_count; i++) {
        if (iv_str_eq(iv_str_of(c->errands[i].cell), cell)) {
            return &c->errands[i];
        }
    }
    if (c->errand_count == IV_COURIER_CELLS || cell.n >= IV_COURIER_NAME_BYTES) {
        return NULL;
    }
    struct iv_errand *e = &c->errands[c->errand_count++];
    memcpy(e->cell, cell.p, cell.n);
    e->cell[cell.n] = '\0';
    return e;
}

/* The greatest first. */
void iv_errand_note(struct iv_errand *e, const struct iv_carried *carried)
{
    size_t at = 0;
    while (at < e->carried_count && strcmp(e->carried[at].id, carried->id) > 0) {
        at++;
    }
    if (at < e->carried_count && strcmp(e->carried[at].id, carried->id) == 0) {
        e->carried[at] = *carried;
        return;
    }
    if (at == IV_COUNT(e->carried)) {
        return;
    }
    size_t full = e->carried_count == IV_COUNT(e->carried) ? 1 : 0;
    memmove(&e->carried[at + 1], &e->carried[at], (e->carried_count - at - full) * sizeof *e->carried);
    e->carried[at] = *carried;
    e->carried_count += 1 - full;
}

static iv_rc make_topic(struct iv_courier *c, int32_t *width, struct iv_err *err)
{
    /* What is replaced must not stay for long: small segments, cleaned soon. */
    static const struct iv_topic_setting settings[] = {
        {"cleanup.policy", "compact"},
        {"segment.bytes", "67108864"},
        {"min.cleanable.dirty.ratio", "0.1"},
        {"delete.retention.ms", "3600000"},
    };
    const struct iv_topic_plan plan = {
        .name = c->options.topic, .partitions = 1, .settings = settings, .setting_count = IV_COUNT(settings)};
    return iv_topic_make(width, c->options.kafka, c->options.kafka_count, &plan, TOPIC_WAIT, err);
}

iv_rc iv_courier_partition(struct iv_courier *c, struct iv_str cell, int32_t *out, struct iv_err *err)
{
    (void)pthread_mutex_lock(&c->lock);
    int32_t width = c->width;
    (void)pthread_mutex_unlock(&c->lock);
    if (width == 0) {
        TRY(make_topic(c, &width, err));
        (void)pthread_mutex_lock(&c->lock);
        c->width = width;
        (void)pthread_mutex_unlock(&c->lock);
    }
    *out = (int32_t)(iv_hash64((struct iv_hash_key){0}, cell) % (uint32_t)width);
    return IV_OK;
}

static void on_report(void *ctx, void *ticket, const struct iv_err *failure)
{
    struct iv_courier *c = ctx;
    (void)ticket;
    if (failure != NULL) {
        c->undelivered++;
        c->why = *failure;
    }
}

/* Snapshots are repetitive, so they are sent compressed, unless the configuration says otherwise. */
static iv_rc open_producer(struct iv_courier *c, struct iv_err *err)
{
    static const struct iv_property ours[] = {{IV_STR_INIT("compression.codec"), IV_STR_INIT("lz4")}};
    IV_AUTO(iv_freep) struct iv_property *properties = NULL;
    TRY(iv_properties_join(&properties, ours, IV_COUNT(ours), c->options.kafka, c->options.kafka_count, err));
    const struct iv_producer_options options = {.properties = properties,
                                                .property_count = IV_COUNT(ours) + c->options.kafka_count,
                                                .report = on_report,
                                                .ctx = c};
    return iv_producer_open(&c->producer, &options, err);
}

/* The grace is over. */
static bool is_too_late(struct iv_courier *c)
{
    (void)pthread_mutex_lock(&c->lock);
    bool stopping = c->stopping && iv_monotonic(&c->clock) >= c->deadline;
    (void)pthread_mutex_unlock(&c->lock);
    return stopping;
}

static bool is_ending(struct iv_courier *c)
{
    (void)pthread_mutex_lock(&c->lock);
    bool ending = c->stopping;
    (void)pthread_mutex_unlock(&c->lock);
    return ending;
}

/* One snapshot on its way. */
struct load {
    struct iv_courier *courier;
    const struct iv_vault_reader *reader;
    struct iv_str cell;
    int32_t partition;
    struct iv_carried carried;
};

static iv_rc send(const struct load *l, const char *id, uint32_t block, struct iv_str value,
                  struct iv_err *err)
{
    struct iv_courier *c = l->courier;
    char key[IV_COURIER_NAME_BYTES + IV_COURIER_ID_BYTES + 16];
    int n = snprintf(key, sizeof key, IV_STR_FMT "/%s/%06u", IV_STR_ARG(l->cell), id, (unsigned)block);
    struct iv_message message = {
        .topic = c->options.topic, .key = {key, (size_t)n}, .partition = &l->partition, .value = value};
    struct iv_rc_s rc = iv_producer_send(c->producer, &message, err);
    while (rc.code == IV_E_BUSY) {
        ENSURE(!is_too_late(c), err, IV_E_TIMEOUT, "the end came first");
        (void)iv_producer_poll(c->producer, ROOM_WAIT);
        rc = iv_producer_send(c->producer, &message, err);
    }
    (void)iv_producer_poll(c->producer, 0);
    return rc;
}

/* All that was sent has been acknowledged. */
static iv_rc await_answers(struct iv_courier *c, struct iv_err *err)
{
    iv_ns end = iv_monotonic(&c->clock) + ANSWER_WAIT;
    while (iv_producer_pending(c->producer) > 0) {
        ENSURE(iv_monotonic(&c->clock) < end && !is_too_late(c), err, IV_E_TIMEOUT,
               "topic " IV_STR_FMT ": the broker did not acknowledge a snapshot in time",
               IV_STR_ARG(c->options.topic));
        (void)iv_producer_poll(c->producer, ROOM_WAIT);
    }
    if (c->undelivered > 0) {
        *err = c->why;
        return (struct iv_rc_s){c->why.code};
    }
    return IV_OK;
}

static iv_rc send_block(void *ctx, struct iv_str block, struct iv_err *err)
{
    struct load *l = ctx;
    if (l->carried.blocks == 0) {
        (void)snprintf(l->carried.id, sizeof l->carried.id, "%020" PRIu64 "-%08x",
                       iv_vault_progress(&l->reader->head), (unsigned)l->courier->writer);
    }
    if (l->reader->ended) {
        TRY(await_answers(l->courier, err));
    }
    TRY(send(l, l->carried.id, l->carried.blocks, block, err));
    l->carried.blocks++;
    return IV_OK;
}

static iv_rc remove_one(const struct load *l, const struct iv_carried *old, struct iv_err *err)
{
    for (uint32_t block = 0; block < old->blocks; block++) {
        TRY(send(l, old->id, block, (struct iv_str){NULL, 0}, err));
    }
    return IV_OK;
}

/* The list is shared, so each goes out of it before it is removed. */
static iv_rc remove_older(const struct load *l, struct iv_err *err)
{
    struct iv_courier *c = l->courier;
    for (;;) {
        struct iv_carried old = {.blocks = 0};
        (void)pthread_mutex_lock(&c->lock);
        struct iv_errand *e = iv_courier_errand(c, l->cell);
        if (e != NULL && e->carried_count > c->options.keep) {
            old = e->carried[--e->carried_count];
        }
        (void)pthread_mutex_unlock(&c->lock);
        if (old.blocks == 0) {
            return await_answers(c, err);
        }
        TRY(remove_one(l, &old, err));
    }
}

static iv_rc carry(struct iv_courier *c, struct iv_str cell, uint64_t number, struct iv_err *err)
{
    struct iv_vault_reader r;
    struct load l = {.courier = c, .reader = &r, .cell = cell};
    iv_ns begun = iv_monotonic(&c->clock);
    TRY(iv_courier_partition(c, cell, &l.partition, err));
    if (c->producer == NULL) {
        TRY(open_producer(c, err));
    }
    c->undelivered = 0;
    iv_vault_reader_init(&r, 0);
    r.skims = true;
    struct iv_rc_s rc = iv_vault_file_read(&r, c->options.folder, cell, number, send_block, &l, err);
    iv_vault_reader_deinit(&r);
    TRY(rc);
    TRY(await_answers(c, err));
    (void)pthread_mutex_lock(&c->lock);
    iv_errand_note(iv_courier_errand(c, cell), &l.carried);
    (void)pthread_mutex_unlock(&c->lock);
    iv_series_add(iv_metrics_only(c->options.metrics, IV_METRIC_SNAPSHOT_SENT), 1);
    LOG_DEBUG("snapshot.sent", KV_STR("cell", cell), KV_TEXT("id", l.carried.id),
              KV_I64("blocks", l.carried.blocks),
              KV_F64("took_s", (double)(iv_monotonic(&c->clock) - begun) / 1e9));
    return remove_older(&l, err);
}

/* What was found before the snapshot has left the outbox: its entries are numbered as they come. Found later
 * than that is all that is entered after the first question, which comes behind the snapshot. */
static bool is_out(struct iv_courier *c, struct iv_reader *reader, size_t number)
{
    int64_t oldest = 0;
    int64_t newest = 0;
    struct iv_err err;
    if (!iv_ok(iv_reader_outbox(reader, &oldest, &newest, &err))) {
        return false;
    }
    (void)pthread_mutex_lock(&c->lock);
    struct iv_errand *e = &c->errands[number];
    e->behind = e->behind < 0 ? newest : e->behind;
    bool out = oldest == 0 || oldest > e->behind;
    (void)pthread_mutex_unlock(&c->lock);
    return out;
}

/* The next errand that can be run; false: none. */
static bool next_errand(struct iv_courier *c, struct iv_reader *reader, char *cell, uint64_t *number)
{
    for (size_t i = 0;; i++) {
        (void)pthread_mutex_lock(&c->lock);
        bool more = i < c->errand_count;
        struct iv_errand e = {.waits = false};
        if (more) {
            e = c->errands[i];
        }
        (void)pthread_mutex_unlock(&c->lock);
        if (!more) {
            return false;
        }
        if (e.waits && is_out(c, reader, i)) {
            (void)snprintf(cell, IV_COURIER_NAME_BYTES, "%s", e.cell);
            *number = e.number;
            return true;
        }
    }
}

static void done(struct iv_courier *c, const char *cell, uint64_t number)
{
    (void)pthread_mutex_lock(&c->lock);
    struct iv_errand *e = iv_courier_errand(c, iv_str_of(cell));
    if (e != NULL && e->number == number) {
        e->waits = false;
    }
    (void)pthread_mutex_unlock(&c->lock);
}

/* A file that newer ones have replaced is no failure: they are sent. */
static bool run_errand(struct iv_courier *c, const char *cell, uint64_t number)
{
    struct iv_err err = {.text = ""};
    struct iv_rc_s rc = carry(c, iv_str_of(cell), number, &err);
    if (iv_ok(rc) || rc.code == IV_E_ABSENT) {
        done(c, cell, number);
        return true;
    }
    iv_producer_close(TAKE(c->producer));
    iv_series_add(iv_metrics_only(c->options.metrics, IV_METRIC_SNAPSHOT_FAILURES), 1);
    LOG_ERROR("snapshot.not_sent", KV_TEXT("cell", cell), KV_TEXT("why", err.text));
    return false;
}

/* Until there is something to do, or the end; false: the end. */
static bool rest(struct iv_courier *c, iv_ns length)
{
    struct timespec t;
    iv_monotonic_in(&t, length);
    (void)pthread_mutex_lock(&c->lock);
    if (!c->stopping) {
        (void)pthread_cond_timedwait(&c->woken, &c->lock, &t);
    }
    bool waits = false;
    for (size_t i = 0; i < c->errand_count; i++) {
        waits = waits || c->errands[i].waits;
    }
    bool go_on = !c->stopping || (waits && iv_monotonic(&c->clock) < c->deadline);
    (void)pthread_mutex_unlock(&c->lock);
    return go_on;
}

static void *courier_thread(void *argument)
{
    struct iv_courier *c = argument;
    IV_AUTO(iv_reader_closep) struct iv_reader *reader = NULL;
    char cell[IV_COURIER_NAME_BYTES];
    uint64_t number = 0;
    iv_ns wait = 0;
    struct iv_err err = {.text = ""};
    if (!iv_ok(iv_reader_open(&reader, c->options.store_path, &err))) {
        LOG_ERROR("snapshot.not_sent", KV_TEXT("why", err.text));
        return NULL;
    }
    bool last = false;
    while (!last && rest(c, wait)) {
        bool found = next_errand(c, reader, cell, &number);
        bool ran = found && run_errand(c, cell, number);
        wait = ran ? 0 : found ? AGAIN_IN : LOOK_EVERY;
        last = !ran && is_ending(c); /* nobody sends findings any more, so waiting would be in vain */
    }
    return NULL;
}

static void courier_free(struct iv_courier *c)
{
    if (c != NULL) {
        iv_producer_close(c->producer);
        (void)pthread_cond_destroy(&c->woken);
        (void)pthread_mutex_destroy(&c->lock);
        iv_free(c->errands);
        iv_free(c);
    }
}

iv_rc iv_courier_start(struct iv_courier **out, const struct iv_courier_options *options, struct iv_err *err)
{
    struct iv_courier *c = iv_calloc(1, sizeof *c);
    ENSURE(c != NULL, err, IV_E_NOMEM, "cannot allocate the carrying of snapshots");
    c->options = *options;
    c->clock = iv_clock_system();
    c->writer = (uint32_t)iv_hash_key_random().k0;
    iv_monotonic_cond_init(&c->woken);
    IV_CHECK(pthread_mutex_init(&c->lock, NULL) == 0);
    c->errands = iv_calloc(IV_COURIER_CELLS, sizeof *c->errands);
    if (c->errands == NULL || pthread_create(&c->thread, NULL, courier_thread, c) != 0) {
        courier_free(c);
        return iv_err_set(err, IV_E_NOMEM, "cannot start the carrying of snapshots");
    }
    *out = c;
    return IV_OK;
}

void iv_courier_stop(struct iv_courier *courier, iv_ns grace)
{
    if (courier == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&courier->lock);
    courier->stopping = true;
    courier->deadline = iv_monotonic(&courier->clock) + grace;
    (void)pthread_cond_signal(&courier->woken);
    (void)pthread_mutex_unlock(&courier->lock);
    (void)pthread_join(courier->thread, NULL);
    courier_free(courier);
}

void iv_courier_send(struct iv_courier *courier, struct iv_str cell)
{
    uint64_t number = 0;
    size_t count = 0;
    struct iv_err err;
    if (!iv_ok(iv_vault_folder_list(courier->options.folder, cell, &number, 1, &count, &err)) || count == 0) {
        return; /* the next one will be there */
    }
    (void)pthread_mutex_lock(&courier->lock);
    struct iv_errand *e = iv_courier_errand(courier, cell);
    if (e != NULL) {
        e->waits = true;
        e->number = number;
        e->behind = -1;
        (void)pthread_cond_signal(&courier->woken);
    }
    (void)pthread_mutex_unlock(&courier->lock);
}
