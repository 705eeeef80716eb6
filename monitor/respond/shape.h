/* SPDX-License-Identifier: Apache-2.0 */
/* JSON with templates in its strings, and the parameters of a step, which are rendered from such.
 * Owner/thread: lives in the arena that it was parsed into; immutable. */
#pragma once

#include "respond/action.h"
#include "respond/template.h"

struct iv_shape;

/* A YAML node as a shape: mappings, lists, numbers, booleans, null; every other scalar is text with
 * templates. */
iv_rc iv_shape_parse(const struct iv_shape **out, struct iv_arena *arena, const struct iv_yaml_node *node,
                     const struct iv_template_rules *rules, struct iv_problems *problems, struct iv_err *err);
/* Appends the JSON. IV_E_ABSENT: a reference without a value. */
iv_rc iv_shape_render(struct iv_buf *out, const struct iv_shape *shape, const struct iv_bindings *bindings,
                      struct iv_err *err);

/* What a step says under its kind's key, in the order of the kind's parameters. */
struct iv_arguments {
    const struct iv_action_kind *kind;
    const struct iv_shape **values; /* by parameter; NULL: not given */
    struct iv_str address; /* of the endpoint that it names; of no bytes: it has none. p NULL: nobody said */
};
iv_rc iv_arguments_parse(struct iv_arguments *out, struct iv_arena *arena, const struct iv_action_kind *kind,
                         const struct iv_yaml_node *node, const struct iv_template_rules *rules,
                         struct iv_problems *problems, struct iv_err *err);
/* Appends the request: an object with the parameters that were given, and behind the endpoint's name its
 * address (IV_REQUEST_ADDRESS, null where it has none). What the trigger's values make
 * unfit, a path that leads elsewhere or a header that breaks, makes a request that is refused
 * (IV_REQUEST_REFUSED). */
iv_rc iv_arguments_render(struct iv_buf *out, const struct iv_arguments *arguments,
                          const struct iv_bindings *bindings, struct iv_err *err);
/* The text of a parameter that is a plain name; p NULL: it is not given, or there is none of that name. */
struct iv_str iv_arguments_name(const struct iv_arguments *arguments, struct iv_str parameter);
