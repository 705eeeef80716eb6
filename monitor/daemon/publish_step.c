/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/publish_step.h"
#include "base/alloc.h"
#include "base/arena.h"
#include "base/fault.h"
#include "base/guard.h"
#include "base/log.h"
#include "respond/halt.h"
#include "stream/producer.h"

#define WINDOW 1024 /* entries under way at once */
#define REPORT_WAIT (5 * IV_NS_PER_MS)
#define AGAIN_FIRST (100 * IV_NS_PER_MS) /* after a failure; doubles up to: */
#define AGAIN_MAX (5 * IV_NS_PER_S)
#define HELD_WAIT (500 * IV_NS_PER_MS)   /* until it is asked again whether the stop still holds, */
#define ASKED_EVERY (200 * IV_NS_PER_MS) /* and while commands are under way, whether it does now */

struct iv_publish_step {
    struct iv_publish_step_options options;
    struct iv_producer *producer;
    struct iv_producer
        *commands;             /* theirs alone, so that they can be called back; NULL: none was given yet */
    iv_ns asked;               /* monotonic: when the stop was looked for */
    struct iv_arena arena;     /* copies of the entries of one look into the outbox */
    int64_t after;             /* the newest entry that was handed to the producer */
    int64_t delivered[WINDOW]; /* acknowledged, not yet struck from the outbox */
    size_t delivered_count;
    int64_t refused[WINDOW]; /* larger than the broker ever takes, not yet struck */
    size_t refused_count;
    bool failed;    /* an entry came back, or was held: later, when nothing is under way, all over again */
    bool broken;    /* the producer cannot go on */
    iv_ns again;    /* monotonic: when `later` is */
    iv_ns patience; /* from the next failure to `again` */
    bool alone;     /* one at a time: a batch was too large, and which of it shows only so */
    int64_t alone_until; /* this entry */
};

struct looked_up {
    struct iv_publish_step *publish;
    struct iv_posting *postings;
    size_t count;
    bool cut; /* memory is out: what follows is for the next look */
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
    l->cut = l->cut || !dup_posting(&l->postings[l->count], posting, &l->publish->arena);
    l->count += l->cut ? 0 : 1;
}

static void refuse(struct iv_publish_step *p, int64_t id, const struct iv_err *why)
{
    LOG_ERROR("publish.too_large", KV_I64("entry", id), KV_TEXT("why", why->text));
    IV_CHECK(p->refused_count < WINDOW);
    p->refused[p->refused_count++] = id;
}

/* Everything but an entry's own size may be mended while we wait. */
static void come_back(struct iv_publish_step *p, int64_t id, const struct iv_err *why)
{
    p->broken = p->broken || why->code == IV_E_IO;
    if (why->code == IV_E_LIMIT) {
        p->alone_until = p->after;
    }
    if (!p->failed) {
        LOG_WARN("publish.failed", KV_I64("entry", id), KV_TEXT("why", why->text),
                 KV_F64("again_in_s", (double)p->patience / 1e9));
        p->failed = true;
        p->again = iv_monotonic(&p->options.clock) + p->patience;
        p->patience = p->patience * 2 < AGAIN_MAX ? p->patience * 2 : AGAIN_MAX;
    }
}

/* The broker judges the size of a batch, so only what was sent alone is known to be too large. */
static void on_report(void *ctx, void *ticket, const struct iv_err *failure)
{
    struct iv_publish_step *p = ctx;
    int64_t id = (int64_t)(intptr_t)ticket;
    if (failure == NULL) {
        IV_CHECK(p->delivered_count < WINDOW);
        iv_fault("publish.acknowledged");
        p->delivered[p->delivered_count++] = id;
    } else if (failure->code == IV_E_LIMIT && p->alone) {
        refuse(p, id, failure);
    } else {
        come_back(p, id, failure);
    }
}

static struct iv_str topic_of(const struct iv_publish_step *p, const struct iv_posting *posting)
{
    const struct iv_config *c = p->options.config;
    switch (posting->channel) {
    case IV_CHANNEL_FINDING:
        return c->topics.findings;
    case IV_CHANNEL_DEAD_LETTER:
        return c->topics.dead_letter;
    case IV_CHANNEL_ACTION:
        return c->topics.actions;
    case IV_CHANNEL_COVERAGE:
        return c->topics.coverage;
    case IV_CHANNEL_COMMAND:
        break;
    }
    return posting->topic;
}

static iv_rc strike_inside(struct iv_publish_step *p, struct iv_err *err)
{
    TRY(iv_store_delivered(p->options.store, p->delivered, p->delivered_count, err));
    return iv_store_undeliverable(p->options.store, p->refused, p->refused_count, err);
}

/* Strikes from the outbox what the broker has, and what it will never have. Failure keeps it there: it would
 * be sent once more, under its key. */
static void strike(struct iv_publish_step *p)
{
    struct iv_err err = {.text = ""};
    if (p->delivered_count + p->refused_count == 0) {
        return;
    }
    struct iv_rc_s rc = iv_store_begin(p->options.store, &err);
    if (iv_ok(rc)) {
        rc = strike_inside(p, &err);
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
    iv_fault("publish.struck");
    p->delivered_count = 0;
    p->refused_count = 0;
    if (p->options.delivered != NULL) {
        p->options.delivered(p->options.ctx);
    }
}

static iv_rc open_producer(struct iv_producer **out, struct iv_publish_step *p, struct iv_err *err)
{
    struct iv_producer_options producer = {.properties = p->options.config->kafka,
                                           .property_count = p->options.config->kafka_count,
                                           .report = on_report,
                                           .ctx = p};
    return iv_producer_open(out, &producer, err);
}

static size_t pending(const struct iv_publish_step *p)
{
    return iv_producer_pending(p->producer) + (p->commands == NULL ? 0 : iv_producer_pending(p->commands));
}

static iv_rc hand_over(struct iv_publish_step *p, const struct iv_posting *posting,
                       const struct iv_message *message, struct iv_err *err)
{
    if (posting->channel != IV_CHANNEL_COMMAND) {
        return iv_producer_send(p->producer, message, err);
    }
    if (p->commands == NULL) {
        TRY(open_producer(&p->commands, p, err));
    }
    return iv_producer_send(p->commands, message, err);
}

/* False: the producer's queue is full, and the entry's turn comes when some of it is acknowledged. What is
 * not taken for another reason is noted, and does not hold up what follows. */
static bool send(struct iv_publish_step *p, const struct iv_posting *posting)
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
    struct iv_err err = {.text = ""};
    iv_fault("publish.before_send");
    struct iv_rc_s rc = hand_over(p, posting, &message, &err);
    if (rc.code == IV_E_BUSY && pending(p) > 0) {
        return false;
    }
    if (rc.code == IV_E_LIMIT) {
        refuse(p, posting->id, &err);
    } else if (!iv_ok(rc)) {
        come_back(p, posting->id, &err);
    }
    return true;
}

enum stop { NOT_ASKED, HOLDS, DOES_NOT_HOLD, NOBODY_KNOWS }; /* asked once for all entries of a look */

static enum stop ask_for_stop(struct iv_publish_step *p)
{
    struct iv_err err = {.text = ""};
    bool holds = true;
    if (iv_halt_by_file(p->options.config->respond.pause_file)) {
        return HOLDS;
    }
    if (!iv_ok(iv_store_begin(p->options.store, &err))) {
        return NOBODY_KNOWS;
    }
    struct iv_rc_s rc = iv_halt_holds(&holds, p->options.store, &err);
    iv_store_rollback(p->options.store);
    return !iv_ok(rc) ? NOBODY_KNOWS : holds ? HOLDS : DOES_NOT_HOLD;
}

/* A command that was given before the stop and has not left yet: it stays, and what follows passes it by.
 * Where nobody can tell it holds. */
static bool hold(struct iv_publish_step *p, enum stop *stop, const struct iv_posting *posting)
{
    if (posting->channel != IV_CHANNEL_COMMAND) {
        return false;
    }
    *stop = *stop != NOT_ASKED ? *stop : ask_for_stop(p);
    if (*stop == DOES_NOT_HOLD) {
        return false;
    }
    if (!p->failed) {
        p->failed = true;
        p->again = iv_monotonic(&p->options.clock) + HELD_WAIT;
    }
    return true;
}

static size_t unsettled(const struct iv_publish_step *p)
{
    return p->delivered_count + p->refused_count + pending(p);
}

static size_t room_for_more(const struct iv_publish_step *p)
{
    return p->alone ? unsettled(p) == 0 : WINDOW - unsettled(p);
}

/* Hands the next entries to the producer; answers how many. */
static size_t send_more(struct iv_publish_step *p)
{
    size_t room = room_for_more(p);
    struct iv_err err = {.text = ""};
    iv_arena_reset(&p->arena);
    struct looked_up found = {p, iv_arena_alloc(&p->arena, (room + 1) * sizeof *found.postings), 0, false};
    if (room == 0 || found.postings == NULL) {
        return 0;
    }
    struct iv_rc_s rc = iv_store_outbox(p->options.store, p->after, room, on_posting, &found, &err);
    if (!iv_ok(rc)) {
        LOG_WARN("publish.waiting", KV_TEXT("why", err.text));
        return 0;
    }
    size_t handed = 0;
    enum stop stop = NOT_ASKED;
    while (handed < found.count && !p->broken &&
           (hold(p, &stop, &found.postings[handed]) || send(p, &found.postings[handed]))) {
        p->after = found.postings[handed++].id;
    }
    if (p->alone && (found.count == 0 || p->after > p->alone_until)) {
        p->alone = false;
        p->alone_until = 0;
    }
    return handed;
}

/* Those that were given to the client before the stop and have not left it stay in the outbox, as if they
 * never had been. Of what is on the wire nobody knows: it may be sent once more afterwards, under its key. */
static void call_back(struct iv_publish_step *p)
{
    iv_ns now = iv_monotonic(&p->options.clock);
    bool any = p->commands != NULL && iv_producer_pending(p->commands) > 0;
    if (!any || now < p->asked + ASKED_EVERY) {
        return;
    }
    p->asked = now;
    if (ask_for_stop(p) == HOLDS) {
        iv_producer_close(TAKE(p->commands));
    }
}

/* After a failure: a new producer where the old one is beyond help, then all over again. */
static void begin_again(struct iv_publish_step *p)
{
    struct iv_err err = {.text = ""};
    if (p->broken) {
        struct iv_producer *fresh = NULL;
        p->broken = false;
        iv_producer_close(TAKE(p->commands));
        if (iv_ok(open_producer(&fresh, p, &err))) {
            iv_producer_close(p->producer); /* what it still had comes back as failed */
            p->producer = fresh;
        } else {
            LOG_ERROR("publish.producer", KV_TEXT("why", err.text));
        }
    }
    p->failed = false;
    p->after = 0;
    p->alone = p->alone_until > 0;
}

/* Waits where something is under way: for commands alone, where nothing else is. */
static void poll_both(struct iv_publish_step *p)
{
    bool commands = p->commands != NULL && iv_producer_pending(p->commands) > 0;
    bool others = iv_producer_pending(p->producer) > 0;
    (void)iv_producer_poll(p->producer, others ? REPORT_WAIT : 0);
    if (p->commands != NULL) {
        (void)iv_producer_poll(p->commands, commands && !others ? REPORT_WAIT : 0);
    }
}

bool iv_publish_turn(struct iv_publish_step *p)
{
    bool drain = p->broken || (p->failed && iv_monotonic(&p->options.clock) >= p->again);
    size_t sent = drain ? 0 : send_more(p);
    poll_both(p);
    call_back(p);
    strike(p);
    bool idle = sent == 0 && unsettled(p) == 0;
    if (drain && idle && iv_monotonic(&p->options.clock) >= p->again) {
        begin_again(p);
        return true;
    }
    if (sent == 0 && pending(p) == 0) {
        p->patience = p->failed ? p->patience : AGAIN_FIRST;
        return false;
    }
    return true;
}

iv_rc iv_publish_step_new(struct iv_publish_step **out, const struct iv_publish_step_options *options,
                          struct iv_err *err)
{
    IV_AUTO(iv_publish_step_freep) struct iv_publish_step *p = iv_calloc(1, sizeof *p);
    ENSURE(p != NULL, err, IV_E_NOMEM, "cannot allocate the publisher");
    p->options = *options;
    p->patience = AGAIN_FIRST;
    iv_arena_init(&p->arena, 0);
    TRY(open_producer(&p->producer, p, err));
    *out = TAKE(p);
    return IV_OK;
}

void iv_publish_step_free(struct iv_publish_step *p)
{
    if (p != NULL) {
        iv_producer_close(p->producer);
        iv_producer_close(p->commands);
        strike(p);
        iv_arena_deinit(&p->arena);
        iv_free(p);
    }
}

void iv_publish_step_freep(struct iv_publish_step **step)
{
    iv_publish_step_free(*step);
}
