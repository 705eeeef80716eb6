/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_write.h"
#include "base/encode.h"
#include "base/guard.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void iv_json_string(struct iv_buf *out, struct iv_str s)
{
    static const char hex[] = "0123456789abcdef";
    iv_buf_char(out, '"');
    size_t plain = 0;
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        iv_buf_add(out, s.p + plain, i - plain);
        plain = i + 1;
        static const char short_form[0x20] = {
            ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
        char escape[6] = {'\\', (char)c};
        size_t n = 2;
        if (c < 0x20 && short_form[c] != 0) {
            escape[1] = short_form[c];
        } else if (c < 0x20) {
            memcpy(escape, "\\u00", 4);
            escape[4] = hex[c >> 4];
            escape[5] = hex[c & 15];
            n = 6;
        }
        iv_buf_add(out, escape, n);
    }
    iv_buf_add(out, s.n == 0 ? "" : s.p + plain, s.n - plain);
    iv_buf_char(out, '"');
}

/* Without printf, which takes longer than all the rest of a member. */
static void whole_number(struct iv_buf *out, int64_t i)
{
    char text[20];
    size_t at = sizeof text;
    uint64_t left = i < 0 ? UINT64_C(0) - (uint64_t)i : (uint64_t)i;
    do {
        text[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (i < 0) {
        text[--at] = '-';
    }
    iv_buf_add(out, text + at, sizeof text - at);
}

/* The shortest digits that read back as d, and the decimal exponent: d = 0.DIGITS * 10^exponent. */
static int shortest_digits(char digits[20], int *exponent, double d)
{
    char text[40];
    for (int precision = 0; precision < 17; precision++) {
        (void)snprintf(text, sizeof text, "%.*e", precision, d);
        if (strtod(text, NULL) == d) {
            break;
        }
    }
    int n = 0;
    char *p = text;
    for (; *p != 'e'; p++) {
        if (*p != '.') {
            digits[n++] = *p;
        }
    }
    while (n > 1 && digits[n - 1] == '0') {
        n--;
    }
    *exponent = (int)strtol(p + 1, NULL, 10) + 1;
    return n;
}

/*= RFC 8785 3.2.2.3 "serialized according to Section 7.1.12.1 of ECMA-262" */
static void ecmascript_number(struct iv_buf *out, double d)
{
    char digits[20];
    int point = 0;
    int n = shortest_digits(digits, &point, d);
    if (n <= point && point <= 21) {
        iv_buf_add(out, digits, (size_t)n);
        for (int i = n; i < point; i++) {
            iv_buf_char(out, '0');
        }
    } else if (0 < point && point <= 21) {
        iv_buf_add(out, digits, (size_t)point);
        iv_buf_char(out, '.');
        iv_buf_add(out, digits + point, (size_t)(n - point));
    } else if (-6 < point && point <= 0) {
        iv_buf_text(out, "0.");
        for (int i = point; i < 0; i++) {
            iv_buf_char(out, '0');
        }
        iv_buf_add(out, digits, (size_t)n);
    } else {
        iv_buf_char(out, digits[0]);
        if (n > 1) {
            iv_buf_char(out, '.');
            iv_buf_add(out, digits + 1, (size_t)(n - 1));
        }
        iv_buf_printf(out, "e%+d", point - 1);
    }
}

void iv_json_double(struct iv_buf *out, double d)
{
    if (isnan(d)) {
        iv_buf_text(out, "\"NaN\"");
    } else if (isinf(d)) {
        iv_buf_text(out, d < 0 ? "\"-Infinity\"" : "\"Infinity\"");
    } else if (d == 0) {
        iv_buf_char(out, '0');
    } else if (d == floor(d) && fabs(d) < 0x1p53) {
        whole_number(out, (int64_t)d);
    } else {
        iv_buf_text(out, d < 0 ? "-" : "");
        ecmascript_number(out, fabs(d));
    }
}

void iv_json_base64(struct iv_buf *out, struct iv_str bytes)
{
    iv_buf_char(out, '"');
    iv_base64_encode(out, bytes);
    iv_buf_char(out, '"');
}

static void begin(struct iv_json *j, const char *name)
{
    uint64_t bit = UINT64_C(1) << j->depth;
    if ((j->comma & bit) != 0) {
        iv_buf_char(j->out, ',');
    }
    j->comma |= bit;
    if (name != NULL) {
        iv_json_string(j->out, iv_str_of(name));
        iv_buf_char(j->out, ':');
    }
}

static void open_level(struct iv_json *j, const char *name, char brace)
{
    begin(j, name);
    iv_buf_char(j->out, brace);
    IV_CHECK(j->depth < 63);
    j->depth++;
    j->comma &= ~(UINT64_C(1) << j->depth);
}

static void close_level(struct iv_json *j, char brace)
{
    IV_CHECK(j->depth > 0);
    j->depth--;
    iv_buf_char(j->out, brace);
}

void iv_json_open_object(struct iv_json *j, const char *name)
{
    open_level(j, name, '{');
}

void iv_json_close_object(struct iv_json *j)
{
    close_level(j, '}');
}

void iv_json_open_list(struct iv_json *j, const char *name)
{
    open_level(j, name, '[');
}

void iv_json_close_list(struct iv_json *j)
{
    close_level(j, ']');
}

void iv_json_str(struct iv_json *j, const char *name, struct iv_str s)
{
    begin(j, name);
    iv_json_string(j->out, s);
}

void iv_json_text(struct iv_json *j, const char *name, const char *text)
{
    iv_json_str(j, name, iv_str_of(text));
}

void iv_json_int(struct iv_json *j, const char *name, int64_t i)
{
    begin(j, name);
    whole_number(j->out, i);
}

void iv_json_real(struct iv_json *j, const char *name, double d)
{
    begin(j, name);
    iv_json_double(j->out, d);
}

void iv_json_bool(struct iv_json *j, const char *name, bool b)
{
    begin(j, name);
    iv_buf_text(j->out, b ? "true" : "false");
}

void iv_json_null(struct iv_json *j, const char *name)
{
    begin(j, name);
    iv_buf_text(j->out, "null");
}

void iv_json_time(struct iv_json *j, const char *name, iv_ns t)
{
    begin(j, name);
    iv_buf_char(j->out, '"');
    iv_ns_format(j->out, t);
    iv_buf_char(j->out, '"');
}

void iv_json_raw(struct iv_json *j, const char *name, struct iv_str json)
{
    begin(j, name);
    iv_buf_str(j->out, json);
}
