/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "event/decoder.h"

#include <math.h>

static iv_rc wrong_type(const struct iv_decoding *d, uint32_t at, const char *expected)
{
    return iv_malformed(d, at, "is %s, must be %s", iv_node_kind_name(d->tape->nodes[at].kind), expected);
}

static iv_rc take_string(const struct iv_decoding *d, uint32_t at, struct iv_val *out)
{
    const struct iv_node *node = &d->tape->nodes[at];
    if (node->kind != IV_NODE_STRING) {
        return wrong_type(d, at, "a string");
    }
    *out = iv_val_str(iv_node_text(node));
    return IV_OK;
}

static iv_rc take_int(const struct iv_decoding *d, uint32_t at, struct iv_val *out)
{
    const struct iv_node *node = &d->tape->nodes[at];
    if (node->kind == IV_NODE_BIG) {
        return iv_malformed(d, at, "is an integer beyond 64 bits");
    }
    if (node->kind != IV_NODE_INT) {
        return wrong_type(d, at, "an integer");
    }
    *out = iv_val_int(node->i);
    return IV_OK;
}

static iv_rc take_double(const struct iv_decoding *d, uint32_t at, struct iv_val *out)
{
    const struct iv_node *node = &d->tape->nodes[at];
    if (node->kind == IV_NODE_INT) {
        *out = iv_val_double((double)node->i);
        return IV_OK;
    }
    if (node->kind != IV_NODE_DOUBLE && node->kind != IV_NODE_BIG) {
        return wrong_type(d, at, "a number");
    }
    if (!isfinite(node->d)) {
        return iv_malformed(d, at, "is a number beyond every double");
    }
    *out = iv_val_double(node->d);
    return IV_OK;
}

static iv_rc take_bool(const struct iv_decoding *d, uint32_t at, struct iv_val *out)
{
    const struct iv_node *node = &d->tape->nodes[at];
    if (node->kind != IV_NODE_BOOL) {
        return wrong_type(d, at, "true or false");
    }
    *out = iv_val_bool(node->b);
    return IV_OK;
}

static iv_rc take_timestamp(const struct iv_decoding *d, uint32_t at, struct iv_val *out)
{
    const struct iv_node *node = &d->tape->nodes[at];
    struct iv_instant t = {0};
    if (node->kind != IV_NODE_STRING) {
        return wrong_type(d, at, "a string with an RFC 3339 time");
    }
    if (!iv_instant_parse(&t, iv_node_text(node))) {
        return iv_malformed(d, at, "\"%.*s\" is no RFC 3339 time with at most 9 fractional digits",
                            (int)(node->n < 64 ? node->n : 64), node->p);
    }
    *out = iv_val_timestamp(t);
    return IV_OK;
}

static iv_rc take_duration(const struct iv_decoding *d, uint32_t at, struct iv_val *out)
{
    const struct iv_node *node = &d->tape->nodes[at];
    struct iv_instant length = {0};
    if (node->kind != IV_NODE_STRING) {
        return wrong_type(d, at, "a string with a duration");
    }
    if (!iv_duration_parse(&length, iv_node_text(node), false)) {
        return iv_malformed(d, at, "\"%.*s\" is no duration such as \"1.5s\"",
                            (int)(node->n < 64 ? node->n : 64), node->p);
    }
    if (length.s < 0) {
        return iv_malformed(d, at, "is a duration below 0");
    }
    *out = iv_val_duration(length);
    return IV_OK;
}

typedef iv_rc (*take_fn)(const struct iv_decoding *d, uint32_t at, struct iv_val *out);

static iv_rc take_list(const struct iv_decoding *d, uint32_t at, struct iv_val *out, take_fn take_item)
{
    const struct iv_node *list = &d->tape->nodes[at];
    if (list->kind != IV_NODE_LIST) {
        return wrong_type(d, at, "a list");
    }
    struct iv_val *items = iv_arena_alloc(d->arena, (size_t)list->n * sizeof *items);
    ENSURE(items != NULL, d->err, IV_E_NOMEM, "cannot allocate a list of %u items", list->n);
    uint32_t item = at + 1;
    for (uint32_t i = 0; i < list->n; i++) {
        TRY(take_item(d, item, &items[i]));
        item = iv_tape_next(d->tape, item);
    }
    *out = (struct iv_val){.kind = IV_KIND_LIST, .n = list->n, .items = items};
    return IV_OK;
}

static iv_rc take_map(const struct iv_decoding *d, uint32_t at, struct iv_val *out)
{
    if (d->tape->nodes[at].kind != IV_NODE_MAP) {
        return wrong_type(d, at, "an object");
    }
    /* Of two members of one name the last counts; the ledger refuses them elsewhere. */
    static const struct iv_json_options options = {.lenient_members = true, .as_doubles = true};
    struct iv_fault fault = {0};
    struct iv_rc_s rc = iv_node_value(out, &fault, d->decoder, at, &options, d->arena, d->err);
    return fault.what == NULL ? rc : iv_malformed(d, fault.node, "%s", fault.what);
}

static iv_rc take_field(const struct iv_decoding *d, const struct iv_field *field, uint32_t at,
                        struct iv_val *out)
{
    switch (field->type) {
    case IV_F_STRING:
        return take_string(d, at, out);
    case IV_F_INT:
        return take_int(d, at, out);
    case IV_F_DOUBLE:
        return take_double(d, at, out);
    case IV_F_BOOL:
        return take_bool(d, at, out);
    case IV_F_TIMESTAMP:
        return take_timestamp(d, at, out);
    case IV_F_DURATION:
        return take_duration(d, at, out);
    case IV_F_LIST_STRING:
        return take_list(d, at, out, take_string);
    case IV_F_LIST_INT:
        return take_list(d, at, out, take_int);
    case IV_F_LIST_DOUBLE:
        return take_list(d, at, out, take_double);
    case IV_F_LIST_BOOL:
        return take_list(d, at, out, take_bool);
    case IV_F_MAP:
        return take_map(d, at, out);
    }
    return IV_OK;
}

/* Names end in _id where they identify something. */
static bool is_identifier(struct iv_str name)
{
    return name.n >= 3 && memcmp(name.p + name.n - 3, "_id", 3) == 0;
}

static iv_rc take_member(const struct iv_decoding *d, const struct iv_field *field, uint32_t name)
{
    const struct iv_node *node = &d->tape->nodes[name + 1];
    if (node->kind == IV_NODE_NULL) {
        return IV_OK;
    }
    TRY(take_field(d, field, name + 1, &d->event->slots[field->slot]));
    size_t longest = d->decoder->limits.identifier_bytes;
    if (node->kind == IV_NODE_STRING && node->n > longest && is_identifier(field->name)) {
        return iv_malformed(d, name, "has %u bytes, at most %zu are allowed", node->n, longest);
    }
    return IV_OK;
}

static iv_rc take_members(const struct iv_decoding *d, uint32_t data)
{
    const struct iv_event_type *type = d->event->type;
    uint64_t seen[4] = {0}; /* a type has at most 200 fields */
    uint32_t name = data + 1;
    for (uint32_t i = 0; i < d->tape->nodes[data].n; i++) {
        int index = iv_name_table_find(&type->lookup, iv_node_text(&d->tape->nodes[name]));
        if (index >= 0) {
            uint64_t bit = UINT64_C(1) << (index & 63);
            if ((seen[index >> 6] & bit) != 0) {
                return iv_malformed(d, name, "stands twice");
            }
            seen[index >> 6] |= bit;
            TRY(take_member(d, &type->fields[index], name));
        }
        name = iv_tape_next(d->tape, name + 1);
    }
    return IV_OK;
}

iv_rc iv_fields_read(struct iv_decoding *d)
{
    const struct iv_event_type *type = d->event->type;
    if (d->data != 0 && type->index != iv_catalogue_types(d->decoder->catalogue)) {
        if (d->tape->nodes[d->data].kind != IV_NODE_MAP) {
            return wrong_type(d, d->data, "an object");
        }
        TRY(take_members(d, d->data));
    }
    for (size_t i = 0; i < type->field_count; i++) {
        const struct iv_field *field = &type->fields[i];
        ENSURE(!field->required || d->event->slots[field->slot].kind != IV_KIND_ABSENT, d->err,
               IV_E_MALFORMED, "" IV_STR_FMT ": is required for " IV_STR_FMT ", and is not there",
               IV_STR_ARG(field->name), IV_STR_ARG(type->name));
    }
    return IV_OK;
}
