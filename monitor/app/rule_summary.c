/* SPDX-License-Identifier: Apache-2.0 */
#include "app/rule_summary.h"

#include "base/guard.h"
#include "engine/gate.h"

#include <inttypes.h>
#include <stdio.h>

static const char *const severities[] = {"info", "low", "medium", "high", "critical"};
static const char *const forms[] = {"forbid", "require", "limit", "same"};

static bool evidences(const struct iv_rule *rule, struct iv_str criterion)
{
    for (size_t i = 0; i < rule->criteria_count; i++) {
        if (iv_str_eq(rule->criteria[i], criterion)) {
            return true;
        }
    }
    return false;
}

/* The least criterion above the given one; p NULL where there is none. */
static struct iv_str next_criterion(const struct iv_baseline *baseline, struct iv_str above)
{
    struct iv_str least = {NULL, 0};
    for (size_t r = 0; r < baseline->rule_count; r++) {
        const struct iv_rule *rule = baseline->rules[r];
        for (size_t c = 0; c < rule->criteria_count; c++) {
            struct iv_str s = rule->criteria[c];
            bool greater = above.p == NULL || iv_str_cmp(s, above) > 0;
            if (greater && (least.p == NULL || iv_str_cmp(s, least) < 0)) {
                least = s;
            }
        }
    }
    return least;
}

static void by_criterion(struct iv_buf *out, const struct iv_baseline *baseline)
{
    iv_buf_text(out, "CRITERION  RULES\n");
    struct iv_str criterion = next_criterion(baseline, (struct iv_str){NULL, 0});
    while (criterion.p != NULL) {
        iv_buf_printf(out, "%-10.*s", (int)criterion.n, criterion.p);
        for (size_t r = 0; r < baseline->rule_count; r++) {
            if (evidences(baseline->rules[r], criterion)) {
                iv_buf_printf(out, " " IV_STR_FMT, IV_STR_ARG(baseline->rules[r]->id));
            }
        }
        iv_buf_char(out, '\n');
        criterion = next_criterion(baseline, criterion);
    }
}

/* "30d", "1h30m", "250ms": as it would be written in a baseline. */
static void write_length(struct iv_buf *out, iv_ns length)
{
    static const struct {
        iv_ns unit;
        const char *name;
    } units[] = {{86400 * IV_NS_PER_S, "d"},
                 {3600 * IV_NS_PER_S, "h"},
                 {60 * IV_NS_PER_S, "m"},
                 {IV_NS_PER_S, "s"},
                 {IV_NS_PER_MS, "ms"},
                 {1000, "us"},
                 {1, "ns"}};
    if (length <= 0) {
        iv_buf_text(out, "0s");
        return;
    }
    for (size_t i = 0; i < IV_COUNT(units); i++) {
        if (length >= units[i].unit) {
            iv_buf_printf(out, "%" PRId64 "%s", length / units[i].unit, units[i].name);
            length %= units[i].unit;
        }
    }
}

static void write_amount(struct iv_buf *out, const struct iv_amount *amount, iv_ns max)
{
    if (amount->prog == NULL) {
        write_length(out, amount->i);
        return;
    }
    iv_buf_str(out, iv_cel_prog_source(amount->prog));
    if (max > 0) {
        iv_buf_text(out, " (at most ");
        write_length(out, max);
        iv_buf_char(out, ')');
    }
}

/* Under what the rule keeps it. */
static void write_key(struct iv_buf *out, const struct iv_catalogue *catalogue, const struct iv_terms *terms)
{
    iv_buf_text(out, terms->count == 0 ? ", all under one key" : ", per ");
    for (uint8_t i = 0; i < terms->count; i++) {
        const struct iv_term *t = &terms->terms[i];
        iv_buf_text(out, i > 0 ? ", " : "");
        iv_buf_str(out,
                   t->prog != NULL ? iv_cel_prog_source(t->prog) : iv_catalogue_name(catalogue, t->name_id));
    }
}

static void keeps_of_partner(struct iv_buf *out, const struct iv_rule *rule)
{
    const struct iv_window *w = &rule->with.window;
    static const char *const until_seen = "until the watermark has passed them";
    bool back = w->kind == IV_WINDOW_BEFORE || w->kind == IV_WINDOW_WITHIN;
    bool ahead = w->kind != IV_WINDOW_BEFORE;
    iv_buf_text(out, rule->tree.note != NULL ? "the hashes of the log's entries " : "partners ");
    if (back) {
        iv_buf_text(out, "for ");
        write_amount(out, &w->length, w->past_max_ns);
    } else {
        iv_buf_text(out, until_seen);
    }
    iv_buf_text(out, ", triggers ");
    if (!ahead) {
        iv_buf_text(out, until_seen);
        return;
    }
    const struct iv_cel_prog *prog = w->kind == IV_WINDOW_UNTIL ? w->until : w->length.prog;
    if (w->kind == IV_WINDOW_UNTIL) {
        iv_buf_text(out, "until ");
        iv_buf_str(out, iv_cel_prog_source(prog));
    } else {
        iv_buf_text(out, "for ");
        write_amount(out, &w->length, w->future_max_ns);
    }
    if (prog != NULL && iv_cel_prog_uses(prog, IV_BANK_EVENTS, IV_SLOT_TRIGGER)) {
        iv_buf_text(out, " (as each trigger says)");
    }
}

static void keeps(struct iv_buf *out, const struct iv_baseline *baseline, const struct iv_rule *rule)
{
    iv_buf_printf(out, IV_STR_FMT "  %s, %s%s: " IV_STR_FMT "\n", IV_STR_ARG(rule->id),
                  severities[rule->severity], forms[rule->form],
                  rule->mode == IV_MODE_OBSERVE  ? ", observed only"
                  : rule->mode == IV_MODE_CANARY ? ", the monitor's own canary"
                                                 : "",
                  IV_STR_ARG(rule->title));
    iv_buf_text(out, "    keeps ");
    if (rule == baseline->equivocation) {
        iv_buf_text(out, "identities for ");
        write_length(out, baseline->dedup);
        iv_buf_text(out, ", per source and id");
    } else if (rule->form == IV_LIMIT || rule->form == IV_SAME) {
        iv_buf_text(out, rule->form == IV_SAME ? "values for " : "triggers for ");
        write_amount(out, &rule->span, rule->span_max_ns);
        write_key(out, baseline->catalogue, &rule->by);
    } else if (rule->has_partner) {
        keeps_of_partner(out, rule);
        write_key(out, baseline->catalogue, &rule->with.key_on);
    } else {
        iv_buf_text(out, "nothing");
    }
    iv_buf_printf(out, "\n    %s: " IV_STR_FMT "\n", rule->global ? "global" : "of one partition",
                  IV_STR_ARG(rule->scope));
}

void iv_rule_summary(struct iv_buf *out, const struct iv_baseline *baseline)
{
    iv_buf_printf(out, "baseline " IV_STR_FMT "%s" IV_STR_FMT ", SHA-384 %s\n", IV_STR_ARG(baseline->name),
                  baseline->version.n > 0 ? " " : "", IV_STR_ARG(baseline->version), baseline->digest_hex);
    iv_buf_printf(out, "%zu rules, %zu playbooks, %zu waivers\n\n", baseline->rule_count,
                  baseline->playbook_count, baseline->waiver_count);
    by_criterion(out, baseline);
    iv_buf_char(out, '\n');
    for (size_t i = 0; i < baseline->rule_count; i++) {
        keeps(out, baseline, baseline->rules[i]);
    }
}

static void dump_prog(struct iv_buf *out, const char *what, const struct iv_cel_prog *prog)
{
    if (prog != NULL) {
        iv_buf_printf(out, "  %s: " IV_STR_FMT "\n", what, IV_STR_ARG(iv_cel_prog_source(prog)));
        iv_cel_prog_dump(out, prog);
    }
}

static void dump_terms(struct iv_buf *out, const char *what, const struct iv_terms *terms)
{
    for (uint8_t i = 0; i < terms->count; i++) {
        dump_prog(out, what, terms->terms[i].prog);
    }
}

static void dump_legend(struct iv_buf *out, const struct iv_baseline *baseline)
{
    iv_buf_text(out, "\nvariables\n  0:0 the trigger\n  0:1 the partner\n");
    for (size_t slot = 0; slot < baseline->parameter_count; slot++) {
        iv_buf_printf(out, "  1:%zu ", slot);
        iv_baseline_parameter_name(out, baseline, slot);
        iv_buf_char(out, '\n');
    }
}

static void dump_gate(struct iv_buf *out, const struct iv_baseline *baseline, const char *what,
                      const struct iv_gate *gate)
{
    if (gate->set) {
        iv_buf_printf(out, "  %s unless ", what);
        iv_gate_write(out, gate, baseline->catalogue);
        iv_buf_char(out, '\n');
    }
}

/* Which events the engine need not look at, told by one field. */
static void dump_gates(struct iv_buf *out, const struct iv_baseline *baseline, const struct iv_rule *rule,
                       const struct iv_val *parameters)
{
    struct iv_arena arena;
    struct iv_rule_gates gates;
    iv_arena_init(&arena, 0);
    if (iv_rule_gates_find(&gates, &arena, rule, parameters)) {
        dump_gate(out, baseline, "passes over triggers", &gates.where);
        dump_gate(out, baseline, rule->has_partner ? "passes over partners" : "passes over triggers",
                  &gates.condition);
    } else {
        out->failed = true;
    }
    iv_arena_deinit(&arena);
}

void iv_rule_dump(struct iv_buf *out, const struct iv_baseline *baseline)
{
    IV_AUTO(iv_params_freep) struct iv_params *params = NULL;
    bool made = iv_ok(iv_params_new(&params, baseline, NULL));
    const struct iv_val *fixed = made ? iv_params_fixed(params) : NULL;
    out->failed = out->failed || fixed == NULL;
    dump_legend(out, baseline);
    for (size_t i = 0; i < baseline->rule_count; i++) {
        const struct iv_rule *rule = baseline->rules[i];
        iv_buf_printf(out, "\n" IV_STR_FMT "\n", IV_STR_ARG(rule->id));
        dump_gates(out, baseline, rule, fixed);
        dump_prog(out, "where", rule->where);
        dump_terms(out, "by, of the trigger", &rule->with.key_on);
        dump_terms(out, "by, of the partner", &rule->with.key_with);
        dump_prog(out, "window", rule->with.window.length.prog);
        dump_prog(out, "until", rule->with.window.until);
        dump_prog(out, "if", rule->condition);
        dump_prog(out, "at_least", rule->at_least.prog);
        dump_terms(out, "distinct", &rule->distinct);
        dump_prog(out, "tree", rule->tree.note);
        dump_terms(out, "by", &rule->by);
        dump_prog(out, "window", rule->span.prog);
        dump_terms(out, rule->form == IV_SAME ? "value" : "of", &rule->of);
        dump_prog(out, "max", rule->max.prog);
    }
}
