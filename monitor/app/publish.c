/* SPDX-License-Identifier: Apache-2.0 */
#include "app/publish.h"
#include "base/alloc.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/guard.h"
#include "base/log.h"
#include "stream/producer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define WINDOW 1024 /* entries under way at once */
#define IDLE_WAIT (500 * IV_NS_PER_MS)
#define REPORT_WAIT (5 * IV_NS_PER_MS)

struct iv_publish {
    struct iv_publish_options options;
    struct iv_clock clock;
    struct iv_producer *producer;
    struct iv_arena arena; /* copies of the entries of one look into the outbox */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool work;                 /* under lock: something was committed since the last look */
    bool stopping;             /* under lock */
    iv_ns deadline;            /* monotonic, once stopping */
    int64_t after;             /* the newest entry that was handed to the producer */
    int64_t delivered[WINDOW]; /* acknowledged, not yet struck from the outbox */
    size_t delivered_count;
    bool failed; /* an entry came back: once nothing is under way, begin again from the oldest */
};

struct looked_up {
    struct iv_publish *publish;
    struct iv_posting *postings;
    size_t count;
};

static bool dup_posting(struct iv_posting *out, const struct iv_posting *posting, struct iv_arena *arena)
{
    *out = *posting;
    out->topic = iv_arena_str(arena, posting->topic);
    out->key = iv_arena_str(arena, posting->key);
    out->value = iv_arena_str(arena, posting->value);
    out->idempotency_key = iv_arena_str(arena, posting->idempotency_key);
    return out->topic.p != NULL && out->key.p != NULL && out->value.p != NULL &&
           out->idempotency_key.p != NULL;
}

static void on_posting(void *ctx, const struct iv_posting *posting)
{
    struct looked_up *l = ctx;
    if (dup_posting(&l->postings[l->count], posting, &l->publish->arena)) {
        l->count++;
    }
}

static void on_report(void *ctx, void *ticket, const struct iv_err *failure)
{
    struct iv_publish *p = ctx;
    int64_t id = (int64_t)(intptr_t)ticket;
    if (failure != NULL) {
        LOG_WARN("publish.failed", KV_I64("entry", id), KV_TEXT("why", failure->text));
        p->failed = true;
    } else {
        IV_CHECK(p->delivered_count < WINDOW);
        p->delivered[p->delivered_count++] = id;
    }
}

static struct iv_str topic_of(const struct iv_publish *p, const struct iv_posting *posting)
{
    const struct iv_config *c = p->options.config;
    switch (posting->channel) {
    case IV_CHANNEL_FINDING:
        return c->topics.findings;
    case IV_CHANNEL_DEAD_LETTER:
        return c->topics.dead_letter;
    case IV_CHANNEL_ACTION:
    case IV_CHANNEL_ALERT:
        return c->topics.actions;
    case IV_CHANNEL_COMMAND:
        break;
    }
    return posting->topic;
}

/* Strikes from the outbox what the broker has. Failure keeps it there: it would be sent once more, under its
 * key. */
static void strike(struct iv_publish *p)
{
    struct iv_err err = {.text = ""};
    if (p->delivered_count == 0) {
        return;
    }
    struct iv_rc_s rc = iv_store_begin(p->options.store, &err);
    if (iv_ok(rc)) {
        rc = iv_store_delivered(p->options.store, p->delivered, p->delivered_count, &err);
        if (iv_ok(rc)) {
            rc = iv_store_commit(p->options.store, &err);
        } else {
            iv_store_rollback(p->options.store);
        }
    }
    if (!iv_ok(rc)) {
        LOG_WARN("publish.not_struck", KV_TEXT("why", err.text));
        return;
    }
    p->delivered_count = 0;
    if (p->options.delivered != NULL) {
        p->options.delivered(p->options.ctx);
    }
}

/* Waits until the producer takes it. IV_E_LIMIT: the broker never will; that is told,
 * and the entry struck. */
static iv_rc send(struct iv_publish *p, const struct iv_posting *posting, struct iv_err *err)
{
    struct iv_header header = {IV_STR("idempotency-key"), posting->idempotency_key};
    struct iv_message message = {
        .topic = topic_of(p, posting),
        .key = posting->key,
        .value = posting->value,
        .headers = &header,
        .header_count = posting->idempotency_key.n > 0 ? 1 : 0,
        .ticket = (void *)(intptr_t)posting->id,
    };
    for (;;) {
        struct iv_rc_s rc = iv_producer_send(p->producer, &message, err);
        if (rc.code == IV_E_LIMIT) {
            LOG_ERROR("publish.too_large", KV_I64("entry", posting->id), KV_STR("key", posting->key),
                      KV_TEXT("why", err->text));
            p->delivered[p->delivered_count++] = posting->id;
            return IV_OK;
        }
        if (rc.code != IV_E_BUSY) {
            return rc;
        }
        (void)iv_producer_poll(p->producer, REPORT_WAIT);
    }
}

/* Hands the next entries to the producer; answers how many. */
static size_t send_more(struct iv_publish *p)
{
    size_t room = WINDOW - p->delivered_count - iv_producer_pending(p->producer);
    struct iv_err err = {.text = ""};
    iv_arena_reset(&p->arena);
    struct looked_up found = {p, iv_arena_alloc(&p->arena, (room + 1) * sizeof *found.postings), 0};
    if (room == 0 || found.postings == NULL || p->failed) {
        return 0;
    }
    struct iv_rc_s rc = iv_store_outbox(p->options.store, p->after, room, on_posting, &found, &err);
    for (size_t i = 0; iv_ok(rc) && i < found.count; i++) {
        rc = send(p, &found.postings[i], &err);
        if (iv_ok(rc)) {
            p->after = found.postings[i].id;
        }
    }
    if (!iv_ok(rc)) {
        LOG_WARN("publish.waiting", KV_TEXT("why", err.text));
        return 0;
    }
    return found.count;
}

static bool sleep_until_woken(struct iv_publish *p)
{
    struct timespec t;
    iv_monotonic_in(&t, IDLE_WAIT);
    (void)pthread_mutex_lock(&p->lock);
    int timed_out = 0;
    while (!p->work && !p->stopping && timed_out == 0) {
        timed_out = pthread_cond_timedwait(&p->woken, &p->lock, &t);
    }
    p->work = false;
    bool go_on = !p->stopping || iv_monotonic(&p->clock) < p->deadline;
    (void)pthread_mutex_unlock(&p->lock);
    return go_on;
}

static bool is_stopping(struct iv_publish *p)
{
    (void)pthread_mutex_lock(&p->lock);
    bool stopping = p->stopping;
    (void)pthread_mutex_unlock(&p->lock);
    return stopping;
}

static void *publish_thread(void *argument)
{
    struct iv_publish *p = argument;
    bool go_on = true;
    while (go_on) {
        size_t sent = send_more(p);
        size_t pending = iv_producer_pending(p->producer);
        (void)iv_producer_poll(p->producer, pending > 0 ? REPORT_WAIT : 0);
        strike(p);
        if (p->failed && iv_producer_pending(p->producer) == 0 && p->delivered_count == 0) {
            p->failed = false;
            p->after = 0;
        }
        if (sent == 0 && iv_producer_pending(p->producer) == 0) {
            go_on = !is_stopping(p) && sleep_until_woken(p);
        } else if (is_stopping(p)) {
            go_on = iv_monotonic(&p->clock) < p->deadline;
        }
    }
    return NULL;
}

static void publish_free(struct iv_publish *p)
{
    if (p != NULL) {
        iv_producer_close(p->producer);
        strike(p);
        iv_arena_deinit(&p->arena);
        (void)pthread_cond_destroy(&p->woken);
        (void)pthread_mutex_destroy(&p->lock);
        iv_free(p);
    }
}

static void publish_freep(struct iv_publish **p)
{
    publish_free(*p);
}

iv_rc iv_publish_start(struct iv_publish **out, const struct iv_publish_options *options, struct iv_err *err)
{
    IV_AUTO(publish_freep) struct iv_publish *p = iv_calloc(1, sizeof *p);
    ENSURE(p != NULL, err, IV_E_NOMEM, "cannot allocate the publisher");
    p->options = *options;
    p->clock = iv_clock_system();
    iv_arena_init(&p->arena, 0);
    pthread_condattr_t monotonic;
    IV_CHECK(pthread_condattr_init(&monotonic) == 0);
    IV_CHECK(pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0);
    IV_CHECK(pthread_cond_init(&p->woken, &monotonic) == 0);
    IV_CHECK(pthread_mutex_init(&p->lock, NULL) == 0);
    (void)pthread_condattr_destroy(&monotonic);
    struct iv_producer_options producer = {.properties = options->config->kafka,
                                           .property_count = options->config->kafka_count,
                                           .report = on_report,
                                           .ctx = p};
    TRY(iv_producer_open(&p->producer, &producer, err));
    ENSURE(pthread_create(&p->thread, NULL, publish_thread, p) == 0, err, IV_E_NOMEM,
           "cannot start a thread");
    *out = TAKE(p);
    return IV_OK;
}

void iv_publish_stop(struct iv_publish *publish, iv_ns grace)
{
    if (publish == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&publish->lock);
    publish->stopping = true;
    publish->deadline = iv_monotonic(&publish->clock) + grace;
    (void)pthread_cond_signal(&publish->woken);
    (void)pthread_mutex_unlock(&publish->lock);
    (void)pthread_join(publish->thread, NULL);
    publish_free(publish);
}

void iv_publish_wake(struct iv_publish *publish)
{
    (void)pthread_mutex_lock(&publish->lock);
    publish->work = true;
    (void)pthread_cond_signal(&publish->woken);
    (void)pthread_mutex_unlock(&publish->lock);
}
