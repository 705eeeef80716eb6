/* SPDX-License-Identifier: Apache-2.0 */
#include "console/flight.h"

#include "base/alloc.h"

struct flight {
    struct iv_console *console;
    struct iv_buf body;
};

static size_t weight_of(const struct iv_buf *body)
{
    return body->capacity > IV_FLIGHT_SMALL ? body->capacity : 0;
}

static void leave(struct iv_console *console, size_t weight)
{
    (void)__atomic_sub_fetch(&console->flight, weight, __ATOMIC_RELAXED);
}

static bool enter(struct iv_console *console, size_t weight)
{
    bool fits = __atomic_add_fetch(&console->flight, weight, __ATOMIC_RELAXED) <= console->flight_max;
    if (!fits && weight > 0) {
        leave(console, weight);
    }
    return fits || weight == 0;
}

static void land(void *ctx)
{
    struct flight *flight = ctx;
    leave(flight->console, weight_of(&flight->body));
    iv_buf_wipe(&flight->body);
    iv_free(flight);
}

struct MHD_Response *iv_flight_response(struct iv_console *console, struct iv_buf *body)
{
    struct flight *flight = iv_malloc(sizeof *flight);
    if (flight == NULL || !enter(console, weight_of(body))) {
        iv_free(flight);
        return NULL;
    }
    *flight = (struct flight){.console = console, .body = *body};
    struct MHD_Response *made =
        MHD_create_response_from_buffer_with_free_callback_cls(body->n, body->p, land, flight);
    if (made == NULL) {
        leave(console, weight_of(body));
        iv_free(flight);
        return NULL;
    }
    iv_buf_init(body, body->max);
    return made;
}
