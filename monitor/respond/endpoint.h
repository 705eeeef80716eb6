/* SPDX-License-Identifier: Apache-2.0 */
/* Where actions go: a playbook names an endpoint, the daemon's configuration says what is behind the name. So
 * playbooks hold neither addresses nor secrets, and one baseline serves a trial and production. */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

struct iv_endpoint {
    struct iv_str name;
    struct iv_str url;      /* "https://tokens.internal/api"; the step's path is appended */
    struct iv_str hmac_key; /* signs each call; p NULL: calls are not signed */
    struct iv_str ca_file;  /* PEM, trusted for this endpoint alone; p NULL: the system's authorities */
    bool allow_http;        /* plain http:// beyond loopback; on loopback it always is allowed */
};

/* IV_E_REFUSED with a sentence: no http(s) URL, user names in it, plain http to another machine. */
iv_rc iv_endpoint_check(const struct iv_endpoint *endpoint, struct iv_err *err);
