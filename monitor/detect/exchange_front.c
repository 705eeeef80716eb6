/* SPDX-License-Identifier: Apache-2.0 */
#include "detect/exchange_front.h"
#include "base/alloc.h"
#include "base/guard.h"
#include "detect/exchange_rules.h"
#include "engine/packet.h"
#include "engine/route.h"

/* Packets a second that a front sends to shares for which it has nothing but time. */
#define PROGRESS_PER_S 120
#define PACE_LEAST (100 * IV_NS_PER_MS)

/* How far one stream's partition was read. */
struct reach {
    int64_t next; /* offset; -1: nothing yet */
    iv_ns greatest;
    int64_t greatest_at;
    iv_ns least;
    int64_t least_at;
    iv_ns idle; /* the wall's time when it stood at its end */
    int64_t idle_at;
};

/* What one share was told of it. */
struct told {
    int64_t next;
    iv_ns greatest;
    iv_ns least;
    iv_ns idle;
};

struct channel {
    struct iv_packet_writer writer;
    struct told told[IV_STREAMS];
};

struct iv_front {
    struct iv_front_options options;
    struct iv_router *router;
    struct iv_buf rules;   /* of the packets' heads */
    struct iv_buf message; /* the packet that is being sent */
    struct reach reach[IV_STREAMS];
    struct channel *channels; /* by share */
    struct iv_seal digest;    /* of the event at hand */
    struct iv_front_stats stats;
};

static void close_channels(struct iv_front *f)
{
    for (uint32_t i = 0; f->channels != NULL && i < f->options.shares; i++) {
        iv_packet_writer_deinit(&f->channels[i].writer);
    }
}

/* The writers know types by the catalogue's numbers. */
static iv_rc open_channels(struct iv_front *f, struct iv_err *err)
{
    size_t types = iv_catalogue_types(f->options.baseline->catalogue) + 1;
    for (uint32_t i = 0; i < f->options.shares; i++) {
        TRY(iv_packet_writer_init(&f->channels[i].writer, types, err));
    }
    return IV_OK;
}

static iv_rc open_router(struct iv_front *f, struct iv_err *err)
{
    struct iv_baseline *b = f->options.baseline;
    IV_AUTO(iv_exchange_rules_freep) uint64_t *rules = NULL;
    TRY(iv_exchange_rules(&rules, b, true, err));
    const struct iv_router_options router = {.rules = rules,
                                             .shares = f->options.shares,
                                             .digests = f->options.digests,
                                             .complaint = f->options.complaint,
                                             .ctx = f->options.ctx};
    TRY(iv_router_new(&f->router, b, &router, err));
    iv_exchange_rules_name(&f->rules, b);
    return iv_buf_check(&f->rules, "the names of global rules", err);
}

iv_rc iv_front_new(struct iv_front **out, const struct iv_front_options *options, struct iv_err *err)
{
    IV_AUTO(iv_front_freep) struct iv_front *f = iv_calloc(1, sizeof *f);
    ENSURE(f != NULL, err, IV_E_NOMEM, "cannot allocate the exchange");
    f->options = *options;
    (void)iv_baseline_ref(f->options.baseline);
    iv_buf_init(&f->rules, IV_PACKET_MAX_BYTES);
    iv_buf_init(&f->message, 2 * IV_PACKET_MAX_BYTES);
    f->channels = iv_calloc(options->shares, sizeof *f->channels);
    ENSURE(f->channels != NULL, err, IV_E_NOMEM, "cannot allocate the exchange with %u shares",
           (unsigned)options->shares);
    for (int s = 0; s < IV_STREAMS; s++) {
        int64_t next = options->read[s].next;
        f->reach[s] = (struct reach){
            .next = next, .greatest = IV_NS_MIN, .least = IV_NS_MAX, .idle = IV_NS_MIN, .idle_at = -1};
        for (uint32_t i = 0; i < options->shares; i++) {
            f->channels[i].told[s] = (struct told){next, IV_NS_MIN, IV_NS_MAX, IV_NS_MIN};
        }
    }
    TRY(open_channels(f, err));
    TRY(open_router(f, err));
    *out = TAKE(f);
    return IV_OK;
}

void iv_front_free(struct iv_front *front)
{
    if (front != NULL) {
        close_channels(front);
        iv_free(front->channels);
        iv_router_free(front->router);
        iv_buf_deinit(&front->rules);
        iv_buf_deinit(&front->message);
        iv_baseline_unref(front->options.baseline);
        iv_free(front);
    }
}

void iv_front_freep(struct iv_front **front)
{
    iv_front_free(*front);
    *front = NULL;
}

static void put(struct channel *c, enum iv_packet_kind kind, enum iv_stream stream, int64_t offset,
                iv_ns time)
{
    const struct iv_packet_move move = {
        .kind = kind, .stream = stream, .offset = offset < 0 ? 0 : offset, .time = time};
    iv_packet_put_move(&c->writer, &move);
}

/* Tells the share what it does not know of the stream's time. */
static void catch_up(const struct iv_front *f, struct channel *c, enum iv_stream stream)
{
    const struct reach *r = &f->reach[stream];
    struct told *told = &c->told[stream];
    if (r->least < told->least) { /* first: what the greatest decides may turn on where the stream began */
        put(c, IV_PACKET_REACHED, stream, r->least_at, r->least);
        told->least = r->least;
        told->greatest = r->least > told->greatest ? r->least : told->greatest;
    }
    if (r->greatest > told->greatest) {
        put(c, IV_PACKET_REACHED, stream, r->greatest_at, r->greatest);
        told->greatest = r->greatest;
    }
    if (r->idle > told->idle) {
        put(c, IV_PACKET_IDLE, stream, r->idle_at, r->idle);
        told->idle = r->idle;
    }
}

static bool is_new(const struct iv_front *f, const struct channel *c)
{
    bool new = c->writer.move_count > 0;
    for (int s = 0; s < IV_STREAMS; s++) {
        new = new || c->told[s].next != f->reach[s].next;
    }
    return new;
}

static iv_rc send_packet(struct iv_front *f, uint32_t share, struct iv_err *err)
{
    struct channel *c = &f->channels[share];
    struct iv_packet_head head = {.deployment = f->options.deployment,
                                  .source = f->options.partition,
                                  .share = share,
                                  .shares = f->options.shares,
                                  .baseline = iv_str_of(f->options.baseline->digest_hex),
                                  .rules = iv_buf_slice(&f->rules)};
    for (int s = 0; s < IV_STREAMS; s++) {
        catch_up(f, c, (enum iv_stream)s);
        head.read[s].topic = f->options.read[s].topic;
        head.read[s].from = c->told[s].next;
        head.read[s].next = f->reach[s].next;
    }
    f->stats.events += c->writer.event_count;
    TRY(iv_packet_finish(&c->writer, &f->message, &head, err));
    for (int s = 0; s < IV_STREAMS; s++) {
        c->told[s].next = f->reach[s].next;
    }
    f->stats.bytes += f->message.n;
    return f->options.send(f->options.ctx, share, iv_buf_slice(&f->message), err);
}

static iv_rc put_event(struct iv_front *f, const uint64_t *shares, const struct iv_event *event,
                       struct iv_err *err)
{
    uint16_t slot_count = 0;
    const uint8_t *slots = iv_router_kept(f->router, event->type, &slot_count);
    for (uint32_t i = 0; i < f->options.shares; i++) {
        if ((shares[i / 64] >> (i % 64) & 1) == 0) {
            continue;
        }
        struct channel *c = &f->channels[i];
        struct told *told = &c->told[event->origin.stream];
        catch_up(f, c, event->origin.stream);
        iv_packet_put_event(&c->writer, event, slots, slot_count);
        told->greatest = event->time > told->greatest ? event->time : told->greatest;
        told->least = event->time < told->least ? event->time : told->least;
        if (iv_packet_bytes(&c->writer) >= IV_PACKET_FULL_BYTES) {
            TRY(send_packet(f, i, err));
        }
    }
    return IV_OK;
}

static void note_time(struct reach *r, const struct iv_event *event)
{
    if (event->time > r->greatest) {
        r->greatest = event->time;
        r->greatest_at = event->origin.offset;
    }
    if (event->time < r->least) {
        r->least = event->time;
        r->least_at = event->origin.offset;
    }
}

void iv_front_digest(struct iv_front *front, struct iv_event *event)
{
    if (front->options.digests && event->seal == NULL) {
        iv_router_digest(front->router, &front->digest.digest, event);
        event->seal = &front->digest;
    }
}

iv_rc iv_front_event(struct iv_front *front, struct iv_event *event, struct iv_err *err)
{
    struct reach *r = &front->reach[event->origin.stream];
    const uint64_t *shares = NULL;
    r->next = event->origin.offset + 1;
    if (event->standing == IV_STANDING_NONE) {
        return IV_OK;
    }
    if (event->standing == IV_STANDING_NEW) {
        TRY(iv_router_route(&shares, front->router, event, err));
    }
    if (shares != NULL) {
        struct iv_seal seal;
        const struct iv_seal *before = event->seal;
        TRY(iv_router_seal(front->router, &seal, event, err));
        event->seal = &seal;
        struct iv_rc_s rc = put_event(front, shares, event, err);
        event->seal = before;
        TRY(rc);
    }
    note_time(r, event);
    return IV_OK;
}

void iv_front_skip(struct iv_front *front, enum iv_stream stream, int64_t offset)
{
    front->reach[stream].next = offset + 1;
}

void iv_front_idle(struct iv_front *front, enum iv_stream stream, iv_ns wall)
{
    struct reach *r = &front->reach[stream];
    if (wall > r->idle) {
        r->idle = wall;
        r->idle_at = r->next;
    }
}

void iv_front_joined_midway(struct iv_front *front, enum iv_stream stream)
{
    for (uint32_t i = 0; i < front->options.shares; i++) {
        put(&front->channels[i], IV_PACKET_MIDWAY, stream, front->reach[stream].next, 0);
    }
}

void iv_front_gap(struct iv_front *front, enum iv_stream stream, int64_t next)
{
    bool other = next < front->reach[stream].next;
    front->reach[stream].next = next;
    for (uint32_t i = 0; i < front->options.shares; i++) {
        catch_up(front, &front->channels[i], stream);
        put(&front->channels[i], other ? IV_PACKET_OTHER_LOG : IV_PACKET_GAP, stream, next, 0);
    }
}

iv_rc iv_front_flush(struct iv_front *front, bool all, struct iv_err *err)
{
    for (uint32_t i = 0; i < front->options.shares; i++) {
        struct channel *c = &front->channels[i];
        for (int s = 0; s < IV_STREAMS && all; s++) {
            catch_up(front, c, (enum iv_stream)s);
        }
        if (c->writer.event_count > 0 || (all && is_new(front, c))) {
            TRY(send_packet(front, i, err));
        }
    }
    return IV_OK;
}

iv_ns iv_front_pace(const struct iv_front *front)
{
    iv_ns pace = IV_NS_PER_S * front->options.shares / PROGRESS_PER_S;
    return pace < PACE_LEAST ? PACE_LEAST : pace;
}

iv_rc iv_front_reload(struct iv_front *front, struct iv_baseline *baseline, struct iv_err *err)
{
    TRY(iv_front_flush(front, true, err));
    close_channels(front);
    iv_router_free(front->router);
    front->router = NULL;
    iv_baseline_unref(front->options.baseline);
    front->options.baseline = iv_baseline_ref(baseline);
    TRY(open_channels(front, err));
    return open_router(front, err);
}

void iv_front_stats(const struct iv_front *front, struct iv_front_stats *out)
{
    *out = front->stats;
}

void iv_front_rule_stats(const struct iv_front *front, uint16_t rule_index, struct iv_rule_stats *out)
{
    iv_router_rule_stats(front->router, rule_index, out);
}
