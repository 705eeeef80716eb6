/* SPDX-License-Identifier: Apache-2.0 */
/* Whose page makes a browser ask.
 * Source: Fetch Metadata Request Headers (Sec-Fetch-Site), RFC 6454 (Origin). */
#pragma once

#include "console/server.h"

/* Without authentication a request must name a loopback address, or the one that is listened on, as its host:
 * a page of another site whose name was made to point here (DNS rebinding) does not. */
bool iv_origin_host_is_ours(struct iv_request *request);

/* False: a browser says that a page of another origin makes it ask. Who is no browser says nothing. */
bool iv_origin_is_same(struct iv_request *request);

/* A form of another site could not have sent it, even from a browser that says nothing of origins: it has a
 * header or a type that only scripts may send, and to other sites only where those allow it. */
bool iv_origin_is_on_purpose(struct iv_request *request);
