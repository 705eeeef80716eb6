/* SPDX-License-Identifier: Apache-2.0 */
/* Optional values. Source: the CEL extension "optional types". */
#include "cel/lib.h"

IV_CEL_FN(iv_cel_optional_none)
{
    *out = (struct iv_val){.kind = IV_KIND_OPTIONAL};
    return IV_OK;
}

IV_CEL_FN(iv_cel_optional_of)
{
    return iv_cel_some(out, &args[0], frame, err);
}

static bool is_zero(const struct iv_val *v)
{
    switch ((enum iv_kind)v->kind) {
    case IV_KIND_ABSENT:
    case IV_KIND_NULL:
        return true;
    case IV_KIND_BOOL:
        return !v->b;
    case IV_KIND_INT:
        return v->i == 0;
    case IV_KIND_UINT:
        return v->u == 0;
    case IV_KIND_DOUBLE:
        return v->d == 0;
    case IV_KIND_STRING:
    case IV_KIND_BYTES:
    case IV_KIND_LIST:
    case IV_KIND_MAP:
    case IV_KIND_OPTIONAL:
        return v->n == 0;
    case IV_KIND_TIMESTAMP: /* the zero of CEL's timestamps is the epoch of protobuf */
    case IV_KIND_DURATION:
        return v->i == 0 && v->n == 0;
    case IV_KIND_OBJECT:
    case IV_KIND_TYPE:
    case IV_KIND_OPAQUE:
        break;
    }
    return false;
}

IV_CEL_FN(iv_cel_optional_of_non_zero)
{
    if (is_zero(&args[0])) {
        *out = (struct iv_val){.kind = IV_KIND_OPTIONAL};
        return IV_OK;
    }
    return iv_cel_some(out, &args[0], frame, err);
}

IV_CEL_FN(iv_cel_optional_has_value)
{
    *out = iv_val_bool(args[0].n == 1);
    return IV_OK;
}

IV_CEL_FN(iv_cel_optional_value)
{
    ENSURE(args[0].n == 1, err, IV_E_EVAL, "optional.none() dereference: the optional has no value");
    *out = args[0].items[0];
    return IV_OK;
}

IV_CEL_FN(iv_cel_optional_or)
{
    *out = args[0].n == 1 ? args[0] : args[1];
    return IV_OK;
}

IV_CEL_FN(iv_cel_optional_or_value)
{
    *out = args[0].n == 1 ? args[0].items[0] : args[1];
    return IV_OK;
}

IV_CEL_FN(iv_cel_optional_unwrap)
{
    struct iv_val *items = NULL;
    struct iv_val list = {.kind = IV_KIND_LIST};
    TRY(iv_cel_spend(frame, args[0].n, err));
    TRY(iv_cel_alloc(&items, frame, args[0].n * sizeof *items, err));
    for (size_t i = 0; i < args[0].n; i++) {
        const struct iv_val *item = &args[0].items[i];
        ENSURE(item->kind == IV_KIND_OPTIONAL, err, IV_E_EVAL,
               "no such overload: the list holds what is no optional");
        if (item->n == 1) {
            items[list.n++] = item->items[0];
        }
    }
    list.items = items;
    *out = list;
    return IV_OK;
}
