/* SPDX-License-Identifier: Apache-2.0 */
#include "event/ed25519.h"

#include <sodium.h>

bool iv_ed25519_init(void)
{
    return sodium_init() >= 0;
}

bool iv_ed25519_key_valid(const unsigned char key[IV_ED25519_KEY_BYTES])
{
    return crypto_core_ed25519_is_valid_point(key) == 1;
}

bool iv_ed25519_verify(const unsigned char key[IV_ED25519_KEY_BYTES], struct iv_str message,
                       struct iv_str signature)
{
    return signature.n == IV_ED25519_SIGNATURE_BYTES &&
           crypto_sign_verify_detached((const unsigned char *)signature.p, (const unsigned char *)message.p,
                                       message.n, key) == 0;
}
