/* SPDX-License-Identifier: Apache-2.0 */
/* Records in order of arrival, each with all that hangs on it. What hangs on it is found from the other side,
 * lane by lane, so marks are counted, then put in order by their records. */
#include "engine/snapshot_records.h"

#include "base/alloc.h"
#include "base/guard.h"
#include "engine/image.h"
#include "engine/lanes.h"
#include "engine/snapshot_form.h"

#include <stdlib.h>
#include <string.h>

struct arrived {
    uint64_t order;
    uint32_t rec;
};

struct standing {
    const struct iv_mark *mark;
    uint32_t node;
    uint16_t def;
};

struct gathering {
    struct iv_engine *e;
    struct arrived *records; /* in order of arrival */
    size_t count;
    uint32_t *index;        /* by record: its place in records */
    size_t *first;          /* by place: where its marks begin; one more at the end */
    struct standing *marks; /* by place */
    uint8_t *flags;         /* by place: what is remembered of the identity */
    uint32_t *numbers;      /* by node, from 1 in order of first use; 0: not used yet */
    uint32_t number;        /* the last */
    uint16_t *types;        /* by type: its number in the section, from 1; 0: none of it is stored */
};

static void gathering_free(struct gathering *g)
{
    iv_free(g->records);
    iv_free(g->index);
    iv_free(g->first);
    iv_free(g->marks);
    iv_free(g->flags);
    iv_free(g->numbers);
    iv_free(g->types);
}

static bool is_taken(const uint64_t *taken, uint32_t ref)
{
    return (taken[ref / 64] >> (ref % 64) & 1) != 0;
}

static int by_order(const void *a, const void *b)
{
    uint64_t x = ((const struct arrived *)a)->order;
    uint64_t y = ((const struct arrived *)b)->order;
    return x < y ? -1 : x > y;
}

static bool gather_records(struct gathering *g)
{
    const struct iv_slab *slab = &g->e->store.records;
    uint64_t *taken = iv_slab_taken(slab);
    g->records = iv_malloc((slab->live + 1U) * sizeof *g->records);
    g->index = iv_calloc(slab->next, sizeof *g->index);
    if (taken == NULL || g->records == NULL || g->index == NULL) {
        iv_free(taken);
        return false;
    }
    for (uint32_t rec = 1; rec < slab->next; rec++) {
        if (is_taken(taken, rec)) {
            g->records[g->count++] = (struct arrived){iv_store_rec(&g->e->store, rec)->order, rec};
        }
    }
    iv_free(taken);
    if (g->count > 0) {
        qsort(g->records, g->count, sizeof *g->records, by_order);
    }
    for (size_t i = 0; i < g->count; i++) {
        g->index[g->records[i].rec] = (uint32_t)i;
    }
    return true;
}

static void each_mark_of(struct gathering *g, uint32_t node,
                         void (*visit)(struct gathering *, const struct standing *))
{
    const struct iv_engine *e = g->e;
    for (struct iv_lane *l = iv_lane_first(e, node); l != NULL; l = iv_lane_next(e, node, l)) {
        struct iv_place place = {0, 0};
        for (;; place.at++) {
            const struct iv_mark *mark =
                iv_timeline_get(&l->line, &e->store.pool, e->plan.defs[l->def].stride, &place);
            if (mark == NULL) {
                break;
            }
            if ((mark->bits & ~IV_MARK_ALONE) != IV_LINGERS) { /* else it leaves with the next call */
                visit(g, &(struct standing){mark, node, l->def});
            }
        }
    }
}

static void each_mark(struct gathering *g, const uint64_t *nodes,
                      void (*visit)(struct gathering *, const struct standing *))
{
    for (uint32_t node = 1; node < g->e->nodes.next; node++) {
        if (is_taken(nodes, node)) {
            each_mark_of(g, node, visit);
        }
    }
}

static void count_mark(struct gathering *g, const struct standing *s)
{
    g->first[g->index[s->mark->rec] + 1]++;
}

/* While they are put in, first moves to the end of each record's marks. */
static void put_mark(struct gathering *g, const struct standing *s)
{
    g->marks[g->first[g->index[s->mark->rec]]++] = *s;
}

static int by_def(const void *a, const void *b)
{
    return (int)((const struct standing *)a)->def - (int)((const struct standing *)b)->def;
}

static bool gather_marks(struct gathering *g)
{
    uint64_t *nodes = iv_slab_taken(&g->e->nodes);
    g->first = iv_calloc(g->count + 2, sizeof *g->first);
    g->numbers = iv_calloc(g->e->nodes.next, sizeof *g->numbers);
    if (nodes != NULL && g->first != NULL && g->numbers != NULL) {
        each_mark(g, nodes, count_mark);
        for (size_t i = 0; i < g->count; i++) {
            g->first[i + 1] += g->first[i];
        }
        g->marks = iv_malloc((g->first[g->count] + 1) * sizeof *g->marks);
    }
    if (g->marks != NULL) {
        each_mark(g, nodes, put_mark);
        memmove(g->first + 1, g->first, (g->count + 1) * sizeof *g->first);
        g->first[0] = 0;
        for (size_t i = 0; i < g->count; i++) {
            qsort(g->marks + g->first[i], g->first[i + 1] - g->first[i], sizeof *g->marks, by_def);
        }
    }
    iv_free(nodes);
    return g->marks != NULL;
}

static bool gather_identities(struct gathering *g)
{
    const struct iv_engine *e = g->e;
    g->flags = iv_calloc(g->count + 1, sizeof *g->flags);
    if (g->flags == NULL) {
        return false;
    }
    for (size_t i = 0; i < g->count; i++) {
        const struct iv_rec *r = iv_store_rec(&e->store, g->records[i].rec);
        if (r->identified) {
            g->flags[i] = (uint8_t)(IV_RECORD_IDENTITY | (r->told ? IV_RECORD_CONTENT_TOLD : 0) |
                                    (r->announced ? IV_RECORD_IDENTITY_TOLD : 0));
        }
    }
    struct iv_queue walk = e->told_queue;
    for (const struct iv_queued *item = iv_queue_walk(&walk, &e->store.pool); item != NULL;
         item = iv_queue_walk(&walk, &e->store.pool)) {
        uint8_t *flags = &g->flags[g->index[item->rec]];
        *flags = (uint8_t)(*flags | IV_RECORD_AFTERMATH);
    }
    return true;
}

static void write_types(struct gathering *g, struct iv_buf *out)
{
    const struct iv_engine *e = g->e;
    uint16_t count = 0;
    for (size_t i = 0; i < g->count; i++) {
        g->types[iv_store_rec(&e->store, g->records[i].rec)->type] = 1;
    }
    for (size_t t = 0; t < e->plan.type_count; t++) {
        g->types[t] = g->types[t] == 0 ? 0 : ++count;
    }
    size_t section = iv_image_open(out, IV_SECTION_TYPES);
    iv_image_uint(out, count);
    for (size_t t = 0; t < e->plan.type_count; t++) {
        if (g->types[t] == 0) {
            continue;
        }
        const struct iv_event_type *type = iv_store_type_at(&e->store, (uint16_t)t);
        const struct iv_type_plan *plan = &e->plan.types[t];
        iv_image_str(out, type->name);
        iv_image_uint(out, plan->kept_count);
        for (uint16_t k = 0; k < plan->kept_count; k++) {
            const struct iv_field *field =
                plan->kept[k] < IV_ATTRS ? NULL : &type->fields[plan->kept[k] - IV_ATTRS];
            iv_image_str(out, field != NULL ? field->name : iv_attr_defs[plan->kept[k]].name);
            iv_image_str(out, iv_str_of(iv_ftype_name(field != NULL ? field->type
                                                                    : iv_attr_defs[plan->kept[k]].type)));
        }
    }
    iv_image_close(out, section);
}

static void write_rule_numbers(const struct iv_plan *plan, const uint16_t *rules, size_t count,
                               struct iv_buf *out)
{
    iv_image_uint(out, count);
    for (size_t i = 0; i < count; i++) {
        iv_image_uint(out, plan->rules[rules[i]].rule->index);
    }
}

static void write_lanes(const struct iv_engine *e, struct iv_buf *out)
{
    const struct iv_plan *plan = &e->plan;
    size_t section = iv_image_open(out, IV_SECTION_LANES);
    iv_image_uint(out, plan->def_count);
    for (uint16_t d = 0; d < plan->def_count; d++) {
        const struct iv_lane_def *def = &plan->defs[d];
        const struct iv_parts *parts = iv_plan_lane_parts(plan, d);
        uint16_t figure = iv_plan_figure(plan, d);
        bool is_figure = figure != IV_LANE_DEFS;
        iv_image_uint(out, is_figure ? 1 : 0);
        write_rule_numbers(plan, is_figure ? &figure : def->rules, is_figure ? 1 : def->rule_count, out);
        write_rule_numbers(plan, parts == NULL ? NULL : parts->partner_of,
                           parts == NULL ? 0 : parts->partner_of_count, out);
        iv_image_int(out, def->reach);
        iv_image_int(out, def->recount);
        iv_image_uint(out, def->stride > sizeof(struct iv_mark) ? 1 : 0);
    }
    iv_image_close(out, section);
}

static void write_marks(struct gathering *g, size_t place, struct iv_buf *out)
{
    const struct iv_engine *e = g->e;
    iv_image_uint(out, g->first[place + 1] - g->first[place]);
    for (size_t m = g->first[place]; m < g->first[place + 1]; m++) {
        const struct standing *s = &g->marks[m];
        uint32_t *number = &g->numbers[s->node];
        bool fresh = *number == 0;
        *number = fresh ? ++g->number : *number;
        iv_image_uint(out, s->def);
        iv_image_uint(out, *number);
        if (fresh) {
            iv_image_hash(out, iv_node_at(e, s->node)->key);
        }
        iv_image_uint(out, s->mark->bits & ~IV_MARK_ALONE);
        if (e->plan.defs[s->def].stride > sizeof(struct iv_mark)) {
            iv_image_hash(out, ((const struct iv_value_mark *)s->mark)->value);
        }
    }
}

/* The newest is the first in the record's list; they are written as they were armed. */
static void write_obligations(const struct iv_engine *e, const struct iv_rec *r, struct iv_buf *out)
{
    uint32_t count = 0;
    for (uint32_t ref = r->obligations; ref != 0; count++) {
        ref = ((const struct iv_obligation *)iv_slab_at(&e->obligations, ref))->next;
    }
    iv_image_uint(out, count);
    for (; count > 0; count--) {
        const struct iv_obligation *o = iv_slab_at(&e->obligations, r->obligations);
        for (uint32_t i = 1; i < count; i++) {
            o = iv_slab_at(&e->obligations, o->next);
        }
        iv_image_uint(out, e->plan.rules[o->rule].rule->index);
        iv_image_uint(out, o->state);
        iv_image_uint(out, o->blind ? 1 : 0);
        iv_image_int(out, o->low);
        iv_image_int(out, o->high);
    }
}

static struct iv_rc_s write_fields(struct gathering *g, uint32_t rec, struct iv_buf *out, struct iv_err *err)
{
    const struct iv_event *event = iv_store_view(&g->e->store, IV_VIEW_WITNESSES, rec, IV_NEED_ALL);
    ENSURE(event != NULL, err, IV_E_NOMEM, "cannot allocate a view of an event");
    const struct iv_type_plan *plan = &g->e->plan.types[event->type->index];
    iv_image_str(out, iv_event_attr(event, IV_ATTR_SOURCE));
    for (uint16_t k = 0; k < plan->kept_count; k++) {
        iv_image_value(out, &event->slots[plan->kept[k]]);
    }
    return IV_OK;
}

/* before: the record that was written last; NULL for the first. */
static struct iv_rc_s write_record(struct gathering *g, size_t place, const struct iv_rec *before,
                                   struct iv_buf *out, struct iv_err *err)
{
    const struct iv_store *store = &g->e->store;
    uint32_t rec = g->records[place].rec;
    const struct iv_rec *r = iv_store_rec(store, rec);
    struct iv_digest digest = iv_store_digest(store, rec);
    const unsigned char *content_id = iv_store_content_id(store, rec);
    iv_image_uint(out, g->types[r->type] - 1U);
    iv_image_uint(out, (unsigned)g->flags[place] | (r->telemetry ? IV_RECORD_TELEMETRY : 0) |
                           (digest.n > 0 ? IV_RECORD_DIGEST : 0) |
                           (content_id != NULL ? IV_RECORD_CONTENT_ID : 0));
    iv_image_uint(out, r->order - (before == NULL ? 0 : before->order));
    iv_image_int(out, (int64_t)((uint64_t)r->time - (before == NULL ? 0 : (uint64_t)before->time)));
    iv_image_int(out, r->partition);
    iv_image_int(out, iv_store_origin(store, rec).offset);
    iv_image_uint(out, r->topic);
    iv_image_int(out, iv_store_hash_valid(store, rec));
    iv_image_hash(out, r->content);
    iv_buf_add(out, digest.bytes, digest.n);
    if (content_id != NULL) {
        iv_buf_add(out, content_id, IV_CONTENT_ID_MAX);
    }
    TRY(write_fields(g, rec, out, err));
    write_marks(g, place, out);
    write_obligations(g->e, r, out);
    return IV_OK;
}

static void write_topics(const struct iv_store *store, struct iv_buf *out)
{
    size_t section = iv_image_open(out, IV_SECTION_TOPICS);
    iv_image_uint(out, store->topic_count);
    for (uint8_t i = 0; i < store->topic_count; i++) {
        iv_image_str(out, store->topics[i]);
    }
    iv_image_close(out, section);
}

static struct iv_rc_s write_all(struct gathering *g, struct iv_buf *out, struct iv_err *err)
{
    write_types(g, out);
    write_lanes(g->e, out);
    write_topics(&g->e->store, out);
    size_t section = iv_image_open(out, IV_SECTION_RECORDS);
    iv_image_uint(out, g->count);
    const struct iv_rec *before = NULL;
    for (size_t i = 0; i < g->count; i++) {
        TRY(write_record(g, i, before, out, err));
        before = iv_store_rec(&g->e->store, g->records[i].rec);
    }
    iv_image_close(out, section);
    return IV_OK;
}

struct iv_rc_s iv_snapshot_records(struct iv_engine *e, struct iv_buf *out, struct iv_err *err)
{
    IV_AUTO(gathering_free) struct gathering g = {.e = e};
    g.types = iv_calloc(e->plan.type_count, sizeof *g.types);
    bool memory = g.types != NULL && gather_records(&g) && gather_marks(&g) && gather_identities(&g);
    ENSURE(memory, err, IV_E_NOMEM, "cannot allocate the order of %u records for a snapshot",
           (unsigned)e->store.records.live);
    return write_all(&g, out, err);
}
