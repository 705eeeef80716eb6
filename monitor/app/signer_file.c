/* SPDX-License-Identifier: Apache-2.0 */
#include "app/signer_file.h"

#include "base/file.h"
#include "base/guard.h"

#include <string.h>

#define PEM_MAX_BYTES 65536

iv_rc iv_signer_read(struct iv_signer **out, const char *path, struct iv_err *err)
{
    IV_AUTO(iv_buf_deinit) struct iv_buf pem;
    iv_buf_init(&pem, PEM_MAX_BYTES);
    TRY(iv_file_read(&pem, iv_str_of(path), err));
    struct iv_rc_s rc = iv_signer_of_pem(out, iv_buf_slice(&pem), err);
    if (!iv_ok(rc)) {
        iv_err_wrap(err, "'%s'", path);
    }
    if (pem.n > 0) {
        explicit_bzero(pem.p, pem.n);
    }
    return rc;
}
