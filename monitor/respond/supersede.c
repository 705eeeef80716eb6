/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/supersede.h"

#include "base/guard.h"
#include "evidence/course.h"
#include "respond/moves.h"

#define LESSER_MAX 256 /* of all tenants */

iv_rc iv_supersede(struct iv_store *store, const struct iv_execution *by, iv_ns now, struct iv_arena *arena,
                   struct iv_err *err)
{
    struct iv_execution *lesser = NULL;
    size_t count = 0;
    if (by->state != IV_RUN_PLANNED || by->target.n == 0) {
        return IV_OK;
    }
    TRY(iv_store_course(store, &lesser, &count, IV_COURSE_OUTRANKED, by->playbook, by->target, LESSER_MAX,
                        arena, err));
    for (size_t i = 0; i < count; i++) {
        if (!iv_str_eq(lesser[i].tenant, by->tenant) || lesser[i].observed != by->observed) {
            continue; /* of the same name, and somebody else's; or what is only observed */
        }
        struct iv_str cause =
            iv_arena_printf(arena, "'" IV_STR_FMT "' does it in its place", IV_STR_ARG(by->playbook));
        ENSURE(cause.p != NULL, err, IV_E_NOMEM, "cannot allocate a cause");
        TRY(iv_move_superseded(store, &lesser[i], cause, now, arena, err));
    }
    return IV_OK;
}
