/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange_world.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "detect/exchange_back.h"
#include "engine/frame.h"

#include <stdio.h>
#include <string.h>

#define HERE "deployment-here"
#define ELSEWHERE "deployment-away"
#define PARTITIONS_MAX 4
#define ZOMBIES_MAX 4

static struct {
    uint64_t runs, sent, skipped, front_crashes, back_crashes, zombies, reloads, lost, strangers,
        global_rules, local_rules;
} seen;

bool exchange_coverage(void)
{
    printf("%llu runs, %llu events sent, %llu skipped, %llu fronts and %llu backs killed, %llu zombies, "
           "%llu reloads, %llu packets lost, %llu of strangers; %llu rules global, %llu local\n",
           (unsigned long long)seen.runs, (unsigned long long)seen.sent, (unsigned long long)seen.skipped,
           (unsigned long long)seen.front_crashes, (unsigned long long)seen.back_crashes,
           (unsigned long long)seen.zombies, (unsigned long long)seen.reloads, (unsigned long long)seen.lost,
           (unsigned long long)seen.strangers, (unsigned long long)seen.global_rules,
           (unsigned long long)seen.local_rules);
    return seen.runs < 50 ||
           (seen.skipped > 0 && seen.front_crashes > 0 && seen.back_crashes > 0 && seen.zombies > 0 &&
            seen.reloads > 0 && seen.lost > 0 && seen.strangers > 0 && seen.local_rules > 0);
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
    unsigned rules; /* those before or those after */
};

struct back {
    struct iv_judge *judge;
    struct iv_back *back;
    size_t next; /* packet */
    unsigned rules;
};

struct front_snapshot {
    struct iv_judge *judge; /* NULL: there is none */
    int64_t next[IV_STREAMS];
    unsigned rules;
};

struct back_snapshot {
    struct iv_judge *judge;
    struct iv_buf saved;
    size_t next;
    unsigned rules;
};

struct scene {
    struct said *out;
    struct iv_baseline *baselines[2]; /* before and after; the same where nothing changes */
    struct iv_decoder *decoders[2];
    int32_t partitions;
    bool loses;
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
    if (s->loses && dice_one_in(&s->dice, 8)) {
        seen.lost++;
        return IV_OK;
    }
    if (t->count == t->capacity) {
        t->capacity = t->capacity * 2 + 16;
        t->packets = iv_realloc(t->packets, t->capacity * sizeof *t->packets);
        IV_CHECK(t->packets != NULL);
    }
    t->packets[t->count++] = iv_arena_str(&s->out->arena, packet);
    return IV_OK;
}

/* A judge of fronts (share -1) or of a share's back, under the rules, that goes on from another where there
 * is one. */
static iv_rc clone_judge(struct iv_judge **out, const struct scene *s, struct iv_judge *from, int32_t share,
                         unsigned rules, struct iv_err *err)
{
    struct iv_judge_options options = judge_options(s->out, s->baselines[rules]);
    options.from = from;
    options.part = share < 0 ? IV_JUDGE_LOCAL : IV_JUDGE_GLOBAL;
    if (share >= 0) {
        options.share = (struct iv_share){(uint32_t)s->partitions, (uint32_t)share};
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
    *f = (struct front){.partition = p, .rules = snapshot->judge == NULL ? 0 : snapshot->rules};
    struct iv_front_options options = {.deployment = IV_STR(HERE),
                                       .baseline = s->baselines[f->rules],
                                       .partition = p,
                                       .shares = (uint32_t)s->partitions,
                                       .digests = true,
                                       .send = send_packet,
                                       .ctx = s};
    TRY(clone_judge(&f->judge, s, snapshot->judge, -1, f->rules, err));
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
    b->rules = snapshot->judge == NULL ? 0 : snapshot->rules;
    TRY(clone_judge(&b->judge, s, snapshot->judge, m, b->rules, err));
    struct iv_back_options options = {.deployment = IV_STR(HERE),
                                      .judge = b->judge,
                                      .baseline = s->baselines[b->rules],
                                      .share = {(uint32_t)s->partitions, (uint32_t)m}};
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
        TRY(tell(f->judge, s->decoders[f->rules], &s->out->arena, a, f->next[stream]++, f->front, err));
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
    snapshot->rules = f->rules;
    return clone_judge(&snapshot->judge, s, f->judge, -1, f->rules, err);
}

static iv_rc keep_back(struct scene *s, int32_t m, struct iv_err *err)
{
    struct back *b = &s->backs[m];
    struct back_snapshot *snapshot = &s->back_snapshots[m];
    iv_judge_freep(&snapshot->judge);
    iv_buf_clear(&snapshot->saved);
    iv_back_save(b->back, &snapshot->saved);
    snapshot->next = b->next;
    snapshot->rules = b->rules;
    return clone_judge(&snapshot->judge, s, b->judge, m, b->rules, err);
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
        iv_ns written = iv_ns_add(a->time, s->baselines[0]->streams[stream].lateness);
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

/* The same from a deployment of another name, which must change nothing. */
static iv_rc meet_stranger(struct back *b, struct iv_str packet, struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf bytes;
    iv_buf_init(&bytes, packet.n);
    iv_buf_str(&bytes, packet);
    TRY(iv_buf_check(&bytes, "a packet", err));
    char *name = memmem(bytes.p, bytes.n, HERE, sizeof HERE - 1);
    size_t summed = bytes.n - IV_FRAME_SUM_BYTES;
    memcpy(name, ELSEWHERE, sizeof ELSEWHERE - 1);
    struct iv_hash128 sum = iv_hash128((struct iv_hash_key){0}, (struct iv_str){bytes.p, summed});
    iv_image_put_u64(bytes.p + summed, sum.lo);
    iv_image_put_u64(bytes.p + summed + 8, sum.hi);
    seen.strangers++;
    struct iv_err why;
    IV_CHECK(iv_back_take(b->back, iv_buf_slice(&bytes), &why).code == IV_E_REFUSED);
    return IV_OK;
}

static iv_rc take_some(struct scene *s, int32_t m, size_t most, struct iv_err *err)
{
    struct back *b = &s->backs[m];
    struct topic *t = &s->topics[m];
    for (size_t i = 0; i < most && b->next < t->count; i++) {
        if (dice_one_in(&s->dice, 8)) {
            TRY(meet_stranger(b, t->packets[b->next], err));
        }
        TRY(iv_back_take(b->back, t->packets[b->next++], err));
    }
    return IV_OK;
}

static iv_rc reload_front(struct scene *s, struct front *f, struct iv_err *err)
{
    struct iv_judge *before = f->judge;
    if (f->rules == 1) {
        return IV_OK;
    }
    f->rules = 1;
    seen.reloads++;
    TRY(clone_judge(&f->judge, s, before, -1, f->rules, err));
    iv_judge_free(before);
    return iv_front_reload(f->front, s->baselines[f->rules], err);
}

static iv_rc reload_back(struct scene *s, int32_t m, struct iv_err *err)
{
    struct back *b = &s->backs[m];
    struct iv_judge *before = b->judge;
    if (b->rules == 1) {
        return IV_OK;
    }
    b->rules = 1;
    seen.reloads++;
    TRY(clone_judge(&b->judge, s, before, m, b->rules, err));
    iv_back_reload(b->back, b->judge, s->baselines[b->rules]);
    iv_judge_free(before);
    return IV_OK;
}

static bool changes(const struct scene *s)
{
    return s->baselines[0] != s->baselines[1];
}

static iv_rc take_turn(struct scene *s, bool *more, struct iv_err *err)
{
    int32_t at = (int32_t)dice_below(&s->dice, (uint64_t)s->partitions);
    bool ignored = false;
    switch (dice_below(&s->dice, changes(s) ? 18 : 16)) {
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
    case 16:
        return reload_front(s, &s->fronts[at], err);
    case 17:
        return reload_back(s, at, err);
    default:
        return read_some(s, &s->fronts[at], &more[at], err);
    }
}

static iv_rc start(struct scene *s, struct iv_err *err)
{
    TRY(open_decoder(&s->decoders[0], s->baselines[0], err));
    TRY(open_decoder(&s->decoders[1], s->baselines[1], err));
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
    for (size_t i = 0; i < s->baselines[0]->rule_count; i++) {
        seen.global_rules += s->baselines[0]->rules[i]->global;
        seen.local_rules += !s->baselines[0]->rules[i]->global;
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
    iv_decoder_free(s->decoders[0]);
    iv_decoder_free(s->decoders[1]);
}

iv_rc run_exchange(struct said *out, const struct circumstances *how, const struct world *world,
                   uint64_t seed, struct iv_err *err)
{
    IV_AUTO(scene_deinit)
    struct scene s = {.out = out,
                      .baselines = {how->before, how->after != NULL ? how->after : how->before},
                      .partitions = world->partitions[IV_LEDGER],
                      .loses = how->loses,
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
