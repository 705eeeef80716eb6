/* SPDX-License-Identifier: Apache-2.0 */
/* Declarations, as the resolver and the checker look them up: the child's before the parent's, the standard
 * library last. */
#pragma once

#include "cel/cel.h"

struct iv_cel_env {
    const struct iv_cel_env *parent;
    struct iv_cel_var *vars; /* names owned */
    size_t var_count;
    struct iv_cel_overload *overloads; /* names owned */
    size_t overload_count;
    struct iv_str container; /* owned; p NULL: the parent's */
};

/* The standard library and the extensions, functions.def. */
extern const struct iv_cel_overload iv_cel_library[];
extern const size_t iv_cel_library_count;

const struct iv_cel_var *iv_cel_env_find_var(const struct iv_cel_env *env, struct iv_str name);
/* Walks the overloads of the name; start with {env, 0}. NULL at the end. */
struct iv_cel_overload_walk {
    const struct iv_cel_env *env; /* NULL: in the library */
    size_t at;
};
const struct iv_cel_overload *iv_cel_overload_next(struct iv_cel_overload_walk *walk, struct iv_str function);
bool iv_cel_env_has_function(const struct iv_cel_env *env, struct iv_str name);
struct iv_str iv_cel_env_get_container(const struct iv_cel_env *env);

/* The type that the name denotes as a value ("int", "google.protobuf.Timestamp"); NULL if it denotes none. */
const struct iv_cel_type *iv_cel_type_named(struct iv_str name);
/* The name that type() answers for a value. */
struct iv_str iv_cel_kind_name(const struct iv_val *v);

/* "did you mean" over the declared variables or functions; p NULL: nothing near. */
struct iv_str iv_cel_env_nearest_var(const struct iv_cel_env *env, struct iv_str name);
struct iv_str iv_cel_env_nearest_function(const struct iv_cel_env *env, struct iv_str name);

const struct iv_cel_field *iv_cel_schema_find(const struct iv_cel_schema *schema, struct iv_str name);
