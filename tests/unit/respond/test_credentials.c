/* SPDX-License-Identifier: Apache-2.0 */
/* What an endpoint's credentials look like on the wire, and that they are nowhere else. */
#include "base/file.h"
#include "base/guard.h"
#include "support/hook_server.h"
#include "support/stage.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>

#define STEP                                                                                                 \
    "- name: one\n"                                                                                          \
    "  http: {endpoint: hook, path: /x, body: {}}\n"                                                         \
    "  timeout: 5s\n"                                                                                        \
    "  retry: {attempts: 2, backoff: 1ms}\n"
#define TOKEN "tokentoken-1"

static void write_token(struct stage *s, const char *text)
{
    scratch_write(&s->dir, "token", iv_str_of(text));
}

static struct iv_str token_file(struct stage *s)
{
    static char path[128];
    struct iv_str file = scratch_file(&s->dir, "token");
    memcpy(path, file.p, file.n + 1);
    return (struct iv_str){path, file.n};
}

static void expect_header(struct hook_server *hook, size_t request, const char *want)
{
    char value[256];
    hook_header(value, sizeof value, hook, request, "Authorization");
    cr_expect_str_eq(value, want);
}

Test(credentials, read_a_bearer_token_again_for_each_call)
{
    static const struct hook_answer answers[] = {HOOK_STATUS("503 No"), HOOK_OK};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, 2);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, STEP);
    s.endpoint.bearer_token_file = token_file(&s);
    write_token(&s, TOKEN "\n");
    stage_find(&s);
    stage_respond(&s, hook_url(hook));
    stage_run(&s, false);
    write_token(&s, "another, renewed");

    stage_run(&s, true);

    cr_assert(hook_count(hook) == 2);
    expect_header(hook, 0, "Bearer " TOKEN);
    expect_header(hook, 1, "Bearer another, renewed");
    cr_expect(stage_step(&s, 0).state == IV_STEP_DONE);
}

Test(credentials, wait_for_a_token_that_cannot_be_read)
{
    static const char *const bad[] = {NULL, "", "\n", "a\tb"};
    for (size_t i = 0; i < IV_COUNT(bad); i++) {
        static const struct hook_answer answers[] = {HOOK_OK};
        IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, 1);
        IV_AUTO(stage_deinit) struct stage s;
        stage_init(&s, STEP);
        s.endpoint.bearer_token_file = token_file(&s);
        if (bad[i] != NULL) {
            write_token(&s, bad[i]);
        }
        stage_find(&s);
        stage_respond(&s, hook_url(hook));
        stage_run(&s, false);

        struct iv_step step = stage_step(&s, 0);
        cr_expect(hook_count(hook) == 0 && step.state == IV_STEP_DUE, "row %zu", i);
        cr_expect(strstr(step.cause.p, "bearer token of endpoint 'hook'") != NULL, "%s", step.cause.p);
        write_token(&s, TOKEN);
        stage_run(&s, true);
        cr_expect(hook_count(hook) == 1 && stage_step(&s, 0).state == IV_STEP_DONE, "row %zu", i);
    }
}

Test(credentials, show_a_clients_secret_in_a_header)
{
    static const struct hook_answer answers[] = {HOOK_OK};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, 1);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, STEP);
    s.endpoint.client_id = IV_STR("me:and you");
    s.endpoint.client_secret = IV_STR("p\xc3\xa4ss");
    stage_find(&s);
    stage_respond(&s, hook_url(hook));

    stage_run(&s, false);

    expect_header(hook, 0, "Basic bWUlM0FhbmQreW91OnAlQzMlQTRzcw=="); /* me%3Aand+you:p%C3%A4ss */
}

Test(credentials, refuse_a_form_where_there_is_none)
{
    static const struct hook_answer answers[] = {HOOK_OK};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, 1);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, STEP);
    s.endpoint.client_id = IV_STR("me");
    s.endpoint.client_secret = IV_STR("s3cret");
    s.endpoint.client_auth = IV_CLIENT_POST;
    stage_find(&s);
    stage_respond(&s, hook_url(hook));

    stage_run(&s, true);

    struct iv_step step = stage_step(&s, 0);
    cr_expect(hook_count(hook) == 0 && step.state == IV_STEP_FAILED && step.attempt == 1);
    cr_expect(strstr(step.cause.p, "this action sends none") != NULL, "%s", step.cause.p);
}

Test(credentials, do_not_come_back_in_an_answer)
{
    static const struct hook_answer answers[] = {
        {HOOK_SEND, "HTTP/1.1 400 Bad\r\n\r\nyou said Bearer " TOKEN ", signed with hookhookhook, " TOKEN}};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, 1);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, STEP);
    s.endpoint.hmac_key = IV_STR("hookhookhook");
    s.endpoint.bearer_token_file = token_file(&s);
    write_token(&s, TOKEN);
    stage_find(&s);
    stage_respond(&s, hook_url(hook));

    stage_run(&s, true);

    struct iv_step step = stage_step(&s, 0);
    cr_expect_str_eq(step.answer.p, "you said Bearer ************, signed with ************, ************");
    cr_expect(strstr(step.request.p, TOKEN) == NULL);
}

/* Whether the bytes of this file of the store hold the text; a file that is not there holds nothing. */
static bool store_holds(struct stage *s, const char *name, const char *text)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf bytes;
    iv_buf_init(&bytes, 64u << 20);
    struct iv_rc_s rc = iv_file_read(&bytes, scratch_file(&s->dir, name), NULL);
    cr_assert(iv_ok(rc) || rc.code == IV_E_ABSENT);
    return bytes.n > 0 && memmem(bytes.p, bytes.n, text, strlen(text)) != NULL;
}

#define BASIC "OmNsaWVudC1zZWNyZXQ=" /* no name, a colon and the secret */

Test(credentials, are_nowhere_in_the_store)
{
    static const char *const secrets[] = {TOKEN, "client-secret", "signing-secret", BASIC};
    /* What was sent, sent back: the head of a request is part of no answer, its body is. */
    static const struct hook_answer answers[] = {
        {HOOK_SEND, "HTTP/1.1 503 Busy\r\n\r\n" TOKEN " client-secret signing-secret " BASIC}, HOOK_OK};
    for (int basic = 0; basic < 2; basic++) {
        IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, 2);
        IV_AUTO(stage_deinit) struct stage s;
        stage_init(&s, "- name: one\n  oauth.revoke: {endpoint: hook, token: x}\n"
                       "  retry: {attempts: 2, backoff: 1ms}\n");
        s.endpoint.hmac_key = IV_STR("signing-secret");
        if (basic == 1) {
            s.endpoint.client_id = IV_STR("");
            s.endpoint.client_secret = IV_STR("client-secret");
        } else {
            s.endpoint.bearer_token_file = token_file(&s);
            write_token(&s, TOKEN);
        }
        stage_find(&s);
        stage_respond(&s, hook_url(hook));

        stage_run(&s, true);

        cr_assert(stage_step(&s, 0).state == IV_STEP_DONE && hook_count(hook) == 2);
        cr_expect(store_holds(&s, "s.db", "oauth.revoke") || store_holds(&s, "s.db-wal", "oauth.revoke"));
        for (size_t i = 0; i < IV_COUNT(secrets); i++) {
            bool sent = i == 2 || (basic == 1) == (i == 1 || i == 3);
            bool held = store_holds(&s, "s.db", secrets[i]) || store_holds(&s, "s.db-wal", secrets[i]);
            cr_expect(held == false || sent == false, "%s", secrets[i]);
        }
    }
}
