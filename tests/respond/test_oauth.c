/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of a real authorization server are dead afterwards, and its own introspection says so. */
#include "base/guard.h"
#include "respond/peer.h"
#include "support/stage.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#define SECRET "a-secret-that-is-shown-to-nobody-else"

#define TEXT_BYTES 128

static void copy(char *out, const char *text)
{
    size_t n = strlen(text);
    cr_assert(n < TEXT_BYTES, "%s", text);
    memcpy(out, text, n + 1);
}

/* The authorization server; its line is copied, for what it is asked writes over it. */
struct authority {
    struct peer peer;
    char url[TEXT_BYTES];
};

static void authority_start(struct authority *a)
{
    peer_tree("oidc-provider");
    a->peer = peer_node("authority.mjs", SECRET);
    copy(a->url, a->peer.line);
}

static void authority_stop(struct authority *a)
{
    peer_stop(&a->peer);
}

struct token {
    char text[TEXT_BYTES];
};

/* whom: "SUBJECT" or "SUBJECT CLIENT". */
static struct token issue(struct authority *a, const char *whom)
{
    struct token token;
    copy(token.text, peer_ask(&a->peer, "issue %s", whom));
    return token;
}

static bool is_alive(struct authority *a, const struct token *token)
{
    return strcmp(peer_ask(&a->peer, "alive %s", token->text), "true") == 0;
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

/* All tokens of a subject, by a bearer token. */
static void stage_for_all(struct stage *s, const struct authority *a, const char *subject)
{
    stage_for(s, REVOKE_ALL, a->url, subject);
    s->endpoint.client_id = s->endpoint.client_secret = (struct iv_str){NULL, 0};
    scratch_write(&s->dir, "token", IV_STR(SECRET "\n"));
    s->endpoint.bearer_token_file = scratch_file(&s->dir, "token");
    stage_respond(s, a->url);
}

Test(oauth, revoke_ends_a_token_and_leaves_others_alive)
{
    IV_AUTO(authority_stop) struct authority authority;
    authority_start(&authority);
    struct token token = issue(&authority, "agent-7");
    struct token other = issue(&authority, "agent-7");
    cr_assert(is_alive(&authority, &token));
    IV_AUTO(stage_deinit) struct stage s;
    stage_for(&s, REVOKE, token.text, "access_token");
    stage_respond(&s, authority.url);

    stage_run(&s, false);

    struct iv_step step = stage_step(&s, 0);
    cr_expect(step.state == IV_STEP_DONE && step.status == 200 && step.cause.n == 0, "%s", step.cause.p);
    cr_expect_not(is_alive(&authority, &token));
    cr_expect(is_alive(&authority, &other));
    cr_expect_str_eq(peer_ask(&authority.peer, "seen"),
                     "{\"client_secret_basic\":1,\"client_secret_post\":0}");
}

Test(oauth, revoke_shows_its_secret_in_the_form_where_asked_to)
{
    IV_AUTO(authority_stop) struct authority authority;
    authority_start(&authority);
    struct token token = issue(&authority, "agent-7 invigil-form");
    IV_AUTO(stage_deinit) struct stage s;
    stage_for(&s, REVOKE, token.text, "access_token");
    s.endpoint.client_id = IV_STR("invigil-form");
    s.endpoint.client_auth = IV_CLIENT_POST;
    stage_respond(&s, authority.url);

    stage_run(&s, false);

    struct iv_step step = stage_step(&s, 0);
    cr_expect(step.state == IV_STEP_DONE, "%s %s", step.cause.p, step.answer.p);
    cr_expect(strstr(step.request.p, SECRET) == NULL);
    cr_expect_not(is_alive(&authority, &token));
    cr_expect_str_eq(peer_ask(&authority.peer, "seen"),
                     "{\"client_secret_basic\":0,\"client_secret_post\":1}");
}

Test(oauth, revoke_waits_where_the_token_is_still_alive)
{
    IV_AUTO(authority_stop) struct authority authority;
    authority_start(&authority);
    struct token token = issue(&authority, "agent-7");
    (void)peer_ask(&authority.peer, "unwell 1");
    IV_AUTO(stage_deinit) struct stage s;
    stage_for(&s, REVOKE, token.text, "access_token");
    stage_respond(&s, authority.url);

    stage_run(&s, false);

    struct iv_step step = stage_step(&s, 0);
    cr_expect(step.state == IV_STEP_DUE && step.due == s.now + 7 * IV_NS_PER_S, "Retry-After is honoured");
    cr_expect(strstr(step.cause.p, "the token is still alive") != NULL, "%s", step.cause.p);
    cr_expect(is_alive(&authority, &token));
    stage_run(&s, true);
    cr_expect(stage_step(&s, 0).state == IV_STEP_DONE);
    cr_expect_not(is_alive(&authority, &token));
}

Test(oauth, revoke_of_an_unknown_token_is_done_and_with_a_wrong_secret_has_failed)
{
    IV_AUTO(authority_stop) struct authority authority;
    authority_start(&authority);
    struct token token = issue(&authority, "agent-7");
    struct stage s;
    stage_for(&s, REVOKE, "nobody-has-issued-this", "access_token");
    stage_respond(&s, authority.url);
    stage_run(&s, false);
    cr_expect(stage_step(&s, 0).state == IV_STEP_DONE);
    stage_deinit(&s);
    stage_for(&s, REVOKE, token.text, "access_token");
    s.endpoint.client_secret = IV_STR("wrong-secret");
    stage_respond(&s, authority.url);

    stage_run(&s, false);

    struct iv_step step = stage_step(&s, 0);
    cr_expect(step.state == IV_STEP_FAILED && step.status == 401 && step.attempt == 1);
    cr_expect(strstr(step.answer.p, "invalid_client") != NULL, "%s", step.answer.p);
    cr_expect(is_alive(&authority, &token));
    stage_deinit(&s);
}

Test(oauth, global_revocation_ends_all_tokens_of_a_subject_and_of_nobody_else)
{
    IV_AUTO(authority_stop) struct authority authority;
    authority_start(&authority);
    struct token tokens[3];
    for (size_t i = 0; i < 3; i++) {
        tokens[i] = issue(&authority, i < 2 ? "agent-7" : "agent-8");
    }
    IV_AUTO(stage_deinit) struct stage s;
    stage_for_all(&s, &authority, "agent-7");

    stage_run(&s, false);

    struct iv_step step = stage_step(&s, 0);
    cr_expect(step.state == IV_STEP_DONE && step.status == 204);
    cr_expect(strstr(step.cause.p, "has begun to revoke") != NULL, "%s", step.cause.p);
    cr_expect_not(is_alive(&authority, &tokens[0]));
    cr_expect_not(is_alive(&authority, &tokens[1]));
    cr_expect(is_alive(&authority, &tokens[2]));
}

Test(oauth, global_revocation_of_nobody_is_no_failure)
{
    IV_AUTO(authority_stop) struct authority authority;
    authority_start(&authority);
    IV_AUTO(stage_deinit) struct stage s;
    stage_for_all(&s, &authority, "nobody");

    stage_run(&s, false);

    struct iv_step step = stage_step(&s, 0);
    cr_expect(step.state == IV_STEP_ABSENT && step.status == 404, "%s", step.cause.p);
    cr_expect(stage_execution(&s).state == IV_RUN_DONE);
}
