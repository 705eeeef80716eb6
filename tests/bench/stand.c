/* SPDX-License-Identifier: Apache-2.0 */
#include "stand.h"

#include "base/guard.h"
#include "base/json_write.h"

#include <stdio.h>

static void count_verdict(void *ctx, const struct iv_verdict *verdict)
{
    (void)verdict;
    ((struct stand *)ctx)->verdicts++;
}

void stand_open(struct stand *s, const char *folder)
{
    IV_AUTO(iv_problems_freep) struct iv_problems *problems = NULL;
    const struct iv_hash_key key = {1, 2};
    const struct iv_engine_options options = {.verdict = count_verdict, .ctx = s, .hash_key = key};
    struct iv_err err;
    *s = (struct stand){.verdicts = 0};
    iv_arena_init(&s->arena, 0);
    IV_CHECK(iv_ok(iv_problems_new(&problems, &err)));
    IV_CHECK(iv_ok(iv_baseline_load(&s->baseline, iv_str_of(folder), problems, &err)));
    IV_CHECK(
        iv_ok(iv_decoder_new(&s->decoder, s->baseline->catalogue, &IV_DECODE_LIMITS_DEFAULT, key, &err)));
    IV_CHECK(iv_ok(iv_engine_new(&s->engine, s->baseline, &options, &err)));
}

void stand_close(struct stand *s)
{
    iv_arena_deinit(&s->arena);
    iv_engine_free(s->engine);
    iv_decoder_free(s->decoder);
    iv_baseline_unref(s->baseline);
}

void stand_decode(struct stand *s, struct iv_event *out, struct iv_record *record, enum iv_stream stream,
                  uint64_t offset, struct iv_str bytes)
{
    struct iv_err err;
    iv_arena_reset(&s->arena);
    char *padded = iv_arena_zalloc(&s->arena, bytes.n + IV_RECORD_PADDING);
    IV_CHECK(padded != NULL);
    memcpy(padded, bytes.p, bytes.n);
    *record = (struct iv_record){.origin = {stream, 0, (int64_t)offset, iv_str_of(iv_stream_name(stream))},
                                 .bytes = {padded, bytes.n}};
    IV_CHECK(iv_ok(iv_decode(s->decoder, record, &s->arena, out, &err)));
}

void stand_write_token(struct iv_buf *out, const char *type, uint64_t number, iv_ns time, iv_ns expires)
{
    struct iv_json j = iv_json_to(out);
    char name[32];
    iv_buf_clear(out);
    (void)snprintf(name, sizeof name, "%016llx", (unsigned long long)number);
    iv_json_open_object(&j, NULL);
    iv_json_text(&j, "specversion", "1.0");
    iv_json_text(&j, "id", name);
    iv_json_text(&j, "source", "/broker/tenant-7");
    iv_json_text(&j, "type", type);
    iv_json_time(&j, "time", time);
    iv_json_text(&j, "subject", "agent-00042");
    iv_json_text(&j, "tenantid", "tenant-7");
    iv_json_open_object(&j, "data");
    iv_json_text(&j, "token_id", name);
    iv_json_text(&j, "enclave_id", name);
    iv_json_time(&j, "expires_at", expires);
    iv_json_close_object(&j);
    iv_json_close_object(&j);
}
