/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/obstacle.h"

#include "base/guard.h"
#include "evidence/store.h"
#include "respond/responder_internal.h"

#define HANGS_AFTER IV_NS_PER_S
#define CAUSE_MAX_BYTES 1024
#define ALL (-1)

/* How many calls more an endpoint may have: one that answers none of its calls must leave room for those to
 * others. Nobody knows that what began just now hangs. */
static int64_t room_of(const struct iv_responder *r, const struct iv_endpoint *endpoint, iv_ns now)
{
    int64_t most = (int64_t)(r->call_max / 2 > 0 ? r->call_max / 2 : 1);
    for (size_t i = 0; i < r->call_count; i++) {
        const struct iv_call *other = r->calls[i];
        bool hangs = !other->finished && iv_ns_add(other->now, HANGS_AFTER) <= now;
        most -= other->endpoint == endpoint && hangs;
    }
    return most;
}

/* What steps are told, and known again by. */
static iv_rc tell(struct iv_buf *out, const struct iv_endpoint *endpoint, const char *what,
                  struct iv_err *err)
{
    iv_buf_printf(out, "the endpoint '" IV_STR_FMT "' %s", IV_STR_ARG(endpoint->name), what);
    return iv_buf_check(out, "a cause", err);
}
#define FULL "has not answered the calls that it has"
#define SHUT "does not answer: it is not called for now"

iv_rc iv_obstacle_of(struct iv_str *cause, iv_ns *until, struct iv_responder *r, struct iv_call *call,
                     struct iv_err *err)
{
    struct iv_breaker *breaker = iv_call_breaker(r, call);
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    iv_ns monotonic = iv_monotonic(&r->options.clock);
    iv_ns reopens = 0;
    iv_buf_init(&text, CAUSE_MAX_BYTES);
    *cause = (struct iv_str){NULL, 0};
    *until = iv_ns_add(call->now, IV_OBSTACLE_LOOK);
    if (breaker == NULL) {
        return IV_OK;
    }
    struct iv_obstacles *told = &r->obstacles[breaker - r->breakers];
    if (room_of(r, call->endpoint, call->now) <= 0) {
        told->full = true;
        TRY(tell(&text, call->endpoint, FULL, err));
    } else if (!iv_breaker_lets(breaker, monotonic, &reopens)) {
        told->shut = true;
        *until = breaker->probing ? *until : iv_ns_add(call->now, reopens - monotonic);
        TRY(tell(&text, call->endpoint, SHUT, err));
    } else {
        return IV_OK;
    }
    *cause = iv_arena_str(&call->arena, iv_buf_slice(&text));
    ENSURE(cause->p != NULL, err, IV_E_NOMEM, "cannot allocate a cause");
    return IV_OK;
}

/* *told is false again when nobody is left who was told so. */
static iv_rc lift(struct iv_responder *r, size_t e, bool *told, const char *what, int64_t most, bool *any,
                  iv_ns now, struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf text;
    int64_t lifted = 0;
    iv_buf_init(&text, CAUSE_MAX_BYTES);
    TRY(tell(&text, &r->endpoints[e], what, err));
    TRY(iv_store_lift(r->options.store, &lifted, iv_buf_slice(&text), most, now, err));
    *told = most != ALL && lifted == most;
    *any = *any || lifted > 0;
    return IV_OK;
}

iv_rc iv_obstacles_lift(struct iv_responder *r, bool *any, iv_ns now, struct iv_err *err)
{
    for (size_t e = 0; e < r->options.endpoint_count; e++) {
        struct iv_obstacles *told = &r->obstacles[e];
        int64_t room = told->full ? room_of(r, &r->endpoints[e], now) : 0;
        if (room > 0) {
            TRY(lift(r, e, &told->full, FULL, room, any, now, err));
        }
        if (told->shut && !r->breakers[e].open) {
            TRY(lift(r, e, &told->shut, SHUT, ALL, any, now, err));
        }
    }
    return IV_OK;
}
