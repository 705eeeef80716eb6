/* SPDX-License-Identifier: Apache-2.0 */
/* What a playbook may do in its own right, and what becomes of the rest. */
#include "base/guard.h"
#include "evidence/alive.h"
#include "support/hook_server.h"
#include "support/stage.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#define STEPS                                                                                                \
    "- name: one\n  http: {endpoint: hook, path: /x}\n- name: two\n  http: {endpoint: hook, path: /y}\n"
#define MINUTE (60 * IV_NS_PER_S)

/* A finding of its own; fields that are NULL stay as they are. */
static struct iv_execution find(struct stage *s, unsigned number, const char *agent, const char *tenant)
{
    char token[16];
    (void)snprintf(token, sizeof token, "tok-%u", number);
    sample_number(&s->sample, number);
    sample_set(&s->sample, "token_id", iv_val_str(iv_str_of(token)));
    if (agent != NULL) {
        sample_set(&s->sample, "agent", iv_val_str(iv_str_of(agent)));
    }
    if (tenant != NULL) {
        sample_set(&s->sample, "tenant", iv_val_str(iv_str_of(tenant)));
    }
    stage_find(s);
    return stage_execution(s);
}

Test(guard, thirty_executions_a_minute_pass_where_nothing_is_said_and_the_rest_waits)
{
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, STEPS);

    for (unsigned number = 1; number <= 30; number++) {
        cr_expect(find(&s, number, NULL, NULL).state == IV_RUN_PLANNED, "%u", number);
    }
    struct iv_execution held = find(&s, 31, NULL, NULL);

    cr_expect(held.state == IV_RUN_WAITING && held.expires > s.now);
    cr_expect(strstr(held.cause.p, "guard executions.minute: at most 30 executions within a minute") != NULL,
              "%s", held.cause.p);
    cr_expect(stage_step(&s, 0).state == IV_STEP_QUEUED && stage_step(&s, 1).state == IV_STEP_QUEUED);
    s.now += MINUTE;
    cr_expect(find(&s, 32, NULL, NULL).state == IV_RUN_PLANNED, "a minute later there is room again");
}

Test(guard, limits_are_those_of_the_playbook_in_each_window)
{
    static const struct {
        const char *keys;
        iv_ns apart;
        int passes;
    } rows[] = {
        {"guards: {executions: {minute: 2}}\n", 0, 2},
        {"guards: {executions: {minute: 9, hour: 3}}\n", 2 * MINUTE, 3},
        {"guards: {executions: {minute: 9, hour: 9, day: 4}}\n", 61 * MINUTE, 4},
        {"guards: {executions: {minute: 0}}\n", 2 * MINUTE, 0},
        {"guards: {agents: {minute: 0}}\n", 2 * MINUTE, 0},
        {"guards: {enclaves: {day: 0}}\n", 2 * MINUTE, 8}, /* it touches none */
        {"guards: {enclaves: {day: 1}}\ntouches: {enclave: \"{{trigger.token_id}}\"}\n", 0, 1},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        IV_AUTO(stage_deinit) struct stage s;
        stage_init_playbook(&s, rows[i].keys, STEPS);
        int passes = 0;
        for (unsigned number = 1; number <= 8; number++) {
            passes += find(&s, number, NULL, NULL).state == IV_RUN_PLANNED;
            s.now += rows[i].apart;
        }
        cr_expect(passes == rows[i].passes, "row %zu: %d", i, passes);
    }
}

Test(guard, counts_what_was_done_before_the_store_was_closed_and_opened_again)
{
    static const char *const keys[] = {"guards: {executions: {minute: 3}}\n",
                                       "guards: {agents: {minute: 3}}\n"};
    for (size_t i = 0; i < IV_COUNT(keys); i++) {
        IV_AUTO(stage_deinit) struct stage s;
        stage_init_playbook(&s, keys[i], STEPS);
        for (unsigned number = 1; number <= 4; number++) {
            char agent[16];
            (void)snprintf(agent, sizeof agent, "a%u", number);
            iv_store_close(TAKE(s.store));
            cr_assert(iv_ok(iv_store_open(&s.store, scratch_file(&s.dir, "s.db"), NULL)));

            enum iv_run_state state = find(&s, number, agent, NULL).state;

            cr_expect(state == (number <= 3 ? IV_RUN_PLANNED : IV_RUN_WAITING), "%s, %u", keys[i], number);
        }
    }
}

Test(guard, counts_distinct_agents_and_tenants_not_how_often_each_was_touched)
{
    static const struct {
        const char *agent;
        const char *tenant;
        enum iv_run_state state;
        const char *guard;
    } rows[] = {
        {"a1", "t1", IV_RUN_PLANNED, ""},
        {"a2", "t1", IV_RUN_PLANNED, ""},
        {"a1", "t2", IV_RUN_PLANNED, ""},
        {"a3", "t1", IV_RUN_WAITING, "agents.minute"},
        {"a2", "t3", IV_RUN_WAITING, "tenants.hour"},
        {"a2", "t2", IV_RUN_PLANNED, ""},
    };
    IV_AUTO(stage_deinit) struct stage s;
    stage_init_playbook(&s, "guards: {agents: {minute: 2}, tenants: {hour: 2}}\n", STEPS);
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        struct iv_execution e = find(&s, (unsigned)i + 1, rows[i].agent, rows[i].tenant);
        cr_expect(e.state == rows[i].state && strstr(e.cause.p, rows[i].guard) != NULL, "row %zu: %s", i,
                  e.cause.p);
    }
}

Test(guard, what_waits_is_not_called_and_is_refused_when_its_time_is_up)
{
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_OK}, 1);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init_playbook(&s, "guards: {executions: {day: 0}}\n", STEPS);
    struct iv_execution held = find(&s, 1, NULL, NULL);
    stage_respond(&s, hook_url(hook));
    stage_run(&s, true);
    cr_expect(stage_execution(&s).state == IV_RUN_WAITING);

    s.now = held.expires;
    stage_run(&s, true);

    struct iv_execution e = stage_execution(&s);
    cr_expect(e.state == IV_RUN_REFUSED && e.finished == s.now);
    cr_expect(strstr(e.cause.p, "nobody approved it in time") != NULL &&
                  strstr(e.cause.p, "executions.day") != NULL,
              "%s", e.cause.p);
    cr_expect(stage_step(&s, 0).state == IV_STEP_SKIPPED && stage_step(&s, 1).state == IV_STEP_SKIPPED);
    cr_expect(hook_count(hook) == 0);
}

Test(guard, of_a_storm_what_is_over_the_limit_waits_and_one_target_is_one_execution)
{
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, STEPS);

    for (unsigned number = 1; number <= 300; number++) {
        (void)find(&s, number % 100 + 1, NULL, NULL);
    }

    struct iv_store_totals totals;
    cr_assert(iv_ok(iv_reader_totals(s.reader, &totals, NULL)));
    cr_expect(totals.executions[IV_RUN_PLANNED] == 30 && totals.executions[IV_RUN_WAITING] == 70);
}

static void be_alive(struct stage *s, unsigned count, iv_ns as_of)
{
    struct iv_crowd crowd = {.hashes = NULL};
    struct iv_buf bytes;
    struct iv_err err;
    iv_buf_init(&bytes, IV_CROWD_BYTES + 1);
    for (uint64_t i = 0; i < count; i++) {
        cr_assert(iv_crowd_add(&crowd, i * UINT64_C(0x9e3779b97f4a7c15), NULL));
    }
    iv_crowd_write(&bytes, &crowd);
    const struct iv_alive_row row = {IV_ALIVE_AGENTS, as_of / IV_ALIVE_SPAN * IV_ALIVE_SPAN,
                                     iv_buf_slice(&bytes)};
    cr_assert(iv_ok(iv_store_begin(s->store, &err)));
    cr_assert(iv_ok(iv_store_put_alive(s->store, IV_STR("l"), 0, as_of, &row, 1, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_store_commit(s->store, &err)));
    iv_buf_deinit(&bytes);
    iv_crowd_deinit(&crowd);
}

Test(guard, a_share_of_those_alive_holds_however_few_they_are)
{
    static const struct {
        const char *agents;
        unsigned alive; /* 0: nobody has said */
        iv_ns age;
        int passes;
        const char *cause;
    } rows[] = {
        {"{minute: 2, hour: 8, share: 0.1}", 40, 0, 4,
         "guard agents.share: at most 4 of 40 alive within an hour; waits for an approval"},
        {"{minute: 2, hour: 8, share: 0.1}", 40, 4 * MINUTE, 4, "agents.share: at most 4"},
        {"{minute: 2, hour: 8, share: 0.1}", 11, 0, 2, "agents.share: at most 2 of 11 alive within an hour"},
        {"{minute: 2, hour: 8, share: 0.1}", 10, 0, 1, "agents.share: at most 1 of 10 alive within an hour"},
        {"{minute: 5, hour: 8, share: 0.25}", 3, 0, 1, "agents.share: at most 1 of 3 alive within an hour"},
        {"", 9, 0, 5, "agents.share: at most 5 of 9 alive within an hour"},
        {"{minute: 2}", 9, 0, 2, "agents.share: at most 2 of 9 alive within an hour"},
        {"{minute: 2, hour: 8}", 1, 0, 1, "agents.share: at most 1 of 1 alive within an hour"},
        {"{minute: 2, hour: 8, share: 0.1}", 250, 0, 8, "agents.hour: at most 8"},
        {"{minute: 2, hour: 8, share: 0.1}", 0, 0, 2,
         "agents.share: beyond 2 within an hour it is a share, and"},
        {"{minute: 2, hour: 8, share: 0.1}", 40, 6 * MINUTE, 2, "it is not known how many are alive"},
        {"{minute: 2, hour: 8, share: 0.1}", 7, 6 * MINUTE, 1, "it is not known how many are alive"},
        {"{minute: 2, hour: 8, share: 0.999}", 6, 0, 6, "agents.share: at most 6 of 6 alive within an hour"},
        {"{minute: 2, hour: 8, share: 1}", 5, 0, 8, "agents.hour: at most 8"},
        {"{minute: 1, hour: 8}", 60, 0, 3, "agents.share: at most 3 of 60 alive within an hour"},
        {"{minute: 9, hour: 8}", 0, 0, 8, "agents.hour: at most 8"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        IV_AUTO(stage_deinit) struct stage s;
        struct iv_execution e;
        char keys[128];
        int passes = 0;
        (void)snprintf(keys, sizeof keys, "guards: {tenants: {minute: 99, hour: 99, share: 1}%s%s}\n",
                       rows[i].agents[0] == '\0' ? "" : ", agents: ", rows[i].agents);
        stage_init_playbook(&s, keys, STEPS);
        for (unsigned number = 1; number <= 10; number++) {
            char agent[16];
            (void)snprintf(agent, sizeof agent, "a%u", number);
            if (rows[i].alive > 0) {
                be_alive(&s, rows[i].alive, s.now - rows[i].age);
            }
            e = find(&s, number, agent, NULL);
            passes += e.state == IV_RUN_PLANNED;
            s.now += MINUTE;
        }
        cr_expect(passes == rows[i].passes && strstr(e.cause.p, rows[i].cause) != NULL, "row %zu: %d, %s", i,
                  passes, e.cause.p);
        cr_expect(find(&s, 11, "a1", NULL).state == IV_RUN_PLANNED, "row %zu: it was touched before", i);
    }
}

/* A store that is new reads what others found in a month. */
Test(guard, has_findings_that_others_made_long_ago_wait)
{
    static const struct {
        const char *keys;
        iv_ns ago; /* < 0: nobody knows */
        bool waits;
    } rows[] = {{"", 3600 * IV_NS_PER_S, false},
                {"", 3601 * IV_NS_PER_S, true},
                {"", -1, false},
                {"guards: {max_age: 2h}\n", 3601 * IV_NS_PER_S, false},
                {"guards: {max_age: 1m}\n", 61 * IV_NS_PER_S, true}};
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        IV_AUTO(stage_deinit) struct stage s;
        IV_AUTO(iv_buf_deinit) struct iv_buf scratch;
        struct iv_finding row;
        stage_init_playbook(&s, rows[i].keys, "- name: a\n  http: {endpoint: hook, path: /x}\n");
        iv_buf_init(&scratch, 1 << 16);
        cr_assert(
            iv_ok(iv_finding_of_verdict(&row, &scratch, &s.sample.baseline, &s.sample.verdict, s.now, NULL)));
        row.made = rows[i].ago < 0 ? 0 : s.now - rows[i].ago;
        cr_assert(iv_ok(iv_store_begin(s.store, NULL)));
        cr_assert(iv_ok(
            iv_respond_plan(s.playbooks, s.store, &row, &s.sample.verdict, &s.sample.baseline, s.now, NULL)));
        cr_assert(iv_ok(iv_store_commit(s.store, NULL)));

        struct iv_execution e = stage_execution(&s);
        cr_expect(e.state == (rows[i].waits ? IV_RUN_WAITING : IV_RUN_PLANNED), "row %zu", i);
        cr_expect(strstr(e.cause.p, "guard max_age: the finding is of 20") != NULL || !rows[i].waits,
                  "row %zu: %s", i, e.cause.p);
    }
}
