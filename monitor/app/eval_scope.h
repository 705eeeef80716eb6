/* SPDX-License-Identifier: Apache-2.0 */
/* What an expression on the command line can name: values given as JSON, and events of files.
 * Owner/thread: the main thread. */
#pragma once

#include "app/command.h"
#include "base/arena.h"
#include "cel/cel.h"

struct iv_eval_scope;

/* binds: NAME=JSON, each of type dyn. events: NAME=FILE, each of the type that its event has in the
 * catalogue. IV_E_REFUSED: a word is malformed; IV_E_MALFORMED: a file holds no event. */
iv_rc iv_eval_scope_new(struct iv_eval_scope **out, const struct iv_words *binds,
                        const struct iv_words *events, struct iv_err *err);
void iv_eval_scope_free(struct iv_eval_scope *scope);
void iv_eval_scope_freep(struct iv_eval_scope **scope);

const struct iv_cel_env *iv_eval_scope_env(const struct iv_eval_scope *scope);
const struct iv_val *iv_eval_scope_bank(const struct iv_eval_scope *scope); /* bank 0 of its programs */

/* The value with its events as maps of their fields and its addresses as strings, so that
 * it can be printed. */
iv_rc iv_eval_scope_plain(struct iv_val *out, const struct iv_eval_scope *scope, const struct iv_val *v,
                          struct iv_arena *arena, struct iv_err *err);
