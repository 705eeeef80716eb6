/* SPDX-License-Identifier: Apache-2.0 */
/* Small files as a whole. Records come in by the room stream. */
#pragma once

#include "buf.h"
#include "err.h"

/* Appends the file's bytes to out, whose maximum bounds them. IV_E_ABSENT: there is no such file; IV_E_LIMIT:
 * it is larger than that; IV_E_IO: it cannot be read, or is a directory. */
iv_rc iv_file_read(struct iv_buf *out, struct iv_str path, struct iv_err *err);
