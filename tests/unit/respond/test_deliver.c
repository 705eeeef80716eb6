/* SPDX-License-Identifier: Apache-2.0 */
/* A sink's queue against sinks that behave, and sinks that do not. */
#include "base/guard.h"
#include "respond/alert/outage.h"
#include "support/alert_stage.h"
#include "support/hook_server.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#define MINUTE (60 * IV_NS_PER_S)

static void stage_for(struct alert_stage *s, const char *kind, const struct hook_server *hook,
                      const char *more)
{
    char yaml[1024];
    (void)snprintf(yaml, sizeof yaml, "sinks: {a: {%s: {url: \"%s\"}}}\n%s", kind, hook_url(hook), more);
    alert_stage_init(s, yaml);
}

/* One turn, now; when the next one is due. */
static iv_ns turn(struct iv_deliver *d)
{
    struct iv_err err = {.text = ""};
    iv_ns wait = 0;
    cr_assert(iv_ok(iv_deliver_turn(d, &wait, &err)), "%s", err.text);
    return wait;
}

static void find_and_wait(struct alert_stage *s, const char *agent)
{
    (void)alert_stage_find(s, "acme", agent);
    s->now += IV_NS_PER_S;
}

Test(deliver, posts_a_notice_once_with_its_key)
{
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_OK}, 1);
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    stage_for(&s, "webhook", hook, "link: https://console.example/\n");
    IV_AUTO(iv_deliver_freep) struct iv_deliver *d = alert_stage_deliver(&s, "a");
    char key[128];
    (void)alert_stage_find(&s, "acme", "agent-7");

    cr_expect(turn(d) == IV_NS_PER_S, "the first notice waits for more findings");
    s.now += IV_NS_PER_S;
    (void)turn(d);
    (void)turn(d);

    cr_assert(hook_count(hook) == 1);
    const char *body = hook_body(hook, 0);
    hook_header(key, sizeof key, hook, 0, "Idempotency-Key");
    cr_expect(strlen(key) == IV_FINGERPRINT_HEX + 2 && strcmp(key + IV_FINGERPRINT_HEX, "-1") == 0, "%s",
              key);
    cr_expect(strstr(body, "\"state\":\"firing\",\"severity\":\"critical\"") != NULL, "%s", body);
    cr_expect(strstr(body,
                     "\"summary\":\"FIRING critical TOK-002 Token used after it was revoked: tenant acme, "
                     "agent agent-7\"") != NULL,
              "%s", body);
    cr_expect(strstr(body, "\"link\":\"https://console.example/?finding=0") != NULL, "%s", body);
    cr_expect_str_eq(alert_stage_queue(&s, "a"), "");
}

Test(deliver, tries_again_later_and_later_and_loses_nothing)
{
    static const struct hook_answer answers[] = {HOOK_STATUS("503 Not now"),   {HOOK_REFUSE, NULL},
                                                 HOOK_STATUS("429 Slow down"), HOOK_STATUS("302 Found"),
                                                 HOOK_STATUS("403 Forbidden"), HOOK_OK};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, IV_COUNT(answers));
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    stage_for(&s, "webhook", hook, "");
    IV_AUTO(iv_deliver_freep) struct iv_deliver *d = alert_stage_deliver(&s, "a");
    struct iv_deliver_stats stats;
    iv_ns before = 0;
    find_and_wait(&s, "agent-7");

    for (int i = 0; i < 5; i++) {
        iv_ns wait = turn(d);
        cr_expect(wait >= (IV_NS_PER_S << i) / 2 && wait <= IV_NS_PER_S << i, "attempt %d waits %lld ns", i,
                  (long long)wait);
        cr_expect(wait > before / 2);
        before = wait;
        s.now += wait;
    }
    alert_stage_pass(&s, 5 * MINUTE);
    (void)turn(d);
    (void)turn(d);

    iv_deliver_stats(d, &stats);
    cr_expect(hook_count(hook) == 6 && stats.retried == 5 && stats.told == 2 && stats.refused == 0);
    cr_expect(strstr(hook_body(hook, 4), "\"firing\"") != NULL, "the older one comes first");
    cr_expect(strstr(hook_body(hook, 5), "\"resolved\"") != NULL);
    char first[128];
    char last[128];
    hook_header(first, sizeof first, hook, 0, "Idempotency-Key");
    hook_header(last, sizeof last, hook, 4, "Idempotency-Key");
    cr_expect_str_eq(first, last, "every attempt has the same key");
}

Test(deliver, does_as_retry_after_says)
{
    static const struct hook_answer answers[] = {
        {HOOK_SEND, "HTTP/1.1 429 Slow\r\nRetry-After: 77\r\nContent-Length: 0\r\n\r\n"}, HOOK_OK};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, IV_COUNT(answers));
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    stage_for(&s, "webhook", hook, "");
    IV_AUTO(iv_deliver_freep) struct iv_deliver *d = alert_stage_deliver(&s, "a");
    find_and_wait(&s, "agent-7");

    cr_expect(turn(d) == 77 * IV_NS_PER_S);
    s.now += 76 * IV_NS_PER_S;
    cr_expect(turn(d) == IV_NS_PER_S);
    cr_expect(hook_count(hook) == 1);
}

Test(deliver, goes_on_after_a_restart_where_it_was)
{
    static const struct hook_answer answers[] = {HOOK_STATUS("500 Oh"), HOOK_OK};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, IV_COUNT(answers));
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    stage_for(&s, "webhook", hook, "");
    struct iv_deliver *before = alert_stage_deliver(&s, "a");
    find_and_wait(&s, "agent-7");
    s.now += turn(before);
    iv_deliver_free(before);

    IV_AUTO(iv_deliver_freep) struct iv_deliver *d = alert_stage_deliver(&s, "a");
    (void)turn(d);

    cr_expect(hook_count(hook) == 2);
    cr_expect_str_eq(alert_stage_queue(&s, "a"), "");
}

Test(deliver, gives_up_what_is_refused_and_alerts_the_others)
{
    IV_AUTO(hook_stopp)
    struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_STATUS("400 Bad")}, 1);
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    char yaml[1024];
    (void)snprintf(yaml, sizeof yaml,
                   "sinks: {a: {webhook: {url: \"%s\"}}, b: {webhook: {url: \"http://127.0.0.1:1/\"}}}\n"
                   "routes: [{to: a}]\n",
                   hook_url(hook));
    alert_stage_init(&s, yaml);
    IV_AUTO(iv_deliver_freep) struct iv_deliver *d = alert_stage_deliver(&s, "a");
    struct iv_deliver_stats stats;
    find_and_wait(&s, "agent-7");

    (void)turn(d);

    iv_deliver_stats(d, &stats);
    cr_expect(stats.refused == 1);
    cr_expect_str_eq(alert_stage_queue(&s, "a"), "");
    cr_expect_str_eq(alert_stage_queue(&s, "b"), "firing 1 ", "invigil.notice-refused");
}

Test(deliver, of_a_sink_that_stays_away_is_an_alert_to_the_others_until_it_is_back)
{
    static const struct hook_answer answers[] = {HOOK_STATUS("500 Oh"), HOOK_STATUS("500 Oh"), HOOK_OK};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, IV_COUNT(answers));
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    char yaml[1024];
    (void)snprintf(yaml, sizeof yaml,
                   "sinks: {a: {webhook: {url: \"%s\"}}, b: {webhook: {url: \"http://127.0.0.1:1/\"}}}\n"
                   "routes: [{to: a}]\nunreachable_after: 1s\n",
                   hook_url(hook));
    alert_stage_init(&s, yaml);
    IV_AUTO(iv_deliver_freep) struct iv_deliver *d = alert_stage_deliver(&s, "a");
    const char *why = "";
    find_and_wait(&s, "agent-7");

    s.now += turn(d);
    cr_expect(iv_deliver_failing(d, &why) != 0);
    cr_expect_str_eq(why, "endpoint 'a' answered 500");
    cr_expect_str_eq(alert_stage_queue(&s, "b"), "");
    s.now += IV_NS_PER_S;
    s.now += turn(d);
    cr_expect_str_eq(alert_stage_queue(&s, "b"), "firing 1 ");
    (void)turn(d);
    cr_expect_str_eq(alert_stage_queue(&s, "b"), "firing 1 resolved 1 ");
    cr_expect(iv_deliver_failing(d, &why) == 0);
}

struct sight {
    int count;
    char uid[IV_UID_HEX + 1];
    char rule[64];
    char subject[64];
    char why[256];
    enum iv_verdict_kind kind;
    enum iv_triage_state triage;
    bool agentless;
    iv_ns time;
};

static bool see(void *ctx, const struct iv_finding *f)
{
    struct sight *s = ctx;
    const char *detail = memmem(f->ocsf.p, f->ocsf.n, "\"status_detail\":\"", 17);
    s->count++;
    (void)snprintf(s->uid, sizeof s->uid, IV_STR_FMT, IV_STR_ARG(f->uid));
    (void)snprintf(s->rule, sizeof s->rule, IV_STR_FMT, IV_STR_ARG(f->rule));
    (void)snprintf(s->subject, sizeof s->subject, IV_STR_FMT, IV_STR_ARG(f->trigger_id));
    (void)snprintf(s->why, sizeof s->why, "%.60s", detail == NULL ? "" : detail + 17);
    s->kind = f->kind;
    s->triage = f->triage;
    s->agentless = f->agent.n == 0 && f->tenant.n == 0;
    s->time = f->time;
    return true;
}

/* What is found of sinks. */
static struct sight own_findings(struct alert_stage *s)
{
    struct sight seen = {.count = 0};
    const struct iv_finding_filter filter = {.rule = IV_STR("invigil.sink-unreachable")};
    cr_assert(iv_ok(iv_reader_findings(s->reader, &filter, see, &seen, NULL)));
    return seen;
}

Test(deliver, of_a_sink_that_stays_away_is_a_finding_that_is_closed_when_it_is_back)
{
    static const struct hook_answer answers[] = {HOOK_STATUS("500 Oh"), HOOK_STATUS("500 Oh"),
                                                 HOOK_STATUS("500 Oh"), HOOK_OK,
                                                 HOOK_STATUS("500 Oh"), HOOK_STATUS("500 Oh")};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, IV_COUNT(answers));
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    stage_for(&s, "webhook", hook, "unreachable_after: 1s\n");
    struct iv_deliver *before = alert_stage_deliver(&s, "a");
    find_and_wait(&s, "agent-7");
    iv_ns began = s.now;
    s.now += turn(before);
    cr_expect(own_findings(&s).count == 0, "it has not failed for long enough");

    s.now += IV_NS_PER_S;
    s.now += turn(before);
    struct sight lasts = own_findings(&s);
    iv_deliver_free(before);
    IV_AUTO(iv_deliver_freep) struct iv_deliver *d = alert_stage_deliver(&s, "a");
    s.now += turn(d);
    struct sight after_restart = own_findings(&s);
    (void)turn(d);
    struct sight over = own_findings(&s);
    s.now += IV_NS_PER_S;
    find_and_wait(&s, "agent-8");
    s.now += turn(d) + IV_NS_PER_S;
    s.now += turn(d);

    cr_expect(lasts.count == 1 && lasts.agentless && lasts.time == began);
    cr_expect_str_eq(lasts.subject, "a");
    cr_expect(strstr(lasts.why, "endpoint 'a' answered 500") != NULL, "%s", lasts.why);
    cr_expect(lasts.kind == IV_VIOLATED && lasts.triage == IV_TRIAGE_NEW);
    cr_expect(after_restart.count == 1, "an outage is one finding, whoever goes on with it");
    cr_expect_str_eq(after_restart.uid, lasts.uid);
    cr_expect(over.count == 1 && over.kind == IV_UPDATED && over.triage == IV_TRIAGE_CLOSED);
    cr_expect_str_eq(over.uid, lasts.uid);
    cr_expect(strstr(over.why, "it takes notices again") != NULL, "%s", over.why);
    cr_expect(own_findings(&s).count == 2, "another outage is another finding");
    cr_expect(iv_store_outbox_count(s.store) == 3, "begin, end and begin are told on the topic");
}

/* One notice is refused in the middle of it. */
Test(deliver, of_a_sink_that_refuses_and_stays_away_is_one_finding)
{
    static const struct hook_answer answers[] = {HOOK_STATUS("500 Oh"), HOOK_STATUS("500 Oh"),
                                                 HOOK_STATUS("400 No"), HOOK_STATUS("500 Oh")};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, IV_COUNT(answers));
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    stage_for(&s, "webhook", hook, "unreachable_after: 1s\n");
    IV_AUTO(iv_deliver_freep) struct iv_deliver *d = alert_stage_deliver(&s, "a");
    find_and_wait(&s, "agent-7");
    s.now += turn(d) + IV_NS_PER_S;
    s.now += turn(d);
    cr_assert(own_findings(&s).count == 1);
    s.now += turn(d);
    find_and_wait(&s, "agent-8");
    for (int turns = 0; turns < 3; turns++) {
        s.now += turn(d) + IV_NS_PER_S;
    }

    cr_expect(hook_count(hook) > 4 && own_findings(&s).count == 1, "%zu calls, %zu findings",
              hook_count(hook), own_findings(&s).count);
}

Test(deliver, of_a_sink_that_is_configured_no_more_nothing_is_expected)
{
    IV_AUTO(hook_stopp)
    struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_STATUS("500 Oh")}, 1);
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    const struct iv_str others[] = {IV_STR_INIT("b"), IV_STR_INIT("c")};
    const struct iv_str same[] = {IV_STR_INIT("a")};
    stage_for(&s, "webhook", hook, "");
    cr_assert(iv_ok(iv_store_begin(s.store, NULL)));
    cr_assert(iv_ok(iv_outage_lasts(s.store, IV_STR("a"), IV_STR("gone"), s.now, s.now, NULL)));
    cr_assert(iv_ok(iv_outage_keep(s.store, same, 1, s.now, NULL)));
    cr_assert(iv_ok(iv_store_commit(s.store, NULL)));
    cr_expect(own_findings(&s).kind == IV_VIOLATED);

    cr_assert(iv_ok(iv_store_begin(s.store, NULL)));
    cr_assert(iv_ok(iv_outage_keep(s.store, others, 2, s.now, NULL)));
    cr_assert(iv_ok(iv_store_commit(s.store, NULL)));

    cr_expect(own_findings(&s).kind == IV_UPDATED && own_findings(&s).triage == IV_TRIAGE_CLOSED);
}

Test(deliver, tells_alertmanager_of_many_at_once_and_goes_on_telling)
{
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_OK}, 1);
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    stage_for(&s, "alertmanager", hook, "resolve_after: 150s\n");
    IV_AUTO(iv_deliver_freep) struct iv_deliver *d = alert_stage_deliver(&s, "a");
    (void)alert_stage_find(&s, "acme", "agent-7");
    find_and_wait(&s, "agent-8");

    (void)turn(d);
    cr_assert(hook_count(hook) == 1);
    cr_expect(strncmp(hook_request(hook, 0), "POST /api/v2/alerts HTTP/1.1", 28) == 0);
    cr_expect(strstr(hook_body(hook, 0), "agent-7") != NULL && strstr(hook_body(hook, 0), "agent-8") != NULL);
    cr_expect(turn(d) == 5 * IV_NS_PER_S, "nothing is due");
    s.now += MINUTE;
    (void)turn(d);
    cr_expect(hook_count(hook) == 2, "what fires is posted again");
    cr_expect(strstr(hook_body(hook, 1), "\"endsAt\":\"2026-01-01T00:05:01Z\"") != NULL, "%s",
              hook_body(hook, 1));
    alert_stage_pass(&s, 2 * MINUTE);
    (void)turn(d);
    cr_expect(strstr(hook_body(hook, 2), "\"endsAt\":\"2026-01-01T00:03:01Z\"") != NULL, "%s",
              hook_body(hook, 2));
    s.now += MINUTE;
    (void)turn(d);
    cr_expect(hook_count(hook) == 4, "that it is resolved is posted again");
    s.now += 20 * MINUTE;
    (void)turn(d);
    s.now += 20 * MINUTE;
    (void)turn(d);
    cr_expect(hook_count(hook) == 5, "but not for ever");
}

Test(deliver, finds_the_one_of_many_that_is_refused)
{
    static const struct hook_answer answers[] = {HOOK_STATUS("400 Bad"), HOOK_OK, HOOK_STATUS("400 Bad"),
                                                 HOOK_OK};
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start(answers, IV_COUNT(answers));
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    stage_for(&s, "alertmanager", hook, "");
    IV_AUTO(iv_deliver_freep) struct iv_deliver *d = alert_stage_deliver(&s, "a");
    struct iv_deliver_stats stats;
    (void)alert_stage_find(&s, "acme", "agent-7");
    (void)alert_stage_find(&s, "acme", "agent-8");
    find_and_wait(&s, "agent-9");

    for (int i = 0; i < 4; i++) {
        (void)turn(d);
    }

    iv_deliver_stats(d, &stats);
    cr_expect(stats.told == 2 && stats.refused == 1);
}

Test(deliver, tells_no_more_of_a_name_than_its_beginning)
{
    static char tenant[300001];
    IV_AUTO(hook_stopp) struct hook_server *hook = hook_start((const struct hook_answer[]){HOOK_OK}, 1);
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    stage_for(&s, "alertmanager", hook, "");
    IV_AUTO(iv_deliver_freep) struct iv_deliver *d = alert_stage_deliver(&s, "a");
    struct iv_deliver_stats stats;
    memset(tenant, 'x', sizeof tenant - 1);
    (void)alert_stage_find(&s, tenant, "agent-7");
    tenant[sizeof tenant - 2] = 'y';
    (void)alert_stage_find(&s, tenant, "agent-7");
    s.now += IV_NS_PER_S;

    (void)turn(d);

    iv_deliver_stats(d, &stats);
    cr_expect(stats.told == 2 && stats.refused == 0, "two alerts, for the names differ");
    cr_expect(strlen(hook_body(hook, 0)) < 4096);
}

Test(deliver, ends_at_once_when_told_to)
{
    IV_AUTO(hook_stopp)
    struct hook_server *hook = hook_start((const struct hook_answer[]){{HOOK_HANG, NULL}}, 1);
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    stage_for(&s, "webhook", hook, "");
    IV_AUTO(iv_deliver_freep) struct iv_deliver *d = alert_stage_deliver(&s, "a");
    const char *why = "";
    find_and_wait(&s, "agent-7");

    iv_deliver_end(d);
    (void)turn(d);

    cr_expect(iv_deliver_failing(d, &why) == 0, "the sink is not to blame");
    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 1 ");
}

Test(deliver, reads_no_more_of_a_flood_than_it_needs)
{
    IV_AUTO(hook_stopp)
    struct hook_server *hook = hook_start((const struct hook_answer[]){{HOOK_FLOOD, NULL}}, 1);
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    stage_for(&s, "webhook", hook, "");
    IV_AUTO(iv_deliver_freep) struct iv_deliver *d = alert_stage_deliver(&s, "a");
    struct iv_deliver_stats stats;
    find_and_wait(&s, "agent-7");

    (void)turn(d);

    iv_deliver_stats(d, &stats);
    cr_expect(stats.told == 1, "its status had come");
}
