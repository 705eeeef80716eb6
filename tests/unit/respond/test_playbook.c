/* SPDX-License-Identifier: Apache-2.0 */
/* What a playbook's author is told, and where. */
#include "base/guard.h"
#include "respond/action.h"
#include "support/stage.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#define HEAD STAGE_PLAYBOOK "steps:\n"
#define STEP "- name: one\n  http: {endpoint: hook, path: /x}\n"
#define POLICY "- name: one\n  kubernetes.network_policy: {endpoint: k, namespace: a, name: n, "

struct row {
    const char *playbook;
    const char *want; /* "LINE:COLUMN: error: words" */
};

static void check_refused(const struct row *rows, size_t count)
{
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, STEP);
    for (size_t i = 0; i < count; i++) {
        stage_refuses(&s, rows[i].playbook, rows[i].want);
    }
}

Test(playbook, is_refused_with_the_place_and_what_would_be_right)
{
    static const struct row rows[] = {
        {HEAD "- name: one\n  htp: {endpoint: hook, path: /x}\n", "7:3: error: "},
        {HEAD "- name: one\n  htp: {endpoint: hook, path: /x}\n", "did you mean 'http'?"},
        {HEAD "- name: one\n  http: {endpoint: hook}\n", "path"},
        {HEAD "- name: one\n  http: {endpoint: hook, path: x}\n", "7:32: error: must begin with '/'"},
        {HEAD "- name: one\n  http: {endpoint: \"{{rule.id}}\", path: /x}\n", "no template can stand here"},
        {HEAD "- name: one\n  http: {endpoint: hook, path: \"/{{trigger.token_idd}}\"}\n",
         "7:44: error: no trigger of rule TOK-002 has a field 'token_idd', did you mean 'token_id'?"},
        {HEAD "- name: one\n  http: {endpoint: hook, path: /x, body: {a: \"{{trigger.scopes}}\"}}\n",
         "no trigger of rule TOK-002 has a field 'scopes'"},
        {HEAD "- name: one\n  http: {endpoint: hook, path: /x, body: [\"{{finding.id}}\"]}\n",
         "there is no 'finding.id', did you mean 'uid'?"},
        {HEAD "- name: one\n  http: {endpoint: hook, path: /x, body: [\"{{token_id}}\"]}\n",
         "is no reference"},
        {HEAD "- name: one\n  http: {endpoint: hook, path: /x, body: [\"{{\"]}\n", "'{{' is not closed"},
        {HEAD "- name: one\n  http: {endpoint: hook, path: /x, headers: {\"a b\": x}}\n",
         "is no header's name"},
        {HEAD "- name: one\n  http: {endpoint: hook, path: /x, headers: {idempotency-key: x}}\n",
         "is set by the action itself"},
        {HEAD "- name: one\n  http: {endpoint: hook, path: /x}\n  kafka: {topic: t, key: k, value: 1}\n",
         "a step has one action only"},
        {HEAD "- name: one\n", "a step needs an action, one of 'cgroup.freeze', "},
        {HEAD STEP "- name: one\n  http: {endpoint: hook, path: /y}\n",
         "another step of this playbook is called"},
        {HEAD "- name: one\n  http: {endpoint: hook, path: /x}\n  timeout: 0s\n", "between 1ms and 5m"},
        {HEAD "- name: one\n  http: {endpoint: hook, path: /x}\n  retry: {attempts: 99}\n", "error"},
        {HEAD "- name: one\n  http: {endpoint: hook, path: /x}\n  retry: {backoff: 5s, max_backoff: 1s}\n",
         "between backoff and 1d"},
        {HEAD "  []\n", "must hold 1 to 16 steps"},
        {"apiVersion: invigil/v2\nkind: Playbook\nmetadata: {name: a, title: b}\ntarget: x\nsteps:\n" STEP,
         "1:13: error: must be 'invigil/v1'"},
        {"apiVersion: invigil/v1\nkind: Playbook\nmetadata: {name: a, title: b}\ntarget: x\ntactic: "
         "kill\nsteps:\n" STEP,
         "5:9: error: "},
        {HEAD STEP "  when: now\n", "unknown"},
        {HEAD "- {", "error: "},
    };
    check_refused(rows, IV_COUNT(rows));
}

Test(playbook, is_refused_for_a_value_that_can_never_work)
{
    static const struct row rows[] = {
        {HEAD "- name: one\n  http: {endpoint: hook, path: /../../admin}\n",
         "7:32: error: leads elsewhere: no segment of a path may be '.' or '..'"},
        {HEAD "- name: one\n  http: {endpoint: hook, path: \"/%2E%2e/{{rule.id}}\"}\n", "leads elsewhere"},
        {HEAD "- name: one\n  http: {endpoint: hook, path: /x/.}\n", "leads elsewhere"},
        {HEAD "- name: one\n  http: {endpoint: hook, path: ~}\n", "7:32: error: "},
        {HEAD "- name: one\n  kafka: {topic: \"not a topic!\", key: k, value: 1}\n",
         "7:18: error: must be a topic's name"},
        {HEAD "- name: one\n  cgroup.kill: {group: ../x}\n", "7:24: error: must be a path below the"},
        {HEAD "- name: one\n  cgroup.freeze: {group: \"../{{trigger.agent}}\"}\n",
         "must be a path below the"},
        {HEAD "- name: one\n  cgroup.kill: {group: a//b}\n", "must be a path below the"},
        {HEAD "- name: one\n  oci.kill: {container: -x}\n", "7:25: error: must be a container's name"},
        {HEAD "- name: one\n  oci.pause: {container: \"\"}\n", "must be a container's name"},
        {HEAD "- name: one\n  firecracker.kill: {socket: /run/x.sock}\n", "must be a path below the"},
        {HEAD "- name: one\n  firecracker.snapshot: {socket: x, state: /s/../t, memory: /m}\n",
         "leads elsewhere"},
        {HEAD "- name: one\n  firecracker.snapshot: {socket: x, state: \"/s?/../t\", memory: /m}\n",
         "must be an absolute path of a file"},
        {HEAD "- name: one\n  exec: {command: x, values: {a: 1}}\n",
         "7:31: error: must be a mapping of texts"},
        {HEAD "- name: one\n  exec: {command: x, values: [a]}\n", "must be a mapping of texts"},
        {HEAD "- name: one\n  kubernetes.delete_pod: {endpoint: k, namespace: \"Bad NS\", pod: p}\n",
         "7:51: error: must be a namespace's name"},
        {HEAD "- name: one\n  kubernetes.delete_pod: {endpoint: k, namespace: a.b, pod: p}\n",
         "must be a namespace's name"},
        {HEAD "- name: one\n  kubernetes.delete_pod: {endpoint: k, namespace: a, pod: P}\n",
         "must be an object's name"},
        {HEAD "- name: one\n  kubernetes.delete_pod: {endpoint: k, namespace: a, pod: p, uid: \"\"}\n",
         "must not be empty"},
        {HEAD POLICY "labels: [a]}\n", "must be a mapping of labels"},
        {HEAD POLICY "labels: {a: 1}}\n", "must be a mapping of labels"},
        {HEAD POLICY "labels: {a: \"x y\"}}\n", "must be a mapping of labels"},
        {HEAD POLICY "labels: {}, state: gone}\n", "must be present or absent"},
        {HEAD "- name: one\n  oauth.revoke: {endpoint: a, token: \"\"}\n", "7:38: error: must not be empty"},
        {HEAD "- name: one\n  oauth.global_revocation: {endpoint: a, subject: {id: x}}\n",
         "must be a subject identifier: a mapping with a format"},
        {HEAD "- name: one\n  ssf.push: {endpoint: a, subject: {id: x}}\n", "must be a subject identifier"},
        {HEAD "- name: one\n  ssf.push: {endpoint: a, event: Gone!, subject: {format: opaque, id: x}}\n",
         "must be a URI, or the name of one of CAEP's events"},
        {HEAD "- name: one\n  ssf.push: {endpoint: a, subject: {format: opaque, id: x}, claims: "
              "{event_timestamp: 1}}\n",
         "7:70: error: must be a mapping without those that the action sets itself: event_timestamp"},
        {HEAD STEP "  undo: {after: 1h, kafka: {topic: \"..\", key: k, value: 1}}\n",
         "must be a topic's name"},
    };
    check_refused(rows, IV_COUNT(rows));
}

Test(playbook, is_refused_for_what_it_may_not_do_by_itself_as_well)
{
    static const struct row rows[] = {
        {HEAD STEP "guards: {executions: {minute: -1}}\n", "8:31: error: "},
        {HEAD STEP "guards: {executions: {week: 1}}\n", "unknown key 'week'"},
        {HEAD STEP "guards: {agents: {share: 0}}\n", "8:26: error: must be a share, from 0.001 to 1"},
        {HEAD STEP "guards: {tenants: {share: 1.5}}\n", "must be a share, from 0.001 to 1"},
        {HEAD STEP "guards: {enclaves: {share: [1]}}\n", "must be a share, from 0.001 to 1"},
        {HEAD STEP "guards: {executions: {share: 0.1}}\n", "unknown key 'share'"},
        {HEAD STEP "guards: {agent: {day: 1}}\n", "did you mean 'agents'?"},
        {HEAD STEP "touches: {agent: \"{{trigger.agnt}}\"}\n", "did you mean 'agent'?"},
        {HEAD STEP "  on_failure: retry\n", "8:15: error: "},
        {HEAD STEP "  only: escalated\n", "the first step has nothing before it"},
        {HEAD STEP "  on_failure: escalate\n", "needs a later step with 'only: escalated'"},
        {HEAD STEP "  undo: {after: 1h}\n", "a step needs an action"},
        {HEAD STEP "  undo: {http: {endpoint: hook, path: /y}}\n", "after"},
        {HEAD STEP "approval: {quorum: 0}\n", "8:20: error: "},
        {HEAD STEP "approval: {roles: [\"a b\"]}\n", "must be a role of the baseline's keys, without spaces"},
        {HEAD STEP "approval: {roles: []}\n", "must name at least one role"},
        {HEAD STEP "approval: {within: 1ms}\n", "between 1s and 30d"},
        {HEAD STEP "approval: {quorum: []}\n", "must name at least one role"},
        {HEAD STEP "approval: {quorum: [{count: 2}]}\n", "8:20: error: "},
        {HEAD STEP "approval: {quorum: [{role: a, count: 0}]}\n", "8:38: error: "},
        {HEAD STEP "approval: {quorum: [{role: \"&\"}]}\n",
         "must be a role of the baseline's keys, without spaces"},
        {HEAD STEP "approval: {quorum: [{role: a, count: 5}, {role: b, count: 5}]}\n", "9 keys at most"},
        {HEAD STEP "approval: {quorum: [{role: a}], roles: a}\n", "stand in the list under 'quorum' already"},
        {HEAD STEP "mode: dry\n", "8:7: error: "},
        {HEAD STEP "dedup: 2d\n", "between 0s and 1d"},
    };
    check_refused(rows, IV_COUNT(rows));
}

Test(playbook, reports_all_of_its_mistakes_in_one_run)
{
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, STEP);
    IV_AUTO(iv_buf_deinit) struct iv_buf shown;
    iv_buf_init(&shown, 1 << 16);

    stage_problems(&s, &shown,
                   HEAD "- name: one\n"
                        "  http: {endpoint: hook, path: x, bdy: 1}\n"
                        "  timeout: 1h\n"
                        "- http: {endpoint: hook, path: \"/{{trigger.nothing}}\"}\n");

    cr_expect(iv_problems_errors(s.problems) == 5, "%s", shown.p);
}

Test(playbook, may_name_a_field_of_any_event_where_no_rule_names_it)
{
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, STEP);
    s.sample.rule.remediate = IV_STR("another");
    IV_AUTO(iv_buf_deinit) struct iv_buf shown;
    iv_buf_init(&shown, 1 << 16);

    stage_problems(&s, &shown,
                   HEAD "- name: one\n  http: {endpoint: hook, path: \"/{{trigger.enclave_id}}\"}\n");
    cr_expect_str_eq(shown.p, "");
    stage_problems(&s, &shown,
                   HEAD "- name: one\n  http: {endpoint: hook, path: \"/{{trigger.nothing}}\"}\n");
    cr_expect(strstr(shown.p, "no event has a field 'nothing'") != NULL, "%s", shown.p);
    stage_problems(&s, &shown, HEAD "- name: one\n  http: {endpoint: hook, path: \"/{{trigger.scopes}}\"}\n");
    cr_expect(strstr(shown.p, "a list or a map") != NULL, "%s", shown.p);
}

Test(actions, each_have_a_name_a_sentence_and_one_way_to_act)
{
    for (size_t i = 0; i < iv_action_kind_count; i++) {
        const struct iv_action_kind *kind = iv_action_kinds[i];
        cr_expect(kind->name != NULL && strlen(kind->doc) > 10);
        int ways = (kind->ask != NULL) + (kind->order != NULL) + (kind->message != NULL);
        cr_expect(ways == 1, "%s", kind->name);
        cr_expect(iv_action_kind(iv_str_of(kind->name)) == kind);
        for (size_t p = 0; p < kind->parameter_count; p++) {
            cr_expect(strlen(kind->parameters[p].doc) > 10, "%s.%s", kind->name, kind->parameters[p].name);
        }
    }
    cr_expect(iv_action_kind(IV_STR("smoke.signals")) == NULL);
}
