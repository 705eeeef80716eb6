/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures of JSON Web Signature, by OpenSSL: RS256 and ES256.
 * Owner/thread: one key, one thread.
 * Source: RFC 7518 3.3, 3.4.
 * Not here: Ed25519, which records are signed with (event/sign.h); the token around the signature. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct iv_jws_key;

/* An unencrypted private key in PEM: RSA of 2048 bits or more, or EC on P-256. IV_E_REFUSED: any other. */
iv_rc iv_jws_key_new(struct iv_jws_key **out, struct iv_str pem, struct iv_err *err);
void iv_jws_key_free(struct iv_jws_key *key);
void iv_jws_key_freep(struct iv_jws_key **key);

const char *iv_jws_algorithm(const struct iv_jws_key *key); /* "RS256" or "ES256", as its key is */
/* Appends the signature's bytes. */
iv_rc iv_jws_sign(struct iv_buf *out, const struct iv_jws_key *key, struct iv_str message,
                  struct iv_err *err);
