/* SPDX-License-Identifier: Apache-2.0 */
/* Passwords, kept so that whoever reads the file still has to guess each of them at a cost.
 * Source: RFC 7914 (scrypt), by OpenSSL. */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum { IV_SCRYPT_BYTES = 32, IV_SALT_BYTES = 16 };

struct iv_scrypt {
    unsigned char hash[IV_SCRYPT_BYTES];
    unsigned char salt[IV_SALT_BYTES];
    uint64_t cost; /* N, a power of two */
    uint32_t block;
    uint32_t parallel;
};

/* With a new salt and today's parameters: 32 MiB, and some tens of milliseconds. */
iv_rc iv_scrypt_make(struct iv_scrypt *out, struct iv_str password, struct iv_err *err);
/* With the salt and the parameters that it was made with. The time it takes tells nothing of the answer. */
iv_rc iv_scrypt_is(bool *out, const struct iv_scrypt *made, struct iv_str password, struct iv_err *err);

/* Of nobody: no password is this one, and to find that out costs what it costs with any other. */
void iv_scrypt_nobody(struct iv_scrypt *out);

/* The function itself. IV_E_CRYPTO: parameters that OpenSSL does not take, or more than 128 MiB. */
iv_rc iv_scrypt(struct iv_scrypt *out, struct iv_str password, struct iv_str salt, struct iv_err *err);

/* Bytes that nobody can guess. Aborts if the system has none. */
void iv_random(void *out, size_t n);
