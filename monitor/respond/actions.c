/* SPDX-License-Identifier: Apache-2.0 */
#include "base/guard.h"
#include "respond/action.h"

#define ACTION(symbol) extern const struct iv_action_kind iv_action_##symbol;
#include "respond/actions.def"
#undef ACTION

const struct iv_action_kind *const iv_action_kinds[] = {
#define ACTION(symbol) &iv_action_##symbol,
#include "respond/actions.def"
#undef ACTION
};
const size_t iv_action_kind_count = IV_COUNT(iv_action_kinds);

const struct iv_action_kind *iv_action_kind(struct iv_str name)
{
    for (size_t i = 0; i < iv_action_kind_count; i++) {
        if (iv_str_eq(iv_str_of(iv_action_kinds[i]->name), name)) {
            return iv_action_kinds[i];
        }
    }
    return NULL;
}

const struct iv_val *iv_request_get(const struct iv_val *request, const char *name)
{
    struct iv_val key = iv_val_str(iv_str_of(name));
    return request->kind == IV_KIND_MAP ? iv_val_map_get(request, &key) : NULL;
}

struct iv_str iv_request_text(const struct iv_val *request, const char *name)
{
    const struct iv_val *v = iv_request_get(request, name);
    return v == NULL || v->kind != IV_KIND_STRING ? (struct iv_str){NULL, 0} : iv_val_slice(*v);
}
