/* SPDX-License-Identifier: Apache-2.0 */
/* Who is served.
 * Guarantee: a token is compared in a time that depends on its length alone. Without authentication, which
 * only a loopback address allows, a request must name that address as its host: a page of another site whose
 * name was made to point here (DNS rebinding) is refused. */
#pragma once

#include "console/server.h"

/* Reads console.token_file. IV_E_REFUSED: too short to be a secret, or not printable. */
iv_rc iv_auth_token_read(struct iv_console *console, struct iv_str path, struct iv_err *err);

/* False: the reply holds the refusal. */
bool iv_auth_allows(struct iv_request *request, struct iv_reply *reply, bool open);
