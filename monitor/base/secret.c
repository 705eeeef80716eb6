/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

#include "base/file.h"
#include "base/guard.h"

#include <string.h>

iv_rc iv_secret_read(struct iv_buf *out, struct iv_str path, enum iv_secret_extent extent, struct iv_err *err)
{
    iv_buf_init(out, IV_SECRET_BYTES_MAX);
    /* A buffer that grows leaves what it had where it was. */
    ENSURE(iv_buf_reserve(out, IV_SECRET_BYTES_MAX) != NULL, err, IV_E_NOMEM,
           "cannot allocate the secret of '" IV_STR_FMT "'", IV_STR_ARG(path));
    TRY(iv_file_read(out, path, err));
    const char *end = extent == IV_SECRET_WHOLE ? NULL : memchr(out->p, '\n', out->n);
    if (end != NULL) {
        size_t n = (size_t)(end - out->p);
        explicit_bzero(out->p + n, out->n - n);
        out->n = n;
    }
    ENSURE(out->n > 0, err, IV_E_REFUSED, "'" IV_STR_FMT "' must hold a secret, and %s is empty",
           IV_STR_ARG(path), extent == IV_SECRET_WHOLE ? "it" : "its first line");
    return IV_OK;
}

bool iv_secret_eq(struct iv_str a, struct iv_str b)
{
    unsigned char different = a.n == b.n ? 0 : 1;
    for (size_t i = 0; i < a.n; i++) {
        unsigned char c = b.n == 0 ? 0 : (unsigned char)b.p[i % b.n];
        different = (unsigned char)(different | (c ^ (unsigned char)a.p[i]));
    }
    return different == 0;
}
