/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/restore_internal.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "engine/logs_image.h"
#include "engine/snapshot.h"
#include "engine/snapshot_form.h"
#include "engine/verdict.h"

#include <string.h>

struct iv_rc_s iv_restore_damaged(const char *what, struct iv_err *err)
{
    return iv_err_set(err, IV_E_MALFORMED, "the snapshot is damaged: %s does not fit", what);
}

static struct iv_rc_s no_memory(struct iv_err *err)
{
    return iv_err_set(err, IV_E_NOMEM, "cannot allocate the state of a snapshot");
}

static struct iv_rc_s read_base(struct iv_restoring *r, struct iv_image *in, struct iv_hash_key *key,
                                struct iv_err *err)
{
    struct iv_image section = iv_image_get_section(in, IV_SECTION_BASE);
    (void)iv_image_get_str(&section); /* the baseline's digest is for people */
    r->dedup = iv_image_get_int(&section);
    key->k0 = iv_image_get_u64(&section);
    key->k1 = iv_image_get_u64(&section);
    return iv_image_done(&section) && r->dedup >= 0 ? IV_OK : iv_restore_damaged("its beginning", err);
}

/* The plan's number of the rule that the snapshot's means, EVT-001 apart; IV_NO_RULE where there is none, or
 * another one of its name. */
static uint16_t plan_number(const struct iv_engine *e, const struct iv_rule *rule)
{
    for (size_t i = 0; i < e->plan.rule_count; i++) {
        if (e->plan.rules[i].rule == rule) {
            return (uint16_t)i;
        }
    }
    return IV_NO_RULE;
}

static bool read_rule(struct iv_restoring *r, struct iv_image *in, size_t number, bool *seen)
{
    struct iv_engine *e = r->e;
    struct iv_str id = iv_image_get_str(in);
    unsigned char digest[sizeof((struct iv_rule *)0)->digest];
    iv_image_get_bytes(in, digest, sizeof digest);
    bool planned = iv_image_get_below(in, 1) != 0;
    r->joins[number] = (uint16_t)iv_image_get_below(in, UINT16_MAX);
    struct iv_rule_stats stats = {.triggers = iv_image_get_uint(in)};
    stats.violations = iv_image_get_uint(in);
    stats.inconclusive = iv_image_get_uint(in);
    stats.failures = iv_image_get_uint(in);
    r->rules[number] = IV_NO_RULE;
    const struct iv_rule *rule = iv_baseline_rule(e->baseline, id);
    if (in->bad || rule == NULL || memcmp(rule->digest, digest, sizeof digest) != 0) {
        return !in->bad;
    }
    if (seen[rule->index]) {
        return false;
    }
    seen[rule->index] = true;
    e->rule_stats[rule->index] = stats;
    r->rules[number] = planned ? plan_number(e, rule) : IV_NO_RULE;
    return true;
}

static struct iv_rc_s read_rules(struct iv_restoring *r, struct iv_image *in, struct iv_err *err)
{
    struct iv_image section = iv_image_get_section(in, IV_SECTION_RULES);
    r->rule_count = iv_image_get_count(&section);
    r->rules = iv_arena_zalloc(&r->arena, (r->rule_count + 1) * sizeof *r->rules);
    r->joins = iv_arena_zalloc(&r->arena, (r->rule_count + 1) * sizeof *r->joins);
    bool *seen = iv_arena_zalloc(&r->arena, r->e->baseline->rule_count + 1);
    if (r->rules == NULL || r->joins == NULL || seen == NULL) {
        return no_memory(err);
    }
    bool good = true;
    for (size_t i = 0; i < r->rule_count && good; i++) {
        good = read_rule(r, &section, i, seen);
    }
    return good && iv_image_done(&section) ? IV_OK : iv_restore_damaged("its list of rules", err);
}

/* Joins that a rule still looks from get a number of the watermark's; rules that go on take theirs. */
static struct iv_rc_s read_joins(struct iv_restoring *r, struct iv_image *in, struct iv_err *err)
{
    struct iv_engine *e = r->e;
    size_t count = iv_image_get_count(in);
    uint16_t *numbers = iv_arena_zalloc(&r->arena, (count + 1) * sizeof *numbers);
    bool *used = iv_arena_zalloc(&r->arena, count + 1);
    if (numbers == NULL || used == NULL) {
        return no_memory(err);
    }
    for (size_t i = 0; i < r->rule_count; i++) {
        if (r->joins[i] > count) {
            return iv_restore_damaged("a rule's join", err);
        }
        used[r->joins[i]] = used[r->joins[i]] || r->rules[i] != IV_NO_RULE;
    }
    for (size_t j = 1; j <= count; j++) {
        struct iv_join join = {.order = iv_image_get_uint(in)};
        for (int s = 0; s < IV_STREAMS; s++) {
            join.before[s] = iv_image_get_int(in);
            join.least[s] = iv_image_get_int(in);
        }
        if (used[j]) {
            numbers[j] = iv_watermark_join(&e->watermark, join.order);
            if (numbers[j] == 0) {
                return no_memory(err);
            }
            e->watermark.joins[numbers[j]] = join;
        }
    }
    for (size_t i = 0; i < r->rule_count; i++) {
        if (r->rules[i] != IV_NO_RULE && r->joins[i] > 0) {
            struct iv_rule_plan *plan = &e->plan.rules[r->rules[i]];
            plan->join = numbers[r->joins[i]];
            plan->since = e->watermark.joins[plan->join].order;
        }
    }
    return IV_OK;
}

static struct iv_rc_s read_stream(struct iv_restoring *r, struct iv_image *in, enum iv_stream stream,
                                  struct iv_err *err)
{
    struct iv_watermark *w = &r->e->watermark;
    struct iv_stream_mark *s = &w->streams[stream];
    s->midway = iv_image_get_below(in, 1) != 0;
    s->partial = s->partial || s->midway;
    s->least = iv_image_get_int(in);
    s->greatest = iv_image_get_int(in);
    size_t count = iv_image_get_count(in);
    int64_t before = INT64_MIN;
    for (size_t i = 0; i < count; i++) {
        int64_t partition = iv_image_get_int(in);
        iv_ns mark = iv_image_get_int(in);
        if (in->bad || partition <= before || partition < INT32_MIN || partition > INT32_MAX) {
            return iv_restore_damaged("a partition", err);
        }
        before = partition;
        TRY(iv_watermark_put(w, stream, (int32_t)partition, mark, err));
    }
    return IV_OK;
}

static void read_stats(struct iv_engine_stats *stats, struct iv_image *in)
{
    uint64_t *const figures[IV_SNAPSHOT_FIGURES] = {
        &stats->events,      &stats->duplicates, &stats->late, &stats->unknown_type,
        &stats->evaluations, &stats->failures,   &stats->kept};
    for (size_t i = 0; i < IV_COUNT(figures); i++) {
        *figures[i] = iv_image_get_uint(in);
    }
    for (size_t i = 0; i < IV_COUNT(stats->verdicts); i++) {
        stats->verdicts[i] = iv_image_get_uint(in);
    }
}

/* What a longer dedup would still remember is forgotten all the same. */
static void keep_forgotten(struct iv_restoring *r)
{
    struct iv_watermark *w = &r->e->watermark;
    for (int set = 1; set < IV_STREAM_SETS && r->e->baseline->dedup > r->dedup; set++) {
        iv_ns since = w->passed[set] == IV_NS_MIN ? IV_NS_MIN : iv_ns_add(w->passed[set], -r->dedup);
        w->forgotten[set] = since > w->forgotten[set] ? since : w->forgotten[set];
    }
}

static struct iv_rc_s read_time(struct iv_restoring *r, struct iv_image *in, struct iv_err *err)
{
    struct iv_watermark *w = &r->e->watermark;
    struct iv_image section = iv_image_get_section(in, IV_SECTION_TIME);
    TRY(read_joins(r, &section, err));
    for (int s = 0; s < IV_STREAMS; s++) {
        TRY(read_stream(r, &section, (enum iv_stream)s, err));
    }
    w->greatest = iv_image_get_int(&section);
    w->finished = iv_image_get_below(&section, 1) != 0;
    for (int set = 0; set < IV_STREAM_SETS; set++) {
        w->forgotten[set] = iv_image_get_int(&section);
    }
    r->e->store.order = iv_image_get_uint(&section);
    read_stats(&r->e->stats, &section);
    iv_watermark_refresh(w);
    keep_forgotten(r);
    return iv_image_done(&section) ? IV_OK : iv_restore_damaged("its watermarks", err);
}

/* Every rule of the plan that the snapshot does not carry on joins the streams now. */
static struct iv_rc_s join_others(struct iv_restoring *r, struct iv_err *err)
{
    struct iv_engine *e = r->e;
    bool *carried = iv_arena_zalloc(&r->arena, e->plan.rule_count + 1);
    if (carried == NULL) {
        return no_memory(err);
    }
    for (size_t i = 0; i < r->rule_count; i++) {
        if (r->rules[i] != IV_NO_RULE) {
            carried[r->rules[i]] = true;
        }
    }
    uint16_t join = 0;
    for (size_t i = 0; i < e->plan.rule_count && e->watermark.greatest != IV_NS_MIN; i++) {
        struct iv_rule_plan *plan = &e->plan.rules[i];
        if (carried[i]) {
            continue;
        }
        join = join != 0 ? join : iv_watermark_join(&e->watermark, e->store.order);
        if (join == 0) {
            return no_memory(err);
        }
        plan->join = join;
        plan->since = e->store.order;
    }
    return IV_OK;
}

static struct iv_old_field field_at_hand(const struct iv_event_type *type, struct iv_str name,
                                         struct iv_str ftype)
{
    for (uint8_t slot = 0; slot < type->slot_count; slot++) {
        const struct iv_field *field = slot < IV_ATTRS ? NULL : &type->fields[slot - IV_ATTRS];
        enum iv_ftype here = field != NULL ? field->type : iv_attr_defs[slot].type;
        if (iv_str_eq(field != NULL ? field->name : iv_attr_defs[slot].name, name)) {
            bool fits = iv_str_eq(iv_str_of(iv_ftype_name(here)), ftype);
            return (struct iv_old_field){fits ? slot : IV_NO_SLOT, here};
        }
    }
    return (struct iv_old_field){IV_NO_SLOT, IV_F_STRING};
}

static bool read_type(struct iv_restoring *r, struct iv_image *in, struct iv_old_type *out)
{
    const struct iv_catalogue *catalogue = r->e->baseline->catalogue;
    out->name = iv_image_get_str(in);
    out->type = out->name.n == 0 ? NULL : iv_catalogue_find(catalogue, out->name);
    out->type = out->type == NULL ? iv_catalogue_unknown(catalogue) : out->type;
    out->field_count = iv_image_get_below(in, UINT8_MAX);
    out->fields = iv_arena_zalloc(&r->arena, (out->field_count + 1) * sizeof *out->fields);
    for (size_t i = 0; out->fields != NULL && i < out->field_count; i++) {
        struct iv_str name = iv_image_get_str(in);
        out->fields[i] = field_at_hand(out->type, name, iv_image_get_str(in));
    }
    return out->fields != NULL;
}

static struct iv_rc_s read_types(struct iv_restoring *r, struct iv_image *in, struct iv_err *err)
{
    struct iv_image section = iv_image_get_section(in, IV_SECTION_TYPES);
    r->type_count = iv_image_get_count(&section);
    r->types = iv_arena_zalloc(&r->arena, (r->type_count + 1) * sizeof *r->types);
    if (r->types == NULL) {
        return no_memory(err);
    }
    for (size_t i = 0; i < r->type_count && !section.bad; i++) {
        if (!read_type(r, &section, &r->types[i])) {
            return no_memory(err);
        }
    }
    return iv_image_done(&section) ? IV_OK : iv_restore_damaged("its list of event types", err);
}

/* A number of the snapshot's rules, as the plan's. */
static uint16_t read_rule_number(struct iv_restoring *r, struct iv_image *in)
{
    uint64_t number = iv_image_get_uint(in);
    if (number >= r->rule_count) {
        in->bad = true;
        return IV_NO_RULE;
    }
    return r->rules[number];
}

/* Partners that do not go on are left out, and so is what stands twice: a lane has no more of them than the
 * plan has rules. */
static bool read_partners(struct iv_restoring *r, struct iv_image *in, struct iv_old_lane *lane, bool *seen)
{
    size_t count = iv_image_get_count(in);
    size_t most = count < r->e->plan.rule_count ? count : r->e->plan.rule_count;
    lane->partners = iv_arena_zalloc(&r->arena, (most + 1) * sizeof *lane->partners);
    for (size_t i = 0; lane->partners != NULL && i < count && !in->bad; i++) {
        uint16_t rule = read_rule_number(r, in);
        if (rule != IV_NO_RULE && !seen[rule]) {
            seen[rule] = true;
            lane->partners[lane->partner_count++] = rule;
        }
    }
    for (uint16_t i = 0; i < lane->partner_count; i++) {
        seen[lane->partners[i]] = false;
    }
    return lane->partners != NULL;
}

static bool read_lane(struct iv_restoring *r, struct iv_image *in, struct iv_old_lane *lane, bool *seen)
{
    lane->figure = iv_image_get_below(in, 1) != 0;
    lane->trigger_count = (uint8_t)iv_image_get_below(in, IV_LANE_RULES);
    for (uint8_t i = 0; i < lane->trigger_count; i++) {
        lane->triggers[i] = read_rule_number(r, in);
    }
    bool memory = read_partners(r, in, lane, seen);
    lane->reach = iv_image_get_int(in);
    lane->recount = iv_image_get_int(in);
    lane->values = iv_image_get_below(in, 1) != 0;
    in->bad = in->bad || lane->reach < 0 || lane->recount < 0 || (lane->figure && lane->trigger_count != 1) ||
              (lane->values && !lane->figure);
    return memory;
}

static void raise(iv_ns *to, iv_ns value)
{
    *to = value > *to ? value : *to;
}

/* Whether the plan's lane of this number is for the same rules. */
static bool is_same_lane(const struct iv_plan *plan, const struct iv_old_lane *lane, size_t number)
{
    if (lane->figure) {
        return iv_plan_figure(plan, (uint16_t)number) == lane->triggers[0];
    }
    const struct iv_lane_def *def = &plan->defs[number];
    const struct iv_parts *parts = iv_plan_lane_parts(plan, (uint16_t)number);
    size_t partners = parts == NULL ? 0 : parts->partner_of_count;
    return def->rule_count == lane->trigger_count && partners == lane->partner_count &&
           (lane->trigger_count == 0 ||
            memcmp(def->rules, lane->triggers, lane->trigger_count * sizeof *def->rules) == 0) &&
           (partners == 0 ||
            memcmp(parts->partner_of, lane->partners, partners * sizeof *lane->partners) == 0);
}

/* How far the triggers of a lane were seen to reach goes with its rules, to whatever lanes have them now. */
static void carry_reach(struct iv_restoring *r, const struct iv_old_lane *lane)
{
    struct iv_plan *plan = &r->e->plan;
    for (size_t type = 0; type < plan->type_count && !lane->figure; type++) {
        for (uint8_t i = 0; i < lane->trigger_count && lane->reach > 0; i++) {
            uint16_t rule = lane->triggers[i];
            uint16_t def = rule == IV_NO_RULE ? IV_LANE_DEFS : iv_seat_of(r, rule, (uint16_t)type)->trigger;
            if (def != IV_LANE_DEFS) {
                raise(&plan->defs[def].reach, lane->reach);
            }
        }
        for (uint16_t i = 0; i < lane->partner_count && lane->recount > 0; i++) {
            uint16_t def = iv_seat_of(r, lane->partners[i], (uint16_t)type)->partner;
            if (def != IV_LANE_DEFS) {
                raise(&plan->defs[def].recount, lane->recount);
            }
        }
    }
}

/* One lane of the same rules is not enough: the types that had it may have others now. */
static void take_reach(struct iv_restoring *r)
{
    struct iv_plan *plan = &r->e->plan;
    bool same = r->lane_count == plan->def_count;
    for (size_t i = 0; i < r->lane_count && same; i++) {
        same = is_same_lane(plan, &r->lanes[i], i);
    }
    for (size_t i = 0; i < r->lane_count; i++) {
        if (same) {
            raise(&plan->defs[i].reach, r->lanes[i].reach);
            raise(&plan->defs[i].recount, r->lanes[i].recount);
        } else {
            carry_reach(r, &r->lanes[i]);
        }
    }
}

static struct iv_rc_s read_lanes(struct iv_restoring *r, struct iv_image *in, struct iv_err *err)
{
    struct iv_image section = iv_image_get_section(in, IV_SECTION_LANES);
    r->lane_count = iv_image_get_count(&section);
    r->lanes = iv_arena_zalloc(&r->arena, (r->lane_count + 1) * sizeof *r->lanes);
    bool *seen = iv_arena_zalloc(&r->arena, r->e->plan.rule_count + 1);
    if (r->lanes == NULL || seen == NULL) {
        return no_memory(err);
    }
    for (size_t i = 0; i < r->lane_count && !section.bad; i++) {
        if (!read_lane(r, &section, &r->lanes[i], seen)) {
            return no_memory(err);
        }
    }
    if (!iv_image_done(&section)) {
        return iv_restore_damaged("its list of lanes", err);
    }
    take_reach(r);
    return IV_OK;
}

/* Names of topics outlive the bytes. */
static struct iv_rc_s read_topics(struct iv_restoring *r, struct iv_image *in, struct iv_err *err)
{
    struct iv_image section = iv_image_get_section(in, IV_SECTION_TOPICS);
    struct iv_store *store = &r->e->store;
    uint8_t count = (uint8_t)iv_image_get_below(&section, UINT8_MAX);
    for (; store->topic_count < count && !section.bad; store->topic_count++) {
        struct iv_str name = iv_arena_str(&r->e->names, iv_image_get_str(&section));
        if (name.p == NULL) {
            return no_memory(err);
        }
        store->topics[store->topic_count] = name;
    }
    return iv_image_done(&section) ? IV_OK : iv_restore_damaged("its list of topics", err);
}

static struct iv_rc_s read_told(struct iv_restoring *r, struct iv_image *in, struct iv_err *err)
{
    struct iv_image section = iv_image_get_section(in, IV_SECTION_TOLD);
    size_t count = iv_image_get_count(&section);
    for (size_t i = 0; i < count && !section.bad; i++) {
        iv_emitted_put(r->e, iv_image_get_hash(&section));
    }
    return iv_image_done(&section) ? IV_OK : iv_restore_damaged("its list of verdicts", err);
}

/* Where no rule at hand asks for a tree, nothing is to be remembered. */
static struct iv_rc_s read_logs(struct iv_restoring *r, struct iv_image *in, struct iv_err *err)
{
    struct iv_image section = iv_image_get_section(in, IV_SECTION_LOGS);
    if (!r->e->plan.has_trees) {
        return IV_OK;
    }
    r->e->spent = !iv_logs_read(&r->e->logs, &section) || r->e->spent;
    return iv_image_done(&section) || r->e->spent ? IV_OK : iv_restore_damaged("its list of logs", err);
}

/* Where events of each type stand for each rule of the plan at hand. */
static struct iv_rc_s find_seats(struct iv_restoring *r, struct iv_err *err)
{
    const struct iv_plan *plan = &r->e->plan;
    size_t n = plan->rule_count * plan->type_count;
    r->seats = iv_arena_alloc(&r->arena, (n + 1) * sizeof *r->seats);
    if (r->seats == NULL) {
        return no_memory(err);
    }
    for (size_t i = 0; i < n; i++) {
        r->seats[i] = (struct iv_restore_seat){IV_LANE_DEFS, IV_LANE_DEFS, 0};
    }
    for (size_t i = 0; i < plan->terms_count * plan->type_count; i++) {
        const struct iv_parts *p = &plan->parts[i];
        uint16_t type = (uint16_t)(i % plan->type_count);
        for (uint16_t k = 0; p->def_count > 0 && k < p->rule_count; k++) {
            struct iv_restore_seat *seat = iv_seat_of(r, p->rules[k], type);
            seat->trigger = (uint16_t)(p->first_def + k / IV_LANE_RULES);
            seat->bit = (uint8_t)(k % IV_LANE_RULES);
        }
        for (uint16_t k = 0; p->def_count > 0 && k < p->partner_of_count; k++) {
            iv_seat_of(r, p->partner_of[k], type)->partner = p->first_def;
        }
    }
    return IV_OK;
}

/* What a rule judged before it was counted lies behind all that had arrived. */
static struct iv_rc_s read_population(struct iv_restoring *r, struct iv_image *in, struct iv_err *err)
{
    struct iv_engine *e = r->e;
    iv_ns arrived = e->watermark.greatest;
    for (size_t i = 0; i < e->baseline->rule_count; i++) {
        if (e->population.since[i] != IV_NS_MAX && arrived != IV_NS_MIN) {
            e->population.since[i] = iv_ns_add(arrived, 1);
        }
    }
    if (iv_image_done(in)) {
        return IV_OK; /* of version 2 */
    }
    struct iv_image section = iv_image_get_section(in, IV_SECTION_POPULATION);
    iv_population_read(&e->population, e->baseline, &section);
    return iv_image_done(&section) ? IV_OK : iv_restore_damaged("its populations", err);
}

static struct iv_rc_s read_sections(struct iv_restoring *r, struct iv_image *in, struct iv_err *err)
{
    TRY(read_rules(r, in, err));
    TRY(read_time(r, in, err));
    TRY(join_others(r, err));
    TRY(find_seats(r, err));
    TRY(read_types(r, in, err));
    TRY(read_lanes(r, in, err));
    TRY(read_topics(r, in, err));
    TRY(iv_restore_records(r, in, err));
    TRY(read_told(r, in, err));
    TRY(read_logs(r, in, err));
    TRY(read_population(r, in, err));
    ENSURE(iv_image_done(in), err, IV_E_MALFORMED, "the snapshot is damaged: more follows its last section");
    ENSURE(!r->e->spent, err, IV_E_NOMEM, "cannot allocate the state of a snapshot");
    return IV_OK;
}

struct iv_rc_s iv_engine_restore(struct iv_engine **out, struct iv_baseline *baseline,
                                 const struct iv_engine_options *options, struct iv_str bytes,
                                 struct iv_err *err)
{
    struct iv_image in;
    struct iv_restoring r = {0};
    struct iv_engine_options own = *options;
    IV_AUTO(iv_engine_freep) struct iv_engine *e = NULL;
    TRY(iv_frame_read(&in, bytes, &iv_snapshot_frame, err));
    TRY(read_base(&r, &in, &own.hash_key, err));
    TRY(iv_engine_new(&e, baseline, &own, err));
    r.e = e;
    iv_arena_init(&r.arena, 0);
    iv_arena_init(&r.scratch, 0);
    struct iv_rc_s rc = read_sections(&r, &in, err);
    iv_arena_deinit(&r.arena);
    iv_arena_deinit(&r.scratch);
    iv_free(r.nodes);
    TRY(rc);
    /* How many were still to be judged after the last late entry is not written down; all of them harm
     * nobody. */
    e->recheck = e->missing_count;
    *out = TAKE(e);
    return IV_OK;
}
