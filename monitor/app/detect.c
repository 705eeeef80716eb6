/* SPDX-License-Identifier: Apache-2.0 */
#include "app/detect.h"
#include "app/commit.h"
#include "app/detect_coverage.h"
#include "app/detect_internal.h"
#include "base/alloc.h"
#include "base/guard.h"
#include "base/log.h"
#include "respond/playbook.h"

#include <string.h>

#define POLL_WAIT (50 * IV_NS_PER_MS)
#define REPORT_EVERY (500 * IV_NS_PER_MS)

static bool is_partition(const struct iv_detect_partition *p, enum iv_stream stream, int32_t partition)
{
    return p->stream == stream && p->partition == partition;
}

/* Records come in runs of one partition, so the last one found is tried first. */
struct iv_detect_partition *iv_detect_partition(struct iv_detect *d, enum iv_stream stream, int32_t partition)
{
    if (d->partition_last < d->partition_count &&
        is_partition(&d->partitions[d->partition_last], stream, partition)) {
        return &d->partitions[d->partition_last];
    }
    for (size_t i = 0; i < d->partition_count; i++) {
        if (is_partition(&d->partitions[i], stream, partition)) {
            d->partition_last = i;
            return &d->partitions[i];
        }
    }
    struct iv_detect_partition *grown =
        iv_realloc(d->partitions, (d->partition_count + 1) * sizeof *d->partitions);
    if (grown == NULL) {
        return NULL;
    }
    d->partitions = grown;
    d->partitions[d->partition_count] =
        (struct iv_detect_partition){.stream = stream, .partition = partition, .next = IV_OFFSET_BEGINNING};
    return &d->partitions[d->partition_count++];
}

/* A revoked partition holds its stream's watermark back until the next assignment is known: between the two
 * nobody can tell whether more of it comes, and a verdict on what was not seen would be a guess. */
static iv_rc close_what_is_gone(struct iv_detect *d, struct iv_err *err)
{
    for (size_t i = 0; i < d->partition_count; i++) {
        struct iv_detect_partition *p = &d->partitions[i];
        if (p->revoked && !p->ours) {
            TRY(iv_judge_close(d->judge, p->stream, p->partition, err));
            p->revoked = false;
        }
    }
    return IV_OK;
}

/* A stream of which nothing is assigned yet is not at its end: a partition that does not
 * exist holds it back. */
#define PLACEHOLDER (-1)

static iv_rc hold_back(struct iv_detect *d, struct iv_err *err)
{
    for (int s = 0; s < IV_STREAMS; s++) {
        TRY(iv_judge_open(d->judge, (enum iv_stream)s, PLACEHOLDER, err));
    }
    return IV_OK;
}

static iv_rc on_assigned(void *ctx, struct iv_cursor *positions, size_t count, struct iv_err *err)
{
    struct iv_detect *d = ctx;
    for (size_t i = 0; i < count; i++) {
        struct iv_detect_partition *p = iv_detect_partition(d, positions[i].stream, positions[i].partition);
        ENSURE(p != NULL, err, IV_E_NOMEM, "cannot allocate a partition's state");
        TRY(iv_judge_open(d->judge, p->stream, p->partition, err));
        TRY(iv_judge_close(d->judge, p->stream, PLACEHOLDER, err));
        p->ours = true;
        p->revoked = false;
        p->at_end = false;
        positions[i].offset = p->next;
        LOG_INFO("detect.partition.assigned", KV_TEXT("stream", iv_stream_name(p->stream)),
                 KV_I64("partition", p->partition), KV_I64("offset", p->next));
    }
    TRY(iv_detect_cover_assigned(d, err));
    return close_what_is_gone(d, err);
}

static void on_revoked(void *ctx, const struct iv_cursor *positions, size_t count, bool lost)
{
    struct iv_detect *d = ctx;
    for (size_t i = 0; i < count; i++) {
        struct iv_detect_partition *p = iv_detect_partition(d, positions[i].stream, positions[i].partition);
        if (p != NULL && p->ours) {
            p->ours = false;
            p->revoked = true;
            LOG_INFO("detect.partition.revoked", KV_TEXT("stream", iv_stream_name(p->stream)),
                     KV_I64("partition", p->partition), KV_I64("lost", lost));
        }
    }
}

static void on_gap(void *ctx, const struct iv_cursor *at, int64_t next)
{
    struct iv_detect *d = ctx;
    struct iv_str topic = d->topics[at->stream];
    iv_series_add(IV_SERIES(d->metrics, GAPS, topic), 1);
    LOG_ERROR("detect.gap", KV_STR("topic", topic), KV_I64("partition", at->partition),
              KV_I64("from", at->offset), KV_I64("next", next));
    if (iv_ok(d->failure)) {
        d->failure = iv_detect_cover_gap(d, at, next, &d->err);
    }
}

static void on_verdict(void *ctx, const struct iv_verdict *verdict)
{
    struct iv_detect *d = ctx;
    if (!iv_ok(d->failure)) {
        return;
    }
    d->failure = iv_commit_verdict(d->commit, verdict, d->written, &d->err);
}

/* The first of each rule's failures is told; the metrics count them all. A rule runs on one thread at a time.
 */
static void on_complaint(void *ctx, const struct iv_rule *rule, const struct iv_event *event,
                         const struct iv_err *why)
{
    struct iv_detect *d = ctx;
    if (!d->complained[rule->index]) {
        d->complained[rule->index] = true;
        LOG_WARN("detect.rule.failed", KV_STR("rule", rule->id),
                 KV_STR("source", iv_event_attr(event, IV_ATTR_SOURCE)),
                 KV_STR("id", iv_event_attr(event, IV_ATTR_ID)), KV_TEXT("why", why->text));
    }
}

/* The attributes of the envelope that rules know by other names, or not at all. */
static const struct iv_str envelope[] = {
    IV_STR_INIT("record"),    IV_STR_INIT("specversion"), IV_STR_INIT("subject"),
    IV_STR_INIT("tenantid"),  IV_STR_INIT("traceparent"), IV_STR_INIT("ledgerid"),
    IV_STR_INIT("ledgerseq"), IV_STR_INIT("ledgerprev"),  IV_STR_INIT("ledgerhash"),
    IV_STR_INIT("ledgeralg"), IV_STR_INIT("data"),        IV_STR_INIT("data_base64"),
};

/* The field that a reason begins with, as a metric's label: producers choose the names of other members, and
 * must not be able to push ours out. */
static struct iv_str label_of(const struct iv_detect *d, struct iv_str reason)
{
    struct iv_str field = {reason.p, 0};
    while (field.n < reason.n && strchr(":.[", reason.p[field.n]) == NULL) {
        field.n++;
    }
    for (size_t i = 0; i < IV_COUNT(envelope); i++) {
        if (iv_str_eq(field, envelope[i])) {
            return field;
        }
    }
    for (size_t i = 0; i < iv_catalogue_names(d->baseline->catalogue); i++) {
        if (iv_str_eq(field, iv_catalogue_name(d->baseline->catalogue, (uint16_t)i))) {
            return field;
        }
    }
    return IV_STR("other");
}

static iv_rc take_letter(struct iv_detect *d, const struct iv_record *record, const struct iv_err *why,
                         struct iv_err *err)
{
    struct iv_str reason = iv_str_of(why->text);
    iv_series_add(IV_SERIES(d->metrics, EVENTS, record->origin.topic, IV_STR("malformed")), 1);
    iv_series_add(IV_SERIES(d->metrics, DEAD_LETTERS, record->origin.topic, label_of(d, reason)), 1);
    TRY(iv_coverage_lost(d->coverage, record->origin.stream, record->origin.partition, IV_LOSS_DEAD_LETTER, 1,
                         err));
    return iv_commit_letter(d->commit, record, reason, iv_wall(&d->clock), err);
}

static iv_rc take_record(struct iv_detect *d, const struct iv_record *record, struct iv_err *err)
{
    struct iv_event event;
    struct iv_err why = {.text = ""};
    struct iv_rc_s rc = iv_decode(d->decoder, record, &d->arena, &event, &why);
    if (rc.code == IV_E_MALFORMED) {
        return take_letter(d, record, &why, err);
    }
    if (!iv_ok(rc)) {
        *err = why;
        return rc;
    }
    enum iv_stream stream = record->origin.stream;
    bool known = event.type != iv_catalogue_unknown(d->baseline->catalogue);
    iv_series_add(known ? d->accepted[stream] : d->unknown[stream], 1);
    d->newest[stream] = event.time > d->newest[stream] ? event.time : d->newest[stream];
    d->written = record->written;
    TRY(iv_judge_event(d->judge, &event, err));
    TRY(iv_coverage_event(d->coverage, &event, err));
    if (!iv_ok(d->failure)) {
        *err = d->err;
    }
    return d->failure;
}

/* What retention has removed was never seen: nothing may be concluded from it. */
static iv_rc note_beginning(struct iv_detect *d, const struct iv_detect_partition *p,
                            const struct iv_record *record, struct iv_err *err)
{
    if (p->next < 0 && record->origin.offset > 0) {
        TRY(iv_judge_joined_midway(d->judge, p->stream, err));
        LOG_WARN("detect.joined_midway", KV_STR("topic", record->origin.topic),
                 KV_I64("partition", p->partition), KV_I64("offset", record->origin.offset));
    }
    return IV_OK;
}

static iv_rc take_batch(struct iv_detect *d, const struct iv_batch *batch, struct iv_err *err)
{
    iv_ns now = iv_monotonic(&d->clock);
    for (size_t i = 0; i < batch->count; i++) {
        const struct iv_record *record = &batch->records[i];
        struct iv_detect_partition *p =
            iv_detect_partition(d, record->origin.stream, record->origin.partition);
        ENSURE(p != NULL, err, IV_E_NOMEM, "cannot allocate a partition's state");
        TRY(note_beginning(d, p, record, err));
        TRY(iv_detect_cover_at(d, p, record->origin.offset, err));
        TRY(take_record(d, record, err));
        p->next = record->origin.offset + 1;
        p->quiet_since = now;
        p->at_end = false;
        p->moved = true;
    }
    for (size_t i = 0; i < batch->end_count; i++) {
        struct iv_detect_partition *p =
            iv_detect_partition(d, batch->ends[i].stream, batch->ends[i].partition);
        if (p != NULL) {
            TRY(iv_detect_cover_at(d, p, batch->ends[i].offset, err));
        }
        if (p != NULL && !p->at_end) {
            p->at_end = true;
            p->quiet_since = now;
        }
    }
    return IV_OK;
}

/* Contract "Rules", watermark: read to its end and silent for the baseline's idle time. */
static iv_rc let_idle_pass(struct iv_detect *d, struct iv_err *err)
{
    iv_ns now = iv_monotonic(&d->clock);
    d->written = 0;
    for (size_t i = 0; i < d->partition_count; i++) {
        struct iv_detect_partition *p = &d->partitions[i];
        bool blind = false;
        TRY(iv_detect_cover_blind(d, p, &blind, err));
        if (p->ours && p->at_end && !blind && now - p->quiet_since >= d->baseline->idle) {
            iv_ns wall = iv_wall(&d->clock);
            TRY(iv_judge_idle(d->judge, p->stream, p->partition, wall, err));
            TRY(iv_coverage_idle(d->coverage, p->stream, p->partition, wall, err));
        }
    }
    if (!iv_ok(d->failure)) {
        *err = d->err;
    }
    return d->failure;
}

static iv_rc turn(struct iv_detect *d, struct iv_err *err)
{
    struct iv_batch batch;
    TRY(iv_consumer_poll(d->consumer, &batch, POLL_WAIT, err));
    iv_arena_reset(&d->arena);
    TRY(take_batch(d, &batch, err));
    TRY(let_idle_pass(d, err));
    iv_ns now = iv_monotonic(&d->clock);
    bool report = now - d->reported >= REPORT_EVERY;
    TRY(iv_detect_hand_over(d, report, err));
    TRY(iv_detect_take_up(d, err));
    TRY(iv_detect_save(d, err));
    if (report) {
        d->reported = now;
        iv_detect_report(d);
    }
    return IV_OK;
}

static void *detect_thread(void *argument)
{
    struct iv_detect *d = argument;
    struct iv_err err = {.text = ""};
    struct iv_rc_s rc = IV_OK;
    while (iv_ok(rc) && !atomic_load(&d->stopping)) {
        rc = turn(d, &err);
    }
    if (iv_ok(rc)) {
        rc = iv_detect_hand_over(d, true, &err);
        rc = iv_ok(rc) ? iv_judge_settle(d->judge, &err) : rc;
        rc = iv_ok(rc) ? iv_detect_save_last(d, &err) : rc;
        iv_detect_acknowledge(d);
    }
    iv_handoff_close(d->commits);
    if (!iv_ok(rc)) {
        LOG_ERROR("detect.failed", KV_TEXT("why", err.text));
        d->on_failed(d->ctx, &err);
    }
    return NULL;
}

static void detect_free(struct iv_detect *d)
{
    if (d == NULL) {
        return;
    }
    iv_saver_free(d->saver);
    iv_consumer_close(d->consumer);
    iv_judge_free(d->judge);
    iv_coverage_free(d->coverage);
    iv_decoder_free(d->decoder);
    iv_commit_free(d->commit);
    iv_baseline_unref(d->baseline);
    iv_playbooks_unref(d->playbooks);
    iv_baseline_unref(d->next);
    iv_playbooks_unref(d->next_playbooks);
    iv_arena_deinit(&d->arena);
    iv_free(d->partitions);
    iv_free(d->places);
    iv_free(d->complained);
    (void)pthread_mutex_destroy(&d->health_lock);
    (void)pthread_mutex_destroy(&d->hand_lock);
    (void)pthread_mutex_destroy(&d->next_lock);
    iv_free(d);
}

static void detect_freep(struct iv_detect **d)
{
    detect_free(*d);
}

static iv_rc open_parts(struct iv_detect *d, const struct iv_detect_options *options, struct iv_err *err)
{
    struct iv_decode_limits limits = IV_DECODE_LIMITS_DEFAULT;
    struct iv_saver_options saver = {.folder = options->snapshots,
                                     .every = options->snapshot_every,
                                     .keep = options->snapshot_keep,
                                     .clock = d->clock};
    d->judging = (struct iv_judge_options){.verdict = on_verdict,
                                           .through = iv_detect_through,
                                           .complaint = on_complaint,
                                           .ctx = d,
                                           .digests = true,
                                           .hash_key = iv_hash_key_random(),
                                           .verifiers = options->verifiers};
    struct iv_consumer_options consumer = {
        .properties = options->kafka,
        .property_count = options->kafka_count,
        .topics = {options->topics[IV_LEDGER], options->topics[IV_TELEMETRY]},
        .hooks = {.ctx = d, .assigned = on_assigned, .revoked = on_revoked, .gap = on_gap},
    };
    d->complained = iv_calloc(d->baseline->rule_count, sizeof *d->complained);
    ENSURE(d->complained != NULL, err, IV_E_NOMEM, "cannot allocate the detector");
    TRY(iv_saver_new(&d->saver, &saver, err));
    TRY(iv_detect_restore(d, err));
    TRY(iv_decoder_new(&d->decoder, d->baseline->catalogue, &limits, d->judging.hash_key, err));
    TRY(hold_back(d, err));
    TRY(iv_detect_cover_open(d, options->reader, err));
    TRY(iv_commit_new(&d->commit, d->baseline, err));
    return iv_consumer_open(&d->consumer, &consumer, err);
}

iv_rc iv_detect_start(struct iv_detect **out, const struct iv_detect_options *options, struct iv_err *err)
{
    IV_AUTO(detect_freep) struct iv_detect *d = iv_calloc(1, sizeof *d);
    ENSURE(d != NULL, err, IV_E_NOMEM, "cannot allocate the detector");
    IV_CHECK(pthread_mutex_init(&d->health_lock, NULL) == 0);
    IV_CHECK(pthread_mutex_init(&d->hand_lock, NULL) == 0);
    IV_CHECK(pthread_mutex_init(&d->next_lock, NULL) == 0);
    iv_arena_init(&d->arena, 0);
    d->clock = iv_clock_system();
    d->baseline = iv_baseline_ref(options->baseline);
    d->playbooks = iv_playbooks_ref(options->playbooks);
    d->metrics = options->metrics;
    d->commits = options->commits;
    d->kept = options->kept;
    d->store = options->store;
    d->on_failed = options->failed;
    d->on_reloaded = options->reloaded;
    d->ctx = options->ctx;
    for (size_t s = 0; s < IV_STREAMS; s++) {
        d->topics[s] = options->topics[s];
        d->newest[s] = IV_NS_MIN;
        d->accepted[s] = IV_SERIES(d->metrics, EVENTS, options->topics[s], IV_STR("accepted"));
        d->unknown[s] = IV_SERIES(d->metrics, EVENTS, options->topics[s], IV_STR("unknown"));
    }
    TRY(open_parts(d, options, err));
    ENSURE(pthread_create(&d->thread, NULL, detect_thread, d) == 0, err, IV_E_NOMEM, "cannot start a thread");
    *out = TAKE(d);
    return IV_OK;
}

void iv_detect_stop(struct iv_detect *detect)
{
    if (detect != NULL) {
        atomic_store(&detect->stopping, true);
        (void)pthread_join(detect->thread, NULL);
        detect_free(detect);
    }
}
