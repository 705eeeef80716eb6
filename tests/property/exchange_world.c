/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange_world.h"

#include "app/exchange_back.h"
#include "app/exchange_front.h"
#include "app/judge.h"
#include "base/alloc.h"
#include "base/encode.h"
#include "base/guard.h"
#include "event/decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARTITIONS_MAX 4
#define LONG_AGO_NS (INT64_C(365) * 24 * 3600 * IV_NS_PER_S)
#define ZOMBIES_MAX 4

static const struct iv_hash_key content_key = {1, 2};

static struct {
    uint64_t runs, sent, skipped, front_crashes, back_crashes, zombies, global_rules, local_rules;
} seen;

bool exchange_coverage(void)
{
    printf("%llu runs, %llu events sent, %llu skipped, %llu fronts and %llu backs killed, %llu zombies; "
           "%llu rules global, %llu local\n",
           (unsigned long long)seen.runs, (unsigned long long)seen.sent, (unsigned long long)seen.skipped,
           (unsigned long long)seen.front_crashes, (unsigned long long)seen.back_crashes,
           (unsigned long long)seen.zombies, (unsigned long long)seen.global_rules,
           (unsigned long long)seen.local_rules);
    return seen.runs < 50 || (seen.skipped > 0 && seen.front_crashes > 0 && seen.back_crashes > 0 &&
                              seen.zombies > 0 && seen.local_rules > 0);
}

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
    if (v->rule != said->baseline->equivocation) { /* which of its events is the least depends on the order */
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

/* The record at this offset of a partition; NULL: its end. */
static const struct arrival *record_at(const struct arrivals *arrivals, enum iv_stream stream,
                                       int32_t partition, int64_t offset)
{
    for (size_t i = 0; i < arrivals->count; i++) {
        const struct arrival *a = &arrivals->items[i];
        if (a->stream == stream && a->partition == partition && offset-- == 0) {
            return a;
        }
    }
    return NULL;
}

static iv_ns much_later(const struct arrivals *arrivals)
{
    iv_ns latest = WORLD_EPOCH_S * IV_NS_PER_S;
    for (size_t i = 0; i < arrivals->count; i++) {
        latest = arrivals->items[i].time > latest ? arrivals->items[i].time : latest;
    }
    return iv_ns_add(latest, LONG_AGO_NS);
}

static iv_rc tell(struct iv_judge *judge, struct iv_decoder *decoder, struct iv_arena *arena,
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

static struct iv_judge_options judge_options(struct said *out, struct iv_baseline *baseline)
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
    TRY(iv_decoder_new(&decoder, baseline->catalogue, &IV_DECODE_LIMITS_DEFAULT, content_key, err));
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

/* A partition of the exchange: nothing that was sent is ever lost. */
struct topic {
    struct iv_str *packets;
    size_t count;
    size_t capacity;
};

/* One that reads a partition. */
struct front {
    struct iv_judge *judge;
    struct iv_front *front;
    int64_t next[IV_STREAMS];
    int32_t partition;
};

struct back {
    struct iv_judge *judge;
    struct iv_back *back;
    size_t next; /* packet */
};

struct front_snapshot {
    struct iv_judge *judge; /* NULL: there is none */
    int64_t next[IV_STREAMS];
};

struct back_snapshot {
    struct iv_judge *judge;
    struct iv_buf saved;
    size_t next;
};

struct scene {
    struct said *out;
    struct iv_baseline *baseline;
    struct iv_decoder *decoder;
    int32_t partitions;
    struct dice dice;
    struct topic topics[PARTITIONS_MAX];
    struct front fronts[PARTITIONS_MAX];
    struct back backs[PARTITIONS_MAX];
    struct front_snapshot front_snapshots[PARTITIONS_MAX];
    struct back_snapshot back_snapshots[PARTITIONS_MAX];
    struct front zombies[ZOMBIES_MAX];
    size_t zombie_count;
};

static struct iv_rc_s send_packet(void *ctx, uint32_t share, struct iv_str packet, struct iv_err *err)
{
    struct scene *s = ctx;
    struct topic *t = &s->topics[share];
    (void)err;
    if (t->count == t->capacity) {
        t->capacity = t->capacity * 2 + 16;
        t->packets = iv_realloc(t->packets, t->capacity * sizeof *t->packets);
        IV_CHECK(t->packets != NULL);
    }
    t->packets[t->count++] = iv_arena_str(&s->out->arena, packet);
    return IV_OK;
}

static iv_rc clone_judge(struct iv_judge **out, const struct scene *s, struct iv_judge *from, uint32_t share,
                         enum iv_judge_part part, struct iv_err *err)
{
    struct iv_judge_options options = judge_options(s->out, s->baseline);
    options.from = from;
    options.part = part;
    if (part == IV_JUDGE_GLOBAL) {
        options.share = (struct iv_share){(uint32_t)s->partitions, share};
    }
    return iv_judge_new(out, &options, err);
}

static void front_deinit(struct front *f)
{
    iv_judge_free(f->judge);
    iv_front_free(f->front);
    *f = (struct front){.judge = NULL};
}

static void back_deinit(struct back *b)
{
    iv_back_free(b->back);
    iv_judge_free(b->judge);
    *b = (struct back){.judge = NULL};
}

/* Makes the partition's reader anew, from its snapshot or from the beginning. */
static iv_rc start_front(struct scene *s, int32_t p, struct iv_err *err)
{
    const struct front_snapshot *snapshot = &s->front_snapshots[p];
    struct front *f = &s->fronts[p];
    front_deinit(f);
    *f = (struct front){.partition = p};
    struct iv_front_options options = {.baseline = s->baseline,
                                       .partition = p,
                                       .shares = (uint32_t)s->partitions,
                                       .digests = true,
                                       .send = send_packet,
                                       .ctx = s};
    TRY(clone_judge(&f->judge, s, snapshot->judge, 0, IV_JUDGE_LOCAL, err));
    for (int i = 0; i < IV_STREAMS; i++) {
        f->next[i] = snapshot->judge == NULL ? 0 : snapshot->next[i];
        options.read[i].topic = iv_str_of(iv_stream_name((enum iv_stream)i));
        options.read[i].next = f->next[i] == 0 ? -1 : f->next[i];
        TRY(iv_judge_open(f->judge, (enum iv_stream)i, p, err));
    }
    return iv_front_new(&f->front, &options, err);
}

static iv_rc start_back(struct scene *s, int32_t m, struct iv_err *err)
{
    const struct back_snapshot *snapshot = &s->back_snapshots[m];
    struct back *b = &s->backs[m];
    back_deinit(b);
    TRY(clone_judge(&b->judge, s, snapshot->judge, (uint32_t)m, IV_JUDGE_GLOBAL, err));
    struct iv_back_options options = {
        .judge = b->judge, .baseline = s->baseline, .share = {(uint32_t)s->partitions, (uint32_t)m}};
    for (int i = 0; i < IV_STREAMS; i++) {
        options.topics[i] = iv_str_of(iv_stream_name((enum iv_stream)i));
    }
    TRY(iv_back_new(&b->back, &options, err));
    if (snapshot->judge != NULL) {
        TRY(iv_back_restore(b->back, iv_buf_slice(&snapshot->saved), err));
    }
    b->next = snapshot->judge == NULL ? 0 : snapshot->next;
    return IV_OK;
}

/* Some records of one stream; true in more where there are more. */
static iv_rc read_some(struct scene *s, struct front *f, bool *more, struct iv_err *err)
{
    enum iv_stream stream = (enum iv_stream)dice_below(&s->dice, IV_STREAMS);
    size_t most = dice_below(&s->dice, 8) + 1;
    for (size_t i = 0; i < most; i++) {
        const struct arrival *a = record_at(s->out->arrivals, stream, f->partition, f->next[stream]);
        if (a == NULL) {
            break;
        }
        TRY(tell(f->judge, s->decoder, &s->out->arena, a, f->next[stream]++, f->front, err));
    }
    *more = false;
    for (int i = 0; i < IV_STREAMS; i++) {
        *more = *more || record_at(s->out->arrivals, (enum iv_stream)i, f->partition, f->next[i]) != NULL;
    }
    return IV_OK;
}

static iv_rc keep_front(struct scene *s, int32_t p, struct iv_err *err)
{
    struct front *f = &s->fronts[p];
    struct front_snapshot *snapshot = &s->front_snapshots[p];
    TRY(iv_front_flush(f->front, true, err));
    iv_judge_freep(&snapshot->judge);
    memcpy(snapshot->next, f->next, sizeof f->next);
    return clone_judge(&snapshot->judge, s, f->judge, 0, IV_JUDGE_LOCAL, err);
}

static iv_rc keep_back(struct scene *s, int32_t m, struct iv_err *err)
{
    struct back *b = &s->backs[m];
    struct back_snapshot *snapshot = &s->back_snapshots[m];
    iv_judge_freep(&snapshot->judge);
    iv_buf_clear(&snapshot->saved);
    iv_back_save(b->back, &snapshot->saved);
    snapshot->next = b->next;
    return clone_judge(&snapshot->judge, s, b->judge, (uint32_t)m, IV_JUDGE_GLOBAL, err);
}

/* A reader dies, or is thought to: then it goes on beside its successor for a while. */
static iv_rc replace_front(struct scene *s, int32_t p, struct iv_err *err)
{
    if (s->zombie_count < ZOMBIES_MAX && dice_one_in(&s->dice, 2)) {
        s->zombies[s->zombie_count++] = s->fronts[p];
        s->fronts[p] = (struct front){.judge = NULL};
        seen.zombies++;
    }
    seen.front_crashes++;
    return start_front(s, p, err);
}

/* A moment before which nothing was written that this reader has not read, by a clock that is event time:
 * whatever comes later is late by no more than lateness allows. */
static iv_ns silent_until(const struct scene *s, const struct front *f, enum iv_stream stream)
{
    iv_ns until = much_later(s->out->arrivals);
    for (int64_t offset = f->next[stream];; offset++) {
        const struct arrival *a = record_at(s->out->arrivals, stream, f->partition, offset);
        if (a == NULL) {
            return until;
        }
        iv_ns written = iv_ns_add(a->time, s->baseline->streams[stream].lateness);
        until = written < until ? written : until;
    }
}

static iv_rc pause_front(struct scene *s, struct front *f, struct iv_err *err)
{
    enum iv_stream stream = (enum iv_stream)dice_below(&s->dice, IV_STREAMS);
    iv_ns wall = silent_until(s, f, stream);
    iv_front_idle(f->front, stream, wall);
    TRY(iv_judge_idle(f->judge, stream, f->partition, wall, err));
    return dice_one_in(&s->dice, 2) ? iv_front_flush(f->front, true, err) : IV_OK;
}

static iv_rc bury_zombie(struct scene *s, struct iv_err *err)
{
    struct front *z = &s->zombies[--s->zombie_count];
    TRY(pause_front(s, z, err));
    TRY(iv_front_flush(z->front, true, err));
    front_deinit(z);
    return IV_OK;
}

static iv_rc take_some(struct scene *s, int32_t m, size_t most, struct iv_err *err)
{
    struct back *b = &s->backs[m];
    struct topic *t = &s->topics[m];
    for (size_t i = 0; i < most && b->next < t->count; i++) {
        TRY(iv_back_take(b->back, t->packets[b->next++], err));
    }
    return IV_OK;
}

static iv_rc take_turn(struct scene *s, bool *more, struct iv_err *err)
{
    int32_t at = (int32_t)dice_below(&s->dice, (uint64_t)s->partitions);
    bool ignored = false;
    switch (dice_below(&s->dice, 16)) {
    case 0:
        return keep_front(s, at, err);
    case 1:
        return keep_back(s, at, err);
    case 2:
        return dice_one_in(&s->dice, 4) ? replace_front(s, at, err) : IV_OK;
    case 3:
        seen.back_crashes++;
        return start_back(s, at, err);
    case 4:
    case 5:
        return iv_front_flush(s->fronts[at].front, dice_one_in(&s->dice, 2), err);
    case 6:
        if (s->zombie_count > 0) {
            struct front *z = &s->zombies[s->zombie_count - 1];
            TRY(read_some(s, z, &ignored, err));
            return dice_one_in(&s->dice, 3) ? bury_zombie(s, err) : iv_front_flush(z->front, true, err);
        }
        return IV_OK;
    case 7:
        return pause_front(s, &s->fronts[at], err);
    case 8:
    case 9:
        return take_some(s, at, dice_below(&s->dice, 4) + 1, err);
    default:
        return read_some(s, &s->fronts[at], &more[at], err);
    }
}

static iv_rc start(struct scene *s, struct iv_err *err)
{
    TRY(iv_decoder_new(&s->decoder, s->baseline->catalogue, &IV_DECODE_LIMITS_DEFAULT, content_key, err));
    for (int32_t p = 0; p < s->partitions; p++) {
        iv_buf_init(&s->back_snapshots[p].saved, 1u << 20);
        TRY(start_front(s, p, err));
        TRY(start_back(s, p, err));
    }
    return IV_OK;
}

/* Everything is read, and silent for long; everything that was sent is taken. */
static iv_rc end(struct scene *s, struct iv_err *err)
{
    while (s->zombie_count > 0) {
        TRY(bury_zombie(s, err));
    }
    for (int32_t p = 0; p < s->partitions; p++) {
        struct front *f = &s->fronts[p];
        for (bool more = true; more;) {
            TRY(read_some(s, f, &more, err));
        }
        for (int i = 0; i < IV_STREAMS; i++) {
            iv_ns wall = much_later(s->out->arrivals);
            TRY(iv_judge_idle(f->judge, (enum iv_stream)i, p, wall, err));
            iv_front_idle(f->front, (enum iv_stream)i, wall);
        }
        TRY(iv_front_flush(f->front, true, err));
    }
    for (int32_t m = 0; m < s->partitions; m++) {
        TRY(take_some(s, m, SIZE_MAX, err));
    }
    return IV_OK;
}

static void note(const struct scene *s)
{
    seen.runs++;
    for (int32_t p = 0; p < s->partitions; p++) {
        struct iv_front_stats sent;
        struct iv_back_stats taken;
        iv_front_stats(s->fronts[p].front, &sent);
        iv_back_stats(s->backs[p].back, &taken);
        seen.sent += sent.events;
        seen.skipped += taken.skipped;
    }
    for (size_t i = 0; i < s->baseline->rule_count; i++) {
        seen.global_rules += s->baseline->rules[i]->global;
        seen.local_rules += !s->baseline->rules[i]->global;
    }
}

static void scene_deinit(struct scene *s)
{
    while (s->zombie_count > 0) {
        front_deinit(&s->zombies[--s->zombie_count]);
    }
    for (int32_t p = 0; p < s->partitions; p++) {
        front_deinit(&s->fronts[p]);
        back_deinit(&s->backs[p]);
        iv_judge_free(s->front_snapshots[p].judge);
        iv_judge_free(s->back_snapshots[p].judge);
        iv_buf_deinit(&s->back_snapshots[p].saved);
        iv_free(s->topics[p].packets);
    }
    iv_decoder_free(s->decoder);
}

iv_rc run_exchange(struct said *out, struct iv_baseline *baseline, const struct world *world, uint64_t seed,
                   struct iv_err *err)
{
    IV_AUTO(scene_deinit)
    struct scene s = {.out = out,
                      .baseline = baseline,
                      .partitions = world->partitions[IV_LEDGER],
                      .dice = {seed ^ UINT64_C(0xe8c4a6e)}};
    TRY(start(&s, err));
    size_t turns = 20 + dice_below(&s.dice, 400);
    bool more[PARTITIONS_MAX] = {false};
    for (size_t i = 0; i < turns; i++) {
        TRY(take_turn(&s, more, err));
    }
    TRY(end(&s, err));
    note(&s);
    return IV_OK;
}
