/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/exchange_back.h"
#include "base/alloc.h"
#include "base/guard.h"
#include "detect/exchange_rules.h"
#include "engine/image.h"
#include "engine/packet.h"

#include <string.h>

#define SAVED_VERSION 1
#define KEPT_BYTES ((size_t)4 << 20)

/* A partition of both streams. */
struct source {
    int64_t next[IV_STREAMS]; /* -1: nothing was taken yet */
    bool missing[IV_STREAMS]; /* records before that, and of what times is not known yet */
};

struct iv_back {
    struct iv_back_options options;
    struct source *sources; /* by partition */
    struct iv_arena arena;  /* of the packet at hand */
    struct iv_back_stats stats;
};

static bool is_read(const struct iv_back *b, int stream)
{
    return b->options.topics[stream].n > 0;
}

static iv_rc open_sources(const struct iv_back *b, struct iv_err *err)
{
    for (uint32_t p = 0; p < b->options.share.count; p++) {
        for (int s = 0; s < IV_STREAMS; s++) {
            b->sources[p].next[s] = -1;
            if (is_read(b, s)) {
                TRY(iv_judge_open(b->options.judge, (enum iv_stream)s, (int32_t)p, err));
            }
        }
    }
    return IV_OK;
}

iv_rc iv_back_new(struct iv_back **out, const struct iv_back_options *options, struct iv_err *err)
{
    IV_AUTO(iv_back_freep) struct iv_back *b = iv_calloc(1, sizeof *b);
    ENSURE(b != NULL, err, IV_E_NOMEM, "cannot allocate a share of the exchange");
    b->options = *options;
    (void)iv_baseline_ref(b->options.baseline);
    iv_arena_init(&b->arena, 0);
    b->sources = iv_calloc(options->share.count, sizeof *b->sources);
    ENSURE(b->sources != NULL, err, IV_E_NOMEM, "cannot allocate a share of the exchange from %u partitions",
           (unsigned)options->share.count);
    TRY(open_sources(b, err));
    *out = TAKE(b);
    return IV_OK;
}

void iv_back_free(struct iv_back *back)
{
    if (back != NULL) {
        iv_free(back->sources);
        iv_arena_deinit(&back->arena);
        iv_baseline_unref(back->options.baseline);
        iv_free(back);
    }
}

void iv_back_freep(struct iv_back **back)
{
    iv_back_free(*back);
    *back = NULL;
}

static iv_rc check_head(const struct iv_back *b, const struct iv_packet_head *head, struct iv_err *err)
{
    ENSURE(iv_str_eq(head->deployment, b->options.deployment), err, IV_E_REFUSED,
           "the packet is of the deployment whose group.id is '" IV_STR_FMT
           "', and this one's is '" IV_STR_FMT "': each must have an exchange topic of its own",
           IV_STR_ARG(head->deployment), IV_STR_ARG(b->options.deployment));
    ENSURE(head->shares == b->options.share.count && head->share == b->options.share.mine, err,
           IV_E_MALFORMED, "the packet is for share %u of %u, and this one is %u of %u",
           (unsigned)head->share, (unsigned)head->shares, (unsigned)b->options.share.mine,
           (unsigned)b->options.share.count);
    ENSURE((uint32_t)head->source < head->shares, err, IV_E_MALFORMED,
           "the packet is of partition %d, and there are %u", (int)head->source, (unsigned)head->shares);
    for (int s = 0; s < IV_STREAMS; s++) {
        ENSURE(head->read[s].topic.n == 0 || is_read(b, s), err, IV_E_MALFORMED,
               "the packet tells of the stream %s, which is not read here",
               iv_stream_name((enum iv_stream)s));
    }
    return IV_OK;
}

/* The greatest time that the packet tells of records. */
static iv_ns time_of(const struct iv_packet *p)
{
    iv_ns time = IV_NS_MIN;
    for (size_t i = 0; i < p->move_count; i++) {
        bool record = p->moves[i].kind == IV_PACKET_EVENT || p->moves[i].kind == IV_PACKET_REACHED;
        time = record && p->moves[i].time > time ? p->moves[i].time : time;
    }
    return time;
}

/* The rules that the packet's reader does not have are not served by it. */
static iv_rc note_unserved(struct iv_back *b, const struct iv_packet *p, struct iv_err *err)
{
    const struct iv_baseline *baseline = b->options.baseline;
    if (iv_str_eq(p->head.baseline, iv_str_of(baseline->digest_hex))) {
        return IV_OK;
    }
    uint64_t *rules = iv_arena_zalloc(&b->arena, (baseline->rule_count / 64 + 1) * sizeof *rules);
    ENSURE(rules != NULL, err, IV_E_NOMEM, "cannot allocate a set of %zu rules", baseline->rule_count);
    bool any = false;
    for (size_t i = 0; i < baseline->rule_count; i++) {
        if (baseline->rules[i]->global && !iv_exchange_rules_named(p->head.rules, baseline->rules[i])) {
            rules[i / 64] |= UINT64_C(1) << (i % 64);
            any = true;
        }
    }
    return any ? iv_judge_missed(b->options.judge, rules, time_of(p), err) : IV_OK;
}

/* What is missing has times that nobody knows, up to those of what comes behind it, or little more. */
static iv_rc note_missing(struct iv_back *b, struct source *source, enum iv_stream stream, struct iv_err *err)
{
    source->missing[stream] = true;
    return iv_judge_missed(b->options.judge, NULL, IV_NS_MIN, err);
}

static iv_rc end_missing(struct iv_back *b, struct source *source, const struct iv_packet_move *move,
                         struct iv_err *err)
{
    if (!source->missing[move->stream] || !iv_packet_has_time(move->kind)) {
        return IV_OK;
    }
    source->missing[move->stream] = false;
    iv_ns until = iv_ns_add(move->time, b->options.baseline->streams[move->stream].lateness);
    return iv_judge_missed(b->options.judge, NULL, until, err);
}

/* The packets of a source follow on each other; where one is missing, so is what it covered. */
static iv_rc check_gap(struct iv_back *b, const struct iv_packet_head *head, enum iv_stream stream,
                       struct iv_err *err)
{
    struct source *source = &b->sources[head->source];
    int64_t next = source->next[stream];
    int64_t from = head->read[stream].from;
    if (from <= (next < 0 ? 0 : next)) {
        return IV_OK;
    }
    b->stats.gaps++;
    if (b->options.gap != NULL) {
        b->options.gap(b->options.ctx, stream, head->source, next < 0 ? 0 : next, from);
    }
    return note_missing(b, source, stream, err);
}

static iv_rc take_event(struct iv_back *b, struct iv_packet_move *move, struct iv_err *err)
{
    struct iv_record record = *move->event->record;
    record.origin.topic = b->options.topics[move->stream]; /* that of the packet does not last */
    move->event->origin = record.origin;
    move->event->record = &record;
    b->stats.events++;
    return iv_judge_event(b->options.judge, move->event, err);
}

static void note_written(const struct iv_back *b, const struct iv_packet_move *move)
{
    if (b->options.written != NULL) {
        *b->options.written = move->kind == IV_PACKET_EVENT ? move->event->record->written : 0;
    }
}

/* Another log has taken the place of the one that was read: what was taken says nothing of it. */
static iv_rc take_other_log(struct iv_back *b, struct source *source, const struct iv_packet_move *move,
                            struct iv_err *err)
{
    source->next[move->stream] = move->offset;
    return note_missing(b, source, move->stream, err);
}

static iv_rc take_move(struct iv_back *b, struct source *source, const struct iv_packet_head *head,
                       struct iv_packet_move *move, struct iv_err *err)
{
    struct iv_judge *judge = b->options.judge;
    if (move->kind == IV_PACKET_OTHER_LOG) {
        return take_other_log(b, source, move, err);
    }
    if (move->offset < source->next[move->stream]) {
        b->stats.skipped += move->kind == IV_PACKET_EVENT;
        return IV_OK;
    }
    note_written(b, move);
    TRY(end_missing(b, source, move, err));
    switch (move->kind) {
    case IV_PACKET_EVENT:
        return take_event(b, move, err);
    case IV_PACKET_REACHED:
        return iv_judge_reached(judge, move->stream, head->source, move->time, err);
    case IV_PACKET_IDLE:
        return iv_judge_idle(judge, move->stream, head->source, move->time, err);
    case IV_PACKET_MIDWAY:
        TRY(iv_judge_joined_midway(judge, move->stream, err));
        return note_missing(b, source, move->stream, err);
    case IV_PACKET_GAP:
        return note_missing(b, source, move->stream, err);
    case IV_PACKET_OTHER_LOG:
    case IV_PACKET_KINDS:
        break;
    }
    return IV_OK;
}

iv_rc iv_back_take(struct iv_back *back, struct iv_str packet, struct iv_err *err)
{
    struct iv_back *b = back;
    struct iv_packet p;
    if (b->arena.total_bytes > KEPT_BYTES) {
        iv_arena_deinit(&b->arena);
    }
    iv_arena_reset(&b->arena);
    TRY(iv_packet_read(&p, packet, b->options.baseline->catalogue, &b->arena, err));
    TRY(check_head(b, &p.head, err));
    for (int s = 0; s < IV_STREAMS; s++) {
        TRY(check_gap(b, &p.head, (enum iv_stream)s, err));
    }
    struct source *source = &b->sources[p.head.source];
    TRY(note_unserved(b, &p, err)); /* what its moves decide must not rest on what it withholds */
    for (size_t i = 0; i < p.move_count; i++) {
        TRY(take_move(b, source, &p.head, &p.moves[i], err));
    }
    for (int s = 0; s < IV_STREAMS; s++) {
        source->next[s] = p.head.read[s].next > source->next[s] ? p.head.read[s].next : source->next[s];
    }
    return IV_OK;
}

iv_rc iv_back_joined_midway(struct iv_back *back, struct iv_err *err)
{
    for (uint32_t p = 0; p < back->options.share.count; p++) {
        for (int s = 0; s < IV_STREAMS; s++) {
            back->sources[p].missing[s] = is_read(back, s);
        }
    }
    for (int s = 0; s < IV_STREAMS; s++) {
        if (is_read(back, s)) {
            TRY(iv_judge_joined_midway(back->options.judge, (enum iv_stream)s, err));
        }
    }
    return iv_judge_missed(back->options.judge, NULL, IV_NS_MIN, err);
}

void iv_back_reload(struct iv_back *back, struct iv_judge *judge, struct iv_baseline *baseline)
{
    iv_baseline_unref(back->options.baseline);
    back->options.baseline = iv_baseline_ref(baseline);
    back->options.judge = judge;
}

void iv_back_save(const struct iv_back *back, struct iv_buf *out)
{
    iv_image_uint(out, SAVED_VERSION);
    iv_image_uint(out, back->options.share.count);
    iv_image_uint(out, back->options.share.mine);
    for (uint32_t p = 0; p < back->options.share.count; p++) {
        for (int s = 0; s < IV_STREAMS; s++) {
            iv_image_int(out, back->sources[p].next[s]);
            iv_image_uint(out, back->sources[p].missing[s]);
        }
    }
}

iv_rc iv_back_restore(struct iv_back *back, struct iv_str saved, struct iv_err *err)
{
    const unsigned char *at = (const unsigned char *)saved.p;
    struct iv_image in = {at, at + saved.n, false};
    struct iv_share share = back->options.share;
    uint64_t version = iv_image_get_uint(&in);
    uint64_t count = iv_image_get_uint(&in);
    uint64_t mine = iv_image_get_uint(&in);
    ENSURE(version == SAVED_VERSION && count == share.count && mine == share.mine, err, IV_E_MALFORMED,
           "what was kept is of share %llu of %llu in version %llu, and this one is %u of %u in version %d",
           (unsigned long long)mine, (unsigned long long)count, (unsigned long long)version,
           (unsigned)share.mine, (unsigned)share.count, SAVED_VERSION);
    for (uint32_t p = 0; p < share.count; p++) {
        for (int s = 0; s < IV_STREAMS; s++) {
            back->sources[p].next[s] = iv_image_get_int(&in);
            back->sources[p].missing[s] = iv_image_get_below(&in, 1) != 0;
        }
    }
    ENSURE(iv_image_done(&in), err, IV_E_MALFORMED, "what was kept of a share of the exchange is damaged");
    return IV_OK;
}

void iv_back_stats(const struct iv_back *back, struct iv_back_stats *out)
{
    *out = back->stats;
}

int64_t iv_back_next(const struct iv_back *back, enum iv_stream stream, int32_t partition)
{
    return back->sources[partition].next[stream];
}
