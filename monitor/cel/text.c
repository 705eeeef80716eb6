/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "cel/lib.h"

iv_rc iv_cel_text_begin(struct iv_cel_text *text, struct iv_cel_frame *frame, size_t capacity,
                        struct iv_err *err)
{
    text->n = 0;
    TRY(iv_cel_spend(frame, capacity >> 6, err));
    return iv_cel_alloc(&text->p, frame, capacity + 1, err);
}

iv_rc iv_cel_text_end(struct iv_val *out, const struct iv_cel_text *text, struct iv_err *err)
{
    ENSURE(text->n <= UINT32_MAX, err, IV_E_LIMIT, "a string of %zu bytes is too long", text->n);
    *out = iv_val_str((struct iv_str){text->p, text->n});
    return IV_OK;
}

iv_rc iv_cel_text_of_buf(struct iv_val *out, struct iv_buf *buf, struct iv_cel_frame *frame,
                         struct iv_err *err)
{
    struct iv_cel_text text;
    bool failed = iv_buf_failed(buf);
    struct iv_rc_s rc = iv_cel_text_begin(&text, frame, buf->n, err);
    if (iv_ok(rc)) {
        iv_cel_text_add(&text, iv_buf_slice(buf));
    }
    iv_buf_deinit(buf);
    TRY(rc);
    ENSURE(!failed, err, IV_E_LIMIT, "the text is too long");
    return iv_cel_text_end(out, &text, err);
}
