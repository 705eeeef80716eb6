/* SPDX-License-Identifier: Apache-2.0 */
/* Where a request ends.
 * Guarantee: a body has one Content-Length and no Transfer-Encoding, so that this server and a gateway in
 * front of it cannot disagree about where the next request begins (request smuggling). Whatever else
 * announces a body is refused before a byte of it is read, and the connection ends. Source: RFC 9112 6. */
#pragma once

#include "console/server.h"

enum iv_framing {
    IV_FRAMING_EMPTY,
    IV_FRAMING_BODY,
    IV_FRAMING_TOO_LARGE,
    IV_FRAMING_AMBIGUOUS,
    IV_FRAMING_MALFORMED, /* a header that others may read otherwise */
    IV_FRAMING_HOSTS,     /* more than one host: others may take another one */
};

enum iv_framing iv_framing_of(struct MHD_Connection *connection);

/* type: of a Content-Type header; NULL is none. */
bool iv_framing_is_json(const char *type);

/* False: the reply holds the refusal. */
bool iv_framing_admits(struct iv_reply *reply, struct MHD_Connection *connection, enum iv_framing framing,
                       bool takes_body);
