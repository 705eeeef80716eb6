/* SPDX-License-Identifier: Apache-2.0 */
/* Which findings a playbook is for that no rule names it for. */
#include "base/guard.h"
#include "support/stage.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#define STEPS "- name: one\n  http: {endpoint: hook, path: /x}\n"
#define HEAD                                                                                                 \
    "apiVersion: invigil/v1\n"                                                                               \
    "kind: Playbook\n"                                                                                       \
    "metadata: {name: revoke, title: Revoke it}\n"                                                           \
    "target: \"{{trigger.token_id}}\"\n"                                                                     \
    "steps:\n" STEPS

/* The sample is TOK-002, critical, CC6.1 and CC6.3; of tenant acme, agent agent-7, token t-1. */
static size_t planned_on(const char *keys, struct iv_execution *newest)
{
    IV_AUTO(stage_deinit) struct stage s;
    stage_init_playbook(&s, keys, STEPS);
    s.sample.rule.remediate = (struct iv_str){NULL, 0};
    stage_find(&s);
    size_t count = stage_executions(&s);
    if (count > 0) {
        *newest = stage_execution(&s);
    }
    return count;
}

Test(occasion, is_what_an_entry_says_all_of_it)
{
    static const struct {
        const char *keys;
        size_t planned;
    } rows[] = {
        {"", 0},
        {"on: [{rules: [TOK-002]}]\n", 1},
        {"on: [{rules: \"TOK-*\"}]\n", 1},
        {"on: [{rules: [ISO-*, TOK-00?]}]\n", 1},
        {"on: [{rules: [ISO-*]}]\n", 0},
        {"on: [{severity: critical}]\n", 1},
        {"on: [{severity: [high, low]}]\n", 0},
        {"on: [{criteria: [CC7.2, CC6.3]}]\n", 1},
        {"on: [{criteria: [CC7.2]}]\n", 0},
        {"on: [{rules: TOK-*, severity: [high, critical], criteria: CC6.1}]\n", 1},
        {"on: [{rules: TOK-*, severity: [high]}]\n", 0},
        {"on: [{rules: ISO-*}, {severity: critical}]\n", 1},
        {"on: [{when: 'finding.tenant == \"acme\" && \"CC6.1\" in finding.criteria'}]\n", 1},
        {"on: [{when: 'finding.tenant != \"acme\"'}]\n", 0},
        {"on: [{when: 'trigger.token_id.startsWith(\"t-\") && trigger.agent == finding.agent'}]\n", 1},
        {"on: [{when: 'has(trigger.scope)'}]\n", 0},
        {"on: [{when: 'finding.rule == \"TOK-002\" && finding.severity == \"critical\"'}]\n", 1},
        {"on: [{when: 'finding.time < timestamp(\"2026-01-02T00:00:00Z\") && size(finding.uid) == 64'}]\n",
         1},
        {"on: [{when: 'finding.mode == \"observe\" || finding.title == \"\"'}]\n", 0},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_execution e = {.state = IV_RUN_PLANNED};
        size_t planned = planned_on(rows[i].keys, &e);
        cr_expect(planned == rows[i].planned && e.state == IV_RUN_PLANNED, "row %zu: %zu", i, planned);
    }
}

Test(occasion, that_the_rule_names_the_playbook_for_as_well_is_answered_once)
{
    IV_AUTO(stage_deinit) struct stage s;
    stage_init_playbook(&s, "on: [{rules: TOK-*}, {severity: critical}]\n", STEPS);

    stage_find(&s);
    stage_find(&s);

    cr_expect(stage_executions(&s) == 1 && stage_execution(&s).findings == 1);
}

Test(occasion, that_cannot_be_decided_is_on_record_as_failed)
{
    struct iv_execution e = {.state = IV_RUN_PLANNED};
    static const char absent[] = "on: [{when: 'trigger.scope == \"admin\"'}]\n";

    cr_expect(planned_on(absent, &e) == 1 && e.state == IV_RUN_FAILED);
    cr_expect(planned_on("on: [{when: 'trigger.scope == \"admin\"'}, {rules: TOK-*}]\n", &e) == 1 &&
              e.state == IV_RUN_PLANNED);
}

Test(occasion, that_cannot_be_decided_is_told_once_within_dedup_whatever_the_findings)
{
    IV_AUTO(stage_deinit) struct stage s;
    stage_init_playbook(&s, "on: [{when: 'trigger.scope == \"admin\"'}]\ndedup: 10m\n", STEPS);
    s.sample.rule.remediate = (struct iv_str){NULL, 0};
    for (unsigned i = 0; i < 20; i++) {
        sample_number(&s.sample, i);
        stage_find(&s);
    }
    cr_expect(stage_executions(&s) == 1 && stage_execution(&s).state == IV_RUN_FAILED);

    s.now += 601 * IV_NS_PER_S;
    sample_number(&s.sample, 20);
    stage_find(&s);

    cr_expect(stage_executions(&s) == 2);
}

Test(occasion, of_a_waived_or_observed_finding_is_none)
{
    for (int i = 0; i < 2; i++) {
        IV_AUTO(stage_deinit) struct stage s;
        stage_init_playbook(&s, "on: [{rules: TOK-*}]\n", STEPS);
        s.sample.rule.remediate = (struct iv_str){NULL, 0};
        s.sample.rule.mode = i == 0 ? IV_MODE_OBSERVE : IV_MODE_ENFORCE;
        s.sample.verdict.waiver = i == 1 ? &s.sample.waiver : NULL;

        stage_find(&s);

        cr_expect(stage_executions(&s) == 0);
    }
}

Test(occasion, is_refused_with_the_place_and_what_would_be_right)
{
    static const struct {
        const char *keys;
        const char *want;
    } rows[] = {
        {"on: {rules: TOK-*}\n", "8:5: error: must be a list"},
        {"on: []\n", "8:5: error: must hold 1 to 32 entries"},
        {"on: [{}]\n", "8:6: error: must have one of rules, severity, criteria and when"},
        {"on: [{rule: TOK-*}]\n", "unknown key 'rule'"},
        {"on: [{rules: []}]\n", "must name 1 to 64"},
        {"on: [{severity: hihg}]\n", "did you mean 'high'?"},
        {"on: [{when: 'finding.tennant == 1'}]\n", "8:14: error: "},
        {"on: [{when: 'trigger.token_idd == \"t\"'}]\n", "did you mean 'token_id'?"},
        {"on: [{when: 'finding.tenant'}]\n", "8:14: error: "},
        {"on: [{when: 'finding.tenant == '}]\n", "8:"},
    };
    IV_AUTO(stage_deinit) struct stage s;
    IV_AUTO(iv_buf_deinit) struct iv_buf shown;
    stage_init(&s, STEPS);
    iv_buf_init(&shown, 1 << 16);
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        char text[1024];
        (void)snprintf(text, sizeof text, "%s%s", HEAD, rows[i].keys);
        stage_problems(&s, &shown, text);

        cr_expect(s.playbooks == NULL && strstr(shown.p, rows[i].want) != NULL, "row %zu: %s", i, shown.p);
    }
}

Test(occasion, of_what_this_baseline_does_not_have_is_warned_of)
{
    static const struct {
        const char *keys;
        const char *want;
    } rows[] = {
        {"on: [{rules: TOK-003}]\n",
         "8:14: warning: no rule of this baseline is called 'TOK-003', did you mean"},
        {"on: [{criteria: CC6.11}]\n", "is none of the Trust Services Criteria, did you mean"},
        {"on: [{severity: low}]\n", "8:6: warning: covers no rule of this baseline"},
    };
    IV_AUTO(stage_deinit) struct stage s;
    IV_AUTO(iv_buf_deinit) struct iv_buf shown;
    stage_init(&s, STEPS);
    iv_buf_init(&shown, 1 << 16);
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        char text[1024];
        (void)snprintf(text, sizeof text, "%s%s", HEAD, rows[i].keys);
        stage_problems(&s, &shown, text);

        cr_expect(s.playbooks != NULL && strstr(shown.p, rows[i].want) != NULL, "row %zu: %s", i, shown.p);
    }
}

/* Parameters are the trigger's, under its overrides. */
Test(occasion, sees_the_parameters_that_hold_for_its_trigger)
{
    static const char text[] = "apiVersion: invigil/v1\nkind: Baseline\nmetadata: {name: t}\n"
                               "parameters: {answer: {always: false}}\n"
                               "overrides: [{match: {tenant: acme}, parameters: {answer: {always: true}}}]\n"
                               "playbooks: [revoke.yaml]\n";
    static const struct {
        const char *tenant;
        size_t planned;
    } rows[] = {{"acme", 1}, {"other", 0}};
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        IV_AUTO(stage_deinit) struct stage s;
        IV_AUTO(iv_baseline_unrefp) struct iv_baseline *baseline = NULL;
        stage_init(&s, STEPS);
        s.sample.rule.remediate = (struct iv_str){NULL, 0};
        sample_set(&s.sample, "tenant", iv_val_str(iv_str_of(rows[i].tenant)));
        scratch_write(&s.dir, "baseline.yaml", IV_STR(text));
        scratch_write(&s.dir, "revoke.yaml", IV_STR(HEAD "on: [{when: baseline.answer.always}]\n"));
        cr_assert(iv_ok(iv_baseline_load(&baseline, iv_str_of(s.dir.path), s.problems, NULL)));
        iv_playbooks_unref(TAKE(s.playbooks));
        cr_assert(iv_ok(iv_playbooks_load(&s.playbooks, baseline, s.problems, NULL)));

        stage_find_under(&s, baseline);

        cr_expect(stage_executions(&s) == rows[i].planned, "row %zu", i);
        sample_number(&s.sample, 2);
        sample_set(&s.sample, "token_id", iv_val_str(IV_STR("t-2")));
        sample_set(&s.sample, "tenant", iv_val_str(iv_str_of(rows[1 - i].tenant)));
        stage_find_under(&s, baseline);
        cr_expect(stage_executions(&s) == 1, "row %zu, then the other: each has its own parameters", i);
    }
}

/* A playbook for many rules: what may be absent need not be a field of each one's trigger. */
Test(occasion, binds_templates_to_the_triggers_of_the_rules_that_it_covers)
{
    static const struct {
        const char *keys;
        const char *field;
        bool loads;
    } rows[] = {
        {"on: [{rules: TOK-*}]\n", "token_id", true},
        {"on: [{rules: TOK-*}]\n", "args_sha384", false},
        {"on: [{rules: TOK-*}]\n", "args_sha384?", false},
        {"on: [{rules: ISO-*}]\n", "args_sha384", true}, /* it covers none, so any event will do */
    };
    IV_AUTO(stage_deinit) struct stage s;
    IV_AUTO(iv_buf_deinit) struct iv_buf shown;
    stage_init(&s, STEPS);
    s.sample.rule.remediate = (struct iv_str){NULL, 0};
    iv_buf_init(&shown, 1 << 16);
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        char text[1024];
        (void)snprintf(text, sizeof text,
                       "%s- name: two\n  http: {endpoint: hook, path: \"/{{trigger.%s}}\"}\n%s", HEAD,
                       rows[i].field, rows[i].keys);
        stage_problems(&s, &shown, text);

        bool loads = s.playbooks != NULL;
        cr_expect(loads == rows[i].loads, "row %zu: %s", i, shown.p);
    }
}
