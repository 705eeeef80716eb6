/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/alloc.h"
#include "base/guard.h"

#include <stdarg.h>
#include <stdio.h>

void iv_buf_init(struct iv_buf *buf, size_t max_bytes)
{
    *buf = (struct iv_buf){.max = max_bytes};
}

void iv_buf_init_lent(struct iv_buf *buf, char *p, size_t n, size_t max_bytes)
{
    *buf = (struct iv_buf){.p = p, .capacity = n, .max = max_bytes, .lent = true};
}

void iv_buf_deinit(struct iv_buf *buf)
{
    iv_free(buf->lent ? NULL : buf->p);
    *buf = (struct iv_buf){.max = buf->max};
}

void iv_buf_wipe(struct iv_buf *buf)
{
    if (buf->p != NULL) {
        explicit_bzero(buf->p, buf->capacity);
    }
    iv_buf_deinit(buf);
}

void iv_buf_clear(struct iv_buf *buf)
{
    buf->n = 0;
    buf->failed = false;
    buf->out_of_memory = false;
}

bool iv_buf_grow(struct iv_buf *buf, size_t n)
{
    if (buf->failed || n > buf->max || buf->n > buf->max - n) {
        buf->failed = true;
        return false;
    }
    size_t need = buf->n + n + 1;
    if (need <= buf->capacity) {
        return true;
    }
    size_t capacity = buf->capacity < 64 ? 64 : buf->capacity * 2;
    capacity = capacity < need ? need : capacity;
    char *p = buf->lent ? iv_malloc(capacity) : iv_realloc(buf->p, capacity);
    if (p == NULL) {
        buf->failed = true;
        buf->out_of_memory = true;
        return false;
    }
    if (buf->lent) {
        memcpy(p, buf->p, buf->n);
    }
    buf->p = p;
    buf->lent = false;
    buf->capacity = capacity;
    return true;
}

void iv_buf_add(struct iv_buf *buf, const void *p, size_t n)
{
    if (!iv_buf_room(buf, n)) {
        return;
    }
    if (n > 0) {
        memcpy(buf->p + buf->n, p, n);
    }
    buf->n += n;
    buf->p[buf->n] = '\0';
}

void iv_buf_str(struct iv_buf *buf, struct iv_str s)
{
    iv_buf_add(buf, s.p, s.n);
}

void iv_buf_text(struct iv_buf *buf, const char *text)
{
    iv_buf_add(buf, text, strlen(text));
}

void iv_buf_printf(struct iv_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0) {
        buf->failed = true;
    } else if (iv_buf_room(buf, (size_t)n)) {
        (void)vsnprintf(buf->p + buf->n, (size_t)n + 1, format, again);
        buf->n += (size_t)n;
    }
    va_end(again);
}

struct iv_rc_s iv_buf_check(const struct iv_buf *buf, const char *what, struct iv_err *err)
{
    ENSURE(!buf->out_of_memory, err, IV_E_NOMEM, "no memory left for %s", what);
    ENSURE(!buf->failed, err, IV_E_LIMIT, "%s is larger than %zu bytes", what, buf->max);
    return IV_OK;
}

void iv_buf_inherit(struct iv_buf *out, const struct iv_buf *part)
{
    out->failed = out->failed || part->failed;
    out->out_of_memory = out->out_of_memory || part->out_of_memory;
}
