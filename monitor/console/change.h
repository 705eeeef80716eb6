/* SPDX-License-Identifier: Apache-2.0 */
/* A change that somebody makes through the console.
 * Guarantee: the change and the record of who made it are one transaction; the record is a leaf of the
 * monitor's own log. Without a change there is no record, and the other way round. Owner/thread: any thread
 * that answers a request. The writer is the console's own, and waits for the others of the store a fifth of a
 * second at most. */
#pragma once

#include "console/server.h"

struct iv_change {
    const char *what;          /* "finding.acknowledge", for the record */
    struct iv_str object;      /* what is changed: a uid, a name */
    struct iv_str detail;      /* may be empty */
    const struct iv_buf *made; /* in its place, where make writes it; NULL: it does not */
    /* Inside the transaction. An error takes everything back. NULL: there is nothing but the record. */
    iv_rc (*make)(struct iv_store *store, void *ctx, struct iv_err *err);
    void *ctx;
};

/* The streams look at once. IV_E_BUSY: somebody else writes for long; or what make answers. */
iv_rc iv_change_make(struct iv_request *request, const struct iv_change *change, struct iv_err *err);

/* The record has it when somebody begins to have to wait for his failures (tries.h); as whom: of a password,
 * else empty. The log has what the record does not take: of an hour it takes IV_LOCK_OUTS_MAX of names and as
 * many of tokens, so that whoever has very many addresses does not fill it, nor tokens hide a name. */
enum { IV_LOCK_OUTS_MAX = 100 };
void iv_change_lock_out(struct iv_request *request, struct iv_str as_whom);

/* A change that nobody need answer for: how lately a session was used. */
iv_rc iv_change_quietly(struct iv_console *console,
                        iv_rc (*make)(struct iv_store *store, void *ctx, struct iv_err *err), void *ctx,
                        struct iv_err *err);
