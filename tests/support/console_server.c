/* SPDX-License-Identifier: Apache-2.0 */
/* A console over a store of its own, moved by commands on standard input; for tests of the console and of the
 * page. Arguments are NAME=VALUE of the console's options. A command, its words parted by tabs, is answered
 * by one line: its result, or "! why".
 *
 *     finding RULE TENANT AGENT TOKEN      commits a finding of one of the rules below; answers its uid
 *     many COUNT                           commits as many findings at once
 *     plan UID PLAYBOOK TARGET [TENANT AGENT]
 *                                          commits an execution of two steps, planned; answers its key
 *     move KEY STATE                       commits its next state, any that an execution has
 *     events TOPIC COUNT                   counts events
 *     cover STREAM FIRST REACH CAUSE FROM UNTIL
 *                                          commits what is covered of a stream's partition, and one loss
 *     forget RULE FROM UNTIL               commits what a rule had to forget
 *     alert RULE TENANT STATE              commits an alert, firing or resolved, and a sink that waits
 *     stands PART | goes                   a part of the process makes no progress, or all do
 *     ready | unready WHY | quit */
#include "base/arena.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/encode.h"
#include "base/guard.h"
#include "base/json_write.h"
#include "baseline/reads.h"
#include "console/console.h"
#include "console/metrics.h"
#include "event/catalogue.h"
#include "event/event.h"
#include "evidence/coverage.h"
#include "evidence/log.h"
#include "evidence/ocsf.h"
#include "evidence/reader.h"
#include "evidence/store.h"
#include "support/console_alert.h"
#include "support/console_rules.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { WORDS_MAX = 8, OCSF_BYTES_MAX = 1 << 20, SLOTS_MAX = 256 };

struct server {
    struct iv_store *store;
    struct iv_console *console;
    struct iv_metrics *metrics;
    struct iv_catalogue *catalogue;
    struct iv_digester *digester;
    struct iv_baseline baseline;
    struct iv_str criteria[IV_COUNT(rule_rows)][3];
    size_t criteria_count[IV_COUNT(rule_rows)];
    struct iv_read reads[5];
    uint64_t made; /* findings so far, so that each has its own identity */
};

static _Noreturn void die(const char *what, const struct iv_err *err)
{
    (void)fprintf(stderr, "console_server: %s: %s\n", what, err->text);
    exit(1);
}

static iv_ns now(void)
{
    struct iv_clock clock = iv_clock_system();
    return iv_wall(&clock);
}

static struct iv_digest sha256(struct server *s, const char *text)
{
    struct iv_digest digest;
    iv_digest(s->digester, &digest, IV_SHA256, iv_str_of(text));
    return digest;
}

static struct iv_rule rule_of(struct server *s, size_t row)
{
    const struct rule_row *r = &rule_rows[row];
    bool reads = iv_str_eq(iv_str_of(r->id), IV_STR("TOK-002"));
    return (struct iv_rule){.reads = s->reads,
                            .read_count = reads ? IV_COUNT(s->reads) : 0,
                            .id = iv_str_of(r->id),
                            .title = iv_str_of(r->title),
                            .description = iv_str_of(r->description),
                            .pack = iv_str_of(r->pack),
                            .severity = r->severity,
                            .criteria = s->criteria[row],
                            .criteria_count = s->criteria_count[row],
                            .remediate = iv_str_of(r->remediate),
                            .form = IV_FORBID};
}

/* Some of what TOK-002 reads. */
static void fill_reads(struct server *s)
{
    static const struct iv_read_override overrides[] = {
        {{.tenant = IV_STR_INIT("acme")}, {.kind = IV_KIND_DURATION, .i = 2}}};
    static const struct iv_read reads[] = {
        {.of = IV_READ_TRIGGER, .name = IV_STR_INIT("use.tenant"), .name_id = IV_ATTR_TENANT},
        {.of = IV_READ_TRIGGER, .name = IV_STR_INIT("use.ledger_id"), .name_id = IV_ATTR_LEDGER_ID},
        {.of = IV_READ_PARTNER, .name = IV_STR_INIT("gone"), .whole = true},
        {.of = IV_READ_PARAMETER,
         .name = IV_STR_INIT("baseline.token.propagation"),
         .value = {.kind = IV_KIND_DURATION, .i = 1},
         .overrides = overrides,
         .override_count = 1},
        {.of = IV_READ_PARAMETER,
         .name = IV_STR_INIT("baseline.token.memory"),
         .value = {.kind = IV_KIND_INT, .i = 7}},
    };
    memcpy(s->reads, reads, sizeof reads);
}

static void slot_set(struct iv_val *slots, const struct iv_event_type *type, struct iv_str name,
                     const char *value)
{
    for (size_t i = 0; i < type->field_count; i++) {
        if (iv_str_eq(type->fields[i].name, name) && type->fields[i].type == IV_F_STRING) {
            slots[type->fields[i].slot] = iv_val_str(iv_str_of(value));
        }
    }
}

static struct iv_sighting sighting(struct server *s, const struct iv_event_type *type, const char *source,
                                   const char *id, iv_ns time)
{
    struct iv_sighting made = {.source = iv_str_of(source),
                               .id = iv_str_of(id),
                               .type = type,
                               .time = time,
                               .digest = sha256(s, id)};
    made.origin.stream = type->stream;
    made.origin.topic = iv_str_of(iv_stream_name(type->stream));
    made.origin.partition = (int32_t)(s->made % 6);
    made.origin.offset = (int64_t)(184000 + s->made);
    return made;
}

/* Inside a transaction. The words: tenant, agent, token, and what all else that senders choose is made of, or
 * NULL. */
static iv_rc put_finding(struct server *s, char uid[IV_UID_HEX + 1], size_t row, char *const words[4],
                         struct iv_err *err)
{
    char id[256];
    char partner_id[256];
    const char *text = words[3];
    const char *source = text != NULL ? text : "urn:openclaw:gateway/eu-1";
    (void)snprintf(id, sizeof id, "%.200se-%08" PRIx64, text != NULL ? text : "", ++s->made);
    (void)snprintf(partner_id, sizeof partner_id, "%.200sw-%08" PRIx64, text != NULL ? text : "", s->made);
    struct iv_rule rule = rule_of(s, row);
    const struct iv_event_type *type = iv_catalogue_find(s->catalogue, iv_str_of(rule_rows[row].event));
    const struct iv_event_type *partner_type = iv_catalogue_find(s->catalogue, IV_STR("token.revoked"));
    struct iv_val slots[SLOTS_MAX] = {0};
    slots[IV_ATTR_TENANT] = iv_val_str(iv_str_of(words[0]));
    slots[IV_ATTR_AGENT] = iv_val_str(iv_str_of(words[1]));
    slot_set(slots, type, IV_STR("token_id"), words[2]);
    slot_set(slots, type, IV_STR("enclave_id"), text != NULL ? text : "enc-7f3a91");
    slot_set(slots, type, IV_STR("tool"), text != NULL ? text : "sql.query");
    slot_set(slots, type, IV_STR("endpoint"), text != NULL ? text : "https://vault.acme.example/v1/secret");
    struct iv_sighting partner = sighting(s, partner_type, source, partner_id, now() - 3 * IV_NS_PER_S);
    struct iv_verdict verdict = {
        .kind = IV_VIOLATED, .rule = &rule, .witnesses = &partner, .witness_count = 1};
    verdict.witness_total = 1;
    verdict.trigger = sighting(s, type, source, id, now() - 40 * IV_NS_PER_MS);
    verdict.trigger.object = (struct iv_object){.slot_of = type->slot_of, .slots = slots};
    struct iv_digest digest = sha256(s, id);
    memcpy(verdict.uid, digest.bytes, IV_UID_BYTES);

    IV_AUTO(iv_buf_deinit) struct iv_buf scratch;
    iv_buf_init(&scratch, OCSF_BYTES_MAX);
    struct iv_finding finding;
    enum iv_put put;
    TRY(iv_finding_of_verdict(&finding, &scratch, &s->baseline, &verdict, now(), err));
    TRY(iv_store_put_finding(s->store, &put, &finding, err));
    (void)snprintf(uid, IV_UID_HEX + 1, IV_STR_FMT, IV_STR_ARG(finding.uid));
    iv_series_add(IV_SERIES(s->metrics, FINDINGS, rule.id, iv_str_of(iv_severity_name(rule.severity))), 1);
    iv_series_observe(iv_metrics_only(s->metrics, IV_METRIC_DETECTION), 40 * IV_NS_PER_MS);
    return IV_OK;
}

/* Ends the transaction either way. */
static iv_rc commit_if(struct server *s, struct iv_rc_s rc, struct iv_err *err)
{
    if (!iv_ok(rc)) {
        iv_store_rollback(s->store);
        return rc;
    }
    TRY(iv_store_commit(s->store, err));
    iv_console_notify(s->console);
    return IV_OK;
}

static iv_rc do_finding(struct server *s, char *const words[], char out[], struct iv_err *err)
{
    for (size_t i = 0; i < IV_COUNT(rule_rows); i++) {
        if (strcmp(rule_rows[i].id, words[1]) == 0) {
            TRY(iv_store_begin(s->store, err));
            return commit_if(s, put_finding(s, out, i, &words[2], err), err);
        }
    }
    return iv_err_set(err, IV_E_ABSENT, "no rule %s", words[1]);
}

static iv_rc do_many(struct server *s, char *const words[], char out[], struct iv_err *err)
{
    char *const who[4] = {(char[]){"acme"}, (char[]){"agent-17"}, (char[]){"tok-many"}, NULL};
    long count = strtol(words[1], NULL, 10);
    TRY(iv_store_begin(s->store, err));
    struct iv_rc_s rc = IV_OK;
    for (long i = 0; i < count && iv_ok(rc); i++) {
        rc = put_finding(s, out, (size_t)i % IV_COUNT(rule_rows), who, err);
    }
    return commit_if(s, rc, err);
}

static iv_rc log_change(struct server *s, const struct iv_execution *execution, struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    iv_buf_init(&text, OCSF_BYTES_MAX);
    iv_ocsf_action(&text, execution, NULL, now());
    const struct iv_action action = {.execution = execution->key,
                                     .step = -1,
                                     .state = iv_str_of(iv_run_state_name(execution->state)),
                                     .time = now(),
                                     .ocsf = iv_buf_slice(&text)};
    return iv_store_log_action(s->store, &action, err);
}

static iv_rc put_plan(struct server *s, char *const words[], char out[], struct iv_err *err)
{
    char seed[256];
    char keys[3][IV_UID_HEX + 1];
    for (int i = 0; i < 3; i++) {
        struct iv_buf hex;
        iv_buf_init(&hex, IV_UID_HEX);
        (void)snprintf(seed, sizeof seed, "%s/%s/%d", words[1], words[2], i);
        struct iv_digest digest = sha256(s, seed);
        iv_hex_encode(&hex, (struct iv_str){(const char *)digest.bytes, digest.n});
        (void)snprintf(keys[i], sizeof keys[i], IV_STR_FMT, IV_STR_ARG(iv_buf_slice(&hex)));
        iv_buf_deinit(&hex);
    }
    struct iv_execution e = {
        .key = iv_str_of(keys[0]), .finding = iv_str_of(words[1]), .playbook = iv_str_of(words[2])};
    e.title = IV_STR("Revoke every token of the agent");
    e.target = iv_str_of(words[3]);
    e.tactic = IV_TACTIC_EVICT;
    e.rule = IV_STR("TOK-002");
    e.severity = IV_SEV_CRITICAL;
    e.tenant = words[4] == NULL ? IV_STR("acme") : iv_str_of(words[4]);
    e.agent = words[4] == NULL ? IV_STR("agent-17") : iv_str_of(words[5]);
    e.baseline = iv_str_of(s->baseline.digest_hex);
    e.cause = IV_STR("");
    e.planned = now();
    e.event_time = now() - IV_NS_PER_S;
    e.approvers = IV_STR("security on-call");
    e.quorum = 1;
    e.expires = now() + 900 * IV_NS_PER_S;
    struct iv_step steps[2] = {{.execution = e.key, .position = 0, .key = iv_str_of(keys[1])},
                               {.execution = e.key, .position = 1, .key = iv_str_of(keys[2])}};
    for (int i = 0; i < 2; i++) {
        steps[i].name = i == 0 ? IV_STR("revoke") : IV_STR("announce");
        steps[i].kind = i == 0 ? IV_STR("http") : IV_STR("kafka");
        steps[i].request =
            IV_STR("{\"body\":{\"reason\":\"TOK-002\"},\"method\":\"POST\",\"path\":\"/v1/revoke\"}");
        steps[i].cause = IV_STR("");
        steps[i].answer = IV_STR("");
        steps[i].attempts = 5;
        steps[i].state = i == 0 ? IV_STEP_DUE : IV_STEP_QUEUED;
    }
    bool fresh;
    TRY(iv_store_plan(s->store, &fresh, &e, steps, 2, err));
    (void)snprintf(out, IV_UID_HEX + 1, "%s", keys[0]);
    return log_change(s, &e, err);
}

static iv_rc do_plan(struct server *s, char *const words[], char out[], struct iv_err *err)
{
    TRY(iv_store_begin(s->store, err));
    return commit_if(s, put_plan(s, words, out, err), err);
}

static void step_to(struct iv_step *step, enum iv_run_state state)
{
    static const enum iv_step_state states[IV_RUN_STATES] = {
        [IV_RUN_DONE] = IV_STEP_DONE,           [IV_RUN_VERIFIED] = IV_STEP_VERIFIED,
        [IV_RUN_AMBIGUOUS] = IV_STEP_AMBIGUOUS, [IV_RUN_UNDONE] = IV_STEP_UNDONE,
        [IV_RUN_REFUSED] = IV_STEP_SKIPPED,     [IV_RUN_SUPERSEDED] = IV_STEP_SKIPPED,
        [IV_RUN_WITHHELD] = IV_STEP_WITHHELD,
    };
    bool first = step->position == 0;
    step->attempt = 1;
    step->started = now();
    if (state == IV_RUN_RUNNING) {
        step->state = first ? IV_STEP_CALLING : IV_STEP_QUEUED;
    } else if (state != IV_RUN_FAILED) {
        step->state = states[state];
        step->status = state == IV_RUN_DONE || state == IV_RUN_VERIFIED ? 200 : 0;
    } else {
        step->state = first ? IV_STEP_FAILED : IV_STEP_SKIPPED;
        step->status = first ? 500 : 0;
        step->cause =
            first ? IV_STR("the endpoint answered 500 five times") : IV_STR("an earlier step failed");
    }
    step->finished = iv_step_state_final(step->state) ? now() : 0;
}

static iv_rc put_move(struct server *s, struct iv_str key, enum iv_run_state state, struct iv_arena *arena,
                      struct iv_err *err)
{
    struct iv_task *tasks = NULL;
    size_t count = 0;
    TRY(iv_store_tasks(s->store, &tasks, &count, IV_TASKS_OF, key, 0, 10, arena, err));
    ENSURE(count > 0, err, IV_E_ABSENT, "no such execution");
    for (size_t i = 0; i < count; i++) {
        step_to(&tasks[i].step, state);
        TRY(iv_store_move_step(s->store, &tasks[i].step, err));
    }
    struct iv_execution *e = &tasks[0].execution;
    e->state = state;
    e->started = e->started == 0 ? now() : e->started;
    e->finished = iv_run_state_final(state) ? now() : 0;
    TRY(iv_store_move_execution(s->store, e, err));
    return log_change(s, e, err);
}

static iv_rc do_move(struct server *s, char *const words[], char out[], struct iv_err *err)
{
    struct iv_arena arena;
    enum iv_run_state state = IV_RUN_FAILED;
    ENSURE(iv_run_state_of(&state, iv_str_of(words[2])), err, IV_E_REFUSED, "no such state");
    (void)snprintf(out, 16, "moved");
    TRY(iv_store_begin(s->store, err));
    iv_arena_init(&arena, OCSF_BYTES_MAX);
    struct iv_rc_s rc = put_move(s, iv_str_of(words[1]), state, &arena, err);
    iv_arena_deinit(&arena);
    return commit_if(s, rc, err);
}

static iv_rc do_events(struct server *s, char *const words[], char out[], struct iv_err *err)
{
    (void)err;
    struct iv_str topic = iv_str_of(words[1]);
    iv_series_add(IV_SERIES(s->metrics, EVENTS, topic, IV_STR("accepted")),
                  (uint64_t)strtoull(words[2], NULL, 10));
    iv_series_set_time(IV_SERIES(s->metrics, WATERMARK, topic), now() - 2 * IV_NS_PER_S);
    iv_series_set(IV_SERIES(s->metrics, LAG, topic, IV_STR("0")), 12);
    iv_series_set(IV_SERIES(s->metrics, WORKER, topic, IV_STR("0")), 0);
    (void)snprintf(out, 16, "counted");
    return IV_OK;
}

static iv_ns time_of(const char *word)
{
    struct iv_instant t = {0};
    return iv_instant_parse(&t, iv_str_of(word)) ? iv_instant_to_ns_saturated(t) : 0;
}

static iv_rc do_cover(struct server *s, char *const words[], char out[], struct iv_err *err)
{
    struct iv_loss loss = {.from = time_of(words[5]), .until = time_of(words[6]), .records = 2};
    const struct iv_cover cover = {.stream = strcmp(words[1], "ledger") == 0 ? IV_LEDGER : IV_TELEMETRY,
                                   .first = time_of(words[2]),
                                   .reach = time_of(words[3]),
                                   .losses = &loss,
                                   .loss_count = iv_loss_of(&loss.cause, iv_str_of(words[4])) ? 1 : 0};
    (void)snprintf(out, 16, "told");
    TRY(iv_store_begin(s->store, err));
    return commit_if(s, iv_store_put_cover(s->store, iv_str_of(words[1]), &cover, err), err);
}

static iv_rc do_forget(struct server *s, char *const words[], char out[], struct iv_err *err)
{
    const struct iv_loss loss = {time_of(words[2]), time_of(words[3]), 7, IV_LOSS_EVICTED};
    (void)snprintf(out, 16, "told");
    TRY(iv_store_begin(s->store, err));
    return commit_if(s, iv_store_add_rule_loss(s->store, iv_str_of(words[1]), &loss, err), err);
}

static iv_rc do_alert(struct server *s, char *const words[], char out[], struct iv_err *err)
{
    (void)snprintf(out, 16, "told");
    TRY(iv_store_begin(s->store, err));
    return commit_if(s, console_put_alert(s->store, words, now(), err), err);
}

static iv_rc do_ready(struct server *s, char *const words[], char out[], struct iv_err *err)
{
    (void)err;
    iv_console_ready(s->console, strcmp(words[0], "ready") == 0 ? NULL : words[1]);
    (void)snprintf(out, 16, "told");
    return IV_OK;
}

static iv_rc do_stand(struct server *s, char *const words[], char out[], struct iv_err *err)
{
    (void)err;
    iv_console_standing(s->console, strcmp(words[0], "goes") == 0 ? NULL : words[1]);
    (void)snprintf(out, 16, "told");
    return IV_OK;
}

static iv_rc do_reload(struct server *s, char *const words[], char out[], struct iv_err *err);

static const struct {
    const char *name;
    size_t words;
    struct iv_rc_s (*run)(struct server *s, char *const words[], char out[], struct iv_err *err);
} commands[] = {
    {"finding", 5, do_finding}, {"finding", 6, do_finding}, {"many", 2, do_many},     {"plan", 4, do_plan},
    {"plan", 6, do_plan},       {"move", 3, do_move},       {"events", 3, do_events}, {"ready", 1, do_ready},
    {"unready", 2, do_ready},   {"cover", 7, do_cover},     {"forget", 4, do_forget}, {"alert", 4, do_alert},
    {"stands", 2, do_stand},    {"goes", 1, do_stand},      {"reload", 2, do_reload},
};

static void obey(struct server *s, char *line)
{
    char *words[WORDS_MAX] = {NULL};
    char out[256] = "";
    size_t count = 0;
    struct iv_err err = {.text = "no such command"};
    for (char *rest = line; rest != NULL && count < WORDS_MAX;) {
        words[count++] = strsep(&rest, "\t");
    }
    struct iv_rc_s rc = {IV_E_REFUSED};
    for (size_t i = 0; i < IV_COUNT(commands); i++) {
        if (strcmp(commands[i].name, words[0]) == 0 && commands[i].words == count) {
            rc = commands[i].run(s, words, out, &err);
        }
    }
    (void)printf("%s%s\n", iv_ok(rc) ? "" : "! ", iv_ok(rc) ? out : err.text);
}

static unsigned streams_of(const struct server *s, const struct rule_row *row)
{
    return 1U << iv_catalogue_find(s->catalogue, iv_str_of(row->event))->stream;
}

static void show_baseline(struct server *s)
{
    struct iv_console_rule rules[IV_COUNT(rule_rows)];
    for (size_t i = 0; i < IV_COUNT(rule_rows); i++) {
        struct iv_rule rule = rule_of(s, i);
        rules[i] = (struct iv_console_rule){.id = rule.id,
                                            .title = rule.title,
                                            .description = rule.description,
                                            .severity = iv_str_of(iv_severity_name(rule.severity)),
                                            .mode = IV_STR("enforce"),
                                            .pack = rule.pack,
                                            .source = IV_STR("on: {event: token.used, as: use}\nforbid: …\n"),
                                            .remediate = rule.remediate,
                                            .criteria = rule.criteria,
                                            .criteria_count = rule.criteria_count,
                                            .streams = streams_of(s, &rule_rows[i])};
    }
    struct iv_err err;
    const struct iv_console_baseline baseline = {s->baseline.name, s->baseline.version,
                                                 iv_str_of(s->baseline.digest_hex), rules, IV_COUNT(rules)};
    if (!iv_ok(iv_console_baseline(s->console, &baseline, &err))) {
        die("baseline", &err);
    }
}

/* reload X: the files of the baseline in force are in the log, as they are in the daemon's, and another one,
 * all of whose digest is X, comes into force. */
static iv_rc do_reload(struct server *s, char *const words[], char out[], struct iv_err *err)
{
    (void)snprintf(out, 16, "told");
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    iv_buf_init(&text, OCSF_BYTES_MAX);
    struct iv_json j = iv_json_to(&text);
    iv_json_open_object(&j, NULL);
    iv_json_open_list(&j, "files");
    iv_json_open_object(&j, NULL);
    iv_json_text(&j, "path", "baseline.yaml");
    iv_json_text(&j, "text", "# TOK-002 is one of\nrules: [rules/*.yaml]\n");
    iv_json_close_object(&j);
    iv_json_open_object(&j, NULL);
    iv_json_text(&j, "path", "rules/tokens.yaml");
    iv_json_text(&j, "text",
                 "rules:\n  - id: TOK-001\n  - id: TOK-002\n    title: As it was\n    forbid:\n"
                 "      event: token.revoked\n    remediate: none\n");
    iv_json_close_object(&j);
    iv_json_close_list(&j);
    iv_json_close_object(&j);
    TRY(iv_store_begin(s->store, err));
    struct iv_str digest = iv_str_of(s->baseline.digest_hex);
    TRY(commit_if(s, iv_store_log(s->store, IV_LEAF_BASELINE, digest, iv_buf_slice(&text), err), err));
    memset(s->baseline.digest_hex, words[1][0], 96);
    show_baseline(s);
    return IV_OK;
}

static struct iv_str closed; /* "closed=1": not open to all, as it is without a token or an authority */

static void set_option(struct iv_console_options *options, const char *text)
{
    const char *equals = strchr(text, '=');
    IV_CHECK(equals != NULL);
    struct iv_str name = {text, (size_t)(equals - text)};
    struct iv_str value = iv_str_of(equals + 1);
    const struct {
        struct iv_str name;
        struct iv_str *text;
        unsigned *number;
    } rows[] = {
        {IV_STR("listen"), &options->listen, NULL},
        {IV_STR("certificate"), &options->certificate, NULL},
        {IV_STR("key"), &options->key, NULL},
        {IV_STR("client_ca"), &options->client_ca, NULL},
        {IV_STR("token_file"), &options->token_file, NULL},
        {IV_STR("closed"), &closed, NULL},
        {IV_STR("store"), &options->store_path, NULL},
        {IV_STR("pause_file"), &options->pause_file, NULL},
        {IV_STR("max_connections"), NULL, &options->max_connections},
        {IV_STR("max_connections_per_ip"), NULL, &options->max_connections_per_ip},
        {IV_STR("max_streams_per_name"), NULL, &options->max_streams_per_name},
        {IV_STR("max_answers_mib"), NULL, &options->max_answers_mib},
        {IV_STR("idle_s"), NULL, &options->idle_s},
        {IV_STR("head_s"), NULL, &options->head_s},
        {IV_STR("pulse_ms"), NULL, &options->pulse_ms},
        {IV_STR("workers"), NULL, &options->workers},
        {IV_STR("answer_ms"), NULL, &options->answer_ms},
    };
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        if (iv_str_eq(rows[i].name, name) && rows[i].text != NULL) {
            *rows[i].text = value;
        } else if (iv_str_eq(rows[i].name, name)) {
            *rows[i].number = (unsigned)strtoul(value.p, NULL, 10);
        }
    }
}

static void open_all(struct server *s, const struct iv_console_options *options)
{
    struct iv_err err;
    if (!iv_ok(iv_catalogue_new(&s->catalogue, &err)) || !iv_ok(iv_catalogue_freeze(s->catalogue, &err)) ||
        !iv_ok(iv_digester_new(&s->digester, &err)) ||
        !iv_ok(iv_store_open(&s->store, options->store_path, &err)) ||
        !iv_ok(iv_console_start(&s->console, options, &err))) {
        die("start", &err);
    }
    /* A second run on the same store goes on with new identities. */
    struct iv_reader *reader = NULL;
    struct iv_store_heads heads;
    if (!iv_ok(iv_reader_open(&reader, options->store_path, &err)) ||
        !iv_ok(iv_reader_heads(reader, &heads, &err))) {
        die("read", &err);
    }
    iv_reader_close(reader);
    s->made = (uint64_t)heads.findings;
    s->baseline.catalogue = s->catalogue;
}

int main(int argc, char **argv)
{
    struct server s = {.baseline = {.name = IV_STR_INIT("default"), .version = IV_STR_INIT("1")}};
    struct iv_err err;
    if (!iv_ok(iv_metrics_new(&s.metrics, &err))) {
        die("metrics", &err);
    }
    memset(s.baseline.digest_hex, 'a', 96);
    fill_reads(&s);
    for (size_t i = 0; i < IV_COUNT(rule_rows); i++) {
        for (size_t k = 0; k < 3 && rule_rows[i].criteria[k] != NULL; k++) {
            s.criteria[i][s.criteria_count[i]++] = iv_str_of(rule_rows[i].criteria[k]);
        }
    }
    struct iv_console_options options = {.listen = IV_STR_INIT("127.0.0.1:0"),
                                         .version = IV_STR_INIT("0.1.0"),
                                         .workers = 1,
                                         .metrics = s.metrics};
    for (int i = 1; i < argc; i++) {
        set_option(&options, argv[i]);
    }
    options.open = options.token_file.n == 0 && options.client_ca.n == 0 && closed.n == 0;
    open_all(&s, &options);
    if (argc < 2 || strcmp(argv[argc - 1], "baseline=none") != 0) {
        show_baseline(&s);
    }
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    (void)printf("%s\n", iv_console_url(s.console));
    char line[16384];
    while (fgets(line, sizeof line, stdin) != NULL && strcmp(line, "quit\n") != 0) {
        line[strcspn(line, "\n")] = '\0';
        obey(&s, line);
    }
    iv_console_stop(s.console);
    iv_store_close(s.store);
    iv_digester_free(s.digester);
    iv_catalogue_free(s.catalogue);
    iv_metrics_free(s.metrics);
    return 0;
}
