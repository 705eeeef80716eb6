/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "base/json_write.h"
#include "respond/template.h"
#include "respond/template_names.h"

#include <string.h>

/* An event's record is at most 1 MiB, so no rendered text needs more. */
#define TEXT_MAX_BYTES (2u << 20)

static struct iv_val text_of(const char *text)
{
    return iv_val_str(iv_str_of(text));
}

static struct iv_val finding_value(const struct iv_finding *f, int known)
{
    switch (known) {
    case IV_FINDING_UID:
        return iv_val_str(f->uid);
    case IV_FINDING_TIME:
        return iv_val_timestamp(iv_instant_of_ns(f->time));
    case IV_FINDING_SEVERITY:
        return text_of(iv_severity_name(f->severity));
    default:
        return iv_val_str(f->criteria);
    }
}

static struct iv_val rule_value(const struct iv_rule *rule, int known)
{
    switch (known) {
    case IV_RULE_ID:
        return iv_val_str(rule->id);
    case IV_RULE_TITLE:
        return iv_val_str(rule->title);
    default:
        return text_of(iv_severity_name(rule->severity));
    }
}

static struct iv_val trigger_value(const struct iv_sighting *trigger, uint16_t name_id)
{
    uint8_t slot = trigger->object.slot_of == NULL ? IV_NO_SLOT : trigger->object.slot_of[name_id];
    return slot == IV_NO_SLOT ? (struct iv_val){.kind = IV_KIND_ABSENT} : trigger->object.slots[slot];
}

static struct iv_val value_of(const struct iv_reference *r, const struct iv_bindings *b)
{
    switch (r->scope) {
    case IV_SCOPE_TRIGGER:
        return trigger_value(&b->verdict->trigger, r->name_id);
    case IV_SCOPE_FINDING:
        return finding_value(b->finding, r->known);
    case IV_SCOPE_RULE:
        return rule_value(b->verdict->rule, r->known);
    case IV_SCOPE_EXECUTION:
        return iv_val_str(r->known == IV_EXECUTION_KEY ? b->execution->key : b->execution->playbook);
    default:
        if (b->step == NULL) {
            return (struct iv_val){.kind = IV_KIND_ABSENT};
        }
        return iv_val_str(r->known == IV_STEP_KEY ? b->step->key : b->step->name);
    }
}

/* A list or a map can be no part of a text; the load refused those that it knew of. */
static bool is_scalar(const struct iv_val *v)
{
    return v->kind >= IV_KIND_BOOL && v->kind <= IV_KIND_DURATION;
}

static iv_rc lookup(struct iv_val *out, const struct iv_reference *r, const struct iv_bindings *b,
                    struct iv_err *err)
{
    struct iv_val v = value_of(r, b);
    if (!is_scalar(&v)) {
        ENSURE(r->optional, err, IV_E_ABSENT,
               "the playbook needs '" IV_STR_FMT "' of the trigger, which this " IV_STR_FMT " does not have",
               IV_STR_ARG(r->name), IV_STR_ARG(b->verdict->trigger.type->name));
        v = (struct iv_val){.kind = IV_KIND_NULL};
    }
    *out = v;
    return IV_OK;
}

static void percent_encode(struct iv_buf *out, struct iv_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool unreserved = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                          c == '-' || c == '.' || c == '_' || c == '~';
        if (unreserved) {
            iv_buf_char(out, (char)c);
        } else {
            iv_buf_printf(out, "%%%02X", c);
        }
    }
}

/* A segment that is "." or ".." would be taken out of the path by clients and servers alike. */
static bool is_dots(struct iv_str s)
{
    return iv_str_eq(s, IV_STR(".")) || iv_str_eq(s, IV_STR(".."));
}

/* A value as it reads inside of text: a string as it is, anything else as JSON has it, without quotes. */
static void value_text(struct iv_buf *out, const struct iv_val *v)
{
    if (v->kind == IV_KIND_NULL) {
        return;
    }
    if (v->kind == IV_KIND_STRING) {
        iv_buf_str(out, iv_val_slice(*v));
        return;
    }
    IV_AUTO(iv_buf_deinit) struct iv_buf json;
    iv_buf_init(&json, TEXT_MAX_BYTES);
    iv_val_json(&json, v);
    struct iv_str s = iv_buf_slice(&json);
    iv_buf_inherit(out, &json);
    bool quoted = s.n >= 2 && s.p[0] == '"';
    iv_buf_str(out, quoted ? (struct iv_str){s.p + 1, s.n - 2} : s);
}

static bool is_segment(struct iv_str s)
{
    return memchr(s.p, '/', s.n) == NULL && memchr(s.p, '\0', s.n) == NULL;
}

static iv_rc render_part(struct iv_buf *out, const struct iv_template_part *part, enum iv_rendering rendering,
                         const struct iv_bindings *bindings, struct iv_err *err)
{
    if (!part->is_reference) {
        iv_buf_str(out, part->literal);
        return IV_OK;
    }
    struct iv_val v;
    TRY(lookup(&v, &part->reference, bindings, err));
    if (rendering == IV_RENDER_TEXT) {
        value_text(out, &v);
        return IV_OK;
    }
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    iv_buf_init(&text, TEXT_MAX_BYTES);
    value_text(&text, &v);
    TRY(iv_buf_check(&text, "a rendered text", err));
    struct iv_str s = iv_buf_slice(&text);
    bool good = s.n > 0 && !is_dots(s) && (rendering == IV_RENDER_PATH || is_segment(s));
    ENSURE(good, err, IV_E_RANGE, "'" IV_STR_FMT "' is '" IV_STR_FMT "', which cannot stand in a path",
           IV_STR_ARG(part->reference.name), IV_STR_ARG(s));
    if (rendering == IV_RENDER_PATH) {
        percent_encode(out, s);
    } else {
        iv_buf_str(out, s);
    }
    return IV_OK;
}

iv_rc iv_template_text(struct iv_buf *out, const struct iv_template *t, enum iv_rendering rendering,
                       const struct iv_bindings *bindings, struct iv_err *err)
{
    for (size_t i = 0; i < t->count; i++) {
        TRY(render_part(out, &t->parts[i], rendering, bindings, err));
    }
    return IV_OK;
}

iv_rc iv_template_json(struct iv_buf *out, const struct iv_template *t, const struct iv_bindings *bindings,
                       struct iv_err *err)
{
    if (t->count == 1 && t->parts[0].is_reference) {
        struct iv_val v;
        TRY(lookup(&v, &t->parts[0].reference, bindings, err));
        iv_val_json(out, &v);
        return IV_OK;
    }
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    iv_buf_init(&text, TEXT_MAX_BYTES);
    TRY(iv_template_text(&text, t, IV_RENDER_TEXT, bindings, err));
    TRY(iv_buf_check(&text, "a rendered text", err));
    iv_json_string(out, iv_buf_slice(&text));
    return IV_OK;
}
