/* SPDX-License-Identifier: Apache-2.0 */
#include "run_engine.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "event/decode.h"

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

static iv_rc open_partitions(struct iv_engine *engine, const struct world *world, struct iv_err *err)
{
    for (int s = 0; s < IV_STREAMS; s++) {
        for (int32_t p = 0; p < world->partitions[s]; p++) {
            TRY(iv_engine_open(engine, (enum iv_stream)s, p, err));
        }
    }
    return IV_OK;
}

static const char *feed(struct engine_run *run, struct iv_engine *engine, struct iv_decoder *decoder,
                        const struct arrivals *arrivals)
{
    struct iv_err err;
    for (size_t i = 0; i < arrivals->count; i++) {
        struct iv_event *event = decode(run, decoder, &arrivals->items[i], i);
        if (event == NULL) {
            return "a generated record does not decode";
        }
        run->events[run->event_count++] = event;
        run->arrived = i + 1;
        if (!iv_ok(iv_engine_event(engine, event, &err))) {
            return "the engine failed at an event";
        }
    }
    run->arrived = arrivals->count + 1;
    return iv_ok(iv_engine_finish(engine, &err)) ? NULL : "the engine failed at the end of input";
}

const char *engine_run(struct engine_run *run, struct iv_baseline *baseline, const struct world *world,
                       const struct arrivals *arrivals)
{
    *run = (struct engine_run){.events = iv_calloc(arrivals->count + 1, sizeof(struct iv_event *))};
    IV_CHECK(run->events != NULL);
    iv_arena_init(&run->arena, 0);
    IV_AUTO(iv_decoder_freep) struct iv_decoder *decoder = NULL;
    IV_AUTO(iv_engine_freep) struct iv_engine *engine = NULL;
    struct iv_hash_key key = {1, 2}; /* content hashes are compared between runs */
    struct iv_engine_options options = {.verdict = keep, .ctx = run, .hash_key = key};
    struct iv_err err;
    if (!iv_ok(iv_decoder_new(&decoder, baseline->catalogue, &IV_DECODE_LIMITS_DEFAULT, key, &err)) ||
        !iv_ok(iv_engine_new(&engine, baseline, &options, &err)) ||
        !iv_ok(open_partitions(engine, world, &err))) {
        return "no engine could be made";
    }
    return feed(run, engine, decoder, arrivals);
}

void engine_run_deinit(struct engine_run *run)
{
    iv_arena_deinit(&run->arena);
    iv_free(run->events);
    iv_free(run->emissions);
}
