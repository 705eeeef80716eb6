/* SPDX-License-Identifier: Apache-2.0 */
/* The console's connections to the store: one for each thread that answers, lent for the length of a
 * request.
 * Owner/thread: any thread may borrow; what is borrowed belongs to that thread until it is given back. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "evidence/reader.h"

struct iv_readers;

/* within: what each may take from when it is borrowed. */
iv_rc iv_readers_new(struct iv_readers **out, struct iv_str store_path, size_t count, iv_ns within,
                     struct iv_err *err);
void iv_readers_free(struct iv_readers *readers);

/* Waits for a free one. */
struct iv_reader *iv_readers_borrow(struct iv_readers *readers);
void iv_readers_return(struct iv_readers *readers, struct iv_reader *reader);
