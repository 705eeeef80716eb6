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

/* Where the status cannot be had, a comment keeps the connection alive and lets a dead one be noticed. That
 * actions are paused is told all the same. respond empty: it is not known. */
static struct iv_chunk *status_chunk(struct iv_console *console, struct iv_str respond)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    iv_buf_init(&text, STATUS_BYTES_MAX + RESPOND_BYTES_MAX);
    struct iv_err err;
    struct iv_json j = iv_json_to(&text);
    iv_buf_text(&text, "event: status\ndata: ");
    bool good = iv_ok(iv_status_write(&j, console, &err));
    if (!good || iv_buf_failed(&text) || text.n > STATUS_BYTES_MAX) {
        LOG_WARN("console.status.failed", KV_TEXT("why", good ? "too large" : err.text));
        iv_buf_clear(&text);
        iv_buf_text(&text, ": the status is not to be had");
    }
    if (respond.n > 0) {
        iv_buf_text(&text, "\n\nevent: respond\ndata: ");
        iv_buf_str(&text, respond);
    }
    iv_buf_text(&text, "\n\n");
    return iv_buf_failed(&text)
               ? NULL
               : iv_chunk_new(iv_buf_slice(&text), (struct iv_place){0, 0}, (struct iv_place){0, 0});
}

/* False: there is no memory for it, and streams have what they had. */
static bool beat(struct iv_console *console, iv_ns now, struct iv_str respond)
{
    iv_status_sample(console, now);
    struct iv_chunk *fresh = status_chunk(console, respond);
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
    return fresh != NULL;
}

/* Whether actions are called at all, as text; empty where that cannot be read. */
static struct iv_str look_at_respond(struct iv_buf *text, struct iv_console *console)
{
    struct iv_err err;
    iv_buf_clear(text);
    bool good = iv_ok(iv_respond_write(text, console, &err)) && !iv_buf_failed(text);
    return good ? iv_buf_slice(text) : IV_STR("");
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
    IV_AUTO(iv_buf_deinit) struct iv_buf seen;
    IV_AUTO(iv_buf_deinit) struct iv_buf told;
    iv_buf_init(&seen, RESPOND_BYTES_MAX);
    iv_buf_init(&told, RESPOND_BYTES_MAX);
    do {
        iv_ns now = iv_monotonic(&clock);
        iv_peer_sweep(console, now);
        iv_uses_flush(console);
        iv_sums_catch_up(console);
        /* Somebody may have paused the actions or let them go on, in this process or another one. */
        struct iv_str respond = look_at_respond(&seen, console);
        bool changed = respond.n > 0 && !iv_str_eq(respond, iv_buf_slice(&told));
        if (changed || now >= next) {
            if (beat(console, now, respond) && changed) {
                iv_buf_clear(&told);
                iv_buf_str(&told, respond);
            }
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
