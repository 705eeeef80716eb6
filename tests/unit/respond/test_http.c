/* SPDX-License-Identifier: Apache-2.0 */
/* Hooks that behave, and hooks that do not. */
#include "base/digest.h"
#include "base/guard.h"
#include "base/hmac.h"
#include "event/keyring.h"
#include "evidence/approvals.h"
#include "respond/halt.h"
#include "support/hook_server.h"
#include "support/stage.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STEP                                                                                                 \
    "- name: one\n"                                                                                          \
    "  http: {endpoint: hook, path: \"/revoke/{{trigger.token_id}}\", body: {token: "                        \
    "\"{{trigger.token_id}}\"}}\n"                                                                           \
    "  timeout: 5m\n"                                                                                        \
    "  retry: {attempts: 3, backoff: 1s, max_backoff: 10s}\n"
/* Given up when it has hung for a while. */
#define UNTRIED                                                                                              \
    "- name: one\n"                                                                                          \
    "  http: {endpoint: hook, path: /x}\n"                                                                   \
    "  timeout: 1s\n"                                                                                        \
    "  retry: {attempts: 1}\n"
#define IMPATIENT                                                                                            \
    "- name: one\n"                                                                                          \
    "  http: {endpoint: hook, path: /x}\n"                                                                   \
    "  timeout: 100ms\n"                                                                                     \
    "  retry: {attempts: 2, backoff: 1s}\n"

static void expect_signed(struct hook_server *hook)
{
    char header[256];
    hook_header(header, sizeof header, hook, 0, "Invigil-Signature");
    char *comma = strchr(header, ',');
    cr_assert(strncmp(header, "t=", 2) == 0 && comma != NULL && strncmp(comma, ",v1=", 4) == 0, "%s", header);
    *comma = '\0';
    cr_expect(strtoll(header + 2, NULL, 10) == STAGE_NOW / IV_NS_PER_S);
    const struct iv_str parts[] = {iv_str_of(header + 2), IV_STR("."), iv_str_of(hook_body(hook, 0))};
    struct iv_digester *digester = NULL;
    unsigned char mac[32];
    char hex[65];
    cr_assert(iv_ok(iv_digester_new(&digester, NULL)));
    iv_hmac_sha256(mac, digester, IV_STR("secret"), parts, IV_COUNT(parts));
    for (size_t i = 0; i < sizeof mac; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", mac[i]);
    }
    cr_expect_str_eq(comma + 4, hex);
    iv_digester_free(digester);
}

Test(http, posts_signed_json_with_the_steps_key)
{
    static const struct hook_answer answers[] = {
        {HOOK_SEND, "HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok"}};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, 1);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, STEP);
    stage_find(&s);
    stage_respond(&s, hook_url(hook));

    stage_run(&s, false);

    cr_assert(hook_count(hook) == 1);
    struct iv_step step = stage_step(&s, 0);
    char value[256];
    cr_expect(strncmp(hook_request(hook, 0), "POST /revoke/t-1 HTTP/1.1\r\n", 27) == 0);
    cr_expect_str_eq(hook_body(hook, 0), "{\"token\":\"t-1\"}");
    hook_header(value, sizeof value, hook, 0, "Content-Type");
    cr_expect_str_eq(value, "application/json");
    hook_header(value, sizeof value, hook, 0, "Idempotency-Key");
    cr_expect_str_eq(value, step.key.p);
    expect_signed(hook);
    cr_expect(step.state == IV_STEP_DONE && step.status == 202 && step.attempt == 1);
    cr_expect_str_eq(step.answer.p, "ok");
    cr_expect(stage_execution(&s).state == IV_RUN_DONE);
}

Test(http, ends_as_the_answers_say)
{
    static const struct {
        const char *what;
        struct hook_answer answers[4];
        size_t answer_count;
        enum iv_step_state state;
        int64_t attempt;
        const char *cause;
    } rows[] = {
        {"500, then 200", {HOOK_STATUS("500 Oops"), HOOK_OK}, 2, IV_STEP_DONE, 2, ""},
        {"500 for ever", {HOOK_STATUS("500 Oops")}, 1, IV_STEP_FAILED, 3, "answered 500, after 3 attempts"},
        {"429, then 200", {HOOK_STATUS("429 Slow"), HOOK_OK}, 2, IV_STEP_DONE, 2, ""},
        {"404 is final", {HOOK_STATUS("404 No")}, 1, IV_STEP_FAILED, 1, "answered 404"},
        {"a redirect to another host is not followed",
         {{HOOK_SEND, "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.2:1/\r\nContent-Length: 0\r\n\r\n"}},
         1,
         IV_STEP_FAILED,
         1,
         "answered 302, a redirect, which is not followed"},
        {"garbage",
         {{HOOK_SEND, "\x16\x03\x01 what is this\r\n\r\n"}},
         1,
         IV_STEP_FAILED,
         3,
         "no answer from"},
        {"garbage, then 200", {{HOOK_SEND, "SSH-2.0-x\r\n"}, HOOK_OK}, 2, IV_STEP_DONE, 2, ""},
        {"closes without an answer", {{HOOK_SEND, ""}, HOOK_OK}, 2, IV_STEP_DONE, 2, ""},
        {"half a status, then 200", {{HOOK_SEND, "HTTP/1.1 2"}, HOOK_OK}, 2, IV_STEP_DONE, 2, ""},
        {"cut off behind its status", {{HOOK_SEND, "HTTP/1.1 200 OK\r\nContent-Le"}}, 1, IV_STEP_DONE, 1, ""},
        {"10 MB of body", {{HOOK_FLOOD, NULL}}, 1, IV_STEP_DONE, 1, ""},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(rows[i].answers, rows[i].answer_count);
        IV_AUTO(stage_deinit) struct stage s;
        stage_init(&s, STEP);
        stage_find(&s);
        stage_respond(&s, hook_url(hook));

        stage_run(&s, true);

        struct iv_step step = stage_step(&s, 0);
        cr_expect(step.state == rows[i].state, "%s: %s, %s", rows[i].what, iv_step_state_name(step.state),
                  step.cause.p);
        cr_expect(step.attempt == rows[i].attempt, "%s: attempt %d", rows[i].what, (int)step.attempt);
        cr_expect(strstr(step.cause.p, rows[i].cause) != NULL, "%s: '%s'", rows[i].what, step.cause.p);
        cr_expect(step.answer.n <= 2048, "%s", rows[i].what);
    }
}

Test(http, gives_up_on_a_hook_that_never_answers)
{
    static const struct hook_answer answers[] = {{HOOK_HANG, NULL}};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, 1);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, IMPATIENT);
    stage_find(&s);
    stage_respond(&s, hook_url(hook));

    stage_run(&s, true);

    struct iv_step step = stage_step(&s, 0);
    cr_expect(step.state == IV_STEP_FAILED && step.attempt == 2);
    cr_expect(strstr(step.cause.p, "did not answer within 100 ms") != NULL, "%s", step.cause.p);
}

/* Each for a token of its own. */
static void find_some(struct stage *s, unsigned from, unsigned to)
{
    for (unsigned n = from; n <= to; n++) {
        char token[8];
        (void)snprintf(token, sizeof token, "tok-%u", n);
        sample_number(&s->sample, n);
        sample_set(&s->sample, "token_id", iv_val_str(iv_str_of(token)));
        stage_find(s);
    }
}

static struct iv_responder_stats turn(struct stage *s)
{
    struct iv_responder_stats stats;
    cr_assert(iv_ok(iv_responder_turn(s->responder, 10 * IV_NS_PER_MS, NULL)));
    iv_responder_stats(s->responder, &stats);
    return stats;
}

Test(http, lets_a_hanging_hook_hold_up_nothing_but_itself)
{
    static const struct hook_answer answers[] = {{HOOK_HANG, NULL}, HOOK_OK};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, 2);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init_playbook(&s, "guards: {ramp: {start: 5}}\n", STEP);
    find_some(&s, 1, 5);
    stage_respond(&s, hook_url(hook));

    struct iv_responder_stats stats = {0};
    while (stats.done < 4) {
        cr_assert(iv_ok(iv_responder_turn(s.responder, 50 * IV_NS_PER_MS, NULL)));
        iv_responder_stats(s.responder, &stats);
        cr_assert(stats.done + stats.in_flight == 5, "done %d, in flight %d", (int)stats.done,
                  (int)stats.in_flight);
    }
    cr_expect(stats.in_flight == 1);
}

Test(http, leaves_half_of_the_calls_to_others_where_all_of_an_endpoint_hang)
{
    static const struct hook_answer answers[] = {{HOOK_HANG, NULL}};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, 1);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init_playbook(&s, "guards: {ramp: {start: 9}}\n", STEP);
    s.in_flight = 4;
    find_some(&s, 1, 2);
    stage_respond(&s, hook_url(hook));
    while (hook_count(hook) < 2) {
        (void)turn(&s);
    }

    find_some(&s, 3, 3); /* nobody knows that they hang: it is called */
    while (hook_count(hook) < 3) {
        (void)turn(&s);
    }
    s.now += 2 * IV_NS_PER_S;
    find_some(&s, 4, 4);
    cr_expect(turn(&s).in_flight == 3);

    struct iv_step step = stage_step(&s, 0);
    cr_expect(step.state == IV_STEP_DUE && step.attempt == 0);
    cr_expect(step.due == s.now + 30 * IV_NS_PER_S, "nothing is written each second");
    cr_expect(strstr(step.cause.p, "'hook' has not answered the calls that it has") != NULL, "%s",
              step.cause.p);
}

Test(http, calls_an_endpoint_that_hung_as_soon_as_it_has_room_again)
{
    static const struct hook_answer answers[] = {{HOOK_HANG, NULL}, HOOK_OK};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, 2);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init_playbook(&s, "guards: {ramp: {start: 9}}\n", UNTRIED);
    s.in_flight = 2;
    find_some(&s, 1, 1);
    stage_respond(&s, hook_url(hook));
    while (hook_count(hook) < 1) {
        (void)turn(&s);
    }
    s.now += 2 * IV_NS_PER_S;
    find_some(&s, 2, 4);
    struct iv_responder_stats stats = turn(&s);
    while (stats.failed < 1) {
        cr_assert(hook_count(hook) == 1);
        stats = turn(&s);
    }

    /* The clock stands still: none of them waits for a time. That one is given up, on a slow machine, is no
     * matter. */
    while (stats.done + stats.failed < 4) {
        stats = turn(&s);
    }
}

static bool verdict_of(void *ctx, const struct iv_approval *approval)
{
    *(bool *)ctx = iv_str_eq(approval->verdict, IV_STR(IV_APPROVAL_PENDING));
    return true;
}

Test(http, hears_the_stop_and_approvers_while_all_calls_hang)
{
    static const struct hook_answer answers[] = {{HOOK_HANG, NULL}};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, 1);
    struct iv_keyring *nobody = NULL;
    IV_AUTO(stage_deinit) struct stage s;
    bool pending = true;
    cr_assert(iv_ok(iv_keyring_new(&nobody, NULL)));
    stage_init_playbook(&s, "guards: {ramp: {start: 9}}\n", STEP);
    s.in_flight = 2;
    s.keyring = nobody;
    find_some(&s, 1, 3);
    stage_respond(&s, hook_url(hook));
    while (hook_count(hook) < 2) {
        (void)turn(&s);
    }

    struct iv_execution last = stage_execution(&s);
    const struct iv_approval word = {.execution = last.key,
                                     .role = IV_STR("r"),
                                     .key = IV_STR("k"),
                                     .at = s.now,
                                     .reason = IV_STR(""),
                                     .signature = IV_STR("none")};
    cr_assert(iv_ok(iv_store_begin(s.store, NULL)));
    cr_assert(iv_ok(iv_store_put_approval(s.store, &word, NULL)));
    cr_assert(iv_ok(iv_halt_put(s.store, true, IV_STR("ann"), IV_STR("drill"), s.now, NULL)));
    cr_assert(iv_ok(iv_store_commit(s.store, NULL)));
    struct iv_responder_stats stats = turn(&s);

    cr_expect(stats.in_flight == 2 && stats.paused);
    cr_assert(iv_ok(iv_reader_approvals(s.reader, last.key, 9, verdict_of, &pending, NULL)));
    cr_expect(pending == false, "it was judged");
    iv_responder_free(TAKE(s.responder));
    iv_keyring_free(nobody);
}

Test(http, retries_a_refused_connection_and_says_so)
{
    static const struct hook_answer answers[] = {HOOK_OK};
    struct hook_server *hook = hook_start(answers, 1);
    char url[64];
    (void)snprintf(url, sizeof url, "%s", hook_url(hook));
    hook_stop(hook);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, STEP);
    stage_find(&s);
    stage_respond(&s, url);

    stage_run(&s, false);

    struct iv_step step = stage_step(&s, 0);
    cr_expect(step.state == IV_STEP_DUE && step.attempt == 1);
    cr_expect(step.due >= s.now + IV_NS_PER_S / 2 && step.due <= s.now + IV_NS_PER_S,
              "the first back-off is 1s");
    cr_expect(strstr(step.cause.p, "no answer from endpoint 'hook'") != NULL, "%s", step.cause.p);
}

Test(http, waits_as_long_as_the_other_side_asks)
{
    static const struct hook_answer answers[] = {
        {HOOK_SEND, "HTTP/1.1 503 Busy\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n"}, HOOK_OK};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, 2);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, STEP);
    stage_find(&s);
    stage_respond(&s, hook_url(hook));

    stage_run(&s, false);
    cr_expect(stage_step(&s, 0).due == s.now + 120 * IV_NS_PER_S);
    stage_run(&s, true);
    cr_expect(stage_step(&s, 0).state == IV_STEP_DONE);
}

Test(http, is_unsupported_on_record_where_the_endpoint_is_not_configured)
{
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, STEP "- name: two\n  http: {endpoint: hook, path: /y}\n");
    stage_find(&s);
    stage_respond(&s, NULL);

    stage_run(&s, false);

    struct iv_step step = stage_step(&s, 0);
    cr_expect(step.state == IV_STEP_UNSUPPORTED);
    cr_expect(strstr(step.cause.p, "no endpoint 'hook'") != NULL, "%s", step.cause.p);
    cr_expect(stage_step(&s, 1).state == IV_STEP_SKIPPED);
    struct iv_execution e = stage_execution(&s);
    cr_expect(e.state == IV_RUN_FAILED);
    cr_expect(strstr(e.cause.p, "step 'one'") != NULL, "%s", e.cause.p);
}

Test(http, runs_steps_in_order_and_stops_at_the_first_that_fails)
{
    static const struct hook_answer answers[] = {HOOK_OK, HOOK_STATUS("403 No")};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, 2);
    IV_AUTO(stage_deinit) struct stage s;
    stage_init(&s, "- name: one\n  http: {endpoint: hook, path: /1}\n"
                   "- name: two\n  http: {endpoint: hook, path: /2}\n"
                   "- name: three\n  http: {endpoint: hook, path: /3}\n");
    stage_find(&s);
    stage_respond(&s, hook_url(hook));

    stage_run(&s, false);

    cr_expect(hook_count(hook) == 2);
    cr_expect(strncmp(hook_request(hook, 0), "POST /1 ", 8) == 0);
    cr_expect(strncmp(hook_request(hook, 1), "POST /2 ", 8) == 0);
    cr_expect(stage_step(&s, 0).state == IV_STEP_DONE);
    cr_expect(stage_step(&s, 1).state == IV_STEP_FAILED);
    cr_expect(stage_step(&s, 2).state == IV_STEP_SKIPPED);
}
