/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/inquiry.h"

#include "base/alloc.h"
#include "base/encode.h"
#include "base/guard.h"
#include "base/json_write.h"
#include "cel/outline.h"
#include "respond/expectation_internal.h"

#include <stdio.h>
#include <string.h>

#define CLOCKS_DIFFER IV_NS_PER_S
#define UNHEARD_FOR (60 * IV_NS_PER_S) /* so long behind its time nothing is heard of the streams */
#define BEHIND_FOR (600 * IV_NS_PER_S) /* so long behind its time they are still not read to there */
#define FRAME_MAX_BYTES (4u << 20)
#define EVIDENCE_MAX_BYTES (64u << 10)
#define WHY_MAX 256

struct iv_inquiry {
    struct iv_arena arena;
    struct iv_str execution;
    int64_t position;
    struct iv_str event;
    struct iv_str type_json; /* as it stands in most records: "TYPE" */
    enum iv_stream stream;
    bool unseen;
    bool complete;
    bool blind;       /* nothing can be found: the expectation cannot be looked for any more */
    iv_ns first_call; /* the execution's first call */
    iv_ns called;
    iv_ns done;
    iv_ns from; /* events with a time behind it, up to: */
    iv_ns until;
    iv_ns settled;
    iv_ns begun; /* when looking began */
    struct iv_cel_env *env;
    struct iv_cel_prog *prog;
    struct iv_cel_frame frame;
    struct iv_val values[1]; /* of the event */
    struct iv_val *names;
    bool keyed; /* the condition holds of no event with another text in this field: */
    uint16_t key_name;
    struct iv_str key;
    struct iv_str evidence; /* n 0: nothing was found */
    char missed[WHY_MAX];   /* "": nothing was missed */
};

void iv_inquiry_free(struct iv_inquiry *l)
{
    if (l != NULL) {
        iv_cel_prog_free(l->prog);
        iv_cel_env_free(l->env);
        iv_cel_frame_deinit(&l->frame);
        iv_arena_deinit(&l->arena);
        iv_free(l);
    }
}

void iv_inquiry_freep(struct iv_inquiry **inquiry)
{
    iv_inquiry_free(*inquiry);
}

static const struct iv_val *member(const struct iv_val *map, const char *name, enum iv_kind kind)
{
    const struct iv_val key = iv_val_str(iv_str_of(name));
    const struct iv_val *v = map->kind == IV_KIND_MAP ? iv_val_map_get(map, &key) : NULL;
    return v != NULL && v->kind == kind ? v : NULL;
}

static struct iv_str text(const struct iv_val *map, const char *name)
{
    const struct iv_val *v = member(map, name, IV_KIND_STRING);
    return v == NULL ? IV_STR("") : iv_val_slice(*v);
}

static int64_t number(const struct iv_val *map, const char *name)
{
    const struct iv_val *v = member(map, name, IV_KIND_INT);
    return v == NULL ? 0 : v->i;
}

/* A name's value, from the expression that stands for it. */
static iv_rc value_of(struct iv_inquiry *l, struct iv_val *out, struct iv_str source, struct iv_err *err)
{
    IV_AUTO(iv_cel_env_freep) struct iv_cel_env *env = NULL;
    IV_AUTO(iv_cel_prog_freep) struct iv_cel_prog *prog = NULL;
    struct iv_val value;
    TRY(iv_expect_compile(&env, &prog, source, NULL, 0, IV_STR(""), NULL, NULL, err));
    iv_arena_reset(&l->frame.arena);
    TRY(iv_cel_run(prog, &l->frame, &value, err));
    ENSURE(iv_val_dup_into(out, &l->arena, &value), err, IV_E_NOMEM, "no memory left for a value");
    return IV_OK;
}

static iv_rc read_names(struct iv_inquiry *l, struct iv_str **names, size_t *count, const struct iv_val *row,
                        struct iv_err *err)
{
    const struct iv_val *map = member(row, "names", IV_KIND_MAP);
    size_t known = map == NULL ? 0 : map->n;
    struct iv_str *made = iv_arena_zalloc(&l->arena, (known + 2) * sizeof *made);
    l->names = iv_arena_zalloc(&l->arena, (known + 2) * sizeof *l->names);
    ENSURE(made != NULL && l->names != NULL, err, IV_E_NOMEM, "no memory left for an expectation");
    for (size_t i = 0; i < known; i++) {
        const struct iv_val *value = &map->items[2 * i + 1];
        ENSURE(value->kind == IV_KIND_STRING, err, IV_E_SYNTAX, "a name has no value");
        made[i] = iv_val_slice(map->items[2 * i]);
        TRY(value_of(l, &l->names[i], iv_val_slice(*value), err));
    }
    made[known] = IV_STR("step.called");
    made[known + 1] = IV_STR("step.done");
    l->names[known] = iv_val_timestamp(iv_instant_of_ns(l->called));
    l->names[known + 1] = iv_val_timestamp(iv_instant_of_ns(l->done));
    *names = made;
    *count = known + 2;
    return IV_OK;
}

/* What the condition compares a field of the event with, while it is looked for the one to tell it by. */
struct pivots {
    const struct iv_inquiry *inquiry;
    const struct iv_val *banks[IV_CEL_BANKS];
    uint16_t name;
    size_t count; /* that the field has */
    struct iv_str text;
    bool found;
};

static void count_pivot(void *ctx, const struct iv_cel_place *place, const struct iv_val *pivot)
{
    struct pivots *p = ctx;
    if (pivot != NULL && place->bank == IV_EXPECT_EVENT_BANK && place->name_id == p->name) {
        p->count++;
        p->text = pivot->kind == IV_KIND_STRING ? iv_val_slice(*pivot) : (struct iv_str){NULL, 0};
    }
}

static void try_pivot(void *ctx, const struct iv_cel_place *place, const struct iv_val *pivot)
{
    struct pivots *p = ctx;
    if (p->found || pivot == NULL || pivot->kind != IV_KIND_STRING || place->bank != IV_EXPECT_EVENT_BANK) {
        return;
    }
    p->name = place->name_id;
    p->count = 0;
    iv_cel_prog_pivots(p->inquiry->prog, p->banks, count_pivot, p);
    p->found = p->count == 1 && p->text.p != NULL &&
               iv_cel_prog_ends(p->inquiry->prog, place, NULL, p->banks) == IV_CEL_FALSE;
}

/* "e.token_id == target && …": whoever is asked about many steps asks only those that the event's field
 * names. */
static void find_key(struct iv_inquiry *l)
{
    struct pivots p = {.inquiry = l, .banks = {[IV_EXPECT_NAME_BANK] = l->names}};
    iv_cel_prog_pivots(l->prog, p.banks, try_pivot, &p);
    l->keyed = p.found;
    l->key_name = p.name;
    l->key = p.text;
}

static iv_rc compile(struct iv_inquiry *l, const struct iv_val *row, const struct iv_catalogue *catalogue,
                     struct iv_err *err)
{
    struct iv_str *names = NULL;
    size_t count = 0;
    const struct iv_event_type *type = iv_catalogue_find(catalogue, l->event);
    ENSURE(type != NULL, err, IV_E_ABSENT, "the baseline in force has no event type '" IV_STR_FMT "'",
           IV_STR_ARG(l->event));
    l->stream = type->stream;
    TRY(read_names(l, &names, &count, row, err));
    const struct iv_cel_type *event = NULL;
    TRY(iv_expect_event_type(&event, &l->arena, type, err));
    TRY(iv_expect_compile(&l->env, &l->prog, text(row, "where"), names, count, text(row, "as"), event,
                          &iv_cel_bool, err));
    find_key(l);
    return IV_OK;
}

static iv_rc read_row(struct iv_inquiry *l, const struct iv_task *task, struct iv_decoder *decoder,
                      const struct iv_catalogue *catalogue, struct iv_err *err)
{
    const struct iv_step *s = &task->step;
    struct iv_val row;
    struct iv_json_options options = {0};
    struct iv_str stored = iv_arena_str(&l->arena, s->expectation);
    ENSURE(stored.p != NULL, err, IV_E_NOMEM, "no memory left for an expectation");
    TRY(iv_json_parse(decoder, stored, &options, &l->arena, &row, err));
    l->event = text(&row, "event");
    l->type_json = iv_arena_printf(&l->arena, "\"" IV_STR_FMT "\"", IV_STR_ARG(l->event));
    ENSURE(l->type_json.p != NULL, err, IV_E_NOMEM, "no memory left for an expectation");
    l->stream = iv_str_eq(text(&row, "stream"), IV_STR("ledger")) ? IV_LEDGER : IV_TELEMETRY;
    l->unseen = iv_str_eq(text(&row, "sense"), IV_STR("unseen"));
    const struct iv_val *complete = member(&row, "complete", IV_KIND_BOOL);
    l->complete = complete != NULL && complete->b;
    int64_t after = number(&row, "after");
    bool from_the_call = !l->unseen && after == 0;
    iv_ns begin = iv_ns_add(l->first_call, -number(&row, "earlier"));
    l->from = from_the_call ? iv_ns_add(begin, -CLOCKS_DIFFER) : iv_ns_add(l->done, after);
    l->until = iv_ns_add(l->done, s->within);
    l->settled = iv_ns_add(l->until, number(&row, "settle"));
    return compile(l, &row, catalogue, err);
}

iv_rc iv_inquiry_new(struct iv_inquiry **out, const struct iv_task *task, struct iv_decoder *decoder,
                     const struct iv_catalogue *catalogue, iv_ns now, struct iv_err *err)
{
    IV_AUTO(iv_inquiry_freep) struct iv_inquiry *l = iv_calloc(1, sizeof *l);
    ENSURE(l != NULL, err, IV_E_NOMEM, "cannot allocate an inquiry");
    iv_arena_init(&l->arena, 0);
    iv_cel_frame_init(&l->frame, FRAME_MAX_BYTES);
    l->execution = iv_arena_str(&l->arena, task->step.execution);
    ENSURE(l->execution.p != NULL, err, IV_E_NOMEM, "cannot allocate an inquiry");
    l->position = task->step.position;
    l->called = task->step.started;
    bool by_an_earlier = task->execution.started > 0 && task->execution.started < l->called;
    l->first_call = by_an_earlier ? task->execution.started : l->called;
    l->from = iv_ns_add(l->first_call, -CLOCKS_DIFFER);
    l->done = task->step.done;
    l->begun = now;
    l->settled = l->until = iv_ns_add(l->done, task->step.within);
    struct iv_err why = {.text = ""};
    struct iv_rc_s rc = read_row(l, task, decoder, catalogue, &why);
    ENSURE(rc.code != IV_E_NOMEM, err, IV_E_NOMEM, "%s", why.text);
    if (!iv_ok(rc)) {
        char text[WHY_MAX];
        (void)snprintf(text, sizeof text, "it cannot be looked for any more: %.200s", why.text);
        iv_inquiry_missed(l, text);
        l->blind = true;
    }
    *out = TAKE(l);
    return IV_OK;
}

struct iv_str iv_inquiry_execution(const struct iv_inquiry *inquiry)
{
    return inquiry->execution;
}

int64_t iv_inquiry_position(const struct iv_inquiry *inquiry)
{
    return inquiry->position;
}

bool iv_inquiry_is_of(const struct iv_inquiry *inquiry, const struct iv_step *step)
{
    return inquiry->position == step->position && inquiry->done == step->done &&
           iv_str_eq(inquiry->execution, step->execution);
}

enum iv_stream iv_inquiry_stream(const struct iv_inquiry *inquiry)
{
    return inquiry->stream;
}

iv_ns iv_inquiry_since(const struct iv_inquiry *inquiry)
{
    iv_ns called = iv_ns_add(inquiry->first_call, -CLOCKS_DIFFER);
    return inquiry->from < called ? inquiry->from : called;
}

struct iv_str iv_inquiry_type(const struct iv_inquiry *inquiry)
{
    return inquiry->blind ? IV_STR("") : inquiry->event;
}

bool iv_inquiry_key(const struct iv_inquiry *inquiry, uint16_t *name_id, struct iv_str *value)
{
    *name_id = inquiry->key_name;
    *value = inquiry->key;
    return inquiry->keyed;
}

iv_ns iv_inquiry_settled(const struct iv_inquiry *inquiry)
{
    return inquiry->settled;
}

static bool holds(struct iv_str whole, struct iv_str part)
{
    return memmem(whole.p, whole.n, part.p, part.n) != NULL;
}

/* In binary mode the type is a header; in JSON it may be written in escapes. */
bool iv_inquiry_wants(const struct iv_inquiry *l, const struct iv_record *record)
{
    if (l->blind || record->origin.stream != l->stream) {
        return false;
    }
    for (size_t i = 0; i < record->header_count; i++) {
        if (iv_str_eq(record->headers[i].value, l->event)) {
            return true;
        }
    }
    return holds(record->bytes, l->type_json) || holds(record->bytes, IV_STR("\\u"));
}

static iv_rc keep_evidence(struct iv_inquiry *l, const struct iv_event *event, struct iv_err *err)
{
    const struct iv_record *r = event->record;
    struct iv_digest digest;
    char hex_room[2 * IV_DIGEST_MAX_BYTES + 1];
    IV_AUTO(iv_buf_deinit) struct iv_buf json;
    struct iv_buf hex;
    iv_buf_init_lent(&hex, hex_room, sizeof hex_room, sizeof hex_room - 1);
    iv_buf_init(&json, EVIDENCE_MAX_BYTES);
    IV_AUTO(iv_digester_freep) struct iv_digester *digester = NULL;
    TRY(iv_digester_new(&digester, err));
    iv_digest_begin(digester, IV_SHA256);
    iv_digest_update(digester, r->bytes);
    iv_digest_end(digester, &digest);
    iv_hex_encode(&hex, (struct iv_str){(const char *)digest.bytes, digest.n});
    struct iv_json j = iv_json_to(&json);
    iv_json_open_object(&j, NULL);
    iv_json_str(&j, "topic", r->origin.topic);
    iv_json_int(&j, "partition", r->origin.partition);
    iv_json_int(&j, "offset", r->origin.offset);
    iv_json_str(&j, "sha256", iv_buf_slice(&hex));
    iv_json_str(&j, "type", event->type->name);
    iv_json_str(&j, "source", iv_event_attr(event, IV_ATTR_SOURCE));
    iv_json_str(&j, "id", iv_event_attr(event, IV_ATTR_ID));
    iv_json_time(&j, "time", event->time);
    iv_json_close_object(&j);
    TRY(iv_buf_check(&json, "evidence", err));
    l->evidence = iv_arena_str(&l->arena, iv_buf_slice(&json));
    ENSURE(l->evidence.p != NULL, err, IV_E_NOMEM, "no memory left for evidence");
    return IV_OK;
}

/* Whether it would have held nobody knows. */
static void fail_on(struct iv_inquiry *l, const struct iv_origin *at, const struct iv_err *why)
{
    char text[WHY_MAX];
    (void)snprintf(text, sizeof text,
                   "the condition failed on a record that may have told (" IV_STR_FMT
                   ", partition %d, offset %lld): %.120s",
                   IV_STR_ARG(at->topic), (int)at->partition, (long long)at->offset, why->text);
    iv_inquiry_missed(l, text);
}

iv_rc iv_inquiry_event(struct iv_inquiry *l, const struct iv_event *event, struct iv_err *err)
{
    bool it_holds = false;
    bool failed = false;
    struct iv_err why = {.text = ""};
    if (l->blind || l->evidence.n > 0 || !iv_str_eq(event->type->name, l->event) || event->time <= l->from ||
        event->time > l->until) {
        return IV_OK;
    }
    l->values[0] = (struct iv_val){.kind = IV_KIND_OBJECT, .object = &event->object};
    l->frame.bank[IV_EXPECT_EVENT_BANK] = l->values;
    l->frame.bank[IV_EXPECT_NAME_BANK] = l->names;
    iv_arena_reset(&l->frame.arena);
    iv_cel_test(l->prog, &l->frame, &it_holds, &failed, &why);
    if (failed) {
        fail_on(l, &event->record->origin, &why);
        return IV_OK;
    }
    return it_holds ? keep_evidence(l, event, err) : IV_OK;
}

void iv_inquiry_missed(struct iv_inquiry *l, const char *why)
{
    if (l->missed[0] == '\0') {
        (void)snprintf(l->missed, sizeof l->missed, "%s", why);
    }
}

void iv_inquiry_clock_set(struct iv_inquiry *l, iv_ns until)
{
    if (l->first_call <= until || l->done <= until) {
        iv_inquiry_missed(l, "the clock was set while it was looked for");
    }
}

static bool prove(struct iv_proof *out, enum iv_proof_verdict verdict, struct iv_str cause,
                  struct iv_str evidence)
{
    *out = (struct iv_proof){verdict, cause, evidence};
    return true;
}

/* All that counts was looked at, and it is not there. */
static bool decide_absence(const struct iv_inquiry *l, struct iv_proof *out)
{
    const struct iv_str none = IV_STR("");
    if (l->missed[0] != '\0') {
        return prove(out, IV_PROOF_AMBIGUOUS, iv_str_of(l->missed), none);
    }
    if (!l->complete) {
        return prove(out, IV_PROOF_AMBIGUOUS,
                     l->unseen ? IV_STR("what it forbids was not seen, on a stream that may lose records")
                               : IV_STR("its effect was not seen, on a stream that may lose records"),
                     none);
    }
    return l->unseen ? prove(out, IV_PROOF_VERIFIED,
                             IV_STR("what it forbids was not seen, and everything was looked at"), none)
                     : prove(out, IV_PROOF_FAILED, IV_STR("it was done, and its effect was not seen in time"),
                             none);
}

bool iv_inquiry_decide(const struct iv_inquiry *l, struct iv_proof *out, const struct iv_inquiry_state *state)
{
    if (l->evidence.n > 0) {
        return l->unseen ? prove(out, IV_PROOF_FAILED, IV_STR("it was done, and what it forbids was seen"),
                                 l->evidence)
                         : prove(out, IV_PROOF_VERIFIED, IV_STR("its effect was seen"), l->evidence);
    }
    if (l->blind || state->reached >= l->settled) {
        return decide_absence(l, out);
    }
    iv_ns expected = l->settled > l->begun ? l->settled : l->begun;
    iv_ns heard = state->heard > expected ? state->heard : expected;
    if (state->now - heard > UNHEARD_FOR || state->now - expected > BEHIND_FOR) {
        return prove(out, IV_PROOF_AMBIGUOUS,
                     state->trouble.n > 0
                         ? state->trouble
                         : IV_STR("the streams could not be read as far as they would have to be"),
                     IV_STR(""));
    }
    return false;
}
