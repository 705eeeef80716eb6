/* SPDX-License-Identifier: Apache-2.0 */
#include "run_engine.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "engine/snapshot.h"
#include "event/decode.h"

static const struct iv_hash_key content_key = {1, 2}; /* content hashes are compared between runs */

static void keep(void *ctx, const struct iv_verdict *verdict)
{
    struct engine_run *run = ctx;
    if (run->emission_count == run->emission_capacity) {
        run->emission_capacity = run->emission_capacity * 2 + 64;
        run->emissions = iv_realloc(run->emissions, run->emission_capacity * sizeof *run->emissions);
        IV_CHECK(run->emissions != NULL);
    }
    struct emission *e = &run->emissions[run->emission_count++];
    *e = (struct emission){
        .rule = verdict->rule,
        .kind = verdict->kind,
        .source = iv_arena_str(&run->arena, verdict->trigger.source),
        .id = iv_arena_str(&run->arena, verdict->trigger.id),
        .time = verdict->trigger.time,
        .waived = verdict->waiver != NULL,
        .witness_total = verdict->witness_total,
        .after = run->arrived,
    };
    memcpy(e->uid, verdict->uid, sizeof e->uid);
}

static void keep_forgotten(void *ctx, const struct iv_rule *rule, const struct iv_loss *loss)
{
    struct engine_run *run = ctx;
    run->forgotten = iv_realloc(run->forgotten, (run->forgotten_count + 1) * sizeof *run->forgotten);
    IV_CHECK(run->forgotten != NULL);
    run->forgotten[run->forgotten_count++] = (struct forgotten){rule, loss->from, loss->until};
}

static struct iv_event *decode(struct engine_run *run, struct iv_decoder *decoder,
                               const struct arrival *arrival, size_t offset)
{
    struct iv_record *record = iv_arena_zalloc(&run->arena, sizeof *record);
    struct iv_event *event = iv_arena_zalloc(&run->arena, sizeof *event);
    struct iv_err err;
    IV_CHECK(record != NULL && event != NULL);
    *record = (struct iv_record){
        .origin = {arrival->stream, arrival->partition, (int64_t)offset,
                   iv_str_of(iv_stream_name(arrival->stream))},
        .bytes = arrival->json,
    };
    return iv_ok(iv_decode(decoder, record, &run->arena, event, &err)) ? event : NULL;
}

/* One engine, or two that share the rules. */
struct engines {
    struct iv_engine *first;
    struct iv_engine *second; /* NULL: none */
    uint64_t *rules;          /* of the first; NULL: all */
    const uint64_t *others;   /* of the second */
    struct iv_baseline *baseline;
    struct iv_decoder *decoder;
    struct dice dice;
    struct iv_event **events; /* that the second is behind with, and has seen */
    size_t seen;
};

static void engines_deinit(struct engines *engines)
{
    iv_engine_free(engines->first);
    iv_engine_free(engines->second);
    iv_decoder_free(engines->decoder);
    iv_free(engines->rules);
    iv_free(engines->events);
}

static iv_rc make_engines(struct engines *out, struct engine_run *run, struct iv_baseline *baseline,
                          size_t events, const struct split *split, bool no_gates, struct iv_err *err)
{
    struct iv_engine_options options = {.verdict = keep,
                                        .evicted = keep_forgotten,
                                        .ctx = run,
                                        .hash_key = content_key,
                                        .no_gates = no_gates};
    out->baseline = baseline;
    TRY(iv_decoder_new(&out->decoder, baseline->catalogue, &IV_DECODE_LIMITS_DEFAULT, content_key, err));
    if (split != NULL) {
        size_t words = baseline->rule_count / 64 + 1;
        out->dice = split->dice;
        out->others = split->second;
        out->events = iv_calloc(events + 1, sizeof *out->events);
        out->rules = iv_calloc(words, sizeof *out->rules);
        IV_CHECK(out->rules != NULL && out->events != NULL);
        for (size_t i = 0; i < words; i++) {
            out->rules[i] = ~split->second[i];
        }
        options.rules = split->second;
        TRY(iv_engine_new(&out->second, baseline, &options, err));
        options.rules = out->rules;
    }
    return iv_engine_new(&out->first, baseline, &options, err);
}

static iv_rc open_partitions(const struct engines *engines, const struct world *world, struct iv_err *err)
{
    for (int s = 0; s < IV_STREAMS; s++) {
        for (int32_t p = 0; p < world->partitions[s]; p++) {
            TRY(iv_engine_open(engines->first, (enum iv_stream)s, p, err));
            if (engines->second != NULL) {
                TRY(iv_engine_open(engines->second, (enum iv_stream)s, p, err));
            }
        }
    }
    return IV_OK;
}

/* The second engine catches up to where the first was after so many events. */
static iv_rc catch_up(struct engines *engines, struct engine_run *run, size_t until, struct iv_err *err)
{
    size_t arrived = run->arrived;
    for (; engines->seen < until; engines->seen++) {
        struct iv_event *event = engines->events[engines->seen];
        bool new = event->standing == IV_STANDING_NEW;
        run->arrived = engines->seen + 1; /* what it says now counts for then */
        if (new &&iv_engine_concerns(engines->second, event->type)) {
            TRY(iv_engine_event(engines->second, event, err));
        } else if (event->standing != IV_STANDING_NONE) {
            TRY(iv_engine_reached(engines->second, event->origin.stream, event->origin.partition, event->time,
                                  err));
        }
    }
    run->arrived = arrived;
    return IV_OK;
}

static iv_rc take_event(struct engines *engines, struct engine_run *run, struct iv_event *event,
                        struct iv_err *err)
{
    TRY(iv_engine_event(engines->first, event, err));
    if (engines->second == NULL) {
        return IV_OK;
    }
    engines->events[run->arrived - 1] = event;
    size_t behind = run->arrived - engines->seen;
    bool now = dice_one_in(&engines->dice, 4);
    return catch_up(engines, run, engines->seen + (now ? dice_below(&engines->dice, behind + 1) : 0), err);
}

static iv_rc finish(struct engines *engines, struct engine_run *run, size_t events, struct iv_err *err)
{
    run->arrived = events + 1;
    TRY(iv_engine_finish(engines->first, err));
    if (engines->second != NULL) {
        TRY(catch_up(engines, run, events, err));
        return iv_engine_finish(engines->second, err);
    }
    return IV_OK;
}

/* What was said by the one that was behind takes its place in time. */
static void sort_emissions(struct engine_run *run)
{
    for (size_t i = 1; i < run->emission_count; i++) {
        struct emission e = run->emissions[i];
        size_t at = i;
        for (; at > 0 && run->emissions[at - 1].after > e.after; at--) {
            run->emissions[at] = run->emissions[at - 1];
        }
        run->emissions[at] = e;
    }
}

/* In the engine's place one that was made from its snapshot, and says the same of itself. */
static iv_rc replace(struct iv_engine **engine, struct iv_baseline *baseline,
                     const struct iv_engine_options *options, bool same, struct iv_err *err)
{
    struct iv_engine *restored = NULL;
    struct iv_buf bytes;
    struct iv_buf again;
    iv_buf_init(&bytes, 64u << 20);
    iv_buf_init(&again, 64u << 20);
    struct iv_rc_s rc = iv_engine_snapshot(*engine, &bytes, err);
    rc = iv_ok(rc) ? iv_engine_restore(&restored, baseline, options, iv_buf_slice(&bytes), err) : rc;
    if (iv_ok(rc)) {
        iv_engine_free(*engine);
        *engine = restored;
        rc = iv_engine_snapshot(*engine, &again, err);
    }
    if (iv_ok(rc) && same && !iv_str_eq(iv_buf_slice(&bytes), iv_buf_slice(&again))) {
        rc = iv_err_set(err, IV_E_STATE, "the snapshot of a restored engine is another");
    }
    iv_buf_deinit(&bytes);
    iv_buf_deinit(&again);
    return rc;
}

static iv_rc restore(struct engines *engines, struct engine_run *run, struct iv_err *err)
{
    struct iv_engine_options options = {
        .verdict = keep, .evicted = keep_forgotten, .ctx = run, .rules = engines->rules};
    TRY(replace(&engines->first, engines->baseline, &options, true, err));
    options.rules = engines->others;
    return engines->second == NULL ? IV_OK
                                   : replace(&engines->second, engines->baseline, &options, true, err);
}

static iv_rc reload(struct engines *engines, struct engine_run *run, struct iv_baseline *baseline,
                    struct iv_err *err)
{
    struct iv_engine_options options = {.verdict = keep, .ctx = run};
    IV_CHECK(engines->second == NULL);
    iv_decoder_freep(&engines->decoder);
    engines->baseline = baseline;
    TRY(iv_decoder_new(&engines->decoder, baseline->catalogue, &IV_DECODE_LIMITS_DEFAULT, content_key, err));
    return replace(&engines->first, baseline, &options, false, err);
}

static iv_rc disturb(struct engines *engines, struct engine_run *run, struct upheaval *upheaval,
                     struct iv_err *err)
{
    if (upheaval->reload != NULL && upheaval->reload_after == run->arrived) {
        TRY(reload(engines, run, upheaval->reload, err));
    }
    bool any = false;
    if (upheaval->evicts && dice_one_in(&upheaval->dice, 6)) {
        TRY(iv_engine_evict(engines->first, &any, err));
    }
    return upheaval->restores && dice_one_in(&upheaval->dice, 4) ? restore(engines, run, err) : IV_OK;
}

static void keep_figures(struct engine_run *run, const struct engines *engines)
{
    size_t count = engines->baseline->rule_count;
    iv_engine_stats(engines->first, &run->stats);
    run->rules = iv_arena_zalloc(&run->arena, (count + 1) * sizeof *run->rules);
    IV_CHECK(run->rules != NULL);
    for (size_t i = 0; i < count; i++) {
        iv_engine_rule_stats(engines->first, (uint16_t)i, &run->rules[i]);
    }
}

/* Decodes the next events, as many as the engine may foresee together and no upheaval falls between, and lets
 * it foresee them: it must make no difference. Answers how many there are; 0: one is malformed. */
static size_t look_ahead(struct engine_run *run, const struct engines *engines,
                         const struct arrivals *arrivals, const struct upheaval *upheaval,
                         struct iv_event *events[IV_FORESEEN])
{
    size_t next = run->event_count;
    size_t count = 1 + (next + arrivals->count) % IV_FORESEEN;
    size_t end =
        upheaval->reload != NULL && next < upheaval->reload_after ? upheaval->reload_after : arrivals->count;
    count = count < end - next ? count : end - next;
    for (size_t i = 0; i < count; i++) {
        events[i] = decode(run, engines->decoder, &arrivals->items[next + i], next + i);
        if (events[i] == NULL) {
            return 0;
        }
        run->events[run->event_count++] = events[i];
    }
    iv_engine_foresee(engines->first, events, count);
    return count;
}

static const char *feed(struct engine_run *run, struct engines *engines, const struct arrivals *arrivals,
                        struct upheaval *upheaval)
{
    struct iv_err *err = &run->err;
    struct iv_event *ahead[IV_FORESEEN];
    size_t first = 0;
    for (size_t i = 0; i < arrivals->count; i++) {
        first = i == run->event_count ? i : first;
        if (i == first && !iv_ok(disturb(engines, run, upheaval, err))) {
            return "the engine could not be restored";
        }
        if (i == first && look_ahead(run, engines, arrivals, upheaval, ahead) == 0) {
            return "a generated record does not decode";
        }
        run->arrived = i + 1;
        if (!iv_ok(take_event(engines, run, ahead[i - first], err))) {
            return "the engine failed at an event";
        }
    }
    bool finished = iv_ok(finish(engines, run, arrivals->count, err));
    keep_figures(run, engines);
    sort_emissions(run);
    return finished ? NULL : "the engine failed at the end of input";
}

const char *engine_run(struct engine_run *run, struct iv_baseline *baseline, const struct world *world,
                       const struct arrivals *arrivals, const struct split *split,
                       const struct upheaval *upheaval)
{
    *run = (struct engine_run){.events = iv_calloc(arrivals->count + 1, sizeof(struct iv_event *))};
    IV_CHECK(run->events != NULL);
    iv_arena_init(&run->arena, 0);
    IV_AUTO(engines_deinit) struct engines engines = {NULL};
    struct upheaval none = {.restores = false};
    struct upheaval some = upheaval == NULL ? none : *upheaval;
    if (!iv_ok(make_engines(&engines, run, baseline, arrivals->count, split, some.no_gates, &run->err)) ||
        !iv_ok(open_partitions(&engines, world, &run->err))) {
        return "no engine could be made";
    }
    return feed(run, &engines, arrivals, &some);
}

void engine_run_deinit(struct engine_run *run)
{
    iv_arena_deinit(&run->arena);
    iv_free(run->events);
    iv_free(run->emissions);
    iv_free(run->forgotten);
}
