/* SPDX-License-Identifier: Apache-2.0 */
#include "app/evidence_tally.h"

#include "app/evidence_files.h"
#include "app/replay_core.h"
#include "app/replay_input.h"
#include "base/guard.h"
#include "baseline/criteria.h"
#include "event/catalogue.h"
#include "event/decode.h"
#include "evidence/covered.h"

#define DOCUMENT_MAX_BYTES ((size_t)256 << 20)
#define LIMITS ((struct iv_decode_limits){DOCUMENT_MAX_BYTES, 8, 65536, DOCUMENT_MAX_BYTES})

bool iv_tally_tests(const struct iv_rule *rule, const char *criterion)
{
    for (size_t i = 0; i < rule->criteria_count; i++) {
        if (iv_str_eq(rule->criteria[i], iv_str_of(criterion))) {
            return true;
        }
    }
    return false;
}

static iv_rc load_baseline(struct iv_tally *t, struct iv_reader *reader, struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf digest;
    IV_AUTO(iv_buf_deinit) struct iv_buf document;
    struct iv_decoder *decoder = NULL;
    struct iv_catalogue *catalogue = NULL;
    iv_buf_init(&digest, 256);
    iv_buf_init(&document, DOCUMENT_MAX_BYTES);
    TRY(iv_reader_baseline(reader, &digest, &document, &t->baselines, t->until, err));
    struct iv_rc_s rc = iv_catalogue_new(&catalogue, err);
    rc = iv_ok(rc) ? iv_catalogue_freeze(catalogue, err) : rc;
    rc = iv_ok(rc) ? iv_decoder_new(&decoder, catalogue, &LIMITS, (struct iv_hash_key){0, 0}, err) : rc;
    if (iv_ok(rc)) {
        rc = iv_evidence_baseline(&t->baseline, decoder, iv_buf_slice(&document), iv_buf_slice(&digest), err);
    }
    iv_decoder_free(decoder);
    iv_catalogue_free(catalogue);
    return rc;
}

static bool count_findings(void *ctx, const struct iv_finding_count *count)
{
    struct iv_tally *t = ctx;
    const struct iv_rule *rule = iv_baseline_rule(t->baseline, count->rule);
    if (rule == NULL) {
        t->others += count->kind == IV_VIOLATED || count->kind == IV_UPDATED ? (uint64_t)count->count : 0;
        return true;
    }
    iv_outcome_count(&t->rules[rule->index].counts, count);
    return true;
}

static void cover_rules(struct iv_tally *t, const struct iv_covered *covered)
{
    for (size_t i = 0; i < t->rule_count; i++) {
        struct iv_tally_rule *r = &t->rules[i];
        iv_spans_add(&r->covered, t->from, t->until);
        iv_covered_meet(&r->covered, covered, iv_rule_streams(r->rule), r->rule->id);
    }
}

/* As the monitor has counted them. */
static iv_rc take_populations(struct iv_tally *t, struct iv_reader *reader, const struct iv_covered *covered,
                              struct iv_err *err)
{
    struct iv_populations populations;
    TRY(iv_populations_read(&populations, reader, covered, t->from, t->until, err));
    for (size_t i = 0; i < t->rule_count; i++) {
        t->rules[i].judged = iv_population_of(&populations, t->rules[i].rule->id);
    }
    iv_populations_deinit(&populations);
    return IV_OK;
}

/* How many triggers each rule has had so far, or what came to it since it was noted. */
static void note_triggers(struct iv_tally *t, struct iv_judge *judge, uint64_t *before, bool end)
{
    for (size_t i = 0; i < t->rule_count; i++) {
        struct iv_rule_stats stats;
        iv_judge_rule_stats(judge, t->rules[i].rule->index, &stats);
        if (end) {
            t->rules[i].judged.judged += stats.triggers - before[i];
        }
        before[i] = stats.triggers;
    }
}

/* Records come nearly in order of time, so the period is entered and left seldom. */
static iv_rc count_records(struct iv_tally *t, struct iv_replay_core *core, struct iv_replay_input *input,
                           uint64_t *before, struct iv_err *err)
{
    const struct iv_record *record = NULL;
    bool inside = false;
    for (;;) {
        struct iv_err why;
        struct iv_event event;
        TRY(iv_replay_input_next(input, &record, err));
        if (record == NULL) {
            break;
        }
        struct iv_arena *arena = &core->pending[0].arena; /* one at a time, so that nothing is pending */
        iv_arena_reset(arena);
        struct iv_rc_s rc = iv_decode(core->decoder, record, arena, &event, &why);
        if (rc.code == IV_E_MALFORMED) {
            continue;
        }
        if (!iv_ok(rc)) {
            *err = why;
            return rc;
        }
        bool in_period = t->from <= event.time && event.time < t->until;
        if (in_period != inside) {
            note_triggers(t, core->judge, before, inside);
            inside = in_period;
        }
        t->events += in_period;
        TRY(iv_judge_event(core->judge, &event, err));
        iv_replay_input_saw(input, event.time);
    }
    if (inside) {
        note_triggers(t, core->judge, before, true);
    }
    return IV_OK;
}

static iv_rc count_populations(struct iv_tally *t, const struct iv_words files[IV_STREAMS],
                               struct iv_err *err)
{
    IV_AUTO(iv_replay_input_closep) struct iv_replay_input *input = NULL;
    IV_AUTO(iv_replay_core_close) struct iv_replay_core core = {.baseline = NULL};
    iv_ns lateness[IV_STREAMS];
    for (int s = 0; s < IV_STREAMS; s++) {
        lateness[s] = t->baseline->streams[s].lateness;
    }
    /* On this thread alone, so that each event has been judged when it was handed over. */
    const struct iv_replay_core_options options = {
        .loaded = t->baseline, .evaluate = true, .verifiers = 0, .format = IV_REPLAY_BRIEF};
    uint64_t *before = iv_arena_zalloc(&t->arena, (t->rule_count + 1) * sizeof *before);
    ENSURE(before != NULL, err, IV_E_NOMEM, "no memory left for a report");
    TRY(iv_replay_core_open(&core, &options, err));
    TRY(iv_replay_core_partitions(&core, files, err));
    TRY(iv_replay_input_open(&input, files, lateness, err));
    t->counted = true;
    for (size_t i = 0; i < t->rule_count; i++) {
        t->rules[i].judged = (struct iv_population_known){.kept = true};
    }
    TRY(count_records(t, &core, input, before, err));
    for (size_t i = 0; i < t->rule_count; i++) {
        t->rules[i].judged.within = t->rules[i].judged.judged;
    }
    return IV_OK;
}

static enum iv_outcome outcome_of(const struct iv_tally *t, const struct iv_tally_criterion *c, bool shown)
{
    const struct iv_outcome_grounds grounds = {
        .counts = c->counts,
        .shown = shown,
        .ruled = c->rules > 0,
        .covered = iv_spans_length(&c->covered, t->from, t->until) == t->until - t->from,
        .counted = iv_population_says(&c->judged),
    };
    return iv_outcome_of(&grounds);
}

static void add_rule(struct iv_tally_criterion *c, const struct iv_tally_rule *r)
{
    c->rules++;
    iv_outcome_add(&c->counts, &r->counts);
    iv_population_add(&c->judged, &r->judged);
    c->counts.population = c->judged.judged;
    iv_spans_meet(&c->covered, &r->covered);
}

static iv_rc make_criteria(struct iv_tally *t, struct iv_err *err)
{
    while (iv_criterion_at(t->criterion_count) != NULL) {
        t->criterion_count++;
    }
    t->criteria = iv_arena_zalloc(&t->arena, t->criterion_count * sizeof *t->criteria);
    ENSURE(t->criteria != NULL, err, IV_E_NOMEM, "no memory left for a report");
    for (size_t i = 0; i < t->criterion_count; i++) {
        struct iv_tally_criterion *c = &t->criteria[i];
        const struct iv_criterion *criterion = iv_criterion_at(i);
        c->name = criterion->name;
        c->judged.kept = true;
        iv_spans_add(&c->covered, t->from, t->until);
        for (size_t r = 0; r < t->rule_count; r++) {
            if (iv_tally_tests(t->rules[r].rule, c->name)) {
                add_rule(c, &t->rules[r]);
            }
        }
        ENSURE(!c->covered.failed, err, IV_E_NOMEM, "no memory left for a report");
        c->share = (double)iv_spans_length(&c->covered, t->from, t->until) / (double)(t->until - t->from);
        c->outcome = outcome_of(t, c, criterion->shown);
    }
    return IV_OK;
}

static iv_rc make(struct iv_tally *t, struct iv_reader *reader, const struct iv_words files[IV_STREAMS],
                  struct iv_err *err)
{
    struct iv_covered covered;
    TRY(load_baseline(t, reader, err));
    t->rule_count = t->baseline->rule_count;
    t->rules = iv_arena_zalloc(&t->arena, (t->rule_count + 1) * sizeof *t->rules);
    ENSURE(t->rules != NULL, err, IV_E_NOMEM, "no memory left for a report");
    for (size_t i = 0; i < t->rule_count; i++) {
        t->rules[t->baseline->rules[i]->index].rule = t->baseline->rules[i];
    }
    TRY(iv_reader_counts_of(reader, t->from, t->until, count_findings, t, err));
    TRY(iv_covered_read(&covered, reader, err));
    cover_rules(t, &covered);
    struct iv_rc_s rc = take_populations(t, reader, &covered, err);
    iv_covered_deinit(&covered);
    TRY(rc);
    if (files[IV_LEDGER].count + files[IV_TELEMETRY].count > 0) {
        TRY(count_populations(t, files, err));
    }
    return make_criteria(t, err);
}

iv_rc iv_tally_make(struct iv_tally *out, struct iv_reader *reader, iv_ns from, iv_ns until,
                    const struct iv_words files[IV_STREAMS], struct iv_err *err)
{
    struct iv_tally t = {.from = from, .until = until};
    iv_arena_init(&t.arena, 0);
    struct iv_rc_s rc = make(&t, reader, files, err);
    if (!iv_ok(rc)) {
        iv_tally_deinit(&t);
        return rc;
    }
    *out = t;
    return IV_OK;
}

void iv_tally_deinit(struct iv_tally *t)
{
    for (size_t i = 0; i < t->rule_count && t->rules != NULL; i++) {
        iv_spans_deinit(&t->rules[i].covered);
    }
    for (size_t i = 0; i < t->criterion_count && t->criteria != NULL; i++) {
        iv_spans_deinit(&t->criteria[i].covered);
    }
    iv_baseline_unref(t->baseline);
    iv_arena_deinit(&t->arena);
}
