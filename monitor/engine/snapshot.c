/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/snapshot.h"

#include "base/guard.h"
#include "engine/core.h"
#include "engine/dispatch.h"
#include "engine/lanes.h"
#include "engine/logs_image.h"
#include "engine/snapshot_form.h"
#include "engine/snapshot_records.h"

const struct iv_frame iv_snapshot_frame = {.magic = "IVENGINE",
                                           .version = IV_SNAPSHOT_VERSION,
                                           .oldest = IV_SNAPSHOT_OLDEST,
                                           .noun = "snapshot",
                                           .full = "a snapshot of an engine"};

static void write_base(const struct iv_engine *e, struct iv_buf *out)
{
    size_t section = iv_image_open(out, IV_SECTION_BASE);
    iv_image_str(out, iv_str_of(e->baseline->digest_hex));
    iv_image_int(out, e->baseline->dedup);
    iv_image_u64(out, e->options.hash_key.k0);
    iv_image_u64(out, e->options.hash_key.k1);
    iv_image_close(out, section);
}

/* Of a rule; NULL where it is none of the engine's, or EVT-001. */
static const struct iv_rule_plan *plan_of(const struct iv_engine *e, const struct iv_rule *rule)
{
    for (size_t i = 0; i < e->plan.rule_count; i++) {
        if (e->plan.rules[i].rule == rule) {
            return &e->plan.rules[i];
        }
    }
    return NULL;
}

static void write_rules(const struct iv_engine *e, struct iv_buf *out)
{
    const struct iv_baseline *b = e->baseline;
    iv_dispatch_settle(e->plan.dispatch, e->rule_stats);
    size_t section = iv_image_open(out, IV_SECTION_RULES);
    iv_image_uint(out, b->rule_count);
    for (size_t i = 0; i < b->rule_count; i++) {
        const struct iv_rule_plan *plan = plan_of(e, b->rules[i]);
        const struct iv_rule_stats *stats = &e->rule_stats[i];
        iv_image_str(out, b->rules[i]->id);
        iv_buf_add(out, b->rules[i]->digest, sizeof b->rules[i]->digest);
        iv_image_uint(out, plan != NULL ? 1 : 0);
        iv_image_uint(out, plan != NULL ? plan->join : 0);
        iv_image_uint(out, stats->triggers);
        iv_image_uint(out, stats->violations);
        iv_image_uint(out, stats->inconclusive);
        iv_image_uint(out, stats->failures);
    }
    iv_image_close(out, section);
}

static void write_stream(const struct iv_stream_mark *s, struct iv_buf *out)
{
    iv_image_uint(out, s->midway ? 1 : 0);
    iv_image_int(out, s->least);
    iv_image_int(out, s->greatest);
    iv_image_uint(out, s->count);
    for (uint32_t p = 0; p < s->count; p++) {
        iv_image_int(out, s->open[p].partition);
        iv_image_int(out, s->open[p].watermark);
    }
}

static void write_joins(const struct iv_watermark *w, struct iv_buf *out)
{
    iv_image_uint(out, w->join_count == 0 ? 0 : w->join_count - 1U);
    for (uint16_t j = 1; j < w->join_count; j++) {
        iv_image_uint(out, w->joins[j].order);
        for (int s = 0; s < IV_STREAMS; s++) {
            iv_image_int(out, w->joins[j].before[s]);
            iv_image_int(out, w->joins[j].least[s]);
        }
    }
}

static void write_stats(const struct iv_engine_stats *stats, struct iv_buf *out)
{
    const uint64_t figures[] = {stats->events,      stats->duplicates, stats->late, stats->unknown_type,
                                stats->evaluations, stats->failures,   stats->kept};
    _Static_assert(IV_COUNT(figures) == IV_SNAPSHOT_FIGURES, "what is written is read");
    for (size_t i = 0; i < IV_COUNT(figures); i++) {
        iv_image_uint(out, figures[i]);
    }
    for (size_t i = 0; i < IV_COUNT(stats->verdicts); i++) {
        iv_image_uint(out, stats->verdicts[i]);
    }
}

static void write_time(const struct iv_engine *e, struct iv_buf *out)
{
    const struct iv_watermark *w = &e->watermark;
    size_t section = iv_image_open(out, IV_SECTION_TIME);
    write_joins(w, out);
    for (int s = 0; s < IV_STREAMS; s++) {
        write_stream(&w->streams[s], out);
    }
    iv_image_int(out, w->greatest);
    iv_image_uint(out, w->finished ? 1 : 0);
    for (int set = 0; set < IV_STREAM_SETS; set++) {
        iv_image_int(out, w->forgotten[set]);
    }
    iv_image_uint(out, e->store.order);
    write_stats(&e->stats, out);
    iv_image_close(out, section);
}

static void write_told(const struct iv_engine *e, struct iv_buf *out)
{
    size_t section = iv_image_open(out, IV_SECTION_TOLD);
    iv_image_uint(out, e->emitted.live);
    struct iv_queue walk = e->emitted_queue;
    for (const struct iv_queued *item = iv_queue_walk(&walk, &e->store.pool); item != NULL;
         item = iv_queue_walk(&walk, &e->store.pool)) {
        iv_image_hash(out, *(const struct iv_hash128 *)iv_slab_at(&e->emitted, item->rec));
    }
    iv_image_close(out, section);
}

static struct iv_rc_s write_sections(struct iv_engine *e, struct iv_buf *out, struct iv_err *err)
{
    write_base(e, out);
    write_rules(e, out);
    write_time(e, out);
    TRY(iv_snapshot_records(e, out, err));
    write_told(e, out);
    size_t section = iv_image_open(out, IV_SECTION_LOGS);
    TRY(iv_logs_write(&e->logs, out, err));
    iv_image_close(out, section);
    section = iv_image_open(out, IV_SECTION_POPULATION);
    iv_population_write(&e->population, e->baseline, out);
    iv_image_close(out, section);
    return IV_OK;
}

struct iv_rc_s iv_engine_snapshot(struct iv_engine *engine, struct iv_buf *out, struct iv_err *err)
{
    ENSURE(!engine->spent, err, IV_E_NOMEM, "the engine is out of memory and has no state to keep");
    size_t start = iv_frame_open(out, &iv_snapshot_frame);
    TRY(write_sections(engine, out, err));
    return iv_frame_close(out, start, &iv_snapshot_frame, err);
}

struct iv_rc_s iv_engine_carry_on(struct iv_engine **out, struct iv_engine *from,
                                  struct iv_baseline *baseline, const struct iv_engine_options *options,
                                  struct iv_err *err)
{
    struct iv_buf bytes;
    iv_buf_init(&bytes, SIZE_MAX / 4);
    struct iv_rc_s rc = iv_engine_snapshot(from, &bytes, err);
    rc = iv_ok(rc) ? iv_engine_restore(out, baseline, options, iv_buf_slice(&bytes), err) : rc;
    iv_buf_deinit(&bytes);
    return rc;
}

struct iv_hash_key iv_engine_hash_key(const struct iv_engine *engine)
{
    return engine->options.hash_key;
}
