/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/engine.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "engine/core.h"
#include "engine/correlate.h"
#include "engine/dispatch.h"
#include "engine/eval.h"
#include "engine/evict.h"
#include "engine/figure.h"
#include "engine/foresight.h"
#include "engine/identity.h"
#include "engine/lanes.h"
#include "engine/obligation.h"
#include "engine/tree.h"
#include "event/chain.h"
#include "event/content.h"

#define KEY_MAX ((size_t)16 << 20)
#define FRAME_MAX ((size_t)64 << 20)

static void init_state(struct iv_engine *e, const struct iv_engine_options *options)
{
    e->options = *options;
    iv_ground_init(&e->ground);
    iv_slab_init(&e->nodes, &e->ground, sizeof(struct iv_node));
    iv_slab_init(&e->lanes, &e->ground, sizeof(struct iv_lane));
    iv_slab_init(&e->obligations, &e->ground, sizeof(struct iv_obligation));
    iv_slab_init(&e->emitted, &e->ground, sizeof(struct iv_hash128));
    iv_table_init(&e->node_table, &e->ground);
    iv_slab_init(&e->timer_blocks, &e->ground, IV_TIMER_BLOCK_BYTES);
    for (int set = 0; set < IV_STREAM_SETS; set++) {
        iv_timers_init(&e->timers[set], &e->timer_blocks);
    }
    iv_logs_init(&e->logs, &e->ground, &e->timer_blocks, 0);
    iv_table_init(&e->identity_table, &e->ground);
    iv_table_init(&e->emitted_table, &e->ground);
    iv_watermark_init(&e->watermark, e->baseline);
    iv_cel_frame_init(&e->frame, FRAME_MAX);
    iv_arena_init(&e->names, 0);
    iv_buf_init(&e->key, KEY_MAX);
}

/* A new engine counts all that its rules judge. */
static bool open_population(struct iv_engine *e)
{
    if (!iv_population_init(&e->population, e->baseline->rule_count)) {
        return false;
    }
    for (size_t i = 0; i < e->plan.rule_count; i++) {
        e->population.since[e->plan.rules[i].rule->index] = IV_NS_MIN;
    }
    if (e->baseline->equivocation != NULL && e->identifies) {
        e->population.since[e->baseline->equivocation->index] = IV_NS_MIN;
    }
    return true;
}

static struct iv_rc_s build(struct iv_engine *e, struct iv_err *err)
{
    TRY(iv_plan_init(&e->plan, e->baseline, e->options.rules, err));
    const struct iv_rule *equivocation = e->baseline->equivocation;
    e->identifies = equivocation == NULL || iv_rules_have(e->options.rules, equivocation->index);
    e->options.rules = NULL;
    e->logs.reach = e->plan.tree_reach;
    TRY(iv_store_init(&e->store, &e->ground, e->baseline->catalogue, &e->plan, e->options.hash_key, err));
    TRY(iv_digester_new(&e->digester, err));
    TRY(iv_params_new(&e->params, e->baseline, err));
    e->rule_stats = iv_calloc(e->baseline->rule_count + 1, sizeof *e->rule_stats);
    e->told = iv_calloc(e->baseline->rule_count + 1, sizeof *e->told);
    e->joined = iv_calloc((size_t)e->plan.group_max + 1, sizeof *e->joined);
    e->marks = iv_calloc((size_t)e->plan.join_max + 1, sizeof *e->marks);
    ENSURE(e->rule_stats != NULL && e->told != NULL && e->joined != NULL && e->marks != NULL, err, IV_E_NOMEM,
           "cannot allocate an engine for %zu rules", e->baseline->rule_count);
    ENSURE(open_population(e), err, IV_E_NOMEM, "cannot allocate an engine for %zu rules",
           e->baseline->rule_count);
    return iv_foresights_init(e, err);
}

struct iv_rc_s iv_engine_new(struct iv_engine **out, struct iv_baseline *baseline,
                             const struct iv_engine_options *options, struct iv_err *err)
{
    IV_AUTO(iv_engine_freep) struct iv_engine *e = iv_calloc(1, sizeof *e);
    ENSURE(e != NULL, err, IV_E_NOMEM, "cannot allocate an engine");
    e->baseline = iv_baseline_ref(baseline);
    init_state(e, options);
    TRY(build(e, err));
    *out = TAKE(e);
    return IV_OK;
}

void iv_engine_free(struct iv_engine *e)
{
    if (e == NULL) {
        return;
    }
    for (int set = 0; set < IV_STREAM_SETS; set++) {
        iv_timers_deinit(&e->timers[set]);
    }
    iv_free(e->leaving);
    iv_free(e->later);
    iv_free(e->missing);
    iv_foresights_deinit(e);
    iv_free(e->joined);
    iv_free(e->marks);
    iv_free(e->rule_stats);
    iv_population_deinit(&e->population);
    iv_free(e->told);
    iv_distinct_deinit(&e->distinct);
    iv_buf_deinit(&e->key);
    iv_cel_frame_deinit(&e->frame);
    iv_arena_deinit(&e->names);
    iv_table_deinit(&e->emitted_table);
    iv_table_deinit(&e->identity_table);
    iv_table_deinit(&e->node_table);
    iv_logs_deinit(&e->logs);
    iv_slab_deinit(&e->emitted);
    iv_slab_deinit(&e->timer_blocks);
    iv_slab_deinit(&e->obligations);
    iv_slab_deinit(&e->lanes);
    iv_slab_deinit(&e->nodes);
    iv_store_deinit(&e->store);
    iv_ground_deinit(&e->ground);
    iv_watermark_deinit(&e->watermark);
    iv_params_free(e->params);
    iv_digester_free(e->digester);
    iv_plan_deinit(&e->plan);
    iv_baseline_unref(e->baseline);
    iv_free(e);
}

void iv_engine_freep(struct iv_engine **engine)
{
    iv_engine_free(*engine);
    *engine = NULL;
}

static struct iv_rc_s settle(struct iv_engine *e, struct iv_err *err)
{
    ENSURE(!e->spent, err, IV_E_NOMEM, "the engine is out of memory after %llu events",
           (unsigned long long)e->stats.events);
    return IV_OK;
}

/* Time has moved: what is due is decided, what nobody needs any more is dropped. Nothing is decided by what
 * was written down in part, when memory ran out. */
static struct iv_rc_s advance(struct iv_engine *e, const struct iv_concern *concern, struct iv_err *err)
{
    TRY(settle(e, err));
    iv_tree_advance(e, false);
    iv_obligation_fire(e, false);
    iv_lanes_sweep(e, concern);
    iv_identity_sweep(e);
    iv_tree_sweep(e);
    iv_evict_hold(e);
    return settle(e, err);
}

struct iv_rc_s iv_engine_open(struct iv_engine *engine, enum iv_stream stream, int32_t partition,
                              struct iv_err *err)
{
    return iv_watermark_open(&engine->watermark, stream, partition, err);
}

static void find_nodes(struct iv_engine *e, const struct iv_foresight *f)
{
    for (uint16_t g = 0; g < f->concern->group_count; g++) {
        e->joined[g] = f->keys[g].present ? iv_node_for(e, f->keys[g].hash) : 0;
    }
}

/* The event takes its place in the lanes where others look for it. */
static void join(struct iv_engine *e, const struct iv_concern *concern, uint32_t rec)
{
    struct iv_mark **mark = e->marks;
    for (uint16_t g = 0; g < concern->group_count && !e->spent; g++) {
        const struct iv_group *group = &concern->groups[g];
        for (uint16_t s = 0; s < group->berth_count; s++, mark++) {
            struct iv_lane *lane = NULL;
            bool joins = e->joined[g] != 0 && group->berths[s].partner;
            *mark = joins ? iv_lane_join(e, e->joined[g], group->berths[s].def, rec, &lane) : NULL;
        }
    }
}

static void act_as_trigger(struct iv_engine *e, const struct iv_group *group, uint32_t node, uint32_t rec,
                           struct iv_mark *const *marks)
{
    for (uint16_t s = 0; s < group->berth_count; s++) {
        const struct iv_berth *berth = &group->berths[s];
        const struct iv_lane_def *def = &e->plan.defs[berth->def];
        struct iv_mark mark = {.time = iv_store_rec(&e->store, rec)->time, .rec = rec};
        for (uint32_t bits = berth->triggers; bits != 0 && !e->spent; bits &= bits - 1) {
            uint8_t bit = (uint8_t)__builtin_ctz(bits);
            struct iv_waiting at = {node, berth->def, bit, berth->partner ? marks[s] : &mark};
            iv_correlate_trigger(e, &e->plan.rules[def->rules[bit]], &at);
        }
        if (mark.bits != 0 && !e->spent) {
            iv_lane_wait(e, node, berth->def, rec, mark.bits);
        }
    }
}

static void act_as_figure(struct iv_engine *e, const struct iv_group *group, uint32_t node, uint32_t rec)
{
    for (uint16_t f = 0; f < group->figure_count && !e->spent; f++) {
        const struct iv_rule_plan *r = &e->plan.rules[group->figures[f]];
        if (r->rule->form == IV_LIMIT) {
            iv_limit_trigger(e, r, rec, node);
        } else {
            iv_same_trigger(e, r, rec, node);
        }
    }
}

/* A limit's trigger that took no part leaves its node empty. Two groups may share one. */
static void settle_nodes(struct iv_engine *e, const struct iv_concern *concern)
{
    for (uint16_t g = 0; g < concern->group_count && !e->spent; g++) {
        uint32_t node = e->joined[g];
        for (uint16_t other = (uint16_t)(g + 1); other < concern->group_count && node != 0; other++) {
            node = e->joined[other] == node ? 0 : node;
        }
        if (node != 0) {
            iv_node_settle(e, node);
        }
    }
}

static void evaluate(struct iv_engine *e, const struct iv_concern *concern, uint32_t rec)
{
    for (uint16_t i = 0; i < concern->alone_count; i++) {
        iv_correlate_alone(e, &e->plan.rules[concern->alone[i]], rec);
    }
    join(e, concern, rec);
    struct iv_mark **marks = e->marks;
    for (uint16_t g = 0; g < concern->group_count && !e->spent; g++) {
        const struct iv_group *group = &concern->groups[g];
        if (e->joined[g] != 0) {
            act_as_trigger(e, group, e->joined[g], rec, marks);
            act_as_figure(e, group, e->joined[g], rec);
        }
        marks += group->berth_count;
    }
    for (uint16_t g = 0; g < concern->group_count && !e->spent; g++) {
        if (e->joined[g] != 0) {
            iv_correlate_partner(e, &concern->groups[g], e->joined[g], rec);
        }
    }
    settle_nodes(e, concern);
}

/* Stores the event with what cannot be told later from what is kept of it: a trigger that waits is named by
 * its whole content. */
static uint32_t remember(struct iv_engine *e, struct iv_event *event, uint32_t params,
                         const struct iv_concern *concern)
{
    struct iv_digest digest;
    unsigned char content[IV_CONTENT_ID_BYTES];
    struct iv_store_extra extra = {0};
    const struct iv_seal *seal = event->seal;
    if (e->options.digests && seal != NULL && seal->digest.n > 0) {
        extra.digest = &seal->digest;
    } else if (e->options.digests && event->record != NULL) {
        iv_digest(e->digester, &digest, IV_SHA256, event->record->bytes);
        extra.digest = &digest;
    }
    if (concern->waits && seal != NULL && seal->named) {
        extra.content_id = seal->content_id;
    } else if (concern->waits && iv_plan_cuts(&e->plan, event)) {
        e->spent = !iv_ok(iv_event_content_id(content, e->digester, &e->key, event, NULL)) || e->spent;
        extra.content_id = content;
    }
    uint32_t rec = e->spent ? 0 : iv_store_add(&e->store, event, &extra);
    e->spent = e->spent || rec == 0;
    if (rec != 0) {
        iv_store_set_live(&e->store, rec, event);
        iv_store_rec(&e->store, rec)->params = params;
    }
    return rec;
}

static bool is_event(struct iv_engine *e, const struct iv_event *event)
{
    if (event->type->index < iv_catalogue_types(e->baseline->catalogue)) {
        return true;
    }
    e->stats.unknown_type++;
    return event->origin.stream == IV_LEDGER;
}

/* A repeated record changes nothing but how far its own partition has been read. */
static struct iv_rc_s repeat(struct iv_engine *e, const struct iv_event *event, struct iv_err *err)
{
    bool late = false;
    e->stats.duplicates++;
    TRY(iv_watermark_event(&e->watermark, &late, event, err));
    return advance(e, NULL, err);
}

void iv_engine_joined_midway(struct iv_engine *engine, enum iv_stream stream)
{
    engine->watermark.streams[stream].midway = true;
    engine->watermark.streams[stream].partial = true;
}

/* Whether the rule joined the streams where those did that are looked at, and is one of them. */
static bool joins_with(const struct iv_rule_plan *r, const uint64_t *rules, uint64_t since)
{
    return r->since == since && iv_rules_have(rules, r->rule->index);
}

/* Whether no other rule has the join. */
static bool is_own_join(const struct iv_engine *e, uint16_t join, const uint64_t *rules, uint64_t since)
{
    for (size_t i = 0; i < e->plan.rule_count; i++) {
        const struct iv_rule_plan *r = &e->plan.rules[i];
        if (r->join == join && !joins_with(r, rules, since)) {
            return false;
        }
    }
    return join != 0;
}

struct iv_rc_s iv_engine_missed(struct iv_engine *engine, const uint64_t *rules, iv_ns until,
                                struct iv_err *err)
{
    struct iv_engine *e = engine;
    for (size_t i = 0; i < e->plan.rule_count; i++) {
        const struct iv_rule_plan *first = &e->plan.rules[i];
        uint64_t since = first->since;
        bool done = false;
        for (size_t k = 0; k < i && !done; k++) {
            done = joins_with(&e->plan.rules[k], rules, since);
        }
        if (done || !joins_with(first, rules, since)) {
            continue;
        }
        uint16_t join = first->join;
        if (!is_own_join(e, join, rules, since)) {
            join = iv_watermark_join(&e->watermark, since);
            ENSURE(join != 0, err, IV_E_NOMEM, "cannot allocate what rules have missed");
        }
        iv_watermark_rejoin(&e->watermark, join, since, until);
        for (size_t k = i; k < e->plan.rule_count; k++) {
            struct iv_rule_plan *r = &e->plan.rules[k];
            r->join = joins_with(r, rules, since) ? join : r->join;
        }
    }
    return IV_OK;
}

static void tell_page(struct iv_engine *e, const struct iv_population_page *page, iv_populated_fn visit,
                      void *ctx)
{
    for (size_t i = 0; i < e->baseline->rule_count; i++) {
        if (page->counts[i] > 0) {
            const struct iv_populated populated = {e->baseline->rules[i], e->population.since[i], page->hour,
                                                   page->counts[i]};
            visit(ctx, &populated);
        }
    }
}

/* The hour that is counted in is another. What was put aside belongs to the last one. */
static void turn_page(struct iv_engine *e, iv_ns time)
{
    const struct iv_population_page *leaver = iv_population_leaver(&e->population, time);
    if (leaver != NULL) {
        iv_dispatch_settle(e->plan.dispatch, e->rule_stats);
        if (leaver->changed && e->options.populated != NULL) {
            tell_page(e, leaver, e->options.populated, e->options.ctx);
        }
    }
    iv_population_turn(&e->population, time);
}

/* Before it is evaluated: in which hour, and for the rules that need not look at it. */
static void count(struct iv_engine *e, const struct iv_event *event, struct iv_concern *concern)
{
    struct iv_population *p = &e->population;
    if (!iv_population_at(p, event->time)) {
        turn_page(e, event->time);
    }
    p->pages[0].changed = true;
    iv_dispatch_count(e->plan.dispatch, concern, p->pages[0].counts);
    if (e->identifies && e->baseline->equivocation != NULL) {
        iv_engine_judged(e, e->baseline->equivocation);
    }
}

void iv_engine_populations(struct iv_engine *engine, iv_populated_fn visit, void *ctx)
{
    struct iv_engine *e = engine;
    struct iv_population *p = &e->population;
    iv_dispatch_settle(e->plan.dispatch, e->rule_stats);
    for (size_t i = 0; i < e->baseline->rule_count && p->since_changed; i++) {
        const struct iv_populated since = {.rule = e->baseline->rules[i], .since = p->since[i]};
        if (since.since != IV_NS_MAX) {
            visit(ctx, &since);
        }
    }
    p->since_changed = false;
    for (size_t i = 0; i < p->page_count; i++) {
        if (p->pages[i].changed) {
            tell_page(e, &p->pages[i], visit, ctx);
            p->pages[i].changed = false;
        }
    }
}

struct iv_rc_s iv_engine_event(struct iv_engine *e, struct iv_event *event, struct iv_err *err)
{
    TRY(settle(e, err));
    e->stats.events++;
    event->standing = is_event(e, event) ? IV_STANDING_NEW : IV_STANDING_NONE;
    if (event->standing == IV_STANDING_NONE) {
        return IV_OK;
    }
    const struct iv_type_plan *type = &e->plan.types[event->type->index];
    bool known = e->identifies && !iv_identity_forgotten(e, event);
    struct iv_foresight *f = iv_foresight_of(e, event);
    ENSURE(f != NULL, err, IV_E_NOMEM, "cannot allocate what an event concerns");
    struct iv_concern *concern = f->concern;
    struct iv_identity identity = {.hash = f->identity};
    if (known && iv_identity_repeats(e, &identity, event)) {
        event->standing = IV_STANDING_REPEATED;
        return repeat(e, event, err);
    }
    if (type->needs_chain) {
        (void)iv_chain_valid(event, e->digester);
    }
    uint32_t params = iv_eval_params(e, &event->object);
    iv_foresight_complete(e, f, event, params);
    bool late = false;
    TRY(iv_watermark_event(&e->watermark, &late, event, err));
    e->stats.late += late ? 1 : 0;
    uint32_t rec = remember(e, event, params, concern);
    if (rec != 0) {
        find_nodes(e, f);
        if (known) {
            iv_identity_note(e, &identity, rec);
        }
        iv_tree_note_entry(e, event, &f->claim, rec);
        count(e, event, concern);
        evaluate(e, concern, rec);
        iv_store_set_live(&e->store, rec, NULL);
        iv_store_release(&e->store, rec);
    }
    return advance(e, concern, err);
}

struct iv_rc_s iv_engine_reached(struct iv_engine *engine, enum iv_stream stream, int32_t partition,
                                 iv_ns time, struct iv_err *err)
{
    const struct iv_event read = {.time = time, .origin = {.stream = stream, .partition = partition}};
    bool late = false;
    TRY(settle(engine, err));
    TRY(iv_watermark_event(&engine->watermark, &late, &read, err));
    return advance(engine, NULL, err);
}

bool iv_engine_concerns(const struct iv_engine *engine, const struct iv_event_type *type)
{
    return engine->plan.types[type->index].concerned;
}

struct iv_rc_s iv_engine_idle(struct iv_engine *engine, enum iv_stream stream, int32_t partition, iv_ns wall,
                              struct iv_err *err)
{
    TRY(settle(engine, err));
    TRY(iv_watermark_idle(&engine->watermark, stream, partition, wall, err));
    return advance(engine, NULL, err);
}

struct iv_rc_s iv_engine_finish(struct iv_engine *engine, struct iv_err *err)
{
    TRY(settle(engine, err));
    iv_watermark_finish(&engine->watermark);
    iv_tree_advance(engine, true);
    iv_obligation_finish(engine);
    return settle(engine, err);
}

void iv_engine_begin_work(struct iv_engine *engine)
{
    engine->stats.evaluations = engine->stats.failures = engine->stats.kept = 0;
    memset(engine->stats.verdicts, 0, sizeof engine->stats.verdicts);
}

void iv_engine_stats(const struct iv_engine *engine, struct iv_engine_stats *out)
{
    const struct iv_engine *e = engine;
    *out = e->stats;
    out->live_events = e->store.records.live;
    out->armed = e->undecided;
    out->overdue = iv_obligation_overdue(e) ? 1 : 0;
    out->state_bytes = iv_store_bytes(&e->store) + iv_slab_bytes(&e->nodes) + iv_slab_bytes(&e->lanes) +
                       iv_slab_bytes(&e->obligations) + iv_slab_bytes(&e->emitted) +
                       iv_table_bytes(&e->node_table) + iv_table_bytes(&e->identity_table) +
                       iv_table_bytes(&e->emitted_table) + iv_logs_bytes(&e->logs) +
                       iv_slab_bytes(&e->timer_blocks);
    for (int s = 0; s < IV_STREAMS; s++) {
        out->watermark[s] = e->watermark.passed[1 << s];
    }
}

void iv_engine_rule_stats(const struct iv_engine *engine, uint16_t rule_index, struct iv_rule_stats *out)
{
    iv_dispatch_settle(engine->plan.dispatch, engine->rule_stats);
    *out = engine->rule_stats[rule_index];
}
