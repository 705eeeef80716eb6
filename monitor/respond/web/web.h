/* SPDX-License-Identifier: Apache-2.0 */
/* Calls over HTTP: what every kind of action that makes one has in common.
 * Purpose: a kind says how a request looks and what an answer means. Addresses, credentials, signatures, TLS,
 * bounds and time-outs are here, once.
 * Owner/thread: one thread, iv_web_wake apart.
 * Guarantee: redirects are not followed, proxies of the environment not used, certificates and names
 * verified, answers read up to a bound. No credential of the endpoint gets into an outcome, even where the
 * other side sends it back. Not here: which endpoint (endpoint.h), when and how often (moves.h). */
#pragma once

#include "respond/action.h"

#define IV_WEB_BODY_MAX_BYTES (1u << 20)
#define IV_WEB_FORM "application/x-www-form-urlencoded"

/* How a request looks. All of it lives until the call has ended. */
struct iv_web_request {
    const char *method;
    struct iv_str path; /* follows the endpoint's url; may be empty */
    const char *type;   /* of the body; NULL: there is none */
    const char *accept; /* NULL: anything */
    struct iv_str body;
    const struct iv_val *headers; /* further ones, a map of text; NULL: none */
};

/* What came back. */
struct iv_web_answer {
    int status;
    struct iv_str body; /* its beginning, any bytes; valid during the judgement */
};

/* The body is this JSON, if any. */
iv_rc iv_web_json(struct iv_web_request *request, struct iv_call *call, const struct iv_val *json,
                  struct iv_err *err);

struct iv_web;

iv_rc iv_web_new(struct iv_web **out, struct iv_err *err);
void iv_web_free(struct iv_web *web);
void iv_web_freep(struct iv_web **web);

/* Begins the call as its kind wants it; it may have finished at once. */
iv_rc iv_web_send(struct iv_web *web, struct iv_call *call, const struct iv_action_kind *kind,
                  struct iv_err *err);
/* As far as the call, and no further: *said is what would be sent, without a credential. The error is the one
 * that the call would not begin for. */
iv_rc iv_web_rehearse(struct iv_web *web, struct iv_str *said, struct iv_call *call,
                      const struct iv_action_kind *kind, struct iv_err *err);
void iv_web_abandon(struct iv_web *web, struct iv_call *call);
/* Moves all calls on, for up to wait, or until there is something to read from fd (-1: none). */
iv_rc iv_web_pump(struct iv_web *web, int fd, iv_ns wait, struct iv_err *err);
void iv_web_wake(struct iv_web *web); /* ends a pump early; from any thread */
