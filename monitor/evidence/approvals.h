/* SPDX-License-Identifier: Apache-2.0 */
/* Approvals and denials of executions that wait, as they were given and as they were judged.
 * Purpose: whoever has the store's file can put one there; whether it counts is the responder's to say.
 * Owner/thread: whoever is inside the store's transaction; rows are copies in the caller's arena.
 * Not here: what is signed, and what counts (respond/approval.h). */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "base/time.h"
#include "evidence/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IV_APPROVAL_PENDING "pending"
#define IV_APPROVAL_COUNTS "counts"

struct iv_approval {
    int64_t seq; /* set by the store */
    struct iv_str execution;
    bool approve; /* false: a denial */
    struct iv_str role;
    struct iv_str key; /* its id in the baseline's keyring */
    iv_ns at;
    struct iv_str reason;
    struct iv_str signature; /* 64 bytes */
    struct iv_str verdict;   /* IV_APPROVAL_PENDING, IV_APPROVAL_COUNTS, or a sentence */
};

iv_rc iv_store_put_approval(struct iv_store *store, const struct iv_approval *approval, struct iv_err *err);
/* Up to limit of those that nobody has judged yet, in the order in which they came. */
iv_rc iv_store_pending_approvals(struct iv_store *store, struct iv_approval **out, size_t *count,
                                 size_t limit, struct iv_arena *arena, struct iv_err *err);
/* All of an execution. */
iv_rc iv_store_approvals(struct iv_store *store, struct iv_approval **out, size_t *count,
                         struct iv_str execution, size_t limit, struct iv_arena *arena, struct iv_err *err);
/* Those of it that count, however many others were put in before them. */
iv_rc iv_store_counted_approvals(struct iv_store *store, struct iv_approval **out, size_t *count,
                                 struct iv_str execution, size_t limit, struct iv_arena *arena,
                                 struct iv_err *err);
/* All of an execution for whoever reads, or those that count; the row is valid for the length of the call. */
struct iv_reader;
typedef bool (*iv_approval_visit)(void *ctx, const struct iv_approval *approval);
iv_rc iv_reader_approvals(struct iv_reader *reader, struct iv_str execution, size_t limit,
                          iv_approval_visit visit, void *ctx, struct iv_err *err);
iv_rc iv_reader_counted_approvals(struct iv_reader *reader, struct iv_str execution, size_t limit,
                                  iv_approval_visit visit, void *ctx, struct iv_err *err);
iv_rc iv_store_judge_approval(struct iv_store *store, int64_t seq, struct iv_str verdict, struct iv_err *err);
