/* SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "event/chain.h"
#include "event/ed25519.h"
#include "event/keyring.h"

#define LONGEST_RECEIPT ((size_t)1 << 20)
#define USUAL_RECEIPT 4096 /* within it nothing is allocated */

/* The text of a member, p NULL if it is not there or no string. */
static struct iv_str member(const struct iv_val *receipt, const char *name)
{
    struct iv_val key = iv_val_str(iv_str_of(name));
    const struct iv_val *v = iv_val_map_get(receipt, &key);
    return v != NULL && v->kind == IV_KIND_STRING ? iv_val_slice(*v) : (struct iv_str){NULL, 0};
}

bool iv_receipt_valid(const struct iv_keyring *ring, const struct iv_val *receipt, struct iv_str role)
{
    struct iv_instant issued = {0};
    if (receipt->kind != IV_KIND_MAP) {
        return false;
    }
    struct iv_str key_id = member(receipt, "key_id");
    struct iv_str signature = member(receipt, "signature");
    struct iv_str issued_at = member(receipt, "issued_at");
    if (key_id.p == NULL || signature.p == NULL || issued_at.p == NULL ||
        !iv_instant_parse(&issued, issued_at)) {
        return false;
    }
    char message_bytes[USUAL_RECEIPT];
    char signature_bytes[IV_ED25519_SIGNATURE_BYTES + 4];
    struct iv_buf message;
    struct iv_buf bytes;
    iv_buf_init_lent(&message, message_bytes, sizeof message_bytes, LONGEST_RECEIPT);
    iv_buf_init_lent(&bytes, signature_bytes, sizeof signature_bytes, IV_ED25519_SIGNATURE_BYTES + 3);
    bool valid = iv_base64_decode(&bytes, signature) && !iv_buf_failed(&bytes) &&
                 iv_ok(iv_jcs_value(&message, receipt, "signature", NULL)) && !iv_buf_failed(&message) &&
                 iv_keyring_verify(ring, key_id, role, issued, iv_buf_slice(&message), iv_buf_slice(&bytes));
    iv_buf_deinit(&message);
    iv_buf_deinit(&bytes);
    return valid;
}
