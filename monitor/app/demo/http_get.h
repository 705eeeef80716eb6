/* SPDX-License-Identifier: Apache-2.0 */
/* One GET over plain HTTP to this machine: the demo looks at its own console as a browser would.
 * Not here: calls to anybody else (respond/http). */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* Appends the body of a 200. url is "http://127.0.0.1:PORT". IV_E_IO otherwise. */
iv_rc iv_http_get(struct iv_buf *out, const char *url, const char *path, struct iv_err *err);
