/* SPDX-License-Identifier: Apache-2.0 */
#include "console/live.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/guard.h"
#include "base/log.h"
#include "console/answer.h"
#include "console/chunk.h"
#include "console/known.h"
#include "console/peer.h"
#include "console/query.h"
#include "console/readers.h"

enum { BLOCK_BYTES = 16384, RETRY_S = 5 };

static const iv_ns look_every = 2 * IV_NS_PER_S;

/* One client. It holds a place, and at most one chunk, which it shares with the others at that place. */
struct iv_live {
    struct iv_live *next;
    struct iv_live *prev;
    struct iv_console *console;
    struct MHD_Connection *connection;
    bool suspended; /* under console->lock */
    struct iv_place place;
    struct iv_chunk *chunk; /* what is being sent; NULL: nothing */
    size_t at;
    bool moves; /* the chunk's end is a place: it is not a status */
    uint64_t status_seen;
    struct iv_who who;
    iv_ns looked; /* when it was last asked whether he still may read */
};

void iv_live_wake(struct iv_console *console)
{
    for (struct iv_live *live = console->lives; live != NULL; live = live->next) {
        if (live->suspended) {
            live->suspended = false;
            MHD_resume_connection(live->connection);
        }
    }
}

void iv_console_notify(struct iv_console *console)
{
    (void)pthread_mutex_lock(&console->lock);
    console->generation++;
    iv_live_wake(console);
    (void)pthread_mutex_unlock(&console->lock);
}

static void chunk_done(struct iv_live *live)
{
    if (live->moves) {
        live->place = live->chunk->to;
    }
    iv_chunk_unref(live->chunk);
    live->chunk = NULL;
    live->at = 0;
}

/* Takes the next thing to send. Findings and actions come before a status, which is a
 * word about the present. */
static bool chunk_take(struct iv_live *live, uint64_t *generation)
{
    struct iv_console *console = live->console;
    (void)pthread_mutex_lock(&console->lock);
    *generation = console->generation;
    (void)pthread_mutex_unlock(&console->lock);
    bool empty;
    do {
        struct iv_err err;
        if (!iv_ok(iv_chunks_get(console->chunks, &live->chunk, live->place, *generation, &err))) {
            LOG_ERROR("console.stream.failed", KV_TEXT("why", err.text));
            return false;
        }
        live->moves = live->chunk != NULL;
        empty = live->moves && live->chunk->n == 0;
        if (empty) {
            chunk_done(live);
        }
    } while (empty);
    if (live->chunk == NULL) {
        (void)pthread_mutex_lock(&console->lock);
        if (console->status != NULL && console->status_number != live->status_seen) {
            live->chunk = iv_chunk_ref(console->status);
            live->status_seen = console->status_number;
        }
        (void)pthread_mutex_unlock(&console->lock);
    }
    return true;
}

/* True: there was nothing to send and nothing has come since, so the connection sleeps until iv_live_wake. */
static bool suspend(struct iv_live *live, uint64_t generation)
{
    struct iv_console *console = live->console;
    (void)pthread_mutex_lock(&console->lock);
    bool sleeps = !console->stopping && console->generation == generation &&
                  console->status_number == live->status_seen;
    if (sleeps) {
        live->suspended = true;
        MHD_suspend_connection(live->connection);
    }
    (void)pthread_mutex_unlock(&console->lock);
    return sleeps;
}

static bool is_stopping(struct iv_console *console)
{
    (void)pthread_mutex_lock(&console->lock);
    bool stopping = console->stopping;
    (void)pthread_mutex_unlock(&console->lock);
    return stopping;
}

/* Who was let in stays in for as long as he would be let in; and to listen is to use a session. */
static bool may_go_on(struct iv_live *live)
{
    struct iv_clock clock = iv_clock_system();
    iv_ns now = iv_monotonic(&clock);
    if (now - live->looked < look_every) {
        return true;
    }
    live->looked = now;
    return iv_known_still(live->console, &live->who);
}

static ssize_t live_read(void *ctx, uint64_t position, char *out, size_t max)
{
    (void)position;
    struct iv_live *live = ctx;
    while (live->chunk == NULL) {
        uint64_t generation = 0;
        if (is_stopping(live->console) || !may_go_on(live)) {
            return MHD_CONTENT_READER_END_OF_STREAM;
        }
        if (!chunk_take(live, &generation)) {
            return MHD_CONTENT_READER_END_WITH_ERROR; /* the client comes back with the id it has */
        }
        if (live->chunk == NULL && suspend(live, generation)) {
            return 0;
        }
    }
    size_t left = live->chunk->n - live->at;
    size_t n = left < max ? left : max;
    memcpy(out, live->chunk->bytes + live->at, n);
    live->at += n;
    if (live->at == live->chunk->n) {
        chunk_done(live);
    }
    return (ssize_t)n;
}

static void live_free(void *ctx)
{
    struct iv_live *live = ctx;
    struct iv_console *console = live->console;
    (void)pthread_mutex_lock(&console->lock);
    if (live->next != NULL) {
        live->next->prev = live->prev;
    }
    if (live->prev != NULL) {
        live->prev->next = live->next;
    } else {
        console->lives = live->next;
    }
    console->live_count--;
    iv_series_set(iv_metrics_only(console->metrics, IV_METRIC_HTTP_STREAMS), (double)console->live_count);
    (void)pthread_mutex_unlock(&console->lock);
    iv_chunk_unref(live->chunk);
    iv_free(live);
}

/* Under console->lock. */
static size_t count_of(const struct iv_console *console, const char *name)
{
    size_t count = 0;
    for (const struct iv_live *live = console->lives; live != NULL; live = live->next) {
        count += strcmp(live->who.name, name) == 0;
    }
    return count;
}

/* Else the status of the refusal: as many streams run as are allowed, for all or for him. */
static unsigned live_enlist(struct iv_live *live)
{
    struct iv_console *console = live->console;
    unsigned status = MHD_HTTP_OK;
    (void)pthread_mutex_lock(&console->lock);
    if (console->live_count >= console->live_max || console->stopping) {
        status = MHD_HTTP_SERVICE_UNAVAILABLE;
    } else if (count_of(console, live->who.name) >= console->live_max_each) {
        status = MHD_HTTP_TOO_MANY_REQUESTS;
    } else {
        live->next = console->lives;
        if (live->next != NULL) {
            live->next->prev = live;
        }
        console->lives = live;
        console->live_count++;
        iv_series_set(iv_metrics_only(console->metrics, IV_METRIC_HTTP_STREAMS), (double)console->live_count);
    }
    (void)pthread_mutex_unlock(&console->lock);
    return status;
}

/* From Last-Event-ID, which a browser sends when it comes back; else from "after"; else from now on. A place
 * beyond the store's end belongs to another store (it was replaced): such a client starts from the first. */
static bool find_place(struct iv_place *out, struct iv_reply *reply, struct iv_request *request)
{
    const char *header = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Last-Event-ID");
    struct iv_str after = iv_query_get(request, "after");
    struct iv_err err;
    struct iv_store_heads heads;
    struct iv_reader *reader = iv_readers_borrow(request->console->readers);
    struct iv_rc_s rc = iv_reader_heads(reader, &heads, &err);
    iv_readers_return(request->console->readers, reader);
    if (!iv_ok(rc)) {
        iv_reply_failure(reply, &err);
        return false;
    }
    struct iv_place place = {heads.findings, heads.actions};
    struct iv_str text = header != NULL && header[0] != '\0' ? iv_str_of(header) : after;
    if (text.p != NULL && !iv_place_parse(&place, text)) {
        iv_reply_problem(reply, MHD_HTTP_BAD_REQUEST,
                         "%s must be the id of an event or the position of a page, such as 17-42",
                         text.p == header ? "Last-Event-ID" : "after");
        return false;
    }
    if (place.findings > heads.findings || place.actions > heads.actions) {
        place = (struct iv_place){0, 0};
    }
    *out = place;
    return true;
}

static struct iv_live *live_new(struct iv_request *request, struct iv_place place)
{
    static const char greeting[] =
        ": a stream of findings and actions; come back with Last-Event-ID\nretry: 2000\n\n";
    struct iv_clock clock = iv_clock_system();
    struct iv_live *live = iv_calloc(1, sizeof *live);
    if (live == NULL) {
        return NULL;
    }
    live->console = request->console;
    live->connection = request->connection;
    live->place = place;
    live->who = request->who;
    live->looked = iv_monotonic(&clock);
    live->chunk = iv_chunk_new((struct iv_str){greeting, sizeof greeting - 1}, place, place);
    if (live->chunk == NULL) {
        iv_free(live);
        return NULL;
    }
    return live;
}

void iv_answer_stream(struct iv_reply *reply, struct iv_request *request)
{
    struct iv_place place;
    if (!find_place(&place, reply, request)) {
        return;
    }
    reply->status = MHD_HTTP_OK;
    reply->type = "text/event-stream";
    if (request->head) {
        return;
    }
    struct iv_live *live = live_new(request, place);
    unsigned status = live == NULL ? MHD_HTTP_SERVICE_UNAVAILABLE : live_enlist(live);
    if (status != MHD_HTTP_OK) {
        iv_chunk_unref(live == NULL ? NULL : live->chunk);
        iv_free(live);
        reply->retry_after = RETRY_S;
        iv_reply_problem(reply, status, "as many streams run as the console allows%s",
                         status == MHD_HTTP_TOO_MANY_REQUESTS ? " one name" : "");
        return;
    }
    reply->response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, live_read, live, live_free);
    if (reply->response == NULL) {
        live_free(live);
        iv_reply_problem(reply, MHD_HTTP_SERVICE_UNAVAILABLE, "no memory for one more stream");
        return;
    }
    iv_peer_enter(request->console, request->connection, IV_PEER_STREAM);
}
