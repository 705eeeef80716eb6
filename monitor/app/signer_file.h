/* SPDX-License-Identifier: Apache-2.0 */
/* A private key as `invigil keygen` wrote it.
 * Owner/thread: the main thread of a command. */
#pragma once

#include "event/sign.h"

/* The file's bytes are wiped behind it. */
iv_rc iv_signer_read(struct iv_signer **out, const char *path, struct iv_err *err);
