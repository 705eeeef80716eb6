/* SPDX-License-Identifier: Apache-2.0 */
/* The macros over lists and maps, as the VM runs them: FOLD begins, NEXT goes to an item, STEP takes what the
 * body made of it, END leaves the result. */
#include "base/guard.h"
#include "cel/env.h"
#include "cel/lib.h"
#include "cel/vm.h"

iv_rc iv_cel_fold_begin(struct iv_cel_vm *vm, struct iv_val *f, enum iv_cel_fold fold)
{
    if (f->kind != IV_KIND_LIST && f->kind != IV_KIND_MAP) {
        struct iv_str name = iv_cel_kind_name(f);
        return iv_err_set(vm->err, IV_E_EVAL,
                          "no such overload: a macro goes over a list or a map, not " IV_STR_FMT,
                          IV_STR_ARG(name));
    }
    f[IV_CEL_FOLD_INDEX] = iv_val_int(0);
    f[IV_CEL_FOLD_VAR1] = f[IV_CEL_FOLD_VAR2] = (struct iv_val){.kind = IV_KIND_NULL};
    struct iv_val *result = &f[IV_CEL_FOLD_RESULT];
    size_t width = 0;
    switch (fold) {
    case IV_CEL_FOLD_ALL:
        *result = iv_val_bool(true);
        return IV_OK;
    case IV_CEL_FOLD_EXISTS:
        *result = iv_val_bool(false);
        return IV_OK;
    case IV_CEL_FOLD_EXISTS_ONE:
        *result = iv_val_int(0);
        return IV_OK;
    case IV_CEL_FOLD_FILTER:
    case IV_CEL_FOLD_MAP:
        *result = (struct iv_val){.kind = IV_KIND_LIST};
        width = 1;
        break;
    case IV_CEL_FOLD_MAP_VALUE:
    case IV_CEL_FOLD_MAP_ENTRY:
        *result = (struct iv_val){.kind = IV_KIND_MAP};
        width = fold == IV_CEL_FOLD_MAP_VALUE ? 2 : 0;
        break;
    }
    return iv_cel_alloc(&result->items, vm->frame, (size_t)f->n * width * sizeof *f, vm->err);
}

/* False at the end. */
bool iv_cel_fold_next(struct iv_val *f, bool two_vars)
{
    uint64_t i = (uint64_t)f[IV_CEL_FOLD_INDEX].i;
    if (i >= f->n) {
        return false;
    }
    f[IV_CEL_FOLD_INDEX].i++;
    if (f->kind == IV_KIND_MAP) {
        f[IV_CEL_FOLD_VAR1] = f->items[2 * i];
        f[IV_CEL_FOLD_VAR2] = f->items[2 * i + 1];
    } else if (two_vars) {
        f[IV_CEL_FOLD_VAR1] = iv_val_int((int64_t)i);
        f[IV_CEL_FOLD_VAR2] = f->items[i];
    } else {
        f[IV_CEL_FOLD_VAR1] = f->items[i];
    }
    return true;
}

/* The items of a result, which are ours to write. */
static struct iv_val *own_items(const struct iv_val *result)
{
    struct iv_val *items = NULL;
    memcpy(&items, &result->items, sizeof items);
    return items;
}

static iv_rc merge_entries(struct iv_cel_vm *vm, struct iv_val *result, const struct iv_val *entries)
{
    if (entries->kind != IV_KIND_MAP) {
        return iv_err_set(vm->err, IV_E_EVAL, "no such overload: transformMapEntry needs a map");
    }
    struct iv_val *items = NULL;
    size_t n = (size_t)result->n + entries->n;
    TRY(iv_cel_spend(vm->frame, n, vm->err));
    TRY(iv_cel_alloc(&items, vm->frame, 2 * n * sizeof *items, vm->err));
    if (result->n > 0) {
        memcpy(items, result->items, 2 * (size_t)result->n * sizeof *items);
    }
    result->items = items;
    for (size_t i = 0; i < entries->n; i++) {
        TRY(iv_cel_map_put(result, items, &entries->items[2 * i], &entries->items[2 * i + 1], vm->frame,
                           vm->err));
    }
    return IV_OK;
}

/* body is the value for this item. *again: go on with the next one. */
iv_rc iv_cel_fold_step(struct iv_cel_vm *vm, bool *again, struct iv_val *f, const struct iv_val *body,
                       enum iv_cel_fold fold)
{
    struct iv_val *result = &f[IV_CEL_FOLD_RESULT];
    *again = true;
    switch (fold) {
    case IV_CEL_FOLD_ALL:
    case IV_CEL_FOLD_EXISTS:
        if (body->kind == IV_KIND_BOOL) {
            if (body->b == (fold == IV_CEL_FOLD_EXISTS)) {
                *result = *body;
                *again = false;
            }
        } else if (result->kind == IV_KIND_BOOL) {
            *result = *body; /* a failure, which waits for an item that decides */
        }
        return IV_OK;
    case IV_CEL_FOLD_EXISTS_ONE:
        if (body->kind != IV_KIND_BOOL) {
            return iv_cel_not_bool(vm, body);
        }
        result->i += body->b;
        return IV_OK;
    case IV_CEL_FOLD_FILTER:
        if (body->kind != IV_KIND_BOOL) {
            return iv_cel_not_bool(vm, body);
        }
        if (body->b) {
            own_items(result)[result->n++] = f[IV_CEL_FOLD_VAR1];
        }
        return IV_OK;
    case IV_CEL_FOLD_MAP:
        own_items(result)[result->n++] = *body;
        return IV_OK;
    case IV_CEL_FOLD_MAP_VALUE:
        return iv_cel_map_put(result, own_items(result), &f[IV_CEL_FOLD_VAR1], body, vm->frame, vm->err);
    case IV_CEL_FOLD_MAP_ENTRY:
        break;
    }
    return merge_entries(vm, result, body);
}

/* Leaves the result in the first of the five. */
iv_rc iv_cel_fold_end(struct iv_cel_vm *vm, struct iv_val *f, enum iv_cel_fold fold)
{
    const struct iv_val *result = &f[IV_CEL_FOLD_RESULT];
    if (fold == IV_CEL_FOLD_ALL || fold == IV_CEL_FOLD_EXISTS) {
        if (result->kind != IV_KIND_BOOL) {
            return iv_cel_not_bool(vm, result);
        }
        *f = *result;
    } else {
        *f = fold == IV_CEL_FOLD_EXISTS_ONE ? iv_val_bool(result->i == 1) : *result;
    }
    return IV_OK;
}
