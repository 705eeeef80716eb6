/* SPDX-License-Identifier: Apache-2.0 */
/* Regular expressions in time linear in the text: RE2's syntax, matched by simulating the automaton
 * (Thompson, Pike). Supported: literals, ., [classes] with ranges, negation, escapes and [:names:], \d \w \s
 * and their negations, \pL-like classes not; groups (…), (?:…), (?P<name>…), flags (?i), (?s), (?m), (?U)
 * alone or for a group; | * + ? {n,m} and their lazy forms; ^ $ \A \z \b \B; \x{…}, \n and other escapes,
 * \Q…\E. Repetition counts up to 1,000. Refused: what no automaton can do (backreferences, lookaround) and
 * \p classes.
 * Owner/thread: a compiled pattern is immutable and lives in the arena that it was compiled in. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

struct iv_regex;

/* IV_E_EVAL: err says what is wrong with the pattern. */
iv_rc iv_regex_compile(struct iv_regex **out, struct iv_str pattern, struct iv_arena *arena,
                       struct iv_err *err);
/* True if it matches anywhere in the text, which is UTF-8. Scratch memory comes from the arena. */
iv_rc iv_regex_search(bool *out, const struct iv_regex *regex, struct iv_str text, struct iv_arena *arena,
                      struct iv_err *err);
/* Steps that a search in so many bytes takes at most, in units of sixteen. */
size_t iv_regex_cost(const struct iv_regex *regex, size_t bytes);
