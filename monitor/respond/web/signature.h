/* SPDX-License-Identifier: Apache-2.0 */
/* The header Invigil-Signature: "t=SECONDS,v1=HEX", where HEX is HMAC-SHA-256 under the endpoint's key over
 * the bytes of SECONDS, ".", and the body. A receiver recomputes it and refuses what is old. Internal to
 * web/. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "base/time.h"

#define IV_SIGNATURE_TEXT_BYTES 128

struct iv_signature;
iv_rc iv_signature_new(struct iv_signature **out, struct iv_err *err);
void iv_signature_free(struct iv_signature *signature);
/* Writes the header's value, NUL-terminated. */
void iv_signature_make(char out[IV_SIGNATURE_TEXT_BYTES], struct iv_signature *signature, struct iv_str key,
                       iv_ns now, struct iv_str body);
