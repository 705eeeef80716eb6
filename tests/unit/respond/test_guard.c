/* SPDX-License-Identifier: Apache-2.0 */
/* What a playbook may do in its own right, and what becomes of the rest. */
#include "base/guard.h"
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
