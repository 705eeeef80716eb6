/* SPDX-License-Identifier: Apache-2.0 */
/* "…".format([…]). Source: the CEL extension "strings", format: %s %d %f %e %b %x %X %o %%, %.3f. */
#include "cel/env.h"
#include "cel/lib.h"

#include <math.h>
#include <stdio.h>

#define PRECISION_MAX 60
#define NESTING_MAX 64

struct format {
    struct iv_cel_text text;
    struct iv_str clause; /* as written, for messages */
    int precision;        /* -1: none given */
    struct iv_err *err;
};

static iv_rc wrong_kind(const struct format *f, const struct iv_val *v)
{
    struct iv_str kind = iv_cel_kind_name(v);
    return iv_err_set(f->err, IV_E_EVAL,
                      "error during formatting: '" IV_STR_FMT "' does not go with " IV_STR_FMT,
                      IV_STR_ARG(iv_cel_brief(f->clause)), IV_STR_ARG(kind));
}

static iv_rc add_any(struct format *f, const struct iv_val *v, int nesting);

static iv_rc add_list(struct format *f, const struct iv_val *v, int nesting)
{
    iv_cel_text_add(&f->text, IV_STR("["));
    for (size_t i = 0; i < v->n; i++) {
        TRY(iv_cel_spend(f->text.frame, 1, f->err));
        iv_cel_text_add(&f->text, i > 0 ? IV_STR(", ") : IV_STR(""));
        TRY(add_any(f, &v->items[i], nesting));
    }
    iv_cel_text_add(&f->text, IV_STR("]"));
    return IV_OK;
}

static iv_rc key_text(struct iv_val *out, struct format *f, const struct iv_val *key)
{
    struct iv_cel_text text;
    iv_cel_text_begin(&text, f->text.frame, 40);
    if (!iv_cel_text_scalar(&text, key)) {
        return wrong_kind(f, key);
    }
    return iv_cel_text_end(out, &text, f->err);
}

/* Entries go by the text of their keys. */
static iv_rc add_map(struct format *f, const struct iv_val *v, int nesting)
{
    struct iv_val *keys = NULL;
    TRY(iv_cel_spend(f->text.frame, (size_t)v->n * v->n / 4 + v->n, f->err));
    TRY(iv_cel_alloc(&keys, f->text.frame, v->n * sizeof *keys, f->err));
    for (size_t i = 0; i < v->n; i++) {
        TRY(key_text(&keys[i], f, &v->items[2 * i]));
    }
    iv_cel_text_add(&f->text, IV_STR("{"));
    for (size_t done = 0; done < v->n; done++) {
        size_t least = SIZE_MAX;
        for (size_t i = 0; i < v->n; i++) {
            bool left = keys[i].kind == IV_KIND_STRING;
            if (left &&
                (least == SIZE_MAX || iv_str_cmp(iv_val_slice(keys[i]), iv_val_slice(keys[least])) < 0)) {
                least = i;
            }
        }
        iv_cel_text_add(&f->text, done > 0 ? IV_STR(", ") : IV_STR(""));
        iv_cel_text_add(&f->text, iv_val_slice(keys[least]));
        iv_cel_text_add(&f->text, IV_STR(": "));
        TRY(add_any(f, &v->items[2 * least + 1], nesting));
        keys[least].kind = IV_KIND_ABSENT;
    }
    iv_cel_text_add(&f->text, IV_STR("}"));
    return IV_OK;
}

static iv_rc add_any(struct format *f, const struct iv_val *v, int nesting)
{
    ENSURE(nesting < NESTING_MAX, f->err, IV_E_EVAL, "error during formatting: a value is nested too deep");
    switch (v->kind) {
    case IV_KIND_NULL:
        iv_cel_text_add(&f->text, IV_STR("null"));
        return IV_OK;
    case IV_KIND_BYTES:
        iv_cel_text_add(&f->text,
                        iv_utf8_valid(iv_val_slice(*v)) ? iv_val_slice(*v) : IV_STR("\xef\xbf\xbd"));
        return IV_OK;
    case IV_KIND_LIST:
        return add_list(f, v, nesting + 1);
    case IV_KIND_MAP:
        return add_map(f, v, nesting + 1);
    default:
        return iv_cel_text_scalar(&f->text, v) ? IV_OK : wrong_kind(f, v);
    }
}

static iv_rc add_decimal(struct format *f, const struct iv_val *v)
{
    bool no_number = v->kind == IV_KIND_DOUBLE && !isfinite(v->d);
    if (v->kind != IV_KIND_INT && v->kind != IV_KIND_UINT && !no_number) {
        return wrong_kind(f, v);
    }
    (void)iv_cel_text_scalar(&f->text, v);
    return IV_OK;
}

static iv_rc add_real(struct format *f, const struct iv_val *v, bool scientific)
{
    double d = v->d;
    if (v->kind == IV_KIND_INT) {
        d = (double)v->i;
    } else if (v->kind == IV_KIND_UINT) {
        d = (double)v->u;
    } else if (v->kind != IV_KIND_DOUBLE) {
        return wrong_kind(f, v);
    }
    if (!isfinite(d)) {
        const struct iv_val number = iv_val_double(d);
        (void)iv_cel_text_scalar(&f->text, &number);
        return IV_OK;
    }
    char piece[400]; /* the largest double has 309 digits before the point */
    int n = scientific ? snprintf(piece, sizeof piece, "%.*e", f->precision < 0 ? 6 : f->precision, d)
                       : snprintf(piece, sizeof piece, "%.*f", f->precision < 0 ? 6 : f->precision, d);
    iv_cel_text_add(&f->text, (struct iv_str){piece, (size_t)n});
    return IV_OK;
}

/* Sign and magnitude in a base that is a power of two. */
static void add_digits(struct format *f, const struct iv_val *v, unsigned shift, bool upper)
{
    const char *alphabet = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    bool negative = v->kind == IV_KIND_INT && v->i < 0;
    uint64_t u = negative ? 0 - v->u : v->u;
    char digits[65];
    size_t at = sizeof digits;
    do {
        digits[--at] = alphabet[u & ((1u << shift) - 1)];
        u >>= shift;
    } while (u != 0);
    iv_cel_text_add(&f->text, negative ? IV_STR("-") : IV_STR(""));
    iv_cel_text_add(&f->text, (struct iv_str){digits + at, sizeof digits - at});
}

static iv_rc add_based(struct format *f, const struct iv_val *v, char verb)
{
    if (v->kind == IV_KIND_INT || v->kind == IV_KIND_UINT) {
        add_digits(f, v, verb == 'b' ? 1 : verb == 'o' ? 3 : 4, verb == 'X');
        return IV_OK;
    }
    if (verb == 'b' && v->kind == IV_KIND_BOOL) {
        iv_cel_text_add(&f->text, v->b ? IV_STR("1") : IV_STR("0"));
        return IV_OK;
    }
    if ((verb != 'x' && verb != 'X') || (v->kind != IV_KIND_STRING && v->kind != IV_KIND_BYTES)) {
        return wrong_kind(f, v);
    }
    for (size_t i = 0; i < v->n && !f->text.failed; i++) {
        iv_cel_text_printf(&f->text, verb == 'x' ? "%02x" : "%02X", (unsigned char)v->s[i]);
    }
    return IV_OK;
}

static iv_rc add_clause(struct format *f, const struct iv_val *v)
{
    char verb = f->clause.p[f->clause.n - 1];
    ENSURE(f->precision < 0 || verb == 'f' || verb == 'e', f->err, IV_E_EVAL,
           "error during formatting: '" IV_STR_FMT "' takes no precision",
           IV_STR_ARG(iv_cel_brief(f->clause)));
    switch (verb) {
    case 's':
        return add_any(f, v, 0);
    case 'd':
        return add_decimal(f, v);
    case 'f':
    case 'e':
        return add_real(f, v, verb == 'e');
    case 'b':
    case 'o':
    case 'x':
    case 'X':
        return add_based(f, v, verb);
    default:
        return iv_err_set(f->err, IV_E_EVAL,
                          "could not parse formatting clause: there is no '" IV_STR_FMT "'",
                          IV_STR_ARG(iv_cel_brief(f->clause)));
    }
}

/* From the '%' on; *at moves behind the clause. */
static iv_rc parse_clause(struct format *f, struct iv_str s, size_t *at)
{
    size_t start = (*at)++;
    f->precision = -1;
    if (*at < s.n && s.p[*at] == '.') {
        f->precision = 0;
        for ((*at)++; *at < s.n && s.p[*at] >= '0' && s.p[*at] <= '9' && f->precision <= PRECISION_MAX;
             (*at)++) {
            f->precision = f->precision * 10 + (s.p[*at] - '0');
        }
        ENSURE(f->precision <= PRECISION_MAX, f->err, IV_E_EVAL, "a precision of more than %d digits",
               PRECISION_MAX);
    }
    ENSURE(*at < s.n, f->err, IV_E_EVAL, "could not parse formatting clause: the text ends behind '%%'");
    (*at)++;
    f->clause = (struct iv_str){s.p + start, *at - start};
    return IV_OK;
}

IV_CEL_FN(iv_cel_format)
{
    struct iv_str s = iv_val_slice(args[0]);
    struct format f = {.err = err};
    size_t used = 0;
    iv_cel_text_begin(&f.text, frame, (size_t)s.n + 64);
    for (size_t at = 0; at < s.n;) {
        const char *percent = memchr(s.p + at, '%', s.n - at);
        size_t end = percent == NULL ? s.n : (size_t)(percent - s.p);
        iv_cel_text_add(&f.text, (struct iv_str){s.p + at, end - at});
        at = end;
        if (at == s.n) {
            break;
        }
        TRY(parse_clause(&f, s, &at));
        if (f.clause.p[f.clause.n - 1] == '%' && f.clause.n == 2) {
            iv_cel_text_add(&f.text, IV_STR("%"));
            continue;
        }
        ENSURE(used < args[1].n, err, IV_E_EVAL, "index %zu out of range: too few values to format", used);
        TRY(add_clause(&f, &args[1].items[used++]));
    }
    return iv_cel_text_end(out, &f.text, err);
}
