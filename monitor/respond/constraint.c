/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/constraint.h"

bool iv_constraint_holds(const struct iv_constraint *constraint, const struct iv_val *request,
                         struct iv_str *member)
{
    const struct iv_val *value = iv_request_get(request, constraint->parameter);
    *member = (struct iv_str){NULL, 0};
    return value == NULL || constraint->holds(value, member);
}

const struct iv_constraint *iv_constraint_broken(const struct iv_action_kind *kind,
                                                 const struct iv_val *request, struct iv_str *member)
{
    for (size_t i = 0; i < kind->constraint_count; i++) {
        if (!iv_constraint_holds(&kind->constraints[i], request, member)) {
            return &kind->constraints[i];
        }
    }
    return NULL;
}

bool iv_value_is_given(const struct iv_val *value, struct iv_str *member)
{
    (void)member;
    return value->kind == IV_KIND_STRING && iv_val_slice(*value).n > 0;
}

bool iv_value_is_texts(const struct iv_val *value, struct iv_str *member)
{
    for (uint32_t i = 0; value->kind == IV_KIND_MAP && i < value->n; i++) {
        const struct iv_val *pair = &value->items[2 * (size_t)i];
        if (pair[1].kind != IV_KIND_STRING) {
            *member = iv_val_slice(pair[0]);
            return false;
        }
    }
    return value->kind == IV_KIND_MAP;
}

bool iv_value_is_subject(const struct iv_val *value, struct iv_str *member)
{
    (void)member;
    return iv_request_text(value, "format").n > 0;
}
