/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "base/json_write.h"
#include "cel/lib.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#define PIECE_BYTES 128

void iv_cel_text_begin(struct iv_cel_text *text, struct iv_cel_frame *frame, size_t capacity)
{
    *text = (struct iv_cel_text){.frame = frame, .capacity = capacity};
    text->p = iv_arena_alloc(&frame->arena, capacity + 1);
    text->failed = text->p == NULL;
}

static bool grow(struct iv_cel_text *text, size_t more)
{
    size_t capacity = text->capacity * 2 < text->n + more ? text->n + more : text->capacity * 2;
    char *p = iv_arena_alloc(&text->frame->arena, capacity + 1);
    if (p == NULL) {
        text->failed = true;
        return false;
    }
    memcpy(p, text->p, text->n);
    text->p = p;
    text->capacity = capacity;
    return true;
}

void iv_cel_text_add(struct iv_cel_text *text, struct iv_str s)
{
    if (s.n == 0 || text->failed || (s.n > text->capacity - text->n && !grow(text, s.n))) {
        return;
    }
    memcpy(text->p + text->n, s.p, s.n);
    text->n += s.n;
}

void iv_cel_text_printf(struct iv_cel_text *text, const char *format, ...)
{
    char piece[PIECE_BYTES];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(piece, sizeof piece, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= sizeof piece) {
        text->failed = true;
        return;
    }
    iv_cel_text_add(text, (struct iv_str){piece, (size_t)n});
}

static void add_double(struct iv_buf *buf, double d)
{
    if (isnan(d)) {
        iv_buf_text(buf, "NaN");
    } else if (isinf(d)) {
        iv_buf_text(buf, d < 0 ? "-Infinity" : "Infinity");
    } else {
        iv_buf_text(buf, d == 0 && signbit(d) ? "-" : "");
        iv_json_double(buf, d);
    }
}

bool iv_cel_text_scalar(struct iv_cel_text *text, const struct iv_val *v)
{
    char piece[PIECE_BYTES];
    struct iv_buf buf = {.p = piece, .capacity = sizeof piece, .max = sizeof piece - 1}; /* never grows */
    switch (v->kind) {
    case IV_KIND_STRING:
    case IV_KIND_TYPE:
        iv_cel_text_add(text, iv_val_slice(*v));
        return true;
    case IV_KIND_BOOL:
        iv_buf_text(&buf, v->b ? "true" : "false");
        break;
    case IV_KIND_INT:
        iv_buf_printf(&buf, "%lld", (long long)v->i);
        break;
    case IV_KIND_UINT:
        iv_buf_printf(&buf, "%llu", (unsigned long long)v->u);
        break;
    case IV_KIND_DOUBLE:
        add_double(&buf, v->d);
        break;
    case IV_KIND_TIMESTAMP:
        iv_instant_format(&buf, iv_val_instant(*v));
        break;
    case IV_KIND_DURATION:
        iv_duration_format(&buf, iv_val_instant(*v));
        break;
    default:
        return false;
    }
    iv_cel_text_add(text, iv_buf_slice(&buf));
    return true;
}

iv_rc iv_cel_text_end(struct iv_val *out, struct iv_cel_text *text, struct iv_err *err)
{
    ENSURE(!text->failed && text->n <= UINT32_MAX, err, IV_E_NOMEM,
           "the expression needs more memory than it may have");
    TRY(iv_cel_spend(text->frame, text->n >> 6, err));
    *out = iv_val_str((struct iv_str){text->p, text->n});
    return IV_OK;
}
