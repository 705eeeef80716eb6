/* SPDX-License-Identifier: Apache-2.0 */
#include "cel/env.h"
#include "base/alloc.h"
#include "base/guard.h"

iv_rc iv_cel_env_extend(struct iv_cel_env **out, const struct iv_cel_env *parent, struct iv_err *err)
{
    struct iv_cel_env *env = iv_calloc(1, sizeof *env);
    ENSURE(env != NULL, err, IV_E_NOMEM, "cannot allocate an environment for expressions");
    env->parent = parent;
    *out = env;
    return IV_OK;
}

iv_rc iv_cel_env_new(struct iv_cel_env **out, struct iv_err *err)
{
    return iv_cel_env_extend(out, NULL, err);
}

static void free_name(struct iv_str name)
{
    char *p = NULL;
    memcpy(&p, &name.p, sizeof p); /* ours, whatever the type says */
    iv_free(p);
}

void iv_cel_env_free(struct iv_cel_env *env)
{
    if (env == NULL) {
        return;
    }
    for (size_t i = 0; i < env->var_count; i++) {
        free_name(env->vars[i].name);
    }
    for (size_t i = 0; i < env->overload_count; i++) {
        free_name(env->overloads[i].function);
    }
    iv_free(env->vars);
    iv_free(env->overloads);
    free_name(env->container);
    iv_free(env);
}

void iv_cel_env_freep(struct iv_cel_env **env)
{
    iv_cel_env_free(*env);
    *env = NULL;
}

static const struct iv_cel_var *own_var(const struct iv_cel_env *env, struct iv_str name)
{
    for (size_t i = 0; i < env->var_count; i++) {
        if (iv_str_eq(env->vars[i].name, name)) {
            return &env->vars[i];
        }
    }
    return NULL;
}

/* Type parameters belong to overloads, where each use gets its own. */
static bool has_parameter(const struct iv_cel_type *type)
{
    bool found = type->kind == IV_CEL_PARAM;
    for (size_t i = 0; i < IV_COUNT(type->args) && type->args[i] != NULL; i++) {
        found = found || has_parameter(type->args[i]);
    }
    return found;
}

iv_rc iv_cel_env_var(struct iv_cel_env *env, const struct iv_cel_var *var, struct iv_err *err)
{
    ENSURE(own_var(env, var->name) == NULL, err, IV_E_REFUSED, "the name '" IV_STR_FMT "' is declared twice",
           IV_STR_ARG(var->name));
    ENSURE(var->bank < IV_CEL_BANKS, err, IV_E_REFUSED, "'" IV_STR_FMT "' must be in a bank below %d, got %d",
           IV_STR_ARG(var->name), IV_CEL_BANKS, var->bank);
    ENSURE(!has_parameter(var->type), err, IV_E_REFUSED,
           "the type of '" IV_STR_FMT "' must have no parameters", IV_STR_ARG(var->name));
    struct iv_cel_var *vars = iv_realloc(env->vars, (env->var_count + 1) * sizeof *vars);
    ENSURE(vars != NULL, err, IV_E_NOMEM, "cannot declare '" IV_STR_FMT "'", IV_STR_ARG(var->name));
    env->vars = vars;
    char *name = iv_strndup(var->name.p, var->name.n);
    ENSURE(name != NULL, err, IV_E_NOMEM, "cannot declare '" IV_STR_FMT "'", IV_STR_ARG(var->name));
    vars[env->var_count] = *var;
    vars[env->var_count++].name = (struct iv_str){name, var->name.n};
    return IV_OK;
}

iv_rc iv_cel_env_function(struct iv_cel_env *env, const struct iv_cel_overload *overload, struct iv_err *err)
{
    ENSURE(overload->arg_count <= IV_COUNT(overload->args) && overload->call != NULL, err, IV_E_REFUSED,
           "function '" IV_STR_FMT "' must have at most %zu arguments and an implementation",
           IV_STR_ARG(overload->function), IV_COUNT(overload->args));
    struct iv_cel_overload *overloads =
        iv_realloc(env->overloads, (env->overload_count + 1) * sizeof *overloads);
    ENSURE(overloads != NULL, err, IV_E_NOMEM, "cannot declare '" IV_STR_FMT "'",
           IV_STR_ARG(overload->function));
    env->overloads = overloads;
    char *name = iv_strndup(overload->function.p, overload->function.n);
    ENSURE(name != NULL, err, IV_E_NOMEM, "cannot declare '" IV_STR_FMT "'", IV_STR_ARG(overload->function));
    overloads[env->overload_count] = *overload;
    overloads[env->overload_count++].function = (struct iv_str){name, overload->function.n};
    return IV_OK;
}

iv_rc iv_cel_env_container(struct iv_cel_env *env, struct iv_str container, struct iv_err *err)
{
    char *copy = iv_strndup(container.p, container.n);
    ENSURE(copy != NULL, err, IV_E_NOMEM, "cannot set the container '" IV_STR_FMT "'", IV_STR_ARG(container));
    free_name(env->container);
    env->container = (struct iv_str){copy, container.n};
    return IV_OK;
}

const struct iv_cel_var *iv_cel_env_find_var(const struct iv_cel_env *env, struct iv_str name)
{
    for (; env != NULL; env = env->parent) {
        const struct iv_cel_var *var = own_var(env, name);
        if (var != NULL) {
            return var;
        }
    }
    return NULL;
}

const struct iv_cel_overload *iv_cel_overload_next(struct iv_cel_overload_walk *walk, struct iv_str function)
{
    for (;;) {
        bool library = walk->env == NULL;
        const struct iv_cel_overload *table = library ? iv_cel_library : walk->env->overloads;
        size_t count = library ? iv_cel_library_count : walk->env->overload_count;
        while (walk->at < count) {
            const struct iv_cel_overload *o = &table[walk->at++];
            if (iv_str_eq(o->function, function)) {
                return o;
            }
        }
        if (library) {
            return NULL;
        }
        *walk = (struct iv_cel_overload_walk){walk->env->parent, 0};
    }
}

bool iv_cel_env_has_function(const struct iv_cel_env *env, struct iv_str name)
{
    struct iv_cel_overload_walk walk = {env, 0};
    return iv_cel_overload_next(&walk, name) != NULL;
}

struct iv_str iv_cel_env_get_container(const struct iv_cel_env *env)
{
    while (env->container.p == NULL && env->parent != NULL) {
        env = env->parent;
    }
    return env->container.p == NULL ? IV_STR("") : env->container;
}

static void take_nearer(struct iv_str *best, size_t *distance, struct iv_str name, struct iv_str candidate)
{
    struct iv_str near = iv_str_nearest(name, &candidate, 1);
    size_t d = near.p == NULL ? SIZE_MAX : iv_str_distance(name, candidate);
    if (d < *distance) {
        *best = candidate;
        *distance = d;
    }
}

struct iv_str iv_cel_env_nearest_var(const struct iv_cel_env *env, struct iv_str name)
{
    struct iv_str best = {NULL, 0};
    size_t distance = SIZE_MAX;
    for (; env != NULL; env = env->parent) {
        for (size_t i = 0; i < env->var_count; i++) {
            take_nearer(&best, &distance, name, env->vars[i].name);
        }
    }
    return best;
}

static void nearest_in(struct iv_str *best, size_t *distance, struct iv_str name,
                       const struct iv_cel_overload *table, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char c = table[i].function.p[0];
        if (c != '_' && c != '@' && c != '!' && c != '-' && strstr(table[i].function.p, "@") == NULL) {
            take_nearer(best, distance, name, table[i].function);
        }
    }
}

struct iv_str iv_cel_env_nearest_function(const struct iv_cel_env *env, struct iv_str name)
{
    struct iv_str best = {NULL, 0};
    size_t distance = SIZE_MAX;
    for (; env != NULL; env = env->parent) {
        nearest_in(&best, &distance, name, env->overloads, env->overload_count);
    }
    nearest_in(&best, &distance, name, iv_cel_library, iv_cel_library_count);
    return best;
}
