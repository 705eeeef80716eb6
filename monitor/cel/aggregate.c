/* SPDX-License-Identifier: Apache-2.0 */
/* Lists, maps and optionals: equality, membership, selection, construction.
 * Equality recurses as deep as values nest, which is bounded by the expression and by what the host binds;
 * its cost is charged, since shared parts can make a small value large. */
#include "base/guard.h"
#include "cel/env.h"
#include "cel/lib.h"

static iv_rc equal_items(bool *out, const struct iv_val *a, const struct iv_val *b,
                         struct iv_cel_frame *frame, struct iv_err *err)
{
    *out = a->n == b->n;
    for (size_t i = 0; *out && i < a->n; i++) {
        TRY(iv_cel_equal(out, &a->items[i], &b->items[i], frame, err));
    }
    return IV_OK;
}

static iv_rc equal_maps(bool *out, const struct iv_val *a, const struct iv_val *b, struct iv_cel_frame *frame,
                        struct iv_err *err)
{
    *out = a->n == b->n;
    for (size_t i = 0; *out && i < a->n; i++) {
        const struct iv_val *other = NULL;
        TRY(iv_cel_map_find(&other, b, &a->items[2 * i], frame, err));
        *out = other != NULL;
        if (other != NULL) {
            TRY(iv_cel_equal(out, &a->items[2 * i + 1], other, frame, err));
        }
    }
    return IV_OK;
}

iv_rc iv_cel_equal(bool *out, const struct iv_val *a, const struct iv_val *b, struct iv_cel_frame *frame,
                   struct iv_err *err)
{
    if (a->kind != b->kind) {
        *out = iv_val_eq(a, b); /* numbers of different types, or not equal */
        return IV_OK;
    }
    switch ((enum iv_kind)a->kind) {
    case IV_KIND_LIST:
    case IV_KIND_OPTIONAL:
        TRY(iv_cel_spend(frame, (size_t)a->n + 1, err));
        return equal_items(out, a, b, frame, err);
    case IV_KIND_MAP:
        TRY(iv_cel_spend(frame, (size_t)a->n + 1, err));
        return equal_maps(out, a, b, frame, err);
    case IV_KIND_STRING:
    case IV_KIND_BYTES:
        TRY(iv_cel_spend(frame, a->n >> 6, err));
        break;
    default:
        break;
    }
    *out = iv_val_eq(a, b);
    return IV_OK;
}

static bool is_key(const struct iv_val *v)
{
    return v->kind == IV_KIND_STRING || v->kind == IV_KIND_INT || v->kind == IV_KIND_UINT ||
           v->kind == IV_KIND_BOOL;
}

iv_rc iv_cel_map_find(const struct iv_val **out, const struct iv_val *map, const struct iv_val *key,
                      struct iv_cel_frame *frame, struct iv_err *err)
{
    TRY(iv_cel_spend(frame, map->n >> 2, err));
    *out = NULL;
    if (key->kind == IV_KIND_STRING) {
        TRY(iv_cel_spend_memory(frame, key->n, err));
    } else {
        *out = is_key(key) || key->kind == IV_KIND_DOUBLE ? iv_val_map_get(map, key) : NULL;
        return IV_OK;
    }
    for (size_t i = 0; i < map->n; i++) {
        const struct iv_val *k = &map->items[2 * i];
        if (k->kind == IV_KIND_STRING && k->n == key->n && (k->n == 0 || memcmp(k->s, key->s, k->n) == 0)) {
            *out = &map->items[2 * i + 1];
            break;
        }
    }
    return IV_OK;
}

iv_rc iv_cel_map_put(struct iv_val *map, struct iv_val *items, const struct iv_val *key,
                     const struct iv_val *value, struct iv_cel_frame *frame, struct iv_err *err)
{
    const struct iv_val *there = NULL;
    if (!is_key(key)) {
        struct iv_str name = iv_cel_kind_name(key);
        return iv_err_set(
            err, IV_E_EVAL,
            "unsupported key type: a map's keys are strings, ints, uints or bools, not " IV_STR_FMT,
            IV_STR_ARG(name));
    }
    TRY(iv_cel_map_find(&there, map, key, frame, err));
    ENSURE(there == NULL, err, IV_E_EVAL, "a key stands twice in the map");
    items[2 * (size_t)map->n] = *key;
    items[2 * (size_t)map->n + 1] = *value;
    map->n++;
    return IV_OK;
}

iv_rc iv_cel_some(struct iv_val *out, const struct iv_val *v, struct iv_cel_frame *frame, struct iv_err *err)
{
    struct iv_val *item = NULL;
    TRY(iv_cel_alloc(&item, frame, sizeof *item, err));
    *item = *v;
    *out = (struct iv_val){.kind = IV_KIND_OPTIONAL, .n = 1, .items = item};
    return IV_OK;
}

/* What an entry contributes: *take is NULL for an optional entry without a value. */
static iv_rc entry_value(const struct iv_val **take, const struct iv_val *v, const struct iv_val *mask,
                         uint32_t i, struct iv_err *err)
{
    *take = v;
    if (mask == NULL || mask->s[i] != '?') {
        return IV_OK;
    }
    ENSURE(v->kind == IV_KIND_OPTIONAL, err, IV_E_EVAL, "no such overload: behind '?' stands an optional");
    *take = v->n == 0 ? NULL : v->items;
    return IV_OK;
}

iv_rc iv_cel_op_list(struct iv_val *out, const struct iv_val *items, uint32_t n, const struct iv_val *mask,
                     struct iv_cel_frame *frame, struct iv_err *err)
{
    struct iv_val *copy = NULL;
    struct iv_val list = {.kind = IV_KIND_LIST};
    TRY(iv_cel_alloc(&copy, frame, n * sizeof *copy, err));
    for (uint32_t i = 0; i < n; i++) {
        const struct iv_val *take = NULL;
        TRY(entry_value(&take, &items[i], mask, i, err));
        if (take != NULL) {
            copy[list.n++] = *take;
        }
    }
    list.items = copy;
    *out = list;
    return IV_OK;
}

iv_rc iv_cel_op_map(struct iv_val *out, const struct iv_val *pairs, uint32_t n, const struct iv_val *mask,
                    struct iv_cel_frame *frame, struct iv_err *err)
{
    struct iv_val *copy = NULL;
    TRY(iv_cel_alloc(&copy, frame, 2 * (size_t)n * sizeof *copy, err));
    struct iv_val map = {.kind = IV_KIND_MAP, .items = copy};
    for (uint32_t i = 0; i < n; i++) {
        const struct iv_val *take = NULL;
        TRY(entry_value(&take, &pairs[2 * (size_t)i + 1], mask, i, err));
        if (take != NULL) {
            TRY(iv_cel_map_put(&map, copy, &pairs[2 * (size_t)i], take, frame, err));
        }
    }
    *out = map;
    return IV_OK;
}

IV_CEL_FN(iv_cel_op_in)
{
    const struct iv_val *found = NULL;
    if (args[1].kind == IV_KIND_MAP) {
        TRY(iv_cel_map_find(&found, &args[1], &args[0], frame, err));
        *out = iv_val_bool(found != NULL);
        return IV_OK;
    }
    if (args[1].kind != IV_KIND_LIST) {
        return iv_cel_fail_overload("in", args, 2, err);
    }
    TRY(iv_cel_spend(frame, args[1].n >> 2, err));
    bool equal = false;
    bool text = args[0].kind == IV_KIND_STRING; /* the usual question: told apart by length, mostly */
    for (size_t i = 0; !equal && i < args[1].n; i++) {
        if (text && args[1].items[i].n != args[0].n) {
            continue;
        }
        TRY(iv_cel_equal(&equal, &args[0], &args[1].items[i], frame, err));
    }
    *out = iv_val_bool(equal);
    return IV_OK;
}

/* The item at an index that may be any number with a whole value. */
static iv_rc list_item(const struct iv_val **out, const struct iv_val *list, const struct iv_val *index,
                       struct iv_err *err)
{
    uint64_t at = UINT64_MAX;
    if (index->kind == IV_KIND_INT) {
        at = index->i < 0 ? UINT64_MAX : (uint64_t)index->i;
    } else if (index->kind == IV_KIND_UINT) {
        at = index->u;
    } else if (index->kind == IV_KIND_DOUBLE && index->d >= 0 && index->d < 0x1p53 &&
               index->d == (double)(uint64_t)index->d) {
        at = (uint64_t)index->d;
    } else {
        struct iv_val both[2] = {*list, *index};
        return iv_cel_fail_overload("[]", both, 2, err);
    }
    *out = at < list->n ? &list->items[at] : NULL;
    return IV_OK;
}

static iv_rc find_item(const struct iv_val **out, const struct iv_val *of, const struct iv_val *index,
                       struct iv_cel_frame *frame, struct iv_err *err)
{
    if (of->kind == IV_KIND_MAP) {
        return iv_cel_map_find(out, of, index, frame, err);
    }
    if (of->kind == IV_KIND_LIST) {
        return list_item(out, of, index, err);
    }
    struct iv_val both[2] = {*of, *index};
    return iv_cel_fail_overload("[]", both, 2, err);
}

/* What was found, as an optional or as it is. */
static iv_rc answer(struct iv_val *out, const struct iv_val *found, bool optional, struct iv_cel_frame *frame,
                    struct iv_err *err)
{
    if (!optional) {
        *out = *found;
        return IV_OK;
    }
    if (found != NULL) {
        return iv_cel_some(out, found, frame, err);
    }
    *out = (struct iv_val){.kind = IV_KIND_OPTIONAL};
    return IV_OK;
}

iv_rc iv_cel_op_index(struct iv_val *out, const struct iv_val *args, bool optional,
                      struct iv_cel_frame *frame, struct iv_err *err)
{
    const struct iv_val *of = &args[0];
    const struct iv_val *found = NULL;
    bool in_optional = of->kind == IV_KIND_OPTIONAL;
    if (in_optional && of->n == 0) {
        return answer(out, NULL, true, frame, err);
    }
    of = in_optional ? of->items : of;
    TRY(find_item(&found, of, &args[1], frame, err));
    if (found == NULL && !optional && !in_optional) {
        return of->kind == IV_KIND_MAP
                   ? iv_err_set(err, IV_E_EVAL, "no such key in the map")
                   : iv_err_set(err, IV_E_EVAL, "index out of range of a list of %u", of->n);
    }
    return answer(out, found, optional || in_optional, frame, err);
}

iv_rc iv_cel_op_select(struct iv_val *out, const struct iv_val *of, const struct iv_val *name, bool optional,
                       struct iv_cel_frame *frame, struct iv_err *err)
{
    const struct iv_val *found = NULL;
    bool in_optional = of->kind == IV_KIND_OPTIONAL;
    if (in_optional && of->n == 0) {
        return answer(out, NULL, true, frame, err);
    }
    of = in_optional ? of->items : of;
    if (of->kind != IV_KIND_MAP) {
        struct iv_str kind = iv_cel_kind_name(of);
        return iv_err_set(err, IV_E_EVAL,
                          "no such key: a value of type " IV_STR_FMT " has no field '" IV_STR_FMT "'",
                          IV_STR_ARG(kind), IV_STR_ARG(iv_cel_brief(iv_val_slice(*name))));
    }
    TRY(iv_cel_map_find(&found, of, name, frame, err));
    if (found == NULL && !optional && !in_optional) {
        return iv_err_set(err, IV_E_EVAL, "no such key: '" IV_STR_FMT "'",
                          IV_STR_ARG(iv_cel_brief(iv_val_slice(*name))));
    }
    return answer(out, found, optional || in_optional, frame, err);
}

iv_rc iv_cel_op_test(bool *out, const struct iv_val *of, const struct iv_val *name,
                     struct iv_cel_frame *frame, struct iv_err *err)
{
    const struct iv_val *found = NULL;
    while (of->kind == IV_KIND_OPTIONAL && of->n == 1) {
        of = of->items;
    }
    if (of->kind == IV_KIND_MAP) {
        TRY(iv_cel_map_find(&found, of, name, frame, err));
    } else if (of->kind != IV_KIND_OPTIONAL) {
        struct iv_str kind = iv_cel_kind_name(of);
        return iv_err_set(err, IV_E_EVAL, "a value of type " IV_STR_FMT " has no fields", IV_STR_ARG(kind));
    }
    *out = found != NULL;
    return IV_OK;
}
