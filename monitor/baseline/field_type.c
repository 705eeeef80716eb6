/* SPDX-License-Identifier: Apache-2.0 */
#include "baseline/field_type.h"

static const struct iv_cel_type list_of_string = {.kind = IV_CEL_LIST, .args = {&iv_cel_string}};
static const struct iv_cel_type list_of_int = {.kind = IV_CEL_LIST, .args = {&iv_cel_int}};
static const struct iv_cel_type list_of_double = {.kind = IV_CEL_LIST, .args = {&iv_cel_double}};
static const struct iv_cel_type list_of_bool = {.kind = IV_CEL_LIST, .args = {&iv_cel_bool}};
static const struct iv_cel_type json_map = {.kind = IV_CEL_MAP, .args = {&iv_cel_string, &iv_cel_dyn}};

static const struct iv_cel_type *const field_types[] = {
    [IV_F_STRING] = &iv_cel_string,
    [IV_F_INT] = &iv_cel_int,
    [IV_F_DOUBLE] = &iv_cel_double,
    [IV_F_BOOL] = &iv_cel_bool,
    [IV_F_TIMESTAMP] = &iv_cel_timestamp,
    [IV_F_DURATION] = &iv_cel_duration,
    [IV_F_LIST_STRING] = &list_of_string,
    [IV_F_LIST_INT] = &list_of_int,
    [IV_F_LIST_DOUBLE] = &list_of_double,
    [IV_F_LIST_BOOL] = &list_of_bool,
    [IV_F_MAP] = &json_map,
};

const struct iv_cel_type *iv_field_type(enum iv_ftype type)
{
    return field_types[type];
}
