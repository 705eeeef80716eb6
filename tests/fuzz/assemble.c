/* SPDX-License-Identifier: Apache-2.0 */
#include "assemble.h"

#include "base/guard.h"

#include <string.h>

static void put_sections(struct iv_buf *out, struct iv_str input, const struct assembly *how)
{
    for (size_t i = 0; i < how->section_count; i++) {
        const char *at = input.n == 0 ? NULL : memmem(input.p, input.n, how->sections[i], 4);
        const char *end = input.p + input.n;
        const char *from = at == NULL ? end : at + 4;
        size_t left = (size_t)(end - from);
        const char *next =
            i + 1 == how->section_count || left == 0 ? NULL : memmem(from, left, how->sections[i + 1], 4);
        size_t n = next == NULL ? left : (size_t)(next - from);
        size_t section = iv_image_open(out, how->sections[i]);
        size_t start = out->n;
        iv_buf_add(out, from, n);
        if (how->mend != NULL) {
            how->mend(i, out->p + start, n);
        }
        iv_image_close(out, section);
        input = at == NULL ? input : (struct iv_str){from + n, left - n};
    }
}

void assemble(struct iv_buf *out, struct iv_str input, const struct assembly *how)
{
    struct iv_err err;
    iv_buf_clear(out);
    size_t start = iv_frame_open(out, how->frame);
    put_sections(out, input, how);
    IV_CHECK(iv_ok(iv_frame_close(out, start, how->frame, &err)));
}
