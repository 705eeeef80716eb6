/* SPDX-License-Identifier: Apache-2.0 */
#include "console/change.h"

#include "base/clock.h"
#include "base/guard.h"
#include "base/log.h"
#include "console/tries.h"
#include "evidence/audit.h"
#include "evidence/store.h"

#include <stdio.h>

/* So long somebody who asked for a change waits for the keeper: his thread answers nobody else. */
static const iv_ns patience = 200 * IV_NS_PER_MS;

/* Most consoles never change anything, and need no writer. */
static iv_rc writer_of(struct iv_store **out, struct iv_console *console, struct iv_err *err)
{
    struct iv_rc_s rc = IV_OK;
    (void)pthread_mutex_lock(&console->writer_lock);
    if (console->writer == NULL) {
        rc = iv_store_open(&console->writer, iv_str_of(console->store_path), err);
        if (iv_ok(rc)) {
            iv_store_patience(console->writer, patience);
        }
    }
    *out = console->writer;
    (void)pthread_mutex_unlock(&console->writer_lock);
    return rc;
}

static iv_rc record(struct iv_store *store, struct iv_request *request, const struct iv_change *change,
                    struct iv_err *err)
{
    struct iv_clock clock = iv_clock_system();
    const struct iv_audit audit = {.at = iv_wall(&clock),
                                   .who = iv_str_of(request->who.name),
                                   .via = iv_str_of(iv_via_name(request->who.via)),
                                   .address = iv_str_of(request->who.address),
                                   .what = iv_str_of(change->what),
                                   .object = change->object,
                                   .detail =
                                       change->made != NULL ? iv_buf_slice(change->made) : change->detail};
    return iv_store_put_audit(store, &audit, err);
}

static iv_rc finish(struct iv_store *store, struct iv_rc_s rc, struct iv_err *err)
{
    if (!iv_ok(rc)) {
        iv_store_rollback(store);
        return rc;
    }
    return iv_store_commit(store, err);
}

iv_rc iv_change_make(struct iv_request *request, const struct iv_change *change, struct iv_err *err)
{
    struct iv_store *store = NULL;
    TRY(writer_of(&store, request->console, err));
    TRY(iv_store_begin(store, err));
    struct iv_rc_s rc = change->make == NULL ? IV_OK : change->make(store, change->ctx, err);
    rc = iv_ok(rc) ? record(store, request, change, err) : rc;
    TRY(finish(store, rc, err));
    iv_console_notify(request->console);
    return IV_OK;
}

void iv_change_lock_out(struct iv_request *request, struct iv_str as_whom)
{
    struct iv_err err = {.text = ""};
    struct iv_clock clock = iv_clock_system();
    unsigned count = iv_tries_lock_outs(request->console->tries, as_whom.n > 0, iv_monotonic(&clock));
    const char *tokens = as_whom.n == 0 ? "tokens" : "";
    const struct iv_change change = {
        .what = "session.lock-out",
        .object = as_whom,
        .detail =
            iv_str_of(count == IV_LOCK_OUTS_MAX ? "further ones of this hour are in the log alone" : tokens)};
    if (request->who.via == IV_VIA_NOTHING) {
        (void)snprintf(request->who.name, sizeof request->who.name, "nobody");
    }
    if (count > IV_LOCK_OUTS_MAX) {
        LOG_WARN("console.access.locked_out", KV_TEXT("from", request->who.address),
                 KV_STR("as", as_whom.n == 0 ? IV_STR("tokens") : as_whom));
    } else if (!iv_ok(iv_change_make(request, &change, &err))) {
        LOG_WARN("console.access.failed", KV_TEXT("why", err.text));
    }
}

iv_rc iv_change_quietly(struct iv_console *console,
                        iv_rc (*make)(struct iv_store *store, void *ctx, struct iv_err *err), void *ctx,
                        struct iv_err *err)
{
    struct iv_store *store = NULL;
    TRY(writer_of(&store, console, err));
    TRY(iv_store_begin(store, err));
    return finish(store, make(store, ctx, err), err);
}
