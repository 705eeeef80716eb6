/* SPDX-License-Identifier: Apache-2.0 */
/* The name of a store, as long as it exists: what tells one process from another where roles are apart.
 * Owner/thread: whoever is inside the store's transaction. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "evidence/store.h"

/* 16 hexadecimal digits, made when they are asked for first. */
iv_rc iv_instance(struct iv_buf *out, struct iv_store *store, struct iv_err *err);
