/* SPDX-License-Identifier: Apache-2.0 */
/* When sessions were used last, until the store has it.
 * Purpose: who only looks does not wait for the store's writer.
 * Guarantee: bounded memory: what finds no place is noted with the session's next use. Owner/thread: any;
 * flushed by the console's own thread. */
#pragma once

#include "console/server.h"

struct iv_uses;

iv_rc iv_uses_new(struct iv_uses **out, struct iv_err *err);
void iv_uses_free(struct iv_uses *uses);

void iv_uses_note(struct iv_uses *uses, const unsigned char digest[IV_KEY_DIGEST_BYTES], iv_ns now);
/* 0: nothing is noted. */
iv_ns iv_uses_of(struct iv_uses *uses, const unsigned char digest[IV_KEY_DIGEST_BYTES]);

/* Into the store; where that is busy, the next time. */
void iv_uses_flush(struct iv_console *console);
