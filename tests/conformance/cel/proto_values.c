/* SPDX-License-Identifier: Apache-2.0 */
#include "conformance/cel/proto_values.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

static bool is(struct iv_str a, const char *b)
{
    return iv_str_eq(a, iv_str_of(b));
}

static const struct iv_cel_type *named_type(struct iv_str name)
{
    static const struct {
        const char *name;
        const struct iv_cel_type *type;
    } table[] = {
        {"BOOL", &iv_cel_bool},
        {"INT64", &iv_cel_int},
        {"UINT64", &iv_cel_uint},
        {"DOUBLE", &iv_cel_double},
        {"STRING", &iv_cel_string},
        {"BYTES", &iv_cel_bytes},
        {"TIMESTAMP", &iv_cel_timestamp},
        {"google.protobuf.Timestamp", &iv_cel_timestamp},
        {"DURATION", &iv_cel_duration},
        {"google.protobuf.Duration", &iv_cel_duration},
        {"ANY", &iv_cel_dyn},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (is(name, table[i].name)) {
            return table[i].type;
        }
    }
    return NULL;
}

static struct iv_cel_type *new_type(struct iv_arena *arena, enum iv_cel_tkind kind)
{
    struct iv_cel_type *type = iv_arena_zalloc(arena, sizeof *type);
    cr_assert(type != NULL);
    type->kind = kind;
    return type;
}

static bool abstract_type(const struct iv_cel_type **out, const struct text_field *f, struct iv_arena *arena)
{
    struct iv_str name = textproto_text(f->first, "name");
    struct iv_cel_type *type = new_type(arena, is(name, "optional_type") ? IV_CEL_OPTIONAL : IV_CEL_OPAQUE);
    type->name = iv_arena_str(arena, name).p;
    size_t n = 0;
    const struct text_field *p = textproto_get(f->first, "parameter_types");
    for (; p != NULL && n < 3; p = textproto_next(p)) {
        if (!proto_type(&type->args[n++], p->first, arena)) {
            return false;
        }
    }
    *out = type;
    return true;
}

bool proto_type(const struct iv_cel_type **out, const struct text_field *f, struct iv_arena *arena)
{
    struct iv_cel_type *type = NULL;
    if (is(f->name, "dyn")) {
        *out = &iv_cel_dyn;
        return true;
    }
    if (is(f->name, "null")) {
        *out = &iv_cel_null;
        return true;
    }
    if (is(f->name, "primitive") || is(f->name, "well_known") || is(f->name, "message_type")) {
        *out = named_type(f->text);
        return *out != NULL;
    }
    if (is(f->name, "list_type")) {
        *out = type = new_type(arena, IV_CEL_LIST);
        return proto_type(&type->args[0], textproto_get(f->first, "elem_type")->first, arena);
    }
    if (is(f->name, "map_type")) {
        *out = type = new_type(arena, IV_CEL_MAP);
        return proto_type(&type->args[0], textproto_get(f->first, "key_type")->first, arena) &&
               proto_type(&type->args[1], textproto_get(f->first, "value_type")->first, arena);
    }
    if (is(f->name, "type")) {
        *out = type = new_type(arena, IV_CEL_TYPE);
        return proto_type(&type->args[0], f->first, arena);
    }
    if (is(f->name, "type_param")) {
        *out = type = new_type(arena, IV_CEL_PARAM);
        type->name = iv_arena_str(arena, f->text).p;
        return true;
    }
    return is(f->name, "abstract_type") && abstract_type(out, f, arena);
}

static bool object_value(struct iv_val *out, const struct text_field *object)
{
    const struct text_field *any = object->first;
    if (any == NULL) {
        return false;
    }
    struct iv_instant t = {atoll(textproto_text(any->first, "seconds").p), 0};
    int64_t ns = atoll(textproto_text(any->first, "nanos").p);
    t.s -= ns < 0;
    t.ns = (int32_t)(ns < 0 ? ns + IV_NS_PER_S : ns);
    if (is(any->name, "[type.googleapis.com/google.protobuf.Timestamp]")) {
        *out = iv_val_timestamp(t);
        return true;
    }
    *out = iv_val_duration(t);
    return is(any->name, "[type.googleapis.com/google.protobuf.Duration]");
}

static bool items(struct iv_val *out, const struct text_field *holder, bool map, struct iv_arena *arena)
{
    struct iv_val list = {.kind = map ? IV_KIND_MAP : IV_KIND_LIST};
    const struct text_field *first = textproto_get(holder->first, map ? "entries" : "values");
    size_t n = 0;
    for (const struct text_field *f = first; f != NULL; f = textproto_next(f)) {
        n++;
    }
    struct iv_val *values = iv_arena_zalloc(arena, (2 * n + 1) * sizeof *values);
    list.items = values;
    for (const struct text_field *f = first; f != NULL; f = textproto_next(f), list.n++) {
        bool good = map ? proto_value(values++, textproto_get(f->first, "key")->first, arena) &&
                              proto_value(values++, textproto_get(f->first, "value")->first, arena)
                        : proto_value(values++, f->first, arena);
        if (!good) {
            return false;
        }
    }
    *out = list;
    return true;
}

bool proto_value(struct iv_val *out, const struct text_field *f, struct iv_arena *arena)
{
    if (f == NULL) {
        return false;
    }
    const char *text = iv_arena_str(arena, f->text).p; /* with a NUL behind it */
    if (is(f->name, "null_value")) {
        *out = (struct iv_val){.kind = IV_KIND_NULL};
    } else if (is(f->name, "bool_value")) {
        *out = iv_val_bool(is(f->text, "true"));
    } else if (is(f->name, "int64_value")) {
        *out = iv_val_int(strtoll(text, NULL, 0));
    } else if (is(f->name, "uint64_value")) {
        *out = iv_val_uint(strtoull(text, NULL, 0));
    } else if (is(f->name, "double_value")) {
        *out = iv_val_double(strtod(text, NULL));
    } else if (is(f->name, "string_value")) {
        *out = iv_val_str(f->text);
    } else if (is(f->name, "bytes_value")) {
        *out = iv_val_bytes(f->text);
    } else if (is(f->name, "type_value")) {
        *out = (struct iv_val){.kind = IV_KIND_TYPE, .n = (uint32_t)f->text.n, .s = f->text.p};
    } else if (is(f->name, "object_value")) {
        return object_value(out, f);
    } else if (is(f->name, "list_value") || is(f->name, "map_value")) {
        return items(out, f, is(f->name, "map_value"), arena);
    } else {
        return false;
    }
    return true;
}

static bool same_map(const struct iv_val *a, const struct iv_val *b)
{
    for (size_t i = 0; i < a->n; i++) {
        const struct iv_val *key = &a->items[2 * i];
        bool found = false;
        for (size_t k = 0; !found && k < b->n; k++) {
            found = proto_same(key, &b->items[2 * k]) && proto_same(key + 1, &b->items[2 * k + 1]);
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

bool proto_same(const struct iv_val *a, const struct iv_val *b)
{
    if (a->kind != b->kind) {
        return false;
    }
    if (a->kind == IV_KIND_DOUBLE) {
        return a->d == b->d ? signbit(a->d) == signbit(b->d) : isnan(a->d) && isnan(b->d);
    }
    if (a->kind != IV_KIND_LIST && a->kind != IV_KIND_MAP) {
        return iv_val_eq(a, b);
    }
    if (a->n != b->n) {
        return false;
    }
    for (size_t i = 0; a->kind == IV_KIND_LIST && i < a->n; i++) {
        if (!proto_same(&a->items[i], &b->items[i])) {
            return false;
        }
    }
    return a->kind == IV_KIND_LIST || same_map(a, b);
}
