/* SPDX-License-Identifier: Apache-2.0 */
/* What a parameter's value must be beyond its form (action.h), and such as several kinds of action have.
 * Purpose: what can never work is refused when the playbook is loaded, at its place in the file; what only
 * the trigger's values make so fails the step, by the same word, before anything is called.
 * Owner/thread: pure. */
#pragma once

#include "respond/action.h"

/* True where the request has no such parameter. *member: the name, where a member of a map is at fault. */
bool iv_constraint_holds(const struct iv_constraint *constraint, const struct iv_val *request,
                         struct iv_str *member);
/* The first that the request breaks; NULL: none. */
const struct iv_constraint *iv_constraint_broken(const struct iv_action_kind *kind,
                                                 const struct iv_val *request, struct iv_str *member);

/* Text of one character at least. */
#define IV_MUST_BE_GIVEN "not be empty"
bool iv_value_is_given(const struct iv_val *value, struct iv_str *member);
/* A map of texts. */
bool iv_value_is_texts(const struct iv_val *value, struct iv_str *member);
/*= RFC 9493 3 "A Subject Identifier MUST include a "format" member" */
#define IV_MUST_BE_SUBJECT "be a subject identifier: a mapping with a format"
bool iv_value_is_subject(const struct iv_val *value, struct iv_str *member);
