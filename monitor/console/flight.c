/* SPDX-License-Identifier: Apache-2.0 */
#include "console/flight.h"

#include "base/alloc.h"

enum { SHARES = 4 };

struct iv_flight {
    struct iv_console *console;
    struct iv_buf body;
    size_t weight; /* 0: small, and in no list */
    char name[IV_WHO_NAME_BYTES];
    struct iv_flight *next;
    struct iv_flight *prev;
};

/* Under the lock: what the name's own hold. */
static size_t held_by(const struct iv_console *console, const char *name)
{
    size_t held = 0;
    for (const struct iv_flight *f = console->flights; f != NULL; f = f->next) {
        held += strcmp(f->name, name) == 0 ? f->weight : 0;
    }
    return held;
}

/* One answer may be larger than a share, so each has one. */
static bool is_his_share(const struct iv_console *console, const struct iv_flight *flight)
{
    size_t held = flight->name[0] == '\0' ? 0 : held_by(console, flight->name);
    return held > 0 && held + flight->weight > console->flight_max / SHARES;
}

static enum iv_flight_end enter(struct iv_console *console, struct iv_flight *flight)
{
    enum iv_flight_end end = IV_FLIGHT_GOES;
    if (flight->weight == 0) {
        return end;
    }
    (void)pthread_mutex_lock(&console->flight_lock);
    if (console->flight + flight->weight > console->flight_max) {
        end = IV_FLIGHT_NO_ROOM;
    } else if (is_his_share(console, flight)) {
        end = IV_FLIGHT_NO_SHARE;
    } else {
        console->flight += flight->weight;
        flight->next = console->flights;
        if (flight->next != NULL) {
            flight->next->prev = flight;
        }
        console->flights = flight;
    }
    (void)pthread_mutex_unlock(&console->flight_lock);
    return end;
}

static void leave(struct iv_console *console, struct iv_flight *flight)
{
    if (flight->weight == 0) {
        return;
    }
    (void)pthread_mutex_lock(&console->flight_lock);
    console->flight -= flight->weight;
    *(flight->prev == NULL ? &console->flights : &flight->prev->next) = flight->next;
    if (flight->next != NULL) {
        flight->next->prev = flight->prev;
    }
    (void)pthread_mutex_unlock(&console->flight_lock);
}

static void land(void *ctx)
{
    struct iv_flight *flight = ctx;
    leave(flight->console, flight);
    iv_buf_wipe(&flight->body);
    iv_free(flight);
}

enum iv_flight_end iv_flight_response(struct MHD_Response **out, struct iv_request *request,
                                      struct iv_buf *body)
{
    struct iv_console *console = request->console;
    struct iv_flight *flight = iv_calloc(1, sizeof *flight);
    if (flight == NULL) {
        return IV_FLIGHT_NO_ROOM;
    }
    flight->console = console;
    flight->body = *body;
    flight->weight = body->capacity > IV_FLIGHT_SMALL ? body->capacity : 0;
    if (!console->open) { /* where nobody has a name, all have the same one */
        memcpy(flight->name, request->who.name, sizeof flight->name);
    }
    enum iv_flight_end end = enter(console, flight);
    if (end != IV_FLIGHT_GOES) {
        iv_free(flight);
        return end;
    }
    *out = MHD_create_response_from_buffer_with_free_callback_cls(body->n, body->p, land, flight);
    if (*out == NULL) {
        leave(console, flight);
        iv_free(flight);
        return IV_FLIGHT_NO_ROOM;
    }
    iv_buf_init(body, body->max);
    return IV_FLIGHT_GOES;
}
