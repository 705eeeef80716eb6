/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/observer.h"
#include "base/alloc.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/guard.h"
#include "base/log.h"
#include "baseline/baseline.h"
#include "daemon/fresh.h"
#include "daemon/marks.h"
#include "respond/inquiry.h"
#include "respond/ladder.h"
#include "stream/ends.h"
#include "stream/survey.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define MARK_EVERY IV_NS_PER_S
#define MARKS_KEPT 180 /* three minutes of them */
#define LOOK_EVERY IV_NS_PER_S
#define LOOK_LEAST (200 * IV_NS_PER_MS) /* a storm of changes is looked at in one */
#define POLL_WAIT (50 * IV_NS_PER_MS)
#define BROKER_WAIT (500 * IV_NS_PER_MS)  /* who does not answer is asked again: to wait is no progress */
#define WRITTEN_BEFORE (60 * IV_NS_PER_S) /* brokers' and producers' clocks may be so far behind ours */
#define INQUIRIES_MAX 1024

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
    struct iv_ends *ends;
    struct iv_survey *survey;
    struct iv_fresh_watch fresh;
    struct iv_cursor *partitions; /* of both streams; NULL: the broker has not told yet */
    size_t partition_count;
    struct iv_marks *marks;
    struct iv_inquiry *inquiries[INQUIRIES_MAX];
    size_t inquiry_count;
    iv_ns since;  /* from there on must be read, and is not yet; IV_NS_MAX: nothing */
    iv_ns marked; /* monotonic */
    iv_ns looked; /* monotonic */
    iv_ns heard;  /* wall clock */
    bool overflowing;
    char trouble[256]; /* why the streams are not read; "": they are, as far as is known */
};

static iv_ns now_of(struct iv_observer *o)
{
    return iv_steady_wall(&o->steady, iv_wall(&o->clock), iv_monotonic(&o->clock));
}

static void miss(struct iv_observer *o, enum iv_stream stream, const char *why)
{
    for (size_t i = 0; i < o->inquiry_count; i++) {
        if (iv_inquiry_stream(o->inquiries[i]) == stream) {
            iv_inquiry_missed(o->inquiries[i], why);
        }
    }
}

/* What was to be read is not there any more, or cannot be read. */
static void on_gap(void *ctx, const struct iv_cursor *at)
{
    struct iv_observer *o = ctx;
    char why[128];
    (void)snprintf(why, sizeof why, "not all records of %s, partition %d, can be had any more",
                   iv_stream_name(at->stream), (int)at->partition);
    miss(o, at->stream, why);
}

/* From before the first of them on all is read again. */
static void begin_again(struct iv_observer *o)
{
    for (size_t i = 0; i < o->inquiry_count; i++) {
        iv_ns since = iv_inquiry_since(o->inquiries[i]);
        o->since = since < o->since ? since : o->since;
    }
}

/* Moments before and after are not to be compared. */
static void look_at_clock(struct iv_observer *o)
{
    (void)now_of(o);
    if (!o->steady.stepped) {
        return;
    }
    for (int s = 0; s < IV_STREAMS; s++) {
        miss(o, (enum iv_stream)s, "the clock was set while it was looked for");
    }
    iv_fresh_clock_set(&o->fresh);
    LOG_WARN("observe.clock_set", KV_I64("inquiries", (int64_t)o->inquiry_count));
    o->steady = (struct iv_steady){.begun = false};
    if (o->marks != NULL) {
        iv_marks_forget(o->marks);
    }
    begin_again(o);
}

static void drop_inquiries(struct iv_observer *o)
{
    for (size_t i = 0; i < o->inquiry_count; i++) {
        iv_inquiry_free(o->inquiries[i]);
    }
    o->inquiry_count = 0;
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
    drop_inquiries(o);
    iv_decoder_free(TAKE(o->decoder));
    iv_baseline_unref(o->baseline);
    o->baseline = next;
    o->looked = 0;
    const struct iv_decode_limits limits = IV_DECODE_LIMITS_DEFAULT;
    return iv_decoder_new(&o->decoder, o->baseline->catalogue, &limits, (struct iv_hash_key){0, 0}, err);
}

static iv_rc list_partitions(struct iv_observer *o, struct iv_err *err)
{
    int32_t widths[IV_STREAMS] = {0};
    TRY(iv_survey_widths(o->survey, widths, BROKER_WAIT, err));
    size_t count = (size_t)widths[IV_LEDGER] + (size_t)widths[IV_TELEMETRY];
    struct iv_cursor *all = iv_calloc(count, sizeof *all);
    ENSURE(all != NULL, err, IV_E_NOMEM, "cannot allocate %zu partitions", count);
    size_t n = 0;
    for (int s = 0; s < IV_STREAMS; s++) {
        for (int32_t p = 0; p < widths[s]; p++) {
            all[n++] = (struct iv_cursor){.stream = (enum iv_stream)s, .partition = p, .offset = -1};
        }
    }
    iv_free(o->partitions); /* of a time when there was no memory for the marks */
    o->partitions = all;
    o->partition_count = count;
    return iv_marks_new(&o->marks, count, MARKS_KEPT, err);
}

static iv_rc mark_ends(struct iv_observer *o, struct iv_err *err)
{
    if (iv_monotonic(&o->clock) - o->marked < MARK_EVERY) {
        return IV_OK;
    }
    o->marked = iv_monotonic(&o->clock);
    if (o->marks == NULL) {
        TRY(list_partitions(o, err));
    }
    iv_turn(o->options.turns);
    iv_ns asked = now_of(o);
    TRY(iv_ends_ask(o->ends, o->partitions, o->partition_count, BROKER_WAIT, err));
    const struct iv_cursor *back = iv_marks_add(o->marks, asked, now_of(o), o->partitions);
    if (back != NULL) {
        on_gap(o, back);
        begin_again(o);
    }
    if (o->inquiry_count == 0) {
        o->trouble[0] = '\0'; /* else reading has to come on: to be told of the ends takes a lesser right */
    }
    iv_turn(o->options.turns);
    return iv_fresh_ends(&o->fresh, o->survey, o->partitions, o->partition_count, BROKER_WAIT, err);
}

static bool is_wanted(const struct iv_observer *o, enum iv_stream stream)
{
    for (size_t i = 0; i < o->inquiry_count; i++) {
        if (iv_inquiry_stream(o->inquiries[i]) == stream) {
            return true;
        }
    }
    return false;
}

/* Of the partitions of the streams that are wanted: where what was written since then begins. */
static iv_rc find_begin(struct iv_observer *o, struct iv_cursor *from, size_t *count, struct iv_err *err)
{
    const struct iv_cursor *marked = iv_marks_before(o->marks, o->since);
    const struct iv_cursor *newest = iv_marks_before(o->marks, IV_NS_MAX);
    bool cut[IV_STREAMS];
    *count = 0;
    for (size_t i = 0; i < o->partition_count; i++) {
        if (is_wanted(o, o->partitions[i].stream)) {
            from[(*count)++] = marked != NULL ? marked[i] : newest[i];
        }
    }
    if (marked != NULL) {
        return IV_OK;
    }
    struct iv_cursor *found = iv_calloc(*count + 1, sizeof *found);
    ENSURE(found != NULL, err, IV_E_NOMEM, "cannot allocate partitions");
    memcpy(found, from, *count * sizeof *found);
    iv_turn(o->options.turns);
    struct iv_rc_s rc =
        iv_survey_find(o->survey, found, *count, cut, iv_ns_add(o->since, -WRITTEN_BEFORE), BROKER_WAIT, err);
    for (size_t i = 0; iv_ok(rc) && i < *count; i++) {
        /* None was written since: what has come after the mark is all there is. */
        from[i].offset = found[i].offset < 0 ? from[i].offset : found[i].offset;
    }
    iv_free(found);
    for (int i = 0; iv_ok(rc) && i < IV_STREAMS; i++) {
        if (cut[i]) {
            miss(o, (enum iv_stream)i, "the broker no longer has all records since the call");
        }
    }
    return rc;
}

/* What is read already is read again from where the new ones need it. */
static void keep_behind(const struct iv_observer *o, struct iv_cursor *from, size_t count)
{
    size_t reading = 0;
    const struct iv_cursor *at = iv_survey_at(o->survey, &reading);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < reading; k++) {
            bool same = at[k].stream == from[i].stream && at[k].partition == from[i].partition;
            if (same && at[k].offset >= 0 && at[k].offset < from[i].offset) {
                from[i].offset = at[k].offset;
            }
        }
    }
}

static iv_rc begin_reading(struct iv_observer *o, struct iv_err *err)
{
    size_t count = 0;
    if (o->since == IV_NS_MAX || o->marks == NULL || !iv_marks_any(o->marks)) {
        return IV_OK;
    }
    struct iv_cursor *from = iv_calloc(o->partition_count + 1, sizeof *from);
    ENSURE(from != NULL, err, IV_E_NOMEM, "cannot allocate partitions");
    struct iv_rc_s rc = find_begin(o, from, &count, err);
    if (iv_ok(rc)) {
        keep_behind(o, from, count);
        rc = iv_survey_read(o->survey, from, count, err);
    }
    o->since = iv_ok(rc) ? IV_NS_MAX : o->since;
    iv_free(from);
    return rc;
}

static struct iv_inquiry *inquiry_of(const struct iv_observer *o, const struct iv_step *step)
{
    for (size_t i = 0; i < o->inquiry_count; i++) {
        if (iv_inquiry_is_of(o->inquiries[i], step)) {
            return o->inquiries[i];
        }
    }
    return NULL;
}

/* Rows that are no longer there are looked for no longer; new ones from before their first call on. */
static iv_rc match(struct iv_observer *o, const struct iv_task *tasks, size_t count, struct iv_err *err)
{
    struct iv_inquiry *kept[INQUIRIES_MAX];
    size_t kept_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct iv_inquiry *known = inquiry_of(o, &tasks[i].step);
        if (known != NULL) {
            kept[kept_count++] = known;
        }
    }
    for (size_t i = 0; i < o->inquiry_count; i++) {
        bool is_kept = false;
        for (size_t k = 0; k < kept_count; k++) {
            is_kept = is_kept || kept[k] == o->inquiries[i];
        }
        if (!is_kept) {
            iv_inquiry_free(o->inquiries[i]);
        }
    }
    memcpy(o->inquiries, kept, kept_count * sizeof(struct iv_inquiry *));
    o->inquiry_count = kept_count;
    for (size_t i = 0; i < count; i++) {
        if (inquiry_of(o, &tasks[i].step) == NULL) {
            struct iv_inquiry *fresh = NULL;
            TRY(iv_inquiry_new(&fresh, &tasks[i], o->decoder, o->baseline->catalogue, now_of(o), err));
            o->inquiries[o->inquiry_count++] = fresh;
            iv_ns since = iv_inquiry_since(fresh);
            o->since = since < o->since ? since : o->since;
        }
    }
    return IV_OK;
}

static iv_rc look_at_store(struct iv_observer *o, struct iv_err *err)
{
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    iv_arena_init(&arena, 0);
    struct iv_task *tasks = NULL;
    size_t count = 0;
    TRY(iv_store_begin(o->options.store, err));
    struct iv_rc_s rc = iv_store_tasks(o->options.store, &tasks, &count, IV_TASKS_EXPECTED, IV_STR(""), 0,
                                       INQUIRIES_MAX, &arena, err);
    iv_store_rollback(o->options.store);
    TRY(rc);
    if ((count == INQUIRIES_MAX) != o->overflowing) {
        o->overflowing = !o->overflowing;
        LOG_WARN("observe.overflow", KV_I64("most", INQUIRIES_MAX), KV_I64("looked_for", (int64_t)count));
    }
    size_t before = o->inquiry_count;
    TRY(match(o, tasks, count, err));
    if (o->inquiry_count == 0) {
        o->since = IV_NS_MAX;
        return before == 0 ? IV_OK : iv_survey_read(o->survey, NULL, 0, err);
    }
    return IV_OK;
}

/* An event for whoever wants it; a record that is none may have been one. */
static iv_rc show(struct iv_observer *o, const struct iv_record *record, struct iv_err *err)
{
    struct iv_event event;
    struct iv_err why = {.text = ""};
    iv_arena_reset(&o->arena);
    struct iv_rc_s rc = iv_decode(o->decoder, record, &o->arena, &event, &why);
    ENSURE(rc.code != IV_E_NOMEM, err, IV_E_NOMEM, "%s", why.text);
    for (size_t i = 0; i < o->inquiry_count; i++) {
        struct iv_inquiry *l = o->inquiries[i];
        if (!iv_inquiry_wants(l, record)) {
            continue;
        }
        if (!iv_ok(rc)) {
            iv_inquiry_missed(l, "a record that may have told was malformed");
        } else {
            TRY(iv_inquiry_event(l, &event, err));
        }
    }
    return IV_OK;
}

static iv_rc read_some(struct iv_observer *o, struct iv_err *err)
{
    struct iv_batch batch;
    bool moved = false;
    TRY(iv_survey_poll(o->survey, &batch, &moved, POLL_WAIT, err));
    if (moved) {
        o->heard = now_of(o);
        o->trouble[0] = '\0';
    }
    for (size_t i = 0; i < batch.count; i++) {
        bool wanted = false;
        for (size_t k = 0; k < o->inquiry_count && !wanted; k++) {
            wanted = iv_inquiry_wants(o->inquiries[k], &batch.records[i]);
        }
        if (wanted) {
            TRY(show(o, &batch.records[i], err));
        }
    }
    return IV_OK;
}

/* *moved: somebody may have taken the step back meanwhile. */
static iv_rc move(struct iv_observer *o, bool *moved, const struct iv_inquiry *l,
                  const struct iv_proof *proof, struct iv_arena *arena, struct iv_err *err)
{
    struct iv_task *tasks = NULL;
    size_t count = 0;
    TRY(iv_store_tasks(o->options.store, &tasks, &count, IV_TASKS_OF, iv_inquiry_execution(l), 0,
                       IV_EXECUTION_STEPS_MAX, arena, err));
    for (size_t i = 0; i < count; i++) {
        if (iv_inquiry_is_of(l, &tasks[i].step) && iv_step_awaits(&tasks[i].step)) {
            TRY(iv_move_by_evidence(o->options.store, &tasks[i], proof, iv_wall(&o->clock), arena, err));
            *moved = true;
        }
    }
    return IV_OK;
}

static iv_rc write_down(struct iv_observer *o, const struct iv_inquiry *l, const struct iv_proof *proof,
                        struct iv_err *err)
{
    static const char *const results[] = {[IV_PROOF_VERIFIED] = "verified",
                                          [IV_PROOF_FAILED] = "disproved",
                                          [IV_PROOF_AMBIGUOUS] = "ambiguous"};
    IV_AUTO(iv_arena_deinit) struct iv_arena arena;
    iv_arena_init(&arena, 0);
    TRY(iv_store_begin(o->options.store, err));
    bool moved = false;
    struct iv_rc_s rc = move(o, &moved, l, proof, &arena, err);
    if (!iv_ok(rc) || !moved) {
        iv_store_rollback(o->options.store);
        return rc;
    }
    TRY(iv_store_commit(o->options.store, err));
    iv_series_add(IV_SERIES(o->options.metrics, ACTIONS, iv_str_of(results[proof->verdict])), 1);
    o->options.changed(o->options.ctx);
    return IV_OK;
}

static iv_rc decide(struct iv_observer *o, struct iv_err *err)
{
    size_t reading = 0;
    const struct iv_cursor *at = iv_survey_at(o->survey, &reading);
    struct iv_inquiry_state states[IV_STREAMS];
    for (int s = 0; s < IV_STREAMS; s++) {
        bool known = o->marks != NULL && o->since == IV_NS_MAX;
        states[s] = (struct iv_inquiry_state){
            .reached = known ? iv_marks_reached(o->marks, at, reading, (enum iv_stream)s) : IV_NS_MIN,
            .heard = o->heard,
            .trouble = iv_str_of(o->trouble),
            .now = now_of(o)};
    }
    for (size_t i = o->inquiry_count; i-- > 0;) {
        struct iv_inquiry *l = o->inquiries[i];
        struct iv_proof proof;
        if (iv_inquiry_decide(l, &proof, &states[iv_inquiry_stream(l)])) {
            TRY(write_down(o, l, &proof, err));
            o->inquiries[i] = o->inquiries[--o->inquiry_count];
            iv_inquiry_free(l);
            o->looked = o->inquiry_count == 0 ? 0 : o->looked; /* so that reading ends */
        }
    }
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
    TRY(forgive(o, mark_ends(o, err), err));
    iv_fresh_tell(&o->fresh, o->marks, now_of(o), o->options.positions, o->options.ctx);
    if (is_time_to_look(o)) {
        o->looked = iv_monotonic(&o->clock);
        TRY(look_at_store(o, err));
    }
    TRY(forgive(o, begin_reading(o, err), err));
    if (o->inquiry_count > 0) {
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
    iv_monotonic_in(&until, o->inquiry_count > 0 ? 0 : too_early ? rest : LOOK_LEAST);
    (void)pthread_mutex_lock(&o->lock);
    int rc = 0;
    while (o->inquiry_count == 0 && !o->stopping && (too_early || !o->woken) && rc == 0) {
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
    drop_inquiries(o);
    iv_survey_close(o->survey);
    iv_ends_close(o->ends);
    iv_marks_free(o->marks);
    iv_decoder_free(o->decoder);
    iv_baseline_unref(o->baseline);
    iv_baseline_unref(o->next);
    iv_arena_deinit(&o->arena);
    iv_fresh_deinit(&o->fresh);
    iv_free(o->partitions);
    (void)pthread_cond_destroy(&o->changed);
    (void)pthread_mutex_destroy(&o->lock);
    iv_free(o);
}

static iv_rc open(struct iv_observer *o, struct iv_err *err)
{
    const struct iv_config *c = o->options.config;
    struct iv_survey_options survey = {
        .properties = c->kafka, .property_count = c->kafka_count, .gap = on_gap, .ctx = o};
    memcpy(survey.topics, o->options.topics, sizeof survey.topics);
    TRY(iv_ends_open(&o->ends, c->kafka, c->kafka_count, o->options.topics, err));
    TRY(iv_survey_open(&o->survey, &survey, err));
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
    o->since = IV_NS_MAX;
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

void iv_observer_wake(struct iv_observer *observer)
{
    (void)pthread_mutex_lock(&observer->lock);
    observer->woken = true;
    (void)pthread_cond_signal(&observer->changed);
    (void)pthread_mutex_unlock(&observer->lock);
}
