/* SPDX-License-Identifier: Apache-2.0 */
/* The configured token: a secret that a file holds, with which whoever has it may do everything.
 * Guarantee: it is compared in a time that depends on the lengths alone. */
#pragma once

#include "console/server.h"

/* Reads console.token_file. IV_E_REFUSED: too short to be a secret, or not printable. */
iv_rc iv_token_file_read(struct iv_console *console, struct iv_str path, struct iv_err *err);

/* Whether this is the token; false where none is configured. */
bool iv_token_file_is(const struct iv_console *console, struct iv_str sent);
/* Whether it is the password of these Basic credentials, under any name. */
bool iv_token_file_is_basic(const struct iv_console *console, struct iv_str encoded);
