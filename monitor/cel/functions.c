/* SPDX-License-Identifier: Apache-2.0 */
#include "cel/env.h"
#include "cel/lib.h"

#define GLOBAL false
#define MEMBER true

#define t_dyn iv_cel_dyn
#define t_bool iv_cel_bool
#define t_int iv_cel_int
#define t_uint iv_cel_uint
#define t_double iv_cel_double
#define t_string iv_cel_string
#define t_bytes iv_cel_bytes
#define t_timestamp iv_cel_timestamp
#define t_duration iv_cel_duration

static const struct iv_cel_type t_A = {.kind = IV_CEL_PARAM, .name = "A"};
static const struct iv_cel_type t_B = {.kind = IV_CEL_PARAM, .name = "B"};
static const struct iv_cel_type t_type_A = {.kind = IV_CEL_TYPE, .args = {&t_A}};
static const struct iv_cel_type t_list_A = {.kind = IV_CEL_LIST, .args = {&t_A}};
static const struct iv_cel_type t_list_dyn = {.kind = IV_CEL_LIST, .args = {&iv_cel_dyn}};
static const struct iv_cel_type t_list_int = {.kind = IV_CEL_LIST, .args = {&iv_cel_int}};
static const struct iv_cel_type t_list_uint = {.kind = IV_CEL_LIST, .args = {&iv_cel_uint}};
static const struct iv_cel_type t_list_double = {.kind = IV_CEL_LIST, .args = {&iv_cel_double}};
static const struct iv_cel_type t_list_string = {.kind = IV_CEL_LIST, .args = {&iv_cel_string}};
static const struct iv_cel_type t_ip = {.kind = IV_CEL_OPAQUE, .name = "net.IP"};
static const struct iv_cel_type t_cidr = {.kind = IV_CEL_OPAQUE, .name = "net.CIDR"};
static const struct iv_cel_type t_map_A_B = {.kind = IV_CEL_MAP, .args = {&t_A, &t_B}};
static const struct iv_cel_type t_opt_A = {.kind = IV_CEL_OPTIONAL, .args = {&t_A}};
static const struct iv_cel_type t_opt_B = {.kind = IV_CEL_OPTIONAL, .args = {&t_B}};
static const struct iv_cel_type t_opt_list_A = {.kind = IV_CEL_OPTIONAL, .args = {&t_list_A}};
static const struct iv_cel_type t_opt_map_A_B = {.kind = IV_CEL_OPTIONAL, .args = {&t_map_A_B}};
static const struct iv_cel_type t_list_opt_A = {.kind = IV_CEL_LIST, .args = {&t_opt_A}};

/* clang-format off */
#define OPR1(n, r, a) {.function = IV_STR_INIT(n), .result = &t_##r, .args = {&t_##a}, .arg_count = 1},
#define OPR2(n, r, a, b) {.function = IV_STR_INIT(n), .result = &t_##r, .args = {&t_##a, &t_##b}, .arg_count = 2},
#define OPR3(n, r, a, b, c) \
    {.function = IV_STR_INIT(n), .result = &t_##r, .args = {&t_##a, &t_##b, &t_##c}, .arg_count = 3},
#define FN0(n, style, r, fn) {.function = IV_STR_INIT(n), .member = style, .result = &t_##r, .cost = 1, .call = fn},
#define FN1(n, style, r, a, fn) \
    {.function = IV_STR_INIT(n), .member = style, .result = &t_##r, .args = {&t_##a}, .arg_count = 1, .cost = 1, .call = fn},
#define FN2(n, style, r, a, b, fn) \
    {.function = IV_STR_INIT(n), .member = style, .result = &t_##r, .args = {&t_##a, &t_##b}, .arg_count = 2, .cost = 1, .call = fn},
#define FN3(n, style, r, a, b, c, fn) \
    {.function = IV_STR_INIT(n), .member = style, .result = &t_##r, .args = {&t_##a, &t_##b, &t_##c}, .arg_count = 3, .cost = 1, .call = fn},
#define FN4(n, style, r, a, b, c, d, fn) \
    {.function = IV_STR_INIT(n), .member = style, .result = &t_##r, .args = {&t_##a, &t_##b, &t_##c, &t_##d}, .arg_count = 4, .cost = 1, .call = fn},
/* clang-format on */

const struct iv_cel_overload iv_cel_library[] = {
#include "cel/functions.def"
};
const size_t iv_cel_library_count = IV_COUNT(iv_cel_library);
