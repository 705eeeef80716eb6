/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets from files.
 * Owner/thread: what was read belongs to the caller, who wipes it (iv_buf_wipe).
 * Guarantee: no copy of a secret's bytes stays behind in memory that was given back. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

enum { IV_SECRET_BYTES_MAX = 64 * 1024 };

enum iv_secret_extent {
    IV_SECRET_LINE, /* the first line, without its end: a token, a password */
    IV_SECRET_WHOLE /* all of it: a key in PEM */
};

/* Initialises out, also where it fails. IV_E_REFUSED: there is nothing in it; else as iv_file_read. */
iv_rc iv_secret_read(struct iv_buf *out, struct iv_str path, enum iv_secret_extent extent,
                     struct iv_err *err);

/* Compares in a time that the lengths alone decide. */
bool iv_secret_eq(struct iv_str a, struct iv_str b);
