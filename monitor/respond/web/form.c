/* SPDX-License-Identifier: Apache-2.0 */
#include "respond/web/form.h"

#include <string.h>

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("*-._", c) != NULL);
}

void iv_form_encode(struct iv_buf *out, struct iv_str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (is_plain(text.p[i])) {
            iv_buf_char(out, text.p[i]);
        } else if (text.p[i] == ' ') {
            iv_buf_char(out, '+');
        } else {
            iv_buf_printf(out, "%%%02X", (unsigned)(unsigned char)text.p[i]);
        }
    }
}

void iv_form_add(struct iv_buf *out, const char *name, struct iv_str value)
{
    iv_buf_text(out, out->n == 0 ? "" : "&");
    iv_buf_text(out, name);
    iv_buf_char(out, '=');
    iv_form_encode(out, value);
}
