/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/intake.h"
#include "base/alloc.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/guard.h"
#include "base/log.h"
#include "baseline/baseline.h"
#include "daemon/answer.h"
#include "daemon/instance.h"
#include "daemon/succession.h"
#include "evidence/coverage.h"
#include "evidence/own.h"
#include "evidence/told.h"
#include "respond/alert/alert.h"
#include "stream/kafka.h"
#include "stream/member.h"

#include <pthread.h>
#include <stdatomic.h>

#define POLL_WAIT (200 * IV_NS_PER_MS)
#define AGAIN_FIRST (20 * IV_NS_PER_MS)
#define AGAIN_MAX (2 * IV_NS_PER_S)
#define HAND_OVER_WAIT                                                                                       \
    (5 * IV_NS_PER_S)     /* a small part of max.poll.interval.ms, at which the group gives up */
#define POSITIONS_MAX 256 /* partitions whose offsets one commit tells the group */

struct iv_intake {
    struct iv_intake_options options;
    struct iv_str topic;
    struct iv_clock clock;
    struct iv_consumer *consumer;
    struct iv_member name;
    struct iv_arena arena; /* of a record */
    pthread_t thread;
    bool runs;
    atomic_bool stopping;

    /* The thread's own. */
    struct iv_baseline *baseline;
    struct iv_playbooks *playbooks;
    struct iv_decoder *decoder;
    struct iv_alerter *alerter;             /* NULL: nobody is told */
    struct iv_cursor behind[POSITIONS_MAX]; /* what was taken since the partitions were assigned */
    size_t behind_count;
    struct iv_succession succession; /* of ANSWERS, */
    struct iv_answerer answerer;     /* likewise */

    pthread_mutex_t lock;
    struct iv_partition_stats read[POSITIONS_MAX]; /* under lock: how far, as of the last turn */
    size_t read_count;
    struct iv_baseline *next; /* under lock; NULL: nothing new */
    struct iv_playbooks *next_playbooks;
};

static bool answers(const struct iv_intake *n)
{
    return n->options.kind == IV_INTAKE_ANSWERS;
}

/* The store knows where this process stopped; the responders' group knows it for all its members. */
static iv_rc place(struct iv_intake *n, struct iv_cursor *positions, size_t count, struct iv_err *err)
{
    for (size_t i = 0; i < count; i++) {
        int64_t next = IV_OFFSET_BEGINNING;
        struct iv_rc_s rc = iv_store_position(n->options.store, &next, n->topic, positions[i].partition, err);
        if (!iv_ok(rc) && rc.code != IV_E_ABSENT) {
            return rc;
        }
        positions[i].offset = next;
    }
    return IV_OK;
}

static iv_rc on_assigned(void *ctx, struct iv_cursor *positions, size_t count, struct iv_err *err)
{
    struct iv_intake *n = ctx;
    n->behind_count = 0;
    if (answers(n)) {
        LOG_INFO(count > 0 ? "respond.active" : "respond.standby", KV_STR("topic", n->topic),
                 KV_I64("partitions", (int64_t)count));
        iv_series_set(iv_metrics_only(n->options.metrics, IV_METRIC_RESPONDING), count > 0 ? 1 : 0);
        iv_succession_reopen(&n->succession);
        return IV_OK;
    }
    LOG_INFO("intake.assigned", KV_STR("topic", n->topic), KV_I64("partitions", (int64_t)count));
    TRY(iv_store_begin(n->options.store, err));
    struct iv_rc_s rc = place(n, positions, count, err);
    iv_store_rollback(n->options.store);
    return rc;
}

/* Whoever comes next knows of what was planned here by what is on the topic of actions. */
static void publish_all(const struct iv_intake *n)
{
    iv_ns end = iv_ns_add(iv_monotonic(&n->clock), HAND_OVER_WAIT);
    while (iv_store_outbox_count(n->options.store) > 0 && iv_monotonic(&n->clock) < end &&
           !atomic_load(&n->stopping)) {
        iv_turn(n->options.turns);
        iv_pause(AGAIN_FIRST);
    }
}

/* Who comes next begins behind what was taken here. Who shows all has his places in the store. */
static void on_revoked(void *ctx, const struct iv_cursor *positions, size_t count, bool lost)
{
    struct iv_intake *n = ctx;
    struct iv_err ignored; /* logged by the consumer; some findings are answered again, under their keys */
    (void)positions;
    (void)count;
    if (answers(n)) {
        iv_series_set(iv_metrics_only(n->options.metrics, IV_METRIC_RESPONDING), 0);
    }
    if (answers(n) && !lost && n->behind_count > 0) {
        publish_all(n);
        (void)iv_ok(iv_consumer_commit(n->consumer, n->behind, n->behind_count, true, &ignored));
    }
    n->behind_count = 0;
}

static void on_gap(void *ctx, const struct iv_cursor *at, int64_t next)
{
    struct iv_intake *n = ctx;
    iv_series_add(IV_SERIES(n->options.metrics, GAPS, n->topic), 1);
    LOG_ERROR("intake.gap", KV_STR("topic", n->topic), KV_I64("partition", at->partition),
              KV_I64("from", at->offset), KV_I64("next", next));
}

static iv_rc read_finding(struct iv_intake *n, struct iv_told_finding *told, const struct iv_record *record,
                          struct iv_err *err)
{
    TRY(iv_told_finding_read(told, n->decoder, n->baseline->catalogue, &n->arena, record->bytes,
                             iv_wall(&n->clock), err));
    told->row.made = record->written;
    return IV_OK;
}

static iv_rc take_finding(struct iv_intake *n, const struct iv_record *record, struct iv_err *err)
{
    struct iv_told_finding told;
    enum iv_put put = IV_PUT_SAME;
    TRY(read_finding(n, &told, record, err));
    return iv_own_is(told.row.rule) ? iv_store_tell_own(n->options.store, &told.row, err)
                                    : iv_store_put_finding(n->options.store, &put, &told.row, err);
}

static iv_rc answer_finding(struct iv_intake *n, const struct iv_record *record, struct iv_err *err)
{
    struct iv_told_finding told;
    struct iv_answerer *a = &n->answerer;
    TRY(read_finding(n, &told, record, err));
    a->store = n->options.store;
    a->baseline = n->baseline;
    a->playbooks = n->playbooks;
    a->alerter = n->alerter;
    a->metrics = n->options.metrics;
    return iv_answer_told(a, &told, iv_wall(&n->clock), err);
}

static iv_rc take_action(struct iv_intake *n, struct iv_str json, struct iv_err *err)
{
    struct iv_told_action told;
    bool ours = false;
    TRY(iv_told_action_read(&told, n->decoder, &n->arena, json, err));
    TRY(iv_store_tell_execution(n->options.store, &ours, &told.execution, told.step < 0, err));
    if (ours) {
        return IV_OK; /* our own message, come back */
    }
    struct iv_action action = {.execution = told.execution.key,
                               .step = told.step,
                               .state = told.joined ? IV_STR(IV_ACTION_JOINED) : told.state,
                               .time = told.time,
                               .ocsf = json};
    return iv_store_log_action(n->options.store, &action, err);
}

static iv_rc take_coverage(struct iv_intake *n, struct iv_str json, struct iv_err *err)
{
    struct iv_told_coverage told;
    TRY(iv_told_coverage_read(&told, n->decoder, &n->arena, json, err));
    if (told.alive != NULL) {
        return iv_store_tell_alive(n->options.store, told.topic, told.cover.partition, told.alive,
                                   told.alive_count, err);
    }
    if (told.populations != NULL) {
        return iv_store_put_population(n->options.store, told.topic, told.cover.partition, told.populations,
                                       told.population_count, iv_wall(&n->clock), false, err);
    }
    for (size_t i = 0; i < told.cover.loss_count && told.rule.n > 0; i++) {
        TRY(iv_store_tell_rule_loss(n->options.store, told.rule, &told.cover.losses[i], err));
    }
    return told.rule.n > 0 ? IV_OK : iv_store_tell_cover(n->options.store, told.topic, &told.cover, err);
}

static iv_rc take(struct iv_intake *n, const struct iv_record *record, struct iv_err *err)
{
    switch (n->options.kind) {
    case IV_INTAKE_FINDINGS:
        return take_finding(n, record, err);
    case IV_INTAKE_ACTIONS:
        return take_action(n, record->bytes, err);
    case IV_INTAKE_ANSWERS:
        return answer_finding(n, record, err);
    case IV_INTAKE_COVERAGE:
        break;
    }
    return take_coverage(n, record->bytes, err);
}

/* Somebody else's message on the topic is no reason to stop. */
static iv_rc take_record(struct iv_intake *n, const struct iv_record *record, struct iv_err *err)
{
    iv_arena_reset(&n->arena);
    struct iv_rc_s rc = take(n, record, err);
    if (rc.code == IV_E_MALFORMED) {
        iv_series_add(IV_SERIES(n->options.metrics, EVENTS, n->topic, IV_STR("malformed")), 1);
        LOG_WARN("intake.malformed", KV_STR("topic", n->topic), KV_I64("partition", record->origin.partition),
                 KV_I64("offset", record->origin.offset), KV_TEXT("why", err->text));
        return IV_OK;
    }
    return rc;
}

static void note_taken(struct iv_intake *n, const struct iv_batch *batch)
{
    for (size_t k = 0; k < batch->count; k++) {
        const struct iv_origin *at = &batch->records[k].origin;
        size_t i = 0;
        while (i < n->behind_count && n->behind[i].partition != at->partition) {
            i++;
        }
        if (i < POSITIONS_MAX) {
            n->behind[i] = (struct iv_cursor){
                .stream = at->stream, .partition = at->partition, .offset = at->offset + 1};
            n->behind_count += i == n->behind_count ? 1 : 0;
        }
    }
}

static iv_rc keep_inside(struct iv_intake *n, const struct iv_batch *batch, struct iv_err *err)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct iv_origin *at = &batch->records[i].origin;
        TRY(take_record(n, &batch->records[i], err));
        if (!answers(n)) { /* whose positions are the group's, and the topic's are those of what is shown */
            TRY(iv_store_put_position(n->options.store, n->topic, at->partition, at->offset + 1, err));
        }
    }
    return IV_OK;
}

static iv_rc keep(struct iv_intake *n, const struct iv_batch *batch, struct iv_err *err)
{
    TRY(iv_store_begin(n->options.store, err));
    struct iv_rc_s rc = keep_inside(n, batch, err);
    if (!iv_ok(rc)) {
        iv_store_rollback(n->options.store);
        return rc;
    }
    return iv_store_commit(n->options.store, err);
}

/* Another one answers what is in hand by now. */
static bool is_anothers(const struct iv_intake *n)
{
    return answers(n) && iv_consumer_is_lost(n->consumer);
}

/* A store that is busy or full is waited for with the batch in hand. *kept: false where that became another
 * one's meanwhile. */
static iv_rc keep_stubbornly(struct iv_intake *n, bool *kept, const struct iv_batch *batch,
                             struct iv_err *err)
{
    *kept = false;
    for (iv_ns wait = AGAIN_FIRST; !is_anothers(n); wait = wait * 2 < AGAIN_MAX ? wait * 2 : AGAIN_MAX) {
        struct iv_rc_s rc = keep(n, batch, err);
        iv_turn(n->options.turns);
        *kept = iv_ok(rc);
        if (iv_code_class(rc.code) != IV_CLASS_RETRY || atomic_load(&n->stopping)) {
            return rc;
        }
        LOG_WARN("intake.waiting", KV_TEXT("why", err->text), KV_F64("again_in_s", (double)wait / 1e9));
        iv_pause(wait);
    }
    return IV_OK;
}

static iv_rc take_force(struct iv_intake *n, struct iv_baseline *baseline, struct iv_playbooks *playbooks,
                        struct iv_err *err)
{
    struct iv_decode_limits limits = IV_TOLD_LIMITS;
    iv_decoder_free(n->decoder);
    n->decoder = NULL;
    iv_baseline_unref(n->baseline);
    iv_playbooks_unref(n->playbooks);
    n->baseline = baseline;
    n->playbooks = playbooks;
    n->answerer.stranger_count = 0;
    return iv_decoder_new(&n->decoder, baseline->catalogue, &limits, iv_hash_key_random(), err);
}

static iv_rc take_up(struct iv_intake *n, struct iv_err *err)
{
    (void)pthread_mutex_lock(&n->lock);
    struct iv_baseline *baseline = TAKE(n->next);
    struct iv_playbooks *playbooks = TAKE(n->next_playbooks);
    (void)pthread_mutex_unlock(&n->lock);
    return baseline == NULL ? IV_OK : take_force(n, baseline, playbooks, err);
}

static bool others_are_heard(void *ctx, const struct iv_cursor *ends, size_t count)
{
    return iv_intake_has_read(ctx, ends, count);
}

/* With the first findings in hand: what others did is known before anything is done about them. False: it is
 * to stop instead. */
static bool hear_others(struct iv_intake *n)
{
    while (answers(n) && !iv_succession_is_over(&n->succession, others_are_heard, n->options.actions)) {
        if (atomic_load(&n->stopping)) {
            return false;
        }
        iv_turn(n->options.turns);
        iv_pause(AGAIN_FIRST);
    }
    return true;
}

static void tell_read(struct iv_intake *n)
{
    (void)pthread_mutex_lock(&n->lock);
    size_t count = iv_consumer_partitions(n->consumer, n->read, POSITIONS_MAX);
    n->read_count = count < POSITIONS_MAX ? count : POSITIONS_MAX;
    (void)pthread_mutex_unlock(&n->lock);
}

bool iv_intake_has_read(struct iv_intake *n, const struct iv_cursor *ends, size_t count)
{
    size_t reached = 0;
    (void)pthread_mutex_lock(&n->lock);
    for (size_t i = 0; i < count; i++) {
        size_t k = 0;
        while (k < n->read_count && n->read[k].position.partition != ends[i].partition) {
            k++;
        }
        reached += ends[i].offset == 0 || (k < n->read_count && n->read[k].position.offset >= ends[i].offset);
    }
    (void)pthread_mutex_unlock(&n->lock);
    return reached == count;
}

static iv_rc turn(struct iv_intake *n, struct iv_err *err)
{
    struct iv_batch batch;
    TRY(take_up(n, err));
    TRY(iv_consumer_poll(n->consumer, &batch, POLL_WAIT, err));
    if (batch.count == 0) {
        tell_read(n);
        return IV_OK;
    }
    if (!hear_others(n)) {
        return IV_OK;
    }
    bool kept = false;
    TRY(keep_stubbornly(n, &kept, &batch, err));
    if (!kept) {
        return IV_OK;
    }
    note_taken(n, &batch);
    tell_read(n);
    n->options.committed(n->options.ctx);
    struct iv_err ignored; /* logged by the consumer; the next batch makes up for it */
    (void)iv_ok(iv_consumer_commit(n->consumer, n->behind, n->behind_count, false, &ignored));
    return IV_OK;
}

static void *intake_thread(void *argument)
{
    struct iv_intake *n = argument;
    struct iv_err err = {.text = ""};
    struct iv_rc_s rc = IV_OK;
    (void)pthread_setname_np(pthread_self(), "iv-intake");
    while (iv_ok(rc) && !atomic_load(&n->stopping)) {
        rc = turn(n, &err);
        iv_turn(n->options.turns);
    }
    if (!iv_ok(rc) && !atomic_load(&n->stopping)) {
        LOG_ERROR("intake.failed", KV_STR("topic", n->topic), KV_TEXT("why", err.text));
        n->options.failed(n->options.ctx, &err);
    }
    return NULL;
}

/* The process of this store reads all, in a group of its own. */
static iv_rc find_instance(struct iv_buf *out, struct iv_store *store, struct iv_err *err)
{
    TRY(iv_store_begin(store, err));
    struct iv_rc_s rc = iv_instance(out, store, err);
    if (!iv_ok(rc)) {
        iv_store_rollback(store);
        return rc;
    }
    return iv_store_commit(store, err);
}

/* What stands behind the name of the group. */
static iv_rc name_group(struct iv_buf *out, struct iv_intake *n, struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf instance;
    iv_buf_init(&instance, 64);
    if (!answers(n)) {
        TRY(find_instance(&instance, n->options.store, err));
        iv_buf_printf(out, ".console." IV_STR_FMT, IV_STR_ARG(iv_buf_slice(&instance)));
    } else {
        iv_buf_text(out, ".respond");
    }
    return iv_buf_check(out, "a group's name", err);
}

/* The intakes of a process share their group, and would fence one another under one name. */
static iv_rc name_member(struct iv_intake *n, struct iv_err *err)
{
    const struct iv_config *c = n->options.config;
    IV_AUTO(iv_buf_deinit) struct iv_buf group;
    IV_AUTO(iv_buf_deinit) struct iv_buf instance;
    iv_buf_init(&group, 128);
    iv_buf_init(&instance, 4096);
    TRY(name_group(&group, n, err));
    iv_buf_char(&instance, '-');
    iv_buf_str(&instance, n->topic);
    TRY(iv_buf_check(&instance, "a member's name", err));
    /* Whoever responds leaves at once what another one is to take over, which a named member does not. */
    return iv_member_init(&n->name, c->kafka, c->kafka_count, iv_buf_slice(&group),
                          answers(n) ? (struct iv_str){NULL, 0} : iv_buf_slice(&instance), err);
}

static iv_rc open_consumer(struct iv_intake *n, struct iv_err *err)
{
    TRY(name_member(n, err));
    const struct iv_consumer_options options = {
        .properties = n->name.properties,
        .property_count = n->name.count,
        .topics = {[IV_LEDGER] = n->topic},
        .alone = answers(n),
        .hooks = {.ctx = n, .assigned = on_assigned, .revoked = on_revoked, .gap = on_gap},
    };
    return iv_consumer_open(&n->consumer, &options, err);
}

static iv_rc open_parts(struct iv_intake *n, struct iv_err *err)
{
    TRY(take_force(n, iv_baseline_ref(n->options.baseline), iv_playbooks_ref(n->options.playbooks), err));
    if (n->options.alerting != NULL) {
        TRY(iv_alerter_new(&n->alerter, n->options.alerting, err));
    }
    if (answers(n)) {
        const struct iv_config *c = n->options.config;
        TRY(iv_succession_init(&n->succession, n->clock, c->kafka, c->kafka_count, c->topics.actions, err));
    }
    TRY(open_consumer(n, err));
    n->runs = pthread_create(&n->thread, NULL, intake_thread, n) == 0;
    ENSURE(n->runs, err, IV_E_NOMEM, "cannot start a thread");
    return IV_OK;
}

static void intake_free(struct iv_intake *n)
{
    iv_consumer_close(n->consumer);
    iv_succession_deinit(&n->succession);
    iv_decoder_free(n->decoder);
    iv_alerter_free(n->alerter);
    iv_baseline_unref(n->baseline);
    iv_playbooks_unref(n->playbooks);
    iv_baseline_unref(n->next);
    iv_playbooks_unref(n->next_playbooks);
    iv_member_deinit(&n->name);
    iv_arena_deinit(&n->arena);
    (void)pthread_mutex_destroy(&n->lock);
    iv_free(n);
}

static struct iv_str topic_of(const struct iv_intake_options *options)
{
    switch (options->kind) {
    case IV_INTAKE_FINDINGS:
    case IV_INTAKE_ANSWERS:
        return options->config->topics.findings;
    case IV_INTAKE_ACTIONS:
        return options->config->topics.actions;
    case IV_INTAKE_COVERAGE:
        break;
    }
    return options->config->topics.coverage;
}

iv_rc iv_intake_start(struct iv_intake **out, const struct iv_intake_options *options, struct iv_err *err)
{
    struct iv_intake *n = iv_calloc(1, sizeof *n);
    ENSURE(n != NULL, err, IV_E_NOMEM, "cannot allocate the intake");
    IV_CHECK(pthread_mutex_init(&n->lock, NULL) == 0);
    iv_arena_init(&n->arena, 0);
    n->options = *options;
    n->clock = iv_clock_system();
    n->topic = topic_of(options);
    struct iv_rc_s rc = open_parts(n, err);
    if (!iv_ok(rc)) {
        intake_free(n);
        return rc;
    }
    *out = n;
    return IV_OK;
}

void iv_intake_end(struct iv_intake *intake)
{
    if (intake != NULL && intake->runs) {
        atomic_store(&intake->stopping, true);
        (void)pthread_join(intake->thread, NULL);
        intake->runs = false;
    }
}

void iv_intake_stop(struct iv_intake *intake)
{
    if (intake != NULL) {
        iv_intake_end(intake);
        intake_free(intake);
    }
}

void iv_intake_reload(struct iv_intake *intake, struct iv_baseline *baseline, struct iv_playbooks *playbooks)
{
    (void)pthread_mutex_lock(&intake->lock);
    iv_baseline_unref(intake->next);
    iv_playbooks_unref(intake->next_playbooks);
    intake->next = iv_baseline_ref(baseline);
    intake->next_playbooks = iv_playbooks_ref(playbooks);
    (void)pthread_mutex_unlock(&intake->lock);
}
