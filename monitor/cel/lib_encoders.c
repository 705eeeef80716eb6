/* SPDX-License-Identifier: Apache-2.0 */
/* Source: the CEL extension "encoders". */
#include "base/encode.h"
#include "cel/lib.h"

/* A buffer over memory of the frame's arena, large enough never to grow. */
static iv_rc arena_buf(struct iv_buf *buf, struct iv_cel_frame *frame, size_t bytes, struct iv_err *err)
{
    *buf = (struct iv_buf){.capacity = bytes + 1, .max = bytes};
    TRY(iv_cel_spend(frame, bytes >> 6, err));
    return iv_cel_alloc(&buf->p, frame, bytes + 1, err);
}

IV_CEL_FN(iv_cel_base64_encode)
{
    struct iv_buf buf;
    TRY(arena_buf(&buf, frame, ((size_t)args[0].n + 2) / 3 * 4, err));
    iv_base64_encode(&buf, iv_val_slice(args[0]));
    *out = iv_val_str(iv_buf_slice(&buf));
    return IV_OK;
}

/* Padding may be left out. */
IV_CEL_FN(iv_cel_base64_decode)
{
    struct iv_buf padded;
    struct iv_buf buf;
    TRY(arena_buf(&padded, frame, (size_t)args[0].n + 3, err));
    iv_buf_str(&padded, iv_val_slice(args[0]));
    while (padded.n % 4 != 0) {
        iv_buf_char(&padded, '=');
    }
    TRY(arena_buf(&buf, frame, padded.n / 4 * 3, err));
    ENSURE(iv_base64_decode(&buf, iv_buf_slice(&padded)), err, IV_E_EVAL, "the string is no base64");
    *out = iv_val_bytes(iv_buf_slice(&buf));
    return IV_OK;
}
