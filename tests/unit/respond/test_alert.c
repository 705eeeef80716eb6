/* SPDX-License-Identifier: Apache-2.0 */
/* From findings to notices: what is one alert, who is told, how often, and when it is over. */
#include "base/guard.h"
#include "respond/alert/canary.h"
#include "support/alert_stage.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>
#include <string.h>

#define ONE "sinks: {a: {webhook: {url: \"http://127.0.0.1:1/\"}}}\n"
#define TWO                                                                                                  \
    "sinks:\n"                                                                                               \
    "  a: {webhook: {url: \"http://127.0.0.1:1/\"}}\n"                                                       \
    "  b: {webhook: {url: \"http://127.0.0.1:2/\"}}\n"
#define MINUTE (60 * IV_NS_PER_S)

Test(alert, is_one_for_a_rule_and_an_agent_however_often_it_is_found)
{
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    alert_stage_init(&s, ONE);

    for (int i = 0; i < 7; i++) {
        (void)alert_stage_find(&s, "acme", "agent-7");
    }
    (void)alert_stage_find(&s, "acme", "agent-8");

    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 1 firing 1 ");
}

Test(alert, tells_of_a_growing_number_by_powers_of_ten)
{
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    alert_stage_init(&s, ONE);

    for (int i = 0; i < 123; i++) {
        (void)alert_stage_find(&s, "acme", "agent-7");
    }

    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 100 ", "what waits tells the newer count");
}

Test(alert, of_a_storm_is_a_bounded_number_of_notices)
{
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    alert_stage_init(&s, ONE "per_rule: 3\n");

    for (int i = 0; i < 500; i++) {
        char agent[32];
        (void)snprintf(agent, sizeof agent, "agent-%d", i);
        (void)alert_stage_find(&s, "acme", agent);
    }

    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 1 firing 1 firing 1 firing 100 ");
}

Test(alert, is_resolved_after_quiet_time_and_fires_anew)
{
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    alert_stage_init(&s, ONE "resolve_after: 5m\n");

    (void)alert_stage_find(&s, "acme", "agent-7");
    alert_stage_pass(&s, 4 * MINUTE);
    (void)alert_stage_find(&s, "acme", "agent-7");
    alert_stage_pass(&s, 4 * MINUTE);
    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 1 ", "found again in time");
    alert_stage_pass(&s, MINUTE);
    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 1 resolved 2 ");

    (void)alert_stage_find(&s, "acme", "agent-7");
    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 1 resolved 2 firing 1 ",
                     "nothing is lost in between");
}

Test(alert, is_resolved_when_all_of_its_findings_are_contradicted)
{
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    alert_stage_init(&s, ONE);
    unsigned first = alert_stage_find(&s, "acme", "agent-7");
    unsigned second = alert_stage_find(&s, "acme", "agent-7");

    alert_stage_contradict(&s, first, "acme", "agent-7");
    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 1 ");
    alert_stage_contradict(&s, second, "acme", "agent-7");
    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 1 resolved 2 ");
    alert_stage_contradict(&s, second, "acme", "agent-7");
    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 1 resolved 2 ");
}

Test(alert, is_resolved_when_none_of_its_findings_stands_because_people_closed_them)
{
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    alert_stage_init(&s, ONE);
    unsigned first = alert_stage_find(&s, "acme", "agent-7");
    unsigned second = alert_stage_find(&s, "acme", "agent-7");
    unsigned other = alert_stage_find(&s, "acme", "agent-8");

    alert_stage_triage(&s, first, IV_TRIAGE_CLOSE);
    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 1 firing 1 ");
    alert_stage_triage(&s, first, IV_TRIAGE_REOPEN);
    alert_stage_triage(&s, second, IV_TRIAGE_CLOSE);
    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 1 firing 1 ", "one was reopened");
    alert_stage_triage(&s, first, IV_TRIAGE_SUPPRESS);
    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 1 firing 1 resolved 2 ");
    alert_stage_triage(&s, other, IV_TRIAGE_CLOSE);
    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 1 firing 1 resolved 2 resolved 1 ");

    s.now += MINUTE;
    (void)alert_stage_find(&s, "acme", "agent-8");
    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 1 firing 1 resolved 2 resolved 1 firing 1 ",
                     "found again, it fires anew");
}

Test(alert, is_acknowledged_with_a_finding_of_it_where_the_sink_knows_such_a_thing)
{
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    char yaml[512];
    struct iv_str key = IV_STR("0123456789abcdef0123456789abcdef\n");
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    scratch_write(&dir, "key", key);
    (void)snprintf(yaml, sizeof yaml,
                   "sinks:\n"
                   "  a: {webhook: {url: \"http://127.0.0.1:1/\"}}\n"
                   "  page: {pagerduty: {url: \"http://127.0.0.1:2/\", routing_key_file: %s/key}}\n",
                   dir.path);
    alert_stage_init(&s, yaml);
    unsigned first = alert_stage_find(&s, "acme", "agent-7");
    unsigned second = alert_stage_find(&s, "acme", "agent-7");

    alert_stage_triage(&s, first, IV_TRIAGE_ACKNOWLEDGE);
    alert_stage_triage(&s, second, IV_TRIAGE_ACKNOWLEDGE);

    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 1 ");
    cr_expect_str_eq(alert_stage_queue(&s, "page"), "firing 1 acknowledged 2 ", "once");
    alert_stage_pass(&s, 10 * MINUTE);
    cr_expect_str_eq(alert_stage_queue(&s, "page"), "firing 1 acknowledged 2 resolved 2 ");
}

#define PAGE_KEY "0123456789abcdef0123456789abcdef\n"

/* One sink `page`, which knows what acknowledging is. */
static void stage_with_page(struct alert_stage *s, const struct scratch *dir, const char *more)
{
    char yaml[512];
    scratch_write(dir, "key", IV_STR(PAGE_KEY));
    (void)snprintf(yaml, sizeof yaml,
                   "sinks: {page: {pagerduty: {url: \"http://127.0.0.1:2/\", routing_key_file: %s/key}}}\n%s",
                   dir->path, more);
    alert_stage_init(s, yaml);
}

Test(alert, of_a_finding_of_which_more_became_known_is_acknowledged_kept_and_resolved_with_it)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    stage_with_page(&s, &dir, "");
    unsigned first = alert_stage_find(&s, "acme", "agent-7");
    unsigned second = alert_stage_find(&s, "acme", "agent-7");
    alert_stage_update(&s, first, "acme", "agent-7");

    alert_stage_triage(&s, first, IV_TRIAGE_ACKNOWLEDGE);
    cr_expect_str_eq(alert_stage_queue(&s, "page"), "firing 1 acknowledged 2 ");
    alert_stage_triage(&s, second, IV_TRIAGE_CLOSE);
    cr_expect_str_eq(alert_stage_queue(&s, "page"), "firing 1 acknowledged 2 ", "the updated one stands");
    alert_stage_triage(&s, first, IV_TRIAGE_CLOSE);
    cr_expect_str_eq(alert_stage_queue(&s, "page"), "firing 1 acknowledged 2 resolved 2 ");
}

Test(alert, that_stands_for_many_is_acknowledged_and_resolved_with_findings_of_its_own)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    stage_with_page(&s, &dir, "per_rule: 1\n");
    unsigned alone = alert_stage_find(&s, "acme", "agent-1");
    unsigned folded = alert_stage_find(&s, "acme", "agent-2");
    unsigned another = alert_stage_find(&s, "umbra", "agent-3");

    alert_stage_triage(&s, folded, IV_TRIAGE_ACKNOWLEDGE);
    cr_expect_str_eq(alert_stage_queue(&s, "page"), "firing 1 firing 1 acknowledged 2 ");
    alert_stage_triage(&s, folded, IV_TRIAGE_CLOSE);
    cr_expect_str_eq(alert_stage_queue(&s, "page"), "firing 1 firing 1 acknowledged 2 ", "another stands");
    alert_stage_triage(&s, another, IV_TRIAGE_CLOSE);
    cr_expect_str_eq(alert_stage_queue(&s, "page"), "firing 1 firing 1 acknowledged 2 resolved 2 ",
                     "what has an alert of its own does not keep it");
    alert_stage_triage(&s, alone, IV_TRIAGE_CLOSE);
    cr_expect_str_eq(alert_stage_queue(&s, "page"),
                     "firing 1 firing 1 acknowledged 2 resolved 1 resolved 2 ");
}

Test(alert, hears_of_what_is_closed_behind_any_number_of_comments)
{
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    alert_stage_init(&s, ONE);
    unsigned only = alert_stage_find(&s, "acme", "agent-7");
    bool any = true;
    for (int i = 0; i < 200; i++) {
        alert_stage_triage(&s, only, IV_TRIAGE_COMMENT);
    }
    IV_CHECK(iv_ok(iv_store_begin(s.store, NULL)));
    any = false;
    IV_CHECK(iv_ok(iv_alerter_triage(s.alerter, s.store, &any, s.now, NULL)));
    IV_CHECK(iv_ok(iv_store_commit(s.store, NULL)));
    cr_expect(any == false, "what was read is not read again");

    alert_stage_triage(&s, only, IV_TRIAGE_CLOSE);

    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 1 resolved 1 ");
}

Test(alert, of_earlier_findings_is_not_ended_by_their_contradiction)
{
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    alert_stage_init(&s, ONE "resolve_after: 1m\n");
    unsigned before = alert_stage_find(&s, "acme", "agent-7");
    alert_stage_pass(&s, MINUTE);
    (void)alert_stage_find(&s, "acme", "agent-7");

    alert_stage_contradict(&s, before, "acme", "agent-7");

    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 1 resolved 1 firing 1 ");
}

Test(alert, is_not_made_of_what_is_waived_observed_open_or_not_certain)
{
    static const struct {
        const char *what;
        struct iv_finding finding;
        bool alerts;
    } rows[] = {
        {"a violation", {.kind = IV_VIOLATED}, true},
        {"a waived one", {.kind = IV_VIOLATED, .suppressed = true}, false},
        {"an observed one", {.kind = IV_VIOLATED, .mode = IV_MODE_OBSERVE}, false},
        {"an inconclusive one", {.kind = IV_INCONCLUSIVE}, false},
        {"an open one", {.kind = IV_OPEN}, false},
        {"one that was contradicted before it was seen", {.kind = IV_CONTRADICTED}, false},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        IV_AUTO(alert_stage_deinit) struct alert_stage s;
        alert_stage_init(&s, ONE);
        struct iv_finding f = rows[i].finding;
        f.rule = IV_STR("TOK-002");
        (void)alert_stage_find_like(&s, f);
        cr_expect_str_eq(alert_stage_queue(&s, "a"), rows[i].alerts ? "firing 1 " : "", "%s", rows[i].what);
    }
}

Test(alert, goes_where_the_first_route_that_takes_it_says)
{
    static const struct {
        const char *routes;
        const char *at_a;
        const char *at_b;
    } rows[] = {
        {"", "firing 1 ", "firing 1 "},
        {"routes: [{to: a}]\n", "firing 1 ", ""},
        {"routes: [{severity: [high, low], to: a}, {to: b}]\n", "", "firing 1 "},
        {"routes: [{severity: critical, to: a}, {to: b}]\n", "firing 1 ", ""},
        {"routes: [{severity: critical, to: a, continue: true}, {to: b}]\n", "firing 1 ", "firing 1 "},
        {"routes: [{criteria: [CC6.3], to: a}]\n", "firing 1 ", ""},
        {"routes: [{criteria: [CC6], to: a}]\n", "", ""},
        {"routes: [{rules: [ISO-*, TOK-*], tenant: ac*, to: b}]\n", "", "firing 1 "},
        {"routes: [{tenant: other, to: b}]\n", "", ""},
        {"routes: []\n", "", ""},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        IV_AUTO(alert_stage_deinit) struct alert_stage s;
        char yaml[512];
        (void)snprintf(yaml, sizeof yaml, "%s%s", TWO, rows[i].routes);
        alert_stage_init(&s, yaml);
        (void)alert_stage_find(&s, "acme", "agent-7");
        cr_expect_str_eq(alert_stage_queue(&s, "a"), rows[i].at_a, "%s", rows[i].routes);
        cr_expect_str_eq(alert_stage_queue(&s, "b"), rows[i].at_b, "%s", rows[i].routes);
    }
}

Test(alert, of_what_is_not_certain_or_observed_goes_where_a_route_asks_for_it)
{
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    alert_stage_init(&s,
                     TWO "routes: [{inconclusive: true, to: a, continue: true}, {observed: true, to: b}]\n");

    (void)alert_stage_find_like(&s, (struct iv_finding){.kind = IV_INCONCLUSIVE, .rule = IV_STR("TOK-003")});
    (void)alert_stage_find_like(
        &s, (struct iv_finding){.kind = IV_VIOLATED, .mode = IV_MODE_OBSERVE, .rule = IV_STR("TOK-003")});

    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 1 ");
    cr_expect_str_eq(alert_stage_queue(&s, "b"), "firing 1 ");
}

Test(alert, of_the_monitor_itself_goes_to_everybody_where_no_route_takes_it)
{
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    alert_stage_init(&s, TWO "routes: [{severity: critical, to: a}]\n");

    alert_stage_condition(&s, IV_CONDITION_BASELINE_REFUSED, false, "a rule is wrong");
    alert_stage_condition(&s, IV_CONDITION_INPUT_LOST, false, "the broker does not answer");

    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 1 firing 1 ");
    cr_expect_str_eq(alert_stage_queue(&s, "b"), "firing 1 ");
    alert_stage_condition(&s, IV_CONDITION_BASELINE_REFUSED, true, "another baseline is in force");
    cr_expect_str_eq(alert_stage_queue(&s, "b"), "firing 1 resolved 1 ");
    alert_stage_condition(&s, IV_CONDITION_BASELINE_REFUSED, true, "again");
    cr_expect_str_eq(alert_stage_queue(&s, "b"), "firing 1 resolved 1 ");
}

static bool add_detail(void *ctx, const struct iv_alert *alert)
{
    char *details = ctx;
    size_t n = strlen(details);
    (void)snprintf(details + n, 128 - n, "%s" IV_STR_FMT, n == 0 ? "" : "; ", IV_STR_ARG(alert->detail));
    return true;
}

Test(alert, of_playbooks_in_vain_tells_of_each_that_follows_and_in_its_words)
{
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    char details[128] = "";
    alert_stage_init(&s, TWO);

    alert_stage_condition(&s, IV_CONDITION_REMEDIATION_FAILED, false, "the first");
    alert_stage_pass(&s, 300 * IV_NS_PER_S);
    alert_stage_condition(&s, IV_CONDITION_REMEDIATION_FAILED, false, "the second");
    alert_stage_condition(&s, IV_CONDITION_INPUT_LOST, false, "away");
    alert_stage_condition(&s, IV_CONDITION_INPUT_LOST, false, "still away");

    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 2 firing 1 ");
    cr_assert(
        iv_ok(iv_reader_alerts(s.reader, &(struct iv_alert_filter){.limit = 10}, add_detail, details, NULL)));
    cr_expect(strstr(details, "the second") != NULL && strstr(details, "the first") == NULL, "%s", details);
    cr_expect(strstr(details, "away") == details || strstr(details, "; away") != NULL, "%s", details);
}

Test(alert, that_is_synthetic_is_not_made_again_while_the_last_one_waits)
{
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    alert_stage_init(&s, TWO);

    for (int i = 0; i < 3; i++) {
        cr_assert(iv_ok(iv_store_begin(s.store, NULL)));
        cr_assert(iv_ok(iv_alerter_canary(s.alerter, s.store, IV_STR("a"), IV_STR(""), s.now, NULL)));
        cr_assert(iv_ok(iv_store_commit(s.store, NULL)));
        s.now += MINUTE;
    }

    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 1 resolved 1 ");
    cr_expect_str_eq(alert_stage_queue(&s, "b"), "");
}

static void plant(struct alert_stage *s)
{
    cr_assert(iv_ok(iv_store_begin(s->store, NULL)));
    cr_assert(iv_ok(iv_alerter_canary_found(s->alerter, s->store, IV_STR("CAN-001"), s->now - IV_NS_PER_S,
                                            s->now, NULL)));
    cr_assert(iv_ok(iv_store_commit(s->store, NULL)));
}

Test(alert, that_is_synthetic_begins_with_a_planted_violation_at_each_sink_that_a_route_leads_to)
{
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    char details[1024] = "";
    alert_stage_init(
        &s, "sinks: {a: {webhook: {url: \"http://127.0.0.1:1/\"}}, "
            "b: {webhook: {url: \"http://127.0.0.1:1/\"}}, c: {webhook: {url: \"http://127.0.0.1:1/\"}}}\n"
            "routes: [{rules: [TOK-002], to: a}, {severity: [critical], to: c}]\ncanary: 10m\n");

    for (int i = 0; i < 10; i++) {
        plant(&s);
        s.now += MINUTE - 1;
    }

    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 1 resolved 1 ", "once in ten minutes");
    cr_expect_str_eq(alert_stage_queue(&s, "b"), "", "nothing that is found goes there");
    cr_expect_str_eq(alert_stage_queue(&s, "c"), "firing 1 resolved 1 ");
    cr_assert(
        iv_ok(iv_reader_alerts(s.reader, &(struct iv_alert_filter){.limit = 10}, add_detail, details, NULL)));
    cr_expect(strstr(details, "planted for CAN-001 at 2025-12-31T23:59:59Z was found 1.000 s later") != NULL,
              "%s", details);
}

Test(alert, says_that_no_planted_violation_is_found_until_one_is)
{
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    iv_ns since = ALERT_STAGE_NOW;
    bool missed[4];
    alert_stage_init(&s, ONE "canary: 1m\n");

    for (size_t i = 0; i < IV_COUNT(missed); i++) {
        s.now += MINUTE;
        if (i == 3) {
            plant(&s);
        }
        cr_assert(iv_ok(iv_store_begin(s.store, NULL)));
        cr_assert(
            iv_ok(iv_alerter_canary_missed(s.alerter, s.store, &missed[i], since, 2 * MINUTE, s.now, NULL)));
        cr_assert(iv_ok(iv_store_commit(s.store, NULL)));
    }

    cr_expect(missed[1] && !missed[0] && missed[2] && !missed[3]);
    cr_expect_str_eq(alert_stage_queue(&s, "a"), "firing 1 firing 1 resolved 1 resolved 2 ",
                     "the condition, and the synthetic alert that ended it");
}

static bool count_one(void *ctx, const struct iv_alert *alert)
{
    (void)alert;
    ++*(size_t *)ctx;
    return true;
}

Test(alert, is_forgotten_a_day_after_it_was_resolved_and_told)
{
    IV_AUTO(alert_stage_deinit) struct alert_stage s;
    alert_stage_init(&s, ONE "routes: [{rules: TOK-002, to: a}]\n");
    const struct iv_alert_filter any = {.limit = 10};
    size_t count = 0;
    (void)alert_stage_find(&s, "acme", "agent-7");
    alert_stage_pass(&s, 5 * MINUTE);

    alert_stage_pass(&s, 1441 * MINUTE);
    cr_assert(iv_ok(iv_reader_alerts(s.reader, &any, count_one, &count, NULL)));
    cr_expect(count == 1, "its notices wait");

    int64_t lost = 0;
    cr_assert(iv_ok(iv_store_begin(s.store, NULL)));
    cr_assert(iv_ok(iv_store_add_sink(s.store, IV_STR("a"), IV_STR("webhook"), NULL)));
    cr_assert(iv_ok(iv_store_keep_sinks(s.store, &lost, NULL, 0, NULL)));
    cr_assert(iv_ok(iv_store_commit(s.store, NULL)));
    cr_expect(lost == 2);
    alert_stage_pass(&s, 0);
    count = 0;
    cr_assert(iv_ok(iv_reader_alerts(s.reader, &any, count_one, &count, NULL)));
    cr_expect(count == 0);
}

Test(alert, configuration_is_refused_with_the_place_of_each_mistake)
{
    static const struct {
        const char *yaml;
        const char *complaint;
    } rows[] = {
        {"sinks: {}\n", "1:8: error: alerts.sinks must be a mapping from 1 to 32 names to sinks"},
        {"sinks: {a: {webhok: {}}}\n", "there is no kind of sink 'webhok', did you mean 'webhook'?"},
        {"sinks: {a: {webhook: {}}}\n", "webhook lacks the key 'url'"},
        {"sinks: {a: {webhook: {url: \"http://example.org/\"}}}\n", "plain http is for loopback"},
        {"sinks: {a: {webhook: {url: \"https://u:p@example.org/\"}}}\n",
         "must not hold a user or a password"},
        {"sinks: {a: {webhook: {url: \"https://e.org/\", hmac_key_file: /nowhere/k}}}\n", "/nowhere/k"},
        {"sinks: {a: {pagerduty: {}}}\n", "pagerduty lacks the key 'routing_key_file'"},
        {"sinks: {a: {slack: {url: \"https://e.org/\"}}}\n", "unknown key 'url' in slack"},
        {"sinks: {a: {syslog: {address: siem}}}\n", "the address of sink 'a' must be HOST:PORT"},
        {"sinks: {a: {syslog: {address: \"s:1\", ca_file: /ca}}}\n", "are for transport tls"},
        {"sinks: {a: {syslog: {address: \"s:1\", transport: tls, key: /k}}}\n",
         "certificate and key of sink 'a'"},
        {"sinks: {a: {smtp: {url: \"http://m\", from: a@b, to: c@d}}}\n", "must be smtp://HOST:PORT"},
        {"sinks: {a: {smtp: {url: \"smtp://m\", from: \"a b@c\", to: c@d}}}\n",
         "'a b@c' of sink 'a' is no address"},
        {"sinks: {a: {smtp: {url: \"smtp://m\", from: a@b, to: [c@d, \"x>@y\"]}}}\n",
         "'x>@y' of sink 'a' is no address"},
        {"sinks: {a: {smtp: {url: \"smtp://m\", from: a@b, to: c@d, user: u}}}\n", "user and password_file"},
        {ONE "routes: [{to: c}]\n", "there is no sink 'c'"},
        {ONE "routes: [{severity: urgent, to: a}]\n", "urgent"},
        {ONE "routes: [{severity: high}]\n", "route lacks the key 'to'"},
        {ONE "resolve_after: 0s\n", "it must be between 1s and 24h, got '0s'"},
        {ONE "canari: 1h\n", "did you mean 'canary'?"},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        IV_AUTO(iv_buf_deinit) struct iv_buf shown;
        iv_buf_init(&shown, 1 << 16);
        alert_stage_problems(&shown, rows[i].yaml);
        cr_expect(strstr(shown.p, rows[i].complaint) != NULL, "%s\nsaid\n%s", rows[i].yaml, shown.p);
    }
}
