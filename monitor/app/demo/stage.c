/* SPDX-License-Identifier: Apache-2.0 */
#include "app/demo/stage.h"
#include "app/demo/guards.h"
#include "app/own_folder.h"
#include "app/shipped.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/guard.h"
#include "base/hash.h"
#include "base/log.h"
#include "console/receiver.h"
#include "detect/exchange_post.h"
#include "fleet/sink.h"
#include "judge/verify.h"
#include "stream/embedded.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define SNAPSHOTS_EVERY (5 * IV_NS_PER_S) /* a short trial sees some, too */
#define CANARY_EVERY (5 * IV_NS_PER_S)
#define PARTITIONS 4
#define KEYS_MAX_BYTES ((size_t)64 * 1024)
#define SEEN_MAX 65536
#define WAIT_MAX (100 * IV_NS_PER_MS)
#define ORDERS_MAX 1024

struct iv_stage {
    struct iv_stage_options options;
    struct iv_clock clock;
    struct iv_own_folder folder;
    struct iv_config config;
    struct iv_embedded *broker;
    struct iv_receiver *receiver;
    struct iv_fleet *fleet;
    struct iv_sim_sink sink;
    pthread_t thread;
    bool playing;
    atomic_bool stopping;
    atomic_uint_fast64_t events;
    atomic_uint_fast64_t hooks;
    atomic_uint_fast64_t repeats;
    pthread_mutex_t lock;
    struct iv_plant_list plants; /* under lock */
    struct iv_hash_key hash_key;
    struct order {
        bool revokes; /* a token; else an enclave is to be terminated */
        char name[64];
    } orders[ORDERS_MAX]; /* under lock: of the hooks, for the fleet's thread */
    size_t order_count;
    uint64_t seen[SEEN_MAX]; /* hashes of idempotency keys; the receiver's thread only. 0: free */
};

/* True when the key is new. A full table forgets nothing, it only calls everything new. */
static bool first_time(struct iv_stage *s, struct iv_str key)
{
    uint64_t hash = iv_hash64(s->hash_key, key) | 1;
    for (size_t i = 0; i < SEEN_MAX; i++) {
        uint64_t *slot = &s->seen[(hash + i) % SEEN_MAX];
        if (*slot == hash) {
            return false;
        }
        if (*slot == 0) {
            *slot = hash;
            return true;
        }
    }
    return true;
}

/* The name between the two, where the path is such. */
static bool between(char name[64], struct iv_str path, const char *before, const char *after)
{
    size_t b = strlen(before);
    size_t a = strlen(after);
    if (path.n <= b + a || path.n - b - a >= 64 || memcmp(path.p, before, b) != 0 ||
        memcmp(path.p + path.n - a, after, a) != 0) {
        return false;
    }
    memcpy(name, path.p + b, path.n - b - a);
    name[path.n - b - a] = '\0';
    return true;
}

/* False: there is no room for another order. */
static bool take_order(struct iv_stage *s, struct iv_str path)
{
    struct order order = {.revokes = between(order.name, path, "/v1/tokens/", "/revoke")};
    if (!order.revokes && !between(order.name, path, "/v1/enclaves/", "/terminate")) {
        return true;
    }
    (void)pthread_mutex_lock(&s->lock);
    bool room = s->order_count < ORDERS_MAX;
    if (room) {
        s->orders[s->order_count++] = order;
    }
    (void)pthread_mutex_unlock(&s->lock);
    return room;
}

static unsigned on_hook(void *ctx, const struct iv_hook_call *call)
{
    struct iv_stage *s = ctx;
    if (call->idempotency_key.p == NULL || call->signature.p == NULL) {
        return 400;
    }
    (void)atomic_fetch_add(first_time(s, call->idempotency_key) ? &s->hooks : &s->repeats, 1);
    return take_order(s, call->path) ? 200 : 503; /* an order again does no harm */
}

/* What the hooks have ordered comes true in the fleet. */
static iv_rc obey(struct iv_stage *s, struct iv_err *err)
{
    struct iv_rc_s rc = IV_OK;
    (void)pthread_mutex_lock(&s->lock);
    size_t count = s->order_count;
    s->order_count = 0;
    for (size_t i = 0; i < count && iv_ok(rc); i++) {
        struct iv_str name = iv_str_of(s->orders[i].name);
        if (s->orders[i].revokes) {
            iv_fleet_revoke(s->fleet, name);
        } else {
            rc = iv_fleet_terminate(s->fleet, name, iv_wall(&s->clock), err);
        }
    }
    (void)pthread_mutex_unlock(&s->lock);
    return rc;
}

static void on_plant(void *ctx, const struct iv_fleet_plant *plant)
{
    struct iv_stage *s = ctx;
    (void)pthread_mutex_lock(&s->lock);
    iv_plant_list_add(&s->plants, plant);
    (void)pthread_mutex_unlock(&s->lock);
}

static void wait_until(struct iv_stage *s, iv_ns wall)
{
    while (!atomic_load(&s->stopping)) {
        iv_ns left = wall - iv_wall(&s->clock);
        if (left <= 0) {
            return;
        }
        iv_pause(left < WAIT_MAX ? left : WAIT_MAX);
    }
}

static iv_rc play(struct iv_stage *s, struct iv_err *err)
{
    while (!atomic_load(&s->stopping)) {
        struct iv_fleet_event event;
        TRY(obey(s, err));
        TRY(iv_fleet_next(s->fleet, &event, err));
        wait_until(s, event.arrival);
        TRY(s->sink.put(s->sink.self, &event, err));
        (void)atomic_fetch_add(&s->events, 1);
    }
    return s->sink.finish(s->sink.self, err);
}

/* What lies before the beginning is on the broker before anybody reads: then it is old, but not late. */
static iv_rc play_history(struct iv_stage *s, struct iv_err *err)
{
    while (iv_fleet_in_history(s->fleet)) {
        struct iv_fleet_event event;
        TRY(iv_fleet_next(s->fleet, &event, err));
        TRY(s->sink.put(s->sink.self, &event, err));
        (void)atomic_fetch_add(&s->events, 1);
    }
    return s->sink.finish(s->sink.self, err);
}

static void *fleet_thread(void *argument)
{
    struct iv_err err = {.text = ""};
    if (!iv_ok(play(argument, &err))) {
        LOG_ERROR("demo.fleet.failed", KV_TEXT("why", err.text));
    }
    return NULL;
}

iv_rc iv_stage_play(struct iv_stage *stage, struct iv_err *err)
{
    ENSURE(pthread_create(&stage->thread, NULL, fleet_thread, stage) == 0, err, IV_E_NOMEM,
           "cannot start a thread");
    stage->playing = true;
    return IV_OK;
}

static struct iv_str keep(struct iv_stage *s, const char *text)
{
    return iv_arena_str(&s->config.arena, iv_str_of(text));
}

/* Every endpoint that a shipped playbook names is the demo's own receiver. */
static iv_rc configure(struct iv_stage *s, struct iv_err *err)
{
    static const char *const endpoints[] = {"token-authority", "sandbox-orchestrator"};
    struct iv_config *c = &s->config;
    iv_arena_init(&c->arena, 0);
    c->kafka = iv_arena_zalloc(&c->arena, 2 * sizeof *c->kafka);
    c->endpoints = iv_arena_zalloc(&c->arena, IV_COUNT(endpoints) * sizeof *c->endpoints);
    ENSURE(c->kafka != NULL && c->endpoints != NULL, err, IV_E_NOMEM,
           "cannot allocate the demo's configuration");
    c->kafka[c->kafka_count++] =
        (struct iv_property){IV_STR("bootstrap.servers"), keep(s, iv_embedded_servers(s->broker))};
    c->kafka[c->kafka_count++] = (struct iv_property){IV_STR("group.id"), IV_STR("invigil-demo")};
    for (size_t i = 0; i < IV_COUNT(endpoints); i++) {
        c->endpoints[c->endpoint_count++] = (struct iv_endpoint){.name = iv_str_of(endpoints[i]),
                                                                 .url = keep(s, iv_receiver_url(s->receiver)),
                                                                 .hmac_key = IV_STR("demo")};
    }
    c->baseline = keep(s, s->folder.path);
    c->store_path = iv_arena_printf(&c->arena, "%s/invigil.db", s->folder.path);
    c->snapshots.path = iv_arena_printf(&c->arena, "%s/snapshots", s->folder.path);
    c->snapshots.every = SNAPSHOTS_EVERY;
    c->snapshots.keep = 1;
    c->topics.findings = IV_STR("invigil.findings");
    c->topics.actions = IV_STR("invigil.actions");
    c->topics.dead_letter = IV_STR("invigil.dead-letter");
    c->topics.exchange = IV_STR(IV_EXCHANGE_TOPIC);
    c->canary_every = CANARY_EVERY;
    c->workers = 1;
    c->verifiers = iv_verify_threads_default();
    c->roles = IV_ROLE_DETECT | IV_ROLE_RESPOND | IV_ROLE_CONSOLE;
    c->console.listen = s->options.listen.p == NULL ? IV_STR("127.0.0.1:8088") : s->options.listen;
    c->console.open = true;
    c->log_level = IV_LOG_WARN;
    return IV_OK;
}

static iv_rc write_baseline(struct iv_stage *s, struct iv_err *err)
{
    struct iv_buf keys;
    iv_buf_init(&keys, KEYS_MAX_BYTES);
    struct iv_rc_s rc = iv_fleet_keys_yaml(&keys, s->fleet, err);
    if (iv_ok(rc)) {
        rc = iv_shipped_write(s->folder.path, iv_buf_slice(&keys), err);
    }
    rc = iv_ok(rc) ? iv_demo_guards(s->folder.path, err) : rc;
    iv_buf_deinit(&keys);
    return rc;
}

static iv_rc set_up(struct iv_stage *s, struct iv_err *err)
{
    static const struct iv_embedded_topic topics[] = {
        {"ledger", PARTITIONS},         {"telemetry", PARTITIONS},  {"invigil.findings", 1},
        {"invigil.actions", 1},         {"invigil.dead-letter", 1}, {"invigil.commands", 1},
        {IV_EXCHANGE_TOPIC, PARTITIONS}};
    struct iv_fleet_options fleet = {.seed = s->options.seed,
                                     .agents = s->options.agents,
                                     .violations = s->options.violations,
                                     .start = iv_wall(&s->clock),
                                     .history = true};
    TRY(iv_own_folder_make(&s->folder, err));
    TRY(iv_fleet_new(&s->fleet, &fleet, on_plant, s, err));
    TRY(write_baseline(s, err));
    TRY(iv_embedded_open(&s->broker, 1, topics, IV_COUNT(topics), err));
    TRY(iv_receiver_start(&s->receiver, on_hook, s, err));
    TRY(iv_sim_topics(&s->sink, iv_embedded_servers(s->broker), err));
    TRY(play_history(s, err));
    return configure(s, err);
}

iv_rc iv_stage_open(struct iv_stage **out, const struct iv_stage_options *options, struct iv_err *err)
{
    IV_AUTO(iv_stage_closep) struct iv_stage *s = iv_calloc(1, sizeof *s);
    ENSURE(s != NULL, err, IV_E_NOMEM, "cannot allocate the demo");
    IV_CHECK(pthread_mutex_init(&s->lock, NULL) == 0);
    s->options = *options;
    s->clock = iv_clock_system();
    s->hash_key = iv_hash_key_random();
    iv_plant_list_init(&s->plants);
    TRY(set_up(s, err));
    *out = TAKE(s);
    return IV_OK;
}

void iv_stage_close(struct iv_stage *stage)
{
    if (stage == NULL) {
        return;
    }
    atomic_store(&stage->stopping, true);
    if (stage->playing) {
        (void)pthread_join(stage->thread, NULL);
    }
    if (stage->sink.free != NULL) {
        stage->sink.free(stage->sink.self);
    }
    iv_receiver_stop(stage->receiver);
    iv_embedded_close(stage->broker);
    iv_fleet_free(stage->fleet);
    iv_plant_list_deinit(&stage->plants);
    iv_own_folder_remove(&stage->folder);
    iv_arena_deinit(&stage->config.arena);
    (void)pthread_mutex_destroy(&stage->lock);
    iv_free(stage);
}

void iv_stage_closep(struct iv_stage **stage)
{
    iv_stage_close(*stage);
}

const struct iv_config *iv_stage_config(const struct iv_stage *stage)
{
    return &stage->config;
}

void iv_stage_figures(struct iv_stage *stage, struct iv_stage_figures *out)
{
    (void)pthread_mutex_lock(&stage->lock);
    out->planted = stage->plants.count;
    (void)pthread_mutex_unlock(&stage->lock);
    out->events = atomic_load(&stage->events);
    out->hooks = atomic_load(&stage->hooks);
    out->repeats = atomic_load(&stage->repeats);
}

void iv_stage_plants(struct iv_stage *stage, void (*visit)(void *ctx, const struct iv_fleet_plant *plant),
                     void *ctx)
{
    (void)pthread_mutex_lock(&stage->lock);
    for (size_t i = 0; i < stage->plants.count; i++) {
        visit(ctx, &stage->plants.items[i]);
    }
    (void)pthread_mutex_unlock(&stage->lock);
}
