/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte buffer that is created with its maximum.
 * An append that would pass the maximum, or that finds no memory, marks the buffer as failed and changes
 * nothing more: write freely, ask iv_buf_failed once at the end. */
#pragma once

#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>

struct iv_buf {
    char *p; /* always NUL-terminated behind n once something was appended */
    size_t n;
    size_t capacity;
    size_t max;
    bool failed;
    bool out_of_memory; /* why it failed; else it was the maximum */
    bool lent;          /* p is the caller's */
};

void iv_buf_init(struct iv_buf *buf, size_t max_bytes);
/* Begins in memory of the caller's, n > 0 bytes that outlive the buffer, and allocates only when it outgrows
 * them. */
void iv_buf_init_lent(struct iv_buf *buf, char *p, size_t n, size_t max_bytes);
void iv_buf_deinit(struct iv_buf *buf);
void iv_buf_wipe(struct iv_buf *buf);  /* deinit of what held a secret: nothing of it stays in its memory */
void iv_buf_clear(struct iv_buf *buf); /* empties, keeps the memory, forgives a failure */

/* Of the functions below: makes room for n more bytes and a NUL; false when the buffer has failed. */
bool iv_buf_grow(struct iv_buf *buf, size_t n);
static inline bool iv_buf_room(struct iv_buf *buf, size_t n)
{
    return (!buf->failed && n < buf->capacity - buf->n && n <= buf->max - buf->n) || iv_buf_grow(buf, n);
}

/* Room for n bytes behind what is there: write them at the answer, then say how many were written. NULL when
 * the buffer has failed. For inner loops; everything else appends. */
static inline char *iv_buf_reserve(struct iv_buf *buf, size_t n)
{
    return iv_buf_room(buf, n) ? buf->p + buf->n : NULL;
}
static inline void iv_buf_wrote(struct iv_buf *buf, size_t n)
{
    buf->n += n;
    buf->p[buf->n] = '\0';
}

void iv_buf_add(struct iv_buf *buf, const void *p, size_t n);
void iv_buf_str(struct iv_buf *buf, struct iv_str s);
void iv_buf_text(struct iv_buf *buf, const char *text);
static inline void iv_buf_char(struct iv_buf *buf, char c)
{
    if (iv_buf_room(buf, 1)) {
        buf->p[buf->n] = c;
        iv_buf_wrote(buf, 1);
    }
}
void iv_buf_printf(struct iv_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* IV_E_NOMEM or IV_E_LIMIT where the buffer has failed, in a sentence about what ("a request"). */
iv_rc iv_buf_check(const struct iv_buf *buf, const char *what, struct iv_err *err);
/* Where part has failed, out has failed for the same reason. */
void iv_buf_inherit(struct iv_buf *out, const struct iv_buf *part);

static inline bool iv_buf_failed(const struct iv_buf *buf)
{
    return buf->failed;
}

static inline struct iv_str iv_buf_slice(const struct iv_buf *buf)
{
    return (struct iv_str){buf->n == 0 ? "" : buf->p, buf->n};
}
