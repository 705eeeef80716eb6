/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/encode.h"
#include "base/guard.h"
#include "base/json_write.h"
#include "engine/snapshot.h"
#include "event/chain.h"
#include "event/decode.h"
#include "support/scratch.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#define EPOCH "2026-01-01T00:00:00Z"
#define TEXT_MAX (1u << 20)
#define DIGITS "0a0b0c0d0a0b0c0d0a0b0c0d"
#define NO_HASH DIGITS DIGITS DIGITS DIGITS

/* A record's bytes while they may still change. */
struct text {
    char *p;
    size_t n;
};

struct stage {
    struct iv_baseline *baseline;
    struct iv_engine *engine;
    struct iv_decoder *decoder;
    struct iv_arena arena;
    struct iv_buf said;
    struct iv_buf left; /* populations that left the memory */
    iv_ns epoch;
    int64_t offset;
    unsigned char uid[IV_UID_BYTES];
};

static const char fields[] =
    "{k: string, v: string, s: string, n: int, u: double, t: timestamp, d: duration, "
    "b: bool, l: list<string>, profile: string}";

static const char punctual[] = "streams: {telemetry: {lateness: 0s}, ledger: {lateness: 0s}}";

static void write_baseline(const struct scratch *dir, const char *settings, const char *rules)
{
    struct iv_buf text;
    iv_buf_init(&text, TEXT_MAX);
    iv_buf_printf(&text,
                  "apiVersion: invigil/v1\nkind: Baseline\nmetadata: {name: stage, version: \"1\"}\n%s\n%s\n"
                  "packs: [pack.yaml]\nevents:\n",
                  strstr(settings, "streams:") == NULL ? punctual : "", settings);
    for (const char *const *type = (const char *const[]){"d.a", "d.b", "d.c", "l.a", "l.b", NULL};
         *type != NULL; type++) {
        iv_buf_printf(&text, "  %s: {stream: %s, fields: %s}\n", *type,
                      **type == 'd' ? "telemetry" : "ledger", fields);
    }
    scratch_write(dir, "baseline.yaml", iv_buf_slice(&text));
    iv_buf_clear(&text);
    iv_buf_printf(
        &text, "apiVersion: invigil/v1\nkind: RulePack\nmetadata: {name: p, title: P}\nrules:\n%s\n", rules);
    scratch_write(dir, "pack.yaml", iv_buf_slice(&text));
    iv_buf_deinit(&text);
}

static void load(struct stage *s, const char *settings, const char *rules)
{
    IV_AUTO(scratch_remove) struct scratch dir = scratch_make();
    IV_AUTO(iv_problems_freep) struct iv_problems *problems = NULL;
    struct iv_err err;
    write_baseline(&dir, settings, rules);
    cr_assert(iv_ok(iv_problems_new(&problems, &err)));
    if (!iv_ok(iv_baseline_load(&s->baseline, iv_str_of(dir.path), problems, &err))) {
        struct iv_buf text;
        iv_buf_init(&text, TEXT_MAX);
        iv_problems_render(&text, problems);
        cr_assert(false, "%s\n" IV_STR_FMT, err.text, IV_STR_ARG(iv_buf_slice(&text)));
    }
}

static void say_time(struct iv_buf *out, iv_ns t)
{
    iv_duration_format(out, iv_instant_of_ns(t));
}

static void collect(void *ctx, const struct iv_verdict *v)
{
    static const char *const kinds[] = {"violated", "updated", "contradicted", "inconclusive", "open"};
    struct stage *s = ctx;
    iv_buf_printf(&s->said, "%s " IV_STR_FMT " " IV_STR_FMT " [", kinds[v->kind], IV_STR_ARG(v->rule->id),
                  IV_STR_ARG(v->trigger.id));
    for (size_t i = 0; i < v->witness_count; i++) {
        iv_buf_text(&s->said, i > 0 ? " " : "");
        iv_buf_str(&s->said, v->witnesses[i].id);
    }
    iv_buf_text(&s->said, v->waiver != NULL ? "] waived" : "]");
    iv_buf_text(&s->said, " until ");
    say_time(&s->said, v->deadline - s->epoch);
    iv_buf_char(&s->said, '\n');
    memcpy(s->uid, v->uid, sizeof s->uid);
}

static void leave(void *ctx, const struct iv_populated *p)
{
    struct stage *s = ctx;
    if (!iv_str_eq(p->rule->id, IV_STR("EVT-001"))) {
        iv_buf_printf(&s->left, IV_STR_FMT " %llu\n", IV_STR_ARG(p->rule->id), (unsigned long long)p->count);
    }
}

const char *stage_left(struct stage *s)
{
    iv_buf_char(&s->left, '\0');
    return iv_buf_slice(&s->left).p;
}

static struct iv_engine_options options_of(struct stage *s)
{
    struct iv_hash_key key = {3, 4};
    return (struct iv_engine_options){
        .verdict = collect, .populated = leave, .ctx = s, .digests = true, .hash_key = key};
}

void stage_reset(struct stage *s)
{
    struct iv_err err;
    struct iv_engine_options options = options_of(s);
    iv_engine_free(s->engine);
    cr_assert(iv_ok(iv_engine_new(&s->engine, s->baseline, &options, &err)));
    iv_buf_clear(&s->said);
}

void stage_snapshot(struct stage *s, struct iv_buf *out)
{
    struct iv_err err;
    cr_assert(iv_ok(iv_engine_snapshot(s->engine, out, &err)), "%s", err.text);
}

iv_rc stage_restore(struct stage *s, struct iv_str bytes, struct iv_err *err)
{
    struct iv_engine_options options = options_of(s);
    struct iv_engine *restored = NULL;
    options.hash_key = (struct iv_hash_key){99, 99}; /* the snapshot has its own */
    TRY(iv_engine_restore(&restored, s->baseline, &options, bytes, err));
    iv_engine_free(s->engine);
    s->engine = restored;
    return IV_OK;
}

static void take_up(struct stage *s, const struct iv_buf *bytes)
{
    struct iv_err err;
    cr_assert(iv_ok(stage_restore(s, iv_buf_slice(bytes), &err)), "%s", err.text);
}

static void restore(struct stage *s)
{
    struct iv_buf before;
    struct iv_buf after;
    iv_buf_init(&before, TEXT_MAX * 64);
    iv_buf_init(&after, TEXT_MAX * 64);
    stage_snapshot(s, &before);
    take_up(s, &before);
    stage_snapshot(s, &after);
    cr_assert(iv_str_eq(iv_buf_slice(&before), iv_buf_slice(&after)), "a restored engine has another state");
    iv_buf_deinit(&before);
    iv_buf_deinit(&after);
}

struct stage *stage_new(const char *settings, const char *rules)
{
    struct stage *s = iv_calloc(1, sizeof *s);
    struct iv_instant epoch;
    struct iv_err err;
    cr_assert(s != NULL && iv_instant_parse(&epoch, IV_STR(EPOCH)));
    s->epoch = iv_instant_to_ns_saturated(epoch);
    iv_buf_init(&s->said, TEXT_MAX);
    iv_buf_init(&s->left, TEXT_MAX);
    iv_arena_init(&s->arena, 0);
    load(s, settings, rules);
    cr_assert(iv_ok(iv_decoder_new(&s->decoder, s->baseline->catalogue, &IV_DECODE_LIMITS_DEFAULT,
                                   (struct iv_hash_key){5, 6}, &err)));
    stage_reset(s);
    return s;
}

void stage_free(struct stage *s)
{
    if (s != NULL) {
        iv_engine_free(s->engine);
        iv_decoder_free(s->decoder);
        iv_baseline_unref(s->baseline);
        iv_arena_deinit(&s->arena);
        iv_buf_deinit(&s->said);
        iv_buf_deinit(&s->left);
        iv_free(s);
    }
}

void stage_freep(struct stage **stage)
{
    stage_free(*stage);
    *stage = NULL;
}

void stage_reload(struct stage *s, const char *settings, const char *rules)
{
    struct iv_err err;
    struct iv_buf bytes;
    iv_buf_init(&bytes, TEXT_MAX * 64);
    stage_snapshot(s, &bytes);
    iv_engine_freep(&s->engine);
    iv_decoder_freep(&s->decoder);
    iv_baseline_unrefp(&s->baseline);
    load(s, settings, rules);
    cr_assert(iv_ok(iv_decoder_new(&s->decoder, s->baseline->catalogue, &IV_DECODE_LIMITS_DEFAULT,
                                   (struct iv_hash_key){5, 6}, &err)));
    take_up(s, &bytes);
    iv_buf_deinit(&bytes);
}

struct iv_engine *stage_engine(const struct stage *s)
{
    return s->engine;
}

struct iv_baseline *stage_baseline(struct stage *s)
{
    return s->baseline;
}

struct iv_str stage_said(const struct stage *s)
{
    return iv_buf_slice(&s->said);
}

void stage_forget(struct stage *s)
{
    iv_buf_clear(&s->said);
}

const unsigned char *stage_uid(const struct stage *s)
{
    return s->uid;
}

/* Cuts off the text up to a separator. */
static struct iv_str cut(struct iv_str *rest, char separator)
{
    const char *end = rest->n == 0 ? NULL : memchr(rest->p, separator, rest->n);
    struct iv_str word = {rest->p, end == NULL ? rest->n : (size_t)(end - rest->p)};
    size_t used = end == NULL ? rest->n : word.n + 1;
    *rest = (struct iv_str){rest->p + used, rest->n - used};
    return word;
}

static iv_ns time_of(const struct stage *s, struct iv_str text)
{
    struct iv_instant d;
    cr_assert(iv_duration_parse(&d, text, true), "no time: " IV_STR_FMT, IV_STR_ARG(text));
    return s->epoch + iv_instant_to_ns_saturated(d);
}

static bool is_attribute(struct iv_str name, const char **attribute)
{
    static const char *const names[][2] = {
        {"agent", "subject"}, {"tenant", "tenantid"}, {"source", "source"}};
    for (size_t i = 0; i < IV_COUNT(names); i++) {
        if (iv_str_eq(name, iv_str_of(names[i][0]))) {
            *attribute = names[i][1];
            return true;
        }
    }
    return false;
}

static void write_pairs(const struct stage *s, struct iv_json *json, struct iv_str pairs, bool attributes)
{
    while (pairs.n > 0) {
        struct iv_str value = cut(&pairs, ' ');
        struct iv_str name = cut(&value, '=');
        const char *attribute = NULL;
        char text[32] = {0};
        (void)snprintf(text, sizeof text, IV_STR_FMT, IV_STR_ARG(name));
        if (is_attribute(name, &attribute) != attributes || name.n == 0) {
            continue;
        }
        if (attributes) {
            iv_json_str(json, attribute, value);
        } else if (iv_str_eq(name, IV_STR("t"))) {
            iv_json_time(json, "t", time_of(s, value));
        } else if (iv_str_eq(name, IV_STR("n")) || iv_str_eq(name, IV_STR("u")) ||
                   iv_str_eq(name, IV_STR("b"))) {
            iv_json_raw(json, text, value);
        } else {
            iv_json_str(json, text, value);
        }
    }
}

static struct text json_of(struct stage *s, enum iv_stream stream, struct iv_str id, struct iv_str type,
                           iv_ns time, struct iv_str pairs)
{
    struct iv_buf text;
    iv_buf_init(&text, TEXT_MAX);
    struct iv_json json = iv_json_to(&text);
    iv_json_open_object(&json, NULL);
    iv_json_text(&json, "specversion", "1.0");
    iv_json_str(&json, "id", id);
    iv_json_str(&json, "type", type);
    iv_json_time(&json, "time", time);
    size_t before = text.n;
    write_pairs(s, &json, pairs, true);
    struct iv_str attributes = {text.p + before, text.n - before};
    if (memmem(attributes.p, attributes.n, "\"source\"", 8) == NULL) {
        iv_json_text(&json, "source", "s");
    }
    if (stream == IV_LEDGER) {
        iv_json_text(&json, "ledgerid", "log");
        iv_json_int(&json, "ledgerseq", (time - s->epoch) / IV_NS_PER_S);
        iv_json_text(&json, "ledgerprev", "00");
        iv_json_text(&json, "ledgerhash", NO_HASH);
    }
    iv_json_open_object(&json, "data");
    write_pairs(s, &json, pairs, false);
    iv_json_close_object(&json);
    iv_json_close_object(&json);
    char *copy = iv_arena_zalloc(&s->arena, text.n + IV_RECORD_PADDING);
    cr_assert(copy != NULL);
    memcpy(copy, text.p, text.n);
    struct text out = {copy, text.n};
    iv_buf_deinit(&text);
    return out;
}

/* Puts the hash that recomputes where the record has none. */
static void chain(const struct iv_event *event, char *json, size_t n)
{
    struct iv_err err;
    struct iv_digest digest;
    struct iv_buf hex;
    IV_AUTO(iv_digester_freep) struct iv_digester *digester = NULL;
    cr_assert(iv_ok(iv_digester_new(&digester, &err)) &&
              iv_ok(iv_chain_digest(&digest, digester, event, &err)));
    iv_buf_init(&hex, 256);
    iv_hex_encode(&hex, (struct iv_str){(const char *)digest.bytes, digest.n});
    char *at = memmem(json, n, NO_HASH, strlen(NO_HASH));
    cr_assert(at != NULL && hex.n == strlen(NO_HASH), "a hash of %zu digits", hex.n);
    memcpy(at, hex.p, hex.n);
    iv_buf_deinit(&hex);
}

static int32_t partition_of(struct iv_str word, enum iv_stream *stream)
{
    cr_assert(word.n == 2 && (word.p[0] == 'T' || word.p[0] == 'L'), "no partition: " IV_STR_FMT,
              IV_STR_ARG(word));
    *stream = word.p[0] == 'T' ? IV_TELEMETRY : IV_LEDGER;
    return word.p[1] - '0';
}

uint64_t stage_allocations(struct stage *s, const char *json)
{
    struct iv_err err;
    struct iv_event event;
    size_t n = strlen(json);
    char *copy = iv_arena_zalloc(&s->arena, n + IV_RECORD_PADDING);
    cr_assert(copy != NULL);
    memcpy(copy, json, n);
    struct iv_record record = {.origin = {IV_TELEMETRY, 0, s->offset++, IV_STR("telemetry")},
                               .bytes = {copy, n}};
    cr_assert(iv_ok(iv_decode(s->decoder, &record, &s->arena, &event, &err)), "%s", err.text);
    uint64_t before = iv_alloc_calls();
    cr_assert(iv_ok(iv_engine_event(s->engine, &event, &err)), "%s", err.text);
    uint64_t calls = iv_alloc_calls() - before;
    iv_arena_reset(&s->arena);
    return calls;
}

static void arrive(struct stage *s, struct iv_str where, struct iv_str rest)
{
    enum iv_stream stream = IV_TELEMETRY;
    int32_t partition = partition_of(where, &stream);
    iv_ns time = time_of(s, cut(&rest, ' '));
    struct iv_str type = cut(&rest, ' ');
    struct iv_str id = cut(&rest, ' ');
    bool chained = rest.n > 0 && memmem(rest.p, rest.n, "chained=", 8) != NULL;
    struct text json = json_of(s, stream, id, type, time, rest);
    struct iv_record record = {
        .origin = {stream, partition, s->offset, iv_str_of(iv_stream_name(stream))},
        .bytes = {json.p, json.n},
    };
    struct iv_event event;
    struct iv_err err;
    cr_assert(iv_ok(iv_decode(s->decoder, &record, &s->arena, &event, &err)), "%s", err.text);
    if (chained) {
        chain(&event, json.p, json.n);
        cr_assert(iv_ok(iv_decode(s->decoder, &record, &s->arena, &event, &err)), "%s", err.text);
    }
    cr_assert(iv_ok(iv_engine_event(s->engine, &event, &err)), "%s", err.text);
    iv_arena_reset(&s->arena); /* what the engine keeps must be its own */
    s->offset++;
}

static void expect_count(const struct stage *s, struct iv_str what, struct iv_str number)
{
    struct iv_engine_stats stats;
    iv_engine_stats(s->engine, &stats);
    const struct {
        const char *name;
        uint64_t value;
    } rows[] = {{"late", stats.late},        {"duplicates", stats.duplicates},
                {"kept", stats.kept},        {"live", stats.live_events},
                {"armed", stats.armed},      {"unknown", stats.unknown_type},
                {"failures", stats.failures}};
    for (size_t i = 0; i < IV_COUNT(rows); i++) {
        if (iv_str_eq(what, iv_str_of(rows[i].name))) {
            char text[32];
            (void)snprintf(text, sizeof text, "%llu", (unsigned long long)rows[i].value);
            cr_assert(iv_str_eq(number, iv_str_of(text)), "%s is %s, not " IV_STR_FMT, rows[i].name, text,
                      IV_STR_ARG(number));
            return;
        }
    }
    cr_assert(false, "no such line: " IV_STR_FMT, IV_STR_ARG(what));
}

void stage_line(struct stage *s, struct iv_str line)
{
    struct iv_err err;
    enum iv_stream stream = IV_TELEMETRY;
    struct iv_str word = cut(&line, ' ');
#ifdef STAGE_RESTORES
    restore(s);
#endif
    if (word.n == 2 && word.p[1] >= '0' && word.p[1] <= '9') {
        arrive(s, word, line);
    } else if (iv_str_eq(word, IV_STR("end"))) {
        cr_assert(iv_ok(iv_engine_finish(s->engine, &err)));
    } else if (iv_str_eq(word, IV_STR("restore"))) {
        restore(s);
    } else if (iv_str_eq(word, IV_STR("open"))) {
        int32_t partition = partition_of(line, &stream);
        cr_assert(iv_ok(iv_engine_open(s->engine, stream, partition, &err)));
    } else if (iv_str_eq(word, IV_STR("midway"))) {
        (void)partition_of(line, &stream);
        iv_engine_joined_midway(s->engine, stream);
    } else if (iv_str_eq(word, IV_STR("idle"))) {
        int32_t partition = partition_of(cut(&line, ' '), &stream);
        cr_assert(iv_ok(iv_engine_idle(s->engine, stream, partition, time_of(s, line), &err)));
    } else {
        expect_count(s, word, line);
    }
}

static bool begins_with(struct iv_str text, struct iv_str start)
{
    return text.n >= start.n && memcmp(text.p, start.p, start.n) == 0;
}

void stage_play(struct stage *s, const char *script)
{
    struct iv_str rest = iv_str_of(script);
    struct iv_str said = {"", 0};
    struct iv_str last = {"", 0};
    while (rest.n > 0) {
        struct iv_str line = cut(&rest, '\n');
        if (line.n == 0) {
            continue;
        }
        if (begins_with(line, IV_STR("= "))) {
            struct iv_str next = cut(&said, '\n');
            struct iv_str wanted = {line.p + 2, line.n - 2};
            cr_assert(begins_with(next, wanted),
                      "after '" IV_STR_FMT "' expected '" IV_STR_FMT "', got '" IV_STR_FMT "'",
                      IV_STR_ARG(last), IV_STR_ARG(wanted), IV_STR_ARG(next));
            continue;
        }
        cr_assert(said.n == 0, "after '" IV_STR_FMT "' nobody expected '" IV_STR_FMT "'", IV_STR_ARG(last),
                  IV_STR_ARG(said));
        iv_buf_clear(&s->said);
        stage_line(s, line);
        said = iv_buf_slice(&s->said);
        last = line;
    }
    cr_assert(said.n == 0, "after '" IV_STR_FMT "' nobody expected '" IV_STR_FMT "'", IV_STR_ARG(last),
              IV_STR_ARG(said));
}

void stage_script(const char *settings, const char *rules, const char *script)
{
    IV_AUTO(stage_freep) struct stage *s = stage_new(settings, rules);
    stage_play(s, script);
}
