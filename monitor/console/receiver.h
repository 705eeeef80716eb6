/* SPDX-License-Identifier: Apache-2.0 */
/* A receiving end for hooks: for the demo and for trials on one's own machine.
 * Purpose: takes the POSTs that playbooks send, and hands each to a function that says how to answer.
 * Owner/thread: started and stopped by one thread; the function is called from the server's own thread.
 * Guarantee: listens on a loopback address only; a body over 64 KiB is answered 413 and not handed over.
 * Not here: what playbooks send (respond/). */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct iv_receiver;

struct iv_hook_call {
    struct iv_str path;
    struct iv_str idempotency_key; /* p NULL: the header was not there */
    struct iv_str signature;       /* Invigil-Signature, likewise */
    struct iv_str body;
};

/* Answers an HTTP status. */
typedef unsigned (*iv_hook_fn)(void *ctx, const struct iv_hook_call *call);

iv_rc iv_receiver_start(struct iv_receiver **out, iv_hook_fn fn, void *ctx, struct iv_err *err);
void iv_receiver_stop(struct iv_receiver *receiver);
/* "http://127.0.0.1:PORT" */
const char *iv_receiver_url(const struct iv_receiver *receiver);
