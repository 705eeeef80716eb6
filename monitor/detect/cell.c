/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/cell.h"
#include "base/alloc.h"
#include "base/guard.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>

/* Of each partition what was taken of it. */
#define NOTES_MAX_BYTES ((size_t)1 << 20)

static bool is_source(const struct iv_source *s, enum iv_stream stream, int32_t partition)
{
    return s->stream == stream && s->partition == partition;
}

/* Records come in runs of one partition, so the last one found is tried first. */
struct iv_source *iv_cell_source(struct iv_cell *cell, enum iv_stream stream, int32_t partition)
{
    if (cell->source_last < cell->source_count &&
        is_source(&cell->sources[cell->source_last], stream, partition)) {
        return &cell->sources[cell->source_last];
    }
    for (size_t i = 0; i < cell->source_count; i++) {
        if (is_source(&cell->sources[i], stream, partition)) {
            cell->source_last = i;
            return &cell->sources[i];
        }
    }
    return NULL;
}

iv_rc iv_cell_add_source(struct iv_cell *cell, enum iv_stream stream, int32_t partition, struct iv_err *err)
{
    IV_CHECK(!iv_cell_has_begun(cell));
    struct iv_source *grown = iv_realloc(cell->sources, (cell->source_count + 1) * sizeof *cell->sources);
    ENSURE(grown != NULL, err, IV_E_NOMEM, "cannot allocate a partition's state");
    cell->sources = grown;
    grown[cell->source_count++] = (struct iv_source){.stream = stream,
                                                     .partition = partition,
                                                     .next = IV_OFFSET_BEGINNING,
                                                     .reached = -1,
                                                     .covered = IV_NS_MIN};
    return IV_OK;
}

iv_rc iv_cell_resume(struct iv_cell *cell, struct iv_err *err)
{
    iv_ns now = iv_monotonic(&cell->site->clock);
    for (size_t i = 0; i < cell->source_count; i++) {
        cell->sources[i].quiet_since = now;
    }
    cell->ours = true;
    return cell->coverage == NULL ? IV_OK : iv_cell_cover_assigned(cell, err);
}

static void on_verdict(void *ctx, const struct iv_verdict *verdict)
{
    struct iv_cell *c = ctx;
    if (iv_ok(c->failure)) {
        c->failure = iv_commit_verdict(c->commit, verdict, c->written, &c->err);
    }
}

static void on_evicted(void *ctx, const struct iv_rule *rule, const struct iv_loss *loss)
{
    struct iv_cell *c = ctx;
    if (iv_ok(c->failure)) {
        c->failure = iv_commit_evicted(c->commit, rule, loss, &c->err);
    }
}

static void on_populated(void *ctx, const struct iv_populated *populated)
{
    struct iv_cell *c = ctx;
    struct iv_cell_place place = iv_cell_place(c);
    if (iv_ok(c->failure) && place.topic.n > 0) {
        c->failure = iv_commit_populated(c->commit, &place, populated, &c->err);
    }
}

/* The first of each rule's failures is told; the metrics count them all. A rule runs on one thread at a time.
 */
void iv_cell_complain(void *cell, const struct iv_rule *rule, const struct iv_event *event,
                      const struct iv_err *why)
{
    struct iv_cell *c = cell;
    if (!c->complained[rule->index]) {
        c->complained[rule->index] = true;
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
static struct iv_str label_of(const struct iv_catalogue *catalogue, struct iv_str reason)
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
    for (size_t i = 0; i < iv_catalogue_names(catalogue); i++) {
        if (iv_str_eq(field, iv_catalogue_name(catalogue, (uint16_t)i))) {
            return field;
        }
    }
    return IV_STR("other");
}

static iv_rc take_letter(struct iv_cell *c, const struct iv_record *record, const struct iv_err *why,
                         struct iv_err *err)
{
    struct iv_site *site = c->site;
    struct iv_str reason = iv_str_of(why->text);
    struct iv_str label = label_of(site->baseline->catalogue, reason);
    iv_series_add(IV_SERIES(site->metrics, EVENTS, record->origin.topic, IV_STR("malformed")), 1);
    iv_series_add(IV_SERIES(site->metrics, DEAD_LETTERS, record->origin.topic, label), 1);
    TRY(iv_coverage_lost(c->coverage, record->origin.stream, record->origin.partition, IV_LOSS_DEAD_LETTER, 1,
                         err));
    return iv_commit_letter(c->commit, record, reason, iv_wall(&site->clock), err);
}

size_t iv_cell_foresee(struct iv_cell *cell, const struct iv_record *records, size_t count)
{
    struct iv_event *events[IV_FORESEEN];
    struct iv_err why;
    size_t n = 0;
    cell->wall = iv_wall(&cell->site->clock);
    cell->ahead_count = cell->ahead_at = 0;
    while (n < count && n < IV_FORESEEN && cell->kind != IV_CELL_BACK &&
           iv_cell_source(cell, records[n].origin.stream, records[n].origin.partition) != NULL &&
           iv_ok(iv_decode(cell->decoder, &records[n], &cell->site->arena, &cell->ahead[n], &why))) {
        events[n] = &cell->ahead[n];
        n++;
    }
    cell->ahead_count = n;
    iv_judge_foresee(cell->judge, events, n);
    return n > 0 ? n : 1;
}

/* What failed ahead of its turn fails again, and is told then. */
static iv_rc decode(struct iv_event **out, struct iv_cell *c, const struct iv_record *record,
                    struct iv_event *room, struct iv_err *err)
{
    if (c->ahead_at < c->ahead_count && c->ahead[c->ahead_at].record == record) {
        *out = &c->ahead[c->ahead_at++];
        return IV_OK;
    }
    *out = room;
    return iv_decode(c->decoder, record, &c->site->arena, room, err);
}

/* What the monitor planted itself is no sign that anybody else writes. */
static struct iv_series *counter_of(const struct iv_site *site, const struct iv_event *event,
                                    enum iv_stream stream)
{
    if (event->type == iv_catalogue_unknown(site->baseline->catalogue)) {
        return site->unknown[stream];
    }
    bool planted = iv_str_eq(event->type->name, IV_STR(IV_CANARY_TYPE));
    return planted ? site->canaries[stream] : site->accepted[stream];
}

static iv_rc judge_record(struct iv_cell *c, struct iv_source *source, const struct iv_record *record,
                          struct iv_err *err)
{
    struct iv_site *site = c->site;
    struct iv_event room;
    struct iv_event *event = NULL;
    struct iv_err why = {.text = ""};
    struct iv_rc_s rc = decode(&event, c, record, &room, &why);
    if (rc.code == IV_E_MALFORMED) {
        if (c->front != NULL) {
            iv_front_skip(c->front, record->origin.stream, record->origin.offset);
        }
        return take_letter(c, record, &why, err);
    }
    if (!iv_ok(rc)) {
        *err = why;
        return rc;
    }
    enum iv_stream stream = record->origin.stream;
    iv_series_add(counter_of(site, event, stream), 1);
    site->newest[stream] = event->time > site->newest[stream] ? event->time : site->newest[stream];
    c->written = record->written;
    if (c->front != NULL) {
        iv_front_digest(c->front, event);
    }
    TRY(iv_cell_end_missing(c, source, event->time, err));
    TRY(iv_judge_event(c->judge, event, err));
    TRY(iv_coverage_event(c->coverage, event, err));
    TRY(iv_census_event(c->census, event, c->wall, err));
    TRY(c->front == NULL ? IV_OK : iv_front_event(c->front, event, err));
    if (!iv_ok(c->failure)) {
        *err = c->err;
    }
    return c->failure;
}

static iv_rc joined_midway(struct iv_cell *c, enum iv_stream stream, struct iv_err *err)
{
    if (c->kind == IV_CELL_BACK) {
        return iv_back_joined_midway(c->back, err);
    }
    if (c->front != NULL) {
        iv_front_joined_midway(c->front, stream);
    }
    return iv_judge_joined_midway(c->judge, stream, err);
}

/* What retention has removed was never seen: nothing may be concluded from it. */
static iv_rc note_beginning(struct iv_cell *c, const struct iv_source *s, const struct iv_record *record,
                            struct iv_err *err)
{
    if (s->next < 0 && record->origin.offset > 0) {
        TRY(joined_midway(c, s->stream, err));
        LOG_WARN("detect.joined_midway", KV_STR("topic", record->origin.topic),
                 KV_I64("partition", s->partition), KV_I64("offset", record->origin.offset));
    }
    return IV_OK;
}

iv_rc iv_cell_record(struct iv_cell *cell, const struct iv_record *record, struct iv_err *err)
{
    struct iv_source *s = iv_cell_source(cell, record->origin.stream, record->origin.partition);
    IV_CHECK(s != NULL);
    TRY(note_beginning(cell, s, record, err));
    if (cell->kind == IV_CELL_BACK) {
        TRY(iv_cell_packet(cell, record, err));
    } else {
        TRY(iv_cell_cover_at(cell, s, record->origin.offset, err));
        TRY(judge_record(cell, s, record, err));
    }
    s->next = record->origin.offset + 1;
    s->reached = s->next;
    s->stirred = true;
    s->moved = true;
    return IV_OK;
}

iv_rc iv_cell_end(struct iv_cell *cell, const struct iv_cursor *end, struct iv_err *err)
{
    struct iv_source *s = iv_cell_source(cell, end->stream, end->partition);
    IV_CHECK(s != NULL);
    s->reached = end->offset > s->reached ? end->offset : s->reached;
    return cell->coverage == NULL ? IV_OK : iv_cell_cover_at(cell, s, end->offset, err);
}

/* Contract "Rules", watermark: read to its end and silent for the baseline's idle time. The silence ends with
 * the last moment at which the broker is known to have had nothing more. */
static iv_rc let_pass(struct iv_cell *c, struct iv_source *s, struct iv_err *err)
{
    struct iv_tide_mark mark;
    bool blind = false;
    TRY(iv_cell_cover_blind(c, s, &blind, err));
    if (!iv_tide_look(c->site->tide, &mark, s->stream, s->partition) || mark.asked <= s->idled ||
        mark.asked - s->quiet_since < c->site->baseline->idle || mark.end > s->reached) {
        return IV_OK;
    }
    s->idled = mark.asked;
    TRY(iv_cell_end_missing(c, s, mark.wall, err));
    TRY(iv_judge_idle(c->judge, s->stream, s->partition, mark.wall, err));
    if (c->front != NULL) {
        iv_front_idle(c->front, s->stream, mark.wall);
    }
    return iv_coverage_idle(c->coverage, s->stream, s->partition, mark.wall, err);
}

iv_rc iv_cell_idle(struct iv_cell *cell, struct iv_err *err)
{
    iv_ns now = iv_monotonic(&cell->site->clock);
    cell->written = 0;
    for (size_t i = 0; i < cell->source_count; i++) {
        struct iv_source *s = &cell->sources[i];
        s->quiet_since = s->stirred ? now : s->quiet_since;
        s->stirred = false;
        if (cell->kind != IV_CELL_BACK && s->reached >= 0 &&
            now - s->quiet_since >= cell->site->baseline->idle) {
            TRY(let_pass(cell, s, err));
        }
    }
    if (!iv_ok(cell->failure)) {
        *err = cell->err;
    }
    return cell->failure;
}

struct iv_judge_options iv_cell_judging(struct iv_cell *cell, struct iv_baseline *baseline)
{
    static const enum iv_judge_part parts[] = {
        [IV_CELL_WHOLE] = IV_JUDGE_ALL, [IV_CELL_FRONT] = IV_JUDGE_LOCAL, [IV_CELL_BACK] = IV_JUDGE_GLOBAL};
    struct iv_share share = {0};
    if (cell->kind == IV_CELL_BACK) {
        share = (struct iv_share){(uint32_t)cell->site->width, (uint32_t)cell->number};
    }
    return (struct iv_judge_options){.baseline = baseline,
                                     .part = parts[cell->kind],
                                     .share = share,
                                     .verdict = on_verdict,
                                     .through = iv_cell_through,
                                     .complaint = iv_cell_complain,
                                     .evicted = on_evicted,
                                     .populated = on_populated,
                                     .cell = iv_cell_place(cell),
                                     .ctx = cell,
                                     .digests = true,
                                     .hash_key = cell->hash_key,
                                     .verifiers = cell->site->verifiers};
}

iv_rc iv_cell_catch_up(struct iv_cell *cell, bool *more, struct iv_err *err)
{
    struct iv_engine_stats stats;
    iv_judge_stats(cell->judge, &stats);
    *more = stats.overdue > 0;
    if (!*more) {
        return IV_OK;
    }
    cell->written = 0;
    TRY(iv_judge_idle(cell->judge, cell->sources[0].stream, cell->sources[0].partition, IV_NS_MIN, err));
    if (!iv_ok(cell->failure)) {
        *err = cell->err;
    }
    return cell->failure;
}

/* The judge first: one that was restored has a key of its own, and the decoder must have the same. */
static iv_rc make(struct iv_cell_next *out, const struct iv_judge_options *judge, struct iv_err *err)
{
    struct iv_decode_limits limits = IV_DECODE_LIMITS_DEFAULT;
    const struct iv_baseline *baseline = judge->baseline;
    *out = (struct iv_cell_next){.complained = iv_calloc(baseline->rule_count, sizeof *out->complained),
                                 .failures = iv_calloc(baseline->rule_count, sizeof *out->failures)};
    ENSURE(out->complained != NULL && out->failures != NULL, err, IV_E_NOMEM, "cannot allocate a cell");
    TRY(iv_judge_new(&out->judge, judge, err));
    TRY(iv_decoder_new(&out->decoder, baseline->catalogue, &limits, iv_judge_hash_key(out->judge), err));
    return iv_commit_new(&out->commit, judge->baseline, err);
}

iv_rc iv_cell_make_judge(struct iv_cell *cell, const struct iv_judge_options *judge, struct iv_err *err)
{
    struct iv_cell_next parts;
    struct iv_rc_s rc = make(&parts, judge, err);
    if (!iv_ok(rc)) {
        iv_cell_drop(&parts);
        return rc;
    }
    iv_cell_swap(cell, &parts);
    cell->hash_key = iv_judge_hash_key(cell->judge);
    return IV_OK;
}

iv_rc iv_cell_prepare(struct iv_cell_next *out, struct iv_cell *cell, struct iv_baseline *baseline,
                      struct iv_err *err)
{
    struct iv_judge_options judge = iv_cell_judging(cell, baseline);
    judge.from = cell->judge;
    TRY(make(out, &judge, err));
    for (size_t i = 0; i < baseline->rule_count; i++) {
        const struct iv_rule *same = iv_baseline_same_rule(cell->site->baseline, baseline->rules[i]);
        out->complained[i] = same != NULL && cell->complained[same->index];
        out->failures[i] = same == NULL ? 0 : cell->failures[same->index];
    }
    return IV_OK;
}

void iv_cell_swap(struct iv_cell *cell, struct iv_cell_next *next)
{
    const struct iv_cell_next before = {cell->decoder, cell->judge, cell->commit, cell->complained,
                                        cell->failures};
    cell->decoder = next->decoder;
    cell->judge = next->judge;
    cell->commit = next->commit;
    cell->complained = next->complained;
    cell->failures = next->failures;
    *next = before;
}

void iv_cell_drop(struct iv_cell_next *next)
{
    iv_judge_free(next->judge);
    iv_decoder_free(next->decoder);
    iv_commit_free(next->commit);
    iv_free(next->complained);
    iv_free(next->failures);
}

iv_rc iv_cell_begin(struct iv_cell *cell, struct iv_err *err)
{
    TRY(iv_cell_cover_open(cell, err)); /* first: a store that is busy puts the whole off */
    TRY(iv_cell_restore(cell, err));
    for (size_t i = 0; i < cell->source_count && cell->kind != IV_CELL_BACK; i++) {
        TRY(iv_judge_open(cell->judge, cell->sources[i].stream, cell->sources[i].partition, err));
    }
    return IV_OK;
}

struct iv_cell_place iv_cell_place(const struct iv_cell *cell)
{
    struct iv_str ledger = iv_cell_topic(cell, IV_LEDGER);
    return (struct iv_cell_place){ledger.n > 0 ? ledger : iv_cell_topic(cell, IV_TELEMETRY), cell->number};
}

iv_rc iv_cell_open(struct iv_cell **out, struct iv_site *site, enum iv_cell_kind kind, int32_t number,
                   struct iv_err *err)
{
    static const char *const names[] = {
        [IV_CELL_WHOLE] = "all", [IV_CELL_FRONT] = "front", [IV_CELL_BACK] = "back"};
    struct iv_cell *c = iv_calloc(1, sizeof *c);
    ENSURE(c != NULL, err, IV_E_NOMEM, "cannot allocate a cell");
    IV_CHECK(pthread_mutex_init(&c->lock, NULL) == 0);
    c->site = site;
    c->number = number;
    c->hash_key = iv_hash_key_random();
    iv_buf_init(&c->notes, NOTES_MAX_BYTES);
    c->kind = kind;
    (void)snprintf(c->name, sizeof c->name, kind == IV_CELL_WHOLE ? "%s" : "%s-%d", names[kind], (int)number);
    *out = c;
    return IV_OK;
}

void iv_cell_free(struct iv_cell *cell)
{
    if (cell != NULL) {
        struct iv_cell_next parts = {NULL};
        iv_cell_leave_exchange(cell);
        iv_cell_swap(cell, &parts);
        iv_cell_drop(&parts);
        iv_coverage_free(cell->coverage);
        iv_census_free(cell->census);
        iv_free(cell->sources);
        iv_free(cell->places);
        iv_buf_deinit(&cell->notes);
        (void)pthread_mutex_destroy(&cell->lock);
        iv_free(cell);
    }
}
