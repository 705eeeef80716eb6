/* SPDX-License-Identifier: Apache-2.0 */
#include "judge/verify.h"
#include "base/alloc.h"
#include "base/guard.h"
#include "engine/snapshot.h"
#include "event/decode.h"
#include "judge/verify_ask.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

/* Verification runs ahead of the follower by so many parcels for each thread: they hold decoded events. */
#define AHEAD_PER_THREAD 2

/* What verification leaves for the follower. */
struct decoded {
    struct iv_arena arena;
    struct iv_event events[IV_PARCEL_EVENTS];
    bool ready;
};

struct worker {
    struct iv_verify *lane;
    struct iv_decoder *decoder;
    struct iv_verify_asker *asker;
    pthread_t thread;
};

struct iv_verify {
    struct iv_baseline *baseline;
    void (*through)(void *ctx, struct iv_commit *before, struct iv_commit *found);
    iv_complaint_fn complaint;
    void *ctx;
    struct worker *workers;
    unsigned worker_count; /* that run */
    size_t ahead;          /* parcels that may be verified and not through; as many are decoded at once */

    /* The leader's own. */
    struct iv_parcel *open;

    /* Of whoever tells the follower. */
    struct iv_engine *engine;
    struct iv_commit *found;
    struct iv_commit *telling; /* not NULL: populations go there */
    struct iv_cell_place cell;
    const struct iv_move *move; /* at hand */
    struct iv_rc_s failure;     /* of the verdict hook, which cannot answer */
    struct iv_err failure_err;
    iv_verdict_fn tell; /* not NULL: verdicts go straight there */
    void *tell_ctx;

    pthread_mutex_t lock;
    pthread_cond_t work; /* there may be something to do */
    pthread_cond_t room; /* the leader's: enough is through */
    struct iv_parcel *ring[IV_VERIFY_PARCELS];
    uint64_t pushed; /* parcels, since the start */
    uint64_t taken;
    uint64_t through_count;
    struct decoded *decoded; /* of parcel n: n % ahead */
    struct iv_parcel *spare[IV_VERIFY_PARCELS];
    size_t spare_count;
    size_t bytes;           /* of records on their way */
    size_t events;          /* likewise */
    _Atomic uint64_t limit; /* of the follower's state; 0: none */
    bool following;
    bool waiting; /* the leader */
    bool stopping;
    bool failed;
    struct iv_err err;
    struct iv_engine_stats stats;
    struct iv_rule_stats *rule_stats;
};

static void on_verdict(void *ctx, const struct iv_verdict *verdict)
{
    struct iv_verify *v = ctx;
    if (v->tell != NULL) {
        v->tell(v->tell_ctx, verdict);
        return;
    }
    if (iv_ok(v->failure) && v->found == NULL) {
        v->failure = iv_commit_new(&v->found, v->baseline, &v->failure_err);
    }
    if (iv_ok(v->failure)) {
        v->found->ordinal = v->move->ordinal;
        v->failure = iv_commit_verdict(v->found, verdict, v->move->written, &v->failure_err);
    }
}

static void on_evicted(void *ctx, const struct iv_rule *rule, const struct iv_loss *loss)
{
    struct iv_verify *v = ctx;
    if (iv_ok(v->failure) && v->found == NULL) {
        v->failure = iv_commit_new(&v->found, v->baseline, &v->failure_err);
    }
    if (iv_ok(v->failure)) {
        v->failure = iv_commit_evicted(v->found, rule, loss, &v->failure_err);
    }
}

/* What leaves the memory comes with what is found, all else with the positions that it is as of. */
static void on_populated(void *ctx, const struct iv_populated *populated)
{
    struct iv_verify *v = ctx;
    struct iv_commit **into = v->telling == NULL ? &v->found : &v->telling;
    if (v->cell.topic.n == 0) {
        return;
    }
    if (iv_ok(v->failure) && *into == NULL) {
        v->failure = iv_commit_new(into, v->baseline, &v->failure_err);
    }
    if (iv_ok(v->failure)) {
        v->failure = iv_commit_populated(*into, &v->cell, populated, &v->failure_err);
    }
}

static void on_complaint(void *ctx, const struct iv_rule *rule, const struct iv_event *event,
                         const struct iv_err *why)
{
    const struct iv_verify *v = ctx;
    v->complaint(v->ctx, rule, event, why);
}

static iv_rc make_move(struct iv_verify *v, const struct iv_move *m, struct iv_event *event,
                       struct iv_err *err)
{
    enum iv_stream stream = (enum iv_stream)m->stream;
    switch ((enum iv_move_kind)m->kind) {
    case IV_MOVE_EVENT:
        return iv_engine_event(v->engine, event, err);
    case IV_MOVE_REACHED:
        return iv_engine_reached(v->engine, stream, m->partition, m->time, err);
    case IV_MOVE_IDLE:
        return iv_engine_idle(v->engine, stream, m->partition, m->time, err);
    case IV_MOVE_OPEN:
        return iv_engine_open(v->engine, stream, m->partition, err);
    case IV_MOVE_MIDWAY:
        iv_engine_joined_midway(v->engine, stream);
        return IV_OK;
    }
    return IV_OK;
}

/* Tells the follower what stands in the parcel. */
static iv_rc follow(struct iv_verify *v, struct iv_parcel *parcel, struct decoded *decoded,
                    struct iv_err *err)
{
    struct iv_event *event = decoded->events;
    iv_engine_limit(v->engine, atomic_load_explicit(&v->limit, memory_order_relaxed));
    for (size_t i = 0; i < parcel->move_count; i++) {
        v->move = &parcel->moves[i];
        TRY(make_move(v, v->move, event, err));
        event += v->move->kind == IV_MOVE_EVENT ? 1 : 0;
        if (!iv_ok(v->failure)) {
            *err = v->failure_err;
            return v->failure;
        }
    }
    if (parcel->before != NULL && v->cell.topic.n > 0) {
        v->telling = parcel->before;
        iv_engine_populations(v->engine, on_populated, v);
        v->telling = NULL;
        if (!iv_ok(v->failure)) {
            *err = v->failure_err;
            return v->failure;
        }
    }
    struct iv_commit *before = parcel->before;
    struct iv_commit *found = v->found;
    parcel->before = NULL;
    v->found = NULL;
    v->through(v->ctx, before, found);
    return IV_OK;
}

/* Decodes the event again, here where there are threads for it; what is cut was decoded elsewhere, and lives
 * as long as its parcel. */
static iv_rc open_event(const struct worker *worker, const struct iv_move *move, struct decoded *out,
                        struct iv_event *event, struct iv_err *err)
{
    if (move->event == NULL) {
        return iv_decode(worker->decoder, move->record, &out->arena, event, err);
    }
    *event = *move->event;
    event->object.owner = event;
    return IV_OK;
}

/* Opens the parcel's events and asks for their signatures. */
static iv_rc verify(const struct worker *worker, const struct iv_parcel *parcel, struct decoded *out,
                    struct iv_err *err)
{
    size_t n = 0;
    iv_arena_reset(&out->arena);
    for (size_t i = 0; i < parcel->move_count; i++) {
        if (parcel->moves[i].kind == IV_MOVE_EVENT) {
            struct iv_event *event = &out->events[n++];
            TRY(open_event(worker, &parcel->moves[i], out, event, err));
            iv_verify_asker_ask(worker->asker, event);
        }
    }
    return IV_OK;
}

static void fail(struct iv_verify *v, const struct iv_err *why)
{
    if (!v->failed) {
        v->failed = true;
        v->err = *why;
    }
}

static void publish_stats(struct iv_verify *v)
{
    iv_engine_stats(v->engine, &v->stats);
    for (size_t i = 0; i < v->baseline->rule_count; i++) {
        iv_engine_rule_stats(v->engine, (uint16_t)i, &v->rule_stats[i]);
    }
}

/* The parcel goes back to the leader. */
static void retire(struct iv_verify *v, struct iv_parcel *parcel)
{
    v->bytes -= parcel->bytes;
    v->events -= parcel->event_count;
    iv_parcel_reset(parcel);
    v->spare[v->spare_count++] = parcel;
    v->through_count++;
    size_t left = (size_t)(v->pushed - v->through_count);
    bool enough = left <= IV_VERIFY_PARCELS / 4 * 3 && v->bytes <= IV_VERIFY_BYTES / 4 * 3;
    if (v->waiting && (enough || left == 0)) {
        (void)pthread_cond_signal(&v->room);
    }
}

/* Under the lock, but for the work itself; so are the next two. */
static void follow_next(struct iv_verify *v)
{
    struct iv_parcel *parcel = v->ring[v->through_count % IV_VERIFY_PARCELS];
    struct decoded *decoded = &v->decoded[v->through_count % v->ahead];
    v->following = true;
    bool failed = v->failed;
    (void)pthread_mutex_unlock(&v->lock);
    struct iv_err err = {.text = ""};
    struct iv_rc_s rc = failed ? IV_OK : follow(v, parcel, decoded, &err);
    (void)pthread_mutex_lock(&v->lock);
    if (!iv_ok(rc)) {
        fail(v, &err);
    }
    publish_stats(v);
    decoded->ready = false;
    v->following = false;
    retire(v, parcel);
    if (v->taken < v->pushed) {
        (void)pthread_cond_signal(&v->work); /* somebody may have waited for this one to be through */
    }
}

static void verify_next(struct iv_verify *v, struct worker *worker)
{
    const struct iv_parcel *parcel = v->ring[v->taken % IV_VERIFY_PARCELS];
    struct decoded *decoded = &v->decoded[v->taken % v->ahead];
    v->taken++;
    bool failed = v->failed;
    (void)pthread_mutex_unlock(&v->lock);
    struct iv_err err = {.text = ""};
    struct iv_rc_s rc = failed ? IV_OK : verify(worker, parcel, decoded, &err);
    (void)pthread_mutex_lock(&v->lock);
    if (!iv_ok(rc)) {
        fail(v, &err);
    }
    decoded->ready = true;
}

static void *worker_thread(void *argument)
{
    struct worker *worker = argument;
    struct iv_verify *v = worker->lane;
    (void)pthread_mutex_lock(&v->lock);
    while (!v->stopping) {
        if (!v->following && v->through_count < v->taken && v->decoded[v->through_count % v->ahead].ready) {
            follow_next(v);
        } else if (v->taken < v->pushed && v->taken < v->through_count + v->ahead) {
            verify_next(v, worker);
        } else {
            (void)pthread_cond_wait(&v->work, &v->lock);
        }
    }
    (void)pthread_mutex_unlock(&v->lock);
    return NULL;
}

bool iv_verify_fits(const struct iv_verify *verify, const struct iv_move *move)
{
    return iv_parcel_fits(verify->open, move);
}

iv_rc iv_verify_move(struct iv_verify *verify, const struct iv_move *move, struct iv_err *err)
{
    return iv_parcel_add(verify->open, move, err);
}

static bool is_full(const struct iv_verify *v)
{
    return v->pushed - v->through_count == IV_VERIFY_PARCELS - 1 || v->bytes > IV_VERIFY_BYTES;
}

/* Under the lock. */
static iv_rc failure_of(const struct iv_verify *v, struct iv_err *err)
{
    if (v->failed) {
        if (err != NULL) {
            *err = v->err;
        }
        return (struct iv_rc_s){v->err.code};
    }
    return IV_OK;
}

static iv_rc push(struct iv_verify *v, struct iv_parcel *parcel, struct iv_parcel **fresh, struct iv_err *err)
{
    (void)pthread_mutex_lock(&v->lock);
    v->waiting = true;
    while (is_full(v)) {
        (void)pthread_cond_wait(&v->room, &v->lock);
    }
    v->waiting = false;
    v->ring[v->pushed++ % IV_VERIFY_PARCELS] = parcel;
    v->bytes += parcel->bytes;
    v->events += parcel->event_count;
    *fresh = v->spare_count > 0 ? v->spare[--v->spare_count] : NULL;
    struct iv_rc_s rc = failure_of(v, err);
    (void)pthread_cond_signal(&v->work);
    (void)pthread_mutex_unlock(&v->lock);
    return rc;
}

iv_rc iv_verify_flush(struct iv_verify *verify, struct iv_commit *before, struct iv_err *err)
{
    struct iv_parcel *full = verify->open;
    if (full == NULL) { /* memory was out at the flush before */
        iv_commit_free(before);
        return iv_err_set(err, IV_E_NOMEM, "cannot allocate a parcel of events");
    }
    if (full->move_count == 0 && before == NULL) {
        return IV_OK;
    }
    full->before = before;
    struct iv_rc_s rc = push(verify, full, &verify->open, err);
    if (verify->open == NULL) {
        TRY(iv_parcel_new(&verify->open, iv_ok(rc) ? err : NULL));
    }
    return rc;
}

iv_rc iv_verify_drain(struct iv_verify *verify, struct iv_err *err)
{
    (void)pthread_mutex_lock(&verify->lock);
    verify->waiting = true;
    while (verify->through_count < verify->pushed) {
        (void)pthread_cond_wait(&verify->room, &verify->lock);
    }
    verify->waiting = false;
    struct iv_rc_s rc = failure_of(verify, err);
    (void)pthread_mutex_unlock(&verify->lock);
    return rc;
}

struct iv_engine *iv_verify_engine(struct iv_verify *verify)
{
    return verify->engine;
}

iv_rc iv_verify_finish(struct iv_verify *verify, iv_verdict_fn verdict, void *ctx, struct iv_err *err)
{
    verify->tell = verdict;
    verify->tell_ctx = ctx;
    struct iv_rc_s rc = iv_engine_finish(verify->engine, err);
    verify->tell = NULL;
    (void)pthread_mutex_lock(&verify->lock);
    publish_stats(verify);
    (void)pthread_mutex_unlock(&verify->lock);
    return rc;
}

void iv_verify_limit(struct iv_verify *verify, uint64_t bytes)
{
    atomic_store_explicit(&verify->limit, bytes, memory_order_relaxed);
}

void iv_verify_stats(struct iv_verify *verify, struct iv_engine_stats *out)
{
    (void)pthread_mutex_lock(&verify->lock);
    *out = verify->stats;
    (void)pthread_mutex_unlock(&verify->lock);
}

void iv_verify_rule_stats(struct iv_verify *verify, uint16_t rule_index, struct iv_rule_stats *out)
{
    (void)pthread_mutex_lock(&verify->lock);
    *out = verify->rule_stats[rule_index];
    (void)pthread_mutex_unlock(&verify->lock);
}

size_t iv_verify_queue(struct iv_verify *verify)
{
    (void)pthread_mutex_lock(&verify->lock);
    size_t waiting = verify->events;
    (void)pthread_mutex_unlock(&verify->lock);
    return waiting + verify->open->event_count;
}

static void worker_deinit(struct worker *worker)
{
    iv_decoder_free(worker->decoder);
    iv_verify_asker_free(worker->asker);
}

static iv_rc start_worker(struct worker *worker, const struct iv_verify_options *options, struct iv_err *err)
{
    const struct iv_decode_limits limits = IV_DECODE_LIMITS_DEFAULT;
    struct iv_baseline *baseline = options->baseline;
    TRY(iv_decoder_new(&worker->decoder, baseline->catalogue, &limits, options->hash_key, err));
    TRY(iv_verify_asker_new(&worker->asker, baseline, options->rules, err));
    ENSURE(pthread_create(&worker->thread, NULL, worker_thread, worker) == 0, err, IV_E_NOMEM,
           "cannot start a thread");
    return IV_OK;
}

static iv_rc start_workers(struct iv_verify *v, const struct iv_verify_options *options, struct iv_err *err)
{
    v->ahead = (size_t)AHEAD_PER_THREAD * options->threads;
    v->decoded = iv_calloc(v->ahead, sizeof *v->decoded);
    v->workers = iv_calloc(options->threads, sizeof *v->workers);
    ENSURE(v->decoded != NULL && v->workers != NULL, err, IV_E_NOMEM, "cannot allocate %u verifying threads",
           options->threads);
    for (size_t i = 0; i < v->ahead; i++) {
        iv_arena_init(&v->decoded[i].arena, 0);
    }
    for (unsigned i = 0; i < options->threads; i++) {
        struct worker *worker = &v->workers[i];
        worker->lane = v;
        struct iv_rc_s rc = start_worker(worker, options, err);
        if (!iv_ok(rc)) {
            worker_deinit(worker);
            return rc;
        }
        v->worker_count++;
    }
    return IV_OK;
}

static iv_rc open_parts(struct iv_verify *v, const struct iv_verify_options *options, struct iv_err *err)
{
    const struct iv_engine_options engine = {.verdict = on_verdict,
                                             .evicted = on_evicted,
                                             .populated = on_populated,
                                             .complaint = options->complaint != NULL ? on_complaint : NULL,
                                             .ctx = v,
                                             .digests = options->digests,
                                             .hash_key = options->hash_key,
                                             .share = options->share,
                                             .rules = options->rules};
    v->rule_stats = iv_calloc(v->baseline->rule_count + 1, sizeof *v->rule_stats);
    ENSURE(v->rule_stats != NULL, err, IV_E_NOMEM, "cannot allocate the figures of the rules");
    if (options->from != NULL) {
        TRY(iv_engine_carry_on(&v->engine, options->from, v->baseline, &engine, err));
    } else if (options->bytes.n > 0) {
        TRY(iv_engine_restore(&v->engine, v->baseline, &engine, options->bytes, err));
    } else {
        TRY(iv_engine_new(&v->engine, v->baseline, &engine, err));
    }
    if (options->begins_work) {
        iv_engine_begin_work(v->engine);
    }
    publish_stats(v);
    TRY(iv_parcel_new(&v->open, err));
    return start_workers(v, options, err);
}

iv_rc iv_verify_start(struct iv_verify **out, const struct iv_verify_options *options, struct iv_err *err)
{
    struct iv_verify *v = iv_calloc(1, sizeof *v);
    ENSURE(v != NULL, err, IV_E_NOMEM, "cannot allocate the verification");
    IV_CHECK(pthread_mutex_init(&v->lock, NULL) == 0);
    IV_CHECK(pthread_cond_init(&v->work, NULL) == 0);
    IV_CHECK(pthread_cond_init(&v->room, NULL) == 0);
    v->baseline = iv_baseline_ref(options->baseline);
    v->cell = options->cell;
    v->through = options->through;
    v->complaint = options->complaint;
    v->ctx = options->ctx;
    struct iv_rc_s rc = open_parts(v, options, err);
    if (!iv_ok(rc)) {
        iv_verify_stop(v);
        return rc;
    }
    *out = v;
    return IV_OK;
}

static void join_workers(struct iv_verify *v)
{
    (void)pthread_mutex_lock(&v->lock);
    v->stopping = true;
    (void)pthread_cond_broadcast(&v->work);
    (void)pthread_mutex_unlock(&v->lock);
    for (unsigned i = 0; i < v->worker_count; i++) {
        (void)pthread_join(v->workers[i].thread, NULL);
        worker_deinit(&v->workers[i]);
    }
}

void iv_verify_stop(struct iv_verify *verify)
{
    struct iv_verify *v = verify;
    if (v == NULL) {
        return;
    }
    join_workers(v);
    for (; v->through_count < v->pushed; v->through_count++) {
        iv_parcel_free(v->ring[v->through_count % IV_VERIFY_PARCELS]);
    }
    while (v->spare_count > 0) {
        iv_parcel_free(v->spare[--v->spare_count]);
    }
    for (size_t i = 0; v->decoded != NULL && i < v->ahead; i++) {
        iv_arena_deinit(&v->decoded[i].arena);
    }
    iv_parcel_free(v->open);
    iv_commit_free(v->found);
    iv_engine_free(v->engine);
    iv_free(v->decoded);
    iv_free(v->workers);
    iv_free(v->rule_stats);
    iv_baseline_unref(v->baseline);
    (void)pthread_cond_destroy(&v->work);
    (void)pthread_cond_destroy(&v->room);
    (void)pthread_mutex_destroy(&v->lock);
    iv_free(v);
}

unsigned iv_verify_threads_default(void)
{
    cpu_set_t allowed;
    int n = sched_getaffinity(0, sizeof allowed, &allowed) == 0 ? CPU_COUNT(&allowed) : 1;
    return n <= 1 ? 0 : n > IV_VERIFY_THREADS_MAX ? IV_VERIFY_THREADS_MAX : (unsigned)n - 1;
}
