/* SPDX-License-Identifier: Apache-2.0 */
/* /api/v1/posture: a period by criterion, under the baseline in force. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/guard.h"
#include "base/spans.h"
#include "baseline/criteria.h"
#include "console/answer.h"
#include "console/page.h"
#include "console/query.h"
#include "console/readers.h"
#include "evidence/covered.h"
#include "evidence/incident.h"
#include "evidence/outcome.h"
#include "evidence/population.h"

#include <stdlib.h>

#define DAY (86400 * IV_NS_PER_S)

/* Of one rule, in the order of the baseline's. */
struct found {
    struct iv_outcome_counts counts;
    int64_t live;
};

struct view {
    const struct iv_coverage_rules *rules;
    struct found *found;
    struct iv_covered covered;
    struct iv_populations populations;
    iv_ns from;
    iv_ns until;
    iv_ns counted_until; /* findings; coverage ends before it where the period was not asked for */
    struct iv_json j;
    bool failed; /* memory was out */
};

static struct found *found_of(const struct view *v, struct iv_str rule)
{
    for (size_t i = 0; i < v->rules->count; i++) {
        if (iv_str_eq(v->rules->rules[i].id, rule)) {
            return &v->found[i];
        }
    }
    return NULL;
}

static bool count_one(void *ctx, const struct iv_finding_count *count)
{
    struct found *found = found_of(ctx, count->rule);
    if (found != NULL) {
        iv_outcome_count(&found->counts, count);
    }
    return true;
}

static bool note_live(void *ctx, struct iv_str rule, int64_t live)
{
    struct found *found = found_of(ctx, rule);
    if (found != NULL) {
        found->live = live;
    }
    return true;
}

/* "no population" as the API says it. */
static void write_outcome(struct iv_json *j, enum iv_outcome outcome)
{
    static const char *const words[] = {
        [IV_OUTCOME_FAIL] = "fail",
        [IV_OUTCOME_INCONCLUSIVE] = "inconclusive",
        [IV_OUTCOME_NO_POPULATION] = "no-population",
        [IV_OUTCOME_PASS] = "pass",
        [IV_OUTCOME_NO_VIOLATION] = "no-violation",
        [IV_OUTCOME_NO_RULE] = "not-testable",
        [IV_OUTCOME_OUTSIDE] = "not-testable",
    };
    iv_json_text(j, "outcome", words[outcome]);
}

/* null: nobody kept it. */
static void write_population(struct view *v, const struct iv_population_known *known)
{
    if (known->kept) {
        iv_json_int(&v->j, "population", known->judged > INT64_MAX ? INT64_MAX : (int64_t)known->judged);
    } else {
        iv_json_null(&v->j, "population");
    }
}

static void write_rule(struct view *v, size_t i, const struct iv_population_known *known)
{
    const struct iv_coverage_rule *rule = &v->rules->rules[i];
    const struct iv_outcome_counts *counts = &v->found[i].counts;
    iv_json_open_object(&v->j, NULL);
    iv_json_str(&v->j, "id", rule->id);
    iv_json_str(&v->j, "title", rule->title);
    iv_json_str(&v->j, "severity", rule->severity);
    iv_json_str(&v->j, "mode", rule->mode);
    write_population(v, known);
    iv_json_int(&v->j, "violations", (int64_t)counts->violations);
    iv_json_int(&v->j, "suppressed", (int64_t)counts->waived);
    iv_json_int(&v->j, "inconclusive", (int64_t)counts->undecided);
    iv_json_int(&v->j, "open", v->found[i].live);
    iv_json_close_object(&v->j);
}

static void write_coverage(struct view *v, const struct iv_spans *spans)
{
    iv_json_open_object(&v->j, "coverage");
    iv_json_real(&v->j, "share", iv_covered_share(spans, v->from, v->until));
    iv_json_open_list(&v->j, "intervals");
    for (size_t i = 0; i < spans->count; i++) {
        iv_json_open_list(&v->j, NULL);
        iv_json_time(&v->j, NULL, spans->at[i].from);
        iv_json_time(&v->j, NULL, spans->at[i].until);
        iv_json_close_list(&v->j);
    }
    iv_json_close_list(&v->j);
    iv_json_close_object(&v->j);
}

static void write_criterion(struct view *v, const struct iv_criterion *criterion)
{
    struct iv_outcome_grounds grounds = {.shown = criterion->shown};
    struct iv_population_known judged = {.kept = true};
    struct iv_spans covered = {NULL};
    int64_t live = 0;
    iv_spans_add(&covered, v->from, v->until);
    iv_json_open_object(&v->j, NULL);
    iv_json_text(&v->j, "id", criterion->name);
    iv_json_text(&v->j, "title", criterion->title);
    iv_json_open_list(&v->j, "rules");
    for (size_t i = 0; i < v->rules->count; i++) {
        const struct iv_coverage_rule *rule = &v->rules->rules[i];
        if (iv_coverage_tests(rule, iv_str_of(criterion->name))) {
            struct iv_population_known known = iv_population_of(&v->populations, rule->id);
            iv_population_add(&judged, &known);
            grounds.ruled = true;
            live += v->found[i].live;
            iv_outcome_add(&grounds.counts, &v->found[i].counts);
            iv_covered_meet(&covered, &v->covered, rule->streams, rule->id);
            write_rule(v, i, &known);
        }
    }
    iv_json_close_list(&v->j);
    grounds.covered = iv_spans_length(&covered, v->from, v->until) == v->until - v->from;
    grounds.counts.population = judged.judged;
    grounds.counted = iv_population_says(&judged);
    write_outcome(&v->j, iv_outcome_of(&grounds));
    judged.kept = judged.kept && grounds.ruled;
    write_population(v, &judged);
    iv_json_int(&v->j, "violations", (int64_t)grounds.counts.violations);
    iv_json_int(&v->j, "suppressed", (int64_t)grounds.counts.waived);
    iv_json_int(&v->j, "open", live);
    if (grounds.ruled) {
        write_coverage(v, &covered);
    } else {
        iv_json_null(&v->j, "coverage");
    }
    iv_json_close_object(&v->j);
    v->failed = v->failed || covered.failed;
    iv_spans_deinit(&covered);
}

static int by_name(const void *a, const void *b)
{
    const struct iv_criterion *const *x = a;
    const struct iv_criterion *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

static void write_criteria(struct view *v)
{
    const struct iv_criterion *all[64];
    size_t count = 0;
    while (count < IV_COUNT(all) && iv_criterion_at(count) != NULL) {
        all[count] = iv_criterion_at(count);
        count++;
    }
    qsort(all, count, sizeof all[0], by_name);
    iv_json_open_list(&v->j, "criteria");
    for (size_t i = 0; i < count; i++) {
        write_criterion(v, all[i]);
    }
    iv_json_close_list(&v->j);
}

static iv_rc write_all(struct view *v, struct iv_reader *reader, struct iv_err *err)
{
    v->found = iv_calloc(v->rules->count + 1, sizeof *v->found);
    ENSURE(v->found != NULL, err, IV_E_NOMEM, "cannot allocate what rules have found");
    TRY(iv_reader_counts_of(reader, v->from, v->counted_until, count_one, v, err));
    TRY(iv_reader_live(reader, note_live, v, err));
    TRY(iv_populations_read(&v->populations, reader, &v->covered, v->from, v->until, err));
    iv_json_open_object(&v->j, NULL);
    iv_json_time(&v->j, "from", v->from);
    iv_json_time(&v->j, "to", v->until);
    iv_json_str(&v->j, "baseline", v->rules->digest);
    write_criteria(v);
    iv_json_close_object(&v->j);
    ENSURE(!v->failed, err, IV_E_NOMEM, "cannot allocate what was covered");
    return IV_OK;
}

/* Not asked for: the last day of what is known; and a violation that is proven already counts, though the
 * hindmost partition has not come as far. */
static iv_rc find_period(struct view *v, struct iv_reader *reader, struct iv_err *err)
{
    struct iv_clock clock = iv_clock_system();
    iv_ns first = 0;
    iv_ns last = 0;
    TRY(iv_covered_read(&v->covered, reader, err));
    if (!iv_covered_period(&v->covered, &first, &last)) {
        last = iv_wall(&clock) / IV_NS_PER_S * IV_NS_PER_S;
        first = IV_NS_MIN;
    }
    v->counted_until = v->until;
    v->until = v->until == IV_NS_MAX ? last : v->until;
    if (v->from == IV_NS_MIN) {
        iv_ns day = iv_ns_add(v->until, -DAY);
        v->from = first > day && first < v->until ? first : day;
    }
    return IV_OK;
}

static iv_rc answer(struct view *v, struct iv_reader *reader, struct iv_err *err)
{
    TRY(find_period(v, reader, err));
    ENSURE(v->from < v->until, err, IV_E_REFUSED, "to must be behind from: the period is empty");
    return write_all(v, reader, err);
}

void iv_answer_posture(struct iv_reply *reply, struct iv_request *request)
{
    struct iv_console *console = request->console;
    IV_AUTO(iv_coverage_rules_unrefp) struct iv_coverage_rules *rules = iv_coverage_rules_get(console);
    struct view v = {.rules = rules, .j = iv_json_to(&reply->body)};
    struct iv_err err;
    if (!iv_query_period(&v.from, &v.until, request, reply)) {
        return;
    }
    struct iv_reader *reader = iv_readers_borrow(console->readers);
    struct iv_rc_s rc = answer(&v, reader, &err);
    iv_readers_return(console->readers, reader);
    iv_covered_deinit(&v.covered);
    iv_populations_deinit(&v.populations);
    iv_free(v.found);
    if (rc.code == IV_E_REFUSED) {
        iv_reply_problem(reply, MHD_HTTP_BAD_REQUEST, "%s", err.text);
        return;
    }
    iv_page_reply(reply, rc, &err);
}
