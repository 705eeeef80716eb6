/* SPDX-License-Identifier: Apache-2.0 */
/* Writing JSON (RFC 8259) into a buffer: the atoms, and a writer that keeps commas and braces right. */
#pragma once

#include "base/buf.h"
#include "base/str.h"
#include "base/time.h"

#include <stdbool.h>
#include <stdint.h>

/* A quoted string; invalid UTF-8 is the caller's bug, control characters are escaped. */
void iv_json_string(struct iv_buf *out, struct iv_str s);
/* ECMAScript's shortest form that reads back the same, as RFC 8785 3.2.2.3 has it;
 * NaN and infinities quoted. */
void iv_json_double(struct iv_buf *out, double d);
/* Standard base64 with padding, quoted. */
void iv_json_base64(struct iv_buf *out, struct iv_str bytes);

struct iv_json {
    struct iv_buf *out;
    uint64_t comma; /* one bit a level: a comma is due before the next item */
    int depth;      /* at most 63 */
};

static inline struct iv_json iv_json_to(struct iv_buf *out)
{
    return (struct iv_json){.out = out};
}

/* name is the member's name inside an object, NULL inside a list and at the top. */
void iv_json_open_object(struct iv_json *j, const char *name);
void iv_json_close_object(struct iv_json *j);
void iv_json_open_list(struct iv_json *j, const char *name);
void iv_json_close_list(struct iv_json *j);
void iv_json_str(struct iv_json *j, const char *name, struct iv_str s);
void iv_json_text(struct iv_json *j, const char *name, const char *text);
void iv_json_int(struct iv_json *j, const char *name, int64_t i);
void iv_json_real(struct iv_json *j, const char *name, double d);
void iv_json_bool(struct iv_json *j, const char *name, bool b);
void iv_json_null(struct iv_json *j, const char *name);
void iv_json_time(struct iv_json *j, const char *name, iv_ns t); /* RFC 3339 */
/* A value that is JSON text already. */
void iv_json_raw(struct iv_json *j, const char *name, struct iv_str json);
