/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to a cluster, each checked by the published schemas of Kubernetes' API. */
#include "base/guard.h"
#include "respond/peer.h"
#include "support/stage.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>

struct scene {
    struct scratch dir;
    struct peer peer;
    char url[64];
    char ca[128];
    char token[128];
};

static void scene_init(struct scene *s)
{
    s->dir = scratch_make();
    scratch_write(&s->dir, "token", IV_STR("first-token\n"));
    (void)snprintf(s->ca, sizeof s->ca, "%s/ca.pem", s->dir.path);
    (void)snprintf(s->token, sizeof s->token, "%s/token", s->dir.path);
    s->peer = peer_start(
        (const char *const[]){IV_SOURCE_DIR "/tests/respond/cluster", s->dir.path, IV_BUILD_DIR, NULL});
    cr_assert(strncmp(s->peer.line, "ready ", 6) == 0, "%s", s->peer.line);
    (void)snprintf(s->url, sizeof s->url, "https://127.0.0.1:%s", s->peer.line + 6);
}

static void scene_deinit(struct scene *s)
{
    peer_stop(&s->peer);
    scratch_remove(&s->dir);
}

/* One step of this action, carried out; its texts are valid until the next. */
static struct iv_step act_for(const struct scene *s, const char *action, const char *ca, struct iv_val agent)
{
    char steps[1024];
    struct stage stage;
    (void)snprintf(steps, sizeof steps,
                   "- name: one\n  %s\n  timeout: 20s\n  retry: {attempts: 2, backoff: 1ms}\n", action);
    stage_init(&stage, steps);
    stage.endpoint.hmac_key = (struct iv_str){NULL, 0};
    stage.endpoint.ca_file = iv_str_of(ca);
    stage.endpoint.bearer_token_file = iv_str_of(s->token);
    sample_set(&stage.sample, "agent", agent);
    stage_find(&stage);
    stage_respond(&stage, s->url);
    stage_run(&stage, true);
    struct iv_step step = stage_step(&stage, 0);
    stage_deinit(&stage);
    return step;
}

static struct iv_step act(const struct scene *s, const char *action, const char *ca)
{
    return act_for(s, action, ca, iv_val_str(IV_STR("agent-7")));
}

#define POLICY "kubernetes.network_policy: {endpoint: hook, namespace: agents, name: invigil-agent-7, "
#define DELETE "kubernetes.delete_pod: {endpoint: hook, namespace: agents, pod: agent-7"

Test(kubernetes, delete_pod_deletes_the_one_that_is_meant)
{
    IV_AUTO(scene_deinit) struct scene s;
    scene_init(&s);
    (void)peer_ask(&s.peer, "pod agents agent-7 uid-1");
    (void)peer_ask(&s.peer, "pod agents agent-8 uid-2");

    struct iv_step step = act(&s, DELETE ", uid: uid-0}", s.ca);
    cr_expect(step.state == IV_STEP_ABSENT && strstr(step.cause.p, "another pod") != NULL, "%s %s",
              step.cause.p, step.answer.p);
    cr_expect_str_eq(peer_ask(&s.peer, "pods"), "[\"uid-1\", \"uid-2\"]");
    step = act(&s, DELETE ", uid: uid-1}", s.ca);
    cr_expect(step.state == IV_STEP_DONE && step.status == 200, "%s %s", step.cause.p, step.answer.p);
    cr_expect_str_eq(peer_ask(&s.peer, "pods"), "[\"uid-2\"]");
    step = act(&s, DELETE "}", s.ca);
    cr_expect(step.state == IV_STEP_ABSENT && step.status == 404, "%s", step.cause.p);
}

Test(kubernetes, network_policy_is_made_replaced_and_taken_away)
{
    IV_AUTO(scene_deinit) struct scene s;
    scene_init(&s);

    struct iv_step step = act(&s, POLICY "labels: {agent: old}}", s.ca);
    cr_expect(step.state == IV_STEP_DONE && step.status == 201, "%s %s", step.cause.p, step.answer.p);
    step = act(&s, POLICY "labels: {agent: agent-7}}", s.ca);
    cr_expect(step.state == IV_STEP_DONE && step.status == 200, "%s %s", step.cause.p, step.answer.p);
    const char *policies = peer_ask(&s.peer, "policies");
    cr_expect(strstr(policies, "\"spec\": {\"podSelector\": {\"matchLabels\": {\"agent\": \"agent-7\"}}, "
                               "\"policyTypes\": [\"Egress\"], \"egress\": []}}]") != NULL,
              "%s", policies);
    step = act(&s, POLICY "labels: {}, state: absent}", s.ca);
    cr_expect(step.state == IV_STEP_DONE && step.status == 200, "%s %s", step.cause.p, step.answer.p);
    cr_expect_str_eq(peer_ask(&s.peer, "policies"), "[]");
    step = act(&s, POLICY "labels: {}, state: absent}", s.ca);
    cr_expect(step.state == IV_STEP_ABSENT, "%s", step.cause.p);
}

/* What is not there must be the object itself. */
Test(kubernetes, believes_no_404_of_anything_else)
{
    static const struct {
        const char *action;
        const char *prefix; /* of the address */
    } rows[] = {
        {DELETE "}", "/wrong"},
        {POLICY "labels: {}}", "/wrong"},
        {POLICY "labels: {}, state: absent}", "/wrong"},
        {"kubernetes.network_policy: {endpoint: hook, namespace: nowhere, name: a, labels: {}}", ""},
        {"kubernetes.network_policy: {endpoint: hook, namespace: nowhere, name: nowhere, labels: {}}", ""},
    };
    IV_AUTO(scene_deinit) struct scene s;
    scene_init(&s);
    const size_t n = strlen(s.url);
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        (void)snprintf(s.url + n, sizeof s.url - n, "%s", rows[i].prefix);

        struct iv_step step = act(&s, rows[i].action, s.ca);

        cr_expect(step.state == IV_STEP_FAILED && step.status == 404, "row %zu: %s", i, step.cause.p);
        cr_expect(strstr(step.cause.p, "not of this object") != NULL, "row %zu: %s", i, step.cause.p);
    }
}

Test(kubernetes, names_lead_nowhere_else)
{
    static const char *const names[] = {"a/b", "..", "../pods/x", "", "Agent", "-a", "a-", "a..b", "a?x=y"};
    static const char *const actions[] = {
        "kubernetes.delete_pod: {endpoint: hook, namespace: \"{{trigger.agent}}\", pod: a}",
        "kubernetes.delete_pod: {endpoint: hook, namespace: agents, pod: \"{{trigger.agent}}\"}",
        "kubernetes.network_policy: {endpoint: hook, namespace: a, name: \"{{trigger.agent}}\", labels: {}}",
    };
    IV_AUTO(scene_deinit) struct scene s;
    scene_init(&s);
    (void)peer_ask(&s.peer, "refuse 500"); /* would be the answer, if there were a request */
    for (size_t i = 0; i < IV_COUNT(names) * IV_COUNT(actions); i++) {
        const char *action = actions[i % IV_COUNT(actions)];
        const char *name = names[i / IV_COUNT(actions)];

        struct iv_step step = act_for(&s, action, s.ca, iv_val_str(iv_str_of(name)));

        cr_expect(step.state == IV_STEP_FAILED && step.status == 0 && step.attempt == 0, "%s, %s: %s", action,
                  name, step.cause.p);
        cr_expect(strstr(step.cause.p, "' must be a") != NULL, "%s", step.cause.p);
    }
}

Test(kubernetes, delete_pod_needs_the_uid_that_the_playbook_asks_for)
{
    IV_AUTO(scene_deinit) struct scene s;
    scene_init(&s);
    (void)peer_ask(&s.peer, "pod agents agent-7 uid-1");

    struct iv_step step =
        act_for(&s, DELETE ", uid: \"{{trigger.agent?}}\"}", s.ca, (struct iv_val){.kind = IV_KIND_ABSENT});

    cr_expect(step.state == IV_STEP_FAILED && strstr(step.cause.p, "'uid' must not be empty") != NULL, "%s",
              step.cause.p);
    cr_expect_str_eq(peer_ask(&s.peer, "pods"), "[\"uid-1\"]");
}

Test(kubernetes, token_is_read_again_and_the_certificate_is_looked_at)
{
    IV_AUTO(scene_deinit) struct scene s;
    scene_init(&s);
    (void)peer_ask(&s.peer, "pod agents agent-7 uid-1");

    struct iv_step step = act(&s, DELETE "}", NULL);
    cr_expect(step.state == IV_STEP_FAILED && strstr(step.cause.p, "certificate") != NULL, "%s",
              step.cause.p);
    (void)peer_ask(&s.peer, "refuse 401");
    scratch_write(&s.dir, "token", IV_STR("second-token\n"));
    step = act(&s, DELETE "}", s.ca);

    cr_expect(step.state == IV_STEP_DONE && step.attempt == 2, "%s", step.cause.p);
    cr_expect_str_eq(peer_ask(&s.peer, "pods"), "[]");
}
