/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/observer.h"
#include "base/alloc.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/guard.h"
#include "base/log.h"
#include "baseline/baseline.h"
#include "daemon/fresh.h"
#include "daemon/proofs.h"
#include "daemon/reading.h"
#include "evidence/awaited.h"
#include "respond/inquiry_set.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define ASK_EVERY IV_NS_PER_S
#define COUNT_EVERY (10 * IV_NS_PER_S) /* partitions, while no proof waits for it */
#define LOOK_EVERY IV_NS_PER_S
#define LOOK_LEAST (200 * IV_NS_PER_MS) /* a storm of changes is looked at in one */
#define BACK_EVERY IV_NS_PER_S          /* and what a storm wants is read in one */
#define POLL_WAIT (50 * IV_NS_PER_MS)

struct iv_observer {
    struct iv_observer_options options;
    struct iv_clock clock;
    struct iv_steady steady;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping; /* under lock, as what follows */
    bool woken;
    struct iv_baseline *next;     /* a reload; NULL: none */
    struct iv_baseline *baseline; /* the thread's, as what follows */
    struct iv_decoder *decoder;
    struct iv_arena arena; /* of the record at hand */
    struct iv_reader *store;
    struct iv_reading *reading;
    struct iv_fresh_watch fresh;
    struct iv_inquiry_set *set;
    size_t sought;   /* in the set at the last look: reading ends with it */
    iv_ns asked;     /* monotonic */
    iv_ns counted;   /* monotonic: the partitions */
    iv_ns looked;    /* monotonic */
    iv_ns went_back; /* monotonic: when the last pass began */
    iv_ns heard;     /* wall clock */
    iv_ns doubtful;  /* what was begun by then, by the wall clock, may have been begun by another clock */
    bool overflowing;
    char trouble[256]; /* why the streams are not read; "": they are, as far as is known */
};

static iv_ns now_of(struct iv_observer *o)
{
    return iv_steady_wall(&o->steady, iv_wall(&o->clock), iv_monotonic(&o->clock));
}

static iv_ns now_for_reading(void *ctx)
{
    return now_of(ctx);
}

/* What was to be read is not there any more, or cannot be read. */
static void on_gap(void *ctx, const struct iv_cursor *at, bool back)
{
    struct iv_observer *o = ctx;
    char why[128];
    (void)snprintf(why, sizeof why, "not all records of %s, partition %d, can be had any more",
                   iv_stream_name(at->stream), (int)at->partition);
    iv_inquiry_set_missed(o->set, at->stream, back, why);
}

/* From before the first of them on all is read again. */
static void begin_again(struct iv_observer *o)
{
    size_t count = 0;
    struct iv_sought *items = iv_inquiry_set_items(o->set, &count);
    for (size_t i = 0; i < count; i++) {
        items[i].lane = IV_LANE_NEW;
    }
}

/* Moments before and after are not to be compared. Those of what was begun under the clock as it was are not
 * later than what that would say now; nor, by the clock as it is, than now. */
static void look_at_clock(struct iv_observer *o)
{
    iv_ns monotonic = iv_monotonic(&o->clock);
    iv_ns wall = iv_wall(&o->clock);
    iv_ns before = monotonic + o->steady.ahead;
    (void)iv_steady_wall(&o->steady, wall, monotonic);
    if (!o->steady.stepped) {
        return;
    }
    iv_ns last = wall > before ? wall : before;
    o->doubtful = last > o->doubtful ? last : o->doubtful;
    size_t count = 0;
    const struct iv_sought *items = iv_inquiry_set_items(o->set, &count);
    for (size_t i = 0; i < count; i++) {
        iv_inquiry_clock_set(items[i].inquiry, IV_NS_MAX);
    }
    iv_fresh_clock_set(&o->fresh);
    LOG_WARN("observe.clock_set", KV_I64("inquiries", (int64_t)count));
    o->steady = (struct iv_steady){.begun = false};
    iv_reading_clock_set(o->reading);
    begin_again(o);
}

/* Under another baseline events are decoded otherwise: what is looked for is looked for anew. */
static iv_rc take_baseline(struct iv_observer *o, struct iv_err *err)
{
    (void)pthread_mutex_lock(&o->lock);
    struct iv_baseline *next = TAKE(o->next);
    (void)pthread_mutex_unlock(&o->lock);
    if (next == NULL) {
        return IV_OK;
    }
    iv_inquiry_set_keep(o->set, NULL, NULL, 0);
    iv_decoder_free(TAKE(o->decoder));
    iv_baseline_unref(o->baseline);
    o->baseline = next;
    o->looked = 0;
    const struct iv_decode_limits limits = IV_DECODE_LIMITS_DEFAULT;
    return iv_decoder_new(&o->decoder, o->baseline->catalogue, &limits, (struct iv_hash_key){0, 0}, err);
}

/* A partition that nobody knew may hold what would be missed: before an absence is believed, they are
 * counted. */
static bool is_time_to_count(struct iv_observer *o)
{
    size_t count = 0;
    const struct iv_sought *items = iv_inquiry_set_items(o->set, &count);
    iv_ns now = now_of(o);
    bool due = iv_monotonic(&o->clock) - o->counted >= COUNT_EVERY;
    for (size_t i = 0; i < count && !due; i++) {
        iv_ns settled = iv_inquiry_settled(items[i].inquiry);
        due = settled <= now && settled > iv_reading_counted(o->reading);
    }
    return due;
}

static iv_rc ask(struct iv_observer *o, struct iv_err *err)
{
    if (iv_monotonic(&o->clock) - o->asked < ASK_EVERY) {
        return IV_OK;
    }
    o->asked = iv_monotonic(&o->clock);
    bool anew = false;
    bool counts = is_time_to_count(o);
    o->counted = counts ? o->asked : o->counted;
    struct iv_rc_s rc = iv_reading_ask(o->reading, counts, &anew, err);
    if (anew) {
        begin_again(o);
    }
    TRY(rc);
    if (o->sought == 0) {
        o->trouble[0] = '\0'; /* else reading has to come on: to be told of the ends takes a lesser right */
    }
    size_t count = 0;
    const struct iv_cursor *ends = iv_reading_ends(o->reading, &count);
    return iv_fresh_ends(&o->fresh, ends, iv_reading_stable(o->reading), count, err);
}

static void cut_off(struct iv_observer *o, const bool cut[IV_STREAMS], enum iv_lane lane)
{
    size_t count = 0;
    struct iv_sought *items = iv_inquiry_set_items(o->set, &count);
    for (size_t i = 0; i < count; i++) {
        if (items[i].lane == lane && cut[iv_inquiry_stream(items[i].inquiry)]) {
            iv_inquiry_missed(items[i].inquiry, "the broker no longer has all records since the call");
        }
    }
}

/* Those of one lane: since when, and of which streams, they want to be read; false: there are none. */
static bool wanted_by(struct iv_observer *o, enum iv_lane lane, iv_ns *since, bool streams[IV_STREAMS])
{
    size_t count = 0;
    const struct iv_sought *items = iv_inquiry_set_items(o->set, &count);
    *since = IV_NS_MAX;
    memset(streams, 0, IV_STREAMS * sizeof *streams);
    for (size_t i = 0; i < count; i++) {
        iv_ns from = iv_inquiry_since(items[i].inquiry);
        if (items[i].lane == lane) {
            streams[iv_inquiry_stream(items[i].inquiry)] = true;
            *since = from < *since ? from : *since;
        }
    }
    return *since < IV_NS_MAX;
}

static void change_lane(struct iv_observer *o, enum iv_lane from, enum iv_lane to)
{
    size_t count = 0;
    struct iv_sought *items = iv_inquiry_set_items(o->set, &count);
    for (size_t i = 0; i < count; i++) {
        items[i].lane = items[i].lane == from ? to : items[i].lane;
    }
}

/* Who comes when the stream is read already waits for the next pass. */
static iv_rc go_ahead(struct iv_observer *o, struct iv_err *err)
{
    size_t count = 0;
    struct iv_sought *items = iv_inquiry_set_items(o->set, &count);
    for (size_t i = 0; i < count; i++) {
        bool read = iv_reading_is_ahead(o->reading, iv_inquiry_stream(items[i].inquiry));
        items[i].lane = items[i].lane == IV_LANE_NEW && read ? IV_LANE_WAITING : items[i].lane;
    }
    iv_ns since = IV_NS_MAX;
    bool streams[IV_STREAMS];
    bool cut[IV_STREAMS];
    if (wanted_by(o, IV_LANE_NEW, &since, streams)) {
        TRY(iv_reading_ahead(o->reading, cut, since, streams, err));
        cut_off(o, cut, IV_LANE_NEW);
        change_lane(o, IV_LANE_NEW, IV_LANE_WHOLE);
    }
    return IV_OK;
}

static iv_rc go_back(struct iv_observer *o, struct iv_err *err)
{
    iv_ns since = IV_NS_MAX;
    bool streams[IV_STREAMS];
    bool cut[IV_STREAMS];
    iv_ns now = iv_monotonic(&o->clock);
    if (iv_reading_is_back(o->reading) && !wanted_by(o, IV_LANE_BACK, &since, streams)) {
        iv_reading_end_back(o->reading);
    }
    if (iv_reading_is_back(o->reading) || now - o->went_back < BACK_EVERY ||
        !wanted_by(o, IV_LANE_WAITING, &since, streams)) {
        return IV_OK;
    }
    TRY(iv_reading_back(o->reading, cut, since, streams, err));
    o->went_back = now;
    cut_off(o, cut, IV_LANE_WAITING);
    change_lane(o, IV_LANE_WAITING, IV_LANE_BACK);
    return IV_OK;
}

static iv_rc go(struct iv_observer *o, struct iv_err *err)
{
    if (iv_reading_marks(o->reading) == NULL || !iv_marks_any(iv_reading_marks(o->reading))) {
        return IV_OK; /* nobody has said yet where anything ends */
    }
    TRY(go_ahead(o, err));
    return go_back(o, err);
}

/* The whole of one that is new. */
static iv_rc take_up(struct iv_observer *o, const struct iv_step *step, struct iv_arena *arena,
                     struct iv_err *err)
{
    bool found = false;
    struct iv_task task;
    TRY(iv_reader_awaited_task(o->store, &task, &found, step, arena, err));
    if (!found) {
        return IV_OK;
    }
    struct iv_inquiry *inquiry = NULL;
    TRY(iv_inquiry_new(&inquiry, &task, o->decoder, o->baseline->catalogue, now_of(o), err));
    iv_inquiry_clock_set(inquiry, o->doubtful);
    iv_inquiry_set_add(o->set, inquiry);
    return IV_OK;
}

/* Rows that are no longer there are looked for no longer. */
static iv_rc look_at_store(struct iv_observer *o, struct iv_err *err)
{
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    iv_arena_init(&arena, 0);
    struct iv_step *steps = NULL;
    size_t count = 0;
    bool known[IV_INQUIRIES_MAX];
    TRY(iv_reader_awaited(o->store, &steps, &count, IV_INQUIRIES_MAX, &arena, err));
    if ((count == IV_INQUIRIES_MAX) != o->overflowing) {
        o->overflowing = !o->overflowing;
        LOG_WARN("observe.overflow", KV_I64("most", IV_INQUIRIES_MAX), KV_I64("looked_for", (int64_t)count));
    }
    iv_inquiry_set_keep(o->set, known, steps, count);
    for (size_t i = 0; i < count; i++) {
        if (!known[i]) {
            TRY(take_up(o, &steps[i], &arena, err));
        }
    }
    size_t before = o->sought;
    (void)iv_inquiry_set_items(o->set, &o->sought);
    if (o->sought == 0 && before > 0) {
        iv_reading_stop(o->reading);
    }
    return IV_OK;
}

/* An event for whoever wants it; a record that is none may have been one. */
static iv_rc show(struct iv_observer *o, const struct iv_record *record, bool back, struct iv_err *err)
{
    struct iv_event event;
    struct iv_err why = {.text = ""};
    iv_arena_reset(&o->arena);
    struct iv_rc_s rc = iv_decode(o->decoder, record, &o->arena, &event, &why);
    ENSURE(rc.code != IV_E_NOMEM, err, IV_E_NOMEM, "%s", why.text);
    return iv_inquiry_set_show(o->set, record, iv_ok(rc) ? &event : NULL, back, err);
}

static iv_rc read_some(struct iv_observer *o, struct iv_err *err)
{
    struct iv_batch batch;
    bool moved = false;
    bool back = false;
    TRY(iv_reading_poll(o->reading, &batch, &back, &moved, POLL_WAIT, err));
    if (moved) {
        o->heard = now_of(o);
        o->trouble[0] = '\0';
    }
    for (size_t i = 0; i < batch.count; i++) {
        if (iv_inquiry_set_wants(o->set, &batch.records[i])) {
            TRY(show(o, &batch.records[i], back, err));
        }
    }
    if (back && iv_reading_back_is_over(o->reading)) {
        change_lane(o, IV_LANE_BACK, IV_LANE_WHOLE);
    }
    return IV_OK;
}

static iv_rc decide(struct iv_observer *o, struct iv_err *err)
{
    const struct iv_proofs_options options = {
        .store = o->options.store, .metrics = o->options.metrics, .clock = &o->clock};
    struct iv_inquiry_state states[IV_STREAMS];
    size_t moved = 0;
    for (int s = 0; s < IV_STREAMS; s++) {
        states[s] = (struct iv_inquiry_state){.reached = iv_reading_reached(o->reading, (enum iv_stream)s),
                                              .heard = o->heard,
                                              .trouble = iv_str_of(o->trouble),
                                              .now = now_of(o)};
    }
    TRY(iv_proofs_write(&options, o->set, states, &moved, err));
    if (moved > 0) {
        o->options.changed(o->options.ctx);
    }
    size_t left = 0;
    (void)iv_inquiry_set_items(o->set, &left);
    o->looked = left == 0 ? 0 : o->looked; /* so that reading ends */
    return IV_OK;
}

/* What the broker does not answer is asked again; why is said once. */
static iv_rc forgive(struct iv_observer *o, struct iv_rc_s rc, const struct iv_err *err)
{
    char text[sizeof o->trouble];
    if (rc.code != IV_E_BROKER) {
        return rc;
    }
    (void)snprintf(text, sizeof text, "the streams cannot be read: %.200s", err->text);
    if (strcmp(text, o->trouble) != 0) {
        LOG_WARN("observe.unread", KV_TEXT("why", text));
        memcpy(o->trouble, text, sizeof text);
    }
    return IV_OK;
}

static bool is_time_to_look(struct iv_observer *o)
{
    iv_ns passed = iv_monotonic(&o->clock) - o->looked;
    (void)pthread_mutex_lock(&o->lock);
    bool due = passed >= LOOK_EVERY || (o->woken && passed >= LOOK_LEAST) || o->looked == 0;
    o->woken = o->woken && !due;
    (void)pthread_mutex_unlock(&o->lock);
    return due;
}

static iv_rc turn(struct iv_observer *o, struct iv_err *err)
{
    TRY(take_baseline(o, err));
    look_at_clock(o);
    TRY(forgive(o, ask(o, err), err));
    iv_fresh_tell(&o->fresh, iv_reading_marks(o->reading), now_of(o), o->options.positions, o->options.ctx);
    if (is_time_to_look(o)) {
        o->looked = iv_monotonic(&o->clock);
        TRY(look_at_store(o, err));
    }
    if (o->sought > 0) {
        TRY(forgive(o, go(o, err), err));
        TRY(forgive(o, read_some(o, err), err));
        TRY(decide(o, err));
    }
    return IV_OK;
}

/* Nothing to read: until something is done, or it is time to look. Woken too early it waits for the rest of
 * the least time between two looks. False: it is to stop. */
static bool wait_for_more(struct iv_observer *o)
{
    struct timespec until;
    iv_ns rest = o->looked == 0 ? 0 : LOOK_LEAST - (iv_monotonic(&o->clock) - o->looked);
    bool too_early = rest > 0;
    iv_monotonic_in(&until, o->sought > 0 ? 0 : too_early ? rest : LOOK_LEAST);
    (void)pthread_mutex_lock(&o->lock);
    int rc = 0;
    while (o->sought == 0 && !o->stopping && (too_early || !o->woken) && rc == 0) {
        rc = pthread_cond_timedwait(&o->changed, &o->lock, &until);
    }
    bool goes_on = !o->stopping;
    (void)pthread_mutex_unlock(&o->lock);
    return goes_on;
}

static void *observe(void *argument)
{
    struct iv_observer *o = argument;
    (void)pthread_setname_np(pthread_self(), "iv-observe");
    do {
        struct iv_err err = {.text = ""};
        struct iv_rc_s rc = turn(o, &err);
        iv_turn(o->options.turns);
        if (iv_code_class(rc.code) == IV_CLASS_RETRY) {
            LOG_WARN("observe.waiting", KV_TEXT("why", err.text));
            iv_pause(POLL_WAIT);
        } else if (!iv_ok(rc)) {
            LOG_ERROR("observe.failed", KV_TEXT("why", err.text));
            o->options.failed(o->options.ctx, &err);
            break;
        }
    } while (wait_for_more(o));
    return NULL;
}

static void observer_free(struct iv_observer *o)
{
    iv_inquiry_set_free(o->set);
    iv_reading_close(o->reading);
    iv_reader_close(o->store);
    iv_decoder_free(o->decoder);
    iv_baseline_unref(o->baseline);
    iv_baseline_unref(o->next);
    iv_arena_deinit(&o->arena);
    iv_fresh_deinit(&o->fresh);
    (void)pthread_cond_destroy(&o->changed);
    (void)pthread_mutex_destroy(&o->lock);
    iv_free(o);
}

static iv_rc open(struct iv_observer *o, struct iv_err *err)
{
    const struct iv_config *c = o->options.config;
    struct iv_reading_options reading = {.properties = c->kafka,
                                         .property_count = c->kafka_count,
                                         .turns = o->options.turns,
                                         .now = now_for_reading,
                                         .gap = on_gap,
                                         .ctx = o};
    memcpy(reading.topics, o->options.topics, sizeof reading.topics);
    TRY(iv_inquiry_set_new(&o->set, err));
    TRY(iv_reader_open(&o->store, c->store_path, err));
    TRY(iv_reading_open(&o->reading, &reading, err));
    TRY(take_baseline(o, err));
    ENSURE(pthread_create(&o->thread, NULL, observe, o) == 0, err, IV_E_NOMEM, "cannot start a thread");
    return IV_OK;
}

iv_rc iv_observer_start(struct iv_observer **out, const struct iv_observer_options *options,
                        struct iv_err *err)
{
    struct iv_observer *o = iv_calloc(1, sizeof *o);
    ENSURE(o != NULL, err, IV_E_NOMEM, "cannot allocate the observer");
    o->options = *options;
    o->clock = iv_clock_system();
    o->doubtful = IV_NS_MIN;
    iv_fresh_init(&o->fresh, o->clock, options->positions != NULL);
    o->next = iv_baseline_ref(options->baseline);
    iv_arena_init(&o->arena, 0);
    IV_CHECK(pthread_mutex_init(&o->lock, NULL) == 0);
    iv_monotonic_cond_init(&o->changed);
    struct iv_rc_s rc = open(o, err);
    if (!iv_ok(rc)) {
        observer_free(o);
        return rc;
    }
    *out = o;
    return IV_OK;
}

void iv_observer_stop(struct iv_observer *observer)
{
    if (observer != NULL) {
        (void)pthread_mutex_lock(&observer->lock);
        observer->stopping = true;
        (void)pthread_cond_signal(&observer->changed);
        (void)pthread_mutex_unlock(&observer->lock);
        (void)pthread_join(observer->thread, NULL);
        observer_free(observer);
    }
}

void iv_observer_reload(struct iv_observer *observer, struct iv_baseline *baseline)
{
    (void)pthread_mutex_lock(&observer->lock);
    struct iv_baseline *before = observer->next;
    observer->next = iv_baseline_ref(baseline);
    (void)pthread_mutex_unlock(&observer->lock);
    iv_baseline_unref(before);
}

bool iv_observer_fresh(struct iv_observer *observer, const char **why)
{
    return iv_fresh_ask(&observer->fresh, why);
}

bool iv_observer_hears(struct iv_observer *observer)
{
    return iv_fresh_hears(&observer->fresh);
}

void iv_observer_wake(struct iv_observer *observer)
{
    (void)pthread_mutex_lock(&observer->lock);
    observer->woken = true;
    (void)pthread_cond_signal(&observer->changed);
    (void)pthread_mutex_unlock(&observer->lock);
}
