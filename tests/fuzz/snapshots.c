/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes are refused, or make an engine that goes on: its snapshot makes another one that says the same of
 * the events that follow, and has the same snapshot again.
 * Input: a snapshot's sections (assemble.h). Rules' digests are put in here, since nothing would pass them by
 * chance; the bytes as they are are tried, too. */
#include "assemble.h"
#include "target.h"

#include "base/json_write.h"
#include "engine/snapshot.h"
#include "engine/snapshot_form.h"
#include "event/decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define BYTES_MAX ((size_t)4 << 20)
#define START_NS (INT64_C(1767225600) * IV_NS_PER_S)
#define EVENTS_BEFORE 60
#define EVENTS_AFTER 40

static const char baseline_yaml[] =
    "apiVersion: invigil/v1\nkind: Baseline\nmetadata: {name: fuzz, version: \"1\"}\n"
    "streams: {telemetry: {lateness: 1s}, ledger: {history: partial}}\ndedup: 2s\n"
    "parameters: {win: 3s}\noverrides:\n- match: {tenant: t1}\n  parameters: {win: 1s}\n"
    "waivers:\n- {rule: FUZ-2, match: {agent: a1}, reason: r, by: b, until: 2027-01-01T00:00:00Z}\n"
    "events:\n"
    "  x.a: {stream: telemetry, fields: {k: string, n: int, t: timestamp, s: list<string>, m: map}}\n"
    "  x.b: {stream: telemetry, fields: {k: string, n: int, u: double, d: duration}}\n"
    "  y.a: {stream: ledger, fields: {k: string, n: int}}\n"
    "packs: [pack.yaml]\n";
static const char pack_yaml[] =
    "apiVersion: invigil/v1\nkind: RulePack\nmetadata: {name: fuzz}\nrules:\n"
    "- {id: FUZ-1, title: t, severity: low, criteria: [CC7.2], on: {event: x.a, as: a},"
    " forbid: {with: {event: x.b, as: b, by: k, within: baseline.win}, if: b.n > a.n}}\n"
    "- {id: FUZ-2, title: t, severity: low, criteria: [CC7.2], on: {event: x.a, as: a},"
    " require: {with: {event: [x.b, y.a], by: k, until: a.t}, at_least: 2}}\n"
    "- {id: FUZ-3, title: t, severity: low, criteria: [CC7.2], on: {stream: telemetry},"
    " limit: {by: k, window: 2s, sum: {of: n, max: 9}}}\n"
    "- {id: FUZ-4, title: t, severity: low, criteria: [CC7.2], on: {event: x.b},"
    " same: {by: k, value: [n, u], within: 2s}}\n"
    "- {id: FUZ-5, title: t, severity: low, criteria: [CC7.2], on: {stream: ledger, as: a}, forbid: {with:"
    " {event: \"*\", as: b, by: {on: a.k, with: b.k}, until: a.time + baseline.win}, distinct: n, at_least: "
    "3}}\n"
    "- {id: FUZ-6, title: t, severity: low, criteria: [CC7.2], on: {event: x.a},"
    " limit: {by: [k, tenant], window: 3s, distinct: {of: n, max: 2}}}\n"
    "- {id: FUZ-7, title: t, severity: low, criteria: [CC7.2], on: {event: y.a},"
    " require: {with: {event: x.a, as: b, by: k, before: 5s}, if: \"size(b.s) > 0 || b.m.q == 1.0\"}}\n"
    "- {id: FUZ-8, title: t, severity: low, criteria: [CC7.2], on: {event: ledger.checkpoint, as: a},"
    " require: {with: {stream: ledger, by: ledger_id, before: 5s}, tree: a.note}}\n";

#define NOTE "log\n3\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n\xe2\x80\x94 log x08gowAAAAAAAAAA\n"

static struct iv_baseline *baseline;
static struct iv_arena arena;
static struct iv_buf json;
static struct iv_buf image;
static struct iv_buf first;
static struct iv_buf second;

static void put_file(const char *folder, const char *name, const char *text)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *out = fopen(path, "wb");
    IV_CHECK(out != NULL && fputs(text, out) >= 0 && fclose(out) == 0);
}

static void drop_file(const char *folder, const char *name)
{
    char path[256];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    (void)unlink(path);
}

static void load_baseline(void)
{
    char folder[] = "/tmp/invigil-fuzz-XXXXXX";
    struct iv_problems *problems = NULL;
    struct iv_err err;
    IV_CHECK(mkdtemp(folder) != NULL && iv_ok(iv_problems_new(&problems, &err)));
    put_file(folder, "baseline.yaml", baseline_yaml);
    put_file(folder, "pack.yaml", pack_yaml);
    struct iv_rc_s rc = iv_baseline_load(&baseline, iv_str_of(folder), problems, &err);
    drop_file(folder, "baseline.yaml");
    drop_file(folder, "pack.yaml");
    (void)rmdir(folder);
    iv_problems_render(&json, problems);
    (void)fprintf(stderr, IV_STR_FMT, IV_STR_ARG(iv_buf_slice(&json)));
    IV_CHECK(iv_ok(rc));
    iv_problems_free(problems);
}

/* What was said, as a number that depends on each verdict and their order. */
static void note_verdict(void *ctx, const struct iv_verdict *verdict)
{
    uint64_t *said = ctx;
    struct iv_hash_key key = {*said, (uint64_t)verdict->kind};
    *said = iv_hash64(key, (struct iv_str){(const char *)verdict->uid, sizeof verdict->uid});
}

static void write_fields(struct iv_json *j, int64_t number, int type, iv_ns time)
{
    const char key[] = {'k', (char)('0' + number % 3), '\0'};
    iv_json_open_object(j, "data");
    iv_json_text(j, "k", key);
    iv_json_int(j, "n", number * 7 % 5);
    if (type == 0) {
        iv_json_time(j, "t", time + number % 4 * IV_NS_PER_S);
        iv_json_raw(j, "s", number % 2 == 0 ? IV_STR("[\"a\"]") : IV_STR("[]"));
        iv_json_raw(j, "m", IV_STR("{\"q\":1,\"r\":[null,\"x\"]}"));
    } else if (type == 1) {
        iv_json_real(j, "u", (double)(number % 3) / 2);
        iv_json_text(j, "d", "1.5s");
    } else if (type == 3) {
        iv_json_text(j, "note", NOTE);
    }
    iv_json_close_object(j);
}

/* The event of this number: of four types, some late, some with a name that was there. */
static struct iv_str event_text(int64_t number, int type)
{
    static const char *const types[] = {"x.a", "x.b", "y.a", "ledger.checkpoint"};
    const char name[] = {(char)('A' + number / 26 % 26), (char)('A' + number % 23), '\0'};
    const char tenant[] = {'t', (char)('0' + number % 2), '\0'};
    iv_ns time = START_NS + number * 250 * IV_NS_PER_MS - (number % 11 == 0 ? 2 * IV_NS_PER_S : 0);
    struct iv_json j = iv_json_to(&json);
    iv_buf_clear(&json);
    iv_json_open_object(&j, NULL);
    iv_json_text(&j, "specversion", "1.0");
    iv_json_text(&j, "id", name);
    iv_json_text(&j, "source", "s");
    iv_json_text(&j, "type", types[type]);
    iv_json_time(&j, "time", time);
    iv_json_text(&j, "subject", number % 3 == 0 ? "a1" : "a2");
    iv_json_text(&j, "tenantid", tenant);
    if (type >= 2) {
        iv_json_text(&j, "ledgerid", "log");
        iv_json_int(&j, "ledgerseq", number);
        iv_json_text(&j, "ledgerprev", "00");
        iv_json_text(&j, "ledgerhash", "11");
    }
    write_fields(&j, number, type, time);
    iv_json_close_object(&j);
    return iv_arena_str(&arena, iv_buf_slice(&json));
}

static void feed(struct iv_engine *engine, int64_t from, int64_t until)
{
    struct iv_decoder *decoder = NULL;
    struct iv_err err;
    IV_CHECK(iv_ok(iv_decoder_new(&decoder, baseline->catalogue, &IV_DECODE_LIMITS_DEFAULT,
                                  iv_engine_hash_key(engine), &err)));
    for (int64_t i = from; i < until; i++) {
        int type = i % 9 == 8 ? 3 : (int)(i * i % 7 % 3);
        enum iv_stream stream = type >= 2 ? IV_LEDGER : IV_TELEMETRY;
        struct iv_record record = {.origin = {stream, (int32_t)(i % 2), i, iv_str_of(iv_stream_name(stream))},
                                   .bytes = event_text(i, type)};
        struct iv_event event;
        IV_CHECK(iv_ok(iv_decode(decoder, &record, &arena, &event, &err)));
        struct iv_rc_s rc = iv_engine_event(engine, &event, &err);
        IV_CHECK(iv_ok(rc) || rc.code == IV_E_NOMEM);
    }
    iv_decoder_free(decoder);
}

static void take_snapshot(struct iv_buf *out, struct iv_engine *engine)
{
    struct iv_err err;
    iv_buf_clear(out);
    IV_CHECK(iv_ok(iv_engine_snapshot(engine, out, &err)) && !iv_buf_failed(out));
}

static struct iv_engine *restore(struct iv_str bytes, uint64_t *said)
{
    const struct iv_engine_options options = {.verdict = note_verdict, .ctx = said, .digests = true};
    struct iv_engine *engine = NULL;
    struct iv_err err;
    struct iv_rc_s rc = iv_engine_restore(&engine, baseline, &options, bytes, &err);
    IV_CHECK(iv_ok(rc) || (rc.code == IV_E_MALFORMED && err.text[0] != '\0'));
    return engine;
}

/* What such a snapshot makes, and whether it does at all. */
static bool go_on(struct iv_str bytes)
{
    uint64_t said[2] = {0, 0};
    struct iv_err err;
    struct iv_engine *engine = restore(bytes, &said[0]);
    if (engine == NULL) {
        return false;
    }
    take_snapshot(&first, engine);
    struct iv_engine *twin = restore(iv_buf_slice(&first), &said[1]);
    IV_CHECK(twin != NULL);
    take_snapshot(&second, twin);
    IV_CHECK(iv_str_eq(iv_buf_slice(&first), iv_buf_slice(&second)));
    feed(engine, EVENTS_BEFORE, EVENTS_BEFORE + EVENTS_AFTER);
    feed(twin, EVENTS_BEFORE, EVENTS_BEFORE + EVENTS_AFTER);
    take_snapshot(&first, engine);
    take_snapshot(&second, twin);
    IV_CHECK(iv_str_eq(iv_buf_slice(&first), iv_buf_slice(&second)));
    IV_CHECK(iv_ok(iv_engine_finish(engine, &err)) && iv_ok(iv_engine_finish(twin, &err)));
    IV_CHECK(said[0] == said[1]);
    iv_engine_free(engine);
    iv_engine_free(twin);
    return true;
}

static const char *const sections[] = {
    IV_SECTION_BASE,   IV_SECTION_RULES,   IV_SECTION_TIME, IV_SECTION_TYPES, IV_SECTION_LANES,
    IV_SECTION_TOPICS, IV_SECTION_RECORDS, IV_SECTION_TOLD, IV_SECTION_LOGS,  IV_SECTION_POPULATION};

/* Behind each rule's id stands its digest. */
static void put_digests(size_t section, char *content, size_t n)
{
    for (size_t i = 0; section == 1 && i < baseline->rule_count; i++) {
        const struct iv_rule *rule = baseline->rules[i];
        char *id = n == 0 ? NULL : memmem(content, n, rule->id.p, rule->id.n);
        if (id != NULL && n - (size_t)(id - content) >= rule->id.n + sizeof rule->digest) {
            memcpy(id + rule->id.n, rule->digest, sizeof rule->digest);
        }
    }
}

static const struct assembly whole = {.frame = &iv_snapshot_frame,
                                      .sections = sections,
                                      .section_count = IV_COUNT(sections),
                                      .mend = put_digests};

/* The other way: what such an input is made of. */
static void take_apart(struct iv_buf *out, struct iv_str snapshot)
{
    struct iv_image in = {(const unsigned char *)snapshot.p + IV_FRAME_HEAD_BYTES,
                          (const unsigned char *)snapshot.p + snapshot.n - IV_FRAME_SUM_BYTES, false};
    for (size_t i = 0; i < IV_COUNT(sections); i++) {
        struct iv_image section = iv_image_get_section(&in, sections[i]);
        iv_buf_text(out, sections[i]);
        iv_buf_add(out, section.at, (size_t)(section.end - section.at));
    }
    IV_CHECK(!in.bad);
}

/* A snapshot of our own passes through all this, or nothing that is tried here means anything. */
static void try_own(void)
{
    uint64_t said = 0;
    const struct iv_engine_options options = {
        .verdict = note_verdict, .ctx = &said, .digests = true, .hash_key = {3, 4}};
    struct iv_engine *engine = NULL;
    struct iv_buf parts;
    struct iv_err err;
    iv_buf_init(&parts, BYTES_MAX);
    IV_CHECK(iv_ok(iv_engine_new(&engine, baseline, &options, &err)));
    feed(engine, 0, EVENTS_BEFORE);
    IV_CHECK(said != 0);
    take_snapshot(&first, engine);
    take_apart(&parts, iv_buf_slice(&first));
    assemble(&image, iv_buf_slice(&parts), &whole);
    IV_CHECK(iv_str_eq(iv_buf_slice(&image), iv_buf_slice(&first)));
    IV_CHECK(go_on(iv_buf_slice(&image)));
    iv_buf_deinit(&parts);
    iv_engine_free(engine);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (baseline == NULL) {
        iv_arena_init(&arena, 0);
        iv_buf_init(&json, BYTES_MAX);
        iv_buf_init(&image, BYTES_MAX);
        iv_buf_init(&first, BYTES_MAX);
        iv_buf_init(&second, BYTES_MAX);
        load_baseline();
        try_own();
    }
    iv_arena_reset(&arena);
    (void)go_on(input_of(data, size));
    assemble(&image, input_of(data, size), &whole);
    (void)go_on(iv_buf_slice(&image));
    return 0;
}
