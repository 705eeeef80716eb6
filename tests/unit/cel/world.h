/* SPDX-License-Identifier: Apache-2.0 */
/* A small world to evaluate in: two events with schemas, parameters with dotted names, one dynamic value.
 *   use   token.used:    time, token_id, scope, bytes, meta; bytes is absent
 *   gone  token.revoked: time, token_id, reason; its slots are laid out differently
 *   baseline.token.skew (duration), baseline.tools (list), baseline.limits (map); x (dyn, absent unless set)
 */
#pragma once

#include "base/buf.h"
#include "base/guard.h"
#include "cel/cel.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

enum { WORLD_USE, WORLD_GONE, WORLD_X };                                /* slots of bank 0 */
enum { WORLD_SKEW, WORLD_TOOLS, WORLD_LIMITS };                         /* slots of bank 1 */
enum { N_TIME, N_TOKEN_ID, N_SCOPE, N_BYTES, N_META, N_REASON, NAMES }; /* name ids */

struct world {
    struct iv_cel_env *env;
    struct iv_cel_frame frame;
    struct iv_cel_diags diags;
    struct iv_cel_prog *prog; /* of the last compilation */
    struct iv_err err;
    struct iv_val use_slots[5];
    struct iv_val gone_slots[3];
    struct iv_object use;
    struct iv_object gone;
    struct iv_val events[3];
    struct iv_val parameters[3];
    struct iv_buf text;
};

void world_init(struct world *w);
void world_deinit(struct world *w);

/* The result of compiling; world.prog and world.diags hold what came of it. */
struct iv_rc_s world_compile(struct world *w, const char *source, const struct iv_cel_options *options);
/* The value as JSON, or "error at OFFSET: SENTENCE", or "refused at OFFSET: SENTENCE"; valid until the next
 * call. */
const char *world_eval(struct world *w, const char *source);
