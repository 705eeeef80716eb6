/* SPDX-License-Identifier: Apache-2.0 */
/* A connection to a syslog server, opened when it is needed and opened again when it was lost. Internal to
 * syslog/.
 * Guarantee: none beyond what the protocol has: nobody acknowledges a message. What the other side says
 * against the connection within a moment after the bytes were sent counts as a refusal of all of them. */
#pragma once

#include "respond/alert/wire.h"

#include <stddef.h>

struct iv_syslog_stream_options {
    struct iv_wire *wire;
    struct iv_str address; /* HOST:PORT */
    bool tls;
    struct iv_str ca_file; /* p NULL: none, as what follows */
    struct iv_str certificate;
    struct iv_str key;
};

struct iv_syslog_stream;
iv_rc iv_syslog_stream_new(struct iv_syslog_stream **out, const struct iv_syslog_stream_options *options,
                           struct iv_err *err);
void iv_syslog_stream_free(struct iv_syslog_stream *stream);

/* *taken: else why says why not. */
iv_rc iv_syslog_stream_send(struct iv_syslog_stream *stream, bool *taken, struct iv_str bytes, char *why,
                            size_t why_size, struct iv_err *err);
