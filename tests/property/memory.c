/* SPDX-License-Identifier: Apache-2.0 */
/* An engine whose memory runs out says so, and what it had said by then is what it says with memory enough:
 * any allocation fails, alone or with all that follow, while it is made, at any event, while its snapshot is
 * taken or another one is made from it, at the end. Nothing crashes, and nothing is left behind. */
#include "base/alloc.h"
#include "base/guard.h"
#include "compare.h"
#include "engine/snapshot.h"
#include "trial.h"

#include <stdio.h>

#define FAULTS 24 /* in each world */
#define SAID_MAX 4096

struct said {
    unsigned char uid[IV_UID_BYTES];
    enum iv_verdict_kind kind;
};

/* What an engine says, in room that is there before: the test itself allocates nothing meanwhile. */
struct speech {
    struct said said[SAID_MAX];
    size_t count;
};

static void listen(void *ctx, const struct iv_verdict *verdict)
{
    struct speech *s = ctx;
    IV_CHECK(s->count < SAID_MAX);
    memcpy(s->said[s->count].uid, verdict->uid, IV_UID_BYTES);
    s->said[s->count++].kind = verdict->kind;
}

struct course {
    struct trial *trial;
    const struct iv_event **events;
    size_t count;
    size_t restored_at; /* another engine, from its snapshot, goes on behind so many events */
    struct iv_engine *engine;
    struct iv_buf snapshot;
    struct iv_err err;
};

static struct iv_engine_options options_of(struct speech *speech)
{
    return (struct iv_engine_options){.verdict = listen, .ctx = speech, .hash_key = {1, 2}};
}

static iv_rc start(struct course *c, struct speech *speech, struct iv_err *err)
{
    const struct iv_engine_options options = options_of(speech);
    const struct world *world = &c->trial->world;
    TRY(iv_engine_new(&c->engine, c->trial->baseline, &options, err));
    for (int s = 0; s < IV_STREAMS; s++) {
        for (int32_t p = 0; p < world->partitions[s]; p++) {
            TRY(iv_engine_open(c->engine, (enum iv_stream)s, p, err));
        }
    }
    return IV_OK;
}

static iv_rc replace(struct course *c, struct speech *speech, struct iv_err *err)
{
    const struct iv_engine_options options = options_of(speech);
    struct iv_engine *restored = NULL;
    TRY(iv_engine_snapshot(c->engine, &c->snapshot, err));
    TRY(iv_engine_restore(&restored, c->trial->baseline, &options, iv_buf_slice(&c->snapshot), err));
    iv_engine_free(c->engine);
    c->engine = restored;
    return IV_OK;
}

static iv_rc run(struct course *c, struct speech *speech, struct iv_err *err)
{
    TRY(start(c, speech, err));
    for (size_t i = 0; i < c->count; i++) {
        if (i == c->restored_at) {
            TRY(replace(c, speech, err));
        }
        struct iv_event event = *c->events[i];
        TRY(iv_engine_event(c->engine, &event, err));
    }
    return iv_engine_finish(c->engine, err);
}

static struct iv_rc_s run_whole(struct course *c, struct speech *speech)
{
    speech->count = 0;
    iv_buf_init(&c->snapshot, 64u << 20);
    struct iv_rc_s rc = run(c, speech, &c->err);
    iv_alloc_fail(0, false);
    iv_engine_free(TAKE(c->engine));
    iv_buf_deinit(&c->snapshot);
    return rc;
}

static bool is_beginning(const struct speech *part, const struct speech *whole)
{
    bool same = part->count <= whole->count;
    for (size_t i = 0; same && i < part->count; i++) {
        same = memcmp(part->said[i].uid, whole->said[i].uid, IV_UID_BYTES) == 0 &&
               part->said[i].kind == whole->said[i].kind;
    }
    return same;
}

static bool fail_one(struct course *c, const struct speech *whole, uint64_t nth, bool lasting)
{
    static struct speech speech;
    c->err.text[0] = '\0';
    iv_alloc_fail(nth, lasting);
    struct iv_rc_s rc = run_whole(c, &speech);
    bool holds = rc.code == IV_E_NOMEM && c->err.text[0] != '\0' && is_beginning(&speech, whole);
    if (!holds) {
        printf("seed %llu (IV_SEED=%llu IV_SEEDS=1): allocation %llu failed%s: code %d, '%s', %zu of %zu "
               "verdicts\n",
               (unsigned long long)c->trial->seed, (unsigned long long)c->trial->seed,
               (unsigned long long)nth, lasting ? ", and all later ones" : "", (int)rc.code, c->err.text,
               speech.count, whole->count);
    }
    return holds;
}

static bool law(struct trial *trial)
{
    static struct speech whole;
    struct engine_run decoded;
    struct arrivals arrivals = generate_arrivals(&trial->dice, &trial->world, &trial->arena);
    const char *wrong = engine_run(&decoded, trial->baseline, &trial->world, &arrivals, NULL, NULL);
    struct course course = {.trial = trial,
                            .events = decoded.events,
                            .count = decoded.event_count,
                            .restored_at = dice_below(&trial->dice, arrivals.count + 1)};
    uint64_t before = iv_alloc_calls();
    bool holds = wrong == NULL && iv_ok(run_whole(&course, &whole));
    uint64_t calls = iv_alloc_calls() - before;
    for (int i = 0; holds && i < FAULTS; i++) {
        holds = fail_one(&course, &whole, 1 + dice_below(&trial->dice, calls), dice_one_in(&trial->dice, 3));
    }
    engine_run_deinit(&decoded);
    return holds;
}

int main(void)
{
    return trials_run(law);
}
