/* SPDX-License-Identifier: Apache-2.0 */
/* Where actions go: a playbook names an endpoint, the daemon's configuration says what is behind the name. So
 * playbooks hold neither addresses nor secrets, and one baseline serves a trial and production. */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

/* How a client shows its secret (RFC 6749 2.3.1): in a header, or in the form of the body. */
enum iv_client_auth { IV_CLIENT_BASIC, IV_CLIENT_POST };

/* Who signs security events, with which key, for whom (RFC 8417). */
struct iv_set_issuer {
    struct iv_str issuer;
    struct iv_str audience;
    struct iv_str key;    /* PEM; p NULL: the endpoint takes none */
    struct iv_str key_id; /* may be empty */
};

struct iv_endpoint {
    struct iv_str name;
    struct iv_str url;      /* "https://tokens.internal/api"; the step's path is appended */
    struct iv_str hmac_key; /* signs each call; p NULL: calls are not signed */
    struct iv_str ca_file;  /* PEM, trusted for this endpoint alone; p NULL: the system's authorities */
    struct iv_str bearer_token_file; /* read for each call; p NULL: none */
    struct iv_str client_id;         /* with its secret; p NULL: none */
    struct iv_str client_secret;
    enum iv_client_auth client_auth;
    struct iv_set_issuer set;
    struct iv_str certificate; /* PEM files of a TLS client; p NULL: none */
    struct iv_str key;
    bool allow_http; /* plain http:// beyond loopback; on loopback it always is allowed */
};

/* A copy in the arena; and what is done to it, or to the original, before its memory goes back. */
iv_rc iv_endpoint_copy(struct iv_endpoint *out, const struct iv_endpoint *endpoint, struct iv_arena *arena,
                       struct iv_err *err);
void iv_endpoint_wipe(struct iv_endpoint *endpoint);

/* IV_E_REFUSED with a sentence: no http(s) URL, user names in it, plain http to another machine, credentials
 * that are half there or two of a kind. */
iv_rc iv_endpoint_check(const struct iv_endpoint *endpoint, struct iv_err *err);
