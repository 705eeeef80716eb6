/* SPDX-License-Identifier: Apache-2.0 */
/* One transfer of libcurl at a time, for a thread that waits for it, and that can be told to stop waiting.
 * Owner/thread: one thread; iv_wire_wake may come from any.
 * Guarantee: no proxy of the environment is used, and where there is TLS, it is 1.2 or later, certificates
 * and names verified. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "base/time.h"

#include <curl/curl.h>
#include <stdatomic.h>
#include <stdbool.h>

struct iv_wire;

/* ended: whether nobody waits any more; outlives it. */
iv_rc iv_wire_new(struct iv_wire **out, const atomic_bool *ended, struct iv_err *err);
void iv_wire_free(struct iv_wire *wire);
void iv_wire_freep(struct iv_wire **wire);

/* A handle with the guarantees above. ca_file: PEM, trusted in the place of the system's authorities; p NULL:
 * those. */
iv_rc iv_wire_handle(CURL **out, struct iv_str ca_file, iv_ns timeout, struct iv_err *err);
void iv_wire_handle_freep(CURL **handle);

/* Carries the transfer out. CURLE_ABORTED_BY_CALLBACK: it was ended. Where the connection is to stay open,
 * the handle must be given back with iv_wire_drop. */
CURLcode iv_wire_perform(struct iv_wire *wire, CURL *handle, bool stays_open);
void iv_wire_drop(struct iv_wire *wire, CURL *handle);

/* Looks whether anybody waits. */
void iv_wire_wake(struct iv_wire *wire);
