/* SPDX-License-Identifier: Apache-2.0 */
/* Types with holes: assigning one type to another while finding out what type parameters stand for.
 * Source: CEL language definition, "Gradual Type Checking"; the assignability that its conformance tests ask
 * for. */
#pragma once

#include "cel/ast.h"

/* A fresh type parameter. Its type comes first, so that a pointer to the one is a pointer to the other. */
struct iv_cel_hole {
    struct iv_cel_type type;
    const struct iv_cel_type *bound; /* NULL while it may be anything */
};

struct iv_cel_binding;
struct iv_cel_unifier {
    struct iv_cel_compilation *c;
    struct iv_cel_binding *trail; /* what was bound, latest first, for undoing */
};

const struct iv_cel_type *iv_cel_hole_new(struct iv_cel_unifier *u);
const struct iv_cel_type *iv_cel_type_make(struct iv_cel_unifier *u, enum iv_cel_tkind kind,
                                           const struct iv_cel_type *a, const struct iv_cel_type *b);
/* What a hole is bound to at present, through all links; any other type itself. */
const struct iv_cel_type *iv_cel_type_deref(const struct iv_cel_type *type);
/* The type with every bound hole replaced; unbound ones become dyn. */
const struct iv_cel_type *iv_cel_type_settle(struct iv_cel_unifier *u, const struct iv_cel_type *type);

/* True if a value of one type can be where the other is expected; holes are bound on the way, and left as
 * they were where the answer is false. */
bool iv_cel_assignable(struct iv_cel_unifier *u, const struct iv_cel_type *from,
                       const struct iv_cel_type *to);
bool iv_cel_assignable_all(struct iv_cel_unifier *u, const struct iv_cel_type *const *from,
                           const struct iv_cel_type *const *to, uint32_t count);
bool iv_cel_type_same(const struct iv_cel_type *a, const struct iv_cel_type *b);
const struct iv_cel_type *iv_cel_most_general(const struct iv_cel_type *a, const struct iv_cel_type *b);
/* One type for both: the more general of two that go together, else dyn. a may be NULL. */
const struct iv_cel_type *iv_cel_type_join(struct iv_cel_unifier *u, const struct iv_cel_type *a,
                                           const struct iv_cel_type *b);

/* An overload's types with fresh holes in the place of its parameters. */
struct iv_cel_signature {
    const struct iv_cel_type *args[4];
    const struct iv_cel_type *result;
};
void iv_cel_instantiate(struct iv_cel_unifier *u, struct iv_cel_signature *out,
                        const struct iv_cel_overload *overload);
