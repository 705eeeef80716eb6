/* SPDX-License-Identifier: Apache-2.0 */
#include "support/alert_stage.h"

#include "base/arena.h"
#include "base/guard.h"
#include "baseline/yaml.h"

#include <stdio.h>
#include <string.h>

static iv_ns stage_now(void *ctx)
{
    return *(iv_ns *)ctx;
}

static void read_section(struct iv_alerting **out, struct iv_problems *problems, const char *yaml)
{
    struct iv_yaml *document = NULL;
    IV_CHECK(iv_ok(iv_yaml_parse(&document, IV_STR("alerts.yaml"), iv_str_of(yaml), NULL, problems, NULL)));
    IV_CHECK(iv_ok(iv_alerting_read(out, iv_yaml_root(document), problems, NULL)));
    iv_yaml_free(document);
}

void alert_stage_problems(struct iv_buf *out, const char *yaml)
{
    struct iv_problems *problems = NULL;
    struct iv_alerting *alerting = NULL;
    IV_CHECK(iv_ok(iv_problems_new(&problems, NULL)));
    read_section(&alerting, problems, yaml);
    iv_buf_text(out, "");
    iv_problems_render(out, problems);
    iv_alerting_free(alerting);
    iv_problems_free(problems);
}

void alert_stage_init(struct alert_stage *s, const char *yaml)
{
    struct scratch dir = scratch_make();
    alert_stage_open(s, yaml, scratch_file(&dir, "s.db"));
    s->dir = dir;
}

void alert_stage_open(struct alert_stage *s, const char *yaml, struct iv_str store)
{
    struct iv_problems *problems = NULL;
    struct iv_buf shown;
    memset(s, 0, sizeof *s);
    s->now = ALERT_STAGE_NOW;
    IV_CHECK(iv_ok(iv_problems_new(&problems, NULL)));
    read_section(&s->alerting, problems, yaml);
    iv_buf_init(&shown, 1 << 16);
    iv_problems_render(&shown, problems);
    (void)fprintf(stderr, "%.*s", (int)shown.n, shown.n == 0 ? "" : shown.p);
    IV_CHECK(shown.n == 0);
    iv_buf_deinit(&shown);
    iv_problems_free(problems);
    IV_CHECK(iv_ok(iv_store_open(&s->store, store, NULL)));
    IV_CHECK(iv_ok(iv_reader_open(&s->reader, store, NULL)));
    IV_CHECK(iv_ok(iv_alerter_new(&s->alerter, s->alerting, NULL)));
}

void alert_stage_deinit(struct alert_stage *s)
{
    iv_alerter_free(s->alerter);
    iv_reader_close(s->reader);
    iv_store_close(s->store);
    iv_alerting_free(s->alerting);
    if (s->dir.path[0] != '\0') {
        scratch_remove(&s->dir);
    }
}

static void put(struct alert_stage *s, const struct iv_finding *finding)
{
    enum iv_put how;
    IV_CHECK(iv_ok(iv_store_begin(s->store, NULL)));
    IV_CHECK(iv_ok(iv_store_put_finding(s->store, &how, finding, NULL)));
    IV_CHECK(iv_ok(iv_alerter_finding(s->alerter, s->store, finding, how, s->now, NULL)));
    IV_CHECK(iv_ok(iv_store_commit(s->store, NULL)));
}

static void put_number(struct alert_stage *s, struct iv_finding finding, unsigned number)
{
    char uid[IV_UID_HEX + 1];
    (void)snprintf(uid, sizeof uid, "%064u", number);
    finding.uid = iv_str_of(uid);
    finding.time = s->now;
    finding.detected = s->now;
    finding.ocsf = IV_STR("{}");
    put(s, &finding);
}

unsigned alert_stage_find_like(struct alert_stage *s, struct iv_finding finding)
{
    put_number(s, finding, ++s->findings);
    return s->findings;
}

static struct iv_finding usual(const char *tenant, const char *agent)
{
    return (struct iv_finding){.kind = IV_VIOLATED,
                               .rule = IV_STR("TOK-002"),
                               .title = IV_STR("Token used after it was revoked"),
                               .criteria = IV_STR("CC6.1 CC6.3"),
                               .severity = IV_SEV_CRITICAL,
                               .tenant = iv_str_of(tenant),
                               .agent = iv_str_of(agent)};
}

unsigned alert_stage_find(struct alert_stage *s, const char *tenant, const char *agent)
{
    return alert_stage_find_like(s, usual(tenant, agent));
}

void alert_stage_contradict(struct alert_stage *s, unsigned number, const char *tenant, const char *agent)
{
    struct iv_finding finding = usual(tenant, agent);
    finding.kind = IV_CONTRADICTED;
    put_number(s, finding, number);
}

void alert_stage_update(struct alert_stage *s, unsigned number, const char *tenant, const char *agent)
{
    struct iv_finding finding = usual(tenant, agent);
    finding.kind = IV_UPDATED;
    put_number(s, finding, number);
}

void alert_stage_triage(struct alert_stage *s, unsigned number, enum iv_triage_verb verb)
{
    char uid[IV_UID_HEX + 1];
    bool any = false;
    (void)snprintf(uid, sizeof uid, "%064u", number);
    const struct iv_triage triage = {.finding = iv_str_of(uid),
                                     .verb = verb,
                                     .who = IV_STR("carol"),
                                     .at = s->now,
                                     .assignee = IV_STR(""),
                                     .text = IV_STR(""),
                                     .reason = IV_STR("resolved")};
    IV_CHECK(iv_ok(iv_store_begin(s->store, NULL)));
    IV_CHECK(iv_ok(iv_alerter_triage(s->alerter, s->store, &any, s->now, NULL)));
    IV_CHECK(iv_ok(iv_store_triage(s->store, &triage, NULL)));
    IV_CHECK(iv_ok(iv_alerter_triage(s->alerter, s->store, &any, s->now, NULL)));
    IV_CHECK(iv_ok(iv_store_commit(s->store, NULL)));
}

void alert_stage_pass(struct alert_stage *s, iv_ns length)
{
    bool any = false;
    s->now += length;
    IV_CHECK(iv_ok(iv_store_begin(s->store, NULL)));
    IV_CHECK(iv_ok(iv_alerter_settle(s->alerter, s->store, &any, s->now, NULL)));
    IV_CHECK(iv_ok(iv_store_commit(s->store, NULL)));
}

void alert_stage_condition(struct alert_stage *s, enum iv_condition condition, bool over, const char *detail)
{
    IV_CHECK(iv_ok(iv_store_begin(s->store, NULL)));
    IV_CHECK(iv_ok(iv_alerter_condition(s->alerter, s->store, condition, over, IV_STR(""), iv_str_of(detail),
                                        s->now, NULL)));
    IV_CHECK(iv_ok(iv_store_commit(s->store, NULL)));
}

/* What is due at any time; of an alert the oldest only, so each round takes one away. */
const char *alert_stage_queue(struct alert_stage *s, const char *sink)
{
    static char line[4096];
    struct iv_arena arena;
    struct iv_notice *notices = NULL;
    size_t count = 1;
    size_t n = 0;
    line[0] = '\0';
    iv_arena_init(&arena, 0);
    IV_CHECK(iv_ok(iv_store_begin(s->store, NULL)));
    while (count > 0) {
        IV_CHECK(iv_ok(
            iv_store_notices(s->store, &notices, &count, iv_str_of(sink), IV_NS_MAX, 64, &arena, NULL)));
        for (size_t i = 0; i < count; i++) {
            const struct iv_alert *a = &notices[i].alert;
            const char *tells = notices[i].acknowledged ? "acknowledged" : a->firing ? "firing" : "resolved";
            n += (size_t)snprintf(line + n, sizeof line - n, "%s %lld ", tells, (long long)a->count);
            IV_CHECK(n < sizeof line);
            IV_CHECK(iv_ok(iv_store_notice_refused(s->store, &notices[i], NULL)));
        }
    }
    iv_store_rollback(s->store);
    iv_arena_deinit(&arena);
    return line;
}

struct iv_deliver *alert_stage_deliver(struct alert_stage *s, const char *sink)
{
    struct iv_deliver *deliver = NULL;
    struct iv_deliver_options options = {
        .store = s->store,
        .alerting = s->alerting,
        .clock = {.wall = stage_now, .monotonic = stage_now, .ctx = &s->now}};
    for (size_t i = 0; i < s->alerting->sink_count; i++) {
        if (iv_str_eq(s->alerting->sinks[i].name, iv_str_of(sink))) {
            options.sink = &s->alerting->sinks[i];
        }
    }
    IV_CHECK(iv_ok(iv_deliver_new(&deliver, &options, NULL)));
    return deliver;
}
