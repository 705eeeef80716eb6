/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/restore_internal.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "engine/eval.h"
#include "engine/identity.h"
#include "engine/lanes.h"
#include "engine/obligation.h"
#include "engine/snapshot_form.h"
#include "event/content.h"

#include <string.h>

/* A record as it stands in the snapshot. */
struct old_record {
    const struct iv_old_type *type;
    unsigned flags;
    uint64_t order;
    struct iv_event event; /* in terms of the catalogue at hand */
    struct iv_digest digest;
    unsigned char content_id[IV_CONTENT_ID_MAX];
};

/* False when memory is out. */
static bool read_fields(struct iv_restoring *r, struct iv_image *in, struct old_record *old)
{
    const struct iv_event_type *type = old->type->type;
    memset(r->slots, 0, type->slot_count * sizeof *r->slots);
    r->slots[IV_ATTR_SOURCE] = iv_val_str(iv_image_get_str(in));
    for (size_t i = 0; i < old->type->field_count && !in->bad; i++) {
        struct iv_val value = {0};
        if (!iv_image_get_value(in, &r->scratch, &value)) {
            return false;
        }
        uint8_t slot = old->type->fields[i].slot;
        if (slot == IV_NO_SLOT || slot == IV_ATTR_SOURCE) {
            continue;
        }
        in->bad = in->bad || !iv_image_fits(old->type->fields[i].type, &value);
        r->slots[slot] = value;
    }
    /* No event is without these, and what follows relies on them. */
    const struct iv_val *id = &r->slots[IV_ATTR_ID];
    in->bad = in->bad || r->slots[IV_ATTR_SOURCE].n == 0 || id->kind != IV_KIND_STRING || id->n == 0;
    if (type->name.n == 0 && old->type->name.n > 0) {
        r->slots[IV_ATTR_TYPE] = iv_val_str(old->type->name);
    }
    old->event.type = type;
    old->event.slots = r->slots;
    old->event.object = (struct iv_object){type->slot_of, r->slots, NULL};
    return true;
}

static void read_origin(struct iv_restoring *r, struct iv_image *in, struct iv_event *event, unsigned flags)
{
    int64_t partition = iv_image_get_int(in);
    in->bad = in->bad || partition < INT32_MIN || partition > INT32_MAX;
    event->origin.stream = (flags & IV_RECORD_TELEMETRY) != 0 ? IV_TELEMETRY : IV_LEDGER;
    event->origin.partition = (int32_t)partition;
    event->origin.offset = iv_image_get_int(in);
    const struct iv_store *store = &r->e->store;
    uint64_t topic = iv_image_get_below(in, store->topic_count);
    event->origin.topic =
        topic < store->topic_count ? store->topics[topic] : iv_str_of(iv_stream_name(event->origin.stream));
}

static bool read_head(struct iv_restoring *r, struct iv_image *in, struct old_record *old)
{
    uint64_t type = iv_image_get_uint(in);
    if (type >= r->type_count) {
        in->bad = true;
        return true;
    }
    old->type = &r->types[type];
    old->flags = (unsigned)iv_image_get_below(in, IV_RECORD_FLAGS);
    uint64_t later = iv_image_get_uint(in);
    in->bad = in->bad || later == 0 || later > r->e->store.order - old->order;
    old->order += later;
    old->event.time = (iv_ns)((uint64_t)old->event.time + (uint64_t)iv_image_get_int(in));
    read_origin(r, in, &old->event, old->flags);
    int64_t valid = iv_image_get_int(in);
    in->bad = in->bad || valid < -1 || valid > 1;
    old->event.hash_valid = (int8_t)valid;
    old->event.content = iv_image_get_hash(in);
    old->digest.n = (old->flags & IV_RECORD_DIGEST) != 0 ? 32 : 0;
    iv_image_get_bytes(in, old->digest.bytes, old->digest.n);
    iv_image_get_bytes(in, old->content_id,
                       (old->flags & IV_RECORD_CONTENT_ID) != 0 ? sizeof old->content_id : 0);
    return in->bad || read_fields(r, in, old);
}

/* Under this catalogue: a type that it does not have is an event on the ledger alone, and a type on a stream
 * that does not carry it is none. */
static bool is_event(const struct old_record *old)
{
    const struct iv_event_type *type = old->type->type;
    return type->name.n == 0 ? old->event.origin.stream == IV_LEDGER
                             : type->stream == old->event.origin.stream;
}

/* The number of a node; a new one brings its key. 0 where it does not fit. */
static uint32_t read_node(struct iv_restoring *r, struct iv_image *in)
{
    uint64_t number = iv_image_get_below(in, r->node_count + UINT64_C(1));
    if (number != r->node_count + UINT64_C(1)) {
        in->bad = in->bad || number == 0;
        return (uint32_t)number;
    }
    struct iv_hash128 key = iv_image_get_hash(in);
    if (r->node_count + 1 >= r->node_capacity) {
        uint32_t capacity = r->node_capacity == 0 ? 1024 : r->node_capacity * 2;
        struct iv_old_node *nodes = iv_realloc(r->nodes, capacity * sizeof *nodes);
        if (nodes == NULL) {
            r->e->spent = true;
            in->bad = true;
            return 0;
        }
        r->nodes = nodes;
        r->node_capacity = capacity;
    }
    r->nodes[++r->node_count] = (struct iv_old_node){key, 0};
    return r->node_count;
}

struct old_mark {
    const struct iv_old_lane *lane;
    uint32_t node;
    uint32_t bits;
    struct iv_hash128 value;
};

/* The record goes to this lane at hand. NULL: it goes there under another key, too. */
static struct iv_target *touch(struct iv_restoring *r, uint16_t def, const struct old_mark *mark)
{
    struct iv_target *t = &r->targets[def];
    bool lingers = (mark->bits & IV_LINGERS) != 0;
    if (t->node == 0) {
        *t = (struct iv_target){.node = mark->node, .lingers = lingers, .value = mark->value};
        uint16_t at = r->touched_count++;
        for (; at > 0 && r->touched[at - 1] > def; at--) {
            r->touched[at] = r->touched[at - 1];
        }
        r->touched[at] = def;
    }
    t->lingers = t->lingers && lingers;
    return t->node == mark->node ? t : NULL;
}

static bool is_sound_part(const struct iv_rule *rule, struct iv_hash128 value)
{
    double d;
    memcpy(&d, &value.lo, sizeof d);
    bool sum = rule->form == IV_LIMIT && rule->limit == IV_LIMIT_SUM;
    return !sum || (value.hi == 1 && d >= 0) || (value.hi == 0 && value.lo <= (uint64_t)INT64_MAX);
}

static bool place_figure(struct iv_restoring *r, const struct iv_event_type *type,
                         const struct old_mark *mark)
{
    const struct iv_plan *plan = &r->e->plan;
    uint16_t number = mark->lane->triggers[0];
    if (number == IV_NO_RULE) {
        return true;
    }
    const struct iv_rule_plan *p = &plan->rules[number];
    bool figure = p->rule->form == IV_LIMIT || p->rule->form == IV_SAME;
    if (!figure || mark->bits > 1 || !iv_selector_has(&p->rule->on, type) ||
        mark->lane->values != (plan->defs[p->own_def].stride > sizeof(struct iv_mark)) ||
        !is_sound_part(p->rule, mark->value)) {
        return false;
    }
    struct iv_target *t = touch(r, p->own_def, mark);
    if (t != NULL) {
        t->bits = mark->bits;
        t->same = p->rule->form == IV_SAME;
    }
    return t != NULL;
}

/* A lane's rules may stand in several lanes now, and be joined by others. */
static bool place(struct iv_restoring *r, const struct iv_event_type *type, const struct old_mark *mark)
{
    const struct iv_old_lane *lane = mark->lane;
    if (lane->figure) {
        return place_figure(r, type, mark);
    }
    if ((mark->bits & ~IV_LINGERS) >> lane->trigger_count != 0) {
        return false;
    }
    for (uint8_t bit = 0; bit < lane->trigger_count; bit++) {
        const struct iv_restore_seat *seat =
            lane->triggers[bit] == IV_NO_RULE ? NULL : iv_seat_of(r, lane->triggers[bit], type->index);
        if (seat != NULL && seat->trigger != IV_LANE_DEFS) {
            struct iv_target *t = touch(r, seat->trigger, mark);
            if (t == NULL) {
                return false;
            }
            t->bits |= (mark->bits >> bit & 1) << seat->bit;
        }
    }
    for (uint16_t i = 0; i < lane->partner_count; i++) {
        uint16_t def = iv_seat_of(r, lane->partners[i], type->index)->partner;
        if (def != IV_LANE_DEFS && touch(r, def, mark) == NULL) {
            return false;
        }
    }
    return true;
}

static void read_marks(struct iv_restoring *r, struct iv_image *in, const struct old_record *old)
{
    size_t count = iv_image_get_count(in);
    bool wanted = is_event(old);
    uint64_t next = 0; /* a record stands in a lane once */
    for (size_t i = 0; i < count && !in->bad; i++) {
        uint64_t number = iv_image_get_uint(in);
        if (number < next || number >= r->lane_count) {
            in->bad = true;
            return;
        }
        next = number + 1;
        struct old_mark mark = {.lane = &r->lanes[number], .node = read_node(r, in)};
        mark.bits = (uint32_t)iv_image_get_below(in, UINT32_MAX);
        if (mark.lane->values) {
            mark.value = iv_image_get_hash(in);
        }
        in->bad = in->bad || (wanted && !place(r, old->type->type, &mark));
    }
}

/* Events do not come in order of time, so the lane's first may be the new one itself. */
static void put_value(struct iv_engine *e, struct iv_lane *l, struct iv_mark *mark, const struct iv_target *t)
{
    ((struct iv_value_mark *)mark)->value = t->value;
    for (uint32_t i = 0; t->same && i < 2; i++) {
        struct iv_place place = {0, i};
        const struct iv_mark *other =
            iv_timeline_get(&l->line, &e->store.pool, sizeof(struct iv_value_mark), &place);
        struct iv_hash128 with = other == NULL ? t->value : ((const struct iv_value_mark *)other)->value;
        l->mixed = l->mixed || with.lo != t->value.lo || with.hi != t->value.hi;
    }
}

static void put_target(struct iv_restoring *r, uint32_t rec, uint16_t def)
{
    struct iv_engine *e = r->e;
    struct iv_target *t = &r->targets[def];
    uint32_t held = e->plan.defs[def].held;
    struct iv_old_node *node = &r->nodes[t->node];
    if (t->lingers && (t->bits & held) == 0) {
        return; /* nobody is left that it stayed for */
    }
    node->node = node->node != 0 ? node->node : iv_node_for(e, node->key);
    struct iv_lane *lane = NULL;
    struct iv_mark *mark = node->node == 0 ? NULL
                           : t->lingers    ? iv_lane_put(e, node->node, def, rec, &lane)
                                           : iv_lane_join(e, node->node, def, rec, &lane);
    if (mark == NULL) {
        e->spent = true;
        return;
    }
    mark->bits |= t->lingers ? (t->bits & held) | IV_LINGERS : t->bits;
    if (e->plan.defs[def].stride > sizeof(struct iv_mark)) {
        put_value(e, lane, mark, t);
    }
}

static unsigned put_targets(struct iv_restoring *r, uint32_t rec)
{
    unsigned waiting = 0;
    for (uint16_t i = 0; i < r->touched_count && !r->e->spent; i++) {
        uint16_t def = r->touched[i];
        put_target(r, rec, def);
        waiting += (unsigned)__builtin_popcount(r->targets[def].bits & r->e->plan.defs[def].held);
    }
    return waiting;
}

static bool is_sound_state(const struct iv_rule_plan *plan, uint64_t state)
{
    return plan->rule->form == IV_REQUIRE ? state == IV_WAIT_REQUIRED || state == IV_WAIT_VIOLATED
                                          : state == IV_WAIT_FORBIDDEN && plan->open_window;
}

/* An obligation belongs to a bit of one of the record's marks, and each such bit to one obligation. */
static bool put_obligation(struct iv_restoring *r, uint32_t rec, const struct old_record *old, uint16_t rule,
                           struct iv_obligation *o)
{
    struct iv_engine *e = r->e;
    const struct iv_rule_plan *plan = &e->plan.rules[rule];
    const struct iv_restore_seat *seat = iv_seat_of(r, rule, old->type->type->index);
    const struct iv_target *t = seat->trigger == IV_LANE_DEFS ? NULL : &r->targets[seat->trigger];
    if (t == NULL || t->node == 0 || (t->bits >> seat->bit & 1) == 0 || !is_sound_state(plan, o->state) ||
        iv_obligation_find(e, rec, plan->rule) != NULL) {
        return false;
    }
    o->rec = rec;
    o->node = r->nodes[t->node].node;
    o->def = seat->trigger;
    o->bit = seat->bit;
    o->rule = rule;
    iv_obligation_put(e, o);
    return true;
}

/* rec 0: the record is not kept. */
static void read_obligations(struct iv_restoring *r, struct iv_image *in, uint32_t rec,
                             const struct old_record *old, unsigned waiting)
{
    size_t count = iv_image_get_count(in);
    unsigned put = 0;
    for (size_t i = 0; i < count && !in->bad && !r->e->spent; i++) {
        uint64_t number = iv_image_get_uint(in);
        struct iv_obligation o = {.state = (uint8_t)iv_image_get_below(in, UINT8_MAX)};
        o.blind = iv_image_get_below(in, 1) != 0;
        o.low = iv_image_get_int(in);
        o.high = iv_image_get_int(in);
        in->bad = in->bad || number >= r->rule_count;
        if (!in->bad && rec != 0 && r->rules[number] != IV_NO_RULE) {
            in->bad = !put_obligation(r, rec, old, r->rules[number], &o);
            put++;
        }
    }
    in->bad = in->bad || (put != waiting && !r->e->spent);
}

/* A trigger that waits is named by its whole content, of which the rules at hand may have less kept. */
static void name_content(struct iv_restoring *r, struct old_record *old)
{
    struct iv_engine *e = r->e;
    bool waits = false;
    for (uint16_t i = 0; i < r->touched_count; i++) {
        waits = waits || (r->targets[r->touched[i]].bits & ~IV_LINGERS) != 0;
    }
    if (waits && (old->flags & IV_RECORD_CONTENT_ID) == 0 && old->event.origin.stream != IV_LEDGER &&
        iv_plan_cuts(&e->plan, &old->event)) {
        struct iv_err err;
        old->event.slots[IV_ATTR_TIME] = iv_val_timestamp(iv_instant_of_ns(old->event.time));
        old->event.slots[IV_ATTR_TYPE] = iv_val_str(old->event.type->name);
        e->spent =
            !iv_ok(iv_event_content_id(old->content_id, e->digester, &e->key, &old->event, &err)) || e->spent;
        old->flags |= IV_RECORD_CONTENT_ID;
    }
}

static uint32_t keep_record(struct iv_restoring *r, const struct old_record *old)
{
    struct iv_engine *e = r->e;
    struct iv_store_extra extra = {
        .digest = old->digest.n > 0 ? &old->digest : NULL,
        .content_id = (old->flags & IV_RECORD_CONTENT_ID) != 0 ? old->content_id : NULL,
    };
    uint64_t last = e->store.order;
    uint32_t rec = iv_store_add(&e->store, &old->event, &extra);
    e->store.order = last;
    if (rec == 0) {
        e->spent = true;
        return 0;
    }
    iv_store_rec(&e->store, rec)->order = old->order;
    iv_store_rec(&e->store, rec)->params = iv_eval_params(e, &old->event.object);
    if ((old->flags & IV_RECORD_IDENTITY) != 0 && e->identifies) {
        struct iv_remembered how = {.told = (old->flags & IV_RECORD_CONTENT_TOLD) != 0,
                                    .identity_told = (old->flags & IV_RECORD_IDENTITY_TOLD) != 0,
                                    .aftermath = (old->flags & IV_RECORD_AFTERMATH) != 0};
        iv_identity_put(e, &old->event, rec, &how);
    }
    return rec;
}

static void read_record(struct iv_restoring *r, struct iv_image *in, struct old_record *old)
{
    iv_arena_reset(&r->scratch);
    if (!read_head(r, in, old)) {
        r->e->spent = true;
        return;
    }
    if (!in->bad) {
        read_marks(r, in, old);
    }
    if (in->bad) {
        return;
    }
    name_content(r, old);
    uint32_t rec = is_event(old) ? keep_record(r, old) : 0;
    unsigned waiting = rec == 0 ? 0 : put_targets(r, rec);
    read_obligations(r, in, rec, old, waiting);
    for (; r->touched_count > 0; r->touched_count--) {
        r->targets[r->touched[r->touched_count - 1]] = (struct iv_target){0};
    }
    if (rec != 0) {
        iv_store_release(&r->e->store, rec);
    }
}

struct iv_rc_s iv_restore_records(struct iv_restoring *r, struct iv_image *in, struct iv_err *err)
{
    struct iv_engine *e = r->e;
    struct iv_image section = iv_image_get_section(in, IV_SECTION_RECORDS);
    r->slots = iv_arena_zalloc(&r->arena, ((size_t)e->store.slot_max + 1) * sizeof *r->slots);
    r->targets = iv_arena_zalloc(&r->arena, ((size_t)e->plan.def_count + 1) * sizeof *r->targets);
    r->touched = iv_arena_zalloc(&r->arena, ((size_t)e->plan.def_count + 1) * sizeof *r->touched);
    ENSURE(r->slots != NULL && r->targets != NULL && r->touched != NULL, err, IV_E_NOMEM,
           "cannot allocate the state of a snapshot");
    size_t count = iv_image_get_count(&section);
    struct old_record old = {0};
    for (size_t i = 0; i < count && !section.bad && !e->spent; i++) {
        read_record(r, &section, &old);
    }
    ENSURE(!e->spent, err, IV_E_NOMEM, "cannot allocate the %zu records of a snapshot", count);
    return iv_image_done(&section) ? IV_OK : iv_restore_damaged("a record", err);
}
