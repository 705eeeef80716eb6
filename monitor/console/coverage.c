/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/coverage: the event time in which the rules could see everything, and what they did not see. */
#include "console/coverage.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "base/json_write.h"
#include "base/spans.h"
#include "console/answer.h"
#include "console/query.h"
#include "console/readers.h"
#include "evidence/alive.h"
#include "evidence/covered.h"

#include <math.h>

#define MEASURED (24 * 3600 * IV_NS_PER_S)

static const char *const stream_names[IV_STREAMS] = {"ledger", "telemetry"};

static bool rule_keep(struct iv_coverage_rule *rule, struct iv_arena *arena)
{
    return iv_arena_keep(arena, &rule->id) && iv_arena_keep(arena, &rule->title) &&
           iv_arena_keep(arena, &rule->severity) && iv_arena_keep(arena, &rule->mode) &&
           iv_arena_keep(arena, &rule->source);
}

static bool copy_rules(struct iv_coverage_rules *r, const struct iv_console_baseline *baseline)
{
    r->rules = iv_arena_zalloc(&r->arena, (r->count + 1) * sizeof *r->rules);
    bool whole = r->rules != NULL;
    for (size_t i = 0; whole && i < r->count; i++) {
        const struct iv_console_rule *from = &baseline->rules[i];
        struct iv_str *criteria = iv_arena_zalloc(&r->arena, (from->criteria_count + 1) * sizeof *criteria);
        whole = criteria != NULL;
        for (size_t k = 0; whole && k < from->criteria_count; k++) {
            criteria[k] = from->criteria[k];
            whole = iv_arena_keep(&r->arena, &criteria[k]);
        }
        r->rules[i] = (struct iv_coverage_rule){.id = from->id,
                                                .title = from->title,
                                                .severity = from->severity,
                                                .mode = from->mode,
                                                .source = from->source,
                                                .streams = from->streams,
                                                .criteria = criteria,
                                                .criteria_count = from->criteria_count};
        whole = whole && rule_keep(&r->rules[i], &r->arena);
    }
    return whole && iv_arena_keep(&r->arena, &r->digest);
}

iv_rc iv_coverage_rules_new(struct iv_coverage_rules **out, const struct iv_console_baseline *baseline,
                            struct iv_err *err)
{
    IV_AUTO(iv_coverage_rules_unrefp) struct iv_coverage_rules *r = iv_calloc(1, sizeof *r);
    ENSURE(r != NULL, err, IV_E_NOMEM, "cannot allocate what the rules need");
    r->refs = 1;
    r->count = baseline->rule_count;
    r->digest = baseline->digest;
    iv_arena_init(&r->arena, 0);
    ENSURE(copy_rules(r, baseline), err, IV_E_NOMEM, "cannot allocate what the rules need");
    *out = TAKE(r);
    return IV_OK;
}

struct iv_coverage_rules *iv_coverage_rules_get(struct iv_console *console)
{
    static struct iv_coverage_rules none = {.digest = {"", 0}, .refs = 1}; /* never the last reference */
    (void)pthread_mutex_lock(&console->lock);
    struct iv_coverage_rules *rules = console->coverage_rules == NULL ? &none : console->coverage_rules;
    (void)__atomic_add_fetch(&rules->refs, 1, __ATOMIC_RELAXED);
    (void)pthread_mutex_unlock(&console->lock);
    return rules;
}

void iv_coverage_rules_unref(struct iv_coverage_rules *rules)
{
    if (rules != NULL && __atomic_sub_fetch(&rules->refs, 1, __ATOMIC_ACQ_REL) == 0) {
        iv_arena_deinit(&rules->arena);
        iv_free(rules);
    }
}

void iv_coverage_rules_unrefp(struct iv_coverage_rules **rules)
{
    iv_coverage_rules_unref(*rules);
}

bool iv_coverage_tests(const struct iv_coverage_rule *rule, struct iv_str criterion)
{
    for (size_t k = 0; k < rule->criteria_count; k++) {
        if (iv_str_eq(rule->criteria[k], criterion)) {
            return true;
        }
    }
    return false;
}

struct iv_str iv_coverage_source(const struct iv_coverage_rules *rules, struct iv_str id)
{
    for (size_t i = 0; i < rules->count; i++) {
        if (iv_str_eq(rules->rules[i].id, id)) {
            return rules->rules[i].source;
        }
    }
    return IV_STR("");
}

/* A period, and what is known of it. */
struct view {
    const struct iv_coverage_rules *rules;
    struct iv_covered covered;
    iv_ns from;
    iv_ns until;
    struct iv_json *j;
    struct iv_metrics *metrics;
    bool failed; /* memory was out */
};

static void begin_spans(struct iv_spans *spans, const struct view *v)
{
    *spans = (struct iv_spans){NULL};
    iv_spans_add(spans, v->from, v->until);
}

static void meet_criterion(struct iv_spans *spans, const struct view *v, struct iv_str criterion)
{
    for (size_t i = 0; i < v->rules->count; i++) {
        const struct iv_coverage_rule *rule = &v->rules->rules[i];
        if (iv_coverage_tests(rule, criterion)) {
            iv_covered_meet(spans, &v->covered, rule->streams, rule->id);
        }
    }
}

/* Each criterion once, in the order in which rules name them. */
static void each_criterion(struct view *v, void (*visit)(struct view *v, struct iv_str criterion))
{
    for (size_t i = 0; i < v->rules->count; i++) {
        const struct iv_coverage_rule *rule = &v->rules->rules[i];
        for (size_t k = 0; k < rule->criteria_count; k++) {
            bool told = false;
            for (size_t before = 0; before < i && !told; before++) {
                told = iv_coverage_tests(&v->rules->rules[before], rule->criteria[k]);
            }
            for (size_t before = 0; before < k && !told; before++) {
                told = iv_str_eq(rule->criteria[before], rule->criteria[k]);
            }
            if (!told) {
                visit(v, rule->criteria[k]);
            }
        }
    }
}

static double seconds(iv_ns length)
{
    return round((double)length / 1e6) / 1e3;
}

static void write_span(struct iv_json *j, iv_ns from, iv_ns until)
{
    iv_json_time(j, "from", from);
    iv_json_time(j, "to", until);
}

static void write_spans(struct view *v, const struct iv_spans *spans)
{
    v->failed = v->failed || spans->failed;
    iv_json_real(v->j, "covered_seconds", seconds(iv_spans_length(spans, v->from, v->until)));
    iv_json_real(v->j, "ratio", iv_covered_share(spans, v->from, v->until));
    iv_json_open_list(v->j, "intervals");
    for (size_t i = 0; i < spans->count; i++) {
        iv_json_open_object(v->j, NULL);
        write_span(v->j, spans->at[i].from, spans->at[i].until);
        iv_json_close_object(v->j);
    }
    iv_json_close_list(v->j);
}

static void write_streams(const struct view *v, unsigned streams)
{
    iv_json_open_list(v->j, "streams");
    for (unsigned s = 0; s < IV_STREAMS; s++) {
        if ((streams >> s & 1U) != 0) {
            iv_json_text(v->j, NULL, stream_names[s]);
        }
    }
    iv_json_close_list(v->j);
}

static void write_loss(const struct view *v, const struct iv_loss *loss)
{
    iv_ns from = loss->from > v->from ? loss->from : v->from;
    iv_ns until = loss->until < v->until ? loss->until : v->until;
    if (from < until) {
        iv_json_open_object(v->j, NULL);
        write_span(v->j, from, until);
        iv_json_text(v->j, "cause", iv_loss_name(loss->cause));
        iv_json_int(v->j, "records", (int64_t)loss->records);
        iv_json_close_object(v->j);
    }
}

static iv_rc write_partition(void *ctx, struct iv_str topic, const struct iv_cover *cover, struct iv_err *err)
{
    (void)err;
    struct view *v = ctx;
    iv_json_open_object(v->j, NULL);
    iv_json_text(v->j, "stream", stream_names[cover->stream]);
    iv_json_str(v->j, "topic", topic);
    iv_json_int(v->j, "partition", cover->partition);
    iv_json_text(v->j, "state", iv_cover_state_name(cover->state));
    if (cover->reach == IV_NS_MIN) {
        iv_json_null(v->j, "reach");
    } else {
        iv_json_time(v->j, "reach", cover->reach);
    }
    struct iv_spans spans;
    begin_spans(&spans, v);
    iv_spans_take(&spans, cover->reach, IV_NS_MAX);
    for (size_t i = 0; i < cover->loss_count; i++) {
        iv_spans_take(&spans, cover->losses[i].from, cover->losses[i].until);
    }
    write_spans(v, &spans);
    iv_spans_deinit(&spans);
    iv_json_open_list(v->j, "losses");
    for (size_t i = 0; i < cover->loss_count; i++) {
        write_loss(v, &cover->losses[i]);
    }
    iv_json_close_list(v->j);
    iv_json_close_object(v->j);
    return IV_OK;
}

static void write_stream(struct view *v, unsigned stream)
{
    struct iv_spans spans;
    begin_spans(&spans, v);
    iv_covered_meet(&spans, &v->covered, 1U << stream, IV_STR(""));
    iv_json_open_object(v->j, NULL);
    iv_json_text(v->j, "stream", stream_names[stream]);
    write_spans(v, &spans);
    iv_json_close_object(v->j);
    iv_spans_deinit(&spans);
}

static void write_rule(struct view *v, const struct iv_coverage_rule *rule)
{
    struct iv_spans spans;
    begin_spans(&spans, v);
    iv_covered_meet(&spans, &v->covered, rule->streams, rule->id);
    iv_json_open_object(v->j, NULL);
    iv_json_str(v->j, "rule", rule->id);
    write_streams(v, rule->streams);
    write_spans(v, &spans);
    iv_json_open_list(v->j, "losses");
    for (size_t i = 0; i < v->covered.rule_loss_count; i++) {
        if (iv_str_eq(v->covered.rule_losses[i].rule, rule->id)) {
            write_loss(v, &v->covered.rule_losses[i].loss);
        }
    }
    iv_json_close_list(v->j);
    iv_json_close_object(v->j);
    iv_spans_deinit(&spans);
}

static void write_criterion(struct view *v, struct iv_str criterion)
{
    struct iv_spans spans;
    begin_spans(&spans, v);
    meet_criterion(&spans, v, criterion);
    iv_json_open_object(v->j, NULL);
    iv_json_str(v->j, "criterion", criterion);
    write_spans(v, &spans);
    iv_json_close_object(v->j);
    iv_spans_deinit(&spans);
}

static iv_rc write_read(struct view *v, struct iv_reader *reader, struct iv_err *err)
{
    if (v->from < v->until) {
        write_span(v->j, v->from, v->until);
    } else {
        iv_json_null(v->j, "from");
        iv_json_null(v->j, "to");
    }
    iv_json_open_list(v->j, "streams");
    for (unsigned s = 0; s < IV_STREAMS; s++) {
        write_stream(v, s);
    }
    iv_json_close_list(v->j);
    iv_json_open_list(v->j, "partitions");
    TRY(iv_reader_covers(reader, write_partition, v, err));
    iv_json_close_list(v->j);
    return IV_OK;
}

static void write_ruled(struct view *v)
{
    iv_json_open_list(v->j, "rules");
    for (size_t i = 0; i < v->rules->count; i++) {
        write_rule(v, &v->rules->rules[i]);
    }
    iv_json_close_list(v->j);
    iv_json_open_list(v->j, "criteria");
    each_criterion(v, write_criterion);
    iv_json_close_list(v->j);
}

static iv_rc write_all(struct view *v, struct iv_reader *reader, struct iv_err *err)
{
    iv_json_open_object(v->j, NULL);
    TRY(write_read(v, reader, err));
    write_ruled(v);
    iv_json_close_object(v->j);
    ENSURE(!v->failed, err, IV_E_NOMEM, "cannot allocate what was covered");
    return IV_OK;
}

/* What was not asked for is all that there is, to where all have come that are read. */
static iv_rc read_view(struct view *v, struct iv_reader *reader, struct iv_err *err)
{
    iv_ns first = 0;
    iv_ns last = 0;
    TRY(iv_covered_read(&v->covered, reader, err));
    if (!iv_covered_period(&v->covered, &first, &last)) {
        first = last = 0;
    }
    v->from = v->from == IV_NS_MIN ? first : v->from;
    v->until = v->until == IV_NS_MAX ? last : v->until;
    return IV_OK;
}

void iv_answer_coverage(struct iv_reply *reply, struct iv_request *request)
{
    struct iv_console *console = request->console;
    struct iv_json j = iv_json_to(&reply->body);
    IV_AUTO(iv_coverage_rules_unrefp) struct iv_coverage_rules *rules = iv_coverage_rules_get(console);
    struct view v = {.rules = rules, .j = &j};
    struct iv_err err;
    if (!iv_query_period(&v.from, &v.until, request, reply)) {
        return;
    }
    struct iv_reader *reader = iv_readers_borrow(console->readers);
    struct iv_rc_s rc = read_view(&v, reader, &err);
    if (iv_ok(rc)) {
        rc = write_all(&v, reader, &err);
        iv_covered_deinit(&v.covered);
    }
    iv_readers_return(console->readers, reader);
    if (!iv_ok(rc)) {
        iv_reply_failure(reply, &err);
        return;
    }
    reply->status = MHD_HTTP_OK;
    reply->type = "application/json";
    reply->cache_control = "private, no-cache";
    reply->tagged = true;
}

static void measure_criterion(struct view *v, struct iv_str criterion)
{
    struct iv_spans spans;
    begin_spans(&spans, v);
    meet_criterion(&spans, v, criterion);
    v->failed = v->failed || spans.failed;
    iv_series_set(IV_SERIES(v->metrics, COVERAGE, criterion), iv_covered_share(&spans, v->from, v->until));
    iv_spans_deinit(&spans);
}

static void measure_losses(struct view *v)
{
    for (unsigned s = 0; s < IV_STREAMS; s++) {
        for (int cause = 0; cause < IV_LOSS_CAUSES; cause++) {
            const struct iv_spans *lost = &v->covered.streams[s].lost[cause];
            if (lost->count > 0) {
                iv_series_set(IV_SERIES(v->metrics, LOST, iv_str_of(stream_names[s]),
                                        iv_str_of(iv_loss_name((enum iv_loss_cause)cause))),
                              (double)iv_spans_length(lost, v->from, v->until) / 1e9);
            }
        }
    }
}

static void measure_alive(void *ctx, struct iv_str kind, int64_t alive, iv_ns as_of)
{
    (void)as_of;
    struct iv_metrics *metrics = ctx;
    iv_series_set(IV_SERIES(metrics, ALIVE, kind), (double)alive);
}

iv_rc iv_coverage_measure(struct iv_console *console, struct iv_err *err)
{
    IV_AUTO(iv_coverage_rules_unrefp) struct iv_coverage_rules *rules = iv_coverage_rules_get(console);
    struct view v = {.rules = rules, .metrics = console->metrics};
    struct iv_reader *reader = iv_readers_borrow(console->readers);
    struct iv_rc_s rc = iv_covered_read(&v.covered, reader, err);
    struct iv_rc_s alive = iv_ok(rc) ? iv_reader_alive(reader, measure_alive, console->metrics, err) : rc;
    iv_readers_return(console->readers, reader);
    TRY(rc);
    if (!iv_ok(alive)) {
        iv_covered_deinit(&v.covered);
        return alive;
    }
    /* To where the foremost has come: a stream that stays behind must be seen at once. */
    if (!iv_covered_bounds(&v.covered, &v.from, &v.until)) {
        v.from = v.until = 0;
    }
    iv_ns day = iv_ns_add(v.until, iv_ns_negate(MEASURED));
    v.from = day > v.from ? day : v.from;
    if (v.from < v.until) {
        each_criterion(&v, measure_criterion);
        measure_losses(&v);
    }
    iv_covered_deinit(&v.covered);
    return IV_OK;
}
