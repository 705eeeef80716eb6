/* SPDX-License-Identifier: Apache-2.0 */
/* Ed25519 keys in PEM (RFC 7468; RFC 8410), by OpenSSL. For the files of this folder only. */
#pragma once

#include "base/buf.h"
#include "base/str.h"

#include <stdbool.h>

/* A SubjectPublicKeyInfo; false if it is anything but one Ed25519 key. */
bool iv_pem_public_key(unsigned char out[32], struct iv_str pem);
/* An unencrypted PKCS#8 private key's seed. */
bool iv_pem_private_seed(unsigned char out[32], struct iv_str pem);

bool iv_pem_write_public(struct iv_buf *out, const unsigned char key[32]);
bool iv_pem_write_private(struct iv_buf *out, const unsigned char seed[32]);
