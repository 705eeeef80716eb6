/* SPDX-License-Identifier: Apache-2.0 */
/* Small files as a whole: configuration, keys, certificates. Records come in by the room stream. And files
 * that say whose something is. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* Appends the file's bytes to out, whose maximum bounds them. IV_E_ABSENT: there is no such file; IV_E_LIMIT:
 * it is larger than that; IV_E_IO: it cannot be read, or is a directory. */
iv_rc iv_file_read(struct iv_buf *out, struct iv_str path, struct iv_err *err);

/* Writes a new file with these permissions, and to the disk, whole or not at all. IV_E_REFUSED: it is there
 * already. */
iv_rc iv_file_create(const char *path, unsigned mode, struct iv_str content, struct iv_err *err);
/* Writes the file whole or not at all, over what was there. */
iv_rc iv_file_replace(const char *path, unsigned mode, struct iv_str content, struct iv_err *err);

/* Makes the file where it is missing, and takes what it stands for until *fd is closed or the process ends,
 * in whatever way; a child that is forked does not have it. IV_E_BUSY: another process has it; the sentence
 * names it by its id. */
iv_rc iv_file_claim(int *fd, const char *path, struct iv_err *err);
