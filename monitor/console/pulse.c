/* SPDX-License-Identifier: Apache-2.0 */
/* The console's own thread: the status that streams carry, and the deadlines of connections. */
#include "base/alloc.h"
#include "base/clock.h"
#include "base/guard.h"
#include "base/json_write.h"
#include "base/log.h"
#include "console/chunk.h"
#include "console/live.h"
#include "console/peer.h"
#include "console/respond.h"
#include "console/status.h"
#include "console/sums.h"
#include "console/uses.h"

#include <errno.h>
#include <time.h>

enum { STATUS_BYTES_MAX = 1 << 20, RESPOND_BYTES_MAX = 16 << 10 };

/* Where the status cannot be had, a comment keeps the connection alive and lets a dead one be noticed. */
static struct iv_chunk *status_chunk(struct iv_console *console)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    iv_buf_init(&text, STATUS_BYTES_MAX);
    struct iv_err err;
    struct iv_json j = iv_json_to(&text);
    iv_buf_text(&text, "event: status\ndata: ");
    bool good = iv_ok(iv_status_write(&j, console, &err));
    iv_buf_text(&text, "\n\nevent: respond\ndata: ");
    good = good && iv_ok(iv_respond_write(&text, console, &err));
    iv_buf_text(&text, "\n\n");
    if (!good || iv_buf_failed(&text)) {
        LOG_WARN("console.status.failed", KV_TEXT("why", good ? "too large" : err.text));
        iv_buf_clear(&text);
        iv_buf_text(&text, ": the status is not to be had\n\n");
    }
    return iv_chunk_new(iv_buf_slice(&text), (struct iv_place){0, 0}, (struct iv_place){0, 0});
}

static void beat(struct iv_console *console, iv_ns now)
{
    iv_status_sample(console, now);
    struct iv_chunk *fresh = status_chunk(console);
    (void)pthread_mutex_lock(&console->lock);
    struct iv_chunk *old = NULL;
    if (fresh != NULL) {
        old = console->status;
        console->status = fresh;
        console->status_number++;
    }
    console->generation++; /* another process may have written */
    iv_live_wake(console);
    (void)pthread_mutex_unlock(&console->lock);
    iv_chunk_unref(old);
}

/* Somebody has paused the actions or let them go on, in this process or another one, since it was told. */
static bool respond_changed(struct iv_console *console, struct iv_buf *told)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf fresh;
    struct iv_err err;
    iv_buf_init(&fresh, RESPOND_BYTES_MAX);
    if (!iv_ok(iv_respond_write(&fresh, console, &err)) || iv_buf_failed(&fresh) ||
        iv_str_eq(iv_buf_slice(&fresh), iv_buf_slice(told))) {
        return false;
    }
    iv_buf_clear(told);
    iv_buf_str(told, iv_buf_slice(&fresh));
    return true;
}

/* Until the time by the monotonic clock, a word that somebody waits for, or a stop. */
static bool wait_until(struct iv_console *console, iv_ns time)
{
    struct timespec until = {.tv_sec = (time_t)(time / IV_NS_PER_S), .tv_nsec = (long)(time % IV_NS_PER_S)};
    (void)pthread_mutex_lock(&console->lock);
    int rc = 0;
    while (!console->stopping && !console->hurried && rc != ETIMEDOUT) {
        rc = pthread_cond_timedwait(&console->tick, &console->lock, &until);
    }
    bool stopping = console->stopping;
    console->hurried = false;
    (void)pthread_mutex_unlock(&console->lock);
    return !stopping;
}

static void *pulse_main(void *ctx)
{
    struct iv_console *console = ctx;
    struct iv_clock clock = iv_clock_system();
    iv_ns next = iv_monotonic(&clock);
    IV_AUTO(iv_buf_deinit) struct iv_buf told;
    iv_buf_init(&told, RESPOND_BYTES_MAX);
    do {
        iv_ns now = iv_monotonic(&clock);
        iv_peer_sweep(console, now);
        iv_uses_flush(console);
        iv_sums_catch_up(console);
        if (respond_changed(console, &told) || now >= next) {
            beat(console, now);
            next = iv_ns_add(now, console->pulse);
        }
        iv_ns second = iv_ns_add(now, IV_NS_PER_S);
        if (!wait_until(console, next < second ? next : second)) {
            return NULL;
        }
    } while (true);
}

iv_rc iv_pulse_start(struct iv_console *console, struct iv_err *err)
{
    int rc = pthread_create(&console->pulse_thread, NULL, pulse_main, console);
    ENSURE(rc == 0, err, IV_E_IO, "cannot start the console's thread: %s", strerror(rc));
    console->pulse_started = true;
    return IV_OK;
}

void iv_pulse_hurry(struct iv_console *console)
{
    (void)pthread_mutex_lock(&console->lock);
    console->hurried = true;
    (void)pthread_cond_broadcast(&console->tick);
    (void)pthread_mutex_unlock(&console->lock);
}

void iv_pulse_stop(struct iv_console *console)
{
    (void)pthread_mutex_lock(&console->lock);
    console->stopping = true;
    iv_live_wake(console);
    (void)pthread_cond_broadcast(&console->tick);
    (void)pthread_mutex_unlock(&console->lock);
    if (console->pulse_started) {
        (void)pthread_join(console->pulse_thread, NULL);
    }
}
