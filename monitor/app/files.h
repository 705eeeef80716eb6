/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files in and out: keys, certificates, small inputs. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* Appends the file's bytes. IV_E_IO: it cannot be read; IV_E_LIMIT: it is larger than out may become. */
iv_rc iv_file_load(struct iv_buf *out, const char *path, struct iv_err *err);

/* Writes a new file with these permissions. IV_E_REFUSED: it is there already. */
iv_rc iv_file_create(const char *path, unsigned mode, struct iv_str content, struct iv_err *err);
/* Writes the file whole or not at all, over what was there. */
iv_rc iv_file_replace(const char *path, unsigned mode, struct iv_str content, struct iv_err *err);
