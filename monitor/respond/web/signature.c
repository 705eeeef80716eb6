/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/web/signature.h"

#include "base/alloc.h"
#include "base/digest.h"
#include "base/guard.h"
#include "base/hmac.h"

#include <stdio.h>

struct iv_signature {
    struct iv_digester *digester;
};

iv_rc iv_signature_new(struct iv_signature **out, struct iv_err *err)
{
    struct iv_signature *s = iv_calloc(1, sizeof *s);
    ENSURE(s != NULL, err, IV_E_NOMEM, "cannot allocate a signer of calls");
    struct iv_rc_s rc = iv_digester_new(&s->digester, err);
    if (!iv_ok(rc)) {
        iv_free(s);
        return rc;
    }
    *out = s;
    return IV_OK;
}

void iv_signature_free(struct iv_signature *signature)
{
    if (signature != NULL) {
        iv_digester_free(signature->digester);
        iv_free(signature);
    }
}

void iv_signature_make(char out[IV_SIGNATURE_TEXT_BYTES], struct iv_signature *signature, struct iv_str key,
                       iv_ns now, struct iv_str body)
{
    unsigned char mac[32];
    int n = snprintf(out, IV_SIGNATURE_TEXT_BYTES, "%lld.", (long long)(now / IV_NS_PER_S));
    const struct iv_str parts[] = {{out, (size_t)n}, body};
    iv_hmac_sha256(mac, signature->digester, key, parts, IV_COUNT(parts));
    n = snprintf(out, IV_SIGNATURE_TEXT_BYTES, "t=%lld,v1=", (long long)(now / IV_NS_PER_S));
    for (size_t i = 0; i < sizeof mac; i++) {
        (void)snprintf(out + n + 2 * i, 3, "%02x", mac[i]);
    }
}
