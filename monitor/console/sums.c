/* SPDX-License-Identifier: Apache-2.0 */
#include "console/sums.h"

#include "base/guard.h"
#include "base/log.h"
#include "console/change.h"
#include "console/readers.h"
#include "evidence/sums.h"

/* Each holds the store for some milliseconds; whoever keeps findings comes between two of them. */
#define STEPS_AT_ONCE 100

static bool is_stopping(struct iv_console *console)
{
    (void)pthread_mutex_lock(&console->lock);
    bool stopping = console->stopping;
    (void)pthread_mutex_unlock(&console->lock);
    return stopping;
}

static iv_rc is_behind(struct iv_console *console, bool *out, struct iv_err *err)
{
    struct iv_reader *reader = iv_readers_borrow(console->readers);
    struct iv_rc_s rc = iv_sums_behind(reader, out, err);
    iv_readers_return(console->readers, reader);
    return rc;
}

static iv_rc take(struct iv_store *store, void *ctx, struct iv_err *err)
{
    return iv_sums_take(store, ctx, err);
}

static iv_rc catch_up(struct iv_console *console, struct iv_err *err)
{
    bool more = false;
    TRY(is_behind(console, &more, err));
    for (int i = 0; more && i < STEPS_AT_ONCE && !is_stopping(console); i++) {
        TRY(iv_change_quietly(console, take, &more, err));
    }
    return IV_OK;
}

void iv_sums_catch_up(struct iv_console *console)
{
    struct iv_err err;
    struct iv_rc_s rc = catch_up(console, &err);
    /* A store that is busy is asked again the next time. */
    if (!iv_ok(rc) && iv_code_class(rc.code) != IV_CLASS_RETRY) {
        LOG_WARN("console.sums", KV_TEXT("why", err.text));
    }
}
