/* SPDX-License-Identifier: Apache-2.0 */
#include "outside.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "base/log.h"
#include "detect/tide.h"
#include "respond/web/web.h"
#include "stream/kafka.h"
#include "stream/producer.h"

#include <stdio.h>
#include <stdlib.h>

/* Memory of this world is not the monitor's: its allocations do not fail. */
static void *grown(void *items, size_t count, size_t size)
{
    if ((count & (count - 1)) != 0 || count == 1) {
        return items;
    }
    void *p = realloc(items, (count == 0 ? 2 : count * 2) * size);
    IV_CHECK(p != NULL);
    return p;
}

static struct outside *world;

/* The log of a monitor that is made to fail ten thousand times is read by nobody. */
void iv_log(enum iv_log_level level, const char *event, const struct iv_log_kv *kvs, size_t count)
{
    (void)level;
    (void)event;
    (void)kvs;
    (void)count;
}

static iv_ns read_wall(void *ctx)
{
    const struct outside *o = ctx;
    return o->now - o->wall_behind;
}

static iv_ns read_monotonic(void *ctx)
{
    const struct outside *o = ctx;
    return o->now - o->booted;
}

struct iv_clock outside_clock(struct outside *o)
{
    return (struct iv_clock){read_wall, read_monotonic, o};
}

void outside_init(struct outside *o, uint64_t seed)
{
    memset(o, 0, sizeof *o);
    o->dice.state = seed;
    o->now = WORLD_EPOCH_S * IV_NS_PER_S;
    o->booted = o->now - 100 * IV_NS_PER_S;
    world = o;
}

struct kept {
    struct kept *next;
    char bytes[];
};

void outside_deinit(struct outside *o)
{
    for (int s = 0; s < IV_STREAMS; s++) {
        for (int p = 0; p < OUTSIDE_PARTITIONS; p++) {
            free(o->inflows[s][p].records);
        }
    }
    for (struct kept *k = o->kept, *next; k != NULL; k = next) {
        next = k->next;
        free(k);
    }
    free(o->messages);
    free(o->effects);
    free(o->calls);
    world = NULL;
}

static struct iv_str keep(struct outside *o, struct iv_str s, size_t padding)
{
    struct kept *k = calloc(1, sizeof *k + s.n + padding + 1);
    IV_CHECK(k != NULL);
    if (s.n > 0) {
        memcpy(k->bytes, s.p, s.n);
    }
    k->next = o->kept;
    o->kept = k;
    return (struct iv_str){k->bytes, s.n};
}

void outside_append(struct outside *o, const struct arrival *a)
{
    struct inflow *f = &o->inflows[a->stream][a->partition];
    IV_CHECK(a->partition < OUTSIDE_PARTITIONS);
    f->records = grown(f->records, f->count, sizeof *f->records);
    f->records[f->count] = (struct iv_record){
        .origin = {a->stream, a->partition, (int64_t)f->count, iv_str_of(iv_stream_name(a->stream))},
        .bytes = keep(o, a->json, IV_RECORD_PADDING),
        .written = o->now,
    };
    f->count++;
}

/* What is known of a partition's end is the truth of this moment, or nothing. */
bool iv_tide_look(struct iv_tide *tide, struct iv_tide_mark *out, enum iv_stream stream, int32_t partition)
{
    (void)tide;
    if (!world->calm && dice_one_in(&world->dice, 4)) {
        return false;
    }
    *out = (struct iv_tide_mark){.end = (int64_t)world->inflows[stream][partition].count,
                                 .asked = read_monotonic(world),
                                 .wall = read_wall(world)};
    return true;
}

/* No producer of events here has a transaction open. */
int64_t iv_consumer_held(const struct iv_consumer *consumer, enum iv_stream stream, int32_t partition)
{
    (void)consumer;
    (void)stream;
    (void)partition;
    return 0;
}

/* The broker that takes messages. */

#define UNDER_WAY_MAX 64

struct iv_producer {
    struct iv_producer_options options;
    struct sent under_way[UNDER_WAY_MAX];
    void *tickets[UNDER_WAY_MAX];
    size_t count;
};

iv_rc iv_producer_open(struct iv_producer **out, const struct iv_producer_options *options,
                       struct iv_err *err)
{
    struct iv_producer *p = iv_calloc(1, sizeof *p);
    ENSURE(p != NULL, err, IV_E_NOMEM, "cannot allocate a producer");
    p->options = *options;
    *out = p;
    return IV_OK;
}

static bool goes_wrong(uint64_t one_in)
{
    return !world->calm && dice_one_in(&world->dice, one_in);
}

static void arrive(const struct sent *m)
{
    world->messages = grown(world->messages, world->message_count, sizeof *m);
    world->messages[world->message_count++] = *m;
}

iv_rc iv_producer_send(struct iv_producer *p, const struct iv_message *message, struct iv_err *err)
{
    ENSURE(p->count < UNDER_WAY_MAX && !goes_wrong(16), err, IV_E_BUSY, "the queue is full");
    ENSURE(!goes_wrong(100), err, IV_E_IO, "the producer cannot go on");
    p->under_way[p->count] = (struct sent){
        .topic = keep(world, message->topic, 0),
        .key = keep(world, message->key, 0),
        .value = keep(world, message->value, 0),
        .idempotency_key = keep(world, message->header_count > 0 ? message->headers[0].value : IV_STR(""), 0),
    };
    p->tickets[p->count++] = message->ticket;
    return IV_OK;
}

/* One after the other, in order: it arrives, or not, and the acknowledgement arrives, or not. */
size_t iv_producer_poll(struct iv_producer *p, iv_ns wait)
{
    size_t done = 0;
    (void)wait;
    while (done < p->count && !goes_wrong(3)) {
        const struct iv_err lost = {IV_E_BROKER, "the broker did not answer"};
        bool fails = goes_wrong(8);
        if (!fails || dice_one_in(&world->dice, 2)) {
            arrive(&p->under_way[done]);
        }
        p->options.report(p->options.ctx, p->tickets[done], fails ? &lost : NULL);
        done++;
    }
    p->count -= done;
    memmove(p->under_way, p->under_way + done, p->count * sizeof p->under_way[0]);
    memmove(p->tickets, p->tickets + done, p->count * sizeof p->tickets[0]);
    return done;
}

void iv_producer_close(struct iv_producer *p)
{
    const struct iv_err closed = {IV_E_TIMEOUT, "the producer was closed"};
    for (size_t i = 0; p != NULL && i < p->count; i++) {
        if (dice_one_in(&world->dice, 2)) {
            arrive(&p->under_way[i]);
        }
        p->options.report(p->options.ctx, p->tickets[i], &closed);
    }
    iv_free(p);
}

size_t iv_producer_pending(const struct iv_producer *p)
{
    return p->count;
}

/* The endpoint. */

static struct effect *effect_of(struct iv_str key)
{
    for (size_t i = 0; i < world->effect_count; i++) {
        if (iv_str_eq(world->effects[i].key, key)) {
            return &world->effects[i];
        }
    }
    world->effects = grown(world->effects, world->effect_count, sizeof *world->effects);
    world->effects[world->effect_count] = (struct effect){.key = keep(world, key, 0)};
    return &world->effects[world->effect_count++];
}

/* The request reaches the endpoint, now or later, or never. */
static void reach(const struct iv_call *call)
{
    struct effect *e = effect_of(call->task.step.key);
    e->calls++;
    e->effects = 1;
}

iv_rc iv_web_new(struct iv_web **out, struct iv_err *err)
{
    (void)err;
    *out = NULL; /* there is one world */
    return IV_OK;
}

void iv_web_free(struct iv_web *web)
{
    (void)web;
}

iv_rc iv_web_send(struct iv_web *web, struct iv_call *call, const struct iv_action_kind *kind,
                  struct iv_err *err)
{
    (void)web;
    (void)kind;
    (void)err;
    world->calls = grown(world->calls, world->call_count, sizeof(struct iv_call *));
    world->calls[world->call_count++] = call;
    return IV_OK;
}

/* No playbook of the simulation is only observed. */
iv_rc iv_web_rehearse(struct iv_web *web, struct iv_str *said, struct iv_call *call,
                      const struct iv_action_kind *kind, struct iv_err *err)
{
    (void)web;
    (void)call;
    (void)err;
    *said = iv_str_of(kind->name);
    return IV_OK;
}

static void answer(struct iv_call *call)
{
    call->finished = true;
    call->outcome = (struct iv_outcome){.kind = IV_OUTCOME_DONE, .status = 200, .answer = IV_STR("")};
    if (!goes_wrong(4)) {
        reach(call);
        return;
    }
    call->outcome.kind = IV_OUTCOME_RETRY;
    call->outcome.status = 0;
    (void)snprintf(call->outcome.cause, sizeof call->outcome.cause, "no answer came");
    if (dice_one_in(&world->dice, 2)) {
        reach(call);
    }
}

static void forget(const struct iv_call *call)
{
    for (size_t i = 0; i < world->call_count; i++) {
        if (world->calls[i] == call) {
            world->calls[i] = world->calls[--world->call_count];
            return;
        }
    }
}

iv_rc iv_web_pump(struct iv_web *web, int fd, iv_ns wait, struct iv_err *err)
{
    (void)web;
    (void)fd;
    (void)wait;
    (void)err;
    for (size_t i = world->call_count; i-- > 0;) {
        struct iv_call *call = world->calls[i];
        if (!goes_wrong(3)) {
            answer(call);
            forget(call);
        }
    }
    return IV_OK;
}

/* What was on its way may still get there. */
void iv_web_abandon(struct iv_web *web, struct iv_call *call)
{
    (void)web;
    if (dice_one_in(&world->dice, 2)) {
        reach(call);
    }
    forget(call);
}

void iv_web_wake(struct iv_web *web)
{
    (void)web; /* one thread: nobody waits */
}
