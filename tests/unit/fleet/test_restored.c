/* SPDX-License-Identifier: Apache-2.0 */
/* All rules that ship, over a fleet with violations of each: an engine that is made anew from its snapshot
 * again and again says what one says that is not. */
#include "app/own_folder.h"
#include "app/shipped.h"
#include "base/alloc.h"
#include "base/guard.h"
#include "engine/snapshot.h"
#include "event/decode.h"
#include "fleet/fleet.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>

#define EVENTS 12000
#define SAID_MAX 20000

static const struct iv_hash_key key = {1, 2};

struct said {
    unsigned char uid[IV_UID_BYTES];
    uint32_t kind;
    uint32_t after; /* events */
};

struct run {
    struct iv_engine *engine;
    struct said *said;
    size_t count;
    uint32_t events;
    bool checkpoints; /* LED-005 was heard of */
};

static void hear(void *ctx, const struct iv_verdict *verdict)
{
    struct run *r = ctx;
    cr_assert(r->count < SAID_MAX);
    struct said *s = &r->said[r->count++];
    memcpy(s->uid, verdict->uid, sizeof s->uid);
    s->kind = verdict->kind;
    s->after = r->events;
    r->checkpoints = r->checkpoints || iv_str_eq(verdict->rule->id, IV_STR("LED-005"));
}

static void ignore_plant(void *ctx, const struct iv_fleet_plant *plant)
{
    (void)ctx;
    (void)plant;
}

static struct iv_fleet *make_fleet(void)
{
    struct iv_fleet *fleet = NULL;
    struct iv_err err;
    struct iv_fleet_options options = {.seed = 11,
                                       .agents = 40,
                                       .violations = 0.05,
                                       .start = INT64_C(1767225600000000000),
                                       .events = EVENTS,
                                       .history = true};
    cr_assert(iv_ok(iv_fleet_new(&fleet, &options, ignore_plant, NULL, &err)), "%s", err.text);
    return fleet;
}

static struct iv_baseline *load(const struct iv_fleet *fleet)
{
    struct iv_own_folder folder;
    struct iv_err err = {.text = ""};
    struct iv_buf keys;
    struct iv_baseline *baseline = NULL;
    IV_AUTO(iv_problems_freep) struct iv_problems *problems = NULL;
    iv_buf_init(&keys, 1u << 20);
    cr_assert(iv_ok(iv_own_folder_make(&folder, &err)) && iv_ok(iv_problems_new(&problems, &err)));
    cr_assert(iv_ok(iv_fleet_keys_yaml(&keys, fleet, &err)));
    cr_assert(iv_ok(iv_shipped_write(folder.path, iv_buf_slice(&keys), &err)), "%s", err.text);
    struct iv_rc_s rc = iv_baseline_load(&baseline, iv_str_of(folder.path), problems, &err);
    iv_own_folder_remove(&folder);
    iv_buf_deinit(&keys);
    cr_assert(iv_ok(rc), "%s", err.text);
    return baseline;
}

static void replace(struct run *r, struct iv_baseline *baseline, const struct iv_engine_options *options)
{
    struct iv_engine *restored = NULL;
    struct iv_err err;
    struct iv_buf before;
    struct iv_buf after;
    iv_buf_init(&before, 256u << 20);
    iv_buf_init(&after, 256u << 20);
    cr_assert(iv_ok(iv_engine_snapshot(r->engine, &before, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_engine_restore(&restored, baseline, options, iv_buf_slice(&before), &err)), "%s",
              err.text);
    iv_engine_free(r->engine);
    r->engine = restored;
    cr_assert(iv_ok(iv_engine_snapshot(r->engine, &after, &err)), "%s", err.text);
    cr_assert(iv_str_eq(iv_buf_slice(&before), iv_buf_slice(&after)), "after %u events", r->events);
    iv_buf_deinit(&before);
    iv_buf_deinit(&after);
}

static void feed(struct run *r, struct iv_decoder *decoder, struct iv_arena *arena,
                 const struct iv_fleet_event *sent)
{
    struct iv_err err;
    struct iv_event event;
    char *bytes = iv_arena_zalloc(arena, sent->json.n + IV_RECORD_PADDING);
    cr_assert(bytes != NULL);
    memcpy(bytes, sent->json.p, sent->json.n);
    struct iv_record record = {
        .origin = {sent->stream, 0, r->events, iv_str_of(iv_stream_name(sent->stream))},
        .bytes = {bytes, sent->json.n}};
    r->events++;
    if (iv_ok(iv_decode(decoder, &record, arena, &event, &err))) { /* else it was planted */
        cr_assert(iv_ok(iv_engine_event(r->engine, &event, &err)), "%s", err.text);
    }
}

/* Replaced after each so many events; 0: never. */
static struct run play(uint32_t every)
{
    struct run r = {.said = iv_calloc(SAID_MAX, sizeof *r.said)};
    struct iv_err err;
    IV_AUTO(iv_fleet_freep) struct iv_fleet *fleet = make_fleet();
    IV_AUTO(iv_baseline_unrefp) struct iv_baseline *baseline = load(fleet);
    IV_AUTO(iv_decoder_freep) struct iv_decoder *decoder = NULL;
    struct iv_engine_options options = {.verdict = hear, .ctx = &r, .digests = true, .hash_key = key};
    struct iv_arena arena;
    iv_arena_init(&arena, 0);
    cr_assert(iv_ok(iv_engine_new(&r.engine, baseline, &options, &err)), "%s", err.text);
    cr_assert(iv_ok(iv_decoder_new(&decoder, baseline->catalogue, &IV_DECODE_LIMITS_DEFAULT, key, &err)));
    for (int s = 0; s < IV_STREAMS; s++) {
        cr_assert(iv_ok(iv_engine_open(r.engine, (enum iv_stream)s, 0, &err)));
    }
    struct iv_fleet_event sent;
    while (iv_ok(iv_fleet_next(fleet, &sent, &err))) {
        feed(&r, decoder, &arena, &sent);
        iv_arena_reset(&arena);
        if (every > 0 && r.events % every == 0) {
            replace(&r, baseline, &options);
        }
    }
    cr_assert(iv_ok(iv_engine_finish(r.engine, &err)));
    iv_engine_free(r.engine);
    iv_arena_deinit(&arena);
    return r;
}

static int by_bytes(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct said));
}

Test(fleet, is_judged_alike_by_an_engine_that_is_restored_again_and_again, .timeout = 110)
{
    struct run plain = play(0);
    struct run restored = play(331);

    cr_expect(plain.checkpoints && plain.count > 300, "%zu verdicts", plain.count);
    cr_assert(eq(sz, plain.count, restored.count));
    qsort(plain.said, plain.count, sizeof *plain.said, by_bytes);
    qsort(restored.said, restored.count, sizeof *restored.said, by_bytes);
    cr_expect(memcmp(plain.said, restored.said, plain.count * sizeof *plain.said) == 0);
    iv_free(plain.said);
    iv_free(restored.said);
}
