/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "support/hook_server.h"
#include "support/stage.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#define PLAIN "- name: one\n  http: {endpoint: hook, path: /x}\n"

Test(plan, renders_references_with_their_type_and_text_with_escapes)
{
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, "- name: one\n"
                   "  http:\n"
                   "    endpoint: hook\n"
                   "    path: /t/{{trigger.token_id}}/{{ rule.id }}\n"
                   "    headers: {X-Tenant: \"{{trigger.tenant}}\", X-Port: 443}\n"
                   "    body:\n"
                   "      id: \"{{trigger.token_id}}\"\n"
                   "      text: \"token '{{trigger.token_id}}' of {{trigger.agent}}\"\n"
                   "      when: \"{{trigger.time}}\"\n"
                   "      number: 7\n"
                   "      none: \"{{trigger.scope?}}\"\n"
                   "      inside: \"<{{trigger.scope?}}>\"\n"
                   "      for: 5m\n"
                   "      list: [true, null, \"{{finding.severity}}\"]\n");
    sample_set(&s.sample, "token_id", iv_val_str(IV_STR("a/\"b\"\n")));

    stage_find(&s);

    struct iv_step step = stage_step(&s, 0);
    cr_expect_str_eq(step.request.p,
                     "{\"endpoint\":\"hook\",\"path\":\"/t/a%2F%22b%22%0A/TOK-002\","
                     "\"headers\":{\"X-Tenant\":\"acme\",\"X-Port\":\"443\"},"
                     "\"body\":{\"id\":\"a/\\\"b\\\"\\n\",\"text\":\"token 'a/\\\"b\\\"\\n' of agent-7\","
                     "\"when\":\"2026-01-01T00:00:02.500Z\",\"number\":7,\"none\":null,\"inside\":\"<>\","
                     "\"for\":\"5m\",\"list\":[true,null,\"critical\"]}}");
    cr_expect(stage_execution(&s).state == IV_RUN_PLANNED);
    cr_expect(step.state == IV_STEP_DUE && step.attempt == 0);
}

Test(plan, is_made_once_for_a_finding_however_often_it_is_found)
{
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, PLAIN);

    stage_find(&s);
    stage_find(&s);
    cr_expect(stage_executions(&s) == 1);
    sample_number(&s.sample, 2);
    sample_set(&s.sample, "token_id", iv_val_str(IV_STR("another")));
    stage_find(&s);
    cr_expect(stage_executions(&s) == 2);
}

static void find_another(struct stage *s, unsigned number)
{
    sample_number(&s->sample, number);
    stage_find(s);
}

static void end_as(struct stage *s, enum iv_run_state state, iv_ns when)
{
    struct iv_execution e = stage_execution(s);
    e.state = state;
    e.finished = when;
    cr_assert(iv_ok(iv_store_begin(s->store, NULL)));
    cr_assert(iv_ok(iv_store_move_execution(s->store, &e, NULL)));
    cr_assert(iv_ok(iv_store_commit(s->store, NULL)));
}

static bool count_joins(void *ctx, const struct iv_action *action)
{
    *(int *)ctx += iv_str_eq(action->state, IV_STR(IV_ACTION_JOINED)) &&
                   strstr(action->ocsf.p, "\"joined\":true") != NULL;
    return true;
}

Test(plan, one_execution_answers_all_findings_of_its_target_while_it_is_on_its_way)
{
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, PLAIN);
    int joins = 0;

    stage_find(&s);
    for (unsigned number = 2; number <= 100; number++) {
        find_another(&s, number);
        stage_find(&s);
    }

    cr_expect(stage_executions(&s) == 1);
    cr_expect(stage_execution(&s).findings == 100, "each once, however often it is found");
    cr_assert(
        iv_ok(iv_reader_actions(s.reader, (struct iv_str){NULL, 0}, 0, 1000, count_joins, &joins, NULL)));
    cr_expect(joins == 99);
}

Test(plan, joins_what_ended_well_within_dedup_and_nothing_else)
{
    static const struct {
        enum iv_run_state state;
        iv_ns ago;
        size_t executions;
    } rows[] = {{IV_RUN_DONE, 9 * 60 * IV_NS_PER_S, 1},    {IV_RUN_DONE, 11 * 60 * IV_NS_PER_S, 2},
                {IV_RUN_VERIFIED, IV_NS_PER_S / 2, 1},     {IV_RUN_FAILED, IV_NS_PER_S, 2},
                {IV_RUN_VERIFIED, 60 * IV_NS_PER_S, 2}, /* its event is of after the proof */
                {IV_RUN_AMBIGUOUS, IV_NS_PER_S, 2},        {IV_RUN_REFUSED, IV_NS_PER_S, 2},
                {IV_RUN_UNDONE, IV_NS_PER_S, 2},           {IV_RUN_WITHHELD, IV_NS_PER_S, 2},
                {IV_RUN_WAITING, 20 * 60 * IV_NS_PER_S, 1}};
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        IV_AUTO(stage_deinit) struct stage s;
        stage_init(&s, PLAIN);
        stage_find(&s);
        end_as(&s, rows[i].state, s.now - rows[i].ago);

        find_another(&s, 2);

        cr_expect(stage_executions(&s) == rows[i].executions, "row %zu", i);
    }
}

Test(plan, a_finding_that_was_answered_is_not_answered_again_when_it_is_read_again_later)
{
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, PLAIN);
    stage_find(&s);
    find_another(&s, 2);
    end_as(&s, IV_RUN_DONE, s.now);

    s.now += 3600 * IV_NS_PER_S;
    stage_find(&s);
    cr_expect(stage_executions(&s) == 1);
    find_another(&s, 3);
    cr_expect(stage_executions(&s) == 2, "what comes after dedup is answered anew");
}

Test(plan, what_two_tenants_call_by_one_name_is_two_targets)
{
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, PLAIN);

    stage_find(&s);
    sample_set(&s.sample, "tenant", iv_val_str(IV_STR("globex")));
    find_another(&s, 2);

    cr_expect(stage_executions(&s) == 2);
}

Test(plan, without_a_target_nothing_is_joined)
{
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, PLAIN);
    sample_set(&s.sample, "token_id", iv_val_str(IV_STR("")));

    stage_find(&s);
    find_another(&s, 2);

    cr_expect(stage_executions(&s) == 2);
}

static void observe(struct sample *s)
{
    s->rule.mode = IV_MODE_OBSERVE;
}

static void waive(struct sample *s)
{
    s->verdict.waiver = &s->waiver;
}

static void forget(struct sample *s)
{
    s->rule.remediate = (struct iv_str){NULL, 0};
}

static void doubt(struct sample *s)
{
    s->verdict.kind = IV_INCONCLUSIVE;
}

static void leave_open(struct sample *s)
{
    s->verdict.kind = IV_OPEN;
}

static void update(struct sample *s)
{
    s->verdict.kind = IV_UPDATED;
}

static void contradict(struct sample *s)
{
    s->verdict.kind = IV_CONTRADICTED;
}

Test(plan, is_not_made_for_what_is_not_a_new_proven_violation_in_force)
{
    static void (*const changes[])(struct sample *) = {observe,    waive,  forget,    doubt,
                                                       leave_open, update, contradict};
    for (size_t i = 0; i < IV_COUNT(changes); i++) {
        IV_AUTO(stage_deinit) struct stage s;
        stage_init(&s, PLAIN);
        changes[i](&s.sample);

        stage_find(&s);

        cr_expect(stage_executions(&s) == 0, "change %zu", i);
    }
}

Test(plan, that_lacks_a_field_of_this_trigger_is_on_record_as_failed)
{
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, "- name: one\n  http: {endpoint: hook, path: \"/{{trigger.scope}}\"}\n");

    stage_find(&s);

    struct iv_execution e = stage_execution(&s);
    cr_expect(e.state == IV_RUN_FAILED);
    cr_expect(strstr(e.cause.p, "'scope'") != NULL && strstr(e.cause.p, "token.used") != NULL, "%s",
              e.cause.p);
}

static size_t failed_of(const char *keys, unsigned findings, iv_ns apart)
{
    IV_AUTO(stage_deinit) struct stage s;
    struct iv_store_totals totals;
    stage_init_playbook(&s, keys, "- name: one\n  http: {endpoint: hook, path: \"/{{trigger.scope}}\"}\n");
    for (unsigned number = 1; number <= findings; number++) {
        char token[16];
        (void)snprintf(token, sizeof token, "tok-%u", number);
        sample_number(&s.sample, number);
        sample_set(&s.sample, "token_id", iv_val_str(iv_str_of(token)));
        stage_find(&s);
        s.now += apart;
    }
    cr_assert(iv_ok(iv_reader_totals(s.reader, &totals, NULL)));
    return (size_t)totals.executions[IV_RUN_FAILED];
}

Test(plan, that_lacks_the_same_field_again_is_on_record_once_within_dedup)
{
    cr_expect(failed_of("", 5, IV_NS_PER_S) == 1);
    cr_expect(failed_of("dedup: 1m\n", 3, 61 * IV_NS_PER_S) == 3);
}

/* An identifier may have 4 KiB. */
Test(plan, takes_targets_of_the_longest_identifiers)
{
    static char longest[4096];
    IV_AUTO(stage_deinit) struct stage s;
    struct iv_store_totals totals;
    memset(longest, 'x', sizeof longest);
    stage_init(&s, PLAIN);
    sample_set(&s.sample, "token_id", iv_val_str((struct iv_str){longest, sizeof longest}));
    sample_set(&s.sample, "agent", iv_val_str((struct iv_str){longest, sizeof longest}));
    struct iv_buf out;
    iv_buf_init(&out, 1 << 16);
    stage_problems(&s, &out,
                   "apiVersion: invigil/v1\nkind: Playbook\nmetadata: {name: revoke, title: t}\n"
                   "target: \"{{rule.id}}/{{trigger.agent}}/{{trigger.token_id}}\"\nsteps:\n" PLAIN);
    cr_assert(s.playbooks != NULL, "%s", out.p);
    stage_find(&s);
    iv_buf_deinit(&out);

    cr_assert(iv_ok(iv_reader_totals(s.reader, &totals, NULL)));
    cr_expect(totals.executions[IV_RUN_PLANNED] == 1 && totals.executions[IV_RUN_FAILED] == 0);
}

/* The step alone: what follows it "on_failure: continue" is called. */
Test(plan, refuses_a_step_whose_values_would_break_out_of_a_header_or_a_path)
{
#define HTTP(path) "- name: one\n  http: {endpoint: hook, path: \"" path "\"}\n"
#define GROUP(path) "- name: one\n  cgroup.kill: {group: \"" path "\"}\n"
    static const struct {
        const char *step;
        const char *value;
        size_t n; /* 0: as long as it is */
    } rows[] = {
        {"- name: one\n  http: {endpoint: hook, path: /x, headers: {X: \"{{trigger.scope}}\"}}\n",
         "a\r\nHost: evil", 0},
        {HTTP("/x/{{trigger.scope}}/y"), "..", 0},
        {HTTP("/x/{{trigger.scope}}/y"), ".", 0},
        {HTTP("/x/{{trigger.scope}}/y"), "", 0},
        {HTTP("/x/{{trigger.scope?}}"), "", 0},
        {HTTP("/x/{{trigger.scope}}/y"), "../admin", 0},
        {HTTP("/x/{{trigger.scope}}/y"), "a/../../admin", 0},
        {HTTP("/x/{{trigger.scope}}/y"), "..\\admin", 0},
        {HTTP("/x/.{{trigger.scope}}"), "./admin", 0},
        {HTTP("/x/%2{{trigger.scope}}"), "e", 0},
        {GROUP("tenants/acme/{{trigger.scope}}"), "", 0},
        {GROUP("tenants/acme/{{trigger.scope?}}"), "", 0},
        {GROUP("tenants/acme/{{trigger.scope}}"), ".", 0},
        {GROUP("tenants/acme/{{trigger.scope}}"), "..", 0},
        {GROUP("tenants/acme/{{trigger.scope}}"), "agent-7/x", 0},
        {GROUP("tenants/{{trigger.scope}}"), "other-tenant/agent-7", 0},
        {GROUP("tenants/{{trigger.scope}}"), "a\0b", 3},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        IV_AUTO(stage_deinit) struct stage s;
        char steps[512];
        (void)snprintf(steps, sizeof steps,
                       "%s  on_failure: continue\n- name: two\n  http: {endpoint: hook, path: /two}\n",
                       rows[i].step);
        struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_OK}, 1);
        stage_init(&s, steps);
        size_t n = rows[i].n == 0 ? strlen(rows[i].value) : rows[i].n;
        sample_set(&s.sample, "scope", iv_val_str((struct iv_str){rows[i].value, n}));

        stage_find(&s);
        stage_respond(&s, hook_url(hook));
        stage_run(&s, true);

        struct iv_step step = stage_step(&s, 0);
        cr_expect(step.state == IV_STEP_FAILED && step.cause.n > 0, "row %zu: %s", i,
                  iv_step_state_name(step.state));
        cr_expect(stage_step(&s, 1).state == IV_STEP_DONE && hook_count(hook) == 1, "row %zu", i);
        hook_stop(hook);
    }
}

Test(plan, takes_what_is_one_segment_for_what_it_is)
{
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(
        &s,
        GROUP("tenants/{{trigger.tenant}}/a.{{trigger.scope}}") "- name: two\n  http: {endpoint: hook, "
                                                                "path: "
                                                                "\"/x/{{trigger.scope}}/..x?up=/../y\"}\n");
    sample_set(&s.sample, "scope", iv_val_str(IV_STR("..b...")));

    stage_find(&s);

    cr_expect_str_eq(stage_step(&s, 0).request.p, "{\"group\":\"tenants/acme/a...b...\"}");
    cr_expect_str_eq(stage_step(&s, 1).request.p,
                     "{\"endpoint\":\"hook\",\"path\":\"/x/..b.../..x?up=/../y\"}");
}

Test(plan, gives_keys_that_are_the_same_on_every_run)
{
    char keys[2][IV_UID_HEX + 1];
    for (int run = 0; run < 2; run++) {
        IV_AUTO(stage_deinit) struct stage s;
        stage_init(&s, PLAIN);
        s.now += run;
        stage_find(&s);
        cr_assert(stage_step(&s, 0).key.n == IV_UID_HEX);
        memcpy(keys[run], stage_step(&s, 0).key.p, IV_UID_HEX + 1);
    }
    cr_expect_str_eq(keys[0], keys[1]);
}

Test(plan, whose_target_or_request_is_too_large_is_on_record_as_failed)
{
    static const char *const steps[] = {
        PLAIN, "- name: one\n  kafka: {topic: t, key: k, value: \"{{trigger.endpoint}}\"}\n"};
    static const char *const fields[] = {"token_id", "endpoint"};
    static char big[600 << 10];
    memset(big, 'x', sizeof big);
    for (size_t i = 0; i < IV_COUNT(steps); i++) {
        IV_AUTO(stage_deinit) struct stage s;
        stage_init(&s, steps[i]);
        sample_set(&s.sample, fields[i], iv_val_str((struct iv_str){big, sizeof big}));

        stage_find(&s);

        cr_expect(stage_execution(&s).state == IV_RUN_FAILED);
        cr_expect(strstr(stage_execution(&s).cause.p, "larger than") != NULL, "%s",
                  stage_execution(&s).cause.p);
    }
}
