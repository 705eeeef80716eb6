/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of a real authorization server are dead afterwards, and its own introspection says so. */
#include "base/guard.h"
#include "respond/peer.h"
#include "support/stage.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#define SECRET "a-secret-that-is-shown-to-nobody-else"

static void authority_start(struct peer *peer)
{
    if (!peer_tree("oidc-provider")) {
        peer_skip("oidc-provider is not installed");
    }
    *peer = peer_node("authority.mjs", SECRET);
}

static void stage_for(struct stage *s, const char *format, const char *a, const char *b)
{
    char steps[2048];
    char action[1024];
    (void)snprintf(action, sizeof action, format, a, b);
    (void)snprintf(steps, sizeof steps,
                   "- name: one\n  %s\n  timeout: 30s\n  retry: {attempts: 3, backoff: 1s}\n", action);
    stage_init(s, steps);
    s->endpoint.hmac_key = (struct iv_str){NULL, 0};
    s->endpoint.client_id = IV_STR("invigil");
    s->endpoint.client_secret = IV_STR(SECRET);
    stage_find(s);
}

#define REVOKE "oauth.revoke: {endpoint: hook, path: /token/revocation, token: %s, token_type_hint: %s}"
#define REVOKE_ALL                                                                                           \
    "oauth.global_revocation: {endpoint: hook, path: /global-token-revocation, "                             \
    "subject: {format: iss_sub, iss: \"%s\", sub: %s}}"

Test(oauth, revoke_ends_a_token_and_leaves_others_alive)
{
    IV_AUTO(peer_stop) struct peer peer;
    authority_start(&peer);
    char url[128];
    char token[128];
    char other[128];
    (void)strcpy(url, peer.line);
    (void)strcpy(token, peer_ask(&peer, "issue agent-7"));
    (void)strcpy(other, peer_ask(&peer, "issue agent-7"));
    cr_assert_str_eq(peer_ask(&peer, "alive %s", token), "true");
    IV_AUTO(stage_deinit) struct stage s;
    stage_for(&s, REVOKE, token, "access_token");
    stage_respond(&s, url);

    stage_run(&s, false);

    struct iv_step step = stage_step(&s, 0);
    cr_expect(step.state == IV_STEP_DONE && step.status == 200 && step.cause.n == 0, "%s", step.cause.p);
    cr_expect_str_eq(peer_ask(&peer, "alive %s", token), "false");
    cr_expect_str_eq(peer_ask(&peer, "alive %s", other), "true");
    cr_expect_str_eq(peer_ask(&peer, "seen"), "{\"client_secret_basic\":1,\"client_secret_post\":0}");
}

Test(oauth, revoke_shows_its_secret_in_the_form_where_asked_to)
{
    IV_AUTO(peer_stop) struct peer peer;
    authority_start(&peer);
    char url[128];
    char token[128];
    (void)strcpy(url, peer.line);
    (void)strcpy(token, peer_ask(&peer, "issue agent-7 invigil-form"));
    IV_AUTO(stage_deinit) struct stage s;
    stage_for(&s, REVOKE, token, "access_token");
    s.endpoint.client_id = IV_STR("invigil-form");
    s.endpoint.client_auth = IV_CLIENT_POST;
    stage_respond(&s, url);

    stage_run(&s, false);

    struct iv_step step = stage_step(&s, 0);
    cr_expect(step.state == IV_STEP_DONE, "%s %s", step.cause.p, step.answer.p);
    cr_expect(strstr(step.request.p, SECRET) == NULL);
    cr_expect_str_eq(peer_ask(&peer, "alive %s", token), "false");
    cr_expect_str_eq(peer_ask(&peer, "seen"), "{\"client_secret_basic\":0,\"client_secret_post\":1}");
}

Test(oauth, revoke_waits_where_the_token_is_still_alive)
{
    IV_AUTO(peer_stop) struct peer peer;
    authority_start(&peer);
    char url[128];
    char token[128];
    (void)strcpy(url, peer.line);
    (void)strcpy(token, peer_ask(&peer, "issue agent-7"));
    (void)peer_ask(&peer, "unwell 1");
    IV_AUTO(stage_deinit) struct stage s;
    stage_for(&s, REVOKE, token, "access_token");
    stage_respond(&s, url);

    stage_run(&s, false);

    struct iv_step step = stage_step(&s, 0);
    cr_expect(step.state == IV_STEP_DUE && step.due == s.now + 7 * IV_NS_PER_S, "Retry-After is honoured");
    cr_expect(strstr(step.cause.p, "the token is still alive") != NULL, "%s", step.cause.p);
    cr_expect_str_eq(peer_ask(&peer, "alive %s", token), "true");
    stage_run(&s, true);
    cr_expect(stage_step(&s, 0).state == IV_STEP_DONE);
    cr_expect_str_eq(peer_ask(&peer, "alive %s", token), "false");
}

Test(oauth, revoke_of_an_unknown_token_is_done_and_with_a_wrong_secret_has_failed)
{
    IV_AUTO(peer_stop) struct peer peer;
    authority_start(&peer);
    char url[128];
    char token[128];
    (void)strcpy(url, peer.line);
    (void)strcpy(token, peer_ask(&peer, "issue agent-7"));
    struct stage s;
    stage_for(&s, REVOKE, "nobody-has-issued-this", "access_token");
    stage_respond(&s, url);
    stage_run(&s, false);
    cr_expect(stage_step(&s, 0).state == IV_STEP_DONE);
    stage_deinit(&s);
    stage_for(&s, REVOKE, token, "access_token");
    s.endpoint.client_secret = IV_STR("wrong-secret");
    stage_respond(&s, url);

    stage_run(&s, false);

    struct iv_step step = stage_step(&s, 0);
    cr_expect(step.state == IV_STEP_FAILED && step.status == 401 && step.attempt == 1);
    cr_expect(strstr(step.answer.p, "invalid_client") != NULL, "%s", step.answer.p);
    cr_expect_str_eq(peer_ask(&peer, "alive %s", token), "true");
    stage_deinit(&s);
}

Test(oauth, global_revocation_ends_all_tokens_of_a_subject_and_of_nobody_else)
{
    IV_AUTO(peer_stop) struct peer peer;
    authority_start(&peer);
    char url[128];
    char tokens[3][128];
    (void)strcpy(url, peer.line);
    for (size_t i = 0; i < 3; i++) {
        (void)strcpy(tokens[i], peer_ask(&peer, "issue agent-%d", i < 2 ? 7 : 8));
    }
    IV_AUTO(stage_deinit) struct stage s;
    stage_for(&s, REVOKE_ALL, url, "agent-7");
    s.endpoint.client_id = s.endpoint.client_secret = (struct iv_str){NULL, 0};
    scratch_write(&s.dir, "token", IV_STR(SECRET "\n"));
    s.endpoint.bearer_token_file = scratch_file(&s.dir, "token");
    stage_respond(&s, url);

    stage_run(&s, false);

    struct iv_step step = stage_step(&s, 0);
    cr_expect(step.state == IV_STEP_DONE && step.status == 204);
    cr_expect(strstr(step.cause.p, "has begun to revoke") != NULL, "%s", step.cause.p);
    cr_expect_str_eq(peer_ask(&peer, "alive %s", tokens[0]), "false");
    cr_expect_str_eq(peer_ask(&peer, "alive %s", tokens[1]), "false");
    cr_expect_str_eq(peer_ask(&peer, "alive %s", tokens[2]), "true");
}

Test(oauth, global_revocation_of_nobody_is_no_failure)
{
    IV_AUTO(peer_stop) struct peer peer;
    authority_start(&peer);
    char url[128];
    (void)strcpy(url, peer.line);
    IV_AUTO(stage_deinit) struct stage s;
    stage_for(&s, REVOKE_ALL, url, "nobody");
    s.endpoint.client_id = s.endpoint.client_secret = (struct iv_str){NULL, 0};
    scratch_write(&s.dir, "token", IV_STR(SECRET "\n"));
    s.endpoint.bearer_token_file = scratch_file(&s.dir, "token");
    stage_respond(&s, url);

    stage_run(&s, false);

    struct iv_step step = stage_step(&s, 0);
    cr_expect(step.state == IV_STEP_ABSENT && step.status == 404, "%s", step.cause.p);
    cr_expect(stage_execution(&s).state == IV_RUN_DONE);
}
