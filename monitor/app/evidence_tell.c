/* SPDX-License-Identifier: Apache-2.0 */
#include "app/evidence_tell.h"

#include "base/json_write.h"
#include "evidence/finding.h"

#include <inttypes.h>

#define GAPS_SHOWN 5

static void gap_text(struct iv_buf *out, iv_ns from, iv_ns until)
{
    iv_buf_text(out, "    not covered: from ");
    iv_ns_format(out, from);
    iv_buf_text(out, " until ");
    iv_ns_format(out, until);
    iv_buf_char(out, '\n');
}

/* Calls visit for each gap of the period, in order. */
static void each_gap(const struct iv_tally *t, const struct iv_spans *covered, void *ctx,
                     void (*visit)(void *ctx, iv_ns from, iv_ns until))
{
    iv_ns at = t->from;
    for (size_t i = 0; i < covered->count; i++) {
        if (covered->at[i].from > at) {
            visit(ctx, at, covered->at[i].from);
        }
        at = covered->at[i].until;
    }
    if (at < t->until) {
        visit(ctx, at, t->until);
    }
}

struct gaps {
    struct iv_buf *out;
    size_t count;
};

static void show_gap(void *ctx, iv_ns from, iv_ns until)
{
    struct gaps *g = ctx;
    if (g->count++ < GAPS_SHOWN) {
        gap_text(g->out, from, until);
    }
}

static void counts_text(struct iv_buf *out, const struct iv_population_known *judged,
                        const struct iv_outcome_counts *c)
{
    if (judged->kept) {
        iv_buf_printf(out, "population %" PRIu64 ", ", judged->judged);
    }
    iv_buf_printf(out, "violations %" PRIu64, c->violations);
    if (c->waived > 0) {
        iv_buf_printf(out, " (%" PRIu64 " waived)", c->waived);
    }
    if (c->contradicted > 0) {
        iv_buf_printf(out, ", contradicted later %" PRIu64, c->contradicted);
    }
    iv_buf_printf(out, ", undecided %" PRIu64, c->undecided);
}

static void rule_text(struct iv_buf *out, const struct iv_tally_rule *r)
{
    iv_buf_printf(out, "    " IV_STR_FMT "  ", IV_STR_ARG(r->rule->id));
    counts_text(out, &r->judged, &r->counts);
    iv_buf_printf(out, ": " IV_STR_FMT "%s\n", IV_STR_ARG(r->rule->title),
                  r->rule->mode == IV_MODE_OBSERVE ? " (observed only)" : "");
}

static void criterion_text(struct iv_buf *out, const struct iv_tally *t, const struct iv_tally_criterion *c)
{
    struct gaps gaps = {out, 0};
    iv_buf_printf(out, "%-6s %-13s %zu rule%s, ", c->name, iv_outcome_name(c->outcome), c->rules,
                  c->rules == 1 ? "" : "s");
    counts_text(out, &c->judged, &c->counts);
    iv_buf_printf(out, ", coverage %.3f %%\n", 100 * c->share);
    for (size_t i = 0; i < t->rule_count; i++) {
        if (iv_tally_tests(t->rules[i].rule, c->name)) {
            rule_text(out, &t->rules[i]);
        }
    }
    each_gap(t, &c->covered, &gaps, show_gap);
    if (gaps.count > GAPS_SHOWN) {
        iv_buf_printf(out, "    and %zu further gaps\n", gaps.count - GAPS_SHOWN);
    }
}

static void head_text(struct iv_buf *out, const struct iv_tally *t)
{
    iv_buf_text(out, "Period: from ");
    iv_ns_format(out, t->from);
    iv_buf_text(out, " until ");
    iv_ns_format(out, t->until);
    iv_buf_printf(out, ", by the time of the events\nBaseline: " IV_STR_FMT " " IV_STR_FMT ", digest %s\n",
                  IV_STR_ARG(t->baseline->name), IV_STR_ARG(t->baseline->version), t->baseline->digest_hex);
    if (t->baselines > 1) {
        iv_buf_printf(out,
                      "The last of %" PRIu64 " baselines that were put in force before the period's end; "
                      "its rules are shown\n",
                      t->baselines);
    }
    if (t->others > 0) {
        iv_buf_printf(out, "Violations of rules that it does not have: %" PRIu64 "\n", t->others);
    }
    if (t->counted) {
        iv_buf_printf(out,
                      "Population: counted in %" PRIu64 " events of the period, in the records given\n\n",
                      t->events);
    } else {
        iv_buf_text(out,
                    "Population: as the monitor has counted it where it did, in the whole hours that the "
                    "period touches;\nno record proves it, and with the records (--ledger, --telemetry) it "
                    "is counted in these\n\n");
    }
}

void iv_tally_text(struct iv_buf *out, const struct iv_tally *t)
{
    head_text(out, t);
    for (size_t i = 0; i < t->criterion_count; i++) {
        if (t->criteria[i].rules > 0) {
            criterion_text(out, t, &t->criteria[i]);
        }
    }
    iv_buf_text(out, "\nNot testable here, for no rule of this baseline tests it:");
    for (size_t i = 0; i < t->criterion_count; i++) {
        iv_buf_printf(out, t->criteria[i].outcome == IV_OUTCOME_NO_RULE ? " %s" : "", t->criteria[i].name);
    }
    iv_buf_text(out, "\nNot testable here, for no stream of events shows it:");
    for (size_t i = 0; i < t->criterion_count; i++) {
        iv_buf_printf(out, t->criteria[i].outcome == IV_OUTCOME_OUTSIDE ? " %s" : "", t->criteria[i].name);
    }
    iv_buf_char(out, '\n');
}

static void counts_json(struct iv_json *j, const struct iv_population_known *judged,
                        const struct iv_outcome_counts *c)
{
    if (judged->kept) {
        iv_json_int(j, "population", (int64_t)judged->judged);
    } else {
        iv_json_null(j, "population");
    }
    iv_json_int(j, "violations", (int64_t)c->violations);
    iv_json_int(j, "waived", (int64_t)c->waived);
    iv_json_int(j, "contradicted", (int64_t)c->contradicted);
    iv_json_int(j, "undecided", (int64_t)c->undecided);
}

static void gap_json(void *ctx, iv_ns from, iv_ns until)
{
    struct iv_json *j = ctx;
    iv_json_open_object(j, NULL);
    iv_json_time(j, "from", from);
    iv_json_time(j, "until", until);
    iv_json_close_object(j);
}

static void criterion_json(struct iv_json *j, const struct iv_tally *t, const struct iv_tally_criterion *c)
{
    iv_json_open_object(j, NULL);
    iv_json_text(j, "criterion", c->name);
    iv_json_text(j, "status", iv_outcome_name(c->outcome));
    if (c->rules == 0) {
        iv_json_text(j, "reason",
                     c->outcome == IV_OUTCOME_OUTSIDE ? "no stream of events shows it"
                                                      : "no rule of this baseline tests it");
        iv_json_close_object(j);
        return;
    }
    counts_json(j, &c->judged, &c->counts);
    iv_json_real(j, "coverage", c->share);
    iv_json_open_list(j, "gaps");
    each_gap(t, &c->covered, j, gap_json);
    iv_json_close_list(j);
    iv_json_open_list(j, "rules");
    for (size_t i = 0; i < t->rule_count; i++) {
        if (iv_tally_tests(t->rules[i].rule, c->name)) {
            iv_json_str(j, NULL, t->rules[i].rule->id);
        }
    }
    iv_json_close_list(j);
    iv_json_close_object(j);
}

static void rule_json(struct iv_json *j, const struct iv_tally_rule *r)
{
    iv_json_open_object(j, NULL);
    iv_json_str(j, "rule", r->rule->id);
    iv_json_str(j, "title", r->rule->title);
    iv_json_text(j, "mode", iv_mode_name(r->rule->mode));
    counts_json(j, &r->judged, &r->counts);
    iv_json_close_object(j);
}

void iv_tally_json(struct iv_buf *out, const struct iv_tally *t)
{
    struct iv_json json = iv_json_to(out);
    struct iv_json *j = &json;
    iv_json_open_object(j, NULL);
    iv_json_time(j, "from", t->from);
    iv_json_time(j, "until", t->until);
    iv_json_open_object(j, "baseline");
    iv_json_str(j, "name", t->baseline->name);
    iv_json_str(j, "version", t->baseline->version);
    iv_json_text(j, "digest", t->baseline->digest_hex);
    iv_json_int(j, "so_far", (int64_t)t->baselines);
    iv_json_close_object(j);
    iv_json_text(j, "population_counted", t->counted ? "in the records given" : "by the monitor");
    if (t->counted) {
        iv_json_int(j, "events", (int64_t)t->events);
    } else {
        iv_json_null(j, "events");
    }
    iv_json_int(j, "violations_of_other_rules", (int64_t)t->others);
    iv_json_open_list(j, "criteria");
    for (size_t i = 0; i < t->criterion_count; i++) {
        criterion_json(j, t, &t->criteria[i]);
    }
    iv_json_close_list(j);
    iv_json_open_list(j, "rules");
    for (size_t i = 0; i < t->rule_count; i++) {
        rule_json(j, &t->rules[i]);
    }
    iv_json_close_list(j);
    iv_json_close_object(j);
    iv_buf_char(out, '\n');
}
