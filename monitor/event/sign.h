/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519 key pairs: making them, reading them, signing.
 * Owner/thread: a key is immutable and shared. Private bytes are cleared when it is freed. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct iv_signer;

iv_rc iv_signer_generate(struct iv_signer **out, struct iv_err *err);
/* From 32 seed bytes: deterministic fleets of the simulator. */
iv_rc iv_signer_of_seed(struct iv_signer **out, const unsigned char seed[32], struct iv_err *err);
/* From PKCS#8 PEM text. */
iv_rc iv_signer_of_pem(struct iv_signer **out, struct iv_str pem, struct iv_err *err);
void iv_signer_free(struct iv_signer *signer);
void iv_signer_freep(struct iv_signer **signer);

iv_rc iv_signer_private_pem(struct iv_buf *out, const struct iv_signer *signer, struct iv_err *err);
iv_rc iv_signer_public_pem(struct iv_buf *out, const struct iv_signer *signer, struct iv_err *err);
void iv_signer_public_bytes(unsigned char out[32], const struct iv_signer *signer);
void iv_sign(unsigned char out[64], const struct iv_signer *signer, struct iv_str message);
