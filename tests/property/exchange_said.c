/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange_said.h"

#include "base/alloc.h"
#include "base/guard.h"

#include <stdlib.h>
#include <string.h>

#define LONG_AFTER_NS (INT64_C(365) * 24 * 3600 * IV_NS_PER_S)
#define PARTITIONS_MAX 4

static const struct iv_hash_key content_key = {1, 2};

void said_deinit(struct said *said)
{
    iv_free(said->lines);
    iv_arena_deinit(&said->arena);
}

/* What evidence says of a record must be true of the record. */
static void check_sighting(const struct said *said, const struct iv_sighting *s)
{
    IV_AUTO(iv_digester_freep) struct iv_digester *digester = NULL;
    struct iv_err err;
    struct iv_digest digest;
    const struct arrival *a = NULL;
    int64_t offset = -1;
    for (size_t i = 0; i < said->arrivals->count && offset < s->origin.offset; i++) {
        a = &said->arrivals->items[i];
        offset += a->stream == s->origin.stream && a->partition == s->origin.partition;
    }
    IV_CHECK(a != NULL && offset == s->origin.offset && a->time == s->time);
    IV_CHECK(iv_str_eq(s->origin.topic, iv_str_of(iv_stream_name(a->stream))));
    IV_CHECK(iv_ok(iv_digester_new(&digester, &err)));
    iv_digest(digester, &digest, IV_SHA256, a->json);
    IV_CHECK(digest.n == s->digest.n && memcmp(digest.bytes, s->digest.bytes, digest.n) == 0);
}

static void keep(void *ctx, const struct iv_verdict *v)
{
    struct said *said = ctx;
    struct iv_buf line;
    if (v->kind == IV_UPDATED) {
        return; /* a further content updates what was said; had it come before, it would not */
    }
    iv_buf_init(&line, 4096);
    iv_buf_printf(&line, IV_STR_FMT " %d " IV_STR_FMT "/" IV_STR_FMT " ", IV_STR_ARG(v->rule->id),
                  (int)v->kind, IV_STR_ARG(v->trigger.source), IV_STR_ARG(v->trigger.id));
    if (!iv_str_eq(
            v->rule->id,
            said->baseline->equivocation->id)) { /* which of its events is the least depends on the order */
        iv_buf_printf(&line, "%d %lld %lld %s ", (int)v->trigger.origin.partition,
                      (long long)v->trigger.origin.offset, (long long)v->deadline,
                      v->waiver != NULL ? "waived" : "");
    }
    for (size_t i = 0; i < sizeof v->uid; i++) {
        iv_buf_printf(&line, "%02x", v->uid[i]);
    }
    check_sighting(said, &v->trigger);
    for (size_t i = 0; i < v->witness_count; i++) {
        check_sighting(said, &v->witnesses[i]);
    }
    if (said->count == said->capacity) {
        said->capacity = said->capacity * 2 + 64;
        said->lines = iv_realloc(said->lines, said->capacity * sizeof *said->lines);
        IV_CHECK(said->lines != NULL);
    }
    said->lines[said->count++] = iv_arena_str(&said->arena, iv_buf_slice(&line));
    iv_buf_deinit(&line);
}

static int by_position(const void *a, const void *b)
{
    const struct arrival *x = a;
    const struct arrival *y = b;
    if (x->position != y->position) {
        return x->position < y->position ? -1 : 1;
    }
    if (x->time != y->time) {
        return x->time < y->time ? -1 : 1;
    }
    return iv_str_cmp(x->json, y->json);
}

static int32_t partition_of(struct iv_decoder *decoder, struct iv_arena *arena, const struct arrival *a,
                            int32_t partitions)
{
    struct iv_record record = {.origin = {a->stream, 0, 0, IV_STR("")}, .bytes = a->json};
    struct iv_event event;
    struct iv_err err;
    IV_CHECK(iv_ok(iv_decode(decoder, &record, arena, &event, &err)));
    return (int32_t)(iv_hash64(content_key, iv_event_attr(&event, IV_ATTR_TENANT)) % (uint64_t)partitions);
}

/* Whether an event of the identity stands on another partition. */
static bool stands_elsewhere(const struct arrivals *so_far, const struct arrival *a)
{
    for (size_t i = 0; i < so_far->count; i++) {
        const struct arrival *b = &so_far->items[i];
        if (b->identity.source == a->identity.source && b->identity.id == a->identity.id &&
            b->partition != a->partition) {
            return true;
        }
    }
    return false;
}

struct arrivals by_tenant(const struct arrivals *arrivals, struct world *world, int32_t partitions,
                          struct iv_baseline *baseline, struct iv_arena *arena)
{
    IV_AUTO(iv_decoder_freep) struct iv_decoder *decoder = NULL;
    struct iv_err err;
    struct arrivals out = {iv_arena_zalloc(arena, (arrivals->count + 1) * sizeof *out.items), 0};
    IV_CHECK(out.items != NULL);
    IV_CHECK(
        iv_ok(iv_decoder_new(&decoder, baseline->catalogue, &IV_DECODE_LIMITS_DEFAULT, content_key, &err)));
    for (size_t i = 0; i < arrivals->count; i++) {
        struct arrival a = arrivals->items[i];
        a.partition = partition_of(decoder, arena, &a, partitions);
        if (!stands_elsewhere(&out, &a)) {
            out.items[out.count++] = a;
        }
    }
    qsort(out.items, out.count, sizeof *out.items, by_position);
    for (int s = 0; s < IV_STREAMS; s++) {
        world->partitions[s] = partitions;
    }
    return out;
}

const struct arrival *record_at(const struct arrivals *arrivals, enum iv_stream stream, int32_t partition,
                                int64_t offset)
{
    for (size_t i = 0; i < arrivals->count; i++) {
        const struct arrival *a = &arrivals->items[i];
        if (a->stream == stream && a->partition == partition && offset-- == 0) {
            return a;
        }
    }
    return NULL;
}

iv_ns much_later(const struct arrivals *arrivals)
{
    iv_ns latest = WORLD_EPOCH_S * IV_NS_PER_S;
    for (size_t i = 0; i < arrivals->count; i++) {
        latest = arrivals->items[i].time > latest ? arrivals->items[i].time : latest;
    }
    return iv_ns_add(latest, LONG_AFTER_NS);
}

iv_rc tell(struct iv_judge *judge, struct iv_decoder *decoder, struct iv_arena *arena,
           const struct arrival *a, int64_t offset, struct iv_front *front, struct iv_err *err)
{
    struct iv_record record = {
        .origin = {a->stream, a->partition, offset, iv_str_of(iv_stream_name(a->stream))}, .bytes = a->json};
    struct iv_event event;
    TRY(iv_decode(decoder, &record, arena, &event, err));
    if (front != NULL) {
        iv_front_digest(front, &event);
    }
    TRY(iv_judge_event(judge, &event, err));
    return front == NULL ? IV_OK : iv_front_event(front, &event, err);
}

iv_rc open_decoder(struct iv_decoder **out, const struct iv_baseline *baseline, struct iv_err *err)
{
    return iv_decoder_new(out, baseline->catalogue, &IV_DECODE_LIMITS_DEFAULT, content_key, err);
}

struct iv_judge_options judge_options(struct said *out, struct iv_baseline *baseline)
{
    return (struct iv_judge_options){
        .baseline = baseline, .digests = true, .hash_key = content_key, .verdict = keep, .ctx = out};
}

iv_rc run_whole(struct said *out, struct iv_baseline *baseline, const struct world *world, struct iv_err *err)
{
    IV_AUTO(iv_judge_freep) struct iv_judge *judge = NULL;
    IV_AUTO(iv_decoder_freep) struct iv_decoder *decoder = NULL;
    const struct iv_judge_options options = judge_options(out, baseline);
    int64_t next[IV_STREAMS][PARTITIONS_MAX] = {{0}};
    TRY(open_decoder(&decoder, baseline, err));
    TRY(iv_judge_new(&judge, &options, err));
    for (int s = 0; s < IV_STREAMS; s++) {
        for (int32_t p = 0; p < world->partitions[s]; p++) {
            TRY(iv_judge_open(judge, (enum iv_stream)s, p, err));
        }
    }
    for (size_t i = 0; i < out->arrivals->count; i++) {
        const struct arrival *a = &out->arrivals->items[i];
        TRY(tell(judge, decoder, &out->arena, a, next[a->stream][a->partition]++, NULL, err));
    }
    for (int s = 0; s < IV_STREAMS; s++) {
        for (int32_t p = 0; p < world->partitions[s]; p++) {
            TRY(iv_judge_idle(judge, (enum iv_stream)s, p, much_later(out->arrivals), err));
        }
    }
    return IV_OK;
}
