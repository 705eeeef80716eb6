/* SPDX-License-Identifier: Apache-2.0 */
/* What an endpoint's credentials look like on the wire, and that they are nowhere else. */
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
