/* SPDX-License-Identifier: Apache-2.0 */
/* The responder's insides, shared by responder.c, whose turns it takes, and claim.c. Internal to the room. */
#pragma once

#include "event/decode.h"
#include "respond/action.h"
#include "respond/breaker.h"
#include "respond/clock_jump.h"
#include "respond/obstacle.h"
#include "respond/responder.h"

#include <pthread.h>

struct iv_carriers;
struct iv_catalogue;

struct iv_responder {
    struct iv_responder_options options;
    struct iv_arena arena; /* the endpoints */
    struct iv_endpoint *endpoints;
    struct iv_catalogue *catalogue; /* for the decoder, which reads stored requests */
    struct iv_decoder *decoder;
    struct iv_carriers *carriers;
    struct iv_call **calls; /* under way, or at their end and not written down yet */
    size_t call_count;
    size_t call_max;
    pthread_mutex_t lock;
    struct iv_government government; /* under lock */
    struct iv_breaker *breakers;     /* of the endpoints, */
    struct iv_obstacles *obstacles;  /* likewise */
    bool paused;                     /* as of the last look */
    bool resumes;                    /* messages could not be sent until now: their time begins anew */
    bool more;                       /* delivered messages were left for the next turn */
    iv_ns next_due;                  /* as of the last look: when the next step is */
    struct iv_jump jump;
    bool set_back; /* the clock was, and what waits does not know yet */
    struct iv_responder_stats stats;
};

void iv_call_free(struct iv_call *call);
const struct iv_action_kind *iv_call_kind(const struct iv_call *call); /* NULL: there is none here */
/* Of its endpoint; NULL: it has none. */
struct iv_breaker *iv_call_breaker(struct iv_responder *responder, const struct iv_call *call);

/* Claims one due step, inside the store's transaction: what came of it is written there. *out is NULL when
 * there is none; it is finished when nothing has to be called. It is to be freed whatever is returned. */
iv_rc iv_responder_claim(struct iv_responder *responder, struct iv_call **out, struct iv_err *err);
