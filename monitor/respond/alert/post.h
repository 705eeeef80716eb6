/* SPDX-License-Identifier: Apache-2.0 */
/* POST of a sink, by the client of web/, and what the answer means as long as its kind does not know better.
 */
#pragma once

#include "base/buf.h"
#include "respond/alert/sink.h"

/* Of every kind that posts; the first of its settings. */
enum {
    IV_POST_URL,
    IV_POST_CA_FILE,
    IV_POST_ALLOW_HTTP,
    IV_POST_TOKEN,
    IV_POST_CERTIFICATE,
    IV_POST_KEY,
    IV_POST_SETTINGS
};
#define IV_POST_SETTINGS_BEHIND_URL                                                                          \
    {.name = "ca_file",                                                                                      \
     .form = IV_SETTING_FILE,                                                                                \
     .doc = "PEM, trusted for this sink alone, in the place of the system's authorities."},                  \
        {.name = "allow_http", .form = IV_SETTING_FLAG, .doc = "Permits plain HTTP to another machine."},    \
        {.name = "bearer_token_file",                                                                        \
         .form = IV_SETTING_FILE,                                                                            \
         .doc = "Its first line is the token of each request; read again each time."},                       \
        {.name = "certificate", .form = IV_SETTING_FILE, .doc = "PEM, of a TLS client; goes with key."},     \
    {                                                                                                        \
        .name = "key", .form = IV_SETTING_FILE, .doc = "PEM, of a TLS client; goes with certificate."        \
    }

#define IV_POST_BODY_MAX (512u << 10)

/* Who posts, and where to. */
struct iv_post {
    struct iv_str url;
    struct iv_str body;
    struct iv_str key;      /* a repetition is known by it */
    struct iv_str hmac_key; /* p NULL: not signed */
};

/* The sink, with this url, must be one that may be posted to. */
iv_rc iv_post_check(const struct iv_alert_sink *sink, struct iv_str url, struct iv_err *err);

/* 2xx is told; 400, 413 and 422 are refused; everything else is tried again. status may be NULL; 0: no answer
 * came. answer: its beginning is appended; may be NULL. */
iv_rc iv_post(struct iv_delivery *out, int *status, struct iv_buf *answer, const struct iv_sink_tools *tools,
              const struct iv_post *post, struct iv_err *err);
