/* SPDX-License-Identifier: Apache-2.0 */
#include "evidence/told.h"

#include "base/encode.h"
#include "base/guard.h"
#include "evidence/own.h"
#include "evidence/told_internal.h"

#include <string.h>

static iv_rc read_kind(enum iv_verdict_kind *out, const struct iv_val *finding, struct iv_err *err)
{
    struct iv_str name;
    TRY(iv_told_text(&name, finding, "unmapped.verdict", err));
    ENSURE(iv_verdict_kind_of(out, name), err, IV_E_MALFORMED,
           "unmapped.verdict: is '" IV_STR_FMT
           "', must be violated, updated, contradicted, inconclusive or open",
           IV_STR_ARG(name));
    return IV_OK;
}

static iv_rc read_mode(enum iv_mode *out, const struct iv_val *finding, struct iv_err *err)
{
    struct iv_str name;
    TRY(iv_told_text(&name, finding, "unmapped.mode", err));
    bool observe = iv_str_eq(name, iv_str_of(iv_mode_name(IV_MODE_OBSERVE)));
    ENSURE(observe || iv_str_eq(name, iv_str_of(iv_mode_name(IV_MODE_ENFORCE))), err, IV_E_MALFORMED,
           "unmapped.mode: is '" IV_STR_FMT "', must be enforce or observe", IV_STR_ARG(name));
    *out = observe ? IV_MODE_OBSERVE : IV_MODE_ENFORCE;
    return IV_OK;
}

/* A list of names as the store has it: with spaces between. Whoever sends it says how many there are, so they
 * are put into one piece. */
static iv_rc join(struct iv_str *out, struct iv_arena *arena, const struct iv_val *names, struct iv_err *err)
{
    size_t n = 0;
    for (uint32_t i = 0; i < names->n; i++) {
        n += names->items[i].n + 1;
    }
    char *text = iv_arena_alloc(arena, n + 1);
    ENSURE(text != NULL, err, IV_E_NOMEM, "cannot allocate a finding");
    size_t at = 0;
    for (uint32_t i = 0; i < names->n; i++) {
        struct iv_str name = iv_val_slice(names->items[i]);
        memcpy(text + at, name.p, name.n);
        at += name.n;
        text[at++] = ' ';
    }
    *out = (struct iv_str){text, at > 0 ? at - 1 : 0};
    return IV_OK;
}

static iv_rc read_criteria(struct iv_str *out, struct iv_arena *arena, const struct iv_val *finding,
                           struct iv_err *err)
{
    const struct iv_val *list = iv_told_at(finding, "compliance.requirements");
    ENSURE(list != NULL && list->kind == IV_KIND_LIST, err, IV_E_MALFORMED,
           "compliance.requirements: must be a list of strings");
    for (uint32_t i = 0; i < list->n; i++) {
        ENSURE(list->items[i].kind == IV_KIND_STRING, err, IV_E_MALFORMED,
               "compliance.requirements[%u]: must be a string", i);
    }
    return join(out, arena, list, err);
}

/* A text of the type that the catalogue has for it. */
static bool convert(struct iv_val *out, enum iv_ftype type, const struct iv_val *v)
{
    struct iv_instant at;
    *out = *v;
    switch (type) {
    case IV_F_STRING:
        return v->kind == IV_KIND_STRING;
    case IV_F_INT:
        return v->kind == IV_KIND_INT;
    case IV_F_BOOL:
        return v->kind == IV_KIND_BOOL;
    case IV_F_DOUBLE:
        *out = v->kind == IV_KIND_INT ? iv_val_double((double)v->i) : *v;
        return out->kind == IV_KIND_DOUBLE;
    case IV_F_TIMESTAMP:
        if (v->kind != IV_KIND_STRING || !iv_instant_parse(&at, iv_val_slice(*v))) {
            return false;
        }
        *out = iv_val_timestamp(at);
        return true;
    case IV_F_DURATION:
        if (v->kind != IV_KIND_STRING || !iv_duration_parse(&at, iv_val_slice(*v), false)) {
            return false;
        }
        *out = iv_val_duration(at);
        return true;
    default:
        return false; /* findings show scalars only */
    }
}

/* A field that is not as the catalogue here has it, under another baseline say, is absent: a playbook that
 * needs it says so. */
static void fill_fields(struct iv_val *slots, const struct iv_event_type *type, const struct iv_val *fields)
{
    for (size_t i = 0; i < type->field_count; i++) {
        const struct iv_field *field = &type->fields[i];
        struct iv_val key = iv_val_str(field->name);
        const struct iv_val *v = iv_val_map_get(fields, &key);
        if (v != NULL && !convert(&slots[field->slot], field->type, v)) {
            slots[field->slot] = (struct iv_val){.kind = IV_KIND_ABSENT};
        }
    }
}

static void set_text(struct iv_val *slot, struct iv_str text)
{
    if (text.n > 0) {
        *slot = iv_val_str(text);
    }
}

static iv_rc read_origin(struct iv_origin *out, const struct iv_val *data, struct iv_err *err)
{
    int64_t partition = 0;
    TRY(iv_told_text(&out->topic, data, "topic", err));
    TRY(iv_told_int(&partition, data, "partition", 0, INT32_MAX, err));
    TRY(iv_told_int(&out->offset, data, "offset", 0, INT64_MAX, err));
    out->partition = (int32_t)partition;
    return IV_OK;
}

static iv_rc read_trigger(struct iv_sighting *out, const struct iv_catalogue *catalogue,
                          struct iv_arena *arena, const struct iv_val *finding, struct iv_err *err)
{
    const char *const name = "evidences[0].name";
    ENSURE(iv_str_eq(iv_told_text_or_empty(finding, name), IV_STR("trigger")), err, IV_E_MALFORMED,
           "%s: must be \"trigger\"", name);
    const struct iv_val *data = iv_told_at(finding, "evidences[0].data");
    ENSURE(data != NULL, err, IV_E_MALFORMED, "evidences[0].data: is absent, must be an object");
    TRY(iv_told_text(&out->source, data, "source", err));
    TRY(iv_told_text(&out->id, data, "id", err));
    TRY(iv_told_time(&out->time, data, "time", err));
    if (!iv_own_is(iv_told_text_or_empty(finding, "finding_info.analytic.uid"))) {
        TRY(read_origin(&out->origin, data, err));
    }
    struct iv_str type = iv_told_text_or_empty(data, "type");
    out->type = iv_catalogue_find(catalogue, type);
    out->type = out->type == NULL ? iv_catalogue_unknown(catalogue) : out->type;
    out->origin.stream = out->type->stream;
    struct iv_val *slots = iv_arena_zalloc(arena, out->type->slot_count * sizeof *slots);
    ENSURE(slots != NULL, err, IV_E_NOMEM, "cannot allocate a finding");
    slots[IV_ATTR_TIME] = iv_val_timestamp(iv_instant_of_ns(out->time));
    set_text(&slots[IV_ATTR_ID], out->id);
    set_text(&slots[IV_ATTR_SOURCE], out->source);
    set_text(&slots[IV_ATTR_TYPE], type);
    set_text(&slots[IV_ATTR_TOPIC], iv_str_of(iv_stream_name(out->origin.stream)));
    set_text(&slots[IV_ATTR_TENANT], iv_told_text_or_empty(finding, "metadata.tenant_uid"));
    set_text(&slots[IV_ATTR_AGENT], iv_told_text_or_empty(finding, "resources[0].uid"));
    const struct iv_val *fields = iv_told_at(data, "fields");
    if (fields != NULL && fields->kind == IV_KIND_MAP) {
        fill_fields(slots, out->type, fields);
    }
    out->object = (struct iv_object){.slot_of = out->type->slot_of, .slots = slots};
    return IV_OK;
}

static iv_rc read_waiver(struct iv_verdict *out, struct iv_arena *arena, const struct iv_val *finding,
                         struct iv_err *err)
{
    const struct iv_val *suppressed = iv_told_at(finding, "unmapped.suppressed");
    if (suppressed == NULL || suppressed->kind != IV_KIND_BOOL || !suppressed->b) {
        return IV_OK;
    }
    struct iv_waiver *waiver = iv_arena_zalloc(arena, sizeof *waiver);
    ENSURE(waiver != NULL, err, IV_E_NOMEM, "cannot allocate a finding");
    waiver->by = iv_told_text_or_empty(finding, "unmapped.waiver.by");
    waiver->reason = iv_told_text_or_empty(finding, "unmapped.waiver.reason");
    waiver->until = IV_NS_MAX;
    out->waiver = waiver;
    return IV_OK;
}

static iv_rc read_row(struct iv_told_finding *out, struct iv_arena *arena, const struct iv_val *finding,
                      struct iv_err *err)
{
    struct iv_finding *row = &out->row;
    int64_t severity = 0;
    TRY(iv_told_uid(&row->uid, finding, "finding_info.uid", err));
    TRY(iv_told_text(&row->rule, finding, "finding_info.analytic.uid", err));
    TRY(iv_told_text(&row->title, finding, "finding_info.title", err));
    TRY(iv_told_int(&severity, finding, "severity_id", IV_SEV_INFO + 1, IV_SEV_CRITICAL + 1, err));
    TRY(iv_told_int(&row->witnesses, finding, "unmapped.witness_total", 0, INT64_MAX, err));
    TRY(read_kind(&row->kind, finding, err));
    TRY(read_mode(&row->mode, finding, err));
    TRY(read_criteria(&row->criteria, arena, finding, err));
    row->severity = (enum iv_severity)(severity - 1);
    row->suppressed = out->verdict.waiver != NULL;
    row->tenant = iv_told_text_or_empty(finding, "metadata.tenant_uid");
    row->agent = iv_told_text_or_empty(finding, "resources[0].uid");
    row->trigger_source = out->verdict.trigger.source;
    row->trigger_id = out->verdict.trigger.id;
    row->trigger_type = iv_told_text_or_empty(finding, "evidences[0].data.type");
    row->time = out->verdict.trigger.time;
    return IV_OK;
}

iv_rc iv_told_finding_read(struct iv_told_finding *out, struct iv_decoder *decoder,
                           const struct iv_catalogue *catalogue, struct iv_arena *arena, struct iv_str json,
                           iv_ns wall, struct iv_err *err)
{
    struct iv_val finding;
    *out = (struct iv_told_finding){.row = {.detected = wall, .ocsf = json, .told = true}};
    TRY(iv_told_parse(&finding, decoder, arena, json, err));
    TRY(read_waiver(&out->verdict, arena, &finding, err));
    TRY(read_trigger(&out->verdict.trigger, catalogue, arena, &finding, err));
    TRY(read_row(out, arena, &finding, err));
    out->baseline = iv_told_baseline(&finding);
    out->detail = iv_told_text_or_empty(&finding, "status_detail");
    out->playbook = iv_told_text_or_empty(&finding, "remediation.desc");
    out->verdict.kind = out->row.kind;
    out->verdict.witness_total = (size_t)out->row.witnesses;
    IV_CHECK(iv_hex_decode(out->verdict.uid, IV_UID_BYTES, out->row.uid));
    return IV_OK;
}
