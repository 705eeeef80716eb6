/* SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "base/guard.h"
#include "base/utf8.h"
#include "cel/lex.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

static bool parse_magnitude(uint64_t *out, struct iv_str digits)
{
    bool hex = digits.n > 2 && (digits.p[1] == 'x' || digits.p[1] == 'X');
    uint64_t base = hex ? 16 : 10;
    uint64_t v = 0;
    for (size_t i = hex ? 2 : 0; i < digits.n; i++) {
        if (__builtin_mul_overflow(v, base, &v) ||
            __builtin_add_overflow(v, (uint64_t)iv_hex_digit(digits.p[i]), &v)) {
            return false;
        }
    }
    *out = v;
    return true;
}

static bool double_literal(struct iv_val *out, struct iv_cel_compilation *c, struct iv_cel_token token,
                           bool negative)
{
    struct iv_str copy = iv_arena_str(c->arena, iv_cel_token_text(c, token));
    if (copy.p == NULL) {
        c->out_of_memory = true;
        return false;
    }
    double d = strtod(copy.p, NULL);
    if (isinf(d)) {
        iv_cel_report(c, token.offset, token.length, "the number does not fit a double");
        return false;
    }
    *out = iv_val_double(negative ? -d : d);
    return true;
}

bool iv_cel_literal_number(struct iv_val *out, struct iv_cel_compilation *c, struct iv_cel_token token,
                           bool negative)
{
    if (token.kind == IV_CEL_T_DOUBLE) {
        return double_literal(out, c, token, negative);
    }
    struct iv_str digits = iv_cel_token_text(c, token);
    if (token.kind == IV_CEL_T_UINT) {
        digits.n--;
    }
    uint64_t v = 0;
    bool fits = parse_magnitude(&v, digits);
    if (token.kind == IV_CEL_T_UINT) {
        *out = iv_val_uint(v);
    } else {
        fits = fits && v <= (uint64_t)INT64_MAX + (negative ? 1 : 0);
        *out = iv_val_int((int64_t)(negative ? 0 - v : v));
    }
    if (!fits) {
        iv_cel_report(c, token.offset, token.length, "the number does not fit %s of 64 bits",
                      token.kind == IV_CEL_T_UINT ? "a uint" : "an int");
    }
    return fits;
}

struct text {
    struct iv_cel_compilation *c;
    uint32_t offset; /* in the source, of the body's first byte */
    struct iv_str body;
    size_t at;
    char *out;
    size_t n;
    bool bytes;
};

static bool wrong_escape(const struct text *t, size_t at, const char *what)
{
    iv_cel_report(t->c, t->offset + (uint32_t)at, 2, "%s", what);
    return false;
}

/* Digits of the base behind an escape's letter: exactly count of them. */
static bool escape_digits(uint32_t *out, struct text *t, size_t count, uint32_t base)
{
    uint32_t v = 0;
    for (size_t i = 0; i < count; i++) {
        int digit = t->at < t->body.n ? iv_hex_digit(t->body.p[t->at]) : -1;
        if (digit < 0 || (uint32_t)digit >= base) {
            return false;
        }
        v = v * base + (uint32_t)digit;
        t->at++;
    }
    *out = v;
    return true;
}

/* In a string an escape by number is a code point, in bytes an octet (\u and \U are not allowed there). */
static bool put_number(struct text *t, size_t start, uint32_t v, bool octet)
{
    if (t->bytes) {
        if (!octet || v > 0xff) {
            return wrong_escape(t, start, "bytes have no escapes by code point; write the octets with \\x");
        }
        t->out[t->n++] = (char)v;
        return true;
    }
    if (v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff)) {
        return wrong_escape(t, start, "the escape is no Unicode code point");
    }
    t->n += iv_utf8_encode(t->out + t->n, v);
    return true;
}

static bool put_escape(struct text *t)
{
    static const char letters[] = "abfnrtv\\?\"'`";
    static const char values[] = "\a\b\f\n\r\t\v\\?\"'`";
    size_t start = t->at++;
    char c = t->at < t->body.n ? t->body.p[t->at] : '\0';
    const char *letter = c == '\0' ? NULL : strchr(letters, c);
    if (letter != NULL) {
        t->out[t->n++] = values[letter - letters];
        t->at++;
        return true;
    }
    uint32_t v = 0;
    if (c >= '0' && c <= '3' && escape_digits(&v, t, 3, 8)) {
        return put_number(t, start, v, true);
    }
    size_t digits = c == 'x' || c == 'X' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    t->at++;
    if (digits != 0 && escape_digits(&v, t, digits, 16)) {
        return put_number(t, start, v, digits == 2);
    }
    return wrong_escape(t, start,
                        digits != 0 ? "the escape needs more hexadecimal digits"
                                    : "there is no such escape; for a backslash write \\\\");
}

bool iv_cel_literal_text(struct iv_val *out, struct iv_cel_compilation *c, struct iv_cel_token token)
{
    struct iv_str text = iv_cel_token_text(c, token);
    bool raw = false;
    size_t start = 0;
    for (; text.p[start] != '"' && text.p[start] != '\''; start++) {
        raw = raw || text.p[start] == 'r' || text.p[start] == 'R';
    }
    char quote = text.p[start];
    size_t marks = text.n >= start + 6 && text.p[start + 1] == quote && text.p[start + 2] == quote ? 3 : 1;
    struct text t = {
        .c = c, .offset = token.offset + (uint32_t)(start + marks), .bytes = token.kind == IV_CEL_T_BYTES};
    t.body = (struct iv_str){text.p + start + marks, text.n - start - 2 * marks};
    t.out = iv_arena_alloc(c->arena, t.body.n + 1);
    if (t.out == NULL) {
        c->out_of_memory = true;
        return false;
    }
    while (t.at < t.body.n) {
        if (!raw && t.body.p[t.at] == '\\') {
            if (!put_escape(&t)) {
                return false;
            }
        } else {
            t.out[t.n++] = t.body.p[t.at++];
        }
    }
    struct iv_str s = {t.out, t.n};
    *out = t.bytes ? iv_val_bytes(s) : iv_val_str(s);
    return true;
}
