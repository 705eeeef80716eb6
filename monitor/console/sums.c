/* SPDX-License-Identifier: Apache-2.0 */
#include "console/sums.h"

#include "base/clock.h"
#include "base/guard.h"
#include "base/log.h"
#include "console/change.h"
#include "console/readers.h"
#include "evidence/sums.h"

/* Each step holds the store for some milliseconds. As long as it took the store is left to whoever keeps
 * findings: SQLite has no queue, and who waits for its lock only looks now and then. */
static const iv_ns turn = 200 * IV_NS_PER_MS;

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
    struct iv_clock clock = iv_clock_system();
    iv_ns begun = iv_monotonic(&clock);
    iv_ns now = begun;
    while (more && now - begun < turn && !is_stopping(console)) {
        TRY(iv_change_quietly(console, take, &more, err));
        iv_pause(iv_monotonic(&clock) - now);
        now = iv_monotonic(&clock);
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
