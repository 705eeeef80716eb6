/* SPDX-License-Identifier: Apache-2.0 */
/* A monitor on an embedded broker, and baselines that change under it. */
#include "daemon/monitor.h"

#include "app/demo/http_get.h"
#include "base/clock.h"
#include "base/guard.h"
#include "daemon/config.h"
#include "daemon/load.h"
#include "evidence/own.h"
#include "evidence/reader.h"
#include "respond/playbook.h"
#include "stream/embedded.h"
#include "stream/producer.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdio.h>

#define LONG_ENOUGH (100 * IV_NS_PER_S) /* a group may need a second attempt on a busy machine */
#define SETTINGS                                                                                             \
    "apiVersion: invigil/v1\nkind: Baseline\nmetadata: {name: %s, version: \"1\"}\npacks: [pack.yaml]\n"     \
    "streams: {telemetry: {topic: %s, lateness: 1h}}\n"                                                      \
    "events:\n  use: {stream: telemetry, fields: {k: string}}\n"                                             \
    "  gone: {stream: telemetry, fields: {k: string}}\n"
#define PACK "apiVersion: invigil/v1\nkind: RulePack\nmetadata: {name: p, title: P}\nrules:\n"
#define RULE(id, text) "- {id: " id ", title: t, severity: low, criteria: [CC7.2], " text "}\n"
/* A use of what was gone before. */
#define USED_WHEN_GONE(by)                                                                                   \
    "on: {event: use, as: u}, forbid: {with: {event: gone, as: g, by: " by ", before: 1h}}"

struct scene {
    struct scratch dir;
    struct iv_embedded *broker;
    struct iv_producer *producer;
    struct iv_config config;
    struct iv_property kafka[2];
    char store[96];
    struct iv_monitor *monitor;
    struct iv_reader *reader;
    int sent;
};

static void write_baseline(struct scene *s, const char *name, const char *topic, const char *rules)
{
    char settings[1024];
    char pack[4096];
    (void)snprintf(settings, sizeof settings, SETTINGS, name, topic);
    (void)snprintf(pack, sizeof pack, "%s%s", PACK, rules);
    scratch_write(&s->dir, "baseline.yaml", iv_str_of(settings));
    scratch_write(&s->dir, "pack.yaml", iv_str_of(pack));
}

static void open_producer(struct scene *s)
{
    struct iv_err err;
    struct iv_producer_options options = {.properties = s->kafka, .property_count = 1};
    cr_assert(iv_ok(iv_producer_open(&s->producer, &options, &err)), "%s", err.text);
}

static void start_as(struct scene *s, unsigned roles, const char *rules)
{
    static const struct iv_embedded_topic topics[] = {
        {"ledger", 1}, {"telemetry", 1}, {"findings", 1}, {"dead-letter", 1}, {"actions", 1}};
    IV_AUTO(iv_baseline_unrefp) struct iv_baseline *baseline = NULL;
    IV_AUTO(iv_playbooks_unrefp) struct iv_playbooks *playbooks = NULL;
    struct iv_err err = {.text = ""};
    *s = (struct scene){.dir = scratch_make()};
    cr_assert(iv_ok(iv_embedded_open(&s->broker, 1, topics, IV_COUNT(topics), &err)), "%s", err.text);
    s->kafka[0] =
        (struct iv_property){IV_STR("bootstrap.servers"), iv_str_of(iv_embedded_servers(s->broker))};
    s->kafka[1] = (struct iv_property){IV_STR("group.id"), IV_STR("reload")};
    (void)snprintf(s->store, sizeof s->store, "%s/invigil.db", s->dir.path);
    s->config = (struct iv_config){.baseline = iv_str_of(s->dir.path),
                                   .kafka = s->kafka,
                                   .kafka_count = 2,
                                   .topics = {.findings = IV_STR("findings"),
                                              .actions = IV_STR("actions"),
                                              .dead_letter = IV_STR("dead-letter")},
                                   .workers = 1,
                                   .verifiers = 1,
                                   .roles = roles,
                                   .store_path = iv_str_of(s->store),
                                   .snapshots = {iv_str_of(s->dir.path), 30 * IV_NS_PER_S, 2},
                                   .console = {.listen = IV_STR("127.0.0.1:0"), .open = true}};
    open_producer(s);
    write_baseline(s, "first", "telemetry", rules);
    cr_assert(iv_ok(iv_load_baseline(&baseline, &playbooks, s->config.baseline, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_monitor_start(&s->monitor, &s->config, baseline, playbooks, NULL, &err)), "%s",
              err.text);
    cr_assert(iv_ok(iv_reader_open(&s->reader, s->config.store_path, &err)), "%s", err.text);
}

static void start(struct scene *s, const char *rules)
{
    start_as(s, IV_ROLE_DETECT | IV_ROLE_CONSOLE, rules);
}

static void end(struct scene *s)
{
    iv_reader_close(s->reader);
    iv_monitor_stop(s->monitor);
    iv_producer_close(s->producer);
    iv_embedded_close(s->broker);
    scratch_remove(&s->dir);
}

/* Looks until it holds; the monitor must go on meanwhile. */
static void wait_for(struct scene *s, bool (*holds)(struct scene *s, const void *what), const void *what)
{
    struct iv_clock clock = iv_clock_system();
    struct iv_err err = {.text = ""};
    iv_ns late = iv_monotonic(&clock) + LONG_ENOUGH;
    while (!holds(s, what)) {
        cr_assert(iv_monitor_tick(s->monitor, &err), "%s", err.text);
        cr_assert(iv_monotonic(&clock) < late, "waited in vain");
        iv_pause(5 * IV_NS_PER_MS);
    }
}

static bool all_read(struct scene *s, const void *what)
{
    (void)what;
    return iv_metrics_sum(iv_monitor_metrics(s->monitor), IV_METRIC_EVENTS) >= s->sent;
}

/* An event of this second, and it was read. */
static void send(struct scene *s, const char *type, const char *id, const char *key, int second)
{
    char json[512];
    struct iv_err err;
    int n = snprintf(json, sizeof json,
                     "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"s\",\"type\":\"%s\",\"time\":"
                     "\"2026-01-01T00:00:%02dZ\",\"data\":{\"k\":\"%s\"}}",
                     id, type, second, key);
    struct iv_message message = {
        .topic = IV_STR("telemetry"), .key = IV_STR("t"), .value = {json, (size_t)n}};
    cr_assert(iv_ok(iv_producer_send(s->producer, &message, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_producer_flush(s->producer, LONG_ENOUGH, &err)), "%s", err.text);
    s->sent++;
    wait_for(s, all_read, NULL);
}

/* "RULE/id/baseline " of each that is not about the monitor itself, in the order of the store. */
static bool list_finding(void *ctx, const struct iv_finding *finding)
{
    struct iv_buf *out = ctx;
    if (iv_own_is(finding->rule)) {
        return true;
    }
    const char *name = memmem(finding->ocsf.p, finding->ocsf.n, "\"first\"", 7) != NULL ? "first" : "second";
    iv_buf_printf(out, IV_STR_FMT "/" IV_STR_FMT "/%s ", IV_STR_ARG(finding->rule),
                  IV_STR_ARG(finding->trigger_id), name);
    return true;
}

static bool found(struct scene *s, const void *what)
{
    struct iv_buf text;
    struct iv_err err;
    struct iv_finding_filter filter = {.limit = 100};
    iv_buf_init(&text, 1u << 16);
    cr_assert(iv_ok(iv_reader_findings(s->reader, &filter, list_finding, &text, &err)), "%s", err.text);
    const char *wanted = what;
    bool good = iv_str_eq(iv_buf_slice(&text), iv_str_of(wanted));
    cr_assert(text.n <= strlen(wanted), "found " IV_STR_FMT, IV_STR_ARG(iv_buf_slice(&text)));
    iv_buf_deinit(&text);
    return good;
}

struct count {
    const char *result;
    double value;
};

static void look(void *ctx, const struct iv_str *values, size_t count, double value)
{
    (void)count;
    struct count *c = ctx;
    if (iv_str_eq(values[0], iv_str_of(c->result))) {
        c->value = value;
    }
}

static bool reloaded(struct scene *s, const void *what)
{
    const struct count *wanted = what;
    struct count got = {wanted->result, 0};
    iv_metrics_each(iv_monitor_metrics(s->monitor), IV_METRIC_RELOADS, look, &got);
    return got.value == wanted->value;
}

static void reload(struct scene *s, const char *result, double times)
{
    iv_monitor_reload(s->monitor);
    wait_for(s, reloaded, &(struct count){result, times});
}

static bool status_has(struct scene *s, const char *text)
{
    struct iv_buf body;
    struct iv_err err = {.text = ""};
    iv_buf_init(&body, 1u << 20);
    cr_assert(iv_ok(iv_http_get(&body, iv_monitor_url(s->monitor), "/api/v1/status", &err)), "%s", err.text);
    bool has = memmem(body.p, body.n, text, strlen(text)) != NULL;
    iv_buf_deinit(&body);
    return has;
}

Test(reload, keeps_what_the_unchanged_rules_know_and_starts_the_others, .timeout = 300)
{
    struct scene s;
    start(&s, RULE("AA-1", USED_WHEN_GONE("k")) RULE("BB-1", USED_WHEN_GONE("k"))
                  RULE("CC-1", "on: {event: use}, forbid: {}"));
    send(&s, "use", "u1", "a", 20);
    wait_for(&s, found, "CC-1/u1/first ");

    write_baseline(&s, "second", "telemetry",
                   RULE("DD-1", "on: {event: use}, forbid: {}") RULE("AA-1", USED_WHEN_GONE("k"))
                       RULE("BB-1", USED_WHEN_GONE("[k, k]")));
    reload(&s, "accepted", 1);

    send(&s, "gone", "g1", "a", 10); /* of the use before the reload */
    wait_for(&s, found, "CC-1/u1/first AA-1/u1/second ");
    send(&s, "use", "u2", "a", 21); /* of what was gone since the reload */
    wait_for(&s, found, "CC-1/u1/first AA-1/u1/second DD-1/u2/second AA-1/u2/second BB-1/u2/second ");
    cr_expect(status_has(&s, "\"reload\":{\"result\":\"accepted\""));
    end(&s);
}

Test(reload, of_a_broken_baseline_leaves_the_old_one_in_force, .timeout = 300)
{
    struct scene s;
    start(&s, RULE("AA-1", USED_WHEN_GONE("k")));
    send(&s, "gone", "g1", "a", 10);

    write_baseline(&s, "second", "telemetry", RULE("AA-1", USED_WHEN_GONE("no_such_field")));
    reload(&s, "refused", 1);
    write_baseline(&s, "second", "elsewhere", RULE("AA-1", USED_WHEN_GONE("k")));
    reload(&s, "refused", 2);

    cr_expect(status_has(&s, "\"result\":\"refused\""));
    cr_expect(status_has(&s, "the topic of telemetry changes from 'telemetry' to 'elsewhere'"));
    send(&s, "use", "u1", "a", 20);
    wait_for(&s, found, "AA-1/u1/first ");
    end(&s);
}

static bool keep_kind(void *ctx, const struct iv_finding *finding)
{
    if (iv_own_is(finding->rule)) {
        *(enum iv_verdict_kind *)ctx = finding->kind;
    }
    return true;
}

static bool says_of_itself(struct scene *s, const void *what)
{
    enum iv_verdict_kind kind = IV_OPEN;
    struct iv_err err;
    struct iv_finding_filter all = {.limit = 100};
    cr_assert(iv_ok(iv_reader_findings(s->reader, &all, keep_kind, &kind, &err)), "%s", err.text);
    return kind == *(const enum iv_verdict_kind *)what;
}

/* It has no sinks; who has hears of it by the topic of findings. */
Test(reload, that_is_refused_is_a_finding_where_nobody_responds, .timeout = 300)
{
    struct scene s;
    start(&s, RULE("AA-1", USED_WHEN_GONE("k")));
    cr_expect(says_of_itself(&s, &(enum iv_verdict_kind){IV_OPEN}));

    write_baseline(&s, "second", "telemetry", RULE("AA-1", USED_WHEN_GONE("no_such_field")));
    reload(&s, "refused", 1);
    wait_for(&s, says_of_itself, &(enum iv_verdict_kind){IV_VIOLATED});
    write_baseline(&s, "third", "telemetry", RULE("AA-1", USED_WHEN_GONE("k")));
    reload(&s, "accepted", 1);
    wait_for(&s, says_of_itself, &(enum iv_verdict_kind){IV_UPDATED});
    end(&s);
}

/* By the topics of the time of the call it is proven what was done. */
Test(reload, that_takes_other_topics_is_refused_by_who_only_responds, .timeout = 300)
{
    struct scene s;
    start_as(&s, IV_ROLE_RESPOND | IV_ROLE_CONSOLE, RULE("AA-1", USED_WHEN_GONE("k")));

    write_baseline(&s, "second", "elsewhere", RULE("AA-1", USED_WHEN_GONE("k")));
    reload(&s, "refused", 1);

    cr_expect(status_has(&s, "the topic of telemetry changes from 'telemetry' to 'elsewhere'"));
    write_baseline(&s, "third", "telemetry", RULE("AA-1", USED_WHEN_GONE("k")));
    reload(&s, "accepted", 1);
    end(&s);
}
