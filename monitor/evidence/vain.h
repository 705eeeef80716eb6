/* SPDX-License-Identifier: Apache-2.0 */
/* What was carried out in vain, and what waits for people: the store's word of what they are to be told of
 * remediation. Owner/thread: whoever is inside the store's transaction; rows are copies in the caller's
 * arena. Not here: whom it is told (respond/alert/remediation.c). */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "base/time.h"
#include "evidence/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An execution that ended as failed or ambiguous, or as done where nothing was there to act on; or a step
 * whose evidence left it so while its playbook goes on, unless somebody took it back before it was decided.
 * Nothing that is only observed. */
struct iv_vain {
    struct iv_str playbook;
    struct iv_str target;
    struct iv_str step; /* empty: it is the execution */
    struct iv_str state;
    struct iv_str cause;
};
/* Among the changes of the log after that one: how many there are, and the last of them. *seen is the last
 * change that was looked at: some thousand at once, so that the writer is not kept. */
iv_rc iv_store_vain(struct iv_store *store, struct iv_vain *last, int64_t *count, int64_t *seen,
                    int64_t after, struct iv_arena *arena, struct iv_err *err);
/* The last change of the log before that time; 0: there is none. */
iv_rc iv_store_log_before(struct iv_store *store, int64_t *out, iv_ns time, struct iv_err *err);

/* Whether any execution of this process waits for an approval; how many do, and of which playbooks and why, a
 * line each, as many as there is room for: "revoke (guard agents.minute)". */
iv_rc iv_store_any_waits(struct iv_store *store, bool *out, struct iv_err *err);
iv_rc iv_store_waiting(struct iv_store *store, int64_t *out, struct iv_buf *lines, struct iv_err *err);
/* How many steps wait for fresh streams, of executions that were let pass by then; the name of one playbook.
 */
iv_rc iv_store_held(struct iv_store *store, int64_t *out, struct iv_str *playbook, iv_ns admitted,
                    struct iv_arena *arena, struct iv_err *err);
/* Grows with every change of an execution. */
iv_rc iv_store_newest_execution(struct iv_store *store, int64_t *out, struct iv_err *err);
