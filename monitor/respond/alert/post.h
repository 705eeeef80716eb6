/* SPDX-License-Identifier: Apache-2.0 */
/* POST of a sink, and what the answer means as long as its kind does not know better. */
#pragma once

#include "base/buf.h"
#include "respond/alert/sink.h"

/* Of every kind that posts; the first of its settings. */
enum { IV_POST_URL, IV_POST_CA_FILE, IV_POST_ALLOW_HTTP, IV_POST_SETTINGS };
#define IV_POST_SETTINGS_BEHIND_URL                                                                          \
    {.name = "ca_file",                                                                                      \
     .form = IV_SETTING_FILE,                                                                                \
     .doc = "PEM, trusted for this sink alone, in the place of the system's authorities."},                  \
    {                                                                                                        \
        .name = "allow_http", .form = IV_SETTING_FLAG, .doc = "Permits plain HTTP to another machine."       \
    }

#define IV_POST_TIMEOUT (10 * IV_NS_PER_S)
#define IV_POST_BODY_MAX (512u << 10)

struct iv_post {
    struct iv_str url;
    struct iv_str body;
    struct iv_str hmac_key; /* p NULL: not signed */
    struct iv_str key;      /* goes as Idempotency-Key; p NULL: does not */
};

struct iv_post_answer {
    int status; /* 0: there was none */
    struct iv_str body;
};

/* The url of a sink of this name must be one that may be posted to. */
iv_rc iv_post_check(const struct iv_alert_sink *sink, struct iv_str url, struct iv_err *err);

/* 2xx is told; 400, 413 and 422 are refused; everything else is tried again. answer may be NULL; its body
 * (its beginning) is put into scratch. */
iv_rc iv_post(struct iv_delivery *out, struct iv_post_answer *answer, struct iv_buf *scratch,
              const struct iv_sink_tools *tools, const struct iv_post *post, struct iv_err *err);
