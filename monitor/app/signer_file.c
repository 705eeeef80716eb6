/* SPDX-License-Identifier: Apache-2.0 */
#include "app/signer_file.h"

#include "base/guard.h"
#include "base/secret.h"

iv_rc iv_signer_read(struct iv_signer **out, const char *path, struct iv_err *err)
{
    IV_AUTO(iv_buf_wipe) struct iv_buf pem;
    TRY(iv_secret_read(&pem, iv_str_of(path), IV_SECRET_WHOLE, err));
    struct iv_rc_s rc = iv_signer_of_pem(out, iv_buf_slice(&pem), err);
    if (!iv_ok(rc)) {
        iv_err_wrap(err, "'%s'", path);
    }
    return rc;
}
